/* SPDX-License-Identifier: Apache-2.0 */
/* Where conditions change along a loop: `1 <= w and w < 57` is decided in each of three parts, and so is
 * `1 <= w + k and w + k < 57` where loops inside run over all k. */
#include "compiler/target/llvm/emit.h"

static void add_cut(struct llvm__cuts *c, int64_t at)
{
  int i = c->n;
  if (at <= 0 || at >= c->extent)
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

static int64_t floor_of(int64_t a, int64_t b)
{
  return a / b - (a % b < 0);
}

/* Iterations of a loop at most; -1: not known. */
static int64_t most_of(tir_e extent)
{
  for (int k = 0; extent->op == TIR_MIN && k < 2; k++)
    if (extent->arg[k]->op == TIR_INT)
      return extent->arg[k]->i;
  return extent->op == TIR_INT ? extent->i : -1;
}

/* The range of d without its variable: loops inside run over their extents. */
static bool rest_of(const struct llvm__cuts *c, const struct tir__linear *d, int64_t *lo,
                    int64_t *hi, int64_t *coefficient)
{
  *lo = *hi = d->constant;
  *coefficient = 0;
  for (int i = 0; i < d->n; i++) {
    const struct tir_var *var = d->atom[i]->op == TIR_VAR ? d->atom[i]->var : NULL;
    int k = 0;
    if (var == c->var) {
      *coefficient = d->coefficient[i];
      continue;
    }
    while (k < c->inner && c->inner_var[k] != var)
      k++;
    if (!var || k == c->inner)
      return false;
    int64_t far = d->coefficient[i] * (c->inner_most[k] - 1);
    *(far < 0 ? lo : hi) += far;
  }
  return *coefficient != 0;
}

/* y - x is n or more for all of the rest, or for none: from where on, up to where. In between, if
 * that is few iterations, each is a part. */
static void cut_comparison(struct llvm__cuts *c, tir_e x)
{
  struct tir__linear d = {.n = 0};
  int64_t lo, hi, k, n = x->op == TIR_LT, first, last;
  enum { FEW = 3 };
  if (!tir__linear_add(&d, x->arg[1], 1) || !tir__linear_add(&d, x->arg[0], -1) ||
      !rest_of(c, &d, &lo, &hi, &k))
    return;
  if (k > 0) {
    first = -floor_of(hi - n, k);
    last = -floor_of(lo - n, k);
  } else {
    first = floor_of(lo - n, -k) + 1;
    last = floor_of(hi - n, -k) + 1;
  }
  for (int64_t at = first; at < last && last - first <= FEW; at++)
    add_cut(c, at);
  add_cut(c, first);
  add_cut(c, last);
}

void llvm__cut_value(struct llvm__cuts *c, tir_e x)
{
  if ((x->op == TIR_LT || x->op == TIR_LE) && x->arg[0]->dtype == TSR_I64)
    cut_comparison(c, x);
  for (int i = 0; i < x->args; i++)
    llvm__cut_value(c, x->arg[i]);
}

static bool cut_loop(struct llvm__cuts *c, const struct tir_stmt *s)
{
  if (s->f.loop == TIR_PARALLEL || c->inner == LLVM__MOST_INNER || most_of(s->f.extent) < 0)
    return false;
  c->inner_var[c->inner] = s->f.var;
  c->inner_most[c->inner++] = most_of(s->f.extent);
  bool known = llvm__cut_stmt(c, s->f.body);
  c->inner--;
  return known;
}

bool llvm__cut_stmt(struct llvm__cuts *c, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: return cut_loop(c, s);
  case TIR_STORE: llvm__cut_value(c, s->store.value); return true;
  case TIR_ALLOC: return llvm__cut_stmt(c, s->alloc.body);
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      if (!llvm__cut_stmt(c, s->block.stmt[i]))
        return false;
    return true;
  default: return false;
  }
}
