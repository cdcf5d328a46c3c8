/* SPDX-License-Identifier: Apache-2.0 */
/* Random programs: checker and slow reference say the same of races and of reads of nothing. */
#include "tests/func/machine.h"
#include "tests/verify/naive.h"
#include "verify/verify.h"

enum { PROGRAMS = 600, UOPS = 24 };

static const uint64_t SEED = 88211;

static void random_uops(struct machine *m, uint64_t *r)
{
  struct tsr_err err;
  for (uint32_t u = 0; u < UOPS; u++) {
    /* the first half for instructions that take `first` */
    struct tsr_uop uop = {machine_below(r, 12), machine_below(r, 12), 0,
                          u < UOPS / 2 && machine_below(r, 2)};
    uop.b = machine_below(r, 4) ? machine_below(r, 12) : uop.dst;
    assert_int_equal(tsr_uop_encode(&err, &uop, m->window + u * TSR_UOP_BYTES), TSR_OK);
  }
}

static struct tsr_insn random_loop(uint64_t *r)
{
  static const int opcodes[] = {TSR_OP_GEMM, TSR_OP_GEMM, TSR_OP_MAC,   TSR_OP_MAX,
                                TSR_OP_ADD,  TSR_OP_MOV,  TSR_OP_QUANT, TSR_OP_SUB};
  struct tsr_insn i = machine_loop(opcodes[machine_below(r, 8)]);
  bool sums = tsr_opcode_takes_first(i.opcode);
  if (i.opcode != TSR_OP_GEMM) {
    i.loop.src = (int)machine_below(r, 2);
    i.loop.dst = i.opcode == TSR_OP_MAC ? 0 : (int)machine_below(r, 3);
  }
  i.loop.uop_count = 1 + machine_below(r, 3);
  i.loop.uop_begin = machine_below(r, UOPS / 2 - 3) + (sums ? 0 : UOPS / 2);
  i.loop.first = sums ? machine_below(r, 8) : 0;
  for (int k = 0; k < 3; k++) {
    i.loop.n[k] = 1 + machine_below(r, 3);
    i.loop.step_dst[k] = machine_below(r, 2) * machine_below(r, 6);
    i.loop.step_a[k] = machine_below(r, 2) ? i.loop.step_dst[k] : machine_below(r, 6);
    i.loop.step_b[k] = machine_below(r, 2) ? i.loop.step_dst[k] : machine_below(r, 4);
  }
  return i;
}

static struct tsr_insn random_dma(uint64_t *r)
{
  static const int buffers[] = {TSR_BUFFER_INP,  TSR_BUFFER_WGT, TSR_BUFFER_ACC,
                                TSR_BUFFER_ACC8, TSR_BUFFER_ACC, TSR_BUFFER_OUT};
  int k = (int)machine_below(r, 6), opcode = k < 4 ? TSR_OP_LOAD : TSR_OP_STORE;
  struct tsr_insn i = machine_dma(opcode, buffers[k], machine_below(r, 24),
                                  4096 + 128 * machine_below(r, 24), 1 + machine_below(r, 5));
  i.dma.ny = 1 + machine_below(r, 3);
  i.dma.nz = 1 + machine_below(r, 2);
  i.dma.sy = 128 * machine_below(r, 4);
  i.dma.sz = 128 * machine_below(r, 9);
  if (opcode == TSR_OP_LOAD)
    i.dma.xl = machine_below(r, 2);
  return i;
}

/* Fills what is read later on, most of the time; then anything, with tokens in pairs. */
static void random_program(struct machine *m, uint64_t *r)
{
  static const int buffers[] = {TSR_BUFFER_INP, TSR_BUFFER_WGT, TSR_BUFFER_ACC, TSR_BUFFER_LUT};
  struct tsr_insn i = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, UOPS);
  machine_add(m, &i);
  for (int k = 0; k < 4; k++) {
    i = machine_dma(TSR_OP_LOAD, buffers[k], 0, 8192, buffers[k] == TSR_BUFFER_LUT ? 1 : 48);
    if (machine_below(r, 4))
      machine_add(m, &i);
  }
  uint32_t chance = 1 + machine_below(r, 12);
  for (int e = TSR_ENGINE_LOAD, k = 0; k < 10; k++) {
    struct tsr_insn pass = {.opcode = TSR_OP_SYNC, .engine = e};
    i = machine_below(r, 2) ? random_loop(r) : random_dma(r);
    int next = tsr_insn_engine(&i);
    pass.signal = 1u << next;
    if (next != e &&
        machine_below(r, chance)) { /* else nothing orders it behind what came before */
      machine_add(m, &pass);
      i.wait = 1u << e;
    }
    machine_add(m, &i);
    e = next;
  }
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
}

struct tally {
  int races, unwritten, clean;
};

static void check(struct machine *m, int number, struct tally *tally)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program program = {m->words, m->count, m->window, MACHINE_WINDOW, MACHINE_WINDOW, 0};
  struct tsr_verify_options options = {.races = true, .unwritten = true};
  struct tsr_findings f;
  assert_non_null(arena);
  assert_int_equal(setjmp(*tsr_arena_landing(arena)), 0);
  tsr_verify_with(arena, &m->design, &program, &options, &f);
  struct naive *n = naive_new(arena, &m->design, &program);
  size_t races = 0, unwritten = 0, expected = naive_races(n);
  for (size_t k = 0; k < f.listed; k++) {
    races += f.list[k].kind == TSR_FINDING_RACE;
    unwritten += f.list[k].kind == TSR_FINDING_UNWRITTEN;
  }
  if (f.count != races + unwritten)
    fail_msg("program %d: %s", number, f.list[0].text);
  if ((races > 0) != (expected > 0))
    fail_msg("program %d: %zu races, by the reference %zu", number, races, expected);
  if (!races && unwritten != naive_unwritten(n))
    fail_msg("program %d: %zu reads of nothing, by the reference %zu", number, unwritten,
             naive_unwritten(n));
  tally->races += races > 0;
  tally->unwritten += !races && unwritten;
  tally->clean += f.count == 0;
  tsr_arena_free(arena);
}

static void same_as_the_reference(void **state)
{
  (void)state;
  uint64_t r = SEED;
  struct tally tally = {0};
  print_message("seed %llu\n", (unsigned long long)SEED);
  for (int k = 0; k < PROGRAMS; k++) {
    struct machine *m = machine_open(MACHINE_POINTS[k % 5]);
    random_uops(m, &r);
    random_program(m, &r);
    check(m, k, &tally);
    machine_close(m);
  }
  print_message("%d with races, %d with reads of nothing, %d clean\n", tally.races, tally.unwritten,
                tally.clean);
  assert_true(tally.races > PROGRAMS / 10 && tally.unwritten > PROGRAMS / 10 &&
              tally.clean > PROGRAMS / 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(same_as_the_reference),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
