/* SPDX-License-Identifier: Apache-2.0 */
/* Indices, banks, windows and alignment: past the end by one in every way, and by so much that
 * sums of 16, 32 and 40 bits come around; just not past it. */
#include "tests/rtl/main.h"

#include <string.h>

#include "verify/check.h"

enum { WINDOW = 1 << 15, MOST_UOPS = 3 };

/* A loop instruction and its micro-ops. */
struct nest {
  struct tsr_insn insn;
  struct tsr_uop uops[MOST_UOPS];
};

/* The program of one instruction after some others ends so; micro-ops, if any, are loaded first. */
static void check(const struct nest *nest, enum tsr_trap trap, const char *what)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct build b = build_new(arena, &rig.design);
  struct tsr_insn insn = nest->insn, sync = {.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_MATRIX};
  build_load(&b, TSR_BUFFER_INP, 0, build_data(&b, NULL, 256), 1);
  if (tsr_opcode_format(insn.opcode) == TSR_FORMAT_LOOP && insn.loop.uop_count <= MOST_UOPS)
    insn.loop.uop_begin += build_uops(&b, nest->uops, insn.loop.uop_count);
  build_add(&b, &insn);
  build_add(&b, &sync);
  struct tsr_program p = build_end(&b);
  rig_expect(&rig, &p);
  if (rig.expected.trap != trap)
    fail_msg("%s, %s: the functional device has %s: %s", tsr_opcode_name(insn.opcode), what,
             tsr_trap_name((int)rig.expected.trap), rig.expected.text);
  expect(rig_check_here(&rig, &p), "%s, %s", tsr_opcode_name(insn.opcode), what);
  tsr_arena_free(arena);
}

/* ---- loop nests ---- */

static int buffer_of(const struct tsr_insn *insn, int operand)
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  bool gemm = insn->opcode == TSR_OP_GEMM;
  if (operand == 0)
    return dst[insn->loop.dst];
  if (operand == 1)
    return gemm || insn->loop.src == TSR_SRC_INP ? TSR_BUFFER_INP : TSR_BUFFER_ACC;
  switch (tsr_check_second(insn->opcode)) {
  case TSR_SECOND_WGT: return TSR_BUFFER_WGT;
  case TSR_SECOND_LUT: return TSR_BUFFER_LUT;
  case TSR_SECOND_NONE: return -1;
  default: return TSR_BUFFER_ACC;
  }
}

static uint32_t *index_of(struct tsr_uop *uop, int operand)
{
  uint32_t *const fields[] = {&uop->dst, &uop->a, &uop->b};
  return fields[operand];
}

static uint32_t *steps_of(struct nest *nest, int operand)
{
  uint32_t *const steps[] = {nest->insn.loop.step_dst, nest->insn.loop.step_a,
                             nest->insn.loop.step_b};
  return steps[operand];
}

/* Entries that an operand may begin at. */
static uint32_t depth_of(const struct nest *nest, int operand)
{
  uint32_t depth = (uint32_t)tsr_design_depth(&rig.design, buffer_of(&nest->insn, operand));
  bool three = operand == 2 && tsr_check_second(nest->insn.opcode) == TSR_SECOND_ACC3;
  return depth - (three ? 2 : 0);
}

/* One past the last entry by a micro-op, or by each of the loops; and its neighbour, which is
 * good. */
static void past_by(struct nest nest, int operand)
{
  uint32_t depth = depth_of(&nest, operand);
  nest.insn.loop.uop_count = MOST_UOPS;
  for (int u = 0; u < MOST_UOPS; u += 2) {
    struct nest now = nest;
    *index_of(&now.uops[u], operand) = depth;
    check(&now, TSR_TRAP_INDEX, "a micro-op past the end");
  }
  *index_of(&nest.uops[1], operand) = depth > 4 ? depth - 4 : 0;
  for (int k = 0; k < 3 && depth > 4; k++) {
    struct nest now = nest;
    now.insn.loop.n[k] = 4;
    steps_of(&now, operand)[k] = 1;
    check(&now, TSR_TRAP_NONE, "a loop to the end");
    now.insn.loop.n[k] = 5;
    check(&now, TSR_TRAP_INDEX, "a loop past the end");
  }
  struct nest far = nest;
  *index_of(&far.uops[1], operand) = 65535;
  check(&far, depth == 65536 ? TSR_TRAP_NONE : TSR_TRAP_INDEX, "the largest index");
}

/* Sums that are 0 again modulo 2^16, 2^17 and 2^32. */
static void past_around(struct nest nest, int operand)
{
  static const uint32_t n[][3] = {
      {1, 1, 2}, {1, 1, 3}, {1, 3, 3}, {32768, 32769, 3}, {65535, 65535, 65535}};
  static const uint32_t step[][3] = {{0, 0, 65535},
                                     {0, 0, 32768},
                                     {0, 32768, 32768},
                                     {65535, 65535, 65535}, /* 1 less than 2^32 */
                                     {65535, 65535, 65535}};
  for (int k = 0; k < 5; k++) {
    *index_of(&nest.uops[0], operand) = k == 0 || k == 3;
    memcpy(nest.insn.loop.n, n[k], sizeof n[k]);
    memcpy(steps_of(&nest, operand), step[k], sizeof step[k]);
    check(&nest, TSR_TRAP_INDEX, "a sum that comes around");
  }
}

static void each_operand(void (*each)(struct nest nest, int operand))
{
  rig_machine(&rig, WINDOW);
  for (int opcode = TSR_OP_GEMM; opcode <= TSR_OP_QUANT; opcode++)
    for (int form = 0; tsr_opcode_valid(opcode) && form < 3; form++) {
      struct nest nest = {.insn = build_loop(opcode)};
      if (opcode != TSR_OP_GEMM)
        nest.insn.loop.src = form % 2;
      if (opcode != TSR_OP_GEMM && opcode != TSR_OP_MAC)
        nest.insn.loop.dst = form;
      for (int operand = 0; operand < 3; operand++)
        if (buffer_of(&nest.insn, operand) >= 0 && (form == 0 || opcode % 4 == form))
          each(nest, operand);
    }
}

static void past_the_end(void **state)
{
  (void)state;
  each_operand(past_by);
}

static void around(void **state)
{
  (void)state;
  each_operand(past_around);
}

/* Each operand in ACC, at the last entry of bank 0 and at the first of bank 1, with each mask. */
static void banks_of(struct nest nest, int operand)
{
  uint32_t half = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_ACC) / 2;
  uint32_t extra = operand == 2 && nest.insn.opcode == TSR_OP_QUANT ? 2 : 0;
  if (buffer_of(&nest.insn, operand) != TSR_BUFFER_ACC)
    return;
  for (uint32_t banks = 0; banks < 4; banks++)
    for (uint32_t bank = 0; bank < 2; bank++) {
      struct nest now = nest;
      for (int other = 0; other < 3; other++) /* the others where the mask allows */
        *index_of(&now.uops[0], other) =
            buffer_of(&nest.insn, other) == TSR_BUFFER_ACC && !(banks & 1) ? half : 0;
      *index_of(&now.uops[0], operand) = bank ? half : half - 1 - extra;
      now.insn.loop.banks = banks;
      check(&now, banks >> bank & 1 ? TSR_TRAP_NONE : TSR_TRAP_INDEX, "banks");
    }
  if (!extra)
    return;
  *index_of(&nest.uops[0], operand) = half - 1; /* begins in bank 0 and ends in bank 1 */
  for (uint32_t banks = 1; banks < 4; banks++) {
    nest.uops[0].dst = nest.uops[0].a = banks & 1 ? 0 : half;
    nest.insn.loop.banks = banks;
    check(&nest, banks == 3 ? TSR_TRAP_NONE : TSR_TRAP_INDEX, "across banks");
  }
}

static void banks(void **state)
{
  (void)state;
  each_operand(banks_of);
}

static void sequences(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  uint32_t depth = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_UOP);
  const uint32_t list[][2] = {
      {depth, 1}, {depth - 1, 2}, {0, depth + 1}, {65535, 65535}, {1, 65535}};
  for (int k = 0; k < 10; k++) {
    struct nest nest = {.insn = build_loop(k % 2 ? TSR_OP_GEMM : TSR_OP_MOV)};
    nest.insn.loop.uop_begin = list[k / 2][0];
    nest.insn.loop.uop_count = list[k / 2][1];
    check(&nest, TSR_TRAP_INDEX, "micro-ops past the end");
  }
}

/* ---- transfers ---- */

static const int STORED[] = {TSR_BUFFER_OUT, TSR_BUFFER_ACC};

static struct nest transfer(int opcode, int buffer)
{
  return (struct nest){.insn = build_dma(opcode, buffer, 0, 0, 1)};
}

static void each_transfer(void (*each)(struct nest nest, uint32_t depth))
{
  rig_machine(&rig, WINDOW);
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++)
    if (buffer != TSR_BUFFER_OUT)
      each(transfer(TSR_OP_LOAD, buffer), (uint32_t)tsr_design_depth(&rig.design, buffer));
  for (int k = 0; k < 2; k++)
    each(transfer(TSR_OP_STORE, STORED[k]), (uint32_t)tsr_design_depth(&rig.design, STORED[k]));
}

static void past_depth(struct nest nest, uint32_t depth)
{
  struct nest now = nest;
  now.insn.dma.sram = depth - 1;
  check(&now, TSR_TRAP_NONE, "the last entry");
  now.insn.dma.nx = 2;
  check(&now, TSR_TRAP_INDEX, "a row past the end");
  now = nest;
  now.insn.dma.sram = depth;
  check(&now, TSR_TRAP_INDEX, "an entry past the end");
  now.insn.dma.sram = 65535;
  now.insn.dma.nx = now.insn.dma.ny = now.insn.dma.nz = 65535;
  check(&now, TSR_TRAP_INDEX, "the largest box");
  now = nest;
  now.insn.dma.ny = 32768; /* 2^15 * 2^15 * 4 = 2^32 entries */
  now.insn.dma.nz = 32768;
  now.insn.dma.nx = 4;
  check(&now, TSR_TRAP_INDEX, "2^32 entries");
  if (nest.insn.opcode == TSR_OP_LOAD) {
    now.insn.dma.nx = 1;
    now.insn.dma.ny = 65535; /* 65899 rows with padding, times 65175 */
    now.insn.dma.yl = 255;
    now.insn.dma.yr = 109;
    now.insn.dma.nz = 65175;
    check(&now, TSR_TRAP_INDEX, "2^32 entries and 29");
  }
  now = nest;
  now.insn.dma.ny = 2;
  now.insn.dma.nz = 32768;
  check(&now, depth >= 65536 ? TSR_TRAP_NONE : TSR_TRAP_INDEX, "2^16 entries");
}

static void past_by_padding(struct nest nest, uint32_t depth)
{
  uint32_t *const pads[] = {&nest.insn.dma.xl, &nest.insn.dma.xr, &nest.insn.dma.yl,
                            &nest.insn.dma.yr};
  if (nest.insn.opcode == TSR_OP_STORE)
    return;
  for (int k = 0; k < 4; k++) {
    *pads[k] = 255;
    nest.insn.dma.sram = depth > 256 ? depth - 256 : 0;
    check(&nest, depth >= 256 ? TSR_TRAP_NONE : TSR_TRAP_INDEX, "padding to the end");
    nest.insn.dma.sram++;
    check(&nest, TSR_TRAP_INDEX, "padding past the end");
    *pads[k] = 0;
  }
}

static void boxes(void **state)
{
  (void)state;
  each_transfer(past_depth);
  each_transfer(past_by_padding);
}

static uint64_t beat(void)
{
  return (uint64_t)tsr_design_beat(&rig.design);
}

static void past_window(struct nest nest, uint32_t depth)
{
  uint64_t entry = (uint64_t)tsr_design_dram_entry(&rig.design, nest.insn.dma.buffer);
  uint64_t last = (WINDOW - entry) / beat() * beat();
  struct nest now = nest;
  now.insn.dma.dram = last;
  check(&now, TSR_TRAP_NONE, "the last bytes");
  now.insn.dma.dram = last + beat();
  check(&now, TSR_TRAP_WINDOW, "a beat past the window");
  now.insn.dma.dram = (UINT32_MAX / beat()) * beat();
  check(&now, TSR_TRAP_WINDOW, "the largest address");
  /* rows and planes: to the last bytes, a beat more; 2^32, 2^33, 2^40 bytes on */
  static const int bits[] = {32, 33, 40};
  for (int k = 0; k < 2 && depth >= 2; k++) {
    uint32_t *n = k ? &now.insn.dma.nz : &now.insn.dma.ny;
    uint64_t *stride = k ? &now.insn.dma.sz : &now.insn.dma.sy;
    now = nest;
    *n = 2;
    *stride = last;
    check(&now, TSR_TRAP_NONE, "a stride to the last bytes");
    *stride = last + beat();
    check(&now, TSR_TRAP_WINDOW, "a stride past the window");
    for (int m = 0; m < 3; m++) {
      *n = 1 + (1u << (bits[m] - 31));
      *stride = UINT64_C(1) << 31;
      if (*n <= depth)
        check(&now, TSR_TRAP_WINDOW, "strides that come around");
    }
  }
}

static void windows(void **state)
{
  (void)state;
  each_transfer(past_window);
}

static void askew(struct nest nest, uint32_t depth)
{
  for (uint64_t off = 1; off < beat(); off *= 2) {
    struct nest now = nest;
    now.insn.dma.dram = 1024 + off;
    check(&now, TSR_TRAP_ALIGN, "an address");
    now = nest;
    now.insn.dma.sy = now.insn.dma.sz = off;
    check(&now, TSR_TRAP_NONE, "strides not in use");
    if (depth < 2)
      continue;
    now.insn.dma.ny = 2;
    check(&now, TSR_TRAP_ALIGN, "a row stride");
    now.insn.dma.ny = 1;
    now.insn.dma.nz = 2;
    check(&now, TSR_TRAP_ALIGN, "a plane stride");
  }
}

static void alignment(void **state)
{
  (void)state;
  each_transfer(askew);
}

/* Of several that apply, the first in the order of their numbers. */
static void several(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  struct nest nest = transfer(TSR_OP_LOAD, TSR_BUFFER_INP);
  nest.insn.dma.dram = WINDOW + 1;
  check(&nest, TSR_TRAP_WINDOW, "window and alignment");
  nest.insn.dma.sram = 65535;
  check(&nest, TSR_TRAP_INDEX, "index, window and alignment");
  nest.insn.dma.dram = 1;
  check(&nest, TSR_TRAP_INDEX, "index and alignment");
  nest = transfer(TSR_OP_STORE, TSR_BUFFER_OUT);
  nest.insn.dma.dram = WINDOW + 1;
  check(&nest, TSR_TRAP_WINDOW, "window and alignment");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(past_the_end), cmocka_unit_test(around),  cmocka_unit_test(banks),
      cmocka_unit_test(sequences),    cmocka_unit_test(boxes),   cmocka_unit_test(windows),
      cmocka_unit_test(alignment),    cmocka_unit_test(several),
  };
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
