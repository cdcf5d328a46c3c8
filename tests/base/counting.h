/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TSR_TESTS_BASE_COUNTING_H
#define TSR_TESTS_BASE_COUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/arena.h"

/* An allocator that says no from its nth call on (from 0; negative: never) and counts what is live. */
struct counting {
  struct tsr_allocator allocator;
  int left;
  int live;
  bool once; /* says no at that call alone */
  bool refused;
};

static inline void *counting_resize(void *context, void *old, size_t size)
{
  struct counting *c = context;
  if (size == 0) {
    c->live -= old != NULL;
    free(old);
    return NULL;
  }
  if (c->left == 0) {
    c->refused = true;
    c->left -= c->once;
    return NULL;
  }
  c->left -= c->left > 0;
  void *p = realloc(old, size);
  c->live += p && !old;
  return p;
}

static inline void counting_init(struct counting *c, int left)
{
  *c = (struct counting){.allocator = {counting_resize, c}, .left = left};
}

/* The same, of an allocator that says no once. */
static inline void counting_once(struct counting *c, int left)
{
  counting_init(c, left);
  c->once = true;
}

#endif
