/* SPDX-License-Identifier: Apache-2.0 */
/* In which order a layer's LOADs stand.
 *
 * The loops emit a LOAD where it is used: the next channel tile's weights behind all spatial tiles of this
 * one, although there has been room for them since long. Engines run in order, so the load engine would
 * stand still, and then be late. Here a layer's instructions are played through, with the times that they
 * take (docs/rtl.md, "Time"), and whenever the load engine is free it takes, of the LOADs whose
 * destination is free by then, the one that is needed first. Weights come in pieces, so that they fill the
 * gaps between the inputs of tiles. The other engines keep their order; the stream has all instructions in
 * the order in which they start. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/target/accel/accel.h"
#include "verify/check.h"

enum { WINDOW = 48 /* LOADs that are looked at */, MOST_TOUCHES = 4 /* micro-ops, d, a, b */, SHELVES = SPACE_DRAM };

struct touch {
  enum tsr__space space;
  bool writes;
  uint64_t lo, hi;
};

struct held {
  struct tsr_insn insn;
  enum tsr__dram_base base;
  int engine, touches;
  struct touch touch[MOST_TOUCHES];
  size_t first_pred, preds;   /* in the list of all */
  size_t follows;             /* the next of its engine; `count`: none */
  size_t need;                /* LOAD: the first instruction that uses what it brings */
  int64_t cycles, start, end; /* end: -1 while it is not known */
};

/* Who wrote an entry last, and which instruction of each engine read it last; 0: none, else one more. */
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

static void follow(struct tsr__ordering *o, struct held *h, const struct touch *t)
{
  uint32_t before = 0, latest[TSR_ENGINE_COUNT] = {0};
  for (uint64_t k = t->lo; k < t->hi; k++) {
    const struct entry *e = &o->entry[t->space][k];
    if (e->writer != before)
      add_pred(o, h, before = e->writer);
    for (int p = 0; p < TSR_ENGINE_COUNT && t->writes; p++)
      latest[p] = e->reader[p] > latest[p] ? e->reader[p] : latest[p];
  }
  for (int p = 0; p < TSR_ENGINE_COUNT; p++)
    if (p != h->engine)
      add_pred(o, h, latest[p]);
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

static void find_preds(struct tsr__ordering *o)
{
  clear_entries(o);
  o->preds = 0;
  for (size_t i = 0; i < o->count; i++) {
    struct held *h = &o->held[i];
    h->first_pred = o->preds;
    h->need = i;
    h->end = -1;
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
  int64_t free[TSR_ENGINE_COUNT];
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
static int64_t ready(const struct play *p, const struct held *h)
{
  bool input = h->insn.opcode == TSR_OP_LOAD && h->base == BASE_ACTIVATION;
  int64_t at = input ? p->inputs : 0;
  for (size_t k = 0; k < h->preds; k++) {
    int64_t end = p->o->held[p->o->pred[h->first_pred + k]].end;
    if (end < 0)
      return -1;
    at = end > at ? end : at;
  }
  return at;
}

static void run(struct play *p, struct held *h, int64_t at)
{
  int64_t *engine = &p->free[h->engine];
  h->start = at > *engine ? at : *engine;
  h->end = *engine = h->start + h->cycles;
}

/* All that the other engines can do by now. */
static void advance(struct play *p)
{
  bool moved = true;
  while (moved) {
    moved = false;
    for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
      if (e == TSR_ENGINE_LOAD || p->next[e] == p->o->count)
        continue;
      struct held *h = &p->o->held[p->next[e]];
      int64_t at = ready(p, h);
      if (at < 0)
        continue;
      run(p, h, at);
      p->next[e] = h->follows;
      moved = true;
    }
  }
}

/* The LOAD that comes next: of those that can start by now the one that is needed first, else the one
 * that can start first. */
static struct held *choose(const struct play *p, int64_t *at)
{
  struct held *best = NULL;
  size_t i = p->next[TSR_ENGINE_LOAD];
  for (int n = 0; n < WINDOW && i < p->o->count; n++, i = p->o->held[i].follows) {
    struct held *h = &p->o->held[i];
    int64_t when = h->end < 0 ? ready(p, h) : -1;
    if (when < 0)
      continue;
    when = when > p->free[TSR_ENGINE_LOAD] ? when : p->free[TSR_ENGINE_LOAD];
    if (!best || when < *at || (when == *at && h->need < best->need)) {
      best = h;
      *at = when;
    }
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

static void play(struct tsr__ordering *o)
{
  struct play p = {.o = o, .inputs = time_of_inputs(o)};
  link_engines(o, p.next);
  advance(&p);
  for (;;) {
    size_t *next = &p.next[TSR_ENGINE_LOAD];
    while (*next < o->count && o->held[*next].end >= 0)
      *next = o->held[*next].follows;
    if (*next == o->count)
      return;
    int64_t at;
    struct held *h = choose(&p, &at);
    run(&p, h, at);
    advance(&p);
  }
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
