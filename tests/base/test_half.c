/* SPDX-License-Identifier: Apache-2.0 */
/* Both halves against arithmetic in float64: all 65,536 values, all midpoints between them and what lies
 * beside these, and numbers of every size. */
#include "tests/base/cases.h"

#include <math.h>

#include "base/half.h"
#include "base/tensor.h"

static const struct half {
  enum tsr_dtype dtype;
  int mantissa; /* bits of it that are stored */
  int least;    /* exponent of the smallest normal number */
  float (*widen)(uint16_t);
  uint16_t (*of_float)(float);
  uint16_t (*of_double)(double);
} halves[] = {
    {TSR_F16, 10, -14, tsr_float_of_f16, tsr_f16_of_float, tsr_f16_of_double},
    {TSR_BF16, 7, -126, tsr_float_of_bf16, tsr_bf16_of_float, tsr_bf16_of_double},
};

static int most(const struct half *h) /* the exponent field of infinities and NaNs */
{
  return (1 << (15 - h->mantissa)) - 1;
}

/* The value of these bits, by its definition. */
static double value_of(const struct half *h, uint16_t bits)
{
  int field = bits >> h->mantissa & most(h), fraction = bits & ((1 << h->mantissa) - 1);
  double magnitude = field == most(h) ? (fraction ? (double)NAN : (double)INFINITY)
                     : field == 0
                         ? ldexp(fraction, h->least - h->mantissa)
                         : ldexp(fraction + (1 << h->mantissa), field - 1 + h->least - h->mantissa);
  return bits >> 15 ? -magnitude : magnitude;
}

/* The nearest value of the half, ties to even; infinite from half a unit behind the largest. */
static double nearest(const struct half *h, double x)
{
  if (x == 0 || isinf(x))
    return x;
  int exponent = ilogb(x) < h->least ? h->least : ilogb(x);
  double unit = ldexp(1, exponent - h->mantissa), rounded = rint(x / unit) * unit;
  return fabs(rounded) < ldexp(1, 1 - h->least + 1) ? rounded : copysign((double)INFINITY, x);
}

static void check_rounding(const struct half *h, double x)
{
  double expected = nearest(h, x), found = value_of(h, h->of_double(x));
  if (memcmp(&expected, &found, sizeof found))
    fail_msg("%s of %a is %a, not %a", tsr_dtype_name(h->dtype), x, found, expected);
  expected = nearest(h, (double)(float)x);
  found = value_of(h, h->of_float((float)x));
  if (memcmp(&expected, &found, sizeof found))
    fail_msg("%s of the float %a is %a, not %a", tsr_dtype_name(h->dtype), x, found, expected);
}

static void every_value_goes_and_returns(void **state)
{
  (void)state;
  for (const struct half *h = halves; h < halves + 2; h++)
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
      double expected = value_of(h, (uint16_t)bits);
      float wide = h->widen((uint16_t)bits);
      if (isnan(expected)) {
        uint16_t quiet = (uint16_t)(bits | 1u << (h->mantissa - 1));
        assert_true(isnan(wide));
        assert_int_equal(h->of_float(wide), quiet);
        assert_int_equal(h->of_double((double)wide), quiet);
        continue;
      }
      double found = (double)wide;
      assert_memory_equal(&found, &expected, sizeof found);
      assert_int_equal(h->of_float(wide), bits);
      assert_int_equal(h->of_double(found), bits);
    }
}

/* Between neighbours: the middle, and the doubles and floats beside it and beside both. */
static void ties_and_their_neighbours(void **state)
{
  (void)state;
  for (const struct half *h = halves; h < halves + 2; h++)
    for (uint32_t bits = 0; bits < (uint32_t)most(h) << h->mantissa; bits++) {
      double low = value_of(h, (uint16_t)bits), high = value_of(h, (uint16_t)(bits + 1));
      if (isinf(high)) /* what would follow */
        high = ldexp(1, 2 - h->least);
      double middle = low / 2 + high / 2;
      const double at[] = {low, middle, high};
      for (int k = 0; k < 3; k++)
        for (int sign = -1; sign <= 1; sign += 2)
          for (int step = -1; step <= 1; step++) {
            double x = sign * at[k];
            float y = (float)x;
            check_rounding(h, step ? nextafter(x, step * (double)INFINITY) : x);
            check_rounding(h, (double)(step ? nextafterf(y, (float)step * INFINITY) : y));
          }
    }
}

static void numbers_of_every_size(void **state)
{
  (void)state;
  uint64_t seed = 1;
  for (int exponent = -200; exponent < 200; exponent++)
    for (int k = 0; k < 500; k++) {
      seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
      double x = ldexp(1 + ldexp((double)(seed >> 12), -52), exponent);
      for (const struct half *h = halves; h < halves + 2; h++)
        check_rounding(h, k % 2 ? -x : x);
    }
}

/* Of bits that floats have and halves don't, only those of a NaN above are kept. */
static void nan_keeps_sign_and_payload(void **state)
{
  (void)state;
  assert_int_equal(tsr_f16_of_float(tsr__float_of_bits(0x7f800001)), 0x7e00);
  assert_int_equal(tsr_f16_of_float(tsr__float_of_bits(0xffbfe000)), 0xffff);
  assert_int_equal(tsr_bf16_of_float(tsr__float_of_bits(0x7f800001)), 0x7fc0);
  assert_int_equal(tsr_bf16_of_float(tsr__float_of_bits(0xffffffff)), 0xffff);
  assert_int_equal(tsr__bits_of_float(tsr_float_of_f16(0xfc01)), 0xffc02000);
}

static void elements_of_tensors(void **state)
{
  (void)state;
  uint16_t cells[3] = {0};
  struct tsr_tensor t = {.dtype = TSR_F16, .rank = 1, .dims = {3}, .data = cells};
  tsr_put_float(&t, 1, 1 + 0x1p-11 + 0x1p-40); /* a tie, were it a float */
  assert_int_equal(cells[1], 0x3c01);
  tsr_put_int(&t, 1, -3);
  assert_int_equal(cells[1], 0xc200);
  assert_int_equal(tsr_get_int(&t, 1), -3);
  tsr_put_int(&t, 1, 1 << 20);
  assert_int_equal(tsr_get_int(&t, 1), INT64_MAX); /* infinity */
  t.dtype = TSR_BF16;
  tsr_put_float(&t, 1, 0.1);
  assert_int_equal(cells[1], 0x3dcd);
  assert_true(tsr_get_float(&t, 1) == 0.10009765625);
  assert_int_equal(cells[0] | cells[2], 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_value_goes_and_returns), cmocka_unit_test(ties_and_their_neighbours),
      cmocka_unit_test(numbers_of_every_size),        cmocka_unit_test(nan_keeps_sign_and_payload),
      cmocka_unit_test(elements_of_tensors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
