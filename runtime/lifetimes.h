/* SPDX-License-Identifier: Apache-2.0 */
/* Places for values in one piece of memory: two that live at the same time never share a byte. */
#ifndef TSR_RUNTIME_LIFETIMES_H
#define TSR_RUNTIME_LIFETIMES_H

#include "base/arena.h"

enum { TSR__PLACE_ALIGNMENT = 256 };

struct tsr__value {
  uint64_t bytes;
  int first, last; /* moments at which it lives, both included */
  uint64_t offset; /* filled: a multiple of TSR__PLACE_ALIGNMENT */
};

/* Fills the offsets, the largest value first, each at the lowest place that is free for all of its
 * life. Returns the bytes that all of them need. */
uint64_t tsr__lifetimes_place(struct tsr_arena *arena, int values, struct tsr__value *value);

#endif
