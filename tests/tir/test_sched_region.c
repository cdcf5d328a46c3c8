/* SPDX-License-Identifier: Apache-2.0 */
/* Index arithmetic: random expressions, simplified and bounded, against their values at every
 * point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler/tir/region.h"

enum { VARS = 3, EXPRESSIONS = 4000 };

struct space {
  struct tsr_arena *arena;
  struct tir__ranges ranges;
  const struct tir_var *var[VARS];
  uint64_t random;
};

static int below(struct space *s, int n)
{
  s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int)((s->random >> 33) % (uint64_t)n);
}

/* i < 5, j < 4, k < min(3, 13 - 3 * i): the last tile of a split. */
static void open_space(struct space *s, uint64_t seed)
{
  static const struct tir_var vars[VARS] = {{"i"}, {"j"}, {"k"}};
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  *s = (struct space){.arena = a, .ranges.arena = a, .random = seed};
  for (int k = 0; k < VARS; k++)
    s->var[k] = &vars[k];
  tir_e left = tir_binary(a, TIR_SUB, tir_index(a, 13),
                          tir_binary(a, TIR_MUL, tir_use(a, s->var[0]), tir_index(a, 3)));
  tir__ranges_add(&s->ranges, s->var[0], tir_index(a, 5));
  tir__ranges_add(&s->ranges, s->var[1], tir_index(a, 4));
  tir__ranges_add(&s->ranges, s->var[2], tir_binary(a, TIR_MIN, tir_index(a, 3), left));
}

static tir_e any_expr(struct space *s, int depth);

/* c * floordiv(x, c) + floormod(y, c), y often being x. */
static tir_e any_division(struct space *s, tir_e x, int depth)
{
  struct tsr_arena *a = s->arena;
  tir_e c = tir_index(a, 2 + below(s, 3)), y = below(s, 2) ? x : any_expr(s, depth);
  tir_e whole = tir_binary(a, TIR_MUL, tir_binary(a, TIR_FDIV, x, c), c);
  return tir_binary(a, TIR_ADD, whole, tir_binary(a, TIR_FMOD, y, c));
}

static tir_e any_expr(struct space *s, int depth)
{
  static const enum tir_op ops[] = {TIR_ADD, TIR_SUB, TIR_MIN, TIR_MAX};
  struct tsr_arena *a = s->arena;
  if (depth == 0 || below(s, 6) == 0)
    return below(s, 4) ? tir_use(a, s->var[below(s, VARS)]) : tir_index(a, below(s, 9) - 4);
  tir_e x = any_expr(s, depth - 1);
  switch (below(s, 9)) {
  case 3:
    return any_division(s, x, depth - 1);
  case 0:
    return tir_binary(a, TIR_MUL, x, tir_index(a, below(s, 7) - 3));
  case 1:
    return tir_binary(a, TIR_FDIV, x, tir_index(a, 1 + below(s, 4)));
  case 2:
    return tir_binary(a, TIR_FMOD, x, tir_index(a, 1 + below(s, 4)));
  default:
    return tir_binary(a, ops[below(s, 4)], x, any_expr(s, depth - 1));
  }
}

static tir_e any_condition(struct space *s)
{
  static const enum tir_op ops[] = {TIR_LT, TIR_LE, TIR_EQ, TIR_NE};
  tir_e x = any_expr(s, 3);
  return tir_binary(s->arena, ops[below(s, 4)], x, any_expr(s, 2));
}

static int64_t value(struct space *s, tir_e x, const int64_t at[VARS])
{
  int64_t v = 0;
  assert_true(tir_evaluate(x, VARS, s->var, at, &v));
  return v;
}

typedef void check(struct space *s, const void *context, const int64_t at[VARS]);

static void at_every_point(struct space *s, check *f, const void *context)
{
  int64_t at[VARS];
  for (at[0] = 0; at[0] < 5; at[0]++)
    for (at[1] = 0; at[1] < 4; at[1]++)
      for (at[2] = 0; at[2] < 3 && at[2] < 13 - 3 * at[0]; at[2]++)
        f(s, context, at);
}

static void check_same(struct space *s, const void *context, const int64_t at[VARS])
{
  const tir_e *x = context;
  assert_int_equal(value(s, x[0], at), value(s, x[1], at));
}

static void check_between(struct space *s, const void *context, const int64_t at[VARS])
{
  const tir_e *x = context;
  assert_true(value(s, x[1], at) <= value(s, x[0], at));
  assert_true(value(s, x[0], at) <= value(s, x[2], at));
}

static void one_expression(struct space *s)
{
  static const bool keep[VARS] = {true, false, false};
  tir_e x = any_expr(s, 4), c = any_condition(s);
  tir_e simple = tir__simplify(&s->ranges, x);
  at_every_point(s, check_same, (tir_e[]){x, simple});
  at_every_point(s, check_same, (tir_e[]){c, tir__simplify(&s->ranges, c)});
  for (int k = 0; k < 2; k++) {
    tir_e least = tir__bound(&s->ranges, simple, false, k ? keep : NULL);
    tir_e most = tir__bound(&s->ranges, simple, true, k ? keep : NULL);
    assert_non_null(least);
    assert_non_null(most);
    assert_true(k || (least->op == TIR_INT && most->op == TIR_INT));
    at_every_point(s, check_between, (tir_e[]){simple, least, most});
  }
}

static void in_space(uint64_t seed)
{
  struct space s;
  open_space(&s, seed);
  one_expression(&s);
  tsr_arena_free(s.arena);
}

static void test_random_expressions(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= EXPRESSIONS; seed++)
    in_space(seed);
}

/* Where terms hang together: the last tile ends where the whole does. */
static void test_tight(void **state)
{
  (void)state;
  struct space s;
  open_space(&s, 1);
  struct tsr_arena *a = s.arena;
  tir_e i = tir_use(a, s.var[0]), k = tir_use(a, s.var[2]);
  tir_e x = tir__sum(&s.ranges, k, i, 3);
  assert_int_equal(tir__bound_int(&s.ranges, x, true, -1), 12);
  assert_int_equal(tir__bound_int(&s.ranges, x, false, -1), 0);
  tir_e q = tir_binary(a, TIR_FDIV, x, tir_index(a, 3));
  assert_true(tir_same(tir__simplify(&s.ranges, q), i));
  q = tir_binary(a, TIR_FMOD, x, tir_index(a, 3));
  assert_true(tir_same(tir__simplify(&s.ranges, q), k));
  q = tir_binary(a, TIR_LT, x, tir_index(a, 13));
  assert_true(tir__is_int(tir__simplify(&s.ranges, q), 1));
  q = tir_binary(a, TIR_LT, x, tir_index(a, 12));
  assert_int_equal(tir__simplify(&s.ranges, q)->op, TIR_LT);
  tsr_arena_free(s.arena);
}

/* What simplification has to see: quotients and remainders of one division, common factors. */
static void test_forms(void **state)
{
  struct space s;
  (void)state;
  open_space(&s, 1);
  struct tsr_arena *a = s.arena;
  tir_e i = tir_use(a, s.var[0]), j = tir_use(a, s.var[1]), eight = tir_index(a, 8);
  tir_e sum = tir_binary(a, TIR_ADD, tir_binary(a, TIR_MUL, i, tir_index(a, 4)), j);
  tir_e whole = tir_binary(a, TIR_MUL, tir_binary(a, TIR_FDIV, sum, eight), eight);
  tir_e rest = tir_binary(a, TIR_FMOD, sum, eight);
  tir_e joined = tir__simplify(&s.ranges, tir_binary(a, TIR_ADD, whole, rest));
  assert_true(tir__is_int(tir__sum(&s.ranges, joined, sum, -1), 0));
  /* j is less than 4, so it makes no difference */
  tir_e half = tir_binary(a, TIR_FDIV, i, tir_index(a, 2));
  assert_true(tir_same(tir__simplify(&s.ranges, tir_binary(a, TIR_FDIV, sum, eight)),
                       tir__simplify(&s.ranges, half)));
  tir_e before = tir__simplify(&s.ranges, tir_binary(a, TIR_LT, sum, tir_index(a, 12)));
  assert_true(tir_same(before, tir_binary(a, TIR_LT, i, tir_index(a, 3))));
  tir_e least = tir_binary(a, TIR_MIN, tir_binary(a, TIR_ADD, i, j), i);
  assert_true(tir_same(tir__simplify(&s.ranges, least), i));
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_forms),
      cmocka_unit_test(test_random_expressions),
      cmocka_unit_test(test_tight),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
