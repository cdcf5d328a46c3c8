/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/set.h"

enum { BITS = 64 };

struct tsr__set tsr__set_new(struct tsr_arena *arena, uint32_t size)
{
  return (struct tsr__set){TSR_NEW_ARRAY(arena, uint64_t, size / BITS + 1), 0, 0};
}

/* The words that may hold members: [first, end). */
static uint32_t first_word(const struct tsr__set *set)
{
  return set->lo / BITS;
}

static uint32_t end_word(const struct tsr__set *set)
{
  return set->lo < set->hi ? (set->hi - 1) / BITS + 1 : set->lo / BITS;
}

void tsr__set_clear(struct tsr__set *set)
{
  for (uint32_t w = first_word(set); w < end_word(set); w++)
    set->bits[w] = 0;
  set->lo = set->hi = 0;
}

static void cover(struct tsr__set *set, uint32_t lo, uint32_t hi)
{
  bool empty = set->lo == set->hi;
  set->lo = empty || lo < set->lo ? lo : set->lo;
  set->hi = empty || hi > set->hi ? hi : set->hi;
}

void tsr__set_add(struct tsr__set *set, uint32_t lo, uint32_t hi)
{
  if (lo >= hi)
    return;
  cover(set, lo, hi);
  uint32_t first = lo / BITS, last = (hi - 1) / BITS;
  uint64_t from = ~UINT64_C(0) << lo % BITS, to = ~UINT64_C(0) >> (BITS - 1 - (hi - 1) % BITS);
  if (first == last) {
    set->bits[first] |= from & to;
    return;
  }
  set->bits[first] |= from;
  for (uint32_t w = first + 1; w < last; w++)
    set->bits[w] = ~UINT64_C(0);
  set->bits[last] |= to;
}

bool tsr__set_has(const struct tsr__set *set, uint32_t member)
{
  return member >= set->lo && member < set->hi && set->bits[member / BITS] >> member % BITS & 1;
}

/* set |= set + by. From the top down, so that what is read has not been written yet. */
static void shift_in(struct tsr__set *set, uint32_t by)
{
  uint32_t words = by / BITS, bits = by % BITS, first = first_word(set), end = end_word(set);
  uint32_t top = (set->hi - 1 + by) / BITS;
  for (uint32_t w = top + 1; w-- > first + words;) {
    uint32_t from = w - words;
    uint64_t moved = from < end ? set->bits[from] << bits : 0;
    if (bits && from > first)
      moved |= set->bits[from - 1] >> (BITS - bits);
    set->bits[w] |= moved;
  }
  set->hi += by;
}

void tsr__set_spread(struct tsr__set *set, uint32_t step, uint32_t n)
{
  if (step == 0 || set->lo == set->hi)
    return;
  for (uint32_t done = 1; done < n;) {
    uint32_t more = done < n - done ? done : n - done;
    shift_in(set, more * step);
    done += more;
  }
}

/* The first bit at or behind `from` that is `value`; `hi` if there is none before. */
static uint32_t find(const struct tsr__set *set, uint32_t from, bool value)
{
  uint64_t flip = value ? 0 : ~UINT64_C(0);
  while (from < set->hi) {
    uint64_t word = (set->bits[from / BITS] ^ flip) >> from % BITS;
    if (word) {
      from += (uint32_t)__builtin_ctzll(word);
      break;
    }
    from += BITS - from % BITS;
  }
  return from < set->hi ? from : set->hi;
}

bool tsr__set_run(const struct tsr__set *set, uint32_t from, uint32_t *lo, uint32_t *hi)
{
  *lo = find(set, from > set->lo ? from : set->lo, true);
  *hi = find(set, *lo, false);
  return *lo < *hi;
}

void tsr__set_unite(struct tsr__set *into, const struct tsr__set *other)
{
  if (other->lo == other->hi)
    return;
  for (uint32_t w = first_word(other); w < end_word(other); w++)
    into->bits[w] |= other->bits[w];
  cover(into, other->lo, other->hi);
}

bool tsr__set_outside(const struct tsr__set *a, const struct tsr__set *b, uint32_t *member)
{
  for (uint32_t w = first_word(a); w < end_word(a); w++) {
    uint64_t rest = a->bits[w] & ~b->bits[w];
    if (!rest)
      continue;
    *member = w * BITS + (uint32_t)__builtin_ctzll(rest);
    return true;
  }
  return false;
}

bool tsr__set_meets(const struct tsr__set *a, const struct tsr__set *b)
{
  if (a->hi <= b->lo || b->hi <= a->lo)
    return false;
  for (uint32_t w = first_word(a); w < end_word(a); w++)
    if (a->bits[w] & b->bits[w])
      return true;
  return false;
}

uint32_t tsr__set_size(const struct tsr__set *set)
{
  uint32_t size = 0;
  for (uint32_t w = first_word(set); w < end_word(set); w++)
    size += (uint32_t)__builtin_popcountll(set->bits[w]);
  return size;
}
