/* SPDX-License-Identifier: Apache-2.0 */
/* What the builders make of expressions, and what is known of them without running. */
#include "tir_test.h"

enum { VARS = 4 };

struct fixture {
  struct tsr_arena *a;
  struct tir_var var[VARS];
  const struct tir_var *vars[VARS];
  tir_e v[VARS];
};

static void begin(struct fixture *f, struct tsr_arena *a)
{
  static const char *const names[VARS] = {"x", "y", "z", "w"};
  f->a = a;
  for (int i = 0; i < VARS; i++) {
    f->var[i].name = names[i];
    f->vars[i] = &f->var[i];
    f->v[i] = tir_use(a, &f->var[i]);
  }
}

static tir_e add(struct fixture *f, tir_e x, tir_e y)
{
  return tir_binary(f->a, TIR_ADD, x, y);
}

static tir_e times(struct fixture *f, tir_e x, int64_t k)
{
  return tir_binary(f->a, TIR_MUL, x, tir_index(f->a, k));
}

static tir_e op(struct fixture *f, enum tir_op o, tir_e x, int64_t k)
{
  return tir_binary(f->a, o, x, tir_index(f->a, k));
}

/* The text of an expression, by way of a func that stores it. */
static const char *text_of(struct fixture *f, tir_e x)
{
  struct tir_stmt store = {.kind = TIR_STORE};
  struct tir_buffer b = {.name = "b", .dtype = (enum tsr_dtype)x->dtype};
  struct tir_program p = {.name = "p", .body = &store};
  store.store.buffer = &b;
  store.store.value = x;
  char *text = tir_program_print(f->a, &p);
  char *value = strstr(text, "= ") + 2;
  value[strcspn(value, "\n")] = 0;
  return value;
}

static void test_simplifies(void **state)
{
  struct fixture f;
  begin(&f, *state);
  tir_e x = f.v[0], y = f.v[1], i = tir_index(f.a, 3);
  assert_ptr_equal(op(&f, TIR_ADD, x, 0), x);
  assert_ptr_equal(times(&f, x, 1), x);
  assert_true(tir__is_int(times(&f, x, 0), 0));
  assert_string_equal(text_of(&f, add(&f, i, x)), "x + 3");
  assert_string_equal(text_of(&f, add(&f, op(&f, TIR_ADD, x, 4), op(&f, TIR_SUB, y, 6))),
                      "x + y - 2");
  assert_string_equal(text_of(&f, times(&f, op(&f, TIR_ADD, times(&f, x, 2), 5), 3)), "x * 6 + 15");
  assert_true(tir__is_int(tir_binary(f.a, TIR_SUB, add(&f, x, y), add(&f, x, y)), 0));
  assert_ptr_equal(op(&f, TIR_FDIV, x, 1), x);
  assert_true(tir__is_int(op(&f, TIR_FMOD, x, 1), 0));
  assert_true(tir__is_int(tir_binary(f.a, TIR_LT, x, x), 0));
  assert_ptr_equal(tir_select(f.a, tir_int(f.a, TSR_BOOL, 1), x, y), x);
  assert_ptr_equal(tir_select(f.a, tir_binary(f.a, TIR_LT, x, y), x, x), x);
  assert_ptr_equal(tir_cast(f.a, TSR_I64, x), x);
  tir_e c = tir_binary(f.a, TIR_LT, x, y);
  assert_ptr_equal(tir_unary(f.a, TIR_NOT, tir_unary(f.a, TIR_NOT, c)), c);
  assert_ptr_equal(tir_binary(f.a, TIR_AND, c, tir_int(f.a, TSR_BOOL, 1)), c);
  assert_true(tir__is_int(tir_binary(f.a, TIR_OR, c, tir_int(f.a, TSR_BOOL, 1)), 1));
}

/* Floats are never regrouped, and keep the sign of zero. */
static void test_floats_stay(void **state)
{
  struct fixture f;
  begin(&f, *state);
  struct tir_buffer b = {.name = "b", .dtype = TSR_F32};
  tir_e x = tir_load(f.a, &b, NULL), zero = tir_float(f.a, TSR_F32, 0);
  assert_string_equal(text_of(&f, add(&f, x, zero)), "b[] + 0.0");
  assert_string_equal(text_of(&f, add(&f, zero, add(&f, x, zero))), "0.0 + (b[] + 0.0)");
  assert_string_equal(text_of(&f, tir_binary(f.a, TIR_SUB, x, x)), "b[] - b[]");
  assert_true(tir_float(f.a, TSR_F32, 0.1)->f == (double)0.1f);
}

static void test_wraps(void **state)
{
  struct tsr_arena *a = *state;
  assert_int_equal(tir_int(a, TSR_I8, 300)->i, 44);
  assert_int_equal(tir_int(a, TSR_U8, -1)->i, 255);
  assert_int_equal(
      tir_binary(a, TIR_ADD, tir_int(a, TSR_I32, INT32_MAX), tir_int(a, TSR_I32, 1))->i, INT32_MIN);
  assert_int_equal(tir_int(a, TSR_BOOL, 2)->i, 1);
}

static void test_substitute(void **state)
{
  struct fixture f;
  begin(&f, *state);
  tir_e x = f.v[0], y = f.v[1], e = add(&f, times(&f, x, 4), y);
  const struct tir_var *vars[] = {f.vars[0], f.vars[1]};
  tir_e with[] = {op(&f, TIR_ADD, y, 1), tir_index(f.a, 2)};
  assert_string_equal(text_of(&f, tir_substitute(f.a, e, 2, vars, with)), "y * 4 + 6");
  assert_ptr_equal(tir_substitute(f.a, e, 1, &f.vars[3], with), e);
  tir_e deep = x; /* shared parts are substituted once: 2^200 would not end */
  for (int i = 0; i < 200; i++)
    deep = tir_binary(f.a, TIR_MUL, deep, deep);
  tir_e other = tir_substitute(f.a, deep, 1, vars, &y);
  assert_true(other != deep && other->arg[0] == other->arg[1]);
}

static void test_affine(void **state)
{
  struct fixture f;
  begin(&f, *state);
  int64_t c, k[VARS];
  tir_e e = add(&f, add(&f, times(&f, f.v[0], 6), op(&f, TIR_SUB, f.v[1], 7)),
                times(&f, f.v[0], -2));
  assert_true(tir_affine(e, VARS, f.vars, &c, k));
  assert_true(c == -7 && k[0] == 4 && k[1] == 1 && k[2] == 0 && k[3] == 0);
  assert_false(tir_affine(e, 1, f.vars, &c, k)); /* of y, too */
  assert_false(tir_affine(op(&f, TIR_FDIV, f.v[0], 2), VARS, f.vars, &c, k));
  assert_false(tir_affine(tir_binary(f.a, TIR_MUL, f.v[0], f.v[1]), VARS, f.vars, &c, k));
}

static void test_evaluate(void **state)
{
  struct fixture f;
  begin(&f, *state);
  int64_t values[VARS] = {17, -5, 0, 3}, out;
  tir_e e = add(&f, op(&f, TIR_FDIV, f.v[1], 2), op(&f, TIR_FMOD, f.v[0], 5));
  assert_true(tir_evaluate(e, VARS, f.vars, values, &out) && out == -1);
  e = tir_select(f.a, tir_binary(f.a, TIR_LT, f.v[1], f.v[2]), f.v[3], f.v[0]);
  assert_true(tir_evaluate(e, VARS, f.vars, values, &out) && out == 3);
  assert_false(tir_evaluate(e, 2, f.vars, values, &out));
  struct tir_buffer b = {.name = "b", .dtype = TSR_I64};
  assert_false(tir_evaluate(tir_load(f.a, &b, NULL), VARS, f.vars, values, &out));
}

static tir_e random_index(struct fixture *f, uint64_t *seed, int depth)
{
  static const enum tir_op ops[] = {TIR_ADD, TIR_SUB, TIR_MUL, TIR_FDIV, TIR_FMOD,
                                    TIR_MIN, TIR_MAX, TIR_DIV, TIR_ADD};
  uint32_t r = next_random(seed);
  if (depth == 0 || r % 8 == 0)
    return r % 3 ? f->v[r % VARS] : tir_index(f->a, (int64_t)(r % 41) - 20);
  tir_e x = random_index(f, seed, depth - 1), y = random_index(f, seed, depth - 1);
  if (r % 9 == 1)
    return tir_select(f->a, tir_binary(f->a, r & 64 ? TIR_LT : TIR_EQ, x, y), y, x);
  if (r % 11 == 1)
    return tir_unary(f->a, TIR_ABS, x);
  enum tir_op o = ops[next_random(seed) % 9];
  if (o == TIR_FDIV || o == TIR_FMOD || o == TIR_DIV)
    return op(f, o, x, (int64_t)(r % 16) - 1); /* by 0 and -1, too */
  return tir_binary(f->a, o, x, y);
}

/* Every value lies in the interval; affine ones reach both ends. */
static void test_intervals_are_sound(void **state)
{
  uint64_t seed = 2024;
  print_message("seed %llu\n", (unsigned long long)seed);
  int known = 0;
  for (int round = 0; round < 2000; round++) {
    struct fixture f;
    struct tir__range r[VARS];
    int64_t lo, hi, v, values[VARS], least = INT64_MAX, most = INT64_MIN, c, k[VARS];
    begin(&f, *state);
    for (int i = 0; i < VARS; i++) {
      r[i] = (struct tir__range){.var = f.vars[i], .lo = (int64_t)(next_random(&seed) % 9) - 4};
      r[i].hi = r[i].lo + next_random(&seed) % 5;
    }
    tir_e e = random_index(&f, &seed, 4);
    if (!tir__interval(e, VARS, r, &lo, &hi))
      continue;
    known++;
    for (int64_t n = 0; n < 625; n++) {
      int64_t rest = n;
      for (int i = 0; i < VARS; i++, rest /= 5)
        values[i] = r[i].lo + rest % (r[i].hi - r[i].lo + 1);
      assert_true(tir_evaluate(e, VARS, f.vars, values, &v));
      least = v < least ? v : least;
      most = v > most ? v : most;
    }
    if (least < lo || most > hi)
      fail_msg("round %d: %s is %lld..%lld, not in %lld..%lld", round, text_of(&f, e),
               (long long)least, (long long)most, (long long)lo, (long long)hi);
    if (tir_affine(e, VARS, f.vars, &c, k))
      assert_true(least == lo && most == hi);
  }
  assert_true(known > 1000);
}

static void test_intervals_cancel(void **state)
{
  struct fixture f;
  begin(&f, *state);
  int64_t lo, hi;
  struct tir__range r[] = {{f.vars[0], 0, 7}, {f.vars[1], 0, 3}};
  tir_e e = tir_binary(f.a, TIR_SUB, add(&f, times(&f, f.v[0], 4), f.v[1]), times(&f, f.v[0], 4));
  assert_true(tir__interval(e, 2, r, &lo, &hi) && lo == 0 && hi == 3);
  assert_true(tir__interval(op(&f, TIR_FMOD, op(&f, TIR_ADD, f.v[1], 4), 8), 2, r, &lo, &hi) &&
              lo == 4 && hi == 7);
  assert_false(tir__interval(f.v[2], 2, r, &lo, &hi));
  tir_e huge = times(&f, f.v[0], INT64_MAX / 2);
  assert_false(tir__interval(huge, 2, r, &lo, &hi)); /* wraps */
}

/* x in 0..9, x + y - 1 in 0..7 because the condition says so. */
static void test_conditions_prove(void **state)
{
  struct fixture f;
  begin(&f, *state);
  struct tir__range r[] = {{f.vars[0], 0, 9}, {f.vars[1], 0, 2}};
  tir_e e = op(&f, TIR_SUB, add(&f, f.v[0], f.v[1]), 1);
  tir_e c = tir_binary(f.a, TIR_AND, tir_binary(f.a, TIR_LE, tir_index(f.a, 0), e),
                       tir_binary(f.a, TIR_LT, add(&f, f.v[0], f.v[1]), tir_index(f.a, 9)));
  struct tir__fact yes = {.condition = c},
                   no = {.condition = tir_unary(f.a, TIR_NOT, c), .negated = true};
  struct tir__fact wrong = {.condition = c, .negated = true};
  assert_false(tir__proves_inside(e, 8, 2, r, NULL));
  assert_true(tir__proves_inside(e, 8, 2, r, &yes));
  assert_true(tir__proves_inside(e, 8, 2, r, &no));
  assert_false(tir__proves_inside(e, 7, 2, r, &yes));
  assert_false(tir__proves_inside(e, 8, 2, r, &wrong));
  struct tir__fact most = {.condition = tir_binary(f.a, TIR_LE, f.v[0], tir_index(f.a, 4))};
  struct tir__fact least = {.condition = tir_binary(f.a, TIR_LT, f.v[0], tir_index(f.a, 4)),
                            .negated = true};
  assert_true(tir__proves_inside(f.v[0], 5, 2, r, &most));
  assert_false(tir__proves_inside(f.v[0], 4, 2, r, &most));
  assert_true(tir__proves_inside(op(&f, TIR_SUB, f.v[0], 4), 6, 2, r, &least));
  assert_false(tir__proves_inside(op(&f, TIR_SUB, f.v[0], 5), 6, 2, r, &least));
  /* y < min(4, 10 - x * 4), so x * 4 + y < 10 */
  tir_e left = tir_binary(f.a, TIR_SUB, tir_index(f.a, 10), times(&f, f.v[0], 4));
  struct tir__fact loop = {.var = f.v[1],
                           .condition = tir_binary(f.a, TIR_MIN, tir_index(f.a, 4), left)};
  struct tir__range tail[] = {{f.vars[0], 0, 2}, {f.vars[1], 0, 3}};
  assert_true(tir__proves_inside(add(&f, times(&f, f.v[0], 4), f.v[1]), 10, 2, tail, &loop));
  assert_false(tir__proves_inside(add(&f, times(&f, f.v[0], 4), f.v[1]), 9, 2, tail, &loop));
}

static void test_names(void **state)
{
  (void)state;
  enum tir_scope scope;
  assert_true(tir__name_ok("conv.oh") && tir__name_ok("_1"));
  assert_false(tir__name_ok("") || tir__name_ok("1x") || tir__name_ok("a b") ||
               tir__name_ok("and") || tir__name_ok(".x"));
  for (int i = 0; i < TIR_SCOPE_COUNT; i++)
    assert_true(tir_scope_from_name(tir_scope_name((enum tir_scope)i), &scope) && (int)scope == i);
  assert_false(tir_scope_from_name("nowhere", &scope));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_ARENA(test_simplifies),      IN_ARENA(test_floats_stay),
    IN_ARENA(test_wraps),           IN_ARENA(test_substitute),
    IN_ARENA(test_affine),          IN_ARENA(test_evaluate),
    IN_ARENA(test_intervals_are_sound), IN_ARENA(test_intervals_cancel),
    IN_ARENA(test_conditions_prove), IN_ARENA(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
