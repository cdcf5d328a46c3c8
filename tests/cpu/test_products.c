/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of products in the forms that the planner knows: that it finds them, and what comes out. */
#include "base/arith.h"
#include "tests/cpu/rig.h"

enum { MOST_INPUTS = 3 };

/* Bytes of all values, small floats, and words that quantize to the whole range of int8. */
static void *data_of(struct tsr_arena *a, const struct tir_buffer *b)
{
  uint64_t seed = 7;
  int64_t n = tsr_count(b->dims, b->rank, 1), inner = b->rank ? b->dims[b->rank - 1] : 1;
  char *p = tsr_arena_alloc(a, (size_t)n * tsr_dtype_bytes(b->dtype) + 1);
  for (int64_t i = 0; i < n; i++) {
    uint32_t r = next_random(&seed);
    int part = (int)(i / inner % 3);
    if (b->dtype == TSR_F32)
      ((float *)p)[i] = ((float)(r % 2001) - 1000) / 256;
    else if (b->dtype == TSR_I32)
      ((int32_t *)p)[i] = part == 0   ? (int32_t)(r % 20001) - 10000
                          : part == 1 ? (int32_t)(r | 1u << 30) & INT32_MAX
                                      : (int32_t)(0x7f800500u | (r % 7 ? 40 : 46));
    else
      p[i] = (char)r;
  }
  return p;
}

static int compare(struct tsr_arena *a, const char *text)
{
  const struct tir_func *f = func_of(a, text);
  void *in[MOST_INPUTS];
  for (int i = 0; i < f->inputs; i++)
    in[i] = data_of(a, f->param[i]);
  return compare_text(a, text, in);
}

static const char *schedule_of(struct tsr_arena *a, const char *text, enum tsr_level level)
{
  struct tir_sched *sched;
  struct tsr_err err = {0};
  if (tsr_cpu_plan(a, &err, tsr_cpu_flatten(a, func_of(a, text)), level, &sched))
    fail_msg("%s", err.text);
  return tir_sched_text(sched);
}

/* Every level has these lines in its schedule. */
static void expect(struct tsr_arena *a, const char *text, const char *line)
{
  for (int level = 0; level < TSR_LEVELS; level++)
    if (!strstr(schedule_of(a, text, (enum tsr_level)level), line))
      fail_msg("%s has no '%s' in its schedule:\n%s\n%s", tsr_level_info(level)->name, line, text,
               schedule_of(a, text, (enum tsr_level)level));
}

/* --- convolutions ----------------------------------------------------------------------------- */

struct shape {
  int in, out, h, w, kernel, stride, pad; /* in, out: blocks of 16 channels */
};

static const struct shape shapes[] = {{1, 1, 5, 5, 3, 1, 1},   {2, 3, 7, 9, 3, 1, 1},
                                      {1, 2, 9, 31, 3, 2, 1},  {3, 4, 4, 17, 1, 1, 0},
                                      {2, 1, 13, 13, 1, 2, 0}, {1, 5, 8, 15, 5, 1, 2},
                                      {1, 2, 1, 1, 3, 1, 1},   {2, 2, 30, 29, 2, 1, 0}};

static int places(int in, const struct shape *s)
{
  return (in + 2 * s->pad - s->kernel) / s->stride + 1;
}

/* The stage xs, if there is padding. */
static const char *padding(struct tsr_arena *a, const struct shape *s, const char *dtype,
                           const char *value)
{
  if (!s->pad)
    return "";
  return tsr_arena_printf(
      a,
      "  xs: xs[n, c, h, w, i] = select(%d <= h and h < %d and (%d <= w and w < %d), "
      "x[n, c, h - %d, w - %d, i], %s(%s))\n",
      s->pad, s->h + s->pad, s->pad, s->w + s->pad, s->pad, s->pad, dtype, value);
}

static const char *temp(struct tsr_arena *a, const struct shape *s, const char *dtype)
{
  return s->pad ? tsr_arena_printf(a, "  temp xs: %s[2,%d,%d,%d,16]\n", dtype, s->in,
                                   s->h + 2 * s->pad, s->w + 2 * s->pad)
                : "";
}

static const char *conv(struct tsr_arena *a, const struct shape *s, bool bytes)
{
  int p = places(s->h, s), q = places(s->w, s), k = s->kernel;
  const char *x = bytes ? "i8" : "f32", *acc = bytes ? "i32" : "f32", *xs = s->pad ? "xs" : "x";
  return tsr_arena_printf(
      a,
      "func f(x: %s[2,%d,%d,%d,16], w: %s[%d,%d,%d,%d,%s], p: %s[%d,%s16]) -> (y: "
      "%s[2,%d,%d,%d,16]) {\n"
      "%s  temp acc: %s[2,%d,%d,%d,16]\n%s"
      "  acc: acc[n, ob, h, w, o] sum(cb < %d, kh < %d, kw < %d, %s) init %s(0) = %s\n"
      "  y: y[n, ob, h, w, o] = %s\n}\n",
      x, s->in, s->h, s->w, x, s->out, s->in, k, k, bytes ? "4,16,4" : "16,16", acc, s->out,
      bytes ? "3," : "", x, s->out, p, q, temp(a, s, x), acc, s->out, p, q,
      padding(a, s, x, bytes ? "-3" : "0"), s->in, k, k, bytes ? "ig < 4, i < 4" : "i < 16", acc,
      bytes
          ? tsr_arena_printf(a,
                             "(i32(%s[n, cb, h * %d + kh, w * %d + kw, ig * 4 + i]) + i32(128)) * "
                             "i32(w[ob, cb, kh, kw, ig, o, i])",
                             xs, s->stride, s->stride)
          : tsr_arena_printf(a, "%s[n, cb, h * %d + kh, w * %d + kw, i] * w[ob, cb, kh, kw, i, o]",
                             xs, s->stride, s->stride),
      bytes ? "i8(quant(acc[n, ob, h, w, o], p[ob, 0, o], p[ob, 1, o], p[ob, 2, o]))"
            : "max(acc[n, ob, h, w, o] + p[ob, o], 0.0)");
}

static void convolutions(void **state)
{
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
    for (int bytes = 0; bytes < 2; bytes++) {
      const char *text = conv(*state, &shapes[k], bytes);
      expect(*state, text, bytes ? "tensorize acc o x86.dot4.offset" : "compute_at acc y");
      assert_int_equal(compare(*state, text), 0);
    }
}

static const char *depthwise(struct tsr_arena *a, const struct shape *s, bool bytes)
{
  int p = places(s->h, s), q = places(s->w, s), k = s->kernel;
  const char *x = bytes ? "i8" : "f32", *acc = bytes ? "i32" : "f32", *xs = s->pad ? "xs" : "x";
  const char *factors = bytes ? "i32(%s[n, c, h * %d + kh, w * %d + kw, i]) * i32(w[c, kh, kw, i])"
                              : "%s[n, c, h * %d + kh, w * %d + kw, i] * w[c, kh, kw, i]";
  char value[128];
  snprintf(value, sizeof value, factors, xs, s->stride, s->stride);
  return tsr_arena_printf(
      a,
      "func f(x: %s[2,%d,%d,%d,16], w: %s[%d,%d,%d,16], p: %s[%d,%s16]) -> (y: %s[2,%d,%d,%d,16]) "
      "{\n"
      "%s  temp acc: %s[2,%d,%d,%d,16]\n%s"
      "  acc: acc[n, c, h, w, i] sum(kh < %d, kw < %d) init %s(0) = %s\n"
      "  y: y[n, c, h, w, i] = %s\n}\n",
      x, s->in, s->h, s->w, x, s->in, k, k, acc, s->in, bytes ? "3," : "", x, s->in, p, q,
      temp(a, s, x), acc, s->in, p, q, padding(a, s, x, bytes ? "-3" : "0"), k, k, acc, value,
      bytes ? "i8(quant(acc[n, c, h, w, i], p[c, 0, i], p[c, 1, i], p[c, 2, i]))"
            : "max(acc[n, c, h, w, i] + p[c, i], 0.0)");
}

static void depthwise_convolutions(void **state)
{
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
    for (int bytes = 0; bytes < 2; bytes++) {
      const char *text = depthwise(*state, &shapes[k], bytes);
      if (shapes[k].pad && shapes[k].kernel == 3)
        expect(*state, text, "inline xs");
      assert_int_equal(compare(*state, text), 0);
    }
}

/* Taps of bytes in groups of four, rows being as long as groups want them. plain: x has its channels in
 * rows, not in blocks. */
static const char *grouped(struct tsr_arena *a, const struct shape *s, bool is_signed, bool plain)
{
  int p = places(s->h, s), q = places(s->w, s), k = s->kernel, groups = (k + 3) / 4;
  int rows = (p - 1) * s->stride + k, columns = (q - 1) * s->stride + 4 * groups;
  const char *type = is_signed ? "i8" : "u8";
  const char *x = tsr_arena_printf(
      a, plain ? "x[n, c * 16 + i, h - %d, w - %d]" : "x[n, c, h - %d, w - %d, i]", s->pad, s->pad);
  const char *value = is_signed ? "%s, i8(-3)" : "u8(i32(%s) + i32(128)), u8(125)";
  return tsr_arena_printf(
      a,
      "func f(x: i8[2,%d,%d,%d%s], w: i8[%d,%d,%d,16,4], p: i32[%d,3,16]) -> "
      "(y: i8[2,%d,%d,%d,16]) {\n"
      "  temp xs: %s[2,%d,%d,%d,16]\n  temp acc: i32[2,%d,%d,%d,16]\n"
      "  xs: xs[n, c, h, w, i] = select(%d <= h and h < %d and (%d <= w and w < %d), %s)\n"
      "  acc: acc[n, c, h, w, i] sum(kh < %d, kg < %d, k < 4) init i32(0) = "
      "i32(xs[n, c, h * %d + kh, w * %d + kg * 4 + k, i]) * i32(w[c, kh, kg, i, k])\n"
      "  y: y[n, c, h, w, i] = sat8(quant(acc[n, c, h, w, i], p[c, 0, i], p[c, 1, i], p[c, 2, "
      "i]))\n}\n",
      plain ? 16 * s->in : s->in, s->h, s->w, plain ? "" : ",16", s->in, k, groups, s->in, s->in, p,
      q, type, s->in, rows, columns, s->in, p, q, s->pad, s->h + s->pad, s->pad, s->w + s->pad,
      tsr_arena_printf(a, value, x), k, groups, s->stride, s->stride);
}

static void depthwise_groups(void **state)
{
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    bool is_signed = k % 4 == 3;
    const char *text = grouped(*state, &shapes[k], is_signed, k % 2 == 0);
    expect(*state, text,
           is_signed ? "tensorize acc i x86.dot4.each.s8s8" : "tensorize acc i x86.dot4.each.u8s8");
    assert_int_equal(compare(*state, text), 0);
  }
  static const struct shape wide = {4, 1, 8, 57, 3, 1, 1}; /* rows by twos */
  const char *text = grouped(*state, &wide, false, false);
  assert_non_null(strstr(schedule_of(*state, text, TSR_LEVEL_VNNI), "split y h 2 h.o h.i"));
  assert_int_equal(compare(*state, text), 0);
}

/* --- matrices --------------------------------------------------------------------------------- */

static const int sizes[][3] = {{1, 8, 16},    {1, 64, 1000}, {5, 12, 48},   {13, 20, 80},
                               {128, 40, 96}, {29, 32, 176}, {53, 36, 300}, {61, 40, 520}};

/* Columns in blocks of 16; not a multiple of 16 of them, too. */
static void packed(void **state)
{
  static const char *const factors[][3] = {
      {"u8", "i32(a[m, k])", "x86.dot4.u8s8"},
      {"i8", "i32(a[m, k])", "x86.dot4.s8s8"},
      {"i8", "(i32(a[m, k]) + i32(128))", "x86.dot4.offset"},
  };
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    int m = sizes[s][0], k = sizes[s][1], n = sizes[s][2], blocks = (n + 15) / 16;
    const char *text = tsr_arena_printf(
        *state,
        "func f(a: f32[%d,%d], b: f32[%d,%d,16], c: f32[%d]) -> (y: f32[%d,%d]) {\n"
        "  temp acc: f32[%d,%d]\n"
        "  acc: acc[m, n] sum(k < %d) init c[n] = a[m, k] * b[floordiv(n, 16), k, floormod(n, "
        "16)]\n"
        "  y: y[m, n] = acc[m, n] * acc[m, n]\n}\n",
        m, k, blocks, k, n, m, n, m, n, k);
    assert_int_equal(compare(*state, text), 0);
    for (int way = 0; way < 3; way++) {
      text = tsr_arena_printf(*state,
                              "func f(a: %s[%d,%d], b: i8[%d,%d,16,4]) -> (y: i32[%d,%d]) {\n"
                              "  y: y[m, n] sum(k < %d) init i32(0) = %s * i32(b[floordiv(n, 16), "
                              "floordiv(k, 4), floormod(n, 16), floormod(k, 4)])\n}\n",
                              factors[way][0], m, k, blocks, k / 4, m, n, k, factors[way][1]);
      if (n % 16 == 0)
        expect(*state, text, factors[way][2]);
      assert_int_equal(compare(*state, text), 0);
    }
  }
}

/* As they lie in memory: columns of wide matrices are copied before they are used again and again. */
static void plain(void **state)
{
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    int m = sizes[s][0], k = sizes[s][1], n = sizes[s][2];
    const char *text =
        tsr_arena_printf(*state,
                         "func f(a: f32[2,%d,%d], b: f32[2,%d,%d]) -> (y: f32[2,%d,%d]) {\n"
                         "  y: y[g, m, n] sum(k < %d) init 1.5 = a[g, m, k] * b[g, k, n]\n}\n",
                         m, k, k, n, m, n, k);
    if (n >= 300 && m > 50)
      expect(*state, text, "cache_read b local y b.near");
    assert_int_equal(compare(*state, text), 0);
  }
}

/* Blocks of channels as rows of each channel: pieces of the rows for threads, with all channels in each. The
 * other way, with padding, and something computed of each element, with a second one that all share. */
static void turned_copies(void **state)
{
  static const int columns[] = {7, 1, 64, 19, 37, 3, 19, 4};
  const char *text = "func f(x: u8[2,4112,16]) -> (y: u8[2,16,4112]) {\n"
                     "  y: y[c, i, p] = x[c, p, i]\n}\n";
  expect(*state, text, "reorder y p.po i p.pi");
  assert_int_equal(compare(*state, text), 0);
  for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
    static const char *const dtypes[] = {"f32", "i32", "i8", "f64"};
    const char *of = dtypes[k % 4];
    text = tsr_arena_printf(*state,
                            "func f(x: %s[2,16,5,%d], z: %s[2]) -> (y: %s[2,8,%d,16]) {\n"
                            "  y: y[c, h, w, i] = select(1 <= h and h < 6 and (2 <= w and w < %d), "
                            "x[c, i, h - 1, w - 2] + z[c], %s(3))\n}\n",
                            of, columns[k], of, of, columns[k] + 3, columns[k] + 2, of);
    assert_int_equal(compare(*state, text), 0);
  }
}

/* Products that lie so close to a tie that f64 rounds them to it, and then the other way. */
static void near_ties(void **state)
{
  static const int32_t cases[][2] = {
      {47385155, 1651361983}, {32351291, 1757517043}, {40238301, 1972646495}};
  static const int8_t expected[] = {69, 51, 71};
  for (int k = 0; k < 3; k++) {
    int32_t acc[32], words[96];
    int8_t y[32];
    for (int i = 0; i < 32; i++) {
      acc[i] = cases[k][0] - i;
      words[i] = i;
      words[32 + i] = cases[k][1];
      words[64 + i] = 0x7f800032; /* shift 50 */
    }
    void *params[] = {acc, words, y};
    const char *text = "func f(a: i32[32], p: i32[3,32]) -> (y: i8[32]) {\n"
                       "  y: y[i] = i8(quant(a[i], p[0, i], p[1, i], p[2, i]))\n}\n";
    run_text(*state, text, params);
    assert_int_equal(y[0], expected[k]);
    assert_int_equal(y[31], expected[k]);
    assert_int_equal(compare_text(*state, text, params), 0);
  }
}

/* Scales from 2^-63 to 2^31, and the largest sums: those of 1/2 and more are not computed in f64. */
static void all_scales(void **state)
{
  enum {
    SUMS = 16,
    SHIFTS = 64,
    FACTORS = 4,
    BIASES = 3,
    COUNT = SUMS * SHIFTS * FACTORS * BIASES
  };
  static const int32_t factor[FACTORS] = {1, 0x40000000, 0x7fffffff, 0x5a827999};
  static const int32_t bias[BIASES] = {0, INT32_MIN, INT32_MAX};
  static const int32_t sum[SUMS] = {
      INT32_MIN, INT32_MIN + 1, INT32_MAX, INT32_MAX - 1, 0,      1,       -1,        2, -2,
      3,         1000,          -1000,     65537,         -65537, 1 << 24, -(1 << 24)};
  int32_t *acc = tsr_arena_alloc(*state, COUNT * sizeof *acc);
  int32_t *words = tsr_arena_alloc(*state, 3 * COUNT * sizeof *words);
  for (int i = 0; i < COUNT; i++) {
    acc[i] = sum[i % SUMS];
    words[i] = bias[i / SUMS / SHIFTS / FACTORS];
    words[COUNT + i] = factor[i / SUMS / SHIFTS % FACTORS];
    words[2 * COUNT + i] = tsr_quant_pack(i / SUMS % SHIFTS, i % 3 - 1, -128 + i % 5, 127);
  }
  void *params[] = {acc, words};
  const char *text =
      tsr_arena_printf(*state,
                       "func f(a: i32[%d], p: i32[3,%d]) -> (y: i8[%d]) {\n"
                       "  y: y[i] = sat8(quant(a[i], p[0, i], p[1, i], p[2, i]))\n}\n",
                       COUNT, COUNT, COUNT);
  assert_int_equal(compare_text(*state, text, params), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(convolutions),
      IN_ARENA(depthwise_convolutions),
      IN_ARENA(depthwise_groups),
      IN_ARENA(packed),
      IN_ARENA(plain),
      IN_ARENA(turned_copies),
      IN_ARENA(near_ties),
      IN_ARENA(all_scales),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
