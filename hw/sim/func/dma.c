/* SPDX-License-Identifier: Apache-2.0 */
/* LOAD and STORE: boxes of entries between the window and the scratchpads. */
#include <string.h>

#include "hw/sim/func/state.h"
#include "hw/sim/func/tiles.h"
#include "verify/check.h"

static uint8_t *place(struct tsr_func *func, int buffer)
{
  switch (buffer) {
  case TSR_BUFFER_UOP: return func->uop;
  case TSR_BUFFER_INP: return (uint8_t *)func->inp;
  case TSR_BUFFER_WGT: return (uint8_t *)func->wgt;
  case TSR_BUFFER_OUT: return (uint8_t *)func->out;
  case TSR_BUFFER_LUT: return (uint8_t *)func->lut;
  default: return (uint8_t *)func->acc;
  }
}

/* A scratchpad as LOAD writes it: dense entries, filled from the front. */
struct cursor {
  uint8_t *to;
  size_t entry;      /* bytes in the scratchpad */
  size_t dram_entry; /* bytes in the window; less only for ACC8 */
  int32_t pad;
  int buffer;
};

static void pad_entries(struct cursor *at, size_t entries)
{
  size_t bytes = entries * at->entry;
  if (at->buffer == TSR_BUFFER_ACC || at->buffer == TSR_BUFFER_ACC8) {
    int32_t *to = (int32_t *)(void *)at->to;
    for (size_t i = 0; i < bytes / 4; i++)
      to[i] = at->pad;
  } else {
    memset(at->to, at->pad, bytes);
  }
  at->to += bytes;
}

static void copy_entries(struct cursor *at, const uint8_t *from, size_t entries)
{
  if (at->buffer == TSR_BUFFER_ACC8) {
    int32_t *to = (int32_t *)(void *)at->to;
    for (size_t i = 0; i < entries * at->dram_entry; i++)
      to[i] = (int8_t)from[i];
  } else {
    memcpy(at->to, from, entries * at->entry);
  }
  at->to += entries * at->entry;
}

void tsr__load(struct tsr_func *func, const struct tsr_insn *insn, const uint8_t *window)
{
  int buffer = insn->dma.buffer;
  size_t dram_entry = (size_t)tsr_design_dram_entry(&func->design, buffer);
  size_t entry = buffer == TSR_BUFFER_ACC8 ? 4 * dram_entry : dram_entry;
  size_t width = (size_t)insn->dma.xl + insn->dma.nx + insn->dma.xr;
  struct cursor at = {place(func, buffer) + insn->dma.sram * entry, entry, dram_entry,
                      insn->dma.pad, buffer};
  for (uint32_t z = 0; z < insn->dma.nz; z++) {
    pad_entries(&at, insn->dma.yl * width);
    for (uint32_t y = 0; y < insn->dma.ny; y++) {
      pad_entries(&at, insn->dma.xl);
      copy_entries(&at, window + insn->dma.dram + z * insn->dma.sz + y * insn->dma.sy,
                   insn->dma.nx);
      pad_entries(&at, insn->dma.xr);
    }
    pad_entries(&at, insn->dma.yr * width);
  }
  func->counters.dram_read_bytes += (uint64_t)insn->dma.nz * insn->dma.ny * insn->dma.nx *
                                    dram_entry;
  if (buffer == TSR_BUFFER_INP)
    tsr__tiles_inp(func, insn->dma.sram, tsr_check_dma_entries(insn));
  if (buffer == TSR_BUFFER_WGT)
    tsr__tiles_wgt(func, insn->dma.sram, tsr_check_dma_entries(insn));
}

void tsr__store(struct tsr_func *func, const struct tsr_insn *insn, uint8_t *window)
{
  size_t entry = (size_t)tsr_design_dram_entry(&func->design, insn->dma.buffer);
  size_t row = insn->dma.nx * entry;
  const uint8_t *from = place(func, insn->dma.buffer) + insn->dma.sram * entry;
  for (uint32_t z = 0; z < insn->dma.nz; z++)
    for (uint32_t y = 0; y < insn->dma.ny; y++, from += row)
      memcpy(window + insn->dma.dram + z * insn->dma.sz + y * insn->dma.sy, from, row);
  func->counters.dram_write_bytes += (uint64_t)insn->dma.nz * insn->dma.ny * row;
}
