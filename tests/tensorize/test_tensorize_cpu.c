/* SPDX-License-Identifier: Apache-2.0 */
/* The intrinsics of x86 CPUs: what matches them, from which element on, and what does not. */
#include "tensorize/tensorize.h"
#include "tests/tir/tir_test.h"

static enum tsr_status tensorize(struct tsr_arena *a, struct tsr_err *err, const char *text,
                                 const char *intrinsic, struct tir_program **out)
{
  struct tir_sched *s = tir_sched_new(a, func_of(a, text));
  struct tir_intrinsics intrinsics = {tsr_tensorize_match, tsr_cpu_intrinsics(a)};
  tir_sched_intrinsics(s, &intrinsics);
  enum tsr_status status = tir_sched_apply(s, err, "reorder s m kg n k");
  if (!status)
    status = tir_sched_do(s, err, "tensorize s n %s", intrinsic);
  return status ? status : tir_lower(a, err, s, out);
}

#define DENSE(x, w, value)                                                                         \
  "func f(x: " x ", w: " w ") -> (y: i32[3,16]) {\n"                                               \
  "  s: y[m, n] sum(kg < 5, k < 4) init i32(0) = " value "\n}"
#define PAIRS(x, w, value)                                                                         \
  "func f(x: " x ", w: " w ") -> (y: f32[3,16]) {\n"                                               \
  "  s: y[m, n] sum(kg < 5, k < 2) init 0.0 = " value "\n}"
#define W "i32(w[kg, n, k])"

static const struct {
  const char *intrinsic, *func, *call;
} matching[] = {
    {"x86.dot4.offset", DENSE("i8[3,20]", "i8[5,16,4]", "(i32(x[m, kg * 4 + k]) + i32(128)) * " W),
     "y[s.m, 0], x[s.m, s.kg * 4], w[s.kg, 0, 0]"},
    {"x86.dot4.offset",
     DENSE("i8[30]", "i8[5,16,4]", W " * (i32(x[7 + k + m + kg * 4]) + i32(128))"),
     "y[s.m, 0], x["},
    {"x86.dot4.s8s8", DENSE("i8[3,5,4]", "i8[5,16,4]", "i32(x[m, kg, k]) * " W),
     "y[s.m, 0], x[s.m, s.kg, 0], w[s.kg, 0, 0]"},
    {"x86.dot4.u8s8",
     DENSE("u8[3,21]", "i8[5,20,4]", "i32(x[m, kg * 4 + 1 + k]) * i32(w[kg, n + 2, k])"),
     "w[s.kg, 2, 0]"},
    {"x86.dot2.bf16",
     PAIRS("bf16[3,10]", "bf16[5,16,2]", "f32(x[m, kg * 2 + k]) * f32(w[kg, n, k])"),
     "y[s.m, 0], x[s.m, s.kg * 2], w[s.kg, 0, 0]"},
};

enum { MATCHING = sizeof matching / sizeof matching[0] };

static void stages_match(void **state)
{
  for (int k = 0; k < MATCHING; k++) {
    struct tsr_err err = {0};
    struct tir_program *p;
    if (tensorize(*state, &err, matching[k].func, matching[k].intrinsic, &p))
      fail_msg("row %d: %s", k, err.text);
    const char *text = tir_program_print(*state, p);
    const char *call = tsr_arena_printf(*state, "call %s(", matching[k].intrinsic);
    if (!strstr(text, call) || !strstr(text, matching[k].call))
      fail_msg("row %d: there is no '%s' with '%s' in\n%s", k, call, matching[k].call, text);
  }
}

static void every_intrinsic_is_matched(void **state)
{
  const struct tsr_intrin_set *set = tsr_cpu_intrinsics(*state);
  assert_true(set->parts);
  for (int i = 0; i < set->count; i++) {
    bool found = false;
    for (int k = 0; k < MATCHING; k++)
      found |= !strcmp(matching[k].intrinsic, set->intrin[i]->name);
    assert_true(found);
    assert_true(set->intrin[i]->accumulates);
  }
}

#define AT_N "stage s, tensorized at loop n: "

static const struct {
  const char *intrinsic, *func, *sentence;
} refused[] = {
    {"x86.dot4.ofset", DENSE("i8[3,20]", "i8[5,16,4]", "i32(x[m, kg * 4 + k]) * " W),
     AT_N "no intrinsic is named 'x86.dot4.ofset'; did you mean 'x86.dot4.offset'?"},
    {"x86.dot4.s8s8", DENSE("i8[3,40]", "i8[5,16,4]", "i32(x[m, kg * 8 + k * 2]) * " W),
     AT_N "x86.dot4.s8s8 does not match: an index is no single tensorized loop where the intrinsic "
          "has its axis dot.k"},
    {"x86.dot4.s8s8", DENSE("i8[3]", "i8[5,16,4]", "i32(x[m]) * " W),
     AT_N "x86.dot4.s8s8 does not match: the last dims of buffer x are 3; the intrinsic wants 4"},
    {"x86.dot4.s8s8", DENSE("i8[3,20]", "i8[5,4,16]", "i32(x[m, kg * 4 + k]) * i32(w[kg, k, n])"),
     AT_N
     "x86.dot4.s8s8 does not match: the last dims of buffer w are 4x16; the intrinsic wants 16x4"},
    {"x86.dot2.bf16", PAIRS("f16[3,10]", "f16[5,16,2]", "f32(x[m, kg * 2 + k]) * f32(w[kg, n, k])"),
     AT_N "x86.dot2.bf16 does not match: buffer x is of f16; the intrinsic wants bf16"},
    {"x86.dot4.u8s8", DENSE("i8[3,20]", "i8[5,16,4]", "i32(x[m, kg * 4 + k]) * " W),
     AT_N "x86.dot4.u8s8 does not match: buffer x is of i8; the intrinsic wants u8"},
    {"x86.dot4.offset", DENSE("i8[3,20]", "i8[5,16,4]", "(i32(x[m, kg * 4 + k]) + i32(127)) * " W),
     AT_N "x86.dot4.offset does not match: the stage has 127 where the intrinsic has 128"},
};

static void others_do_not(void **state)
{
  for (size_t k = 0; k < sizeof refused / sizeof *refused; k++) {
    struct tsr_err err = {0};
    struct tir_program *p;
    assert_int_equal(tensorize(*state, &err, refused[k].func, refused[k].intrinsic, &p),
                     TSR_REFUSED);
    if (strcmp(err.text, refused[k].sentence))
      fail_msg("row %zu: %s", k, err.text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(stages_match),
      IN_ARENA(every_intrinsic_is_matched),
      IN_ARENA(others_do_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
