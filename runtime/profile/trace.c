/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/profile/slices.h"
#include "runtime/profile/text.h"

enum { LAYER_TRACK = 1, FIRST_TRACK = 2, BANDWIDTH_POINTS = 4096 };

/* --- what is written -------------------------------------------------------------------------- */

/* Bytes that moved in each interval of so many cycles. */
struct bandwidth {
  uint64_t cycles;
  size_t points;
  uint64_t (*bytes)[3]; /* load, fetch, store */
};

struct trace {
  struct tsr_arena *arena;
  const struct tsr_record *record;
  const struct tsr_module *module;
  const struct tsr__label *label;
  struct tsr__track whole[TSR__TRACKS], track[TSR__TRACKS];
  struct bandwidth bandwidth;
  struct tessera_trace_info info;
  struct tsr_text to;
  const char *between; /* before the next event */
};

static uint64_t all_cycles(const struct tsr_record *record)
{
  uint64_t sum = 0;
  for (size_t r = 0; r < record->runs; r++)
    sum += record->run[r].cycles;
  return sum;
}

/* Beats of a burst are taken to be spread evenly from its first to its last. */
static void spread(struct bandwidth *b, const struct tsr_cycle_burst *burst, uint64_t before,
                   uint64_t beat_bytes)
{
  int row = burst->write ? 2 : burst->id ? 0 : 1;
  uint64_t cycles = burst->last - burst->first + 1, done = 0,
           all = (uint64_t)burst->beats * beat_bytes;
  for (uint64_t at = burst->first; at <= burst->last;) {
    uint64_t place = (before + at - 1) / b->cycles;
    uint64_t end = (place + 1) * b->cycles - before;
    end = end < burst->last ? end : burst->last;
    uint64_t sum = all * (end - burst->first + 1) / cycles;
    b->bytes[place < b->points ? place : b->points - 1][row] += sum - done;
    done = sum;
    at = end + 1;
  }
}

static void measure_bandwidth(struct trace *t)
{
  struct bandwidth *b = &t->bandwidth;
  uint64_t all = all_cycles(t->record), before = 0;
  uint64_t beat = (uint64_t)tsr_design_beat(&t->module->design);
  b->cycles = 16;
  while (all / b->cycles >= BANDWIDTH_POINTS)
    b->cycles *= 2;
  b->points = (size_t)(all / b->cycles) + 1;
  b->bytes = (void *)TSR_NEW_ARRAY(t->arena, uint64_t, 3 * b->points);
  for (size_t r = 0; r < t->record->runs; r++) {
    const struct tsr_record_run *run = &t->record->run[r];
    for (size_t k = 0; k < run->bursts; k++)
      spread(b, &t->record->burst[run->first_burst + k], before, beat);
    before += run->cycles;
  }
  t->info.bandwidth_cycles = b->cycles;
}

/* --- events ----------------------------------------------------------------------------------- */

/* A time in microseconds, exact to the picosecond: where a cycle begins, cycles counting from 0. */
static uint64_t picoseconds(const struct trace *t, uint64_t cycle)
{
  uint64_t mhz = (uint64_t)t->module->design.clock_mhz;
  return cycle / mhz * 1000000 + cycle % mhz * 1000000 / mhz;
}

static void add_time(struct trace *t, const char *key, uint64_t ps)
{
  char fraction[8];
  snprintf(fraction, sizeof fraction, "%06u", (unsigned)(ps % 1000000));
  int digits = 6;
  while (digits && fraction[digits - 1] == '0')
    fraction[--digits] = 0;
  tsr_text_add(&t->to, ",\"%s\":%" PRIu64 "%s%s", key, ps / 1000000, digits ? "." : "", fraction);
}

static void begin_event(struct trace *t, const char *phase, int track)
{
  tsr_text_add(&t->to, "%s{\"ph\":\"%s\",\"pid\":1,\"tid\":%d", t->between, phase, track);
  t->between = ",\n";
}

/* Cycles `first` to `last` of the trace, which count from 1. */
static void begin_slice(struct trace *t, int track, uint64_t first, uint64_t last)
{
  begin_event(t, "X", track);
  add_time(t, "ts", picoseconds(t, first - 1));
  add_time(t, "dur", picoseconds(t, last) - picoseconds(t, first - 1));
}

static void name_track(struct trace *t, int track, const char *name)
{
  begin_event(t, "M", track);
  tsr_text_add(&t->to, ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}", name);
  begin_event(t, "M", track);
  tsr_text_add(&t->to, ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%d}}", track);
}

static void add_tracks(struct trace *t)
{
  begin_event(t, "M", 0);
  tsr_text_add(&t->to, ",\"name\":\"process_name\",\"args\":{\"name\":");
  tsr__add_json(&t->to,
                tsr_arena_printf(t->arena, "%s on %s", t->module->name, t->module->design.name));
  tsr_text_add(&t->to, "}}");
  name_track(t, LAYER_TRACK, "layers");
  for (int e = 0; e < TSR__TRACKS; e++)
    name_track(t, FIRST_TRACK + e, tsr_engine_name(e));
}

/* --- instructions and stalls ------------------------------------------------------------------ */

static const char *layer_name(const struct trace *t, size_t insn)
{
  int layer = t->label[insn].layer;
  return layer < 0 ? "" : t->module->layer[layer].name;
}

static const char *opcode_name(const struct trace *t, size_t insn)
{
  return t->label[insn].opcode ? tsr_opcode_name(t->label[insn].opcode) : "?";
}

static void add_insn_text(struct trace *t, struct tsr_arena *scratch, size_t index)
{
  struct tsr_insn insn;
  if (tsr_insn_decode(t->module->insns + index * TSR_INSN_BYTES, &insn) != TSR_TRAP_NONE)
    return;
  tsr_text_add(&t->to, ",\"text\":");
  tsr__add_json(&t->to, tsr_insn_text(scratch, &insn));
}

static void add_insn(struct trace *t, int engine, const struct tsr__slice *s)
{
  const struct tsr__label *l = &t->label[s->insn];
  begin_slice(t, FIRST_TRACK + engine, s->first, s->last);
  tsr_text_add(&t->to, ",\"cat\":\"instruction\",\"name\":");
  const char *what = engine == TSR_ENGINE_FETCH ? "fetch" : opcode_name(t, s->insn);
  tsr__add_json(&t->to, tsr_arena_printf(t->arena, "%s %s", what, layer_name(t, s->insn)));
  tsr_text_add(&t->to, ",\"args\":{\"instruction\":%zu,\"cycles\":%" PRIu64 ",\"busy\":%" PRIu64,
               s->insn, s->last - s->first + 1, s->busy);
  if (l->layer >= 0)
    tsr_text_add(&t->to, ",\"of_its_kind\":\"%u of %u\"", l->nth, l->of);
  if (s->count > 1)
    tsr_text_add(&t->to, ",\"merged\":%u", s->count);
  else if (engine != TSR_ENGINE_FETCH)
    add_insn_text(t, t->arena, s->insn);
  tsr_text_add(&t->to, "}}");
  t->info.slices++;
}

/* Engines that a stall waits for; where the record does not tell which, all that there can be. */
static unsigned waits_for(const struct trace *t, const struct tsr__slice *s)
{
  const struct tsr__label *l = &t->label[s->insn];
  if (s->others)
    return s->others;
  return s->state == TSR_STATE_TOKEN ? l->wait : s->state == TSR_STATE_SIGNAL ? l->signal : 0;
}

static void add_stall(struct trace *t, int engine, const struct tsr__slice *s)
{
  const char *between = ": ";
  begin_slice(t, FIRST_TRACK + engine, s->first, s->last);
  tsr_text_add(&t->to, ",\"cat\":\"stall\",\"name\":\"%s", tsr_state_name(s->state));
  for (int e = 0; e < TSR__TRACKS; e++)
    if (waits_for(t, s) >> e & 1) {
      tsr_text_add(&t->to, "%s%s", between, tsr_engine_name(e));
      between = ", ";
    }
  tsr_text_add(&t->to, "\",\"args\":{\"state\":\"%s\",\"instruction\":%zu,\"cycles\":%" PRIu64 "}}",
               tsr_state_name(s->state), s->insn, s->last - s->first + 1);
  t->info.stalls++;
}

static void add_slices(struct trace *t)
{
  for (int e = 0; e < TSR__TRACKS; e++)
    for (size_t k = 0; k < t->track[e].count; k++) {
      const struct tsr__slice *s = &t->track[e].slice[k];
      if (s->state == TSR_STATE_BUSY)
        add_insn(t, e, s);
      else
        add_stall(t, e, s);
    }
}

/* --- layers ----------------------------------------------------------------------------------- */

static void add_layer(struct trace *t, const struct tsr_module_layer *layer, uint64_t first,
                      uint64_t last)
{
  begin_slice(t, LAYER_TRACK, first, last);
  tsr_text_add(&t->to, ",\"cat\":\"layer\",\"name\":");
  tsr__add_json(&t->to, layer->name);
  tsr_text_add(&t->to, ",\"args\":{\"op\":");
  tsr__add_json(&t->to, layer->op);
  tsr_text_add(&t->to, ",\"cycles\":%" PRIu64 "}}", last - first + 1);
}

static void add_layers(struct trace *t)
{
  uint64_t before = 0;
  for (size_t r = 0; r < t->record->runs; r++) {
    const struct tsr_record_run *run = &t->record->run[r];
    uint64_t done = 0;
    for (int l = 0; l < t->module->layers; l++) {
      const struct tsr_module_layer *layer = &t->module->layer[l];
      if (!tsr_record_has_layer(run, layer))
        continue;
      uint64_t end = tsr_record_layer_end(t->record, layer, done);
      if (end > done)
        add_layer(t, layer, before + done + 1, before + end);
      done = end;
    }
    before += run->cycles;
  }
}

/* --- counters --------------------------------------------------------------------------------- */

static void add_bandwidth(struct trace *t)
{
  const struct bandwidth *b = &t->bandwidth;
  uint64_t none[3] = {0}, *shown = NULL;
  for (size_t k = 0; k <= b->points; k++) {
    uint64_t *bytes = k < b->points ? b->bytes[k] : none;
    if (shown && !memcmp(shown, bytes, sizeof none))
      continue;
    begin_event(t, "C", 0);
    add_time(t, "ts", picoseconds(t, k * b->cycles));
    tsr_text_add(&t->to,
                 ",\"name\":\"DRAM bytes in %" PRIu64 " cycles\",\"args\":{\"load\":%" PRIu64
                 ",\"fetch\":%" PRIu64 ",\"store\":%" PRIu64 "}}",
                 b->cycles, bytes[0], bytes[1], bytes[2]);
    t->info.counts++;
    shown = bytes;
  }
}

/* The values of a counter that one event, or two, will tell: the largest, and the last. */
struct counter {
  uint64_t cycle, last_cycle; /* of the first of them, and of the last */
  int32_t largest, last;
  bool known;
};

static void add_count(struct trace *t, int from, int to, uint64_t cycle, int32_t count)
{
  begin_event(t, "C", 0);
  add_time(t, "ts", picoseconds(t, cycle));
  tsr_text_add(&t->to, ",\"name\":\"tokens %s to %s\",\"args\":{\"tokens\":%d}}",
               tsr_engine_name(from), tsr_engine_name(to), (int)count);
  t->info.counts++;
}

static void tell_counter(struct trace *t, int from, int to, const struct counter *c)
{
  if (!c->known)
    return;
  add_count(t, from, to, c->cycle, c->largest);
  if (c->last != c->largest)
    add_count(t, from, to, c->last_cycle, c->last);
}

/* Of the values within `token_cycles` the largest is told, when the first came, and the
 * last. */
static void count_token(struct trace *t, struct counter *c, const struct tsr_record_token *token,
                        uint64_t before)
{
  uint64_t cycle = before + token->cycle;
  if (!c->known || cycle - c->cycle >= t->info.token_cycles) {
    tell_counter(t, token->from, token->to, c);
    *c = (struct counter){cycle, cycle, token->count, token->count, true};
    return;
  }
  c->largest = token->count > c->largest ? token->count : c->largest;
  c->last = token->count;
  c->last_cycle = cycle;
}

static void add_tokens(struct trace *t)
{
  struct counter counter[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT] = {0};
  uint64_t before = 0;
  for (size_t r = 0; r < t->record->runs; r++) {
    const struct tsr_record_run *run = &t->record->run[r];
    for (size_t k = 0; k < run->tokens; k++) {
      const struct tsr_record_token *token = &t->record->token[run->first_token + k];
      count_token(t, &counter[token->from][token->to], token, before);
    }
    before += run->cycles;
  }
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++)
      tell_counter(t, from, to, &counter[from][to]);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void add_head(struct trace *t)
{
  const struct tessera_trace_info *i = &t->info;
  tsr_text_add(&t->to, "{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"model\":");
  tsr__add_json(&t->to, t->module->name);
  tsr_text_add(&t->to, ",\"design_point\":");
  tsr__add_json(&t->to, t->module->design.name);
  tsr_text_add(&t->to,
               ",\"clock_mhz\":%d,\"cycles\":%" PRIu64 ",\"merged_below_cycles\":%" PRIu64
               ",\"merged_slices\":%zu,\"merged_stalls\":%zu,\"token_cycles\":%" PRIu64
               "},\n",
               t->module->design.clock_mhz, i->cycles, i->merged_below, i->merged_slices,
               i->merged_stalls, i->token_cycles);
  tsr_text_add(&t->to, "\"traceEvents\":[\n");
}

/* One attempt, with what is shorter than `below` merged. */
static void write_all(struct trace *t, uint64_t below)
{
  struct tsr__merged merged = {0};
  for (int e = 0; e < TSR__TRACKS; e++)
    t->track[e] = tsr__merge_slices(t->arena, &t->whole[e], t->label, below, &merged);
  t->to = (struct tsr_text){.arena = t->arena};
  t->between = "";
  t->info.slices = t->info.stalls = t->info.counts = 0;
  t->info.merged_below = below;
  t->info.merged_slices = merged.slices;
  t->info.merged_stalls = merged.stalls;
  t->info.token_cycles = below ? below : 1;
  add_head(t);
  add_tracks(t);
  add_layers(t);
  add_slices(t);
  add_bandwidth(t);
  add_tokens(t);
  tsr_text_add(&t->to, "\n]}\n");
}

struct tsr_text tsr_trace_write(struct tsr_arena *arena, const struct tsr_record *record,
                                size_t most_bytes, struct tessera_trace_info *info)
{
  struct trace t = {.arena = arena, .record = record, .module = record->module};
  t.info.cycles = all_cycles(record);
  for (size_t i = 0; i < record->module->insn_count; i++)
    t.info.instructions += record->insn && record->insn[i].retired;
  t.label = tsr__label_insns(arena, t.module);
  tsr__cut_slices(arena, record, t.whole);
  measure_bandwidth(&t);
  for (uint64_t below = 0;; below = below ? 2 * below : 8) {
    write_all(&t, below);
    if (t.to.length <= most_bytes || below > t.info.cycles)
      break;
  }
  *info = t.info;
  return t.to;
}
