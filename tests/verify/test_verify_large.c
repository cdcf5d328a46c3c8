/* SPDX-License-Identifier: Apache-2.0 */
/* A program of 100,000 instructions with every kind of token traffic, checked in full; the time
 * that it takes is printed, and docs/verifier.md has it. */
#include <stdlib.h>
#include <time.h>

#include "tests/verify/bench.h"

enum { ROUNDS = 20000, ROUND = 5, COUNT = ROUNDS * ROUND, UOPS = 64 };

static void put(uint8_t *insns, size_t at, struct tsr_insn insn, uint32_t wait, uint32_t signal)
{
  struct tsr_err err;
  insn.wait = wait;
  insn.signal = signal;
  assert_int_equal(tsr_insn_encode(&err, &insn, insns + at * TSR_INSN_BYTES), TSR_OK);
}

/* LOADs of inputs and weights, a GEMM of 64 micro-ops, a MOV to OUT and a STORE, one behind the
 * other. */
static void round_of(uint8_t *insns, size_t at, bool again)
{
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM), mov = machine_loop(TSR_OP_MOV);
  gemm.loop.uop_count = UOPS;
  gemm.loop.n[1] = gemm.loop.n[2] = 4;
  gemm.loop.step_dst[1] = gemm.loop.step_a[1] = 64;
  gemm.loop.step_a[2] = 1;
  gemm.loop.first = 4;
  mov.loop.uop_begin = UOPS;
  mov.loop.n[0] = 256;
  mov.loop.step_a[0] = mov.loop.step_dst[0] = 1;
  mov.loop.dst = TSR_DST_OUT;
  uint32_t back = again ? MATRIX : 0;
  put(insns, at, machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 4096, 259), back, 0);
  put(insns, at + 1, machine_dma(TSR_OP_LOAD, TSR_BUFFER_WGT, 0, 4096, 1), 0, MATRIX);
  put(insns, at + 2, gemm, LOAD | (again ? VECTOR : 0), LOAD | VECTOR);
  put(insns, at + 3, mov, MATRIX | (again ? STORE : 0), MATRIX | STORE);
  put(insns, at + 4, machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 0, 16384, 256), VECTOR, VECTOR);
}

static void hundred_thousand(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  uint8_t *insns = malloc((size_t)(COUNT + 8) * TSR_INSN_BYTES);
  assert_non_null(insns);
  for (int u = 0; u < UOPS; u++)
    image_uop(m, u, (uint32_t)u, (uint32_t)u, 0, true);
  image_uop(m, UOPS, 0, 0, 0, false);
  put(insns, 0, machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, UOPS + 1), 0, MATRIX | VECTOR);
  put(insns, 1, (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_MATRIX}, LOAD, 0);
  put(insns, 2, (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_VECTOR}, LOAD, 0);
  for (size_t i = 0; i < ROUNDS; i++)
    round_of(insns, 3 + ROUND * i, i > 0);
  put(insns, COUNT + 3, (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_LOAD}, MATRIX,
      0);
  put(insns, COUNT + 4, (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_MATRIX},
      VECTOR, 0);
  put(insns, COUNT + 5, (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_VECTOR},
      STORE, 0);
  put(insns, COUNT + 6, (struct tsr_insn){.opcode = TSR_OP_FINISH}, 0, 0);
  struct tsr_program program = {insns, COUNT + 7, m->window, BENCH_DATA, MACHINE_WINDOW, 0};
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_findings findings;
  clock_t start = clock();
  tsr_verify(arena, &m->design, &program, &findings);
  print_message("%zu instructions in %.2f s\n", program.insn_count,
                (double)(clock() - start) / CLOCKS_PER_SEC);
  if (findings.count)
    fail_msg("%s", findings.list[0].text);
  /* without the tokens back to LOAD every later LOAD races with the GEMM before it */
  for (size_t i = 1; i < ROUNDS; i++) {
    insns[(3 + ROUND * i) * TSR_INSN_BYTES + 1] = 0;
    insns[(3 + ROUND * (i - 1) + 2) * TSR_INSN_BYTES + 2] = VECTOR;
  }
  tsr_verify(arena, &m->design, &program, &findings);
  assert_int_equal(findings.count, 2 * (ROUNDS - 1));
  assert_int_equal(findings.listed, 100);
  tsr_arena_free(arena);
  free(insns);
  machine_close(m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hundred_thousand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
