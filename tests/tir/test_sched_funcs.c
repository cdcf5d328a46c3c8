/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tir/test_sched_funcs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Blocked convolutions with strides, dilations and odd sizes; products; a softmax; pooling,
 * depthwise; chains, a flat and reversed transpose, a gather, and reductions whose initial values
 * are computed. */
static const char *const texts[] = {
    "func conv(x: i8[1,3,7,5,2,3], w: i8[2,3,3,3,3,3], p: i32[2,3,2,3]) -> (y: "
    "i8[1,2,7,5,2,3]) {\n"
    "  temp xpad: i8[1,3,9,7,2,3]\n"
    "  temp conv: i32[1,2,7,5,2,3]\n"
    "  xpad: xpad[nb, cb, h, w, b, i] = select(0 <= h - 1 and h - 1 < 7 and (0 <= w - 1 and w "
    "- 1 < 5), x[nb, cb, h - 1, w - 1, b, i], i8(3))\n"
    "  conv: conv[nb, ob, oh, ow, b, o] sum(cb < 3, kh < 3, kw < 3, i < 3) init i32(0) = "
    "i32(xpad[nb, cb, oh + kh, ow + kw, b, i]) * i32(w[ob, cb, kh, kw, o, i])\n"
    "  y: y[nb, ob, oh, ow, b, o] = i8(quant(conv[nb, ob, oh, ow, b, o], p[ob, 0, b, o], p[ob, "
    "1, b, o], p[ob, 2, b, o]))\n"
    "}\n",
    "func conv(x: i8[2,2,9,8,2,2], w: i8[3,2,3,3,2,2], p: i32[3,3,2,2]) -> (y: "
    "i8[2,3,5,4,2,2]) {\n"
    "  temp xpad: i8[2,2,11,9,2,2]\n"
    "  temp conv: i32[2,3,5,4,2,2]\n"
    "  xpad: xpad[nb, cb, h, w, b, i] = select(0 <= h - 1 and h - 1 < 9 and (0 <= w - 1 and w "
    "- 1 < 8), x[nb, cb, h - 1, w - 1, b, i], i8(3))\n"
    "  conv: conv[nb, ob, oh, ow, b, o] sum(cb < 2, kh < 3, kw < 3, i < 2) init i32(0) = "
    "i32(xpad[nb, cb, oh * 2 + kh, ow * 2 + kw, b, i]) * i32(w[ob, cb, kh, kw, o, i])\n"
    "  y: y[nb, ob, oh, ow, b, o] = i8(quant(conv[nb, ob, oh, ow, b, o], p[ob, 0, b, o], p[ob, "
    "1, b, o], p[ob, 2, b, o]))\n"
    "}\n",
    "func conv(x: i8[1,2,8,9,2,2], w: i8[2,2,3,3,2,2], p: i32[2,3,2,2]) -> (y: "
    "i8[1,2,8,9,2,2]) {\n"
    "  temp xpad: i8[1,2,12,13,2,2]\n"
    "  temp conv: i32[1,2,8,9,2,2]\n"
    "  xpad: xpad[nb, cb, h, w, b, i] = select(0 <= h - 2 and h - 2 < 8 and (0 <= w - 2 and w "
    "- 2 < 9), x[nb, cb, h - 2, w - 2, b, i], i8(3))\n"
    "  conv: conv[nb, ob, oh, ow, b, o] sum(cb < 2, kh < 3, kw < 3, i < 2) init i32(0) = "
    "i32(xpad[nb, cb, oh + kh * 2, ow + kw * 2, b, i]) * i32(w[ob, cb, kh, kw, o, i])\n"
    "  y: y[nb, ob, oh, ow, b, o] = i8(quant(conv[nb, ob, oh, ow, b, o], p[ob, 0, b, o], p[ob, "
    "1, b, o], p[ob, 2, b, o]))\n"
    "}\n",
    "func conv(x: i8[1,5,6,5,2,2], w: i8[3,5,1,1,2,2], p: i32[3,3,2,2]) -> (y: "
    "i8[1,3,3,3,2,2]) {\n"
    "  temp xpad: i8[1,5,5,5,2,2]\n"
    "  temp conv: i32[1,3,3,3,2,2]\n"
    "  xpad: xpad[nb, cb, h, w, b, i] = select(0 <= h and h < 6 and (0 <= w and w < 5), x[nb, "
    "cb, h, w, b, i], i8(3))\n"
    "  conv: conv[nb, ob, oh, ow, b, o] sum(cb < 5, kh < 1, kw < 1, i < 2) init i32(0) = "
    "i32(xpad[nb, cb, oh * 2 + kh, ow * 2 + kw, b, i]) * i32(w[ob, cb, kh, kw, o, i])\n"
    "  y: y[nb, ob, oh, ow, b, o] = i8(quant(conv[nb, ob, oh, ow, b, o], p[ob, 0, b, o], p[ob, "
    "1, b, o], p[ob, 2, b, o]))\n"
    "}\n",
    "func matmul(x: i8[7,13], w: i8[10,13]) -> (y: i32[7,10]) {\n"
    "  temp prod: i32[7,10]\n"
    "  prod: prod[m, n] sum(k < 13) init i32(0) = i32(x[m, k]) * i32(w[n, k])\n"
    "  y: y[m, n] = max(prod[m, n], i32(0))\n"
    "}\n",
    "func matmul(x: f32[6,11], w: f32[5,11]) -> (y: f32[6,5]) {\n"
    "  temp prod: f32[6,5]\n"
    "  prod: prod[m, n] sum(k < 11) init 0.0 = x[m, k] * w[n, k]\n"
    "  y: y[m, n] = max(prod[m, n], 0.0)\n"
    "}\n",
    "func softmax(x: f32[5,14]) -> (y: f32[5,14]) {\n"
    "  temp top: f32[5]\n"
    "  temp e: f32[5,14]\n"
    "  temp sum: f32[5]\n"
    "  top: top[r] maximum(c < 14) init -1e+30 = x[r, c]\n"
    "  e: e[r, c] = exp(x[r, c] - top[r])\n"
    "  sum: sum[r] sum(c < 14) init 0.0 = e[r, c]\n"
    "  y: y[r, c] = e[r, c] / sum[r]\n"
    "}\n",
    "func pool(x: i8[3,9,9]) -> (y: i8[3,5,5]) {\n"
    "  temp xpad: i8[3,11,11]\n"
    "  xpad: xpad[c, h, w] = select(0 <= h - 1 and h - 1 < 9 and (0 <= w - 1 and w - 1 < 9), "
    "x[c, h - 1, w - 1], i8(-128))\n"
    "  y: y[c, h, w] maximum(kh < 3, kw < 3) init i8(-128) = xpad[c, h * 2 + kh, w * 2 + kw]\n"
    "}\n",
    "func pool(x: i8[2,11,11]) -> (y: i8[2,4,4]) {\n"
    "  temp xpad: i8[2,11,11]\n"
    "  xpad: xpad[c, h, w] = select(0 <= h and h < 11 and (0 <= w and w < 11), x[c, h, w], "
    "i8(-128))\n"
    "  y: y[c, h, w] maximum(kh < 2, kw < 2) init i8(-128) = xpad[c, h * 3 + kh, w * 3 + kw]\n"
    "}\n",
    "func depthwise(x: i8[5,9,9], w: i8[5,3,3]) -> (y: i8[5,5,5]) {\n"
    "  temp xpad: i8[5,11,11]\n"
    "  temp prod: i32[5,5,5]\n"
    "  xpad: xpad[c, h, w] = select(0 <= h - 1 and h - 1 < 9 and (0 <= w - 1 and w - 1 < 9), "
    "x[c, h - 1, w - 1], i8(-128))\n"
    "  prod: prod[c, h, w] sum(kh < 3, kw < 3) init i32(7) = i32(xpad[c, h * 2 + kh, w * 2 + "
    "kw]) * i32(w[c, kh, kw])\n"
    "  y: y[c, h, w] = sat8(shr(prod[c, h, w], i32(4)))\n"
    "}\n",
    "func chain(x: i32[6,11]) -> (y: i32[6,11], z: i32[6,11]) {\n"
    "  temp t: i32[6,11]\n"
    "  temp u: i32[6,11]\n"
    "  temp v: i32[6,11]\n"
    "  t: t[r, c] = x[r, c] * i32(3)\n"
    "  u: u[r, c] = t[r, min(c + 1, 10)] - t[r, max(c - 1, 0)]\n"
    "  v: v[r, c] = max(u[r, c], t[r, c])\n"
    "  y: y[r, c] = v[r, c] + u[r, c]\n"
    "  z: z[r, c] = v[r, c] + i32(c)\n"
    "}\n",
    "func ahead(x: i32[6,11]) -> (y: i32[5,9]) {\n"
    "  temp t: i32[6,11]\n"
    "  temp u: i32[6,9]\n"
    "  t: t[r, c] = x[r, c] - i32(7)\n"
    "  u: u[r, c] = t[r, c] * t[r, c + 2]\n"
    "  y: y[r, c] = u[r, c] + u[r + 1, c] - t[r + 1, c + 1]\n"
    "}\n",
    "func transpose(x: i16[6,9]) -> (y: i16[9,6]) {\n"
    "  temp flat: i16[54]\n"
    "  temp t: i16[9,6]\n"
    "  flat: flat[n] = x[floordiv(n, 9), floormod(n, 9)]\n"
    "  t: t[c, r] = flat[r * 9 + c]\n"
    "  y: y[c, r] = t[8 - c, 5 - r]\n"
    "}\n",
    "func gather(x: i32[7,10], pick: i32[10]) -> (y: i32[10,10]) {\n"
    "  temp t: i32[7,10]\n"
    "  temp at: i64[10]\n"
    "  t: t[r, c] = x[r, c] + i32(5)\n"
    "  at: at[n] = floormod(i64(pick[n]), 7)\n"
    "  y: y[n, c] = t[at[n], c]\n"
    "}\n",
    "func biased(x: i32[9,7]) -> (y: i32[9]) {\n"
    "  temp bias: i32[9]\n"
    "  temp sum: i32[9]\n"
    "  bias: bias[r] = shr(x[r, 0], i32(3))\n"
    "  sum: sum[r] sum(c < 7) init bias[r] = x[r, c]\n"
    "  y: y[r] minimum(c < 7) init sum[r] = x[r, c] * sum[r]\n"
    "}\n",
    "func empty(x: i32[3,0], w: i32[4,0]) -> (y: i32[3,4], z: i32[4,0]) {\n"
    "  temp t: i32[3,0]\n"
    "  temp u: i32[3,4]\n"
    "  t: t[m, k] = x[m, k] + i32(1)\n"
    "  u: u[m, n] sum(k < 0) init i32(5) = t[m, k] * w[n, k]\n"
    "  y: y[m, n] = u[m, n] + i32(1)\n"
    "  z: z[n, k] = w[n, k] * u[0, n]\n"
    "}\n",
};
_Static_assert(sizeof texts / sizeof texts[0] == SCHED_FUNCS, "one text for each func");

struct tir_func *sched_func(struct tsr_arena *a, int which)
{
  return sched_parsed(a, texts[which]);
}

struct tir_func *sched_parsed(struct tsr_arena *a, const char *text)
{
  struct tir_func *f;
  struct tsr_err err = {0};
  if (tir_func_parse(a, &err, "test", text, &f) || tir_func_verify(&err, f))
    fail_msg("%s\n%s", err.text, text);
  return f;
}

/* --- running ---------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
  *state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void fill(struct tsr_tensor *t, uint64_t seed)
{
  for (int64_t k = 0; k < tsr_tensor_count(t); k++) {
    uint64_t r = next_random(&seed);
    if (tsr_dtype_kind(t->dtype) == TSR_KIND_FLOAT)
      tsr_put_float(t, k, (double)(int64_t)(r % 2001) / 250.0 - 4.0);
    else
      tsr_put_int(t, k, (int64_t)(r >> 8));
  }
}

void **func_params(struct tsr_arena *a, const struct tir_func *f, uint64_t seed)
{
  void **params = TSR_NEW_ARRAY(a, void *, f->params);
  for (int k = 0; k < f->params; k++) {
    struct tsr_tensor t = {.dtype = f->param[k]->dtype, .rank = f->param[k]->rank};
    memcpy(t.dims, f->param[k]->dims, sizeof t.dims);
    t.data = params[k] = tsr_arena_alloc(a, tsr_tensor_bytes(&t) + 1);
    if (k < f->inputs)
      fill(&t, seed + (uint64_t)k);
  }
  return params;
}

static void run(struct tsr_arena *a, const struct tir_program *p, void *const *params)
{
  struct tir_code *code;
  struct tsr_err err = {0};
  if (tir_code_new(a, &err, p, &code) || tir_code_run(code, a, &err, params))
    fail_msg("%s\n%s", err.text, tir_program_print(a, p));
}

void expect_same_result(struct tsr_arena *a, const struct tir_func *f, const struct tir_program *p,
                        uint64_t seed)
{
  struct tir_program *simple = lowered(a, tir_sched_new(a, f));
  void **expected = func_params(a, f, seed), **got = func_params(a, f, seed);
  run(a, simple, expected);
  run(a, p, got);
  for (int k = f->inputs; k < f->params; k++) {
    int64_t n = tsr_count(f->param[k]->dims, f->param[k]->rank, 1);
    size_t bytes = (size_t)n * tsr_dtype_bytes(f->param[k]->dtype);
    if (memcmp(expected[k], got[k], bytes))
      fail_msg("output %s differs\n%s", f->param[k]->name, tir_program_print(a, p));
  }
}

struct tir_program *lowered(struct tsr_arena *a, const struct tir_sched *s)
{
  struct tir_program *p = NULL;
  struct tsr_err err = {0};
  if (tir_lower(a, &err, s, &p) || tir_program_verify(&err, p))
    fail_msg("%s\n%s%s", err.text, tir_sched_text(s), p ? tir_program_print(a, p) : "");
  return p;
}

static void apply_lines(struct tsr_arena *a, struct tir_sched *s, const char *text)
{
  struct tsr_err err = {0};
  char *lines = tsr_arena_strdup(a, text), *at = NULL;
  for (char *line = strtok_r(lines, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
    if (tir_sched_apply(s, &err, line))
      fail_msg("%s: %s", line, err.text);
}

struct tir_sched *scheduled(struct tsr_arena *a, const struct tir_func *f, const char *text)
{
  struct tir_sched *s = tir_sched_new(a, f);
  apply_lines(a, s, text);
  return s;
}

const char *sched_outcome(struct tsr_arena *a, struct tir_sched *s, const char *line)
{
  struct tsr_err err = {0};
  const char *before = tir_program_print(a, lowered(a, s));
  const char *lines = tsr_arena_strdup(a, tir_sched_text(s));
  if (tir_sched_apply(s, &err, line) == TSR_OK)
    return strchr(tir_program_print(a, lowered(a, s)), '\n') + 1;
  assert_string_equal(tir_program_print(a, lowered(a, s)), before);
  assert_string_equal(tir_sched_text(s), lines);
  return tsr_arena_strdup(a, err.text);
}

void expect_outcome(struct tsr_arena *a, const struct tir_intrinsics *intrinsics,
                    const struct sched_case *c)
{
  struct tir_func *f = sched_parsed(a, c->func);
  struct tir_sched *s = tir_sched_new(a, f), *again = tir_sched_new(a, f);
  if (intrinsics) {
    tir_sched_intrinsics(s, intrinsics);
    tir_sched_intrinsics(again, intrinsics);
  }
  apply_lines(a, s, c->lines);
  assert_string_equal(sched_outcome(a, s, c->line), c->outcome);
  apply_lines(a, again, tir_sched_text(s));
  struct tir_program *p = lowered(a, s);
  assert_string_equal(tir_program_print(a, p), tir_program_print(a, lowered(a, again)));
  expect_same_result(a, f, p, 1);
}
