/* SPDX-License-Identifier: Apache-2.0 */
/* A set of scratchpad entries, one bit each, so that what an instruction touches is known
 * exactly.
 *
 * A loop nest touches {micro-op bases} + {0, s0, ..} + {0, s1, ..} + {0, s2, ..}: a sum of sets.
 * Each summand is one tsr__set_spread(), which doubles, so a nest costs its micro-ops and a few
 * dozen passes over the words between its least and largest entry, however many points it has. */
#ifndef TSR_VERIFY_SET_H
#define TSR_VERIFY_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct tsr__set {
  uint64_t *bits;
  uint32_t lo, hi; /* every member lies in [lo, hi), and every other bit is zero */
};

/* An empty set with room for entries 0 .. size-1; it lives in the arena. */
struct tsr__set tsr__set_new(struct tsr_arena *arena, uint32_t size);

void tsr__set_clear(struct tsr__set *set);
void tsr__set_add(struct tsr__set *set, uint32_t lo, uint32_t hi); /* [lo, hi) */
bool tsr__set_has(const struct tsr__set *set, uint32_t member);

/* {m + i*step : m in set, 0 <= i < n}; the largest must have room. */
void tsr__set_spread(struct tsr__set *set, uint32_t step, uint32_t n);

/* The next run of members at or behind `from`: [*lo, *hi), false when there is none. */
bool tsr__set_run(const struct tsr__set *set, uint32_t from, uint32_t *lo, uint32_t *hi);

void tsr__set_unite(struct tsr__set *into, const struct tsr__set *other);
/* The least member of a that is not in b; false when there is none. Sets of one size. */
bool tsr__set_outside(const struct tsr__set *a, const struct tsr__set *b, uint32_t *member);
bool tsr__set_meets(const struct tsr__set *a, const struct tsr__set *b);
uint32_t tsr__set_size(const struct tsr__set *set);

#endif
