/* SPDX-License-Identifier: Apache-2.0 */
/* Floats of fewer bits. The two of 16 bits, as bits: f16 is IEEE 754's binary16; bf16 is the upper half of an f32.
 *
 * Every value of both is a float. The other way is rounded once, to nearest, ties to even: what is too
 * large becomes infinity, denormals are kept. A NaN stays one, quiet, with its sign and the upper bits of
 * its payload: the bits that F16C's conversions give. tf32 is an f32 of 10 bits of fraction. */
#ifndef TSR_BASE_HALF_H
#define TSR_BASE_HALF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t tsr__bits_of_float(float x)
{
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

static inline float tsr__float_of_bits(uint32_t u)
{
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

static inline float tsr_float_of_f16(uint16_t h)
{
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, m = h & 0x7fff;
  uint32_t finite = tsr__bits_of_float(tsr__float_of_bits(m << 13) * 0x1p112f);
  uint32_t quiet = m > 0x7c00 ? 0x400000 : 0;
  return tsr__float_of_bits(sign | (m < 0x7c00 ? finite : 0x7f800000 | m << 13 | quiet));
}

/* Below 2^-14 the units of f16 are 2^-24, which are those of floats from 0.5 to 1: so adding 0.5 rounds. */
static inline uint16_t tsr_f16_of_float(float x)
{
  uint32_t u = tsr__bits_of_float(x), sign = u >> 16 & 0x8000, m = u & 0x7fffffff;
  uint32_t normal = (m - (UINT32_C(112) << 23) + 0xfff + (m >> 13 & 1)) >> 13;
  uint32_t denormal = tsr__bits_of_float(tsr__float_of_bits(m) + 0.5f) - (UINT32_C(126) << 23);
  uint32_t large = m > 0x7f800000 ? 0x7e00 | (m >> 13 & 0x3ff) : 0x7c00;
  uint32_t finite = m < UINT32_C(113) << 23 ? denormal : normal;
  return (uint16_t)(sign | (m < UINT32_C(143) << 23 ? finite : large));
}

static inline float tsr_float_of_bf16(uint16_t h)
{
  return tsr__float_of_bits((uint32_t)h << 16);
}

static inline uint16_t tsr_bf16_of_float(float x)
{
  uint32_t u = tsr__bits_of_float(x);
  uint32_t rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16, quiet = u >> 16 | 0x40;
  return (uint16_t)((u & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
}

/* x as a float from which either half is rounded as from x itself: of its mantissa 12 bits are kept, the
 * last of which is set where anything below it was ("rounding to odd"). */
static inline float tsr__float_to_odd(double x)
{
  uint64_t u, below = (UINT64_C(1) << 40) - 1;
  memcpy(&u, &x, sizeof u);
  u = (u & ~below) | ((u & below) != 0 ? below + 1 : 0);
  memcpy(&x, &u, sizeof x);
  return (float)x;
}

/* To nearest, ties away from 0; what is too large becomes infinity. */
static inline float tsr_tf32_of_float(float x)
{
  uint32_t u = tsr__bits_of_float(x);
  bool finite = (u & 0x7f800000) != 0x7f800000;
  return tsr__float_of_bits(finite ? (u + 0x1000) & ~UINT32_C(0x1fff) : u);
}

static inline uint16_t tsr_f16_of_double(double x)
{
  return tsr_f16_of_float(tsr__float_to_odd(x));
}

static inline uint16_t tsr_bf16_of_double(double x)
{
  return tsr_bf16_of_float(tsr__float_to_odd(x));
}

#endif
