/* SPDX-License-Identifier: Apache-2.0 */
/* What passes are written with. */
#include <assert.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

struct tsr_node *tsr__made_by(const struct tsr_value *v, enum tsr_gop op)
{
  return v && v->producer && v->producer->op == op ? v->producer : NULL;
}

struct tsr_node *tsr__add_node(struct tsr_graph *g, enum tsr_gop op, const char *like, int inputs,
                               struct tsr_value *const *in)
{
  struct tsr_node *n = tsr_graph_node(g, op, like, inputs, 1);
  for (int k = 0; k < inputs; k++)
    n->in[k] = in[k];
  tsr_node_set_output(n, 0, tsr_graph_value(g, like));
  return n;
}

struct tsr_value *tsr__add_constant(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                    int rank, const int64_t *dims)
{
  size_t bytes = (size_t)tsr_count(dims, rank, tsr_dtype_bytes(dtype)) * tsr_dtype_bytes(dtype);
  return tsr_graph_constant(g, name, dtype, rank, dims, tsr_arena_alloc(g->arena, bytes + 1));
}

struct tsr_value *tsr__add_scalar(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                  double v)
{
  struct tsr_value *c = tsr__add_constant(g, name, dtype, 0, NULL);
  struct tsr_tensor t = tsr_value_tensor(c);
  tsr_put_float(&t, 0, v);
  return c;
}

struct tsr_value *tsr__add_ints(struct tsr_graph *g, const char *name, int count, const int64_t *v)
{
  int64_t dims[1] = {count};
  struct tsr_value *c = tsr__add_constant(g, name, TSR_I64, 1, dims);
  memcpy((void *)c->data, v, (size_t)count * sizeof *v);
  return c;
}

bool tsr__uniform(const struct tsr_value *v, double *out)
{
  if (!v || !v->data || tsr__count(v) < 1)
    return false;
  struct tsr_tensor t = tsr_value_tensor(v);
  *out = tsr_get_float(&t, 0);
  for (int64_t i = 1; i < tsr_tensor_count(&t); i++)
    if (tsr_get_float(&t, i) != *out)
      return false;
  return true;
}

int64_t tsr__count(const struct tsr_value *v)
{
  return tsr_count(v->dims, v->rank, 1);
}

bool tsr__same_type(const struct tsr_value *a, const struct tsr_value *b)
{
  struct tsr_tensor x = tsr_value_tensor(a), y = tsr_value_tensor(b);
  return a->dtype == b->dtype && tsr_same_shape(&x, &y);
}

struct tsr_value *tsr__reshaped(struct tsr_graph *g, struct tsr_value *v, int rank,
                                const int64_t *dims)
{
  struct tsr_value *in[] = {v, tsr__add_ints(g, "shape", rank, dims)};
  struct tsr_node *n = tsr__add_node(g, TSR_G_Reshape, v->name, 2, in);
  tsr_node_set_int(g, n, "allowzero", 1);
  if (v->typed) {
    struct tsr_value like = {.rank = rank};
    memcpy(like.dims, dims, (size_t)rank * sizeof *dims);
    tsr__take_type(n->out[0], &like, v->dtype);
  }
  return n->out[0];
}

void tsr__take_type(struct tsr_value *v, const struct tsr_value *like, enum tsr_dtype dtype)
{
  v->typed = true;
  v->dtype = dtype;
  v->rank = like->rank;
  memcpy(v->dims, like->dims, sizeof v->dims);
}

static bool listed(struct tsr_value *const *list, int count, const struct tsr_value *v)
{
  for (int i = 0; i < count; i++)
    if (list[i] == v)
      return true;
  return false;
}

void tsr__swap_names(struct tsr_value *a, struct tsr_value *b)
{
  const char *name = a->name;
  a->name = b->name;
  b->name = name;
}

void tsr__replace(struct tsr_graph *g, struct tsr_value *old, struct tsr_value *now)
{
  struct tsr_value *result = now;
  bool named = old != now && listed(g->output, g->outputs, old);
  if (named && (listed(g->output, g->outputs, now) || listed(g->input, g->inputs, now))) {
    result = tsr__add_node(g, TSR_G_Identity, old->name, 1, &now)->out[0];
    tsr__take_type(result, old, old->dtype);
  }
  if (named)
    tsr__swap_names(old, result);
  for (int i = 0; i < g->outputs; i++)
    if (g->output[i] == old)
      g->output[i] = result;
  tsr_graph_replace(g, old, now);
}

void tsr__copy_attrs(struct tsr_graph *g, struct tsr_node *to, const struct tsr_node *from)
{
  to->attrs = from->attrs;
  to->attr = tsr_arena_copy(g->arena, from->attr, (size_t)from->attrs * sizeof *from->attr);
}

static void mark(struct tsr__map *used, const struct tsr_value *v)
{
  if (v)
    tsr__map_put(used, v, v);
}

void tsr__sweep(struct tsr_graph *g)
{
  struct tsr__map *used = tsr__map_new(g->arena);
  int nodes = 0, values = 0;
  tsr_graph_sort(g);
  for (int i = 0; i < g->outputs; i++)
    mark(used, g->output[i]);
  for (int i = g->nodes - 1; i >= 0; i--) {
    struct tsr_node *n = g->node[i];
    bool wanted = false;
    for (int k = 0; k < n->outputs; k++)
      wanted |= n->out[k] && tsr__map_get(used, n->out[k]);
    for (int k = 0; k < n->inputs && wanted; k++)
      mark(used, n->in[k]);
    for (int k = 0; k < n->outputs && wanted; k++)
      mark(used, n->out[k]);
    if (!wanted)
      g->node[i] = NULL;
  }
  for (int i = 0; i < g->nodes; i++)
    if (g->node[i])
      g->node[nodes++] = g->node[i];
  g->nodes = nodes;
  for (int i = 0; i < g->inputs; i++)
    mark(used, g->input[i]);
  for (int i = 0; i < g->values; i++)
    if (tsr__map_get(used, g->value[i]))
      g->value[values++] = g->value[i];
  g->values = values;
}
