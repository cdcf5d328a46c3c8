/* SPDX-License-Identifier: Apache-2.0 */
/* What a program is made of: its image, its ranges, one valid instruction after another. */
#include <string.h>

#include "tests/programs/loops.h"

/* An int32 at a corner; QUANT takes its parameters from here, too. */
static uint32_t corner(struct draft *d)
{
  static const uint32_t list[] = {0,          1,          UINT32_MAX, 0x80000000, 0x7fffffff,
                                  0x80000001, 0x40000000, 0x80808080, 0x7f7f7f7f, 31,
                                  32,         0xff,       0x8000007f, 0x7f80003f, 0x807f0000};
  uint32_t any = (uint32_t)random_next(&d->random);
  switch (draw(d, 4)) {
  case 0: return list[draw(d, sizeof list / sizeof list[0])];
  case 1: return any >> draw(d, 32);
  case 2: return 0x7f800000u | (any & 0xff3f); /* hi 127, lo -128: z and shift show */
  default: return any;
  }
}

static void choose_range(struct draft *d, int buffer)
{
  uint32_t depth = depth_of(d, buffer), half = depth / 2 ? depth / 2 : 1;
  uint32_t least = buffer == TSR_BUFFER_UOP ? NEST_UOPS : 4, count = least + draw(d, 16);
  count = count < half ? count : half;
  for (int r = 0; r < 2; r++) {
    const uint32_t lows[] = {0, depth - count, half - count / 2 - (half == depth),
                             draw(d, depth - count + 1)};
    d->hot[buffer][r] = (struct range){lows[draw(d, 4)], count};
    if (d->hot[buffer][r].low > depth - count)
      d->hot[buffer][r].low = 0;
  }
}

static void choose_sizes(struct draft *d)
{
  uint32_t pool = 24 * (uint32_t)tsr_design_dram_entry(d->design, TSR_BUFFER_WGT);
  uint32_t acc = 24 * (uint32_t)tsr_design_dram_entry(d->design, TSR_BUFFER_ACC);
  pool = pool > acc ? pool : acc;
  pool = pool > 6000 ? pool : 6000;
  d->image_bytes = DRAFT_UOPS + pool;
  d->window_bytes = d->image_bytes + draw(d, 8000);
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
  return b ? common_divisor(b, a % b) : a;
}

void draft_image(struct draft *d)
{
  choose_sizes(d);
  d->grain = (uint32_t)tsr_design_beat(d->design);
  for (int b = 0; b < TSR_BUFFER_COUNT; b++) {
    choose_range(d, b);
    d->grain = common_divisor(d->grain, (uint32_t)tsr_design_dram_entry(d->design, b));
    d->first_element[b + 1] = d->first_element[b] + depth_of(d, b);
  }
  d->first_element[DRAFT_SPACES] = d->first_element[DRAFT_DRAM] + d->window_bytes / d->grain + 1;
  d->written = tsr_arena_alloc(d->arena, d->first_element[DRAFT_SPACES]);
  memset(d->written + d->first_element[DRAFT_DRAM], 1, d->window_bytes / d->grain + 1);
  d->uops = tsr_arena_alloc(d->arena, (size_t)depth_of(d, TSR_BUFFER_UOP) * TSR_UOP_BYTES);
  d->image = tsr_arena_alloc(d->arena, d->image_bytes);
  for (uint32_t at = DRAFT_UOPS; at + 4 <= d->image_bytes; at += 4) {
    uint32_t v = corner(d);
    memcpy(d->image + at, &v, 4);
  }
}

void draft_fill(struct draft *d)
{
  static const int buffers[] = {TSR_BUFFER_INP, TSR_BUFFER_WGT, TSR_BUFFER_ACC, TSR_BUFFER_LUT};
  for (int k = 0; k < 8; k++) {
    const struct range *hot = &d->hot[buffers[k / 2]][k % 2];
    struct tsr_insn i = {.opcode = TSR_OP_LOAD, .dma = {.nx = hot->count, .ny = 1, .nz = 1}};
    i.dma.buffer = buffers[k / 2];
    if (i.dma.buffer == TSR_BUFFER_ACC && draw(d, 4) == 0)
      i.dma.buffer = TSR_BUFFER_ACC8;
    i.dma.sram = hot->low;
    uint64_t beat = (uint64_t)tsr_design_beat(d->design);
    i.dma.dram = DRAFT_UOPS + beat * draw(d, (uint32_t)((d->image_bytes - DRAFT_UOPS -
                                                         dma_extent(d, &i)) / beat + 1));
    if (draw(d, 5))
      add_valid(d, &i, false);
  }
}

/* Micro-ops that are there already, in another nest; often not valid. */
static bool add_reused(struct draft *d)
{
  struct nest nest = draw_nest(d);
  const struct range *hot = &d->hot[TSR_BUFFER_UOP][draw(d, 2)];
  uint32_t count = nest.insn.loop.uop_count;
  nest.insn.loop.uop_begin = hot->low + draw(d, hot->count - count + 1);
  return add_valid(d, &nest.insn, false);
}

static bool add_one(struct draft *d)
{
  uint32_t kind = draw(d, 20);
  struct tsr_insn i = {.opcode = TSR_OP_SYNC, .engine = (int)draw(d, TSR_ENGINE_COUNT)};
  if (kind >= 1 && kind < 6)
    i = draw_dma(d, TSR_OP_LOAD);
  if (kind >= 6 && kind < 10)
    i = draw_dma(d, TSR_OP_STORE);
  if (kind < 10)
    return add_valid(d, &i, false);
  if (kind < 14)
    return add_reused(d);
  struct nest nest = draw_nest(d);
  return add_nest(d, &nest, false);
}

void draft_step(struct draft *d)
{
  for (int tries = 0; tries < 12 && d->count + 2 < DRAFT_INSNS; tries++)
    if (add_one(d))
      return;
}
