/* SPDX-License-Identifier: Apache-2.0 */
/* Quantization parameters, and real factors as integers that tsr_quant_i32 takes. */
#include <math.h>

#include "compiler/graph/graph_private.h"

bool tsr__scale_of(const struct tsr_node *n, struct tsr__scale *out)
{
  double zero = 0;
  const struct tsr_value *zeros = n->inputs > 2 ? n->in[2] : NULL;
  if (!tsr__uniform(n->in[1], &out->scale) || !(out->scale > 0) || isinf(out->scale))
    return false;
  if (zeros && !tsr__uniform(zeros, &zero))
    return false;
  out->zero = (int)zero;
  return true;
}

struct tsr_node *tsr__dequantized(const struct tsr_value *v, struct tsr__scale *out)
{
  struct tsr_node *n = tsr__made_by(v, TSR_G_DequantizeLinear);
  return n && n->in[0]->dtype == TSR_I8 && tsr__scale_of(n, out) ? n : NULL;
}

bool tsr__same_scale(struct tsr__scale a, struct tsr__scale b)
{
  return a.scale == b.scale && a.zero == b.zero;
}

/* A multiplier in [2^30, 2^31) has 31 significant bits: relative error 2^-31 at most, and none for
 * a float's 24 bits. Below 2^-32 the shift is at its end and the multiplier gets shorter: its error
 * is then 2^-64 absolute, which the largest sum (2^32) makes 2^-32 of a step. */
bool tsr__multiplier(double value, int32_t *mult, int *shift)
{
  int exponent;
  double fraction =
      frexp(value, &exponent); /* value = fraction * 2^exponent, fraction in [0.5, 1) */
  if (!(value > 0) || isinf(value))
    return false;
  *shift = 31 - exponent;
  if (*shift > 63)
    *shift = 63;
  double m = nearbyint(ldexp(fraction, exponent + *shift));
  if (m >= 2147483648.0) {
    m = 1073741824.0;
    --*shift;
  }
  *mult = (int32_t)m;
  return *shift >= 0;
}

int tsr__quantize(double real, struct tsr__scale s)
{
  double q = nearbyint(real / s.scale) + s.zero;
  return q < -128 ? -128 : q > 127 ? 127 : (int)q;
}
