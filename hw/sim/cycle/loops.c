/* SPDX-License-Identifier: Apache-2.0 */
/* matrix and vector: hw/rtl/sequencer.v, loop_front.v. An instruction takes its tokens, gets its
 * locks, runs, gives its tokens; one at a time. */
#include "hw/sim/cycle/machine.h"
#include "verify/check.h"

enum { POINTS_LATENCY = 3 }; /* hw/rtl/points.v: from the grant to the first point */

static struct tsr__entry *head(struct tsr_cycle *m, int engine)
{
  struct tsr__queue *q = &m->queues[engine];
  return q->pushed > q->retired ? tsr__entry_at(q, q->retired) : NULL;
}

void tsr__loops_start(struct tsr_cycle *m, int engine)
{
  m->loops[engine] = (struct tsr__loops){.step = TSR__TOKENS, .from = 1};
}

static void go_to(struct tsr_cycle *m, int engine, enum tsr__step step)
{
  struct tsr__loops *l = &m->loops[engine];
  l->step = step;
  l->from = m->now + 1;
  tsr__rouse(m, tsr__part_of(engine), m->now + 1);
}

/* --- states ----------------------------------------------------------------------------------- */

static void settle_run(struct tsr_cycle *m, int engine, uint64_t upto)
{
  struct tsr__loops *l = &m->loops[engine];
  const struct tsr__entry *e = head(m, engine);
  struct tsr__walk walk = l->walk;
  if (upto <= l->done)
    walk = tsr__walk_until(&e->insn, m->uops + e->insn.loop.uop_begin * TSR_UOP_BYTES, walk.points,
                           upto > l->first ? upto - l->first : 0);
  m->result.counters[engine == TSR_ENGINE_MATRIX ? TSR_COUNTER_TILES : TSR_COUNTER_POINTS] +=
      walk.points;
  uint64_t cycles = upto - m->accounts[engine].next;
  tsr__spend_mixed(m, engine, TSR_STATE_BUSY, cycles - walk.hazards, TSR_STATE_HAZARD, upto,
                   e->index);
}

/* The engines that it waits for in this cycle, in the step that it is in. */
static uint32_t others(const struct tsr_cycle *m, int engine, const struct tsr__entry *e)
{
  switch (m->loops[engine].step) {
  case TSR__TOKENS: return tsr__missing_tokens(m, engine, e->insn.wait);
  case TSR__LOCK: return tsr__holders(m, engine);
  case TSR__SIGNAL: return tsr__missing_room(m, engine, e->insn.signal);
  default: return 0;
  }
}

void tsr__loops_settle(struct tsr_cycle *m, int engine, uint64_t upto)
{
  const struct tsr__loops *l = &m->loops[engine];
  const struct tsr__entry *e = head(m, engine);
  size_t insn = e ? e->index : m->insn_count;
  uint64_t there = e ? tsr__later(e->queued, l->from) : TSR__NEVER;
  if (l->step == TSR__RUN) {
    settle_run(m, engine, upto);
    return;
  }
  if (l->step == TSR__TOKENS)
    tsr__spend(m, engine, TSR_STATE_IDLE, tsr__sooner(there, upto), insn, 0);
  if (there >= upto)
    return;
  enum tsr_state state = l->step == TSR__TOKENS ? TSR_STATE_TOKEN
                         : l->step == TSR__LOCK ? TSR_STATE_LOCK
                                                : TSR_STATE_SIGNAL;
  tsr__spend(m, engine, state, upto, insn, tsr__waits(m, engine, others(m, engine, e)));
}

static void busy(struct tsr_cycle *m, int engine, size_t insn)
{
  tsr__spend(m, engine, TSR_STATE_BUSY, m->now + 1, insn, 0);
}

/* --- steps ------------------------------------------------------------------------------------ */

static uint32_t locks_of(const struct tsr_insn *insn)
{
  return insn->loop.banks | (insn->loop.dst == TSR_DST_INP ? 1u << 2 : 0);
}

static void look_tokens(struct tsr_cycle *m, int engine, struct tsr__entry *e)
{
  if (e->queued > m->now) {
    tsr__rouse(m, tsr__part_of(engine), e->queued);
    return;
  }
  tsr__loops_settle(m, engine, m->now);
  if (tsr__missing_tokens(m, engine, e->insn.wait)) {
    tsr__waits(m, engine, others(m, engine, e));
    return;
  }
  bool sync = e->insn.opcode == TSR_OP_SYNC;
  e->start = e->granted = m->now;
  tsr__take(m, engine, e->insn.wait);
  tsr__tell(m, engine, e->index, false);
  busy(m, engine, e->index);
  if (sync) {
    e->end = m->now;
    tsr__tell(m, engine, e->index, true);
  } else {
    e->locks = locks_of(&e->insn);
    tsr__ask_locks(m, engine, e->locks, m->now + 1);
  }
  go_to(m, engine, sync ? TSR__SIGNAL : TSR__LOCK);
}

static void look_locks(struct tsr_cycle *m, int engine, struct tsr__entry *e)
{
  struct tsr__loops *l = &m->loops[engine];
  uint32_t depth = (uint32_t)tsr_design_depth(&m->design, TSR_BUFFER_UOP);
  tsr__loops_settle(m, engine, m->now);
  if (e->insn.loop.uop_begin + e->insn.loop.uop_count > depth) {
    tsr__ask_locks(m, engine, 0, TSR__NEVER);
    tsr__trap(m, engine, TSR_TRAP_INDEX, e->index);
    return;
  }
  if (!tsr__grant(m, engine)) {
    tsr__waits(m, engine, others(m, engine, e));
    return;
  }
  busy(m, engine, e->index);
  const uint8_t *uops = m->uops + e->insn.loop.uop_begin * TSR_UOP_BYTES;
  uint64_t points = tsr__walk_points(&e->insn);
  e->granted = m->now;
  l->step = TSR__RUN;
  l->from = m->now + 1;
  l->first = m->now + POINTS_LATENCY;
  l->trap = tsr_check_points(&m->design, &e->insn, uops, &points);
  l->walk = tsr__walk_of(&e->insn, uops, points);
  l->trap_at = l->trap ? l->first + l->walk.cycles : TSR__NEVER;
  l->done = l->trap ? TSR__NEVER
                    : l->first + l->walk.cycles - 1 + (uint64_t)tsr__walk_tail(&e->insn);
  tsr__rouse(m, tsr__part_of(engine), tsr__sooner(l->done, l->trap_at));
}

static void look_run(struct tsr_cycle *m, int engine, struct tsr__entry *e)
{
  const struct tsr__loops *l = &m->loops[engine];
  if (m->now == l->trap_at) {
    tsr__trap(m, engine, l->trap, e->index);
    return;
  }
  if (m->now != l->done) {
    tsr__rouse(m, tsr__part_of(engine), tsr__sooner(l->done, l->trap_at));
    return;
  }
  tsr__loops_settle(m, engine, m->now + 1);
  e->end = m->now;
  tsr__execute(m, e);
  tsr__tell(m, engine, e->index, true);
  tsr__release(m, e->locks);
  go_to(m, engine, TSR__SIGNAL);
}

static void look_signal(struct tsr_cycle *m, int engine, const struct tsr__entry *e)
{
  tsr__loops_settle(m, engine, m->now);
  if (tsr__missing_room(m, engine, e->insn.signal)) {
    tsr__waits(m, engine, others(m, engine, e));
    return;
  }
  tsr__give(m, engine, e->insn.signal);
  busy(m, engine, e->index);
  tsr__retire(m, engine);
  go_to(m, engine, TSR__TOKENS);
}

void tsr__loops_look(struct tsr_cycle *m, int engine)
{
  const struct tsr__loops *l = &m->loops[engine];
  struct tsr__entry *e = head(m, engine);
  if (!e)
    return;
  if (l->from > m->now) {
    tsr__rouse(m, tsr__part_of(engine), l->from);
    return;
  }
  switch (l->step) {
  case TSR__TOKENS: look_tokens(m, engine, e); return;
  case TSR__LOCK: look_locks(m, engine, e); return;
  case TSR__RUN: look_run(m, engine, e); return;
  default: look_signal(m, engine, e);
  }
}

uint64_t tsr__loops_blocked(const struct tsr_cycle *m, int engine)
{
  const struct tsr__loops *l = &m->loops[engine];
  return l->step == TSR__TOKENS || l->step == TSR__SIGNAL ? l->from : TSR__NEVER;
}
