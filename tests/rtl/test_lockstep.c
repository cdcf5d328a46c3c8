/* SPDX-License-Identifier: Apache-2.0 */
/* Lockstep tells the first difference: the RTL runs one program while the functional device is
 * told another. */
#include "tests/rtl/main.h"

#include <stdio.h>
#include <string.h>

enum { WINDOW = 1 << 15 };

static struct tsr_err err;
static struct tsr_arena *arena; /* of all programs */

/* The number of the instruction in which the two programs differ. */
enum { INSN = 4 };

static int8_t ramp(void *context, size_t i)
{
  (void)context;
  return (int8_t)(i % 120 + 1);
}

static struct build start(void)
{
  struct build b = build_new(arena, &rig.design);
  struct tsr_uop uops[2] = {{2, 0, 1, false}, {3, 1, 0, false}};
  uint64_t data = build_bytes(&b, 4096, ramp, NULL);
  build_uops(&b, uops, 2);
  build_load(&b, TSR_BUFFER_ACC8, 0, data, 4);
  build_load(&b, TSR_BUFFER_INP, 0, data, 8);
  build_load(&b, TSR_BUFFER_WGT, 0, data, 2);
  return b;
}

static struct tsr_program with(const struct tsr_insn *insn)
{
  struct build b = start();
  struct tsr_insn store = build_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 4096, 4);
  build_add(&b, insn);
  if (tsr_insn_engine(insn) != TSR_ENGINE_STORE)
    build_add(&b, &store);
  struct tsr_program p = build_end(&b);
  p.window_bytes = WINDOW;
  return p;
}

/* The RTL runs `is`, where the functional device expects `told`. */
static const struct tsr_lockstep_difference *compare(const struct tsr_program *is,
                                                     const struct tsr_program *told)
{
  struct tsr_run_result result;
  rig_machine(&rig, WINDOW);
  memcpy(rig.window, is->data, is->data_bytes);
  assert_int_equal(tsr_lockstep_begin(rig.lockstep, rig.rtl, &err, told->insns, told->insn_count,
                                      rig.window, WINDOW),
                   TSR_OK);
  err.text[0] = 0;
  assert_int_equal(tsr_rtl_run(rig.rtl, &err, is->insns, is->insn_count, &result), TSR_OK);
  enum tsr_status status = tsr_lockstep_end(rig.lockstep, &err, &result);
  const struct tsr_lockstep_difference *d = tsr_lockstep_difference(rig.lockstep);
  assert_int_equal(status, d ? TSR_MISMATCH : TSR_OK);
  assert_int_equal(d ? err.status : TSR_MISMATCH, TSR_MISMATCH);
  return d;
}

static const struct tsr_lockstep_difference *compare_insns(const struct tsr_insn *is,
                                                           const struct tsr_insn *told)
{
  struct tsr_program a = with(is), b = with(told);
  return compare(&a, &b);
}

static void says(const char *part)
{
  if (!strstr(err.text, part))
    fail_msg("'%s' is not in: %s", part, err.text);
}

static void is_at(const struct tsr_lockstep_difference *d, size_t insn, int buffer, uint64_t at,
                  int lane)
{
  assert_non_null(d);
  assert_int_equal(d->insn, insn);
  assert_int_equal(d->buffer, buffer);
  assert_int_equal(d->at, at);
  assert_int_equal(d->lane, lane);
}

static void nothing(void **state)
{
  (void)state;
  struct tsr_insn add = build_loop(TSR_OP_ADD);
  assert_null(compare_insns(&add, &add));
}

static void loop_points(void **state)
{
  (void)state;
  struct tsr_insn add = build_loop(TSR_OP_ADD), sub = build_loop(TSR_OP_SUB);
  int lanes = tsr_design_lanes(&rig.design);
  add.loop.uop_count = sub.loop.uop_count = 2;
  const struct tsr_lockstep_difference *d = compare_insns(&sub, &add);
  is_at(d, INSN, TSR_BUFFER_ACC, 2, 0); /* entry 0 holds 1 to `lanes`, entry 1 what follows */
  assert_int_equal(d->expected, 1 + lanes + 1);
  assert_int_equal(d->found, 1 - (lanes + 1));
  says("instruction 4 (add uops=0+2");
  says(", vector): ACC entry 2, lane 0: expected ");
  says("written by loop point (0,0,0), micro-op 0 (d 2, a 0, b 1)");
  sub = add;
  sub.loop.n[2] = add.loop.n[2] = 3; /* three times the same entries; the last time another a */
  sub.loop.step_a[2] = 1;
  is_at(compare_insns(&sub, &add), INSN, TSR_BUFFER_ACC, 2, 0);
  says("written by loop point (0,0,2), micro-op 0 (d 2, a 0, b 1), the last of 3");
  struct tsr_insn gemm = build_loop(TSR_OP_GEMM), other = gemm;
  other.loop.uop_begin = 1;
  is_at(compare_insns(&other, &gemm), INSN, TSR_BUFFER_ACC, 2, 0);
  add = build_loop(TSR_OP_ADD);
  sub = build_loop(TSR_OP_SUB);
  add.loop.dst = sub.loop.dst = TSR_DST_OUT;
  is_at(compare_insns(&sub, &add), INSN, TSR_BUFFER_OUT, 2, 0);
}

/* Entries that the RTL writes, and that the instruction does not. */
static void elsewhere(void **state)
{
  (void)state;
  struct tsr_insn mov = build_loop(TSR_OP_MOV), more = mov;
  mov.loop.dst = more.loop.dst = TSR_DST_OUT;
  more.loop.n[2] = 2;
  more.loop.step_dst[2] = 7;
  is_at(compare_insns(&more, &mov), INSN + 3, TSR_BUFFER_OUT, 9, 0);
  says("at the end of the run: OUT entry 9, lane 0: expected 0, found 1 ");
  says("no instruction of the run writes it");
}

static void transfers(void **state)
{
  (void)state;
  struct tsr_insn load = build_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 3, 0, 4), other = load;
  load.dma.xl = other.dma.xl = 1;
  load.dma.pad = 9;
  is_at(compare_insns(&other, &load), INSN, TSR_BUFFER_INP, 3, 0);
  says("column 0 of row 0 of plane 0, padding counted");
  other = load;
  other.dma.dram = 128;
  is_at(compare_insns(&other, &load), INSN, TSR_BUFFER_INP, 4, 0);
  load = build_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 3, 0, 4);
  other = load;
  other.dma.nx = 3;
  is_at(compare_insns(&other, &load), INSN, TSR_BUFFER_UOP, 6, 0);
  struct tsr_insn store = build_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, 8192, 2);
  other = store;
  other.dma.sram = 1;
  is_at(compare_insns(&other, &store), INSN, TSR_LOCKSTEP_DRAM, 8192, 0);
  says("DRAM byte 0x2000: expected 1, found ");
  other = store;
  other.dma.nx = 3; /* more than is to be stored */
  uint64_t entry = (uint64_t)tsr_design_dram_entry(&rig.design, TSR_BUFFER_ACC);
  is_at(compare_insns(&other, &store), INSN + 2, TSR_LOCKSTEP_DRAM, 8192 + 2 * entry, 0);
}

/* Who starts what, and when. */
static void order(void **state)
{
  (void)state;
  struct build b = start();
  struct tsr_insn sync = {.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_MATRIX};
  b.free = true;
  build_add(&b, &sync);
  struct tsr_program is = build_end(&b);
  b.insns[INSN].engine = TSR_ENGINE_STORE;
  struct tsr_program told = build_end(&b);
  is_at(compare(&is, &told), INSN, TSR_LOCKSTEP_ORDER, 0, 0);
  says("started by matrix, which has none left");
  b.insns[INSN].engine = TSR_ENGINE_MATRIX;
  b.insns[INSN].wait = 1 << TSR_ENGINE_LOAD;
  told = build_end(&b);
  is_at(compare(&is, &told), INSN, TSR_LOCKSTEP_ORDER, 0, 0);
  says("started without a token from load");
  b.insns[INSN].wait = 0;
  build_add(&b, &sync);
  told = build_end(&b);
  memcpy(told.insns + (INSN + 1) * TSR_INSN_BYTES, told.insns + (INSN + 2) * TSR_INSN_BYTES,
         TSR_INSN_BYTES); /* FINISH, early */
  memcpy(told.insns + (INSN + 2) * TSR_INSN_BYTES, told.insns + INSN * TSR_INSN_BYTES,
         TSR_INSN_BYTES);
  assert_null(compare(&is, &told)); /* what lies behind FINISH is not waited for */
  told = is;
  told.insn_count--;
  is_at(compare(&told, &is), INSN + 1, TSR_LOCKSTEP_ORDER, 0, 0);
  says("trap opcode where the functional device has none");
}

static void traps(void **state)
{
  (void)state;
  struct tsr_insn load = build_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 0, 4), past = load;
  past.dma.sram = 65535;
  is_at(compare_insns(&past, &load), INSN, TSR_LOCKSTEP_ORDER, 0, 0);
  says("trap index where the functional device has none");
  is_at(compare_insns(&load, &past), INSN, TSR_LOCKSTEP_ORDER, 0, 0);
  says("ended, where the functional device stops (index): instruction 4 (load, load): inp entries");
  assert_null(compare_insns(&past, &past));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing),   cmocka_unit_test(loop_points),
                                     cmocka_unit_test(elsewhere), cmocka_unit_test(transfers),
                                     cmocka_unit_test(order),     cmocka_unit_test(traps)};
  if (!begin(argc, argv))
    return SKIPPED;
  arena = tsr_arena_new(NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  tsr_arena_free(arena);
  return end(failed);
}
