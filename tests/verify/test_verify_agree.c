/* SPDX-License-Identifier: Apache-2.0 */
/* Checker and simulator agree on random programs: what the checker lets pass runs without a trap,
 * and where the simulator traps, the checker has a finding of that kind at that instruction (what
 * instructions leave to each other is not asked here). Ranges are also judged by walking every loop
 * point here, one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/func/machine.h"
#include "verify/check.h"
#include "verify/verify.h"

enum { PROGRAMS = 400, LENGTH = 12, UOPS = 32, DATA = MACHINE_WINDOW };

static const uint64_t SEED = 77001;

/* Small; or, one time in `tame`, near a limit or past it. */
static uint32_t random_value(uint64_t *r, uint32_t limit, uint32_t tame)
{
  switch (machine_below(r, 2 * tame)) {
  case 0: return limit - 1 - machine_below(r, limit < 4 ? 1 : 4);
  case 1: return machine_below(r, 24) ? machine_below(r, limit) : limit;
  default: return machine_below(r, limit < 5 ? limit : 5);
  }
}

static void random_uops(struct machine *m, uint64_t *r, uint32_t tame)
{
  struct tsr_err err;
  for (uint32_t u = 0; u < UOPS; u++) {
    struct tsr_uop uop = {random_value(r, (uint32_t)machine_depth(m, TSR_BUFFER_ACC), tame),
                          random_value(r, (uint32_t)machine_depth(m, TSR_BUFFER_INP), tame),
                          random_value(r, (uint32_t)machine_depth(m, TSR_BUFFER_WGT), tame), false};
    assert_int_equal(tsr_uop_encode(&err, &uop, m->window + u * TSR_UOP_BYTES), TSR_OK);
  }
}

static struct tsr_insn random_loop(struct machine *m, uint64_t *r, uint32_t tame)
{
  static const int opcodes[] = {TSR_OP_GEMM, TSR_OP_ADD,   TSR_OP_MOV,
                                TSR_OP_LUT,  TSR_OP_QUANT, TSR_OP_MAC};
  struct tsr_insn i = machine_loop(opcodes[machine_below(r, 6)]);
  i.loop.banks = machine_below(r, tame) ? 3 : machine_below(r, 4);
  if (i.opcode != TSR_OP_GEMM) {
    i.loop.src = (int)machine_below(r, 2);
    i.loop.dst = i.opcode == TSR_OP_MAC ? 0 : (int)machine_below(r, 3);
  }
  i.loop.uop_begin = machine_below(r, UOPS - 4);
  i.loop.uop_count = 1 + machine_below(r, 4);
  if (machine_below(r, 10 * tame) == 0)
    i.loop.uop_begin = (uint32_t)machine_depth(m, TSR_BUFFER_UOP) - machine_below(r, 4);
  for (int k = 0; k < 3; k++) {
    i.loop.n[k] = 1 + machine_below(r, 4);
    i.loop.step_dst[k] = machine_below(r, 3);
    i.loop.step_a[k] = machine_below(r, 3);
    i.loop.step_b[k] = i.opcode == TSR_OP_LUT ? 0 : machine_below(r, 3);
  }
  return i;
}

static struct tsr_insn random_dma(struct machine *m, uint64_t *r, uint32_t tame)
{
  static const int buffers[] = {TSR_BUFFER_INP,  TSR_BUFFER_WGT, TSR_BUFFER_ACC,
                                TSR_BUFFER_ACC8, TSR_BUFFER_ACC, TSR_BUFFER_OUT};
  int k = (int)machine_below(r, 6), opcode = k < 4 ? TSR_OP_LOAD : TSR_OP_STORE;
  uint32_t depth = (uint32_t)machine_depth(m, buffers[k]);
  struct tsr_insn i = machine_dma(opcode, buffers[k],
                                  random_value(r, depth < 65536 ? depth : 65535, tame),
                                  1024 + 128 * machine_below(r, 64), 1 + machine_below(r, 3));
  i.dma.ny = 1 + machine_below(r, 3);
  i.dma.sy = 128 * machine_below(r, 8);
  if (machine_below(r, 10 * tame) == 0)
    i.dma.dram += 1 + machine_below(r, 4);
  if (machine_below(r, 10 * tame) == 0)
    i.dma.sy = MACHINE_WINDOW / 2;
  if (opcode == TSR_OP_LOAD)
    i.dma.xl = machine_below(r, 2);
  return i;
}

/* Tokens in pairs, now and then one that no one takes or gives. */
static void random_program(struct machine *m, uint64_t *r, uint32_t tame)
{
  struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, UOPS);
  machine_add(m, &load);
  for (int k = 0; k < LENGTH; k++) {
    struct tsr_insn i = machine_below(r, 2) ? random_loop(m, r, tame) : random_dma(m, r, tame);
    int self = tsr_insn_engine(&i),
        other = (self + 1 + (int)machine_below(r, 3)) % TSR_ENGINE_COUNT;
    if (machine_below(r, 2))
      i.signal = 1u << other;
    if (machine_below(r, 20 * tame) == 0)
      i.wait = 1u << other;
    machine_add(m, &i);
    struct tsr_insn take = {.opcode = TSR_OP_SYNC, .engine = other, .wait = 1u << self};
    if (i.signal && machine_below(r, 20 * tame))
      machine_add(m, &take);
  }
  if (machine_below(r, 30))
    machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
  if (machine_below(r, 30) == 0)
    m->words[machine_below(r, (uint32_t)(m->count * TSR_INSN_BYTES))] ^= 0x80;
}

static bool found(const struct tsr_findings *f, enum tsr_trap trap, size_t insn)
{
  for (size_t i = 0; i < f->listed; i++) {
    enum tsr_finding_kind kind = f->list[i].kind;
    bool same = trap == TSR_TRAP_INDEX      ? kind == TSR_FINDING_INDEX
                : trap == TSR_TRAP_WINDOW   ? kind == TSR_FINDING_WINDOW
                : trap == TSR_TRAP_ALIGN    ? kind == TSR_FINDING_ALIGN
                : trap == TSR_TRAP_DEADLOCK ? kind == TSR_FINDING_DEADLOCK
                                            : kind == TSR_FINDING_WORD || kind == TSR_FINDING_END;
    if (same && f->list[i].insn == insn)
      return true;
  }
  return false;
}

static void random_programs(void **state)
{
  (void)state;
  uint64_t r = SEED;
  int trapped = 0, clean = 0;
  print_message("seed %llu\n", (unsigned long long)SEED);
  for (int n = 0; n < PROGRAMS; n++) {
    struct machine *m = machine_open(MACHINE_POINTS[n % 5]);
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct tsr_findings findings;
    uint32_t tame = n % 2 ? 4 : 200;
    random_uops(m, &r, tame);
    random_program(m, &r, tame);
    struct tsr_program program = {m->words, m->count, m->window, DATA, MACHINE_WINDOW, 0};
    tsr_verify_with(arena, &m->design, &program, &(struct tsr_verify_options){0}, &findings);
    enum tsr_trap trap = machine_run_as_is(m);
    if (trap != TSR_TRAP_NONE && !found(&findings, trap, m->result.insn))
      fail_msg("program %d: not found: %s", n, m->result.text);
    trapped += trap != TSR_TRAP_NONE;
    clean += findings.count == 0;
    tsr_arena_free(arena);
    machine_close(m);
  }
  print_message("%d trapped, %d clean, of %d\n", trapped, clean, PROGRAMS);
  assert_true(trapped > PROGRAMS / 10 && clean > PROGRAMS / 20);
}

/* Whether an index of the point is allowed; by the words of the instruction table. */
static bool index_good(const struct machine *m, const struct tsr_insn *i, int buffer,
                       uint64_t index)
{
  uint64_t depth = (uint64_t)machine_depth(m, buffer);
  if (index >= depth)
    return false;
  return buffer != TSR_BUFFER_ACC || i->loop.banks >> (index >= depth / 2) & 1;
}

static bool point_good(const struct machine *m, const struct tsr_insn *i, const struct tsr_uop *u,
                       const uint32_t at[3])
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  uint64_t d = u->dst, a = u->a, b = u->b;
  for (int k = 0; k < 3; k++) {
    d += (uint64_t)at[k] * i->loop.step_dst[k];
    a += (uint64_t)at[k] * i->loop.step_a[k];
    b += (uint64_t)at[k] * i->loop.step_b[k];
  }
  if (i->opcode == TSR_OP_GEMM)
    return index_good(m, i, TSR_BUFFER_ACC, d) && index_good(m, i, TSR_BUFFER_INP, a) &&
           index_good(m, i, TSR_BUFFER_WGT, b);
  if (!index_good(m, i, dst[i->loop.dst], d) ||
      !index_good(m, i, i->loop.src ? TSR_BUFFER_INP : TSR_BUFFER_ACC, a))
    return false;
  if (i->opcode == TSR_OP_MOV)
    return true;
  if (i->opcode == TSR_OP_LUT)
    return index_good(m, i, TSR_BUFFER_LUT, b);
  for (uint64_t k = 0; k < (i->opcode == TSR_OP_QUANT ? 3 : 1); k++)
    if (!index_good(m, i, TSR_BUFFER_ACC, b + k))
      return false;
  return true;
}

/* The first loop point, in order, that is not good; false if there is none. */
static bool first_bad(const struct machine *m, const struct tsr_insn *i, uint32_t at[3],
                      uint32_t *uop)
{
  for (at[0] = 0; at[0] < i->loop.n[0]; at[0]++)
    for (at[1] = 0; at[1] < i->loop.n[1]; at[1]++)
      for (at[2] = 0; at[2] < i->loop.n[2]; at[2]++)
        for (*uop = 0; *uop < i->loop.uop_count; ++*uop) {
          struct tsr_uop u;
          tsr_uop_decode(m->window + (i->loop.uop_begin + *uop) * TSR_UOP_BYTES, &u);
          if (!point_good(m, i, &u, at))
            return true;
        }
  return false;
}

/* One random instruction; 1 if it is bad. */
static int check_corners(struct machine *m, uint64_t *r)
{
  random_uops(m, r, 4);
  struct tsr_insn i = random_loop(m, r, 4);
  if (i.loop.uop_begin + i.loop.uop_count > UOPS)
    return 0;
  uint32_t at[3] = {0}, uop = 0;
  char text[512] = "", where[96];
  bool bad = first_bad(m, &i, at, &uop);
  enum tsr_trap trap = tsr_check_insn(&m->design, 0, &i, m->window, 0, text, sizeof text);
  assert_int_equal(trap, bad ? TSR_TRAP_INDEX : TSR_TRAP_NONE);
  snprintf(where, sizeof where, " at loop point (%u,%u,%u), micro-op %u", at[0], at[1], at[2], uop);
  if (bad && !strstr(text, where))
    fail_msg("%s instead of%s", text, where);
  return bad;
}

static void corners_are_exact(void **state)
{
  (void)state;
  uint64_t r = SEED;
  for (int p = 0; p < 5; p++) {
    struct machine *m = machine_open(MACHINE_POINTS[p]);
    int bad = 0;
    for (int n = 0; n < 2000; n++)
      bad += check_corners(m, &r);
    assert_true(bad > 200 && bad < 1800);
    machine_close(m);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_programs),
      cmocka_unit_test(corners_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
