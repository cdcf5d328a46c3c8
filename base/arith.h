/* SPDX-License-Identifier: Apache-2.0 */
/* The integer arithmetic of the whole project, defined once.
 *
 * Every interpreter, simulator and code generator computes these functions, bit for bit; the Verilog is
 * checked against them. 32-bit sums, differences and products wrap modulo 2^32; only QUANT and stores
 * to 8 bits saturate; whatever rounds, rounds once, to nearest, ties to even. */
#ifndef TSR_BASE_ARITH_H
#define TSR_BASE_ARITH_H

#include <stdint.h>

static inline int32_t tsr_wrap_i32(int64_t v)
{
  return (int32_t)(uint32_t)(uint64_t)v;
}

static inline int32_t tsr_add_i32(int32_t a, int32_t b)
{
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t tsr_sub_i32(int32_t a, int32_t b)
{
  return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t tsr_mul_i32(int32_t a, int32_t b)
{
  return (int32_t)((uint32_t)a * (uint32_t)b);
}

static inline int32_t tsr_shl_i32(int32_t a, int32_t b)
{
  return (int32_t)((uint32_t)a << (b & 31));
}

static inline int8_t tsr_sat_i8(int64_t v)
{
  return (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
}

/* v * 2^-s rounded to nearest, ties to even; 0 <= s <= 63. Exact for every v. */
static inline int64_t tsr_round_shift(int64_t v, int s)
{
  if (s == 0)
    return v;
  int64_t floor = v >> s; /* arithmetic shift: gcc and clang both define it so */
  uint64_t rest = (uint64_t)v & ((UINT64_C(1) << s) - 1), half = UINT64_C(1) << (s - 1);
  return floor + (rest > half || (rest == half && (floor & 1)));
}

/* SHR: shift amount is the low five bits of b. */
static inline int32_t tsr_shr_i32(int32_t a, int32_t b)
{
  return (int32_t)tsr_round_shift(a, b & 31);
}

/* The packed word of QUANT: | 31..24 hi | 23..16 lo | 15..8 zero point | 7..6 zero | 5..0 shift |,
 * hi, lo and zero point signed 8 bits, shift 0..63. */
static inline int32_t tsr_quant_pack(int shift, int zero_point, int lo, int hi)
{
  return (int32_t)(((uint32_t)hi & 0xff) << 24 | ((uint32_t)lo & 0xff) << 16 |
                   ((uint32_t)zero_point & 0xff) << 8 | ((uint32_t)shift & 0x3f));
}

/* QUANT: clamp(round((acc + bias) * m * 2^-shift) + zero_point, lo, hi).
 * acc + bias is exact (33 bits), m is the low 31 bits of `multiplier`, so that the product fits 64 bits
 * exactly (33 + 31); it is rounded once, ties to even. With lo > hi the result is hi. */
static inline int32_t tsr_quant_i32(int32_t acc, int32_t bias, int32_t multiplier, int32_t packed)
{
  int64_t sum = (int64_t)acc + bias;
  int64_t product = sum * (multiplier & 0x7fffffff);
  int64_t v = tsr_round_shift(product, packed & 0x3f);
  int zero_point = (int8_t)((uint32_t)packed >> 8);
  int lo = (int8_t)((uint32_t)packed >> 16), hi = (int8_t)((uint32_t)packed >> 24);
  if (v > 1 << 20) /* far outside of any clamp; keeps the next sum from overflowing */
    v = 1 << 20;
  if (v < -(1 << 20))
    v = -(1 << 20);
  v += zero_point;
  v = v < lo ? lo : v;
  return (int32_t)(v > hi ? hi : v);
}

#endif
