/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/verify/bench.h"

static void run(struct machine *m, const struct tsr_verify_options *options,
                struct tsr_arena **arena, struct tsr_findings *findings)
{
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
  struct tsr_program program = {m->words, m->count, m->window, BENCH_DATA, MACHINE_WINDOW, 0};
  *arena = tsr_arena_new(NULL);
  assert_non_null(*arena);
  assert_int_equal(setjmp(*tsr_arena_landing(*arena)), 0);
  tsr_verify_with(*arena, &m->design, &program, options, findings);
  m->count = 0;
}

void expect_with(struct machine *m, const struct tsr_verify_options *options,
                 enum tsr_finding_kind kind, size_t insn, const char *text)
{
  struct tsr_arena *arena;
  struct tsr_findings f;
  run(m, options, &arena, &f);
  if (f.count != 1)
    fail_msg("%zu findings; the last: %s", f.count, f.count ? f.list[f.listed - 1].text : "");
  assert_string_equal(f.list[0].text, text);
  assert_int_equal(f.list[0].kind, kind);
  assert_int_equal(f.list[0].insn, insn);
  tsr_arena_free(arena);
}

void expect(struct machine *m, enum tsr_finding_kind kind, size_t insn, const char *text)
{
  struct tsr_verify_options all = tsr_verify_defaults();
  expect_with(m, &all, kind, insn, text);
}

void expect_clean_with(struct machine *m, const struct tsr_verify_options *options)
{
  struct tsr_arena *arena;
  struct tsr_findings f;
  run(m, options, &arena, &f);
  if (f.count)
    fail_msg("%s", f.list[0].text);
  tsr_arena_free(arena);
}

void expect_clean(struct machine *m)
{
  struct tsr_verify_options all = tsr_verify_defaults();
  expect_clean_with(m, &all);
}

void image_uop(struct machine *m, int at, uint32_t dst, uint32_t a, uint32_t b, bool overwrite)
{
  struct tsr_err err;
  struct tsr_uop uop = {dst, a, b, overwrite};
  assert_int_equal(tsr_uop_encode(&err, &uop, m->window + at * TSR_UOP_BYTES), TSR_OK);
}

void add(struct machine *m, struct tsr_insn insn, uint32_t wait, uint32_t signal)
{
  insn.wait = wait;
  insn.signal = signal;
  machine_add(m, &insn);
}
