/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of what nothing has written, and what only looks like one. */
#include "tests/verify/bench.h"

static struct tsr_insn uops(uint32_t count)
{
  return machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, count);
}

static struct tsr_insn fill(int buffer, uint32_t at, uint32_t count)
{
  return machine_dma(TSR_OP_LOAD, buffer, at, 4096, count);
}

static void each_operand(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 0, 0, 0, true);
  image_uop(m, 1, 0, 1, 1, false);
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
  gemm.loop.uop_count = 2;
  add(m, uops(1), 0, MATRIX);
  add(m, gemm, LOAD, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 1,
         "instruction 1 (gemm, matrix): reads INP entry 0 (a) at loop point (0,0,0), micro-op 0, "
         "which nothing before it has written");
  add(m, uops(2), 0, 0);
  add(m, fill(TSR_BUFFER_INP, 0, 2), 0, 0);
  add(m, fill(TSR_BUFFER_WGT, 0, 1), 0, MATRIX);
  add(m, gemm, LOAD, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 3,
         "instruction 3 (gemm, matrix): reads WGT entry 1 (b) at loop point (0,0,0), micro-op 1, "
         "which nothing before it has written");
  add(m, uops(1), 0, 0);
  add(m, fill(TSR_BUFFER_INP, 0, 2), 0, 0);
  add(m, fill(TSR_BUFFER_WGT, 0, 2), 0, MATRIX);
  add(m, gemm, LOAD, 0);
  m->window[6] = m->window[14] = 0;
  expect(m, TSR_FINDING_UNWRITTEN, 3,
         "instruction 3 (gemm, matrix): reads ACC entry 0 (d) at loop point (0,0,0), micro-op 0, "
         "which nothing before it has written");
  machine_close(m);
}

static void others(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 0, 0, 3, false);
  image_uop(m, 1, 0, 0, 1, false);
  struct tsr_insn quant = machine_loop(TSR_OP_QUANT), lut = machine_loop(TSR_OP_LUT),
                  mov = machine_loop(TSR_OP_MOV);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 2, 8192, 1), 0, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 0,
         "instruction 0 (store, store): reads OUT entry 2, which nothing before it has written");
  add(m, uops(2), 0, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 5), 0, VECTOR);
  add(m, quant, LOAD, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 2,
         "instruction 2 (quant, vector): reads ACC entry 5 (b) at loop point (0,0,0), micro-op 0, "
         "which nothing before it has written");
  lut.loop.uop_begin = 1;
  add(m, uops(2), 0, 0);
  add(m, fill(TSR_BUFFER_LUT, 0, 1), 0, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, VECTOR);
  add(m, lut, LOAD, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 3,
         "instruction 3 (lut, vector): reads LUT entry 1 (b) at loop point (0,0,0), micro-op 0, "
         "which nothing before it has written");
  mov.loop.uop_begin = 2;
  mov.loop.src = TSR_SRC_INP;
  add(m, uops(2), 0, 0);
  add(m, fill(TSR_BUFFER_INP, 0, 1), 0, VECTOR);
  add(m, mov, LOAD, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 2,
         "instruction 2 (mov, vector): reads UOP entry 2, micro-op 0, which nothing before it has "
         "written");
  machine_close(m);
}

/* What makes a sum's start: first[k], the order of micro-ops, the order of points. */
static void sums(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 0, 0, 0, true);
  image_uop(m, 1, 0, 0, 0, false);
  image_uop(m, 2, 1, 0, 0, true);
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
  for (int k = 0; k < 4; k++) {
    gemm.loop.n[0] = 3;
    gemm.loop.first = k >= 1;
    gemm.loop.step_dst[0] = k >= 2; /* then only d = 0 is started */
    gemm.loop.uop_begin = k == 3 ? 1 : 0;
    gemm.loop.uop_count = 2;
    add(m, uops(3), 0, 0);
    add(m, fill(TSR_BUFFER_INP, 0, 1), 0, 0);
    add(m, fill(TSR_BUFFER_WGT, 0, 1), 0, MATRIX);
    add(m, gemm, LOAD, 0);
    if (k < 2)
      expect_clean(m);
    else if (k == 2)
      expect(m, TSR_FINDING_UNWRITTEN, 3,
             "instruction 3 (gemm, matrix): reads ACC entry 1 (d) at loop point (1,0,0), micro-op "
             "0, which nothing before it has written");
    else
      expect(m, TSR_FINDING_UNWRITTEN, 3,
             "instruction 3 (gemm, matrix): reads ACC entry 0 (d) at loop point (0,0,0), micro-op "
             "0, which nothing before it has written");
  }
  machine_close(m);
}

/* Points read what points before them wrote: a running sum, a maximum over a window, a chain. */
static void within(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  image_uop(m, 0, 8, 0, 8, true);
  image_uop(m, 1, 8, 1, 8, false);
  image_uop(m, 2, 1, 0, 0, false);
  struct tsr_insn max = machine_loop(TSR_OP_MAX), mov = machine_loop(TSR_OP_MOV);
  max.loop.src = TSR_SRC_INP;
  max.loop.uop_count = 2;
  add(m, uops(3), 0, 0);
  add(m, fill(TSR_BUFFER_INP, 0, 2), 0, VECTOR);
  add(m, max, LOAD, 0);
  expect_clean(m);
  mov.loop.uop_begin = 2; /* ACC[1 + i] <- ACC[i] */
  mov.loop.n[1] = 6;
  mov.loop.step_dst[1] = mov.loop.step_a[1] = 1;
  add(m, uops(3), 0, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, VECTOR);
  add(m, mov, LOAD, 0);
  expect_clean(m);
  mov.loop.step_a[1] = 2; /* ACC[1 + i] <- ACC[2*i]: at i = 2 behind what is there */
  add(m, uops(3), 0, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, VECTOR);
  add(m, mov, LOAD, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 2,
         "instruction 2 (mov, vector): reads ACC entry 2 (a) at loop point (0,1,0), micro-op 0, "
         "which nothing before it has written");
  machine_close(m);
}

/* A write that comes later in the program, but before by its token, counts. */
static void later_in_the_program(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 1), LOAD, 0);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), 0, STORE);
  expect_clean(m);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 1), 0, LOAD);
  add(m, fill(TSR_BUFFER_ACC, 0, 1), STORE, 0);
  expect(m, TSR_FINDING_UNWRITTEN, 0,
         "instruction 0 (store, store): reads ACC entry 0, which nothing before it has written");
  machine_close(m);
}

/* Of a program that traps, the data is not followed. */
static void stops_before(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 2, 8192, 1), 0, 0);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 2, 8193, 1), 0, 0);
  expect(m, TSR_FINDING_ALIGN, 1,
         "instruction 1 (store, store): DRAM offset 8193 is no multiple of the AXI beat of 8 "
         "bytes");
  machine_close(m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_operand),
      cmocka_unit_test(others),
      cmocka_unit_test(sums),
      cmocka_unit_test(within),
      cmocka_unit_test(later_in_the_program),
      cmocka_unit_test(stops_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
