/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions: pad, sum of products, epilogue. x is (n, ic of all groups, spatial...), w is
 * (oc, ic of one group, kernel...). Sums of floats run over ic, then the kernel, in order: the
 * error is at most (terms + 1) * eps * sum |x * w|. Sums of integers wrap in i32. */
#include "compiler/graph/compute.h"

struct conv {
  struct tsr__windows window;
  struct tir_buffer *x, *w;
  const struct tir_buffer *x_zero, *w_zero; /* NULL: none */
  int64_t group, group_in, group_out;       /* channels of one group */
};

static enum tsr_status conv_read(struct tsr__compute *c, struct tir_buffer *x, struct tir_buffer *w,
                                 struct conv *v)
{
  *v = (struct conv){.x = x, .w = w, .group = tsr_node_int(c->n, "group", 1)};
  if (w->rank != x->rank || x->rank < 3)
    return tsr__refuse(c, "takes x and w of one rank, 3 or more");
  if (tsr__window_read(c, w->dims + 2, &v->window))
    return TSR_REFUSED;
  v->group_in = w->dims[1];
  v->group_out = v->group > 0 ? w->dims[0] / v->group : 0;
  if (v->group < 1 || v->group_in * v->group != x->dims[1] || v->group_out * v->group != w->dims[0])
    return tsr__refuse(c, "group %lld does not divide %lld channels into %lld", (long long)v->group,
                       (long long)x->dims[1], (long long)w->dims[0]);
  return TSR_OK;
}

/* The channel of x that output channel oc reads as its group's channel ic. */
static tir_e channel_of_x(struct tsr__compute *c, const struct conv *v, tir_e oc, tir_e ic)
{
  if (v->group == 1)
    return ic;
  tir_e first = e_times(c, e_floordiv(c, oc, v->group_out), v->group_in);
  return v->group_in == 1 ? first : e_add(c, first, ic);
}

/* acc[n, oc, o...] = sum over ic and k of x * w, in acc's dtype, zero points subtracted. */
static void conv_sum(struct tsr__compute *c, const struct conv *v, struct tir_buffer *x,
                     struct tir_buffer *acc)
{
  const struct tsr__windows *win = &v->window;
  int dims = win->dims, ic_axis = 2 + dims;
  struct tir_stage *s = tir_func_stage(
      c->a, c->f, "conv", acc, tsr__window_axes(c, win, "n oc", "ic"), 1 + dims, v->w->dims + 1);
  tir_e oc = tir_axis_use(c->a, s, 1), ic = tir_axis_use(c->a, s, ic_axis);
  tir_e at_x[TSR_MAX_RANK] = {tir_axis_use(c->a, s, 0), channel_of_x(c, v, oc, ic)};
  tir_e at_w[TSR_MAX_RANK] = {oc, ic};
  for (int d = 0; d < dims; d++) {
    at_w[2 + d] = tir_axis_use(c->a, s, ic_axis + 1 + d);
    at_x[2 + d] = tsr__window_at(c, win, d, tir_axis_use(c->a, s, 2 + d), at_w[2 + d]);
  }
  tir_e xe = e_load(c, x, at_x), we = e_load(c, v->w, at_w);
  if (!tsr__is_float(acc)) {
    xe = tsr__centered(c, xe, v->x_zero, at_x[1]);
    we = tsr__centered(c, we, v->w_zero, oc);
  }
  s->value = e_mul(c, xe, we);
  tsr__combines(c, s, TIR_SUM);
}

/* What comes after the sum: y[n, oc, o...] of acc at the same place, ->value to be set. */
static struct tir_stage *conv_epilogue(struct tsr__compute *c, const struct conv *v,
                                       const struct tir_buffer *acc, tir_e *sum, tir_e *oc)
{
  struct tir_stage *s = tir_func_stage(c->a, c->f, "epilogue", c->out[0],
                                       tsr__window_axes(c, &v->window, "n oc", NULL), 0, NULL);
  tir_e i[TSR_MAX_RANK];
  for (int d = 0; d < acc->rank; d++)
    i[d] = tir_axis_use(c->a, s, d);
  *sum = e_load(c, acc, i);
  *oc = i[1];
  return s;
}

static struct tir_buffer *accumulator(struct tsr__compute *c, enum tsr_dtype dtype)
{
  return tir_func_temp(c->a, c->f, "acc", dtype, c->out[0]->rank, c->out[0]->dims);
}

enum tsr_status tsr__compute_conv(struct tsr__compute *c)
{
  struct tir_buffer *bias = tsr__in(c, 2), *y = c->out[0];
  enum tsr_dtype dtype = c->in[0]->dtype;
  struct conv v;
  if (!tsr__is_float(c->in[0]) || c->in[1]->dtype != dtype || (bias && bias->dtype != dtype))
    return tsr__refuse(c, "takes floats of one dtype, not %s and %s", tsr_dtype_name(dtype),
                       tsr_dtype_name(c->in[1]->dtype));
  if (conv_read(c, c->in[0], c->in[1], &v))
    return TSR_REFUSED;
  struct tir_buffer *acc = bias ? accumulator(c, dtype) : y;
  conv_sum(c, &v, tsr__window_pad(c, &v.window, v.x, e_number(c, dtype, 0)), acc);
  if (bias) {
    tir_e sum, oc;
    struct tir_stage *s = conv_epilogue(c, &v, acc, &sum, &oc);
    s->value = e_add(c, sum, tsr__per_channel(c, bias, oc));
  }
  return TSR_OK;
}

/* --- integers --------------------------------------------------------------------------------- */

static bool is_byte(const struct tir_buffer *b)
{
  return b->dtype == TSR_I8 || b->dtype == TSR_U8;
}

static enum tsr_status check_bytes(struct tsr__compute *c, const struct tir_buffer *x,
                                   const struct tir_buffer *w)
{
  if (is_byte(x) && is_byte(w))
    return TSR_OK;
  return tsr__refuse(c, "takes 8-bit integers, not %s and %s", tsr_dtype_name(x->dtype),
                     tsr_dtype_name(w->dtype));
}

/* x with its zero point around it */
static struct tir_buffer *padded_with_zero(struct tsr__compute *c, const struct conv *v)
{
  tir_e zero = v->x_zero ? tsr__scalar(c, v->x_zero) : e_number(c, v->x->dtype, 0);
  return tsr__window_pad(c, &v->window, v->x, zero);
}

enum tsr_status tsr__compute_conv_integer(struct tsr__compute *c)
{
  struct conv v;
  if (check_bytes(c, c->in[0], c->in[1]) || conv_read(c, c->in[0], c->in[1], &v))
    return TSR_REFUSED;
  v.x_zero = tsr__in(c, 2);
  v.w_zero = tsr__in(c, 3);
  conv_sum(c, &v, padded_with_zero(c, &v), c->out[0]);
  return TSR_OK;
}

/* y = saturate(round((acc + bias) * (x_scale * w_scale / y_scale)) + y_zero), the factor in f32. */
enum tsr_status tsr__compute_qlinear_conv(struct tsr__compute *c)
{
  struct tir_buffer *bias = tsr__in(c, 8);
  struct conv v;
  tir_e sum, oc;
  if (check_bytes(c, c->in[0], c->in[3]) || conv_read(c, c->in[0], c->in[3], &v))
    return TSR_REFUSED;
  v.x_zero = tsr__in(c, 2);
  v.w_zero = tsr__in(c, 5);
  struct tir_buffer *acc = accumulator(c, TSR_I32);
  conv_sum(c, &v, padded_with_zero(c, &v), acc);
  struct tir_stage *s = conv_epilogue(c, &v, acc, &sum, &oc);
  if (bias)
    sum = e_add(c, sum, tsr__per_channel(c, bias, oc));
  tir_e scale = e_mul(c, tsr__scalar(c, c->in[1]), tsr__per_channel(c, c->in[4], oc));
  scale = e_div(c, scale, tsr__scalar(c, c->in[6]));
  tir_e zero = c->in[7] ? tsr__scalar(c, c->in[7]) : NULL;
  s->value = tsr__rounded(c, e_mul(c, e_cast(c, TSR_F32, sum), scale), zero, c->out[0]->dtype);
  return TSR_OK;
}

enum tsr_status tsr__compute_qconv(struct tsr__compute *c)
{
  struct conv v;
  tir_e sum, oc;
  if (conv_read(c, c->in[0], c->in[1], &v))
    return TSR_REFUSED;
  tir_e around = e_number(c, TSR_I8, (double)tsr_node_int(c->n, "x_zero", 0));
  struct tir_buffer *xpad = tsr__window_pad(c, &v.window, v.x, around);
  struct tir_buffer *acc = accumulator(c, TSR_I32);
  conv_sum(c, &v, xpad, acc);
  struct tir_stage *s = conv_epilogue(c, &v, acc, &sum, &oc);
  s->value = tsr__requantized(c, sum, oc);
  return TSR_OK;
}

/* --- transposed ------------------------------------------------------------------------------- */

/* Padding at the beginning: what is cut off a full result. As ONNX has it, an output_shape puts the
 * odd element at the beginning unless auto_pad is SAME_UPPER. */
static void transposed_padding(struct tsr__compute *c, struct tsr__windows *w)
{
  int64_t extra[TSR__WINDOW_DIMS];
  bool upper = tsr__attr_is(c, "auto_pad", "SAME_UPPER"),
       lower = tsr__attr_is(c, "auto_pad", "SAME_LOWER");
  tsr_node_ints(c->n, "output_padding", w->dims, 0, extra);
  if (!upper && !lower && !tsr_node_attr(c->n, "output_shape"))
    return;
  for (int d = 0; d < w->dims; d++) {
    int64_t total = (w->in[d] - 1) * w->stride[d] + extra[d] + (w->kernel[d] - 1) * w->dilation[d] +
                    1 - w->out[d];
    w->before[d] = upper ? total / 2 : total - total / 2;
  }
}

/* The product where output o comes from x element `from` = (o + before - k * dilation) / stride,
 * which has to be whole and inside. */
static void transposed_sum(struct tsr__compute *c, const struct tsr__windows *win, int64_t group,
                           struct tir_buffer *acc)
{
  struct tir_buffer *x = c->in[0], *w = c->in[1];
  int dims = win->dims, ic_axis = 2 + dims;
  int64_t extents[TSR_MAX_RANK] = {x->dims[1] / group};
  for (int d = 0; d < dims; d++)
    extents[1 + d] = win->kernel[d];
  struct tir_stage *s = tir_func_stage(c->a, c->f, "conv", acc,
                                       tsr__window_axes(c, win, "n oc", "ic"), 1 + dims, extents);
  tir_e oc = tir_axis_use(c->a, s, 1), ic = tir_axis_use(c->a, s, ic_axis), inside = NULL;
  tir_e channel = e_add(c, e_times(c, e_floordiv(c, oc, w->dims[1]), extents[0]), ic);
  tir_e at_x[TSR_MAX_RANK] = {tir_axis_use(c->a, s, 0), group == 1 ? ic : channel};
  tir_e at_w[TSR_MAX_RANK] = {at_x[1], group == 1 ? oc : e_floormod(c, oc, w->dims[1])};
  for (int d = 0; d < dims; d++) {
    tir_e k = tir_axis_use(c->a, s, ic_axis + 1 + d);
    tir_e o = e_plus(c, tir_axis_use(c->a, s, 2 + d), win->before[d]);
    tir_e scaled = e_sub(c, o, e_times(c, k, win->dilation[d]));
    at_w[2 + d] = k;
    at_x[2 + d] = e_floordiv(c, scaled, win->stride[d]);
    tir_e from = e_within(c, at_x[2 + d], 0, win->in[d]);
    if (win->stride[d] > 1)
      from = e_and(c, from,
                   tir_binary(c->a, TIR_EQ, e_floormod(c, scaled, win->stride[d]), e_index(c, 0)));
    inside = inside ? e_and(c, inside, from) : from;
  }
  tir_e product = e_mul(c, e_load(c, x, at_x), e_load(c, w, at_w));
  s->value = e_select(c, inside, product, e_number(c, acc->dtype, 0));
  tsr__combines(c, s, TIR_SUM);
}

enum tsr_status tsr__compute_conv_transpose(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *w = c->in[1], *bias = tsr__in(c, 2), *y = c->out[0];
  int64_t group = tsr_node_int(c->n, "group", 1);
  struct conv v = {.x = x, .w = w};
  if (!tsr__is_float(x) || w->dtype != x->dtype || (bias && bias->dtype != x->dtype))
    return tsr__refuse(c, "takes floats of one dtype");
  if (w->rank != x->rank || x->rank < 3 || group < 1 || w->dims[0] != x->dims[1] ||
      x->dims[1] % group || w->dims[1] * group != y->dims[1])
    return tsr__refuse(c, "x, w and y do not fit each other in group %lld", (long long)group);
  if (tsr__window_read(c, w->dims + 2, &v.window))
    return TSR_REFUSED;
  transposed_padding(c, &v.window);
  struct tir_buffer *acc = bias ? accumulator(c, x->dtype) : y;
  transposed_sum(c, &v.window, group, acc);
  if (bias) {
    tir_e sum, oc;
    struct tir_stage *s = conv_epilogue(c, &v, acc, &sum, &oc);
    s->value = e_add(c, sum, tsr__per_channel(c, bias, oc));
  }
  return TSR_OK;
}
