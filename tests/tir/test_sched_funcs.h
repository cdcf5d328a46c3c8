/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs that the tests of schedules work on, and what they do with them. */
#ifndef TSR_TESTS_TIR_TEST_SCHED_FUNCS_H
#define TSR_TESTS_TIR_TEST_SCHED_FUNCS_H

#include "compiler/tir/tir.h"

enum { SCHED_FUNCS = 16 };
struct tir_func *sched_func(struct tsr_arena *a, int which);
struct tir_func *sched_parsed(struct tsr_arena *a, const char *text);

/* Parameters of a func: inputs filled from a seed, outputs zeroed. */
void **func_params(struct tsr_arena *a, const struct tir_func *f, uint64_t seed);
/* Runs p on fresh parameters and compares each output, bit by bit, with the default schedule's of
 * f. */
void expect_same_result(struct tsr_arena *a, const struct tir_func *f, const struct tir_program *p,
                        uint64_t seed);
/* Lowers, verifies, prints, parses and prints again. */
struct tir_program *lowered(struct tsr_arena *a, const struct tir_sched *s);
/* Applies the lines of `text` (separated by newlines) to a new schedule; all must be legal. */
struct tir_sched *scheduled(struct tsr_arena *a, const struct tir_func *f, const char *text);

/* Applies one line more. The program's text without its head where it is legal; else the refusal,
 * after which the schedule must be as it was. */
const char *sched_outcome(struct tsr_arena *a, struct tir_sched *s, const char *line);

/* A func, lines that must be legal, and one line with its outcome. */
struct sched_case {
  const char *func, *lines, *line, *outcome;
};
/* intrinsics may be NULL. Legal outcomes also compute what the default schedule does, and replay.
 */
void expect_outcome(struct tsr_arena *a, const struct tir_intrinsics *intrinsics,
                    const struct sched_case *c);

#endif
