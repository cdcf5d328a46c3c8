/* SPDX-License-Identifier: Apache-2.0 */
/* The machine around the engines: fetch, the order of execution, traps, counters.
 *
 * Fetch hands out one instruction when no engine can go on, so instructions run in program order as
 * far as their tokens allow, and the first trap in that order is the one reported. A word that does
 * not decode, and the end of a program that lacks FINISH, trap when fetch gets there. */
#include "hw/sim/func/func.h"

#include <stdio.h>
#include <string.h>

#include "hw/sim/func/gemm.h"
#include "hw/sim/func/state.h"
#include "hw/sim/func/tiles.h"
#include "hw/sim/func/vector.h"
#include "hw/sim/func/watch.h"
#include "verify/check.h"

/* One call of tsr_func_run(). */
struct run {
  struct tsr_func *func;
  const uint8_t *insns;
  size_t insn_count, next; /* next: where fetch stands */
  uint8_t *window;
  size_t window_bytes;
  struct tsr_func_result *result;
  struct tsr__watch *watch; /* NULL: nobody watches */
  bool finished;
};

/* What a step came to. */
enum step { STEP_DONE, STEP_BLOCKED, STEP_TRAPPED };

static size_t entry_bytes(const struct tsr_design *design, int buffer)
{
  return (size_t)tsr_design_depth(design, buffer) * (size_t)tsr_design_dram_entry(design, buffer);
}

static void allocate(struct tsr_func *func)
{
  struct tsr_arena *arena = func->arena;
  const struct tsr_design *design = &func->design;
  func->uop = tsr_arena_alloc(arena, entry_bytes(design, TSR_BUFFER_UOP));
  func->inp = tsr_arena_alloc(arena, entry_bytes(design, TSR_BUFFER_INP));
  func->wgt = tsr_arena_alloc(arena, entry_bytes(design, TSR_BUFFER_WGT));
  func->acc = tsr_arena_alloc(arena, entry_bytes(design, TSR_BUFFER_ACC));
  func->out = tsr_arena_alloc(arena, entry_bytes(design, TSR_BUFFER_OUT));
  func->lut = tsr_arena_alloc(arena, entry_bytes(design, TSR_BUFFER_LUT));
  tsr_order_init(arena, design, &func->order);
  func->tiles = tsr__tiles_new(arena, design);
  func->gemm = tsr__gemm_new(arena, design);
}

struct tsr_func *tsr_func_new(const struct tsr_allocator *allocator,
                              const struct tsr_design *design)
{
  struct tsr_arena *arena = tsr_arena_new(allocator);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return NULL;
  }
  struct tsr_func *func = TSR_NEW(arena, struct tsr_func);
  func->arena = arena;
  func->design = *design;
  allocate(func);
  func->path = tsr__best_path();
  tsr__tiles_layout(func);
  tsr_func_reset(func);
  return func;
}

void tsr_func_free(struct tsr_func *func)
{
  if (func)
    tsr_arena_free(func->arena);
}

void tsr_func_reset(struct tsr_func *func)
{
  const struct tsr_design *design = &func->design;
  memset(func->uop, 0, entry_bytes(design, TSR_BUFFER_UOP));
  memset(func->inp, 0, entry_bytes(design, TSR_BUFFER_INP));
  memset(func->wgt, 0, entry_bytes(design, TSR_BUFFER_WGT));
  memset(func->acc, 0, entry_bytes(design, TSR_BUFFER_ACC));
  memset(func->out, 0, entry_bytes(design, TSR_BUFFER_OUT));
  memset(func->lut, 0, entry_bytes(design, TSR_BUFFER_LUT));
  memset(&func->counters, 0, sizeof func->counters);
  tsr_order_start(&func->order);
  func->stale = true;
}

static enum step stop(struct tsr_func_result *result, enum tsr_trap trap, size_t insn, int engine)
{
  result->trap = trap;
  result->insn = insn;
  result->engine = engine;
  return STEP_TRAPPED;
}

/* Fetch at the instruction `next`: hand it out, end the program, or trap. */
static enum step fetch(struct run *run)
{
  struct tsr_func_result *result = run->result;
  if (run->next == run->insn_count) {
    snprintf(result->text, sizeof result->text,
             "instruction %zu: the program ends here without finish", run->next);
    return stop(result, TSR_TRAP_OPCODE, run->next, TSR_ENGINE_FETCH);
  }
  const uint8_t *word = run->insns + run->next * TSR_INSN_BYTES;
  struct tsr_insn insn;
  enum tsr_trap trap = tsr_insn_decode(word, &insn);
  if (trap != TSR_TRAP_NONE) {
    tsr_check_word(run->next, word, trap, result->text, sizeof result->text);
    return stop(result, trap, run->next, TSR_ENGINE_FETCH);
  }
  if (insn.opcode == TSR_OP_FINISH) {
    run->finished = tsr_order_idle(&run->func->order);
    return run->finished ? STEP_DONE : STEP_BLOCKED;
  }
  if (!tsr_order_push(&run->func->order, run->next, &insn))
    return STEP_BLOCKED;
  run->next++;
  return STEP_DONE;
}

static void execute_loop(struct tsr_func *func, const struct tsr_insn *insn)
{
  const struct tsr_design *d = &func->design;
  uint64_t points = tsr_check_loop_points(insn);
  bool gemm = insn->opcode == TSR_OP_GEMM;
  if (func->path == TSR__REFERENCE)
    tsr__reference(func, insn);
  else if (gemm)
    tsr__gemm(func, insn);
  else
    tsr__vector(func, insn);
  if (!gemm && insn->loop.dst == TSR_DST_INP)
    tsr__tiles_inp_written(func, insn);
  if (gemm)
    func->counters.macs += points * (uint64_t)(d->batch * d->block_in * d->block_out);
  else
    func->counters.vector_ops += points;
}

/* Whether the instruction traps, told before it does anything. */
static enum tsr_trap check(const struct tsr_func *func, size_t index, const struct tsr_insn *insn,
                           size_t window_bytes, struct tsr_func_result *result)
{
  enum tsr_trap trap = tsr_check_insn(&func->design, index, insn, func->uop, window_bytes,
                                      result->text, sizeof result->text);
  if (trap != TSR_TRAP_NONE)
    stop(result, trap, index, tsr_insn_engine(insn));
  return trap;
}

static void perform(struct tsr_func *func, const struct tsr_insn *insn, uint8_t *window)
{
  enum tsr_format format = tsr_opcode_format(insn->opcode);
  if (insn->opcode == TSR_OP_LOAD)
    tsr__load(func, insn, window);
  else if (insn->opcode == TSR_OP_STORE)
    tsr__store(func, insn, window);
  else if (format == TSR_FORMAT_LOOP)
    execute_loop(func, insn);
}

static enum step execute(struct run *run, int engine)
{
  struct tsr_func *func = run->func;
  const struct tsr_order_entry *entry = tsr_order_begin(&func->order, engine);
  if (check(func, entry->index, &entry->insn, run->window_bytes, run->result))
    return STEP_TRAPPED;
  if (run->watch)
    tsr__watch_insn(run->watch, entry);
  perform(func, &entry->insn, run->window);
  tsr_order_end(&func->order, engine);
  return STEP_DONE;
}

enum tsr_trap tsr_func_execute(struct tsr_func *func, size_t index, const struct tsr_insn *insn,
                               uint8_t *window, size_t window_bytes, struct tsr_func_result *result)
{
  int engine = tsr_insn_engine(insn);
  memset(result, 0, sizeof *result);
  result->insn = index;
  result->engine = engine;
  if (check(func, index, insn, window_bytes, result))
    return result->trap;
  perform(func, insn, window);
  if (engine < TSR_ENGINE_COUNT)
    func->counters.insns[engine]++;
  return TSR_TRAP_NONE;
}

static enum step deadlock(struct run *run)
{
  const struct tsr_order *order = &run->func->order;
  int engine;
  size_t insn = tsr_order_stuck(order, &engine);
  bool finish = run->insns[run->next * TSR_INSN_BYTES] == TSR_OP_FINISH;
  tsr_order_explain(order, run->next, finish, run->result->text, sizeof run->result->text);
  return stop(run->result, TSR_TRAP_DEADLOCK, insn, engine);
}

/* The one place that picks among fetch and the engines that could go on. */
static enum step step(struct run *run)
{
  struct tsr_order *order = &run->func->order;
  if (run->watch && tsr__watch_fetches(run->watch)) {
    enum step done = fetch(run);
    if (done != STEP_BLOCKED)
      return done;
  }
  uint32_t ready = tsr_order_ready(order);
  if (ready)
    return execute(run, run->watch ? tsr__watch_pick(run->watch, ready)
                                   : tsr_order_oldest(order, ready));
  enum step done = fetch(run);
  return done == STEP_BLOCKED ? deadlock(run) : done;
}

enum tsr_trap tsr__func_watched(struct tsr_func *func, const uint8_t *insns, size_t insn_count,
                                uint8_t *window, size_t window_bytes,
                                struct tsr_func_result *result, struct tsr__watch *watch)
{
  struct run run = {func, insns, insn_count, 0, window, window_bytes, result, watch, false};
  memset(result, 0, sizeof *result);
  tsr_order_start(&func->order);
  func->stale |= func->exposed;
  while (!run.finished && step(&run) == STEP_DONE)
    ;
  if (run.finished) {
    result->insn = run.next;
    result->engine = TSR_ENGINE_FETCH;
  }
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    func->counters.insns[e] += func->order.retired[e];
  return result->trap;
}

enum tsr_trap tsr_func_run(struct tsr_func *func, const uint8_t *insns, size_t insn_count,
                           uint8_t *window, size_t window_bytes, struct tsr_func_result *result)
{
  return tsr__func_watched(func, insns, insn_count, window, window_bytes, result, NULL);
}

const struct tsr_func_counters *tsr_func_counters(const struct tsr_func *func)
{
  return &func->counters;
}

void *tsr_func_scratchpad(struct tsr_func *func, int buffer, size_t *bytes)
{
  void *const pads[TSR_BUFFER_COUNT] = {
      [TSR_BUFFER_UOP] = func->uop, [TSR_BUFFER_INP] = func->inp,  [TSR_BUFFER_WGT] = func->wgt,
      [TSR_BUFFER_ACC] = func->acc, [TSR_BUFFER_ACC8] = func->acc, [TSR_BUFFER_OUT] = func->out,
      [TSR_BUFFER_LUT] = func->lut};
  int same = buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : buffer;
  func->exposed |= buffer == TSR_BUFFER_INP || buffer == TSR_BUFFER_WGT;
  *bytes = entry_bytes(&func->design, same);
  return pads[buffer];
}

enum tsr__path tsr__func_limit(struct tsr_func *func, enum tsr__path path)
{
  enum tsr__path best = tsr__best_path();
  func->path = path < best ? path : best;
  tsr__tiles_layout(func);
  return func->path;
}
