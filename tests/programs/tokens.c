/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens for a draft. For every instruction, and every other engine, the latest earlier instruction
 * of that engine with which it conflicts is an edge; those before it are ordered by their queue. An
 * edge that does not end later than the one before it, between the same engines, adds nothing: so
 * edges rise at both ends, and the k-th token given is the k-th taken. Every edge goes forward in
 * the program; if counters hold what program order asks of them, program order is one way through,
 * and then every way gets through. */
#include <string.h>

#include "tests/programs/draft.h"

static int engine_at(const struct draft *d, int i)
{
  return tsr_insn_engine(&d->list[i].insn);
}

/* Keeps both ends rising; false where that cannot be. */
static bool insert(struct edges *edges, int from, int to)
{
  int at = 0;
  while (at < edges->count && edges->from[at] < from)
    at++;
  if ((at > 0 && edges->to[at - 1] >= to) || edges->count == DRAFT_INSNS ||
      (at < edges->count && (edges->from[at] == from || edges->to[at] <= to)))
    return false;
  memmove(edges->from + at + 1, edges->from + at, (size_t)(edges->count - at) * sizeof(int));
  memmove(edges->to + at + 1, edges->to + at, (size_t)(edges->count - at) * sizeof(int));
  edges->from[at] = from;
  edges->to[at] = to;
  edges->count++;
  return true;
}

static void erase(struct edges *edges, int at)
{
  edges->count--;
  memmove(edges->from + at, edges->from + at + 1, (size_t)(edges->count - at) * sizeof(int));
  memmove(edges->to + at, edges->to + at + 1, (size_t)(edges->count - at) * sizeof(int));
}

/* What program order asks of the counter. */
static bool fits(const struct draft *d, const struct edges *edges)
{
  for (int k = d->design->token_depth; k < edges->count; k++)
    if (edges->to[k - d->design->token_depth] > edges->from[k])
      return false;
  return true;
}

/* Latest instruction + 1 of each engine that read, wrote an element. */
struct latest {
  int read[TSR_ENGINE_COUNT], write[TSR_ENGINE_COUNT];
};

static void conflicts(const struct drafted *at, const struct latest *latest,
                      int need[TSR_ENGINE_COUNT])
{
  memset(need, 0, TSR_ENGINE_COUNT * sizeof *need);
  for (size_t k = 0; k < at->count; k++) {
    const struct latest *l = &latest[at->touches[k].element];
    bool writes = at->touches[k].how & TOUCH_WRITE;
    for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
      need[e] = l->write[e] > need[e] ? l->write[e] : need[e];
      need[e] = writes && l->read[e] > need[e] ? l->read[e] : need[e];
    }
  }
}

static void note(const struct drafted *at, struct latest *latest, int i, int engine)
{
  for (size_t k = 0; k < at->count; k++) {
    struct latest *l = &latest[at->touches[k].element];
    *(at->touches[k].how & TOUCH_WRITE ? &l->write[engine] : &l->read[engine]) = i + 1;
  }
}

/* One instruction's edges; `known` is what each instruction knows of each engine, `sparse` leaves
 * out what other tokens tell already. */
static void order_after(struct draft *d, int i, bool sparse, const struct latest *latest,
                        int (*known)[TSR_ENGINE_COUNT], int own[TSR_ENGINE_COUNT])
{
  int self = engine_at(d, i), need[TSR_ENGINE_COUNT];
  conflicts(&d->list[i], latest, need);
  for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
    struct edges *edges = &d->edges[e][self];
    int told = sparse ? own[e] : edges->count ? edges->from[edges->count - 1] + 1 : 0;
    if (e == self || need[e] <= told || !insert(edges, need[e] - 1, i))
      continue;
    for (int k = 0; k < TSR_ENGINE_COUNT; k++)
      own[k] = known[need[e] - 1][k] > own[k] ? known[need[e] - 1][k] : own[k];
  }
  own[self] = i + 1;
  memcpy(known[i], own, sizeof known[i]);
}

static void needless(struct draft *d, int count)
{
  for (int k = 0; k < count && d->count > 1; k++) {
    int to = 1 + (int)draw(d, (uint32_t)d->count - 1), from = (int)draw(d, (uint32_t)to);
    struct edges *edges = &d->edges[engine_at(d, from)][engine_at(d, to)];
    if (engine_at(d, from) == engine_at(d, to) || !insert(edges, from, to) || fits(d, edges))
      continue;
    for (int at = edges->count - 1; at >= 0; at--)
      if (edges->from[at] == from)
        erase(edges, at);
  }
}

bool place_tokens(struct draft *d)
{
  struct latest *latest = TSR_NEW_ARRAY(d->arena, struct latest, d->first_element[DRAFT_SPACES]);
  int (*known)[TSR_ENGINE_COUNT] = tsr_arena_alloc_array(d->arena, DRAFT_INSNS, sizeof *known);
  int own[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT] = {{0}};
  bool sparse = draw(d, 2);
  for (int i = 0; i < d->count; i++) {
    int self = engine_at(d, i);
    order_after(d, i, sparse, latest, known, own[self]);
    note(&d->list[i], latest, i, self);
  }
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++)
      if (!fits(d, &d->edges[from][to]))
        return false;
  needless(d, (int)draw(d, 3) * d->count / 2);
  return true;
}

void put_tokens(struct draft *d)
{
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++)
      for (int k = 0; k < d->edges[from][to].count; k++) {
        d->list[d->edges[from][to].from[k]].insn.signal |= 1u << to;
        d->list[d->edges[from][to].to[k]].insn.wait |= 1u << from;
      }
}

void drop_token(struct draft *d)
{
  uint32_t all = 0;
  for (int p = 0; p < TSR_ENGINE_COUNT * TSR_ENGINE_COUNT; p++)
    all += (uint32_t)d->edges[p / TSR_ENGINE_COUNT][p % TSR_ENGINE_COUNT].count;
  uint32_t pick = all ? draw(d, all) : 0;
  for (int p = 0; p < TSR_ENGINE_COUNT * TSR_ENGINE_COUNT; p++) {
    struct edges *edges = &d->edges[p / TSR_ENGINE_COUNT][p % TSR_ENGINE_COUNT];
    if (pick < (uint32_t)edges->count) {
      erase(edges, (int)pick);
      return;
    }
    pick -= (uint32_t)edges->count;
  }
}

/* before[i][j]: j has ended before i begins, in every order. */
static bool (*all_before(struct draft *d))[DRAFT_INSNS]
{
  bool (*before)[DRAFT_INSNS] = tsr_arena_alloc_array(d->arena, DRAFT_INSNS, sizeof *before);
  for (int i = 0; i < d->count; i++)
    for (int j = 0; j < i; j++) {
      const struct edges *edges = &d->edges[engine_at(d, j)][engine_at(d, i)];
      bool direct = engine_at(d, i) == engine_at(d, j);
      for (int k = 0; k < edges->count; k++)
        direct |= edges->from[k] == j && edges->to[k] == i;
      before[i][j] |= direct;
      for (int k = 0; direct && k < j; k++)
        before[i][k] |= before[j][k];
    }
  return before;
}

bool has_race(struct draft *d)
{
  enum { USED = TOUCH_READ | TOUCH_WRITE };
  bool (*before)[DRAFT_INSNS] = all_before(d);
  for (int i = 0; i < d->count; i++) {
    uint8_t *mine = tsr_arena_alloc(d->arena, d->first_element[DRAFT_SPACES]);
    for (size_t k = 0; k < d->list[i].count; k++)
      mine[d->list[i].touches[k].element] |= d->list[i].touches[k].how & USED;
    for (int j = 0; j < i; j++)
      for (size_t k = 0; !before[i][j] && k < d->list[j].count; k++) {
        const struct touch *t = &d->list[j].touches[k];
        uint32_t other = t->how & USED, own = mine[t->element];
        if (other && own && (other | own) & TOUCH_WRITE)
          return true;
      }
  }
  return false;
}
