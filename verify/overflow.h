/* SPDX-License-Identifier: Apache-2.0 */
/* Whether int32 results stay inside of int32, by an interval for each entry of ACC.
 *
 * INP holds what the options say, WGT and ACC what the program's image holds where it is loaded
 * from there and no STORE writes over it. A GEMM first grows its sums by its points times the
 * largest product; where that comes to be large its weights are looked at, lane by lane. Vector
 * instructions are judged by the intervals of all their entries together, and point by point
 * where that is not enough to clear them. */
#ifndef TSR_VERIFY_OVERFLOW_H
#define TSR_VERIFY_OVERFLOW_H

#include "verify/region.h"
#include "verify/verify.h"

struct tsr__bounds;

struct tsr__bounds *tsr__bounds_new(struct tsr_arena *arena, const struct tsr_design *design,
                                    const struct tsr_program *program,
                                    const struct tsr_verify_options *options, const size_t *order,
                                    size_t count);

/* The first result of this instruction that may leave int32, as a sentence. What follows from it is
 * not found again. */
bool tsr__bounds_step(struct tsr__bounds *bounds, size_t index, const struct tsr_insn *insn,
                      const struct tsr__region *region, const uint8_t *uops, char *text,
                      size_t size);

#endif
