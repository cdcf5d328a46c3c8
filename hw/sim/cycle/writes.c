/* SPDX-License-Identifier: Apache-2.0 */
/* The write half of the AXI port: hw/rtl/write_port.v. Store asks for bursts, and hands over beats;
 * a beat goes to W when a burst that was asked for lacks it, two of them wait there. Runs of beats
 * are placed when their address has been accepted: what came before, looked at by nobody, too. */
#include "hw/sim/cycle/machine.h"

enum { READ_LATENCY = 2 }; /* store.v: from the grant to the first beat */

void tsr__writes_start(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  w->begun = w->accepted = w->filled = w->answered = 0;
  w->asking = false;
  w->accept = w->accepted_at = w->give = w->last = w->before = w->answered_at = 0;
  w->run_beats = w->taken = 0;
  tsr__moves_start(&w->gives);
  w->look = TSR__NEVER;
  w->watched.first = w->watched.count = 0;
}

/* --- what the observer is told ---------------------------------------------------------------- */

static void watch_accept(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  struct tsr__watched *k = &w->watched;
  k->ring[(k->first + k->count++) % TSR__MOST_BURSTS] =
      (struct tsr_cycle_burst){.write = true,
                               .addr = w->addr,
                               .beats = w->beats_of[(w->accepted - 1) % TSR__MOST_BURSTS],
                               .accepted = m->writes.accept};
}

static void watch_beats(struct tsr_cycle *m, uint64_t first)
{
  struct tsr__watched *k = &m->writes.watched;
  struct tsr_cycle_burst *b = &k->ring[k->first % TSR__MOST_BURSTS];
  if (!b->first)
    b->first = first;
  if (!m->writes.run_ends)
    return;
  b->last = m->writes.last;
  m->options.burst(m->options.context, b);
  k->first++;
  k->count--;
}

/* --- beats ------------------------------------------------------------------------------------ */

void tsr__writes_drain(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  tsr__moves_start(&w->gives);
  w->give = m->store.granted + READ_LATENCY - 1;
  tsr__rouse(m, TSR__PART_WRITES, m->now); /* which comes behind store */
}

/* When store can hand over the next beat, of burst number `burst`, which has been asked for. */
static uint64_t give_cycle(const struct tsr__writes *w, uint64_t give, uint64_t before,
                           uint64_t burst)
{
  uint64_t cycle = tsr__later(give + 1, before + 1);
  return tsr__later(cycle, w->begun_at[burst % TSR__MOST_BURSTS] + 1);
}

static void place_run(struct tsr_cycle *m, const struct tsr_burst_run *run)
{
  struct tsr__writes *w = &m->writes;
  bool regular = run->when.step <= run->when.per;
  for (int k = 0; k < run->beats; k++) {
    uint64_t beats = 1, give = give_cycle(w, w->give, w->before, w->filled);
    uint64_t cycle = tsr__later(tsr_beat_cycle(&run->when, (uint64_t)k), give + 1);
    cycle = tsr__later(cycle, w->last + 1);
    if (regular && cycle == give + 1) { /* so do all that come: one a cycle */
      beats = (uint64_t)(run->beats - k);
      k = run->beats;
    }
    tsr__moves_add(&w->gives, give, beats, true);
    w->before = beats > 1 ? cycle + beats - 2 : w->last;
    w->last = cycle + beats - 1;
    w->give = give + beats - 1;
  }
  w->run_beats = run->beats;
  w->run_ends = run->ends;
}

/* All beats of the instruction have been placed: when the port has nothing any more. */
static void set_sent(struct tsr_cycle *m)
{
  struct tsr__store *s = &m->store;
  struct tsr__writes *w = &m->writes;
  uint64_t sent = tsr__later(w->give + 2, w->last + 1);
  sent = tsr__later(sent, tsr__later(w->accepted_at + 1, m->fronts[TSR_ENGINE_STORE].rows_free));
  s->sent = sent;
  tsr__rouse(m, TSR__PART_STORE, sent);
}

/* The next run, where there are beats for it and its burst's address has been accepted. */
static bool next_run(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  struct tsr__store *s = &m->store;
  struct tsr_burst_run run;
  if (s->granted == TSR__NEVER || !s->beats_left || w->filled == w->accepted)
    return false;
  uint64_t give = give_cycle(w, w->give, w->before, w->filled);
  m->port.next_write(m->port.context, tsr__later(give + 1, w->last + 1), &run);
  if (!run.beats) {
    w->look = tsr__sooner(w->look, run.look_again);
    return false;
  }
  uint64_t first = tsr__later(tsr_beat_cycle(&run.when, 0), tsr__later(give + 1, w->last + 1));
  place_run(m, &run);
  s->beats_left -= (uint64_t)run.beats;
  if (m->options.burst)
    watch_beats(m, first);
  if (!s->beats_left)
    set_sent(m);
  return true;
}

/* The run has been written, or will be, which a port that takes things ahead may know now. */
static void end_run(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  m->port.take_write(m->port.context, w->run_beats, w->last);
  w->taken = w->run_ends ? 0 : w->taken + w->run_beats;
  w->filled += w->run_ends;
  w->run_beats = 0;
}

static void pump(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  do {
    if (w->run_beats && w->last > m->now && !m->port.ahead) {
      tsr__rouse(m, TSR__PART_WRITES, w->last);
      return;
    }
    if (w->run_beats)
      end_run(m);
  } while (next_run(m));
}

/* Of beats that are not placed yet up to two may have been handed over: the room in front of W. */
static uint64_t given_ahead(const struct tsr_cycle *m, uint64_t upto)
{
  const struct tsr__writes *w = &m->writes;
  uint64_t give = w->give, before = w->before, last = w->last, count = 0;
  uint64_t burst = w->filled + (w->run_beats && w->run_ends);
  int left = 0;
  if (burst < w->begun)
    left = w->beats_of[burst % TSR__MOST_BURSTS] -
           (burst == w->filled ? w->taken + w->run_beats : 0);
  while (count < 2 && count < m->store.beats_left && burst < w->begun) {
    give = give_cycle(w, give, before, burst);
    before = last;
    if (give >= upto)
      break;
    count++;
    if (--left == 0 && ++burst < w->begun)
      left = w->beats_of[burst % TSR__MOST_BURSTS];
  }
  return count;
}

uint64_t tsr__writes_given(const struct tsr_cycle *m, uint64_t upto)
{
  uint64_t data;
  return tsr__moves_before(&m->writes.gives, upto, &data) + given_ahead(m, upto);
}

/* --- addresses and answers -------------------------------------------------------------------- */

/* The instruction that an answer is about: the oldest that waits for one, else the one being sent; as
 * at the beginning of the cycle. */
static size_t oldest_sent(const struct tsr_cycle *m)
{
  const struct tsr__queue *q = &m->queues[TSR_ENGINE_STORE];
  uint64_t first = q->retired - (q->retired_at == m->now), ended = q->ended;
  if (ended && tsr__entry_at(q, ended - 1)->end == m->now)
    ended--;
  return tsr__entry_at(q, ended > first ? first : ended)->index;
}

/* The next answer, if it comes in this cycle; else it is looked for when it does. */
static bool next_answer(struct tsr_cycle *m, struct tsr_burst_answer *a)
{
  struct tsr__writes *w = &m->writes;
  uint64_t free = w->answered ? w->answered_at + 1 : 0;
  if (w->answered == w->filled)
    return false;
  m->port.next_answer(m->port.context, free, a);
  if (a->known && a->cycle <= m->now)
    return true;
  w->look = tsr__sooner(w->look, a->known ? a->cycle : a->look_again);
  return false;
}

static void answer(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  const struct tsr__queue *q = &m->queues[TSR_ENGINE_STORE];
  struct tsr_burst_answer a;
  if (!next_answer(m, &a))
    return;
  m->port.take_answer(m->port.context);
  w->answered++;
  w->answered_at = m->now;
  if (q->ended > q->retired)
    tsr__rouse(m, TSR__PART_STORE, m->now + 1);
  if (a.error)
    tsr__trap(m, TSR_ENGINE_STORE, TSR_TRAP_BUS, oldest_sent(m));
}

/* Beats that are written now are answered later. */
static void await_answer(struct tsr_cycle *m)
{
  struct tsr_burst_answer a;
  next_answer(m, &a);
}

static void ask(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  struct tsr__front *front = &m->fronts[TSR_ENGINE_STORE];
  int beats = tsr__rows_beats(&front->rows, m->beat_bytes, m->burst_beats);
  w->asking = true;
  w->addr = front->rows.addr;
  w->begun_at[w->begun % TSR__MOST_BURSTS] = m->now;
  w->beats_of[w->begun++ % TSR__MOST_BURSTS] = beats;
  w->accept = m->now + 1;
  if (!m->port.ahead)
    w->accept = m->port.address_cycle(m->port.context, TSR_AXI_AW, m->now + 1);
  tsr__front_asked(m, TSR_ENGINE_STORE, beats);
}

static void accept(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  w->asking = false;
  w->accepted++;
  w->accepted_at = w->accept;
  if (m->options.burst)
    watch_accept(m);
  m->port.accept_write(m->port.context, w->accept, w->addr,
                       w->beats_of[(w->accepted - 1) % TSR__MOST_BURSTS]);
}

static uint64_t outstanding(const struct tsr__writes *w, uint64_t now)
{
  return w->begun - w->answered + (w->answered && w->answered_at >= now);
}

/* When it has to be looked at again. */
static void plan(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  const struct tsr__front *front = &m->fronts[TSR_ENGINE_STORE];
  if (w->look != TSR__NEVER)
    tsr__rouse(m, TSR__PART_WRITES, tsr__later(w->look, m->now + 1));
  if (w->asking)
    tsr__rouse(m, TSR__PART_WRITES, w->accept);
  else if (front->rows.more && outstanding(w, m->now + 1) < (uint64_t)m->design.axi_writes)
    tsr__rouse(m, TSR__PART_WRITES,
               tsr__later(front->burst_from, tsr__later(w->accept, m->now + 1)));
}

void tsr__writes_look(struct tsr_cycle *m)
{
  struct tsr__writes *w = &m->writes;
  const struct tsr__front *front = &m->fronts[TSR_ENGINE_STORE];
  uint64_t filled = w->filled, answered = w->answered;
  w->look = TSR__NEVER;
  answer(m);
  if (w->asking && w->accept == TSR__NEVER) /* the port did not know */
    w->accept = m->port.address_cycle(m->port.context, TSR_AXI_AW, m->now);
  if (w->asking && w->accept == m->now)
    accept(m);
  pump(m);
  if (!w->asking && w->accept <= m->now && front->rows.more && front->burst_from <= m->now &&
      outstanding(w, m->now) < (uint64_t)m->design.axi_writes)
    ask(m);
  if (w->filled > filled || w->answered > answered)
    await_answer(m);
  plan(m);
}

uint64_t tsr__writes_quiet(const struct tsr_cycle *m)
{
  const struct tsr__writes *w = &m->writes;
  if (w->begun > w->answered)
    return TSR__NEVER;
  return w->answered ? w->answered_at + 1 : 1;
}
