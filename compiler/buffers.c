/* SPDX-License-Identifier: Apache-2.0 */
/* Where values lie. */
#include <assert.h>
#include <string.h>

#include "compiler/column.h"

static bool is_output(const struct tsr__column *c, const struct tsr_value *v)
{
  for (int k = 0; k < c->g->outputs; k++)
    if (c->g->output[k] == v)
      return true;
  return false;
}

static bool is_cpu_view(const struct tsr__column *c, const struct tsr_node *n)
{
  return c->options->cpu_only && n && tsr_gop_is_view(n->op);
}

/* What v is another shape of. */
static const struct tsr_value *root_of(const struct tsr__column *c, const struct tsr_value *v)
{
  while (is_cpu_view(c, v->producer))
    v = v->producer->in[0];
  return v;
}

/* The output of the graph that lies where the root does: the only one of its shapes that is an output, and
 * a layer makes it. NULL: there is none. */
static const struct tsr_value *output_of(const struct tsr__column *c, const struct tsr_value *root)
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

bool tsr__is_free(const struct tsr__column *c, const struct tsr_node *n)
{
  return is_cpu_view(c, n) &&
         (!is_output(c, n->out[0]) || output_of(c, root_of(c, n->out[0])) == n->out[0]);
}

const struct tsr_value *tsr__seen_through(const struct tsr__column *c, const struct tsr_value *v)
{
  while (tsr__is_free(c, v->producer))
    v = v->producer->in[0];
  return v;
}

int tsr__buffer_number(const struct tsr__column *c, const struct tsr_value *v)
{
  v = tsr__seen_through(c, v);
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
static bool on_device(const struct tsr__column *c, const struct tsr_value *v)
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

const struct tsr_accel_resident *tsr__resident(const struct tsr__column *c,
                                               const struct tsr_value *v)
{
  for (int k = 0; k < c->residents; k++)
    if (c->resident[k]->value == v)
      return c->resident[k];
  return NULL;
}

/* As it lies in INP: no place in memory, and its padding around it. */
static void set_resident(struct tsr_module_buffer *b, const struct tsr_accel_resident *r)
{
  b->on_device = false;
  for (int k = 0; k < 2; k++)
    b->dims[2 + k] += r->before[k] + r->after[k];
}

/* An output has its own name and shape, whatever it is made as. */
static void add_buffer(struct tsr__column *c, const struct tsr_value *v)
{
  struct tsr_module_buffer *b = &c->m->buffer[c->m->buffers];
  struct tsr_tensor t = tsr_value_tensor(v);
  size_t bytes = tsr_tensor_bytes(&t);
  const struct tsr_value *output = output_of(c, v), *shown = output ? output : v;
  *b = (struct tsr_module_buffer){
      .name = shown->name, .dtype = shown->dtype, .rank = shown->rank, .data = v->data};
  memcpy(b->dims, shown->dims, sizeof b->dims);
  b->on_device = c->stream && on_device(c, v);
  if (tsr__resident(c, v))
    set_resident(b, tsr__resident(c, v));
  if (b->on_device && v->data) {
    b->offset = tsr__stream_constant(c->stream, v->data, bytes);
  } else if (b->on_device && tsr_accel_view_of(c->g, v).whole == v) {
    b->offset = c->activations;
    c->activations += (bytes + 127) / 128 * 128; /* on the widest beat */
  }
  c->value[c->m->buffers++] = v;
}

/* Gives a value that lies in another's memory its place there. */
static void add_part(struct tsr__column *c, int index)
{
  struct tsr_module_buffer *b = &c->m->buffer[index];
  struct tsr_accel_view view = tsr_accel_view_of(c->g, c->value[index]);
  uint64_t step = tsr_dtype_bytes(b->dtype);
  if (!b->on_device || view.whole == c->value[index])
    return;
  b->is_part = true;
  b->whole = tsr__buffer_number(c, view.whole);
  b->offset = c->m->buffer[b->whole].offset;
  for (int d = b->rank; d-- > 0; step *= (uint64_t)view.whole->dims[d]) {
    b->offset += (uint64_t)view.first[d] * step;
    b->step[d] = (uint64_t)view.by[d] * step;
  }
}

/* Made and read in one layer: never in memory. */
static bool is_inside(const struct tsr__column *c, const struct tsr_value *v)
{
  for (int k = 0; k < c->groups; k++)
    for (int n = 0; n < c->group[k].nodes - 1; n++)
      if (c->group[k].node[n] == v->producer)
        return true;
  return false;
}

void tsr__add_buffers(struct tsr__column *c)
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
    if (used && !(v->producer && is_inside(c, v)) && !tsr__is_free(c, v->producer))
      add_buffer(c, v);
  }
  for (int k = 0; k < c->m->buffers; k++)
    add_part(c, k);
}

int *tsr__buffer_list(struct tsr__column *c, struct tsr_value *const *values, int count)
{
  int *list = TSR_NEW_ARRAY(c->a, int, count + 1);
  for (int k = 0; k < count; k++)
    list[k] = tsr__buffer_number(c, values[k]);
  return list;
}
