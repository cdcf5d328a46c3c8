/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, and what observers are told. */
#include "hw/sim/cycle/machine.h"

/* The counter of an engine's state; a state that an engine does not have is never spent. */
static const uint8_t counter_of[TSR_ENGINE_COUNT + 1][TSR_STATE_FINISH + 1] = {
#define TSR_STATE_COUNTER(engine, state)                                                           \
  [TSR_ENGINE_##engine][TSR_STATE_##state] = TSR_COUNTER_##engine##_##state,
#define TSR_EVENT_COUNTER(name, text, meaning)
#include "isa/counters.def"
#undef TSR_STATE_COUNTER
#undef TSR_EVENT_COUNTER
};

static void tell_span(struct tsr_cycle *m, const struct tsr_cycle_span *span)
{
  if (m->options.span)
    m->options.span(m->options.context, span);
}

void tsr__spend(struct tsr_cycle *m, int engine, enum tsr_state state, uint64_t upto, size_t insn,
                uint32_t others)
{
  struct tsr__account *a = &m->accounts[engine];
  if (a->next >= upto)
    return;
  m->result.counters[counter_of[engine][state]] += upto - a->next;
  if (m->options.span)
    tell_span(m, &(struct tsr_cycle_span){engine, state, insn, others, a->next, upto - 1});
  a->next = upto;
  a->stand = (struct tsr_stand){state, insn, others};
}

uint32_t tsr__waits(struct tsr_cycle *m, int engine, uint32_t others)
{
  struct tsr__account *a = &m->accounts[engine];
  if (others)
    a->waits = others;
  return a->waits;
}

void tsr__spend_mixed(struct tsr_cycle *m, int engine, enum tsr_state state, uint64_t count,
                      enum tsr_state rest, uint64_t upto, size_t insn)
{
  tsr__spend(m, engine, state, tsr__sooner(m->accounts[engine].next + count, upto), insn, 0);
  tsr__spend(m, engine, rest, upto, insn, 0);
}

void tsr__tell(struct tsr_cycle *m, int engine, size_t insn, bool ended)
{
  if (m->options.event)
    m->options.event(m->options.context, &(struct tsr_run_event){m->now, insn, engine, ended});
}

void tsr__retire(struct tsr_cycle *m, int engine)
{
  static const uint8_t counters[] = {TSR_COUNTER_LOAD_INSNS, TSR_COUNTER_MATRIX_INSNS,
                                     TSR_COUNTER_VECTOR_INSNS, TSR_COUNTER_STORE_INSNS};
  struct tsr__queue *q = &m->queues[engine];
  const struct tsr__entry *e = tsr__entry_at(q, q->retired++);
  q->retired_at = m->now;
  m->result.counters[counters[engine]]++;
  tsr__rouse(m, TSR__PART_FETCH, m->now + 1);
  if (m->options.insn)
    m->options.insn(m->options.context,
                    &(struct tsr_cycle_insn){e->index, engine, e->queued, e->start, e->granted,
                                             e->end, m->now});
}

void tsr__execute(struct tsr_cycle *m, const struct tsr__entry *entry)
{
  const struct tsr_insn *insn = &entry->insn;
  struct tsr_func_result result;
  bool micro_ops = insn->opcode == TSR_OP_LOAD && insn->dma.buffer == TSR_BUFFER_UOP;
  if (!m->options.timing_only || micro_ops)
    tsr_func_execute(m->func, entry->index, insn, m->window, m->window_bytes, &result);
}
