/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs by hand: what lanes, tiles, cuts and checks do at their ends. */
#include "tests/cpu/rig.h"

static float *floats(struct tsr_arena *a, size_t n)
{
  uint64_t seed = 11;
  float *p = TSR_NEW_ARRAY(a, float, n + 1);
  for (size_t i = 0; i < n; i++)
    p[i] = ((float)next_random(&seed) - 67108864.0f) / 33554432.0f;
  return p;
}

/* Every extent has its own remainder of lanes. */
static void extents(void **state)
{
  for (int n = 1; n <= 67; n++) {
    void *in[] = {floats(*state, 67), some_bytes(*state, 67)};
    char text[512];
    snprintf(text, sizeof text,
             "func f(x: f32[%d], b: i8[%d]) -> (y: f32[%d], c: i8[%d]) {\n"
             "  one: y[i] = x[i] * x[i] + f32(b[i])\n"
             "  two: c[i] = max(b[i], i8(i))\n"
             "}\n",
             n, n, n, n);
    assert_int_equal(compare_text(*state, text, in), 0);
  }
}

/* Rows with padding: dtype, stride and dilation. */
static void padding(void **state)
{
  static const char *const dtypes[] = {"f32", "i8", "i32"};
  for (int k = 0; k < 3; k++)
    for (int w = 1; w <= 40; w += 3) {
      void *in[] = {k == 1 ? some_bytes(*state, 200) : (void *)floats(*state, 200)};
      char text[512];
      snprintf(text, sizeof text,
               "func f(x: %s[3,%d]) -> (y: %s[5,%d]) {\n"
               "  one: y[h, w] = select(1 <= h and h < 4 and (2 <= w and w < %d), x[h - 1, w - 2], "
               "%s(1))\n"
               "}\n",
               dtypes[k], w, dtypes[k], w + 3, w + 2, dtypes[k]);
      assert_int_equal(compare_text(*state, text, in), 0);
    }
}

/* Steps of 2, 3 and -1 from lane to lane, up to the last element that there is. */
static void steps(void **state)
{
  static const char *const dtypes[] = {"f32", "i8", "i64", "bool"};
  for (int k = 0; k < 4; k++)
    for (int n = 1; n < 70; n += 4) {
      void *in[] = {k == 0 ? (void *)floats(*state, 400) : some_bytes(*state, 2000)};
      char text[512];
      snprintf(text, sizeof text,
               "func f(x: %s[%d]) -> (y: %s[%d]) {\n"
               "  one: y[i] = select(x[2 * i] == x[3 * i], x[%d - i], x[2 * i])\n"
               "}\n",
               dtypes[k], 3 * n - 2, dtypes[k], n, n - 1);
      assert_int_equal(compare_text(*state, text, in), 0);
    }
}

/* Masks that no cut takes away: the condition is about data. */
static void masks(void **state)
{
  void *in[] = {floats(*state, 100), some_bytes(*state, 100)};
  assert_int_equal(
      compare_text(
          *state,
          "func f(x: f32[100], b: i8[100]) -> (y: f32[100]) {\n"
          "  one: y[i] = select(0 <= i64(b[i]) and i64(b[i]) < 100, x[i64(b[i])], f32(-1))\n"
          "}\n",
          in),
      0);
  assert_int_equal(
      compare_text(
          *state,
          "func f(x: f32[100], b: i8[100]) -> (y: f32[99]) {\n"
          "  one: y[i] = select(b[i] < i8(3), x[i + 1] + x[99 - i], x[floormod(i * 3, 100)])\n"
          "}\n",
          in),
      0);
}

/* An index outside of its buffer is noticed, and memory there is not touched. */
static void outside(void **state)
{
  int64_t index[] = {0, 3, 99, 4};
  void *in[] = {floats(*state, 100), index};
  const char *text = "func f(x: f32[5], k: i64[4]) -> (y: f32[4]) {\n  one: y[i] = x[k[i]]\n}\n";
  assert_int_equal(compare_text(*state, text, in), 0);
  index[2] = 5;
  assert_int_equal(compare_text(*state, text, in), 0);
  index[2] = -1;
  assert_int_equal(compare_text(*state, text, in), 0);
  index[2] = INT64_MIN;
  assert_int_equal(compare_text(*state, text, in), 0);
  index[2] = 2;
  assert_int_equal(compare_text(*state, text, in), 0);
}

/* Sums of products, all shapes of their tiles. */
static void products(void **state)
{
  void *in[] = {floats(*state, 5000), floats(*state, 5000)};
  static const int sizes[][3] = {{1, 1, 1},    {1, 7, 33},   {5, 1, 64},  {13, 37, 3},
                                 {24, 64, 16}, {25, 65, 17}, {3, 100, 2}, {40, 16, 30}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int transposed = 0; transposed < 2; transposed++) {
      int m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
      char text[512];
      snprintf(text, sizeof text,
               "func f(a: f32[%d,%d], b: f32[%d,%d]) -> (y: f32[%d,%d]) {\n"
               "  one: y[m, n] sum(k < %d) init f32(0) = a[m, k] * b[%s]\n"
               "}\n",
               m, k, transposed ? n : k, transposed ? k : n, m, n, k, transposed ? "n, k" : "k, n");
      assert_int_equal(compare_text(*state, text, in), 0);
    }
}

/* Every way to combine, in every number's dtype, along rows and along columns. */
static void reductions(void **state)
{
  static const char *const dtypes[] = {"i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"};
  static const char *const ways[] = {"sum", "product", "maximum", "minimum"};
  void *in[] = {some_bytes(*state, 4000)};
  for (int d = 0; d < 8; d++)
    for (int way = 0; way < 4; way++)
      for (int columns = 0; columns < 2; columns++) {
        char text[512];
        snprintf(text, sizeof text,
                 "func f(x: %s[19,23]) -> (y: %s[%d]) {\n"
                 "  one: y[i] %s(k < %d) init %s(3) = x[%s]\n"
                 "}\n",
                 dtypes[d], dtypes[d], columns ? 23 : 19, ways[way], columns ? 19 : 23, dtypes[d],
                 columns ? "k, i" : "i, k");
        assert_int_equal(compare_text(*state, text, in), 0);
      }
}

/* Every remainder of shifts by 0 to 4, and the half alone of all others. */
static void ties(void **state)
{
  enum { N = 64, SHIFTS = 32 };
  int32_t *x = TSR_NEW_ARRAY(*state, int32_t, SHIFTS * N),
          *s = TSR_NEW_ARRAY(*state, int32_t, SHIFTS);
  for (int k = 0; k < SHIFTS; k++) {
    s[k] = k;
    for (int i = 0; i < N; i++)
      x[k * N + i] = k < 5 ? i - N / 2 : (int32_t)((uint32_t)(i - N / 2) << (k - 1));
  }
  assert_int_equal(compare_text(*state,
                                "func f(x: i32[32,64], s: i32[32]) -> (y: i32[32,64]) {\n"
                                "  one: y[k, i] = shr(x[k, i], s[k])\n"
                                "}\n",
                                (void *[]){x, s}),
                   0);
}

/* Elements that all lie on one side of zero: parts of a maximum, or minimum, begin beyond them. */
static void extremes(void **state)
{
  static const struct {
    const char *way, *dtype, *init;
    int top; /* bit of each byte */
  } rows[] = {{"maximum", "i8", "-128", 1}, {"maximum", "i32", "-2147483648", 1},
              {"minimum", "i8", "127", 0},  {"minimum", "i32", "2147483647", 0},
              {"minimum", "u8", "255", 1},  {"minimum", "u16", "65535", 1}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    uint8_t *x = some_bytes(*state, 4000);
    for (int i = 0; i < 4000; i++)
      x[i] = (uint8_t)((x[i] & 0x7f) | rows[k].top << 7);
    char text[512];
    snprintf(text, sizeof text,
             "func f(x: %s[5,200]) -> (y: %s[5]) {\n"
             "  one: y[i] %s(k < 200) init %s(%s) = x[i, k]\n"
             "}\n",
             rows[k].dtype, rows[k].dtype, rows[k].way, rows[k].dtype, rows[k].init);
    assert_int_equal(compare_text(*state, text, (void *[]){x}), 0);
  }
}

/* Which axes become one. */
static void flattened(void **state)
{
  static const struct {
    int rank;
    const char *text;
  } rows[] = {
      {1,
       "func f(x: f32[2,3,5]) -> (y: f32[2,3,5]) {\n  one: y[i, j, k] = x[i, j, k] + f32(1)\n}\n"},
      {2, "func f(x: f32[2,3,5], b: f32[2]) -> (y: f32[2,3,5]) {\n"
          "  one: y[i, j, k] = x[i, j, k] + b[i]\n}\n"},
      {3, "func f(x: f32[2,3,5], b: f32[3]) -> (y: f32[2,3,5]) {\n"
          "  one: y[i, j, k] = x[i, j, k] + b[j]\n}\n"},
      {2, "func f(x: f32[2,3,5]) -> (y: f32[2,3,5]) {\n  one: y[i, j, k] = x[i, j, 4 - k]\n}\n"},
      {3,
       "func f(x: f32[2,3,5]) -> (y: f32[2,3,5]) {\n  one: y[i, j, k] = x[i, 2 - j, 4 - k]\n}\n"},
      {2, "func f(x: f32[5,2,3]) -> (y: f32[2,3,5]) {\n  one: y[i, j, k] = x[k, i, j]\n}\n"},
      {3, "func f(x: f32[2,3,5], z: f32[3,2,5]) -> (y: f32[2,3,5]) {\n"
          "  one: y[i, j, k] = x[i, j, k] + z[j, i, k]\n}\n"},
      {2, "func f(x: f32[4,3,5], w: f32[2,4,1,1]) -> (y: f32[2,3,5]) {\n"
          "  one: y[o, h, v] sum(c < 4, kh < 1, kw < 1) init f32(0) = x[c, h + kh, v + kw] * w[o, "
          "c, kh, kw]\n"
          "}\n"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    void *in[] = {floats(*state, 100), floats(*state, 100)};
    const struct tir_func *f = tsr_cpu_flatten(*state, func_of(*state, rows[k].text));
    assert_int_equal(f->param[f->params - 1]->rank, rows[k].rank);
    assert_int_equal(tir_func_verify(NULL, f), TSR_OK);
    assert_int_equal(compare_text(*state, rows[k].text, in), 0);
  }
}

/* Rows to columns, of all sizes of squares and what is left over; several squares at a time. */
static void turned(void **state)
{
  static const char *const values[] = {"x[b, j, i]",
                                       "i8(i32(x[b, j, i]) + i32(i) * i32(3) - i32(j))"};
  static const char *const dtypes[] = {"i8", "f32", "i64", "bool", "i16"};
  static const int sizes[][2] = {{16, 16},  {4, 5},   {7, 49},  {33, 17},  {3, 64},   {40, 9},
                                 {31, 100}, {16, 64}, {64, 16}, {16, 190}, {20, 150}, {150, 20}};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    for (int d = 0; d < 6; d++) {
      const char *dtype = dtypes[d % 5];
      void *in[] = {d == 1 ? (void *)floats(*state, 7000) : some_bytes(*state, 50000)};
      char text[512];
      int m = sizes[k][0], n = sizes[k][1];
      snprintf(text, sizeof text,
               "func f(x: %s[2,%d,%d]) -> (y: %s[2,%d,%d]) {\n  one: y[b, i, j] = %s\n}\n", dtype,
               n, m, dtype, m, n, values[d == 5]);
      assert_int_equal(compare_text(*state, text, in), 0);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(extents),    IN_ARENA(padding),  IN_ARENA(steps),     IN_ARENA(masks),
      IN_ARENA(outside),    IN_ARENA(products), IN_ARENA(flattened), IN_ARENA(turned),
      IN_ARENA(reductions), IN_ARENA(extremes), IN_ARENA(ties),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
