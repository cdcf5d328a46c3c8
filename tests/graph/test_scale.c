/* SPDX-License-Identifier: Apache-2.0 */
/* Real factors as integers for tsr_quant_i32. */
#include "compiler/graph/graph_private.h"
#include "tests/graph/test_graph.h"

static void floats_are_exact(void **state)
{
  (void)state;
  uint64_t seed = 1;
  for (int i = 0; i < 20000; i++) {
    double v =
        ldexp((double)(float)random_between(&seed, 0.5, 1), (int)(next_random(&seed) % 63) - 31);
    int32_t m;
    int shift;
    assert_true(tsr__multiplier(v, &m, &shift));
    assert_true(m >= 1 << 30 || shift == 63);
    assert_true(shift >= 0 && shift <= 63);
    assert_true(ldexp(m, -shift) == v);
  }
}

static void others_are_near(void **state)
{
  (void)state;
  uint64_t seed = 2;
  for (int i = 0; i < 20000; i++) {
    double v = ldexp(random_between(&seed, 0.5, 1), (int)(next_random(&seed) % 60) - 30);
    int32_t m;
    int shift;
    assert_true(tsr__multiplier(v, &m, &shift));
    assert_true(m >= 1 << 30);
    assert_true(fabs(ldexp(m, -shift) / v - 1) <= ldexp(1, -31));
  }
}

static void ends_of_the_range(void **state)
{
  (void)state;
  int32_t m;
  int shift;
  assert_true(tsr__multiplier(1, &m, &shift));
  assert_int_equal(m, 1 << 30);
  assert_int_equal(shift, 30);
  assert_true(tsr__multiplier(2147483647, &m, &shift));
  assert_int_equal(shift, 0);
  assert_int_equal(m, 2147483647);
  assert_false(tsr__multiplier(2147483648.0, &m, &shift));
  assert_false(tsr__multiplier(2147483647.9, &m, &shift));
  assert_false(tsr__multiplier(0, &m, &shift));
  assert_false(tsr__multiplier(-1, &m, &shift));
  assert_false(tsr__multiplier(INFINITY, &m, &shift));
  assert_false(tsr__multiplier(NAN, &m, &shift));
  assert_true(tsr__multiplier(ldexp(1, -63), &m, &shift)); /* a shorter multiplier */
  assert_int_equal(m, 1);
  assert_int_equal(shift, 63);
  assert_true(tsr__multiplier(1 - ldexp(1, -40), &m, &shift)); /* rounds up to a power of two */
  assert_int_equal(m, 1 << 30);
  assert_int_equal(shift, 30);
}

static void quantizing(void **state)
{
  (void)state;
  struct tsr__scale s = {0.5, 10};
  assert_int_equal(tsr__quantize(0, s), 10);
  assert_int_equal(tsr__quantize(0.75, s), 12); /* 1.5: to even */
  assert_int_equal(tsr__quantize(0.25, s), 10); /* 0.5: to even */
  assert_int_equal(tsr__quantize(1000, s), 127);
  assert_int_equal(tsr__quantize(-1000, s), -128);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(floats_are_exact),
      cmocka_unit_test(others_are_near),
      cmocka_unit_test(ends_of_the_range),
      cmocka_unit_test(quantizing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
