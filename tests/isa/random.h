/* SPDX-License-Identifier: Apache-2.0 */
/* Random instructions and programs; the seed is printed, and TSR_SEED sets it. */
#ifndef TSR_TESTS_ISA_RANDOM_H
#define TSR_TESTS_ISA_RANDOM_H

#include "isa/isa.h"

uint64_t random_seed(void);
uint64_t random_next(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t n);

/* A valid instruction: every member at a corner or anywhere between. */
struct tsr_insn random_insn(uint64_t *state);
/* Some words decode and some do not; data has runs of zeros and micro-ops that LOADs name. */
struct tsr_program random_program(struct tsr_arena *arena, uint64_t *state);

extern const int random_opcodes[];
extern const int random_opcode_count;

#endif
