/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define NAME tsr__vector_avx512
#define WIDEST 16

#include "base/arith.h"
#include "hw/sim/func/vector.h"

#define INLINE TARGET static inline __attribute__((always_inline))

/* Eight lanes of tsr_quant_i32: the product is exact in 64 bits; it goes up where
 * rest + (floor is odd) > half, unless nothing is shifted out. */
INLINE void quant8(const __m256i *a, const __m256i *bias, const __m256i *multiplier,
                   const __m256i *packed, __m256i *out)
{
  const __m512i one = _mm512_set1_epi64(1);
  const __m256i far = _mm256_set1_epi32(1 << 20), near = _mm256_set1_epi32(-(1 << 20));
  __m512i sum = _mm512_add_epi64(_mm512_cvtepi32_epi64(*a), _mm512_cvtepi32_epi64(*bias));
  __m512i m = _mm512_cvtepi32_epi64(_mm256_and_si256(*multiplier, _mm256_set1_epi32(0x7fffffff)));
  __m512i product = _mm512_mullo_epi64(sum, m);
  __m512i shift = _mm512_cvtepi32_epi64(_mm256_and_si256(*packed, _mm256_set1_epi32(0x3f)));
  __m512i floor = _mm512_srav_epi64(product, shift), unit = _mm512_sllv_epi64(one, shift);
  __m512i rest = _mm512_and_si512(product, _mm512_sub_epi64(unit, one));
  __m512i odd = _mm512_maskz_and_epi64(_mm512_test_epi64_mask(shift, shift), floor, one);
  __mmask8 up = _mm512_cmpgt_epu64_mask(_mm512_add_epi64(rest, odd), _mm512_srli_epi64(unit, 1));
  __m512i v = _mm512_mask_add_epi64(floor, up, floor, one);
  __m256i r = _mm512_cvtsepi64_epi32(
      v); /* saturates, as do the next two: room for the zero point */
  r = _mm256_max_epi32(_mm256_min_epi32(r, far), near);
  __m256i zero_point = _mm256_srai_epi32(_mm256_slli_epi32(*packed, 16), 24);
  __m256i lo = _mm256_srai_epi32(_mm256_slli_epi32(*packed, 8), 24),
          hi = _mm256_srai_epi32(*packed, 24);
  *out = _mm256_min_epi32(_mm256_max_epi32(_mm256_add_epi32(r, zero_point), lo), hi);
}

/* Eight lanes, or four with zeros behind them: zero shifted by nothing. */
INLINE __m256i read8(const int32_t *from, bool four)
{
  return four ? _mm256_zextsi128_si256(_mm_loadu_si128((const void *)from))
              : _mm256_loadu_si256((const void *)from);
}

INLINE __m256i quant_lanes(const int32_t *a, const int32_t *b, size_t lanes, bool four)
{
  __m256i x = read8(a, four), bias = read8(b, four), multiplier = read8(b + lanes, four);
  __m256i packed = read8(b + 2 * lanes, four), z;
  quant8(&x, &bias, &multiplier, &packed, &z);
  return z;
}

INLINE void widen(const int8_t *from, int count, void *out)
{
  if (count == 16)
    _mm512_storeu_si512(out, _mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)from)));
  else if (count == 8)
    _mm256_storeu_si256(out, _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)from)));
  else
    _mm_storeu_si128(out, _mm_cvtepi8_epi32(_mm_loadu_si32(from)));
}

INLINE void quant(const void *a, const int32_t *b, size_t lanes, int count, void *out)
{
  __m256i low = quant_lanes(a, b, lanes, count == 4);
  if (count == 4) {
    _mm_storeu_si128(out, _mm256_castsi256_si128(low));
  } else if (count == 8) {
    _mm256_storeu_si256(out, low);
  } else {
    __m256i high = quant_lanes((const int32_t *)a + 8, b + 8, lanes, false);
    _mm512_storeu_si512(out, _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
  }
}

#include "hw/sim/func/vector_body.h"
