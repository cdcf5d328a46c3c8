/* SPDX-License-Identifier: Apache-2.0 */
/* LOAD and STORE of every buffer, with strides and all paddings, entry by entry. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t BOXES[][7] = {
    /* nx, ny, nz, xl, xr, yl, yr */
    {1, 1, 1, 0, 0, 0, 0}, {3, 1, 1, 0, 0, 0, 0}, {2, 3, 1, 0, 0, 0, 0}, {2, 2, 2, 0, 0, 0, 0},
    {2, 2, 1, 1, 0, 0, 0}, {2, 2, 1, 0, 2, 0, 0}, {2, 2, 1, 0, 0, 1, 0}, {2, 2, 1, 0, 0, 0, 2},
    {1, 2, 2, 1, 2, 1, 2}, {2, 1, 3, 2, 1, 2, 1}};
enum { BOX_COUNT = sizeof BOXES / sizeof BOXES[0], SRAM = 1, DRAM = 256, ROW_GAP = 128 };

static void start(struct machine *m)
{
  for (int i = 0; i < MACHINE_WINDOW; i++)
    m->window[i] = (uint8_t)(i * 31 + i / 256 * 7);
}

static struct tsr_insn box(const struct machine *m, int opcode, int buffer, const uint32_t b[7])
{
  uint64_t row = b[0] * (uint64_t)tsr_design_dram_entry(&m->design, buffer) + ROW_GAP;
  struct tsr_insn insn = machine_dma(opcode, buffer, SRAM, DRAM, b[0]);
  row = (row + 127) / 128 * 128;
  insn.dma.ny = b[1];
  insn.dma.nz = b[2];
  insn.dma.sy = row;
  insn.dma.sz = row * b[1] + ROW_GAP;
  if (opcode == TSR_OP_STORE)
    return insn;
  insn.dma.xl = b[3];
  insn.dma.xr = b[4];
  insn.dma.yl = b[5];
  insn.dma.yr = b[6];
  insn.dma.pad = buffer == TSR_BUFFER_UOP ? 0 : buffer == TSR_BUFFER_ACC ? -30000 : -77;
  return insn;
}

static int64_t element(const uint8_t *at, int bytes)
{
  int32_t v;
  if (bytes == 1)
    return (int8_t)*at;
  memcpy(&v, at, 4);
  return v;
}

/* Element e of entry `at` of the box, as the scratchpad must hold it. */
static int64_t wanted(const struct machine *m, const struct tsr_insn *l, uint32_t at, int e,
                      int bytes)
{
  int entry = tsr_design_dram_entry(&m->design, l->dma.buffer);
  uint32_t width = l->dma.xl + l->dma.nx + l->dma.xr, height = l->dma.yl + l->dma.ny + l->dma.yr;
  int64_t x = (int64_t)(at % width) - l->dma.xl, y = (int64_t)(at / width % height) - l->dma.yl;
  uint64_t z = at / width / height;
  if (x < 0 || x >= l->dma.nx || y < 0 || y >= l->dma.ny)
    return l->dma.pad;
  uint64_t from = l->dma.dram + z * l->dma.sz + (uint64_t)y * l->dma.sy + (uint64_t)(x * entry);
  return element(m->window + from + e * bytes, bytes);
}

static void check_load(struct machine *m, int buffer, const uint32_t b[7])
{
  size_t bytes;
  struct tsr_insn load = box(m, TSR_OP_LOAD, buffer, b);
  bool acc = buffer == TSR_BUFFER_ACC || buffer == TSR_BUFFER_ACC8;
  int in_dram = buffer == TSR_BUFFER_ACC ? 4 : 1, here = acc ? 4 : 1;
  int elements = tsr_design_dram_entry(&m->design, buffer) / in_dram;
  uint32_t count = (b[3] + b[0] + b[4]) * (b[5] + b[1] + b[6]) * b[2];
  uint8_t *pad = tsr_func_scratchpad(m->func, buffer, &bytes);
  if ((SRAM + count + 1) * (size_t)(elements * here) > bytes)
    return;
  memset(pad, 0x3c, bytes);
  machine_add(m, &load);
  if (machine_run(m))
    fail_msg("%s", m->result.text);
  for (uint32_t i = 0; i < SRAM + count + 1; i++)
    for (int e = 0; e < elements; e++) {
      bool inside = i >= SRAM && i < SRAM + count;
      int64_t want = inside      ? wanted(m, &load, i - SRAM, e, in_dram)
                     : here == 4 ? 0x3c3c3c3c
                                 : 0x3c;
      if (element(pad + (i * (uint32_t)elements + (uint32_t)e) * (uint32_t)here, here) != want)
        fail_msg("%s, %s, entry %u, element %d", m->design.name, tsr_buffer_name(buffer), i, e);
    }
}

static void loads(void **state)
{
  (void)state;
  static const int buffers[] = {TSR_BUFFER_UOP, TSR_BUFFER_INP,  TSR_BUFFER_WGT,
                                TSR_BUFFER_ACC, TSR_BUFFER_ACC8, TSR_BUFFER_LUT};
  for (int p = 0; p < 5; p++) {
    struct machine *m = machine_open(MACHINE_POINTS[p]);
    start(m);
    for (int k = 0; k < 6; k++)
      for (int b = 0; b < BOX_COUNT; b++)
        check_load(m, buffers[k], BOXES[b]);
    machine_close(m);
  }
}

static void check_store(struct machine *m, int buffer, const uint32_t b[7])
{
  size_t bytes;
  uint8_t *pad = tsr_func_scratchpad(m->func, buffer, &bytes);
  struct tsr_insn store = box(m, TSR_OP_STORE, buffer, b);
  size_t row = b[0] * (size_t)tsr_design_dram_entry(&m->design, buffer);
  for (size_t i = 0; i < bytes; i++)
    pad[i] = (uint8_t)(i * 13 + 5);
  start(m);
  uint8_t *want = malloc(MACHINE_WINDOW);
  assert_non_null(want);
  memcpy(want, m->window, MACHINE_WINDOW);
  const uint8_t *from = pad + SRAM * (size_t)tsr_design_dram_entry(&m->design, buffer);
  for (uint32_t z = 0; z < b[2]; z++)
    for (uint32_t y = 0; y < b[1]; y++)
      for (size_t i = 0; i < row; i++)
        want[DRAM + z * store.dma.sz + y * store.dma.sy + i] = *from++;
  machine_add(m, &store);
  if (machine_run(m))
    fail_msg("%s", m->result.text);
  assert_memory_equal(m->window, want, MACHINE_WINDOW);
  free(want);
}

static void stores(void **state)
{
  (void)state;
  for (int p = 0; p < 5; p++) {
    struct machine *m = machine_open(MACHINE_POINTS[p]);
    for (int b = 0; b < 4; b++) {
      check_store(m, TSR_BUFFER_ACC, BOXES[b]);
      check_store(m, TSR_BUFFER_OUT, BOXES[b]);
    }
    machine_close(m);
  }
}

static void counters(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn load = box(m, TSR_OP_LOAD, TSR_BUFFER_ACC, BOXES[8]);
  struct tsr_insn store = box(m, TSR_OP_STORE, TSR_BUFFER_OUT, BOXES[3]);
  struct tsr_insn mov = machine_loop(TSR_OP_MOV);
  mov.loop.n[1] = 5;
  mov.loop.uop_count = 3;
  machine_add(m, &load);
  machine_add(m, &store);
  machine_add(m, &store);
  machine_add(m, &mov);
  assert_int_equal(machine_run(m), TSR_TRAP_NONE);
  const struct tsr_func_counters *c = tsr_func_counters(m->func);
  assert_int_equal(c->dram_read_bytes, 1 * 2 * 2 * 64);
  assert_int_equal(c->dram_write_bytes, 2 * 8 * 16);
  assert_int_equal(c->vector_ops, 15);
  assert_int_equal(c->insns[TSR_ENGINE_LOAD], 1);
  assert_int_equal(c->insns[TSR_ENGINE_STORE], 2);
  assert_int_equal(c->insns[TSR_ENGINE_VECTOR], 1);
  tsr_func_reset(m->func);
  assert_int_equal(c->dram_read_bytes + c->vector_ops + c->insns[0], 0);
  machine_close(m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loads),
      cmocka_unit_test(stores),
      cmocka_unit_test(counters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
