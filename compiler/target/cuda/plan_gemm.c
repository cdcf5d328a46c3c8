/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices that lie in memory as wgmma and the copy engine take them, as one kernel of gemm.c. */
#include <string.h>

#include "compiler/target/cuda/plan_gemm_private.h"

bool plan__is_zero(tir_e x)
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

int64_t plan__extent_along(const struct finder *f, enum cuda__along along)
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

int plan__param_of(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int i = 0; i < f->inputs; i++)
    if (f->param[i] == b)
      return i;
  return -1;
}

/* All axes along `along` as one run of steps of *step elements, 0: they do not matter; false: they are not one. */
bool plan__find_step(const struct finder *f, tir_e side, enum cuda__along along, int64_t *step)
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
bool plan__begins_at_zero(tir_e side)
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
  s->param = x->op == TIR_LOAD ? plan__param_of(f->p->func, x->buffer) : -1;
  return s->param >= 0 && plan__begins_at_zero(x) &&
         plan__find_step(f, x, CUDA__ALONG_SUM, &s->along) &&
         plan__find_step(f, x, across, &s->across) &&
         plan__find_step(f, x, CUDA__ALONG_BATCH, &s->batch) && s->along &&
         (s->across || plan__extent_along(f, across) == 1);
}

/* --- maps ----------------------------------------------------------------------------------------- */

static enum tsr_map_type map_type(enum tsr_dtype dtype)
{
  return dtype == TSR_I8 ? TSR_MAP_U8 : dtype == TSR_F16 ? TSR_MAP_F16 : TSR_MAP_BF16;
}

/* strides in elements, of dims 1 and up; of a dim of one element any will do. steps: NULL, or of each dim: every
 * so many elements. False: the copy engine takes no
 * such. */
bool plan__make_map(const struct finder *f, int which, int rank, const int64_t *dims,
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
    int64_t before = d > 1 ? (int64_t)out->strides[d - 1] : LEAST_BYTES;
    if (d && dims[d] == 1)
      bytes = before;
    if (d && (bytes <= 0 || bytes % before || bytes >= (int64_t)1 << 40))
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
  return plan__make_map(f, CUDA__ROWS, 3, dims, strides, box, NULL, &f->out->a);
}

bool plan__map_b(struct finder *f)
{
  const struct side *s = &f->side[CUDA__COLUMNS];
  const struct cuda__gemm *g = &f->out->gemm;
  struct cuda__gemm_launch l = cuda__gemm_launch(g);
  if (g->b == CUDA__B_ROWS) {
    int64_t dims[] = {g->n, g->k * f->taps, g->batch}, strides[] = {s->along, s->batch};
    int64_t box[] = {PANEL, l.box_k, 1};
    return plan__make_map(f, CUDA__COLUMNS, 3, dims, strides, box, NULL, &f->out->b);
  }
  int64_t parts = f->taps > 1 ? f->taps : g->batch, c = s->across;
  int64_t dims[] = {g->k, COLUMNS_APART, g->n / COLUMNS_APART * parts};
  int64_t strides[] = {c, COLUMNS_APART * c}, box[] = {l.box_k, 2, l.box_n / COLUMNS_APART};
  return plan__make_map(f, CUDA__COLUMNS, 3, dims, strides, box, NULL, &f->out->b);
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
  return b->along == 1 && g->n % COLUMNS_APART == 0 &&
         (g->batch == 1 || b->batch == g->n * b->across);
}

static bool lies_by_rows(const struct finder *f)
{
  const struct side *b = &f->side[CUDA__COLUMNS];
  const struct cuda__gemm *g = &f->out->gemm;
  return b->across == 1 && tsr_dtype_is_half(g->in) && g->n % ROWS_APART == 0 &&
         (g->batch == 1 || b->batch) && tsr_dtype_bytes(f->p->last->out->dtype) > 1;
}

static bool has_fitting_result(const struct finder *f)
{
  enum tsr_dtype made = f->p->last->out->dtype;
  const struct cuda__gemm *g = &f->out->gemm;
  return plan__is_zero(f->p->init) && made != TSR_BOOL && tsr_dtype_bytes(made) <= 4 && g->k > 1 &&
         g->n >= LEAST_COLUMNS && g->n <= INT32_MAX / 2 && g->batch <= INT32_MAX / 2 / g->m &&
         g->batch <= INT32_MAX / 2 / g->n;
}

bool plan__choose(struct finder *f)
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
  f->out->gemm.k = plan__extent_along(f, CUDA__ALONG_SUM);
  if (!find_side(f, CUDA__ROWS) || !find_side(f, CUDA__COLUMNS) || f->side[CUDA__ROWS].along != 1)
    return false;
  f->out->gemm.one_a = f->side[CUDA__ROWS].batch == 0;
  return plan__choose(f) && map_a(f) && plan__map_b(f);
}

static bool find(struct finder *f)
{
  struct cuda__gemm *g = &f->out->gemm;
  find_along(f);
  f->taps = 1;
  g->in = f->p->dtype;
  g->batch = plan__extent_along(f, CUDA__ALONG_BATCH);
  g->m = plan__extent_along(f, CUDA__ALONG_ROWS);
  g->n = plan__extent_along(f, CUDA__ALONG_COLUMNS);
  g->k = plan__extent_along(f, CUDA__ALONG_SUM);
  if (!has_fitting_result(f) || !find_order(f, &g->columns))
    return false;
  return find_product(f) || plan__find_convolution(f);
}

/* wgmma takes b, at least, out of shared memory, where nothing rounds it to tf32: its lower bits would be
 * cut off. mma rounds it in registers. */
bool cuda__gemm_of(struct tsr_arena *a, const struct tir_func *f, struct tsr_gpu_arch arch,
                   struct cuda__gemm_layer *out)
{
  struct cuda__product product;
  if (arch.capability != 90 || !arch.exact || !cuda__product_of(a, f, &product) ||
      !product.tensor_cores || product.dtype == TSR_F32)
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
