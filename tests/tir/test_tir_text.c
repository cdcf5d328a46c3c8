/* SPDX-License-Identifier: Apache-2.0 */
/* Text: what is printed parses to the same, and what is no tensor IR is refused with a sentence. */
#include <math.h>

#include "base/file.h"
#include "tir_test.h"

static void assert_same_func(const struct tir_func *x, const struct tir_func *y)
{
  assert_string_equal(x->name, y->name);
  assert_true(x->params == y->params && x->inputs == y->inputs && x->stages == y->stages);
  for (int i = 0; i < x->params; i++) {
    const struct tir_buffer *b = x->param[i], *c = y->param[i];
    assert_string_equal(b->name, c->name);
    assert_true(b->dtype == c->dtype && b->scope == c->scope && b->rank == c->rank);
    assert_memory_equal(b->dims, c->dims, sizeof b->dims);
  }
  for (int i = 0; i < x->stages; i++) {
    const struct tir_stage *s = x->stage[i], *t = y->stage[i];
    assert_string_equal(s->name, t->name);
    assert_true(s->axes == t->axes && s->combine == t->combine);
    for (int k = 0; k < s->axes; k++) {
      assert_string_equal(s->axis[k].var->name, t->axis[k].var->name);
      assert_int_equal(s->axis[k].extent, t->axis[k].extent);
    }
  }
}

static void assert_round_trip(struct tsr_arena *a, const char *text)
{
  struct tir_func *f = func_of(a, text), *g;
  char *once = tir_func_print(a, f);
  g = func_of(a, once);
  assert_string_equal(once, tir_func_print(a, g));
  assert_same_func(f, g);
}

static const char sample[] =
    "func conv(x: i8[1,4,8,8,1,16], w: i8[2,4,3,3,16,16] wgt) -> (y: i32[1,2,8,8,1,16]) {\n"
    "  temp xp: i8[1,4,10,10,1,16] inp\n"
    "  pad: xp[n, c, h, w, b, i] = select(1 <= h and h < 9 and (1 <= w and w < 9), x[n, c, h - 1, "
    "w - 1, b, i], i8(0))\n"
    "  conv: y[n, o, h, w, b, oi] sum(c < 4, kh < 3, kw < 3, i < 16) init i32(0) = i32(xp[n, c, h "
    "+ kh, w + kw, b, i]) * i32(w[o, c, kh, kw, oi, i])\n"
    "}\n";

static void test_sample_is_exact(void **state)
{
  assert_string_equal(tir_func_print(*state, func_of(*state, sample)), sample);
}

/* After a temp without a scope, "acc:" begins a stage. */
static void test_stage_named_like_a_scope(void **state)
{
  assert_round_trip(*state, "func f(x: i32[4]) -> (y: i32[4]) {\n"
                            "  temp t: i32[4]\n"
                            "  acc: t[i] = x[i] + i32(1)\n"
                            "  out: y[i] = t[i]\n"
                            "}\n");
}

/* Each line stands for an expression of its dtype; printed, it is the line again. */
static void test_expressions_are_exact(void **state)
{
  static const struct {
    const char *dtype, *text;
  } rows[] = {
    {"i64", "i + j - 1"},
    {"i64", "i - (j - i)"},
    {"i64", "(i + j) * (i - j)"},
    {"i64", "i * 4 + floormod(j, 3) * floordiv(i, 2)"},
    {"i64", "-9223372036854775808"},
    {"i64", "9223372036854775807"},
    {"i64", "i / (j / 3)"},
    {"i64", "5 - i"},
    {"u64", "u64(-1)"},
    {"i8", "i8(-128)"},
    {"i8", "sat8(quant(a[i], a[j], i32(5), i32(6)))"},
    {"i32", "shl(a[i], i32(3)) + shr(a[j], i32(4))"},
    {"i32", "abs(a[i]) + i32(-7)"},
    {"bool", "true"},
    {"bool", "i < 3 and j <= 2 or not i == j"},
    {"bool", "not (i < 3 and j < 2)"},
    {"bool", "(i < 3) == (j < 2)"},
    {"bool", "i < 3 and (j < 3 or false != c[])"},
    {"f32", "1.0"},
    {"f32", "-0.0"},
    {"f32", "0.1"},
    {"f32", "1e+30"},
    {"f32", "1.1754944e-38"},
    {"f32", "f32(inf)"},
    {"f32", "f32(-inf)"},
    {"f32", "f32(nan)"},
    {"f64", "f64(0.1)"},
    {"f64", "f64(5e-324)"},
    {"f64", "f64(nan)"},
    {"f32", "f[i] + (f[j] + 1.5) - 2.5 * f[0] / f[1]"},
    {"f32", "f[i] - (f[j] - 1.0)"},
    {"f32", "exp(log(sqrt(erf(tanh(sin(cos(floor(ceil(round(f[i]))))))))))"},
    {"f32", "pow(min(f[i], 0.0), max(f[j], f32(a[i])))"},
    {"f64", "f64(f[i]) * f64(3.0)"},
    {"u8", "select(c[], u8(200), u8(a[i]))"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char *text = tsr_arena_printf(*state,
                                  "func f(a: i32[8], f: f32[8], c: bool[]) -> (y: %s[4,4]) {\n"
                                  "  s: y[i, j] = %s\n}\n", rows[i].dtype, rows[i].text);
    assert_string_equal(tir_func_print(*state, func_of(*state, text)), text);
  }
}

/* Random bits as float constants come back as they were, NaNs as NaN. */
static void test_float_constants_are_exact(void **state)
{
  uint64_t seed = 11;
  for (int i = 0; i < 2000; i++) {
    uint64_t bits = (uint64_t)next_random(&seed) << 32 | next_random(&seed);
    double v;
    float w;
    memcpy(&v, &bits, sizeof v);
    memcpy(&w, &bits, sizeof w);
    enum tsr_dtype dtype = i % 2 ? TSR_F64 : TSR_F32;
    int64_t one[] = {1};
    struct tir_func *f = tir_func_new(*state, "f");
    struct tir_buffer *y = tir_func_output(*state, f, "y", dtype, 1, one);
    struct tir_stage *s = tir_func_stage(*state, f, "s", y, "i", 0, NULL);
    s->value = tir_float(*state, dtype, i % 2 ? v : (double)w);
    struct tir_func *g = func_of(*state, tir_func_print(*state, f));
    assert_true(tir_same(s->value, g->stage[0]->value));
  }
}

static void test_axis_names(void **state)
{
  static const char text[] = "func f(x: i8[2,3,4]) -> (y: i8[2,3,4]) {\n"
                             "  s: y[a, s.b.inner, .c] = x[a, s.b.inner, .c]\n}\n";
  struct tir_func *f = func_of(*state, text);
  assert_string_equal(f->stage[0]->axis[0].var->name, "s.a");
  assert_string_equal(f->stage[0]->axis[1].var->name, "s.b.inner");
  assert_string_equal(f->stage[0]->axis[2].var->name, "c");
  assert_string_equal(tir_func_print(*state, f), text);
  assert_round_trip(*state,
                    "func f() -> (and.or: i8[]) {\n  temp: and.or[] = i8(3) # why not\n}\n");
}

static const char program_sample[] =
    "program p(x: i8[16] , w: i8[4]) -> (y: i32[]) {\n"
    "  alloc x.inp: i8[4] inp {\n"
    "    for o < 4 pipeline 2 of conv {\n"
    "      for i < min(4, 15 - o * 4) unroll {\n"
    "        x.inp[i] = x[o * 4 + i]\n"
    "      }\n"
    "      if o < 3 and not o == 1 {\n"
    "        for k < 4 parallel of conv {\n"
    "          y[] += i32(x.inp[k]) * i32(w[k])\n"
    "        }\n"
    "      }\n"
    "      y[] max= i32(-5)\n"
    "      y[] min= i32(50000)\n"
    "      y[] *= i32(1)\n"
    "    }\n"
    "  }\n"
    "}\n";

static void test_programs(void **state)
{
  char *once = tir_program_print(*state, program_of(*state, program_sample));
  assert_string_equal(once, tir_program_print(*state, program_of(*state, once)));
  char *wanted = tsr_arena_strdup(*state, program_sample);
  memmove(strstr(wanted, " ,"), strstr(wanted, " ,") + 1, strlen(strstr(wanted, " ,")));
  assert_string_equal(once, wanted);
  static const char empty[] = "program p() -> () {\n}\n";
  assert_string_equal(tir_program_print(*state, program_of(*state, empty)), empty);
}

/* --- what is refused ------------------------------------------------------------------------- */

#define HEAD "func f(x: i8[4], a: i32[4]) -> (y: i32[4]) {\n"

static const struct {
  const char *text, *sentence;
} refused[] = {
    {"", "t:1: expected 'func', found the end"},
    {"fun f", "t:1: expected 'func', found 'fun'"},
    {"func and()", "t:1: 'and' can't name func: it is a word of the language"},
    {"func f(x: j8[4]) -> () {}", "t:1: there is no dtype 'j8' here; did you mean 'i8'?"},
    {"func f(x: i8[4], x: i8[4]) -> () {}", "t:1: there is a buffer x already"},
    {"func f(x: i8[1,1,1,1,1,1,1,1,1]) -> () {}", "t:1: x has more than 8 dimensions"},
    {"func f(x: i8[99999999999999999999]) -> () {}",
     "t:1: the number 99999999999999999999 does not fit 64 bits"},
    {"func f(x: i64[4294967296,4294967296]) -> () {}", "t:1: x has more bytes than fit 63 bits"},
    {"func f(x: i8[-1]) -> () {}", "t:1: expected a number, found '-'"},
    {"func f() -> () {} more", "t:1: there is text behind the end: 'more'"},
    {"func f() -> () {\n\x01", "t:2: expected the name of a stage, found the byte 0x01"},
    {HEAD "  s: y[i] = a[j]\n}", "t:2: there is no variable 's.j' here; did you mean 's.i'?"},
    {HEAD "  s: y[i] = aa[i]\n}", "t:2: there is no buffer 'aa' here; did you mean 'a'?"},
    {HEAD "  s: y[i] = sqrtt(a[i])\n}",
     "t:2: there is no function 'sqrtt' here; did you mean 'sqrt'?"},
    {HEAD "  s: y[i] = sqrt(a[i])\n}", "t:2: 'sqrt' takes no arguments of dtypes i32"},
    {HEAD "  s: y[i] = a[i] + 1\n}", "t:2: '+' takes no arguments of dtypes i32, i64"},
    {HEAD "  s: y[i] = x[i]\n}", "t:2: the value is i8, but must be i32"},
    {HEAD "  s: y[i] = a[i, i]\n}", "t:2: a has 1 dimensions, but more indices are given"},
    {HEAD "  s: y[i] = a[]\n}", "t:2: a has 1 dimensions, but 0 indices are given"},
    {HEAD "  s: y[i] = a[x[i]]\n}", "t:2: an index is i8, but must be i64"},
    {HEAD "  s: y[i, j] = a[i]\n}", "t:2: expected ']', found ','"},
    {HEAD "  s: y[i] = min(a[i])\n}", "t:2: 'min' takes 2 arguments, but 1 are given"},
    {HEAD "  s: y[i] = abs(a[i], a[i])\n}", "t:2: 'abs' takes 1 arguments, but more are given"},
    {HEAD "  s: y[i] = -a[i]\n}",
     "t:2: '-' stands between two operands or before a number; write 0 - x"},
    {HEAD "  s: y[i] = i32(99999999999999999999)\n}",
     "t:2: the integer 99999999999999999999 does not fit 64 bits"},
    {HEAD "  s: y[i] =", "t:2: the text ends in an expression"},
    {HEAD "  s: y[i] sum(k < 4) = a[k]\n}", "t:2: expected 'init', found '='"},
    {HEAD "  s: y[i] summ(k < 4) init i32(0) = a[k]\n}",
     "t:2: there is no way to combine 'summ' here; did you mean 'sum'?"},
    {HEAD "  s: y[i] sum(i < 4) init i32(0) = a[i]\n}", "t:2: two axes are named s.i"},
    {HEAD "  s: y[i] = i32(i == not i == 0)\n}",
     "t:2: put 'not' and what follows in parentheses here"},
    {HEAD "}", "t: func f: no stage computes output y"},
    {HEAD "  s: y[i] = a[i]\n  s: y[i] = a[i]\n}",
     "t: func f, stage s: y is already written by stage s"},
    {HEAD "  s: a[i] = a[i]\n}", "t: func f, stage s: a is an input and can't be written"},
    {HEAD "  s: y[i] = y[i]\n}",
     "t: func f, stage s: y can't be read here: it is no input and nothing before computes it"},
    {HEAD "  s: y[i] = a[i + 1]\n}",
     "t: func f, stage s: index 0 of a takes values from 1 to 4, but the dimension has 4"},
    {HEAD "  s: y[i] = select(i < 2, a[i + 4], i32(0))\n}",
     "t: func f, stage s: index 0 of a takes values from 4 to 7, but the dimension has 4"},
    {HEAD "  temp t: i32[4]\n  r: y[i] = t[i]\n  t: t[i] = a[i]\n}",
     "t: func f, stage r: t can't be read here: it is no input and nothing before computes it"},
    {"func f(c: bool[4]) -> (y: bool[]) {\n  s: y[] sum(k < 4) init false = c[k]\n}",
     "t: func f, stage s: y is bool, which can't be combined, only assigned"},
    {"func f(a: i32[4]) -> (y: i32[]) {\n  s: y[] sum(k < 4) init a[k] = a[k]\n}",
     "t: func f, stage s: variable s.k is not bound here"},
};

static void test_refused_funcs(void **state)
{
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    struct tir_func *f = NULL;
    struct tsr_err err = {0};
    assert_int_equal(tir_func_parse(*state, &err, "t", refused[i].text, &f), TSR_REFUSED);
    assert_string_equal(err.text, refused[i].sentence);
    assert_null(f);
  }
}

#define PROGRAM "program p(x: i8[4]) -> (y: i8[4]) {\n"

static const struct {
  const char *text, *sentence;
} refused_programs[] = {
    {PROGRAM "  call accel.gemm(y[0])\n}",
     "t:2: calls of intrinsics can't be parsed: they come of tensorizing"},
    {PROGRAM "  y[0] -= x[0]\n}", "t:2: there is no assignment '-' here"},
    {PROGRAM "  for i < x[0] { y[0] = x[i] }\n}", "t:2: a loop's extent is i8, but must be i64"},
    {PROGRAM "  if 3 { y[0] = x[0] }\n}", "t:2: a condition is i64, but must be bool"},
    {PROGRAM "  for i < 4 pipeline 0 { y[0] = x[i] }\n}", "t:2: a pipeline's depth is 1 to 1024"},
    {PROGRAM "  for i < 4 { y[i] = x[i]\n", "t:3: the text ends before '}'"},
    {PROGRAM "  7\n}", "t:2: '7' starts no statement"},
    {PROGRAM "  for i < 4 { for i < 4 { y[i] = x[i] } }\n}",
     "t: program p: loop i is inside another of that name"},
    {PROGRAM "  x[0] = y[0]\n}", "t: program p: x is an input and can't be written"},
    {PROGRAM "  for i < 5 { y[i] = x[0] }\n}",
     "t: program p: index 0 of y takes values from 0 to 4, but the dimension has 4"},
    {PROGRAM "  alloc y: i8[] { y[] = x[0] }\n}", "t:2: there is a buffer y already"},
    {PROGRAM "  alloc t: i8[] { t[] = x[0] }\n  y[0] = t[]\n}", "t:3: there is no buffer 't' here"},
};

static void test_refused_programs(void **state)
{
  for (size_t i = 0; i < sizeof refused_programs / sizeof refused_programs[0]; i++) {
    struct tir_program *p = NULL;
    struct tsr_err err = {0};
    assert_int_equal(tir_program_parse(*state, &err, "t", refused_programs[i].text, &p),
                     TSR_REFUSED);
    assert_string_equal(err.text, refused_programs[i].sentence);
  }
}

static char *repeated(struct tsr_arena *a, const char *before, const char *what, int n,
                      const char *after)
{
  struct tsr_text t = {.arena = a};
  tsr_text_add(&t, "%s", before);
  for (int i = 0; i < n; i++)
    tsr_text_add(&t, "%s", what);
  tsr_text_add(&t, "%s", after);
  return t.data;
}

static void test_limits(void **state)
{
  struct tir_func *f;
  struct tir_program *p;
  struct tsr_err err = {0};
  const char *head = "func f() -> (y: i64[4]) {\n  s: y[i] = ";
  tir_func_parse(*state, &err, "t", repeated(*state, head, "(", 100000, ""), &f);
  assert_string_equal(err.text, "t:2: more than 100 levels of nesting");
  tir_func_parse(*state, &err, "t", repeated(*state, head, "i / ", 100000, "i"), &f);
  assert_string_equal(err.text,
                      "t:2: an expression of more than 500 levels; make it of several stages");
  tir_program_parse(*state, &err, "t",
                    repeated(*state, "program p() -> (y: i8[]) {", "if true {", 5000, ""), &p);
  assert_string_equal(err.text, "t:1: more than 100 levels of nesting");
  assert_int_equal(
      tir_func_parse(*state, &err, "t", repeated(*state, head, "i / ", 400, "i\n}"), &f), TSR_OK);
  int64_t y[4];
  assert_int_equal(tir_func_run(*state, &err, f, (void *[]){y}), TSR_OK);
}

/* Broken text must be refused or parse; it must not crash. Each of many small damages to good text.
 */
static void test_damaged_text(void **state)
{
  uint64_t seed = 4711;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const char bytes[] = "()[]{}<>=+-*/.,:#09axi \n\x80" "func init sum select";
  for (int i = 0; i < 3000; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tir_func *f;
    struct tir_program *p;
    struct tsr_err err = {0};
    char *text = tsr_arena_strdup(a, i % 2 ? sample : program_sample);
    size_t n = strlen(text);
    for (uint32_t k = next_random(&seed) % 3 + 1; k > 0; k--) {
      size_t at = next_random(&seed) % n, cut = next_random(&seed) % 12;
      if (next_random(&seed) % 3)
        text[at] = bytes[next_random(&seed) % (sizeof bytes - 1)];
      else if (at + cut < n)
        memmove(text + at, text + at + cut, n - at - cut + 1), n -= cut;
    }
    enum tsr_status status = i % 2 ? tir_func_parse(a, &err, "t", text, &f)
                                   : tir_program_parse(a, &err, "t", text, &p);
    assert_true(status == TSR_OK || (status == TSR_REFUSED && !strncmp(err.text, "t:", 2)));
    tsr_arena_free(a);
  }
  (void)state;
}

/* docs/tensor-ir.md has a row for every op, and every word of the language. */
static void test_documented(void **state)
{
  struct tsr_bytes page;
  struct tsr_err err;
  assert_int_equal(tsr_file_read(*state, &err, "docs/tensor-ir.md", 1 << 20, &page), TSR_OK);
  const char *text = (const char *)page.data;
  for (int i = 0; i < TIR_OP_COUNT; i++)
    if (!strstr(text, tsr_arena_printf(*state, "| %s |", tir__ops[i].name)))
      fail_msg("docs/tensor-ir.md has no row for %s", tir__ops[i].name);
  for (int i = 0; i < TIR_SCOPE_COUNT; i++)
    assert_non_null(
        strstr(text, tsr_arena_printf(*state, "`%s`", tir_scope_name((enum tir_scope)i))));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_ARENA(test_sample_is_exact),   IN_ARENA(test_expressions_are_exact),
    IN_ARENA(test_float_constants_are_exact), IN_ARENA(test_axis_names),
    IN_ARENA(test_programs),          IN_ARENA(test_refused_funcs),
    IN_ARENA(test_refused_programs),  IN_ARENA(test_limits),
    IN_ARENA(test_damaged_text),      IN_ARENA(test_documented),
    IN_ARENA(test_stage_named_like_a_scope),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
