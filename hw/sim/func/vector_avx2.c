/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

/* AVX2 has no 64-bit arithmetic shift: QUANT goes lane by lane. */
#define TARGET __attribute__((target("avx2")))
#define NAME tsr__vector_avx2
#define WIDEST 8

#include "base/arith.h"
#include "hw/sim/func/vector.h"

#define INLINE TARGET static inline __attribute__((always_inline))

INLINE void widen(const int8_t *from, int count, void *out)
{
  if (count == 8)
    _mm256_storeu_si256(out, _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)from)));
  else
    _mm_storeu_si128(out, _mm_cvtepi8_epi32(_mm_loadu_si32(from)));
}

INLINE void quant(const void *a, const int32_t *b, size_t lanes, int count, void *out)
{
  const int32_t *x = a;
  int32_t *z = out;
  for (int i = 0; i < count; i++)
    z[i] = tsr_quant_i32(x[i], b[i], b[lanes + (size_t)i], b[2 * lanes + (size_t)i]);
}

#include "hw/sim/func/vector_body.h"
