/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: every iteration once, by several of them; teams that do not meet; what code does in them. */
#include <pthread.h>
#include <stdatomic.h>

#include "native/parallel.h"
#include "tests/cpu/rig.h"

enum { ITERATIONS = 1000 };

struct seen {
  _Atomic int times[ITERATIONS];
  _Atomic uint64_t threads;
  int64_t bad; /* the iteration that says 1; -1: none */
};

static int see(void *context, int64_t from, int64_t to, int64_t thread)
{
  struct seen *s = context;
  for (int64_t i = from; i < to; i++)
    s->times[i]++;
  s->threads |= UINT64_C(1) << thread;
  return from <= s->bad && s->bad < to;
}

static int see_all(struct seen *s, int64_t iterations, int64_t threads)
{
  int code = tsr_parallel(see, s, iterations, threads), wrong = 0;
  for (int i = 0; i < ITERATIONS; i++)
    wrong += s->times[i] != (i < iterations);
  return wrong ? -1 : code;
}

static void each_once(void **state)
{
  static const int64_t sizes[] = {0, 1, 2, 3, 7, ITERATIONS};
  (void)state;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    for (int64_t threads = 1; threads <= 5; threads++) {
      struct seen s = {.bad = -1};
      assert_int_equal(see_all(&s, sizes[k], threads), 0);
      assert_true(s.threads < UINT64_C(1) << threads);
    }
}

static void outside(void **state)
{
  (void)state;
  for (int64_t threads = 1; threads <= 3; threads++) {
    struct seen s = {.bad = 77};
    assert_int_equal(see_all(&s, ITERATIONS, threads), 1);
  }
}

static void *many_times(void *result)
{
  for (int i = 0; i < 200; i++) {
    struct seen s = {.bad = i % 2 ? 5 : -1};
    if (see_all(&s, 20, 2) != i % 2)
      *(int *)result = 1;
  }
  return NULL;
}

/* Two teams at a time. */
static void two_callers(void **state)
{
  pthread_t thread[2];
  int wrong[2] = {0, 0};
  (void)state;
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&thread[i], NULL, many_times, &wrong[i]), 0);
  for (int i = 0; i < 2; i++)
    pthread_join(thread[i], NULL);
  assert_int_equal(wrong[0] + wrong[1], 0);
}

static const char *schedule_of(struct tsr_arena *a, const char *text)
{
  struct tir_sched *sched;
  assert_int_equal(tsr_cpu_plan(a, NULL, func_of(a, text), TSR_LEVEL_SSE2, &sched), TSR_OK);
  return tir_sched_text(sched);
}

/* Copies with padding in memory of the thread, and a tail that looks up an index of its own. */
static const char look_up[] =
    "func f(x: i8[40,32,32], w: i8[3,3,32,8], t: i32[%d]) -> (y: i32[38,30,8]) {\n"
    "  temp p: i8[40,32,32]\n"
    "  temp s: i32[38,30,8]\n"
    "  p: p[h, w, i] = select(1 <= h and h < 39, x[h, w, i], i8(5))\n"
    "  s: s[h, w, o] sum(kh < 3, kw < 3, i < 32) init i32(3) = i32(p[h + kh, w + kw, i]) * "
    "i32(w[kh, "
    "kw, i, o])\n"
    "  y: y[h, w, o] = s[h, w, o] + t[h * w]\n"
    "}\n";

static void in_code(void **state)
{
  void *in[] = {some_bytes(*state, 40 * 32 * 32), some_bytes(*state, 8 * 9 * 32),
                some_bytes(*state, 5000)};
  for (int size = 1000; size < 1100; size += 99) { /* large enough, or not: 37 * 29 = 1073 */
    const char *text = tsr_arena_printf(*state, look_up, size == 1000 ? 1074 : 1073);
    assert_non_null(strstr(schedule_of(*state, text), "parallel"));
    assert_int_equal(compare_text(*state, text, in), 0);
  }
}

/* Rows of a softmax, by the second axis and by the first. */
static void rows(void **state)
{
  static const int sizes[][2] = {{2, 1000}, {12, 128}, {1, 64}, {5, 77}};
  uint64_t seed = 3;
  float *x = TSR_NEW_ARRAY(*state, float, 300000);
  for (int i = 0; i < 300000; i++)
    x[i] = (float)(next_random(&seed) % 4096) / 512;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    int b = sizes[k][0], m = sizes[k][1], n = 1 + (1 << 17) / (b * m);
    void *in[] = {x};
    const char *text = tsr_arena_printf(
        *state,
        "func f(x: f32[%d,%d,%d]) -> (y: f32[%d,%d,%d]) {\n"
        "  temp most: f32[%d,%d,1]\n  temp e: f32[%d,%d,%d]\n  temp sum: f32[%d,%d,1]\n"
        "  most: most[b, m, o] maximum(n < %d) init f32(-inf) = x[b, m, n]\n"
        "  e: e[b, m, n] = exp(x[b, m, n] - most[b, m, 0])\n"
        "  sum: sum[b, m, o] sum(n < %d) init 0.0 = e[b, m, n]\n"
        "  y: y[b, m, n] = e[b, m, n] / sum[b, m, 0]\n}\n",
        b, m, n, b, m, n, b, m, b, m, n, b, m, n, n);
    assert_non_null(strstr(schedule_of(*state, text), "parallel"));
    assert_int_equal(compare_text(*state, text, in), 0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(each_once), IN_ARENA(outside), IN_ARENA(two_callers),
      IN_ARENA(in_code),   IN_ARENA(rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
