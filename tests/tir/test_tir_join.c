/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs as one: the text that comes of it, and the same numbers as one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "compiler/tir/tir.h"

static const char scale_text[] = "func scale(x: i32[2,3], p: i32[3,3]) -> (y: i8[2,3]) {\n"
                                 "  temp t: i32[2,3]\n"
                                 "  s: t[a, b] sum(k < 2) init i32(1) = x[a, b] * i32(3)\n"
                                 "  y: y[a, b] = i8(quant(t[a, b], p[0, b], p[1, b], p[2, b]))\n"
                                 "}";

static const char sum_text[] = "func sum(x: i8[2,3], z: i8[2,3]) -> (y: i32[2,3]) {\n"
                               "  temp xs: i8[2,3]\n"
                               "  xs: xs[a, b] = x[a, b]\n"
                               "  y: y[a, b] = i32(xs[a, b]) * i32(5) + i32(z[a, b])\n"
                               "}";

static const char narrow_text[] =
    "func scale.sum(x1: i32[2,3], p1: i32[3,3], z: i8[2,3]) -> (y: i32[2,3]) {\n"
    "  temp t1: i32[2,3]\n"
    "  temp y1: i8[2,3]\n"
    "  temp xs: i8[2,3]\n"
    "  s1: t1[a, b] sum(k < 2) init i32(1) = x1[a, b] * i32(3)\n"
    "  y1: y1[a, b] = i8(quant(t1[a, b], p1[0, b], p1[1, b], p1[2, b]))\n"
    "  xs: xs[a, b] = y1[a, b]\n"
    "  y: y[a, b] = i32(xs[a, b]) * i32(5) + i32(z[a, b])\n"
    "}\n";

static const char wide_text[] =
    "func scale.sum(x1: i32[2,3], p1: i32[3,3], z: i8[2,3]) -> (y: i32[2,3]) {\n"
    "  temp t1: i32[2,3]\n"
    "  temp y1: i32[2,3]\n"
    "  temp xs: i32[2,3]\n"
    "  s1: t1[a, b] sum(k < 2) init i32(1) = x1[a, b] * i32(3)\n"
    "  y1: y1[a, b] = quant(t1[a, b], p1[0, b], p1[1, b], p1[2, b])\n"
    "  xs: xs[a, b] = y1[a, b]\n"
    "  y: y[a, b] = xs[a, b] * i32(5) + i32(z[a, b])\n"
    "}\n";

static struct tir_func *parsed(struct tsr_arena *a, const char *text)
{
  struct tir_func *f = NULL;
  struct tsr_err err;
  if (tir_func_parse(a, &err, "test", text, &f))
    fail_msg("%s", err.text);
  return f;
}

static struct tir_func *joined(struct tsr_arena *a, const struct tir_func *scale,
                               const struct tir_func *sum, bool wide)
{
  static const int outside[] = {-1, -1}, first[] = {0, -1};
  const struct tir_part part[] = {{scale, "1", outside, wide}, {sum, "", first, false}};
  struct tir_func *f = tir_func_join(a, "scale.sum", 2, part);
  struct tsr_err err;
  if (tir_func_verify(&err, f))
    fail_msg("%s", err.text);
  return f;
}

static void texts(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tir_func *scale = parsed(a, scale_text), *sum = parsed(a, sum_text);
  assert_true(tir_func_widens(scale));
  assert_false(tir_func_widens(sum));
  assert_string_equal(tir_func_print(a, joined(a, scale, sum, false)), narrow_text);
  assert_string_equal(tir_func_print(a, joined(a, scale, sum, true)), wide_text);
  tsr_arena_free(a);
}

/* Sums that saturate, on both sides, among those that do not. */
static void same_numbers(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tir_func *scale = parsed(a, scale_text), *sum = parsed(a, sum_text);
  int32_t x[6] = {-100000, -21, 0, 7, 300, 100000}, p[9] = {1, 2, 3};
  int8_t y[6], z[6] = {-128, -1, 0, 1, 2, 127};
  int32_t expected[6], found[6];
  for (int k = 0; k < 3; k++) {
    p[3 + k] = 1 << 30;
    p[6 + k] =
        (int32_t)(127u << 24 | 0x80u << 16 | 3u << 8 | 32u); /* -128..127, zero 3, shift 32 */
  }
  assert_int_equal(tir_func_run(a, NULL, scale, (void *[]){x, p, y}), TSR_OK);
  assert_int_equal(tir_func_run(a, NULL, sum, (void *[]){y, z, expected}), TSR_OK);
  assert_true(y[0] == -128 && y[5] == 127 && y[3] != y[2]);
  for (int wide = 0; wide < 2; wide++) {
    memset(found, 0, sizeof found);
    struct tir_func *f = joined(a, scale, sum, wide);
    assert_int_equal(tir_func_run(a, NULL, f, (void *[]){x, p, z, found}), TSR_OK);
    assert_memory_equal(found, expected, sizeof found);
  }
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(texts), cmocka_unit_test(same_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
