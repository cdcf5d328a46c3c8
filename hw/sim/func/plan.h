/* SPDX-License-Identifier: Apache-2.0 */
/* The nest of a GEMM, taken apart so that its sums can be formed in another order.
 *
 * Micro-ops with the same d form a group. Loops fall in three kinds: those that leave d alone (sum
 * axes), those that move d but not b (row axes), those that move both (outer axes). If no two
 * points of groups x row axes x outer axes have the same d, then each d is the sum over its own
 * group and the sum axes, and since sums wrap, any order gives the same bits. What starts from zero
 * must be first in the original order: only a group's first micro-op may overwrite, and then every
 * sum axis must count `first`. A nest that is not so has no plan. */
#ifndef TSR_HW_SIM_FUNC_PLAN_H
#define TSR_HW_SIM_FUNC_PLAN_H

#include "hw/sim/func/state.h"

struct tsr__axis {
  uint32_t n, d, a, b; /* iterations; steps in entries */
  bool first;          /* overwriting only at 0 */
};

/* Up to three axes as one counter; unused ones have n = 1. */
struct tsr__axes {
  struct tsr__axis axis[3];
  int count;
};

struct tsr__use {
  uint32_t a, b;
};

struct tsr__group {
  uint32_t d;
  uint32_t begin, count; /* of its micro-ops in `uses` */
  bool zero;             /* starts from zero where its axes say so */
  int32_t next;          /* group of the same class, -1: last */
};

/* Groups whose micro-ops have the same b and the same steps of a share their weights: one block. */
struct tsr__class {
  uint32_t first, last; /* groups */
};

struct tsr__plan {
  struct tsr__axes sums, rows, outer;
  struct tsr__group *groups;
  struct tsr__class *classes;
  struct tsr__use *uses; /* in order within a group */
  uint32_t group_count, class_count;
  /* scratch */
  int32_t *group_of; /* of an ACC entry; -1 between uses */
  uint8_t *taken;    /* a bit an ACC entry */
  uint32_t acc_depth;
};

struct tsr__plan *tsr__plan_new(struct tsr_arena *arena, const struct tsr_design *design);

/* Makes the plan of an instruction; false if it has none. */
bool tsr__plan_make(struct tsr__plan *plan, const struct tsr_insn *insn, const uint8_t *uops);

/* A walk over axes: for (at = start; at.more; advance) with at.d, at.a, at.b the sums of steps. */
struct tsr__walk {
  uint32_t i[3], d, a, b;
  bool more;
};

static inline void tsr__walk_next(struct tsr__walk *at, const struct tsr__axes *axes)
{
  for (int k = axes->count - 1; k >= 0; k--) {
    const struct tsr__axis *axis = &axes->axis[k];
    at->d += axis->d, at->a += axis->a, at->b += axis->b;
    if (++at->i[k] < axis->n)
      return;
    at->i[k] = 0;
    at->d -= axis->n * axis->d, at->a -= axis->n * axis->a, at->b -= axis->n * axis->b;
  }
  at->more = false;
}

#define TSR__WALK(at, axes)                                                                        \
  for (struct tsr__walk at = {.more = true}; at.more; tsr__walk_next(&at, (axes)))

#endif
