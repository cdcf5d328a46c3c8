/* SPDX-License-Identifier: Apache-2.0 */
/* Random programs on a memory, the third argument: valid ones have the functional device's bits in
 * lockstep, those with a planted defect its trap, and all the cycle model's time. Seeds are those of
 * scripts/fuzz-rtl. */
#include "tests/rtl/main.h"

#include <stdio.h>

#include "tests/rtl/trial.h"

enum { PROGRAMS = 500 };

static enum trial_memory memory;

static void run_all(bool planted, uint64_t count)
{
  print_message("%s, %s: seeds 1 to %d\n", rig.design.name, trial_memory_name(memory), (int)count);
  for (uint64_t seed = 1; seed <= count; seed++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct trial t = {.rig = &rig, .seed = seed, .planted = planted, .memory = memory};
    trial_run(&t, arena);
    expect(t.outcome, "seed %d, defect %s", (int)seed, defect_text(t.generated.defect));
    tsr_arena_free(arena);
  }
}

static void valid(void **state)
{
  (void)state;
  run_all(false, amount ? amount : PROGRAMS);
}

static void planted(void **state)
{
  (void)state;
  run_all(true, (amount ? amount : PROGRAMS) / 4);
  print_message("%d programs were not timed, since their micro-ops race\n", rig.left_out);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(valid), cmocka_unit_test(planted)};
  if (!begin(argc, argv))
    return SKIPPED;
  memory = argc > 3 ? trial_memory_find(argv[3]) : TRIAL_OWN;
  if (memory == TRIAL_MEMORIES) {
    printf("no memory is named '%s'\n", argv[3]);
    return 2;
  }
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
