/* SPDX-License-Identifier: Apache-2.0 */
/* How assembler text spells the slots: `n=14,14,4` is nx, ny and nz of a DMA instruction. Assembler and
 * disassembler walk the same rows. */
#ifndef TSR_ISA_OPERAND_H
#define TSR_ISA_OPERAND_H

#include "isa/slot.h"

enum tsr__spelling {
  TSR__NUMBERS, /* n=4,7,14        one number a slot; those left out keep their default */
  TSR__HEX,     /* dram=0x1000     as NUMBERS, printed in hexadecimal */
  TSR__UOPS,    /* uops=0+9        begin and count */
  TSR__SPACED,  /* dst=out:0,14,1  where it lies, then steps; either may be left out */
  TSR__ENGINES, /* wait=load,store names of bits */
  TSR__BITS,    /* first=0,1       numbers of bits */
};

enum { TSR__OPERAND_SLOTS = 3 };

struct tsr__operand {
  int format;
  const char *keyword;
  enum tsr__spelling spelling;
  const char *slots[TSR__OPERAND_SLOTS]; /* names in fields.def; NULL behind the last */
  const char *space;                     /* SPACED: the slot that says where; NULL: nowhere else */
  int initial;                           /* value of slots that the text leaves out */
  bool always;                           /* printed even where all values are initial */
};

const struct tsr__operand *tsr__operands(int *count);

/* Where d and a may lie: names by value of LOOP's `dst` and `src`; src has the first two. */
const char *const *tsr__spaces(const char *slot, int *count);

#endif
