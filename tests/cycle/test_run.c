/* SPDX-License-Identifier: Apache-2.0 */
/* What the cycle model tells of a run hangs together; whether it is the RTL's is seen in tests/rtl. */
#include "hw/sim/cycle/cycle.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/base/counting.h"
#include "tests/isa/random.h"
#include "tests/programs/generate.h"

enum { SEEDS = 40, MOST_INSNS = 400 };

struct bench {
  struct tsr_arena *arena;
  struct tsr_design design;
  struct generated g;
  uint8_t *window;
};

static struct bench bench_of(const char *point, uint64_t seed)
{
  struct bench b = {.arena = tsr_arena_new(NULL)};
  struct tsr_err err;
  assert_non_null(b.arena);
  assert_int_equal(tsr_design_parse(&err, point, tsr_design_json(point), &b.design), TSR_OK);
  generate(b.arena, &b.design, seed, DEFECT_NONE, &b.g);
  b.window = tsr_arena_alloc(b.arena, b.g.program.window_bytes + 1);
  return b;
}

static void refill(struct bench *b)
{
  memset(b->window, 0, b->g.program.window_bytes);
  memcpy(b->window, b->g.program.data, b->g.program.data_bytes);
}

static struct tsr_cycle *open_on(struct bench *b, const struct tsr_cycle_options *options)
{
  struct tsr_cycle *cycle;
  struct tsr_err err;
  refill(b);
  assert_int_equal(
      tsr_cycle_open(NULL, &err, &b->design, options, b->window, b->g.program.window_bytes, &cycle),
      TSR_OK);
  return cycle;
}

static struct tsr_run_result run_with(struct bench *b, const struct tsr_cycle_options *options)
{
  struct tsr_run_result result;
  struct tsr_cycle *cycle = open_on(b, options);
  tsr_cycle_run(cycle, b->g.program.insns, b->g.program.insn_count, &result);
  tsr_cycle_close(cycle);
  return result;
}

static void same_result(const struct tsr_run_result *a, const struct tsr_run_result *b)
{
  assert_true(a->trap == b->trap && a->insn == b->insn && a->engine == b->engine);
  assert_memory_equal(a->counters, b->counters, sizeof a->counters);
}

/* --- steps, modes, again ---------------------------------------------------------------------- */

static struct tsr_run_result run_in_steps(struct bench *b, const struct tsr_cycle_options *options,
                                          uint64_t seed)
{
  struct tsr_run_result result;
  struct tsr_cycle *cycle = open_on(b, options);
  tsr_cycle_start(cycle, b->g.program.insns, b->g.program.insn_count);
  for (uint64_t to = 0; !tsr_cycle_ended(cycle); to += 1 + random_below(&seed, 3))
    assert_true(tsr_cycle_advance(cycle, to) > to || tsr_cycle_ended(cycle));
  tsr_cycle_result(cycle, &result);
  tsr_cycle_close(cycle);
  return result;
}

static void steps_of_any_length_give_the_same(void **state)
{
  (void)state;
  for (const char *const *point = tsr_design_names(); *point; point++)
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      struct bench b = bench_of(*point, seed);
      struct tsr_cycle_options o = tsr_cycle_defaults(&b.design);
      o.dram.seed = seed;
      o.dram.stall = seed % 2 ? 60 : 0;
      struct tsr_run_result whole = run_with(&b, &o), steps = run_in_steps(&b, &o, seed);
      same_result(&whole, &steps);
      assert_int_equal(whole.trap, TSR_TRAP_NONE);
      tsr_arena_free(b.arena);
    }
}

static void time_does_not_need_the_arithmetic(void **state)
{
  (void)state;
  for (const char *const *point = tsr_design_names(); *point; point++)
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      struct bench b = bench_of(*point, seed);
      struct tsr_cycle_options o = tsr_cycle_defaults(&b.design);
      struct tsr_run_result full = run_with(&b, &o);
      o.timing_only = true;
      struct tsr_run_result timing = run_with(&b, &o);
      same_result(&full, &timing);
      tsr_arena_free(b.arena);
    }
}

static void a_second_run_is_like_the_first(void **state)
{
  (void)state;
  struct bench b = bench_of("default", 7);
  struct tsr_cycle_options o = tsr_cycle_defaults(&b.design);
  struct tsr_cycle *cycle = open_on(&b, &o);
  struct tsr_run_result first, second;
  tsr_cycle_run(cycle, b.g.program.insns, b.g.program.insn_count, &first);
  tsr_cycle_reset(cycle);
  refill(&b);
  tsr_cycle_run(cycle, b.g.program.insns, b.g.program.insn_count, &second);
  same_result(&first, &second);
  tsr_cycle_close(cycle);
  tsr_arena_free(b.arena);
}

/* --- what observers see ----------------------------------------------------------------------- */

struct seen {
  const struct tsr_design *design;
  uint64_t next[TSR_ENGINE_COUNT + 1];                        /* first cycle of the next span */
  uint64_t spent[TSR_ENGINE_COUNT + 1][TSR_STATE_FINISH + 1]; /* cycles */
  uint64_t insns[TSR_ENGINE_COUNT];
  uint64_t read_beats[2], write_beats, last_burst[3];
  struct tsr_run_event starts[MOST_INSNS], ends[MOST_INSNS];
  int tokens[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT];
};

static void on_span(void *context, const struct tsr_cycle_span *span)
{
  struct seen *s = context;
  bool waits = span->state == TSR_STATE_TOKEN || span->state == TSR_STATE_LOCK ||
               span->state == TSR_STATE_SIGNAL || span->state == TSR_STATE_QUEUE;
  assert_true(span->first == s->next[span->engine] && span->last >= span->first);
  assert_true(!waits || span->others);
  s->next[span->engine] = span->last + 1;
  s->spent[span->engine][span->state] += span->last - span->first + 1;
}

static void on_insn(void *context, const struct tsr_cycle_insn *insn)
{
  struct seen *s = context;
  assert_true(insn->queued <= insn->start && insn->start <= insn->granted);
  assert_true(insn->granted <= insn->end && insn->end < insn->retired);
  assert_true(s->starts[insn->insn].cycle == insn->start && s->ends[insn->insn].cycle == insn->end);
  s->insns[insn->engine]++;
}

static void on_event(void *context, const struct tsr_run_event *event)
{
  struct seen *s = context;
  assert_true(event->insn < MOST_INSNS);
  *(event->ended ? &s->ends[event->insn] : &s->starts[event->insn]) = *event;
}

static void on_burst(void *context, const struct tsr_cycle_burst *b)
{
  struct seen *s = context;
  int kind = b->write ? 2 : b->id;
  assert_true(b->beats > 0 && b->beats <= s->design->axi_burst_beats);
  assert_true(b->first > b->accepted || (b->write && b->first == b->accepted));
  assert_true(b->last >= b->first + (uint64_t)b->beats - 1 && b->first > s->last_burst[kind]);
  s->last_burst[kind] = b->last;
  *(b->write ? &s->write_beats : &s->read_beats[b->id]) += (uint64_t)b->beats;
}

static void on_tokens(void *context, uint64_t cycle, int from, int to, int count)
{
  struct seen *s = context;
  assert_true(cycle > 0 && count >= 0 && count <= s->design->token_depth);
  assert_true(abs(count - s->tokens[from][to]) == 1);
  s->tokens[from][to] = count;
}

static void check_seen(const struct seen *s, const struct tsr_run_result *r)
{
  uint64_t beat = (uint64_t)tsr_design_beat(s->design);
  static const int insns[] = {TSR_COUNTER_LOAD_INSNS, TSR_COUNTER_MATRIX_INSNS,
                              TSR_COUNTER_VECTOR_INSNS, TSR_COUNTER_STORE_INSNS};
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++)
    assert_true(s->next[e] == r->counters[TSR_COUNTER_CYCLES] + 1);
  for (int k = 0; k < TSR_COUNTER_COUNT; k++)
    if (tsr_counter_engine(k) >= 0) {
      int state = 0;
      while (strcmp(tsr_state_name(state), tsr_counter_name(k)))
        state++;
      assert_true(s->spent[tsr_counter_engine(k)][state] == r->counters[k]);
    }
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    assert_true(s->insns[e] == r->counters[insns[e]]);
  assert_true(s->read_beats[0] * beat == r->counters[TSR_COUNTER_FETCH_BYTES]);
  assert_true(s->read_beats[1] * beat >= r->counters[TSR_COUNTER_READ_BYTES]);
  assert_true(s->write_beats * beat == r->counters[TSR_COUNTER_WRITE_BYTES]);
}

static void observers_see_what_the_counters_say(void **state)
{
  (void)state;
  for (const char *const *point = tsr_design_names(); *point; point++)
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      struct bench b = bench_of(*point, seed);
      struct seen seen = {.design = &b.design};
      struct tsr_cycle_options o = tsr_cycle_defaults(&b.design);
      o.dram.seed = seed;
      o.dram.stall = seed % 3 ? 0 : 40;
      o.event = on_event;
      o.insn = on_insn;
      o.span = on_span;
      o.burst = on_burst;
      o.tokens = on_tokens;
      o.context = &seen;
      for (int e = 0; e <= TSR_ENGINE_FETCH; e++)
        seen.next[e] = 1;
      struct tsr_run_result r = run_with(&b, &o);
      assert_int_equal(r.trap, TSR_TRAP_NONE);
      check_seen(&seen, &r);
      tsr_arena_free(b.arena);
    }
}

/* --- ends ------------------------------------------------------------------------------------- */

static struct tsr_program assembled(struct tsr_arena *arena, const char *text)
{
  struct tsr_program program;
  struct tsr_err err = {0};
  if (tsr_assemble(arena, &err, "test", text, &program))
    fail_msg("%s", err.text);
  return program;
}

/* A text run at `default`, whose window is of zeros. */
static struct tsr_run_result run_text(const char *text, uint64_t timeout, uint64_t *events)
{
  static uint8_t window[1 << 17];
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_design design;
  struct tsr_err err;
  struct tsr_cycle *cycle;
  struct tsr_run_result result;
  assert_int_equal(tsr_design_parse(&err, "default", tsr_design_json("default"), &design), TSR_OK);
  struct tsr_program p = assembled(arena, text);
  struct tsr_cycle_options o = tsr_cycle_defaults(&design);
  o.timeout_cycles = timeout;
  memset(window, 0, sizeof window);
  assert_int_equal(tsr_cycle_open(NULL, &err, &design, &o, window, sizeof window, &cycle), TSR_OK);
  tsr_cycle_run(cycle, p.insns, p.insn_count, &result);
  if (events)
    *events = tsr_cycle_events(cycle);
  tsr_cycle_close(cycle);
  tsr_arena_free(arena);
  return result;
}

static void a_deadlock_names_who_waits_for_what(void **state)
{
  (void)state;
  struct tsr_run_result r = run_text("sync matrix wait=vector\n"
                                     "sync vector wait=matrix\n"
                                     "finish\n",
                                     0, NULL);
  assert_int_equal(r.trap, TSR_TRAP_DEADLOCK);
  assert_int_equal(r.insn, 0);
  assert_string_equal(
      r.text, "no engine can go on; matrix waits at instruction 0 (sync), for a token from "
              "vector; vector waits at instruction 1 (sync), for a token from matrix; fetch "
              "waits at instruction 2, for every engine to be idle (finish)");
}

static void a_trap_is_told_in_the_checkers_words(void **state)
{
  (void)state;
  struct tsr_run_result r = run_text("load inp sram=2047 dram=0 n=2,1,1\nfinish\n", 0, NULL);
  assert_int_equal(r.trap, TSR_TRAP_INDEX);
  assert_string_equal(r.text,
                      "instruction 0 (load, load): inp entries 2047 to 2048; the scratchpad "
                      "has 2048 entries");
}

static void a_timeout_counts_its_cycles(void **state)
{
  (void)state;
  const char *text = "load uop sram=0 dram=0 n=1,1,1 signal=vector\n"
                     "add uops=0+1 n=1,1,50000 banks=0 wait=load\n"
                     "finish\n";
  struct tsr_run_result r = run_text(text, 777, NULL);
  uint64_t sum = 0;
  assert_true(r.timed_out && r.trap == TSR_TRAP_NONE);
  for (int k = 0; k < TSR_COUNTER_COUNT; k++)
    sum += tsr_counter_engine(k) == TSR_ENGINE_VECTOR ? r.counters[k] : 0;
  assert_true(r.counters[TSR_COUNTER_CYCLES] == 777 && sum == 777);
  assert_non_null(
      strstr(r.text, "has not ended after 777 cycles; vector is at instruction 1 (add)"));
}

/* --- work ------------------------------------------------------------------------------------- */

static void a_long_instruction_costs_what_a_short_one_does(void **state)
{
  (void)state;
  uint64_t events[2], cycles[2];
  static const char *const texts[] = {
      "load uop sram=0 dram=0 n=1,1,1 signal=matrix\ngemm uops=0+1 n=1,1,10 banks=0 "
      "wait=load\nfinish\n",
      "load uop sram=0 dram=0 n=1,1,1 signal=matrix\ngemm uops=0+1 n=100,10,10 banks=0 wait=load\n"
      "finish\n"};
  for (int k = 0; k < 2; k++)
    cycles[k] = run_text(texts[k], 0, &events[k]).counters[TSR_COUNTER_CYCLES];
  assert_true(cycles[1] == cycles[0] + 10000 - 10);
  assert_true(events[0] == events[1]);
}

/* --- what cannot be opened -------------------------------------------------------------------- */

static void every_allocation_may_fail(void **state)
{
  (void)state;
  struct bench b = bench_of("tiny", 1);
  struct tsr_cycle_options o = tsr_cycle_defaults(&b.design);
  enum tsr_status status = TSR_NO_MEMORY;
  int n;
  for (n = 0; status != TSR_OK; n++) {
    struct counting c;
    counting_once(&c, n);
    struct tsr_cycle *cycle = NULL;
    struct tsr_err err;
    status = tsr_cycle_open(&c.allocator, &err, &b.design, &o, b.window, 1, &cycle);
    if (status == TSR_OK)
      tsr_cycle_close(cycle);
    else
      assert_int_equal(status, TSR_NO_MEMORY);
    assert_int_equal(c.live, 0);
  }
  assert_true(n > 3);
  tsr_arena_free(b.arena);
}

static void an_impossible_memory_is_refused(void **state)
{
  (void)state;
  struct bench b = bench_of("tiny", 1);
  struct tsr_cycle_options o = tsr_cycle_defaults(&b.design);
  struct tsr_cycle *cycle = NULL;
  struct tsr_err err;
  o.dram.model = TSR_MEMORY_SIMPLE;
  o.dram.bytes_per_cycle = 0;
  assert_int_equal(tsr_cycle_open(NULL, &err, &b.design, &o, b.window, 1, &cycle), TSR_REFUSED);
  assert_string_equal(err.text, "memory: bytes_per_cycle is 0, outside of 1 to 4096");
  assert_null(cycle);
  tsr_arena_free(b.arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_of_any_length_give_the_same),
      cmocka_unit_test(time_does_not_need_the_arithmetic),
      cmocka_unit_test(a_second_run_is_like_the_first),
      cmocka_unit_test(observers_see_what_the_counters_say),
      cmocka_unit_test(a_deadlock_names_who_waits_for_what),
      cmocka_unit_test(a_trap_is_told_in_the_checkers_words),
      cmocka_unit_test(a_timeout_counts_its_cycles),
      cmocka_unit_test(a_long_instruction_costs_what_a_short_one_does),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(an_impossible_memory_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
