/* SPDX-License-Identifier: Apache-2.0 */
/* Included once for each kind of host, which has defined TARGET (a function attribute), NAME (the
 * entry), WIDEST (lanes of its largest vector) and two functions
 *
 *   widen(from, count, out): count int8 to int32
 *   quant(a, b, lanes, count, out): tsr_quant_i32 of count lanes (16, 8 or 4); a and out are
 * `count` int32 of any type, b points to the first of three entries that are `lanes` apart
 *
 * Loop points run one after the other, in their order. Within a point no lane sees another (but for
 * the reductions), so its lanes go in chunks, written in the vector types that gcc and clang share.
 * The opcode is a constant where it is looked at. Lanes that are no multiple of 4 go the
 * reference's way. */
#include <string.h>

#include "base/arith.h"
#include "hw/sim/func/vector.h"

struct nest {
  const struct tsr_insn *insn;
  const uint8_t *uops;
  int32_t *acc;
  int8_t *inp, *narrow; /* narrow: where a result of 8 bits goes */
  const int8_t *lut;
  size_t lanes, row; /* row: lanes of a batch row */
  bool from_inp, to_acc;
};

/* Lanes where the mask is set (-1) from x, the others from y. */
#define PICK(mask, x, y) (((x) & (mask)) | ((y) & ~(mask)))
#define SMALLER(x, y) PICK((x) < (y), x, y)
#define LARGER(x, y) PICK((x) > (y), x, y)

/* Chunks of N lanes. Signed vector sums and products wrap, as -fwrapv has it. Rounding to nearest
 * even: up where rest + (floor is odd) > half, unless nothing is shifted out. Vectors are passed by
 * address, since by value the calling convention would depend on TARGET. */
#define CHUNK(N)                                                                                   \
  typedef int32_t i32x##N __attribute__((vector_size(4 * N)));                                     \
  typedef uint32_t u32x##N __attribute__((vector_size(4 * N)));                                    \
  typedef int8_t i8x##N __attribute__((vector_size(N)));                                           \
                                                                                                   \
  INLINE void shr##N(const i32x##N *a, const i32x##N *b, i32x##N *out)                             \
  {                                                                                                \
    i32x##N shift = *b & 31, floor = *a >> shift;                                                  \
    u32x##N one = (u32x##N)(shift - shift + 1) << (u32x##N)shift, half = one >> 1;                 \
    u32x##N rest = (u32x##N) * a & (one - 1), odd = (u32x##N)(floor & 1 & (shift != 0));           \
    *out = floor - (i32x##N)(rest + odd > half);                                                   \
  }                                                                                                \
                                                                                                   \
  INLINE void combine##N(const int opcode, bool first, const i32x##N *a, const int32_t *b_at,      \
                         const int32_t *d_at, i32x##N *out)                                        \
  {                                                                                                \
    i32x##N b, d;                                                                                  \
    memcpy(&b, b_at, sizeof b);                                                                    \
    switch (opcode) {                                                                              \
    case TSR_OP_ADD: *out = first ? *a : *a + b; break;                                            \
    case TSR_OP_SUB: *out = *a - b; break;                                                         \
    case TSR_OP_MUL: *out = *a * b; break;                                                         \
    case TSR_OP_MIN: *out = first ? *a : SMALLER(*a, b); break;                                    \
    case TSR_OP_MAX: *out = first ? *a : LARGER(*a, b); break;                                     \
    case TSR_OP_SHL: *out = *a << (b & 31); break;                                                 \
    case TSR_OP_SHR: shr##N(a, &b, out); break;                                                    \
    default: /* MAC */ memcpy(&d, d_at, sizeof d); *out = first ? *a * b : d + *a * b;             \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  /* One chunk of a point; d, a and b are elements from the start of the scratchpads. */           \
  INLINE void chunk##N(const struct nest *n, const int opcode, size_t d, size_t a, size_t b,       \
                       bool first)                                                                 \
  {                                                                                                \
    i32x##N x, z;                                                                                  \
    i8x##N narrow;                                                                                 \
    if (n->from_inp) {                                                                             \
      widen(n->inp + a, N, &x);                                                                    \
    } else {                                                                                       \
      memcpy(&x, n->acc + a, sizeof x);                                                            \
    }                                                                                              \
    if (opcode == TSR_OP_QUANT)                                                                    \
      quant(&x, n->acc + b, n->lanes, N, &z);                                                      \
    else if (opcode == TSR_OP_MOV)                                                                 \
      z = x;                                                                                       \
    else                                                                                           \
      combine##N(opcode, first, &x, n->acc + b, n->acc + d, &z);                                   \
    if (n->to_acc) {                                                                               \
      memcpy(n->acc + d, &z, sizeof z);                                                            \
    } else {                                                                                       \
      z = SMALLER(z, z - z + 127);                                                                 \
      narrow = __builtin_convertvector(LARGER(z, z - z - 128), i8x##N);                            \
      memcpy(n->narrow + d, &narrow, sizeof narrow);                                               \
    }                                                                                              \
  }

CHUNK(16)
CHUNK(8)
CHUNK(4)

/* A batch row of RSUM or RMAX. */
INLINE void reduce(const struct nest *n, const int opcode, size_t d, size_t a)
{
  uint32_t sum = 0;
  int32_t most = INT32_MIN;
  for (size_t i = 0; i < n->row; i++) {
    int32_t x = n->from_inp ? n->inp[a + i] : n->acc[a + i];
    sum += (uint32_t)x;
    most = x > most ? x : most;
  }
  int32_t result = opcode == TSR_OP_RSUM ? (int32_t)sum : most;
  for (size_t i = 0; i < n->row; i++) {
    if (n->to_acc)
      n->acc[d + i] = result;
    else
      n->narrow[d + i] = tsr_sat_i8(result);
  }
}

/* A point of LUT: byte by byte, since a table in memory is read no faster. */
INLINE void look_up(const struct nest *n, size_t d, size_t a, const int8_t *table)
{
  for (size_t i = 0; i < n->lanes; i++) {
    int8_t z = table[(n->from_inp ? n->inp[a + i] : tsr_sat_i8(n->acc[a + i])) + 128];
    if (n->to_acc)
      n->acc[d + i] = z;
    else
      n->narrow[d + i] = z;
  }
}

/* All lanes of a point; d, a and b are elements (of a table: bytes). */
INLINE void point(const struct nest *n, const int opcode, const int count, size_t d, size_t a,
                  size_t b, bool first)
{
  if (opcode == TSR_OP_RSUM || opcode == TSR_OP_RMAX) {
    for (size_t i = 0; i < n->lanes; i += n->row)
      reduce(n, opcode, d + i, a + i);
    return;
  }
  if (opcode == TSR_OP_LUT) {
    look_up(n, d, a, n->lut + b);
    return;
  }
  for (size_t i = 0; i < n->lanes; i += (size_t)count) {
    if (count == 16)
      chunk16(n, opcode, d + i, a + i, b + i, first);
    else if (count == 8)
      chunk8(n, opcode, d + i, a + i, b + i, first);
    else
      chunk4(n, opcode, d + i, a + i, b + i, first);
  }
}

/* Micro-ops [uop, end) at `times` points of the inner loop, the first of which is (i0,i1,i2). */
INLINE void inner(const struct nest *n, const int opcode, const int count, uint32_t i0, uint32_t i1,
                  uint32_t i2, uint32_t times, const uint8_t *uop, const uint8_t *end)
{
  const uint32_t *sd = n->insn->loop.step_dst, *sa = n->insn->loop.step_a,
                 *sb = n->insn->loop.step_b;
  const size_t width = n->lanes, width_b = opcode == TSR_OP_LUT ? TSR_LUT_BYTES : n->lanes;
  uint32_t flags = n->insn->loop.first;
  bool may_first = (i0 == 0 || !(flags & 1)) && (i1 == 0 || !(flags & 2)), each = !(flags & 4);
  size_t step_d = sd[2] * width, step_a = sa[2] * width, step_b = sb[2] * width_b;
  size_t base_d = i0 * sd[0] + i1 * sd[1] + i2 * sd[2],
         base_a = i0 * sa[0] + i1 * sa[1] + i2 * sa[2];
  size_t base_b = i0 * sb[0] + i1 * sb[1] + i2 * sb[2];
  for (; uop < end; uop += TSR_UOP_BYTES) {
    size_t d = (base_d + tsr__le16(uop)) * width, a = (base_a + tsr__le16(uop + 2)) * width;
    size_t b = (base_b + tsr__le16(uop + 4)) * width_b;
    bool first = may_first && uop[6] & 1;
    for (uint32_t k = 0; k < times; k++, d += step_d, a += step_a, b += step_b)
      point(n, opcode, count, d, a, b, first && (i2 + k == 0 || each));
  }
}

/* A lone micro-op runs along the inner loop in one go; several take turns at each of its points. */
INLINE void outer(const struct nest *n, const int opcode, const int count)
{
  const uint32_t *times = n->insn->loop.n;
  const uint8_t *end = n->uops + (size_t)n->insn->loop.uop_count * TSR_UOP_BYTES;
  bool lone = n->insn->loop.uop_count == 1;
  for (uint32_t i0 = 0; i0 < times[0]; i0++)
    for (uint32_t i1 = 0; i1 < times[1]; i1++)
      for (uint32_t i2 = 0; i2 < times[2]; i2 += lone ? times[2] : 1)
        inner(n, opcode, count, i0, i1, i2, lone ? times[2] : 1, n->uops, end);
}

/* One function for each row of the table, so that opcode and chunk are constants inside. */
#define ROW(opcode)                                                                                \
  TARGET static void run_##opcode(const struct nest *nest)                                         \
  {                                                                                                \
    const struct nest n = *nest; /* a copy that no store can change */                             \
    if (WIDEST >= 16 && n.lanes % 16 == 0)                                                         \
      outer(&n, TSR_OP_##opcode, 16);                                                              \
    else if (WIDEST >= 8 && n.lanes % 8 == 0)                                                      \
      outer(&n, TSR_OP_##opcode, 8);                                                               \
    else                                                                                           \
      outer(&n, TSR_OP_##opcode, 4);                                                               \
  }
ROW(ADD)
ROW(SUB)
ROW(MUL)
ROW(MIN)
ROW(MAX)
ROW(SHL)
ROW(SHR)
ROW(MOV)
ROW(MAC)
ROW(LUT)
ROW(RSUM)
ROW(RMAX)
ROW(QUANT)

static struct nest nest_of(struct tsr_func *func, const struct tsr_insn *insn)
{
  struct nest n = {.insn = insn, .uops = tsr__uops(func, insn), .acc = func->acc, .inp = func->inp};
  n.narrow = insn->loop.dst == TSR_DST_OUT ? func->out : func->inp;
  n.lut = func->lut;
  n.lanes = (size_t)tsr_design_lanes(&func->design);
  n.row = (size_t)func->design.block_out;
  n.from_inp = insn->loop.src == TSR_SRC_INP;
  n.to_acc = insn->loop.dst == TSR_DST_ACC;
  return n;
}

void NAME(struct tsr_func *func, const struct tsr_insn *insn)
{
  struct nest n = nest_of(func, insn);
  switch (n.lanes % 4 ? 0 : insn->opcode) {
  case TSR_OP_ADD: run_ADD(&n); break;
  case TSR_OP_SUB: run_SUB(&n); break;
  case TSR_OP_MUL: run_MUL(&n); break;
  case TSR_OP_MIN: run_MIN(&n); break;
  case TSR_OP_MAX: run_MAX(&n); break;
  case TSR_OP_SHL: run_SHL(&n); break;
  case TSR_OP_SHR: run_SHR(&n); break;
  case TSR_OP_MOV: run_MOV(&n); break;
  case TSR_OP_MAC: run_MAC(&n); break;
  case TSR_OP_LUT: run_LUT(&n); break;
  case TSR_OP_RSUM: run_RSUM(&n); break;
  case TSR_OP_RMAX: run_RMAX(&n); break;
  case TSR_OP_QUANT: run_QUANT(&n); break;
  default: tsr__reference(func, insn);
  }
}
