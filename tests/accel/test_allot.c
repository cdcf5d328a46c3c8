/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of what is resident: nothing that lives at the same time overlaps, what is said to be left is
 * left, and in chains it stays in one piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler/target/accel/accel.h"

enum { ROOM = 512, MOST = 12, LAYERS = 16 };

static uint32_t draw(uint64_t *random, uint32_t below)
{
  *random = *random * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*random >> 33) % below;
}

static struct tsr_accel_resident living(int first, int last, uint32_t entries)
{
  return (struct tsr_accel_resident){.first = first, .last = last, .entries = entries};
}

/* The most entries side by side in which nothing lies while the layer runs, entry by entry. */
static uint32_t longest_rest(const struct tsr_accel_resident *r, int count, int layer)
{
  bool used[ROOM] = {false};
  uint32_t longest = 0, run = 0;
  for (int k = 0; k < count; k++)
    for (uint32_t e = 0; e < r[k].entries && r[k].first <= layer && layer <= r[k].last; e++) {
      assert_true(r[k].at + e < ROOM);
      assert_false(used[r[k].at + e]); /* nothing overlaps */
      used[r[k].at + e] = true;
    }
  for (int e = 0; e < ROOM; e++) {
    run = used[e] ? 0 : run + 1;
    longest = run > longest ? run : longest;
  }
  return longest;
}

static void check(struct tsr_accel_resident *r, struct tsr_accel_resident *const *list, int count)
{
  for (int layer = 0; layer < LAYERS; layer++) {
    uint32_t from, to, longest = longest_rest(r, count, layer);
    tsr__allot_rest((const struct tsr_accel_resident *const *)list, count, ROOM, layer, &from, &to);
    assert_int_equal(to - from, longest);
    struct tsr_accel_resident all[MOST + 1];
    for (int k = 0; k < count; k++)
      all[k] = r[k];
    all[count] = living(layer, layer, to - from);
    all[count].at = from;
    longest_rest(all, count + 1, layer);
  }
}

static void random_lives(void **state)
{
  (void)state;
  uint64_t random = 5;
  int fitted = 0;
  for (int round = 0; round < 2000; round++) {
    struct tsr_accel_resident r[MOST], *list[MOST];
    int count = 1 + (int)draw(&random, MOST), first = 0;
    for (int k = 0; k < count; k++) {
      first += (int)draw(&random, 3);
      first = first < LAYERS ? first : LAYERS - 1;
      int last = first + (int)draw(&random, 4);
      r[k] = living(first, last < LAYERS ? last : LAYERS - 1, 1 + draw(&random, ROOM / 2));
      list[k] = &r[k];
    }
    if (!tsr__allot(list, count, ROOM))
      continue;
    fitted++;
    check(r, list, count);
  }
  assert_true(fitted > 200 && fitted < 2000);
}

/* Each lives from its layer to the next one: they take turns at both ends, and the rest is one piece. */
static void chain(void **state)
{
  (void)state;
  struct tsr_accel_resident r[] = {living(0, 1, 100), living(1, 2, 60), living(2, 3, 200),
                                   living(3, 4, 312)},
                            *list[] = {&r[0], &r[1], &r[2], &r[3]};
  static const uint32_t at[] = {0, 452, 0, 200}, from[] = {100, 100, 200, 0, 0},
                        to[] = {512, 452, 452, 0, 200};
  assert_true(tsr__allot(list, 4, ROOM));
  for (int k = 0; k < 4; k++)
    assert_int_equal(r[k].at, at[k]);
  for (int layer = 0; layer < 5; layer++) {
    uint32_t lo, hi;
    tsr__allot_rest((const struct tsr_accel_resident *const *)list, 4, ROOM, layer, &lo, &hi);
    assert_int_equal(lo, from[layer]);
    assert_int_equal(hi, to[layer]);
  }
}

static void just_fits(void **state)
{
  (void)state;
  struct tsr_accel_resident r[] = {living(0, 2, ROOM - 40), living(1, 2, 40)},
                            *list[] = {&r[0], &r[1]};
  assert_true(tsr__allot(list, 2, ROOM));
  check(r, list, 2);
  r[1].entries++;
  assert_false(tsr__allot(list, 2, ROOM));
  r[1].first = r[1].last = 3; /* not at the same time */
  assert_true(tsr__allot(list, 2, ROOM));
  r[0].entries = ROOM + 1;
  assert_false(tsr__allot(list, 1, ROOM));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives), cmocka_unit_test(chain),
                                     cmocka_unit_test(just_fits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
