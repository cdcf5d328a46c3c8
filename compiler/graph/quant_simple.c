/* SPDX-License-Identifier: Apache-2.0 */
/* QAdd, QMul and QAvgPool out of float ops between DequantizeLinear and QuantizeLinear. */
#include <math.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

static struct tsr_value *no(struct tsr__request *r, const char *reason)
{
  r->reason = reason;
  return NULL;
}

/* Both operands dequantized from int8 and of the result's shape. */
static bool two_operands(struct tsr__request *r, struct tsr_value *in[2], struct tsr__scale s[2])
{
  for (int k = 0; k < 2; k++) {
    const struct tsr_node *dq = tsr__dequantized(r->core->in[k], &s[k]);
    if (!dq) {
      r->reason = "an operand is not dequantized from int8 with one constant scale";
      return false;
    }
    in[k] = dq->in[0];
  }
  if (!tsr__same_type(r->core->in[0], r->core->in[1])) {
    r->reason = "its operands differ in shape";
    return false;
  }
  return true;
}

static void set_quant(struct tsr__request *r, struct tsr_node *n, int64_t bias, int32_t mult,
                      int shift)
{
  tsr_node_set_int(r->g, n, "bias", bias);
  tsr_node_set_int(r->g, n, "mult", mult);
  tsr_node_set_int(r->g, n, "pack", tsr_quant_pack(shift, r->y.zero, r->lo, r->hi));
}

/* y = (x0 s0 +- x1 s1) / ys becomes (x0 mx + x1 my - zeros) * 2^-k with mx = round(s0 / ys * 2^k)
 * and so on, k as large as |m| < 2^22 allows. Each m is off by half at most, so the sum by 255 /
 * 2^k; the larger m is at least 2^21, so that is 2^-21 of the larger operand's range. */
struct tsr_value *tsr__quantize_add(struct tsr__request *r)
{
  struct tsr_value *in[2];
  struct tsr__scale s[2];
  int64_t m[2];
  int exponent;
  enum { MULT_SHIFT = 30, LEAST = -30, MOST = 63 - MULT_SHIFT }; /* mult is 2^30 */
  if (!two_operands(r, in, s))
    return NULL;
  double larger = fmax(s[0].scale, s[1].scale) / r->y.scale;
  frexp(larger, &exponent); /* larger < 2^exponent */
  int k = 22 - exponent;
  k = k > MOST ? MOST : k;
  if (nearbyint(ldexp(larger, k)) >= 4194304)
    k--;
  if (k < LEAST)
    return no(r, "the ratio of its scales is too large");
  for (int i = 0; i < 2; i++)
    m[i] = (int64_t)nearbyint(ldexp(s[i].scale / r->y.scale, k));
  if (r->core->op == TSR_G_Sub)
    m[1] = -m[1];
  struct tsr_node *n = tsr__add_node(r->g, TSR_G_QAdd, r->core->name, 2, in);
  tsr_node_set_int(r->g, n, "mx", m[0]);
  tsr_node_set_int(r->g, n, "my", m[1]);
  set_quant(r, n, -(s[0].zero * m[0] + s[1].zero * m[1]), 1 << MULT_SHIFT, k + MULT_SHIFT);
  return n->out[0];
}

struct tsr_value *tsr__quantize_mul(struct tsr__request *r)
{
  struct tsr_value *in[2];
  struct tsr__scale s[2];
  int32_t mult;
  int shift;
  if (!two_operands(r, in, s))
    return NULL;
  if (!tsr__multiplier(s[0].scale * s[1].scale / r->y.scale, &mult, &shift))
    return no(r, "the ratio of its scales is outside of what a multiplier of 31 bits holds");
  struct tsr_node *n = tsr__add_node(r->g, TSR_G_QMul, r->core->name, 2, in);
  tsr_node_set_int(r->g, n, "x_zero", s[0].zero);
  tsr_node_set_int(r->g, n, "y_zero", s[1].zero);
  set_quant(r, n, 0, mult, shift);
  return n->out[0];
}

struct pool {
  int64_t kernel[2], strides[2], pads[4];
};

/* ReduceMean over exactly the last two of four dims. */
static bool means_plane(const struct tsr_node *n)
{
  int64_t axes[TSR_MAX_RANK];
  const struct tsr_attr *attr = tsr_node_attr(n, "axes");
  struct tsr_tensor list = {0};
  int count = attr ? attr->count : 0;
  if (n->inputs > 1 && n->in[1]) {
    list = tsr_value_tensor(n->in[1]);
    count = list.data ? (int)tsr_tensor_count(&list) : 0;
  }
  if (count != 2)
    return false;
  for (int i = 0; i < 2; i++) {
    axes[i] = list.data ? tsr_get_int(&list, i) : attr->ints[i];
    axes[i] += axes[i] < 0 ? 4 : 0;
  }
  return axes[0] + axes[1] == 5 && (axes[0] == 2 || axes[0] == 3);
}

/* The windows of the core; false with a reason where they can't be those of QAvgPool. */
static bool windows(struct tsr__request *r, struct pool *p)
{
  const struct tsr_node *n = r->core;
  const struct tsr_value *x = n->in[0], *y = n->out[0];
  bool wide = x->rank == 4;
  *p = (struct pool){{x->dims[2], wide ? x->dims[3] : 1}, {1, 1}, {0}};
  if (n->op == TSR_G_ReduceMean && !(wide && means_plane(n)))
    return no(r, "its mean is not over the two last dims");
  if (n->op != TSR_G_AveragePool)
    return true;
  int64_t dilations[2];
  tsr__map_ints(n, "kernel_shape", 1, p->kernel);
  tsr__map_ints(n, "strides", 1, p->strides);
  tsr__map_pads(n, p->pads);
  tsr__map_ints(n, "dilations", 1, dilations);
  bool padded = p->pads[0] || p->pads[1] || p->pads[2] || p->pads[3];
  if (padded && !tsr_node_int(n, "count_include_pad", 0))
    return no(r, "its windows at the border are means of fewer elements");
  for (int i = 0; i <= wide; i++) {
    int64_t room = x->dims[i + 2] + p->pads[i] + p->pads[i + 2] - p->kernel[i];
    if (dilations[i] != 1 || room / p->strides[i] + 1 != y->dims[i + 2])
      return no(r, "its windows are dilated or reach over the end");
  }
  return true;
}

/* The mean of a window of `count` elements is its sum times xs / (ys count), zero points aside. */
struct tsr_value *tsr__quantize_average(struct tsr__request *r)
{
  struct tsr_node *n = r->core;
  struct tsr__scale x;
  struct tsr_node *dq = tsr__dequantized(n->in[0], &x);
  struct pool p;
  int32_t mult;
  int shift;
  if (!dq)
    return no(r, "its input is not dequantized from int8 with one constant scale");
  if (!tsr__is_map(n->in[0]))
    return no(r, "it has more than two spatial dims");
  if (!windows(r, &p))
    return NULL;
  int64_t count = p.kernel[0] * p.kernel[1];
  if (count < 1 || count >= 1 << 24) /* 2^24 * 2^7 are the largest sums of int32 */
    return no(r, "its windows are too large for sums in int32");
  if (!tsr__multiplier(x.scale / (r->y.scale * (double)count), &mult, &shift))
    return no(r, "the ratio of its scales is outside of what a multiplier of 31 bits holds");
  struct tsr_value *in = tsr__as_map(r->g, dq->in[0]);
  struct tsr_node *q = tsr__add_node(r->g, TSR_G_QAvgPool, n->name, 1, &in);
  tsr_node_set_ints(r->g, q, "kernel", 2, p.kernel);
  tsr_node_set_ints(r->g, q, "strides", 2, p.strides);
  tsr_node_set_ints(r->g, q, "pads", 4, p.pads);
  tsr_node_set_int(r->g, q, "x_zero", x.zero);
  set_quant(r, q, -x.zero * count, mult, shift);
  return tsr__from_map(r->g, q->out[0], n->out[0]);
}
