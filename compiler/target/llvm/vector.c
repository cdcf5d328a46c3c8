/* SPDX-License-Identifier: Apache-2.0 */
/* A loop in lanes: as many iterations at a time as a vector holds, then what is left in smaller
 * ones. Where a condition changes within the loop, it is cut, so that the long middle part of a
 * padded row needs no masks. */
#include "compiler/target/llvm/emit.h"

enum { MOST_STORES = 8, LEAST_LANES = 4 };

struct loop {
  const struct tir_stmt *s;
  int stores;
  const struct tir_stmt *store[MOST_STORES];
  int width;
};

/* --- which loops ------------------------------------------------------------------------------ */

static bool collect_stores(struct loop *l, const struct tir_stmt *s)
{
  if (s->kind == TIR_STORE && l->stores < MOST_STORES) {
    l->store[l->stores++] = s;
    return true;
  }
  if (s->kind != TIR_BLOCK)
    return false;
  for (int i = 0; i < s->block.count; i++)
    if (!collect_stores(l, s->block.stmt[i]))
      return false;
  return true;
}

/* Iterations may run side by side: none reads what another writes, all write side by side. */
static bool is_parallel(struct llvm__emit *e, const struct loop *l)
{
  for (int i = 0; i < l->stores; i++) {
    const struct tir_buffer *b = l->store[i]->store.buffer;
    int64_t step;
    if (!llvm__lane_step(e, b, l->store[i]->store.index, &step) || step != 1)
      return false;
    for (int k = 0; k < l->stores; k++) {
      if (llvm__reads(l->store[k]->store.value, b) || (k != i && l->store[k]->store.buffer == b))
        return false;
      for (int d = 0; d < l->store[k]->store.buffer->rank; d++)
        if (llvm__reads(l->store[k]->store.index[d], b))
          return false;
    }
  }
  return true;
}

/* Bytes of the widest element that is computed with; indices and their comparisons do not count. */
static size_t widest(tir_e x)
{
  size_t most = tsr_dtype_bytes((enum tsr_dtype)x->dtype);
  if (x->op == TIR_LOAD || (x->op >= TIR_LT && x->op <= TIR_NE && x->arg[0]->dtype == TSR_I64))
    return most;
  for (int i = 0; i < x->args; i++) {
    size_t one = widest(x->arg[i]);
    most = one > most ? one : most;
  }
  return most;
}

int llvm__width_for(struct llvm__emit *e, const struct tir_stmt *store)
{
  size_t bytes = tsr_dtype_bytes(store->store.buffer->dtype), value = widest(store->store.value);
  return e->machine.vector_bytes / (int)(value > bytes ? value : bytes);
}

/* --- emitting --------------------------------------------------------------------------------- */

static void emit_lanes(struct llvm__emit *e, const struct loop *l, int64_t lo, int64_t hi,
                       LLVMValueRef first, int width)
{
  llvm__bind(e, l->s->f.var, lo, hi, first);
  e->lane = width > 1 ? l->s->f.var : NULL;
  e->width = width;
  e->varies = (struct tir__map){0};
  for (int i = 0; i < l->stores; i++)
    llvm__store(e, l->store[i]);
  e->lane = NULL;
  e->width = 1;
  llvm__unbind(e);
}

/* Iterations from `from` up to `to`, both known. */
static void emit_part(struct llvm__emit *e, const struct loop *l, int64_t from, int64_t to)
{
  int64_t whole = from + (to - from) / l->width * l->width;
  if (whole > from) {
    struct llvm__loop loop = llvm__loop_begin(e, llvm__i64(e, from), llvm__i64(e, whole), l->width);
    emit_lanes(e, l, from, whole - 1, loop.counter, l->width);
    llvm__loop_end(e, &loop, llvm__i64(e, whole), l->width);
  }
  for (int width = l->width / 2; width; width /= 2)
    if ((to - whole) & width) {
      emit_lanes(e, l, whole, whole + width - 1, llvm__i64(e, whole), width);
      whole += width;
    }
}

static void emit_constant(struct llvm__emit *e, struct loop *l, int64_t extent)
{
  struct llvm__cuts cuts = {0};
  int64_t from = 0;
  for (int i = 0; i < l->stores; i++)
    llvm__cut_value(&cuts, l->store[i]->store.value, l->s->f.var, extent);
  for (int i = 0; i < cuts.n; i++) {
    emit_part(e, l, from, cuts.at[i]);
    from = cuts.at[i];
  }
  emit_part(e, l, from, extent);
}

/* The extent depends on loops around. */
static void emit_varying(struct llvm__emit *e, const struct loop *l, int64_t most)
{
  struct tir__fact fact = {
      .outer = e->facts, .var = tir_use(e->arena, l->s->f.var), .condition = l->s->f.extent};
  struct llvm__scope scope;
  llvm__scope_open(e, &scope);
  LLVMValueRef to = llvm__value(e, l->s->f.extent);
  llvm__scope_close(e);
  LLVMValueRef whole = LLVMBuildAnd(e->builder, to, llvm__i64(e, -(int64_t)l->width), "");
  e->facts = &fact;
  struct llvm__loop main = llvm__loop_begin(e, llvm__i64(e, 0), whole, l->width);
  emit_lanes(e, l, 0, most - 1, main.counter, l->width);
  llvm__loop_end(e, &main, whole, l->width);
  struct llvm__loop rest = llvm__loop_begin(e, whole, to, 1);
  emit_lanes(e, l, 0, most - 1, rest.counter, 1);
  llvm__loop_end(e, &rest, to, 1);
  e->facts = fact.outer;
}

bool llvm__vector(struct llvm__emit *e, const struct tir_stmt *s)
{
  struct loop l = {.s = s};
  int64_t most = llvm__most(e, s->f.extent);
  if (most < LEAST_LANES || !collect_stores(&l, s->f.body))
    return false;
  llvm__bind(e, s->f.var, 0, most - 1, NULL);
  e->lane = s->f.var;
  e->varies = (struct tir__map){0};
  bool parallel = is_parallel(e, &l);
  e->lane = NULL;
  llvm__unbind(e);
  l.width = LLVM__MOST_LANES;
  for (int i = 0; i < l.stores; i++) {
    int width = llvm__width_for(e, l.store[i]);
    l.width = width < l.width ? width : l.width;
  }
  while (l.width > most)
    l.width /= 2;
  if (!parallel || l.width < 2)
    return false;
  if (s->f.extent->op == TIR_INT)
    emit_constant(e, &l, most);
  else
    emit_varying(e, &l, most);
  return true;
}
