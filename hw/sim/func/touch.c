/* SPDX-License-Identifier: Apache-2.0 */
/* Which elements an instruction reads and writes, point by point. */
#include "hw/sim/func/watch.h"
#include "verify/check.h"

typedef void touch(struct tsr__watch *watch, int buffer, uint64_t element);

static void touch_rows(struct tsr__watch *watch, const struct tsr_insn *insn, touch *how)
{
  uint64_t row = (uint64_t)insn->dma.nx *
                 (uint64_t)tsr_design_dram_entry(&watch->func->design, insn->dma.buffer);
  for (uint32_t z = 0; z < insn->dma.nz; z++)
    for (uint32_t y = 0; y < insn->dma.ny; y++) {
      uint64_t from = insn->dma.dram + z * insn->dma.sz + y * insn->dma.sy;
      for (uint64_t at = from / watch->grain; at < (from + row) / watch->grain; at++)
        how(watch, TSR_DETECT_DRAM, at);
    }
}

static void touch_dma(struct tsr__watch *watch, const struct tsr_insn *insn)
{
  bool load = insn->opcode == TSR_OP_LOAD;
  int buffer = insn->dma.buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : insn->dma.buffer;
  uint64_t entries = tsr_check_dma_entries(insn);
  touch_rows(watch, insn, load ? tsr__watch_read : tsr__watch_write);
  for (uint64_t i = 0; i < entries; i++)
    (load ? tsr__watch_write : tsr__watch_read)(watch, buffer, insn->dma.sram + i);
}

static void touch_second(struct tsr__watch *watch, int opcode, bool first, uint32_t b)
{
  bool unused = first && (opcode == TSR_OP_ADD || opcode == TSR_OP_MIN || opcode == TSR_OP_MAX);
  switch (tsr_check_second(opcode)) {
  case TSR_SECOND_NONE: break;
  case TSR_SECOND_WGT: tsr__watch_read(watch, TSR_BUFFER_WGT, b); break;
  case TSR_SECOND_LUT: tsr__watch_read(watch, TSR_BUFFER_LUT, b); break;
  case TSR_SECOND_ACC:
    if (!unused)
      tsr__watch_read(watch, TSR_BUFFER_ACC, b);
    break;
  case TSR_SECOND_ACC3:
    for (uint32_t k = 0; k < 3; k++)
      tsr__watch_read(watch, TSR_BUFFER_ACC, b + k);
    break;
  }
}

static void touch_point(struct tsr__watch *watch, const struct tsr_insn *insn,
                        const struct tsr__point *p)
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  bool gemm = insn->opcode == TSR_OP_GEMM;
  bool sums = gemm || insn->opcode == TSR_OP_MAC;
  bool inp = gemm || insn->loop.src == TSR_SRC_INP;
  tsr__watch_read(watch, inp ? TSR_BUFFER_INP : TSR_BUFFER_ACC, p->a);
  touch_second(watch, insn->opcode, p->first, p->b);
  if (sums && !p->first)
    tsr__watch_read(watch, TSR_BUFFER_ACC, p->d);
  tsr__watch_write(watch, sums ? TSR_BUFFER_ACC : dst[insn->loop.dst], p->d);
}

static void touch_loop(struct tsr__watch *watch, const struct tsr_insn *insn)
{
  const uint8_t *uops = tsr__uops(watch->func, insn);
  for (uint32_t u = 0; u < insn->loop.uop_count; u++)
    tsr__watch_read(watch, TSR_BUFFER_UOP, insn->loop.uop_begin + u);
  for (uint32_t i0 = 0; i0 < insn->loop.n[0]; i0++)
    for (uint32_t i1 = 0; i1 < insn->loop.n[1]; i1++)
      for (uint32_t i2 = 0; i2 < insn->loop.n[2]; i2++)
        for (uint32_t u = 0; u < insn->loop.uop_count; u++) {
          struct tsr_uop uop;
          tsr_uop_decode(uops + (size_t)u * TSR_UOP_BYTES, &uop);
          struct tsr__point p = tsr__point_at(insn, &uop, i0, i1, i2);
          touch_point(watch, insn, &p);
        }
}

void tsr__touch_all(struct tsr__watch *watch, const struct tsr_insn *insn)
{
  enum tsr_format format = tsr_opcode_format(insn->opcode);
  if (format == TSR_FORMAT_DMA)
    touch_dma(watch, insn);
  if (format == TSR_FORMAT_LOOP)
    touch_loop(watch, insn);
}
