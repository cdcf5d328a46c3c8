/* SPDX-License-Identifier: Apache-2.0 */
/* In which order a layer's instructions stand.
 *
 * The loops emit a LOAD where it is used: the next channel tile's weights behind all spatial
 * tiles of this one, although there has been room for them since long. They emit what vector
 * does with a tile behind the tile's last product, for which it would stand still, although the
 * next tile's first steps could be done meanwhile. Engines run in order. So a layer's
 * instructions are played through here, with the times that they take (docs/rtl.md, "Time"), and
 * an engine that is free takes, of the next of its instructions, the one that can start first:
 * of LOADs that can start by then the one that is needed first, of others the one that stands
 * first. Weights come in pieces, so that they fill the gaps between the inputs of tiles. What
 * reads or writes the same entries keeps its order; so do STOREs. The stream has all
 * instructions in the order in which they start. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/target/accel/accel.h"
#include "verify/check.h"

enum { MOST_TOUCHES = 4 /* micro-ops, d, a, b */, SHELVES = SPACE_DRAM };

/* Instructions that are looked at, of each engine. */
static const int window[] = {[TSR_ENGINE_LOAD] = 48,
                             [TSR_ENGINE_MATRIX] = 6,
                             [TSR_ENGINE_VECTOR] = 12,
                             [TSR_ENGINE_STORE] = 1};

struct touch {
  enum tsr__space space;
  bool writes;
  uint64_t lo, hi;
};

/* What one instruction holds at a time: INP's write port, a bank of ACC. */
enum { LOCK_INP, LOCK_BANK, LOCKS = LOCK_BANK + 2 };

struct held {
  struct tsr_insn insn;
  enum tsr__dram_base base;
  int engine, touches;
  uint32_t locks; /* a bit each */
  struct touch touch[MOST_TOUCHES];
  size_t first_pred, preds;          /* in the list of all */
  size_t follows;                    /* the next of its engine; `count`: none */
  size_t need;                       /* LOAD: the first instruction that uses what it brings */
  int64_t cycles, ready, start, end; /* ready, end: -1 while they are not known */
};

/* Who wrote an entry last, and which instruction of each engine read it last; 0: none, else one
 * more. */
struct entry {
  uint32_t writer, reader[TSR_ENGINE_COUNT];
};

struct tsr__ordering {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  struct held *held;
  size_t count, capacity;
  struct held next; /* being announced */
  uint32_t *pred;
  size_t preds, pred_capacity;
  struct entry *entry[SHELVES];
};

struct tsr__ordering *tsr__order_new(struct tsr_arena *a, const struct tsr_design *d)
{
  struct tsr__ordering *o = TSR_NEW(a, struct tsr__ordering);
  o->arena = a;
  o->design = d;
  return o;
}

void tsr__order_touch(struct tsr__ordering *o, enum tsr__space space, uint64_t lo, uint64_t hi,
                      bool writes)
{
  assert(o->next.touches < MOST_TOUCHES);
  o->next.touch[o->next.touches++] = (struct touch){space, writes, lo, hi};
}

static int64_t cycles_of(const struct tsr__ordering *o, const struct tsr_insn *insn)
{
  enum { COMPUTE = 11, TRANSFER = 8 };
  if (insn->opcode != TSR_OP_LOAD && insn->opcode != TSR_OP_STORE)
    return (int64_t)tsr_check_loop_points(insn) + COMPUTE;
  int64_t rows = (int64_t)insn->dma.ny * insn->dma.nz;
  int64_t bytes = rows * insn->dma.nx * tsr_design_dram_entry(o->design, insn->dma.buffer);
  int64_t padding = rows * (insn->dma.xl + insn->dma.xr);
  return bytes / tsr_design_beat(o->design) + padding + TRANSFER;
}

void tsr__order_add(struct tsr__ordering *o, const struct tsr_insn *insn, enum tsr__dram_base base)
{
  o->next.insn = *insn;
  o->next.base = base;
  o->next.engine = tsr_insn_engine(insn);
  o->next.cycles = cycles_of(o, insn);
  o->held = TSR_GROW(o->arena, o->held, o->count, &o->capacity);
  o->held[o->count++] = o->next;
  o->next = (struct held){.touches = 0};
}

/* --- who waits for whom ----------------------------------------------------------------------- */

/* The instruction waits for that one (number from 1; 0: none), once. */
static void add_pred(struct tsr__ordering *o, struct held *h, uint32_t number)
{
  bool known = !number;
  for (size_t k = h->first_pred; k < o->preds && !known; k++)
    known = o->pred[k] == number - 1;
  if (known)
    return;
  o->pred = TSR_GROW(o->arena, o->pred, o->preds, &o->pred_capacity);
  o->pred[o->preds++] = number - 1;
}

/* A reader waits for those of its own engine, too: so the last that read an entry is the last to
 * end. */
static void follow(struct tsr__ordering *o, struct held *h, const struct touch *t)
{
  struct entry before = {.writer = 0};
  for (uint64_t k = t->lo; k < t->hi; k++) {
    const struct entry *e = &o->entry[t->space][k];
    if (e->writer != before.writer)
      add_pred(o, h, e->writer);
    for (int p = 0; p < TSR_ENGINE_COUNT; p++)
      if ((t->writes || p == h->engine) && e->reader[p] != before.reader[p])
        add_pred(o, h, e->reader[p]);
    before = *e;
  }
}

static void leave(struct tsr__ordering *o, int engine, uint32_t number, const struct touch *t)
{
  for (uint64_t k = t->lo; k < t->hi; k++) {
    struct entry *e = &o->entry[t->space][k];
    if (t->writes)
      *e = (struct entry){.writer = number};
    else
      e->reader[engine] = number;
  }
}

static void clear_entries(struct tsr__ordering *o)
{
  for (int k = 0; k < SHELVES; k++) {
    size_t depth = (size_t)tsr_design_depth(o->design, tsr__buffer_of((enum tsr__space)k));
    if (!o->entry[k])
      o->entry[k] = TSR_NEW_ARRAY(o->arena, struct entry, depth);
    memset(o->entry[k], 0, depth * sizeof *o->entry[k]);
  }
}

static uint32_t locks_of(const struct tsr__ordering *o, const struct held *h)
{
  uint64_t half = (uint64_t)tsr_design_depth(o->design, TSR_BUFFER_ACC) / 2;
  uint32_t locks = 0;
  for (int k = 0; k < h->touches; k++) {
    const struct touch *t = &h->touch[k];
    locks |= t->space == SPACE_INP && t->writes ? 1u << LOCK_INP : 0;
    if (t->space == SPACE_ACC)
      locks |= (t->lo < half ? 1u << LOCK_BANK : 0) | (t->hi > half ? 2u << LOCK_BANK : 0);
  }
  return locks;
}

static void find_preds(struct tsr__ordering *o)
{
  clear_entries(o);
  o->preds = 0;
  for (size_t i = 0; i < o->count; i++) {
    struct held *h = &o->held[i];
    h->first_pred = o->preds;
    h->need = i;
    h->ready = h->end = -1;
    h->locks = locks_of(o, h);
    for (int k = 0; k < h->touches; k++)
      if (h->touch[k].space != SPACE_DRAM)
        follow(o, h, &h->touch[k]);
    for (int k = 0; k < h->touches; k++)
      if (h->touch[k].space != SPACE_DRAM)
        leave(o, h->engine, (uint32_t)i + 1, &h->touch[k]);
    h->preds = o->preds - h->first_pred;
    for (size_t k = h->first_pred; k < o->preds; k++) {
      struct held *p = &o->held[o->pred[k]];
      if (p->need == o->pred[k])
        p->need = i;
    }
  }
}

/* --- playing it through ----------------------------------------------------------------------- */

struct play {
  struct tsr__ordering *o;
  size_t next[TSR_ENGINE_COUNT]; /* the first of each engine that has not started */
  int64_t free[TSR_ENGINE_COUNT], unlocked[LOCKS];
  int64_t inputs; /* when the layer before has stored its result */
};

/* Links the instructions of each engine; first: of each. */
static void link_engines(struct tsr__ordering *o, size_t first[TSR_ENGINE_COUNT])
{
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    first[e] = o->count;
  for (size_t i = o->count; i-- > 0;) {
    o->held[i].follows = first[o->held[i].engine];
    first[o->held[i].engine] = i;
  }
}

/* When all that it waits for is over; -1: not known yet. */
static int64_t ready(const struct play *p, struct held *h)
{
  bool input = h->insn.opcode == TSR_OP_LOAD && h->base == BASE_ACTIVATION;
  int64_t at = input ? p->inputs : 0;
  for (size_t k = 0; k < h->preds && h->ready < 0; k++) {
    int64_t end = p->o->held[p->o->pred[h->first_pred + k]].end;
    if (end < 0)
      return -1;
    at = end > at ? end : at;
  }
  if (h->ready < 0)
    h->ready = at;
  return h->ready;
}

static void run(struct play *p, struct held *h, int64_t at)
{
  h->start = at;
  h->end = p->free[h->engine] = at + h->cycles;
  for (int k = 0; k < LOCKS; k++)
    if (h->locks >> k & 1)
      p->unlocked[k] = h->end;
}

/* When it can start; -1: not known yet. */
static int64_t earliest(const struct play *p, struct held *h)
{
  int64_t at = h->end < 0 ? ready(p, h) : -1;
  if (at < 0)
    return -1;
  at = at > p->free[h->engine] ? at : p->free[h->engine];
  for (int k = 0; k < LOCKS; k++)
    if (h->locks >> k & 1 && p->unlocked[k] > at)
      at = p->unlocked[k];
  return at;
}

/* Of two that can start at the same time: the LOAD that is needed first; what writes INP, since
 * a LOAD could take the port for long. */
static bool goes_before(const struct held *a, const struct held *b)
{
  if (a->engine == TSR_ENGINE_LOAD)
    return a->need < b->need;
  return (a->locks & 1u << LOCK_INP) > (b->locks & 1u << LOCK_INP);
}

/* The engine's instruction that can start first, and when; NULL: of none it is known. */
static struct held *choose(const struct play *p, int engine, int64_t *at)
{
  struct held *best = NULL;
  size_t i = p->next[engine];
  for (int n = 0; n < window[engine] && i < p->o->count; n++, i = p->o->held[i].follows) {
    struct held *h = &p->o->held[i];
    int64_t when = earliest(p, h);
    if (when < 0 || (best && (when > *at || (when == *at && !goes_before(h, best)))))
      continue;
    best = h;
    *at = when;
  }
  return best;
}

/* Constants of the first step are there when the layer before has stored its result. */
static int64_t time_of_inputs(const struct tsr__ordering *o)
{
  size_t first = 0;
  int64_t sum = 0;
  while (first < o->count && o->held[first].engine == TSR_ENGINE_LOAD)
    first++;
  for (size_t i = 0; i < o->count; i++)
    if (o->held[i].engine == TSR_ENGINE_LOAD && o->held[i].base != BASE_ACTIVATION &&
        o->held[i].need <= first)
      sum += o->held[i].cycles;
  return sum;
}

/* The instruction that starts first of all that are left; NULL: none is. Nothing that is not
 * known yet can start before it. */
static struct held *next_of_all(struct play *p, int64_t *at)
{
  struct held *best = NULL;
  for (int e = TSR_ENGINE_COUNT; e-- > 0;) { /* LOAD comes last to a lock */
    size_t *next = &p->next[e];
    while (*next < p->o->count && p->o->held[*next].end >= 0)
      *next = p->o->held[*next].follows;
    int64_t when;
    struct held *h = choose(p, e, &when);
    if (h && (!best || when < *at)) {
      best = h;
      *at = when;
    }
  }
  return best;
}

static void play(struct tsr__ordering *o)
{
  struct play p = {.o = o, .inputs = time_of_inputs(o)};
  struct held *h;
  int64_t at;
  link_engines(o, p.next);
  while ((h = next_of_all(&p, &at)))
    run(&p, h, at);
}

static int by_start(const void *a, const void *b)
{
  const struct held *x = *(struct held *const *)a, *y = *(struct held *const *)b;
  if (x->start != y->start)
    return x->start < y->start ? -1 : 1;
  return x < y ? -1 : 1;
}

void tsr__order_release(struct tsr__ordering *o, struct tsr__stream *s,
                        void (*append)(struct tsr__stream *s, struct tsr_insn *insn,
                                       enum tsr__dram_base base))
{
  struct held **list = TSR_NEW_ARRAY(o->arena, struct held *, o->count + 1);
  find_preds(o);
  play(o);
  for (size_t i = 0; i < o->count; i++)
    list[i] = &o->held[i];
  qsort(list, o->count, sizeof *list, by_start);
  for (size_t i = 0; i < o->count; i++) {
    struct held *h = list[i];
    for (int k = 0; k < h->touches; k++)
      tsr__depend_touch(s->depend, h->engine, h->touch[k].space, h->touch[k].lo, h->touch[k].hi,
                        h->touch[k].writes);
    append(s, &h->insn, h->base);
  }
  o->count = 0;
}
