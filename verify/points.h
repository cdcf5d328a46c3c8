/* SPDX-License-Identifier: Apache-2.0 */
/* The points of a loop nest one by one, in the order of execution; and what can be said of its sums
 * without looking at points. */
#ifndef TSR_VERIFY_POINTS_H
#define TSR_VERIFY_POINTS_H

#include "verify/region.h"

struct tsr__points {
  const struct tsr_insn *insn;
  const uint8_t *uops; /* the sequence's first */
  struct tsr__point point;
  uint32_t index[3]; /* d, a, b */
  bool first;        /* the sum starts here */
  bool begun;
};

struct tsr__points tsr__points_of(const struct tsr_insn *insn, const uint8_t *uops);
bool tsr__points_next(struct tsr__points *points);

/* Whether the first point to touch any d starts its sum, told from the micro-ops: no loop of the
 * mask `first` moves d, and a micro-op that does not overwrite comes behind one of the same d
 * that does. False also where only the points can tell. `scratch` has room for every d. */
bool tsr__starts_its_sums(const struct tsr_insn *insn, const uint8_t *uops,
                          struct tsr__set *scratch);

/* Whether two fields of the micro-ops, and their steps, give the same index at every point. */
bool tsr__same_indices(const struct tsr_insn *insn, const uint8_t *uops, enum tsr__role one,
                       enum tsr__role other);

#endif
