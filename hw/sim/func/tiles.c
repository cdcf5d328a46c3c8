/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/func/tiles.h"

enum { TILE_SLACK = 64 }; /* kernels may load whole vectors at the end */

static size_t larger(size_t a, size_t b)
{
  return a > b ? a : b;
}

struct tsr__tiles *tsr__tiles_new(struct tsr_arena *arena, const struct tsr_design *design)
{
  struct tsr__tiles *tiles = TSR_NEW(arena, struct tsr__tiles);
  size_t element = 0, tile = 0;
  for (enum tsr__path path = TSR__PLAIN; path <= tsr__best_path(); path++) {
    const struct tsr__kernel *kernel = tsr__kernel_find(path, design->block_in, design->block_out);
    element = larger(element, kernel->element);
    tile = larger(tile, kernel->tile_bytes(design->block_in, design->block_out));
  }
  size_t entry = element * (size_t)(design->batch * design->block_in);
  tiles->inp = tsr_arena_alloc(arena, (size_t)tsr_design_depth(design, TSR_BUFFER_INP) * entry +
                                          TILE_SLACK);
  tiles->wgt = tsr_arena_alloc(arena, (size_t)tsr_design_depth(design, TSR_BUFFER_WGT) * tile +
                                          TILE_SLACK);
  return tiles;
}

void tsr__tiles_layout(struct tsr_func *func)
{
  const struct tsr_design *d = &func->design;
  struct tsr__tiles *tiles = func->tiles;
  tiles->kernel = tsr__kernel_find(func->path, d->block_in, d->block_out);
  tiles->inp_entry = tiles->kernel->element * (size_t)(d->batch * d->block_in);
  tiles->wgt_entry = tiles->kernel->tile_bytes(d->block_in, d->block_out);
  func->stale = true;
}

void tsr__tiles_refresh(struct tsr_func *func)
{
  if (!func->stale)
    return;
  tsr__tiles_inp(func, 0, (uint64_t)tsr_design_depth(&func->design, TSR_BUFFER_INP));
  tsr__tiles_wgt(func, 0, (uint64_t)tsr_design_depth(&func->design, TSR_BUFFER_WGT));
  func->stale = false;
}

void tsr__tiles_inp(struct tsr_func *func, uint32_t first, uint64_t count)
{
  struct tsr__tiles *tiles = func->tiles;
  size_t elements = (size_t)(func->design.batch * func->design.block_in);
  tiles->kernel->pack_inp(tiles->inp + first * tiles->inp_entry, func->inp + first * elements,
                          (size_t)count * elements);
}

void tsr__tiles_wgt(struct tsr_func *func, uint32_t first, uint64_t count)
{
  struct tsr__tiles *tiles = func->tiles;
  int in = func->design.block_in, out = func->design.block_out;
  for (uint64_t i = first; i < first + count; i++)
    tiles->kernel->pack_wgt(tiles->wgt + i * tiles->wgt_entry, func->wgt + i * (uint64_t)(in * out),
                            in, out);
}

/* The span from the least entry to the last; those between that were not written stay the same. */
void tsr__tiles_inp_written(struct tsr_func *func, const struct tsr_insn *insn)
{
  const uint8_t *uop = tsr__uops(func, insn);
  uint32_t low = UINT32_MAX, high = 0;
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uop += TSR_UOP_BYTES) {
    uint32_t d = tsr__le16(uop);
    low = d < low ? d : low;
    high = d > high ? d : high;
  }
  for (int k = 0; k < 3; k++)
    high += (insn->loop.n[k] - 1) * insn->loop.step_dst[k];
  tsr__tiles_inp(func, low, high - low + 1);
}
