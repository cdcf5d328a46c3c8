/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler: passes, blocked layouts, partitions, then layer by layer schedule, loops, instructions. */
#include <string.h>

#include "compiler/column.h"
#include "verify/verify.h"

void tsr__dump(struct tsr__column *c, const char *stage, const char *name, const char *text)
{
  if (c->options->dump)
    c->options->dump(c->options->context, stage, name, text);
}

static void dump_pass(void *context, const char *pass, const struct tsr_graph *g)
{
  struct tsr__column *c = context;
  if (c->options->dump)
    tsr__dump(c, "graph", pass, tsr_graph_print(c->a, g, true));
}

/* --- order ----------------------------------------------------------------------------------------- */

static bool makes(const struct tsr_group *group, const struct tsr_value *v)
{
  for (int k = 0; k < group->nodes; k++)
    if (group->node[k] == v->producer)
      return true;
  return false;
}

static bool is_ready(struct tsr__column *c, int group, const bool *done)
{
  int inputs;
  struct tsr_value **in = tsr_group_inputs(c->a, &c->group[group], &inputs);
  for (int i = 0; i < inputs; i++) {
    const struct tsr_value *v = tsr__seen_through(c, in[i]);
    for (int k = 0; k < c->groups && v->producer; k++)
      if (!done[k] && makes(&c->group[k], v))
        return false;
  }
  return true;
}

/* In an order with few changes between CPU and accelerator: each runs whatever it can before the other's
 * turn comes. */
static void order_layers(struct tsr__column *c)
{
  int count = c->groups;
  bool *done = TSR_NEW_ARRAY(c->a, bool, count + 1);
  c->order = TSR_NEW_ARRAY(c->a, int, count + 1);
  int left = count;
  for (int k = 0; k < count; k++)
    if (tsr__is_free(c, c->group[k].node[0]) && c->group[k].nodes == 1) {
      done[k] = true;
      left--;
    }
  for (bool accel = false; left > 0; accel = !accel)
    for (int k = 0; k < count; k++) {
      bool view = tsr_accel_is_view(c->group[k].node[0]->op); /* of a kind with both */
      if (done[k] || (!view && (c->accel[k] != NULL) != accel) || !is_ready(c, k, done))
        continue;
      if (!view)
        c->order[c->ordered++] = k;
      done[k] = true;
      left--;
    }
}

/* --- the module ------------------------------------------------------------------------------------ */

static enum tsr_status close_module(struct tsr__column *c)
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
static enum tsr_status verify_module(struct tsr__column *c)
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
static enum tsr_status check_parts(const struct tsr__column *c)
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
static enum tsr_status add_code(struct tsr__column *c)
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

static enum tsr_status set_floats(struct tsr__column *c)
{
  if (!c->options->sets_floats)
    return TSR_OK;
  enum tsr_status status = tsr_graph_set_floats(c->err, c->g, c->options->float_dtype);
  if (!status)
    dump_pass(c, "floats", c->g);
  return status;
}

static enum tsr_status place_graph(struct tsr__column *c)
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

static struct tsr_accel_planning planning_of(const struct tsr__column *c)
{
  const struct tsr_compile_options *o = c->options;
  return (struct tsr_accel_planning){c->a,    c->g,     c->d,     c->intrinsics,
                                     c->tune, o->apart, o->layer, o->schedule};
}

/* What the accelerator runs in the groups in which it is fastest, each other node alone. */
static enum tsr_status group_for_accel(struct tsr__column *c)
{
  struct tsr_graph *g = c->g;
  struct tsr_accel_group **of_node = TSR_NEW_ARRAY(c->a, struct tsr_accel_group *, g->nodes + 1);
  struct tsr_accel_planning planning = planning_of(c);
  c->group = TSR_NEW_ARRAY(c->a, struct tsr_group, g->nodes + 1);
  enum tsr_status status = tsr_accel_groups(&planning, c->err, of_node);
  for (int k = 0; k < g->nodes && !status; k++) {
    struct tsr_accel_group *accel = of_node[k];
    if (!accel && tsr_accel_runs(g->node[k]->op))
      continue; /* in the group of a node behind it */
    c->accel[c->groups] = accel;
    c->group[c->groups++] = accel ? (struct tsr_group){accel->nodes, 0, accel->node}
                                  : (struct tsr_group){1, 0, &g->node[k]};
  }
  return status;
}

static enum tsr_status group_nodes(struct tsr__column *c)
{
  c->accel = TSR_NEW_ARRAY(c->a, struct tsr_accel_group *, c->g->nodes + 1);
  if (!c->options->cpu_only)
    return group_for_accel(c);
  c->group = tsr_graph_groups(c->a, c->g, c->options->archs ? TSR_FUSE_POINTS : TSR_FUSE_LEADS,
                              &c->groups);
  return TSR_OK;
}

/* What stays on the chip between layers, now that their order is known. What the CPU runs parts them. */
static enum tsr_status choose_residents(struct tsr__column *c)
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
  return tsr_accel_residents(&planning, c->err, c->ordered, layer, part, &c->resident,
                             &c->residents);
}

/* A node of a layer that another one gives its name. */
static enum tsr_status refuse_inside(const struct tsr__column *c, const char *name)
{
  for (int k = 0; k < c->groups; k++)
    for (int n = 0; n < c->group[k].nodes; n++)
      if (n != c->group[k].leads && !strcmp(c->group[k].node[n]->name, name))
        return tsr_refuse(c->err, "'%s' is no layer of its own: it is computed in layer '%s'", name,
                          tsr__layer_name(&c->group[k]));
  return TSR_OK;
}

/* A schedule that is given is for a layer that there is, on the accelerator. */
static enum tsr_status find_given(const struct tsr__column *c)
{
  const char *layer = c->options->layer ? c->options->layer : "";
  const char **name = TSR_NEW_ARRAY(c->a, const char *, c->groups + 1);
  if (!c->options->schedule)
    return TSR_OK;
  for (int k = 0; k < c->groups; k++) {
    name[k] = tsr__layer_name(&c->group[k]);
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
  struct tsr__column c = {.a = a, .err = err, .g = g, .d = design, .options = options, .m = m};
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
  tsr__add_buffers(&c);
  m->inputs = g->inputs;
  m->outputs = g->outputs;
  m->input = tsr__buffer_list(&c, g->input, g->inputs);
  m->output = tsr__buffer_list(&c, g->output, g->outputs);
  status = tsr__add_layers(&c);
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
