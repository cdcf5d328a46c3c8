/* SPDX-License-Identifier: Apache-2.0 */
/* store: hw/rtl/store.v. One instruction is sent at a time, with its locks; up to four that were
 * sent wait for DRAM to acknowledge them, and then for room for their tokens. */
#include "hw/sim/cycle/machine.h"

enum { E = TSR_ENGINE_STORE };

void tsr__store_start(struct tsr_cycle *m)
{
  struct tsr__store *s = &m->store;
  tsr__front_start(m, E);
  s->send = TSR__SEND_IDLE;
  s->granted = s->sent = TSR__NEVER;
  s->beats_left = 0;
  s->idle_from = 1;
}

/* The instruction that is being sent. */
static struct tsr__entry *sending(struct tsr_cycle *m)
{
  return tsr__entry_at(&m->queues[E], m->queues[E].ended);
}

/* Answers seen in a cycle: those of the cycles before. */
static bool acknowledged(const struct tsr_cycle *m, const struct tsr__entry *e, uint64_t cycle)
{
  const struct tsr__writes *w = &m->writes;
  return w->answered - (w->answered_at >= cycle) >= e->bursts;
}

/* --- states ----------------------------------------------------------------------------------- */

/* DRAIN and FLUSH: busy are the first read, and each beat that is handed over. */
static void settle_send(struct tsr_cycle *m, uint64_t upto)
{
  const struct tsr__store *s = &m->store;
  uint64_t busy = 0;
  if (s->granted != TSR__NEVER) {
    uint64_t beats = tsr__writes_given(m, upto);
    m->result.counters[TSR_COUNTER_WRITE_BYTES] += beats * (uint64_t)m->beat_bytes;
    busy = beats + (upto > s->granted + 1);
  }
  tsr__spend_mixed(m, E, TSR_STATE_BUSY, busy, TSR_STATE_MEMORY, upto, sending(m)->index);
}

void tsr__store_settle(struct tsr_cycle *m, uint64_t upto)
{
  if (m->store.send == TSR__SEND_OUT)
    settle_send(m, upto);
  else
    tsr__front_spend(m, E, m->fronts[E].state, upto);
}

/* In a cycle in which nothing is sent, no locks are got and no tokens are given. */
static enum tsr_state state_in(struct tsr_cycle *m, uint64_t cycle)
{
  const struct tsr__store *s = &m->store;
  const struct tsr__entry *e = tsr__ended(m, E, cycle);
  if (s->send == TSR__SEND_LOCK)
    return TSR_STATE_LOCK;
  if (e && acknowledged(m, e, cycle) && tsr__missing_room(m, E, e->insn.signal))
    return TSR_STATE_SIGNAL;
  if (tsr__front_lacks(m, E, cycle))
    return TSR_STATE_TOKEN;
  if (!tsr__front_empty(m, E, cycle))
    return TSR_STATE_BUSY;
  return e ? TSR_STATE_MEMORY : TSR_STATE_IDLE;
}

/* --- a look ----------------------------------------------------------------------------------- */

static void look_front(struct tsr_cycle *m)
{
  struct tsr__store *s = &m->store;
  struct tsr__queue *q = &m->queues[E];
  uint64_t flight = q->started - q->retired; /* as nothing is being sent: all of them were */
  bool idle = s->send == TSR__SEND_IDLE;
  if (!tsr__front_look(m, E, idle && flight < TSR__IN_FLIGHT, flight == 0))
    return;
  struct tsr__entry *e = sending(m);
  s->granted = s->sent = TSR__NEVER;
  if (e->insn.opcode == TSR_OP_SYNC) {
    e->granted = m->now;
    s->send = TSR__SEND_OUT;
    s->sent = m->now + 1;
  } else {
    s->send = TSR__SEND_LOCK;
    tsr__ask_locks(m, E, e->locks, m->now + 1);
    tsr__execute(m, e); /* before its bursts' addresses are accepted */
  }
}

static void start_drain(struct tsr_cycle *m, struct tsr__entry *e)
{
  struct tsr__store *s = &m->store;
  e->granted = s->granted = m->now;
  s->send = TSR__SEND_OUT;
  s->beats_left = (uint64_t)tsr__row_beats(m, &e->insn) * e->insn.dma.ny * e->insn.dma.nz;
  tsr__writes_drain(m);
}

static void end(struct tsr_cycle *m, struct tsr__entry *e)
{
  settle_send(m, m->now + 1);
  e->end = m->now;
  e->bursts = m->writes.begun;
  tsr__tell(m, E, e->index, true);
  tsr__release(m, e->locks);
  m->queues[E].ended++;
  m->store.send = TSR__SEND_IDLE;
  m->store.idle_from = m->now + 1;
  tsr__rouse(m, TSR__PART_STORE, m->now + 1);
}

/* What is left of an instruction that was there before this cycle. Whether locks were got. */
static bool look_send(struct tsr_cycle *m, enum tsr__send send)
{
  struct tsr__entry *e = sending(m);
  if (send == TSR__SEND_LOCK && tsr__grant(m, E)) {
    start_drain(m, e);
    return true;
  }
  if (send == TSR__SEND_OUT) {
    if (m->store.sent == m->now)
      end(m, e);
    else
      tsr__rouse(m, TSR__PART_STORE, m->store.sent);
  }
  return false;
}

static bool look_end(struct tsr_cycle *m, const struct tsr__entry *e)
{
  if (!acknowledged(m, e, m->now) || tsr__missing_room(m, E, e->insn.signal))
    return false;
  tsr__give(m, E, e->insn.signal);
  tsr__retire(m, E);
  tsr__rouse(m, TSR__PART_STORE, m->now + 1);
  return true;
}

void tsr__store_look(struct tsr_cycle *m)
{
  struct tsr__store *s = &m->store;
  enum tsr__send send = s->send;
  if (send != TSR__SEND_OUT)
    tsr__front_spend(m, E, m->fronts[E].state, m->now);
  enum tsr_state state = state_in(m, m->now);
  struct tsr__entry *e = tsr__ended(m, E, m->now);
  look_front(m);
  if (look_send(m, send))
    state = TSR_STATE_BUSY;
  bool retires = e && look_end(m, e);
  if (state == TSR_STATE_MEMORY && retires)
    state = TSR_STATE_BUSY;
  if (send != TSR__SEND_OUT)
    tsr__front_spend(m, E, state, m->now + 1);
  tsr__front_stay(m, E, state_in(m, m->now + 1));
}

uint64_t tsr__store_blocked(const struct tsr_cycle *m)
{
  const struct tsr__store *s = &m->store;
  const struct tsr__queue *q = &m->queues[E];
  if (s->send != TSR__SEND_IDLE)
    return TSR__NEVER;
  uint64_t since = tsr__later(tsr__front_blocked(m, E), s->idle_from);
  since = tsr__later(since, tsr__later(m->writes.answered_at, q->retired_at) + 1);
  return q->ended > q->retired ? tsr__later(since, tsr__entry_at(q, q->retired)->end + 1) : since;
}
