/* SPDX-License-Identifier: Apache-2.0 */
/* Rewriting expressions into normal form. Bounds are in region_bound.c. */
#include "compiler/tir/region.h"

#include <string.h>

#include "compiler/tir/region_sum.h"

int tir__ranges_add(struct tir__ranges *r, const struct tir_var *var, tir_e extent)
{
  r->range = TSR_GROW(r->arena, r->range, r->count, &r->capacity);
  r->range[r->count] = (struct tir__running){var, extent};
  return (int)r->count++;
}

int tir__ranges_find(const struct tir__ranges *r, const struct tir_var *var)
{
  for (int k = (int)r->count - 1; k >= 0; k--)
    if (r->range[k].var == var)
      return k;
  return -1;
}

bool tir__has_load(tir_e x)
{
  bool found = x->op == TIR_LOAD;
  for (int k = 0; k < x->args && !found; k++)
    found = tir__has_load(x->arg[k]);
  return found;
}

/* --- sums ------------------------------------------------------------------------------------- */

void tir__sum_term(struct tir__sum *s, tir_e atom, int64_t factor)
{
  for (int k = 0; k < s->terms; k++) {
    if (!tir_same(s->term[k].atom, atom))
      continue;
    s->term[k].factor += factor;
    if (s->term[k].factor == 0)
      memmove(&s->term[k], &s->term[k + 1], (size_t)(--s->terms - k) * sizeof s->term[0]);
    return;
  }
  if (s->terms == TIR__SUM_TERMS)
    s->full = true;
  else if (factor)
    s->term[s->terms++] = (struct tir__term){atom, factor};
}

void tir__sum_add(struct tir__sum *s, tir_e x, int64_t factor)
{
  if (x->op == TIR_INT) {
    s->constant += factor * x->i;
  } else if (x->op == TIR_ADD || x->op == TIR_SUB) {
    tir__sum_add(s, x->arg[0], factor);
    tir__sum_add(s, x->arg[1], x->op == TIR_ADD ? factor : -factor);
  } else if (x->op == TIR_MUL && x->arg[1]->op == TIR_INT) {
    tir__sum_add(s, x->arg[0], factor * x->arg[1]->i);
  } else if (x->op == TIR_MUL && x->arg[0]->op == TIR_INT) {
    tir__sum_add(s, x->arg[1], factor * x->arg[0]->i);
  } else {
    tir__sum_term(s, x, factor);
  }
}

static tir_e scaled(struct tsr_arena *a, tir_e atom, int64_t factor)
{
  return factor == 1 ? atom : tir_binary(a, TIR_MUL, atom, tir_index(a, factor));
}

/* Positive terms first, so that text reads "56 - oh.o * 7"; the constant last unless nothing else
 * leads. */
tir_e tir__sum_expr(struct tsr_arena *a, const struct tir__sum *s)
{
  tir_e x = NULL;
  int64_t constant = s->constant;
  for (int k = 0; k < s->terms; k++)
    if (s->term[k].factor > 0) {
      tir_e t = scaled(a, s->term[k].atom, s->term[k].factor);
      x = x ? tir_binary(a, TIR_ADD, x, t) : t;
    }
  if (!x) {
    x = tir_index(a, constant);
    constant = 0;
  }
  for (int k = 0; k < s->terms; k++)
    if (s->term[k].factor < 0)
      x = tir_binary(a, TIR_SUB, x, scaled(a, s->term[k].atom, -s->term[k].factor));
  return tir_binary(a, TIR_ADD, x, tir_index(a, constant));
}

static void drop_term(struct tir__sum *s, int k)
{
  memmove(&s->term[k], &s->term[k + 1], (size_t)(--s->terms - k) * sizeof s->term[0]);
}

/* Whether term k is c * f * floordiv(x, c) where term i is f * floormod(x, c). */
static bool is_quotient_of(const struct tir__sum *s, int k, int i)
{
  tir_e q = s->term[k].atom, m = s->term[i].atom;
  return q->op == TIR_FDIV && m->op == TIR_FMOD && m->arg[1]->op == TIR_INT &&
         tir_same(q->arg[1], m->arg[1]) && s->term[k].factor == s->term[i].factor * m->arg[1]->i &&
         tir_same(q->arg[0], m->arg[0]);
}

/* c * floordiv(x, c) + floormod(x, c) = x */
static void join_quotients(struct tir__sum *s)
{
  for (int k = 0; k < s->terms; k++)
    for (int i = 0; i < s->terms; i++) {
      if (!is_quotient_of(s, k, i))
        continue;
      tir_e x = s->term[k].atom->arg[0];
      int64_t factor = s->term[i].factor;
      drop_term(s, k > i ? k : i);
      drop_term(s, k > i ? i : k);
      tir__sum_add(s, x, factor);
      i = k = -1;
      break;
    }
}

tir_e tir__sum(struct tir__ranges *r, tir_e a, tir_e b, int64_t factor)
{
  struct tir__sum s = {0};
  tir__sum_add(&s, a, 1);
  tir__sum_add(&s, b, factor);
  join_quotients(&s);
  if (s.full)
    return tir_binary(r->arena, TIR_ADD, a, scaled(r->arena, b, factor));
  return tir__sum_expr(r->arena, &s);
}

/* --- what folds when ranges are known --------------------------------------------------------- */

/* True when a - b is provably at most `limit` while all loops run. */
static bool at_most(struct tir__ranges *r, tir_e a, tir_e b, int64_t limit)
{
  return tir__bound_int(r, tir__sum(r, a, b, -1), true, INT64_MAX) <= limit;
}

/* The terms that both sums have. */
static struct tir__sum shared_terms(tir_e a, tir_e b)
{
  struct tir__sum x = {0}, y = {0}, both = {0};
  tir__sum_add(&x, a, 1);
  tir__sum_add(&y, b, 1);
  for (int i = 0; i < x.terms && !x.full && !y.full; i++)
    for (int k = 0; k < y.terms; k++)
      if (x.term[i].factor == y.term[k].factor && tir_same(x.term[i].atom, y.term[k].atom))
        tir__sum_term(&both, x.term[i].atom, x.term[i].factor);
  return both;
}

/* min(x + a, x + b) = x + min(a, b) */
static tir_e extremum(struct tir__ranges *r, enum tir_op op, tir_e a, tir_e b)
{
  if (!tir__has_load(a) && !tir__has_load(b)) {
    if (at_most(r, a, b, 0))
      return op == TIR_MIN ? a : b;
    if (at_most(r, b, a, 0))
      return op == TIR_MIN ? b : a;
  }
  struct tir__sum both = shared_terms(a, b);
  if (!both.terms)
    return tir_binary(r->arena, op, a, b);
  tir_e x = tir__sum_expr(r->arena, &both);
  return tir__sum(r, x, tir_binary(r->arena, op, tir__sum(r, a, x, -1), tir__sum(r, b, x, -1)), 1);
}

tir_e tir__min(struct tir__ranges *r, tir_e a, tir_e b)
{
  return extremum(r, TIR_MIN, a, b);
}

tir_e tir__max(struct tir__ranges *r, tir_e a, tir_e b)
{
  return extremum(r, TIR_MAX, a, b);
}

static int64_t floor_of(int64_t x, int64_t c)
{
  return x / c - (x % c < 0);
}

/* Whether z is in one and the same multiple of c while all loops run. */
static bool same_quotient(struct tir__ranges *r, tir_e z, int64_t c, int64_t *quotient)
{
  int64_t least = tir__bound_int(r, z, false, INT64_MIN);
  int64_t greatest = tir__bound_int(r, z, true, INT64_MAX);
  *quotient = floor_of(least, c);
  return *quotient == floor_of(greatest, c);
}

static int64_t common(int64_t a, int64_t b)
{
  for (a = a < 0 ? -a : a; b; b = b < 0 ? -b : b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* z as g * y + rest with g > 1 a divisor of c, not c itself, and 0 <= rest < g; 0: there is no such
 * g. All divide a c of 0. */
static int64_t common_part(struct tir__ranges *r, const struct tir__sum *z, int64_t c,
                           struct tir__sum *y, tir_e *rest)
{
  for (int i = 0; i < z->terms; i++) {
    struct tir__sum big = {0}, small = {0};
    int64_t g = common(z->term[i].factor, c);
    big.constant = floor_of(z->constant, g);
    small.constant = z->constant - big.constant * g;
    for (int k = 0; k < z->terms; k++) {
      bool divides = z->term[k].factor % g == 0;
      tir__sum_term(divides ? &big : &small, z->term[k].atom,
                    z->term[k].factor / (divides ? g : 1));
    }
    *rest = tir__sum_expr(r->arena, &small);
    if (g > 1 && g != c && tir__bound_int(r, *rest, false, -1) >= 0 &&
        tir__bound_int(r, *rest, true, g) < g) {
      *y = big;
      return g;
    }
  }
  return 0;
}

static tir_e divided(struct tir__ranges *r, enum tir_op op, tir_e x, tir_e by);

/* Of z, no term of which c divides: floordiv(g * y + rest, g * d) = floordiv(y, d), and
 * floormod(g * y + rest, g * d) = g * floormod(y, d) + rest. */
static tir_e divided_rest(struct tir__ranges *r, enum tir_op op, tir_e z, tir_e by)
{
  struct tir__sum s = {0}, y;
  tir_e rest;
  tir__sum_add(&s, z, 1);
  int64_t g = s.full ? 0 : common_part(r, &s, by->i, &y, &rest);
  if (!g)
    return tir_binary(r->arena, op, z, by);
  tir_e q = divided(r, op, tir__sum_expr(r->arena, &y), tir_index(r->arena, by->i / g));
  return op == TIR_FDIV ? q : tir__sum(r, rest, q, g);
}

/* floordiv(c * y + z, c) = y + floordiv(z, c), and floormod(c * y + z, c) = floormod(z, c). */
static tir_e divided(struct tir__ranges *r, enum tir_op op, tir_e x, tir_e by)
{
  struct tir__sum s = {0}, whole = {0}, rest = {0};
  int64_t c = by->op == TIR_INT ? by->i : 0, quotient;
  tir__sum_add(&s, x, 1);
  if (c <= 0 || s.full || tir__has_load(x))
    return tir_binary(r->arena, op, x, by);
  whole.constant = floor_of(s.constant, c);
  rest.constant = s.constant - whole.constant * c;
  for (int k = 0; k < s.terms; k++) {
    bool divides = s.term[k].factor % c == 0;
    tir__sum_term(divides ? &whole : &rest, s.term[k].atom, s.term[k].factor / (divides ? c : 1));
  }
  tir_e z = tir__sum_expr(r->arena, &rest), y = tir__sum_expr(r->arena, &whole);
  bool known = same_quotient(r, z, c, &quotient);
  if (op == TIR_FDIV)
    return tir__sum(r, y, known ? tir_index(r->arena, quotient) : divided_rest(r, op, z, by), 1);
  return known ? tir__sum(r, z, by, -quotient) : divided_rest(r, op, z, by);
}

/* g * y + rest < 0, where 0 <= rest < g, is y < 0. */
static tir_e less(struct tir__ranges *r, tir_e a, tir_e b)
{
  struct tir__sum s = {0}, y;
  tir_e rest;
  tir__sum_add(&s, a, 1);
  tir__sum_add(&s, b, -1);
  if (s.full || !common_part(r, &s, 0, &y, &rest) || rest->op == TIR_INT)
    return tir_binary(r->arena, TIR_LT, a, b);
  int64_t constant = y.constant;
  y.constant = 0;
  return tir_binary(r->arena, TIR_LT, tir__sum_expr(r->arena, &y), tir_index(r->arena, -constant));
}

/* Comparisons of index arithmetic that always hold, or never. */
static tir_e compared(struct tir__ranges *r, tir_e x, const tir_e *arg)
{
  tir_e a = arg[0], b = arg[1];
  if (a->dtype == TSR_I64 && !tir__has_load(a) && !tir__has_load(b)) {
    bool before = at_most(r, a, b, -1), more = at_most(r, b, a, -1);
    switch (x->op) {
    case TIR_LT:
      if (before || at_most(r, b, a, 0))
        return tir_int(r->arena, TSR_BOOL, before);
      return less(r, a, b);
    case TIR_LE:
      if (more || at_most(r, a, b, 0))
        return tir_int(r->arena, TSR_BOOL, !more);
      break;
    default: /* EQ, NE */
      if (before || more)
        return tir_int(r->arena, TSR_BOOL, x->op == TIR_NE);
    }
  }
  return tir_binary(r->arena, x->op, a, b);
}

/* --- rewriting -------------------------------------------------------------------------------- */

static tir_e rewrite_var(const struct tir__rewriter *w, tir_e x)
{
  for (int k = 0; k < w->vars; k++)
    if (w->var[k] == x->var)
      return w->with[k];
  return x;
}

static tir_e rebuilt_index(struct tir__ranges *r, tir_e x, const tir_e *arg)
{
  tir_e zero = tir_index(r->arena, 0);
  switch (x->op) {
  case TIR_ADD:
  case TIR_SUB: return tir__sum(r, arg[0], arg[1], x->op == TIR_ADD ? 1 : -1);
  case TIR_MUL:
    if (arg[1]->op == TIR_INT)
      return tir__sum(r, zero, arg[0], arg[1]->i);
    if (arg[0]->op == TIR_INT)
      return tir__sum(r, zero, arg[1], arg[0]->i);
    break;
  case TIR_MIN:
  case TIR_MAX: return extremum(r, x->op, arg[0], arg[1]);
  case TIR_FDIV:
  case TIR_FMOD: return divided(r, x->op, arg[0], arg[1]);
  }
  return tir_binary(r->arena, x->op, arg[0], arg[1]);
}

/* x's operation on other arguments. */
static tir_e rebuilt(struct tir__ranges *r, tir_e x, const tir_e *arg)
{
  switch (x->op) {
  case TIR_LOAD: return tir_load(r->arena, x->buffer, arg);
  case TIR_CAST: return tir_cast(r->arena, x->dtype, arg[0]);
  case TIR_SELECT: return tir_select(r->arena, arg[0], arg[1], arg[2]);
  case TIR_QUANT: return tir_quant(r->arena, arg[0], arg[1], arg[2], arg[3]);
  case TIR_LT:
  case TIR_LE:
  case TIR_EQ:
  case TIR_NE: return compared(r, x, arg);
  }
  if (x->args == 1)
    return tir_unary(r->arena, x->op, arg[0]);
  if (x->dtype == TSR_I64)
    return rebuilt_index(r, x, arg);
  return tir_binary(r->arena, x->op, arg[0], arg[1]);
}

tir_e tir__rewrite(struct tir__rewriter *w, tir_e x)
{
  if (x->op == TIR_VAR)
    return rewrite_var(w, x);
  if (x->args == 0 && x->op != TIR_LOAD)
    return x;
  tir_e arg[TSR_MAX_RANK], y = tir__map_get(&w->done, x);
  if (y)
    return y;
  for (int k = 0; k < x->args; k++)
    arg[k] = tir__rewrite(w, x->arg[k]);
  y = rebuilt(w->ranges, x, arg);
  if (x->op == TIR_LOAD && w->load)
    y = w->load(w->context, y);
  tir__map_put(w->ranges->arena, &w->done, x, y);
  return y;
}

tir_e tir__simplify(struct tir__ranges *r, tir_e x)
{
  struct tir__rewriter w = {.ranges = r};
  return tir__rewrite(&w, x);
}
