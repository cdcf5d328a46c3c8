/* SPDX-License-Identifier: Apache-2.0 */
/* Every trap with its sentence, the order of execution, and that nothing is left over. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "tests/base/counting.h"

/* Runs what the machine holds, with FINISH behind it, and expects this trap at this instruction. */
static void expect(struct machine *m, enum tsr_trap trap, size_t insn, int engine, const char *text)
{
  assert_int_equal(machine_run(m), trap);
  assert_string_equal(m->result.text, text);
  assert_int_equal(m->result.insn, insn);
  assert_int_equal(m->result.engine, engine);
}

static void words(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_SYNC});
  memset(m->words + m->count++ * TSR_INSN_BYTES, 0x7f, TSR_INSN_BYTES);
  expect(m, TSR_TRAP_OPCODE, 1, TSR_ENGINE_FETCH,
         "instruction 1: no instruction has the opcode 0x7f");
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_SYNC});
  m->words[31] = 1;
  expect(m, TSR_TRAP_FIELD, 0, TSR_ENGINE_FETCH,
         "instruction 0 (sync): a reserved field is not zero, or a field holds a value without a "
         "meaning");
  assert_int_equal(machine_run_as_is(m), TSR_TRAP_OPCODE);
  assert_string_equal(m->result.text, "instruction 0: the program ends here without finish");
  machine_close(m);
}

static void loop_indices(void **state)
{
  (void)state;
  struct machine *m = machine_open(
      "default"); /* UOP 4096, INP 2048, WGT 1024, ACC 2048, OUT 2048, LUT 2 */
  struct tsr_insn i = machine_loop(TSR_OP_GEMM);
  i.loop.uop_begin = 4090;
  i.loop.uop_count = 7;
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_MATRIX,
         "instruction 0 (gemm, matrix): UOP index 4096; the scratchpad has 4096 entries");

  i = machine_loop(TSR_OP_GEMM);
  machine_uop(m, 0, 0, 0, 0, false);
  machine_uop(m, 1, 0, 0, 1000, false);
  memcpy(i.loop.n, (uint32_t[]){2, 4, 3}, sizeof i.loop.n);
  memcpy(i.loop.step_b, (uint32_t[]){3, 7, 2}, sizeof i.loop.n);
  i.loop.uop_count = 2;
  machine_add(m, &i); /* 3 + 21 + 4 = 28 at the far corner; 24 is first reached at (0,3,2) */
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_MATRIX,
         "instruction 0 (gemm, matrix): WGT index 1025 (b) at loop point (0,3,2), micro-op 1; "
         "the scratchpad has 1024 entries");

  i = machine_loop(TSR_OP_MOV);
  i.loop.dst = TSR_DST_OUT;
  machine_uop(m, 0, 2048, 0, 0, false);
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_VECTOR,
         "instruction 0 (mov, vector): OUT index 2048 (d) at loop point (0,0,0), micro-op 0; "
         "the scratchpad has 2048 entries");

  i = machine_loop(TSR_OP_LUT);
  machine_uop(m, 0, 0, 0, 2, false);
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_VECTOR,
         "instruction 0 (lut, vector): LUT index 2 (b) at loop point (0,0,0), micro-op 0; "
         "the scratchpad has 2 entries");

  i = machine_loop(TSR_OP_QUANT);
  machine_uop(m, 0, 0, 0, 2046, false);
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_VECTOR,
         "instruction 0 (quant, vector): ACC index 2048 (b+2) at loop point (0,0,0), micro-op 0; "
         "the scratchpad has 2048 entries");
  machine_close(m);
}

static void banks(void **state)
{
  (void)state;
  struct machine *m = machine_open("default"); /* bank 1 is 1024 .. 2047 */
  struct tsr_insn i = machine_loop(TSR_OP_GEMM);
  i.loop.banks = 1;
  i.loop.n[2] = 1025;
  i.loop.step_dst[2] = 1;
  machine_uop(m, 0, 0, 0, 0, false);
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_MATRIX,
         "instruction 0 (gemm, matrix): ACC index 1024 (d) at loop point (0,0,1024), micro-op 0 "
         "lies in "
         "bank 1, which the instruction does not name");
  i.loop.banks = 2;
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_MATRIX,
         "instruction 0 (gemm, matrix): ACC index 0 (d) at loop point (0,0,0), micro-op 0 lies in "
         "bank 0, which the instruction does not name");
  i.loop.banks = 0;
  machine_add(m, &i);
  assert_int_equal(machine_run(m), TSR_TRAP_INDEX);
  i = machine_loop(TSR_OP_QUANT);
  i.loop.banks = 1;
  machine_uop(m, 0, 0, 0, 1022, false);
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_VECTOR,
         "instruction 0 (quant, vector): ACC index 1024 (b+2) at loop point (0,0,0), micro-op 0 "
         "lies in "
         "bank 1, which the instruction does not name");
  i.loop.banks = 3;
  machine_add(m, &i);
  assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  i = machine_loop(
      TSR_OP_MOV); /* reads no b, so none is checked; no ACC, so no bank need be named */
  i.loop.banks = 0;
  i.loop.src = TSR_SRC_INP;
  i.loop.dst = TSR_DST_OUT;
  machine_uop(m, 0, 0, 0, 65535, false);
  machine_add(m, &i);
  assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  machine_close(m);
}

static void micro_ops(void **state)
{
  (void)state;
  size_t bytes;
  struct machine *m = machine_open("default");
  uint8_t *uops = tsr_func_scratchpad(m->func, TSR_BUFFER_UOP, &bytes);
  struct tsr_insn i = machine_loop(TSR_OP_GEMM);
  i.loop.uop_count = 3;
  uops[8 + 7] = 0x40;
  machine_add(m, &i);
  expect(m, TSR_TRAP_FIELD, 0, TSR_ENGINE_MATRIX,
         "instruction 0 (gemm, matrix): micro-op 1 has reserved flag bits set (0x4000)");
  uops[8 + 7] = 0;
  uops[16 + 6] = 1;
  i = machine_loop(TSR_OP_SUB);
  i.loop.uop_count = 3;
  machine_add(m, &i);
  expect(m, TSR_TRAP_FIELD, 0, TSR_ENGINE_VECTOR,
         "instruction 0 (sub, vector): micro-op 2 sets overwrite, which has no meaning for this "
         "opcode");
  machine_uop(m, 0, 0, 5000, 0, false); /* comes before micro-op 2 */
  machine_add(m, &i);
  assert_int_equal(machine_run(m), TSR_TRAP_INDEX);
  machine_close(m);
}

static void transfers(void **state)
{
  (void)state;
  struct machine *m = machine_open("default"); /* beat of 8 bytes, window of 65536 */
  struct tsr_insn i = machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 2040, 0, 8);
  i.dma.xr = 1;
  machine_add(m, &i);
  expect(m, TSR_TRAP_INDEX, 0, TSR_ENGINE_LOAD,
         "instruction 0 (load, load): inp entries 2040 to 2048; the scratchpad has 2048 entries");
  i = machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 0, 65536 - 16, 2);
  machine_add(m, &i);
  expect(m, TSR_TRAP_WINDOW, 0, TSR_ENGINE_STORE,
         "instruction 0 (store, store): DRAM bytes up to 65551; the window has 65536 bytes");
  i = machine_dma(TSR_OP_LOAD, TSR_BUFFER_WGT, 0, 4, 1);
  machine_add(m, &i);
  expect(m, TSR_TRAP_ALIGN, 0, TSR_ENGINE_LOAD,
         "instruction 0 (load, load): DRAM offset 4 is no multiple of the AXI beat of 8 bytes");
  i = machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 0, 1);
  i.dma.sy = i.dma.sz = 12; /* of one row and plane: not used */
  machine_add(m, &i);
  assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  i.dma.ny = 2;
  machine_add(m, &i);
  expect(m, TSR_TRAP_ALIGN, 0, TSR_ENGINE_LOAD,
         "instruction 0 (load, load): row stride 12 is no multiple of the AXI beat of 8 bytes");
  i.dma.ny = 1;
  i.dma.nz = 2;
  machine_add(m, &i);
  expect(m, TSR_TRAP_ALIGN, 0, TSR_ENGINE_LOAD,
         "instruction 0 (load, load): plane stride 12 is no multiple of the AXI beat of 8 bytes");
  machine_close(m);
}

/* A trap leaves scratchpads and window as they were, and what ran before it stays done. */
static void no_part_effect(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn add = machine_loop(TSR_OP_ADD);
  machine_uop(m, 0, 0, 1, 2, false);
  machine_acc(m)[16] = 3;
  machine_acc(m)[32] = 4;
  machine_add(m, &add);
  add.loop.n[2] = 2047;
  add.loop.step_dst[2] = 1;
  add.loop.step_a[2] = 1;
  add.loop.step_b[2] = 1;
  machine_add(m, &add);
  assert_int_equal(machine_run(m), TSR_TRAP_INDEX);
  assert_int_equal(m->result.insn, 1);
  assert_int_equal(machine_acc(m)[0], 7);
  assert_int_equal(machine_acc(m)[16], 3);
  assert_int_equal(tsr_func_counters(m->func)->insns[TSR_ENGINE_VECTOR], 1);
  machine_close(m);
}

static struct tsr_insn sync_of(int engine, uint32_t wait, uint32_t signal)
{
  return (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = engine, .wait = wait, .signal = signal};
}

static void deadlock(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn a = sync_of(TSR_ENGINE_MATRIX, 1 << TSR_ENGINE_VECTOR, 1 << TSR_ENGINE_VECTOR);
  struct tsr_insn b = sync_of(TSR_ENGINE_VECTOR, 1 << TSR_ENGINE_MATRIX | 1 << TSR_ENGINE_LOAD,
                              1 << TSR_ENGINE_MATRIX);
  machine_add(m, &a);
  machine_add(m, &b);
  expect(m, TSR_TRAP_DEADLOCK, 0, TSR_ENGINE_MATRIX,
         "no engine can go on; matrix waits at instruction 0 (sync), for a token from vector; "
         "vector waits "
         "at instruction 1 (sync), for a token from load, for a token from matrix; fetch waits at "
         "instruction 2 for every engine to be idle (finish)");
  /* the next run does not see the tokens and queues of the last */
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_SYNC, .signal = 1 << TSR_ENGINE_STORE});
  assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  a = sync_of(TSR_ENGINE_STORE, 1 << TSR_ENGINE_LOAD, 0);
  machine_add(m, &a);
  assert_int_equal(machine_run(m), TSR_TRAP_DEADLOCK);
  machine_close(m);
}

/* tiny: queues of 4, counters of 16. */
static void full_queue(void **state)
{
  (void)state;
  struct machine *m = machine_open("tiny");
  struct tsr_insn wait = sync_of(TSR_ENGINE_STORE, 1 << TSR_ENGINE_LOAD, 0);
  struct tsr_insn give = sync_of(TSR_ENGINE_LOAD, 0, 1 << TSR_ENGINE_STORE);
  for (int n = 4; n <= 5; n++) {
    for (int i = 0; i < n; i++)
      machine_add(m, &wait);
    for (int i = 0; i < n; i++)
      machine_add(m, &give);
    if (n == 4)
      assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  }
  expect(m, TSR_TRAP_DEADLOCK, 0, TSR_ENGINE_STORE,
         "no engine can go on; store waits at instruction 0 (sync), for a token from load; fetch "
         "waits at "
         "instruction 4 for room in a queue");
  machine_close(m);
}

static void full_counter(void **state)
{
  (void)state;
  struct machine *m = machine_open("tiny");
  struct tsr_insn give = sync_of(TSR_ENGINE_LOAD, 0, 1 << TSR_ENGINE_STORE);
  struct tsr_insn take = sync_of(TSR_ENGINE_STORE, 1 << TSR_ENGINE_LOAD, 0);
  for (int i = 0; i < 16; i++)
    machine_add(m, &give);
  assert_int_equal(machine_run(m), TSR_TRAP_NONE); /* sixteen left over: not a trap here */
  for (int i = 0; i < 20; i++)
    machine_add(m, &give); /* the 17th stalls, three more wait in the queue behind it */
  for (int i = 0; i < 20; i++)
    machine_add(m, &take);
  assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  for (int i = 0; i < 17; i++)
    machine_add(m, &give);
  expect(m, TSR_TRAP_DEADLOCK, 16, TSR_ENGINE_LOAD,
         "no engine can go on; load waits at instruction 16 (sync), to give store a token where 16 "
         "wait "
         "already; fetch waits at instruction 17 for every engine to be idle (finish)");
  machine_close(m);
}

/* A store in the program before the load that it waits for runs after it. */
static void tokens_order(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn store = machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 1024, 1);
  store.wait = 1 << TSR_ENGINE_LOAD;
  struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 0, 0, 1);
  load.signal = 1 << TSR_ENGINE_STORE;
  memset(m->window, 0x11, 64);
  machine_add(m, &store);
  machine_add(m, &load);
  assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  assert_memory_equal(m->window + 1024, m->window, 64);
  assert_int_equal(m->result.insn, 2);
  machine_close(m);
}

/* The same program twice, with a reset between, gives the same window and counters. */
static void twice_the_same(void **state)
{
  (void)state;
  struct machine *m = machine_open("batch2");
  uint8_t *first = malloc(MACHINE_WINDOW);
  assert_non_null(first);
  struct tsr_func_counters counted = {0};
  for (int turn = 0; turn < 2; turn++) {
    tsr_func_reset(m->func);
    for (int i = 0; i < MACHINE_WINDOW; i++)
      m->window[i] = (uint8_t)(i * 17);
    memset(m->window + 4096, 0, 8); /* one micro-op */
    struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 4096, 1);
    machine_add(m, &load);
    load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 0, 4);
    machine_add(m, &load);
    load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_WGT, 0, 512, 4);
    load.signal = 1 << TSR_ENGINE_MATRIX;
    machine_add(m, &load);
    struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
    gemm.loop.n[2] = 4;
    gemm.loop.step_dst[2] = gemm.loop.step_a[2] = gemm.loop.step_b[2] = 1;
    gemm.wait = 1 << TSR_ENGINE_LOAD;
    gemm.signal = 1 << TSR_ENGINE_STORE;
    machine_add(m, &gemm);
    struct tsr_insn store = machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 4);
    store.wait = 1 << TSR_ENGINE_MATRIX;
    machine_add(m, &store);
    assert_int_equal(machine_run(m), TSR_TRAP_NONE);
    if (turn == 0) {
      memcpy(first, m->window, MACHINE_WINDOW);
      counted = *tsr_func_counters(m->func);
    }
  }
  assert_memory_equal(first, m->window, MACHINE_WINDOW);
  assert_memory_equal(&counted, tsr_func_counters(m->func), sizeof counted);
  free(first);
  machine_close(m);
}

static void no_memory(void **state)
{
  (void)state;
  struct machine *m = machine_open("tiny");
  for (int n = 0;; n++) {
    struct counting c;
    counting_init(&c, n);
    struct tsr_func *func = tsr_func_new(&c.allocator, &m->design);
    tsr_func_free(func);
    assert_int_equal(c.live, 0);
    if (func)
      break;
    assert_true(n < 100);
  }
  machine_close(m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words),          cmocka_unit_test(loop_indices),
      cmocka_unit_test(banks),          cmocka_unit_test(micro_ops),
      cmocka_unit_test(transfers),      cmocka_unit_test(no_part_effect),
      cmocka_unit_test(deadlock),       cmocka_unit_test(full_queue),
      cmocka_unit_test(full_counter),   cmocka_unit_test(tokens_order),
      cmocka_unit_test(twice_the_same), cmocka_unit_test(no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
