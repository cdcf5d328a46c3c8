/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of channels that lie side by side: which pixels a tap reads, and where its weights lie. */
#include "compiler/target/cuda/plan_gemm_private.h"

enum {
  MOST_PLACES = 1 << 20, /* of windows, that are looked at one by one */
  LEAST_CHANNELS = 64,   /* bytes: a tile of k has 128 of one tap */
};

/* A dim of pixels: step * (the result's) + apart * (the tap's) - before. */
struct pixels {
  int out, tap; /* axes of the sum; -1: none, it is 0 */
  int64_t step, apart, before;
};

static int axis_of(const struct finder *f, const struct tir_var *var)
{
  for (int k = 0; k < f->p->sum->axes; k++)
    if (f->p->sum->axis[k].var == var)
      return k;
  return -1;
}

static bool find_pixels(const struct finder *f, tir_e index, struct pixels *out)
{
  struct tir__linear l;
  *out = (struct pixels){.out = -1, .tap = -1, .step = 1, .apart = 1};
  if (!tir__linear(index, &l))
    return false;
  out->before = -l.constant;
  for (int i = 0; i < l.n; i++) {
    int k = l.atom[i]->op == TIR_VAR ? axis_of(f, l.atom[i]->var) : -1;
    if (k < 0 || l.coefficient[i] < 1)
      return false;
    if (f->p->sum->axis[k].extent == 1)
      continue;
    bool tap = k >= f->p->sum->out->rank;
    if (*(tap ? &out->tap : &out->out) >= 0)
      return false;
    *(tap ? &out->tap : &out->out) = k;
    *(tap ? &out->apart : &out->step) = l.coefficient[i];
  }
  return true;
}

static int extent_of(const struct finder *f, int axis)
{
  return axis < 0 ? 1 : (int)f->p->sum->axis[axis].extent;
}

/* The pixels that a convolution reads: load of (images, ..., rows, columns, channels), zero where a condition does
 * not hold. */
struct image {
  tir_e load, condition; /* condition NULL: it always holds */
  struct pixels images, y, x, channel;
};

static bool find_image(const struct finder *f, struct image *out)
{
  tir_e side = f->p->side[CUDA__ROWS];
  out->load = side;
  out->condition = NULL;
  if (side->op == TIR_SELECT && plan__is_zero(side->arg[2])) {
    out->condition = side->arg[0];
    out->load = side->arg[1];
  }
  const struct tir_expr *x = out->load;
  int rank = x->op == TIR_LOAD ? x->args : 0;
  if (rank < 4 || plan__param_of(f->p->func, x->buffer) < 0)
    return false;
  for (int d = 1; d < rank - 3; d++)
    if (x->buffer->dims[d] != 1)
      return false;
  return find_pixels(f, x->arg[0], &out->images) && find_pixels(f, x->arg[rank - 3], &out->y) &&
         find_pixels(f, x->arg[rank - 2], &out->x) &&
         find_pixels(f, x->arg[rank - 1], &out->channel);
}

/* Images, rows and columns of pixels, in this order, are all that rows count; taps and channels all that is summed. */
static bool has_all_axes(const struct finder *f, const struct image *m)
{
  int64_t rows = (int64_t)extent_of(f, m->images.out) * extent_of(f, m->y.out) *
                 extent_of(f, m->x.out);
  int64_t sum = (int64_t)extent_of(f, m->y.tap) * extent_of(f, m->x.tap) *
                extent_of(f, m->channel.tap);
  bool in_order = (m->images.out < 0 || m->y.out < 0 || m->images.out < m->y.out) &&
                  (m->y.out < 0 || m->x.out < 0 || m->y.out < m->x.out);
  return in_order && m->images.tap < 0 && m->channel.out < 0 && m->images.step == 1 &&
         m->images.before == 0 && m->channel.apart == 1 && m->channel.before == 0 &&
         rows == plan__extent_along(f, CUDA__ALONG_ROWS) &&
         sum == plan__extent_along(f, CUDA__ALONG_SUM) &&
         plan__extent_along(f, CUDA__ALONG_BATCH) == 1;
}

static bool is_within(const struct pixels *p, const int64_t *value, int64_t extent)
{
  int64_t at = (p->out < 0 ? 0 : value[p->out] * p->step) +
               (p->tap < 0 ? 0 : value[p->tap] * p->apart) - p->before;
  return at >= 0 && at < extent;
}

/* The condition holds where the pixel is one, and nowhere else: all places are tried. */
static bool is_border(const struct finder *f, const struct image *m)
{
  const struct tir_stage *s = f->p->sum;
  const struct tir_var *var[2 * TSR_MAX_RANK];
  int64_t value[2 * TSR_MAX_RANK] = {0}, places = 1,
                    high = m->load->buffer->dims[m->load->args - 3];
  int axis[] = {m->y.out, m->y.tap, m->x.out, m->x.tap};
  for (int k = 0; k < s->axes; k++)
    var[k] = s->axis[k].var;
  for (int i = 0; i < 4; i++)
    places *= extent_of(f, axis[i]);
  if (places > MOST_PLACES)
    return false;
  for (int64_t n = 0; n < places; n++) {
    int64_t rest = n, holds;
    for (int i = 0; i < 4; i++) {
      if (axis[i] >= 0)
        value[axis[i]] = rest % extent_of(f, axis[i]);
      rest /= extent_of(f, axis[i]);
    }
    bool inside = is_within(&m->y, value, high) &&
                  is_within(&m->x, value, m->load->buffer->dims[m->load->args - 2]);
    if (!tir_evaluate(m->condition, s->axes, var, value, &holds) || (holds != 0) != inside)
      return false;
  }
  return true;
}

/* b's parts for the taps, one behind the other, and in each what has all channels. */
static bool find_weights(struct finder *f, const struct image *m)
{
  const struct tir_stage *s = f->p->sum;
  struct cuda__gemm *g = &f->out->gemm;
  struct side *b = &f->side[CUDA__COLUMNS];
  tir_e x = f->p->side[CUDA__COLUMNS];
  b->param = x->op == TIR_LOAD ? plan__param_of(f->p->func, x->buffer) : -1;
  if (b->param < 0 || !plan__begins_at_zero(x) ||
      !plan__find_step(f, x, CUDA__ALONG_COLUMNS, &b->across) || m->channel.tap < 0)
    return false;
  b->along = cuda__step_of(x, s->axis[m->channel.tap].var);
  int64_t part = b->along == 1 ? g->n * b->across : g->k * b->along, across = part;
  if (m->x.tap >= 0 && cuda__step_of(x, s->axis[m->x.tap].var) != across)
    return false;
  across *= extent_of(f, m->x.tap);
  return m->y.tap < 0 || cuda__step_of(x, s->axis[m->y.tap].var) == across;
}

static void set_window(struct finder *f, const struct image *m)
{
  struct cuda__gemm *g = &f->out->gemm;
  g->window = (struct cuda__gemm_window){.taps_h = extent_of(f, m->y.tap),
                                         .taps_w = extent_of(f, m->x.tap),
                                         .step_h = (int)m->y.step,
                                         .step_w = (int)m->x.step,
                                         .apart_h = (int)m->y.apart,
                                         .apart_w = (int)m->x.apart,
                                         .before_h = (int)m->y.before,
                                         .before_w = (int)m->x.before,
                                         .images = extent_of(f, m->images.out),
                                         .high = extent_of(f, m->y.out),
                                         .wide = extent_of(f, m->x.out)};
  f->taps = (int64_t)g->window.taps_h * g->window.taps_w;
}

static bool map_pixels(struct finder *f, const struct image *m)
{
  const struct cuda__gemm *g = &f->out->gemm;
  const struct cuda__gemm_window *w = &g->window;
  const struct tir_buffer *x = m->load->buffer;
  const int64_t *last = &x->dims[x->rank - 3];
  int64_t row = last[2] * last[1], dims[] = {last[2], last[1], last[0], x->dims[0]};
  int64_t strides[] = {last[2], row, row * last[0]};
  int64_t box[] = {cuda__gemm_launch(g).box_k, w->box_wide, w->box_high, w->box_images};
  int steps[] = {1, w->step_w, w->step_h, 1};
  return plan__make_map(f, CUDA__ROWS, 4, dims, strides, box, steps, &f->out->a);
}

bool plan__find_convolution(struct finder *f)
{
  struct image m;
  if (!find_image(f, &m) || !has_all_axes(f, &m) || (m.condition && !is_border(f, &m)))
    return false;
  f->out->gemm.k = extent_of(f, m.channel.tap);
  if (f->out->gemm.k * (int64_t)tsr_dtype_bytes(f->p->dtype) < LEAST_CHANNELS)
    return false;
  f->side[CUDA__ROWS].param = plan__param_of(f->p->func, m.load->buffer);
  set_window(f, &m);
  return find_weights(f, &m) && plan__choose(f) && map_pixels(f, &m) && plan__map_b(f);
}
