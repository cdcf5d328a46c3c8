/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lifetimes.h"

#include <stdbool.h>
#include <stdlib.h>

static uint64_t aligned(uint64_t bytes)
{
  return (bytes + TSR__PLACE_ALIGNMENT - 1) / TSR__PLACE_ALIGNMENT * TSR__PLACE_ALIGNMENT;
}

/* The largest first; of equal ones in the order in which they are given. */
static int by_size(const void *a, const void *b)
{
  const struct tsr__value *x = *(struct tsr__value *const *)a, *y = *(struct tsr__value *const *)b;
  if (x->bytes != y->bytes)
    return x->bytes < y->bytes ? 1 : -1;
  return x < y ? -1 : x > y;
}

static int by_offset(const void *a, const void *b)
{
  const struct tsr__value *x = *(struct tsr__value *const *)a, *y = *(struct tsr__value *const *)b;
  return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool meet(const struct tsr__value *a, const struct tsr__value *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* placed: in the order of their offsets. */
static uint64_t lowest(const struct tsr__value *v, int n, struct tsr__value *const *placed)
{
  uint64_t at = 0;
  for (int i = 0; i < n; i++) {
    if (!meet(v, placed[i]))
      continue;
    if (placed[i]->offset >= at + aligned(v->bytes))
      break;
    uint64_t end = placed[i]->offset + aligned(placed[i]->bytes);
    at = end > at ? end : at;
  }
  return at;
}

uint64_t tsr__lifetimes_place(struct tsr_arena *arena, int values, struct tsr__value *value)
{
  struct tsr__value **order = TSR_NEW_ARRAY(arena, struct tsr__value *, values);
  uint64_t end = 0;
  for (int i = 0; i < values; i++)
    order[i] = &value[i];
  if (values)
    qsort(order, (size_t)values, sizeof *order, by_size);
  for (int i = 0; i < values; i++) {
    struct tsr__value *v = order[i];
    v->offset = lowest(v, i, order);
    end = v->offset + aligned(v->bytes) > end ? v->offset + aligned(v->bytes) : end;
    qsort(order, (size_t)i + 1, sizeof *order, by_offset);
  }
  return end;
}
