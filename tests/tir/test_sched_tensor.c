/* SPDX-License-Identifier: Apache-2.0 */
/* tensorize, with a matcher of the test's own: what it is shown, and what calls come of its answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/tir/tir_internal.h"
#include "tests/tir/test_sched_funcs.h"

/* An intrinsic that works on rows of four: out[] combine= of x[0..4), and w[0..4) if it has that; or copies
 * one. */
struct row {
  struct tir_intrin intrin;
  const char *text;
};

static const struct row rows[] = {
    {{.name = "dot4", .accumulates = true},
     "func dot4(x: i8[4], w: i8[4]) -> (y: i32[]) {\n"
     "  y: y[] sum(k < 4) init i32(0) = i32(x[k]) * i32(w[k])\n}\n"},
    {{.name = "dot4.once"},
     "func dot4(x: i8[4], w: i8[4]) -> (y: i32[]) {\n"
     "  y: y[] sum(k < 4) init i32(0) = i32(x[k]) * i32(w[k])\n}\n"},
    {{.name = "max4", .accumulates = true},
     "func max4(x: i8[4]) -> (y: i32[]) {\n"
     "  y: y[] maximum(k < 4) init i32(-2147483648) = i32(x[k])\n}\n"},
    {{.name = "wide4"}, "func wide4(x: i8[4]) -> (y: i32[4]) {\n  y: y[k] = i32(x[k])\n}\n"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void match_load(struct tsr_arena *a, struct tir_match *m, tir_e load)
{
  tir_e zero = tir_index(a, 0);
  int k = m->operands++;
  assert_int_equal(load->op, TIR_LOAD);
  m->buffer[k] = load->buffer;
  for (int d = 0; d < load->args; d++)
    m->base[k][d] = tir_substitute(a, load->arg[d], 1, m->var, &zero);
}

static void match_operands(struct tsr_arena *a, struct tir_match *m)
{
  tir_e zero = tir_index(a, 0);
  m->operands = 1;
  m->buffer[0] = m->out;
  for (int d = 0; d < m->out->rank; d++)
    m->base[0][d] = tir_substitute(a, m->index[d], 1, m->var, &zero);
  tir_e x = m->value;
  if (x->op == TIR_MUL)
    match_load(a, m, x->arg[1]->arg[0]);
  match_load(a, m, x->op == TIR_MUL ? x->arg[0]->arg[0] : x->arg[0]);
}

static enum tsr_status match(struct tsr_arena *a, struct tsr_err *err, const void *context,
                             const char *name, struct tir_match *m)
{
  const struct tir_intrin *intrin = context;
  for (int k = 0; k < ROWS; k++, intrin++) {
    if (strcmp(intrin->name, name))
      continue;
    if (m->loops != 1 || !tir__is_int(m->extent[0], 4))
      return tsr_refuse(err, "%s wants one loop of 4", name);
    m->intrin = intrin;
    match_operands(a, m);
    return TSR_OK;
  }
  return tsr_refuse(err, "no intrinsic is named '%s'", name);
}

static struct tir_intrinsics intrinsics(struct tsr_arena *a)
{
  struct tir_intrin *list = TSR_NEW_ARRAY(a, struct tir_intrin, ROWS);
  for (int k = 0; k < ROWS; k++) {
    list[k] = rows[k].intrin;
    list[k].func = sched_parsed(a, rows[k].text);
  }
  return (struct tir_intrinsics){match, list};
}

static const struct tir_stmt *find_call(const struct tir_stmt *s)
{
  const struct tir_stmt *found = NULL;
  switch (s->kind) {
  case TIR_CALL: return s;
  case TIR_FOR: return find_call(s->f.body);
  case TIR_ALLOC: return find_call(s->alloc.body);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && !found; k++)
      found = find_call(s->block.stmt[k]);
    return found;
  default: return NULL;
  }
}

static const char product[] = "func product(x: i8[3,8], w: i8[5,8]) -> (y: i32[3,5]) {\n"
                              "  y: y[m, n] sum(k < 8) init i32(0) = i32(x[m, k]) * i32(w[n, k])\n"
                              "}\n";
static const char short_product[] =
    "func product(x: i8[3,4], w: i8[5,4]) -> (y: i32[3,5]) {\n"
    "  y: y[m, n] sum(k < 4) init i32(0) = i32(x[m, k]) * i32(w[n, k])\n}\n";
static const char biased[] = "func product(x: i8[3,8], w: i8[5,8]) -> (y: i32[3,5]) {\n"
                             "  y: y[m, n] sum(k < 8) init i32(9) = i32(x[m, k]) * i32(w[n, k])\n"
                             "}\n";
static const char short_biased[] =
    "func product(x: i8[3,4], w: i8[5,4]) -> (y: i32[3,5]) {\n"
    "  y: y[m, n] sum(k < 4) init i32(9) = i32(x[m, k]) * i32(w[n, k])\n}\n";
static const char largest[] = "func largest(x: i8[3,8]) -> (y: i32[3]) {\n"
                              "  y: y[m] maximum(k < 8) init i32(-128) = i32(x[m, k])\n}\n";
static const char positive[] = "func largest(x: i8[3,8]) -> (y: i32[3]) {\n"
                               "  y: y[m] maximum(k < 8) init i32(0) = i32(x[m, k])\n}\n";

static const char padded[] =
    "func padded(x: i8[3,4]) -> (y: i32[5,4]) {\n"
    "  y: y[m, k] = select(1 <= m and m < 4, i32(x[m - 1, k]), i32(7))\n}\n";

static const struct sched_case cases[] = {
    /* Where the condition does not hold the constant stands: it is everywhere first. */
    {padded, "", "tensorize y k wide4",
     "  for y.m.init < 5 of y {\n"
     "    for y.k.init < 4 of y {\n"
     "      y[y.m.init, y.k.init] = i32(7)\n"
     "    }\n"
     "  }\n"
     "  for y.m < 5 of y {\n"
     "    if 1 <= y.m and y.m < 4 {\n"
     "      call wide4(y[y.m, 0], x[y.m - 1, 0]) {\n"
     "        for y.k < 4 of y {\n"
     "          y[y.m, y.k] = i32(x[y.m - 1, y.k])\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    /* The call starts the sum itself, at the first of the reduce loops outside. */
    {product, "split y k 4 ko ki\nreorder y ko n m", "tensorize y ki dot4",
     "  for y.ko < 2 of y {\n"
     "    for y.n < 5 of y {\n"
     "      for y.m < 3 of y {\n"
     "        call dot4(y[y.m, y.n], w[y.n, y.ko * 4], x[y.m, y.ko * 4]) init first y.ko == 0 "
     "{\n"
     "          if y.ko == 0 {\n"
     "            y[y.m, y.n] = i32(0)\n"
     "          }\n"
     "          for y.ki < 4 of y {\n"
     "            y[y.m, y.n] += i32(x[y.m, y.ki + y.ko * 4]) * i32(w[y.n, y.ki + y.ko * 4])\n"
     "          }\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    /* The whole reduction is in the call. */
    {short_product, "", "tensorize y k dot4",
     "  for y.m < 3 of y {\n"
     "    for y.n < 5 of y {\n"
     "      call dot4(y[y.m, y.n], w[y.n, 0], x[y.m, 0]) init first true {\n"
     "        y[y.m, y.n] = i32(0)\n"
     "        for y.k < 4 of y {\n"
     "          y[y.m, y.n] += i32(x[y.m, y.k]) * i32(w[y.n, y.k])\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {short_product, "", "tensorize y k dot4.once",
     "  for y.m < 3 of y {\n"
     "    for y.n < 5 of y {\n"
     "      call dot4.once(y[y.m, y.n], w[y.n, 0], x[y.m, 0]) init first true {\n"
     "        y[y.m, y.n] = i32(0)\n"
     "        for y.k < 4 of y {\n"
     "          y[y.m, y.n] += i32(x[y.m, y.k]) * i32(w[y.n, y.k])\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    /* The hardware can't start at 9. */
    {biased, "split y k 4 ko ki\nreorder y ko n m", "tensorize y ki dot4",
     "  for y.n.init < 5 of y {\n"
     "    for y.m.init < 3 of y {\n"
     "      y[y.m.init, y.n.init] = i32(9)\n"
     "    }\n"
     "  }\n"
     "  for y.ko < 2 of y {\n"
     "    for y.n < 5 of y {\n"
     "      for y.m < 3 of y {\n"
     "        call dot4(y[y.m, y.n], w[y.n, y.ko * 4], x[y.m, y.ko * 4]) {\n"
     "          for y.ki < 4 of y {\n"
     "            y[y.m, y.n] += i32(x[y.m, y.ki + y.ko * 4]) * i32(w[y.n, y.ki + y.ko * 4])\n"
     "          }\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    /* -128 is as little as the least of int32, for the maximum of int8; 0 is not. */
    {largest, "split y k 4 ko ki", "tensorize y ki max4",
     "  for y.m < 3 of y {\n"
     "    for y.ko < 2 of y {\n"
     "      call max4(y[y.m], x[y.m, y.ko * 4]) init first y.ko == 0 {\n"
     "        if y.ko == 0 {\n"
     "          y[y.m] = i32(-128)\n"
     "        }\n"
     "        for y.ki < 4 of y {\n"
     "          y[y.m] max= i32(x[y.m, y.ki + y.ko * 4])\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {positive, "split y k 4 ko ki", "tensorize y ki max4",
     "  for y.m < 3 of y {\n"
     "    y[y.m] = i32(0)\n"
     "    for y.ko < 2 of y {\n"
     "      call max4(y[y.m], x[y.m, y.ko * 4]) {\n"
     "        for y.ki < 4 of y {\n"
     "          y[y.m] max= i32(x[y.m, y.ki + y.ko * 4])\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {product, "split y k 4 ko ki", "tensorize y ki dot4.once",
     "stage y can't be tensorized by dot4.once, which does not accumulate: reduce loop ko would "
     "be outside of it"},
    {short_biased, "", "tensorize y k dot4.once",
     "stage y can't be tensorized by dot4.once, which starts its reduction with another initial "
     "value"},
    {product, "split y k 5 ko ki", "tensorize y ki dot4",
     "stage y can't be tensorized at loop ki: the extent of loop ki is not constant; split by a "
     "number that divides it, or pad the stage"},
    {product, "", "tensorize y k dot4", "stage y, tensorized at loop k: dot4 wants one loop of 4"},
    {product, "", "tensorize y k dot5",
     "stage y, tensorized at loop k: no intrinsic is named 'dot5'"},
    {product, "split y k 4 ko ki\nunroll y ki", "tensorize y ki dot4",
     "can't tensorize loop ki of stage y: loop ki inside of it is marked"},
    {product, "split y k 4 ko ki\ntensorize y ki dot4", "tensorize y ki dot4",
     "stage y is tensorized already, by dot4"},
    {product, "split y k 4 ko ki\ntensorize y ki dot4", "split y ki 2 a b",
     "can't split loop ki of stage y: it is tensorized by dot4; split first, then tensorize"},
    {product, "split y k 4 ko ki\ntensorize y ki dot4", "unroll y ki",
     "can't unroll loop ki of stage y: it is tensorized by dot4"},
    {product, "split y k 4 ko ki\ntensorize y ki dot4", "reorder y ki ko",
     "stage y, tensorized at loop ki: dot4 wants one loop of 4"},
    {product, "cache_read x inp y xs\nsplit y k 4 ko ki\ntensorize y ki dot4", "compute_at xs y ki",
     "stage xs can't be computed at loop ki of stage y, which is tensorized; choose a loop "
     "outside of ki"},
};

static void test_tensorize(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  if (setjmp(*tsr_arena_landing(a)))
    fail_msg("out of memory");
  struct tir_intrinsics known = intrinsics(a);
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
    expect_outcome(a, &known, &cases[k]);
  tsr_arena_free(a);
}

/* A target without intrinsics. */
static void test_no_intrinsics(void **state)
{
  static const struct sched_case c = {
      product, "", "tensorize y k dot4",
      "stage y can't be tensorized: this schedule's target has no intrinsics"};
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  if (setjmp(*tsr_arena_landing(a)))
    fail_msg("out of memory");
  expect_outcome(a, NULL, &c);
  tsr_arena_free(a);
}

/* What the code generator reads: operands, their bases, and when the sum starts. */
static void test_call(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  if (setjmp(*tsr_arena_landing(a)))
    fail_msg("out of memory");
  struct tir_sched *s = tir_sched_new(a, sched_parsed(a, product));
  struct tir_intrinsics known = intrinsics(a);
  tir_sched_intrinsics(s, &known);
  assert_int_equal(tir_sched_do(s, NULL, "split y k %d ko ki", 4), TSR_OK);
  assert_int_equal(tir_sched_do(s, NULL, "reorder y ko m n"), TSR_OK);
  assert_int_equal(tir_sched_do(s, NULL, "tensorize y %s dot4", "ki"), TSR_OK);
  const struct tir_stmt *c = find_call(lowered(a, s)->body);
  assert_non_null(c);
  assert_string_equal(c->call.intrin->name, "dot4");
  assert_int_equal(c->call.operands, 3);
  assert_string_equal(c->call.buffer[1]->name, "w");
  assert_true(c->call.init);
  assert_int_equal(c->call.first->op, TIR_EQ);
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tensorize),
      cmocka_unit_test(test_no_intrinsics),
      cmocka_unit_test(test_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
