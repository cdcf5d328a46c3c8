/* SPDX-License-Identifier: Apache-2.0 */
/* From a func that sums products to one over matrices,
 *
 *   a[z, m, k] = ...   b[z, n, k] = ...
 *   acc[z, m, n] sum(k) init 0 = T(a[z, m, k]) * T(b[z, n, k])
 *   out[...] = ... acc[z(...), m(...), n(...)] ...
 *
 * where m counts the elements of all axes of which only a depends, n those of b, and z those of both.
 * Rows and columns are rounded up to tiles: what lies behind the end repeats the last one and is
 * never read. The depth is rounded up with zeros. */
#include "compiler/target/cuda/product.h"

#include <string.h>

#include "compiler/tir/region.h"

enum { LARGE = 1 << 22 }; /* products from which on a side is worth a pass of its own */

/* --- one expression --------------------------------------------------------------------------- */

static bool uses(tir_e x, const struct tir_var *var)
{
  bool found = x->op == TIR_VAR && x->var == var;
  for (int k = 0; k < x->args && !found; k++)
    found = uses(x->arg[k], var);
  return found;
}

static bool reads(tir_e x, const struct tir_buffer *b)
{
  bool found = x->op == TIR_LOAD && x->buffer == b;
  for (int k = 0; k < x->args && !found; k++)
    found = reads(x->arg[k], b);
  return found;
}

struct inlining {
  struct tsr_arena *a;
  const struct tir_stage *producer;
};

static tir_e inline_load(void *context, tir_e x)
{
  const struct inlining *in = context;
  const struct tir_stage *s = in->producer;
  const struct tir_var *var[TSR_MAX_RANK];
  if (x->buffer != s->out)
    return x;
  for (int d = 0; d < s->out->rank; d++)
    var[d] = s->axis[d].var;
  return tir_substitute(in->a, s->value, s->out->rank, var, x->arg);
}

/* x, by the axes of `of`, with the values of all other stages before it in place of their elements. */
static tir_e inlined(struct tsr_arena *a, const struct cuda__product *p, const struct tir_stage *of,
                     tir_e x)
{
  struct tir__ranges ranges = {.arena = a};
  for (int k = 0; k < of->axes; k++)
    tir__ranges_add(&ranges, of->axis[k].var, tir_index(a, of->axis[k].extent));
  for (int i = p->func->stages - 1; i >= 0 && x; i--) {
    struct inlining in = {a, p->func->stage[i]};
    struct tir__rewriter w = {.ranges = &ranges, .load = inline_load, .context = &in};
    if (in.producer != p->sum && in.producer != of && reads(x, in.producer->out))
      x = tir__rewrite(&w, x);
  }
  return x;
}

/* --- the parts -------------------------------------------------------------------------------- */

/* One sum, and nothing else that combines. */
static bool find_stages(struct cuda__product *p)
{
  const struct tir_func *f = p->func;
  for (int i = 0; i < f->stages; i++) {
    if (f->stage[i]->combine == TIR_ASSIGN)
      continue;
    if (p->sum || f->stage[i]->combine != TIR_SUM)
      return false;
    p->sum = f->stage[i];
  }
  p->last = f->stages ? f->stage[f->stages - 1] : NULL;
  return p->sum && f->params == f->inputs + 1 && p->last->out == f->param[f->inputs];
}

/* Every element of the sum is read where the result has the same place. */
static bool reads_in_place(const struct cuda__product *p, tir_e x)
{
  if (x->op == TIR_LOAD && x->buffer == p->sum->out)
    for (int d = 0; d < x->args; d++)
      if (x->arg[d]->op != TIR_VAR || x->arg[d]->var != p->last->axis[d].var)
        return p->last->axis[d].extent == 1 && tir__is_int(x->arg[d], 0);
  for (int k = 0; k < x->args; k++)
    if (!reads_in_place(p, x->arg[k]))
      return false;
  return true;
}

static bool find_tail(struct tsr_arena *a, struct cuda__product *p)
{
  if (p->last == p->sum)
    return true;
  if (p->last->out->rank != p->sum->out->rank ||
      memcmp(p->last->out->dims, p->sum->out->dims, sizeof p->sum->out->dims))
    return false;
  p->tail = inlined(a, p, p->last, p->last->value);
  return reads_in_place(p, p->tail);
}

static tir_e only_load(tir_e x, int *loads)
{
  tir_e found = NULL;
  if (x->op == TIR_LOAD) {
    ++*loads;
    return x;
  }
  for (int k = 0; k < x->args; k++) {
    tir_e one = only_load(x->arg[k], loads);
    found = found ? found : one;
  }
  return found;
}

/* What tensor cores multiply: narrow elements, or f32 that is rounded to tf32. */
static bool suits_tensor_cores(const struct cuda__product *p, tir_e x, tir_e y)
{
  enum tsr_dtype sum = p->sum->out->dtype;
  if ((x->op != TIR_CAST && x->op != TIR_TF32) || x->op != y->op ||
      x->arg[0]->dtype != y->arg[0]->dtype)
    return false;
  enum tsr_dtype dtype = (enum tsr_dtype)x->arg[0]->dtype;
  int loads[CUDA__SIDES] = {0};
  only_load(x, &loads[0]);
  only_load(y, &loads[1]);
  return loads[0] == 1 && loads[1] == 1 &&
         (x->op == TIR_TF32 || (dtype == TSR_I8 && sum == TSR_I32) ||
          (tsr_dtype_is_half(dtype) && sum == TSR_F32));
}

static bool find_sides(struct tsr_arena *a, struct cuda__product *p)
{
  const struct tir_stage *s = p->sum;
  tir_e x = inlined(a, p, s, s->value);
  int loads[CUDA__SIDES] = {0};
  if (x->op != TIR_MUL || (s->out->dtype != TSR_I32 && s->out->dtype != TSR_F32))
    return false;
  p->tensor_cores = suits_tensor_cores(p, x->arg[0], x->arg[1]);
  for (int i = 0; i < CUDA__SIDES; i++) {
    p->side[i] = p->tensor_cores ? x->arg[i]->arg[0] : x->arg[i];
    only_load(p->side[i], &loads[i]);
  }
  p->dtype = (enum tsr_dtype)p->side[0]->dtype;
  p->init = inlined(a, p, s, s->init);
  return loads[0] && loads[1];
}

/* --- axes ------------------------------------------------------------------------------------- */

static int64_t *extent_along(struct cuda__product *p, enum cuda__along along)
{
  switch (along) {
  case CUDA__ALONG_ROWS: return &p->rows;
  case CUDA__ALONG_COLUMNS: return &p->columns;
  case CUDA__ALONG_BATCH: return &p->batch;
  default: return &p->depth;
  }
}

/* The columns are the side along which results lie. */
static void order_sides(struct cuda__product *p)
{
  const struct tir_stage *s = p->sum;
  int last = s->out->rank - 1;
  while (last > 0 && s->axis[last].extent == 1)
    last--;
  if (last < 0 || uses(p->side[CUDA__COLUMNS], s->axis[last].var))
    return;
  tir_e side = p->side[CUDA__ROWS];
  p->side[CUDA__ROWS] = p->side[CUDA__COLUMNS];
  p->side[CUDA__COLUMNS] = side;
}

static bool find_axes(struct cuda__product *p)
{
  const struct tir_stage *s = p->sum;
  p->rows = p->columns = p->batch = p->depth = 1;
  for (int k = 0; k < s->axes; k++) {
    bool row = uses(p->side[CUDA__ROWS], s->axis[k].var);
    bool column = uses(p->side[CUDA__COLUMNS], s->axis[k].var);
    if (k >= s->out->rank)
      p->along[k] = CUDA__ALONG_SUM;
    else if (row && column)
      p->along[k] = CUDA__ALONG_BATCH;
    else if (row || column)
      p->along[k] = row ? CUDA__ALONG_ROWS : CUDA__ALONG_COLUMNS;
    else if (s->axis[k].extent == 1)
      p->along[k] = CUDA__ALONG_BATCH;
    else
      return false;
    if (k >= s->out->rank && s->axis[k].extent > 1 && !(row && column))
      return false;
    *extent_along(p, p->along[k]) *= s->axis[k].extent;
  }
  return true;
}

int64_t cuda__step_of(tir_e side, const struct tir_var *var)
{
  int loads = 0;
  tir_e x = only_load(side, &loads);
  int64_t stride = 1, step = 0;
  for (int d = x->buffer->rank - 1; d >= 0; d--) {
    struct tir__linear l;
    if (!tir__linear(x->arg[d], &l))
      return -1;
    for (int k = 0; k < l.n; k++)
      if (l.atom[k]->op == TIR_VAR && l.atom[k]->var == var)
        step += l.coefficient[k] * stride;
      else if (uses(l.atom[k], var))
        return -1;
    stride *= x->buffer->dims[d];
  }
  return step;
}

static void find_deepest(struct cuda__product *p)
{
  const struct tir_stage *s = p->sum;
  int64_t run = 16 / (int64_t)tsr_dtype_bytes(p->dtype);
  int best = -1;
  for (int k = s->out->rank; k < s->axes; k++) {
    bool by_side[CUDA__SIDES];
    for (int i = 0; i < CUDA__SIDES; i++)
      by_side[i] = s->axis[k].extent % run == 0 && cuda__step_of(p->side[i], s->axis[k].var) == 1;
    int worth = 2 * by_side[0] + 2 * by_side[1] + (k == s->axes - 1);
    if (worth <= best)
      continue;
    best = worth;
    p->deepest = k;
    memcpy(p->side_by_side, by_side, sizeof by_side);
  }
}

/* Whether results next to one another along a side need elements next to one another. */
static bool lies_along(const struct cuda__product *p, int side)
{
  const struct tir_stage *s = p->sum;
  enum cuda__along along = side == CUDA__ROWS ? CUDA__ALONG_ROWS : CUDA__ALONG_COLUMNS;
  int last = s->out->rank - 1;
  while (last >= 0 && !(p->along[last] == along && s->axis[last].extent > 1))
    last--;
  return last >= 0 && cuda__step_of(p->side[side], s->axis[last].var) == 1;
}

/* ldmatrix turns elements of 16 bits, of the columns' side; what threads multiply one by one has the
 * depth first on both. */
static void find_turned(struct cuda__product *p)
{
  for (int i = 0; i < CUDA__SIDES; i++) {
    p->along_side[i] = lies_along(p, i);
    p->turned[i] = !p->tensor_cores || (i == CUDA__COLUMNS && tsr_dtype_is_half(p->dtype) &&
                                        !p->side_by_side[i] && p->along_side[i]);
  }
}

/* The dim of a side's buffer that the variable alone counts; -1: there is none. */
static int dim_of(tir_e side, const struct tir_var *var)
{
  int loads = 0, found = -1;
  tir_e x = only_load(side, &loads);
  for (int d = 0; d < x->args; d++)
    if (x->arg[d]->op == TIR_VAR && x->arg[d]->var == var)
      found = d;
    else if (uses(x->arg[d], var))
      return -1;
  return found;
}

/* Columns that lie side by side go through ldmatrix as they are, where nothing shifts them. */
static bool stays_turned(const struct cuda__product *p, int axis)
{
  return p->turned[CUDA__COLUMNS] && p->side[CUDA__COLUMNS]->op == TIR_LOAD &&
         p->depth == p->sum->axis[axis].extent;
}

/* Where elements do not lie along the depth, as those of channels in planes, a pass over the side
 * costs less than to collect them for each product. */
static void find_moved(struct cuda__product *p)
{
  const struct tir_stage *s = p->sum;
  int64_t run = 16 / (int64_t)tsr_dtype_bytes(p->dtype), longest = 0;
  bool all = p->side_by_side[0] && p->side_by_side[1];
  if (!p->tensor_cores || all || p->batch * p->rows * p->columns * p->depth < LARGE)
    return;
  for (int k = s->out->rank; k < s->axes; k++) {
    int dim[CUDA__SIDES];
    bool good = s->axis[k].extent % run == 0 && s->axis[k].extent > longest && !stays_turned(p, k);
    for (int i = 0; i < CUDA__SIDES; i++) {
      bool lies = cuda__step_of(p->side[i], s->axis[k].var) == 1;
      dim[i] = lies ? -1 : dim_of(p->side[i], s->axis[k].var);
      good &= lies || dim[i] >= 0;
    }
    if (!good)
      continue;
    longest = s->axis[k].extent;
    p->deepest = k;
    for (int i = 0; i < CUDA__SIDES; i++) {
      p->moved[i] = dim[i];
      p->side_by_side[i] = true;
      p->turned[i] = false;
    }
  }
}

bool cuda__product_of(struct tsr_arena *a, const struct tir_func *f, struct cuda__product *out)
{
  struct cuda__product p = {.func = f, .moved = {-1, -1}};
  if (!find_stages(&p) || !find_tail(a, &p) || !find_sides(a, &p))
    return false;
  order_sides(&p);
  if (!find_axes(&p) || p.depth == 0)
    return false;
  find_deepest(&p);
  find_turned(&p);
  find_moved(&p);
  *out = p;
  return true;
}

/* --- matrices --------------------------------------------------------------------------------- */

struct maker {
  struct tsr_arena *a;
  tir_e side[CUDA__SIDES];
  const struct cuda__product *p;
  const struct cuda__tile *tile;
  struct tir_func *to;
  const struct tir_var *var[2 * TSR_MAX_RANK]; /* axes of the sum, and what each becomes */
  tir_e with[2 * TSR_MAX_RANK];
};

static int64_t rounded(int64_t n, int64_t to)
{
  return (n + to - 1) / to * to;
}

static const char *new_name(const struct maker *m, const char *name)
{
  for (int k = 0; k < m->to->params; k++)
    if (!strcmp(m->to->param[k]->name, name))
      return new_name(m, tsr_arena_printf(m->a, "%s_", name));
  return name;
}

static bool is_along(const struct cuda__product *p, int axis, enum cuda__along along)
{
  return p->along[axis] == along && p->sum->axis[axis].extent > 1;
}

/* x counts the iterations of all axes along `along`, the deepest reduce axis being the fastest: sets
 * each axis to its own. */
static void count_off(struct maker *m, enum cuda__along along, tir_e x)
{
  const struct cuda__product *p = m->p;
  int axes = p->sum->axes;
  bool turned = along == CUDA__ALONG_SUM && p->tensor_cores && is_along(p, p->deepest, along);
  for (int step = 0; step < axes + turned; step++) {
    int k = turned ? step == 0 ? p->deepest : axes - step : axes - 1 - step;
    if (!is_along(p, k, along) || (turned && step && k == p->deepest))
      continue;
    tir_e extent = tir_index(m->a, p->sum->axis[k].extent);
    m->with[k] = tir_binary(m->a, TIR_FMOD, x, extent);
    x = tir_binary(m->a, TIR_FDIV, x, extent);
  }
}

/* The count of all axes along `along`, of the stage whose axes are these. */
static tir_e count(struct maker *m, const struct tir_stage *s, enum cuda__along along)
{
  tir_e x = tir_index(m->a, 0);
  for (int k = 0; k < s->out->rank; k++)
    if (is_along(m->p, k, along)) {
      x = tir_binary(m->a, TIR_MUL, x, tir_index(m->a, s->axis[k].extent));
      x = tir_binary(m->a, TIR_ADD, x, tir_axis_use(m->a, s, k));
    }
  return x;
}

static tir_e clamped(struct maker *m, tir_e x, int64_t extent, int64_t padded)
{
  return extent == padded ? x : tir_binary(m->a, TIR_MIN, x, tir_index(m->a, extent - 1));
}

static tir_e zero_of(struct tsr_arena *a, enum tsr_dtype dtype)
{
  return tir__is_float(dtype) ? tir_float(a, dtype, 0) : tir_int(a, dtype, 0);
}

static tir_e simplified(struct maker *m, const struct tir_stage *s, tir_e x)
{
  struct tir__ranges ranges = {.arena = m->a};
  for (int k = 0; k < s->axes; k++)
    tir__ranges_add(&ranges, s->axis[k].var, tir_index(m->a, s->axis[k].extent));
  return tir__simplify(&ranges, x);
}

struct move {
  struct maker *m;
  int dim;
  const struct tir_buffer *from, *to;
};

/* Indices with one of them last. */
static void move_last(int rank, int dim, const tir_e *index, tir_e *out)
{
  for (int d = 0; d < rank - 1; d++)
    out[d] = index[d + (d >= dim)];
  out[rank - 1] = index[dim];
}

static tir_e moved_load(void *context, tir_e x)
{
  const struct move *v = context;
  tir_e index[TSR_MAX_RANK];
  if (x->buffer != v->from)
    return x;
  move_last(x->args, v->dim, x->arg, index);
  return tir_load(v->m->a, v->to, index);
}

/* A stage that copies the side's buffer with one dim last, and the side's value by that. */
static void add_moved(struct maker *m, int side)
{
  int loads = 0, dim = m->p->moved[side];
  const struct tir_buffer *from = only_load(m->side[side], &loads)->buffer;
  int64_t dims[TSR_MAX_RANK];
  tir_e index[TSR_MAX_RANK];
  struct tsr_text names = {.arena = m->a};
  for (int d = 0; d < from->rank; d++) {
    dims[d] = from->dims[d == from->rank - 1 ? dim : d + (d >= dim)];
    tsr_text_add(&names, "%sd%d", d ? " " : "", d);
  }
  const char *name = new_name(m, side == CUDA__ROWS ? "am" : "bm");
  struct tir_buffer *to = tir_func_temp(m->a, m->to, name, from->dtype, from->rank, dims);
  struct tir_stage *s = tir_func_stage(m->a, m->to, name, to, names.data, 0, NULL);
  for (int d = 0; d < from->rank; d++)
    index[d] = tir_axis_use(m->a, s, d < dim ? d : d == dim ? from->rank - 1 : d - 1);
  s->value = tir_load(m->a, from, index);
  struct move v = {m, dim, from, to};
  struct tir__ranges ranges = {.arena = m->a};
  struct tir__rewriter w = {.ranges = &ranges, .load = moved_load, .context = &v};
  m->side[side] = tir__rewrite(&w, m->side[side]);
}

static struct tir_buffer *add_side(struct maker *m, int side)
{
  const struct cuda__product *p = m->p;
  bool rows = side == CUDA__ROWS, turned = p->turned[side];
  int64_t extent = rows ? p->rows : p->columns, tile = rows ? m->tile->rows : m->tile->columns;
  int64_t all = rounded(extent, tile), depth = rounded(p->depth, m->tile->depth);
  int64_t dims[3] = {p->batch, turned ? depth : all, turned ? all : depth};
  const char *name = new_name(m, rows ? "a" : "b");
  struct tir_buffer *b = tir_func_temp(m->a, m->to, name, p->dtype, 3, dims);
  struct tir_stage *s =
      tir_func_stage(m->a, m->to, name, b,
                     rows ? (turned ? "z k m" : "z m k") : (turned ? "z k n" : "z n k"), 0, NULL);
  tir_e k = tir_axis_use(m->a, s, turned ? 1 : 2), along = tir_axis_use(m->a, s, turned ? 2 : 1);
  count_off(m, CUDA__ALONG_BATCH, tir_axis_use(m->a, s, 0));
  count_off(m, rows ? CUDA__ALONG_ROWS : CUDA__ALONG_COLUMNS, clamped(m, along, extent, all));
  count_off(m, CUDA__ALONG_SUM, k);
  tir_e x = tir_substitute(m->a, m->side[side], p->sum->axes, m->var, m->with);
  if (depth != p->depth)
    x = tir_select(m->a, tir_binary(m->a, TIR_LT, k, tir_index(m->a, p->depth)), x,
                   zero_of(m->a, p->dtype));
  s->value = simplified(m, s, x);
  return b;
}

/* The element of a side for a row, or a column, and a depth. */
static tir_e side_load(struct maker *m, const struct tir_buffer *b, int side, tir_e z, tir_e along,
                       tir_e k)
{
  bool turned = m->p->turned[side];
  return tir_load(m->a, b, (tir_e[]){z, turned ? k : along, turned ? along : k});
}

/* What is multiplied: the element as wide as the sum, or rounded. */
static tir_e factor(struct maker *m, enum tsr_dtype dtype, tir_e x)
{
  bool rounds = m->p->tensor_cores && m->p->dtype == TSR_F32;
  return rounds ? tir_unary(m->a, TIR_TF32, x) : tir_cast(m->a, dtype, x);
}

static struct tir_buffer *add_sum(struct maker *m, const struct tir_buffer *x,
                                  const struct tir_buffer *y)
{
  const struct cuda__product *p = m->p;
  enum tsr_dtype dtype = p->sum->out->dtype;
  int64_t dims[3] = {p->batch, x->dims[p->turned[CUDA__ROWS] ? 2 : 1],
                     y->dims[p->turned[CUDA__COLUMNS] ? 2 : 1]};
  const char *name = new_name(m, "acc");
  struct tir_buffer *b = tir_func_temp(m->a, m->to, name, dtype, 3, dims);
  struct tir_stage *s =
      tir_func_stage(m->a, m->to, name, b, "z m n k", 1, &x->dims[p->turned[CUDA__ROWS] ? 1 : 2]);
  tir_e axis[4];
  for (int k = 0; k < 4; k++)
    axis[k] = tir_axis_use(m->a, s, k);
  tir_e left = side_load(m, x, CUDA__ROWS, axis[0], axis[1], axis[3]);
  tir_e right = side_load(m, y, CUDA__COLUMNS, axis[0], axis[2], axis[3]);
  s->combine = TIR_SUM;
  s->init = zero_of(m->a, dtype);
  s->value = tir_binary(m->a, TIR_MUL, factor(m, dtype, left), factor(m, dtype, right));
  return b;
}

struct tail {
  struct maker *m;
  const struct tir_buffer *sum, *acc;
  tir_e value;
};

static tir_e acc_load(void *context, tir_e x)
{
  const struct tail *t = context;
  return x->buffer == t->sum ? t->value : x;
}

/* The axes of the result keep their names. */
static void add_tail(struct maker *m, const struct tir_buffer *acc)
{
  const struct cuda__product *p = m->p;
  const struct tir_stage *last = p->last;
  struct tsr_text names = {.arena = m->a};
  for (int k = 0; k < last->out->rank; k++)
    tsr_text_add(&names, "%sx%d", k ? " " : "", k);
  struct tir_stage *s = tir_func_stage(m->a, m->to, new_name(m, "out"), last->out,
                                       names.data ? names.data : "", 0, NULL);
  const struct tir_var *var[TSR_MAX_RANK];
  tir_e with[TSR_MAX_RANK];
  for (int k = 0; k < last->out->rank; k++) {
    var[k] = p->tail ? last->axis[k].var : p->sum->axis[k].var;
    with[k] = tir_axis_use(m->a, s, k);
  }
  tir_e index[3] = {count(m, s, CUDA__ALONG_BATCH), count(m, s, CUDA__ALONG_ROWS),
                    count(m, s, CUDA__ALONG_COLUMNS)};
  tir_e sum = tir_load(m->a, acc, index);
  if (!tir__is_int(p->init, 0) && !(p->init->op == TIR_FLOAT && p->init->f == 0)) {
    const struct tir_var *axis[TSR_MAX_RANK];
    for (int k = 0; k < p->sum->out->rank; k++)
      axis[k] = p->sum->axis[k].var;
    sum = tir_binary(m->a, TIR_ADD, tir_substitute(m->a, p->init, p->sum->out->rank, axis, with),
                     sum);
  }
  s->value = sum;
  if (p->tail) {
    struct tir__ranges ranges = {.arena = m->a};
    struct tail t = {m, p->sum->out, acc, sum};
    struct tir__rewriter w = {.ranges = &ranges, .load = acc_load, .context = &t};
    s->value = tir__rewrite(&w, tir_substitute(m->a, p->tail, last->out->rank, var, with));
  }
}

struct tir_func *cuda__matrices(struct tsr_arena *a, const struct cuda__product *p,
                                const struct cuda__tile *tile)
{
  struct maker m = {.a = a, .p = p, .tile = tile, .to = TSR_NEW(a, struct tir_func)};
  m.to->name = p->func->name;
  m.to->params = p->func->params;
  m.to->inputs = p->func->inputs;
  m.to->param = p->func->param;
  for (int k = 0; k < p->sum->axes; k++) {
    m.var[k] = p->sum->axis[k].var;
    m.with[k] = tir_index(a, 0);
  }
  for (int i = 0; i < CUDA__SIDES; i++) {
    m.side[i] = p->side[i];
    if (p->moved[i] >= 0)
      add_moved(&m, i);
  }
  const struct tir_buffer *rows = add_side(&m, CUDA__ROWS), *columns = add_side(&m, CUDA__COLUMNS);
  add_tail(&m, add_sum(&m, rows, columns));
  return m.to;
}
