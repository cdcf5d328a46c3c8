/* SPDX-License-Identifier: Apache-2.0 */
/* The generator reaches what it promises; the shrinker cuts to what matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/programs/check.h"
#include "tests/programs/shrink.h"

enum { PROGRAMS = 500 };

/* What was seen of the instructions of many programs. */
struct seen {
  bool opcode[256], place[3][2], first[8], banks[4];
  bool load[TSR_BUFFER_COUNT], store[TSR_BUFFER_COUNT];
  bool pads[4], still[2], unused_stride, unused_step, last_byte, last_entry, crossing;
  int waits[4][4];
};

static void see_dma(struct seen *seen, const struct tsr_design *design, const struct tsr_insn *i,
                    size_t window)
{
  uint32_t beat = (uint32_t)tsr_design_beat(design);
  uint64_t row = (uint64_t)i->dma.nx * (uint64_t)tsr_design_dram_entry(design, i->dma.buffer);
  uint64_t end = i->dma.dram + (i->dma.ny - 1) * i->dma.sy + (i->dma.nz - 1) * i->dma.sz + row;
  uint32_t entries = (i->dma.xl + i->dma.nx + i->dma.xr) * (i->dma.yl + i->dma.ny + i->dma.yr) *
                     i->dma.nz;
  uint32_t depth = (uint32_t)tsr_design_depth(design, i->dma.buffer);
  (i->opcode == TSR_OP_LOAD ? seen->load : seen->store)[i->dma.buffer] = true;
  seen->pads[0] |= i->dma.xl, seen->pads[1] |= i->dma.xr;
  seen->pads[2] |= i->dma.yl, seen->pads[3] |= i->dma.yr;
  seen->still[0] |= i->dma.ny > 1 && i->dma.sy == 0;
  seen->still[1] |= i->dma.nz > 1 && i->dma.sz == 0;
  seen->unused_stride |= i->dma.ny == 1 && i->dma.sy % beat;
  seen->last_byte |= end + beat > window;
  seen->last_entry |= i->dma.sram + entries == depth;
  seen->crossing |= i->dma.buffer == TSR_BUFFER_ACC && i->dma.sram < depth / 2 &&
                    i->dma.sram + entries > depth / 2;
}

static void see_loop(struct seen *seen, const struct tsr_insn *i)
{
  seen->place[i->loop.dst][i->loop.src] = true;
  seen->banks[i->loop.banks] = true;
  if (tsr_opcode_takes_first(i->opcode))
    seen->first[i->loop.first] = true;
  seen->unused_step |= i->loop.n[1] == 1 && i->loop.step_a[1] > 1000;
}

static void see(struct seen *seen, const struct tsr_design *design, const struct tsr_program *p)
{
  for (size_t k = 0; k < p->insn_count; k++) {
    struct tsr_insn i;
    if (tsr_insn_decode(p->insns + k * TSR_INSN_BYTES, &i) != TSR_TRAP_NONE)
      continue;
    seen->opcode[i.opcode] = true;
    for (int e = 0; e < 4; e++)
      if (i.wait >> e & 1)
        seen->waits[e][tsr_insn_engine(&i)]++;
    if (tsr_opcode_format(i.opcode) == TSR_FORMAT_DMA)
      see_dma(seen, design, &i, p->window_bytes);
    if (tsr_opcode_format(i.opcode) == TSR_FORMAT_LOOP)
      see_loop(seen, &i);
  }
}

static void covers(void **state)
{
  (void)state;
  struct seen seen = {0};
  for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct tsr_design design;
    struct generated g;
    tsr_design_parse(NULL, "point", tsr_design_json(check_point(seed)), &design);
    generate(arena, &design, seed, DEFECT_NONE, &g);
    see(&seen, &design, &g.program);
    tsr_arena_free(arena);
  }
  for (int k = 0; k < 256; k++)
    assert_int_equal(seen.opcode[k], tsr_opcode_valid(k));
  for (int k = 0; k < 8; k++)
    assert_true(seen.first[k] && seen.place[k % 3][k % 2] && seen.banks[k % 4] && seen.pads[k % 4]);
  for (int from = 0; from < 4; from++)
    for (int to = 0; to < 4; to++)
      assert_int_equal(seen.waits[from][to] > 100, from != to);
  for (int b = 0; b < TSR_BUFFER_COUNT; b++)
    assert_true(seen.load[b] == (b != TSR_BUFFER_OUT) &&
                seen.store[b] == (b == TSR_BUFFER_OUT || b == TSR_BUFFER_ACC));
  assert_true(seen.still[0] && seen.still[1] && seen.unused_stride && seen.unused_step);
  assert_true(seen.last_byte && seen.last_entry && seen.crossing);
}

static void same_seed_same_program(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_design design;
  struct generated a, b, c;
  tsr_design_parse(NULL, "point", tsr_design_json("ecp5"), &design);
  generate(arena, &design, 7, DEFECT_NONE, &a);
  generate(arena, &design, 7, DEFECT_NONE, &b);
  generate(arena, &design, 8, DEFECT_NONE, &c);
  assert_int_equal(a.program.insn_count, b.program.insn_count);
  assert_memory_equal(a.program.insns, b.program.insns, a.program.insn_count * TSR_INSN_BYTES);
  assert_memory_equal(a.program.data, b.program.data, a.program.data_bytes);
  assert_true(a.program.insn_count != c.program.insn_count ||
              memcmp(a.program.insns, c.program.insns, a.program.insn_count * TSR_INSN_BYTES));
  tsr_arena_free(arena);
}

struct cause {
  struct bench *bench;
  enum defect defect;
  bool race;
};

static bool fails(void *context, const struct tsr_program *program)
{
  struct cause *c = context;
  return c->race ? check_reported(c->bench, program, 1, TSR_DETECT_RACE)
                 : check_found(c->bench, program, c->defect);
}

/* Every defect, planted in a program of dozens, comes down to a few instructions. */
static void shrinks(void **state)
{
  (void)state;
  struct bench bench;
  bench_open(&bench, "tiny");
  for (int defect = DEFECT_NONE + 1; defect < DEFECT_COUNT; defect++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct generated g = {0};
    struct cause cause = {&bench, (enum defect)defect, false};
    cause.race = defect == DEFECT_TOKEN || defect == DEFECT_TOKENS;
    for (uint64_t seed = 40; !g.program.insns || (cause.race && !fails(&cause, &g.program)); seed++)
      generate(arena, &bench.design, seed, (enum defect)defect, &g);
    assert_true(fails(&cause, &g.program));
    struct tsr_program small = shrink(arena, &g.program, fails, &cause);
    assert_true(fails(&cause, &small));
    if (small.insn_count > 4)
      fail_msg("%s: %s", defect_text((enum defect)defect), tsr_disassemble(arena, &small));
    tsr_arena_free(arena);
  }
  bench_close(&bench);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(covers),
      cmocka_unit_test(same_seed_same_program),
      cmocka_unit_test(shrinks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
