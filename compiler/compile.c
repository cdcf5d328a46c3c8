/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler: passes, blocked layouts, partitions, then layer by layer schedule, loops, instructions. */
#include "compiler/compile.h"

#include <assert.h>
#include <string.h>

#include "compiler/target/accel/accel.h"
#include "verify/verify.h"

struct compiler {
  struct tsr_arena *a;
  struct tsr_err *err;
  struct tsr_graph *g;
  const struct tsr_design *d;
  const struct tsr_compile_options *options;
  struct tsr_module *m;
  struct tsr__stream *stream;
  const struct tir_intrinsics *intrinsics;
  struct tsr_tune *tune;
  struct tsr_node **plain; /* nodes before layouts were chosen */
  int plain_nodes;
  struct tsr_group *group; /* what becomes a layer each */
  int groups;
  struct tsr_accel_group **accel; /* the same on the accelerator, of each; NULL: on the CPU */
  int *order;                     /* the groups that are layers, as they run, */
  int ordered;                    /* so many */
  const struct tsr_value **value; /* of buffer k */
  uint64_t activations;           /* bytes handed out */
  int step;                       /* being made; its stream is open when it is the accelerator's */
};

static void dump(struct compiler *c, const char *stage, const char *name, const char *text)
{
  if (c->options->dump)
    c->options->dump(c->options->context, stage, name, text);
}

static void dump_pass(void *context, const char *pass, const struct tsr_graph *g)
{
  struct compiler *c = context;
  if (c->options->dump)
    dump(c, "graph", pass, tsr_graph_print(c->a, g, true));
}

/* --- buffers --------------------------------------------------------------------------------------- */

static bool is_output(const struct compiler *c, const struct tsr_value *v)
{
  for (int k = 0; k < c->g->outputs; k++)
    if (c->g->output[k] == v)
      return true;
  return false;
}

static bool is_cpu_view(const struct compiler *c, const struct tsr_node *n)
{
  return c->options->cpu_only && n && tsr_gop_is_view(n->op);
}

/* What v is another shape of. */
static const struct tsr_value *root_of(const struct compiler *c, const struct tsr_value *v)
{
  while (is_cpu_view(c, v->producer))
    v = v->producer->in[0];
  return v;
}

/* The output of the graph that lies where the root does: the only one of its shapes that is an output, and
 * a layer makes it. NULL: there is none. */
static const struct tsr_value *output_of(const struct compiler *c, const struct tsr_value *root)
{
  const struct tsr_value *found = NULL;
  int seen = 0;
  for (int k = 0; k < c->g->outputs; k++)
    if (root_of(c, c->g->output[k]) == root) {
      found = c->g->output[k];
      seen++;
    }
  return seen == 1 && root->producer ? found : NULL;
}

/* A node that only sees its input in another shape. On the CPU, where tensors are dense, it takes no time:
 * whoever reads its output reads its input. Other outputs of the graph have memory of their own. */
static bool is_free(const struct compiler *c, const struct tsr_node *n)
{
  return is_cpu_view(c, n) &&
         (!is_output(c, n->out[0]) || output_of(c, root_of(c, n->out[0])) == n->out[0]);
}

static const struct tsr_value *seen_through(const struct compiler *c, const struct tsr_value *v)
{
  while (is_free(c, v->producer))
    v = v->producer->in[0];
  return v;
}

static int buffer_of(const struct compiler *c, const struct tsr_value *v)
{
  v = seen_through(c, v);
  for (int k = 0; k < c->m->buffers; k++)
    if (c->value[k] == v)
      return k;
  assert(!"a value with a buffer");
  return -1;
}

static bool on_accelerator(const struct tsr_node *n)
{
  return n && tsr_accel_runs(n->op);
}

static bool is_view(const struct tsr_node *n)
{
  return n && tsr_accel_is_view(n->op);
}

/* A value lies on the device when the accelerator makes or reads it. */
static bool on_device(const struct compiler *c, const struct tsr_value *v)
{
  if (on_accelerator(v->producer) || is_view(v->producer))
    return true;
  for (int k = 0; k < c->g->nodes; k++)
    if (on_accelerator(c->g->node[k]) || is_view(c->g->node[k]))
      for (int i = 0; i < c->g->node[k]->inputs; i++)
        if (c->g->node[k]->in[i] == v)
          return true;
  return false;
}

/* A value that stays in INP between layers; NULL: it lies in memory. */
static const struct tsr_accel_resident *resident(const struct compiler *c,
                                                 const struct tsr_value *v)
{
  const struct tsr_accel_resident *r = NULL;
  for (int k = 0; k < c->groups && !r; k++)
    r = c->accel[k] ? tsr_accel_resident_of(c->accel[k], v) : NULL;
  return r;
}

/* As it lies in INP: no place in memory, and its padding around it. */
static void set_resident(struct tsr_module_buffer *b, const struct tsr_accel_resident *r)
{
  b->on_device = false;
  for (int k = 0; k < 2; k++)
    b->dims[2 + k] += r->before[k] + r->after[k];
}

/* An output has its own name and shape, whatever it is made as. */
static void add_buffer(struct compiler *c, const struct tsr_value *v)
{
  struct tsr_module_buffer *b = &c->m->buffer[c->m->buffers];
  struct tsr_tensor t = tsr_value_tensor(v);
  size_t bytes = tsr_tensor_bytes(&t);
  const struct tsr_value *output = output_of(c, v), *shown = output ? output : v;
  *b = (struct tsr_module_buffer){
      .name = shown->name, .dtype = shown->dtype, .rank = shown->rank, .data = v->data};
  memcpy(b->dims, shown->dims, sizeof b->dims);
  b->on_device = c->stream && on_device(c, v);
  if (resident(c, v))
    set_resident(b, resident(c, v));
  if (b->on_device && v->data) {
    b->offset = tsr__stream_constant(c->stream, v->data, bytes);
  } else if (b->on_device && tsr_accel_view_of(c->g, v).whole == v) {
    b->offset = c->activations;
    c->activations += (bytes + 127) / 128 * 128; /* on the widest beat */
  }
  c->value[c->m->buffers++] = v;
}

/* Gives a value that lies in another's memory its place there. */
static void add_part(struct compiler *c, int index)
{
  struct tsr_module_buffer *b = &c->m->buffer[index];
  struct tsr_accel_view view = tsr_accel_view_of(c->g, c->value[index]);
  uint64_t step = tsr_dtype_bytes(b->dtype);
  if (!b->on_device || view.whole == c->value[index])
    return;
  b->is_part = true;
  b->whole = buffer_of(c, view.whole);
  b->offset = c->m->buffer[b->whole].offset;
  for (int d = b->rank; d-- > 0; step *= (uint64_t)view.whole->dims[d]) {
    b->offset += (uint64_t)view.first[d] * step;
    b->step[d] = (uint64_t)view.by[d] * step;
  }
}

/* Made and read in one layer: never in memory. */
static bool is_inside(const struct compiler *c, const struct tsr_value *v)
{
  for (int k = 0; k < c->groups; k++)
    for (int n = 0; n < c->group[k].nodes - 1; n++)
      if (c->group[k].node[n] == v->producer)
        return true;
  return false;
}

/* Buffers for all values in use: inputs and outputs of the graph, operands and results of layers. */
static void add_buffers(struct compiler *c)
{
  struct tsr_graph *g = c->g;
  c->m->buffer = TSR_NEW_ARRAY(c->a, struct tsr_module_buffer, g->values + 1);
  c->value = TSR_NEW_ARRAY(c->a, const struct tsr_value *, g->values + 1);
  for (int k = 0; k < g->values; k++) {
    const struct tsr_value *v = g->value[k];
    bool used = tsr_graph_uses(g, v) > 0;
    for (int i = 0; i < g->inputs && !used; i++)
      used = g->input[i] == v;
    for (int n = 0; n < g->nodes && !used; n++)
      used = v->producer == g->node[n];
    if (used && !(v->producer && is_inside(c, v)) && !is_free(c, v->producer))
      add_buffer(c, v);
  }
  for (int k = 0; k < c->m->buffers; k++)
    add_part(c, k);
}

static int *buffer_list(struct compiler *c, struct tsr_value *const *values, int count)
{
  int *list = TSR_NEW_ARRAY(c->a, int, count + 1);
  for (int k = 0; k < count; k++)
    list[k] = buffer_of(c, values[k]);
  return list;
}

/* --- layers ---------------------------------------------------------------------------------------- */

static const struct tsr_node *last_node(const struct tsr_group *group)
{
  return group->node[group->nodes - 1];
}

static void add_args(struct compiler *c, struct tsr_module_layer *l, const struct tsr_group *group,
                     const struct tsr_accel_group *accel)
{
  const struct tsr_node *n = last_node(group);
  int inputs;
  struct tsr_value **in = accel ? tsr_accel_group_inputs(c->a, accel, &inputs)
                                : tsr_group_inputs(c->a, group, &inputs);
  l->arg = TSR_NEW_ARRAY(c->a, int, inputs + n->outputs + 1);
  for (int k = 0; k < inputs; k++)
    l->arg[l->args++] = buffer_of(c, in[k]);
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k])
      l->arg[l->args++] = buffer_of(c, n->out[k]);
}

/* A layer is called as its first node that is no lead. */
static const char *name_of(const struct tsr_group *group)
{
  return group->node[group->leads]->name;
}

/* Where the program's parameters are: in INP, or device buffers; constants at their place, the rest
 * activations. */
static struct tsr__place *parameter_places(struct compiler *c, const struct tsr_module_layer *l)
{
  struct tsr__place *place = TSR_NEW_ARRAY(c->a, struct tsr__place, l->args + 1);
  for (int k = 0; k < l->args; k++) {
    const struct tsr_module_buffer *b = &c->m->buffer[l->arg[k]];
    const struct tsr_accel_resident *r = resident(c, c->value[l->arg[k]]);
    if (r) {
      place[k] = tsr__resident_place(c->d, r, r->at);
      continue;
    }
    place[k].base = b->data ? BASE_CONSTANT : BASE_ACTIVATION;
    place[k].dram = b->offset;
    place[k].step = b->is_part ? b->step : NULL;
  }
  return place;
}

static void dump_stream(struct compiler *c, const struct tsr_module_layer *l)
{
  if (!c->options->dump)
    return;
  struct tsr_text text = {.arena = c->a};
  for (size_t k = l->first_insn; k < c->stream->count; k++)
    tsr_text_add(&text, "%s\n", tsr_insn_text(c->a, &c->stream->insn[k]));
  dump(c, "stream", l->name, text.data ? text.data : "");
}

/* The layer whose schedule the caller has given. */
static bool is_given(const struct compiler *c, const struct tsr_module_layer *l)
{
  return c->options->schedule && !strcmp(c->options->layer, l->name);
}

/* What a schedule that was given becomes may be more than the fields of an instruction hold. */
static enum tsr_status check_fields(struct compiler *c, size_t from)
{
  uint8_t word[TSR_INSN_BYTES];
  for (size_t k = from; k < c->stream->count; k++)
    if (tsr_insn_encode(c->err, &c->stream->insn[k], word))
      return tsr_refuse_at(c->err, "its instruction '%s'",
                           tsr_insn_text(c->a, &c->stream->insn[k]));
  return TSR_OK;
}

/* The layer leaves what is resident as it is, whatever its buffers' places and its schedule. */
static enum tsr_status check_residents(struct compiler *c, const struct tsr_module_layer *l)
{
  enum tsr_status status = TSR_OK;
  for (int k = 0; k < c->m->buffers && !status; k++) {
    const struct tsr_accel_resident *r = resident(c, c->value[k]);
    if (r)
      status = tsr__check_resident(c->stream, c->err, (int)(l - c->m->layer), r);
  }
  return status;
}

static enum tsr_status emit_layer(struct compiler *c, struct tsr_module_layer *l,
                                  const struct tsr_accel_group *group)
{
  struct tir_program *program;
  struct tsr_accel_least least = tsr_accel_least(c->a, group, c->d);
  l->least_cycles = least.cycles;
  l->least_read_bytes = least.read_bytes;
  l->least_write_bytes = least.write_bytes;
  l->found_cycles = group->found.cycles;
  enum tsr_status status = tir_lower(c->a, c->err, group->found.schedule, &program);
  if (status)
    return tsr_refuse_at(c->err, "node '%s' (%s)", l->name, l->op);
  l->schedule = tsr_arena_strdup(c->a, tir_sched_text(group->found.schedule));
  dump(c, "schedule", l->name, l->schedule);
  if (c->options->dump)
    dump(c, "tir", l->name, tir_program_print(c->a, program));
  uint64_t read = c->stream->read_bytes, written = c->stream->write_bytes;
  l->first_insn = c->stream->count;
  if (group->shares) {
    c->stream->inp_from = group->inp_from;
    c->stream->inp_to = group->inp_to;
  }
  status = tsr__walk_program(c->stream, c->err, program, parameter_places(c, l));
  if (!status && is_given(c, l))
    status = check_fields(c, l->first_insn);
  if (!status)
    status = check_residents(c, l);
  if (status)
    return tsr_refuse_at(c->err, "node '%s' (%s)", l->name, l->op);
  l->insns = c->stream->count - l->first_insn;
  l->dram_read_bytes = c->stream->read_bytes - read;
  l->dram_write_bytes = c->stream->write_bytes - written;
  dump_stream(c, l);
  return TSR_OK;
}

static void open_step(struct compiler *c, enum tsr_step_kind kind, int layer)
{
  bool continues = kind == TSR_STEP_ACCEL && c->m->steps &&
                   c->m->step[c->m->steps - 1].kind == kind;
  if (!continues) {
    c->m->step[c->m->steps++] = (struct tsr_module_step){.kind = kind, .layer = layer};
    if (kind == TSR_STEP_ACCEL) {
      tsr__stream_begin(c->stream);
      c->m->step[c->m->steps - 1].first_insn = c->stream->count;
    }
  }
  c->m->layer[layer].step = c->m->steps - 1;
}

static void close_step(struct compiler *c)
{
  struct tsr_module_step *s = c->m->steps ? &c->m->step[c->m->steps - 1] : NULL;
  if (!s || s->kind != TSR_STEP_ACCEL || s->insns)
    return;
  tsr__stream_end(c->stream);
  s->insns = c->stream->count - s->first_insn;
}

static bool is_of_model(const struct compiler *c, const struct tsr_node *n)
{
  for (int k = 0; k < c->plain_nodes; k++)
    if (c->plain[k] == n)
      return true;
  return false;
}

/* The shapes in which others see v; those that the model has no node for have no name. */
static void add_views(const struct compiler *c, struct tsr_text *nodes, const struct tsr_value *v)
{
  for (int k = 0; k < c->g->nodes; k++) {
    const struct tsr_node *n = c->g->node[k];
    if (!is_free(c, n) || n->in[0] != v)
      continue;
    if (is_of_model(c, n))
      tsr_text_add(nodes, ", %s", n->name);
    add_views(c, nodes, n->out[0]);
  }
}

static void describe(struct compiler *c, struct tsr_module_layer *l, const struct tsr_group *group)
{
  struct tsr_text op = {.arena = c->a}, nodes = {.arena = c->a};
  for (int k = 0; k < group->nodes; k++) {
    const struct tsr_node *n = group->node[k];
    tsr_text_add(&op, "%s%s", k ? "+" : "", tsr_gop_name(n->op));
    tsr_text_add(&nodes, "%s%s", k ? ", " : "", n->name);
    l->macs += (uint64_t)tsr_node_macs(n);
  }
  for (int k = 0; k < last_node(group)->outputs; k++)
    if (last_node(group)->out[k])
      add_views(c, &nodes, last_node(group)->out[k]);
  l->name = name_of(group);
  l->op = op.data;
  l->nodes = strcmp(nodes.data, l->name) ? nodes.data : NULL;
}

static enum tsr_status add_layer(struct compiler *c, int k)
{
  int index = c->m->layers++;
  struct tsr_module_layer *l = &c->m->layer[index];
  const struct tsr_group *group = &c->group[k];
  const struct tsr_accel_group *accel = c->accel[k];
  struct tir_func *func = accel ? accel->func : NULL;
  describe(c, l, group);
  l->target = accel ? "accel" : "cpu";
  add_args(c, l, group, accel);
  enum tsr_status status = accel ? TSR_OK : tsr_group_compute(c->a, c->err, group, &func);
  if (status)
    return status;
  l->func = func;
  if (!accel) {
    l->reason = c->stream ? tsr_accel_refusal(c->a, group->node[0])
                          : "everything runs on the CPU: --target cpu";
    close_step(c);
    open_step(c, TSR_STEP_CPU, index);
    return TSR_OK;
  }
  open_step(c, TSR_STEP_ACCEL, index);
  return emit_layer(c, l, accel);
}

/* --- order ----------------------------------------------------------------------------------------- */

static bool makes(const struct tsr_group *group, const struct tsr_value *v)
{
  for (int k = 0; k < group->nodes; k++)
    if (group->node[k] == v->producer)
      return true;
  return false;
}

static bool is_ready(struct compiler *c, int group, const bool *done)
{
  int inputs;
  struct tsr_value **in = tsr_group_inputs(c->a, &c->group[group], &inputs);
  for (int i = 0; i < inputs; i++) {
    const struct tsr_value *v = seen_through(c, in[i]);
    for (int k = 0; k < c->groups && v->producer; k++)
      if (!done[k] && makes(&c->group[k], v))
        return false;
  }
  return true;
}

/* In an order with few changes between CPU and accelerator: each runs whatever it can before the other's
 * turn comes. */
static void order_layers(struct compiler *c)
{
  int count = c->groups;
  bool *done = TSR_NEW_ARRAY(c->a, bool, count + 1);
  c->order = TSR_NEW_ARRAY(c->a, int, count + 1);
  int left = count;
  for (int k = 0; k < count; k++)
    if (is_free(c, c->group[k].node[0]) && c->group[k].nodes == 1) {
      done[k] = true;
      left--;
    }
  for (bool accel = false; left > 0; accel = !accel)
    for (int k = 0; k < count; k++) {
      bool view = is_view(c->group[k].node[0]); /* of a kind with both */
      if (done[k] || (!view && (c->accel[k] != NULL) != accel) || !is_ready(c, k, done))
        continue;
      if (!view)
        c->order[c->ordered++] = k;
      done[k] = true;
      left--;
    }
}

static enum tsr_status add_layers(struct compiler *c)
{
  enum tsr_status status = TSR_OK;
  c->m->layer = TSR_NEW_ARRAY(c->a, struct tsr_module_layer, c->ordered + 1);
  c->m->step = TSR_NEW_ARRAY(c->a, struct tsr_module_step, c->ordered + 1);
  for (int k = 0; k < c->ordered && !status; k++)
    status = add_layer(c, c->order[k]);
  if (!status)
    close_step(c);
  return status;
}

/* --- the module ------------------------------------------------------------------------------------ */

static enum tsr_status close_module(struct compiler *c)
{
  struct tsr_module *m = c->m;
  if (!c->stream)
    return TSR_OK;
  enum tsr_status status =
      tsr__stream_close(c->stream, c->err, &m->insns, &m->image, &m->image_bytes);
  m->insn_count = c->stream->count;
  m->window_bytes = m->image_bytes + c->activations;
  for (int k = 0; k < m->buffers; k++)
    if (m->buffer[k].on_device && !m->buffer[k].data)
      m->buffer[k].offset += m->image_bytes;
  return status;
}

/* The compiler's own programs are held to the same checks as anyone's. */
static enum tsr_status verify_module(struct compiler *c)
{
  const struct tsr_module *m = c->m;
  for (int k = 0; k < m->steps; k++) {
    if (m->step[k].kind != TSR_STEP_ACCEL)
      continue;
    struct tsr_findings findings;
    struct tsr_program program = {.insns = m->insns + m->step[k].first_insn * TSR_INSN_BYTES,
                                  .insn_count = m->step[k].insns,
                                  .data = m->image,
                                  .data_bytes = m->image_bytes,
                                  .window_bytes = m->window_bytes,
                                  .design_hash = c->d->hash};
    tsr_verify(c->a, c->d, &program, &findings);
    if (findings.count && c->options->schedule)
      return tsr_refuse(c->err, "with the schedule given for '%s' the program does not verify: %s",
                        c->options->layer, findings.list[0].text);
    if (findings.count)
      return tsr_refuse(c->err,
                        "the program made for partition %d does not verify (a defect of the "
                        "compiler): %s",
                        k, findings.list[0].text);
  }
  return TSR_OK;
}

/* Code for all layers is of use where each tensor has memory of its own. */
static enum tsr_status check_parts(const struct compiler *c)
{
  const struct tsr_module *m = c->m;
  int part = tsr_module_first_part(m);
  if (!c->options->code_for_all || part < 0)
    return TSR_OK;
  return tsr_refuse(c->err,
                    "a package for the accelerator can't run elsewhere, too: in its memory '%s' is "
                    "a part of '%s'; a package for 'cpu' or 'cuda' alone can",
                    m->buffer[part].name, m->buffer[m->buffer[part].whole].name);
}

/* Products of bf16 are all that the last level adds: without them its code would be that of the one before. */
static unsigned worthwhile(const struct tsr_module *m, unsigned levels)
{
  unsigned last = 1u << TSR_LEVEL_BF16, before = 1u << TSR_LEVEL_VNNI;
  for (int k = 0; k < m->buffers; k++)
    if (m->buffer[k].dtype == TSR_BF16)
      return levels;
  return levels & before ? levels & ~last : levels;
}

/* Machine code and GPU kernels for what does, or may, not run on the accelerator. */
static enum tsr_status add_code(struct compiler *c)
{
  struct tsr_module *m = c->m;
  const struct tsr_compile_options *o = c->options;
  const char **name = TSR_NEW_ARRAY(c->a, const char *, m->layers + 1);
  const struct tir_func **func = TSR_NEW_ARRAY(c->a, const struct tir_func *, m->layers + 1);
  bool any = false;
  for (int k = 0; k < m->layers; k++) {
    bool wanted = o->code_for_all || m->step[m->layer[k].step].kind == TSR_STEP_CPU;
    name[k] = m->layer[k].name;
    func[k] = wanted ? m->layer[k].func : NULL;
    any |= wanted;
  }
  struct tsr_codegen_job job = {.layers = m->layers,
                                .name = name,
                                .func = func,
                                .levels = worthwhile(m, o->levels),
                                .archs = o->archs,
                                .arch = o->arch,
                                .tf32 = o->tf32,
                                .dump = o->dump,
                                .context = o->context};
  enum tsr_status status = TSR_OK;
  if (any && o->codegen && job.levels)
    status = o->codegen->compile(c->a, c->err, &job, &m->code);
  if (!status && any && o->cuda_codegen && job.archs)
    status = o->cuda_codegen->compile(c->a, c->err, &job, &m->kernels);
  return status;
}

static enum tsr_status set_floats(struct compiler *c)
{
  if (!c->options->sets_floats)
    return TSR_OK;
  enum tsr_status status = tsr_graph_set_floats(c->err, c->g, c->options->float_dtype);
  if (!status)
    dump_pass(c, "floats", c->g);
  return status;
}

static enum tsr_status place_graph(struct compiler *c)
{
  const struct tsr_layout for_cpu = {16, 128, true, false},
                          for_gpu = {0, 0, false, c->options->tf32};
  c->plain_nodes = c->g->nodes;
  c->plain = tsr_arena_copy(c->a, c->g->node, (size_t)c->g->nodes * sizeof c->g->node[0]);
  if (c->options->cpu_only) {
    const struct tsr_layout *layout = c->options->archs ? &for_gpu : &for_cpu;
    enum tsr_status blocked =
        tsr_graph_block(c->err, c->g, c->options->layout ? c->options->layout : layout);
    dump_pass(c, "block", c->g);
    return blocked;
  }
  enum tsr_status status = tsr_accel_block(c->err, c->g, c->d);
  dump_pass(c, "block", c->g);
  struct tir_intrinsics *intrinsics = TSR_NEW(c->a, struct tir_intrinsics);
  *intrinsics = (struct tir_intrinsics){tsr_tensorize_match, tsr_accel_intrinsics(c->a, c->d)};
  c->intrinsics = intrinsics;
  c->stream = tsr__stream_new(c->a, c->d);
  c->tune = tsr_tune_new(c->a, &c->options->tune);
  return status;
}

static struct tsr_accel_planning planning_of(const struct compiler *c)
{
  const struct tsr_compile_options *o = c->options;
  return (struct tsr_accel_planning){c->a,    c->g,     c->d,     c->intrinsics,
                                     c->tune, o->apart, o->layer, o->schedule};
}

/* What the accelerator runs in the groups in which it is fastest, each other node alone. */
static enum tsr_status group_for_accel(struct compiler *c)
{
  struct tsr_graph *g = c->g;
  struct tsr_accel_group **of_node = TSR_NEW_ARRAY(c->a, struct tsr_accel_group *, g->nodes + 1);
  struct tsr_accel_planning planning = planning_of(c);
  c->group = TSR_NEW_ARRAY(c->a, struct tsr_group, g->nodes + 1);
  enum tsr_status status = tsr_accel_groups(&planning, c->err, of_node);
  for (int k = 0; k < g->nodes && !status; k++) {
    struct tsr_accel_group *accel = of_node[k];
    if (!accel && on_accelerator(g->node[k]))
      continue; /* in the group of a node behind it */
    c->accel[c->groups] = accel;
    c->group[c->groups++] = accel ? (struct tsr_group){accel->nodes, 0, accel->node}
                                  : (struct tsr_group){1, 0, &g->node[k]};
  }
  return status;
}

static enum tsr_status group_nodes(struct compiler *c)
{
  c->accel = TSR_NEW_ARRAY(c->a, struct tsr_accel_group *, c->g->nodes + 1);
  if (!c->options->cpu_only)
    return group_for_accel(c);
  c->group = tsr_graph_groups(c->a, c->g, c->options->archs ? TSR_FUSE_POINTS : TSR_FUSE_LEADS,
                              &c->groups);
  return TSR_OK;
}

/* What stays on the chip between layers, now that their order is known. What the CPU runs parts them. */
static enum tsr_status choose_residents(struct compiler *c)
{
  struct tsr_accel_group **layer = TSR_NEW_ARRAY(c->a, struct tsr_accel_group *, c->ordered + 1);
  int *part = TSR_NEW_ARRAY(c->a, int, c->ordered + 1), parts = 0;
  struct tsr_accel_planning planning = planning_of(c);
  if (!c->stream)
    return TSR_OK;
  for (int k = 0; k < c->ordered; k++) {
    layer[k] = c->accel[c->order[k]];
    part[k] = layer[k] ? parts : parts++;
  }
  return tsr_accel_residents(&planning, c->err, c->ordered, layer, part);
}

/* A node of a layer that another one gives its name. */
static enum tsr_status refuse_inside(const struct compiler *c, const char *name)
{
  for (int k = 0; k < c->groups; k++)
    for (int n = 0; n < c->group[k].nodes; n++)
      if (n != c->group[k].leads && !strcmp(c->group[k].node[n]->name, name))
        return tsr_refuse(c->err, "'%s' is no layer of its own: it is computed in layer '%s'", name,
                          name_of(&c->group[k]));
  return TSR_OK;
}

/* A schedule that is given is for a layer that there is, on the accelerator. */
static enum tsr_status find_given(const struct compiler *c)
{
  const char *layer = c->options->layer ? c->options->layer : "";
  const char **name = TSR_NEW_ARRAY(c->a, const char *, c->groups + 1);
  if (!c->options->schedule)
    return TSR_OK;
  for (int k = 0; k < c->groups; k++) {
    name[k] = name_of(&c->group[k]);
    if (strcmp(name[k], layer))
      continue;
    if (c->accel[k])
      return TSR_OK;
    return tsr_refuse(c->err, "layer '%s' runs on the CPU, which takes no schedule", layer);
  }
  enum tsr_status status = refuse_inside(c, layer);
  if (status)
    return status;
  const char *near = tsr_nearest(layer, name, c->groups);
  return tsr_refuse(c->err, "there is no layer '%.80s' to schedule%s%s%s", layer,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum tsr_status tsr_compile_graph(struct tsr_arena *a, struct tsr_err *err, struct tsr_graph *g,
                                  const struct tsr_design *design,
                                  const struct tsr_compile_options *options,
                                  struct tsr_module **out)
{
  struct tsr_module *m = TSR_NEW(a, struct tsr_module);
  struct compiler c = {.a = a, .err = err, .g = g, .d = design, .options = options, .m = m};
  m->name = g->name;
  m->design = *design;
  enum tsr_status status = tsr_graph_optimize(err, g, dump_pass, &c);
  if (!status)
    status = set_floats(&c);
  if (!status)
    status = place_graph(&c);
  if (!status)
    status = group_nodes(&c);
  if (!status)
    status = find_given(&c);
  if (status)
    return status;
  order_layers(&c);
  status = choose_residents(&c);
  if (status)
    return status;
  add_buffers(&c);
  m->inputs = g->inputs;
  m->outputs = g->outputs;
  m->input = buffer_list(&c, g->input, g->inputs);
  m->output = buffer_list(&c, g->output, g->outputs);
  status = add_layers(&c);
  if (!status)
    status = close_module(&c);
  if (!status)
    status = verify_module(&c);
  if (!status)
    status = check_parts(&c);
  if (!status)
    status = add_code(&c);
  if (!status)
    *out = m;
  return status;
}
