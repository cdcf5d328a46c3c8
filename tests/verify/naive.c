/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/verify/naive.h"

#include <string.h>

/* What instructions did with one entry so far: 1 read, 2 wrote. */
static void touch(struct naive *n, uint8_t **marks, int space, uint64_t entry, size_t insn,
                  uint8_t how)
{
  uint8_t *mark = &marks[space][entry * n->count];
  mark[insn] |= how;
}

static void touch_loop(struct naive *n, uint8_t **marks, size_t i, const uint8_t *uops)
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  const struct tsr_insn *insn = &n->insn[i];
  int op = insn->opcode;
  bool gemm = op == TSR_OP_GEMM, has_b = op != TSR_OP_MOV && op != TSR_OP_RSUM && op != TSR_OP_RMAX;
  int a_space = gemm || insn->loop.src ? TSR_BUFFER_INP : TSR_BUFFER_ACC;
  int b_space = gemm ? TSR_BUFFER_WGT : op == TSR_OP_LUT ? TSR_BUFFER_LUT : TSR_BUFFER_ACC;
  for (uint32_t i0 = 0; i0 < insn->loop.n[0]; i0++)
    for (uint32_t i1 = 0; i1 < insn->loop.n[1]; i1++)
      for (uint32_t i2 = 0; i2 < insn->loop.n[2]; i2++)
        for (uint32_t u = insn->loop.uop_begin; u < insn->loop.uop_begin + insn->loop.uop_count;
             u++) {
          const uint32_t *d = insn->loop.step_dst, *a = insn->loop.step_a, *b = insn->loop.step_b;
          struct tsr_uop uop;
          tsr_uop_decode(uops + u * TSR_UOP_BYTES, &uop);
          touch(n, marks, TSR_BUFFER_UOP, u, i, 1);
          touch(n, marks, dst[insn->loop.dst], uop.dst + i0 * d[0] + i1 * d[1] + i2 * d[2], i, 2);
          touch(n, marks, a_space, uop.a + i0 * a[0] + i1 * a[1] + i2 * a[2], i, 1);
          for (uint32_t k = 0; has_b && k < (op == TSR_OP_QUANT ? 3 : 1); k++)
            touch(n, marks, b_space, uop.b + i0 * b[0] + i1 * b[1] + i2 * b[2] + k, i, 1);
        }
}

/* Entries of a transfer one by one; LOADs of micro-ops are carried out. */
static void touch_transfer(struct naive *n, uint8_t **marks, size_t i, uint8_t *uops)
{
  const struct tsr_insn *insn = &n->insn[i];
  int space = insn->dma.buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : insn->dma.buffer;
  uint32_t width = insn->dma.xl + insn->dma.nx + insn->dma.xr;
  uint32_t height = insn->dma.yl + insn->dma.ny + insn->dma.yr, at = insn->dma.sram;
  for (uint32_t z = 0; z < insn->dma.nz; z++)
    for (uint32_t y = 0; y < height; y++)
      for (uint32_t x = 0; x < width; x++, at++) {
        uint64_t from = insn->dma.dram + z * insn->dma.sz + (y - insn->dma.yl) * insn->dma.sy +
                        (x - insn->dma.xl) * TSR_UOP_BYTES;
        touch(n, marks, space, at, i, insn->opcode == TSR_OP_LOAD ? 2 : 1);
        if (space == TSR_BUFFER_UOP)
          memcpy(uops + at * TSR_UOP_BYTES, n->program->data + from, TSR_UOP_BYTES);
      }
}

static uint64_t row_at(const struct tsr_insn *insn, uint32_t row)
{
  return insn->dma.dram + row / insn->dma.ny * insn->dma.sz + row % insn->dma.ny * insn->dma.sy;
}

/* Whether a LOAD and a STORE share a byte: every row with every row. */
static bool share_bytes(const struct naive *n, const struct tsr_insn *a, const struct tsr_insn *b)
{
  if (a->opcode == b->opcode || a->opcode > TSR_OP_STORE || b->opcode > TSR_OP_STORE)
    return false;
  uint64_t wide_a = a->dma.nx * (uint64_t)tsr_design_dram_entry(n->design, a->dma.buffer);
  uint64_t wide_b = b->dma.nx * (uint64_t)tsr_design_dram_entry(n->design, b->dma.buffer);
  for (uint32_t i = 0; i < a->dma.ny * a->dma.nz; i++)
    for (uint32_t j = 0; j < b->dma.ny * b->dma.nz; j++)
      if (row_at(a, i) < row_at(b, j) + wide_b && row_at(b, j) < row_at(a, i) + wide_a)
        return true;
  return false;
}

static void find_conflicts(struct naive *n, uint8_t **marks)
{
  for (int space = 0; space < TSR_BUFFER_COUNT; space++)
    for (uint64_t e = 0; e < (uint64_t)tsr_design_depth(n->design, space); e++) {
      const uint8_t *mark = &marks[space][e * n->count];
      for (size_t i = 0; i < n->count; i++)
        for (size_t j = i + 1; mark[i] && j < n->count; j++)
          n->conflict[i * n->count + j] |= mark[j] && (mark[i] | mark[j]) & 2;
    }
  for (size_t i = 0; i < n->count; i++)
    for (size_t j = i + 1; j < n->count; j++)
      n->conflict[i * n->count + j] |= share_bytes(n, &n->insn[i], &n->insn[j]);
}

struct naive *naive_new(struct tsr_arena *arena, const struct tsr_design *design,
                        const struct tsr_program *program)
{
  struct naive *n = TSR_NEW(arena, struct naive);
  uint8_t *uops = tsr_arena_alloc(arena, 65536 * TSR_UOP_BYTES), *marks[TSR_BUFFER_COUNT];
  *n = (struct naive){arena, design, program, program->insn_count - 1, NULL, NULL, NULL};
  n->insn = TSR_NEW_ARRAY(arena, struct tsr_insn, n->count + 1);
  n->conflict = TSR_NEW_ARRAY(arena, bool, n->count * n->count + 1);
  n->before = TSR_NEW_ARRAY(arena, bool, n->count * n->count + 1);
  for (int b = 0; b < TSR_BUFFER_COUNT; b++)
    marks[b] = tsr_arena_alloc(arena, (size_t)tsr_design_depth(design, b) * n->count + 1);
  for (size_t i = 0; i < n->count; i++) {
    tsr_insn_decode(program->insns + i * TSR_INSN_BYTES, &n->insn[i]);
    if (tsr_opcode_format(n->insn[i].opcode) == TSR_FORMAT_LOOP)
      touch_loop(n, marks, i, uops);
    else if (tsr_opcode_format(n->insn[i].opcode) == TSR_FORMAT_DMA)
      touch_transfer(n, marks, i, uops);
  }
  find_conflicts(n, marks);
  return n;
}

/* The instruction that gave the token which j takes from engine p. */
static size_t giver(const struct naive *n, size_t j, int p)
{
  int engine = tsr_insn_engine(&n->insn[j]);
  size_t taken = 0;
  for (size_t i = 0; i < j; i++)
    taken += tsr_insn_engine(&n->insn[i]) == engine && n->insn[i].wait >> p & 1;
  for (size_t i = 0; i < j; i++)
    if (tsr_insn_engine(&n->insn[i]) == p && n->insn[i].signal >> engine & 1 && taken-- == 0)
      return i;
  return n->count;
}

static void add_before(struct naive *n, size_t i, size_t j)
{
  n->before[i * n->count + j] = true;
  for (size_t k = 0; k < i; k++)
    n->before[k * n->count + j] |= n->before[k * n->count + i];
}

size_t naive_races(struct naive *n)
{
  size_t races = 0;
  memset(n->before, 0, n->count * n->count);
  for (size_t j = 0; j < n->count; j++) {
    int engine = tsr_insn_engine(&n->insn[j]);
    for (size_t i = 0; i < j; i++)
      if (tsr_insn_engine(&n->insn[i]) == engine)
        add_before(n, i, j);
    for (int p = 0; p < TSR_ENGINE_COUNT; p++)
      if (n->insn[j].wait >> p & 1)
        add_before(n, giver(n, j, p), j);
    for (size_t i = 0; i < j; i++)
      races += n->conflict[i * n->count + j] && !n->before[i * n->count + j];
  }
  return races;
}

/* ---- what was written ---- */

struct memory {
  bool *written[TSR_BUFFER_COUNT];
};

static bool takes_b(int op, bool first)
{
  bool needless = op == TSR_OP_MOV || op == TSR_OP_RSUM || op == TSR_OP_RMAX;
  return !needless && !(first && (op == TSR_OP_ADD || op == TSR_OP_MIN || op == TSR_OP_MAX));
}

/* Whether the point reads nothing; then it writes. */
static bool run_point(struct memory *m, const struct tsr_insn *insn, const struct tsr_uop *uop,
                      const uint32_t at[3])
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  int op = insn->opcode;
  bool gemm = op == TSR_OP_GEMM, first = uop->overwrite, bad = false;
  uint32_t d = uop->dst, a = uop->a, b = uop->b;
  for (int k = 0; k < 3; k++) {
    d += at[k] * insn->loop.step_dst[k];
    a += at[k] * insn->loop.step_a[k];
    b += at[k] * insn->loop.step_b[k];
    first &= at[k] == 0 || !(insn->loop.first >> k & 1);
  }
  bad |= !m->written[gemm || insn->loop.src ? TSR_BUFFER_INP : TSR_BUFFER_ACC][a];
  int b_space = gemm ? TSR_BUFFER_WGT : op == TSR_OP_LUT ? TSR_BUFFER_LUT : TSR_BUFFER_ACC;
  for (uint32_t k = 0; takes_b(op, first) && k < (op == TSR_OP_QUANT ? 3 : 1); k++)
    bad |= !m->written[b_space][b + k];
  if ((gemm || op == TSR_OP_MAC) && !first)
    bad |= !m->written[TSR_BUFFER_ACC][d];
  m->written[dst[insn->loop.dst]][d] = true;
  return bad;
}

static bool run_loop(struct memory *m, const struct tsr_insn *insn, const uint8_t *uops)
{
  bool bad = false;
  uint32_t at[3];
  for (at[0] = 0; at[0] < insn->loop.n[0]; at[0]++)
    for (at[1] = 0; at[1] < insn->loop.n[1]; at[1]++)
      for (at[2] = 0; at[2] < insn->loop.n[2]; at[2]++)
        for (uint32_t u = 0; u < insn->loop.uop_count; u++) {
          struct tsr_uop uop;
          tsr_uop_decode(uops + (insn->loop.uop_begin + u) * TSR_UOP_BYTES, &uop);
          bad |= !m->written[TSR_BUFFER_UOP][insn->loop.uop_begin + u];
          bad |= run_point(m, insn, &uop, at);
        }
  return bad;
}

static bool run_transfer(struct memory *m, const struct tsr_insn *insn)
{
  int space = insn->dma.buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : insn->dma.buffer;
  uint32_t entries = (insn->dma.xl + insn->dma.nx + insn->dma.xr) *
                     (insn->dma.yl + insn->dma.ny + insn->dma.yr) * insn->dma.nz;
  bool bad = false;
  for (uint32_t e = insn->dma.sram; e < insn->dma.sram + entries; e++) {
    bad |= insn->opcode == TSR_OP_STORE && !m->written[space][e];
    m->written[space][e] |= insn->opcode == TSR_OP_LOAD;
  }
  return bad;
}

size_t naive_unwritten(const struct naive *n)
{
  struct memory m;
  size_t found = 0;
  uint8_t *uops = tsr_arena_alloc(n->arena, 65536 * TSR_UOP_BYTES);
  for (int b = 0; b < TSR_BUFFER_COUNT; b++)
    m.written[b] = TSR_NEW_ARRAY(n->arena, bool, tsr_design_depth(n->design, b));
  for (size_t i = 0; i < n->count; i++) {
    const struct tsr_insn *insn = &n->insn[i];
    if (tsr_opcode_format(insn->opcode) == TSR_FORMAT_LOOP)
      found += run_loop(&m, insn, uops);
    else if (tsr_opcode_format(insn->opcode) == TSR_FORMAT_DMA)
      found += run_transfer(&m, insn);
    if (insn->opcode == TSR_OP_LOAD && insn->dma.buffer == TSR_BUFFER_UOP)
      memcpy(uops + insn->dma.sram * TSR_UOP_BYTES, n->program->data + insn->dma.dram,
             (size_t)insn->dma.nx * TSR_UOP_BYTES);
  }
  return found;
}
