/* SPDX-License-Identifier: Apache-2.0 */
/* Quantization: between floats and integers as ONNX has it, and the integer ops, bit by bit. */
#include "compiler/graph/compute.h"

tir_e tsr__centered(struct tsr__compute *c, tir_e x, const struct tir_buffer *zero, tir_e channel)
{
  x = e_cast(c, TSR_I32, x);
  return zero ? e_sub(c, x, e_cast(c, TSR_I32, tsr__per_channel(c, zero, channel))) : x;
}

tir_e tsr__rounded(struct tsr__compute *c, tir_e real, tir_e zero, enum tsr_dtype dtype)
{
  tir_e v = tir_unary(c->a, TIR_ROUND, real);
  if (zero)
    v = e_add(c, v, e_cast(c, (enum tsr_dtype)v->dtype, zero));
  return e_cast(c, dtype, v); /* which saturates */
}

tir_e tsr__quant_i8(struct tsr__compute *c, tir_e acc, tir_e bias, tir_e mult, tir_e pack)
{
  return tir_unary(c->a, TIR_SAT8, tir_quant(c->a, acc, bias, mult, pack));
}

tir_e tsr__requantized(struct tsr__compute *c, tir_e acc, tir_e channel)
{
  return tsr__quant_i8(c, acc, e_load(c, c->in[2], &channel), e_load(c, c->in[3], &channel),
                  e_load(c, c->in[4], &channel));
}

static tir_e attr_i32(struct tsr__compute *c, const char *name)
{
  return tir_int(c->a, TSR_I32, tsr_node_int(c->n, name, 0));
}

tir_e tsr__quant_attrs(struct tsr__compute *c, tir_e acc)
{
  return tsr__quant_i8(c, acc, attr_i32(c, "bias"), attr_i32(c, "mult"), attr_i32(c, "pack"));
}

/* --- ONNX's ----------------------------------------------------------------------------------- */

/* Scale and zero point have one element, or one for each place along `axis`. */
static enum tsr_status check_per_axis(struct tsr__compute *c, int *axis)
{
  const struct tir_buffer *x = c->in[0];
  *axis = 0;
  for (int k = 1; k <= 2; k++) {
    const struct tir_buffer *b = tsr__in(c, k);
    if (!b || tsr_count(b->dims, b->rank, 1) == 1)
      continue;
    if (tsr__axis_attr(c, "axis", 1, x->rank, axis))
      return TSR_REFUSED;
    if (b->rank != 1 || b->dims[0] != x->dims[*axis])
      return tsr__refuse(c, "%s must be a scalar or have one element for each of dim %d", b->name,
                         *axis);
  }
  return TSR_OK;
}

/* saturate(round_half_even(x / scale) + zero), in f32. */
enum tsr_status tsr__compute_quantize(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *zero = tsr__in(c, 2), *y = c->out[0];
  tir_e i[TSR_MAX_RANK];
  int axis;
  if (tsr__is_float(y) || (x->dtype != TSR_F32 && x->dtype != TSR_I32) ||
      c->in[1]->dtype != TSR_F32)
    return tsr__refuse(c, "takes f32 or i32 and an f32 scale, not %s and %s",
                       tsr_dtype_name(x->dtype), tsr_dtype_name(c->in[1]->dtype));
  if (check_per_axis(c, &axis))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__elementwise(c, "quantize", y, i);
  tir_e at = x->rank ? i[axis] : e_index(c, 0);
  tir_e real = e_div(c, e_cast(c, TSR_F32, e_load(c, x, i)), tsr__per_channel(c, c->in[1], at));
  s->value = tsr__rounded(c, real, zero ? tsr__per_channel(c, zero, at) : NULL, y->dtype);
  return TSR_OK;
}

/* (x - zero) * scale: the difference is exact in i32, the product rounds once, for i32 x twice. */
enum tsr_status tsr__compute_dequantize(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  tir_e i[TSR_MAX_RANK];
  int axis;
  if (tsr__is_float(x) || tsr_dtype_bytes(x->dtype) > 4 || x->dtype == TSR_U32 ||
      !tsr__is_float(y) || c->in[1]->dtype != y->dtype)
    return tsr__refuse(c, "takes 8-bit to 32-bit integers and a float scale, not %s and %s",
                       tsr_dtype_name(x->dtype), tsr_dtype_name(c->in[1]->dtype));
  if (check_per_axis(c, &axis))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__elementwise(c, "dequantize", y, i);
  tir_e at = x->rank ? i[axis] : e_index(c, 0);
  tir_e whole = tsr__centered(c, e_load(c, x, i), tsr__in(c, 2), at);
  s->value = e_mul(c, e_cast(c, y->dtype, whole), tsr__per_channel(c, c->in[1], at));
  return TSR_OK;
}

/* (x - zero) * scale of operands k, k + 1 (scale) and k + 2 (zero point), in f32, broadcast. */
static tir_e real_of(struct tsr__compute *c, int k, int rank, const tir_e *i)
{
  tir_e whole =
      tsr__centered(c, tsr__load_broadcast(c, c->in[k], rank, i), c->in[k + 2], e_index(c, 0));
  return e_mul(c, e_cast(c, TSR_F32, whole), tsr__scalar(c, c->in[k + 1]));
}

enum tsr_status tsr__compute_qlinear_add(struct tsr__compute *c)
{
  struct tir_buffer *y = c->out[0], *zero = tsr__in(c, 7);
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "add", y, i);
  tir_e real = e_add(c, real_of(c, 0, y->rank, i), real_of(c, 3, y->rank, i));
  real = e_div(c, real, tsr__scalar(c, c->in[6]));
  s->value = tsr__rounded(c, real, zero ? tsr__scalar(c, zero) : NULL, y->dtype);
  return TSR_OK;
}

/* round(sum(x - zero) * (x_scale / (y_scale * elements))) + y_zero, the factor in f32. */
enum tsr_status tsr__compute_qlinear_global_average_pool(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  tir_e i[TSR_MAX_RANK];
  bool last = tsr_node_int(c->n, "channels_last", 0) != 0;
  if (x->rank < 3)
    return tsr__refuse(c, "is defined for inputs of rank 3 and more, not %d", x->rank);
  uint32_t mask = 0;
  double elements = 1;
  for (int d = 0; d < x->rank; d++)
    if (d > 0 && d != (last ? x->rank - 1 : 1)) {
      mask |= UINT32_C(1) << d;
      elements *= (double)x->dims[d];
    }
  struct tir_buffer *acc = tir_func_temp(c->a, c->f, "acc", TSR_I32, y->rank, y->dims);
  struct tir_stage *s = tsr__reduction(c, "pool", acc, TIR_SUM, x, mask, i);
  s->value = tsr__centered(c, e_load(c, x, i), c->in[2], e_index(c, 0));
  s = tsr__elementwise(c, "epilogue", y, i);
  tir_e scale = e_mul(c, tsr__scalar(c, c->in[3]), e_number(c, TSR_F32, elements));
  scale = e_div(c, tsr__scalar(c, c->in[1]), scale);
  tir_e real = e_mul(c, e_cast(c, TSR_F32, e_load(c, acc, i)), scale);
  s->value = tsr__rounded(c, real, tsr__scalar(c, c->in[4]), y->dtype);
  return TSR_OK;
}

/* --- ours ------------------------------------------------------------------------------------- */

enum tsr_status tsr__compute_qadd(struct tsr__compute *c)
{
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "add", c->out[0], i);
  tir_e a = e_mul(c, e_cast(c, TSR_I32, e_load(c, c->in[0], i)), attr_i32(c, "mx"));
  tir_e b = e_mul(c, e_cast(c, TSR_I32, e_load(c, c->in[1], i)), attr_i32(c, "my"));
  s->value = tsr__quant_attrs(c, e_add(c, a, b));
  return TSR_OK;
}

enum tsr_status tsr__compute_qmul(struct tsr__compute *c)
{
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "mul", c->out[0], i);
  tir_e a = e_sub(c, e_cast(c, TSR_I32, e_load(c, c->in[0], i)), attr_i32(c, "x_zero"));
  tir_e b = e_sub(c, e_cast(c, TSR_I32, e_load(c, c->in[1], i)), attr_i32(c, "y_zero"));
  s->value = tsr__quant_attrs(c, e_mul(c, a, b));
  return TSR_OK;
}

enum tsr_status tsr__compute_qlut(struct tsr__compute *c)
{
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "lut", c->out[0], i);
  tir_e entry = e_plus(c, e_cast(c, TSR_I64, e_load(c, c->in[0], i)), 128);
  s->value = e_load(c, c->in[1], &entry);
  return TSR_OK;
}
