/* SPDX-License-Identifier: Apache-2.0 */
/* A loop instruction with micro-ops of its own, and a transfer, before they join the program. */
#ifndef TSR_TESTS_PROGRAMS_LOOPS_H
#define TSR_TESTS_PROGRAMS_LOOPS_H

#include "tests/programs/draft.h"

enum { NEST_UOPS = 8 };

struct nest {
  struct tsr_insn insn;
  struct tsr_uop uops[NEST_UOPS];
  int buffer[3];     /* of d, a, b; -1: b is not used */
  uint32_t extra[3]; /* entries behind the index that are touched too */
  int bad_bit;       /* bit of the first micro-op to set, none if 0 */
};

struct nest draw_nest(struct draft *d);
uint32_t nest_span(const struct nest *nest, int operand);
/* Its micro-ops into the image, a LOAD that brings them, and the instruction; false where it is not
 * valid (only the LOAD is added then), or where the image has no room (nothing is added). */
bool add_nest(struct draft *d, struct nest *nest, bool spoilt);
/* Adds an instruction if it is valid, or spoilt on purpose. */
bool add_valid(struct draft *d, const struct tsr_insn *insn, bool spoilt);

/* A transfer within hot ranges and the window; not of micro-ops. */
struct tsr_insn draw_dma(struct draft *d, int opcode);
uint64_t dma_extent(const struct draft *d, const struct tsr_insn *insn); /* bytes from dram on */
uint32_t dma_entries(const struct tsr_insn *insn);

#endif
