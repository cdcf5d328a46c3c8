/* SPDX-License-Identifier: Apache-2.0 */
/* Random programs: valid ones have the functional device's bits in lockstep, on a quiet bus and
 * under trouble; those with a planted defect its trap. Seeds are those of scripts/fuzz-rtl. */
#include "tests/rtl/main.h"

#include "tests/rtl/trial.h"

enum { PROGRAMS = 500 };

static void run_all(bool planted, bool troubled, uint64_t share)
{
  uint64_t count = (amount ? amount : PROGRAMS) / share;
  print_message("seeds 1 to %d\n", (int)count);
  for (uint64_t seed = 1; seed <= count; seed++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct trial t = {.rig = &rig, .seed = seed, .planted = planted, .troubled = troubled};
    trial_run(&t, arena);
    expect(t.outcome, "seed %d, defect %s", (int)seed, defect_text(t.generated.defect));
    tsr_arena_free(arena);
  }
}

static void valid(void **state)
{
  (void)state;
  run_all(false, false, 1);
}

static void planted(void **state)
{
  (void)state;
  run_all(true, false, 2);
}

static void troubled(void **state)
{
  (void)state;
  run_all(false, true, 1);
}

static void planted_and_troubled(void **state)
{
  (void)state;
  run_all(true, true, 4);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(valid), cmocka_unit_test(planted),
                                     cmocka_unit_test(troubled),
                                     cmocka_unit_test(planted_and_troubled)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
