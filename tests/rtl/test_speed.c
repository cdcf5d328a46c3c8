/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles inside one instruction, exactly, on an ideal memory: a loop point or a beat a cycle
 * behind a constant start-up. And matrix beside vector. */
#include "hw/sim/rtl/train.h"
#include "tests/rtl/main.h"

enum { WINDOW = 1 << 20 };

/* Cycles from an instruction's start to its end that are not its points or beats: docs/rtl.md, Time,
 * less the cycle in which it gives its tokens and the one that a difference leaves out. */
enum { GEMM_STARTUP = 7, TRANSFER_STARTUP = 4, QUANT_FETCH = 2 };

/* Cycles of the last instruction of a program. */
static int64_t cycles_of(struct build *b, const char *what)
{
  size_t last = b->count - 1;
  struct tsr_program p = build_end(b);
  if (!rig.rtl)
    rig_machine(&rig, WINDOW);
  expect(rig_run(&rig, &p), "%s", what);
  assert_int_equal(rig.result.trap, TSR_TRAP_NONE);
  tsr_arena_free(b->arena);
  return (int64_t)rig_cycles(&rig, last);
}

static int64_t vector_startup(int opcode)
{
  switch (opcode) {
  case TSR_OP_LUT:
  case TSR_OP_RSUM:
  case TSR_OP_RMAX: return 7;
  case TSR_OP_MUL:
  case TSR_OP_MAC: return 8;
  case TSR_OP_QUANT: return 9 + QUANT_FETCH;
  default: return 6;
  }
}

/* All but `points` of them is start-up, exactly. */
static void check_startup(struct build *b, uint32_t points, int64_t startup, const char *what)
{
  int64_t now = cycles_of(b, what) - points;
  if (now != startup)
    fail_msg("%s, %s: %d points take %d cycles more; expected %d", rig.design.name, what,
             (int)points, (int)now, (int)startup);
}

static struct build start(void)
{
  return build_new(tsr_arena_new(NULL), &rig.design);
}

/* ---- GEMM ---- */

/* Nests of one micro-op and of many, sums that grow at every point and that never meet. */
static void gemm(void **state)
{
  (void)state;
  static const uint32_t shapes[][4] = {/* micro-ops, loops */
                                       {1, 1, 1, 1}, {1, 1, 1, 2},  {1, 1, 1, 40}, {1, 3, 5, 7},
                                       {2, 1, 1, 1}, {16, 1, 1, 1}, {16, 1, 3, 2}, {5, 2, 1, 9},
                                       {9, 4, 4, 4}, {1, 50, 1, 1}, {60, 2, 1, 1}};
  for (size_t k = 0; k < 2 * sizeof shapes / sizeof *shapes; k++) {
    const uint32_t *shape = shapes[k / 2];
    struct tsr_uop uops[64];
    struct build b = start();
    struct tsr_insn insn = build_loop(TSR_OP_GEMM);
    for (uint32_t u = 0; u < shape[0]; u++)
      uops[u] = (struct tsr_uop){k % 2 ? u : 0, u, u, k % 3 == 0};
    insn.loop.uop_begin = build_uops(&b, uops, shape[0]);
    insn.loop.uop_count = shape[0];
    for (int loop = 0; loop < 3; loop++) {
      insn.loop.n[loop] = shape[1 + loop];
      insn.loop.step_dst[loop] = k % 2;
      insn.loop.step_a[loop] = 1;
    }
    build_add(&b, &insn);
    check_startup(&b, shape[0] * shape[1] * shape[2] * shape[3], GEMM_STARTUP, "gemm");
  }
}

/* ---- vector ---- */

/* Entries of the three operands: in one bank of ACC, and in each other pair. */
static void place(struct build_run *r, int banks, uint32_t n)
{
  uint32_t half = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_ACC) / 2;
  r->a = banks & 1 ? half : 0;
  r->b = n + (banks & 2 ? half : 0);
  r->d = 2 * n + (banks & 4 ? half : 0);
  if (r->src == TSR_SRC_INP)
    r->a = 0;
  if (r->dst != TSR_DST_ACC)
    r->d = r->dst == TSR_DST_INP ? n : 0;
  if (r->opcode == TSR_OP_LUT)
    r->b = 0;
}

/* MAC with A in ACC has three operands there and two ports: two points take four cycles, and the last
 * two two. */
static uint32_t row_cycles(int opcode, int src, uint32_t n)
{
  return opcode == TSR_OP_MAC && src == TSR_SRC_ACC ? 2 * n - 2 + n % 2 : n;
}

static void check_row(int opcode, int src, int dst)
{
  for (int banks = 0; banks < 8; banks++)
    for (uint32_t n = 1; n <= 28; n += 9) {
      struct build b = start();
      struct build_run r = {
          .opcode = opcode, .src = src, .dst = dst, .n = n, .step_d = 1, .step_a = 1};
      r.step_b = opcode != TSR_OP_QUANT && opcode != TSR_OP_LUT;
      place(&r, banks, 30);
      build_run(&b, &r);
      check_startup(&b, row_cycles(opcode, src, n), vector_startup(opcode),
                    tsr_opcode_name(opcode));
    }
}

static void vector(void **state)
{
  (void)state;
  for (int opcode = TSR_OP_ADD; opcode <= TSR_OP_QUANT; opcode++)
    for (int form = 0; form < 6; form++)
      if (opcode != TSR_OP_MAC || form / 2 == TSR_DST_ACC)
        check_row(opcode, form % 2, form / 2);
}

/* Parameters of QUANT are read where they change: two cycles more for each change. */
static void parameters(void **state)
{
  (void)state;
  for (uint32_t changes = 1; changes <= 8; changes++)
    for (uint32_t each = 1; each <= 9; each += 4) {
      struct build b = start();
      struct tsr_uop uop = {0, 0, 20, false};
      struct tsr_insn insn = build_loop(TSR_OP_QUANT);
      insn.loop.uop_begin = build_uops(&b, &uop, 1);
      insn.loop.dst = TSR_DST_OUT;
      insn.loop.n[1] = changes;
      insn.loop.n[2] = each;
      insn.loop.step_b[1] = 3;
      insn.loop.step_a[2] = insn.loop.step_dst[2] = 1;
      build_add(&b, &insn);
      check_startup(&b, changes * each + QUANT_FETCH * (changes - 1), vector_startup(TSR_OP_QUANT),
                    "quant");
    }
}

/* ---- transfers ---- */

static uint32_t fewer(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

/* Cycles that the bus, or the scratchpad, is busy with n entries. */
static uint32_t beats_of(int buffer, uint32_t n)
{
  uint32_t entry = (uint32_t)tsr_design_dram_entry(&rig.design, buffer),
           beat = (uint32_t)tsr_design_beat(&rig.design);
  return entry < beat ? n : n * (entry / beat);
}

static void loads(void **state)
{
  (void)state;
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++)
    for (uint32_t n = 1; buffer != TSR_BUFFER_OUT && n <= 300; n = 3 * n + 1) {
      struct build b = start();
      uint32_t count = fewer(n, build_depth(&b, buffer));
      size_t bytes = (size_t)count * (size_t)tsr_design_dram_entry(&rig.design, buffer);
      build_load(&b, buffer, 0, build_data(&b, NULL, bytes), count);
      check_startup(&b, beats_of(buffer, count), TRANSFER_STARTUP, "load");
    }
}

static void stores(void **state)
{
  (void)state;
  for (int which = 0; which < 2; which++)
    for (uint32_t n = 1; n <= 300; n = 3 * n + 1) {
      struct build b = start();
      int buffer = which ? TSR_BUFFER_ACC : TSR_BUFFER_OUT;
      uint32_t count = fewer(n, build_depth(&b, buffer));
      size_t bytes = (size_t)count * (size_t)tsr_design_dram_entry(&rig.design, buffer);
      struct tsr_insn store =
          build_dma(TSR_OP_STORE, buffer, 0, build_data(&b, NULL, bytes), count);
      build_add(&b, &store);
      check_startup(&b, beats_of(buffer, count), TRANSFER_STARTUP, "store");
    }
}

/* LOADs one behind the other: the next one's data is on its way while one arrives. */
static void load_after_load(void **state)
{
  (void)state;
  enum { COUNT = 8, GAP = 2 };
  struct build b = start();
  uint32_t n = fewer(32, build_depth(&b, TSR_BUFFER_INP) / COUNT),
           beats = beats_of(TSR_BUFFER_INP, n);
  uint64_t data = build_data(&b, NULL, 1 << 14);
  for (uint32_t k = 0; k < COUNT; k++)
    build_load(&b, TSR_BUFFER_INP, k * n, data, n);
  cycles_of(&b, "loads");
  uint64_t span = rig.spans[COUNT - 1].end - rig.spans[0].end;
  print_message("%d loads of %d beats: %d cycles from end to end\n", COUNT, (int)beats, (int)span);
  assert_in_range(span, 0, (COUNT - 1) * (beats + GAP));
}

/* ---- matrix beside vector ---- */

/* Tiles in turn in the two banks: matrix fills one while vector drains the other. */
static void side_by_side(uint32_t vector_rounds)
{
  enum { TILES = 40, SUMS = 24, STEPS = 16 };
  uint32_t half = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_ACC) / 2;
  struct build b = start();
  struct tsr_uop uops[2] = {{0, 0, 0, true}, {half, 0, 0, true}},
                 drain[2] = {{0}, {0, half, half, 0}};
  uint32_t fill_at = build_uops(&b, uops, 2), drain_at = build_uops(&b, drain, 2);
  struct tsr_insn sync = {.opcode = TSR_OP_SYNC,
                          .engine = TSR_ENGINE_LOAD,
                          .signal = 1 << TSR_ENGINE_MATRIX | 1 << TSR_ENGINE_VECTOR};
  b.free = true;
  build_add(&b, &sync);
  size_t first = b.count;
  for (uint32_t tile = 0; tile < TILES; tile++) {
    struct tsr_insn gemm = build_loop(TSR_OP_GEMM), add = build_loop(TSR_OP_ADD);
    gemm.loop.banks = add.loop.banks = 1u << tile % 2;
    gemm.loop.uop_begin = fill_at + tile % 2;
    gemm.loop.n[1] = STEPS;
    gemm.loop.n[2] = SUMS;
    gemm.loop.first = 2;
    gemm.loop.step_dst[2] = gemm.loop.step_a[1] = 1;
    gemm.wait = tile == 0 ? 1 << TSR_ENGINE_LOAD : tile > 1 ? 1 << TSR_ENGINE_VECTOR : 0;
    gemm.signal = 1 << TSR_ENGINE_VECTOR;
    add.loop.dst = TSR_DST_OUT;
    add.loop.uop_begin = drain_at + tile % 2;
    add.loop.n[1] = vector_rounds;
    add.loop.n[2] = SUMS;
    add.loop.step_dst[2] = add.loop.step_a[2] = 1;
    add.wait = 1 << TSR_ENGINE_MATRIX | (tile == 0 ? 1 << TSR_ENGINE_LOAD : 0);
    add.signal = tile + 2 < TILES ? 1 << TSR_ENGINE_MATRIX : 0;
    build_add(&b, &gemm);
    build_add(&b, &add);
  }
  cycles_of(&b, "matrix and vector");
  uint64_t matrix = 0, vector = 0,
           total = rig.spans[first + 2 * TILES - 1].end - rig.spans[first].start;
  for (size_t k = first; k < first + 2 * TILES; k += 2) {
    matrix += rig_cycles(&rig, k);
    vector += rig_cycles(&rig, k + 1);
  }
  uint64_t longer = matrix > vector ? matrix : vector;
  print_message("matrix %d, vector %d, together %d cycles: %.1f %% more than the longer\n",
                (int)matrix, (int)vector, (int)total, 100.0 * (double)total / (double)longer - 100);
  assert_true(total <= longer * 105 / 100);
}

static void overlap(void **state)
{
  (void)state;
  side_by_side(12);
  side_by_side(15);
  side_by_side(24);
}

/* What a model counts its branches by comes to its end, GEMM most of the time. */
static void training(void **state)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program p;
  struct tsr_err err;
  (void)state;
  if (tsr__train_assemble(arena, &err, &p))
    fail_msg("%s", err.text);
  rig_machine(&rig, WINDOW);
  expect(rig_run(&rig, &p), "training");
  assert_int_equal(rig.result.trap, TSR_TRAP_NONE);
  assert_true(rig.result.counters[TSR_COUNTER_MATRIX_BUSY] * 2 >
              rig.result.counters[TSR_COUNTER_CYCLES]);
  tsr_arena_free(arena);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gemm),    cmocka_unit_test(vector),   cmocka_unit_test(parameters),
      cmocka_unit_test(loads),   cmocka_unit_test(stores),   cmocka_unit_test(load_after_load),
      cmocka_unit_test(overlap), cmocka_unit_test(training),
  };
  if (!begin(argc, argv))
    return SKIPPED;
  rig.dram = (struct tsr_dram_options){.model = TSR_MEMORY_IDEAL};
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
