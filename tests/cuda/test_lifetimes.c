/* SPDX-License-Identifier: Apache-2.0 */
/* Places in memory: values that live at the same time never meet, and no more memory is taken than a
 * moment needs where that can be. */
#include "runtime/lifetimes.h"
#include "tests/base/cases.h"

static bool meet(const struct tsr__value *a, const struct tsr__value *b)
{
  return a->first <= b->last && b->first <= a->last && a->bytes && b->bytes &&
         a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static void random_lives(void **state)
{
  uint64_t seed = 1;
  for (int trial = 0; trial < 300; trial++) {
    struct tsr__value v[40];
    int n = (int)(next_random(&seed) % 41);
    uint64_t all = 0;
    for (int i = 0; i < n; i++) {
      int first = (int)(next_random(&seed) % 30);
      v[i] = (struct tsr__value){next_random(&seed) % 5000, first,
                                 first + (int)(next_random(&seed) % 9), 1};
      all += (v[i].bytes + 255) / 256 * 256;
    }
    uint64_t bytes = tsr__lifetimes_place(*state, n, v);
    assert_true(bytes <= all);
    for (int i = 0; i < n; i++) {
      assert_int_equal(v[i].offset % TSR__PLACE_ALIGNMENT, 0);
      assert_true(v[i].offset + v[i].bytes <= bytes);
      for (int k = 0; k < i; k++)
        assert_false(meet(&v[i], &v[k]));
    }
  }
}

/* A chain needs two places, whatever its length. */
static void a_chain(void **state)
{
  struct tsr__value v[50];
  for (int i = 0; i < 50; i++)
    v[i] = (struct tsr__value){1024, i, i + 1, 1};
  assert_int_equal(tsr__lifetimes_place(*state, 50, v), 2048);
}

static void nothing(void **state)
{
  struct tsr__value none[1], empty = {0, 0, 0, 1};
  assert_int_equal(tsr__lifetimes_place(*state, 0, none), 0);
  assert_int_equal(tsr__lifetimes_place(*state, 1, &empty), 0);
  assert_int_equal(empty.offset, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(random_lives),
      IN_ARENA(a_chain),
      IN_ARENA(nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
