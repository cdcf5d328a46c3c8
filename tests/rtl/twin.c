/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/twin.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_BYTES = 128 * 128 }; /* of a WGT entry at the largest design point, so of any */

/* ---- opening and running ---- */

static void on_event(void *context, const struct tsr_run_event *event)
{
  struct twin_model *m = context;
  if (event->insn < m->span_count)
    *(event->ended ? &m->spans[event->insn].end : &m->spans[event->insn].start) = event->cycle;
}

static void open_model(struct twin *twin, struct twin_model *m, struct tsr_cycle_options *options)
{
  struct tsr_err err = {0};
  m->window = calloc(1, twin->window_bytes + 1);
  if (!m->window)
    abort();
  options->event = on_event;
  options->context = m;
  if (tsr_cycle_open(NULL, &err, twin->design, options, m->window, twin->window_bytes, &m->cycle)) {
    printf("%s\n", err.text);
    exit(1);
  }
}

static void close_model(struct twin_model *m)
{
  tsr_cycle_close(m->cycle);
  free(m->window);
  free(m->spans);
  *m = (struct twin_model){0};
}

void twin_open(struct twin *twin, const struct tsr_design *design,
               const struct tsr_dram_options *dram, uint64_t timeout_cycles, size_t window_bytes)
{
  struct tsr_cycle_options options = tsr_cycle_defaults(design);
  twin_close(twin);
  twin->design = design;
  twin->window_bytes = window_bytes;
  options.dram = *dram;
  options.timeout_cycles = timeout_cycles;
  open_model(twin, &twin->all, &options);
  options.timing_only = true;
  open_model(twin, &twin->timing, &options);
}

void twin_close(struct twin *twin)
{
  close_model(&twin->all);
  close_model(&twin->timing);
}

void twin_reset(struct twin *twin)
{
  tsr_cycle_reset(twin->all.cycle);
  tsr_cycle_reset(twin->timing.cycle);
}

static void run_model(struct twin *twin, struct twin_model *m, const struct tsr_program *p,
                      const uint8_t *window)
{
  free(m->spans);
  m->spans = calloc(p->insn_count + 1, sizeof *m->spans);
  m->span_count = p->insn_count;
  if (!m->spans)
    abort();
  memcpy(m->window, window, twin->window_bytes);
  tsr_cycle_run(m->cycle, p->insns, p->insn_count, &m->result);
}

void twin_run(struct twin *twin, const struct tsr_program *program, const uint8_t *window)
{
  run_model(twin, &twin->all, program, window);
  run_model(twin, &twin->timing, program, window);
}

/* ---- comparing ---- */

struct compare {
  struct twin *twin;
  const struct twin_model *model;
  const struct tsr_program *program;
  const struct twin_of *of;
};

static bool differ(const struct compare *c, enum twin_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool differ(const struct compare *c, enum twin_kind kind, const char *format, ...)
{
  struct twin *twin = c->twin;
  va_list args;
  twin->kind = kind;
  int n = snprintf(twin->text, sizeof twin->text,
                   "%s: ", c->model == &twin->all ? "cycle model" : "timing only");
  va_start(args, format);
  vsnprintf(twin->text + n, sizeof twin->text - (size_t)n, format, args);
  va_end(args);
  return false;
}

static const char *rtl_end(const struct tsr_run_result *rtl)
{
  return rtl->timed_out ? "no end" : rtl->trap ? tsr_trap_name((int)rtl->trap) : "an end";
}

static bool differ_span(const struct compare *c, size_t insn, bool ends, uint64_t own,
                        uint64_t found)
{
  struct tsr_insn i;
  const char *what = ends ? "ends" : "starts";
  char text[3][32];
  bool good = !tsr_insn_decode(c->program->insns + insn * TSR_INSN_BYTES, &i);
  snprintf(text[0], sizeof text[0], own ? "in cycle %" PRIu64 : "never", own);
  snprintf(text[1], sizeof text[1], found ? "in cycle %" PRIu64 : "never", found);
  return differ(c, TWIN_TIME,
                "instruction %zu (%s, %s) %s %s, in the RTL %s (which has %s after %" PRIu64
                " cycles)",
                insn, good ? tsr_opcode_name(i.opcode) : "no word",
                good ? tsr_engine_name(tsr_insn_engine(&i)) : "no engine", what, text[0], text[1],
                rtl_end(c->of->result), c->of->result->counters[TSR_COUNTER_CYCLES]);
}

static uint64_t fewer(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

/* Behind a trap the engines come to rest, which is no part of the run. */
static struct span in_run(const struct span *span, const struct tsr_run_result *result)
{
  uint64_t last = result->trap ? result->counters[TSR_COUNTER_CYCLES] : UINT64_MAX;
  return (struct span){span->start > last ? 0 : span->start, span->end > last ? 0 : span->end};
}

/* Of all starts and ends that differ, the first. */
static bool same_spans(const struct compare *c)
{
  const struct tsr_run_result *result = c->of->result;
  struct span first_own = {0}, first_rtl = {0};
  uint64_t first = UINT64_MAX;
  size_t insn = 0;
  for (size_t i = 0; i < c->program->insn_count; i++) {
    struct span own = in_run(&c->model->spans[i], result), rtl = in_run(&c->of->spans[i], result);
    bool starts = own.start == rtl.start;
    uint64_t cycle = starts ? fewer(own.end - 1, rtl.end - 1) /* never: the last of all */
                            : fewer(own.start - 1, rtl.start - 1);
    if ((starts && own.end == rtl.end) || cycle >= first)
      continue;
    first = cycle;
    insn = i;
    first_own = own;
    first_rtl = rtl;
  }
  if (first == UINT64_MAX)
    return true;
  return first_own.start != first_rtl.start
             ? differ_span(c, insn, false, first_own.start, first_rtl.start)
             : differ_span(c, insn, true, first_own.end, first_rtl.end);
}

static bool same_end(const struct compare *c)
{
  const struct tsr_run_result *own = &c->model->result, *rtl = c->of->result;
  if (own->timed_out || rtl->timed_out)
    return own->timed_out == rtl->timed_out ||
           differ(c, TWIN_END, "%s has come to the timeout, and the other one has not",
                  own->timed_out ? "it" : "the RTL");
  bool same = own->trap == rtl->trap && own->insn == rtl->insn && own->engine == rtl->engine;
  if (same && strcmp(own->text, rtl->text))
    return differ(c, TWIN_END, "says: %s; the RTL: %s", own->text, rtl->text);
  return same || differ(c, TWIN_END, "%s at instruction %zu of %s, in the RTL %s at %zu of %s",
                        tsr_trap_name((int)own->trap), own->insn, tsr_engine_name(own->engine),
                        tsr_trap_name((int)rtl->trap), rtl->insn, tsr_engine_name(rtl->engine));
}

static bool same_counters(const struct compare *c)
{
  const uint64_t *own = c->model->result.counters, *rtl = c->of->result->counters;
  for (int k = 0; k < TSR_COUNTER_COUNT; k++) {
    int engine = tsr_counter_engine(k);
    if (own[k] != rtl[k])
      return differ(c, TWIN_COUNTER, "counter %s%s%s is %" PRIu64 ", in the RTL %" PRIu64,
                    tsr_counter_name(k), engine < 0 ? "" : " of ",
                    engine < 0 ? "" : tsr_engine_name(engine), own[k], rtl[k]);
  }
  return true;
}

static bool same_window(const struct compare *c)
{
  const uint8_t *own = c->model->window, *rtl = c->of->window;
  size_t at = 0;
  if (!memcmp(own, rtl, c->twin->window_bytes))
    return true;
  while (own[at] == rtl[at])
    at++;
  return differ(c, TWIN_DATA, "byte 0x%zx of the window is %d, in the RTL %d", at, own[at],
                rtl[at]);
}

static bool same_entry(const struct compare *c, int buffer, uint32_t entry)
{
  uint8_t own[ENTRY_BYTES], rtl[ENTRY_BYTES];
  int bytes = tsr_design_dram_entry(c->twin->design, buffer), at = 0;
  tsr_cycle_peek(c->model->cycle, buffer, entry, own);
  tsr_rtl_peek(c->of->rtl, buffer, entry, rtl);
  if (!memcmp(own, rtl, (size_t)bytes))
    return true;
  while (own[at] == rtl[at])
    at++;
  return differ(c, TWIN_DATA, "byte %d of %s entry %" PRIu32 " is %d, in the RTL %d", at,
                tsr_buffer_name(buffer), entry, own[at], rtl[at]);
}

static bool same_pad(const struct compare *c, int buffer)
{
  uint32_t depth = (uint32_t)tsr_design_depth(c->twin->design, buffer);
  for (uint32_t entry = 0; entry < depth; entry++)
    if (!same_entry(c, buffer, entry))
      return false;
  return true;
}

static bool same_data(const struct compare *c)
{
  if (c->model == &c->twin->timing)
    return same_pad(c, TSR_BUFFER_UOP);
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++)
    if (buffer != TSR_BUFFER_ACC8 && !same_pad(c, buffer))
      return false;
  return same_window(c);
}

static bool equals(const struct compare *c, enum twin_compares compares)
{
  const struct tsr_run_result *rtl = c->of->result;
  if (compares == TWIN_NOTHING)
    return true;
  if (!same_spans(c) || !same_end(c))
    return false;
  if (rtl->timed_out)
    return true;
  return same_counters(c) && (compares == TWIN_TIMES || rtl->trap || same_data(c));
}

bool twin_equals(struct twin *twin, const struct tsr_program *program, const struct twin_of *of,
                 enum twin_compares compares)
{
  struct compare all = {twin, &twin->all, program, of}, timing = {twin, &twin->timing, program, of};
  return equals(&all, compares) && equals(&timing, compares);
}
