/* SPDX-License-Identifier: Apache-2.0 */
/* Where resident values lie in INP. In the order in which they come to be, each lies as low or as high as it
 * can beside those that live with it: where the layers of its life keep more. In a chain they take turns, and
 * what is left stays in one piece. */
#include "compiler/target/accel/accel.h"

static bool meet(const struct tsr_accel_resident *a, const struct tsr_accel_resident *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* Moves r up from `at` past all that it meets and overlaps. */
static uint64_t up_from(const struct tsr_accel_resident *const *list, int count,
                        const struct tsr_accel_resident *r, uint64_t at)
{
  for (int k = 0; k < count; k++)
    if (meet(list[k], r) && at < (uint64_t)list[k]->at + list[k]->entries &&
        list[k]->at < at + r->entries) {
      at = (uint64_t)list[k]->at + list[k]->entries;
      k = -1;
    }
  return at;
}

/* The same downwards; negative: there is no room. */
static int64_t down_from(const struct tsr_accel_resident *const *list, int count,
                         const struct tsr_accel_resident *r, int64_t at)
{
  for (int k = 0; k < count && at >= 0; k++)
    if (meet(list[k], r) && at < (int64_t)list[k]->at + list[k]->entries &&
        list[k]->at < at + r->entries) {
      at = (int64_t)list[k]->at - r->entries;
      k = -1;
    }
  return at;
}

void tsr__allot_rest(const struct tsr_accel_resident *const *list, int count, uint32_t room,
                     int layer, uint32_t *from, uint32_t *to)
{
  const struct tsr_accel_resident now = {.first = layer, .last = layer, .entries = 1};
  *from = *to = 0;
  for (uint64_t at = up_from(list, count, &now, 0); at < room;
       at = up_from(list, count, &now, at)) {
    uint32_t end = room;
    for (int k = 0; k < count; k++)
      if (meet(list[k], &now) && list[k]->at >= at && list[k]->at < end)
        end = list[k]->at;
    if (end - at > *to - *from) {
      *from = (uint32_t)at;
      *to = end;
    }
    at = end;
  }
}

/* What the layers of its life are left, in sum, with the last of the list at its place. */
static uint64_t rest_with(const struct tsr_accel_resident *const *list, int count, uint32_t room)
{
  const struct tsr_accel_resident *r = list[count - 1];
  uint64_t sum = 0;
  for (int layer = r->first; layer <= r->last; layer++) {
    uint32_t from, to;
    tsr__allot_rest(list, count, room, layer, &from, &to);
    sum += to - from;
  }
  return sum;
}

bool tsr__allot(struct tsr_accel_resident *const *list, int count, uint32_t room)
{
  const struct tsr_accel_resident *const *placed = (const struct tsr_accel_resident *const *)list;
  for (int k = 0; k < count; k++) {
    struct tsr_accel_resident *r = list[k];
    uint64_t low = up_from(placed, k, r, 0);
    int64_t high = down_from(placed, k, r, (int64_t)room - r->entries);
    if (low + r->entries > room || high < 0)
      return false;
    r->at = (uint32_t)low;
    uint64_t rest = rest_with(placed, k + 1, room);
    r->at = (uint32_t)high;
    if (rest_with(placed, k + 1, room) <= rest)
      r->at = (uint32_t)low;
  }
  return true;
}
