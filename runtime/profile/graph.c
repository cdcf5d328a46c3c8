/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/graph_nodes.h"

#include <assert.h>

const char *tsr_cause_name(int cause)
{
  static const char *const names[] = {
#define TSR_CAUSE(name, text, meaning) text,
#include "runtime/profile/causes.def"
#undef TSR_CAUSE
  };
  return names[cause];
}

const char *tsr_cause_meaning(int cause)
{
  static const char *const meanings[] = {
#define TSR_CAUSE(name, text, meaning) meaning,
#include "runtime/profile/causes.def"
#undef TSR_CAUSE
  };
  return meanings[cause];
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void add_insn(struct tsr_graph *g, uint32_t i)
{
  const struct tsr_cycle_insn *t = &g->record->insn[g->run->first_insn + i];
  const uint64_t cycle[TSR__INSN_NODES] = {t->queued, t->start, t->granted, t->end, t->retired};
  int engine = g->work[i].engine;
  for (int k = 0; k < TSR__INSN_NODES; k++)
    g->node[tsr__insn_node(i, TSR__QUEUED) + (uint32_t)k] =
        (struct tsr__node){.cycle = g->work[i].ran ? cycle[k] : 0,
                           .insn = i,
                           .moment = (uint8_t)(TSR__QUEUED + k),
                           .engine = (uint8_t)(k && g->work[i].ran ? engine : TSR_ENGINE_FETCH)};
}

static void add_burst(struct tsr_graph *g, uint32_t k)
{
  const struct tsr_cycle_burst *b = &g->burst[k];
  const uint64_t cycle[TSR__BURST_NODES] = {b->first, b->last, b->accepted, b->accepted};
  int engine = b->write ? TSR_ENGINE_STORE : b->id ? TSR_ENGINE_LOAD : TSR_ENGINE_FETCH;
  for (int m = 0; m < TSR__BURST_NODES; m++)
    g->node[tsr__burst_node(g, k, (enum tsr__moment)m)] =
        (struct tsr__node){.cycle = cycle[m],
                           .insn = g->burst_insn[k],
                           .moment = (uint8_t)m,
                           .engine = (uint8_t)engine};
}

static void add_nodes(struct tsr_graph *g)
{
  g->nodes = g->insns * TSR__INSN_NODES + g->bursts * TSR__BURST_NODES + 1;
  g->node = TSR_NEW_ARRAY(g->arena, struct tsr__node, g->nodes);
  g->time = TSR_NEW_ARRAY(g->arena, uint64_t, g->nodes);
  g->needs = TSR_NEW_ARRAY(g->arena, uint32_t, g->nodes);
  g->ready = TSR_NEW_ARRAY(g->arena, uint32_t, g->nodes);
  g->chain = (void *)TSR_NEW_ARRAY(g->arena, uint32_t, 2 * ((size_t)g->bursts + 1));
  for (uint32_t i = 0; i < g->insns; i++)
    add_insn(g, i);
  for (uint32_t k = 0; k < g->bursts; k++)
    add_burst(g, k);
  g->node[tsr__finish_node(g)] = (struct tsr__node){.cycle = g->run->cycles,
                                                    .insn = g->insns ? g->insns - 1 : 0,
                                                    .moment = TSR__FINISH,
                                                    .engine = TSR_ENGINE_FETCH};
}

/* --- edges ------------------------------------------------------------------------------------ */

/* The order of time. In one cycle a read's last beat can make room for an address, and a write's
 * first beat can move with its own. */
static uint64_t key_of(const struct tsr__node *n)
{
  static const uint8_t of_write[TSR__BURST_NODES] = {
      [TSR__ACCEPTED] = 0, [TSR__MOVED] = 1, [TSR__FIRST] = 2, [TSR__LAST] = 3};
  bool written = n->engine == TSR_ENGINE_STORE && n->moment < TSR__BURST_NODES;
  return n->cycle << 4 | (written ? of_write[n->moment] : n->moment);
}

static uint64_t whole_cycles(const struct tsr_graph *g, uint64_t time)
{
  return (time + g->unit - 1) / g->unit;
}

/* Does the edge count bytes that the pins move, and not cycles? */
static bool counts_bytes(const struct tsr_graph *g, enum tsr_cause cause)
{
  return g->pins.rate && (cause == TSR_CAUSE_PINS || cause == TSR_CAUSE_LATENCY);
}

/* The time in which the pins move so many bytes. */
static uint64_t pins_time(const struct tsr_graph *g, uint64_t bytes, unsigned factor)
{
  return bytes * g->pins.per * 2 / (factor > 1 ? factor : 1);
}

/* Cycles from one node to another, as they were measured, and of what the pins do in between. */
static int64_t measured(const struct tsr_graph *g, uint32_t from, uint32_t to, uint64_t pins)
{
  const struct tsr__node *n = &g->node[from];
  uint64_t time = n->moment == TSR__MOVED ? g->time[from] : n->cycle * g->unit;
  return (int64_t)(g->node[to].cycle - whole_cycles(g, time + pins));
}

/* How much an edge says too much for what was measured. */
static int64_t excess(const struct tsr_graph *g, const struct tsr__edge *e)
{
  bool bytes = counts_bytes(g, e->cause);
  int64_t most = measured(g, e->from, e->to, bytes ? pins_time(g, e->scaled, 1) : 0);
  return (int64_t)e->fixed + (bytes ? 0 : e->scaled) - most;
}

/* An edge that leads to its node; it does not lead away from one yet. */
static uint32_t new_edge(struct tsr_graph *g, struct tsr__edge edge)
{
  struct tsr__node *to = &g->node[edge.to];
  if (to->moment != TSR__MOVED) {
    int64_t over = excess(g, &edge);
    if (over > 0) {
      edge.fixed -= (int32_t)over;
      g->excess += (uint64_t)over;
    }
  }
  if (g->edges == g->chunks * TSR__CHUNK)
    g->chunk[g->chunks++] = TSR_NEW_ARRAY(g->arena, struct tsr__edge, TSR__CHUNK);
  edge.next = to->edge;
  to->edge = ++g->edges;
  *tsr__edge_at(g, g->edges) = edge;
  return g->edges;
}

void tsr__add_edge(struct tsr_graph *g, uint32_t from, uint32_t to, enum tsr_cause cause,
                   int32_t fixed, uint32_t scaled)
{
  uint64_t before = key_of(&g->node[from]), after = key_of(&g->node[to]);
  if (before > after || (before == after && from >= to))
    return;
  uint32_t k = new_edge(g, (struct tsr__edge){.from = from,
                                              .to = to,
                                              .next_out = g->node[from].out,
                                              .fixed = fixed,
                                              .scaled = scaled,
                                              .cause = (uint8_t)cause});
  g->node[from].out = k;
  g->node[to].needs++;
}

void tsr__add_chain(struct tsr_graph *g, uint32_t burst, enum tsr_cause cause, int32_t later,
                    uint32_t bytes, uint32_t beat)
{
  struct tsr__edge e = {.from = burst ? tsr__burst_node(g, burst - 1, TSR__MOVED)
                                      : tsr__burst_node(g, burst, TSR__ACCEPTED)};
  e.to = tsr__burst_node(g, burst, TSR__MOVED);
  e.scaled = bytes;
  e.cause = TSR_CAUSE_PINS;
  g->chain[burst][0] = new_edge(g, e);
  e.to = tsr__burst_node(g, burst, TSR__FIRST);
  e.scaled = beat;
  e.fixed = later;
  e.cause = (uint8_t)cause;
  g->chain[burst][1] = new_edge(g, e);
  g->node[e.to].needs++; /* the pins come to it: serve() */
}

/* --- evaluation ------------------------------------------------------------------------------- */

static uint32_t over(uint32_t scaled, unsigned factor)
{
  return factor > 1 ? (scaled + factor - 1) / factor : scaled;
}

static uint32_t scaled_part(const struct tsr__edge *e, int engine, const struct tsr_scenario *s)
{
  if (e->cause == TSR_CAUSE_BUS || e->cause == TSR_CAUSE_FETCH)
    return over(e->scaled, s->bus);
  if (e->cause != TSR_CAUSE_WORK)
    return e->scaled;
  return over(e->scaled, engine == TSR_ENGINE_MATRIX   ? s->matrix
                         : engine == TSR_ENGINE_VECTOR ? s->vector
                                                       : s->bus);
}

static bool dropped(const struct tsr_graph *g, const struct tsr__edge *e, uint32_t to,
                    const struct tsr_scenario *s)
{
  bool apart = g->node[e->from].insn != g->node[to].insn;
  switch (e->cause) {
  case TSR_CAUSE_TOKEN: return s->free_order && apart;
  case TSR_CAUSE_ROOM: return s->free_order || s->free_tokens;
  case TSR_CAUSE_LOCK: return s->free_locks;
  default: return false;
  }
}

/* Cycles of an edge that does not lead to the pins, apart from those in which they move bytes. */
static int64_t edge_cycles(const struct tsr_graph *g, const struct tsr__edge *e, int engine,
                           const struct tsr_scenario *s)
{
  if (e->cause == TSR_CAUSE_TOKEN && s->free_tokens)
    return 0;
  int64_t cycles = e->fixed;
  if (!counts_bytes(g, e->cause))
    cycles += scaled_part(e, engine, s);
  if (e->cause == TSR_CAUSE_LATENCY && s->no_latency)
    cycles -= (int64_t)g->pins.latency;
  return cycles;
}

/* The time that an edge says `to` is not before. */
static uint64_t reach(const struct tsr_graph *g, const struct tsr__edge *e, uint32_t to,
                      const struct tsr_scenario *s)
{
  const struct tsr__node *n = &g->node[to];
  uint64_t from = g->time[e->from];
  if (s->free_fetch && n->engine == TSR_ENGINE_FETCH && n->moment != TSR__FINISH)
    return from; /* nothing that fetch does takes time */
  if (counts_bytes(g, e->cause))
    from += pins_time(g, e->scaled, s->pins);
  if (n->moment == TSR__MOVED)
    return from;
  int64_t time = (int64_t)(whole_cycles(g, from) * g->unit) +
                 edge_cycles(g, e, n->engine, s) * (int64_t)g->unit;
  return time > 0 ? (uint64_t)time : 0;
}

/* The latest of what a node's edges say; *by: the edge that says it, of several the one from the
 * latest node; 0: none. */
static uint64_t latest(const struct tsr_graph *g, uint32_t node, const struct tsr_scenario *s,
                       uint32_t *by)
{
  uint64_t time = 0, begun = 0;
  *by = 0;
  for (uint32_t k = g->node[node].edge; k; k = tsr__edge_at(g, k)->next) {
    const struct tsr__edge *e = tsr__edge_at(g, k);
    if (dropped(g, e, node, s))
      continue;
    uint64_t t = reach(g, e, node, s);
    if (t < time || (t == time && *by && g->time[e->from] <= begun))
      continue;
    time = t;
    begun = g->time[e->from];
    *by = k;
  }
  return time;
}

/* One of the nodes before this one has its time. */
static void satisfy(struct tsr_graph *g, uint32_t node)
{
  if (!--g->needs[node] && g->node[node].moment != TSR__MOVED)
    g->ready[g->ready_count++] = node;
}

static void settle(struct tsr_graph *g, uint32_t node, const struct tsr_scenario *s)
{
  const struct tsr__node *n = &g->node[node];
  uint32_t by;
  bool free = s->free_fetch && n->engine == TSR_ENGINE_FETCH;
  uint64_t rest = free && n->moment != TSR__FINISH ? 0 : n->rest;
  g->time[node] = free && n->moment == TSR__QUEUED ? 0 : latest(g, node, s, &by) + rest * g->unit;
  for (uint32_t k = n->out; k; k = tsr__edge_at(g, k)->next_out)
    satisfy(g, tsr__edge_at(g, k)->to);
}

/* The pins move a burst, behind the one that had them before; UINT32_MAX: none had. */
static void serve(struct tsr_graph *g, uint32_t burst, uint32_t before,
                  const struct tsr_scenario *s)
{
  uint32_t from = before == UINT32_MAX ? tsr__burst_node(g, burst, TSR__ACCEPTED)
                                       : tsr__burst_node(g, before, TSR__MOVED);
  for (int k = 0; k < 2; k++)
    tsr__edge_at(g, g->chain[burst][k])->from = from;
  settle(g, tsr__burst_node(g, burst, TSR__MOVED), s);
  satisfy(g, tsr__burst_node(g, burst, TSR__FIRST));
}

/* When the address of a list's next burst was accepted; UINT64_MAX: it has not been, or there is
 * none. */
static uint64_t head_time(const struct tsr_graph *g, const struct tsr__list *list, uint32_t at)
{
  if (at == list->count || g->needs[tsr__burst_node(g, list->item[at], TSR__MOVED)])
    return UINT64_MAX;
  return g->time[tsr__burst_node(g, list->item[at], TSR__ACCEPTED)];
}

/* Gives each node its time. When nothing is ready, all that has no time yet waits for the pins: so
 * they move the burst whose address came first of those that have one; reads before writes. */
static void evaluate(struct tsr_graph *g, const struct tsr_scenario *s)
{
  uint32_t read = 0, written = 0, before = UINT32_MAX;
  g->ready_count = 0;
  for (uint32_t k = 0; k < g->nodes; k++) {
    g->needs[k] = g->node[k].needs;
    if (!g->needs[k])
      g->ready[g->ready_count++] = k;
  }
  for (;;) {
    while (g->ready_count)
      settle(g, g->ready[--g->ready_count], s);
    uint64_t reads = head_time(g, &g->reads, read), writes = head_time(g, &g->stored, written);
    if (!g->pins.rate || (reads == UINT64_MAX && writes == UINT64_MAX))
      return;
    uint32_t burst = reads <= writes ? g->reads.item[read++] : g->stored.item[written++];
    serve(g, burst, before, s);
    before = burst;
  }
}

uint64_t tsr_graph_cycles(struct tsr_graph *g, const struct tsr_scenario *scenario)
{
  evaluate(g, scenario);
  return whole_cycles(g, g->time[tsr__finish_node(g)]);
}

/* --- building --------------------------------------------------------------------------------- */

/* When the pins were done with each burst, as far as one after the other decides it. */
static void time_pins(struct tsr_graph *g)
{
  uint64_t done = 0;
  for (uint32_t k = 0; k < g->bursts && g->pins.rate; k++) {
    const struct tsr_cycle_burst *b = &g->burst[k];
    uint64_t from = b->accepted * g->unit;
    done = (from > done ? from : done) +
           pins_time(g, (uint64_t)b->beats * (uint64_t)tsr_design_beat(g->design), 1);
    g->time[tsr__burst_node(g, k, TSR__MOVED)] = done;
  }
}

/* What the edges do not explain, at the times that were measured. */
static void leave_rests(struct tsr_graph *g)
{
  static const struct tsr_scenario as_it_was;
  uint32_t by;
  for (uint32_t k = 0; k < g->nodes; k++)
    if (g->node[k].moment != TSR__MOVED)
      g->time[k] = g->node[k].cycle * g->unit;
  for (uint32_t k = 0; k < g->nodes; k++) {
    uint64_t time = latest(g, k, &as_it_was, &by);
    assert(time <= g->time[k]);
    g->node[k].rest = (uint32_t)((g->time[k] - time) / g->unit);
  }
}

struct tsr_graph *tsr_graph_build(struct tsr_arena *arena, const struct tsr_record *record,
                                  const struct tsr_record_run *run)
{
  struct tsr_graph *g = TSR_NEW(arena, struct tsr_graph);
  *g = (struct tsr_graph){.arena = arena,
                          .record = record,
                          .run = run,
                          .design = &record->module->design,
                          .insns = (uint32_t)run->insns,
                          .bursts = (uint32_t)run->bursts};
  g->pins = tsr__pins_of(g->design);
  g->unit = g->pins.rate ? 2 * g->pins.rate : 1;
  tsr__read_stream(g);
  add_nodes(g);
  time_pins(g);
  /* No node has more edges than an instruction with three tokens and three locks. */
  g->chunk = TSR_NEW_ARRAY(arena, struct tsr__edge *, (uint64_t)g->nodes * 12 / TSR__CHUNK + 2);
  tsr__add_rules(g);
  leave_rests(g);
  return g;
}

uint64_t tsr_graph_rests(const struct tsr_graph *g)
{
  uint64_t sum = 0;
  for (uint32_t k = 0; k < g->nodes; k++)
    sum += g->node[k].rest;
  return sum;
}

uint64_t tsr_graph_excess(const struct tsr_graph *g)
{
  return g->excess;
}

/* --- the path --------------------------------------------------------------------------------- */

/* What no edge explains: banks and rows of the memory, and where the run begins. */
static enum tsr_cause cause_of_rest(const struct tsr__node *n)
{
  bool answer = n->moment == TSR__RETIRED && n->engine == TSR_ENGINE_STORE;
  if (n->moment == TSR__FIRST || n->moment == TSR__LAST || answer)
    return TSR_CAUSE_LATENCY;
  if (n->engine == TSR_ENGINE_FETCH)
    return TSR_CAUSE_FETCH;
  return TSR_CAUSE_OTHER;
}

void tsr_graph_path(struct tsr_graph *g,
                    void (*step)(void *context, const struct tsr_path_step *step), void *context)
{
  static const struct tsr_scenario as_it_was;
  evaluate(g, &as_it_was);
  uint32_t node = tsr__finish_node(g), by = 1;
  while (by) {
    const struct tsr__node *n = &g->node[node];
    struct tsr_path_step s = {n->engine, cause_of_rest(n), g->run->first_insn + n->insn, n->rest};
    latest(g, node, &as_it_was, &by);
    if (s.cycles)
      step(context, &s);
    if (!by)
      break;
    const struct tsr__edge *e = tsr__edge_at(g, by);
    s.cause = e->cause;
    s.cycles = whole_cycles(g, g->time[node]) - n->rest - whole_cycles(g, g->time[e->from]);
    step(context, &s);
    node = e->from;
  }
}
