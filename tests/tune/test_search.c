/* SPDX-License-Identifier: Apache-2.0 */
/* The search over made-up candidates: what is measured, what never is, and which is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "compiler/tune/tune.h"

enum { MOST = 4096 };

/* Candidates, the cycles that each takes (0: cannot be used), and how often each was measured. */
struct world {
  struct tsr_arena *arena;
  size_t count;
  struct tsr_tune_candidate candidate[MOST];
  uint64_t cycles[MOST];
  int measured[MOST];
  int total;
  uint64_t work; /* of each measurement */
};

static bool measure(void *context, size_t k, struct tsr_tune_measured *out)
{
  struct world *w = context;
  w->measured[k]++;
  w->total++;
  *out = (struct tsr_tune_measured){w->cycles[k], w->candidate[k].bytes, w->work};
  return w->cycles[k] != 0;
}

static struct tsr_tune_found search(struct world *w, enum tsr_tune_effort effort)
{
  memset(w->measured, 0, sizeof w->measured);
  w->total = 0;
  return tsr_tune_search(w->arena, w->candidate, w->count, effort, measure, w);
}

static int setup(void **state)
{
  static struct world w;
  memset(&w, 0, sizeof w);
  w.arena = tsr_arena_new(NULL);
  *state = &w;
  return 0;
}

static int teardown(void **state)
{
  struct world *w = *state;
  tsr_arena_free(w->arena);
  return 0;
}

/* An estimate that misleads: the fewest cycles are where it is largest. */
static void mislead(struct world *w, size_t count)
{
  w->count = count;
  for (size_t k = 0; k < count; k++) {
    w->cycles[k] = 2000000 - 100 * k;
    w->candidate[k] = (struct tsr_tune_candidate){.bound = 100, .estimate = 1000 + k};
    w->candidate[k].at[0] = (int16_t)k;
  }
}

static void none_takes_the_estimate(void **state)
{
  struct world *w = *state;
  mislead(w, 100);
  w->candidate[40].estimate = 3;
  struct tsr_tune_found f = search(w, TSR_TUNE_NONE);
  assert_int_equal(f.best, 40);
  assert_int_equal(f.cycles, 0);
  assert_int_equal(w->total, 0);
}

static void all_finds_the_best(void **state)
{
  struct world *w = *state;
  mislead(w, MOST);
  struct tsr_tune_found f = search(w, TSR_TUNE_ALL);
  assert_int_equal(f.best, MOST - 1);
  assert_int_equal(f.cycles, w->cycles[MOST - 1]);
  assert_int_equal(f.measured, MOST);
}

/* More effort measures more, and each at most once. */
static void effort_is_a_limit(void **state)
{
  struct world *w = *state;
  int before = 0;
  mislead(w, MOST);
  for (int effort = TSR_TUNE_SOME; effort <= TSR_TUNE_ALL; effort++) {
    struct tsr_tune_found f = search(w, (enum tsr_tune_effort)effort);
    assert_int_equal(f.measured, w->total);
    assert_true(w->total > before && (effort == TSR_TUNE_ALL || w->total < MOST));
    before = w->total;
    for (size_t k = 0; k < w->count; k++)
      assert_true(w->measured[k] <= 1);
  }
}

/* Large programs: few are measured, but some. */
static void work_is_a_limit(void **state)
{
  struct world *w = *state;
  mislead(w, MOST);
  int small = (int)search(w, TSR_TUNE_SOME).measured;
  w->work = 10000;
  int large = (int)search(w, TSR_TUNE_SOME).measured;
  w->work = UINT32_MAX;
  int huge = (int)search(w, TSR_TUNE_SOME).measured;
  assert_true(small > large && large > huge && huge > 1);
  assert_int_equal(search(w, TSR_TUNE_ALL).measured, MOST);
}

static void hopeless_is_never_measured(void **state)
{
  struct world *w = *state;
  mislead(w, 1000);
  w->cycles[0] = 500;
  for (size_t k = 1; k < w->count; k++)
    w->candidate[k].bound = k % 2 ? 500 : 499;
  struct tsr_tune_found f = search(w, TSR_TUNE_ALL);
  assert_int_equal(f.best, 0);
  assert_int_equal(f.pruned, 500);
  for (size_t k = 1; k < w->count; k++)
    assert_int_equal(w->measured[k], k % 2 ? 0 : 1);
}

/* Beside the best by estimate there is a better one, which the estimate puts last. */
static void neighbours_are_tried(void **state)
{
  struct world *w = *state;
  mislead(w, MOST);
  for (size_t k = 0; k < w->count; k++) {
    w->cycles[k] = 2000000 + k;
    w->candidate[k].at[1] = (int16_t)k;
  }
  w->candidate[MOST - 1].at[1] = w->candidate[0].at[1];
  w->cycles[MOST - 1] = 1000;
  assert_int_equal(search(w, TSR_TUNE_SOME).best, MOST - 1);
}

static void what_cannot_be_used_is_not_taken(void **state)
{
  struct world *w = *state;
  mislead(w, 3);
  w->cycles[2] = 0;
  assert_int_equal(search(w, TSR_TUNE_ALL).best, 1);
  memset(w->cycles, 0, sizeof w->cycles);
  struct tsr_tune_found f = search(w, TSR_TUNE_ALL);
  assert_int_equal(f.best, 0);
  assert_int_equal(f.cycles, 0);
}

static void few_cycles_are_worth_many_bytes(void **state)
{
  struct world *w = *state;
  mislead(w, 2);
  w->cycles[0] = 1000000;
  w->cycles[1] = 999990;
  w->candidate[1].bytes = 1 << 20;
  assert_int_equal(search(w, TSR_TUNE_ALL).best, 0);
  w->cycles[1] = 1000000 - (1 << 17) - 1;
  assert_int_equal(search(w, TSR_TUNE_ALL).best, 1);
  w->cycles[1]++;
  assert_int_equal(search(w, TSR_TUNE_ALL).best, 0);
  assert_int_equal(tsr_tune_cost(5, 16), 7);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(none_takes_the_estimate, setup, teardown),
      cmocka_unit_test_setup_teardown(all_finds_the_best, setup, teardown),
      cmocka_unit_test_setup_teardown(effort_is_a_limit, setup, teardown),
      cmocka_unit_test_setup_teardown(work_is_a_limit, setup, teardown),
      cmocka_unit_test_setup_teardown(hopeless_is_never_measured, setup, teardown),
      cmocka_unit_test_setup_teardown(neighbours_are_tried, setup, teardown),
      cmocka_unit_test_setup_teardown(what_cannot_be_used_is_not_taken, setup, teardown),
      cmocka_unit_test_setup_teardown(few_cycles_are_worth_many_bytes, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
