/* SPDX-License-Identifier: Apache-2.0 */
/* Adding one constant for each output channel is a bias. */
#include <string.h>

#include "compiler/graph/graph_private.h"

/* Is v a constant that broadcasts along `axis` of a tensor of that rank only? */
static bool along(const struct tsr_value *v, int axis, int rank, int64_t channels)
{
  if (!v->data || tsr_dtype_kind(v->dtype) != TSR_KIND_FLOAT || v->rank > rank)
    return false;
  int at = axis - (rank - v->rank);
  return tsr__count(v) == 1 || (tsr__count(v) == channels && at >= 0 && v->dims[at] == channels);
}

/* bias = old (or nothing) + v, one number a channel. */
static struct tsr_value *sum_of(struct tsr_graph *g, const char *name, const struct tsr_value *old,
                                const struct tsr_value *v, int64_t channels)
{
  int64_t dims[1] = {channels};
  struct tsr_value *sum = tsr__add_constant(g, name, v->dtype, 1, dims);
  struct tsr_tensor t = tsr_value_tensor(sum), a = tsr_value_tensor(v), b = {0};
  if (old)
    b = tsr_value_tensor(old);
  for (int64_t c = 0; c < channels; c++)
    tsr_put_float(&t, c, tsr_get_float(&a, tsr_tensor_count(&a) > 1 ? c : 0) +
                             (old ? tsr_get_float(&b, c) : 0));
  return sum;
}

static bool bias_conv(struct tsr_graph *g, struct tsr_node *add, int side)
{
  struct tsr_node *n = tsr__made_by(add->in[side], TSR_G_Conv);
  if (!n || tsr_graph_uses(g, n->out[0]) != 1)
    return false;
  const struct tsr_value *old = n->inputs > 2 ? n->in[2] : NULL, *v = add->in[!side];
  int64_t channels = n->out[0]->dims[1];
  if (!along(v, 1, n->out[0]->rank, channels) || (old && !old->data))
    return false;
  struct tsr_value *in[] = {
      n->in[0], n->in[1],
      sum_of(g, tsr_arena_printf(g->arena, "%s.bias", n->name), old, v, channels)};
  struct tsr_node *m = tsr__add_node(g, TSR_G_Conv, n->name, 3, in);
  tsr__copy_attrs(g, m, n);
  tsr__replace(g, add->out[0], m->out[0]);
  return true;
}

/* A MatMul of two matrices and a bias; the bias may be dequantized. */
static bool bias_matmul(struct tsr_graph *g, struct tsr_node *add, int side)
{
  struct tsr_node *n = tsr__made_by(add->in[side], TSR_G_MatMul);
  struct tsr_value *v = add->in[!side];
  const struct tsr_node *dq = tsr__made_by(v, TSR_G_DequantizeLinear);
  if (!n || tsr_graph_uses(g, n->out[0]) != 1 || n->in[0]->rank != 2 || n->in[1]->rank != 2)
    return false;
  int64_t columns = n->out[0]->dims[1];
  bool row = v->rank == 1 || (v->rank == 2 && v->dims[0] == 1); /* as Gemm's bias may be, too */
  if (!(dq ? dq->in[0] : v)->data || !row || v->dims[v->rank - 1] != columns ||
      v->dtype != n->out[0]->dtype)
    return false;
  struct tsr_value *in[] = {n->in[0], n->in[1], v};
  tsr__replace(g, add->out[0], tsr__add_node(g, TSR_G_Gemm, n->name, 3, in)->out[0]);
  return true;
}

enum tsr_status tsr__pass_bias(struct tsr_err *err, struct tsr_graph *g)
{
  for (int i = 0, nodes = g->nodes; i < nodes; i++) {
    struct tsr_node *n = g->node[i];
    for (int side = 0; n->op == TSR_G_Add && side < 2; side++)
      if (bias_conv(g, n, side) || bias_matmul(g, n, side))
        break;
  }
  tsr__sweep(g);
  return tsr_graph_infer(err, g);
}
