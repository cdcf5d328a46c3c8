/* SPDX-License-Identifier: Apache-2.0 */
/* LOAD and STORE of every buffer: boxes, padding, strides, boundaries of 4 KiB, last beats in
 * part. */
#include "tests/rtl/main.h"

#include "verify/check.h"

static const uint32_t SHAPES[][3] = {/* nx, ny, nz */
                                     {1, 1, 1},  {2, 1, 1},  {3, 1, 1},  {5, 1, 1}, {9, 1, 1},
                                     {16, 1, 1}, {17, 1, 1}, {33, 1, 1}, {7, 2, 1}, {1, 3, 1},
                                     {1, 1, 3},  {2, 2, 2},  {3, 2, 3},  {1, 4, 2}};
static const uint32_t PADS[][4] = {/* xl, xr, yl, yr */
                                   {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0},
                                   {0, 0, 0, 1}, {1, 2, 1, 1}, {3, 0, 2, 0}, {0, 2, 0, 3}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES, PAD_COUNT = sizeof PADS / sizeof *PADS };
enum { PLACES = 7, STRIDES = 5, DATA = 1 << 17, BATCH = 150 };

static int8_t data_byte(void *context, size_t i)
{
  (void)context;
  return (int8_t)(i * 29 + i / 256 * 7 + i / 4096);
}

/* Micro-ops' reserved bits are of no interest to LOAD, so any bytes will do. */
static struct build start(void)
{
  struct build b = build_new(tsr_arena_new(NULL), &rig.design);
  build_bytes(&b, DATA, data_byte, NULL);
  return b;
}

static void finish(struct build *b, const char *what)
{
  struct tsr_program p = build_end(b);
  expect(rig_check(&rig, &p), "%s", what);
  tsr_arena_free(b->arena);
}

static uint64_t beat(void)
{
  return (uint64_t)tsr_design_beat(&rig.design);
}

static uint64_t on_beat(uint64_t bytes)
{
  return bytes / beat() * beat();
}

/* Bytes around a boundary of 4 KiB, that of a longest burst, and elsewhere. */
static uint64_t place(uint32_t k, uint64_t row)
{
  uint64_t edge = 16 * 4096, burst = beat() * (uint64_t)rig.design.axi_burst_beats;
  const uint64_t places[PLACES] = {0,
                                   edge - beat(),
                                   edge - on_beat(row / 2),
                                   edge - burst - beat(),
                                   edge - on_beat(row),
                                   edge + burst - beat(),
                                   5 * beat()};
  return places[k % PLACES];
}

static uint64_t stride(uint32_t k, uint64_t row)
{
  const uint64_t dense = on_beat(row + beat() - 1);
  const uint64_t strides[STRIDES] = {dense, 0, dense + beat(), beat(), 4096};
  return strides[k % STRIDES];
}

/* The first entry of a box: at the front, at the end, across the middle. */
static uint32_t first_entry(const struct build *b, uint32_t k, int buffer, uint32_t entries)
{
  uint32_t depth = build_depth(b, buffer), room = depth - entries;
  const uint32_t firsts[] = {0, room, room / 2, room > 1 ? 1 : 0};
  return firsts[k % 4];
}

/* The k-th box; false where the scratchpad is too small for it. */
static bool make_box(const struct build *b, uint32_t k, int opcode, int buffer, struct tsr_insn *i)
{
  const uint32_t *shape = SHAPES[k % SHAPE_COUNT], *pad = PADS[k / SHAPE_COUNT % PAD_COUNT];
  uint64_t row = (uint64_t)shape[0] * (uint64_t)tsr_design_dram_entry(&rig.design, buffer);
  *i = build_dma(opcode, buffer, 0, place(k / 3, row), shape[0]);
  i->dma.ny = shape[1];
  i->dma.nz = shape[2];
  i->dma.sy = shape[1] > 1 ? stride(k, row) : 12345 * k; /* not used where there is one row */
  i->dma.sz = shape[2] > 1 ? stride(k / 2, row * shape[1]) : 54321 * k;
  if (opcode == TSR_OP_LOAD) {
    static const int32_t pads[] = {-128, 127, -1, 5, 0};
    i->dma.xl = pad[0], i->dma.xr = pad[1], i->dma.yl = pad[2], i->dma.yr = pad[3];
    i->dma.pad = buffer == TSR_BUFFER_UOP ? 0 : pads[k % 5];
    if (buffer == TSR_BUFFER_ACC && k % 3)
      i->dma.pad = k % 2 ? INT16_MIN : INT16_MAX;
  }
  uint32_t entries = (uint32_t)tsr_check_dma_entries(i);
  if (entries > build_depth(b, buffer))
    return false;
  i->dma.sram = first_entry(b, k / 5, buffer, entries);
  return true;
}

static void loads(void **state)
{
  (void)state;
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++) {
    if (buffer == TSR_BUFFER_OUT)
      continue;
    struct build b = start();
    for (uint32_t k = 0; k < SHAPE_COUNT * PAD_COUNT * 5; k++) {
      struct tsr_insn insn;
      if (!make_box(&b, k, TSR_OP_LOAD, buffer, &insn))
        continue;
      build_add(&b, &insn);
      if (b.count % BATCH == 0) {
        finish(&b, tsr_buffer_name(buffer));
        b = start();
      }
    }
    finish(&b, tsr_buffer_name(buffer));
  }
}

/* OUT and ACC hold what lies in DRAM at first. */
static void fill(struct build *b)
{
  uint32_t acc = build_depth(b, TSR_BUFFER_ACC), out = build_depth(b, TSR_BUFFER_OUT);
  uint32_t inp = build_depth(b, TSR_BUFFER_INP);
  uint32_t most = (uint32_t)(DATA / tsr_design_dram_entry(&rig.design, TSR_BUFFER_ACC));
  build_load(b, TSR_BUFFER_ACC, 0, 0, acc < most ? acc : most);
  out = out < inp ? out : inp;
  most = (uint32_t)(DATA / tsr_design_dram_entry(&rig.design, TSR_BUFFER_INP));
  out = out < most ? out : most;
  build_load(b, TSR_BUFFER_INP, 0, 0, out);
  build_run(b, &(struct build_run){TSR_OP_MOV, TSR_SRC_INP, TSR_DST_OUT, out, 0, 0, 0, 1, 1, 0, 0});
}

static void stores(void **state)
{
  (void)state;
  static const int buffers[] = {TSR_BUFFER_OUT, TSR_BUFFER_ACC};
  for (int which = 0; which < 2; which++)
    for (uint32_t part = 0; part < 2; part++) {
      struct build b = start();
      fill(&b);
      for (uint32_t k = part * BATCH; k < (part + 1) * BATCH; k++) {
        struct tsr_insn insn;
        if (make_box(&b, k, TSR_OP_STORE, buffers[which], &insn))
          build_add(&b, &insn);
      }
      finish(&b, tsr_buffer_name(buffers[which]));
    }
}

/* Every entry of every scratchpad in one row, or as much of it as there is data. */
static void whole(void **state)
{
  (void)state;
  struct build b = start();
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++) {
    uint32_t depth = build_depth(&b, buffer);
    uint32_t most = (uint32_t)(DATA / tsr_design_dram_entry(&rig.design, buffer));
    if (buffer != TSR_BUFFER_OUT && buffer != TSR_BUFFER_ACC8)
      build_load(&b, buffer, 0, 0, depth < most ? depth : most);
  }
  fill(&b);
  uint64_t to = build_data(&b, NULL, 2 * DATA);
  for (int which = 0; which < 2; which++) {
    int buffer = which ? TSR_BUFFER_ACC : TSR_BUFFER_OUT;
    uint32_t depth = build_depth(&b, buffer);
    uint32_t most = (uint32_t)(DATA / tsr_design_dram_entry(&rig.design, buffer));
    struct tsr_insn store = build_dma(TSR_OP_STORE, buffer, 0, to + (uint64_t)which * DATA,
                                      depth < most ? depth : most);
    build_add(&b, &store);
  }
  finish(&b, "whole scratchpads");
}

/* Loads and stores that follow each other without tokens: bursts of several instructions are
 * outstanding. */
static void in_flight(void **state)
{
  (void)state;
  struct build b = start();
  fill(&b);
  b.free = true;
  struct tsr_insn insn, sync = {.opcode = TSR_OP_SYNC,
                                .engine = TSR_ENGINE_VECTOR,
                                .signal = 1 << TSR_ENGINE_LOAD | 1 << TSR_ENGINE_STORE};
  build_add(&b, &sync);
  uint64_t to = build_data(&b, NULL, DATA);
  for (uint32_t k = 0; k < BATCH; k++) {
    static const int buffers[] = {TSR_BUFFER_INP, TSR_BUFFER_WGT, TSR_BUFFER_LUT};
    if (make_box(&b, 3 * k, TSR_OP_LOAD, buffers[k % 3], &insn)) {
      insn.wait = k == 0 ? 1 << TSR_ENGINE_VECTOR : 0;
      build_add(&b, &insn);
    }
    if (make_box(&b, k, TSR_OP_STORE, k % 2 ? TSR_BUFFER_OUT : TSR_BUFFER_ACC, &insn)) {
      insn.wait = k == 0 ? 1 << TSR_ENGINE_VECTOR : 0;
      insn.dma.dram += to;
      build_add(&b, &insn);
    }
  }
  finish(&b, "in flight");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(loads), cmocka_unit_test(stores),
                                     cmocka_unit_test(whole), cmocka_unit_test(in_flight)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
