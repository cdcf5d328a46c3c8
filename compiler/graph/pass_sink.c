/* SPDX-License-Identifier: Apache-2.0 */
/* Data movement goes to the int8 side.
 *
 *   move(DequantizeLinear(x))      ->  DequantizeLinear(move(x))
 *   QuantizeLinear(move(y))        ->  move(QuantizeLinear(y)), where nothing else reads y or the
 * move QuantizeLinear(DequantizeLinear(x)) of equal parameters  ->  x
 *
 * Maximum pools move too: both conversions are monotone. Ends when nothing changes; every step
 * takes a move nearer to the int8 side, so it does. */
#include <string.h>

#include "compiler/graph/graph_private.h"

static bool picks_nearest(const struct tsr_node *n)
{
  const struct tsr_attr *mode = tsr_node_attr(n, "mode");
  return !mode || !strcmp(mode->s, "nearest");
}

/* Ops whose first input is moved whole, element by element, whatever the elements are. */
static bool moves(const struct tsr_node *n)
{
  switch (n->op) {
  case TSR_G_Reshape:
  case TSR_G_Flatten:
  case TSR_G_Squeeze:
  case TSR_G_Unsqueeze:
  case TSR_G_Transpose:
  case TSR_G_Slice:
  case TSR_G_Gather:
  case TSR_G_Expand:
  case TSR_G_Tile:
  case TSR_G_DepthToSpace:
    break;
  case TSR_G_Resize:
    if (picks_nearest(n))
      break;
    return false;
  default:
    return false;
  }
  for (int k = 1; k < n->inputs; k++) /* shape operands; Gather's indices may be anything */
    if (n->in[k] && !n->in[k]->data && n->op != TSR_G_Gather)
      return false;
  return true;
}

/* A copy of n that reads x first, and makes x's type. */
static struct tsr_value *moved(struct tsr_graph *g, const struct tsr_node *n, struct tsr_value *x)
{
  struct tsr_node *m = tsr__add_node(g, n->op, n->name, n->inputs, n->in);
  struct tsr_value *v = m->out[0];
  tsr__copy_attrs(g, m, n);
  m->in[0] = x;
  tsr__take_type(v, n->out[0], x->dtype);
  return v;
}

/* Windows as QMaxPool has them. Rounding up becomes padding at the end, which never wins. */
static struct tsr_value *max_pool(struct tsr_graph *g, const struct tsr_node *n,
                                  struct tsr_value *x)
{
  const struct tsr_value *to = n->out[0];
  struct tsr_value *from = tsr__as_map(g, x);
  int64_t kernel[2] = {from->dims[2], from->dims[3]}, strides[2], dilations[2], pads[4];
  int64_t dims[4] = {to->dims[0], to->dims[1], to->dims[2], to->rank > 3 ? to->dims[3] : 1};
  if (n->op != TSR_G_GlobalMaxPool)
    tsr__map_ints(n, "kernel_shape", 1, kernel);
  tsr__map_ints(n, "strides", 1, strides);
  tsr__map_ints(n, "dilations", 1, dilations);
  tsr__map_pads(n, pads);
  for (int i = 0; i < 2; i++) {
    int64_t span = (kernel[i] - 1) * dilations[i] + 1;
    int64_t over = (dims[i + 2] - 1) * strides[i] + span - from->dims[i + 2] - pads[i] -
                   pads[i + 2];
    pads[i + 2] += over > 0 ? over : 0;
  }
  struct tsr_node *m = tsr__add_node(g, TSR_G_QMaxPool, n->name, 1, &from);
  struct tsr_value *v = m->out[0], like = {.rank = 4};
  tsr_node_set_ints(g, m, "kernel", 2, kernel);
  tsr_node_set_ints(g, m, "strides", 2, strides);
  tsr_node_set_ints(g, m, "pads", 4, pads);
  tsr_node_set_ints(g, m, "dilations", 2, dilations);
  memcpy(like.dims, dims, sizeof dims);
  tsr__take_type(v, &like, TSR_I8);
  return tsr__from_map(g, v, to);
}

static bool pools_maximum(const struct tsr_node *n)
{
  return (n->op == TSR_G_MaxPool || n->op == TSR_G_GlobalMaxPool) && tsr__is_map(n->in[0]);
}

static struct tsr_value *dequantize_like(struct tsr_graph *g, const struct tsr_node *dq,
                                         const struct tsr_node *n, struct tsr_value *x)
{
  struct tsr_value *in[] = {x, dq->in[1], dq->inputs > 2 ? dq->in[2] : NULL};
  struct tsr_node *d = tsr__add_node(g, TSR_G_DequantizeLinear, n->out[0]->name, in[2] ? 3 : 2, in);
  struct tsr_value *v = d->out[0];
  tsr__take_type(v, n->out[0], n->out[0]->dtype);
  return v;
}

/* Transposed weights with a scale for each channel: the channels go where their axis goes. */
static bool sink_transpose(struct tsr_graph *g, struct tsr_node *n)
{
  const struct tsr_node *dq = tsr__made_by(n->in[0], TSR_G_DequantizeLinear);
  if (n->op != TSR_G_Transpose || !dq || !dq->in[0]->data || tsr__count(dq->in[1]) == 1)
    return false;
  int rank = n->in[0]->rank, to = 0;
  int64_t axis = tsr_node_int(dq, "axis", 1);
  const struct tsr_attr *perm = tsr_node_attr(n, "perm");
  axis = axis < 0 ? axis + rank : axis;
  while ((perm ? perm->ints[to] : rank - 1 - to) != axis)
    to++;
  struct tsr_value *v = dequantize_like(g, dq, n, moved(g, n, dq->in[0]));
  tsr_node_set_int(g, v->producer, "axis", to);
  tsr__replace(g, n->out[0], v);
  return true;
}

static bool sink_move(struct tsr_graph *g, struct tsr_node *n)
{
  struct tsr__scale s;
  struct tsr_node *dq = n->inputs ? tsr__made_by(n->in[0], TSR_G_DequantizeLinear) : NULL;
  if (!dq || !tsr__scale_of(dq, &s) || !(moves(n) || pools_maximum(n)))
    return false;
  if (pools_maximum(n) && dq->in[0]->dtype != TSR_I8)
    return false;
  struct tsr_value *x = moves(n) ? moved(g, n, dq->in[0]) : max_pool(g, n, dq->in[0]);
  tsr__replace(g, n->out[0], dequantize_like(g, dq, n, x));
  return true;
}

/* Padding with a value that int8 holds exactly, as it does zero. */
static bool sink_pad(struct tsr_graph *g, struct tsr_node *n)
{
  struct tsr__scale s;
  double real = 0;
  struct tsr_node *dq = n->op == TSR_G_Pad ? tsr__dequantized(n->in[0], &s) : NULL;
  if (!dq || !n->in[1]->data || (n->inputs > 2 && n->in[2] && !tsr__uniform(n->in[2], &real)))
    return false;
  int q = tsr__quantize(real, s);
  if ((q - s.zero) * s.scale != real)
    return false;
  struct tsr_value *x = moved(g, n, dq->in[0]);
  struct tsr_value *in[] = {dq->in[0], n->in[1], tsr__add_scalar(g, "padding", TSR_I8, q)};
  x->producer->inputs = 3;
  x->producer->in = tsr_arena_copy(g->arena, in, sizeof in);
  tsr__replace(g, n->out[0], dequantize_like(g, dq, n, x));
  return true;
}

static bool sink_concat(struct tsr_graph *g, struct tsr_node *n)
{
  struct tsr__scale s, first;
  if (n->op != TSR_G_Concat || !tsr__dequantized(n->in[0], &first))
    return false;
  for (int k = 1; k < n->inputs; k++)
    if (!tsr__dequantized(n->in[k], &s) || !tsr__same_scale(s, first))
      return false;
  struct tsr_value *x = moved(g, n, n->in[0]->producer->in[0]);
  for (int k = 1; k < n->inputs; k++)
    x->producer->in[k] = n->in[k]->producer->in[0];
  tsr__replace(g, n->out[0], dequantize_like(g, n->in[0]->producer, n, x));
  return true;
}

static bool sink_split(struct tsr_graph *g, struct tsr_node *n)
{
  struct tsr__scale s;
  struct tsr_node *dq = n->op == TSR_G_Split ? tsr__dequantized(n->in[0], &s) : NULL;
  if (!dq)
    return false;
  struct tsr_node *m = tsr_graph_node(g, TSR_G_Split, n->name, n->inputs, n->outputs);
  tsr__copy_attrs(g, m, n);
  memcpy(m->in, n->in, (size_t)n->inputs * sizeof *n->in);
  m->in[0] = dq->in[0];
  for (int k = 0; k < n->outputs; k++) {
    struct tsr_node part = *n;
    if (!n->out[k])
      continue;
    struct tsr_value *v = tsr_graph_value(g, n->out[k]->name);
    tsr__take_type(v, n->out[k], TSR_I8);
    tsr_node_set_output(m, k, v);
    part.out = &n->out[k];
    tsr__replace(g, n->out[k], dequantize_like(g, dq, &part, v));
  }
  return true;
}

/* A maximum of int8 elements is one already; models in QOperator form have it. */
static bool name_max_pool(struct tsr_graph *g, struct tsr_node *n)
{
  if (!pools_maximum(n) || n->in[0]->dtype != TSR_I8)
    return false;
  tsr__replace(g, n->out[0], max_pool(g, n, n->in[0]));
  return true;
}

/* QuantizeLinear(move(y)) where y is not dequantized: y may come out of an op that can be an
 * integer one. */
static bool hoist(struct tsr_graph *g, struct tsr_node *q)
{
  struct tsr__scale s;
  struct tsr_node *n = q->op == TSR_G_QuantizeLinear ? q->in[0]->producer : NULL;
  if (!n || q->out[0]->dtype != TSR_I8 || !tsr__scale_of(q, &s) || !(moves(n) || pools_maximum(n)))
    return false;
  if (!n->in[0]->producer || tsr__made_by(n->in[0], TSR_G_DequantizeLinear) ||
      tsr_graph_uses(g, n->out[0]) != 1 || tsr_graph_uses(g, n->in[0]) != 1)
    return false;
  struct tsr_node *early = tsr__add_node(g, TSR_G_QuantizeLinear, q->name, q->inputs, q->in);
  struct tsr_value *v = early->out[0];
  early->in[0] = n->in[0];
  tsr__take_type(v, n->in[0], TSR_I8);
  tsr__replace(g, q->out[0], moves(n) ? moved(g, n, v) : max_pool(g, n, v));
  return true;
}

static bool cancel(struct tsr_graph *g, struct tsr_node *q)
{
  struct tsr__scale s, d;
  if (q->op != TSR_G_QuantizeLinear || q->out[0]->dtype != TSR_I8 || !tsr__scale_of(q, &s))
    return false;
  struct tsr_node *dq = tsr__dequantized(q->in[0], &d);
  if (!dq || !tsr__same_scale(s, d))
    return false;
  tsr__replace(g, q->out[0], dq->in[0]);
  return true;
}

static bool step(struct tsr_graph *g, struct tsr_node *n)
{
  return sink_transpose(g, n) || sink_move(g, n) || sink_pad(g, n) || sink_concat(g, n) ||
         sink_split(g, n) || name_max_pool(g, n) || cancel(g, n) || hoist(g, n);
}

/* Moves of constants, such as transposed weights, are done now. */
static void fold_moves(struct tsr_graph *g)
{
  int nodes = g->nodes;
  for (int i = 0; i < nodes; i++)
    if (moves(g->node[i]))
      tsr__fold_node(g, g->node[i]);
}

enum tsr_status tsr__pass_sink(struct tsr_err *err, struct tsr_graph *g)
{
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0, nodes = g->nodes; i < nodes; i++)
      changed |= step(g, g->node[i]);
    tsr__sweep(g);
  }
  fold_moves(g);
  tsr__sweep(g);
  return tsr_graph_infer(err, g);
}
