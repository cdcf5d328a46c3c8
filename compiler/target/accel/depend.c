/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens by dependence analysis.
 *
 * Each engine runs in order, so an instruction need only wait for the *latest* conflicting instruction of
 * each other engine, and not at all for what it already knows to be over. What an engine knows is a
 * vector clock: for every engine, the number of its instructions that are over. A wait takes over all
 * that the signaller knew. Between two engines the waited-for numbers only grow, so the k-th wait takes
 * the k-th signal: counters suffice, and no token is left over at the end.
 *
 * A counter holds no more than the design point's token_depth. Executed one after another in program
 * order, instructions must never find one full; then they don't in any order that the tokens allow, since
 * the first one unfinished finds no more tokens than there. So where a signal would come too many, the
 * signaller's engine executes a SYNC right before the waiting instruction, and signals with that. */
#include "compiler/target/accel/accel.h"

struct touch {
  uint64_t lo, hi;
  uint32_t number; /* of its engine, from 1 */
};

struct log { /* what one engine did in one space, in order */
  struct touch *list;
  size_t count, capacity;
};

struct places {
  size_t *list;
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
  struct places waits[TSR_ENGINE_COUNT]; /* of its instructions that wait for engine p */
  struct log reads[SPACES], writes[SPACES];
  uint32_t need[TSR_ENGINE_COUNT]; /* of the instruction being announced */
};

struct tsr__depend {
  struct tsr_arena *arena;
  size_t token_depth;
  struct engine engine[TSR_ENGINE_COUNT];
};

struct tsr__depend *tsr__depend_new(struct tsr_arena *a, int token_depth)
{
  struct tsr__depend *d = TSR_NEW(a, struct tsr__depend);
  d->arena = a;
  d->token_depth = (size_t)token_depth;
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

void tsr__depend_touch(struct tsr__depend *d, int engine, enum tsr__space space, uint64_t lo,
                       uint64_t hi, bool writes)
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

static void complete(struct tsr__depend *d, int engine, size_t place)
{
  struct engine *e = &d->engine[engine];
  e->after = TSR_GROW(d->arena, e->after, e->count, &e->after_capacity);
  e->place = TSR_GROW(d->arena, e->place, e->count, &e->place_capacity);
  e->knows.over[engine] = (uint32_t)e->count + 1;
  e->after[e->count] = e->knows;
  e->place[e->count] = place;
  e->count++;
}

/* Whether the counter of these tokens is full at `place`, in program order. */
static bool is_full(const struct tsr__depend *d, const struct places *waits, size_t place)
{
  return waits->count >= d->token_depth && waits->list[waits->count - d->token_depth] > place;
}

/* Takes the needs in the order in which they teach most, so that one wait spares others. Returns the place
 * of the instruction: behind the SYNCs. */
static size_t settle(struct tsr__depend *d, struct engine *e, size_t insn, size_t signaller[],
                     uint32_t *mask)
{
  for (;;) {
    int best = -1;
    uint64_t best_place = 0;
    for (int p = 0; p < TSR_ENGINE_COUNT; p++)
      if (e->need[p] > e->knows.over[p] && d->engine[p].place[e->need[p] - 1] >= best_place) {
        best = p;
        best_place = d->engine[p].place[e->need[p] - 1];
      }
    if (best < 0)
      return insn;
    if (is_full(d, &e->waits[best], best_place)) {
      best_place = insn++;
      complete(d, best, best_place);
      e->need[best] = (uint32_t)d->engine[best].count;
    }
    *mask |= 1u << best;
    signaller[best] = best_place;
    learn(&e->knows, &d->engine[best].after[e->need[best] - 1]);
  }
}

uint32_t tsr__depend_close(struct tsr__depend *d, int engine, size_t insn, size_t signaller[])
{
  struct engine *e = &d->engine[engine];
  uint32_t mask = 0;
  size_t place = settle(d, e, insn, signaller, &mask);
  complete(d, engine, place);
  for (int p = 0; p < TSR_ENGINE_COUNT; p++) {
    struct places *w = &e->waits[p];
    e->need[p] = 0;
    if (mask >> p & 1) {
      w->list = TSR_GROW(d->arena, w->list, w->count, &w->capacity);
      w->list[w->count++] = place;
    }
  }
  return mask;
}
