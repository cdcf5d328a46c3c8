/* SPDX-License-Identifier: Apache-2.0 */
/* The read half of the AXI port: hw/rtl/read_port.v. Fetch asks before load. Beats come in the order
 * of the port, and go to fetch, which has room for them, or to load, which may make all wait. */
#include "hw/sim/cycle/machine.h"

enum { FETCH_ID, LOAD_ID };

void tsr__reads_start(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  r->begun = r->accepted = r->ended = r->popped = 0;
  r->asking = r->has_run = false;
  r->look = TSR__NEVER;
  r->free = r->last = r->before = 0;
  r->accept = 0;
  r->held_count = 0;
  for (int id = 0; id < 2; id++)
    r->watched[id].first = r->watched[id].count = 0;
}

/* --- what the observer is told ---------------------------------------------------------------- */

static void watch_accept(struct tsr_cycle *m)
{
  const struct tsr__reads *r = &m->reads;
  struct tsr__watched *w = &m->reads.watched[r->id];
  w->ring[(w->first + w->count++) % TSR__MOST_BURSTS] = (struct tsr_cycle_burst){
      .id = r->id, .addr = r->addr, .beats = r->beats, .accepted = r->accept};
}

/* Beats of a run have moved, `before` had already: a consumer may stop in between. */
static void watch_beats(struct tsr_cycle *m, uint64_t first, int before)
{
  struct tsr__reads *r = &m->reads;
  struct tsr__watched *w = &r->watched[r->run.id];
  struct tsr_cycle_burst *b = &w->ring[w->first % TSR__MOST_BURSTS];
  if (!b->first && !before && r->run_done)
    b->first = first;
  if (!r->run.ends || r->run_done < r->run.beats)
    return;
  b->last = r->free - 1;
  m->options.burst(m->options.context, b);
  w->first++;
  w->count--;
}

/* --- beats ------------------------------------------------------------------------------------ */

static int fetch_beats(struct tsr_cycle *m, const struct tsr_burst_run *run, int k)
{
  struct tsr__reads *r = &m->reads;
  for (; k < run->beats && r->held_count < 2; k++) {
    uint64_t ready = (r->held_count ? r->last : r->before) + 1; /* RREADY is one for both */
    uint64_t cycle =
        tsr__later(tsr_beat_cycle(&run->when, (uint64_t)k), tsr__later(r->free, ready));
    r->free = cycle + 1;
    tsr__fetch_arrived(m, cycle, k == run->error_beat);
  }
  return k;
}

/* False: nothing that is certain comes now. */
static bool next_run(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  if (r->has_run)
    return true;
  r->look = TSR__NEVER;
  if (r->ended == r->accepted)
    return false;
  const struct tsr__coming *c = &r->coming[r->ended % TSR__MOST_BURSTS];
  if (c->known)
    r->run = (struct tsr_burst_run){c->beats, c->id, true, true, -1, c->when, TSR__NEVER};
  else
    m->port.next_read(m->port.context, r->free, &r->run);
  if (!r->run.beats)
    r->look = r->run.look_again;
  else if (!r->run.sure && tsr_beat_cycle(&r->run.when, 0) > m->now)
    r->look = tsr_beat_cycle(&r->run.when, 0);
  if (r->look != TSR__NEVER) {
    tsr__rouse(m, TSR__PART_READS, tsr__later(r->look, m->now + 1));
    return false;
  }
  r->has_run = r->run.beats > 0;
  r->run_done = 0;
  return r->has_run;
}

static void end_run(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  if (!r->coming[r->ended % TSR__MOST_BURSTS].known)
    m->port.take_read(m->port.context, r->run.beats, r->free - 1);
  r->has_run = false;
  if (!r->run.ends)
    return;
  r->end_at[r->ended++ % TSR__MOST_BURSTS] = r->free - 1;
  if (r->asking && r->accept == TSR__NEVER) /* the port may have room then */
    tsr__rouse(m, TSR__PART_READS, tsr__later(r->free - 1, m->now + 1));
  if (r->begun - r->popped >= (uint64_t)m->design.axi_reads)
    tsr__rouse(m, TSR__PART_READS, tsr__later(r->end_at[r->popped % TSR__MOST_BURSTS], m->now) + 1);
}

void tsr__reads_pump(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  while (next_run(m)) {
    uint64_t first = tsr__later(r->free, tsr_beat_cycle(&r->run.when, 0));
    int before = r->run_done;
    r->run_done = r->run.id == FETCH_ID ? fetch_beats(m, &r->run, r->run_done)
                                        : tsr__load_beats(m, &r->run, r->run_done);
    if (m->options.burst)
      watch_beats(m, first, before);
    if (r->run_done < r->run.beats)
      return;
    end_run(m);
  }
}

/* --- addresses -------------------------------------------------------------------------------- */

static void ask(struct tsr_cycle *m, int id, const struct tsr__rows *rows)
{
  struct tsr__reads *r = &m->reads;
  int beats = tsr__rows_beats(rows, m->beat_bytes, m->burst_beats);
  r->asking = true;
  r->id = id;
  r->addr = rows->addr;
  r->beats = beats;
  r->begun++;
  r->accept = m->now + 1;
  if (!m->port.ahead)
    r->accept = m->port.address_cycle(m->port.context, TSR_AXI_AR, m->now + 1);
  if (id == FETCH_ID)
    tsr__fetch_asked(m, beats);
  else
    tsr__front_asked(m, TSR_ENGINE_LOAD, beats);
}

static uint64_t load_asks(const struct tsr_cycle *m)
{
  return m->fronts[TSR_ENGINE_LOAD].rows.more ? m->fronts[TSR_ENGINE_LOAD].burst_from : TSR__NEVER;
}

static void pop(struct tsr__reads *r, uint64_t now)
{
  while (r->popped < r->ended && r->end_at[r->popped % TSR__MOST_BURSTS] < now)
    r->popped++;
}

static void begin(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  pop(r, m->now);
  if (r->asking || r->accept > m->now)
    return;
  if (r->begun - r->popped < (uint64_t)m->design.axi_reads) {
    if (m->fetch.ask_from <= m->now)
      ask(m, FETCH_ID, &m->fetch.rows);
    else if (load_asks(m) <= m->now)
      ask(m, LOAD_ID, &m->fronts[TSR_ENGINE_LOAD].rows);
  }
}

/* When it has to be looked at again: an address is accepted, or one can be asked for. */
static void plan(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  if (r->look != TSR__NEVER)
    tsr__rouse(m, TSR__PART_READS, tsr__later(r->look, m->now + 1));
  if (r->asking) {
    tsr__rouse(m, TSR__PART_READS, r->accept);
    return;
  }
  uint64_t from = tsr__sooner(m->fetch.ask_from, load_asks(m));
  if (from == TSR__NEVER)
    return;
  from = tsr__later(from, tsr__later(r->accept, m->now + 1));
  if (r->begun - r->popped < (uint64_t)m->design.axi_reads)
    tsr__rouse(m, TSR__PART_READS, from);
  else if (r->popped < r->ended)
    tsr__rouse(m, TSR__PART_READS, tsr__later(from, r->end_at[r->popped % TSR__MOST_BURSTS] + 1));
}

static void accept(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  const struct tsr_burst_port *port = &m->port;
  struct tsr__coming *c = &r->coming[r->accepted++ % TSR__MOST_BURSTS];
  r->asking = false;
  c->id = r->id;
  c->beats = r->beats;
  if (m->options.burst)
    watch_accept(m);
  c->known = port->read_at_once &&
             port->read_at_once(port->context, r->accept, r->addr, r->beats, &c->when);
  if (!c->known)
    port->accept_read(port->context, r->accept, r->id, r->addr, r->beats);
  tsr__reads_pump(m);
}

void tsr__reads_look(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  if (r->look <= m->now)
    tsr__reads_pump(m);
  if (r->asking && r->accept == TSR__NEVER) /* the port did not know */
    r->accept = m->port.address_cycle(m->port.context, TSR_AXI_AR, m->now);
  if (r->asking && r->accept == m->now)
    accept(m);
  begin(m);
  plan(m);
}

/* --- a stream --------------------------------------------------------------------------------- */

/* All beats of the fill that have been asked for are placed, and those that come can be at once. */
static bool streams(const struct tsr_cycle *m)
{
  const struct tsr__reads *r = &m->reads;
  return m->port.ahead && m->port.read_at_once && !m->options.burst && m->load.filling &&
         !m->load.data_over && m->fronts[TSR_ENGINE_LOAD].rows.more && !r->asking &&
         r->ended == r->begun;
}

/* In which cycle load's next burst can be asked for, as far as reads go. */
static uint64_t next_begin(const struct tsr_cycle *m)
{
  const struct tsr__reads *r = &m->reads;
  uint64_t cycle = tsr__later(tsr__later(load_asks(m), r->accept), m->now + 1);
  uint64_t reads = (uint64_t)m->design.axi_reads; /* that many before it must have ended */
  if (r->begun < reads)
    return cycle;
  return tsr__later(cycle, r->end_at[(r->begun - reads) % TSR__MOST_BURSTS] + 1);
}

void tsr__reads_stream(struct tsr_cycle *m, uint64_t to)
{
  struct tsr__reads *r = &m->reads;
  const struct tsr__rows *rows = &m->fronts[TSR_ENGINE_LOAD].rows;
  struct tsr_burst_run run = {.id = LOAD_ID, .ends = true, .sure = true, .error_beat = -1};
  uint64_t begun = r->begun;
  while (streams(m)) {
    uint64_t cycle = next_begin(m);
    run.beats = tsr__rows_beats(rows, m->beat_bytes, m->burst_beats);
    if (cycle > to || cycle >= m->soonest || cycle >= m->fetch.ask_from ||
        !m->port.read_at_once(m->port.context, cycle + 1, rows->addr, run.beats, &run.when))
      break;
    m->now = cycle;
    m->events++;
    pop(r, cycle);
    r->accept = cycle + 1;
    tsr__front_asked(m, TSR_ENGINE_LOAD, run.beats);
    tsr__load_beats(m, &run, 0);
    r->end_at[r->ended % TSR__MOST_BURSTS] = r->free - 1;
    r->begun = r->accepted = ++r->ended;
  }
  if (r->begun == begun)
    return;
  m->wake[TSR__PART_READS] = TSR__NEVER;
  plan(m);
}

uint64_t tsr__reads_quiet(const struct tsr_cycle *m)
{
  const struct tsr__reads *r = &m->reads;
  if (r->begun > r->ended)
    return TSR__NEVER;
  return r->ended ? r->end_at[(r->ended - 1) % TSR__MOST_BURSTS] + 1 : 1;
}
