/* SPDX-License-Identifier: Apache-2.0 */
/* The points of a tile: registers of results, from their first value to their last. */
#include <math.h>

#include "compiler/target/llvm/tile.h"

/* --- which points ----------------------------------------------------------------------------- */

int llvm__tile_registers(struct llvm__emit *e, const struct llvm__tile *t)
{
  int sum = 0;
  for (int i = 0; i < t->points; i++) {
    int bytes = t->point[i].width * (int)tsr_dtype_bytes(t->out->dtype);
    sum += (bytes + e->machine.vector_bytes - 1) / e->machine.vector_bytes;
  }
  return sum;
}

static bool add_point(struct llvm__tile *t, const int64_t *at, int width)
{
  if (t->points == LLVM__TILE_POINTS)
    return false;
  struct llvm__point *p = &t->point[t->points++];
  for (int i = 0; i < t->loops; i++)
    p->at[i] = at[i];
  p->width = width;
  return true;
}

/* The last loop in pieces of one vector each. The last piece may overlap the one before: what both
 * hold is the same. */
static bool add_row(struct llvm__tile *t, int64_t *at)
{
  int last = t->loops - 1, width = t->width;
  while (width > t->most[last])
    width /= 2;
  for (int64_t from = 0; from < t->most[last]; from += width) {
    at[last] = from + width <= t->most[last] ? from : t->most[last] - width;
    if (!add_point(t, at, width))
      return false;
  }
  return true;
}

static bool add_points(struct llvm__tile *t, int loop, int64_t *at)
{
  if (loop == t->loops)
    return add_point(t, at, t->leaf->kind == TIR_CALL ? t->width : 1);
  if (loop == t->loops - 1 && t->lanes)
    return add_row(t, at);
  for (at[loop] = 0; at[loop] < t->most[loop]; at[loop]++)
    if (!add_points(t, loop + 1, at))
      return false;
  return true;
}

bool llvm__tile_points(struct llvm__tile *t)
{
  int64_t at[LLVM__TILE_LOOPS] = {0};
  t->points = 0;
  return add_points(t, t->reduces, at);
}

/* --- one point -------------------------------------------------------------------------------- */

static void enter(struct llvm__emit *e, const struct llvm__tile *t, const struct llvm__point *p,
                  struct llvm__scope *scope)
{
  for (int i = t->reduces; i < t->loops; i++) {
    int64_t more = t->lanes && i == t->loops - 1 ? p->width - 1 : 0;
    llvm__bind(e, t->loop[i]->f.var, p->at[i], p->at[i] + more, llvm__i64(e, p->at[i]));
  }
  if (t->lanes && p->width > 1) {
    e->lane = t->loop[t->loops - 1]->f.var;
    e->width = p->width;
    e->varies = (struct tir__map){0};
  }
  llvm__scope_open(e, scope);
}

static void leave(struct llvm__emit *e, const struct llvm__tile *t)
{
  llvm__scope_close(e);
  e->lane = NULL;
  e->width = 1;
  e->depth -= t->loops - t->reduces;
}

static enum tsr_dtype dtype_of(const struct llvm__tile *t)
{
  return t->out->dtype;
}

static LLVMTypeRef type_of(struct llvm__emit *e, const struct llvm__tile *t, int width)
{
  LLVMTypeRef one = llvm__memory_type(e, dtype_of(t));
  return width > 1 ? LLVMVectorType(one, (unsigned)width) : one;
}

static struct llvm__address address_of(struct llvm__emit *e, const struct llvm__tile *t)
{
  bool guarded;
  return llvm__address(e, t->out, t->index, &guarded);
}

/* What is in memory now. */
static LLVMValueRef stored(struct llvm__emit *e, const struct llvm__tile *t,
                           const struct llvm__point *p)
{
  struct llvm__address at = address_of(e, t);
  if (t->leaf->kind == TIR_STORE)
    return llvm__load_at(e, dtype_of(t), &at, false);
  LLVMValueRef v = LLVMBuildLoad2(e->builder, type_of(e, t, p->width), at.pointer, "");
  LLVMSetAlignment(v, (unsigned)tsr_dtype_bytes(dtype_of(t)));
  return v;
}

static LLVMValueRef initial(struct llvm__emit *e, const struct llvm__tile *t)
{
  tir_e with[LLVM__TILE_LOOPS];
  int n = t->loops - t->reduces;
  for (int i = 0; i < n; i++)
    with[i] = tir_use(e->arena, t->loop[t->reduces + i]->f.var);
  return llvm__value(e, tir_substitute(e->arena, t->init->store.value, n, t->init_var, with));
}

/* A call that may be the first of its reduction: all sums that an intrinsic starts, start with 0. */
static LLVMValueRef started(struct llvm__emit *e, const struct llvm__tile *t,
                            const struct llvm__point *p)
{
  const struct tir_var *var[LLVM__TILE_LOOPS];
  tir_e zero[LLVM__TILE_LOOPS];
  for (int i = 0; i < t->reduces; i++) {
    var[i] = t->loop[i]->f.var;
    zero[i] = tir_index(e->arena, 0);
  }
  LLVMValueRef null = LLVMConstNull(type_of(e, t, p->width));
  tir_e first = tir_substitute(e->arena, t->leaf->call.first, t->reduces, var, zero);
  if (tir__is_int(first, 1))
    return null;
  return LLVMBuildSelect(e->builder, llvm__value(e, first), null, stored(e, t, p), "");
}

static LLVMValueRef first_value(struct llvm__emit *e, const struct llvm__tile *t,
                                const struct llvm__point *p)
{
  if (t->init) {
    LLVMValueRef v = initial(e, t);
    return t->lanes && p->width > 1 ? llvm__spread(e, v) : v;
  }
  return t->leaf->kind == TIR_CALL && t->leaf->call.init ? started(e, t, p) : stored(e, t, p);
}

void llvm__tile_open(struct llvm__emit *e, const struct llvm__tile *t, struct llvm__point *p)
{
  struct llvm__scope scope;
  enter(e, t, p, &scope);
  p->sum = llvm__local(e, type_of(e, t, p->width), "sum");
  LLVMBuildStore(e->builder, first_value(e, t, p), p->sum);
  leave(e, t);
  p->partial = NULL;
  if (!t->reduce_lanes)
    return;
  e->width = t->width;
  p->partial = llvm__local(e, type_of(e, t, t->width), "partial");
  LLVMBuildStore(e->builder, llvm__spread(e, llvm__neutral(e, t->combine, dtype_of(t))),
                 p->partial);
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
static LLVMValueRef fold(struct llvm__emit *e, const struct llvm__tile *t, LLVMValueRef v)
{
  for (int n = t->width / 2; n; n /= 2)
    v = llvm__combine(e, t->combine, dtype_of(t), half_of(e, v, n, false), half_of(e, v, n, true));
  return LLVMBuildExtractElement(e->builder, v, llvm__i32(e, 0), "");
}

static LLVMValueRef content(struct llvm__emit *e, LLVMValueRef local)
{
  return LLVMBuildLoad2(e->builder, LLVMGetAllocatedType(local), local, "");
}

void llvm__tile_close(struct llvm__emit *e, const struct llvm__tile *t, const struct llvm__point *p)
{
  struct llvm__scope scope;
  LLVMValueRef sum = content(e, p->sum);
  if (p->partial)
    sum = llvm__combine(e, t->combine, dtype_of(t), sum, fold(e, t, content(e, p->partial)));
  enter(e, t, p, &scope);
  struct llvm__address at = address_of(e, t);
  llvm__store_at(e, dtype_of(t), &at, sum);
  leave(e, t);
}

static void add_to(struct llvm__emit *e, const struct llvm__tile *t, LLVMValueRef sum)
{
  LLVMValueRef old = content(e, sum), v;
  if (t->leaf->kind == TIR_CALL) {
    LLVMBuildStore(e->builder, e->step(e, t->leaf, old), sum);
    return;
  }
  tir_e x = t->leaf->store.value;
  if (t->combine == TIR_SUM && x->op == TIR_MUL && tir__is_float(dtype_of(t)))
    v = llvm__multiply_add(e, llvm__value(e, x->arg[0]), llvm__value(e, x->arg[1]), old);
  else
    v = llvm__combine(e, t->combine, dtype_of(t), old, llvm__value(e, x));
  LLVMBuildStore(e->builder, v, sum);
}

void llvm__tile_step(struct llvm__emit *e, const struct llvm__tile *t, bool in_lanes)
{
  for (int i = 0; i < t->points; i++) {
    struct llvm__scope scope;
    const struct llvm__point *p = &t->point[i];
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
