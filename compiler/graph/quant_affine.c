/* SPDX-License-Identifier: Apache-2.0 */
/* QConv and QDense out of Conv, Gemm and MatMul between DequantizeLinear and QuantizeLinear.
 *
 * With x = xs (qx - xz), w = ws[o] (qw - wz[o]) and y = ys (qy - yz):
 *
 *   qy = yz + xs ws[o] / ys * (sum qx (qw - wz[o]) + b[o] / (xs ws[o]) - xz sum (qw - wz[o]))
 *
 * so the weights are qw - wz, and what stands behind the sum is the integer bias. */
#include <math.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

static bool no(struct tsr__request *r, const char *reason)
{
  r->reason = reason;
  return false;
}

/* Of a tensor with one number for all channels, or for each of a group, or for each. */
static int64_t of_channel(const struct tsr_tensor *t, int64_t o)
{
  int64_t count = tsr_tensor_count(t);
  return count > 1 ? o % count : 0;
}

static double w_scale(const struct tsr__affine *f, int64_t o)
{
  return tsr_get_float(&f->w_scale, of_channel(&f->w_scale, o));
}

bool tsr__affine_input(struct tsr__affine *f, struct tsr_value *v)
{
  const struct tsr_node *dq = tsr__dequantized(v, &f->x);
  if (!dq)
    return no(f->r, "its input is not dequantized from int8 with one constant scale");
  f->in = dq->in[0];
  return true;
}

/* Weights as they are stored: [O, inner], [inner, O], or [groups, inner / taps, O / groups, taps]. */
static int64_t stored_at(const struct tsr__affine *f, enum tsr__storage storage, int64_t taps,
                         int64_t o, int64_t i, int64_t inner)
{
  int64_t each = f->channels / f->groups;
  switch (storage) {
  case TSR__ROWS: return o * inner + i;
  case TSR__COLUMNS: return i * f->channels + o;
  default: return ((o / each * (inner / taps) + i / taps) * each + o % each) * taps + i % taps;
  }
}

static bool fill_weights(struct tsr__affine *f, const struct tsr_value *q,
                         const struct tsr_tensor *zeros, enum tsr__storage storage)
{
  struct tsr_tensor stored = tsr_value_tensor(q);
  int64_t inner = f->channels ? tsr__count(q) / f->channels : 0;
  int64_t taps = q->rank > 2 ? tsr_count(q->dims + 2, q->rank - 2, 1) : 1;
  for (int64_t o = 0; o < f->channels; o++) {
    int64_t zero = zeros->data ? tsr_get_int(zeros, of_channel(zeros, o)) : 0;
    if (!(w_scale(f, o) > 0))
      return no(f->r, "a scale of its weights is not greater than 0");
    for (int64_t i = 0; i < inner; i++) {
      int64_t w = tsr_get_int(&stored, stored_at(f, storage, taps, o, i, inner)) - zero;
      if (w < -128 || w > 127)
        return no(f->r, "its weights less their zero points do not fit int8");
      ((int8_t *)f->weight->data)[o * inner + i] = (int8_t)w;
    }
  }
  return true;
}

bool tsr__affine_weights(struct tsr__affine *f, const struct tsr_value *v, int64_t groups,
                         enum tsr__storage storage)
{
  const struct tsr_node *dq = tsr__made_by(v, TSR_G_DequantizeLinear);
  if (!dq || !dq->in[0]->data || !dq->in[1]->data ||
      (dq->inputs > 2 && dq->in[2] && !dq->in[2]->data))
    return no(f->r, "its weights are not dequantized from constants");
  if (dq->in[0]->dtype != TSR_I8 && dq->in[0]->dtype != TSR_U8)
    return no(f->r, "its weights are not of 8 bits");
  const struct tsr_value *q = dq->in[0];
  int64_t axis = tsr_node_int(dq, "axis", 1), wanted = storage == TSR__ROWS ? 0 : 1;
  f->groups = groups;
  f->channels = q->dims[wanted] * groups;
  f->w_scale = tsr_value_tensor(dq->in[1]);
  axis = axis < 0 ? axis + q->rank : axis;
  if (tsr__count(dq->in[1]) > 1 && axis != wanted)
    return no(f->r, "its weights' scales are not one for each output channel");
  struct tsr_tensor zeros = {0};
  if (dq->inputs > 2 && dq->in[2])
    zeros = tsr_value_tensor(dq->in[2]);
  int64_t dims[TSR_MAX_RANK];
  memcpy(dims, q->dims, sizeof dims);
  dims[0] = f->channels; /* output channels first */
  dims[1] = storage == TSR__ROWS ? dims[1] : q->dims[0] / groups;
  f->weight = tsr__add_constant(f->r->g, q->name, TSR_I8, q->rank, dims);
  return fill_weights(f, q, &zeros, storage);
}

/* One bias in units of the sum: exactly the stored integer where its scale is the sum's but for the
 * rounding of that product to float, else the nearest. Where that is off by more than half a step of the
 * result, which spans `step` units, the result could be by more than one. */
static bool scaled_bias(double q, double q_scale, double unit, double step, int64_t *out)
{
  double ratio = q_scale / unit;
  double exact = fabs(ratio - 1) < 1e-6 ? q : q * ratio, b = nearbyint(exact);
  if (!(fabs(b) < 9e15) || fabs(b - exact) > 0.5 * step)
    return false;
  *out += (int64_t)b;
  return true;
}

bool tsr__affine_bias(struct tsr__affine *f, const struct tsr_value *v, int axis, double factor)
{
  const struct tsr_node *dq = tsr__made_by(v, TSR_G_DequantizeLinear);
  const struct tsr_value *q = dq ? dq->in[0] : v;
  int64_t count = tsr__count(v);
  if (!q->data || (dq && (!dq->in[1]->data || (dq->inputs > 2 && dq->in[2] && !dq->in[2]->data))))
    return no(f->r, "its bias is no constant");
  if (count != 1 && (count != f->channels || v->dims[axis < 0 ? v->rank - 1 : axis] != count))
    return no(f->r, "its bias is not one number for each output channel");
  struct tsr_tensor values = tsr_value_tensor(q), scales = {0}, zeros = {0};
  if (dq)
    scales = tsr_value_tensor(dq->in[1]);
  if (dq && dq->inputs > 2 && dq->in[2])
    zeros = tsr_value_tensor(dq->in[2]);
  for (int64_t o = 0; o < f->channels; o++) {
    int64_t at = count > 1 ? o : 0;
    double zero = !zeros.data ? 0 : tsr_get_float(&zeros, tsr_tensor_count(&zeros) > 1 ? at : 0);
    double scale = !dq ? 1 : tsr_get_float(&scales, tsr_tensor_count(&scales) > 1 ? at : 0);
    double unit = f->x.scale * w_scale(f, o) * f->factor;
    if (!scaled_bias(tsr_get_float(&values, at) - zero, scale * factor, unit,
                     f->r->y.scale / unit, &f->bias[o]))
      return no(f->r, "its bias does not fit the scale of its sums");
  }
  return true;
}

/* The input's zero point times the sum of the channel's weights. */
static int64_t zero_share(const struct tsr__affine *f, int64_t o)
{
  int64_t inner = tsr__count(f->weight) / f->channels, sum = 0;
  for (int64_t i = 0; i < inner; i++)
    sum += ((const int8_t *)f->weight->data)[o * inner + i];
  return sum * f->x.zero;
}

bool tsr__affine_operands(struct tsr__affine *f, struct tsr_value *in[5])
{
  struct tsr__request *r = f->r;
  int64_t dims[1] = {f->channels};
  int32_t *part[3];
  static const char *const names[] = {"bias", "mult", "pack"};
  for (int k = 0; k < 3; k++) {
    in[k + 2] = tsr__add_constant(
        r->g, tsr_arena_printf(r->g->arena, "%s.%s", r->core->name, names[k]), TSR_I32, 1, dims);
    part[k] = (int32_t *)in[k + 2]->data;
  }
  for (int64_t o = 0; o < f->channels; o++) {
    int64_t bias = f->bias[o] - zero_share(f, o);
    int shift;
    if (bias < INT32_MIN || bias > INT32_MAX)
      return no(r, "its bias does not fit int32");
    if (!tsr__multiplier(f->x.scale * w_scale(f, o) * f->factor / r->y.scale, &part[1][o], &shift))
      return no(r, "the ratio of its scales is outside of what a multiplier of 31 bits holds");
    part[0][o] = (int32_t)bias;
    part[2][o] = tsr_quant_pack(shift, r->y.zero, r->lo, r->hi);
  }
  in[0] = f->in;
  in[1] = f->weight;
  return true;
}

struct tsr_value *tsr__quantize_conv(struct tsr__request *r)
{
  struct tsr_node *n = r->core;
  struct tsr__affine f = {.r = r, .factor = 1};
  struct tsr_value *in[5];
  int64_t list[4];
  if (!tsr__is_map(n->in[0])) {
    r->reason = "it has more than two spatial dims";
    return NULL;
  }
  if (!tsr__affine_input(&f, n->in[0]) || !tsr__affine_weights(&f, n->in[1], 1, TSR__ROWS))
    return NULL;
  f.bias = TSR_NEW_ARRAY(r->g->arena, int64_t, f.channels);
  if (n->inputs > 2 && n->in[2] && !tsr__affine_bias(&f, n->in[2], -1, 1))
    return NULL;
  if (!tsr__affine_operands(&f, in))
    return NULL;
  tsr__kernel_as_map(f.weight);
  in[0] = tsr__as_map(r->g, in[0]);
  struct tsr_node *q = tsr__add_node(r->g, TSR_G_QConv, n->name, 5, in);
  tsr__map_ints(n, "strides", 1, list);
  tsr_node_set_ints(r->g, q, "strides", 2, list);
  tsr__map_pads(n, list);
  tsr_node_set_ints(r->g, q, "pads", 4, list);
  tsr__map_ints(n, "dilations", 1, list);
  tsr_node_set_ints(r->g, q, "dilations", 2, list);
  tsr_node_set_int(r->g, q, "group", tsr_node_int(n, "group", 1));
  tsr_node_set_int(r->g, q, "x_zero", f.x.zero);
  return tsr__from_map(r->g, q->out[0], n->out[0]);
}

/* core is a Gemm, a MatMul, or an Add of a constant to a MatMul. */
struct tsr_value *tsr__quantize_dense(struct tsr__request *r)
{
  struct tsr_node *n = r->core, *product = n;
  struct tsr_value *bias = NULL, *in[5];
  if (n->op == TSR_G_Add) {
    int side = tsr__made_by(n->in[0], TSR_G_MatMul) ? 0 : 1;
    product = n->in[side]->producer;
    bias = n->in[!side];
  } else if (n->op == TSR_G_Gemm && n->inputs > 2) {
    bias = n->in[2];
  }
  bool gemm = product->op == TSR_G_Gemm;
  struct tsr__affine f = {.r = r, .factor = gemm ? tsr_node_float(product, "alpha", 1) : 1};
  const struct tsr_value *x = product->in[0], *w = product->in[1];
  if (w->rank != 2 || x->rank < 1 || (gemm && tsr_node_int(n, "transA", 0)) || !(f.factor > 0)) {
    r->reason = "it is no product of rows by a constant matrix";
    return NULL;
  }
  bool columns = !(gemm && tsr_node_int(product, "transB", 0));
  if (!tsr__affine_input(&f, product->in[0]) ||
      !tsr__affine_weights(&f, w, 1, columns ? TSR__COLUMNS : TSR__ROWS))
    return NULL;
  f.bias = TSR_NEW_ARRAY(r->g->arena, int64_t, f.channels);
  if ((bias && !tsr__affine_bias(&f, bias, -1, gemm ? tsr_node_float(n, "beta", 1) : 1)) ||
      !tsr__affine_operands(&f, in))
    return NULL;
  int64_t k = x->dims[x->rank - 1], flat[2] = {k ? tsr__count(x) / k : 0, k};
  if (x->rank != 2)
    in[0] = tsr__reshaped(r->g, in[0], 2, flat);
  struct tsr_value *y = tsr__add_node(r->g, TSR_G_QDense, n->name, 5, in)->out[0];
  return x->rank == 2 ? y : tsr__reshaped(r->g, y, n->out[0]->rank, n->out[0]->dims);
}
