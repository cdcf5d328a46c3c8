/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of one level: peak.c includes this once a level, with what the level has as macros:
 *   NAME(loop)                 a function's name
 *   TARGET                     the instructions that the compiler may use
 *   PS, SI                     vectors of f32 and of integers, each as <immintrin.h> calls it
 *   SET_PS(v), SET_EPI8(v)     v in every lane
 *   ADD_PRODUCTS_PS(s, x, y)   s + x * y, or s * x + y
 *   ADD_PRODUCTS_EPI8(s, x, y) s + sums of products of x and y
 *   PRODUCTS                   of the latter in a lane of 32 bits
 *   ADD_PRODUCTS_BF16(s, x, y) s + sums of two products of bf16, where the level has it
 *   ADD(x, y), LOAD(p), STORE(p, v)
 * There is no guard: it is no interface. */

/* Sums in registers, each of which waits for itself alone: as many as hide an instruction's
 * latency, and few enough for 16 registers. */
#define SUMS(f)   f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11)
#define SUM_COUNT 12

#define START(k) PS s##k = SET_PS(0.1f * (k));
#define STEP(k)  s##k = ADD_PRODUCTS_PS(s##k, factor, term);
#define END(k)   USE(s##k);
TARGET static double NAME(f32)(long rounds)
{
  PS factor = SET_PS(0.75f), term = SET_PS(0.5f);
  SUMS(START)
  for (long i = 0; i < rounds; i++) {
    SUMS(STEP)
  }
  SUMS(END)
  return 2.0 * SUM_COUNT * (double)(sizeof(PS) / sizeof(float)) * (double)rounds;
}
#undef START
#undef STEP

#define START(k) SI s##k = SET_EPI8(k);
#define STEP(k)                                                                                    \
  s##k = ADD_PRODUCTS_EPI8(s##k, x, y);                                                            \
  USE(x);
TARGET static double NAME(i8)(long rounds)
{
  SI x = SET_EPI8(3), y = SET_EPI8(1);
  SUMS(START)
  for (long i = 0; i < rounds; i++) {
    SUMS(STEP)
  }
  SUMS(END)
  return 2.0 * SUM_COUNT * (double)(sizeof(SI) / sizeof(int) * PRODUCTS) * (double)rounds;
}
#undef START
#undef STEP

#ifdef ADD_PRODUCTS_BF16
#define START(k) PS s##k = SET_PS(0.1f * (k));
#define STEP(k)  s##k = ADD_PRODUCTS_BF16(s##k, x, y);
TARGET static double NAME(bf16)(long rounds)
{
  SI x = SET_EPI8(0x3c), y = SET_EPI8(0x3d); /* 0.0115 and 0.0462 */
  SUMS(START)
  for (long i = 0; i < rounds; i++) {
    SUMS(STEP)
  }
  SUMS(END)
  return 4.0 * SUM_COUNT * (double)(sizeof(PS) / sizeof(float)) * (double)rounds;
}
#undef START
#undef STEP
#undef ADD_PRODUCTS_BF16
#endif

#define START(k) SI s##k = SET_EPI8(0);
#define STEP(k)  s##k = ADD(s##k, LOAD(v + i + k));
TARGET static void NAME(read)(const void *from, size_t bytes)
{
  const SI *v = from;
  SUMS(START)
  for (size_t i = 0; i < bytes / sizeof *v; i += SUM_COUNT) {
    SUMS(STEP)
  }
  SUMS(END)
}
#undef START
#undef STEP
#undef END

#define STEP(k) STORE(w + i + k, LOAD(v + i + k));
TARGET static void NAME(copy)(void *to, const void *from, size_t bytes)
{
  const SI *v = from;
  SI *w = to;
  for (size_t i = 0; i < bytes / sizeof *v; i += SUM_COUNT) {
    SUMS(STEP)
  }
}
#undef STEP

_Static_assert(TSR_PEAK_STEP_BYTES % (SUM_COUNT * sizeof(SI)) == 0, "whole steps");
#undef SUMS
#undef SUM_COUNT
#undef NAME
#undef TARGET
#undef PS
#undef SI
#undef SET_PS
#undef SET_EPI8
#undef ADD_PRODUCTS_PS
#undef ADD_PRODUCTS_EPI8
#undef PRODUCTS
#undef ADD
#undef LOAD
#undef STORE
