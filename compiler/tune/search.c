/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "compiler/tune/tune.h"

/* Candidates that are measured, and instructions of all of them, at the most; but so many in any case. */
enum { SOME = 64, MORE = 512, LEAST = 8 };
enum { SOME_WORK = 300000, MORE_WORK = 4000000 };
enum { BYTES_A_CYCLE = 8 }; /* saved, that a cycle may cost */

uint64_t tsr_tune_cost(uint64_t cycles, uint64_t bytes)
{
  return cycles + bytes / BYTES_A_CYCLE;
}

struct search {
  const struct tsr_tune_candidate *candidate;
  size_t count, limit;
  uint64_t work, most_work;
  bool (*measure)(void *context, size_t k, struct tsr_tune_measured *out);
  void *context;
  bool *seen;
  struct tsr_tune_found found;
};

struct ranked {
  const struct tsr_tune_candidate *c;
  size_t k;
};

static int by_estimate(const void *a, const void *b)
{
  const struct ranked *x = a, *y = b;
  uint64_t left = tsr_tune_cost(x->c->estimate, x->c->bytes);
  uint64_t right = tsr_tune_cost(y->c->estimate, y->c->bytes);
  if (left != right)
    return left < right ? -1 : 1;
  if (x->c->bytes != y->c->bytes)
    return x->c->bytes < y->c->bytes ? -1 : 1;
  return x->k < y->k ? -1 : 1;
}

static struct ranked *rank(struct tsr_arena *arena, const struct search *s)
{
  struct ranked *list = TSR_NEW_ARRAY(arena, struct ranked, s->count);
  for (size_t k = 0; k < s->count; k++)
    list[k] = (struct ranked){&s->candidate[k], k};
  qsort(list, s->count, sizeof *list, by_estimate);
  return list;
}

static uint64_t cost_of_best(const struct search *s)
{
  return tsr_tune_cost(s->found.cycles, s->found.bytes);
}

static bool hopeless(const struct search *s, size_t k)
{
  return s->found.cycles &&
         tsr_tune_cost(s->candidate[k].bound, s->candidate[k].bytes) >= cost_of_best(s);
}

static void try(struct search *s, size_t k)
{
  struct tsr_tune_measured m = {.cycles = 0};
  s->seen[k] = true;
  s->found.measured++;
  bool usable = s->measure(s->context, k, &m);
  s->work += m.work;
  if (!usable || !m.cycles)
    return;
  if (!s->found.cycles || tsr_tune_cost(m.cycles, m.bytes) < cost_of_best(s)) {
    s->found.cycles = m.cycles;
    s->found.bytes = m.bytes;
    s->found.best = k;
  }
}

static bool over(const struct search *s, size_t limit)
{
  return s->found.measured >= limit || (s->found.measured >= LEAST && s->work >= s->most_work);
}

/* The best by estimate, until `limit` have been measured. */
static void try_ranked(struct search *s, const struct ranked *list, size_t limit)
{
  for (size_t i = 0; i < s->count && !over(s, limit); i++)
    if (!s->seen[list[i].k] && !hopeless(s, list[i].k))
      try(s, list[i].k);
}

static int distance(const struct tsr_tune_candidate *a, const struct tsr_tune_candidate *b)
{
  int sum = 0;
  for (int i = 0; i < TSR_TUNE_AXES; i++)
    sum += a->at[i] != b->at[i];
  return sum;
}

/* The first of the ranking among those nearest to the best; false when none is left. */
static bool next_neighbour(const struct search *s, const struct ranked *list, size_t *out)
{
  int least = TSR_TUNE_AXES + 1;
  for (size_t i = 0; i < s->count; i++) {
    size_t k = list[i].k;
    if (s->seen[k] || hopeless(s, k))
      continue;
    int d = distance(&s->candidate[k], &s->candidate[s->found.best]);
    if (d < least) {
      least = d;
      *out = k;
    }
  }
  return least <= TSR_TUNE_AXES;
}

static void try_neighbours(struct search *s, const struct ranked *list)
{
  size_t k;
  while (!over(s, s->limit) && next_neighbour(s, list, &k))
    try(s, k);
}

struct tsr_tune_found
tsr_tune_search(struct tsr_arena *arena, const struct tsr_tune_candidate *candidate, size_t count,
                enum tsr_tune_effort effort,
                bool (*measure)(void *context, size_t k, struct tsr_tune_measured *out),
                void *context)
{
  struct search s = {.candidate = candidate,
                     .count = count,
                     .measure = measure,
                     .context = context,
                     .seen = TSR_NEW_ARRAY(arena, bool, count)};
  const size_t limits[] = {
      [TSR_TUNE_NONE] = 0, [TSR_TUNE_SOME] = SOME, [TSR_TUNE_MORE] = MORE, [TSR_TUNE_ALL] = count};
  const uint64_t works[] = {0, SOME_WORK, MORE_WORK, UINT64_MAX};
  s.limit = limits[effort];
  s.most_work = works[effort];
  const struct ranked *list = rank(arena, &s);
  s.found.best = list[0].k;
  try_ranked(&s, list, effort == TSR_TUNE_ALL ? s.limit : s.limit / 2);
  if (s.found.cycles)
    try_neighbours(&s, list);
  for (size_t k = 0; k < count; k++)
    s.found.pruned += !s.seen[k] && hopeless(&s, k);
  return s.found;
}
