/* SPDX-License-Identifier: Apache-2.0 */
/* Which transfers wait for which, by what they touch in DRAM; what QUANT waits for; where micro-ops
 * come to lie. */
#include "tests/accel/rig.h"

struct transfer {
  int opcode, buffer;
  enum tsr__dram_base base;
  uint32_t sram;
  uint64_t dram;
  uint32_t nx, ny, nz;
  uint64_t sy, sz;
};

#define STORE(sram, dram, nx, ny, sy)                                                              \
  {TSR_OP_STORE, TSR_BUFFER_OUT, BASE_ACTIVATION, sram, dram, nx, ny, 1, sy, 0}
#define LOAD(base, sram, dram, nx, ny, sy)                                                         \
  {TSR_OP_LOAD, TSR_BUFFER_INP, base, sram, dram, nx, ny, 1, sy, 0}

/* At tiny an entry of INP and OUT has 4 bytes. */
static const struct row {
  const char *what;
  struct transfer first, second;
  bool waits;
} rows[] = {
  {"a load of what a store writes", STORE(0, 64, 4, 1, 0), LOAD(BASE_ACTIVATION, 0, 64, 4, 1, 0),
   true},
  {"a load that begins with a store's last entry", STORE(0, 64, 4, 1, 0),
   LOAD(BASE_ACTIVATION, 0, 76, 4, 1, 0), true},
  {"a load behind what a store writes", STORE(0, 64, 4, 1, 0),
   LOAD(BASE_ACTIVATION, 0, 80, 4, 1, 0), false},
  {"a load that ends before what a store writes", STORE(0, 64, 4, 1, 0),
   LOAD(BASE_ACTIVATION, 0, 48, 4, 1, 0), false},
  {"a load whose last row reaches what a store writes", STORE(0, 128, 4, 1, 0),
   LOAD(BASE_ACTIVATION, 0, 0, 4, 3, 64), true},
  {"a load of a store's last row", STORE(0, 0, 4, 3, 64), LOAD(BASE_ACTIVATION, 0, 136, 4, 1, 0),
   true},
  {"a load of the same place among the constants", STORE(0, 64, 4, 1, 0),
   LOAD(BASE_CONSTANT, 0, 64, 4, 1, 0), false},
  {"a store over what a load reads", LOAD(BASE_ACTIVATION, 0, 64, 4, 1, 0), STORE(0, 64, 4, 1, 0),
   true},
  {"a store beside what a load reads", LOAD(BASE_ACTIVATION, 0, 64, 4, 1, 0),
   STORE(0, 80, 4, 1, 0), false},
};

static void append(struct tsr__stream *s, const struct transfer *t)
{
  struct tsr_insn insn = {.opcode = t->opcode};
  insn.dma.buffer = t->buffer;
  insn.dma.sram = t->sram;
  insn.dma.dram = t->dram;
  insn.dma.nx = t->nx;
  insn.dma.ny = t->ny;
  insn.dma.nz = t->nz;
  insn.dma.sy = t->sy;
  insn.dma.sz = t->sz;
  tsr__stream_dma(s, &insn, t->base);
}

static void test_transfers_wait(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    struct rig r;
    rig_open(&r, "tiny");
    const struct tsr__stream *s = r.stream;
    append(r.stream, &rows[k].first);
    append(r.stream, &rows[k].second);
    assert_int_equal(s->count, 2);
    int first = tsr_insn_engine(&s->insn[0]), second = tsr_insn_engine(&s->insn[1]);
    uint32_t wait = rows[k].waits ? 1u << first : 0, signal = rows[k].waits ? 1u << second : 0;
    if (s->insn[1].wait != wait || s->insn[0].signal != signal)
      fail_msg("%s: should%s wait", rows[k].what, rows[k].waits ? "" : " not");
    rig_close(&r);
  }
}

/* Appends a GEMM of `count` micro-ops that nobody had before; returns where they lie. */
static uint32_t append_uops(struct tsr__stream *s, int count, uint32_t salt)
{
  struct tsr_uop uops[128];
  struct tsr_insn insn = {.opcode = TSR_OP_GEMM, .loop.n = {1, 1, 1}};
  assert_in_range(count, 1, 128);
  for (int k = 0; k < count; k++)
    uops[k] = (struct tsr_uop){.dst = (uint32_t)k, .a = salt};
  tsr__stream_loop(s, &insn, uops, count);
  return insn.loop.uop_begin;
}

/* QUANT reads three rows of parameters: it waits for who wrote one of them, and names their banks. */
static void test_quant_reads_three_rows(void **state)
{
  (void)state;
  for (uint32_t row = 7; row <= 11; row++) {
    struct rig r;
    rig_open(&r, "tiny");
    uint32_t half = (uint32_t)tsr_design_depth(&r.design, TSR_BUFFER_ACC) / 2, b = half - 3;
    struct tsr_insn gemm = {.opcode = TSR_OP_GEMM, .loop.n = {1, 1, 1}};
    struct tsr_insn quant = {.opcode = TSR_OP_QUANT, .loop.n = {1, 1, 1}, .loop.dst = TSR_DST_OUT};
    struct tsr_uop made = {.dst = b + row - 8}, used = {.b = b};
    tsr__stream_loop(r.stream, &gemm, &made, 1);
    tsr__stream_loop(r.stream, &quant, &used, 1);
    uint32_t waits = r.stream->insn[r.stream->count - 1].wait >> tsr_insn_engine(&gemm) & 1;
    assert_int_equal(waits, row >= 8 && row <= 10);
    assert_int_equal(quant.loop.banks, 1);
    used.b = half - 2;
    tsr__stream_loop(r.stream, &quant, &used, 1);
    assert_int_equal(quant.loop.banks, 3);
    rig_close(&r);
  }
}

/* At tiny the ring has 128 micro-ops; a sequence never reaches over its end. */
static void test_micro_ops_end_with_the_ring(void **state)
{
  (void)state;
  for (int rest = 31; rest <= 33; rest++) {
    struct rig r;
    rig_open(&r, "tiny");
    assert_int_equal(tsr_design_depth(&r.design, TSR_BUFFER_UOP), 128);
    assert_int_equal(append_uops(r.stream, 96, 1), 0);
    assert_int_equal(append_uops(r.stream, rest, 2), rest <= 32 ? 96 : 0);
    rig_close(&r);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_transfers_wait),
    cmocka_unit_test(test_quant_reads_three_rows),
    cmocka_unit_test(test_micro_ops_end_with_the_ring),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
