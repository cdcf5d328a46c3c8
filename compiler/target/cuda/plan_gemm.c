/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices that lie in memory as wgmma and the copy engine take them, as one kernel of gemm.c. */
#include <string.h>

#include "compiler/target/cuda/gemm.h"
#include "compiler/target/cuda/plan_gemm.h"
#include "compiler/target/cuda/product.h"

enum {
  LEAST_BYTES = 16, /* of a stride that the copy engine takes, which is a multiple of it */
  MOST_STEP = 8,    /* of elements that it takes out of a box */
  ROWS_APART = 32,
  PANEL = 64,
  MOST_PLACES = 1 << 20, /* of windows that are looked at one by one */
};

/* One side as a matrix in memory: elements from one place to the next. */
struct side {
  int param;
  int64_t along, across, batch; /* k; rows or columns; products */
};

struct finder {
  struct tsr_arena *a;
  const struct cuda__product *p;
  enum cuda__along
      along[2 * TSR_MAX_RANK]; /* of the sum's axes, seen as products one behind the other */
  struct side side[CUDA__SIDES];
  int64_t taps; /* of a convolution; 1: none */
  struct cuda__gemm_layer *out;
};

static bool is_zero(tir_e x)
{
  return tir__is_int(x, 0) || (x->op == TIR_FLOAT && x->f == 0);
}

/* --- the result --------------------------------------------------------------------------------- */

/* Columns in front of the rows, the images of a batch, are products of their own, that share the rows. */
static void find_along(struct finder *f)
{
  const struct tir_stage *s = f->p->sum;
  bool before = true;
  for (int k = 0; k < s->axes; k++) {
    f->along[k] = f->p->along[k];
    if (f->along[k] == CUDA__ALONG_ROWS && s->axis[k].extent > 1)
      before = false;
    if (f->along[k] == CUDA__ALONG_COLUMNS && before)
      f->along[k] = CUDA__ALONG_BATCH;
  }
  if (before) /* there is one row only */
    memcpy(f->along, f->p->along, sizeof f->along);
}

static int64_t extent_along(const struct finder *f, enum cuda__along along)
{
  const struct tir_stage *s = f->p->sum;
  int64_t n = 1;
  for (int k = 0; k < s->axes; k++)
    n *= f->along[k] == along ? s->axis[k].extent : 1;
  return n;
}

/* Batch, rows, columns, in this order; how many axes the columns are. */
static bool find_order(struct finder *f, int *columns)
{
  static const int place[] = {
      [CUDA__ALONG_BATCH] = 0, [CUDA__ALONG_ROWS] = 1, [CUDA__ALONG_COLUMNS] = 2};
  const struct tir_stage *s = f->p->sum;
  int now = 0;
  *columns = 0;
  for (int k = 0; k < s->out->rank; k++) {
    if (s->axis[k].extent > 1 && place[f->along[k]] < now)
      return false;
    if (s->axis[k].extent > 1)
      now = place[f->along[k]];
    *columns += now == 2;
  }
  return now == 2;
}

/* --- sides ---------------------------------------------------------------------------------------- */

static int param_of(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int i = 0; i < f->inputs; i++)
    if (f->param[i] == b)
      return i;
  return -1;
}

/* All axes along `along` as one run of steps of *step elements, 0: they do not matter; false: they are not one. */
static bool find_step(const struct finder *f, tir_e side, enum cuda__along along, int64_t *step)
{
  const struct tir_stage *s = f->p->sum;
  int64_t next = -1;
  *step = 0;
  for (int k = s->axes - 1; k >= 0; k--) {
    if (f->along[k] != along || s->axis[k].extent == 1)
      continue;
    int64_t one = cuda__step_of(side, s->axis[k].var);
    if (one < 0 || (next >= 0 && one != next))
      return false;
    *step = next < 0 ? one : *step;
    next = one * s->axis[k].extent;
  }
  return true;
}

/* Where the side is read when all axes are 0 is its buffer's begin. */
static bool begins_at_zero(tir_e side)
{
  for (int d = 0; d < side->args; d++) {
    struct tir__linear l;
    if (!tir__linear(side->arg[d], &l) || l.constant)
      return false;
    for (int i = 0; i < l.n; i++)
      if (l.atom[i]->op != TIR_VAR)
        return false;
  }
  return true;
}

static bool find_side(struct finder *f, int which)
{
  struct side *s = &f->side[which];
  tir_e x = f->p->side[which];
  enum cuda__along across = which == CUDA__ROWS ? CUDA__ALONG_ROWS : CUDA__ALONG_COLUMNS;
  s->param = x->op == TIR_LOAD ? param_of(f->p->func, x->buffer) : -1;
  return s->param >= 0 && begins_at_zero(x) && find_step(f, x, CUDA__ALONG_SUM, &s->along) &&
         find_step(f, x, across, &s->across) && find_step(f, x, CUDA__ALONG_BATCH, &s->batch) &&
         s->along && (s->across || extent_along(f, across) == 1);
}

/* --- maps ----------------------------------------------------------------------------------------- */

static enum tsr_map_type map_type(enum tsr_dtype dtype)
{
  return dtype == TSR_I8 ? TSR_MAP_U8 : dtype == TSR_F16 ? TSR_MAP_F16 : TSR_MAP_BF16;
}

/* strides in elements, of dims 1 and up; of a dim of one element any will do. steps: NULL, or of each dim: every
 * so many elements. False: the copy engine takes no
 * such. */
static bool make_map(const struct finder *f, int which, int rank, const int64_t *dims,
                     const int64_t *strides, const int64_t *box, const int *steps,
                     struct tsr_tensor_map *out)
{
  int64_t size = (int64_t)tsr_dtype_bytes(f->p->dtype);
  *out = (struct tsr_tensor_map){.base.param = (uint32_t)f->side[which].param,
                                 .type = map_type(f->p->dtype),
                                 .rank = (uint32_t)rank,
                                 .swizzle = 128,
                                 .l2 = 256};
  for (int d = 0; d < rank; d++) {
    int64_t bytes = d ? strides[d - 1] * size : size;
    int step = steps ? steps[d] : 1;
    if (d && dims[d] == 1)
      bytes = LEAST_BYTES;
    if (d && (bytes <= 0 || bytes % LEAST_BYTES || bytes >= (int64_t)1 << 40))
      return false;
    if (dims[d] > INT32_MAX || step > MOST_STEP)
      return false;
    out->dims[d] = (uint64_t)dims[d];
    out->strides[d] = (uint64_t)bytes;
    out->box[d] = (uint32_t)((box[d] - 1) * step + 1);
    out->step[d] = (uint32_t)step;
  }
  return true;
}

static bool map_a(struct finder *f)
{
  const struct side *s = &f->side[CUDA__ROWS];
  const struct cuda__gemm *g = &f->out->gemm;
  struct cuda__gemm_launch l = cuda__gemm_launch(g);
  int64_t dims[] = {g->k, g->m, g->one_a ? 1 : g->batch}, strides[] = {s->across, s->batch};
  int64_t box[] = {l.box_k, l.box_m, 1};
  return make_map(f, CUDA__ROWS, 3, dims, strides, box, NULL, &f->out->a);
}

static bool map_b(struct finder *f)
{
  const struct side *s = &f->side[CUDA__COLUMNS];
  const struct cuda__gemm *g = &f->out->gemm;
  struct cuda__gemm_launch l = cuda__gemm_launch(g);
  if (g->b == CUDA__B_ROWS) {
    int64_t dims[] = {PANEL, g->k * f->taps, g->n / PANEL, g->batch};
    int64_t strides[] = {s->along, PANEL, s->batch}, box[] = {PANEL, l.box_k, l.box_n / PANEL, 1};
    return make_map(f, CUDA__COLUMNS, 4, dims, strides, box, NULL, &f->out->b);
  }
  int64_t parts = f->taps > 1 ? f->taps : g->batch;
  int64_t c = s->across, dims[] = {g->k, 2, 4, 4, g->n / ROWS_APART * parts};
  int64_t strides[] = {c, 8 * c, 2 * c, ROWS_APART * c};
  int64_t box[] = {l.box_k, 2, 4, 4, l.box_n / ROWS_APART};
  return make_map(f, CUDA__COLUMNS, 5, dims, strides, box, NULL, &f->out->b);
}

/* --- convolutions -------------------------------------------------------------------------------- */

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
  if (side->op == TIR_SELECT && is_zero(side->arg[2])) {
    out->condition = side->arg[0];
    out->load = side->arg[1];
  }
  const struct tir_expr *x = out->load;
  int rank = x->op == TIR_LOAD ? x->args : 0;
  if (rank < 4 || param_of(f->p->func, x->buffer) < 0)
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
         rows == extent_along(f, CUDA__ALONG_ROWS) && sum == extent_along(f, CUDA__ALONG_SUM) &&
         extent_along(f, CUDA__ALONG_BATCH) == 1;
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
  b->param = x->op == TIR_LOAD ? param_of(f->p->func, x->buffer) : -1;
  if (b->param < 0 || !begins_at_zero(x) || !find_step(f, x, CUDA__ALONG_COLUMNS, &b->across) ||
      m->channel.tap < 0)
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
  return make_map(f, CUDA__ROWS, 4, dims, strides, box, steps, &f->out->a);
}

/* --- the epilogue ----------------------------------------------------------------------------------- */

/* Whether all of x's loads are inside of their buffers, whatever is around. */
static bool is_inside(const struct tir_stage *s, tir_e x)
{
  struct tir__range range[2 * TSR_MAX_RANK];
  for (int k = 0; k < s->axes; k++)
    range[k] = (struct tir__range){s->axis[k].var, 0, s->axis[k].extent - 1};
  for (int d = 0; d < x->args && x->op == TIR_LOAD; d++)
    if (!tir__proves_inside(x->arg[d], x->buffer->dims[d], s->axes, range, NULL))
      return false;
  for (int k = 0; k < x->args; k++)
    if (!is_inside(s, x->arg[k]))
      return false;
  return true;
}

static bool reads_buffer(tir_e x, const struct tir_buffer *b)
{
  bool found = x->op == TIR_LOAD && x->buffer == b;
  for (int k = 0; k < x->args && !found; k++)
    found = reads_buffer(x->arg[k], b);
  return found;
}

/* One stage by the last one's axes: the tail, or the sum as it is. */
static struct tir_stage *finishing_stage(struct finder *f)
{
  const struct cuda__product *p = f->p;
  struct tir_stage *s = TSR_NEW(f->a, struct tir_stage);
  tir_e index[TSR_MAX_RANK];
  *s = *p->last;
  s->axes = s->out->rank;
  s->combine = TIR_ASSIGN;
  s->init = NULL;
  for (int d = 0; d < s->out->rank; d++)
    index[d] = tir_axis_use(f->a, s, d);
  s->value = p->tail ? p->tail : tir_load(f->a, p->sum->out, index);
  return s;
}

static bool make_epilogue(struct finder *f)
{
  const struct tir_func *from = f->p->func;
  struct tir_func *to = TSR_NEW(f->a, struct tir_func);
  struct tir_stage *s = finishing_stage(f);
  struct tir_buffer *acc = f->p->sum->out;
  if (acc == s->out) { /* the sums are the result: under another name they are also read */
    acc = tsr_arena_copy(f->a, acc, sizeof *acc);
    tir_e index[TSR_MAX_RANK];
    for (int d = 0; d < acc->rank; d++)
      index[d] = tir_axis_use(f->a, s, d);
    s->value = tir_load(f->a, acc, index);
  }
  to->name = from->name;
  to->param = TSR_NEW_ARRAY(f->a, struct tir_buffer *, from->params + 2);
  to->stage = TSR_NEW_ARRAY(f->a, struct tir_stage *, 1);
  f->out->input = TSR_NEW_ARRAY(f->a, int, from->params + 1);
  to->param[to->params++] = acc;
  for (int i = 0; i < from->inputs; i++)
    if (reads_buffer(s->value, from->param[i])) {
      f->out->input[to->params - 1] = i;
      to->param[to->params++] = from->param[i];
    }
  to->inputs = to->params;
  to->param[to->params++] = s->out;
  to->stage[to->stages++] = s;
  f->out->gemm.epilogue = to;
  return is_inside(s, s->value);
}

/* --- all of it ----------------------------------------------------------------------------------------- */

/* b's columns are counted through all products. */
static bool lies_by_columns(const struct finder *f)
{
  const struct side *b = &f->side[CUDA__COLUMNS];
  const struct cuda__gemm *g = &f->out->gemm;
  return b->along == 1 && g->n % ROWS_APART == 0 && (g->batch == 1 || b->batch == g->n * b->across);
}

static bool lies_by_rows(const struct finder *f)
{
  const struct side *b = &f->side[CUDA__COLUMNS];
  const struct cuda__gemm *g = &f->out->gemm;
  return b->across == 1 && tsr_dtype_is_half(g->in) && g->n % PANEL == 0 &&
         (g->batch == 1 || b->batch) && tsr_dtype_bytes(f->p->last->out->dtype) > 1;
}

static bool has_fitting_result(const struct finder *f)
{
  enum tsr_dtype made = f->p->last->out->dtype;
  const struct cuda__gemm *g = &f->out->gemm;
  return is_zero(f->p->init) && made != TSR_BOOL && tsr_dtype_bytes(made) <= 4 && g->k > 1 &&
         g->n >= ROWS_APART && g->n <= INT32_MAX / 2 && g->batch <= INT32_MAX / 2 / g->m &&
         g->batch <= INT32_MAX / 2 / g->n;
}

static bool choose(struct finder *f)
{
  struct cuda__gemm *g = &f->out->gemm;
  if (!lies_by_columns(f) && !lies_by_rows(f))
    return false;
  g->b = lies_by_columns(f) ? CUDA__B_COLUMNS : CUDA__B_ROWS;
  if (!make_epilogue(f))
    return false;
  cuda__gemm_choose(g);
  return g->tile.m != 0;
}

static bool find_product(struct finder *f)
{
  f->out->gemm.k = extent_along(f, CUDA__ALONG_SUM);
  if (!find_side(f, CUDA__ROWS) || !find_side(f, CUDA__COLUMNS) || f->side[CUDA__ROWS].along != 1)
    return false;
  f->out->gemm.one_a = f->side[CUDA__ROWS].batch == 0;
  return choose(f) && map_a(f) && map_b(f);
}

static bool find_convolution(struct finder *f)
{
  struct image m;
  if (!find_image(f, &m) || !has_all_axes(f, &m) || (m.condition && !is_border(f, &m)))
    return false;
  f->out->gemm.k = extent_of(f, m.channel.tap);
  f->side[CUDA__ROWS].param = param_of(f->p->func, m.load->buffer);
  set_window(f, &m);
  return find_weights(f, &m) && choose(f) && map_pixels(f, &m) && map_b(f);
}

static bool find(struct finder *f)
{
  struct cuda__gemm *g = &f->out->gemm;
  find_along(f);
  f->taps = 1;
  g->in = f->p->dtype;
  g->batch = extent_along(f, CUDA__ALONG_BATCH);
  g->m = extent_along(f, CUDA__ALONG_ROWS);
  g->n = extent_along(f, CUDA__ALONG_COLUMNS);
  g->k = extent_along(f, CUDA__ALONG_SUM);
  if (!has_fitting_result(f) || !find_order(f, &g->columns))
    return false;
  return find_product(f) || find_convolution(f);
}

bool cuda__gemm_of(struct tsr_arena *a, const struct tir_func *f, struct tsr_gpu_arch arch,
                   struct cuda__gemm_layer *out)
{
  struct cuda__product product;
  if (arch.capability != 90 || !arch.exact || !cuda__product_of(a, f, &product) ||
      !product.tensor_cores)
    return false;
  struct finder finder = {.a = a, .p = &product, .out = out};
  *out = (struct cuda__gemm_layer){0};
  return find(&finder);
}

const char *cuda__gemm_text(struct tsr_arena *a, const struct cuda__gemm *g)
{
  static const char *const forms[] = {"columns", "packed", "rows"};
  const struct cuda__gemm_tile *t = &g->tile;
  const char *window = "";
  if (g->window.taps_h)
    window = tsr_arena_printf(a, " of %d x %d taps, boxes of %d x %d x %d", g->window.taps_h,
                              g->window.taps_w, g->window.box_images, g->window.box_high,
                              g->window.box_wide);
  return tsr_arena_printf(
      a,
      "wgmma %lld x %lld x %lld x %lld%s, b by %s: tile %dx%d, %d warpgroups%s, %d stages, "
      "cluster %d, splits %d, group %d\n",
      (long long)g->batch, (long long)g->m, (long long)g->n, (long long)g->k, window, forms[g->b],
      t->m, t->n, t->warpgroups, t->alternate ? " in turn" : "", t->stages, t->cluster, t->splits,
      t->group);
}

static struct tsr_kernel_arg pointer_to(int param)
{
  return (struct tsr_kernel_arg){.kind = TSR_ARG_POINTER, .pointer.param = (uint32_t)param};
}

void cuda__gemm_kernel(struct llvm__emit *e, const struct cuda__gemm_layer *layer, const char *name,
                       int result, struct tsr_kernel_layer *out)
{
  struct cuda__gemm g = layer->gemm;
  struct cuda__gemm_launch launch = cuda__gemm_launch(&g);
  struct tsr_kernel *k = out->kernel = TSR_NEW(e->arena, struct tsr_kernel);
  g.name = name;
  cuda__gemm_emit(e, &g);
  out->kernels = 1;
  *k = (struct tsr_kernel){.entry = name,
                           .grid = {(uint32_t)cuda__gemm_blocks(&g, CUDA__MULTIPROCESSORS), 1, 1},
                           .block = {(uint32_t)launch.threads, 1, 1},
                           .cluster = {(uint32_t)launch.cluster, 1, 1},
                           .shared_bytes = (uint32_t)launch.shared_bytes};
  k->arg = TSR_NEW_ARRAY(e->arena, struct tsr_kernel_arg, g.epilogue->params + 2);
  k->arg[k->args++] = (struct tsr_kernel_arg){.kind = TSR_ARG_MAP, .map = layer->a};
  k->arg[k->args++] = (struct tsr_kernel_arg){.kind = TSR_ARG_MAP, .map = layer->b};
  for (int i = 0; i < g.epilogue->inputs - 1; i++)
    k->arg[k->args++] = pointer_to(layer->input[i]);
  k->arg[k->args++] = pointer_to(result);
}
