/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter against the same computation written in C. */
#include <math.h>

#include "tir_test.h"

static void fill_i8(int8_t *p, int n, uint64_t seed)
{
  for (int i = 0; i < n; i++)
    p[i] = (int8_t)next_random(&seed);
}

static void fill_f32(float *p, int n, uint64_t seed)
{
  for (int i = 0; i < n; i++)
    p[i] = (float)((int)(next_random(&seed) % 2001) - 1000) / 77;
}

/* --- convolution, padded by select, strided, and depthwise ----------------------------------- */

static const char conv_text[] =
    "func conv(x: i8[2,9,10,5], w: i8[7,3,3,5]) -> (y: i32[2,5,5,7]) {\n"
    "  temp p: i8[2,11,12,5]\n"
    "  pad: p[n, h, w, c] = select(1 <= h and h < 10 and (1 <= w and w < 11), x[n, h - 1, w - 1, "
    "c], i8(3))\n"
    "  conv: y[n, h, w, o] sum(kh < 3, kw < 3, c < 5) init i32(100) = i32(p[n, h * 2 + kh, w * 2 + "
    "kw, c])"
    " * i32(w[o, kh, kw, c])\n"
    "}\n";

static int padded(const int8_t *x, int n, int h, int w, int c)
{
  return h < 0 || h >= 9 || w < 0 || w >= 10 ? 3 : x[((n * 9 + h) * 10 + w) * 5 + c];
}

static void test_conv(void **state)
{
  static int8_t x[2 * 9 * 10 * 5], w[7 * 9 * 5];
  static int32_t y[2 * 5 * 5 * 7];
  fill_i8(x, sizeof x, 1);
  fill_i8(w, sizeof w, 2);
  run_text(*state, conv_text, (void *[]){x, w, y});
  for (int i = 0; i < 2 * 5 * 5 * 7; i++) {
    int o = i % 7, ow = i / 7 % 5, oh = i / 35 % 5, n = i / 175, sum = 100;
    for (int k = 0; k < 45; k++)
      sum += padded(x, n, oh * 2 + k / 15 - 1, ow * 2 + k / 5 % 3 - 1, k % 5) * w[o * 45 + k];
    assert_int_equal(y[i], sum);
  }
}

/* The padding inside of the sum: a load that only some lanes of a reduction may do. */
static void test_conv_without_buffer(void **state)
{
  static int8_t x[40], w[5];
  static int32_t y[40];
  fill_i8(x, sizeof x, 3);
  fill_i8(w, sizeof w, 4);
  run_text(*state,
           "func conv(x: i8[40], w: i8[5]) -> (y: i32[40]) {\n"
           "  c: y[i] sum(k < 5) init i32(0) = select(0 <= i + k - 2 and i + k - 2 < 40,"
           " i32(x[i + k - 2]) * i32(w[k]), i32(0))\n}\n",
           (void *[]){x, w, y});
  for (int i = 0; i < 40; i++) {
    int sum = 0;
    for (int k = 0; k < 5; k++)
      sum += i + k - 2 < 0 || i + k - 2 >= 40 ? 0 : x[i + k - 2] * w[k];
    assert_int_equal(y[i], sum);
  }
}

/* Sizes around the number of lanes, and reductions longer than it. */
static void test_matmul(void **state)
{
  static const int sizes[][3] = {{1, 1, 1},    {3, 5, 7},    {2, 1, 2049},
                                 {1, 1025, 2}, {33, 31, 64}, {2, 3, 1024}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    int m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    int8_t *x = tsr_arena_alloc(*state, (size_t)(m * k)),
           *w = tsr_arena_alloc(*state, (size_t)(n * k));
    int32_t *y = tsr_arena_alloc(*state, (size_t)(m * n) * 4);
    fill_i8(x, m * k, s);
    fill_i8(w, n * k, s + 100);
    run_text(
        *state,
        tsr_arena_printf(*state,
                         "func mm(x: i8[%d,%d], w: i8[%d,%d]) -> (y: i32[%d,%d]) {\n"
                         "  s: y[i, j] sum(k < %d) init i32(0) = i32(x[i, k]) * i32(w[j, k])\n}\n",
                         m, k, n, k, m, n, k),
        (void *[]){x, w, y});
    for (int i = 0; i < m * n; i++) {
      int32_t sum = 0;
      for (int j = 0; j < k; j++)
        sum += x[i / n * k + j] * w[i % n * k + j];
      assert_int_equal(y[i], sum);
    }
  }
}

/* Sums of floats go in the order of the loops, so that the bits are those of plain C. */
static void test_float_sums_in_order(void **state)
{
  static float x[3000], y[6], z[1];
  fill_f32(x, 3000, 5);
  run_text(*state,
           "func f(x: f32[6,500]) -> (y: f32[6], z: f32[]) {\n"
           "  rows: y[i] sum(k < 500) init 0.1 = x[i, k]\n"
           "  all: z[] product(i < 6, k < 500) init 1.0 = x[i, k] * 0.001 + 1.0\n}\n",
           (void *[]){x, y, z});
  float product = 1;
  for (int i = 0; i < 6; i++) {
    volatile float sum = 0.1f;
    for (int k = 0; k < 500; k++)
      sum += x[i * 500 + k];
    assert_true(y[i] == sum);
  }
  for (int i = 0; i < 3000; i++)
    product *= x[i] * 0.001f + 1.0f;
  assert_true(z[0] == product);
}

static void test_softmax(void **state)
{
  static float x[70], y[70];
  fill_f32(x, 70, 6);
  run_text(*state,
           "func softmax(x: f32[7,10]) -> (y: f32[7,10]) {\n"
           "  temp m: f32[7]\n  temp e: f32[7,10]\n  temp s: f32[7]\n"
           "  most: m[i] maximum(k < 10) init f32(-inf) = x[i, k]\n"
           "  exps: e[i, j] = exp(x[i, j] - m[i])\n"
           "  sums: s[i] sum(k < 10) init 0.0 = e[i, k]\n"
           "  div: y[i, j] = e[i, j] / s[i]\n}\n",
           (void *[]){x, y});
  for (int i = 0; i < 7; i++) {
    float m = -INFINITY, s = 0;
    for (int k = 0; k < 10; k++)
      m = x[i * 10 + k] > m ? x[i * 10 + k] : m;
    for (int k = 0; k < 10; k++)
      s += expf(x[i * 10 + k] - m);
    for (int k = 0; k < 10; k++)
      assert_true(y[i * 10 + k] == expf(x[i * 10 + k] - m) / s);
  }
}

static void test_pooling(void **state)
{
  static int8_t x[3 * 8 * 8], most[3 * 4 * 4], least[3 * 4 * 4];
  fill_i8(x, sizeof x, 7);
  run_text(*state,
           "func pool(x: i8[3,8,8]) -> (a: i8[3,4,4], b: i8[3,4,4]) {\n"
           "  hi: a[c, h, w] maximum(i < 2, j < 2) init i8(-128) = x[c, h * 2 + i, w * 2 + j]\n"
           "  lo: b[c, h, w] minimum(i < 2, j < 2) init i8(127) = x[c, h * 2 + i, w * 2 + j]\n}\n",
           (void *[]){x, most, least});
  for (int i = 0; i < 48; i++) {
    const int8_t *p = &x[i / 16 * 64 + i / 4 % 4 * 16 + i % 4 * 2];
    int hi = -128, lo = 127;
    for (int k = 0; k < 4; k++) {
      int v = p[k / 2 * 8 + k % 2];
      hi = v > hi ? v : hi;
      lo = v < lo ? v : lo;
    }
    assert_int_equal(most[i], hi);
    assert_int_equal(least[i], lo);
  }
}

/* --- indirect and rearranging indices -------------------------------------------------------- */

static const char gather_text[] = "func take(x: f64[5,3], i: i64[4]) -> (y: f64[4,3]) {\n"
                                  "  s: y[a, b] = x[i[a], b]\n}\n";

static void test_gather(void **state)
{
  double x[15], y[12];
  int64_t index[4] = {4, 0, 0, 2};
  for (int i = 0; i < 15; i++)
    x[i] = i * 1.5;
  run_text(*state, gather_text, (void *[]){x, index, y});
  for (int i = 0; i < 12; i++)
    assert_true(y[i] == x[index[i / 3] * 3 + i % 3]);
}

static void test_gather_outside_is_refused(void **state)
{
  double x[15] = {0}, y[12];
  int64_t index[4] = {4, 0, 5, 2};
  struct tsr_err err;
  assert_int_equal(
      tir_func_run(*state, &err, func_of(*state, gather_text), (void *[]){x, index, y}),
      TSR_REFUSED);
  assert_string_equal(err.text,
                      "take: index 5 of dimension 0 is outside of buffer x, which has 5 there");
  index[2] = -1;
  assert_int_equal(
      tir_func_run(*state, &err, func_of(*state, gather_text), (void *[]){x, index, y}),
      TSR_REFUSED);
  assert_string_equal(err.text,
                      "take: index -1 of dimension 0 is outside of buffer x, which has 5 there");
}

/* The branch not taken may be anywhere; the one taken may not. */
static void test_select_guards_gather(void **state)
{
  static const char text[] = "func f(x: i8[5], i: i64[6], c: bool[6]) -> (y: i8[6]) {\n"
                             "  s: y[a] = select(c[a], select(i[a] < 0, i8(-1), x[i[a]]), "
                             "select(c[0], x[i[a] * 2], i8(9)))\n}\n";
  int8_t x[5] = {10, 11, 12, 13, 14}, y[6];
  int64_t index[6] = {0, 1000000000000, -3, 4, 2, INT64_MIN};
  uint8_t c[6] = {0, 0, 1, 1, 1, 0};
  const int8_t wanted[6] = {9, 9, -1, 14, 12, 9};
  run_text(*state, text, (void *[]){x, index, c, y});
  assert_memory_equal(y, wanted, 6);
  struct tsr_err err;
  c[1] = 1;
  assert_int_equal(tir_func_run(*state, &err, func_of(*state, text), (void *[]){x, index, c, y}),
                   TSR_REFUSED);
  assert_string_equal(
      err.text, "f: index 1000000000000 of dimension 0 is outside of buffer x, which has 5 there");
}

static void test_reshape_and_broadcast(void **state)
{
  int16_t x[24], b[4], y[24], z[24];
  for (int i = 0; i < 24; i++)
    x[i] = (int16_t)(i * 1000);
  for (int i = 0; i < 4; i++)
    b[i] = (int16_t)(i * 7);
  run_text(*state,
           "func f(x: i16[2,3,4], b: i16[1,4]) -> (y: i16[4,6], z: i16[2,3,4]) {\n"
           "  shape: y[i, j] = x[floordiv(i * 6 + j, 12), floormod(floordiv(i * 6 + j, 4), 3),"
           " floormod(i * 6 + j, 4)]\n"
           "  wide: z[i, j, k] = x[1 - i, 2 - j, k] + b[0, k]\n}\n",
           (void *[]){x, b, y, z});
  assert_memory_equal(x, y, sizeof x);
  for (int i = 0; i < 24; i++)
    assert_int_equal(z[i],
                     (int16_t)(x[(1 - i / 12) * 12 + (2 - i / 4 % 3) * 4 + i % 4] + b[i % 4]));
}

/* Each dtype through memory, a temporary, a transposition and, but halves, a sum. */
static void test_all_dtypes(void **state)
{
  for (int dtype = TSR_I8; dtype < TSR_DTYPE_COUNT; dtype++) {
    const char *name = tsr_dtype_name((enum tsr_dtype)dtype);
    const char *sum = tsr_dtype_is_half((enum tsr_dtype)dtype) ? "f32" : name;
    uint64_t in[35], out[35], sums[7];
    struct tsr_tensor x = {(enum tsr_dtype)dtype, 2, {5, 7}, in},
                      y = {(enum tsr_dtype)dtype, 2, {7, 5}, out};
    struct tsr_tensor s = {sum == name ? (enum tsr_dtype)dtype : TSR_F32, 1, {7}, sums};
    for (int i = 0; i < 35; i++)
      tsr_put_int(&x, i, i * i - 3 * i);
    run_text(*state,
             tsr_arena_printf(*state,
                              "func f(x: %s[5,7]) -> (y: %s[7,5], s: %s[7]) {\n  temp t: %s[7,5]\n"
                              "  t: t[i, j] = x[j, i]\n  c: y[i, j] = t[i, j]\n"
                              "  s: s[i] sum(j < 5) init %s(0) = %s(x[j, i])\n}\n",
                              name, name, sum, name, sum, sum),
             (void *[]){in, out, sums});
    for (int i = 0; i < 7; i++) {
      struct tsr_tensor one = {s.dtype, 0, {0}, (uint64_t[1]){0}};
      for (int j = 0; j < 5; j++) {
        assert_int_equal(tsr_get_int(&y, i * 5 + j), tsr_get_int(&x, j * 7 + i));
        tsr_put_int(&one, 0, tsr_get_int(&one, 0) + tsr_get_int(&x, j * 7 + i));
      }
      assert_int_equal(tsr_get_int(&s, i), tsr_get_int(&one, 0));
    }
  }
}

static void test_empty_and_scalar(void **state)
{
  float y[1] = {5}, z[3] = {1, 2, 3};
  run_text(*state,
           "func f(x: f32[0,4]) -> (y: f32[], z: f32[3], e: f32[4,0]) {\n"
           "  temp t: f32[]\n"
           "  s: y[] sum(i < 0, j < 4) init 2.5 = x[i, j]\n"
           "  t: t[] = 3.5\n"
           "  c: z[i] = t[] + 1.0\n"
           "  e: e[i, j] = x[j, i]\n}\n",
           (void *[]){NULL, y, z, NULL});
  assert_true(y[0] == 2.5f && z[0] == 4.5f && z[2] == 4.5f);
}

/* --- programs -------------------------------------------------------------------------------- */

static void test_loops(void **state)
{
  int32_t x[10], y[10], t[4] = {0};
  for (int i = 0; i < 10; i++)
    x[i] = i * i;
  run_program(*state,
              "program p(x: i32[10]) -> (y: i32[10], t: i32[4]) {\n"
              "  for o < 3 {\n"
              "    alloc b: i32[4] local {\n"
              "      for i < min(4, 10 - o * 4) unroll { b[i] = x[o * 4 + i] + i32(1) }\n"
              "      for i < min(4, 10 - o * 4) { y[o * 4 + i] = b[i] * i32(2) }\n"
              "      for i < 4 { t[i] += b[i] }\n" /* 0 where nothing was written */
              "    }\n"
              "  }\n"
              "}\n",
              (void *[]){x, y, t});
  for (int i = 0; i < 10; i++)
    assert_int_equal(y[i], (i * i + 1) * 2);
  assert_int_equal(t[0], 1 + 17 + 65);
  assert_int_equal(t[3], 10 + 50);
}

/* A store that reads what earlier iterations wrote must not become lanes. */
static void test_recurrence(void **state)
{
  int64_t y[50];
  run_program(*state,
              "program fib() -> (y: i64[50]) {\n"
              "  y[0] = 0\n  y[1] = 1\n"
              "  for i < 48 { y[i + 2] = y[i + 1] + y[i] }\n"
              "  for i < 49 { y[49] += y[0] }\n"
              "}\n",
              (void *[]){y});
  assert_int_equal(y[48], 4807526976);
  assert_int_equal(y[49], 7778742049);
}

static void test_conditions(void **state)
{
  int32_t x[30], y[30] = {0}, sum[1] = {0};
  for (int i = 0; i < 30; i++)
    x[i] = i - 10;
  run_program(*state,
              "program p(x: i32[30]) -> (y: i32[30], s: i32[]) {\n"
              "  for i < 5 { for j < 6 {\n"
              "    if x[i * 6 + j] < i32(0) or j == 2 { y[i * 6 + j] = x[i * 6 + j] }\n"
              "  } }\n"
              "  for i < 30 { if 3 <= i { if x[i - 3] == i32(4) { s[] += x[i] * x[i - 3] } } }\n"
              "  if x[0] < i32(0) { for i < 3 { y[i] += i32(1000) } }\n"
              "  if not x[0] < i32(0) { y[0] = i32(7) }\n"
              "}\n",
              (void *[]){x, y, sum});
  for (int i = 0; i < 30; i++)
    assert_int_equal(y[i], (x[i] < 0 || i % 6 == 2 ? x[i] : 0) + (i < 3 ? 1000 : 0));
  assert_int_equal(sum[0], 4 * 7);
}

/* Stores whose lanes meet in one element, in every pattern: all, runs, interleaved, computed, last
 * wins. */
static void test_meeting_stores(void **state)
{
  int32_t a[1] = {0}, b[6] = {0}, c[4] = {0}, d[3] = {0}, e[1];
  run_program(*state,
              "program p() -> (a: i32[], b: i32[6], c: i32[4], d: i32[3], e: i32[]) {\n"
              "  for i < 6 { for j < 4 {  a[] += i32(i * 4 + j) } }\n"
              "  for i < 6 { for j < 4 {  b[i] += i32(i * 4 + j) } }\n"
              "  for i < 6 { for j < 4 {  c[j] += i32(i * 4 + j) } }\n"
              "  for i < 6 { for j < 4 {  d[floormod(i + j, 3)] += i32(i * 4 + j) } }\n"
              "  for i < 6 { for j < 4 {  e[] = i32(i * 4 + j) } }\n"
              "}\n",
              (void *[]){a, b, c, d, e});
  int32_t wa = 0, wb[6] = {0}, wc[4] = {0}, wd[3] = {0};
  for (int i = 0; i < 24; i++) {
    wa += i;
    wb[i / 4] += i;
    wc[i % 4] += i;
    wd[(i / 4 + i % 4) % 3] += i;
  }
  assert_int_equal(a[0], wa);
  assert_int_equal(e[0], 23);
  assert_memory_equal(b, wb, sizeof wb);
  assert_memory_equal(c, wc, sizeof wc);
  assert_memory_equal(d, wd, sizeof wd);
}

/* Init and update of one loop body: apart only where the elements of different iterations differ.
 */
static void test_init_and_update(void **state)
{
  int32_t x[24], y[24], z[6], w[4];
  for (int i = 0; i < 24; i++)
    x[i] = i * i + 1;
  run_program(*state,
              "program p(x: i32[24]) -> (y: i32[24], z: i32[6], w: i32[4]) {\n"
              "  for o < 6 { for i < 4 { y[o * 4 + i] = i32(5)  for k < 3 { y[o * 4 + i] += x[i + "
              "k] } } }\n"
              "  for o < 3 { for i < 4 { z[o + i] = i32(1)  for k < 3 { z[o + i] += x[o * 4 + i + "
              "k] } } }\n"
              "  for i < 4 { for j < 6 { w[i] = x[j]  w[i] += i32(i) } }\n"
              "}\n",
              (void *[]){x, y, z, w});
  for (int i = 0; i < 24; i++)
    assert_int_equal(y[i], 5 + x[i % 4] + x[i % 4 + 1] + x[i % 4 + 2]);
  int32_t wz[6];
  for (int o = 0; o < 3; o++)
    for (int i = 0; i < 4; i++)
      wz[o + i] = 1 + x[o * 4 + i] + x[o * 4 + i + 1] + x[o * 4 + i + 2];
  assert_memory_equal(z, wz, sizeof wz);
  for (int i = 0; i < 4; i++)
    assert_int_equal(w[i], x[5] + i);
}

static void test_many_terms(void **state)
{
  int64_t x[60], y[3];
  struct tsr_text sum = {.arena = *state};
  int64_t wanted = 0;
  for (int i = 0; i < 60; i++) {
    x[i] = i * 1000;
    wanted += i * 1000 * (i + 1);
    tsr_text_add(&sum, "%sx[%d] * %d", i ? " + " : "", i, i + 1);
  }
  run_program(*state,
              tsr_arena_printf(*state,
                               "program p(x: i64[60]) -> (y: i64[3]) {\n"
                               "  for i < 3 { y[i] = %s + i * 5 }\n"
                               "  for i < 1 { y[floormod(%s, 2) + i] += 1 }\n}\n",
                               sum.data, sum.data),
              (void *[]){x, y});
  for (int i = 0; i < 3; i++)
    assert_int_equal(y[i], wanted + i * 5 + (i == wanted % 2));
}

static void test_memory_is_limited(void **state)
{
  struct tsr_err err;
  float y[1];
  assert_int_equal(
      try_program(*state, &err,
                  "program p() -> (y: f32[1]) {\n"
                  "  alloc a: f32[1073741824] { alloc b: f32[1073741825] { y[0] = 1.0\n"
                  "    for i < 1 { a[i] = 1.0  b[i] = 1.0 } } }\n}\n",
                  (void *[]){y}),
      TSR_REFUSED);
  assert_string_equal(err.text, "p: the temporaries up to b take more than 8589934592 bytes");
}

/* One code, many runs: nothing stays behind. */
static void test_runs_again(void **state)
{
  struct tir_code *code;
  struct tsr_err err;
  int32_t y[2][3];
  struct tir_program *p = program_of(*state, "program p() -> (y: i32[3]) {\n  alloc t: i32[3] {\n"
                                             "    for i < 3 { t[i] += i32(i) }\n"
                                             "    for i < 3 { y[i] = t[i] }\n  }\n}\n");
  assert_int_equal(tir_code_new(*state, &err, p, &code), TSR_OK);
  for (int i = 0; i < 2; i++)
    assert_int_equal(tir_code_run(code, *state, &err, (void *[]){y[i]}), TSR_OK);
  assert_memory_equal(y[0], y[1], sizeof y[0]);
  assert_int_equal(y[0][2], 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_ARENA(test_conv),
    IN_ARENA(test_conv_without_buffer),
    IN_ARENA(test_matmul),
    IN_ARENA(test_float_sums_in_order),
    IN_ARENA(test_softmax),
    IN_ARENA(test_pooling),
    IN_ARENA(test_gather),
    IN_ARENA(test_gather_outside_is_refused),
    IN_ARENA(test_select_guards_gather),
    IN_ARENA(test_reshape_and_broadcast),
    IN_ARENA(test_all_dtypes),
    IN_ARENA(test_empty_and_scalar),
    IN_ARENA(test_loops),
    IN_ARENA(test_recurrence),
    IN_ARENA(test_conditions),
    IN_ARENA(test_meeting_stores),
    IN_ARENA(test_init_and_update),
    IN_ARENA(test_many_terms),
    IN_ARENA(test_memory_is_limited),
    IN_ARENA(test_runs_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
