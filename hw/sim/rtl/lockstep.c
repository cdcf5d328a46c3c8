/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/lockstep_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- opening ---- */

static void find_pads(struct tsr_lockstep *l)
{
  uint32_t deepest = 0, widest = 0;
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++) {
    struct tsr__pad *pad = &l->pad[buffer];
    size_t bytes;
    if (!tsr__is_pad(buffer))
      continue;
    pad->expected = tsr_func_scratchpad(l->func, buffer, &bytes);
    pad->depth = (uint32_t)tsr_design_depth(&l->design, buffer);
    pad->entry = (uint32_t)tsr_design_dram_entry(&l->design, buffer);
    pad->writer = TSR_NEW_ARRAY(l->arena, uint32_t, pad->depth);
    deepest = pad->depth > deepest ? pad->depth : deepest;
    widest = pad->entry > widest ? pad->entry : widest;
  }
  l->found = tsr_arena_alloc(l->arena, widest);
  l->touched = TSR_NEW_ARRAY(l->arena, uint32_t, deepest);
}

enum tsr_status tsr_lockstep_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                                  const struct tsr_design *design, struct tsr_lockstep **out)
{
  struct tsr_func *func = tsr_func_new(allocator, design);
  struct tsr_arena *arena = func ? tsr_arena_new(allocator) : NULL;
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    tsr_func_free(func);
    return tsr_no_memory(err);
  }
  struct tsr_lockstep *l = TSR_NEW(arena, struct tsr_lockstep);
  l->arena = arena;
  l->design = *design;
  l->func = func;
  find_pads(l);
  *out = l;
  return TSR_OK;
}

void tsr_lockstep_close(struct tsr_lockstep *l)
{
  if (!l)
    return;
  tsr_resize(tsr_arena_allocator(l->arena), l->shadow, 0);
  tsr_func_free(l->func);
  tsr_arena_free(l->arena);
}

void tsr_lockstep_reset(struct tsr_lockstep *l)
{
  tsr_func_reset(l->func);
}

const struct tsr_lockstep_difference *tsr_lockstep_difference(const struct tsr_lockstep *l)
{
  return l->differs ? &l->difference : NULL;
}

/* ---- sentences ---- */

void tsr__say(struct tsr_lockstep *l, const char *format, ...)
{
  size_t length = strlen(l->text);
  va_list args;
  va_start(args, format);
  vsnprintf(l->text + length, sizeof l->text - length, format, args);
  va_end(args);
}

static bool decode(const struct tsr_lockstep *l, size_t index, struct tsr_insn *insn)
{
  return tsr_insn_decode(l->insns + index * TSR_INSN_BYTES, insn) == TSR_TRAP_NONE;
}

static void say_text(struct tsr_lockstep *l, const struct tsr_insn *insn)
{
  struct tsr_arena *arena = tsr_arena_new(tsr_arena_allocator(l->arena));
  if (!arena || setjmp(*tsr_arena_landing(arena)))
    tsr__say(l, "%s", tsr_opcode_name(insn->opcode));
  else
    tsr__say(l, "%.300s", tsr_insn_text(arena, insn));
  tsr_arena_free(arena);
}

/* "instruction 12 (gemm uops=0+9 ..., matrix)" */
void tsr__say_insn(struct tsr_lockstep *l, size_t index)
{
  struct tsr_insn insn;
  tsr__say(l, "instruction %zu", index);
  if (index >= l->insn_count || !decode(l, index, &insn))
    return;
  tsr__say(l, " (");
  say_text(l, &insn);
  tsr__say(l, ", %s)", tsr_engine_name(tsr_insn_engine(&insn)));
}

void tsr__differ(struct tsr_lockstep *l, size_t insn, int buffer)
{
  l->differs = true;
  l->difference = (struct tsr_lockstep_difference){.insn = insn, .buffer = buffer};
  l->text[0] = 0;
  if (insn < l->insn_count)
    tsr__say_insn(l, insn);
  else
    tsr__say(l, "at the end of the run");
  tsr__say(l, ": ");
}

/* ---- the order of starts and ends ---- */

/* It is not the turn of an instruction. */
static void differ_turn(struct tsr_lockstep *l, const struct tsr_run_event *event, size_t due)
{
  tsr__differ(l, event->insn, TSR_LOCKSTEP_ORDER);
  tsr__say(l, "%s by %s", event->ended ? "ended" : "started", tsr_engine_name(event->engine));
  if (due < l->insn_count)
    tsr__say(l, ", which is at instruction %zu", due);
  else
    tsr__say(l, ", which has none left");
}

static int engine_of(const struct tsr_lockstep *l, size_t index)
{
  struct tsr_insn insn;
  return decode(l, index, &insn) ? tsr_insn_engine(&insn) : TSR_ENGINE_FETCH;
}

/* The engine's first instruction from `from` on; insn_count: there is none. */
static size_t next_of(const struct tsr_lockstep *l, int engine, size_t from)
{
  while (from < l->insn_count && engine_of(l, from) != engine)
    from++;
  return from;
}

static void take_tokens(struct tsr_lockstep *l, size_t index, int engine, uint32_t wait)
{
  for (int from = 0; from < TSR_ENGINE_COUNT && !l->differs; from++) {
    if (!(wait >> from & 1))
      continue;
    if (l->tokens[from][engine]) {
      l->tokens[from][engine]--;
      continue;
    }
    tsr__differ(l, index, TSR_LOCKSTEP_ORDER);
    tsr__say(l, "started without a token from %s", tsr_engine_name(from));
  }
}

static void started(struct tsr_lockstep *l, const struct tsr_run_event *event)
{
  struct tsr__progress *p = &l->progress[event->engine];
  struct tsr_insn insn;
  size_t due = next_of(l, event->engine, p->started);
  if (event->insn != due || due == l->insn_count || !decode(l, due, &insn)) {
    differ_turn(l, event, due);
    return;
  }
  p->started = due + 1;
  take_tokens(l, due, event->engine, insn.wait);
}

/* ---- execution ---- */

static void execute(struct tsr_lockstep *l, size_t index, const struct tsr_insn *insn)
{
  struct tsr_func_result result;
  if (tsr_func_execute(l->func, index, insn, l->shadow, l->window_bytes, &result)) {
    tsr__differ(l, index, TSR_LOCKSTEP_ORDER);
    tsr__say(l, "ended, where the functional device stops (%s): %s",
             tsr_trap_name((int)result.trap), result.text);
    return;
  }
  tsr__compare(l, index, insn);
}

static void ended(struct tsr_lockstep *l, const struct tsr_run_event *event)
{
  struct tsr__progress *p = &l->progress[event->engine];
  struct tsr_insn insn;
  size_t due = next_of(l, event->engine, p->ended);
  if (event->insn != due || due >= p->started || !decode(l, due, &insn)) {
    differ_turn(l, event, due);
    return;
  }
  p->ended = due + 1;
  for (int to = 0; to < TSR_ENGINE_COUNT; to++)
    l->tokens[event->engine][to] += insn.signal >> to & 1;
  execute(l, due, &insn);
}

void tsr_lockstep_event(struct tsr_lockstep *l, const struct tsr_run_event *event)
{
  if (l->differs)
    return;
  if (event->ended)
    ended(l, event);
  else
    started(l, event);
}

/* ---- runs ---- */

enum tsr_status tsr_lockstep_begin(struct tsr_lockstep *l, struct tsr_rtl *rtl, struct tsr_err *err,
                                   const uint8_t *insns, size_t insn_count, const uint8_t *window,
                                   size_t window_bytes)
{
  if (window_bytes + 1 > l->shadow_bytes) {
    uint8_t *more = tsr_resize(tsr_arena_allocator(l->arena), l->shadow, window_bytes + 1);
    if (!more)
      return tsr_no_memory(err);
    l->shadow = more;
    l->shadow_bytes = window_bytes + 1;
  }
  memcpy(l->shadow, window, window_bytes);
  l->rtl = rtl;
  l->insns = insns;
  l->insn_count = insn_count;
  l->window = window;
  l->window_bytes = window_bytes;
  memset(l->progress, 0, sizeof l->progress);
  memset(l->tokens, 0, sizeof l->tokens);
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++)
    if (tsr__is_pad(buffer))
      memset(l->pad[buffer].writer, 0, l->pad[buffer].depth * sizeof(uint32_t));
  l->differs = false;
  return TSR_OK;
}

/* Every engine has come to its end, which is where FINISH stands. */
static void check_ends(struct tsr_lockstep *l, size_t finish)
{
  for (int e = 0; e < TSR_ENGINE_COUNT && !l->differs; e++) {
    size_t left = next_of(l, e, l->progress[e].ended);
    if (left >= finish)
      continue;
    tsr__differ(l, left, TSR_LOCKSTEP_ORDER);
    tsr__say(l, "has not ended, and the program has");
  }
}

/* A trap that the functional device can tell from the instruction alone. */
static void check_trap(struct tsr_lockstep *l, const struct tsr_run_result *result)
{
  struct tsr_func_result own = {.trap = TSR_TRAP_OPCODE}; /* behind the end */
  struct tsr_insn insn;
  if (result->trap < TSR_TRAP_OPCODE || result->trap > TSR_TRAP_ALIGN)
    return;
  if (result->insn < l->insn_count) {
    own.trap = tsr_insn_decode(l->insns + result->insn * TSR_INSN_BYTES, &insn);
    if (own.trap == TSR_TRAP_NONE)
      tsr_func_execute(l->func, result->insn, &insn, l->shadow, l->window_bytes, &own);
  }
  if (own.trap == result->trap)
    return;
  tsr__differ(l, result->insn, TSR_LOCKSTEP_ORDER);
  tsr__say(l, "trap %s where the functional device has %s", tsr_trap_name(result->trap),
           tsr_trap_name(own.trap));
  if (own.text[0])
    tsr__say(l, ": %s", own.text);
}

enum tsr_status tsr_lockstep_end(struct tsr_lockstep *l, struct tsr_err *err,
                                 const struct tsr_run_result *result)
{
  if (!l->differs && !result->timed_out) {
    if (result->trap != TSR_TRAP_NONE)
      check_trap(l, result);
    else
      check_ends(l, result->insn);
    if (!l->differs && result->trap == TSR_TRAP_NONE)
      tsr__compare_all(l);
  }
  if (!l->differs)
    return TSR_OK;
  tsr_refuse(err, "%s", l->text);
  if (err)
    err->status = TSR_MISMATCH;
  return TSR_MISMATCH;
}

enum tsr_status tsr_lockstep_run(struct tsr_lockstep *l, struct tsr_rtl *rtl, struct tsr_err *err,
                                 const uint8_t *insns, size_t insn_count, const uint8_t *window,
                                 size_t window_bytes, struct tsr_run_result *result)
{
  enum tsr_status status = tsr_lockstep_begin(l, rtl, err, insns, insn_count, window, window_bytes);
  if (!status)
    status = tsr_rtl_run(rtl, err, insns, insn_count, result);
  return status ? status : tsr_lockstep_end(l, err, result);
}
