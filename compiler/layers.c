/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of nodes as layers: on the accelerator a piece of a stream, else a compute. */
#include <string.h>

#include "compiler/column.h"

static const struct tsr_node *last_node(const struct tsr_group *group)
{
  return group->node[group->nodes - 1];
}

static void add_args(struct tsr__column *c, struct tsr_module_layer *l,
                     const struct tsr_group *group, const struct tsr_accel_group *accel)
{
  const struct tsr_node *n = last_node(group);
  int inputs;
  struct tsr_value **in = accel ? tsr_accel_group_inputs(c->a, accel, &inputs)
                                : tsr_group_inputs(c->a, group, &inputs);
  l->arg = TSR_NEW_ARRAY(c->a, int, inputs + n->outputs + 1);
  for (int k = 0; k < inputs; k++)
    l->arg[l->args++] = tsr__buffer_number(c, in[k]);
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k])
      l->arg[l->args++] = tsr__buffer_number(c, n->out[k]);
}

const char *tsr__layer_name(const struct tsr_group *group)
{
  return group->node[group->leads]->name;
}

/* Where the program's parameters are: in INP, or device buffers; constants at their place, the rest
 * activations. */
static struct tsr__place *parameter_places(struct tsr__column *c, const struct tsr_module_layer *l)
{
  struct tsr__place *place = TSR_NEW_ARRAY(c->a, struct tsr__place, l->args + 1);
  for (int k = 0; k < l->args; k++) {
    const struct tsr_module_buffer *b = &c->m->buffer[l->arg[k]];
    const struct tsr_accel_resident *r = tsr__resident(c, c->value[l->arg[k]]);
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

static void dump_stream(struct tsr__column *c, const struct tsr_module_layer *l)
{
  if (!c->options->dump)
    return;
  struct tsr_text text = {.arena = c->a};
  for (size_t k = l->first_insn; k < c->stream->count; k++)
    tsr_text_add(&text, "%s\n", tsr_insn_text(c->a, &c->stream->insn[k]));
  tsr__dump(c, "stream", l->name, text.data ? text.data : "");
}

/* The layer whose schedule the caller has given. */
static bool is_given(const struct tsr__column *c, const struct tsr_module_layer *l)
{
  return c->options->schedule && !strcmp(c->options->layer, l->name);
}

/* What a schedule that was given becomes may be more than the fields of an instruction hold. */
static enum tsr_status check_fields(struct tsr__column *c, size_t from)
{
  uint8_t word[TSR_INSN_BYTES];
  for (size_t k = from; k < c->stream->count; k++)
    if (tsr_insn_encode(c->err, &c->stream->insn[k], word))
      return tsr_refuse_at(c->err, "its instruction '%s'",
                           tsr_insn_text(c->a, &c->stream->insn[k]));
  return TSR_OK;
}

/* The layer leaves what is resident as it is, whatever its buffers' places and its schedule. */
static enum tsr_status check_residents(struct tsr__column *c, const struct tsr_module_layer *l)
{
  enum tsr_status status = TSR_OK;
  for (int k = 0; k < c->residents && !status; k++)
    status = tsr__check_resident(c->stream, c->err, (int)(l - c->m->layer), c->resident[k]);
  return status;
}

static enum tsr_status emit_layer(struct tsr__column *c, struct tsr_module_layer *l,
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
  tsr__dump(c, "schedule", l->name, l->schedule);
  if (c->options->dump)
    tsr__dump(c, "tir", l->name, tir_program_print(c->a, program));
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

static void open_step(struct tsr__column *c, enum tsr_step_kind kind, int layer)
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

static void close_step(struct tsr__column *c)
{
  struct tsr_module_step *s = c->m->steps ? &c->m->step[c->m->steps - 1] : NULL;
  if (!s || s->kind != TSR_STEP_ACCEL || s->insns)
    return;
  tsr__stream_end(c->stream);
  s->insns = c->stream->count - s->first_insn;
}

static bool is_of_model(const struct tsr__column *c, const struct tsr_node *n)
{
  for (int k = 0; k < c->plain_nodes; k++)
    if (c->plain[k] == n)
      return true;
  return false;
}

/* The shapes in which others see v; those that the model has no node for have no name. */
static void add_views(const struct tsr__column *c, struct tsr_text *nodes,
                      const struct tsr_value *v)
{
  for (int k = 0; k < c->g->nodes; k++) {
    const struct tsr_node *n = c->g->node[k];
    if (!tsr__is_free(c, n) || n->in[0] != v)
      continue;
    if (is_of_model(c, n))
      tsr_text_add(nodes, ", %s", n->name);
    add_views(c, nodes, n->out[0]);
  }
}

static void describe(struct tsr__column *c, struct tsr_module_layer *l,
                     const struct tsr_group *group)
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
  l->name = tsr__layer_name(group);
  l->op = op.data;
  l->nodes = strcmp(nodes.data, l->name) ? nodes.data : NULL;
}

static enum tsr_status add_layer(struct tsr__column *c, int k)
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

enum tsr_status tsr__add_layers(struct tsr__column *c)
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
