/* SPDX-License-Identifier: Apache-2.0 */
/* A program's run: registers, start, cycles until the interrupt, registers again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hw/sim/rtl/machine.h"

enum { CONTROL_START = 1, INTERRUPT_ON = 1, TRAP_BITS = 8, TRAP_ENGINE_MASK = 7 };
enum { PROGRESS_CYCLES = 1 << 15, LARGEST_PROGRAM_BYTES = 0x3fffffe0 };

_Static_assert((int)TSR__TRACED_ENGINES == (int)TSR_ENGINE_COUNT, "an engine a trace");

struct run {
  struct tsr_rtl *rtl;
  struct tsr_err *err;
  const uint8_t *insns;
  size_t insn_count;
  uint64_t cycle; /* that the pins show; 0 is the one in which the program starts */
  size_t last;    /* instruction that has started */
  int in_wave;    /* instructions at work that the waveform is about */
};

static const char *register_name(uint32_t offset)
{
  switch (offset) {
#define TSR_REGISTER(at, name, writable, meaning)                                                  \
  case at:                                                                                         \
    return #name;
#include "isa/registers.def"
#undef TSR_REGISTER
  default: return "?";
  }
}

/* --- registers -------------------------------------------------------------------------------- */

static enum tsr_status put(const struct run *r, uint32_t offset, uint64_t value)
{
  if (tsr_rtl_write_register(r->rtl, offset, (uint32_t)value))
    return TSR_OK;
  return tsr_refuse(r->err, "the machine refuses 0x%08" PRIx32 " for its register %s%s",
                    (uint32_t)value, register_name(offset),
                    r->rtl->stuck ? ": a program runs, which was left at its limit of cycles" : "");
}

static enum tsr_status get(const struct run *r, uint32_t offset, uint32_t *value)
{
  if (tsr_rtl_read_register(r->rtl, offset, value))
    return TSR_OK;
  return tsr_refuse(r->err, "the machine does not tell its register 0x%03" PRIx32 " (%s)", offset,
                    register_name(offset));
}

static enum tsr_status write_registers(const struct run *r)
{
  uint64_t window = r->rtl->window_bytes, bytes = r->insn_count * TSR_INSN_BYTES;
  const struct {
    uint32_t offset;
    uint64_t value;
  } list[] = {
      {TSR_REG_PROGRAM_LO, TSR_PROGRAM_BASE},
      {TSR_REG_PROGRAM_HI, TSR_PROGRAM_BASE >> 32},
      {TSR_REG_PROGRAM_BYTES, bytes},
      {TSR_REG_WINDOW_LO, 0},
      {TSR_REG_WINDOW_HI, 0},
      {TSR_REG_WINDOW_BYTES_LO, window},
      {TSR_REG_WINDOW_BYTES_HI, window >> 32},
      {TSR_REG_INTERRUPT, INTERRUPT_ON},
  };
  enum tsr_status status = TSR_OK;
  for (size_t i = 0; i < sizeof list / sizeof list[0] && !status; i++)
    status = put(r, list[i].offset, list[i].value);
  return status;
}

static enum tsr_status read_registers(const struct run *r, struct tsr_run_result *result)
{
  uint32_t trap, insn, low, high;
  enum tsr_status status = get(r, TSR_REG_TRAP, &trap);
  if (!status)
    status = get(r, TSR_REG_TRAP_INSN, &insn);
  for (uint32_t k = 0; k < TSR_COUNTER_COUNT && !status; k++) {
    status = get(r, TSR_REG_COUNTERS + 8 * k, &low);
    if (!status)
      status = get(r, TSR_REG_COUNTERS + 8 * k + 4, &high);
    result->counters[k] = status ? 0 : (uint64_t)high << 32 | low;
  }
  if (status)
    return status;
  result->trap = (enum tsr_trap)(trap & ((1u << TRAP_BITS) - 1));
  result->engine = (int)(trap >> TRAP_BITS & TRAP_ENGINE_MASK);
  result->insn = insn;
  return TSR_OK;
}

/* --- events and waves ------------------------------------------------------------------------- */

/* What the trace pins show in a cycle. What an instruction writes in the cycle of its end is there
 * in the next one, so that events are told then. */
struct trace {
  uint8_t start, end;
  uint32_t start_insn[TSR_ENGINE_COUNT], end_insn[TSR_ENGINE_COUNT];
};

static void take_trace(const struct tsr__rtl_pins *p, struct trace *t)
{
  t->start = p->trace_start;
  t->end = p->trace_end;
  memcpy(t->start_insn, p->start_insn, sizeof t->start_insn);
  memcpy(t->end_insn, p->end_insn, sizeof t->end_insn);
}

static void tell(struct run *r, int engine, uint32_t insn, bool ended)
{
  const struct tsr_rtl_options *o = &r->rtl->options;
  struct tsr_run_event event = {r->cycle, insn, engine, ended};
  if (!ended && insn > r->last)
    r->last = insn;
  if (o->event)
    o->event(o->context, &event);
}

/* An engine that ends one instruction and starts the next tells so in this order. */
static void tell_events(struct run *r, const struct trace *t)
{
  for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
    bool starts = t->start >> e & 1, ends = t->end >> e & 1;
    bool whole = starts && ends && t->start_insn[e] == t->end_insn[e];
    if (whole)
      tell(r, e, t->start_insn[e], false);
    if (ends)
      tell(r, e, t->end_insn[e], true);
    if (starts && !whole)
      tell(r, e, t->start_insn[e], false);
  }
}

/* How many of the instructions of a mask are those that the waveform is about. */
static int count_in_wave(const struct run *r, uint8_t engines, const uint32_t *insn)
{
  const struct tsr_rtl_wave *w = &r->rtl->options.wave;
  int n = 0;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    n += engines >> e & 1 && insn[e] - w->first_insn < w->insn_count;
  return n;
}

static void step_with_wave(struct run *r)
{
  struct tsr_rtl *rtl = r->rtl;
  struct tsr__rtl_pins *p = &rtl->pins;
  const struct tsr_rtl_wave *w = &rtl->options.wave;
  int enter = count_in_wave(r, p->trace_start, p->start_insn);
  int leave = count_in_wave(r, p->trace_end, p->end_insn);
  r->in_wave += enter;
  p->dump = w->insn_count ? r->in_wave > 0
                          : r->cycle >= w->first_cycle && r->cycle <= w->last_cycle;
  p->dump_time = rtl->wave_origin + r->cycle;
  rtl->waved += p->dump;
  r->in_wave -= leave;
  tsr__rtl_step(rtl);
  p->dump = 0;
}

/* --- cycles ----------------------------------------------------------------------------------- */

static void show_progress(const struct run *r)
{
  const struct tsr_rtl_options *o = &r->rtl->options;
  if (o->progress)
    o->progress(o->context, r->cycle, r->last, r->insn_count);
}

/* Until the program has ended, or its time. */
static void run_cycles(struct run *r, uint64_t limit)
{
  struct tsr_rtl *rtl = r->rtl;
  const struct tsr__rtl_pins *p = &rtl->pins;
  struct trace trace;
  tsr_dram_restart(rtl->dram); /* no burst is outstanding, and its time is that of the run */
  for (r->cycle = 0; !p->irq && r->cycle <= limit; r->cycle++) {
    bool events = p->trace_start | p->trace_end;
    if (events)
      take_trace(p, &trace);
    if (rtl->wave_path)
      step_with_wave(r);
    else
      tsr__rtl_step(rtl);
    if (events)
      tell_events(r, &trace);
    if (r->cycle % PROGRESS_CYCLES == 0)
      show_progress(r);
  }
  rtl->wave_origin += r->cycle;
}

enum tsr_status tsr_rtl_run(struct tsr_rtl *rtl, struct tsr_err *err, const uint8_t *insns,
                            size_t insn_count, struct tsr_run_result *result)
{
  struct run r = {.rtl = rtl, .err = err, .insns = insns, .insn_count = insn_count};
  uint64_t limit = rtl->options.timeout_cycles ? rtl->options.timeout_cycles : UINT64_MAX - 1;
  memset(result, 0, sizeof *result);
  if (insn_count > LARGEST_PROGRAM_BYTES / TSR_INSN_BYTES)
    return tsr_refuse(err,
                      "a program of %zu instructions is longer than the %d that the machine takes",
                      insn_count, LARGEST_PROGRAM_BYTES / TSR_INSN_BYTES);
  tsr_dram_map_read_only(rtl->dram, 1, TSR_PROGRAM_BASE, insns, insn_count * TSR_INSN_BYTES);
  enum tsr_status status = write_registers(&r);
  if (!status)
    status = put(&r, TSR_REG_CONTROL, CONTROL_START);
  if (status)
    return status;
  run_cycles(&r, limit);
  result->timed_out = rtl->stuck = !rtl->pins.irq;
  status = read_registers(&r, result);
  if (!status)
    tsr__rtl_explain(rtl, insns, insn_count, limit, result);
  const char *complaint = tsr_dram_complaint(rtl->dram);
  if (!status && complaint)
    status = tsr_refuse(err, "the RTL breaks a rule of AXI4: %s", complaint);
  return status;
}
