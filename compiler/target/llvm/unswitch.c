/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions out of loops. Padding of a copy,
 *
 *   for w { for i { y[w, i] = select(0 <= h and h < 56 and (0 <= w and w < 56), x[i, h, w], 0) } }
 *
 * is in rows that are padding altogether, and in columns: what the loops don't change is asked before them.
 * What is left is a condition on columns, at which loops are cut. */
#include "compiler/target/llvm/emit.h"

enum { MOST_LOOPS = 8 };

struct nest {
  int loops;
  const struct tir_stmt *loop[MOST_LOOPS];
  const struct tir_stmt *store;
};

static bool find(struct nest *n, const struct tir_stmt *s)
{
  for (; s->kind == TIR_FOR; s = s->f.body) {
    if (n->loops == MOST_LOOPS || s->f.loop != TIR_SERIAL)
      return false;
    n->loop[n->loops++] = s;
  }
  n->store = s;
  return s->kind == TIR_STORE && s->store.combine == TIR_ASSIGN && s->store.value->op == TIR_SELECT;
}

static bool is_invariant(const struct nest *n, tir_e x)
{
  for (int k = 0; k < n->loops; k++)
    if (llvm__uses(x, n->loop[k]->f.var))
      return false;
  return true;
}

/* Parts in `and` that are invariant and not known go to *before, the others to *inside; NULL: none. */
static void part(struct llvm__emit *e, const struct nest *n, tir_e x, tir_e *before, tir_e *inside)
{
  if (x->op == TIR_AND) {
    part(e, n, x->arg[0], before, inside);
    part(e, n, x->arg[1], before, inside);
    return;
  }
  bool invariant = is_invariant(n, x);
  tir_e *to = invariant ? before : inside;
  if (!invariant || llvm__decided(e, x) < 0)
    *to = *to ? tir_binary(e->arena, TIR_AND, *to, x) : x;
}

/* The nest with another value stored. */
static const struct tir_stmt *with_value(struct llvm__emit *e, const struct nest *n, tir_e value)
{
  struct tir_stmt *s = TSR_NEW(e->arena, struct tir_stmt);
  *s = *n->store;
  s->store.value = value;
  for (int k = n->loops; k-- > 0;) {
    struct tir_stmt *loop = TSR_NEW(e->arena, struct tir_stmt);
    *loop = *n->loop[k];
    loop->f.body = s;
    s = loop;
  }
  return s;
}

bool llvm__unswitch(struct llvm__emit *e, const struct tir_stmt *s)
{
  struct nest n = {.loops = 0};
  tir_e before = NULL, inside = NULL;
  if (e->machine.lanes || !find(&n, s))
    return false;
  const tir_e *arg = n.store->store.value->arg;
  if (llvm__decided(e, arg[0]) >= 0)
    return false;
  part(e, &n, arg[0], &before, &inside);
  if (!before)
    return false;
  tir_e value[2] = {inside ? tir_select(e->arena, inside, arg[1], arg[2]) : arg[1], arg[2]};
  LLVMBasicBlockRef way[2] = {llvm__block(e, "inside"), llvm__block(e, "around")};
  LLVMBasicBlockRef done = llvm__block(e, "chosen");
  struct tir__fact fact = {.outer = e->facts, .condition = before};
  LLVMBuildCondBr(e->builder, llvm__value_alone(e, before), way[0], way[1]);
  for (int k = 0; k < 2; k++) {
    LLVMPositionBuilderAtEnd(e->builder, way[k]);
    e->facts = k ? fact.outer : &fact;
    llvm__stmt(e, with_value(e, &n, value[k]));
    LLVMBuildBr(e->builder, done);
  }
  e->facts = fact.outer;
  LLVMPositionBuilderAtEnd(e->builder, done);
  return true;
}
