/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the functional device share. Instructions that come here have passed
 * tsr_check_insn(), so nothing below checks an index. */
#ifndef TSR_HW_SIM_FUNC_STATE_H
#define TSR_HW_SIM_FUNC_STATE_H

#include "hw/sim/func/func.h"
#include "verify/order.h"

struct tsr__gemm;  /* gemm.h: the work space of GEMM */
struct tsr__tiles; /* tiles.h: INP and WGT in the layout of the fast kernels */

/* How GEMM and the vector rows are computed: the obvious way, or by kernels for a kind of host. */
enum tsr__path { TSR__REFERENCE, TSR__PLAIN, TSR__AVX2, TSR__AVX512 };

struct tsr_func {
  struct tsr_arena *arena; /* owns this struct and everything in it */
  struct tsr_design design;
  struct tsr_func_counters counters;
  struct tsr_order order;
  uint8_t *uop;
  int8_t *inp, *wgt, *out, *lut;
  int32_t *acc;
  struct tsr__tiles *tiles;
  struct tsr__gemm *gemm;
  enum tsr__path path;
  bool exposed; /* someone outside holds a pointer into INP or WGT */
  bool stale;   /* so that tiles may differ from them */
};

/* For tests: computes by this path, or by the best below it that the host has. Returns which. */
enum tsr__path tsr__func_limit(struct tsr_func *func, enum tsr__path path);

/* One loop point of a LOOP instruction. */
struct tsr__point {
  uint32_t d, a, b;
  bool first;
};

static inline struct tsr__point tsr__point_at(const struct tsr_insn *insn, const struct tsr_uop *u,
                                              uint32_t i0, uint32_t i1, uint32_t i2)
{
  const uint32_t *sd = insn->loop.step_dst, *sa = insn->loop.step_a, *sb = insn->loop.step_b;
  uint32_t first = insn->loop.first;
  return (struct tsr__point){
      .d = u->dst + i0 * sd[0] + i1 * sd[1] + i2 * sd[2],
      .a = u->a + i0 * sa[0] + i1 * sa[1] + i2 * sa[2],
      .b = u->b + i0 * sb[0] + i1 * sb[1] + i2 * sb[2],
      .first = u->overwrite && (i0 == 0 || !(first & 1)) && (i1 == 0 || !(first & 2)) &&
               (i2 == 0 || !(first & 4)),
  };
}

static inline uint32_t tsr__le16(const uint8_t *bytes)
{
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static inline const uint8_t *tsr__uops(const struct tsr_func *func, const struct tsr_insn *insn)
{
  return func->uop + (size_t)insn->loop.uop_begin * TSR_UOP_BYTES;
}

/* dma.c */
void tsr__load(struct tsr_func *func, const struct tsr_insn *insn, const uint8_t *window);
void tsr__store(struct tsr_func *func, const struct tsr_insn *insn, uint8_t *window);

/* reference.c */
void tsr__reference(struct tsr_func *func, const struct tsr_insn *insn);

#endif
