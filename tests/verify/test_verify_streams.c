/* SPDX-License-Identifier: Apache-2.0 */
/* The checker on what the compiler makes: digits is clean at every design point, and without any
 * one of its tokens it has a race, or the token was not needed, as the slow reference says too. */
#include "base/file.h"
#include "compiler/compile.h"
#include "compiler/onnx/onnx.h"
#include "tests/func/machine.h"
#include "tests/verify/naive.h"
#include "verify/verify.h"

struct streams {
  struct tsr_arena *arena;
  struct tsr_design design;
  struct tsr_module *module;
};

static struct streams compile_digits(const char *point)
{
  struct streams s = {.arena = tsr_arena_new(NULL)};
  struct tsr_err err;
  struct tsr_bytes bytes;
  struct tsr_graph *graph;
  struct tsr_compile_options options = {0};
  assert_non_null(s.arena);
  assert_int_equal(setjmp(*tsr_arena_landing(s.arena)), 0);
  if (tsr_design_open(s.arena, &err, point, &s.design) ||
      tsr_file_read(s.arena, &err, "models/digits/digits.onnx", 1 << 20, &bytes) ||
      tsr_onnx_import(s.arena, &err, "digits", bytes.data, bytes.size, NULL, &graph) ||
      tsr_compile_graph(s.arena, &err, graph, &s.design, &options, &s.module))
    fail_msg("%s", err.text);
  return s;
}

/* The k-th stream; false behind the last. */
static bool stream(const struct streams *s, int k, struct tsr_program *out)
{
  for (int i = 0; i < s->module->steps; i++) {
    const struct tsr_module_step *step = &s->module->step[i];
    if (step->kind != TSR_STEP_ACCEL || k-- > 0)
      continue;
    *out = (struct tsr_program){s->module->insns + step->first_insn * TSR_INSN_BYTES,
                                step->insns,
                                s->module->image,
                                s->module->image_bytes,
                                s->module->window_bytes,
                                s->design.hash};
    return true;
  }
  return false;
}

static void digits_is_clean(void **state)
{
  (void)state;
  for (int p = 0; p < 5; p++) {
    struct streams s = compile_digits(MACHINE_POINTS[p]);
    struct tsr_program program;
    struct tsr_findings f;
    int streams = 0;
    while (stream(&s, streams, &program)) {
      tsr_verify(s.arena, &s.design, &program, &f);
      if (f.count)
        fail_msg("%s: %s", MACHINE_POINTS[p], f.list[0].text);
      assert_int_equal(naive_races(naive_new(s.arena, &s.design, &program)), 0);
      streams++;
    }
    assert_int_not_equal(streams, 0);
    tsr_arena_free(s.arena);
  }
}

static void write_back(const struct naive *n, const struct tsr_program *program, size_t i)
{
  struct tsr_err err;
  assert_int_equal(tsr_insn_encode(&err, &n->insn[i], program->insns + i * TSR_INSN_BYTES), TSR_OK);
}

static size_t giver_of(const struct naive *n, size_t j, int p)
{
  int engine = tsr_insn_engine(&n->insn[j]);
  size_t taken = 0;
  for (size_t i = 0; i < j; i++)
    taken += tsr_insn_engine(&n->insn[i]) == engine && n->insn[i].wait >> p & 1;
  for (size_t i = 0; i < j; i++)
    if (tsr_insn_engine(&n->insn[i]) == p && n->insn[i].signal >> engine & 1 && taken-- == 0)
      return i;
  fail_msg("instruction %zu waits for a token that comes later", j);
  return 0;
}

/* Without the token that j takes from p: whether there are races, by the checker and the
 * reference. */
static bool races_without(const struct streams *s, struct naive *n,
                          const struct tsr_program *program, size_t j, int p)
{
  int engine = tsr_insn_engine(&n->insn[j]);
  size_t i = giver_of(n, j, p);
  struct tsr_findings f;
  n->insn[j].wait ^= 1u << p;
  n->insn[i].signal ^= 1u << engine;
  write_back(n, program, i);
  write_back(n, program, j);
  struct tsr_arena *arena = tsr_arena_new(NULL);
  tsr_verify(arena, &s->design, program, &f);
  size_t races = naive_races(n), found = 0;
  for (size_t k = 0; k < f.listed; k++)
    found += f.list[k].kind == TSR_FINDING_RACE;
  assert_int_equal(f.count > 0, found > 0);
  assert_int_equal(found > 0, races > 0);
  tsr_arena_free(arena);
  n->insn[j].wait ^= 1u << p;
  n->insn[i].signal ^= 1u << engine;
  write_back(n, program, i);
  write_back(n, program, j);
  return races > 0;
}

static void without_each_token(void **state)
{
  (void)state;
  static const char *const points[] = {"tiny", "default"};
  for (int k = 0; k < 2; k++) {
    struct streams s = compile_digits(points[k]);
    struct tsr_program program;
    int tokens = 0, needed = 0;
    assert_true(stream(&s, 0, &program));
    struct naive *n = naive_new(s.arena, &s.design, &program);
    for (size_t j = 0; j < n->count; j++)
      for (int p = 0; p < TSR_ENGINE_COUNT; p++)
        if (n->insn[j].wait >> p & 1) {
          tokens++;
          needed += races_without(&s, n, &program, j, p);
        }
    print_message("digits at %s: %d of %d tokens are needed\n", points[k], needed, tokens);
    assert_true(tokens > 100 && needed > tokens / 2);
    tsr_arena_free(s.arena);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digits_is_clean),
      cmocka_unit_test(without_each_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
