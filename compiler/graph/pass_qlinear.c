/* SPDX-License-Identifier: Apache-2.0 */
/* QOperator form to QDQ form: what a QLinear op means, in ops that say it. So there is one way on
 * from here. */
#include "compiler/graph/graph_private.h"

/* x between a DequantizeLinear of its own: inputs k, k + 1, k + 2 of n are values, scale, zero
 * point. */
static struct tsr_value *dequantized(struct tsr_graph *g, const struct tsr_node *n, int k,
                                     int64_t axis)
{
  struct tsr_value *in[] = {n->in[k], n->in[k + 1], n->in[k + 2]};
  struct tsr_node *d = tsr__add_node(g, TSR_G_DequantizeLinear, n->in[k]->name, 3, in);
  if (tsr__count(n->in[k + 1]) > 1)
    tsr_node_set_int(g, d, "axis", axis);
  return d->out[0];
}

/* The i32 bias of QLinearConv, whose scale is x's times w's. */
static struct tsr_value *dequantized_bias(struct tsr_graph *g, const struct tsr_node *n)
{
  struct tsr_tensor w = tsr_value_tensor(n->in[4]);
  double x_scale = 0;
  int64_t channels = tsr_tensor_count(&w), dims[1] = {channels};
  tsr__uniform(n->in[1], &x_scale);
  struct tsr_value *in[] = {n->in[8],
                            tsr__add_constant(g, n->in[4]->name, TSR_F32, channels > 1, dims)};
  struct tsr_tensor scale = tsr_value_tensor(in[1]);
  for (int64_t i = 0; i < channels; i++)
    tsr_put_float(&scale, i, x_scale * tsr_get_float(&w, i));
  struct tsr_node *d = tsr__add_node(g, TSR_G_DequantizeLinear, n->in[8]->name, 2, in);
  if (channels > 1)
    tsr_node_set_int(g, d, "axis", 0);
  return d->out[0];
}

/* Quantizes y with n's scale (input k) and zero point (k + 1) in place of n. */
static void quantized(struct tsr_graph *g, struct tsr_node *n, struct tsr_value *y, int k)
{
  struct tsr_value *in[] = {y, n->in[k], n->inputs > k + 1 ? n->in[k + 1] : NULL};
  struct tsr_node *q = tsr__add_node(g, TSR_G_QuantizeLinear, n->out[0]->name, in[2] ? 3 : 2, in);
  tsr__replace(g, n->out[0], q->out[0]);
}

static bool constant_parameters(const struct tsr_node *n, const int *which, int count)
{
  for (int i = 0; i < count; i++)
    if (which[i] < n->inputs && n->in[which[i]] && !n->in[which[i]]->data)
      return false;
  return true;
}

static void expand_conv(struct tsr_graph *g, struct tsr_node *n)
{
  static const int constants[] = {1, 2, 4, 5, 6, 7};
  if (!constant_parameters(n, constants, 6)) {
    tsr_node_set_string(g, n, "reason", "a scale or zero point is no constant");
    return;
  }
  struct tsr_value *bias = n->inputs > 8 && n->in[8] ? dequantized_bias(g, n) : NULL;
  struct tsr_value *in[] = {dequantized(g, n, 0, 1), dequantized(g, n, 3, 0), bias};
  struct tsr_node *conv = tsr__add_node(g, TSR_G_Conv, n->name, bias ? 3 : 2, in);
  tsr__copy_attrs(g, conv, n);
  quantized(g, n, conv->out[0], 6);
}

static void expand_two(struct tsr_graph *g, struct tsr_node *n, enum tsr_gop op)
{
  struct tsr_value *in[] = {dequantized(g, n, 0, n->in[0]->rank - 1),
                            dequantized(g, n, 3, n->in[3]->rank - 1)};
  struct tsr_node *both = tsr__add_node(g, op, n->name, 2, in);
  quantized(g, n, both->out[0], 6);
}

static void expand_pool(struct tsr_graph *g, struct tsr_node *n)
{
  if (tsr_node_int(n, "channels_last", 0)) {
    tsr_node_set_string(g, n, "reason", "channels are its last dim");
    return;
  }
  struct tsr_value *in[] = {dequantized(g, n, 0, 1)};
  struct tsr_node *pool = tsr__add_node(g, TSR_G_GlobalAveragePool, n->name, 1, in);
  quantized(g, n, pool->out[0], 3);
}

enum tsr_status tsr__pass_qlinear(struct tsr_err *err, struct tsr_graph *g)
{
  int nodes = g->nodes;
  for (int i = 0; i < nodes; i++) {
    struct tsr_node *n = g->node[i];
    if (n->op == TSR_G_QLinearConv)
      expand_conv(g, n);
    else if (n->op == TSR_G_QLinearMatMul)
      expand_two(g, n, TSR_G_MatMul);
    else if (n->op == TSR_G_QLinearAdd)
      expand_two(g, n, TSR_G_Add);
    else if (n->op == TSR_G_QLinearGlobalAveragePool)
      expand_pool(g, n);
  }
  tsr__sweep(g);
  return tsr_graph_infer(err, g);
}
