/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions of halves at every level, to the bit as the interpreter's, NaNs too: every half there is, and of
 * floats and doubles the ties between halves, what lies beside them, and every 1009th float. */
#include <math.h>

#include "base/half.h"
#include "tests/cpu/rig.h"

enum { HALVES = 65536, TIES = 6 * HALVES, STEP = 1009, FLOATS = TIES + 4256678 };

static void run_all(struct tsr_arena *a, const char *text, const void *x, size_t bytes)
{
  struct tir_func *f = func_of(a, text);
  struct tsr_bytes code = code_of(a, f, levels_here());
  struct tsr_code_block *block;
  struct tsr_err err = {0};
  int blocks;
  char *found = tsr_arena_alloc(a, bytes), *expected = tsr_arena_alloc(a, bytes);
  assert_int_equal(tir_func_run(a, &err, f, (void *[]){(void *)(uintptr_t)x, expected}), TSR_OK);
  assert_int_equal(tsr_code_read(a, NULL, &code, 1, &blocks, &block), TSR_OK);
  for (int k = 0; k < blocks; k++) {
    struct tsr_code_mapping mapping;
    assert_int_equal(tsr_code_map(NULL, &block[k], &mapping), TSR_OK);
    assert_int_equal(block[k].imports, 0);
    void *params[] = {(void *)(uintptr_t)x, found};
    memset(found, 0, bytes);
    assert_int_equal(tsr_code_entry(&mapping, block[k].layer)(params, NULL, 1), 0);
    if (memcmp(found, expected, bytes))
      fail_msg("%s at %s", text, tsr_level_info(block[k].level)->name);
    tsr_code_unmap(&mapping);
  }
}

static void convert(struct tsr_arena *a, const char *from, const char *to, const void *x, int n,
                    size_t bytes)
{
  char text[256];
  snprintf(text, sizeof text, "func f(x: %s[%d]) -> (y: %s[%d]) {\n  one: y[i] = %s(x[i])\n}\n",
           from, n, to, n, to);
  run_all(a, text, x, (size_t)n * bytes);
}

static float float_at(int i)
{
  uint16_t half = (uint16_t)(i % HALVES);
  uint32_t bits = (uint32_t)(i - TIES) * STEP;
  float x;
  if (i < TIES / 2) { /* f16, between and beside */
    float low = tsr_float_of_f16(half), high = tsr_float_of_f16((uint16_t)(half + 1));
    return nextafterf(low / 2 + high / 2, i / HALVES == 0   ? -INFINITY
                                          : i / HALVES == 1 ? low / 2 + high / 2
                                                            : INFINITY);
  }
  if (i < TIES)
    bits = ((uint32_t)half << 16 | 0x8000) + (uint32_t)(i / HALVES) - 4;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static void every_half(void **state)
{
  uint16_t *x = TSR_NEW_ARRAY(*state, uint16_t, HALVES);
  for (int i = 0; i < HALVES; i++)
    x[i] = (uint16_t)i;
  convert(*state, "f16", "f32", x, HALVES, 4);
  convert(*state, "bf16", "f32", x, HALVES, 4);
  convert(*state, "f16", "bf16", x, HALVES, 2);
  convert(*state, "f16", "i8", x, HALVES, 1);
  convert(*state, "bf16", "bool", x, HALVES, 1);
}

static void many_floats(void **state)
{
  float *x = TSR_NEW_ARRAY(*state, float, FLOATS);
  double *y = TSR_NEW_ARRAY(*state, double, 2 * TIES);
  for (int i = 0; i < FLOATS; i++)
    x[i] = float_at(i);
  for (int i = 0; i < 2 * TIES; i++)
    y[i] = i % 2 ? (double)x[i / 2] : nextafter((double)x[i / 2], i % 4 ? 0.0 : (double)INFINITY);
  convert(*state, "f32", "f16", x, FLOATS, 2);
  convert(*state, "f32", "bf16", x, FLOATS, 2);
  convert(*state, "f64", "f16", y, 2 * TIES, 2);
  convert(*state, "f64", "bf16", y, 2 * TIES, 2);
}

/* One element, rows that lanes don't divide, steps, selects and constants. */
static void in_every_form(void **state)
{
  uint16_t x[70], y[70];
  for (int i = 0; i < 70; i++) {
    x[i] = tsr_f16_of_float((float)(i * i) / 8 - 40);
    y[i] = tsr_bf16_of_float((float)(i * 3) / 16 - 5);
  }
  assert_int_equal(
      compare_text(*state,
                   "func f(x: f16[70], y: bf16[70]) -> (a: f16[67], b: bf16[35], c: f16[70],"
                   " d: f32[], e: bf16[70]) {\n"
                   "  temp t: f32[]\n"
                   "  a: a[i] = f16(f32(x[i]) + f32(y[i + 3]) * f32(x[i + 1]))\n"
                   "  b: b[i] = bf16(f32(x[i * 2]) - f32(y[69 - i * 2]))\n"
                   "  c: c[i] = select(3 <= i and i < 67, x[i + 3], f16(0.3))\n"
                   "  d: t[] sum(k < 70) init 0.0 = f32(x[k]) * f32(y[k])\n"
                   "  o: d[] = f32(f16(t[]))\n"
                   "  e: e[i] = select(f32(x[i]) < f32(y[i]), bf16(1.5), y[i])\n}\n",
                   (void *[]){x, y}),
      0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(every_half), IN_ARENA(many_floats),
                                     IN_ARENA(in_every_form)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
