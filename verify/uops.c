/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/uops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GRAIN = 8 }; /* bytes of the image that one mark stands for */

struct tsr__uops {
  const struct tsr_design *design;
  const struct tsr_program *program;
  uint8_t *now; /* the scratchpad */
  uint8_t *marks; /* a byte a grain of the image: loaded as micro-ops; NULL until the first load */
  struct tsr_arena *arena;
};

struct tsr__uops *tsr__uops_new(struct tsr_arena *arena, const struct tsr_design *design,
                                const struct tsr_program *program)
{
  struct tsr__uops *uops = TSR_NEW(arena, struct tsr__uops);
  uops->design = design;
  uops->program = program;
  uops->arena = arena;
  uops->now = tsr_arena_alloc(arena,
                              (size_t)tsr_design_depth(design, TSR_BUFFER_UOP) * TSR_UOP_BYTES);
  return uops;
}

const uint8_t *tsr__uops_now(const struct tsr__uops *uops)
{
  return uops->now;
}

/* One contiguous row of micro-ops; how many of its bytes lie in the image. */
static uint64_t load_row(struct tsr__uops *uops, uint8_t *to, uint64_t from, uint64_t bytes)
{
  uint64_t image = uops->program->data_bytes;
  uint64_t known = from >= image ? 0 : image - from < bytes ? image - from : bytes;
  memset(to, 0, bytes);
  if (known == 0)
    return 0;
  memcpy(to, uops->program->data + from, known);
  memset(uops->marks + from / GRAIN, 1, (from + known - 1) / GRAIN - from / GRAIN + 1);
  return known;
}

bool tsr__uops_load(struct tsr__uops *uops, size_t index, const struct tsr_insn *insn, char *text,
                    size_t size)
{
  uint64_t row = (uint64_t)insn->dma.nx * TSR_UOP_BYTES;
  uint64_t width = ((uint64_t)insn->dma.xl + insn->dma.nx + insn->dma.xr) * TSR_UOP_BYTES;
  uint8_t *to = uops->now + (size_t)insn->dma.sram * TSR_UOP_BYTES;
  uint64_t unknown = 0;
  if (!uops->marks)
    uops->marks = tsr_arena_alloc(uops->arena, uops->program->data_bytes / GRAIN + 1);
  for (uint32_t z = 0; z < insn->dma.nz; z++) {
    memset(to, 0, insn->dma.yl * width);
    to += insn->dma.yl * width;
    for (uint32_t y = 0; y < insn->dma.ny; y++, to += width) {
      uint64_t from = insn->dma.dram + z * insn->dma.sz + y * insn->dma.sy;
      memset(to, 0, width);
      unknown += row - load_row(uops, to + insn->dma.xl * TSR_UOP_BYTES, from, row);
    }
    memset(to, 0, insn->dma.yr * width);
    to += insn->dma.yr * width;
  }
  if (unknown)
    snprintf(text, size,
             "instruction %zu (load, load): %" PRIu64
             " bytes of micro-ops come from behind the program's "
             "data image of %zu bytes, where nothing is known of them",
             index, unknown, uops->program->data_bytes);
  return unknown == 0;
}

bool tsr__uops_stored(const struct tsr__uops *uops, size_t index, const struct tsr_insn *insn,
                      char *text, size_t size)
{
  uint64_t image = uops->program->data_bytes;
  uint64_t row = (uint64_t)insn->dma.nx *
                 (uint64_t)tsr_design_dram_entry(uops->design, insn->dma.buffer);
  for (uint32_t z = 0; uops->marks && z < insn->dma.nz; z++)
    for (uint32_t y = 0; y < insn->dma.ny; y++) {
      uint64_t from = insn->dma.dram + z * insn->dma.sz + y * insn->dma.sy;
      uint64_t end = from + row < image ? from + row : image;
      if (from >= end)
        continue;
      const uint8_t *mark = memchr(uops->marks + from / GRAIN, 1,
                                   (end - 1) / GRAIN - from / GRAIN + 1);
      if (!mark)
        continue;
      snprintf(text, size,
               "instruction %zu (store, store): writes over micro-ops of the program at DRAM byte "
               "%" PRIu64,
               index, (uint64_t)(mark - uops->marks) * GRAIN);
      return true;
    }
  return false;
}
