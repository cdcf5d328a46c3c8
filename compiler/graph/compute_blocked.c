/* SPDX-License-Identifier: Apache-2.0 */
/* Computes of the blocked ops.
 *
 * A blocked activation is i8[NB, CB, H, W, B, I]: batch and channels cut into blocks of the accelerator's
 * tile, the block innermost, so that [B, I] is one scratchpad entry. Stages are named by what the planner
 * schedules: `xs` (the input as it lies in INP, padding included), `acc` (int32), `y` (the result). */
#include "compiler/graph/compute.h"

enum { NB, CB, PH, PW, PB, PI, BLOCKED_RANK }; /* dims of a blocked activation */

static struct tir_stage *blocked_stage(struct tsr__compute *c, const char *name,
                                       struct tir_buffer *out, tir_e at[BLOCKED_RANK])
{
  struct tir_stage *s = tir_func_stage(c->a, c->f, name, out, "nb cb h w b i", 0, NULL);
  for (int k = 0; k < BLOCKED_RANK; k++)
    at[k] = tir_axis_use(c->a, s, k);
  return s;
}

static tir_e both(struct tsr__compute *c, tir_e x, tir_e y)
{
  return x && y ? e_and(c, x, y) : x ? x : y;
}

/* condition and 0 <= x < limit, leaving out what holds for every x in [lo, hi]. NULL: always. */
static tir_e bounded(struct tsr__compute *c, tir_e condition, tir_e x, int64_t lo, int64_t hi,
                     int64_t limit)
{
  if (lo < 0)
    condition = both(c, condition, tir_binary(c->a, TIR_LE, e_index(c, 0), x));
  if (hi >= limit)
    condition = both(c, condition, e_less(c, x, e_index(c, limit)));
  return condition;
}

static struct tir_buffer *acc_like(struct tsr__compute *c, const char *name,
                                   const struct tir_buffer *y)
{
  return tir_func_temp(c->a, c->f, name, TSR_I32, BLOCKED_RANK, y->dims);
}

/* --- windows --------------------------------------------------------------------------------------- */

struct window {
  int64_t kernel[2], stride[2], pad[4], dilation[2], out[2];
};

static struct window window_of(const struct tsr__compute *c, int64_t kh, int64_t kw)
{
  struct window w = {.kernel = {kh, kw}, .out = {c->out[0]->dims[PH], c->out[0]->dims[PW]}};
  tsr_node_ints(c->n, "strides", 2, 1, w.stride);
  tsr_node_ints(c->n, "pads", 4, 0, w.pad);
  tsr_node_ints(c->n, "dilations", 2, 1, w.dilation);
  return w;
}

static struct window pool_window(const struct tsr__compute *c)
{
  int64_t kernel[2];
  tsr_node_ints(c->n, "kernel", 2, 1, kernel);
  return window_of(c, kernel[0], kernel[1]);
}

/* A kernel of 1 touches every stride-th place only: then xs keeps just these. */
static bool gathers(const struct window *w, int k)
{
  return w->kernel[k] == 1 && w->stride[k] > 1;
}

/* The stage `xs`: x with its padding, as large as the windows reach. */
static struct tir_buffer *padded(struct tsr__compute *c, struct tir_buffer *x,
                                 const struct window *w, int64_t pad_value)
{
  int64_t dims[BLOCKED_RANK] = {x->dims[NB], x->dims[CB], 0, 0, x->dims[PB], x->dims[PI]};
  tir_e at[BLOCKED_RANK], inside = NULL;
  for (int k = 0; k < 2; k++)
    dims[PH + k] = gathers(w, k)
                       ? w->out[k]
                       : (w->out[k] - 1) * w->stride[k] + (w->kernel[k] - 1) * w->dilation[k] + 1;
  struct tir_buffer *xs = tir_func_temp(c->a, c->f, "xs", x->dtype, BLOCKED_RANK, dims);
  struct tir_stage *s = blocked_stage(c, "xs", xs, at);
  for (int k = 0; k < 2; k++) {
    int64_t step = gathers(w, k) ? w->stride[k] : 1;
    at[PH + k] = e_plus(c, e_times(c, at[PH + k], step), -w->pad[k]);
    inside = bounded(c, inside, at[PH + k], -w->pad[k], (dims[PH + k] - 1) * step - w->pad[k],
                     x->dims[PH + k]);
  }
  s->value = e_load(c, x, at);
  if (inside)
    s->value = e_select(c, inside, s->value, tir_int(c->a, x->dtype, pad_value));
  return xs;
}

/* xs where the window of output place hw has tap `tap`; at[] has the other indices. */
static tir_e window_load(struct tsr__compute *c, const struct window *w, struct tir_buffer *xs,
                         const tir_e hw[2], const tir_e tap[2], tir_e at[BLOCKED_RANK])
{
  for (int k = 0; k < 2; k++)
    at[PH + k] = e_add(c, e_times(c, hw[k], gathers(w, k) ? 1 : w->stride[k]),
                       e_times(c, tap[k], w->dilation[k]));
  return e_cast(c, TSR_I32, e_load(c, xs, at));
}

/* --- ends ------------------------------------------------------------------------------------------ */

/* The stage `y`: quant(acc, p[row]) as i8; row is the channel block, or 0 where p has one row. */
static void requantized(struct tsr__compute *c, struct tir_buffer *acc, struct tir_buffer *p)
{
  tir_e at[BLOCKED_RANK], part[3];
  struct tir_stage *s = blocked_stage(c, "y", c->out[0], at);
  for (int k = 0; k < 3; k++) {
    tir_e index[4] = {p->dims[0] > 1 ? at[CB] : e_index(c, 0), e_index(c, k), at[PB], at[PI]};
    part[k] = e_load(c, p, index);
  }
  s->value = e_cast(c, TSR_I8, tir_quant(c->a, e_load(c, acc, at), part[0], part[1], part[2]));
}

/* The stage `name`: a copy of blocked x where it lies in INP. */
static struct tir_buffer *copied(struct tsr__compute *c, const char *name, struct tir_buffer *x)
{
  tir_e at[BLOCKED_RANK];
  struct tir_buffer *copy = tir_func_temp(c->a, c->f, name, x->dtype, BLOCKED_RANK, x->dims);
  struct tir_stage *s = blocked_stage(c, name, copy, at);
  s->value = e_load(c, x, at);
  return copy;
}

/* --- convolution ----------------------------------------------------------------------------------- */

enum tsr_status tsr__compute_acc_conv(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *w = c->in[1], *acc = acc_like(c, "acc", c->out[0]);
  struct window win = window_of(c, w->dims[2], w->dims[3]);
  struct tir_buffer *xs = padded(c, x, &win, tsr_node_int(c->n, "x_zero", 0));
  int64_t reduce[4] = {w->dims[0], w->dims[2], w->dims[3], w->dims[5]};
  struct tir_stage *s =
      tir_func_stage(c->a, c->f, "acc", acc, "nb ob h w b o cb kh kw i", 4, reduce);
  tir_e v[10];
  for (int k = 0; k < 10; k++)
    v[k] = tir_axis_use(c->a, s, k);
  tir_e hw[2] = {v[2], v[3]}, tap[2] = {v[7], v[8]},
        xi[BLOCKED_RANK] = {v[0], v[6], 0, 0, v[4], v[9]};
  tir_e wi[6] = {v[6], v[1], v[7], v[8], v[5], v[9]};
  tsr__combines(c, s, TIR_SUM);
  s->value = e_mul(c, window_load(c, &win, xs, hw, tap, xi), e_cast(c, TSR_I32, e_load(c, w, wi)));
  requantized(c, acc, c->in[2]);
  return TSR_OK;
}

/* The stage `acc` of depthwise convolution and pooling: a window of its own channel, reduced. ws: a weight
 * per channel and tap, or NULL. */
static struct tir_buffer *channelwise(struct tsr__compute *c, const struct window *win,
                                      struct tir_buffer *xs, struct tir_buffer *ws,
                                      enum tir_combine combine)
{
  struct tir_buffer *acc = acc_like(c, "acc", c->out[0]);
  struct tir_stage *s =
      tir_func_stage(c->a, c->f, "acc", acc, "nb cb h w b i kh kw", 2, win->kernel);
  tir_e v[8];
  for (int k = 0; k < 8; k++)
    v[k] = tir_axis_use(c->a, s, k);
  tir_e hw[2] = {v[2], v[3]}, tap[2] = {v[6], v[7]},
        xi[BLOCKED_RANK] = {v[0], v[1], 0, 0, v[4], v[5]};
  tir_e wi[5] = {v[1], v[6], v[7], v[4], v[5]};
  tsr__combines(c, s, combine);
  s->value = window_load(c, win, xs, hw, tap, xi);
  if (ws)
    s->value = e_mul(c, s->value, e_load(c, ws, wi));
  return acc;
}

enum tsr_status tsr__compute_acc_depthwise(struct tsr__compute *c)
{
  struct tir_buffer *w = c->in[1];
  struct window win = window_of(c, w->dims[1], w->dims[2]);
  struct tir_buffer *xs = padded(c, c->in[0], &win, tsr_node_int(c->n, "x_zero", 0));
  struct tir_buffer *ws = tir_func_temp(c->a, c->f, "ws", TSR_I32, w->rank, w->dims);
  struct tir_stage *s = tir_func_stage(c->a, c->f, "ws", ws, "cb kh kw b i", 0, NULL);
  tir_e at[5];
  for (int k = 0; k < 5; k++)
    at[k] = tir_axis_use(c->a, s, k);
  s->value = e_cast(c, TSR_I32, e_load(c, w, at)); /* as LOAD widens it into ACC */
  requantized(c, channelwise(c, &win, xs, ws, TIR_SUM), c->in[2]);
  return TSR_OK;
}

enum tsr_status tsr__compute_acc_avg_pool(struct tsr__compute *c)
{
  struct window win = pool_window(c);
  struct tir_buffer *xs = padded(c, c->in[0], &win, tsr_node_int(c->n, "x_zero", 0));
  requantized(c, channelwise(c, &win, xs, NULL, TIR_SUM), c->in[1]);
  return TSR_OK;
}

enum tsr_status tsr__compute_acc_max_pool(struct tsr__compute *c)
{
  struct window win = pool_window(c);
  struct tir_buffer *xs = padded(c, c->in[0], &win, INT8_MIN);
  struct tir_buffer *acc = channelwise(c, &win, xs, NULL, TIR_MAXIMUM);
  tir_e at[BLOCKED_RANK];
  struct tir_stage *s = blocked_stage(c, "y", c->out[0], at);
  s->value = tir_unary(c->a, TIR_SAT8, e_load(c, acc, at));
  return TSR_OK;
}

/* --- elementwise ----------------------------------------------------------------------------------- */

/* op of x[at] and the constant vector k[row]. */
static tir_e scaled(struct tsr__compute *c, enum tir_op op, struct tir_buffer *x,
                    tir_e at[BLOCKED_RANK], int64_t row)
{
  tir_e index[3] = {e_index(c, row), at[PB], at[PI]};
  return tir_binary(c->a, op, e_cast(c, TSR_I32, e_load(c, x, at)), e_load(c, c->in[2], index));
}

/* The stage `name`: op of x and the constant vector k[row]. */
static struct tir_buffer *with_vector(struct tsr__compute *c, const char *name, enum tir_op op,
                                      struct tir_buffer *x, int64_t row)
{
  tir_e at[BLOCKED_RANK];
  struct tir_buffer *result = acc_like(c, name, x);
  struct tir_stage *s = blocked_stage(c, name, result, at);
  s->value = scaled(c, op, x, at, row);
  return result;
}

/* AccAdd: (x*mx) + (y*my). AccMul: (x - x_zero) * (y - y_zero). Then requantized. */
enum tsr_status tsr__compute_acc_binary(struct tsr__compute *c)
{
  bool sum = c->n->op == TSR_G_AccAdd;
  struct tir_buffer *xs = copied(c, "xs", c->in[0]), *zs = copied(c, "zs", c->in[1]);
  struct tir_buffer *xa = with_vector(c, "xa", sum ? TIR_MUL : TIR_SUB, xs, 0);
  struct tir_buffer *za = sum ? NULL : with_vector(c, "za", TIR_SUB, zs, 1);
  struct tir_buffer *acc = acc_like(c, "acc", xa);
  tir_e at[BLOCKED_RANK];
  struct tir_stage *s = blocked_stage(c, "acc", acc, at);
  tir_e z = sum ? scaled(c, TIR_MUL, zs, at, 1) : e_load(c, za, at);
  s->value = tir_binary(c->a, sum ? TIR_ADD : TIR_MUL, e_load(c, xa, at), z);
  requantized(c, acc, c->in[3]);
  return TSR_OK;
}

enum tsr_status tsr__compute_acc_lut(struct tsr__compute *c)
{
  tir_e at[BLOCKED_RANK];
  struct tir_buffer *xs = copied(c, "xs", c->in[0]);
  struct tir_stage *s = blocked_stage(c, "y", c->out[0], at);
  tir_e index = e_plus(c, e_cast(c, TSR_I64, e_load(c, xs, at)), 128);
  s->value = e_load(c, c->in[1], &index);
  return TSR_OK;
}

/* --- layouts --------------------------------------------------------------------------------------- */

/* Lane L of a packed window is channel L mod C of tap L div C. */
enum tsr_status tsr__compute_pack(struct tsr__compute *c)
{
  const struct tir_buffer *x = c->in[0], *y = c->out[0];
  struct window w = pool_window(c);
  int64_t channels = x->dims[1], taps = w.kernel[0] * w.kernel[1];
  tir_e at[BLOCKED_RANK], from[4];
  struct tir_stage *s = blocked_stage(c, "y", c->out[0], at);
  tir_e lane = e_add(c, e_times(c, at[CB], y->dims[PI]), at[PI]);
  tir_e tap = e_floordiv(c, lane, channels);
  tir_e taps_at[2] = {e_floordiv(c, tap, w.kernel[1]), e_floormod(c, tap, w.kernel[1])};
  from[0] = e_add(c, e_times(c, at[NB], y->dims[PB]), at[PB]);
  from[1] = taps == 1 ? lane : e_floormod(c, lane, channels);
  tir_e inside = bounded(c, NULL, from[0], 0, y->dims[NB] * y->dims[PB] - 1, x->dims[0]);
  inside = bounded(c, inside, lane, 0, y->dims[CB] * y->dims[PI] - 1, channels * taps);
  for (int k = 0; k < 2; k++) {
    int64_t extent = x->rank > 2 + k ? x->dims[2 + k] : 1;
    int64_t last = (y->dims[PH + k] - 1) * w.stride[k] + (w.kernel[k] - 1) * w.dilation[k] -
                   w.pad[k];
    from[2 + k] =
        e_add(c, e_times(c, at[PH + k], w.stride[k]), e_times(c, taps_at[k], w.dilation[k]));
    from[2 + k] = e_plus(c, from[2 + k], -w.pad[k]);
    inside = bounded(c, inside, from[2 + k], -w.pad[k], last, extent);
  }
  s->value = e_load(c, x, from);
  if (inside)
    s->value = e_select(c, inside, s->value, tir_int(c->a, TSR_I8, tsr_node_int(c->n, "value", 0)));
  return TSR_OK;
}

enum tsr_status tsr__compute_unpack(struct tsr__compute *c)
{
  const struct tir_buffer *x = c->in[0];
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "y", c->out[0], i);
  int rank = c->out[0]->rank;
  tir_e at[BLOCKED_RANK] = {e_floordiv(c, i[0], x->dims[PB]), e_floordiv(c, i[1], x->dims[PI]),
                            rank > 2 ? i[2] : e_index(c, 0),  rank > 3 ? i[3] : e_index(c, 0),
                            e_floormod(c, i[0], x->dims[PB]), e_floormod(c, i[1], x->dims[PI])};
  s->value = e_load(c, x, at);
  return TSR_OK;
}

enum tsr_status tsr__compute_acc_slice(struct tsr__compute *c)
{
  int64_t starts[3];
  tir_e at[BLOCKED_RANK];
  struct tir_stage *s = blocked_stage(c, "y", c->out[0], at);
  tsr_node_ints(c->n, "starts", 3, 0, starts);
  for (int k = 0; k < 3; k++)
    at[CB + k] = e_plus(c, at[CB + k], starts[k]);
  s->value = e_load(c, c->in[0], at);
  return TSR_OK;
}
