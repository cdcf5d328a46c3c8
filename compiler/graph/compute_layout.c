/* SPDX-License-Identifier: Apache-2.0 */
/* Computes of ops with channels in blocks: sums in the order in which the weights lie in memory, the
 * lanes of a block innermost, then what makes a result of each sum. Of bytes, and of bf16 in pairs, a group of
 * products at a time is added up in a lane: the last dim of the weights. */
#include "compiler/graph/compute.h"

static bool is_bytes(const struct tsr__compute *c)
{
  return c->in[0]->dtype == TSR_I8;
}

static struct tsr__windows window_of(struct tsr__compute *c, const int64_t kernel[2])
{
  struct tsr__windows w = {.dims = 2};
  int64_t pads[4];
  tsr_node_ints(c->n, "strides", 2, 1, w.stride);
  tsr_node_ints(c->n, "dilations", 2, 1, w.dilation);
  tsr_node_ints(c->n, "pads", 4, 0, pads);
  for (int d = 0; d < 2; d++) {
    w.kernel[d] = kernel[d];
    w.in[d] = c->in[0]->dims[2 + d];
    w.out[d] = c->out[0]->dims[2 + d];
    w.before[d] = pads[d];
    w.after[d] = pads[2 + d];
  }
  return w;
}

static struct tir_buffer *padded(struct tsr__compute *c, const struct tsr__windows *w)
{
  double around = is_bytes(c) ? (double)tsr_node_int(c->n, "x_zero", 0) : 0;
  return tsr__window_pad(c, w, c->in[0], e_number(c, c->in[0]->dtype, around));
}

/* An element of x as it is multiplied: a byte with what is added to all. */
static tir_e factor(struct tsr__compute *c, tir_e x)
{
  int64_t offset = tsr_node_int(c->n, "offset", 0);
  x = is_bytes(c) ? e_cast(c, TSR_I32, x) : x;
  return offset ? e_add(c, x, tir_int(c->a, TSR_I32, offset)) : x;
}

static tir_e weight(struct tsr__compute *c, const tir_e *at)
{
  tir_e w = e_load(c, c->in[1], at);
  return is_bytes(c) ? e_cast(c, TSR_I32, w) : w;
}

/* Where sums go: to y when there is nothing behind them. */
static struct tir_buffer *sums(struct tsr__compute *c)
{
  struct tir_buffer *y = c->out[0];
  if (!tsr__in(c, 2))
    return y;
  return tir_func_temp(c->a, c->f, "acc", is_bytes(c) ? TSR_I32 : y->dtype, y->rank, y->dims);
}

/* y from the sums: floats and their bias, or integers requantized, by block (dim 1) and lane (the
 * last). */
static enum tsr_status finish(struct tsr__compute *c, const char *axes, struct tir_buffer *acc)
{
  struct tir_buffer *y = c->out[0], *b = tsr__in(c, 2);
  tir_e i[TSR_MAX_RANK], part[3];
  if (acc == y)
    return TSR_OK;
  struct tir_stage *s = tir_func_stage(c->a, c->f, "y", y, axes, 0, NULL);
  for (int d = 0; d < y->rank; d++)
    i[d] = tir_axis_use(c->a, s, d);
  tir_e sum = e_load(c, acc, i), lane = i[y->rank - 1];
  if (!is_bytes(c)) {
    tir_e at[2] = {i[1], lane};
    s->value = e_add(c, sum, e_load(c, b, at));
    return TSR_OK;
  }
  for (int k = 0; k < 3; k++) {
    tir_e at[3] = {i[1], e_index(c, k), lane};
    part[k] = e_load(c, b, at);
  }
  s->value = tsr__quant_i8(c, sum, part[0], part[1], part[2]);
  return TSR_OK;
}

static void add_up(struct tsr__compute *c, struct tir_stage *s, tir_e x, tir_e w)
{
  s->value = e_mul(c, x, w);
  tsr__combines(c, s, TIR_SUM);
}

/* --- convolution ------------------------------------------------------------------------------ */

/* The stage of a plain x: sum over c, kh, kw. */
static void conv_of_plain(struct tsr__compute *c, const struct tsr__windows *win,
                          struct tir_buffer *x, struct tir_buffer *acc)
{
  const int64_t *w = c->in[1]->dims;
  struct tir_stage *s = tir_func_stage(c->a, c->f, "conv", acc, "n ob oh ow o c kh kw", 3, w + 1);
  tir_e v[8];
  for (int k = 0; k < 8; k++)
    v[k] = tir_axis_use(c->a, s, k);
  tir_e at_x[4] = {v[0], v[5], tsr__window_at(c, win, 0, v[2], v[6]),
                   tsr__window_at(c, win, 1, v[3], v[7])};
  tir_e at_w[5] = {v[1], v[5], v[6], v[7], v[4]};
  add_up(c, s, e_load(c, x, at_x), weight(c, at_w));
}

/* The stage of a blocked x: sum over cb, kh, kw, i; of bytes i is ig and i. */
static void conv_of_blocks(struct tsr__compute *c, const struct tsr__windows *win,
                           struct tir_buffer *x, struct tir_buffer *acc)
{
  const int64_t *w = c->in[1]->dims;
  bool groups = c->in[1]->rank == 7;
  int64_t group = groups ? w[6] : 1, reduce[5] = {w[1], w[2], w[3], w[4], group};
  struct tir_stage *s = tir_func_stage(
      c->a, c->f, "conv", acc, groups ? "n ob oh ow o cb kh kw ig i" : "n ob oh ow o cb kh kw i",
      4 + groups, reduce);
  tir_e v[10];
  for (int k = 0; k < s->axes; k++)
    v[k] = tir_axis_use(c->a, s, k);
  tir_e lane = groups ? e_add(c, e_times(c, v[8], group), v[9]) : v[8];
  tir_e at_x[5] = {v[0], v[5], tsr__window_at(c, win, 0, v[2], v[6]),
                   tsr__window_at(c, win, 1, v[3], v[7]), lane};
  tir_e at_w[7] = {v[1], v[5], v[6], v[7], v[8], v[4], groups ? v[9] : NULL};
  add_up(c, s, factor(c, e_load(c, x, at_x)), weight(c, at_w));
}

enum tsr_status tsr__compute_blocked_conv(struct tsr__compute *c)
{
  struct tsr__windows win = window_of(c, c->in[1]->dims + 2);
  struct tir_buffer *x = padded(c, &win), *acc = sums(c);
  if (x->rank == 4)
    conv_of_plain(c, &win, x, acc);
  else
    conv_of_blocks(c, &win, x, acc);
  return finish(c, "n ob oh ow o", acc);
}

enum tsr_status tsr__compute_blocked_depthwise(struct tsr__compute *c)
{
  struct tsr__windows win = window_of(c, c->in[1]->dims + 1);
  struct tir_buffer *x = padded(c, &win), *acc = sums(c);
  struct tir_stage *s =
      tir_func_stage(c->a, c->f, "conv", acc, "n cb oh ow i kh kw", 2, win.kernel);
  tir_e v[7];
  for (int k = 0; k < 7; k++)
    v[k] = tir_axis_use(c->a, s, k);
  tir_e at_x[5] = {v[0], v[1], tsr__window_at(c, &win, 0, v[2], v[5]),
                   tsr__window_at(c, &win, 1, v[3], v[6]), v[4]};
  tir_e at_w[4] = {v[1], v[5], v[6], v[4]};
  add_up(c, s, factor(c, e_load(c, x, at_x)), weight(c, at_w));
  return finish(c, "n cb oh ow i", acc);
}

/* --- dense ------------------------------------------------------------------------------------ */

enum tsr_status tsr__compute_blocked_dense(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *acc = sums(c);
  bool groups = c->in[1]->rank == 4;
  int64_t group = groups ? c->in[1]->dims[3] : 1, reduce[2] = {c->in[1]->dims[1], group};
  struct tir_stage *s = tir_func_stage(c->a, c->f, "matmul", acc,
                                       groups ? "m nb n kg k" : "m nb n k", 1 + groups, reduce);
  tir_e v[5];
  for (int k = 0; k < s->axes; k++)
    v[k] = tir_axis_use(c->a, s, k);
  tir_e at_x[2] = {v[0], groups ? e_add(c, e_times(c, v[3], group), v[4]) : v[3]};
  tir_e at_w[4] = {v[1], v[3], v[2], groups ? v[4] : NULL};
  add_up(c, s, factor(c, e_load(c, x, at_x)), weight(c, at_w));
  return finish(c, "m nb n", acc);
}
