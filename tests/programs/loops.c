/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/programs/loops.h"

enum { MOST_POINTS = 300 };

static int draw_opcode(struct draft *d)
{
  for (;;) {
    int opcode = random_opcodes[draw(d, (uint32_t)random_opcode_count)];
    if (draw(d, 4) == 0)
      opcode = TSR_OP_GEMM;
    if (tsr_opcode_format(opcode) == TSR_FORMAT_LOOP)
      return opcode;
  }
}

static void choose_buffers(struct nest *nest)
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  const struct tsr_insn *i = &nest->insn;
  bool gemm = i->opcode == TSR_OP_GEMM;
  nest->buffer[0] = dst[i->loop.dst];
  nest->buffer[1] = gemm || i->loop.src ? TSR_BUFFER_INP : TSR_BUFFER_ACC;
  nest->buffer[2] = gemm                         ? TSR_BUFFER_WGT
                    : i->opcode == TSR_OP_LUT    ? TSR_BUFFER_LUT
                    : i->opcode == TSR_OP_MOV    ? -1
                    : i->opcode == TSR_OP_RSUM   ? -1
                    : i->opcode == TSR_OP_RMAX   ? -1
                                                 : TSR_BUFFER_ACC;
  nest->extra[2] = i->opcode == TSR_OP_QUANT ? 2 : 0;
}

static void draw_counts(struct draft *d, struct tsr_insn *i)
{
  i->loop.uop_count = 1 + draw(d, draw(d, 3) ? 3 : NEST_UOPS);
  for (int k = 0; k < 3; k++)
    i->loop.n[k] = draw(d, 3) ? 1 + draw(d, 4) : draw(d, 2) ? 1 : 1 + draw(d, 12);
  while (i->loop.n[0] * i->loop.n[1] * i->loop.n[2] * i->loop.uop_count > MOST_POINTS)
    i->loop.n[draw(d, 3)] = 1;
}

static uint32_t *steps(struct nest *nest, int operand)
{
  uint32_t *const list[] = {nest->insn.loop.step_dst, nest->insn.loop.step_a,
                            nest->insn.loop.step_b};
  return list[operand];
}

uint32_t nest_span(const struct nest *nest, int operand)
{
  const uint32_t *const list[] = {nest->insn.loop.step_dst, nest->insn.loop.step_a,
                                  nest->insn.loop.step_b};
  uint32_t span = 0;
  for (int k = 0; k < 3; k++)
    span += (nest->insn.loop.n[k] - 1) * list[operand][k];
  return span;
}

/* Dense like the digits of a number, or at random; whatever leaves the range becomes 0. */
static void draw_steps(struct draft *d, struct nest *nest, int operand, uint32_t limit)
{
  uint32_t *step = steps(nest, operand), dense = 1;
  bool digits = draw(d, 2);
  for (int k = 2; k >= 0; k--) {
    step[k] = digits ? dense : draw(d, 5);
    dense *= draw(d, 4) ? nest->insn.loop.n[k] : 1;
    if (nest->insn.loop.n[k] == 1 && draw(d, 4) == 0)
      step[k] = draw(d, 65536); /* not used */
  }
  while (nest_span(nest, operand) > limit)
    step[draw(d, 3)] = 0;
}

static uint32_t draw_index(struct draft *d, const struct nest *nest, int operand)
{
  const struct range *hot = &d->hot[nest->buffer[operand]][draw(d, 2)];
  uint32_t room = hot->count - nest->extra[operand] - nest_span(nest, operand);
  switch (draw(d, 4)) {
  case 0: return hot->low;
  case 1: return hot->low + room - 1;
  default: return hot->low + draw(d, room);
  }
}

static void draw_operand(struct draft *d, struct nest *nest, int operand)
{
  for (int k = 0; nest->buffer[operand] < 0 && k < 3; k++)
    steps(nest, operand)[k] = draw(d, 65536);
  if (nest->buffer[operand] >= 0)
    draw_steps(d, nest, operand, d->hot[nest->buffer[operand]][0].count - 1 - nest->extra[operand]);
  for (uint32_t u = 0; u < nest->insn.loop.uop_count; u++) {
    uint32_t *const fields[] = {&nest->uops[u].dst, &nest->uops[u].a, &nest->uops[u].b};
    *fields[operand] = nest->buffer[operand] < 0 ? draw(d, 65536) : draw_index(d, nest, operand);
  }
}

struct nest draw_nest(struct draft *d)
{
  struct nest nest = {.insn.opcode = draw_opcode(d)};
  struct tsr_insn *i = &nest.insn;
  if (i->opcode != TSR_OP_GEMM)
    i->loop.src = (int)draw(d, 2);
  if (i->opcode != TSR_OP_GEMM && i->opcode != TSR_OP_MAC)
    i->loop.dst = (int)draw(d, 3);
  choose_buffers(&nest);
  draw_counts(d, i);
  for (int operand = 0; operand < 3; operand++)
    draw_operand(d, &nest, operand);
  if (!tsr_opcode_takes_first(i->opcode))
    return nest;
  i->loop.first = draw(d, 8);
  for (uint32_t u = 0; u < i->loop.uop_count; u++)
    nest.uops[u].overwrite = draw(d, 2);
  if (draw(d, 3) == 0) /* as pooling and sums do: the first tap starts */
    for (uint32_t u = 0; u < i->loop.uop_count; u++) {
      nest.uops[u].overwrite = u == 0;
      nest.uops[u].dst = nest.uops[0].dst;
    }
  return nest;
}

/* Into the image; byte in it, or UINT32_MAX where it is full. */
static uint32_t put_uops(struct draft *d, const struct nest *nest)
{
  uint32_t beat = (uint32_t)tsr_design_beat(d->design);
  uint32_t at = (d->uop_bytes + beat - 1) / beat * beat;
  if (at + nest->insn.loop.uop_count * TSR_UOP_BYTES > DRAFT_UOPS)
    return UINT32_MAX;
  for (uint32_t u = 0; u < nest->insn.loop.uop_count; u++)
    tsr_uop_encode(NULL, &nest->uops[u], d->image + at + (size_t)u * TSR_UOP_BYTES);
  if (nest->bad_bit)
    d->image[at + (uint32_t)nest->bad_bit / 8] |= (uint8_t)(1 << nest->bad_bit % 8);
  d->uop_bytes = at + nest->insn.loop.uop_count * TSR_UOP_BYTES;
  return at;
}

bool add_valid(struct draft *d, const struct tsr_insn *insn, bool spoilt)
{
  if (d->count == DRAFT_INSNS)
    return false;
  struct drafted *slot = &d->list[d->count];
  slot->insn = *insn;
  if (!touch_insn(d, slot) && !spoilt)
    return false;
  uint32_t *banks = &slot->insn.loop.banks;
  if (tsr_opcode_format(insn->opcode) == TSR_FORMAT_LOOP && !*banks)
    *banks = touched_banks(d, slot) | (draw(d, 4) ? 0 : draw(d, 4));
  touch_commit(d, slot);
  d->count++;
  return true;
}

bool add_nest(struct draft *d, struct nest *nest, bool spoilt)
{
  uint32_t from = put_uops(d, nest);
  if (from == UINT32_MAX)
    return false;
  const struct range *hot = &d->hot[TSR_BUFFER_UOP][draw(d, 2)];
  uint32_t count = nest->insn.loop.uop_count, room = hot->count - count;
  struct tsr_insn load = {.opcode = TSR_OP_LOAD,
                          .dma = {.dram = from, .nx = count, .ny = 1, .nz = 1}};
  load.dma.xl = room && draw(d, 4) == 0 ? draw(d, room < 3 ? room : 3) : 0;
  load.dma.xr = room > load.dma.xl && draw(d, 4) == 0;
  load.dma.sram = hot->low + draw(d, room - load.dma.xl - load.dma.xr + 1);
  load.dma.sy = draw(d, 100); /* not used */
  add_valid(d, &load, true);
  nest->insn.loop.uop_begin = load.dma.sram + load.dma.xl;
  return add_valid(d, &nest->insn, spoilt);
}

/* ---- transfers ---- */

uint32_t dma_entries(const struct tsr_insn *i)
{
  return (i->dma.xl + i->dma.nx + i->dma.xr) * (i->dma.yl + i->dma.ny + i->dma.yr) * i->dma.nz;
}

uint64_t dma_extent(const struct draft *d, const struct tsr_insn *i)
{
  uint64_t row = (uint64_t)i->dma.nx * (uint64_t)tsr_design_dram_entry(d->design, i->dma.buffer);
  return (i->dma.ny - 1) * i->dma.sy + (i->dma.nz - 1) * i->dma.sz + row;
}

static void draw_box(struct draft *d, struct tsr_insn *i, uint32_t limit)
{
  uint32_t *const counts[] = {&i->dma.nx, &i->dma.ny, &i->dma.nz};
  uint32_t *const pads[] = {&i->dma.xl, &i->dma.xr, &i->dma.yl, &i->dma.yr};
  for (int k = 0; k < 3; k++)
    *counts[k] = draw(d, 3) ? 1 + draw(d, 4) : 1;
  if (draw(d, 8) == 0)
    i->dma.nx = limit;
  for (int k = 0; k < 4 && i->opcode == TSR_OP_LOAD; k++)
    *pads[k] = draw(d, 4) ? 0 : 1 + draw(d, 3);
  while (dma_entries(i) > limit)
    if (draw(d, 2))
      *counts[draw(d, 3)] = 1;
    else
      *pads[draw(d, 4)] = 0;
}

static uint64_t draw_stride(struct draft *d, uint32_t count, uint64_t dense)
{
  uint64_t beat = (uint64_t)tsr_design_beat(d->design);
  dense = (dense + beat - 1) / beat * beat;
  if (count == 1)
    return draw(d, 2) ? 0 : random_next(&d->random) >> 32; /* not used */
  switch (draw(d, 4)) {
  case 0: return 0;
  case 1: return beat * draw(d, 1 + (uint32_t)(2 * dense / beat));
  default: return dense;
  }
}

static void draw_place(struct draft *d, struct tsr_insn *i)
{
  uint64_t beat = (uint64_t)tsr_design_beat(d->design);
  uint64_t low = i->opcode == TSR_OP_LOAD && draw(d, 4) == 0 ? 0 : DRAFT_UOPS;
  uint64_t row = (uint64_t)i->dma.nx * (uint64_t)tsr_design_dram_entry(d->design, i->dma.buffer);
  i->dma.sy = draw_stride(d, i->dma.ny, row);
  i->dma.sz = draw_stride(d, i->dma.nz, row * i->dma.ny);
  if (low + dma_extent(d, i) > d->window_bytes)
    i->dma.sy = i->dma.sz = 0;
  uint64_t places = (d->window_bytes - low - dma_extent(d, i)) / beat + 1;
  uint64_t at = draw(d, 8) == 0 ? places - 1 : random_next(&d->random) % places;
  i->dma.dram = low + beat * at;
}

static int32_t draw_pad(struct draft *d, int buffer)
{
  int32_t smallest = buffer == TSR_BUFFER_ACC ? INT16_MIN : INT8_MIN;
  switch (draw(d, 4)) {
  case 0: return smallest;
  case 1: return -1 - smallest;
  case 2: return 0;
  default: return smallest + (int32_t)draw(d, (uint32_t)(-2 * smallest));
  }
}

struct tsr_insn draw_dma(struct draft *d, int opcode)
{
  static const int loads[] = {TSR_BUFFER_INP, TSR_BUFFER_WGT, TSR_BUFFER_ACC, TSR_BUFFER_ACC8,
                              TSR_BUFFER_LUT};
  struct tsr_insn i = {.opcode = opcode};
  i.dma.buffer = opcode == TSR_OP_LOAD ? loads[draw(d, 5)]
                 : draw(d, 2)          ? TSR_BUFFER_OUT
                                       : TSR_BUFFER_ACC;
  int same = i.dma.buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : i.dma.buffer;
  const struct range *hot = &d->hot[same][draw(d, 2)];
  draw_box(d, &i, hot->count);
  i.dma.pad = opcode == TSR_OP_LOAD ? draw_pad(d, i.dma.buffer) : 0;
  i.dma.sram = hot->low + draw(d, hot->count - dma_entries(&i) + 1);
  draw_place(d, &i);
  return i;
}
