/* SPDX-License-Identifier: Apache-2.0 */
/* Products of bf16 in pairs, at every level: that they are planned as such, beside the interpreter and
 * float64. */
#include <math.h>

#include "base/half.h"
#include "tests/cpu/rig.h"

#define TOLERANCE 2e-6 /* of a sum of a thousand products */

/* Floats from -1 to 1, as bf16. */
static uint16_t *some_halves(struct tsr_arena *a, const struct tir_buffer *b)
{
  uint64_t seed = 31;
  int64_t n = tsr_count(b->dims, b->rank, 1);
  uint16_t *x = TSR_NEW_ARRAY(a, uint16_t, n + 1);
  for (int64_t i = 0; i < n; i++)
    x[i] = tsr_bf16_of_float((float)(int32_t)(next_random(&seed) << 8) * 0x1p-31f);
  return x;
}

/* Every level's schedule has the intrinsic. */
static void expect_pairs(struct tsr_arena *a, const struct tir_func *f)
{
  for (int level = 0; level < TSR_LEVELS; level++) {
    struct tir_sched *sched;
    struct tsr_err err = {0};
    if (tsr_cpu_plan(a, &err, tsr_cpu_flatten(a, f), (enum tsr_level)level, &sched))
      fail_msg("%s", err.text);
    if (!strstr(tir_sched_text(sched), "x86.dot2.bf16"))
      fail_msg("%s:\n%s", tsr_level_info(level)->name, tir_sched_text(sched));
  }
}

/* format: of a func in which %s is the type of sums. off: what float64 says. */
static void compare(struct tsr_arena *a, const char *format, double *off)
{
  struct trial t = {.name = "pairs", .off = off};
  t.func = func_of(a, tsr_arena_printf(a, format, "f32", "f32", "f32", "f32"));
  t.wide = func_of(a, tsr_arena_printf(a, format, "f64", "f64", "f64", "f64"));
  for (int i = 0; i < t.func->inputs; i++)
    t.input[i] = some_halves(a, t.func->param[i]);
  expect_pairs(a, t.func);
  assert_int_equal(compare_all(a, 1, &t, TOLERANCE), 0);
}

static void matrices(void **state)
{
  static const int sizes[][3] = {
      {1, 8, 16}, {5, 12, 48}, {128, 40, 96}, {29, 32, 176}, {7, 1024, 32}};
  double off = 0;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    int m = sizes[s][0], k = sizes[s][1], n = sizes[s][2] / 16;
    compare(*state,
            tsr_arena_printf(*state,
                             "func f(x: bf16[%d,%d], w: bf16[%d,%d,16,2]) -> (y: %%s[%d,%d,16]) {\n"
                             "  y: y[m, nb, n] sum(kg < %d, k < 2) init %%s(0) = "
                             "%%s(x[m, kg * 2 + k]) * %%s(w[nb, kg, n, k])\n}\n",
                             m, k, n, k / 2, m, n, k / 2),
            &off);
  }
  printf("off from float64: %.2g\n", off);
  assert_true(off > 0);
}

static void convolutions(void **state)
{
  static const int shapes[][4] = {{1, 1, 5, 3}, {2, 3, 9, 3}, {3, 2, 8, 1}, {1, 2, 11, 5}};
  double off = 0;
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    int in = shapes[s][0], out = shapes[s][1], h = shapes[s][2], k = shapes[s][3], p = h - k + 1;
    compare(
        *state,
        tsr_arena_printf(
            *state,
            "func f(x: bf16[2,%d,%d,%d,16], w: bf16[%d,%d,%d,%d,8,16,2]) -> "
            "(y: %%s[2,%d,%d,%d,16]) {\n"
            "  y: y[n, ob, h, w, o] sum(cb < %d, kh < %d, kw < %d, ig < 8, i < 2) init %%s(0) = "
            "%%s(x[n, cb, h + kh, w + kw, ig * 2 + i]) * %%s(w[ob, cb, kh, kw, ig, o, i])\n}\n",
            in, h, h, out, in, k, k, out, p, p, in, k, k),
        &off);
  }
  assert_true(off > 0);
}

/* What the instruction takes for zero: a factor of less than 2^-126, however large the other one is. */
static void denormals(void **state)
{
  struct tsr_arena *a = *state;
  const struct tir_func *f =
      func_of(a, "func f(x: bf16[1,8], w: bf16[1,4,16,2]) -> (y: f32[1,1,16]) {\n"
                 "  y: y[m, nb, n] sum(kg < 4, k < 2) init 0.0 = f32(x[m, kg * 2 + k]) * "
                 "f32(w[nb, kg, n, k])\n}\n");
  uint16_t x[8], w[128];
  float y[16];
  struct tsr_bytes code = code_of(a, f, levels_here());
  struct tsr_code_block *block;
  int blocks;
  for (int i = 0; i < 8; i++)
    x[i] = tsr_bf16_of_float(i == 3 ? 0x1p-130f : 0.5f);
  for (int i = 0; i < 128; i++)
    w[i] = tsr_bf16_of_float(i / 32 == 1 && i % 2 ? 0x1p127f : 0.25f);
  assert_int_equal(tsr_code_read(a, NULL, &code, 1, &blocks, &block), TSR_OK);
  for (int k = 0; k < blocks; k++) {
    struct tsr_code_mapping mapping;
    bool flushes = block[k].level == TSR_LEVEL_BF16;
    void *params[] = {x, w, y};
    assert_int_equal(tsr_code_map(NULL, &block[k], &mapping), TSR_OK);
    assert_int_equal(tsr_code_entry(&mapping, block[k].layer)(params, NULL, 1), 0);
    for (int i = 0; i < 16; i++)
      assert_true(y[i] == (flushes ? 0.875f : 0.875f + 0.125f));
    tsr_code_unmap(&mapping);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(matrices),
      IN_ARENA(convolutions),
      IN_ARENA(denormals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
