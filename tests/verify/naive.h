/* SPDX-License-Identifier: Apache-2.0 */
/* The slow, obvious reference for races: every point of every instruction, every pair of
 * instructions, every path of tokens. For programs in which signals come before their waits. */
#ifndef TSR_TESTS_VERIFY_NAIVE_H
#define TSR_TESTS_VERIFY_NAIVE_H

#include "configs/design.h"
#include "isa/isa.h"

struct naive {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  const struct tsr_program *program;
  size_t count; /* instructions before FINISH */
  struct tsr_insn *insn;
  bool *conflict; /* [i * count + j], i < j: they touch the same, one of them writes */
  bool *before;   /* [i * count + j]: i is over when j begins */
};

/* Decodes the program and finds the conflicts, which don't depend on tokens. */
struct naive *naive_new(struct tsr_arena *arena, const struct tsr_design *design,
                        const struct tsr_program *program);

/* Pairs of different engines that conflict and that the tokens of n->insn leave unordered. */
size_t naive_races(struct naive *n);

/* Instructions that read an entry which nothing has written, in program order: point by point. */
size_t naive_unwritten(const struct naive *n);

#endif
