/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens by dependence analysis.
 *
 * Each engine runs in order, so an instruction need only wait for the *latest* conflicting instruction of
 * each other engine, and not at all for what it already knows to be over. What an engine knows is a
 * vector clock: for every engine, the number of its instructions that are over. A wait takes over all
 * that the signaller knew. Between two engines the waited-for numbers only grow, so the k-th wait takes
 * the k-th signal: counters suffice, and no token is left over at the end. */
#include "compiler/target/accel/accel.h"

struct touch {
  uint64_t lo, hi;
  uint32_t number; /* of its engine, from 1 */
};

struct log { /* what one engine did in one space, in order */
  struct touch *list;
  size_t count, capacity;
};

struct clock {
  uint32_t over[TSR_ENGINE_COUNT];
};

struct engine {
  struct clock knows;
  struct clock *after; /* what is over after its k-th instruction */
  size_t *place;       /* the k-th instruction's place in the stream */
  size_t count, after_capacity, place_capacity;
  struct log reads[SPACES], writes[SPACES];
  uint32_t need[TSR_ENGINE_COUNT]; /* of the instruction being announced */
};

struct tsr__depend {
  struct tsr_arena *arena;
  struct engine engine[TSR_ENGINE_COUNT];
};

struct tsr__depend *tsr__depend_new(struct tsr_arena *a)
{
  struct tsr__depend *d = TSR_NEW(a, struct tsr__depend);
  d->arena = a;
  return d;
}

/* The latest conflict of [lo, hi) with the log, among the numbers above `known`. */
static uint32_t latest(const struct log *log, uint64_t lo, uint64_t hi, uint32_t known)
{
  for (size_t k = log->count; k-- > 0 && log->list[k].number > known;)
    if (log->list[k].lo < hi && lo < log->list[k].hi)
      return log->list[k].number;
  return 0;
}

static void note(struct tsr__depend *d, struct log *log, uint64_t lo, uint64_t hi, uint32_t number)
{
  log->list = TSR_GROW(d->arena, log->list, log->count, &log->capacity);
  log->list[log->count++] = (struct touch){lo, hi, number};
}

void tsr__depend_touch(struct tsr__depend *d, int engine, enum tsr__space space, uint64_t lo, uint64_t hi,
                       bool writes)
{
  struct engine *e = &d->engine[engine];
  for (int p = 0; p < TSR_ENGINE_COUNT; p++) {
    if (p == engine)
      continue;
    uint32_t known = e->knows.over[p] > e->need[p] ? e->knows.over[p] : e->need[p];
    uint32_t n = latest(&d->engine[p].writes[space], lo, hi, known);
    if (n > known)
      known = e->need[p] = n;
    n = writes ? latest(&d->engine[p].reads[space], lo, hi, known) : 0;
    if (n > known)
      e->need[p] = n;
  }
  note(d, writes ? &e->writes[space] : &e->reads[space], lo, hi, (uint32_t)e->count + 1);
}

static void learn(struct clock *knows, const struct clock *from)
{
  for (int p = 0; p < TSR_ENGINE_COUNT; p++)
    if (from->over[p] > knows->over[p])
      knows->over[p] = from->over[p];
}

/* Takes the needs in the order in which they teach most, so that one wait spares others. */
static uint32_t settle(struct tsr__depend *d, struct engine *e, size_t signaller[])
{
  uint32_t mask = 0;
  for (;;) {
    int best = -1;
    uint64_t best_place = 0;
    for (int p = 0; p < TSR_ENGINE_COUNT; p++)
      if (e->need[p] > e->knows.over[p] && d->engine[p].place[e->need[p] - 1] >= best_place) {
        best = p;
        best_place = d->engine[p].place[e->need[p] - 1];
      }
    if (best < 0)
      return mask;
    mask |= 1u << best;
    signaller[best] = best_place;
    learn(&e->knows, &d->engine[best].after[e->need[best] - 1]);
  }
}

uint32_t tsr__depend_close(struct tsr__depend *d, int engine, size_t insn, size_t signaller[])
{
  struct engine *e = &d->engine[engine];
  uint32_t mask = settle(d, e, signaller);
  e->after = TSR_GROW(d->arena, e->after, e->count, &e->after_capacity);
  e->place = TSR_GROW(d->arena, e->place, e->count, &e->place_capacity);
  e->knows.over[engine] = (uint32_t)e->count + 1;
  e->after[e->count] = e->knows;
  e->place[e->count] = insn;
  e->count++;
  for (int p = 0; p < TSR_ENGINE_COUNT; p++)
    e->need[p] = 0;
  return mask;
}
