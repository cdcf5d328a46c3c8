/* SPDX-License-Identifier: Apache-2.0 */
/* The graph of a run: as long as the run was, its path, and what it says would be otherwise. */
#include "runtime/profile/graph.h"

#include "tests/profile/subject.h"
#include "tests/programs/generate.h"

static const struct tsr_scenario as_it_was;

struct sum {
  uint64_t cycles, of[TSR_ENGINE_COUNT + 1][TSR_CAUSES];
};

static void add_step(void *context, const struct tsr_path_step *step)
{
  struct sum *sum = context;
  assert_in_range(step->engine, 0, TSR_ENGINE_COUNT);
  sum->cycles += step->cycles;
  sum->of[step->engine][step->cause] += step->cycles;
}

static struct tsr_graph *chain(struct subject *s, const char *config, int entries)
{
  subject_chain(s, config, entries, (size_t[]){7, 0});
  subject_run(s);
  assert_int_equal(s->record.runs, 1);
  return tsr_graph_build(s->arena, &s->record, &s->record.run[0]);
}

/* Nothing overlaps in a chain, so that all of its work is on the path: 200 products, 200 points,
 * and the beats of 200 entries each way. */
static void test_chain(void **state)
{
  (void)state;
  struct subject s;
  struct sum sum = {0};
  struct tsr_graph *g = chain(&s, "default", 200);
  uint64_t cycles = s.record.run[0].cycles;
  assert_int_equal(tsr_graph_cycles(g, &as_it_was), cycles);
  tsr_graph_path(g, add_step, &sum);
  assert_int_equal(sum.cycles, cycles);
  assert_in_range(sum.of[TSR_ENGINE_MATRIX][TSR_CAUSE_WORK], 200, 212);
  assert_in_range(sum.of[TSR_ENGINE_VECTOR][TSR_CAUSE_WORK], 200, 212);
  assert_int_equal(sum.of[TSR_ENGINE_MATRIX][TSR_CAUSE_TOKEN], 1);
  assert_int_equal(sum.of[TSR_ENGINE_VECTOR][TSR_CAUSE_TOKEN], 1);
  assert_int_equal(sum.of[TSR_ENGINE_STORE][TSR_CAUSE_TOKEN], 1);
  assert_true(tsr_graph_rests(g) < 20);
  subject_close(&s);
}

static uint64_t saved(struct tsr_graph *g, uint64_t cycles, struct tsr_scenario scenario)
{
  uint64_t now = tsr_graph_cycles(g, &scenario);
  assert_true(now <= cycles);
  return cycles - now;
}

/* What each question saves of a chain can be counted by hand. */
static void test_questions(void **state)
{
  (void)state;
  struct subject s;
  struct tsr_graph *g = chain(&s, "default", 200);
  uint64_t cycles = s.record.run[0].cycles;
  assert_int_equal(saved(g, cycles, (struct tsr_scenario){.matrix = 2}), 100);
  assert_int_equal(saved(g, cycles, (struct tsr_scenario){.vector = 2}), 100);
  assert_int_equal(saved(g, cycles, (struct tsr_scenario){.matrix = 4}), 150);
  assert_int_equal(saved(g, cycles, (struct tsr_scenario){.free_tokens = true}), 3);
  assert_int_equal(saved(g, cycles, (struct tsr_scenario){.free_locks = true}), 0);
  assert_int_equal(saved(g, cycles, (struct tsr_scenario){.pins = 2}), 0);
  /* 64-bit beats: the weights have 32, 200 entries 400 each way, the parameters 24. */
  assert_int_equal(saved(g, cycles, (struct tsr_scenario){.bus = 2}), 428);
  /* Without tokens products, points and the beats of STORE, 800 cycles, and their starts are beside
   * the beats of LOAD. */
  assert_in_range(saved(g, cycles, (struct tsr_scenario){.free_order = true}), 800, 850);
  assert_int_equal(tsr_graph_cycles(g, &as_it_was), cycles);
  subject_close(&s);
}

/* The estimate for a wider memory is that of a run with one, within 2 %. */
static void test_wider_memory(void **state)
{
  (void)state;
  struct subject narrow, wide;
  struct tsr_graph *g = chain(&narrow, "tests/profile/narrow.json", 300);
  struct tsr_scenario twice = {.pins = 2}, at_once = {.no_latency = true};
  chain(&wide, "tests/profile/wide.json", 300);
  uint64_t cycles = narrow.record.run[0].cycles, really = wide.record.run[0].cycles;
  uint64_t guess = tsr_graph_cycles(g, &twice);
  assert_int_equal(tsr_graph_cycles(g, &as_it_was), cycles);
  assert_true(really < cycles && guess < cycles);
  assert_in_range(guess, really * 98 / 100, really * 102 / 100);
  /* At the least the first instruction and the last operand waited for it, 20 cycles each. */
  assert_in_range(cycles - tsr_graph_cycles(g, &at_once), 40, 60);
  subject_close(&narrow);
  subject_close(&wide);
}

/* Two engines that want one lock: without locks the later need not wait. */
static void test_locks(void **state)
{
  (void)state;
  static const char text[] =
      "load uop sram=0 dram=0 n=2 signal=matrix,vector\n"
      "gemm uops=0+1 n=1,1,400 dst=0,0,1 banks=0 wait=load\n"
      "mov uops=1+1 n=1,1,400 dst=0,0,1 banks=0 wait=load\n"
      "finish\n.window 0x1000\n.data\n.uop 0,0,0,overwrite\n.uop 512,512,0\n";
  struct subject s;
  struct sum sum = {0};
  subject_assemble(&s, "default", text, (size_t[]){3, 0});
  subject_run(&s);
  struct tsr_graph *g = tsr_graph_build(s.arena, &s.record, &s.record.run[0]);
  uint64_t cycles = s.record.run[0].cycles;
  tsr_graph_path(g, add_step, &sum);
  assert_int_equal(
      sum.of[TSR_ENGINE_MATRIX][TSR_CAUSE_LOCK] + sum.of[TSR_ENGINE_VECTOR][TSR_CAUSE_LOCK], 1);
  assert_in_range(saved(g, cycles, (struct tsr_scenario){.free_locks = true}), 395, 415);
  subject_close(&s);
}

static void check_random(const char *config, uint64_t seed)
{
  struct tsr_err err;
  struct tsr_design design;
  struct generated made;
  struct subject s = {.arena = tsr_arena_new(NULL)};
  struct sum sum = {0};
  assert_int_equal(tsr_design_open(s.arena, &err, config, &design), TSR_OK);
  generate(s.arena, &design, seed, DEFECT_NONE, &made);
  subject_open(&s, &design, &made.program, (size_t[]){made.program.insn_count - 1, 0});
  subject_run(&s);
  struct tsr_graph *g = tsr_graph_build(s.arena, &s.record, &s.record.run[0]);
  uint64_t cycles = s.record.run[0].cycles;
  if (tsr_graph_cycles(g, &as_it_was) != cycles)
    fail_msg("seed %d: the graph has another length than the run", (int)seed);
  tsr_graph_path(g, add_step, &sum);
  assert_int_equal(sum.cycles, cycles);
  const struct tsr_scenario scenarios[] = {
      {.pins = 2},          {.bus = 2},           {.matrix = 2},
      {.vector = 2},        {.no_latency = true}, {.free_tokens = true},
      {.free_locks = true}, {.free_fetch = true}, {.free_order = true}};
  /* Who comes first at the pins may change for the worse. */
  uint64_t most = design.memory.model == TSR_MEMORY_IDEAL ? cycles : cycles + cycles / 20;
  for (size_t k = 0; k < sizeof scenarios / sizeof scenarios[0]; k++)
    assert_true(tsr_graph_cycles(g, &scenarios[k]) <= most);
  /* The rules explain nearly everything. */
  if (tsr_graph_rests(g) > 40 + cycles / 25)
    fail_msg("seed %d: %d cycles of rests in %d", (int)seed, (int)tsr_graph_rests(g), (int)cycles);
  if (tsr_graph_excess(g) > 5)
    fail_msg("seed %d: %d cycles too much in %d", (int)seed, (int)tsr_graph_excess(g), (int)cycles);
  subject_close(&s);
}

static void test_random_programs(void **state)
{
  static const char *const points[] = {"default",
                                       "tiny",
                                       "ecp5",
                                       "wide",
                                       "batch2",
                                       "tests/profile/narrow.json",
                                       "tests/profile/limited.json"};
  (void)state;
  for (uint64_t seed = 1; seed <= 120; seed++)
    check_random(points[seed % (sizeof points / sizeof points[0])], seed);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chain),           cmocka_unit_test(test_questions),
      cmocka_unit_test(test_wider_memory),    cmocka_unit_test(test_locks),
      cmocka_unit_test(test_random_programs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
