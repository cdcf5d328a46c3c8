/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ends: hw/rtl/supervisor.v. A trap ends it in its cycle; otherwise it ends when fetch and
 * every engine stand still, each for want of a token, of room or of an instruction, and the bus is
 * quiet: nothing happens any more. */
#include "hw/sim/cycle/machine.h"
#include "hw/sim/explain.h"

static bool has_work(const struct tsr_cycle *m, int engine)
{
  return m->queues[engine].pushed > m->queues[engine].retired;
}

/* Everything up to `last`, this cycle included, is counted; nothing behind it. */
static void close(struct tsr_cycle *m, uint64_t last)
{
  tsr__load_settle(m, last + 1);
  tsr__loops_settle(m, TSR_ENGINE_MATRIX, last + 1);
  tsr__loops_settle(m, TSR_ENGINE_VECTOR, last + 1);
  tsr__store_settle(m, last + 1);
  tsr__fetch_settle(m, last + 1);
  tsr__fetch_trim(m, last);
  m->result.counters[TSR_COUNTER_CYCLES] = last;
  m->ended = true;
}

static void explain(struct tsr_cycle *m, uint64_t cycles)
{
  struct tsr_run_result *r = &m->result;
  struct tsr_explain x = {&m->design, m->insns, m->insn_count, m->window_bytes, r};
  struct tsr_stand stands[TSR_ENGINE_COUNT + 1];
  struct tsr_dram_error error;
  if (r->timed_out || r->trap == TSR_TRAP_DEADLOCK) {
    for (int e = 0; e <= TSR_ENGINE_FETCH; e++)
      stands[e] = m->accounts[e].stand;
    tsr_explain_stands(&x, cycles, stands);
  } else if (r->trap) {
    bool known = m->dram && tsr_dram_first_error(m->dram, &error);
    tsr_explain_trap(&x, m->uops, known ? &error : NULL);
  }
}

static void end(struct tsr_cycle *m, uint64_t last, enum tsr_trap trap, int engine, size_t insn)
{
  m->result.trap = trap;
  m->result.engine = engine;
  m->result.insn = insn;
  close(m, last);
  explain(m, last);
}

void tsr__stop(struct tsr_cycle *m)
{
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++)
    if (m->traps[e]) {
      end(m, m->now, m->traps[e], e, m->trap_insns[e]);
      return;
    }
}

void tsr__time_out(struct tsr_cycle *m, uint64_t cycle)
{
  m->result.timed_out = true;
  end(m, cycle, TSR_TRAP_NONE, TSR_ENGINE_FETCH, m->fetch.index);
}

uint64_t tsr__still_from(const struct tsr_cycle *m)
{
  uint64_t since = tsr__later(tsr__reads_quiet(m), tsr__writes_quiet(m));
  since = tsr__later(since, tsr__fetch_blocked(m));
  since = tsr__later(since, tsr__later(tsr__load_blocked(m), tsr__store_blocked(m)));
  return tsr__later(since, tsr__later(tsr__loops_blocked(m, TSR_ENGINE_MATRIX),
                                      tsr__loops_blocked(m, TSR_ENGINE_VECTOR)));
}

void tsr__stand_still(struct tsr_cycle *m, uint64_t cycle)
{
  const struct tsr__fetch *f = &m->fetch;
  int oldest = -1;
  size_t insn = 0;
  m->now = cycle;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
    const struct tsr__queue *q = &m->queues[e];
    if (has_work(m, e) && (oldest < 0 || tsr__entry_at(q, q->retired)->index < insn)) {
      oldest = e;
      insn = tsr__entry_at(q, q->retired)->index;
    }
  }
  if (f->standing && f->stop)
    end(m, cycle, f->stop, TSR_ENGINE_FETCH, f->index);
  else if (f->standing && oldest < 0)
    end(m, cycle, TSR_TRAP_NONE, TSR_ENGINE_FETCH, f->index);
  else
    end(m, cycle, TSR_TRAP_DEADLOCK, oldest, insn);
}
