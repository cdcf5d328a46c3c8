/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's rules (docs/rtl.md) as edges of a graph. */
#include "runtime/profile/graph_nodes.h"

enum {
  CHECK_CYCLES = 13, /* of LOAD and STORE, from the queue's head to the start */
  SYNC_CHECK_CYCLES = 1,
  IN_FLIGHT = 4,     /* transfers between start and retirement */
  ASK_CYCLES = 3,    /* from the start to the first address on the bus */
  WORD_CYCLES = 3,   /* from a word's last beat to its engine's queue */
  REFILL_CYCLES = 3, /* from a last beat to the address of a burst that has its room */
  ROOM_CYCLES = 2,   /* from room in a queue to the next in it */
  SEND_CYCLES = 2,   /* of STORE, from the grant to before its first beat */
  SKID_BEATS = 2,    /* of LOAD, that may have moved before it takes them */
  ANSWER_CYCLES = 2  /* from the last beat of a write to its retirement */
};

static void edge(struct tsr_graph *g, uint32_t from, enum tsr__moment leaving, uint32_t to,
                 enum tsr__moment arriving, enum tsr_cause cause, int32_t cycles)
{
  tsr__add_edge(g, tsr__insn_node(from, leaving), tsr__insn_node(to, arriving), cause, cycles, 0);
}

/* The instruction of the same engine `back` places before; false: there is none. */
static bool earlier(const struct tsr_graph *g, uint32_t i, uint32_t back, uint32_t *out)
{
  const struct tsr__work *w = &g->work[i];
  if (w->place < back)
    return false;
  *out = g->engine[w->engine].item[w->place - back];
  return true;
}

static bool transfers(int engine)
{
  return engine == TSR_ENGINE_LOAD || engine == TSR_ENGINE_STORE;
}

static bool is_sync(const struct tsr__work *w)
{
  return w->insn.opcode == TSR_OP_SYNC;
}

/* --- fetch ------------------------------------------------------------------------------------ */

static int32_t word_beats(const struct tsr_graph *g)
{
  int32_t beats = TSR_INSN_BYTES / tsr_design_beat(g->design);
  return beats ? beats : 1;
}

/* A node is not before the k-th beat (from 0) of a burst of fetch, and `cycles` more: beats follow
 * the first one by one, or as the pins move them. */
static void beat_rule(struct tsr_graph *g, uint32_t burst, uint64_t k, uint32_t to, int32_t cycles)
{
  uint64_t behind = (uint64_t)g->burst[burst].beats - 1 - k;
  tsr__add_edge(g, tsr__burst_node(g, burst, TSR__FIRST), to, TSR_CAUSE_FETCH, cycles - 1,
                (uint32_t)k + 1);
  if (!g->pins.rate)
    return;
  uint64_t bytes = behind * (uint64_t)tsr_design_beat(g->design) * g->pins.per;
  int32_t later = (int32_t)((bytes + g->pins.rate - 1) / g->pins.rate);
  tsr__add_edge(g, tsr__burst_node(g, burst, TSR__MOVED), to, TSR_CAUSE_LATENCY,
                (int32_t)g->pins.latency + cycles - later, 0);
}

/* A word is there when its last beat is, and a cycle for each of its beats after the one before. */
static void fetch_rules(struct tsr_graph *g, uint32_t i, uint32_t before, uint32_t *burst,
                        uint64_t *burst_beat)
{
  uint64_t beat = (uint64_t)tsr_design_beat(g->design);
  uint64_t last = ((uint64_t)(i + 1) * TSR_INSN_BYTES + beat - 1) / beat - 1;
  uint32_t to = tsr__insn_node(i, TSR__QUEUED);
  while (*burst < g->fetched.count &&
         *burst_beat + (uint64_t)g->burst[g->fetched.item[*burst]].beats <= last)
    *burst_beat += (uint64_t)g->burst[g->fetched.item[(*burst)++]].beats;
  if (*burst < g->fetched.count)
    beat_rule(g, g->fetched.item[*burst], last - *burst_beat, to, WORD_CYCLES);
  if (before != UINT32_MAX)
    tsr__add_edge(g, tsr__insn_node(before, TSR__QUEUED), to, TSR_CAUSE_FETCH, 0,
                  (uint32_t)word_beats(g));
  uint32_t out;
  if (earlier(g, i, (uint32_t)g->design->queue_depth, &out))
    edge(g, out, TSR__RETIRED, i, TSR__QUEUED, TSR_CAUSE_QUEUE, ROOM_CYCLES);
}

/* --- an instruction's own steps --------------------------------------------------------------- */

static void nest_rules(struct tsr_graph *g, uint32_t i)
{
  const struct tsr__work *w = &g->work[i];
  const struct tsr_cycle_insn *t = &g->record->insn[g->run->first_insn + i];
  uint32_t before;
  edge(g, i, TSR__QUEUED, i, TSR__START, TSR_CAUSE_FETCH, 0);
  if (earlier(g, i, 1, &before))
    edge(g, before, TSR__RETIRED, i, TSR__START, TSR_CAUSE_STEP, 1);
  edge(g, i, TSR__START, i, TSR__GRANTED, TSR_CAUSE_STEP, is_sync(w) ? 0 : 1);
  uint64_t cycles = t->end - t->granted;
  uint32_t points = (uint32_t)(w->points < cycles ? w->points : cycles);
  tsr__add_edge(g, tsr__insn_node(i, TSR__GRANTED), tsr__insn_node(i, TSR__END), TSR_CAUSE_WORK,
                (int32_t)(cycles - points), points);
  edge(g, i, TSR__END, i, TSR__RETIRED, is_sync(w) ? TSR_CAUSE_TOKEN : TSR_CAUSE_STEP, 1);
}

static void transfer_rules(struct tsr_graph *g, uint32_t i)
{
  const struct tsr__work *w = &g->work[i];
  int32_t check = is_sync(w) ? SYNC_CHECK_CYCLES : CHECK_CYCLES;
  uint32_t before, out;
  edge(g, i, TSR__QUEUED, i, TSR__START, TSR_CAUSE_STEP, check);
  if (earlier(g, i, 1, &before)) {
    edge(g, before, TSR__START, i, TSR__START, TSR_CAUSE_STEP, check + 1);
    edge(g, before, TSR__END, i, w->engine == TSR_ENGINE_LOAD ? TSR__GRANTED : TSR__START,
         TSR_CAUSE_STEP, 1);
    edge(g, before, TSR__END, i, TSR__END, TSR_CAUSE_STEP, 1); /* a SYNC needs no grant */
    edge(g, before, TSR__RETIRED, i, TSR__RETIRED, TSR_CAUSE_STEP, 1);
  }
  if (earlier(g, i, IN_FLIGHT, &out))
    edge(g, out, TSR__RETIRED, i, TSR__START, TSR_CAUSE_STEP, 1);
  edge(g, i, TSR__START, i, TSR__GRANTED, TSR_CAUSE_STEP, is_sync(w) ? 0 : 1);
  edge(g, i, TSR__END, i, TSR__RETIRED, is_sync(w) ? TSR_CAUSE_TOKEN : TSR_CAUSE_STEP, 1);
  int32_t send = w->engine == TSR_ENGINE_LOAD ? 0 : is_sync(w) ? 1 : SEND_CYCLES + 1;
  tsr__add_edge(g, tsr__insn_node(i, TSR__GRANTED), tsr__insn_node(i, TSR__END), TSR_CAUSE_WORK,
                (int32_t)w->pads + send, w->beats);
}

/* --- between engines -------------------------------------------------------------------------- */

/* The k-th token taken is the k-th given; one more than fit waits for one to be taken. */
static void token_rules(struct tsr_graph *g)
{
  uint32_t depth = (uint32_t)g->design->token_depth;
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++) {
      const struct tsr__list *give = &g->give[from][to], *take = &g->take[from][to];
      for (uint32_t k = 0; k < take->count && k < give->count; k++)
        edge(g, give->item[k], TSR__RETIRED, take->item[k], TSR__START, TSR_CAUSE_TOKEN, 1);
      for (uint32_t k = depth; k < give->count && k - depth < take->count; k++)
        edge(g, take->item[k - depth], TSR__START, give->item[k], TSR__RETIRED, TSR_CAUSE_ROOM, 1);
    }
}

static uint64_t granted(const struct tsr_graph *g, uint32_t insn)
{
  return g->record->insn[g->run->first_insn + insn].granted;
}

/* The engine whose next instruction, in `at`, gets its locks first; -1: none is left. */
static int next_grant(const struct tsr_graph *g, const uint32_t at[TSR_ENGINE_COUNT])
{
  int best = -1;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (at[e] < g->engine[e].count && (best < 0 || granted(g, g->engine[e].item[at[e]]) <
                                                       granted(g, g->engine[best].item[at[best]])))
      best = e;
  return best;
}

static void lock_rules(struct tsr_graph *g)
{
  uint32_t at[TSR_ENGINE_COUNT] = {0}, holder[3];
  bool held[3] = {false};
  for (int e; (e = next_grant(g, at)) >= 0;) {
    uint32_t i = g->engine[e].item[at[e]++];
    for (int lock = 0; lock < 3; lock++) {
      if (!(g->work[i].locks >> lock & 1))
        continue;
      if (held[lock] && g->work[holder[lock]].engine != e)
        edge(g, holder[lock], TSR__END, i, TSR__GRANTED, TSR_CAUSE_LOCK, 1);
      holder[lock] = i;
      held[lock] = true;
    }
  }
}

/* --- bursts ----------------------------------------------------------------------------------- */

static void between(struct tsr_graph *g, uint32_t from, enum tsr__moment leaving, uint32_t to,
                    enum tsr__moment arriving, enum tsr_cause cause, int32_t fixed, uint32_t scaled)
{
  tsr__add_edge(g, tsr__burst_node(g, from, leaving), tsr__burst_node(g, to, arriving), cause,
                fixed, scaled);
}

/* A burst moves beat by beat, once the pins have moved each: reads then take the latency, too. */
static void pins_rules(struct tsr_graph *g, uint32_t k)
{
  const struct tsr_cycle_burst *b = &g->burst[k];
  uint32_t beat = (uint32_t)tsr_design_beat(g->design), bytes = (uint32_t)b->beats * beat;
  enum tsr_cause cause = b->write ? TSR_CAUSE_PINS : TSR_CAUSE_LATENCY;
  int32_t later = b->write ? -1 : (int32_t)g->pins.latency;
  between(g, k, TSR__ACCEPTED, k, TSR__MOVED, TSR_CAUSE_PINS, 0, bytes);
  between(g, k, TSR__ACCEPTED, k, TSR__FIRST, cause, later, beat);
  between(g, k, TSR__MOVED, k, TSR__LAST, cause, later, 0);
  tsr__add_chain(g, k, cause, later, bytes, beat);
}

static void beat_rules(struct tsr_graph *g, uint32_t k)
{
  between(g, k, TSR__ACCEPTED, k, TSR__FIRST, TSR_CAUSE_BUS, g->burst[k].write ? 0 : 1, 0);
  between(g, k, TSR__FIRST, k, TSR__LAST, TSR_CAUSE_BUS, -1, (uint32_t)g->burst[k].beats);
  if (g->pins.rate)
    pins_rules(g, k);
}

/* An address waits until one of `most` bursts in flight is over, and `cycles` more; 0: no limit. */
static void flight_rules(struct tsr_graph *g, const struct tsr__list *all, int most,
                         enum tsr_cause cause, int32_t cycles)
{
  for (uint32_t k = (uint32_t)most; most && k < all->count; k++)
    between(g, all->item[k - (uint32_t)most], TSR__LAST, all->item[k], TSR__ACCEPTED, cause, cycles,
            0);
}

/* One address a cycle, one beat a cycle. */
static void channel_rules(struct tsr_graph *g, const struct tsr__list *all)
{
  for (uint32_t k = 1; k < all->count; k++) {
    between(g, all->item[k - 1], TSR__ACCEPTED, all->item[k], TSR__ACCEPTED, TSR_CAUSE_BUS, 1, 0);
    between(g, all->item[k - 1], TSR__LAST, all->item[k], TSR__FIRST, TSR_CAUSE_BUS, 1, 0);
  }
}

/* So many bursts are in flight, of the machine's own accord and for the memory's sake: a read up to
 * its last beat, a write up to its answer. */
static void limit_rules(struct tsr_graph *g)
{
  const struct tsr_design *d = g->design;
  int32_t answer = 1 + (int32_t)g->pins.latency;
  flight_rules(g, &g->reads, d->axi_reads, TSR_CAUSE_BUS, 2);
  flight_rules(g, &g->reads, d->memory.reads, TSR_CAUSE_BUS, 0);
  flight_rules(g, &g->stored, d->axi_writes, TSR_CAUSE_LATENCY, answer + 2);
  flight_rules(g, &g->stored, d->memory.writes, TSR_CAUSE_LATENCY, answer);
}

/* Entries of padding that a LOAD writes before its `beats`-th beat. */
static uint32_t pads_before(const struct tsr__work *w, uint32_t beats)
{
  uint32_t ny = w->insn.dma.ny, rows = ny * w->insn.dma.nz;
  uint32_t row = (uint32_t)((uint64_t)(beats - 1) * rows / w->beats), y = row % ny, z = row / ny;
  uint32_t sides = w->insn.dma.xl + w->insn.dma.xr, width = w->insn.dma.nx + sides;
  return z * (width * (w->insn.dma.yl + w->insn.dma.yr) + sides * ny) + width * w->insn.dma.yl +
         sides * y + w->insn.dma.xl;
}

/* A STORE sends a burst, behind so many beats. */
static void send_rules(struct tsr_graph *g, uint32_t i, uint32_t burst, uint32_t before)
{
  uint32_t from = tsr__insn_node(i, TSR__GRANTED);
  uint32_t beats = (uint32_t)g->burst[burst].beats;
  tsr__add_edge(g, from, tsr__burst_node(g, burst, TSR__FIRST), TSR_CAUSE_WORK, SEND_CYCLES + 1,
                before);
  tsr__add_edge(g, from, tsr__burst_node(g, burst, TSR__LAST), TSR_CAUSE_WORK, SEND_CYCLES,
                before + beats);
}

/* A LOAD takes beats once it has its locks; the skid buffer holds two that it has not taken. */
static void take_rules(struct tsr_graph *g, uint32_t i, uint32_t burst, uint32_t before)
{
  uint32_t beats = before + (uint32_t)g->burst[burst].beats;
  if (beats > SKID_BEATS)
    tsr__add_edge(g, tsr__insn_node(i, TSR__GRANTED), tsr__burst_node(g, burst, TSR__LAST),
                  TSR_CAUSE_WORK, (int32_t)pads_before(&g->work[i], beats - SKID_BEATS) + 1,
                  beats - SKID_BEATS);
}

/* The LOAD behind another starts when the last address of that is in the bus's register: when that of
 * the read before it has been accepted, and one more may be in flight. */
static void ask_rules(struct tsr_graph *g, uint32_t i, uint32_t next, uint32_t last)
{
  const struct tsr__work *w = &g->work[i];
  uint32_t to = tsr__insn_node(next, TSR__START), place = g->place[last];
  uint32_t most = (uint32_t)g->design->axi_reads;
  edge(g, i, TSR__START, next, TSR__START, TSR_CAUSE_STEP, ASK_CYCLES + (int32_t)w->bursts - 1);
  if (place)
    tsr__add_edge(g, tsr__burst_node(g, g->reads.item[place - 1], TSR__ACCEPTED), to,
                  TSR_CAUSE_STEP, 1, 0);
  if (place >= most)
    tsr__add_edge(g, tsr__burst_node(g, g->reads.item[place - most], TSR__LAST), to, TSR_CAUSE_STEP,
                  2, 0);
}

/* A transfer asks for its bursts, moves them, and has ended behind the last. */
static void owner_rules(struct tsr_graph *g, uint32_t i)
{
  const struct tsr__work *w = &g->work[i];
  bool store = w->engine == TSR_ENGINE_STORE;
  const struct tsr__list *list = store ? &g->stored : &g->loaded;
  uint32_t beats = 0;
  for (uint32_t k = 0; k < w->bursts; k++) {
    uint32_t burst = list->item[w->first_burst + k];
    tsr__add_edge(g, tsr__insn_node(i, TSR__START), tsr__burst_node(g, burst, TSR__ACCEPTED),
                  TSR_CAUSE_STEP, ASK_CYCLES + (int32_t)k, 0);
    if (store)
      send_rules(g, i, burst, beats);
    else
      take_rules(g, i, burst, beats);
    beats += (uint32_t)g->burst[burst].beats;
  }
  if (!w->bursts)
    return;
  uint32_t last = list->item[w->first_burst + w->bursts - 1];
  tsr__add_edge(g, tsr__burst_node(g, last, TSR__LAST), tsr__insn_node(i, TSR__END), TSR_CAUSE_STEP,
                1, 0);
  if (store)
    tsr__add_edge(g, tsr__burst_node(g, last, TSR__LAST), tsr__insn_node(i, TSR__RETIRED),
                  TSR_CAUSE_LATENCY, ANSWER_CYCLES + (int32_t)g->pins.latency, 0);
  uint32_t place = w->place + 1;
  if (!store && place < g->engine[w->engine].count)
    ask_rules(g, i, g->engine[w->engine].item[place], last);
}

/* A burst of fetch goes when there is room for it: when `beat`, of burst `of` that begins with beat
 * `first`, is on its way to a queue, behind the word before its own. */
static void refill_rule(struct tsr_graph *g, uint32_t burst, uint64_t beat, uint32_t of,
                        uint64_t first)
{
  uint64_t bytes = (uint64_t)tsr_design_beat(g->design),
           word = ((beat + 1) * bytes - 1) / TSR_INSN_BYTES;
  uint32_t to = tsr__burst_node(g, burst, TSR__ACCEPTED);
  beat_rule(g, of, beat - first, to, REFILL_CYCLES);
  if (word && word <= g->insns && g->work[word - 1].ran)
    tsr__add_edge(g, tsr__insn_node((uint32_t)word - 1, TSR__QUEUED), to, TSR_CAUSE_FETCH, 1,
                  (uint32_t)(beat % (uint64_t)word_beats(g)));
}

/* There is room for two of the longest bursts. */
static void refill_rules(struct tsr_graph *g)
{
  uint64_t room = 2 * (uint64_t)g->design->axi_burst_beats, asked = 0, first = 0;
  for (uint32_t k = 0, of = 0; k < g->fetched.count; k++) {
    asked += (uint64_t)g->burst[g->fetched.item[k]].beats;
    if (asked <= room)
      continue;
    while (first + (uint64_t)g->burst[g->fetched.item[of]].beats < asked - room)
      first += (uint64_t)g->burst[g->fetched.item[of++]].beats;
    refill_rule(g, g->fetched.item[k], asked - room - 1, g->fetched.item[of], first);
  }
}

static void burst_rules(struct tsr_graph *g)
{
  for (uint32_t k = 0; k < g->bursts; k++)
    beat_rules(g, k);
  channel_rules(g, &g->reads);
  channel_rules(g, &g->stored);
  limit_rules(g);
  refill_rules(g);
}

static void insn_rules(struct tsr_graph *g)
{
  uint32_t before = UINT32_MAX, burst = 0;
  uint64_t burst_beat = 0;
  for (uint32_t i = 0; i < g->insns; i++) {
    if (!g->work[i].ran)
      continue;
    fetch_rules(g, i, before, &burst, &burst_beat);
    before = i;
    if (transfers(g->work[i].engine)) {
      transfer_rules(g, i);
      owner_rules(g, i);
    } else {
      nest_rules(g, i);
    }
    tsr__add_edge(g, tsr__insn_node(i, TSR__RETIRED), tsr__finish_node(g), TSR_CAUSE_STEP, 1, 0);
  }
  if (before != UINT32_MAX)
    tsr__add_edge(g, tsr__insn_node(before, TSR__QUEUED), tsr__finish_node(g), TSR_CAUSE_FETCH,
                  word_beats(g), 0);
}

void tsr__add_rules(struct tsr_graph *g)
{
  insn_rules(g);
  token_rules(g);
  lock_rules(g);
  burst_rules(g);
}
