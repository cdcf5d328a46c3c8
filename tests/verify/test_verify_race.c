/* SPDX-License-Identifier: Apache-2.0 */
/* Races, each with its sentence, and near misses that are none. */
#include "tests/verify/bench.h"

static const struct tsr_verify_options races = {.races = true, .acc_low = 1};

static struct tsr_insn fill(int buffer, uint32_t at, uint32_t count)
{
  return machine_dma(TSR_OP_LOAD, buffer, at, 4096, count);
}

/* A row of tiles: d = 1 + i, a = 2*i, b stays. */
static struct tsr_insn row(int opcode)
{
  struct tsr_insn i = machine_loop(opcode);
  i.loop.n[2] = 5;
  i.loop.step_dst[2] = 1;
  i.loop.step_a[2] = 2;
  return i;
}

/* One for each scratchpad: LOAD writes what an engine reads, or the other way round. */
static void scratchpads(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 1, 0, 7, false);
  struct tsr_insn uop = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 1);
  add(m, uop, 0, 0);
  add(m, row(TSR_OP_GEMM), 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 1,
              "instruction 1 (gemm, matrix): reads UOP entry 0, micro-op 0, and instruction 0 "
              "(load, load) writes UOP entry 0; no token orders the two");
  add(m, uop, 0, MATRIX);
  add(m, fill(TSR_BUFFER_INP, 4, 1), 0, 0);
  add(m, row(TSR_OP_GEMM), LOAD, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (gemm, matrix): reads INP entry 4 (a) at loop point (0,0,2), micro-op "
              "0, and instruction 1 (load, load) writes INP entry 4; no token orders the two");
  add(m, uop, 0, MATRIX);
  add(m, row(TSR_OP_GEMM), LOAD, 0);
  add(m, fill(TSR_BUFFER_WGT, 6, 2), 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (load, load): writes WGT entry 7, and instruction 1 (gemm, matrix) "
              "reads WGT entry 7 (b) at loop point (0,0,0), micro-op 0; no token orders the two");
  add(m, uop, 0, MATRIX);
  add(m, row(TSR_OP_GEMM), LOAD, 0);
  add(m, fill(TSR_BUFFER_ACC8, 3, 1), 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (load, load): writes ACC entry 3, and instruction 1 (gemm, matrix) "
              "writes ACC entry 3 (d) at loop point (0,0,2), micro-op 0; no token orders the two");
  machine_close(m);
}

static void vector_and_store(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 1, 0, 7, false);
  image_uop(m, 1, 1, 0, 0, false);
  struct tsr_insn uop = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 2);
  struct tsr_insn mov = row(TSR_OP_MOV), lut = row(TSR_OP_LUT);
  mov.loop.dst = TSR_DST_OUT;
  add(m, uop, 0, VECTOR);
  add(m, mov, LOAD, 0);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 5, 8192, 3), 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (store, store): reads OUT entry 5, and instruction 1 (mov, vector) "
              "writes OUT entry 5 (d) at loop point (0,0,4), micro-op 0; no token orders the two");
  lut.loop.uop_begin = 1;
  add(m, uop, 0, VECTOR);
  add(m, fill(TSR_BUFFER_LUT, 0, 1), 0, 0);
  add(m, lut, LOAD, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (lut, vector): reads LUT entry 0 (b) at loop point (0,0,0), micro-op "
              "0, and instruction 1 (load, load) writes LUT entry 0; no token orders the two");
  machine_close(m);
}

/* QUANT reads three entries at b. */
static void three_entries(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 0, 0, 7, false);
  struct tsr_insn uop = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 1);
  struct tsr_insn quant = machine_loop(TSR_OP_QUANT);
  quant.loop.dst = TSR_DST_OUT;
  add(m, uop, 0, VECTOR);
  add(m, quant, LOAD, 0);
  add(m, fill(TSR_BUFFER_ACC, 9, 1), 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (load, load): writes ACC entry 9, and instruction 1 (quant, vector) "
              "reads ACC entry 9 (b) at loop point (0,0,0), micro-op 0; no token orders the two");
  add(m, uop, 0, VECTOR);
  add(m, quant, LOAD, 0);
  add(m, fill(TSR_BUFFER_ACC, 10, 1), 0, 0);
  expect_clean_with(m, &races);
  machine_close(m);
}

static void dram(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn store = machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 0, 8192, 2);
  struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 8192 + 16, 1);
  store.dma.ny = load.dma.ny = 3;
  store.dma.sy = load.dma.sy = 64;
  add(m, store, 0, 0);
  add(m, load, 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 1,
              "instruction 1 (load, load): reads DRAM byte 8208, and instruction 0 (store, store) "
              "writes DRAM byte 8208; no token orders the two");
  load.dma.dram = 8192 + 32; /* between the rows */
  add(m, store, 0, 0);
  add(m, load, 0, 0);
  expect_clean_with(m, &races);
  load.dma.dram = 8192 + 8 + 2 * 64 + 16; /* half an entry, of the last row only */
  add(m, load, 0, 0);
  add(m, store, 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 1,
              "instruction 1 (store, store): writes DRAM byte 8344, and instruction 0 (load, load) "
              "reads DRAM byte 8344; no token orders the two");
  add(m, load, 0, STORE);
  add(m, store, LOAD, 0);
  expect_clean_with(m, &races);
  machine_close(m);
}

/* d even, a odd: two engines weave through ACC without touching. */
static void interleaved(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 0, 0, 0, false);
  image_uop(m, 1, 0, 1, 0, false);
  struct tsr_insn uop = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 2);
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM), mov = machine_loop(TSR_OP_MOV);
  gemm.loop.n[0] = gemm.loop.n[2] = mov.loop.n[0] = mov.loop.n[1] = 9;
  gemm.loop.step_dst[0] = 40;
  gemm.loop.step_dst[2] = 4;
  mov.loop.uop_begin = 1;
  mov.loop.dst = TSR_DST_OUT;
  mov.loop.step_a[0] = 4;
  mov.loop.step_a[1] = 40;
  add(m, uop, 0, MATRIX | VECTOR);
  add(m, gemm, LOAD, 0);
  add(m, mov, LOAD, 0);
  expect_clean_with(m, &races);
  mov.loop.n[2] = 2;
  mov.loop.step_a[2] = 3;
  add(m, uop, 0, MATRIX | VECTOR);
  add(m, gemm, LOAD, 0);
  add(m, mov, LOAD, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (mov, vector): reads ACC entry 4 (a) at loop point (0,0,1), micro-op "
              "0, and instruction 1 (gemm, matrix) writes ACC entry 4 (d) at loop point (0,0,1), "
              "micro-op 0; no token orders the two");
  machine_close(m);
}

/* The same entry of the other bank is another entry. */
static void banks(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  uint32_t half = (uint32_t)machine_depth(m, TSR_BUFFER_ACC) / 2;
  image_uop(m, 0, half, 0, 0, false);
  struct tsr_insn uop = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 1);
  add(m, uop, 0, MATRIX);
  add(m, machine_loop(TSR_OP_GEMM), LOAD, 0);
  add(m, fill(TSR_BUFFER_ACC8, 0, half), 0, 0);
  expect_clean_with(m, &races);
  add(m, uop, 0, MATRIX);
  add(m, machine_loop(TSR_OP_GEMM), LOAD, 0);
  add(m, fill(TSR_BUFFER_ACC8, 1, half), 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (load, load): writes ACC entry 1024, and instruction 1 (gemm, matrix) "
              "writes ACC entry 1024 (d) at loop point (0,0,0), micro-op 0; no token orders the "
              "two");
  machine_close(m);
}

static struct tsr_insn sync_on(int engine)
{
  return (struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = engine};
}

/* LOAD to STORE by way of VECTOR and MATRIX; and with the last token taken too late. */
static void transitive(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn store = machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 3, 8192, 1);
  for (int late = 0; late < 2; late++) {
    add(m, fill(TSR_BUFFER_ACC, 0, 4), 0, VECTOR);
    add(m, sync_on(TSR_ENGINE_VECTOR), LOAD, MATRIX);
    add(m, sync_on(TSR_ENGINE_MATRIX), VECTOR, STORE);
    if (late)
      add(m, store, 0, 0);
    add(m, sync_on(TSR_ENGINE_STORE), MATRIX, 0);
    if (!late)
      add(m, store, 0, 0);
    if (!late)
      expect_clean_with(m, &races);
  }
  expect_with(m, &races, TSR_FINDING_RACE, 3,
              "instruction 3 (store, store): reads ACC entry 3, and instruction 0 (load, load) "
              "writes ACC entry 3; no token orders the two");
  machine_close(m);
}

/* The second token of two is the second signal's: a wait for the first does not order the
 * second. */
static void first_in_first_out(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, STORE);
  add(m, fill(TSR_BUFFER_ACC, 1, 1), 0, STORE);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 1), LOAD, 0);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 1, 8192, 1), LOAD, 0);
  expect_clean_with(m, &races);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, STORE);
  add(m, fill(TSR_BUFFER_ACC, 1, 1), 0, STORE);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 1, 8192, 1), LOAD, 0);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 1), LOAD, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 2,
              "instruction 2 (store, store): reads ACC entry 1, and instruction 1 (load, load) "
              "writes ACC entry 1; no token orders the two");
  machine_close(m);
}

/* Program order is not the order of execution: what comes later may have to run before. */
static void waits_for_what_comes_later(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 1), LOAD, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, STORE);
  expect_clean(m);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 1), 0, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, 0);
  expect_with(m, &races, TSR_FINDING_RACE, 1,
              "instruction 1 (load, load): writes ACC entry 0, and instruction 0 (store, store) "
              "reads ACC entry 0; no token orders the two");
  struct tsr_insn sync = sync_on(TSR_ENGINE_VECTOR); /* the LOAD comes to run before the STORE */
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 1), VECTOR, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, 0);
  add(m, sync, 0, STORE);
  expect_with(m, &races, TSR_FINDING_RACE, 1,
              "instruction 1 (load, load): writes ACC entry 0, and instruction 0 (store, store) "
              "reads ACC entry 0; no token orders the two");
  machine_close(m);
}

/* Reads may meet; an engine does not race with itself. */
static void harmless(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 0, 0, 0, false);
  struct tsr_insn uop = machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 1);
  struct tsr_insn mov = machine_loop(TSR_OP_MOV);
  mov.loop.src = TSR_SRC_INP;
  mov.loop.dst = TSR_DST_OUT;
  add(m, fill(TSR_BUFFER_INP, 0, 4), 0, 0);
  add(m, fill(TSR_BUFFER_INP, 0, 4), 0, 0);
  add(m, uop, 0, MATRIX | VECTOR);
  add(m, machine_loop(TSR_OP_GEMM), LOAD, 0);
  add(m, mov, LOAD, 0);
  expect_clean_with(m, &races);
  machine_close(m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scratchpads),
      cmocka_unit_test(vector_and_store),
      cmocka_unit_test(three_entries),
      cmocka_unit_test(dram),
      cmocka_unit_test(interleaved),
      cmocka_unit_test(banks),
      cmocka_unit_test(transitive),
      cmocka_unit_test(first_in_first_out),
      cmocka_unit_test(waits_for_what_comes_later),
      cmocka_unit_test(harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
