/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a program to what still fails. */
#ifndef TSR_TESTS_PROGRAMS_SHRINK_H
#define TSR_TESTS_PROGRAMS_SHRINK_H

#include "isa/isa.h"

/* Whether a program still fails in the way that is looked into. */
typedef bool shrink_fails(void *context, const struct tsr_program *program);

/* The program must fail. What is returned fails, and lives in the arena. Tried until nothing helps:
 * runs of instructions left out; instructions made SYNCs of the same tokens; pairs of tokens, given
 * and taken, left out; every field at its smallest value, at half; data zero, and cut. */
struct tsr_program shrink(struct tsr_arena *arena, const struct tsr_program *program,
                          shrink_fails *fails, void *context);

#endif
