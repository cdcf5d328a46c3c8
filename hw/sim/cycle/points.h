/* SPDX-License-Identifier: Apache-2.0 */
/* How long the points of a LOOP instruction take in their engine: hw/rtl/matrix.v, vector.v. */
#ifndef TSR_HW_SIM_CYCLE_POINTS_H
#define TSR_HW_SIM_CYCLE_POINTS_H

#include "isa/isa.h"

/* Cycles from the one in which the first point is there to the one in which the last is read, both
 * included; those of them in which a point waits for the result of another. */
struct tsr__walk {
  uint64_t points, cycles, hazards;
};

/* Of the first `points` points, which are within their limits. uops: the sequence's first. */
struct tsr__walk tsr__walk_of(const struct tsr_insn *insn, const uint8_t *uops, uint64_t points);
/* As far as they come in so many cycles. */
struct tsr__walk tsr__walk_until(const struct tsr_insn *insn, const uint8_t *uops, uint64_t points,
                                 uint64_t cycles);
uint64_t tsr__walk_points(const struct tsr_insn *insn);
/* Cycles from the last read to the one in which everything is written. */
int tsr__walk_tail(const struct tsr_insn *insn);

#endif
