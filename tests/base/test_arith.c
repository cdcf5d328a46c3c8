/* SPDX-License-Identifier: Apache-2.0 */
/* The project's integer arithmetic against the same definitions in 128 bits. */
#include "tests/base/cases.h"

#include "base/arith.h"

typedef __int128 wide;

/* v * 2^-s by the definition: floor, then compare twice the rest with the divisor. */
static wide exact_round(wide v, int s)
{
  wide divisor = (wide)1 << s, floor = v / divisor, rest = v % divisor;
  if (rest < 0) {
    floor--;
    rest += divisor;
  }
  return floor + (2 * rest > divisor || (2 * rest == divisor && floor % 2 != 0));
}

static int32_t exact_quant(int32_t acc, int32_t bias, int32_t m, int s, int zero, int lo, int hi)
{
  wide v = exact_round(((wide)acc + bias) * (m & 0x7fffffff), s) + zero;
  v = v < lo ? lo : v;
  return (int32_t)(v > hi ? hi : v);
}

static const int32_t corners[] = {INT32_MIN,
                                  INT32_MIN + 1,
                                  -65537,
                                  -32768,
                                  -129,
                                  -128,
                                  -3,
                                  -2,
                                  -1,
                                  0,
                                  1,
                                  2,
                                  3,
                                  127,
                                  128,
                                  32767,
                                  65536,
                                  0x3fffffff,
                                  0x40000000,
                                  0x55555555,
                                  INT32_MAX - 1,
                                  INT32_MAX};
enum { CORNERS = sizeof corners / sizeof corners[0] };

static void quant_at_corners(void **state)
{
  (void)state;
  static const int bytes[] = {-128, -127, -1, 0, 1, 5, 127};
  for (int a = 0; a < CORNERS; a++)
    for (int b = 0; b < CORNERS; b++)
      for (int m = 0; m < CORNERS; m++)
        for (int s = 0; s < 64; s += 1 + (a + b + m) % 3)
          for (int k = 0; k < 7; k++) {
            int zero = bytes[k], lo = bytes[(k + a) % 7], hi = bytes[(k + b) % 7];
            int32_t got =
                tsr_quant_i32(corners[a], corners[b], corners[m], tsr_quant_pack(s, zero, lo, hi));
            if (got != exact_quant(corners[a], corners[b], corners[m], s, zero, lo, hi))
              fail_msg("quant(%d, %d, %d, s=%d z=%d [%d, %d]) = %d", corners[a], corners[b],
                       corners[m], s, zero, lo, hi, got);
          }
}

static void quant_at_random(void **state)
{
  (void)state;
  uint64_t seed = 20240607;
  for (int i = 0; i < 1000000; i++) {
    uint64_t r = next_random(&seed), q = next_random(&seed);
    int32_t acc = (int32_t)r >> (q & 31), bias = (int32_t)(r >> 32) >> (q >> 5 & 31);
    int32_t m = (int32_t)next_random(&seed);
    int s = q >> 10 & 63, zero = (int8_t)(q >> 16), lo = (int8_t)(q >> 24), hi = (int8_t)(q >> 32);
    int32_t got = tsr_quant_i32(acc, bias, m, tsr_quant_pack(s, zero, lo, hi));
    if (got != exact_quant(acc, bias, m, s, zero, lo, hi))
      fail_msg("case %d: quant(%d, %d, %d, s=%d z=%d [%d, %d]) = %d", i, acc, bias, m, s, zero, lo,
               hi, got);
  }
}

static void ties_go_to_even(void **state)
{
  (void)state;
  static const struct {
    int64_t v;
    int s;
    int64_t expected;
  } rows[] = {
      {5, 1, 2},
      {7, 1, 4},
      {-5, 1, -2},
      {-7, 1, -4},
      {6, 2, 2},
      {10, 2, 2},
      {-6, 2, -2},
      {-10, 2, -2},
      {1, 63, 0},
      {INT64_MAX, 63, 1},
      {INT64_MIN, 63, -1},
      {INT64_MIN, 62, -2},
      {INT64_MAX, 0, INT64_MAX},
      {INT64_MIN, 0, INT64_MIN},
      {INT64_C(1) << 62, 63, 0},
      {(INT64_C(1) << 62) + 1, 63, 1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(tsr_round_shift(rows[i].v, rows[i].s), rows[i].expected);
    assert_int_equal((int64_t)exact_round(rows[i].v, rows[i].s), rows[i].expected);
  }
}

static void words_wrap(void **state)
{
  (void)state;
  for (int a = 0; a < CORNERS; a++)
    for (int b = 0; b < CORNERS; b++) {
      int32_t x = corners[a], y = corners[b];
      wide sum = (wide)x + y, difference = (wide)x - y, product = (wide)x * y;
      assert_int_equal(tsr_add_i32(x, y), (int32_t)(uint32_t)sum);
      assert_int_equal(tsr_sub_i32(x, y), (int32_t)(uint32_t)difference);
      assert_int_equal(tsr_mul_i32(x, y), (int32_t)(uint32_t)product);
      assert_int_equal(tsr_wrap_i32((int64_t)product), (int32_t)(uint32_t)product);
      assert_int_equal(tsr_shl_i32(x, y), (int32_t)(uint32_t)((wide)x * ((wide)1 << (y & 31))));
      assert_int_equal(tsr_shr_i32(x, y), (int32_t)exact_round(x, y & 31));
      assert_int_equal(tsr_sat_i8(x), x < -128 ? -128 : x > 127 ? 127 : x);
    }
}

static void quant_words_hold_their_fields(void **state)
{
  (void)state;
  uint32_t w = (uint32_t)tsr_quant_pack(63, -2, -128, 127);
  assert_int_equal(w, 0x7f80fe3f);
  assert_int_equal(tsr_quant_pack(0, 0, 0, 0), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quant_at_corners),
      cmocka_unit_test(quant_at_random),
      cmocka_unit_test(ties_go_to_even),
      cmocka_unit_test(words_wrap),
      cmocka_unit_test(quant_words_hold_their_fields),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
