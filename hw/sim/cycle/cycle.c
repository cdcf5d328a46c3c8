/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that goes from one thing that happens to the next. */
#include "hw/sim/cycle/cycle.h"

#include <string.h>

#include "hw/sim/cycle/machine.h"

struct tsr_cycle_options tsr_cycle_defaults(const struct tsr_design *design)
{
  return (struct tsr_cycle_options){.dram = tsr_dram_defaults(design)};
}

/* --- open and close --------------------------------------------------------------------------- */

static uint64_t power_of_two(uint64_t least)
{
  uint64_t size = 1;
  while (size < least)
    size *= 2;
  return size;
}

static void allocate_moves(struct tsr_cycle *m, struct tsr__moves *moves, int bursts)
{
  /* The beats of all bursts outstanding, and padding between them. */
  uint64_t size = power_of_two(2 * (uint64_t)(bursts * m->burst_beats) + 8);
  moves->ring = TSR_NEW_ARRAY(m->arena, struct tsr__stretch, size);
  moves->mask = size - 1;
}

static void allocate(struct tsr_cycle *m)
{
  uint64_t slots = power_of_two((uint64_t)m->design.queue_depth);
  for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
    m->queues[e].ring = TSR_NEW_ARRAY(m->arena, struct tsr__entry, slots);
    m->queues[e].mask = slots - 1;
  }
  allocate_moves(m, &m->load.moves, m->design.axi_reads);
  allocate_moves(m, &m->writes.gives, m->design.axi_writes);
}

static bool open_parts(struct tsr_cycle *m, const struct tsr_allocator *allocator)
{
  const struct tsr_cycle_options *o = &m->options;
  size_t bytes;
  m->func = tsr_func_new(allocator, &m->design);
  if (!m->func)
    return false;
  m->uops = tsr_func_scratchpad(m->func, TSR_BUFFER_UOP, &bytes);
  if (o->port) {
    m->port = *o->port;
    return true;
  }
  m->dram = tsr_dram_new(allocator, &o->dram, m->beat_bytes);
  if (m->dram)
    m->port = tsr_dram_port(m->dram);
  return m->dram;
}

enum tsr_status tsr_cycle_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                               const struct tsr_design *design,
                               const struct tsr_cycle_options *options, uint8_t *window,
                               size_t window_bytes, struct tsr_cycle **out)
{
  if (!options->port && tsr_dram_check(err, &options->dram))
    return TSR_REFUSED;
  struct tsr_arena *arena = tsr_arena_new(allocator);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return tsr_no_memory(err);
  }
  struct tsr_cycle *m = TSR_NEW(arena, struct tsr_cycle);
  m->arena = arena;
  m->design = *design;
  m->options = *options;
  m->window = window;
  m->window_bytes = window_bytes;
  m->program = TSR_PROGRAM_BASE;
  m->beat_bytes = tsr_design_beat(design);
  m->burst_beats = design->axi_burst_beats;
  m->room = 2 * m->burst_beats;
  m->ended = true;
  allocate(m);
  if (!open_parts(m, allocator)) {
    tsr_cycle_close(m);
    return tsr_no_memory(err);
  }
  *out = m;
  return TSR_OK;
}

void tsr_cycle_close(struct tsr_cycle *m)
{
  if (!m)
    return;
  tsr_dram_free(m->dram);
  tsr_func_free(m->func);
  tsr_arena_free(m->arena);
}

void tsr_cycle_reset(struct tsr_cycle *m)
{
  tsr_func_reset(m->func);
  m->ended = true;
}

/* --- a run ------------------------------------------------------------------------------------ */

static void start_parts(struct tsr_cycle *m)
{
  for (int p = 0; p < TSR__PARTS; p++)
    m->wake[p] = m->wake_again[p] = TSR__NEVER;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
    struct tsr__queue *q = &m->queues[e];
    q->pushed = q->started = q->ended = q->retired = q->retired_at = 0;
    m->want_from[e] = TSR__NEVER;
    m->takes[e] = m->gives[e] = 0;
  }
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++) {
    m->accounts[e] = (struct tsr__account){.next = 1};
    m->traps[e] = TSR_TRAP_NONE;
  }
  for (int k = 0; k < TSR__LOCKS; k++) {
    m->owner[k] = -1;
    m->lock_free[k] = 0;
  }
  memset(m->tokens, 0, sizeof m->tokens);
  tsr__reads_start(m);
  tsr__writes_start(m);
  tsr__loops_start(m, TSR_ENGINE_MATRIX);
  tsr__loops_start(m, TSR_ENGINE_VECTOR);
  tsr__load_start(m);
  tsr__store_start(m);
  tsr__fetch_start(m);
}

void tsr_cycle_start(struct tsr_cycle *m, const uint8_t *insns, size_t insn_count)
{
  m->insns = insns;
  m->insn_count = insn_count;
  m->now = m->events = 0;
  m->moved = m->trapped = m->ended = false;
  memset(&m->result, 0, sizeof m->result);
  if (m->dram) {
    tsr_dram_map(m->dram, 0, 0, m->window, m->window_bytes);
    tsr_dram_map_read_only(m->dram, 1, m->program, insns, insn_count * TSR_INSN_BYTES);
    tsr_dram_restart(m->dram);
  }
  start_parts(m);
}

/* The next cycle of a part other than reads. */
static uint64_t next_but_reads(const struct tsr_cycle *m)
{
  uint64_t soonest = m->wake[0];
  for (int p = 1; p < TSR__PARTS; p++)
    if (p != TSR__PART_READS)
      soonest = tsr__sooner(soonest, m->wake[p]);
  return soonest;
}

static void look(struct tsr_cycle *m, enum tsr__part part)
{
  m->events++;
  switch (part) {
  case TSR__PART_FETCH: tsr__fetch_look(m); return;
  case TSR__PART_STORE: tsr__store_look(m); return;
  case TSR__PART_VECTOR: tsr__loops_look(m, TSR_ENGINE_VECTOR); return;
  case TSR__PART_MATRIX: tsr__loops_look(m, TSR_ENGINE_MATRIX); return;
  case TSR__PART_LOAD: tsr__load_look(m); return;
  case TSR__PART_READS: tsr__reads_look(m); return;
  default: tsr__writes_look(m);
  }
}

/* Something goes on, as far as a glance tells. */
static bool runs(const struct tsr_cycle *m)
{
  return m->loops[TSR_ENGINE_MATRIX].step == TSR__RUN || m->load.filling ||
         m->store.send != TSR__SEND_IDLE || m->reads.begun != m->reads.ended ||
         m->writes.begun != m->writes.answered;
}

/* Whether everything stands still in `cycle`, of which no later one is known. */
static bool still(const struct tsr_cycle *m, uint64_t cycle)
{
  return !runs(m) && tsr__still_from(m) <= cycle;
}

static void look_if_due(struct tsr_cycle *m, enum tsr__part part)
{
  if (m->wake[part] > m->now)
    return;
  m->wake[part] = m->wake_again[part];
  m->wake_again[part] = TSR__NEVER;
  look(m, part);
}

/* That everything stands still is seen in the cycle itself: in front of what the bus begins. */
static void work(struct tsr_cycle *m, uint64_t cycle)
{
  m->now = cycle;
  if (m->port.told && !m->port.ahead)
    m->port.told(m->port.context, cycle);
  for (enum tsr__part p = TSR__PART_FETCH; p < TSR__PART_READS; p++)
    look_if_due(m, p);
  if (!m->trapped && still(m, cycle)) {
    tsr__stand_still(m, cycle);
    return;
  }
  look_if_due(m, TSR__PART_READS);
  look_if_due(m, TSR__PART_WRITES);
  if (m->moved)
    tsr__tokens_move(m);
  if (m->trapped)
    tsr__stop(m);
}

uint64_t tsr_cycle_advance(struct tsr_cycle *m, uint64_t to)
{
  while (!m->ended) {
    m->soonest = next_but_reads(m);
    tsr__reads_stream(m, to);
    uint64_t cycle = tsr__sooner(m->soonest, m->wake[TSR__PART_READS]);
    if (still(m, tsr__sooner(to, cycle - 1)))
      tsr__stand_still(m, tsr__still_from(m));
    else if (cycle > to)
      return tsr__sooner(cycle, tsr__still_from(m));
    else
      work(m, cycle);
  }
  return TSR__NEVER;
}

void tsr_cycle_notify(struct tsr_cycle *m, uint64_t at)
{
  m->reads.look = tsr__sooner(m->reads.look, at);
  tsr__rouse(m, TSR__PART_READS, at);
  tsr__rouse(m, TSR__PART_WRITES, at);
}

bool tsr_cycle_ended(const struct tsr_cycle *m)
{
  return m->ended;
}

void tsr_cycle_result(struct tsr_cycle *m, struct tsr_run_result *result)
{
  *result = m->result;
}

enum { PROGRESS_CYCLES = 1 << 22 };

static void show_progress(const struct tsr_cycle *m)
{
  if (m->options.progress)
    m->options.progress(m->options.context, m->now, m->fetch.index, m->insn_count);
}

void tsr_cycle_run(struct tsr_cycle *m, const uint8_t *insns, size_t insn_count,
                   struct tsr_run_result *result)
{
  uint64_t limit = m->options.timeout_cycles ? m->options.timeout_cycles : TSR__NEVER - 1;
  tsr_cycle_start(m, insns, insn_count);
  while (!m->ended) {
    uint64_t stop = tsr__sooner(m->now + PROGRESS_CYCLES, limit);
    uint64_t later = tsr_cycle_advance(m, stop);
    if (m->ended)
      break;
    show_progress(m);
    if (stop == limit)
      tsr__time_out(m, limit);
    else if (later > stop)
      m->now = stop;
  }
  *result = m->result;
}

uint64_t tsr_cycle_events(const struct tsr_cycle *m)
{
  return m->events;
}

void tsr_cycle_peek(struct tsr_cycle *m, int buffer, uint32_t entry, void *out)
{
  size_t bytes;
  const uint8_t *pad = tsr_func_scratchpad(m->func, buffer, &bytes);
  size_t size = (size_t)tsr_design_dram_entry(&m->design, buffer) *
                (buffer == TSR_BUFFER_ACC8 ? 4 : 1);
  memcpy(out, pad + entry * size, size);
}
