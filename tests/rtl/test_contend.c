/* SPDX-License-Identifier: Apache-2.0 */
/* Engines that meet without order, tests/rtl/crowd.h: they come to the end, and the cycle model tells
 * the same time. Seeds are those of scripts/fuzz-rtl --contend. */
#include "tests/rtl/main.h"

#include <stdio.h>

#include "tests/rtl/trial.h"

enum { PROGRAMS = 200 };

static void run_all(enum trial_memory memory)
{
  uint64_t count = amount ? amount : PROGRAMS;
  print_message("%s, %s: seeds 1 to %d\n", rig.design.name, trial_memory_name(memory), (int)count);
  for (uint64_t seed = 1; seed <= count; seed++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct trial t = {.rig = &rig, .seed = seed, .contends = true, .memory = memory};
    trial_run(&t, arena);
    expect(t.outcome, "seed %d", (int)seed);
    tsr_arena_free(arena);
  }
}

static void ideal(void **state)
{
  (void)state;
  run_all(TRIAL_IDEAL);
}

static void simple(void **state)
{
  (void)state;
  run_all(TRIAL_SIMPLE);
}

static void ddr(void **state)
{
  (void)state;
  run_all(TRIAL_DDR);
}

static void stalls(void **state)
{
  (void)state;
  run_all(TRIAL_STALLS);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ideal), cmocka_unit_test(simple),
                                     cmocka_unit_test(ddr), cmocka_unit_test(stalls)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
