/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of index expressions while some loops run.
 *
 * A sum is bounded by eliminating the running variables from the innermost outwards, each replaced
 * by its last value (extent - 1) or by 0, as its factor's sign asks. An extent may be min(9, 56 - 9
 * * o): for an upper bound any one arm of a min will do, so both are tried with the whole sum,
 * where o cancels, and the better result is taken. */
#include "compiler/tir/region.h"
#include "compiler/tir/region_sum.h"

enum { MAX_ARMS = 8 }; /* nested choices between arms; beyond, atoms are bounded alone */

struct elimination {
  struct tir__ranges *ranges;
  const bool *keep;
};

static bool runs(const struct elimination *e, tir_e x)
{
  if (x->op == TIR_VAR) {
    int k = tir__ranges_find(e->ranges, x->var);
    return k < 0 || !e->keep || !e->keep[k];
  }
  bool found = x->op == TIR_LOAD;
  for (int k = 0; k < x->args && !found; k++)
    found = runs(e, x->arg[k]);
  return found;
}

static tir_e bound_sum(const struct elimination *e, const struct tir__sum *s, bool upper,
                       int depth);

static tir_e bound_expr(const struct elimination *e, tir_e x, bool upper, int depth)
{
  struct tir__sum s = {0};
  tir__sum_add(&s, x, 1);
  return s.full ? NULL : bound_sum(e, &s, upper, depth);
}

static tir_e lesser(const struct elimination *e, bool least, tir_e a, tir_e b)
{
  return least ? tir__min(e->ranges, a, b) : tir__max(e->ranges, a, b);
}

/* Of two bounds of the same thing the tighter one. */
static tir_e tighter(const struct elimination *e, tir_e a, tir_e b, bool upper)
{
  return !a ? b : !b ? a : lesser(e, upper, a, b);
}

/* Of bounds of two things one that holds for both. */
static tir_e looser(const struct elimination *e, tir_e a, tir_e b, bool upper)
{
  return !a || !b ? NULL : lesser(e, !upper, a, b);
}

/* A running atom alone. */
static tir_e bound_atom(const struct elimination *e, tir_e x, bool upper, int depth)
{
  struct tsr_arena *a = e->ranges->arena;
  bool by_constant = x->args == 2 && x->arg[1]->op == TIR_INT && x->arg[1]->i > 0;
  switch (x->op) {
  case TIR_MIN:
  case TIR_MAX: {
    tir_e p = bound_expr(e, x->arg[0], upper, depth), q = bound_expr(e, x->arg[1], upper, depth);
    return (x->op == TIR_MIN) == upper ? tighter(e, p, q, upper) : looser(e, p, q, upper);
  }
  case TIR_SELECT:
    return looser(e, bound_expr(e, x->arg[1], upper, depth), bound_expr(e, x->arg[2], upper, depth),
                  upper);
  case TIR_FMOD:
    return by_constant ? tir_index(a, upper ? x->arg[1]->i - 1 : 0) : NULL;
  case TIR_FDIV: {
    tir_e p = by_constant ? bound_expr(e, x->arg[0], upper, depth) : NULL;
    return p ? tir__simplify(e->ranges, tir_binary(a, TIR_FDIV, p, x->arg[1])) : NULL;
  }
  default:
    return NULL;
  }
}

/* The sum with term k's atom replaced by x. */
static struct tir__sum replaced(const struct tir__sum *s, int k, tir_e x)
{
  struct tir__sum t = *s;
  int64_t factor = t.term[k].factor;
  t.term[k] = t.term[--t.terms];
  tir__sum_add(&t, x, factor);
  return t;
}

static tir_e bound_replaced(const struct elimination *e, const struct tir__sum *s, int k, tir_e x,
                            bool upper, int depth)
{
  struct tir__sum t = replaced(s, k, x);
  return t.full ? NULL : bound_sum(e, &t, upper, depth);
}

/* A running min or max of which either arm bounds the sum; -1: none. */
static int find_choice(const struct elimination *e, const struct tir__sum *s, bool upper)
{
  for (int k = 0; k < s->terms; k++) {
    tir_e x = s->term[k].atom;
    bool above = upper == (s->term[k].factor > 0);
    if (((x->op == TIR_MIN && above) || (x->op == TIR_MAX && !above)) && runs(e, x))
      return k;
  }
  return -1;
}

/* The term of the innermost running variable; -1: none. */
static int find_innermost(const struct elimination *e, const struct tir__sum *s, int *range)
{
  int found = -1;
  *range = -1;
  for (int k = 0; k < s->terms; k++) {
    if (s->term[k].atom->op != TIR_VAR)
      continue;
    int id = tir__ranges_find(e->ranges, s->term[k].atom->var);
    if (id > *range && (!e->keep || !e->keep[id])) {
      found = k;
      *range = id;
    }
  }
  return found;
}

static tir_e bound_sum(const struct elimination *e, const struct tir__sum *s, bool upper, int depth)
{
  struct tsr_arena *a = e->ranges->arena;
  int range, k = depth < MAX_ARMS ? find_choice(e, s, upper) : -1;
  if (k >= 0) {
    tir_e x = s->term[k].atom;
    return tighter(e, bound_replaced(e, s, k, x->arg[0], upper, depth + 1),
                   bound_replaced(e, s, k, x->arg[1], upper, depth + 1), upper);
  }
  if ((k = find_innermost(e, s, &range)) >= 0) {
    bool last = upper == (s->term[k].factor > 0);
    tir_e extent = e->ranges->range[range].extent;
    tir_e x = last ? tir__sum(e->ranges, extent, tir_index(a, 1), -1) : tir_index(a, 0);
    return bound_replaced(e, s, k, x, upper, depth);
  }
  for (k = 0; k < s->terms; k++) {
    if (!runs(e, s->term[k].atom))
      continue;
    tir_e x = bound_atom(e, s->term[k].atom, upper == (s->term[k].factor > 0), depth);
    return x ? bound_replaced(e, s, k, x, upper, depth) : NULL;
  }
  return tir__sum_expr(a, s);
}

tir_e tir__bound(struct tir__ranges *r, tir_e x, bool upper, const bool *keep)
{
  struct elimination e = {r, keep};
  return bound_expr(&e, x, upper, 0);
}

int64_t tir__bound_int(struct tir__ranges *r, tir_e x, bool upper, int64_t otherwise)
{
  if (x->op == TIR_INT)
    return x->i;
  tir_e bound = tir__bound(r, x, upper, NULL);
  return bound && bound->op == TIR_INT ? bound->i : otherwise;
}
