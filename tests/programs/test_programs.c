/* SPDX-License-Identifier: Apache-2.0 */
/* Random programs: valid ones are clean and give the same bits in every order and on every path;
 * those with a defect are found. Seeds are those of scripts/fuzz-programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/programs/check.h"

enum { PROGRAMS = 500 };

static const uint64_t SEED = 1;

static void run_all(bool planted)
{
  struct bench bench[CHECK_POINTS];
  int raced = 0;
  print_message("seed %d\n", (int)SEED);
  for (int p = 0; p < CHECK_POINTS; p++)
    bench_open(&bench[p], check_point((uint64_t)p));
  for (uint64_t seed = SEED; seed < SEED + PROGRAMS; seed++) {
    struct bench *b = &bench[seed % CHECK_POINTS];
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct generated g;
    generate(arena, &b->design, seed, planted ? check_defect(seed) : DEFECT_NONE, &g);
    enum verdict v = planted ? check_planted(b, &g, seed) : check_valid(b, &g.program, seed);
    if (v != FINE)
      fail_msg("seed %d (%s, %s): %s: %s", (int)seed, b->design.name,
               defect_text(g.defect), verdict_text(v), b->text);
    raced += g.raced;
    tsr_arena_free(arena);
  }
  assert_true(!planted || raced);
  for (int p = 0; p < CHECK_POINTS; p++)
    bench_close(&bench[p]);
}

static void valid_programs(void **state)
{
  (void)state;
  run_all(false);
}

static void planted_defects(void **state)
{
  (void)state;
  run_all(true);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(valid_programs),
      cmocka_unit_test(planted_defects),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
