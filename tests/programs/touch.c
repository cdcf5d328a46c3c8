/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/programs/draft.h"

static void touch(struct draft *d, struct drafted *out, int space, uint32_t entry, uint32_t how)
{
  struct touch t = {d->first_element[space] + entry, how};
  out->touches = TSR_GROW(d->arena, out->touches, out->count, &out->capacity);
  out->touches[out->count++] = t;
}

/* An entry of a scratchpad; false where it is out of range, or read and not written. */
static bool entry(struct draft *d, struct drafted *out, int buffer, uint64_t index, uint32_t how)
{
  if (index >= depth_of(d, buffer))
    return false;
  touch(d, out, buffer, (uint32_t)index, how);
  return !(how & TOUCH_READ) || d->written[d->first_element[buffer] + index];
}

static bool touch_dma(struct draft *d, struct drafted *out)
{
  const struct tsr_insn *i = &out->insn;
  bool good = true, load = i->opcode == TSR_OP_LOAD;
  int buffer = i->dma.buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : i->dma.buffer;
  uint64_t row = (uint64_t)i->dma.nx *
                 (uint64_t)tsr_design_dram_entry(d->design, i->dma.buffer);
  uint64_t entries = (uint64_t)(i->dma.xl + i->dma.nx + i->dma.xr) *
                     (i->dma.yl + i->dma.ny + i->dma.yr) * i->dma.nz;
  for (uint32_t z = 0; z < i->dma.nz; z++)
    for (uint32_t y = 0; y < i->dma.ny; y++) {
      uint64_t from = i->dma.dram + z * i->dma.sz + y * i->dma.sy;
      good &= from + row <= d->window_bytes;
      for (uint64_t at = from; at < from + row && at + d->grain <= d->window_bytes; at += d->grain)
        touch(d, out, DRAFT_DRAM, (uint32_t)(at / d->grain), load ? TOUCH_READ : TOUCH_WRITE);
    }
  for (uint64_t k = 0; k < entries && k < 70000; k++)
    good &= entry(d, out, buffer, i->dma.sram + k, load ? TOUCH_WRITE : TOUCH_READ);
  return good;
}

static bool touch_second(struct draft *d, struct drafted *out, bool first, uint64_t b)
{
  bool good = true;
  switch (out->insn.opcode) {
  case TSR_OP_MOV:
  case TSR_OP_RSUM:
  case TSR_OP_RMAX: return true;
  case TSR_OP_GEMM: return entry(d, out, TSR_BUFFER_WGT, b, TOUCH_READ);
  case TSR_OP_LUT: return entry(d, out, TSR_BUFFER_LUT, b, TOUCH_READ);
  case TSR_OP_QUANT:
    for (uint64_t k = 0; k < 3; k++)
      good &= entry(d, out, TSR_BUFFER_ACC, b + k, TOUCH_READ);
    return good;
  case TSR_OP_ADD:
  case TSR_OP_MIN:
  case TSR_OP_MAX:
    return entry(d, out, TSR_BUFFER_ACC, b, first ? TOUCH_IDLE : TOUCH_READ);
  default: return entry(d, out, TSR_BUFFER_ACC, b, TOUCH_READ);
  }
}

static bool touch_point(struct draft *d, struct drafted *out, const uint8_t *u,
                        const uint32_t at[3])
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  const struct tsr_insn *i = &out->insn;
  uint64_t x[3] = {u[0] | u[1] << 8, u[2] | u[3] << 8, u[4] | u[5] << 8};
  bool first = u[6] & 1, sums = i->opcode == TSR_OP_GEMM || i->opcode == TSR_OP_MAC, good = true;
  for (int k = 0; k < 3; k++) {
    x[0] += (uint64_t)at[k] * i->loop.step_dst[k];
    x[1] += (uint64_t)at[k] * i->loop.step_a[k];
    x[2] += (uint64_t)at[k] * i->loop.step_b[k];
    first &= at[k] == 0 || !(i->loop.first >> k & 1);
  }
  bool inp = i->opcode == TSR_OP_GEMM || i->loop.src == TSR_SRC_INP;
  good &= entry(d, out, inp ? TSR_BUFFER_INP : TSR_BUFFER_ACC, x[1], TOUCH_READ);
  good &= touch_second(d, out, first, x[2]);
  if (sums && !first)
    good &= entry(d, out, TSR_BUFFER_ACC, x[0], TOUCH_READ);
  good &= entry(d, out, sums ? TSR_BUFFER_ACC : dst[i->loop.dst], x[0], TOUCH_WRITE);
  if (good) /* so that a later point may read it */
    d->written[out->touches[out->count - 1].element] |= 2;
  return good;
}

static bool uop_good(const struct tsr_insn *i, const uint8_t *u)
{
  uint32_t flags = u[6] | (uint32_t)u[7] << 8;
  return flags == 0 || (flags == 1 && tsr_opcode_takes_first(i->opcode));
}

static bool touch_loop(struct draft *d, struct drafted *out)
{
  const struct tsr_insn *i = &out->insn;
  const uint8_t *uops = d->uops + (size_t)i->loop.uop_begin * TSR_UOP_BYTES;
  uint32_t at[3];
  bool good = true;
  for (uint32_t u = 0; u < i->loop.uop_count; u++)
    good &= entry(d, out, TSR_BUFFER_UOP, i->loop.uop_begin + u, TOUCH_READ);
  if (i->loop.uop_begin + i->loop.uop_count > depth_of(d, TSR_BUFFER_UOP))
    return false;
  for (at[0] = 0; at[0] < i->loop.n[0]; at[0]++)
    for (at[1] = 0; at[1] < i->loop.n[1]; at[1]++)
      for (at[2] = 0; at[2] < i->loop.n[2]; at[2]++)
        for (uint32_t u = 0; u < i->loop.uop_count; u++) {
          const uint8_t *uop = uops + (size_t)u * TSR_UOP_BYTES;
          good &= uop_good(i, uop);
          good &= touch_point(d, out, uop, at);
        }
  for (size_t k = 0; k < out->count; k++)
    d->written[out->touches[k].element] &= 1;
  return good;
}

bool touch_insn(struct draft *d, struct drafted *out)
{
  out->count = 0;
  switch (tsr_opcode_format(out->insn.opcode)) {
  case TSR_FORMAT_DMA: return touch_dma(d, out);
  case TSR_FORMAT_LOOP: return touch_loop(d, out);
  default: return true;
  }
}

uint32_t touched_banks(const struct draft *d, const struct drafted *at)
{
  uint32_t low = d->first_element[TSR_BUFFER_ACC], depth = depth_of(d, TSR_BUFFER_ACC), banks = 0;
  for (size_t k = 0; k < at->count; k++) {
    uint32_t e = at->touches[k].element;
    if (e >= low && e < low + depth)
      banks |= e - low < depth / 2 ? 1 : 2;
  }
  return banks;
}

/* The LOAD's box, micro-op by micro-op. */
static void load_uops(struct draft *d, const struct tsr_insn *i)
{
  uint8_t *to = d->uops + (size_t)i->dma.sram * TSR_UOP_BYTES;
  uint32_t width = i->dma.xl + i->dma.nx + i->dma.xr, rows = i->dma.yl + i->dma.ny + i->dma.yr;
  for (uint32_t k = 0; k < width * rows * i->dma.nz; k++, to += TSR_UOP_BYTES) {
    uint32_t x = k % width - i->dma.xl, y = k / width % rows - i->dma.yl, z = k / width / rows;
    memset(to, 0, TSR_UOP_BYTES);
    if (x < i->dma.nx && y < i->dma.ny) /* before the box they wrap to large numbers */
      memcpy(to, d->image + i->dma.dram + z * i->dma.sz + y * i->dma.sy + x * TSR_UOP_BYTES,
             TSR_UOP_BYTES);
  }
}

void touch_commit(struct draft *d, const struct drafted *at)
{
  for (size_t k = 0; k < at->count; k++)
    if (at->touches[k].how & TOUCH_WRITE)
      d->written[at->touches[k].element] = 1;
  if (at->insn.opcode == TSR_OP_LOAD && at->insn.dma.buffer == TSR_BUFFER_UOP)
    load_uops(d, &at->insn);
}
