/* SPDX-License-Identifier: Apache-2.0 */
/* One program for each kind of finding, with its exact sentence; clean programs are clean. */
#include <string.h>

#include "tests/func/machine.h"
#include "verify/verify.h"

enum { DATA = 4096 };

struct checked {
  struct tsr_arena *arena;
  struct tsr_program program;
  struct tsr_findings findings;
};

/* Takes the machine's program, with FINISH behind it where asked. */
static struct checked check(struct machine *m, bool finish)
{
  struct checked c = {.arena = tsr_arena_new(NULL)};
  assert_non_null(c.arena);
  assert_int_equal(setjmp(*tsr_arena_landing(c.arena)), 0);
  if (finish)
    machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
  c.program = (struct tsr_program){m->words, m->count, m->window, DATA, MACHINE_WINDOW, 0};
  tsr_verify(c.arena, &m->design, &c.program, &c.findings);
  m->count = 0;
  return c;
}

static void expect(struct machine *m, enum tsr_finding_kind kind, size_t insn, int engine,
                   const char *text)
{
  struct checked c = check(m, true);
  assert_int_equal(c.findings.count, 1);
  assert_string_equal(c.findings.list[0].text, text);
  assert_int_equal(c.findings.list[0].kind, kind);
  assert_int_equal(c.findings.list[0].insn, insn);
  assert_int_equal(c.findings.list[0].engine, engine);
  tsr_arena_free(c.arena);
}

static void expect_clean(struct machine *m)
{
  struct checked c = check(m, true);
  if (c.findings.count)
    fail_msg("%s", c.findings.list[0].text);
  tsr_arena_free(c.arena);
}

static struct tsr_insn sync_of(int engine, uint32_t wait, uint32_t signal)
{
  return (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = engine, .wait = wait, .signal = signal};
}

/* Micro-op number `at` of the data image. */
static void image_uop(struct machine *m, int at, uint32_t dst, uint32_t a, uint32_t b)
{
  struct tsr_err err;
  struct tsr_uop uop = {dst, a, b, false};
  assert_int_equal(tsr_uop_encode(&err, &uop, m->window + at * TSR_UOP_BYTES), TSR_OK);
}

static void words(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  memset(m->words, 0xee, TSR_INSN_BYTES);
  m->count = 1;
  expect(m, TSR_FINDING_WORD, 0, TSR_ENGINE_FETCH,
         "instruction 0: no instruction has the opcode 0xee");
  m->count = 0;
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_SYNC});
  m->words[20] = 1;
  expect(m, TSR_FINDING_WORD, 0, TSR_ENGINE_FETCH,
         "instruction 0 (sync): a reserved field is not zero, or a field holds a value without a "
         "meaning");
  m->window[6] = 2;
  struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 1);
  struct tsr_insn mov = machine_loop(TSR_OP_MOV);
  machine_add(m, &load);
  machine_add(m, &mov);
  expect(m, TSR_FINDING_WORD, 1, TSR_ENGINE_VECTOR,
         "instruction 1 (mov, vector): micro-op 0 has reserved flag bits set (0x0002)");
  machine_close(m);
}

static void design_hash(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program program = {m->words, 1, NULL, 0, 0, m->design.hash};
  struct tsr_findings findings;
  tsr_verify(arena, &m->design, &program, &findings);
  assert_int_equal(findings.count, 0);
  program.design_hash++;
  tsr_verify(arena, &m->design, &program, &findings);
  assert_int_equal(findings.count, 1);
  assert_int_equal(findings.list[0].kind, TSR_FINDING_WORD);
  assert_non_null(strstr(findings.list[0].text, "the program was made for the design point "));
  tsr_arena_free(arena);
  machine_close(m);
}

static void ends(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  expect_clean(m);
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_SYNC});
  struct checked c = check(m, false);
  assert_int_equal(c.findings.count, 1);
  assert_int_equal(c.findings.list[0].kind, TSR_FINDING_END);
  assert_string_equal(c.findings.list[0].text,
                      "instruction 1: the program ends here without finish");
  tsr_arena_free(c.arena);
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_SYNC});
  expect(m, TSR_FINDING_END, 0, TSR_ENGINE_FETCH,
         "instruction 0 (finish) ends the program; 2 instructions behind it are never reached");
  machine_close(m);
}

static void deadlock(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn wait = sync_of(TSR_ENGINE_STORE, 1 << TSR_ENGINE_VECTOR, 0);
  machine_add(m, &wait);
  expect(m, TSR_FINDING_DEADLOCK, 0, TSR_ENGINE_STORE,
         "no engine can go on; store waits at instruction 0 (sync), for a token from vector; fetch "
         "waits "
         "at instruction 1 for every engine to be idle (finish)");
  machine_close(m);
}

static void balance(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn give = sync_of(TSR_ENGINE_LOAD, 0, 1 << TSR_ENGINE_MATRIX);
  machine_add(m, &give);
  expect(m, TSR_FINDING_BALANCE, 1, TSR_ENGINE_MATRIX,
         "instruction 1 (finish): 1 token from load to matrix is left over");
  struct tsr_insn take = sync_of(TSR_ENGINE_MATRIX, 1 << TSR_ENGINE_LOAD, 0);
  machine_add(m, &give);
  machine_add(m, &take);
  expect_clean(m);
  machine_close(m);
}

/* Micro-ops are those of their time: a GEMM is good after one LOAD and bad after the next. */
static void micro_ops_in_time(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 1, 2, 3);
  image_uop(m, 1, 1, 2, 1030);
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
  for (uint64_t i = 0; i < 2; i++) {
    struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 8 * i, 1);
    machine_add(m, &load);
    machine_add(m, &gemm);
  }
  expect(m, TSR_FINDING_INDEX, 3, TSR_ENGINE_MATRIX,
         "instruction 3 (gemm, matrix): WGT index 1030 (b) at loop point (0,0,0), micro-op 0; "
         "the scratchpad has 1024 entries");
  struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 8, 1);
  gemm.wait = 1 << TSR_ENGINE_LOAD; /* for what comes behind it in the program */
  load.signal = 1 << TSR_ENGINE_MATRIX;
  machine_add(m, &gemm);
  machine_add(m, &load);
  expect(m, TSR_FINDING_INDEX, 0, TSR_ENGINE_MATRIX,
         "instruction 0 (gemm, matrix): WGT index 1030 (b) at loop point (0,0,0), micro-op 0; "
         "the scratchpad has 1024 entries");
  machine_close(m);
}

/* Padding is micro-ops of zeros: of the box's four only the last is from the image, and bad. */
static void micro_ops_padded(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  for (int u = 0; u < 5; u++)
    image_uop(m, u, 0, 0, 1030);
  struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 5);
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
  machine_add(m, &load);
  load.dma.nx = load.dma.xl = load.dma.yl = 1;
  machine_add(m, &load);
  gemm.loop.uop_count = 3;
  machine_add(m, &gemm);
  gemm.loop.uop_count = 4;
  machine_add(m, &gemm);
  expect(m, TSR_FINDING_INDEX, 3, TSR_ENGINE_MATRIX,
         "instruction 3 (gemm, matrix): WGT index 1030 (b) at loop point (0,0,0), micro-op 3; "
         "the scratchpad has 1024 entries");
  machine_close(m);
}

static void micro_ops_unknown(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, DATA - 16, 3);
  machine_add(m, &load);
  expect(m, TSR_FINDING_WINDOW, 0, TSR_ENGINE_LOAD,
         "instruction 0 (load, load): 8 bytes of micro-ops come from behind the program's data "
         "image of "
         "4096 bytes, where nothing is known of them");
  load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 512, 4);
  struct tsr_insn store = machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 0, 528, 1);
  machine_add(m, &load);
  machine_add(m, &store);
  expect(m, TSR_FINDING_WINDOW, 1, TSR_ENGINE_STORE,
         "instruction 1 (store, store): writes over micro-ops of the program at DRAM byte 528");
  struct tsr_insn acc = machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 0, 1024, 1);
  acc.signal = 1 << TSR_ENGINE_STORE;
  store = machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 544, 1);
  store.wait = 1 << TSR_ENGINE_LOAD;
  machine_add(m, &load);
  machine_add(m, &acc);
  machine_add(m, &store);
  expect_clean(m);
  machine_close(m);
}

static void transfers(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn i = machine_dma(TSR_OP_LOAD, TSR_BUFFER_WGT, 1000, 0, 25);
  machine_add(m, &i);
  expect(m, TSR_FINDING_INDEX, 0, TSR_ENGINE_LOAD,
         "instruction 0 (load, load): wgt entries 1000 to 1024; the scratchpad has 1024 entries");
  i = machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, MACHINE_WINDOW, 1);
  machine_add(m, &i);
  expect(m, TSR_FINDING_WINDOW, 0, TSR_ENGINE_STORE,
         "instruction 0 (store, store): DRAM bytes up to 65599; the window has 65536 bytes");
  i = machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 1, 1);
  machine_add(m, &i);
  expect(m, TSR_FINDING_ALIGN, 0, TSR_ENGINE_STORE,
         "instruction 0 (store, store): DRAM offset 1 is no multiple of the AXI beat of 8 bytes");
  machine_close(m);
}

/* More findings than are listed: the first hundred by instruction, and the count of all. */
static void many(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn bad = machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 1, 1);
  for (int i = 0; i < 150; i++)
    machine_add(m, &bad);
  memset(m->words, 0xff, TSR_INSN_BYTES);
  struct checked c = check(m, true);
  assert_int_equal(c.findings.count, 1);
  tsr_arena_free(c.arena);
  for (int i = 0; i < 150; i++)
    machine_add(m, &bad);
  memset(m->words + 149 * TSR_INSN_BYTES, 0xff, TSR_INSN_BYTES);
  c = check(m, true);
  assert_int_equal(c.findings.count, 150);
  assert_int_equal(c.findings.listed, 100);
  for (size_t i = 0; i < 100; i++)
    assert_int_equal(c.findings.list[i].insn, i);
  tsr_arena_free(c.arena);
  machine_close(m);
}

static void kinds_have_names(void **state)
{
  (void)state;
  assert_string_equal(tsr_finding_kind_name(TSR_FINDING_WORD), "word");
  assert_string_equal(tsr_finding_kind_name(TSR_FINDING_ALIGN), "align");
  assert_string_equal(tsr_finding_kind_name(TSR_FINDING_RACE), "race");
  assert_string_equal(tsr_finding_kind_name(TSR_FINDING_UNWRITTEN), "unwritten");
  assert_string_equal(tsr_finding_kind_name(TSR_FINDING_OVERFLOW), "overflow");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words),
      cmocka_unit_test(design_hash),
      cmocka_unit_test(ends),
      cmocka_unit_test(deadlock),
      cmocka_unit_test(balance),
      cmocka_unit_test(micro_ops_in_time),
      cmocka_unit_test(micro_ops_padded),
      cmocka_unit_test(micro_ops_unknown),
      cmocka_unit_test(transfers),
      cmocka_unit_test(many),
      cmocka_unit_test(kinds_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
