/* SPDX-License-Identifier: Apache-2.0 */
/* QAdd and QMul out of float ops between DequantizeLinear and QuantizeLinear. */
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
  tsr__set_quant(r, n, -(s[0].zero * m[0] + s[1].zero * m[1]), 1 << MULT_SHIFT, k + MULT_SHIFT);
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
  tsr__set_quant(r, n, 0, mult, shift);
  return n->out[0];
}
