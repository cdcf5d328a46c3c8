/* SPDX-License-Identifier: Apache-2.0 */
/* exp, log, tanh and erf of f32 against float64: every 499th float there is, and all the edges. The
 * error is in units of the last place of the exact result; docs/cpu-target.md states the bounds. */
#include <math.h>

#include "tests/cpu/rig.h"

enum { COUNT = 8606713, STEP = 499 };

struct function {
  const char *name;
  double (*exact)(double x);
  double bound; /* in units of the last place */
};

static const struct function functions[] = {
    {"exp", exp, 2}, {"log", log, 2}, {"tanh", tanh, 2}, {"erf", erf, 2}};

static const float edges[] = {
    0.0f,        -0.0f,       INFINITY,   -INFINITY,        NAN,         1,           -1,
    0x1p-149f,   -0x1p-149f,  0x1p-126f,  0x1.fffffep-127f, 88.7228317f, 88.7228394f, 89,
    1e30f,       -87.3365f,   -103.9f,    -103.972f,        -104,        -105,        -1e30f,
    0.625f,      0.62499994f, 1.0000001f, 0.99999994f,      4,           3.9999998f,  9,
    0.70710677f, 1.41421354f};

static float at(size_t i)
{
  uint32_t bits = (uint32_t)(i * STEP);
  float x;
  memcpy(&x, &bits, sizeof x);
  return i < sizeof edges / sizeof *edges ? edges[i] : x;
}

static double unit_of(double y)
{
  int exponent;
  frexp(y, &exponent);
  return ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}

static double error_of(const struct function *f, float x, float found)
{
  double exact = f->exact(x);
  float nearest = (float)exact;
  if (isnan(exact))
    return isnan(found) ? 0 : HUGE_VAL;
  if (isinf(nearest) || isinf(found))
    return nearest == found ? 0 : HUGE_VAL;
  return fabs(found - exact) / unit_of(exact);
}

static double worst_of(const struct function *f, const float *x, const float *y, float *where)
{
  double worst = 0;
  for (size_t i = 0; i < COUNT; i++) {
    double error = error_of(f, x[i], y[i]);
    if (error > worst) {
      worst = error;
      *where = x[i];
    }
  }
  return worst;
}

static void check(struct tsr_arena *a, const struct function *f, const float *x, float *y)
{
  char text[256];
  snprintf(text, sizeof text, "func f(x: f32[%d]) -> (y: f32[%d]) {\n  one: y[i] = %s(x[i])\n}\n",
           COUNT, COUNT, f->name);
  struct tsr_bytes code = code_of(a, func_of(a, text), levels_here());
  struct tsr_code_block *block;
  int blocks;
  assert_int_equal(tsr_code_read(a, NULL, &code, 1, &blocks, &block), TSR_OK);
  for (int k = 0; k < blocks; k++) {
    struct tsr_code_mapping mapping;
    float where = 0;
    void *params[] = {(void *)(uintptr_t)x, y};
    assert_int_equal(tsr_code_map(NULL, &block[k], &mapping), TSR_OK);
    assert_false(calls_library(&block[k])); /* polynomials */
    assert_int_equal(tsr_code_entry(&mapping, block[k].layer)(params, NULL, 1), 0);
    double worst = worst_of(f, x, y, &where);
    printf("%s at %s: %.3f units at %.9g\n", f->name, tsr_level_info(block[k].level)->name, worst,
           where);
    assert_true(worst <= f->bound);
    tsr_code_unmap(&mapping);
  }
}

static void bounds(void **state)
{
  float *x = TSR_NEW_ARRAY(*state, float, COUNT), *y = TSR_NEW_ARRAY(*state, float, COUNT);
  for (size_t i = 0; i < COUNT; i++)
    x[i] = at(i);
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
    check(*state, &functions[k], x, y);
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(bounds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
