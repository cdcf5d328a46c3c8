/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of an integer expression without running it: its linear form, and the interval of
 * its values. */
#include <string.h>

#include "compiler/tir/tir_internal.h"

/* --- linear forms ---------------------------------------------------------------------------- */

static int64_t times(int64_t x, int64_t y)
{
  return (int64_t)((uint64_t)x * (uint64_t)y);
}

static int64_t plus(int64_t x, int64_t y)
{
  return (int64_t)((uint64_t)x + (uint64_t)y);
}

static bool add_atom(struct tir__linear *sum, tir_e x, int64_t coefficient)
{
  for (int i = 0; i < sum->n; i++)
    if (tir_same(sum->atom[i], x)) {
      sum->coefficient[i] = plus(sum->coefficient[i], coefficient);
      if (sum->coefficient[i] == 0) {
        sum->n--;
        memmove(&sum->atom[i], &sum->atom[i + 1], (size_t)(sum->n - i) * sizeof sum->atom[0]);
        memmove(&sum->coefficient[i], &sum->coefficient[i + 1],
                (size_t)(sum->n - i) * sizeof sum->coefficient[0]);
      }
      return true;
    }
  if (sum->n == TIR__TERMS)
    return false;
  sum->atom[sum->n] = x;
  sum->coefficient[sum->n++] = coefficient;
  return true;
}

bool tir__linear_add(struct tir__linear *sum, tir_e x, int64_t coefficient)
{
  if (coefficient == 0)
    return true;
  switch (x->op) {
  case TIR_INT:
    sum->constant = plus(sum->constant, times(x->i, coefficient));
    return true;
  case TIR_ADD:
    return tir__linear_add(sum, x->arg[0], coefficient) &&
           tir__linear_add(sum, x->arg[1], coefficient);
  case TIR_SUB:
    return tir__linear_add(sum, x->arg[0], coefficient) &&
           tir__linear_add(sum, x->arg[1], times(coefficient, -1));
  case TIR_MUL:
    if (x->arg[1]->op == TIR_INT)
      return tir__linear_add(sum, x->arg[0], times(coefficient, x->arg[1]->i));
    return add_atom(sum, x, coefficient);
  default:
    return add_atom(sum, x, coefficient);
  }
}

bool tir__linear(tir_e x, struct tir__linear *out)
{
  out->constant = 0;
  out->n = 0;
  return tir__linear_add(out, x, 1);
}

bool tir_affine(tir_e x, int n, const struct tir_var *const *vars, int64_t *constant,
                int64_t *coefficient)
{
  struct tir__linear l;
  if (x->dtype != TSR_I64 || !tir__linear(x, &l))
    return false;
  int64_t found[TIR__TERMS] = {0};
  int at[TIR__TERMS];
  for (int i = 0; i < l.n; i++) {
    at[i] = -1;
    for (int k = 0; k < n; k++)
      if (l.atom[i]->op == TIR_VAR && l.atom[i]->var == vars[k])
        at[i] = k;
    if (at[i] < 0)
      return false;
    found[i] = l.coefficient[i];
  }
  memset(coefficient, 0, (size_t)n * sizeof coefficient[0]);
  *constant = l.constant;
  for (int i = 0; i < l.n; i++)
    coefficient[at[i]] = found[i];
  return true;
}

/* --- intervals ------------------------------------------------------------------------------- */

__extension__ typedef __int128 wide;

struct span {
  wide lo, hi;
};

struct ranges {
  int n;
  const struct tir__range *range;
};

static struct span span_of(const struct ranges *r, tir_e x);

static struct span whole(enum tsr_dtype dtype)
{
  int bits = 8 * (int)tsr_dtype_bytes(dtype);
  wide one = 1;
  if (dtype == TSR_BOOL)
    return (struct span){0, 1};
  if (tsr_dtype_kind(dtype) == TSR_KIND_INT)
    return (struct span){-(one << (bits - 1)), (one << (bits - 1)) - 1};
  return (struct span){0, (one << bits) - 1};
}

/* Values outside of the dtype wrap, and then may be anything. */
static struct span within(enum tsr_dtype dtype, struct span s)
{
  struct span all = whole(dtype);
  return s.lo >= all.lo && s.hi <= all.hi ? s : all;
}

static struct span scaled(struct span s, wide k)
{
  return k >= 0 ? (struct span){s.lo * k, s.hi * k} : (struct span){s.hi * k, s.lo * k};
}

/* As if integers had no end: what does not fit is for the caller to see. Far past any dtype it
 * stops. */
static struct span span_of_linear(const struct ranges *r, const struct tir__linear *l)
{
  wide limit = (wide)1 << 120;
  struct span sum = {l->constant, l->constant};
  for (int i = 0; i < l->n; i++) {
    struct span s = span_of(r, l->atom[i]);
    if (s.lo < -(limit >> 56) || s.hi > limit >> 56 || l->coefficient[i] > INT32_MAX ||
        l->coefficient[i] < INT32_MIN)
      return (struct span){-limit, limit};
    s = scaled(s, l->coefficient[i]);
    sum.lo += s.lo;
    sum.hi += s.hi;
  }
  return sum;
}

static struct span span_of_sum(const struct ranges *r, tir_e x)
{
  struct tir__linear l;
  enum tsr_dtype dtype = (enum tsr_dtype)x->dtype;
  return tir__linear(x, &l) ? within(dtype, span_of_linear(r, &l)) : whole(dtype);
}

static wide floor_quotient(wide x, wide y)
{
  wide q = x / y;
  return q - (x % y != 0 && (x < 0) != (y < 0));
}

static struct span span_of_quotient(struct span x, struct span y, enum tsr_dtype dtype)
{
  if (y.lo != y.hi || y.lo <= 0)
    return whole(dtype);
  return (struct span){floor_quotient(x.lo, y.lo), floor_quotient(x.hi, y.lo)};
}

static struct span span_of_remainder(struct span x, struct span y, enum tsr_dtype dtype)
{
  if (y.lo != y.hi && y.lo > 0)
    return (struct span){0, y.hi - 1};
  if (y.lo != y.hi || y.lo <= 0)
    return whole(dtype);
  wide q = floor_quotient(x.lo, y.lo);
  if (q == floor_quotient(x.hi, y.lo))
    return (struct span){x.lo - q * y.lo, x.hi - q * y.lo};
  return (struct span){0, y.lo - 1};
}

static struct span span_of_product(struct span x, struct span y, enum tsr_dtype dtype)
{
  wide limit = (wide)1 << 62;
  if (x.lo < -limit || x.hi > limit || y.lo < -limit || y.hi > limit)
    return whole(dtype);
  struct span s = scaled(x, y.lo), t = scaled(x, y.hi);
  return within(dtype, (struct span){s.lo < t.lo ? s.lo : t.lo, s.hi > t.hi ? s.hi : t.hi});
}

static wide smaller(wide x, wide y)
{
  return x < y ? x : y;
}

static wide larger(wide x, wide y)
{
  return x > y ? x : y;
}

static struct span span_of_binary(enum tir_op op, struct span x, struct span y,
                                  enum tsr_dtype dtype)
{
  switch (op) {
  case TIR_MUL:
    return span_of_product(x, y, dtype);
  case TIR_DIV: /* rounds toward zero: as floor where x >= 0 */
    return x.lo >= 0 ? span_of_quotient(x, y, dtype) : whole(dtype);
  case TIR_FDIV:
    return span_of_quotient(x, y, dtype);
  case TIR_FMOD:
    return span_of_remainder(x, y, dtype);
  case TIR_MIN:
    return (struct span){smaller(x.lo, y.lo), smaller(x.hi, y.hi)};
  case TIR_MAX:
    return (struct span){larger(x.lo, y.lo), larger(x.hi, y.hi)};
  default:
    return whole(dtype);
  }
}

static struct span span_of_unary(tir_e x, struct span s, enum tsr_dtype from)
{
  enum tsr_dtype dtype = (enum tsr_dtype)x->dtype;
  if (x->op == TIR_CAST && !tir__is_float(from))
    return dtype == TSR_BOOL ? whole(dtype) : within(dtype, s);
  if (x->op == TIR_ABS && s.lo >= 0)
    return s;
  if (x->op == TIR_ABS)
    return within(dtype, (struct span){0, larger(-s.lo, s.hi)});
  if (x->op == TIR_SAT8)
    return (struct span){larger(smaller(s.lo, 127), -128), smaller(larger(s.hi, -128), 127)};
  return whole(dtype);
}

static struct span span_of_var(const struct ranges *r, const struct tir_var *var)
{
  for (int i = 0; i < r->n; i++)
    if (r->range[i].var == var)
      return (struct span){r->range[i].lo, r->range[i].hi};
  return whole(TSR_I64);
}

static struct span span_of(const struct ranges *r, tir_e x)
{
  enum tsr_dtype dtype = (enum tsr_dtype)x->dtype;
  if (x->op == TIR_INT)
    return (struct span){dtype == TSR_U64 ? (wide)(uint64_t)x->i : x->i,
                         dtype == TSR_U64 ? (wide)(uint64_t)x->i : x->i};
  if (x->op == TIR_VAR)
    return span_of_var(r, x->var);
  bool sum = x->op == TIR_ADD || x->op == TIR_SUB || (x->op == TIR_MUL && x->arg[1]->op == TIR_INT);
  if (x->op == TIR_LOAD || tir__is_float((enum tsr_dtype)(x->args ? x->arg[0]->dtype : x->dtype)))
    return whole(dtype);
  if (sum)
    return dtype == TSR_U64 ? whole(dtype) : span_of_sum(r, x);
  if (x->op == TIR_SELECT) {
    struct span s = span_of(r, x->arg[1]), t = span_of(r, x->arg[2]);
    return (struct span){smaller(s.lo, t.lo), larger(s.hi, t.hi)};
  }
  if (x->args == 1)
    return span_of_unary(x, span_of(r, x->arg[0]), (enum tsr_dtype)x->arg[0]->dtype);
  if (x->args == 2)
    return span_of_binary((enum tir_op)x->op, span_of(r, x->arg[0]), span_of(r, x->arg[1]), dtype);
  return whole(dtype);
}

bool tir__interval(tir_e x, int n, const struct tir__range *r, int64_t *lo, int64_t *hi)
{
  if (tir__is_float((enum tsr_dtype)x->dtype))
    return false;
  struct span s = span_of(&(struct ranges){n, r}, x);
  struct span all = whole(TSR_I64);
  if (s.lo < all.lo || s.hi > all.hi || (s.lo == all.lo && s.hi == all.hi))
    return false;
  *lo = (int64_t)s.lo;
  *hi = (int64_t)s.hi;
  return true;
}

/* --- conditions ------------------------------------------------------------------------------ */

/* goal -= larger - smaller - strict, which the condition says is not negative; whether that proves
 * it. */
static bool follows(const struct ranges *r, const struct tir__linear *goal, tir_e small,
                    tir_e large, bool strict)
{
  struct tir__linear rest = *goal;
  rest.constant += strict;
  return tir__linear_add(&rest, large, -1) && tir__linear_add(&rest, small, 1) &&
         span_of_linear(r, &rest).lo >= 0;
}

static bool follows_from(const struct ranges *r, const struct tir__linear *goal, tir_e c,
                         bool negated)
{
  if (c->op == TIR_NOT)
    return follows_from(r, goal, c->arg[0], !negated);
  if (c->op == (negated ? TIR_OR : TIR_AND))
    return follows_from(r, goal, c->arg[0], negated) || follows_from(r, goal, c->arg[1], negated);
  if (c->args != 2 || c->arg[0]->dtype != TSR_I64)
    return false;
  tir_e x = c->arg[0], y = c->arg[1];
  if (c->op == TIR_LT || c->op == TIR_LE) /* not (x < y) is y <= x */
    return negated ? follows(r, goal, y, x, c->op == TIR_LE)
                   : follows(r, goal, x, y, c->op == TIR_LT);
  if (c->op == (negated ? TIR_NE : TIR_EQ))
    return follows(r, goal, x, y, false) || follows(r, goal, y, x, false);
  return false;
}

/* var < extent, where the extent may be the smaller of two. */
static bool follows_from_loop(const struct ranges *r, const struct tir__linear *goal, tir_e var,
                              tir_e extent)
{
  if (extent->op == TIR_MIN)
    return follows_from_loop(r, goal, var, extent->arg[0]) ||
           follows_from_loop(r, goal, var, extent->arg[1]);
  return follows(r, goal, var, extent, true);
}

static bool is_proved(const struct ranges *r, const struct tir__linear *goal,
                      const struct tir__fact *f)
{
  if (span_of_linear(r, goal).lo >= 0)
    return true;
  for (; f; f = f->outer)
    if (f->var ? follows_from_loop(r, goal, f->var, f->condition)
               : follows_from(r, goal, f->condition, f->negated))
      return true;
  return false;
}

bool tir__proves_inside(tir_e x, int64_t extent, int n, const struct tir__range *range,
                        const struct tir__fact *facts)
{
  int64_t lo, hi;
  struct ranges r = {n, range};
  if (tir__interval(x, n, range, &lo, &hi) && lo >= 0 && hi < extent)
    return true;
  struct tir__linear above = {.n = 0}, below = {.constant = extent - 1};
  return facts && tir__linear_add(&above, x, 1) && tir__linear_add(&below, x, -1) &&
         is_proved(&r, &above, facts) && is_proved(&r, &below, facts);
}
