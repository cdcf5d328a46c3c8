/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "isa/isa.h"
#include "isa/slot.h"
#include "random.h"

/* What fields.def says in numbers is what the other tables say. */
static void the_tables_agree(void **state)
{
  (void)state;
  assert_int_equal(tsr__slot_find(TSR_FORMAT_SYNC, "engine")->largest, TSR_ENGINE_COUNT - 1);
  assert_int_equal(tsr__slot_find(TSR_FORMAT_DMA, "buffer")->largest, TSR_BUFFER_COUNT - 1);
  assert_int_equal(tsr__slot_find(TSR_FORMAT_LOOP, "dst")->largest, TSR_DST_INP);
  assert_int_equal(tsr__slot_find(TSR_FORMAT_LOOP, "src")->largest, TSR_SRC_INP);
  for (int format = TSR_FORMAT_SYNC; format <= TSR_FORMAT_LOOP; format++) {
    assert_int_equal(tsr__slot_find(format, "wait")->largest, (1 << TSR_ENGINE_COUNT) - 1);
    assert_int_equal(tsr__slot_find(format, "signal")->largest, (1 << TSR_ENGINE_COUNT) - 1);
  }
}

static void names_come_from_the_tables(void **state)
{
  (void)state;
  assert_string_equal(tsr_engine_name(TSR_ENGINE_VECTOR), "vector");
  assert_string_equal(tsr_engine_name(TSR_ENGINE_FETCH), "fetch");
  assert_string_equal(tsr_buffer_name(TSR_BUFFER_ACC8), "acc8");
  assert_string_equal(tsr_trap_name(TSR_TRAP_DEADLOCK), "deadlock");
  assert_string_equal(tsr_trap_meaning(TSR_TRAP_OPCODE), "no instruction has this opcode");
  assert_string_equal(tsr_opcode_name(TSR_OP_QUANT), "quant");
  assert_string_equal(tsr_opcode_name(0x7f), "?");
  assert_int_equal(tsr_opcode_format(TSR_OP_GEMM), TSR_FORMAT_LOOP);
  assert_int_equal(tsr_opcode_format(TSR_OP_STORE), TSR_FORMAT_DMA);
  assert_false(tsr_opcode_valid(0));
  assert_true(tsr_opcode_valid(TSR_OP_FINISH));
}

static void engines_of_instructions(void **state)
{
  (void)state;
  static const struct {
    int opcode, engine;
  } rows[] = {{TSR_OP_LOAD, TSR_ENGINE_LOAD},   {TSR_OP_STORE, TSR_ENGINE_STORE},
              {TSR_OP_GEMM, TSR_ENGINE_MATRIX}, {TSR_OP_QUANT, TSR_ENGINE_VECTOR},
              {TSR_OP_SYNC, 3},                 {TSR_OP_FINISH, TSR_ENGINE_FETCH}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_insn insn = {.opcode = rows[i].opcode, .engine = 3};
    assert_int_equal(tsr_insn_engine(&insn), rows[i].engine);
  }
}

/* `first` is where the table's meaning speaks of it, and nowhere else. */
static void first_is_where_the_table_says_so(void **state)
{
  (void)state;
#define TSR_INSN(opcode, name, text, engine, format, meaning)                                        \
  assert_int_equal(tsr_opcode_takes_first(opcode), strstr(meaning, "first ?") != NULL);
#include "isa/insns.def"
#undef TSR_INSN
}

/* A word written by hand, byte by byte, so that encoder and decoder cannot agree on a wrong place. */
static void a_word_by_hand(void **state)
{
  (void)state;
  static const uint8_t gemm[32] = {0x10, 0x01, 0x0c, 0x15, 0x34, 0x12, 9, 0, 4,    0, 7, 0, 14, 0, 98, 0,
                                   14,   0,    1,    0,    2,    0,    3, 0, 0xff, 0xff, 5, 0, 6, 0, 7, 0};
  struct tsr_insn insn;
  assert_int_equal(tsr_insn_decode(gemm, &insn), TSR_TRAP_NONE);
  assert_int_equal(insn.opcode, TSR_OP_GEMM);
  assert_int_equal(insn.wait, 1);
  assert_int_equal(insn.signal, 12);
  assert_int_equal(insn.loop.first, 5);
  assert_int_equal(insn.loop.banks, 2);
  assert_int_equal(insn.loop.uop_begin, 0x1234);
  assert_int_equal(insn.loop.uop_count, 9);
  assert_int_equal(insn.loop.n[2], 14);
  assert_int_equal(insn.loop.step_dst[0], 98);
  assert_int_equal(insn.loop.step_a[2], 65535);
  assert_int_equal(insn.loop.step_b[2], 7);

  static const uint8_t load[32] = {0x01, 0, 2, 1, 0x10, 0, 0xfd, 0xff, 0, 0x10, 0, 0x80, 14, 0, 15, 0,
                                   4,    0, 1, 2, 3,    4, 0,    0,    1, 2,    3, 4,    5,  6, 7,  8};
  assert_int_equal(tsr_insn_decode(load, &insn), TSR_TRAP_NONE);
  assert_int_equal(insn.dma.buffer, TSR_BUFFER_INP);
  assert_int_equal(insn.dma.sram, 16);
  assert_int_equal(insn.dma.pad, -3);
  assert_int_equal(insn.dma.dram, 0x80001000);
  assert_int_equal(insn.dma.nx, 14);
  assert_int_equal(insn.dma.ny, 15);
  assert_int_equal(insn.dma.nz, 4);
  assert_int_equal(insn.dma.xl, 1);
  assert_int_equal(insn.dma.yr, 4);
  assert_int_equal(insn.dma.sy, 0x04030201);
  assert_int_equal(insn.dma.sz, 0x08070605);

  static const uint8_t uop[8] = {1, 2, 3, 4, 5, 6, 1, 0};
  struct tsr_uop u;
  assert_int_equal(tsr_uop_decode(uop, &u), TSR_TRAP_NONE);
  assert_int_equal(u.dst, 0x0201);
  assert_int_equal(u.a, 0x0403);
  assert_int_equal(u.b, 0x0605);
  assert_true(u.overwrite);
}

static void random_instructions_come_back(void **state)
{
  (void)state;
  uint64_t seed = random_seed();
  for (int i = 0; i < 20000; i++) {
    struct tsr_insn insn = random_insn(&seed), back;
    struct tsr_err err;
    uint8_t word[TSR_INSN_BYTES];
    memset(&back, 0, sizeof back);
    if (tsr_insn_encode(&err, &insn, word))
      fail_msg("%s", err.text);
    assert_int_equal(tsr_insn_decode(word, &back), TSR_TRAP_NONE);
    assert_memory_equal(&insn, &back, sizeof insn);
  }
}

/* Valid words with one byte changed, and wholly random ones: what decodes encodes to the same word. */
static void random_words_come_back(void **state)
{
  (void)state;
  uint64_t seed = random_seed();
  int taken = 0;
  for (int i = 0; i < 40000; i++) {
    uint8_t word[TSR_INSN_BYTES], again[TSR_INSN_BYTES];
    struct tsr_insn insn = random_insn(&seed);
    if (i % 2)
      assert_int_equal(tsr_insn_encode(NULL, &insn, word), TSR_OK);
    for (int k = 0; i % 2 == 0 && k < TSR_INSN_BYTES; k++)
      word[k] = (uint8_t)random_next(&seed);
    word[random_below(&seed, TSR_INSN_BYTES)] = (uint8_t)random_next(&seed);
    enum tsr_trap trap = tsr_insn_decode(word, &insn);
    assert_int_equal(trap == TSR_TRAP_OPCODE, !tsr_opcode_valid(word[0]));
    if (trap)
      continue;
    taken++;
    assert_int_equal(tsr_insn_encode(NULL, &insn, again), TSR_OK);
    assert_memory_equal(word, again, sizeof word);
  }
  assert_true(taken > 5000);
}

static void random_uops_come_back(void **state)
{
  (void)state;
  uint64_t seed = random_seed();
  for (int i = 0; i < 20000; i++) {
    uint64_t raw = random_next(&seed) & (i % 2 ? UINT64_C(0x1ffffffffffff) : UINT64_MAX);
    uint8_t word[TSR_UOP_BYTES], again[TSR_UOP_BYTES];
    for (int k = 0; k < TSR_UOP_BYTES; k++)
      word[k] = (uint8_t)(raw >> 8 * k);
    struct tsr_uop uop;
    enum tsr_trap trap = tsr_uop_decode(word, &uop);
    assert_int_equal(trap, raw >> 49 ? TSR_TRAP_FIELD : TSR_TRAP_NONE);
    if (trap)
      continue;
    assert_int_equal(tsr_uop_encode(NULL, &uop, again), TSR_OK);
    assert_memory_equal(word, again, sizeof word);
  }
}

/* An instruction of the opcode that has nothing but what it must have. */
static struct tsr_insn plain(int opcode)
{
  struct tsr_insn insn = {.opcode = opcode};
  if (tsr_opcode_format(opcode) == TSR_FORMAT_DMA) {
    insn.dma.buffer = TSR_BUFFER_ACC;
    insn.dma.nx = insn.dma.ny = insn.dma.nz = 1;
  }
  if (tsr_opcode_format(opcode) == TSR_FORMAT_LOOP)
    insn.loop.uop_count = insn.loop.n[0] = insn.loop.n[1] = insn.loop.n[2] = 1;
  return insn;
}

/* Whether the slot takes what fits it; the others have rules of their own, in refused_instructions. */
static bool takes_all(const struct tsr__slot *slot)
{
  static const char *const ruled[] = {"opcode", "wait", "signal", "buffer", "dst", "src"};
  for (size_t i = 0; i < sizeof ruled / sizeof ruled[0]; i++)
    if (!strcmp(slot->name, ruled[i]))
      return false;
  return true;
}

static void corner(int opcode, const struct tsr__slot *slot, int64_t value, bool fits)
{
  struct tsr_insn insn = plain(opcode), back;
  uint8_t word[TSR_INSN_BYTES];
  struct tsr_err err = {0};
  char expected[128];
  tsr__slot_put(slot, &insn, (uint64_t)value);
  enum tsr_status status = tsr_insn_encode(&err, &insn, word);
  if (fits) {
    if (status)
      fail_msg("%s", err.text);
    assert_int_equal(tsr_insn_decode(word, &back), TSR_TRAP_NONE);
    assert_int_equal((int64_t)tsr__slot_get(slot, &back), value);
    return;
  }
  assert_int_equal(status, TSR_REFUSED);
  snprintf(expected, sizeof expected, "%s: %s is %lld, outside of %lld to %lld",
           tsr_opcode_name(opcode), slot->name,
           slot->kind == TSR__U32 ? (long long)(uint32_t)value : (long long)value,
           (long long)slot->smallest, (long long)slot->largest);
  assert_string_equal(err.text, expected);
}

static void every_field_at_its_corners(void **state)
{
  (void)state;
  static const int opcodes[] = {TSR_OP_LOAD, TSR_OP_GEMM, TSR_OP_ADD};
  for (size_t k = 0; k < sizeof opcodes / sizeof opcodes[0]; k++) {
    int n;
    const struct tsr__slot *slots = tsr__slots((int)tsr_opcode_format(opcodes[k]), &n);
    for (int i = 0; i < n; i++) {
      if (!takes_all(&slots[i]))
        continue;
      corner(opcodes[k], &slots[i], slots[i].smallest, true);
      corner(opcodes[k], &slots[i], slots[i].largest, true);
      corner(opcodes[k], &slots[i], slots[i].largest + 1, false);
      if (slots[i].smallest)
        corner(opcodes[k], &slots[i], slots[i].smallest - 1, false);
    }
  }
}

static void micro_ops_at_their_corners(void **state)
{
  (void)state;
  uint8_t word[TSR_UOP_BYTES];
  struct tsr_err err;
  struct tsr_uop uop = {65535, 65535, 65535, true};
  assert_int_equal(tsr_uop_encode(&err, &uop, word), TSR_OK);
  uop.a = 65536;
  assert_int_equal(tsr_uop_encode(&err, &uop, word), TSR_REFUSED);
  assert_string_equal(err.text, "uop: a is 65536, outside of 0 to 65535");
}

/* What does not encode, with the sentence. */
static void refused_instructions(void **state)
{
  (void)state;
  static const struct {
    struct tsr_insn insn;
    const char *sentence;
  } rows[] = {
#define LOOPS .uop_count = 1, .n = {1, 1, 1}
#define BOX .nx = 1, .ny = 1, .nz = 1
      {{.opcode = 0}, "no instruction has opcode 0"},
      {{.opcode = 0x110}, "no instruction has opcode 272"},
      {{.opcode = -1}, "no instruction has opcode -1"},
      {{.opcode = TSR_OP_FINISH, .wait = 1}, "finish: has no field wait; it must be 0"},
      {{.opcode = TSR_OP_SYNC, .engine = 4}, "sync: engine is 4, outside of 0 to 3"},
      {{.opcode = TSR_OP_SYNC, .engine = -1}, "sync: engine is -1, outside of 0 to 3"},
      {{.opcode = TSR_OP_SYNC, .engine = 1, .wait = 2},
       "sync: wait names matrix, the engine that executes it"},
      {{.opcode = TSR_OP_SYNC, .dma.nx = 1}, "sync: has no field nx; it must be 0"},
      {{.opcode = TSR_OP_GEMM, .signal = 2, .loop = {LOOPS}},
       "gemm: signal names matrix, the engine that executes it"},
      {{.opcode = TSR_OP_GEMM, .signal = 16, .loop = {LOOPS}},
       "gemm: signal is 16, outside of 0 to 15"},
      {{.opcode = TSR_OP_GEMM, .engine = 1, .loop = {LOOPS}}, "gemm: has no field engine; it must be 0"},
      {{.opcode = TSR_OP_GEMM, .loop = {LOOPS, .dst = TSR_DST_OUT}},
       "gemm: dst is 1; it must be 0, acc"},
      {{.opcode = TSR_OP_GEMM, .loop = {LOOPS, .src = TSR_SRC_INP}},
       "gemm: src is 1; it must be 0: a is always INP"},
      {{.opcode = TSR_OP_MAC, .loop = {LOOPS, .dst = TSR_DST_INP}}, "mac: dst is 2; it must be 0, acc"},
      {{.opcode = TSR_OP_ADD, .loop = {LOOPS, .dst = 3}}, "add: dst is 3, outside of 0 to 2"},
      {{.opcode = TSR_OP_ADD, .loop = {LOOPS, .src = 2}}, "add: src is 2, outside of 0 to 1"},
      {{.opcode = TSR_OP_MUL, .loop = {LOOPS, .first = 4}},
       "mul: first is 4; it must be 0: the instruction has no use for it"},
      {{.opcode = TSR_OP_QUANT, .loop = {.n = {1, 1, 1}}},
       "quant: uop_count is 0, outside of 1 to 65535"},
      {{.opcode = TSR_OP_LOAD, .dma = {BOX, .buffer = TSR_BUFFER_OUT}},
       "load: buffer is 5, out, which cannot be loaded"},
      {{.opcode = TSR_OP_STORE, .dma = {BOX, .buffer = TSR_BUFFER_INP}},
       "store: buffer is 1, inp, which cannot be stored"},
      {{.opcode = TSR_OP_STORE, .dma = {BOX, .buffer = TSR_BUFFER_ACC8}},
       "store: buffer is 4, acc8, which cannot be stored"},
      {{.opcode = TSR_OP_LOAD, .dma = {BOX, .buffer = 7}}, "load: buffer is 7, outside of 0 to 6"},
      {{.opcode = TSR_OP_LOAD, .dma = {BOX, .buffer = TSR_BUFFER_INP, .pad = 128}},
       "load: pad is 128, outside of -128 to 127 for inp"},
      {{.opcode = TSR_OP_LOAD, .dma = {BOX, .buffer = TSR_BUFFER_ACC8, .pad = -129}},
       "load: pad is -129, outside of -128 to 127 for acc8"},
      {{.opcode = TSR_OP_LOAD, .dma = {BOX, .buffer = TSR_BUFFER_UOP, .pad = 1}},
       "load: pad is 1; it must be 0 for uop"},
      {{.opcode = TSR_OP_STORE, .dma = {BOX, .buffer = TSR_BUFFER_ACC, .pad = 1}},
       "store: pad must be 0: a store has no padding"},
      {{.opcode = TSR_OP_STORE, .dma = {BOX, .buffer = TSR_BUFFER_ACC, .yr = 1}},
       "store: yr must be 0: a store has no padding"},
      {{.opcode = TSR_OP_LOAD, .dma = {BOX, .buffer = TSR_BUFFER_ACC, .dram = UINT64_MAX}},
       "load: dram is 18446744073709551615, outside of 0 to 4294967295"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_err err = {0};
    uint8_t word[TSR_INSN_BYTES];
    assert_int_equal(tsr_insn_encode(&err, &rows[i].insn, word), TSR_REFUSED);
    assert_string_equal(err.text, rows[i].sentence);
  }
}

/* What does not decode: a valid word with bytes changed. */
static void refused_words(void **state)
{
  (void)state;
  static const struct {
    int opcode, byte, value;
    enum tsr_trap trap;
  } rows[] = {
      {TSR_OP_FINISH, 0, 0x00, TSR_TRAP_OPCODE},  {TSR_OP_FINISH, 0, 0x2d, TSR_TRAP_OPCODE},
      {TSR_OP_FINISH, 1, 1, TSR_TRAP_FIELD},      {TSR_OP_FINISH, 31, 0x80, TSR_TRAP_FIELD},
      {TSR_OP_SYNC, 3, 4, TSR_TRAP_FIELD},        {TSR_OP_SYNC, 1, 1, TSR_TRAP_FIELD},
      {TSR_OP_SYNC, 2, 16, TSR_TRAP_FIELD},       {TSR_OP_SYNC, 4, 1, TSR_TRAP_FIELD},
      {TSR_OP_LOAD, 3, 5, TSR_TRAP_FIELD},        {TSR_OP_LOAD, 3, 7, TSR_TRAP_FIELD},
      {TSR_OP_LOAD, 12, 0, TSR_TRAP_FIELD},       {TSR_OP_LOAD, 14, 0, TSR_TRAP_FIELD},
      {TSR_OP_LOAD, 16, 0, TSR_TRAP_FIELD},       {TSR_OP_LOAD, 22, 1, TSR_TRAP_FIELD},
      {TSR_OP_LOAD, 23, 1, TSR_TRAP_FIELD},       {TSR_OP_LOAD, 7, 0x7f, TSR_TRAP_NONE},
      {TSR_OP_STORE, 6, 1, TSR_TRAP_FIELD},       {TSR_OP_STORE, 18, 1, TSR_TRAP_FIELD},
      {TSR_OP_STORE, 3, 0, TSR_TRAP_FIELD},       {TSR_OP_STORE, 3, 5, TSR_TRAP_NONE},
      {TSR_OP_GEMM, 3, 0x20, TSR_TRAP_FIELD},     {TSR_OP_GEMM, 3, 0x80, TSR_TRAP_FIELD},
      {TSR_OP_GEMM, 3, 0x1f, TSR_TRAP_NONE},      {TSR_OP_GEMM, 6, 0, TSR_TRAP_FIELD},
      {TSR_OP_GEMM, 8, 0, TSR_TRAP_FIELD},        {TSR_OP_GEMM, 10, 0, TSR_TRAP_FIELD},
      {TSR_OP_GEMM, 12, 0, TSR_TRAP_FIELD},       {TSR_OP_MAC, 3, 0x40, TSR_TRAP_FIELD},
      {TSR_OP_ADD, 3, 0x60, TSR_TRAP_FIELD},      {TSR_OP_ADD, 3, 0xc7, TSR_TRAP_NONE},
      {TSR_OP_SHR, 3, 0x01, TSR_TRAP_FIELD},      {TSR_OP_SHR, 3, 0xd8, TSR_TRAP_NONE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_insn insn = plain(rows[i].opcode);
    uint8_t word[TSR_INSN_BYTES];
    assert_int_equal(tsr_insn_encode(NULL, &insn, word), TSR_OK);
    word[rows[i].byte] = (uint8_t)rows[i].value;
    if (tsr_insn_decode(word, &insn) != rows[i].trap)
      fail_msg("row %zu: %s with byte %d = 0x%02x", i, tsr_opcode_name(rows[i].opcode), rows[i].byte,
               rows[i].value);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_tables_agree),
      cmocka_unit_test(names_come_from_the_tables),
      cmocka_unit_test(engines_of_instructions),
      cmocka_unit_test(first_is_where_the_table_says_so),
      cmocka_unit_test(a_word_by_hand),
      cmocka_unit_test(random_instructions_come_back),
      cmocka_unit_test(random_words_come_back),
      cmocka_unit_test(random_uops_come_back),
      cmocka_unit_test(every_field_at_its_corners),
      cmocka_unit_test(micro_ops_at_their_corners),
      cmocka_unit_test(refused_instructions),
      cmocka_unit_test(refused_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
