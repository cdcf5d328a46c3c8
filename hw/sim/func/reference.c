/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM and the vector rows as isa/insns.def says them, with no thought for speed. The fast paths
 * are graded against this file. */
#include <assert.h>

#include "base/arith.h"
#include "hw/sim/func/state.h"

enum { MOST_LANES = 16 * 128 };

static void gemm(struct tsr_func *func, const struct tsr__point *p)
{
  int rows = func->design.batch, in = func->design.block_in, out = func->design.block_out;
  int32_t *d = func->acc + (size_t)p->d * (size_t)(rows * out);
  const int8_t *a = func->inp + (size_t)p->a * (size_t)(rows * in);
  const int8_t *b = func->wgt + (size_t)p->b * (size_t)(out * in);
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < out; c++) {
      int32_t sum = p->first ? 0 : d[r * out + c];
      for (int k = 0; k < in; k++)
        sum = tsr_add_i32(sum, a[r * in + k] * b[c * in + k]);
      d[r * out + c] = sum;
    }
}

static int32_t lane(int opcode, bool first, int32_t a, int32_t b, int32_t d)
{
  switch (opcode) {
  case TSR_OP_ADD: return first ? a : tsr_add_i32(a, b);
  case TSR_OP_SUB: return tsr_sub_i32(a, b);
  case TSR_OP_MUL: return tsr_mul_i32(a, b);
  case TSR_OP_MIN: return first || a < b ? a : b;
  case TSR_OP_MAX: return first || a > b ? a : b;
  case TSR_OP_SHL: return tsr_shl_i32(a, b);
  case TSR_OP_SHR: return tsr_shr_i32(a, b);
  case TSR_OP_MOV: return a;
  case TSR_OP_MAC: return tsr_add_i32(first ? 0 : d, tsr_mul_i32(a, b));
  default: assert(!"a vector row without a meaning"); return 0;
  }
}

static int32_t reduce(int opcode, const int32_t *row, int lanes)
{
  int32_t r = row[0];
  for (int i = 1; i < lanes; i++)
    r = opcode == TSR_OP_RSUM ? tsr_add_i32(r, row[i]) : row[i] > r ? row[i] : r;
  return r;
}

static void read_a(const struct tsr_func *func, const struct tsr_insn *insn, uint32_t index,
                   int32_t *a)
{
  int lanes = tsr_design_lanes(&func->design);
  size_t at = (size_t)index * (size_t)lanes;
  for (int i = 0; i < lanes; i++)
    a[i] = insn->loop.src == TSR_SRC_INP ? func->inp[at + (size_t)i] : func->acc[at + (size_t)i];
}

static void write_d(struct tsr_func *func, const struct tsr_insn *insn, uint32_t index,
                    const int32_t *d)
{
  int lanes = tsr_design_lanes(&func->design);
  size_t at = (size_t)index * (size_t)lanes;
  for (int i = 0; i < lanes; i++) {
    if (insn->loop.dst == TSR_DST_ACC)
      func->acc[at + (size_t)i] = d[i];
    else
      (insn->loop.dst == TSR_DST_OUT ? func->out : func->inp)[at + (size_t)i] = tsr_sat_i8(d[i]);
  }
}

static void vector(struct tsr_func *func, const struct tsr_insn *insn, const struct tsr__point *p)
{
  int lanes = tsr_design_lanes(&func->design), row = func->design.block_out;
  int32_t a[MOST_LANES], d[MOST_LANES];
  read_a(func, insn, p->a, a);
  for (int i = 0; i < lanes; i++) {
    const int32_t *acc = func->acc + i; /* lane i of every entry is a multiple of `lanes` away */
    switch (insn->opcode) {
    case TSR_OP_LUT:
      d[i] = func->lut[(size_t)p->b * TSR_LUT_BYTES + (size_t)(tsr_sat_i8(a[i]) + 128)];
      break;
    case TSR_OP_RSUM:
    case TSR_OP_RMAX: d[i] = reduce(insn->opcode, a + i / row * row, row); break;
    case TSR_OP_QUANT:
      d[i] = tsr_quant_i32(a[i], acc[(size_t)p->b * (size_t)lanes],
                           acc[((size_t)p->b + 1) * (size_t)lanes],
                           acc[((size_t)p->b + 2) * (size_t)lanes]);
      break;
    case TSR_OP_MOV: d[i] = a[i]; break;
    default:
      d[i] = lane(insn->opcode, p->first, a[i], acc[(size_t)p->b * (size_t)lanes],
                  insn->opcode == TSR_OP_MAC ? acc[(size_t)p->d * (size_t)lanes] : 0);
    }
  }
  write_d(func, insn, p->d, d);
}

void tsr__reference(struct tsr_func *func, const struct tsr_insn *insn)
{
  const uint8_t *uops = tsr__uops(func, insn);
  for (uint32_t i0 = 0; i0 < insn->loop.n[0]; i0++)
    for (uint32_t i1 = 0; i1 < insn->loop.n[1]; i1++)
      for (uint32_t i2 = 0; i2 < insn->loop.n[2]; i2++)
        for (uint32_t u = 0; u < insn->loop.uop_count; u++) {
          struct tsr_uop uop;
          tsr_uop_decode(uops + (size_t)u * TSR_UOP_BYTES, &uop);
          struct tsr__point p = tsr__point_at(insn, &uop, i0, i1, i2);
          if (insn->opcode == TSR_OP_GEMM)
            gemm(func, &p);
          else
            vector(func, insn, &p);
        }
}
