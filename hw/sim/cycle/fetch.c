/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: hw/rtl/fetch.v, fetch_words.v. Beats go into words, a beat a cycle (or, of a beat that is
 * wider than a word, a word a cycle); a word goes to its engine's queue when there is room. */
#include "hw/sim/cycle/machine.h"

#include "verify/check.h"

enum { FIRST_BURST_CYCLE = 2 }; /* supervisor.v starts fetch in cycle 1 */

/* Steps that make a word, and that empty a beat: one of them is 1. */
static uint64_t steps_a_word(const struct tsr_cycle *m)
{
  return m->beat_bytes < TSR_INSN_BYTES ? (uint64_t)(TSR_INSN_BYTES / m->beat_bytes) : 1;
}

static uint64_t steps_a_beat(const struct tsr_cycle *m)
{
  return m->beat_bytes > TSR_INSN_BYTES ? (uint64_t)(m->beat_bytes / TSR_INSN_BYTES) : 1;
}

/* --- bursts ----------------------------------------------------------------------------------- */

/* From when on the next burst can be asked for: there must be room for all of it. */
static void set_ask(struct tsr_cycle *m, uint64_t from)
{
  struct tsr__fetch *f = &m->fetch;
  f->ask_from = TSR__NEVER;
  if (!f->rows.more)
    return;
  int beats = tsr__rows_beats(&f->rows, m->beat_bytes, m->burst_beats);
  int64_t need = (int64_t)f->asked + beats - m->room; /* beats that must have been taken */
  uint64_t taken = f->steps / steps_a_beat(m);
  if (need > (int64_t)taken)
    return;
  if (need > 0)
    from = tsr__later(from, f->taken_at[(need - 1) % m->room] + 1);
  f->ask_from = from;
  tsr__rouse(m, TSR__PART_READS, from);
}

void tsr__fetch_asked(struct tsr_cycle *m, int beats)
{
  struct tsr__fetch *f = &m->fetch;
  f->asked += (uint64_t)beats;
  tsr__rows_next(&f->rows, m->beat_bytes, beats);
  set_ask(m, m->now + 1);
}

void tsr__fetch_start(struct tsr_cycle *m)
{
  struct tsr__fetch *f = &m->fetch;
  uint64_t bytes = m->insn_count * TSR_INSN_BYTES, beat = (uint64_t)m->beat_bytes;
  uint32_t beats = (uint32_t)((bytes + beat - 1) / beat);
  f->rows = (struct tsr__rows){
      .addr = m->program, .row_beats = beats, .beats_left = beats, .more = beats != 0};
  f->asked = f->arrived = f->steps = f->last_step = f->handed_at = 0;
  f->index = 0;
  f->word_at = TSR__NEVER;
  f->word_error = f->standing = false;
  f->waits_for = -1;
  f->since = 0;
  if (!beats) { /* over at once: running in the cycle after the start */
    f->standing = true;
    f->stop = TSR_TRAP_OPCODE;
    f->since = FIRST_BURST_CYCLE;
  }
  set_ask(m, FIRST_BURST_CYCLE);
}

/* --- words ------------------------------------------------------------------------------------ */

/* Takes the beats that are known, up to a whole word. */
static void collect(struct tsr_cycle *m)
{
  struct tsr__fetch *f = &m->fetch;
  uint64_t a_word = steps_a_word(m), a_beat = steps_a_beat(m);
  bool took = false;
  while (f->word_at == TSR__NEVER && f->steps / a_beat < f->arrived) {
    uint64_t beat = f->steps / a_beat, slot = beat % (uint64_t)m->room;
    bool first = f->steps % a_word == 0, last = f->steps % a_word == a_word - 1;
    uint64_t cycle = tsr__later(f->arrival[slot] + 1, first ? f->handed_at : 0);
    cycle = tsr__later(cycle, f->steps ? f->last_step + 1 : 0);
    f->word_error = f->error[slot] || (f->word_error && !first);
    f->last_step = cycle;
    if (++f->steps % a_beat == 0) {
      f->taken_at[slot] = cycle;
      m->result.counters[TSR_COUNTER_FETCH_BYTES] += (uint64_t)m->beat_bytes;
      took = true;
    }
    if (last)
      f->word_at = cycle + 1;
  }
  if (f->word_at != TSR__NEVER)
    tsr__rouse(m, TSR__PART_FETCH, f->word_at);
  if (took && f->ask_from == TSR__NEVER)
    set_ask(m, m->now + 1);
}

void tsr__fetch_arrived(struct tsr_cycle *m, uint64_t cycle, bool error)
{
  struct tsr__fetch *f = &m->fetch;
  uint64_t slot = f->arrived++ % (uint64_t)m->room;
  f->arrival[slot] = cycle;
  f->error[slot] = error;
  if (f->word_at == TSR__NEVER)
    collect(m);
}

/* Steps in the cycles from `next` on and before `upto`. */
static uint64_t steps_between(const struct tsr_cycle *m, uint64_t next, uint64_t upto)
{
  const struct tsr__fetch *f = &m->fetch;
  uint64_t a_word = steps_a_word(m), a_beat = steps_a_beat(m), count = 0;
  uint64_t whole = f->word_at != TSR__NEVER; /* the word's steps are the last ones */
  uint64_t partial = f->steps % a_word, n = partial || !whole ? partial : a_word;
  for (uint64_t k = f->steps - n; k < f->steps; k++) {
    uint64_t cycle = a_beat > 1 ? f->last_step : f->taken_at[k % (uint64_t)m->room];
    count += cycle >= next && cycle < upto;
  }
  return count;
}

void tsr__fetch_settle(struct tsr_cycle *m, uint64_t upto)
{
  struct tsr__fetch *f = &m->fetch;
  uint64_t next = m->accounts[TSR_ENGINE_FETCH].next;
  uint64_t there = f->standing ? f->since : f->word_at;
  uint64_t until = tsr__sooner(there, upto);
  if (next < until) {
    uint64_t steps = steps_between(m, next, until);
    tsr__spend_mixed(m, TSR_ENGINE_FETCH, TSR_STATE_MEMORY, until - next - steps, TSR_STATE_BUSY,
                     until, f->index);
  }
  if (f->standing)
    tsr__spend(m, TSR_ENGINE_FETCH, TSR_STATE_FINISH, upto, f->index, 0);
  else if (f->waits_for >= 0)
    tsr__spend(m, TSR_ENGINE_FETCH, TSR_STATE_QUEUE, upto, f->index, 1u << f->waits_for);
}

void tsr__fetch_trim(struct tsr_cycle *m, uint64_t last)
{
  const struct tsr__fetch *f = &m->fetch;
  uint64_t taken = f->steps / steps_a_beat(m);
  while (taken && f->taken_at[--taken % (uint64_t)m->room] > last)
    m->result.counters[TSR_COUNTER_FETCH_BYTES] -= (uint64_t)m->beat_bytes;
}

static void stand(struct tsr_cycle *m, enum tsr_trap stop, uint64_t since)
{
  struct tsr__fetch *f = &m->fetch;
  f->standing = true;
  f->stop = stop;
  f->since = since;
  f->ask_from = TSR__NEVER;
}

/* The word goes to a queue, if there is room. */
static void hand(struct tsr_cycle *m, const struct tsr_insn *insn)
{
  struct tsr__fetch *f = &m->fetch;
  int engine = tsr_insn_engine(insn);
  struct tsr__queue *q = &m->queues[engine];
  if (q->pushed - q->retired == (uint64_t)m->design.queue_depth) {
    f->waits_for = engine;
    return;
  }
  f->waits_for = -1;
  tsr__spend(m, TSR_ENGINE_FETCH, TSR_STATE_BUSY, m->now + 1, f->index, 0);
  struct tsr__entry *e = tsr__entry_at(q, q->pushed++);
  e->insn = *insn;
  e->index = f->index++;
  e->queued = m->now + 1;
  tsr__rouse(m, tsr__part_of(engine), m->now + 1);
  f->handed_at = m->now;
  f->word_at = TSR__NEVER;
  if (f->index == m->insn_count)
    stand(m, TSR_TRAP_OPCODE, m->now + 1);
  collect(m);
}

void tsr__fetch_look(struct tsr_cycle *m)
{
  struct tsr__fetch *f = &m->fetch;
  struct tsr_insn insn;
  if (f->standing || f->word_at == TSR__NEVER)
    return;
  if (f->word_at > m->now) {
    tsr__rouse(m, TSR__PART_FETCH, f->word_at);
    return;
  }
  tsr__fetch_settle(m, m->now);
  if (f->word_error) {
    tsr__spend(m, TSR_ENGINE_FETCH, TSR_STATE_BUSY, m->now + 1, f->index, 0);
    tsr__trap(m, TSR_ENGINE_FETCH, TSR_TRAP_BUS, f->index);
    return;
  }
  enum tsr_trap trap = tsr_insn_decode(m->insns + f->index * TSR_INSN_BYTES, &insn);
  if (trap || insn.opcode == TSR_OP_FINISH)
    stand(m, trap, m->now);
  else
    hand(m, &insn);
}

uint64_t tsr__fetch_blocked(const struct tsr_cycle *m)
{
  const struct tsr__fetch *f = &m->fetch;
  if (f->standing)
    return f->since;
  return f->waits_for >= 0 ? f->word_at : TSR__NEVER;
}
