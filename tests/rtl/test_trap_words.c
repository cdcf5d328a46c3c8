/* SPDX-License-Identifier: Apache-2.0 */
/* Words and micro-ops that do not decode: every opcode that there is not, every reserved bit. */
#include "tests/rtl/main.h"

enum { WINDOW = 1 << 15, PROBE_EVERY = 16, ALL = 8 * TSR_INSN_BYTES };

static uint64_t checked;

/* The program on the machine that there is. The probe behind every trap would take long. */
static void check(const struct tsr_program *p, enum tsr_trap trap, const char *what, int detail)
{
  rig_expect(&rig, p);
  assert_int_equal(rig.expected.trap, trap);
  rig_reset(&rig);
  enum outcome outcome = rig_run(&rig, p);
  if (outcome == AS_EXPECTED)
    outcome = rig_same_trap(&rig);
  if (outcome == AS_EXPECTED && checked++ % PROBE_EVERY == 0)
    outcome = rig_check_new(&rig);
  expect(outcome, "%s %d", what, detail);
}

/* Two instructions, the word, one more. */
static struct tsr_program around(struct tsr_arena *arena, const struct tsr_insn *insn)
{
  struct build b = build_new(arena, &rig.design);
  struct tsr_insn sync = {.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_STORE};
  build_load(&b, TSR_BUFFER_INP, 0, build_data(&b, NULL, 256), 1);
  b.free = true;
  build_add(&b, &sync);
  build_add(&b, insn);
  build_add(&b, &sync);
  return build_end(&b);
}

static void opcodes(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_insn any = build_loop(TSR_OP_MOV);
  struct tsr_program p = around(arena, &any);
  for (int opcode = 0; opcode < 256; opcode++)
    if (!tsr_opcode_valid(opcode)) {
      p.insns[2 * TSR_INSN_BYTES] = (uint8_t)opcode;
      check(&p, TSR_TRAP_OPCODE, "opcode", opcode);
    }
  tsr_arena_free(arena);
}

/* Every bit below `end` that makes the word one without a meaning. */
static void flip_bits(const struct tsr_insn *insn, int end)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program p = around(arena, insn);
  uint8_t *word = p.insns + 2 * TSR_INSN_BYTES;
  struct tsr_insn out;
  for (int bit = 8; bit < end; bit++) {
    word[bit / 8] ^= (uint8_t)(1 << bit % 8);
    if (tsr_insn_decode(word, &out) == TSR_TRAP_FIELD)
      check(&p, TSR_TRAP_FIELD, tsr_opcode_name(insn->opcode), bit);
    word[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  tsr_arena_free(arena);
}

static void fields(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  const struct tsr_insn finish = {.opcode = TSR_OP_FINISH};
  struct tsr_insn insn;
  flip_bits(&finish, ALL);
  for (int engine = 0; engine < TSR_ENGINE_COUNT; engine++) {
    insn = (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = engine};
    flip_bits(&insn, engine == 0 ? ALL : 64);
  }
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++) {
    insn = build_dma(TSR_OP_LOAD, buffer, 0, 0, 1);
    insn.dma.pad = buffer == TSR_BUFFER_UOP ? 0 : buffer == TSR_BUFFER_ACC ? 1000 : -100;
    if (buffer != TSR_BUFFER_OUT)
      flip_bits(&insn, ALL);
    insn = build_dma(TSR_OP_STORE, buffer, 0, 0, 1);
    if (buffer == TSR_BUFFER_OUT || buffer == TSR_BUFFER_ACC)
      flip_bits(&insn, ALL);
  }
  for (int opcode = TSR_OP_GEMM; opcode <= TSR_OP_QUANT; opcode++)
    if (tsr_opcode_valid(opcode)) {
      insn = build_loop(opcode);
      flip_bits(&insn, ALL);
    }
}

/* The bits of a micro-op beside its indices; the second of three is bad. */
static void micro_ops(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  for (int opcode = TSR_OP_GEMM; opcode <= TSR_OP_QUANT; opcode++)
    for (int bit = 48; tsr_opcode_valid(opcode) && bit < 64; bit++) {
      if (bit == 48 && tsr_opcode_takes_first(opcode))
        continue;
      struct tsr_arena *arena = tsr_arena_new(NULL);
      struct build b = build_new(arena, &rig.design);
      struct tsr_uop uops[3] = {{0, 0, 0, false}};
      struct tsr_insn insn = build_loop(opcode);
      uint64_t at = b.bytes;
      insn.loop.uop_begin = build_uops(&b, uops, 3);
      insn.loop.uop_count = 3;
      b.data[at + TSR_UOP_BYTES + (size_t)bit / 8] |= (uint8_t)(1 << bit % 8);
      build_add(&b, &insn);
      struct tsr_program p = build_end(&b);
      check(&p, TSR_TRAP_FIELD, tsr_opcode_name(opcode), bit);
      tsr_arena_free(arena);
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(opcodes), cmocka_unit_test(fields),
                                     cmocka_unit_test(micro_ops)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
