/* SPDX-License-Identifier: Apache-2.0 */
/* Loop points of vector rows that read what points shortly before them wrote: each operand, each
 * row, each small distance. */
#include "tests/rtl/main.h"

#include "tests/isa/random.h"
#include "verify/check.h"

enum { POINTS = 24, FARTHEST = 14, ENTRIES = 20 + FARTHEST + POINTS + 4, BASE = 20 + FARTHEST };

/* Which operand reads the earlier result: a, b, b+1, b+2, or d of MAC. */
enum operand { A, B, B1, B2, D, OPERANDS };

static uint64_t place_acc, place_inp; /* bytes of the window */
static uint32_t origin;               /* entry of ACC and of INP where all of this happens */

/* Values that any row makes something of: parameters of QUANT too. */
static int32_t acc_word(void *context, size_t i)
{
  uint64_t *random = context;
  uint32_t any = (uint32_t)random_next(random);
  return (int32_t)(i % 3 ? any : 0x7f800000u | (any & 0x1f1f));
}

static int8_t inp_byte(void *context, size_t i)
{
  (void)i;
  return (int8_t)random_next(context);
}

static struct build start(struct tsr_arena *arena)
{
  struct build b = build_new(arena, &rig.design);
  size_t lanes = (size_t)tsr_design_lanes(&rig.design);
  uint64_t random = 5;
  place_acc = build_words(&b, ENTRIES * lanes, acc_word, &random);
  place_inp = build_bytes(&b, ENTRIES * lanes, inp_byte, &random);
  build_load(&b, TSR_BUFFER_LUT, 0, build_bytes(&b, TSR_LUT_BYTES, inp_byte, &random), 1);
  return b;
}

static bool reads(int opcode, enum operand operand)
{
  enum tsr_second second = tsr_check_second(opcode);
  switch (operand) {
  case A: return true;
  case B: return second == TSR_SECOND_ACC || second == TSR_SECOND_ACC3;
  case D: return opcode == TSR_OP_MAC;
  default: return second == TSR_SECOND_ACC3;
  }
}

/* Point k writes entry BASE + k and reads entry BASE + k - distance; of D, all write one entry of
 * `distance` in turn. */
static struct tsr_uop point(int opcode, enum operand operand, uint32_t distance, uint32_t k)
{
  uint32_t base = origin + BASE, before = base + k - distance;
  struct tsr_uop u = {base + k, origin + 2 + k % 3, opcode == TSR_OP_LUT ? 0 : origin + 6, false};
  if (!reads(opcode, B) && opcode != TSR_OP_LUT)
    u.b = 65535; /* is no index */
  if (operand == A)
    u.a = before;
  else if (operand == D)
    u.dst = base + (distance ? k % distance : 0);
  else
    u.b = before - (uint32_t)(operand - B);
  return u;
}

static void fresh(struct build *b)
{
  build_load(b, TSR_BUFFER_ACC, origin, place_acc, ENTRIES);
  build_load(b, TSR_BUFFER_INP, origin, place_inp, ENTRIES);
}

/* Once by micro-ops, once by the inner loop. */
static void add_chain(struct build *b, int opcode, enum operand operand, uint32_t distance,
                      bool inp)
{
  struct tsr_uop uops[POINTS];
  struct tsr_insn insn = build_loop(opcode);
  insn.loop.src = inp ? TSR_SRC_INP : TSR_SRC_ACC;
  insn.loop.dst = inp ? TSR_DST_INP : TSR_DST_ACC;
  for (uint32_t k = 0; k < POINTS; k++)
    uops[k] = point(opcode, operand, distance, k);
  fresh(b);
  insn.loop.uop_begin = build_uops(b, uops, POINTS);
  insn.loop.uop_count = POINTS;
  build_add(b, &insn);
  if (operand == D && distance > 1)
    return;
  fresh(b);
  insn.loop.uop_count = 1;
  insn.loop.n[2] = POINTS;
  insn.loop.step_dst[2] = operand != D;
  insn.loop.step_a[2] = operand == A;
  insn.loop.step_b[2] = operand >= B && operand <= B2;
  build_add(b, &insn);
}

static void run_chains(void)
{
  for (int opcode = TSR_OP_ADD; opcode <= TSR_OP_QUANT; opcode++) {
    struct build b = start(tsr_arena_new(NULL));
    for (int operand = A; operand < OPERANDS; operand++)
      for (uint32_t distance = 0; reads(opcode, operand) && distance <= FARTHEST; distance++)
        add_chain(&b, opcode, operand, distance, false);
    for (uint32_t distance = 0; opcode != TSR_OP_MAC && distance <= FARTHEST; distance++)
      add_chain(&b, opcode, A, distance, true);
    struct tsr_program p = build_end(&b);
    expect(rig_check(&rig, &p), "chains of %s", tsr_opcode_name(opcode));
    tsr_arena_free(b.arena);
  }
}

static void chains(void **state)
{
  (void)state;
  origin = 0;
  run_chains();
}

/* Results in both banks of ACC. */
static void across_banks(void **state)
{
  (void)state;
  origin = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_ACC) / 2 - BASE - POINTS / 2;
  run_chains();
}

/* ---- QUANT's parameters, which stay in registers while b stays ---- */

enum { FIRST_SET = 10, SECOND_SET = 13, ELSEWHERE = 20, AFTER = 18 };

/* Small numbers to be requantized, then two sets of parameters that show them. */
static int32_t small_word(void *context, size_t i)
{
  (void)context;
  size_t lanes = (size_t)tsr_design_lanes(&rig.design), entry = i / lanes;
  if (entry < FIRST_SET || entry > SECOND_SET + 2)
    return (int32_t)(i * 7 % 41) - 20;
  switch ((entry - FIRST_SET) % 3) {
  case 0: return 5 + (int32_t)entry;
  case 1: return 3;
  default: return 0x7f800101; /* hi 127, lo -128, zero point 1, shift 1 */
  }
}

/* A point writes one of the first set; some others follow, with these parameters or with the
 * second set; then two that must see what was written. */
static void add_overwritten(struct build *b, uint64_t place, uint32_t which, uint32_t between,
                            uint32_t set)
{
  struct tsr_uop uops[16];
  struct tsr_insn insn = build_loop(TSR_OP_QUANT);
  uint32_t count = 0;
  build_load(b, TSR_BUFFER_ACC, 0, place, ELSEWHERE);
  uops[count++] = (struct tsr_uop){FIRST_SET + which, 0, FIRST_SET, false};
  for (uint32_t k = 0; k < between; k++)
    uops[count++] = (struct tsr_uop){ELSEWHERE + k, 1 + k % 4, set, false};
  uops[count++] = (struct tsr_uop){AFTER, 5, FIRST_SET, false};
  uops[count++] = (struct tsr_uop){AFTER + 1, 6, FIRST_SET, false};
  insn.loop.uop_begin = build_uops(b, uops, count);
  insn.loop.uop_count = count;
  build_add(b, &insn);
}

static void parameters(void **state)
{
  (void)state;
  struct build b = build_new(tsr_arena_new(NULL), &rig.design);
  size_t lanes = (size_t)tsr_design_lanes(&rig.design);
  uint64_t place = build_words(&b, ELSEWHERE * lanes, small_word, NULL);
  for (uint32_t which = 0; which < 3; which++)
    for (uint32_t between = 0; between < 9; between++) {
      add_overwritten(&b, place, which, between, FIRST_SET);
      add_overwritten(&b, place, which, between, SECOND_SET);
    }
  struct tsr_program p = build_end(&b);
  expect(rig_check(&rig, &p), "parameters");
  tsr_arena_free(b.arena);
}

/* Few entries, read and written at random, with and without `first`; QUANT's operands overlap. */
static void add_tangle(struct build *b, int opcode, uint64_t *random)
{
  struct tsr_uop uops[2 * POINTS];
  struct tsr_insn insn = build_loop(opcode);
  uint32_t among = 2 + random_below(random, 6);
  origin = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_ACC) / 2 - random_below(random, 10);
  insn.loop.uop_count = 2 + random_below(random, 2 * POINTS - 2);
  for (uint32_t u = 0; u < insn.loop.uop_count; u++)
    uops[u] = (struct tsr_uop){origin + random_below(random, among),
                               origin + random_below(random, among),
                               opcode == TSR_OP_LUT ? 0 : origin + random_below(random, among),
                               tsr_opcode_takes_first(opcode) && random_below(random, 3) == 0};
  if (opcode != TSR_OP_MAC)
    insn.loop.dst = random_below(random, 3) ? TSR_DST_ACC : TSR_DST_INP;
  insn.loop.src = random_below(random, 3) ? TSR_SRC_ACC : TSR_SRC_INP;
  insn.loop.n[1] = 1 + random_below(random, 2);
  insn.loop.step_dst[1] = random_below(random, 2);
  insn.loop.first = tsr_opcode_takes_first(opcode) ? random_below(random, 8) : 0;
  fresh(b);
  insn.loop.uop_begin = build_uops(b, uops, insn.loop.uop_count);
  build_add(b, &insn);
}

static void tangles(void **state)
{
  (void)state;
  uint64_t random = 29;
  for (int opcode = TSR_OP_ADD; opcode <= TSR_OP_QUANT; opcode++) {
    struct build b = start(tsr_arena_new(NULL));
    for (int k = 0; k < 40; k++)
      add_tangle(&b, opcode, &random);
    struct tsr_program p = build_end(&b);
    expect(rig_check(&rig, &p), "tangles of %s", tsr_opcode_name(opcode));
    tsr_arena_free(b.arena);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(chains), cmocka_unit_test(across_banks),
                                     cmocka_unit_test(parameters), cmocka_unit_test(tangles)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
