/* SPDX-License-Identifier: Apache-2.0 */
/* Where conditions change along a loop: `1 <= w and w < 57` is decided in each of three parts. */
#include "compiler/target/llvm/emit.h"

static void add_cut(struct llvm__cuts *c, int64_t at, int64_t extent)
{
  int i = c->n;
  if (at <= 0 || at >= extent)
    return;
  for (int k = 0; k < c->n; k++)
    if (c->at[k] == at)
      return;
  if (c->n == LLVM__MOST_CUTS)
    return;
  for (c->n++; i > 0 && c->at[i - 1] > at; i--)
    c->at[i] = c->at[i - 1];
  c->at[i] = at;
}

/* x < y, or x <= y, changes once if y - x is the variable, or minus it, and a constant. */
static void cut_comparison(struct llvm__cuts *c, tir_e x, const struct tir_var *var, int64_t extent)
{
  struct tir__linear d = {.n = 0};
  if (!tir__linear_add(&d, x->arg[1], 1) || !tir__linear_add(&d, x->arg[0], -1) || d.n != 1 ||
      d.atom[0]->op != TIR_VAR || d.atom[0]->var != var)
    return;
  if (d.coefficient[0] == 1)
    add_cut(c, -d.constant + (x->op == TIR_LT), extent);
  else if (d.coefficient[0] == -1)
    add_cut(c, d.constant + (x->op == TIR_LE), extent);
}

void llvm__cut_value(struct llvm__cuts *c, tir_e x, const struct tir_var *var, int64_t extent)
{
  if ((x->op == TIR_LT || x->op == TIR_LE) && x->arg[0]->dtype == TSR_I64)
    cut_comparison(c, x, var, extent);
  for (int i = 0; i < x->args; i++)
    llvm__cut_value(c, x->arg[i], var, extent);
}

bool llvm__cut_stmt(struct llvm__cuts *c, const struct tir_stmt *s, const struct tir_var *var,
                    int64_t extent)
{
  switch (s->kind) {
  case TIR_FOR: return s->f.loop == TIR_SERIAL && llvm__cut_stmt(c, s->f.body, var, extent);
  case TIR_STORE:
    llvm__cut_value(c, s->store.value, var, extent);
    return s->store.combine == TIR_ASSIGN;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      if (!llvm__cut_stmt(c, s->block.stmt[i], var, extent))
        return false;
    return true;
  default: return false;
  }
}
