/* SPDX-License-Identifier: Apache-2.0 */
/* The matcher: every intrinsic of the accelerator matches the stage that it should, at every design
 * point; and every reason not to match has its sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tensorize/tensorize.h"

/* In texts $B, $L stand for the design point's batch and block. */
static const char *fill_in(struct tsr_arena *a, const char *text, const struct tsr_design *d)
{
  struct tsr_text t = {.arena = a};
  for (; *text; text++) {
    if (*text == '$')
      tsr_text_add(&t, "%d", *++text == 'B' ? d->batch : d->block_out);
    else
      tsr_text_add_bytes(&t, text, 1);
  }
  return t.data;
}

/* Parses, schedules (lines separated by newlines; the last one is the tensorize) and lowers. */
static enum tsr_status tensorize(struct tsr_arena *a, struct tsr_err *err, const struct tsr_design *d,
                                 const char *text, const char *lines, struct tir_program **out)
{
  struct tir_func *f = NULL;
  if (tir_func_parse(a, err, "test", fill_in(a, text, d), &f))
    fail_msg("%s", err->text);
  struct tir_sched *s = tir_sched_new(a, f);
  struct tir_intrinsics intrinsics = {tsr_tensorize_match, tsr_accel_intrinsics(a, d)};
  tir_sched_intrinsics(s, &intrinsics);
  char *line = tsr_arena_strdup(a, lines), *rest = line;
  enum tsr_status status = TSR_OK;
  while (line && !status) {
    rest = strchr(line, '\n');
    if (rest)
      *rest++ = 0;
    status = tir_sched_apply(s, err, line);
    line = rest;
  }
  return status ? status : tir_lower(a, err, s, out);
}

/* --- what matches ----------------------------------------------------------------------------- */

#define GEMM(value)                                                                                  \
  "func f(x: i8[3,$B,$L] inp, w: i8[5,$L,$L] wgt) -> (y: i32[3,5,$B,$L] acc) {\n"                   \
  "  s: y[m, n, r, c] sum(k < $L) init i32(0) = " value "\n}"
#define WITH(params, out, value)                                                                     \
  "func f(" params ") -> (y: " out ") {\n  s: y[m, r, c] " value "\n}"

static const struct match_row {
  const char *intrinsic, *func;
  int opcode;
  const char *call; /* its operands, d first */
} matching[] = {
  {"accel.gemm", GEMM("i32(x[m, r, k]) * i32(w[n, c, k])"), TSR_OP_GEMM,
   "y[s.m, s.n, 0, 0], x[s.m, 0, 0], w[s.n, 0, 0]"},
  {"accel.gemm", GEMM("i32(w[n, c, k]) * i32(x[m, r, k])"), TSR_OP_GEMM, /* commuted */
   "y[s.m, s.n, 0, 0], x[s.m, 0, 0], w[s.n, 0, 0]"},
  {"accel.mac", WITH("x: i8[3,$B,$L] inp, w: i32[2,$B,$L] acc", "i32[3,$B,$L] acc",
                     "sum(k < 2) init i32(0) = i32(x[m, r, c]) * w[k, r, c]"),
   TSR_OP_MAC, "y[s.m, 0, 0], x[s.m, 0, 0], w[s.k, 0, 0]"},
  {"accel.mac", WITH("x: i8[3,$B,$L] inp, w: i32[2,$B,$L] acc", "i32[3,$B,$L] acc",
                     "sum(k < 2) init i32(0) = w[k, r, c] * i32(x[m, r, c])"),
   TSR_OP_MAC, "y[s.m, 0, 0], x[s.m, 0, 0], w[s.k, 0, 0]"},
  {"accel.sum", WITH("x: i8[6,$B,$L] inp", "i32[3,$B,$L] acc",
                     "sum(k < 2) init i32(0) = i32(x[m * 2 + k, r, c])"),
   TSR_OP_ADD, "y[s.m, 0, 0], x[s.m * 2 + s.k, 0, 0]"},
  {"accel.maximum", WITH("x: i8[4,$B,$L] inp", "i32[3,$B,$L] acc",
                         "maximum(k < 2) init i32(-128) = i32(x[m + k, r, c])"),
   TSR_OP_MAX, "y[s.m, 0, 0], x[s.m + s.k, 0, 0]"},
  {"accel.scale", WITH("x: i8[3,$B,$L] inp, k: i32[2,$B,$L] acc", "i32[3,$B,$L] acc",
                       "= i32(x[m, r, c]) * k[1, r, c]"),
   TSR_OP_MUL, "y[s.m, 0, 0], x[s.m, 0, 0], k[1, 0, 0]"},
  {"accel.scale", WITH("x: i8[3,$B,$L] inp, k: i32[2,$B,$L] acc", "i32[3,$B,$L] acc",
                       "= k[1, r, c] * i32(x[m, r, c])"),
   TSR_OP_MUL, "y[s.m, 0, 0], x[s.m, 0, 0], k[1, 0, 0]"},
  {"accel.offset", WITH("x: i8[3,$B,$L] inp, k: i32[$B,$L] acc", "i32[3,$B,$L] acc",
                        "= i32(x[m, r, c]) - k[r, c]"),
   TSR_OP_SUB, "y[s.m, 0, 0], x[s.m, 0, 0], k[0, 0]"},
  {"accel.add", WITH("x: i32[3,$B,$L] acc, z: i32[3,$B,$L] acc", "i32[3,$B,$L] acc",
                     "= x[m, r, c] + z[m, r, c]"),
   TSR_OP_ADD, "y[s.m, 0, 0], x[s.m, 0, 0], z[s.m, 0, 0]"},
  {"accel.sub", WITH("x: i32[3,$B,$L] acc, k: i32[$B,$L] acc", "i32[3,$B,$L] acc",
                     "= x[m, r, c] - k[r, c]"),
   TSR_OP_SUB, "y[s.m, 0, 0], x[s.m, 0, 0], k[0, 0]"},
  {"accel.madd", WITH("x: i8[3,$B,$L] inp, k: i32[2,$B,$L] acc, z: i32[3,$B,$L] acc", "i32[3,$B,$L] acc",
                      "= i32(x[m, r, c]) * k[1, r, c] + z[m, r, c]"),
   TSR_OP_MAC, "y[s.m, 0, 0], x[s.m, 0, 0], k[1, 0, 0], z[s.m, 0, 0]"},
  {"accel.mul", WITH("x: i32[3,$B,$L] acc", "i32[3,$B,$L] acc", "= x[m, r, c] * x[m, r, c]"),
   TSR_OP_MUL, "y[s.m, 0, 0], x[s.m, 0, 0], x[s.m, 0, 0]"},
  {"accel.narrow", WITH("x: i32[3,$B,$L] acc", "i8[3,$B,$L] out", "= sat8(x[m, r, c])"), TSR_OP_MOV,
   "y[s.m, 0, 0], x[s.m, 0, 0]"},
  {"accel.narrow_inp", WITH("x: i32[3,$B,$L] acc", "i8[3,$B,$L] inp", "= sat8(x[m, r, c])"),
   TSR_OP_MOV, "y[s.m, 0, 0], x[s.m, 0, 0]"},
  {"accel.move", WITH("x: i8[3,$B,$L] inp", "i8[3,$B,$L] inp", "= x[m, r, c]"), TSR_OP_MOV,
   "y[s.m, 0, 0], x[s.m, 0, 0]"},
  {"accel.lut", WITH("x: i8[3,$B,$L] inp, t: i8[256] lut", "i8[3,$B,$L] out",
                     "= t[i64(x[m, r, c]) + 128]"),
   TSR_OP_LUT, "y[s.m, 0, 0], x[s.m, 0, 0], t[0]"},
  {"accel.lut", WITH("x: i8[3,$B,$L] inp, t: i8[3,256] lut", "i8[3,$B,$L] out",
                     "= t[m, 128 + i64(x[m, r, c])]"),
   TSR_OP_LUT, "y[s.m, 0, 0], x[s.m, 0, 0], t[s.m, 0]"},
  {"accel.lut_acc", WITH("x: i32[3,$B,$L] acc, t: i8[256] lut", "i8[3,$B,$L] out",
                         "= t[i64(x[m, r, c]) + 128]"),
   TSR_OP_LUT, "y[s.m, 0, 0], x[s.m, 0, 0], t[0]"},
  {"accel.lut_inp", WITH("x: i8[3,$B,$L] inp, t: i8[256] lut", "i8[3,$B,$L] inp",
                         "= t[i64(x[m, r, c]) + 128]"),
   TSR_OP_LUT, "y[s.m, 0, 0], x[s.m, 0, 0], t[0]"},
  {"accel.lut_acc_inp", WITH("x: i32[3,$B,$L] acc, t: i8[256] lut", "i8[3,$B,$L] inp",
                             "= t[i64(x[m, r, c]) + 128]"),
   TSR_OP_LUT, "y[s.m, 0, 0], x[s.m, 0, 0], t[0]"},
  {"accel.quant_inp", WITH("x: i32[3,$B,$L] acc, p: i32[3,$B,$L] acc", "i8[3,$B,$L] inp",
                           "= i8(quant(x[m, r, c], p[0, r, c], p[1, r, c], p[2, r, c]))"),
   TSR_OP_QUANT, "y[s.m, 0, 0], x[s.m, 0, 0], p[0, 0, 0]"},
  {"accel.quant_acc", WITH("x: i32[3,$B,$L] acc, p: i32[3,$B,$L] acc", "i32[3,$B,$L] acc",
                           "= quant(x[m, r, c], p[0, r, c], p[1, r, c], p[2, r, c])"),
   TSR_OP_QUANT, "y[s.m, 0, 0], x[s.m, 0, 0], p[0, 0, 0]"},
  {"accel.quant", WITH("x: i32[3,$B,$L] acc, p: i32[3,3,$B,$L] acc", "i8[3,$B,$L] out",
                       "= i8(quant(x[m, r, c], p[m, 0, r, c], p[m, 1, r, c], p[m, 2, r, c]))"),
   TSR_OP_QUANT, "y[s.m, 0, 0], x[s.m, 0, 0], p[s.m, 0, 0, 0]"},
};

enum { MATCHING = sizeof matching / sizeof matching[0] };

static void expect_call(struct tsr_arena *a, const struct tsr_design *d, const struct match_row *row)
{
  struct tsr_err err = {0};
  struct tir_program *p;
  const char *outside = strstr(row->func, "k < 2") ? "reorder s k r c\n" : ""; /* the loop of a sum */
  const char *lines = tsr_arena_printf(a, "%stensorize s r %s", outside, row->intrinsic);
  if (tensorize(a, &err, d, row->func, lines, &p))
    fail_msg("%s at %s: %s", row->intrinsic, d->name, err.text);
  const char *call = tsr_arena_printf(a, "call %s(%s)", row->intrinsic, row->call);
  const char *text = tir_program_print(a, p);
  if (!strstr(text, call))
    fail_msg("%s at %s: there is no '%s' in\n%s", row->intrinsic, d->name, call, text);
}

static void stages_match(void **state)
{
  (void)state;
  for (const char *const *point = tsr_design_names(); *point; point++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_design d;
    assert_int_equal(tsr_design_open(a, NULL, *point, &d), TSR_OK);
    for (int k = 0; k < MATCHING; k++)
      expect_call(a, &d, &matching[k]);
    tsr_arena_free(a);
  }
}

/* Every row of accel.def has a row above, an opcode, and operands in the order that it declares. */
static void every_intrinsic_is_matched(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_design d;
  struct tir_intrin foreign = {.name = "accel"};
  assert_int_equal(tsr_design_open(a, NULL, "tiny", &d), TSR_OK);
  const struct tsr_intrin_set *set = tsr_accel_intrinsics(a, &d);
  for (int k = 0; k < set->count; k++) {
    const struct tir_intrin *intrin = set->intrin[k];
    bool found = false;
    for (int r = 0; r < MATCHING; r++)
      if (!strcmp(matching[r].intrinsic, intrin->name)) {
        found = true;
        assert_int_equal(tsr_accel_intrin_opcode(intrin), matching[r].opcode);
      }
    assert_true(found);
    assert_int_equal(intrin->func->stages, 1);
    assert_ptr_equal(intrin->func->param[intrin->func->inputs], intrin->func->stage[0]->out);
    assert_int_equal(intrin->accumulates, intrin->func->stage[0]->combine != TIR_ASSIGN);
  }
  assert_int_equal(tsr_accel_intrin_opcode(&foreign), -1);
  tsr_arena_free(a);
}

/* --- what does not ---------------------------------------------------------------------------- */

#define AT_R(intrinsic) "stage s, tensorized at loop r: " intrinsic " does not match: "

/* At batch2: a batch of 2, blocks of 16. */
static const struct refuse_row {
  const char *func, *lines, *sentence;
} refused[] = {
  /* names */
  {GEMM("i32(x[m, r, k]) * i32(w[n, c, k])"), "tensorize s r accel.gem",
   "stage s, tensorized at loop r: no intrinsic is named 'accel.gem'; did you mean 'accel.gemm'?"},
  {GEMM("i32(x[m, r, k]) * i32(w[n, c, k])"), "tensorize s r something.else",
   "stage s, tensorized at loop r: no intrinsic is named 'something.else'"},
  /* loops */
  {"func f(x: i8[3,2,16] inp, w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum(k < 8) init i32(0) = i32(x[m, r, k]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "loop s.k has 8 iterations; the intrinsic's axis gemm.k has 16"},
  {GEMM("i32(x[m, r, k]) * i32(w[n, c, k])"), "reorder s n m\ntensorize s m accel.gemm",
   "stage s, tensorized at loop m: accel.gemm does not match: a tensorized loop runs over dim 0 of "
   "buffer y; only its last 2 are the intrinsic's"},
  {GEMM("i32(x[m, r, k]) * i32(w[n, c, k])"), "tensorize s c accel.gemm",
   "stage s, tensorized at loop c: accel.gemm does not match: an index is no single tensorized loop "
   "where the intrinsic has its axis gemm.r"},
  {GEMM("i32(x[m, r, k]) * i32(w[n, c, k])"), "split s k 8 ko ki\ntensorize s r accel.gemm",
   AT_R("accel.gemm") "an index is no single tensorized loop where the intrinsic has its axis gemm.k"},
  {WITH("x: i8[3,2,16] inp", "i32[3,2,16] acc", "sum(k < 2) init i32(0) = i32(x[m, r, c])"),
   "tensorize s r accel.sum", AT_R("accel.sum") "the intrinsic has no axis for loop s.k"},
  {"func f(x: i8[3,2,32] inp, w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum(k < 16) init i32(0) = i32(x[m, r, k * 2]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "the last dims of buffer x are 2x32; the intrinsic wants 2x16"},
  {"func f(x: i8[3,2,16] inp, w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum(k < 16) init i32(0) = i32(x[m, r, floordiv(k, 2)]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "an index is no single tensorized loop where the intrinsic has its axis gemm.k"},
  {WITH("x: i8[6,2,16] inp", "i32[3,2,16] acc", "sum() init i32(0) = i32(x[m + r, r, c])"),
   "tensorize s r accel.sum",
   AT_R("accel.sum") "a tensorized loop runs over dim 0 of buffer x; only its last 2 are the "
                     "intrinsic's"},
  {GEMM("i32(x[m, r, c]) * i32(w[n, c, k])"), "tensorize s r accel.gemm",
   AT_R("accel.gemm") "loop s.c runs along two axes of the intrinsic, gemm.c and gemm.k"},
  {GEMM("i32(x[m, r, k]) * i32(w[n, k, c])"), "tensorize s r accel.gemm",
   AT_R("accel.gemm") "loops s.c and s.k both run along the intrinsic's axis gemm.c"},
  {"func f(x: i8[3,2,16] inp, w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum() init i32(0) = i32(x[m, r, c]) * i32(w[n, c, c])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "loop s.c runs along two axes of the intrinsic, gemm.c and gemm.k"},
  /* buffers */
  {"func f(x: i8[3,2,16], w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum(k < 16) init i32(0) = i32(x[m, r, k]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "buffer x is in scope global; the intrinsic wants inp"},
  {"func f(x: i8[3,2,16] inp, w: i8[5,16,16] inp) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum(k < 16) init i32(0) = i32(w[n, c, k]) * i32(x[m, r, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "buffer w is in scope inp; the intrinsic wants wgt"},
  {"func f(x: i8[3,2,16] inp, w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16]) {\n"
   "  s: y[m, n, r, c] sum(k < 16) init i32(0) = i32(x[m, r, k]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "buffer y is in scope global; the intrinsic wants acc"},
  {"func f(x: u8[3,2,16] inp, w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum(k < 16) init i32(0) = i32(x[m, r, k]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm", AT_R("accel.gemm") "buffer x is of u8; the intrinsic wants i8"},
  {"func f(x: i32[3,2,16] acc) -> (y: i32[3,2,16] out) {\n  s: y[m, r, c] = x[m, r, c]\n}",
   "tensorize s r accel.narrow", AT_R("accel.narrow") "buffer y is of i32; the intrinsic wants i8"},
  {"func f(x: i8[16] inp, w: i8[5,16,16] wgt) -> (y: i32[5,2,16] acc) {\n"
   "  s: y[n, r, c] sum(k < 16) init i32(0) = i32(x[k]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "buffer x has 1 dims; the intrinsic wants at least 2"},
  {"func f(x: i8[3,2,16] inp, w: i8[5,20,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] sum(k < 16) init i32(0) = i32(x[m, r, k]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "the last dims of buffer w are 20x16; the intrinsic wants 16x16"},
  {WITH("x: i32[3,2,16] acc, p: i32[3,2,16] acc, q: i32[3,2,16] acc", "i8[3,2,16] out",
        "= i8(quant(x[m, r, c], p[0, r, c], q[1, r, c], p[2, r, c]))"),
   "tensorize s r accel.quant",
   AT_R("accel.quant") "operand b of the intrinsic would be two buffers, p and q"},
  {WITH("x: i32[3,2,16] acc, p: i32[3,3,2,16] acc", "i8[3,2,16] out",
        "= i8(quant(x[m, r, c], p[m, 0, r, c], p[m, 1, r, c], p[0, 2, r, c]))"),
   "tensorize s r accel.quant",
   AT_R("accel.quant") "operand b of the intrinsic would be two places of buffer p"},
  /* the computation */
  {GEMM("i32(x[m, r, k]) + i32(w[n, c, k])"), "tensorize s r accel.gemm",
   AT_R("accel.gemm") "the stage has + where the intrinsic has *"},
  {"func f(x: i8[3,2,16] inp, w: i8[5,16,16] wgt) -> (y: i32[3,5,2,16] acc) {\n"
   "  s: y[m, n, r, c] maximum(k < 16) init i32(0) = i32(x[m, r, k]) * i32(w[n, c, k])\n}",
   "tensorize s r accel.gemm",
   AT_R("accel.gemm") "the stage takes the maximum; the intrinsic sums"},
  {WITH("x: i32[3,2,16] acc, z: i32[3,2,16] acc", "i32[3,2,16] acc", "= x[m, r, c] + z[m, r, c]"),
   "tensorize s r accel.sum", AT_R("accel.sum") "the stage assigns; the intrinsic sums"},
  {GEMM("i32(i16(x[m, r, k])) * i32(w[n, c, k])"), "tensorize s r accel.gemm",
   AT_R("accel.gemm") "the stage has a cast where the intrinsic has an element of a buffer"},
  {WITH("x: i8[3,2,16] inp", "i32[3,2,16] acc", "= i32(x[m, r, c]) * i32(2)"),
   "tensorize s r accel.scale",
   AT_R("accel.scale") "the stage has a constant where the intrinsic has an element of a buffer"},
  {WITH("x: i8[3,2,16] inp, k: i32[2,16] acc", "i32[3,2,16] acc", "= k[r, c] - i32(x[m, r, c])"),
   "tensorize s r accel.offset", /* a difference does not commute */
   AT_R("accel.offset") "the stage has an element of a buffer where the intrinsic has a cast"},
  {WITH("x: i8[3,2,16] inp, t: i8[256] lut", "i8[3,2,16] out", "= t[i64(x[m, r, c]) + 127]"),
   "tensorize s r accel.lut", AT_R("accel.lut") "the stage has 127 where the intrinsic has 128"},
  {WITH("x: i32[3,2,16] acc", "i8[3,2,16] out", "= i8(x[m, r, c])"), "tensorize s r accel.narrow",
   AT_R("accel.narrow") "the stage has a cast where the intrinsic has sat8"},
  {WITH("x: i32[3,2,16] acc, p: i32[4,2,16] acc", "i8[3,2,16] out",
        "= i8(quant(x[m, r, c], p[1, r, c], p[2, r, c], p[3, r, c]))"),
   "tensorize s r accel.quant",
   AT_R("accel.quant") "the last dims of buffer p are 4x2x16; the intrinsic wants 3x2x16"},
  {WITH("x: i32[3,2,16] acc, p: i32[3,2,16] acc", "i8[3,2,16] out",
        "= i8(quant(x[m, r, c], p[1, r, c], p[0, r, c], p[2, r, c]))"),
   "tensorize s r accel.quant", AT_R("accel.quant") "the stage has 1 where the intrinsic has 0"},
};

static void refusals(void **state)
{
  (void)state;
  int differing = 0;
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_err err = {0};
    struct tsr_design d;
    struct tir_program *p;
    assert_int_equal(tsr_design_open(a, NULL, "batch2", &d), TSR_OK);
    enum tsr_status status = tensorize(a, &err, &d, refused[k].func, refused[k].lines, &p);
    if (status != TSR_REFUSED || strcmp(err.text, refused[k].sentence)) {
      differing++;
      print_error("row %zu: %s\nwhere is expected: %s\n", k, status ? err.text : "it matches",
                  refused[k].sentence);
    }
    tsr_arena_free(a);
  }
  assert_int_equal(differing, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(stages_match),
                                     cmocka_unit_test(every_intrinsic_is_matched),
                                     cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
