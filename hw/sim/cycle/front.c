/* SPDX-License-Identifier: Apache-2.0 */
/* What load and store do alike, up to the bursts: hw/rtl/dma_front.v. */
#include "hw/sim/cycle/machine.h"
#include "verify/check.h"

enum { BURST_LATENCY = 2 }; /* dma_rows.v, burst.v: from the start to the first burst */

void tsr__front_start(struct tsr_cycle *m, int engine)
{
  m->fronts[engine] = (struct tsr__front){.from = 1, .ready = TSR__NEVER, .state = TSR_STATE_IDLE};
}

static struct tsr__entry *next_entry(const struct tsr_cycle *m, int engine)
{
  const struct tsr__queue *q = &m->queues[engine];
  return q->pushed > q->started ? tsr__entry_at(q, q->started) : NULL;
}

uint32_t tsr__row_beats(const struct tsr_cycle *m, const struct tsr_insn *insn)
{
  uint32_t entry = (uint32_t)tsr_design_dram_entry(&m->design, insn->dma.buffer);
  uint32_t beat = (uint32_t)m->beat_bytes;
  return (insn->dma.nx * entry + beat - 1) / beat;
}

static uint32_t locks_of(const struct tsr_cycle *m, const struct tsr_insn *insn)
{
  int buffer = insn->dma.buffer;
  if (buffer == TSR_BUFFER_INP)
    return 1u << 2;
  if (buffer != TSR_BUFFER_ACC && buffer != TSR_BUFFER_ACC8)
    return 0;
  uint64_t half = (uint64_t)tsr_design_depth(&m->design, TSR_BUFFER_ACC) / 2;
  uint64_t end = insn->dma.sram + tsr_check_dma_entries(insn);
  return (insn->dma.sram < half ? 1u : 0) | (end > half ? 2u : 0);
}

static void start_rows(struct tsr_cycle *m, struct tsr__front *front, const struct tsr_insn *insn)
{
  uint32_t beats = tsr__row_beats(m, insn);
  front->rows = (struct tsr__rows){.plane = insn->dma.dram,
                                   .row = insn->dma.dram,
                                   .addr = insn->dma.dram,
                                   .sy = insn->dma.sy,
                                   .sz = insn->dma.sz,
                                   .ny = insn->dma.ny,
                                   .y_left = insn->dma.ny - 1,
                                   .z_left = insn->dma.nz - 1,
                                   .row_beats = beats,
                                   .beats_left = beats,
                                   .more = true};
  front->burst_from = m->now + BURST_LATENCY;
  front->rows_free = TSR__NEVER;
}

/* The check of the next instruction begins. */
static void take(struct tsr_cycle *m, struct tsr__front *front, const struct tsr__entry *e)
{
  char text[8];
  uint64_t from = tsr__later(front->from, e->queued);
  if (e->insn.opcode == TSR_OP_SYNC) {
    front->trap = TSR_TRAP_NONE;
    front->ready = from + 1;
    return;
  }
  front->trap =
      tsr_check_insn(&m->design, e->index, &e->insn, m->uops, m->window_bytes, text, sizeof text);
  front->ready = from + TSR__CHECK_CYCLES;
}

static void go(struct tsr_cycle *m, int engine, struct tsr__front *front, struct tsr__entry *e)
{
  e->start = m->now;
  tsr__take(m, engine, e->insn.wait);
  tsr__tell(m, engine, e->index, false);
  m->queues[engine].started++;
  front->from = m->now + 1;
  front->ready = TSR__NEVER;
  e->locks = 0;
  if (e->insn.opcode != TSR_OP_SYNC) {
    e->locks = locks_of(m, &e->insn);
    start_rows(m, front, &e->insn);
    tsr__rouse(m, engine == TSR_ENGINE_LOAD ? TSR__PART_READS : TSR__PART_WRITES,
               front->burst_from);
  }
  tsr__rouse(m, tsr__part_of(engine), m->now + 1);
}

bool tsr__front_look(struct tsr_cycle *m, int engine, bool free, bool alone)
{
  struct tsr__front *front = &m->fronts[engine];
  struct tsr__entry *e = next_entry(m, engine);
  if (!e)
    return false;
  if (front->ready == TSR__NEVER)
    take(m, front, e);
  if (front->ready > m->now) {
    tsr__rouse(m, tsr__part_of(engine), front->ready);
    return false;
  }
  uint32_t wait = e->insn.wait;
  if (!free || tsr__missing_tokens(m, engine, wait) || (wait && !alone && !tsr__spare(m, engine)))
    return false;
  if (front->trap) {
    tsr__trap(m, engine, front->trap, e->index);
    return false;
  }
  go(m, engine, front, e);
  return true;
}

void tsr__front_asked(struct tsr_cycle *m, int engine, int beats)
{
  struct tsr__front *front = &m->fronts[engine];
  tsr__rows_next(&front->rows, m->beat_bytes, beats);
  front->burst_from = m->now + 1;
  if (!front->rows.more) {
    front->rows_free = m->now + 1;
    tsr__rouse(m, tsr__part_of(engine), m->now + 1);
  }
}

uint64_t tsr__front_blocked(const struct tsr_cycle *m, int engine)
{
  const struct tsr__front *front = &m->fronts[engine];
  return next_entry(m, engine) ? front->ready : front->from;
}

/* --- states of the engine --------------------------------------------------------------------- */

bool tsr__front_lacks(const struct tsr_cycle *m, int engine, uint64_t cycle)
{
  const struct tsr__entry *e = next_entry(m, engine);
  return e && m->fronts[engine].ready <= cycle && tsr__missing_tokens(m, engine, e->insn.wait);
}

bool tsr__front_empty(const struct tsr_cycle *m, int engine, uint64_t cycle)
{
  const struct tsr__entry *e = next_entry(m, engine);
  return !e || e->queued > cycle;
}

struct tsr__entry *tsr__ended(const struct tsr_cycle *m, int engine, uint64_t cycle)
{
  const struct tsr__queue *q = &m->queues[engine];
  struct tsr__entry *e = q->ended > q->retired ? tsr__entry_at(q, q->retired) : NULL;
  return e && e->end < cycle ? e : NULL;
}

/* The engines that it waits for in this cycle, in this state. */
static uint32_t others(const struct tsr_cycle *m, int engine, enum tsr_state state)
{
  const struct tsr__queue *q = &m->queues[engine];
  switch (state) {
  case TSR_STATE_TOKEN:
    return tsr__missing_tokens(m, engine, tsr__entry_at(q, q->started)->insn.wait);
  case TSR_STATE_SIGNAL:
    return tsr__missing_room(m, engine, tsr__entry_at(q, q->retired)->insn.signal);
  case TSR_STATE_LOCK: return tsr__holders(m, engine);
  default: return 0;
  }
}

void tsr__front_spend(struct tsr_cycle *m, int engine, enum tsr_state state, uint64_t upto)
{
  const struct tsr__queue *q = &m->queues[engine];
  bool any = q->pushed > q->retired;
  bool waits = state == TSR_STATE_TOKEN || state == TSR_STATE_SIGNAL || state == TSR_STATE_LOCK;
  if (m->accounts[engine].next < upto)
    tsr__spend(m, engine, state, upto, any ? tsr__entry_at(q, q->retired)->index : m->insn_count,
               waits ? tsr__waits(m, engine, others(m, engine, state)) : 0);
}

void tsr__front_stay(struct tsr_cycle *m, int engine, enum tsr_state state)
{
  m->fronts[engine].state = state;
  tsr__waits(m, engine, others(m, engine, state));
}
