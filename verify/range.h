/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals of integers, and what each vector instruction makes of them before it wraps. */
#ifndef TSR_VERIFY_RANGE_H
#define TSR_VERIFY_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct tsr__range {
  int64_t lo, hi; /* lo > hi: nothing is said (the values were found before to leave int32) */
};

static inline bool tsr__range_silent(struct tsr__range r)
{
  return r.lo > r.hi;
}

static inline bool tsr__range_fits(struct tsr__range r)
{
  return tsr__range_silent(r) || (r.lo >= INT32_MIN && r.hi <= INT32_MAX);
}

/* Of join, a silent one counts as none; the others are silent where one is. */
struct tsr__range tsr__range_join(struct tsr__range a, struct tsr__range b);
struct tsr__range tsr__range_add(struct tsr__range a, struct tsr__range b);
struct tsr__range tsr__range_multiply(struct tsr__range a, struct tsr__range b);
struct tsr__range tsr__range_scale(struct tsr__range a, uint64_t times); /* of int32; saturates */

/* D of one point: `old` is what D held, `lanes` are those of a batch row. Silent where an
 * operand is. */
struct tsr__range tsr__range_of(int opcode, struct tsr__range old, struct tsr__range a,
                                struct tsr__range b, bool first, int lanes);

#endif
