/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/func/detect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hw/sim/func/watch.h"

/* ---- the order ---- */

/* splitmix64 */
static uint32_t draw(struct tsr__watch *watch, uint32_t below)
{
  uint64_t z = watch->random += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (uint32_t)((z ^ z >> 31) % below);
}

static void shuffle(struct tsr__watch *watch)
{
  for (int i = TSR_ENGINE_COUNT - 1; i > 0; i--) {
    int k = (int)draw(watch, (uint32_t)i + 1), was = watch->rank[i];
    watch->rank[i] = watch->rank[k];
    watch->rank[k] = was;
  }
}

bool tsr__watch_fetches(struct tsr__watch *watch)
{
  return draw(watch, 8) < watch->eager;
}

/* Engines are ranked, and the ranking changes now and then: that takes runs further apart than a
 * draw at every step, where all engines advance alike. */
int tsr__watch_pick(struct tsr__watch *watch, uint32_t ready)
{
  if (draw(watch, 16) >= watch->steady)
    shuffle(watch);
  int k = 0;
  while (!(ready >> watch->rank[k] & 1))
    k++;
  return watch->rank[k];
}

/* ---- reports ---- */

static const char *place(int buffer)
{
  static const char *const names[] = {
      [TSR_BUFFER_UOP] = "UOP", [TSR_BUFFER_INP] = "INP", [TSR_BUFFER_WGT] = "WGT",
      [TSR_BUFFER_ACC] = "ACC", [TSR_BUFFER_OUT] = "OUT", [TSR_BUFFER_LUT] = "LUT"};
  return buffer == TSR_DETECT_DRAM ? "DRAM byte" : names[buffer];
}

static bool known(const struct tsr_detect *out, const struct tsr_detect_report *report)
{
  for (size_t i = 0; i < out->listed; i++) {
    const struct tsr_detect_report *r = &out->list[i];
    if (r->kind == report->kind && r->insn == report->insn && r->other == report->other &&
        r->buffer == report->buffer)
      return true;
  }
  return false;
}

static struct tsr_detect_report *add(struct tsr_detect *out, const struct tsr_detect_report *report)
{
  if (known(out, report))
    return NULL;
  out->count++;
  if (out->listed == TSR_DETECT_LISTED)
    return NULL;
  out->list[out->listed] = *report;
  return &out->list[out->listed++];
}

static const char *row_of(const struct tsr__watch *watch, size_t insn)
{
  return tsr_opcode_name(watch->insns[insn * TSR_INSN_BYTES]);
}

static struct tsr_detect_report report_on(const struct tsr__watch *watch, int buffer,
                                          uint64_t element)
{
  uint64_t unit = buffer == TSR_DETECT_DRAM ? watch->grain : 1;
  return (struct tsr_detect_report){
      .insn = watch->insn, .engine = watch->engine, .buffer = buffer, .element = element * unit};
}

static void report_race(struct tsr__watch *watch, int buffer, uint64_t element, bool writes,
                        int other_engine, size_t other, bool other_writes)
{
  struct tsr_detect_report report = report_on(watch, buffer, element), *at;
  report.kind = TSR_DETECT_RACE;
  report.other = other;
  report.other_engine = other_engine;
  if ((at = add(watch->out, &report)))
    snprintf(at->text, sizeof at->text,
             "%s%s %" PRIu64 ": instruction %zu (%s, %s) %s what instruction %zu (%s, %s) %s, and "
             "no chain of tokens orders them",
             place(buffer), buffer == TSR_DETECT_DRAM ? "" : " entry", at->element, at->insn,
             row_of(watch, at->insn), tsr_engine_name(at->engine), writes ? "writes" : "reads",
             other, row_of(watch, other), tsr_engine_name(other_engine),
             other_writes ? "writes" : "reads");
}

static void report_unwritten(struct tsr__watch *watch, int buffer, uint64_t element)
{
  struct tsr_detect_report report = report_on(watch, buffer, element), *at;
  report.kind = TSR_DETECT_UNWRITTEN;
  if ((at = add(watch->out, &report)))
    snprintf(at->text, sizeof at->text,
             "%s entry %" PRIu64 ": instruction %zu (%s, %s) reads what nothing wrote",
             place(buffer), element, at->insn, row_of(watch, at->insn),
             tsr_engine_name(at->engine));
}

static void report_leftover(struct tsr__watch *watch, size_t finish, int from, int to, int left)
{
  struct tsr_detect_report report = {.kind = TSR_DETECT_LEFTOVER,
                                     .insn = finish,
                                     .other = (size_t)from, /* so that each pair is one report */
                                     .engine = to,
                                     .other_engine = from,
                                     .buffer = to,
                                     .element = (uint64_t)left};
  struct tsr_detect_report *at = add(watch->out, &report);
  if (at)
    snprintf(at->text, sizeof at->text, "instruction %zu (finish): %d token%s from %s to %s left",
             finish, left, left > 1 ? "s" : "", tsr_engine_name(from), tsr_engine_name(to));
}

/* ---- clocks ---- */

/* Whether other engines wrote (or read) an element after all that this engine knows of. */
static void compare(struct tsr__watch *watch, int buffer, uint64_t element, bool writes,
                    const uint32_t when[TSR_ENGINE_COUNT], bool other_writes)
{
  const struct tsr__clock *clock = &watch->clock[watch->engine];
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (e != watch->engine && when[e] > clock->at[e])
      report_race(watch, buffer, element, writes, e, when[e] - 1, other_writes);
}

void tsr__watch_read(struct tsr__watch *watch, int buffer, uint64_t element)
{
  struct tsr__shadow *s = &watch->shadow[buffer][element];
  const uint32_t *w = s->write;
  if (buffer != TSR_DETECT_DRAM && !(w[0] | w[1] | w[2] | w[3]))
    report_unwritten(watch, buffer, element);
  compare(watch, buffer, element, false, s->write, true);
  s->read[watch->engine] = (uint32_t)watch->insn + 1;
}

void tsr__watch_write(struct tsr__watch *watch, int buffer, uint64_t element)
{
  struct tsr__shadow *s = &watch->shadow[buffer][element];
  compare(watch, buffer, element, true, s->write, true);
  compare(watch, buffer, element, true, s->read, false);
  s->write[watch->engine] = (uint32_t)watch->insn + 1;
}

static struct tsr__clock *slot(const struct tsr__watch *watch, struct tsr__tokens *tokens,
                               uint64_t number)
{
  return &tokens->ring[number % ((uint64_t)watch->func->order.token_depth + 1)];
}

static void take(struct tsr__watch *watch, int from, int to)
{
  struct tsr__tokens *tokens = &watch->tokens[from][to];
  const struct tsr__clock *token = slot(watch, tokens, tokens->taken++);
  struct tsr__clock *clock = &watch->clock[to];
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    clock->at[e] = token->at[e] > clock->at[e] ? token->at[e] : clock->at[e];
}

/* A token that has to wait for room is in its ring already: no one takes it before it is given. */
void tsr__watch_insn(struct tsr__watch *watch, const struct tsr_order_entry *entry)
{
  const struct tsr_insn *insn = &entry->insn;
  int engine = tsr_insn_engine(insn);
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    if (insn->wait >> from & 1)
      take(watch, from, engine);
  watch->clock[engine].at[engine] = (uint32_t)entry->index + 1;
  watch->insn = entry->index;
  watch->engine = engine;
  tsr__touch_all(watch, insn);
  for (int to = 0; to < TSR_ENGINE_COUNT; to++) {
    struct tsr__tokens *tokens = &watch->tokens[engine][to];
    if (insn->signal >> to & 1)
      *slot(watch, tokens, tokens->given++) = watch->clock[engine];
  }
}

/* ---- a run ---- */

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
  return b ? common_divisor(b, a % b) : a;
}

static void allocate(struct tsr_arena *arena, struct tsr__watch *watch, size_t window_bytes)
{
  const struct tsr_design *design = &watch->func->design;
  watch->grain = (uint64_t)tsr_design_beat(design);
  for (int b = 0; b < TSR_BUFFER_COUNT; b++) {
    watch->grain = common_divisor(watch->grain, (uint64_t)tsr_design_dram_entry(design, b));
    if (b != TSR_BUFFER_ACC8)
      watch->shadow[b] = TSR_NEW_ARRAY(arena, struct tsr__shadow, tsr_design_depth(design, b));
  }
  watch->shadow[TSR_DETECT_DRAM] = TSR_NEW_ARRAY(arena, struct tsr__shadow,
                                                 window_bytes / watch->grain + 1);
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++)
      watch->tokens[from][to].ring = TSR_NEW_ARRAY(arena, struct tsr__clock,
                                                   watch->func->order.token_depth + 1);
}

static void start(struct tsr__watch *watch, uint64_t seed)
{
  watch->random = seed;
  watch->eager = 1 + draw(watch, 7);
  watch->steady = draw(watch, 16);
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    watch->rank[e] = e;
  shuffle(watch);
}

enum tsr_status tsr_func_detect(struct tsr_func *func, const uint8_t *insns, size_t insn_count,
                                uint8_t *window, size_t window_bytes, uint64_t seed,
                                struct tsr_func_result *result, struct tsr_detect *out)
{
  struct tsr_arena *arena = tsr_arena_new(tsr_arena_allocator(func->arena));
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return TSR_NO_MEMORY;
  }
  struct tsr__watch *watch = TSR_NEW(arena, struct tsr__watch);
  watch->func = func;
  watch->insns = insns;
  watch->out = out;
  allocate(arena, watch, window_bytes);
  start(watch, seed);
  memset(out, 0, sizeof *out);
  enum tsr_trap trap = tsr__func_watched(func, insns, insn_count, window, window_bytes, result,
                                         watch);
  for (int from = 0; trap == TSR_TRAP_NONE && from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++)
      if (func->order.tokens[from][to])
        report_leftover(watch, result->insn, from, to, func->order.tokens[from][to]);
  tsr_arena_free(arena);
  return TSR_OK;
}
