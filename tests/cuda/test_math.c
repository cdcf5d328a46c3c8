/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of floats as a GPU has them, which has no C library, run on this machine: f64 against
 * long double, f32 by way of f64 against that. The error is in units of the last place of the exact
 * result; docs/cuda-target.md states the bounds. */
#include <math.h>

#include "compiler/target/cpu/cpu.h"
#include "compiler/target/cpu/function.h"
#include "compiler/target/cpu/object.h"
#include "native/code.h"
#include "tests/tir/tir_test.h"

enum { COUNT = 200000 };

struct function {
  const char *name;
  long double (*exact)(long double x);
  double most;  /* arguments up to so much */
  double bound; /* in units of the last place */
};

static long double square_root_power(long double x)
{
  return powl(fabsl(x), 1.7L);
}

static const struct function functions[] = {
    {"exp(x[i])", expl, 750, 2},
    {"log(abs(x[i]))", NULL, 1e300, 2},
    {"tanh(x[i])", tanhl, 30, 4},
    {"erf(x[i])", erfl, 7, 40},
    {"sin(x[i])", sinl, 1e300, 4},
    {"cos(x[i])", cosl, 1e300, 4},
    {"pow(abs(x[i]), TYPE(1.7))", square_root_power, 1e100, 900},
};

static long double log_of_magnitude(long double x)
{
  return logl(fabsl(x));
}

/* The func as a function of this machine that calls no library. */
static void run(struct tsr_arena *a, const char *text, void *const *params)
{
  struct tsr_err err = {0};
  struct tir_program *p;
  struct tsr_code_block block = {.level = TSR_LEVEL_SSE2};
  struct tsr_code_layer layer = {0};
  struct tsr_code_mapping mapping;
  struct llvm__module m;
  struct tsr_bytes object;
  const char *name = "f";
  bool fma = tsr_level_of_machine() > TSR_LEVEL_SSE2;
  struct llvm__processor processor = cpu__target(fma ? TSR_LEVEL_AVX2 : block.level);
  struct llvm__emit *e = TSR_NEW(a, struct llvm__emit);
  if (tir_lower(a, &err, tir_sched_new(a, func_of(a, text)), &p) ||
      llvm__module_open(&err, &processor, &m))
    fail_msg("%s", err.text);
  *e = (struct llvm__emit){.arena = a,
                           .machine = cpu__machine(block.level),
                           .context = m.context,
                           .module = m.module,
                           .builder = m.builder};
  e->machine.no_library = true;
  e->machine.fma = fma;
  cpu__function(e, name, p, &layer);
  if (llvm__module_output(a, &err, &m, LLVMObjectFile, &object) ||
      cpu__link(a, &err, &object, 1, &name, &block) || tsr_code_map(&err, &block, &mapping))
    fail_msg("%s", err.text);
  assert_int_equal(block.imports, 0);
  assert_int_equal(tsr_code_entry(&mapping, block.layer)(params, NULL, 1), 0);
  tsr_code_unmap(&mapping);
  llvm__module_close(&m);
}

static char *text_of(struct tsr_arena *a, const char *type, const char *value)
{
  struct tsr_text t = {.arena = a};
  tsr_text_add(&t, "func f(x: %s[%d]) -> (y: %s[%d]) {\n  one: y[i] = ", type, COUNT, type, COUNT);
  for (const char *c = value; *c; c++)
    if (!strncmp(c, "TYPE", 4)) {
      tsr_text_add(&t, "%s", type);
      c += 3;
    } else {
      tsr_text_add_bytes(&t, c, 1);
    }
  tsr_text_add(&t, "\n}");
  return t.data;
}

/* Some near 0, some over the whole range, both signs. */
static double argument(const struct function *f, uint64_t *seed, int i)
{
  static const double edges[] = {0,
                                 -0.0,
                                 1,
                                 -1,
                                 0x1p-1074,
                                 0x1p-30,
                                 0.25,
                                 3.141592653589793,
                                 1.5707963267948966,
                                 0x1p40,
                                 0x1.921fb54442d18p+100};
  double u = next_random(seed) / 0x1p32 + 0x1p-33, v = next_random(seed) / 0x1p32;
  if (i < (int)(sizeof edges / sizeof *edges) && fabs(edges[i]) <= f->most)
    return edges[i];
  double size = i % 2 ? f->most * u : exp((v - 0.5) * 2 * log(f->most)) * u;
  return next_random(seed) & 1 ? -size : size;
}

static double unit_of(long double y, int digits, int least)
{
  int exponent;
  frexpl(y, &exponent);
  return ldexp(1, exponent - digits < least ? least : exponent - digits);
}

static double error_of(long double exact, double found, bool wide)
{
  double nearest = wide ? (double)exact : (double)(float)exact;
  if (isnan(exact) || isnan(found))
    return isnan(exact) && isnan(found) ? 0 : HUGE_VAL;
  if (isinf(nearest) || isinf(found))
    return nearest == found ? 0 : HUGE_VAL;
  return (double)fabsl(found - exact) /
         (wide ? unit_of(exact, 53, -1074) : unit_of(exact, 24, -149));
}

static void check(struct tsr_arena *a, const struct function *f, bool wide)
{
  double *x = TSR_NEW_ARRAY(a, double, COUNT), *y = TSR_NEW_ARRAY(a, double, COUNT), worst = 0,
         where = 0;
  struct tsr_tensor in = {.dtype = wide ? TSR_F64 : TSR_F32, .data = x};
  struct tsr_tensor out = {.dtype = in.dtype, .data = y};
  uint64_t seed = 3;
  for (int i = 0; i < COUNT; i++)
    tsr_put_float(&in, i, argument(f, &seed, i));
  run(a, text_of(a, wide ? "f64" : "f32", f->name), (void *[]){x, y});
  for (int i = 0; i < COUNT; i++) {
    long double at = tsr_get_float(&in, i);
    if (!wide && strstr(f->name, "1.7"))
      at = powl(fabsl(at), (long double)1.7f); /* the exponent is of f32 */
    else
      at = f->exact ? f->exact(at) : log_of_magnitude(at);
    double error = error_of(at, tsr_get_float(&out, i), wide);
    if (error > worst) {
      worst = error;
      where = tsr_get_float(&in, i);
    }
  }
  double bound = wide ? f->bound : 2; /* exp, log, tanh and erf of f32 are polynomials */
  printf("%-28s %s %8.3f units at most, at %.17g\n", f->name, wide ? "f64" : "f32", worst, where);
  if (!(worst <= bound))
    fail_msg("%s is off by %g units at %.17g", f->name, worst, where);
}

static void test_f64(void **state)
{
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
    check(*state, &functions[k], true);
}

static void test_f32(void **state)
{
  for (size_t k = 4; k < sizeof functions / sizeof *functions; k++) {
    struct function f = functions[k];
    f.most = f.most > 1e30 ? 1e30 : f.most;
    check(*state, &f, false);
  }
}

/* Powers of whole numbers are exact, and what is not a number is none. */
static void test_powers(void **state)
{
  static const double x[][3] = {{3, 6, 729},           {-3, 5, -243},
                                {2, -3, 0.125},        {7, 0, 1},
                                {-8, 0.5, NAN},        {0, -1, INFINITY},
                                {-0.0, -1, -INFINITY}, {1, NAN, 1},
                                {NAN, 0, 1},           {-INFINITY, 3, -INFINITY},
                                {-1, INFINITY, 1},     {0.5, INFINITY, 0},
                                {10, 15, 1e15},        {-0.0, 2, 0}};
  enum { N = sizeof x / sizeof *x };
  double base[N], power[N], found[N];
  for (int i = 0; i < N; i++) {
    base[i] = x[i][0];
    power[i] = x[i][1];
  }
  run(*state,
      tsr_arena_printf(*state,
                       "func f(x: f64[%d], n: f64[%d]) -> (y: f64[%d]) {\n"
                       "  one: y[i] = pow(x[i], n[i])\n}",
                       N, N, N),
      (void *[]){base, power, found});
  for (int i = 0; i < N; i++)
    if (!(found[i] == x[i][2] || (isnan(found[i]) && isnan(x[i][2]))))
      fail_msg("%g to the %g is %.17g, not %g", base[i], power[i], found[i], x[i][2]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(test_f64), IN_ARENA(test_f32), IN_ARENA(test_powers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
