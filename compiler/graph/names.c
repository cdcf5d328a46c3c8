/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from names to things. Names are never taken out: a name that was used once stays
 * taken, so that a graph's text never shows one name for two things of different passes. */
#include <string.h>

#include "compiler/graph/graph_private.h"

struct entry {
  const char *name;
  void *thing;
  int suffixes; /* NAME.1 to NAME.suffixes were given out already */
};

struct tsr__names {
  struct tsr_arena *arena;
  struct entry *slot; /* open addressing, linear probing */
  size_t slots, used; /* slots: a power of two, more than used */
};

enum { FIRST_SLOTS = 64 };

struct tsr__names *tsr__names_new(struct tsr_arena *a)
{
  struct tsr__names *names = TSR_NEW(a, struct tsr__names);
  names->arena = a;
  names->slots = FIRST_SLOTS;
  names->slot = TSR_NEW_ARRAY(a, struct entry, FIRST_SLOTS);
  return names;
}

static size_t hash(const char *name)
{
  uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
  for (; *name; name++)
    h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
  return (size_t)(h ^ h >> 32);
}

/* The entry of that name, or the empty one where it would go. */
static struct entry *place(const struct tsr__names *names, const char *name)
{
  size_t at = hash(name) & (names->slots - 1);
  while (names->slot[at].name && strcmp(names->slot[at].name, name))
    at = (at + 1) & (names->slots - 1);
  return &names->slot[at];
}

static void double_slots(struct tsr__names *names)
{
  struct tsr__names bigger = *names;
  bigger.slots = names->slots * 2;
  bigger.slot = TSR_NEW_ARRAY(names->arena, struct entry, bigger.slots);
  for (size_t i = 0; i < names->slots; i++)
    if (names->slot[i].name)
      *place(&bigger, names->slot[i].name) = names->slot[i];
  *names = bigger;
}

void *tsr__names_find(const struct tsr__names *names, const char *name)
{
  return place(names, name)->thing;
}

const char *tsr__names_add(struct tsr__names *names, const char *wanted, void *thing)
{
  if (names->used * 2 >= names->slots)
    double_slots(names);
  struct entry *e = place(names, wanted), *first = e;
  const char *name = wanted;
  while (e->name) {
    name = tsr_arena_printf(names->arena, "%s.%d", wanted, ++first->suffixes);
    e = place(names, name);
  }
  *e = (struct entry){.name = tsr_arena_strdup(names->arena, name), .thing = thing};
  names->used++;
  return e->name;
}
