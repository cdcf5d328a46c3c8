/* SPDX-License-Identifier: Apache-2.0 */
/* What an instruction touches, exactly, and at which point of its loop nest. */
#ifndef TSR_VERIFY_REGION_H
#define TSR_VERIFY_REGION_H

#include "configs/design.h"
#include "isa/isa.h"
#include "verify/set.h"

enum tsr__role { TSR__ROLE_D, TSR__ROLE_A, TSR__ROLE_B, TSR__ROLE_UOP, TSR__ROLE_DMA };

/* One of d, a, b. It touches `extra` more entries behind each index. */
struct tsr__operand {
  enum tsr__role role; /* also which field of the micro-op */
  int buffer;
  uint32_t extra;
  const uint32_t *step;
};

/* The operands of a loop nest: 2, or 3 where b is an index. */
int tsr__nest_operands(const struct tsr_insn *insn, struct tsr__operand out[static 3]);

struct tsr__access {
  enum tsr__role role;
  int buffer;  /* the scratchpad: ACC8 is ACC */
  bool writes; /* d, and what LOAD fills; all else is read */
  struct tsr__set set;
};

/* At most d, a, b and the micro-ops, in this order; or the entries of a transfer. */
struct tsr__region {
  const struct tsr_design *design;
  int count;
  struct tsr__access list[4];
};

void tsr__region_init(struct tsr_arena *arena, const struct tsr_design *design,
                      struct tsr__region *region);

/* Fills the region of an instruction whose indices are in range. uops: the scratchpad of its
 * time. */
void tsr__region_of(struct tsr__region *region, const struct tsr_insn *insn, const uint8_t *uops);
const struct tsr__access *tsr__region_access(const struct tsr__region *region, enum tsr__role role);

static inline uint32_t tsr__uop_field(const uint8_t *uop, enum tsr__role role)
{
  return (uint32_t)uop[2 * role] | (uint32_t)uop[2 * role + 1] << 8;
}

/* The first point, in the order of execution, at which a role touches an entry that it touches. */
struct tsr__point {
  uint32_t at[3], uop;
};
struct tsr__point tsr__locate(struct tsr_arena *arena, const struct tsr_design *design,
                              const struct tsr_insn *insn, const uint8_t *uops, enum tsr__role role,
                              uint32_t entry);

/* "instruction 12 (gemm, matrix)"; "INP entry 7 (a) at loop point (0,1,2), micro-op 0", where a
 * transfer has no loop point. */
void tsr__name_insn(char *text, size_t size, size_t index, const struct tsr_insn *insn);
void tsr__name_point(char *text, size_t size, int buffer, uint32_t entry, enum tsr__role role,
                     const struct tsr__point *point);

#endif
