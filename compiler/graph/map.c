/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from addresses to addresses: what a pass knows about a value or node, beside it. */
#include "compiler/graph/graph_private.h"

struct entry {
  const void *key, *value;
};

struct tsr__map {
  struct tsr_arena *arena;
  struct entry *slot;
  size_t slots, used; /* slots: a power of two, more than used */
};

enum { FIRST_SLOTS = 64 };

struct tsr__map *tsr__map_new(struct tsr_arena *a)
{
  struct tsr__map *map = TSR_NEW(a, struct tsr__map);
  map->arena = a;
  map->slots = FIRST_SLOTS;
  map->slot = TSR_NEW_ARRAY(a, struct entry, FIRST_SLOTS);
  return map;
}

static struct entry *place(const struct tsr__map *map, const void *key)
{
  uint64_t h = ((uint64_t)(uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15);
  size_t at = (size_t)(h >> 32) & (map->slots - 1);
  while (map->slot[at].key && map->slot[at].key != key)
    at = (at + 1) & (map->slots - 1);
  return &map->slot[at];
}

const void *tsr__map_get(const struct tsr__map *map, const void *key)
{
  return place(map, key)->value;
}

void tsr__map_put(struct tsr__map *map, const void *key, const void *value)
{
  if (map->used * 2 >= map->slots) {
    struct tsr__map bigger = *map;
    bigger.slots = map->slots * 2;
    bigger.slot = TSR_NEW_ARRAY(map->arena, struct entry, bigger.slots);
    for (size_t i = 0; i < map->slots; i++)
      if (map->slot[i].key)
        *place(&bigger, map->slot[i].key) = map->slot[i];
    *map = bigger;
  }
  struct entry *e = place(map, key);
  map->used += !e->key;
  *e = (struct entry){key, value};
}
