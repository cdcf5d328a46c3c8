/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions in registers. A nest of reduce loops around a few points of the result,
 *
 *   for k { for i < 4 { for j < 32 { y[i, j] += a[i, k] * b[k, j] } } }
 *
 * reads y once, keeps its points in registers for all of k, and writes them once. The last loop of
 * the points runs in lanes where y's elements lie side by side; else the last reduce loop does, and
 * each point is as many partial results as there are lanes, combined behind it. */
#include <math.h>

#include "compiler/target/llvm/emit.h"

enum { MOST_LOOPS = 16, MOST_POINTS = 32, LEAST_LANES = 4 };

struct point {
  int64_t at[MOST_LOOPS]; /* of each loop of the points */
  int width;              /* lanes of the last one; 1: a scalar */
  LLVMValueRef sum;       /* an alloca */
  LLVMValueRef partial;   /* lanes of the reduction; NULL: none */
};

struct tile {
  int loops, reduces; /* reduce loops come first */
  const struct tir_stmt *loop[MOST_LOOPS];
  int64_t most[MOST_LOOPS];
  const struct tir_stmt *store;
  bool lanes, reduce_lanes;
  int width; /* most lanes */
  int points;
  struct point point[MOST_POINTS];
};

/* --- which nests ------------------------------------------------------------------------------ */

static bool collect(struct tile *t, const struct tir_stmt *s)
{
  for (; s->kind == TIR_FOR; s = s->f.body) {
    if (t->loops == MOST_LOOPS)
      return false;
    t->loop[t->loops++] = s;
  }
  t->store = s;
  return s->kind == TIR_STORE && s->store.combine != TIR_ASSIGN;
}

static bool places_result(const struct tir_stmt *store, const struct tir_var *var)
{
  for (int d = 0; d < store->store.buffer->rank; d++)
    if (llvm__uses(store->store.index[d], var))
      return true;
  return false;
}

/* Reduce loops first, and loops of the points all inside. */
static bool sort_loops(struct tile *t)
{
  while (t->reduces < t->loops && !places_result(t->store, t->loop[t->reduces]->f.var))
    t->reduces++;
  for (int i = t->reduces; i < t->loops; i++)
    if (!places_result(t->store, t->loop[i]->f.var))
      return false;
  return t->reduces > 0;
}

/* Whether the store, and what it reads, suits lanes along this loop. */
static bool step_is(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
                    int64_t least, int64_t most)
{
  int64_t step;
  return llvm__lane_step(e, b, index, &step) && step >= least && step <= most;
}

static bool loads_side_by_side(struct llvm__emit *e, tir_e x)
{
  if (x->op == TIR_LOAD)
    return step_is(e, x->buffer, x->arg, 0, 1);
  for (int i = 0; i < x->args; i++)
    if (!loads_side_by_side(e, x->arg[i]))
      return false;
  return true;
}

static void choose_lanes(struct llvm__emit *e, struct tile *t)
{
  int depth = e->depth, last = t->loops - 1, reduce = t->reduces - 1;
  for (int i = 0; i < t->loops; i++)
    llvm__bind(e, t->loop[i]->f.var, 0, t->most[i] - 1, NULL);
  e->varies = (struct tir__map){0};
  e->lane = t->loop[last]->f.var;
  t->lanes = last > reduce && t->most[last] >= LEAST_LANES &&
             step_is(e, t->store->store.buffer, t->store->store.index, 1, 1);
  e->varies = (struct tir__map){0};
  e->lane = t->loop[reduce]->f.var;
  t->reduce_lanes = !t->lanes && t->most[reduce] >= LEAST_LANES &&
                    loads_side_by_side(e, t->store->store.value);
  e->lane = NULL;
  e->depth = depth;
  t->width = llvm__width_for(e, t->store);
  while (t->reduce_lanes && t->width > t->most[reduce])
    t->width /= 2;
  if (t->width < 2)
    t->lanes = t->reduce_lanes = false;
}

static bool add_point(struct llvm__emit *e, struct tile *t, const int64_t *at, int width)
{
  if (t->points == MOST_POINTS || t->points >= e->machine.registers - 3)
    return false;
  struct point *p = &t->point[t->points++];
  for (int i = 0; i < t->loops; i++)
    p->at[i] = at[i];
  p->width = width;
  return true;
}

/* The last loop in pieces of one vector each. The last piece may overlap the one before: what both
 * hold is the same. */
static bool add_row(struct llvm__emit *e, struct tile *t, int64_t *at)
{
  int last = t->loops - 1, width = t->lanes ? t->width : 1;
  if (last < t->reduces)
    return add_point(e, t, at, 1);
  while (width > t->most[last])
    width /= 2;
  for (int64_t from = 0; from < t->most[last]; from += width) {
    at[last] = from + width <= t->most[last] ? from : t->most[last] - width;
    if (!add_point(e, t, at, width))
      return false;
  }
  return true;
}

static bool add_points(struct llvm__emit *e, struct tile *t, int loop, int64_t *at)
{
  if (loop >= t->loops - 1)
    return add_row(e, t, at);
  for (at[loop] = 0; at[loop] < t->most[loop]; at[loop]++)
    if (!add_points(e, t, loop + 1, at))
      return false;
  return true;
}

static bool plan(struct llvm__emit *e, struct tile *t, const struct tir_stmt *s)
{
  int64_t at[MOST_LOOPS] = {0};
  if (!collect(t, s) || !sort_loops(t) ||
      llvm__reads(t->store->store.value, t->store->store.buffer))
    return false;
  for (int i = 0; i < t->loops; i++) {
    t->most[i] = llvm__most(e, t->loop[i]->f.extent);
    if (!t->most[i])
      return false;
  }
  choose_lanes(e, t);
  return add_points(e, t, t->reduces, at);
}

/* --- points ----------------------------------------------------------------------------------- */

static void enter(struct llvm__emit *e, const struct tile *t, const struct point *p,
                  struct llvm__scope *scope)
{
  for (int i = t->reduces; i < t->loops; i++) {
    int64_t last = p->at[i] + (i == t->loops - 1 ? p->width : 1) - 1;
    llvm__bind(e, t->loop[i]->f.var, p->at[i], last, llvm__i64(e, p->at[i]));
  }
  if (p->width > 1) {
    e->lane = t->loop[t->loops - 1]->f.var;
    e->width = p->width;
    e->varies = (struct tir__map){0};
  }
  llvm__scope_open(e, scope);
}

static void leave(struct llvm__emit *e, const struct tile *t)
{
  llvm__scope_close(e);
  e->lane = NULL;
  e->width = 1;
  e->depth -= t->loops - t->reduces;
}

static struct llvm__address address_of(struct llvm__emit *e, const struct tile *t)
{
  bool guarded;
  return llvm__address(e, t->store->store.buffer, t->store->store.index, &guarded);
}

static enum tsr_dtype dtype_of(const struct tile *t)
{
  return t->store->store.buffer->dtype;
}

/* What changes nothing. */
static LLVMValueRef neutral(struct llvm__emit *e, const struct tile *t)
{
  enum tsr_dtype dtype = dtype_of(t);
  LLVMTypeRef type = llvm__type(e, dtype);
  enum tir_combine c = t->store->store.combine;
  bool number = c == TIR_SUM || c == TIR_PRODUCT, sign = tsr_dtype_kind(dtype) == TSR_KIND_INT;
  unsigned bits = 8 * (unsigned)tsr_dtype_bytes(dtype);
  if (tir__is_float(dtype))
    return LLVMConstReal(type, number ? c == TIR_PRODUCT : c == TIR_MAXIMUM ? -INFINITY : INFINITY);
  if (number)
    return LLVMConstInt(type, c == TIR_PRODUCT, 0);
  uint64_t top = UINT64_C(1) << (bits - 1), all = (top - 1) | top;
  if (c == TIR_MAXIMUM)
    return LLVMConstInt(type, sign ? top : 0, 0);
  return LLVMConstInt(type, sign ? top - 1 : all, 0);
}

static void open_point(struct llvm__emit *e, const struct tile *t, struct point *p)
{
  struct llvm__scope scope;
  LLVMTypeRef type = llvm__memory_type(e, dtype_of(t));
  enter(e, t, p, &scope);
  p->sum = llvm__local(e, p->width > 1 ? llvm__lanes_of(e, type) : type, "sum");
  struct llvm__address at = address_of(e, t);
  LLVMBuildStore(e->builder, llvm__load_at(e, dtype_of(t), &at, false), p->sum);
  leave(e, t);
  if (!t->reduce_lanes)
    return;
  e->width = t->width;
  p->partial = llvm__local(e, llvm__lanes_of(e, type), "partial");
  LLVMBuildStore(e->builder, llvm__spread(e, neutral(e, t)), p->partial);
  e->width = 1;
}

static LLVMValueRef half_of(struct llvm__emit *e, LLVMValueRef v, int n, bool upper)
{
  LLVMValueRef lane[LLVM__MOST_LANES];
  for (int i = 0; i < n; i++)
    lane[i] = llvm__i32(e, i + (upper ? n : 0));
  return LLVMBuildShuffleVector(e->builder, v, LLVMGetPoison(LLVMTypeOf(v)),
                                LLVMConstVector(lane, (unsigned)n), "");
}

/* All lanes combined, halves at a time. */
static LLVMValueRef fold(struct llvm__emit *e, const struct tile *t, LLVMValueRef v)
{
  for (int n = t->width / 2; n; n /= 2)
    v = llvm__combine(e, t->store->store.combine, dtype_of(t), half_of(e, v, n, false),
                      half_of(e, v, n, true));
  return LLVMBuildExtractElement(e->builder, v, llvm__i32(e, 0), "");
}

static LLVMValueRef content(struct llvm__emit *e, LLVMValueRef local)
{
  return LLVMBuildLoad2(e->builder, LLVMGetAllocatedType(local), local, "");
}

static void close_point(struct llvm__emit *e, const struct tile *t, const struct point *p)
{
  struct llvm__scope scope;
  LLVMValueRef sum = content(e, p->sum);
  if (p->partial)
    sum = llvm__combine(e, t->store->store.combine, dtype_of(t), sum,
                        fold(e, t, content(e, p->partial)));
  enter(e, t, p, &scope);
  struct llvm__address at = address_of(e, t);
  llvm__store_at(e, dtype_of(t), &at, sum);
  leave(e, t);
}

static void add_to(struct llvm__emit *e, const struct tile *t, LLVMValueRef sum)
{
  tir_e x = t->store->store.value;
  LLVMValueRef old = content(e, sum), v;
  if (t->store->store.combine == TIR_SUM && x->op == TIR_MUL && tir__is_float(dtype_of(t)))
    v = llvm__multiply_add(e, llvm__value(e, x->arg[0]), llvm__value(e, x->arg[1]), old);
  else
    v = llvm__combine(e, t->store->store.combine, dtype_of(t), old, llvm__value(e, x));
  LLVMBuildStore(e->builder, v, sum);
}

/* One iteration of the reduction, or one in each lane. */
static void emit_points(struct llvm__emit *e, const struct tile *t, bool in_lanes)
{
  for (int i = 0; i < t->points; i++) {
    struct llvm__scope scope;
    const struct point *p = &t->point[i];
    enter(e, t, p, &scope);
    if (in_lanes) {
      e->lane = t->loop[t->reduces - 1]->f.var;
      e->width = t->width;
      e->varies = (struct tir__map){0};
    }
    add_to(e, t, in_lanes ? p->partial : p->sum);
    leave(e, t);
  }
}

/* --- loops ------------------------------------------------------------------------------------ */

static void emit_reduce(struct llvm__emit *e, const struct tile *t, int k);

static void emit_pass(struct llvm__emit *e, const struct tile *t, int k, LLVMValueRef from,
                      LLVMValueRef to, bool in_lanes)
{
  int64_t step = in_lanes ? t->width : 1;
  struct llvm__loop loop = llvm__loop_begin(e, from, to, step);
  llvm__bind(e, t->loop[k]->f.var, 0, t->most[k] - 1, loop.counter);
  if (k + 1 < t->reduces)
    emit_reduce(e, t, k + 1);
  else
    emit_points(e, t, in_lanes);
  llvm__unbind(e);
  llvm__loop_end(e, &loop, to, step);
}

static LLVMValueRef value_alone(struct llvm__emit *e, tir_e x)
{
  struct llvm__scope scope;
  llvm__scope_open(e, &scope);
  LLVMValueRef v = llvm__value(e, x);
  llvm__scope_close(e);
  return v;
}

static void emit_reduce(struct llvm__emit *e, const struct tile *t, int k)
{
  tir_e extent = t->loop[k]->f.extent;
  LLVMValueRef to = value_alone(e, extent), null = llvm__i64(e, 0);
  struct tir__fact fact = {
      .outer = e->facts, .var = tir_use(e->arena, t->loop[k]->f.var), .condition = extent};
  if (extent->op != TIR_INT)
    e->facts = &fact;
  if (t->reduce_lanes && k == t->reduces - 1) {
    LLVMValueRef whole = LLVMBuildAnd(e->builder, to, llvm__i64(e, -(int64_t)t->width), "");
    emit_pass(e, t, k, null, whole, true);
    emit_pass(e, t, k, whole, to, false);
  } else {
    emit_pass(e, t, k, null, to, false);
  }
  e->facts = fact.outer;
}

static void emit_whole(struct llvm__emit *e, struct tile *t)
{
  struct tir__fact fact[MOST_LOOPS];
  const struct tir__fact *outer = e->facts;
  for (int i = t->reduces; i < t->loops; i++) {
    fact[i] = (struct tir__fact){.outer = e->facts,
                                 .var = tir_use(e->arena, t->loop[i]->f.var),
                                 .condition = t->loop[i]->f.extent};
    if (t->loop[i]->f.extent->op != TIR_INT)
      e->facts = &fact[i];
  }
  for (int i = 0; i < t->points; i++)
    open_point(e, t, &t->point[i]);
  emit_reduce(e, t, 0);
  for (int i = 0; i < t->points; i++)
    close_point(e, t, &t->point[i]);
  e->facts = outer;
}

/* Where a tile at an end is smaller. NULL: never. */
static LLVMValueRef is_whole(struct llvm__emit *e, const struct tile *t)
{
  LLVMValueRef all = NULL;
  for (int i = t->reduces; i < t->loops; i++) {
    tir_e extent = t->loop[i]->f.extent;
    if (extent->op == TIR_INT)
      continue;
    LLVMValueRef one =
        LLVMBuildICmp(e->builder, LLVMIntEQ, value_alone(e, extent), llvm__i64(e, t->most[i]), "");
    all = all ? LLVMBuildAnd(e->builder, all, one, "") : one;
  }
  return all;
}

bool llvm__tile(struct llvm__emit *e, const struct tir_stmt *s)
{
  struct tile *t = TSR_NEW(e->arena, struct tile);
  if (e->untiled || !plan(e, t, s))
    return false;
  LLVMValueRef whole = is_whole(e, t);
  if (!whole) {
    emit_whole(e, t);
    return true;
  }
  LLVMBasicBlockRef then = llvm__block(e, "whole"), other = llvm__block(e, "part");
  LLVMBasicBlockRef done = llvm__block(e, "tiled");
  LLVMBuildCondBr(e->builder, whole, then, other);
  LLVMPositionBuilderAtEnd(e->builder, then);
  emit_whole(e, t);
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, other);
  e->untiled = true;
  llvm__for(e, s);
  e->untiled = false;
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
  return true;
}
