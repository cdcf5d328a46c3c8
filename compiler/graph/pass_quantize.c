/* SPDX-License-Identifier: Apache-2.0 */
/* Float ops between DequantizeLinear and QuantizeLinear become integer ops.
 *
 * Everything starts at a QuantizeLinear to int8. Above it may stand Relu and Clip, which are a
 * clamp of the quantized result, and above those the op itself. What can't be converted stays as it
 * is, and says why in its attribute `reason`. */
#include <string.h>

#include "compiler/graph/graph_private.h"

/* Takes n, a Relu or a Clip with constant limits, into the clamp. Quantizing is monotone: the
 * quantized limits limit the quantized value. */
static bool take_clamp(struct tsr__request *r, const struct tsr_node *n)
{
  double least = 0, most = 0;
  bool below = n->op == TSR_G_Relu, above = false;
  if (n->op == TSR_G_Clip) {
    below = n->inputs > 1 && n->in[1];
    above = n->inputs > 2 && n->in[2];
    if ((below && !tsr__uniform(n->in[1], &least)) || (above && !tsr__uniform(n->in[2], &most)))
      return false;
  } else if (n->op != TSR_G_Relu) {
    return false;
  }
  int lo = below ? tsr__quantize(least, r->y) : -128, hi = above ? tsr__quantize(most, r->y) : 127;
  r->lo = r->lo > lo ? r->lo : lo;
  r->hi = r->hi < hi ? r->hi : hi;
  return r->lo <= r->hi;
}

/* Adding a constant to a MatMul is its bias. */
static bool biased_product(const struct tsr_node *n)
{
  for (int k = 0; k < 2; k++)
    if (tsr__made_by(n->in[k], TSR_G_MatMul)) {
      const struct tsr_node *dq = tsr__made_by(n->in[!k], TSR_G_DequantizeLinear);
      if (dq ? dq->in[0]->data != NULL : n->in[!k]->data != NULL)
        return true;
    }
  return false;
}

/* Concat of int8 tensors, each brought to the result's scale by a table. */
static struct tsr_value *quantize_concat(struct tsr__request *r)
{
  struct tsr_node *n = r->core;
  struct tsr__scale s;
  for (int k = 0; k < n->inputs; k++)
    if (!tsr__dequantized(n->in[k], &s)) {
      r->reason = "an operand is not dequantized from int8 with one constant scale";
      return NULL;
    }
  struct tsr_node *q = tsr__add_node(r->g, TSR_G_Concat, n->name, n->inputs, n->in);
  tsr__copy_attrs(r->g, q, n);
  for (int k = 0; k < n->inputs; k++) {
    int8_t table[256];
    struct tsr_node *dq = tsr__dequantized(n->in[k], &s);
    for (int i = 0; i < 256; i++) {
      int v = tsr__quantize((double)((float)(i - 128 - s.zero) * (float)s.scale), r->y);
      v = v < r->lo ? r->lo : v;
      table[i] = (int8_t)(v > r->hi ? r->hi : v);
    }
    bool clamped = r->lo > -128 || r->hi < 127;
    q->in[k] = tsr__same_scale(s, r->y) && !clamped
                   ? dq->in[0]
                   : tsr__lut_node(r->g, dq->in[0]->name, dq->in[0], table);
  }
  return q->out[0];
}

void tsr__set_quant(struct tsr__request *r, struct tsr_node *n, int64_t bias, int32_t mult,
                    int shift)
{
  tsr_node_set_int(r->g, n, "bias", bias);
  tsr_node_set_int(r->g, n, "mult", mult);
  tsr_node_set_int(r->g, n, "pack", tsr_quant_pack(shift, r->y.zero, r->lo, r->hi));
}

static struct tsr_value *convert(struct tsr__request *r)
{
  switch (r->core->op) {
  case TSR_G_Conv: return tsr__quantize_conv(r);
  case TSR_G_ConvTranspose: return tsr__quantize_transposed(r);
  case TSR_G_Gemm:
  case TSR_G_MatMul: return tsr__quantize_dense(r);
  case TSR_G_Add: return biased_product(r->core) ? tsr__quantize_dense(r) : tsr__quantize_add(r);
  case TSR_G_Sub: return tsr__quantize_add(r);
  case TSR_G_Sum: return r->core->inputs == 2 ? tsr__quantize_add(r) : NULL;
  case TSR_G_Mul: return tsr__quantize_mul(r);
  case TSR_G_AveragePool:
  case TSR_G_GlobalAveragePool:
  case TSR_G_ReduceMean: return tsr__quantize_average(r);
  case TSR_G_PRelu: return tsr__quantize_prelu(r);
  case TSR_G_Concat: return quantize_concat(r);
  default: return NULL;
  }
}

/* The op behind the clamps, or NULL where the quantized value comes out of none. */
static struct tsr_node *find_core(struct tsr__request *r)
{
  struct tsr_node *n = r->quantize->in[0]->producer;
  while (n && take_clamp(r, n))
    n = n->in[0]->producer;
  return n;
}

static void quantize_node(struct tsr_graph *g, struct tsr_node *q)
{
  struct tsr__request r = {.g = g, .quantize = q, .lo = -128, .hi = 127};
  if (q->out[0]->dtype != TSR_I8 || q->in[0]->data || !tsr__scale_of(q, &r.y))
    return;
  struct tsr_value *y = tsr__quantize_lut(g, q);
  if (!y) {
    r.core = find_core(&r);
    y = r.core ? convert(&r) : NULL;
  }
  if (y) {
    tsr__take_type(y, q->out[0], TSR_I8);
    tsr__replace(g, q->out[0], y);
  } else if (r.core && r.reason) {
    tsr_node_set_string(g, r.core, "reason", r.reason);
  }
}

/* Ops that have an integer form, but whose result is not quantized. */
static void give_reasons(struct tsr_graph *g)
{
  for (int i = 0; i < g->nodes; i++) {
    struct tsr_node *n = g->node[i];
    struct tsr__scale s;
    bool has_form = n->op == TSR_G_Conv || n->op == TSR_G_ConvTranspose || n->op == TSR_G_Gemm ||
                    n->op == TSR_G_MatMul;
    if (n->op == TSR_G_ConvInteger || n->op == TSR_G_MatMulInteger)
      tsr_node_set_string(g, n, "reason", "its result is int32, which no integer op requantizes");
    if (has_form && !tsr_node_attr(n, "reason"))
      tsr_node_set_string(g, n, "reason",
                          tsr__dequantized(n->in[0], &s) ? "its result is not quantized to int8"
                                                         : "its input is not quantized to int8");
  }
}

enum tsr_status tsr__pass_quantize(struct tsr_err *err, struct tsr_graph *g)
{
  int nodes = g->nodes;
  for (int i = 0; i < nodes; i++)
    if (g->node[i]->op == TSR_G_QuantizeLinear)
      quantize_node(g, g->node[i]);
  tsr__sweep(g);
  give_reasons(g);
  return tsr_graph_infer(err, g);
}
