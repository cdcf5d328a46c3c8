/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions with a defect of their own. */
#include "tests/programs/loops.h"

static uint32_t *index_of(struct nest *nest, int operand)
{
  uint32_t *const fields[] = {&nest->uops[0].dst, &nest->uops[0].a, &nest->uops[0].b};
  return fields[operand];
}

/* The first micro-op's operand is one past the end at the far corner, and nowhere before. */
static bool past_the_end(struct draft *d)
{
  struct nest nest = draw_nest(d);
  int operand = (int)draw(d, 3);
  if (nest.buffer[operand] < 0)
    return false;
  uint32_t reach = nest.extra[operand] + nest_span(&nest, operand);
  uint32_t index = depth_of(d, nest.buffer[operand]) - reach;
  if (index > UINT16_MAX)
    return false;
  *index_of(&nest, operand) = index;
  nest.insn.loop.banks = 3;
  add_nest(d, &nest, true);
  return true;
}

static bool past_uops(struct draft *d)
{
  struct nest nest = draw_nest(d);
  nest.insn.loop.banks = 3;
  nest.insn.loop.uop_begin = depth_of(d, TSR_BUFFER_UOP) + 1 - nest.insn.loop.uop_count;
  return add_valid(d, &nest.insn, true);
}

static bool past_scratchpad(struct draft *d)
{
  struct tsr_insn i = draw_dma(d, TSR_OP_LOAD + (int)draw(d, 2));
  i.dma.sram = depth_of(d, i.dma.buffer) + 1 - dma_entries(&i);
  return add_valid(d, &i, true);
}

static bool past_window(struct draft *d)
{
  struct tsr_insn i = draw_dma(d, TSR_OP_LOAD + (int)draw(d, 2));
  uint64_t beat = (uint64_t)tsr_design_beat(d->design);
  i.dma.dram = (d->window_bytes - dma_extent(d, &i)) / beat * beat + beat;
  return add_valid(d, &i, true);
}

static bool askew(struct draft *d)
{
  struct tsr_insn i = draw_dma(d, TSR_OP_LOAD + (int)draw(d, 2));
  uint64_t off = 1 + draw(d, (uint32_t)tsr_design_beat(d->design) - 1);
  if (i.dma.ny > 1 && draw(d, 2))
    i.dma.sy += off;
  else if (i.dma.nz > 1 && draw(d, 2))
    i.dma.sz += off;
  else
    i.dma.dram += off;
  return i.dma.dram + dma_extent(d, &i) <= d->window_bytes && add_valid(d, &i, true);
}

static bool not_named(struct draft *d)
{
  struct nest nest = draw_nest(d);
  if (!add_nest(d, &nest, false))
    return false;
  struct drafted *last = &d->list[d->count - 1];
  uint32_t touched = touched_banks(d, last);
  if (!touched)
    return false;
  last->insn.loop.banks &= ~(touched == 3 ? 1u + draw(d, 2) : touched);
  return true;
}

static bool bad_uop(struct draft *d)
{
  struct nest nest = draw_nest(d);
  bool flag = !tsr_opcode_takes_first(nest.insn.opcode) && draw(d, 2);
  nest.bad_bit = flag ? 48 : 49 + (int)draw(d, 15);
  nest.insn.loop.banks = 3;
  add_nest(d, &nest, true);
  return true;
}

/* Of the buffer, an entry that nothing wrote. */
static bool find_unwritten(struct draft *d, int buffer, uint32_t *entry)
{
  for (int tries = 0; tries < 100; tries++) {
    *entry = draw(d, depth_of(d, buffer));
    if (!d->written[d->first_element[buffer] + *entry])
      return true;
  }
  return false;
}

static bool from_nowhere(struct draft *d)
{
  struct nest nest = draw_nest(d);
  uint32_t *step = nest.insn.loop.step_a;
  step[0] = step[1] = step[2] = 0;
  if (!find_unwritten(d, nest.buffer[1], &nest.uops[0].a))
    return false;
  if (draw(d, 2)) {
    add_nest(d, &nest, true);
    return true;
  }
  struct tsr_insn i = draw_dma(d, TSR_OP_STORE);
  i.dma.nx = i.dma.ny = i.dma.nz = 1;
  return find_unwritten(d, i.dma.buffer, &i.dma.sram) && add_valid(d, &i, true);
}

static bool spoil(struct draft *d, enum defect defect)
{
  switch (defect) {
  case DEFECT_INDEX: return past_the_end(d);
  case DEFECT_UOP_INDEX: return past_uops(d);
  case DEFECT_DMA_INDEX: return past_scratchpad(d);
  case DEFECT_WINDOW: return past_window(d);
  case DEFECT_ALIGN: return askew(d);
  case DEFECT_BANK: return not_named(d);
  case DEFECT_UOP_BITS: return bad_uop(d);
  case DEFECT_UNWRITTEN: return from_nowhere(d);
  default: return true;
  }
}

void draft_spoilt(struct draft *d, enum defect defect)
{
  while (!spoil(d, defect))
    ;
}
