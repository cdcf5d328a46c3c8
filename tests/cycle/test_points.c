/* SPDX-License-Identifier: Apache-2.0 */
/* The closed forms of loop times against the walk point by point. */
#include "hw/sim/cycle/points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/isa/random.h"

enum { UOPS = 6, TRIALS = 40000 };

static void put16(uint8_t *to, uint32_t value)
{
  to[0] = (uint8_t)value;
  to[1] = (uint8_t)(value >> 8);
}

/* Few values, so that indices meet. */
static uint32_t some(uint64_t *random, uint32_t below)
{
  return random_below(random, 4) ? random_below(random, below) : 0;
}

static struct tsr_insn draw(uint64_t *random, uint8_t uops[UOPS * TSR_UOP_BYTES])
{
  static const int opcodes[] = {TSR_OP_GEMM, TSR_OP_ADD,   TSR_OP_MUL,  TSR_OP_MAC,
                                TSR_OP_LUT,  TSR_OP_RSUM,  TSR_OP_RMAX, TSR_OP_QUANT,
                                TSR_OP_MOV,  TSR_OP_QUANT, TSR_OP_MAC};
  struct tsr_insn insn = {.opcode = opcodes[random_below(random, 11)]};
  bool acc = insn.opcode == TSR_OP_GEMM || insn.opcode == TSR_OP_MAC;
  uint32_t apart = random_below(random, 3) ? 100 : 0; /* between operands */
  insn.loop.dst = acc ? TSR_DST_ACC : (int)random_below(random, 3);
  insn.loop.src = insn.opcode == TSR_OP_GEMM ? 0 : (int)random_below(random, 2);
  insn.loop.uop_count = 1 + random_below(random, UOPS);
  for (int k = 0; k < 3; k++) {
    insn.loop.n[k] = 1 + random_below(random, 4);
    insn.loop.step_dst[k] = some(random, 4);
    insn.loop.step_a[k] = some(random, 4);
    insn.loop.step_b[k] = some(random, 4);
  }
  memset(uops, 0, UOPS * TSR_UOP_BYTES);
  for (uint32_t u = 0; u < insn.loop.uop_count; u++)
    for (uint32_t f = 0; f < 3; f++)
      put16(uops + u * TSR_UOP_BYTES + 2 * f, f * apart + some(random, 5));
  return insn;
}

static void same(const struct tsr_insn *insn, const uint8_t *uops, uint64_t trial)
{
  uint64_t points = tsr__walk_points(insn);
  struct tsr__walk quick = tsr__walk_of(insn, uops, points);
  struct tsr__walk slow = tsr__walk_until(insn, uops, points, UINT64_MAX);
  if (quick.points != slow.points || quick.cycles != slow.cycles || quick.hazards != slow.hazards)
    fail_msg("trial %d, %s: %d cycles, %d hazards; point by point %d, %d", (int)trial,
             tsr_opcode_name(insn->opcode), (int)quick.cycles, (int)quick.hazards, (int)slow.cycles,
             (int)slow.hazards);
}

static void closed_forms_are_those_of_the_walk(void **state)
{
  (void)state;
  uint64_t random = 1;
  for (uint64_t trial = 0; trial < TRIALS; trial++) {
    uint8_t uops[UOPS * TSR_UOP_BYTES];
    struct tsr_insn insn = draw(&random, uops);
    same(&insn, uops, trial);
  }
}

/* A walk that is cut is the beginning of the whole one. */
static void a_cut_walk_goes_on(void **state)
{
  (void)state;
  uint64_t random = 2;
  for (uint64_t trial = 0; trial < TRIALS / 40; trial++) {
    uint8_t uops[UOPS * TSR_UOP_BYTES];
    struct tsr_insn insn = draw(&random, uops);
    uint64_t points = tsr__walk_points(&insn), seen = 0;
    struct tsr__walk all = tsr__walk_of(&insn, uops, points);
    for (uint64_t cycles = 0; cycles <= all.cycles; cycles++) {
      struct tsr__walk part = tsr__walk_until(&insn, uops, points, cycles);
      assert_true(part.cycles == cycles && part.points >= seen && part.points <= seen + 1);
      seen = part.points;
    }
    assert_true(seen == points);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(closed_forms_are_those_of_the_walk),
                                     cmocka_unit_test(a_cut_walk_goes_on)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
