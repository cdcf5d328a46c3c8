/* SPDX-License-Identifier: Apache-2.0 */
/* QLut: whatever a few elementwise ops make of one int8 tensor is a table of 256 results. The table
 * is what the ops themselves compute of all 256 inputs, so it is right by construction. */
#include <string.h>

#include "compiler/graph/graph_private.h"

enum { MOST_NODES = 32 };

/* The ops between one dequantized tensor and a QuantizeLinear. */
struct cone {
  const struct tsr_node *node[MOST_NODES]; /* consumers before producers */
  int nodes;
  struct tsr_value *root; /* the i8 tensor at the bottom; NULL: none seen yet */
};

static bool elementwise(enum tsr_gop op)
{
  switch (op) {
  case TSR_G_Abs: case TSR_G_Add: case TSR_G_Ceil: case TSR_G_Clip: case TSR_G_Cos: case TSR_G_Div:
  case TSR_G_Elu: case TSR_G_Erf: case TSR_G_Exp: case TSR_G_Floor: case TSR_G_HardSigmoid:
  case TSR_G_HardSwish: case TSR_G_Identity: case TSR_G_LeakyRelu: case TSR_G_Log: case TSR_G_Max:
  case TSR_G_Min: case TSR_G_Mul: case TSR_G_Neg: case TSR_G_PRelu: case TSR_G_Pow:
  case TSR_G_Reciprocal: case TSR_G_Relu: case TSR_G_Round: case TSR_G_Sigmoid: case TSR_G_Sign:
  case TSR_G_Sin: case TSR_G_Softplus: case TSR_G_Sqrt: case TSR_G_Sub: case TSR_G_Sum:
  case TSR_G_Tanh: case TSR_G_QuantizeLinear: case TSR_G_DequantizeLinear:
    return true;
  default:
    return false;
  }
}

static bool one_scale(const struct tsr_node *n)
{
  struct tsr__scale s;
  return (n->op != TSR_G_QuantizeLinear && n->op != TSR_G_DequantizeLinear) || tsr__scale_of(n, &s);
}

/* Adds the producers of n's inputs, or takes one as the root. */
static bool grow(struct cone *c, const struct tsr_node *n)
{
  for (int k = 0; k < n->inputs; k++) {
    struct tsr_value *v = n->in[k];
    double number;
    if (!v || (v->data && tsr__uniform(v, &number)))
      continue;
    if (n->op == TSR_G_DequantizeLinear && k == 0 && v->dtype == TSR_I8) {
      if (c->root && c->root != v)
        return false;
      c->root = v;
      continue;
    }
    if (!v->producer || !elementwise(v->producer->op) || !one_scale(v->producer))
      return false;
    bool seen = false;
    for (int i = 0; i < c->nodes; i++)
      seen |= c->node[i] == v->producer;
    if (!seen && c->nodes == MOST_NODES)
      return false;
    if (!seen)
      c->node[c->nodes++] = v->producer;
  }
  return true;
}

static bool find_cone(struct cone *c, const struct tsr_node *quantize)
{
  *c = (struct cone){.node = {quantize}, .nodes = 1};
  for (int i = 0; i < c->nodes; i++)
    if (!grow(c, c->node[i]))
      return false;
  struct tsr_tensor x, y;
  if (!c->root || c->root->data)
    return false;
  x = tsr_value_tensor(c->root);
  y = tsr_value_tensor(quantize->out[0]);
  return tsr_same_shape(&x, &y);
}

/* What stands for v while the table is made: 256 elements, or a constant's one number. */
static struct tsr_value *stand_in(struct tsr_arena *a, struct tsr__map *map,
                                  const struct tsr_value *v)
{
  struct tsr_value *s = (struct tsr_value *)tsr__map_get(map, v);
  if (s)
    return s;
  s = TSR_NEW(a, struct tsr_value);
  *s = *v;
  s->producer = NULL;
  s->rank = !v->data;
  s->dims[0] = 256;
  if (!v->data)
    s->data = tsr_arena_alloc(a, 256 * tsr_dtype_bytes(v->dtype));
  tsr__map_put(map, v, s);
  return s;
}

static enum tsr_status run_stand_in(struct tsr_arena *a, struct tsr__map *map,
                                    const struct tsr_node *n)
{
  struct tsr_node m = *n;
  struct tsr_value *out = stand_in(a, map, n->out[0]), typed = *out;
  struct tsr_value *outs[1] = {&typed};
  const void **in = TSR_NEW_ARRAY(a, const void *, n->inputs);
  void *data[1] = {(void *)out->data};
  m.in = TSR_NEW_ARRAY(a, struct tsr_value *, n->inputs);
  for (int k = 0; k < n->inputs; k++)
    if (n->in[k]) {
      m.in[k] = stand_in(a, map, n->in[k]);
      in[k] = m.in[k]->data;
    }
  typed.data = NULL;
  m.out = outs;
  return tsr__evaluate(a, NULL, &m, in, data);
}

/* Can n run now: has everything but the root and constants been computed? */
static bool ready(const struct cone *c, const struct tsr__map *done, const struct tsr_node *n)
{
  for (int k = 0; k < n->inputs; k++)
    if (n->in[k] && !n->in[k]->data && n->in[k] != c->root && !tsr__map_get(done, n->in[k]))
      return false;
  return true;
}

static enum tsr_status fill_table(struct tsr_graph *g, const struct cone *c, int8_t table[256])
{
  struct tsr_arena *a = g->arena;
  struct tsr__map *map = tsr__map_new(a), *done = tsr__map_new(a);
  struct tsr_value *root = stand_in(a, map, c->root);
  for (int i = 0; i < 256; i++)
    ((int8_t *)root->data)[i] = (int8_t)(i - 128);
  while (!tsr__map_get(done, c->node[0]->out[0]))
    for (int i = c->nodes - 1; i >= 0; i--)
      if (!tsr__map_get(done, c->node[i]->out[0]) && ready(c, done, c->node[i])) {
        enum tsr_status s = run_stand_in(a, map, c->node[i]);
        if (s != TSR_OK)
          return s;
        tsr__map_put(done, c->node[i]->out[0], c->node[i]);
      }
  memcpy(table, stand_in(a, map, c->node[0]->out[0])->data, 256);
  return TSR_OK;
}

struct tsr_value *tsr__lut_node(struct tsr_graph *g, const char *name, struct tsr_value *x,
                                const int8_t table[256])
{
  int64_t dims[1] = {256};
  struct tsr_value *in[] = {
      x, tsr__add_constant(g, tsr_arena_printf(g->arena, "%s.table", name), TSR_I8, 1, dims)};
  memcpy((void *)in[1]->data, table, 256);
  return tsr__add_node(g, TSR_G_QLut, name, 2, in)->out[0];
}

struct tsr_value *tsr__quantize_lut(struct tsr_graph *g, struct tsr_node *quantize)
{
  struct cone c;
  int8_t table[256];
  if (!find_cone(&c, quantize) || fill_table(g, &c, table) != TSR_OK)
    return NULL;
  const struct tsr_node *top = c.nodes > 2 ? c.node[1] : quantize;
  return tsr__lut_node(g, top->name, c.root, table);
}
