/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/machine/peak.h"

#ifdef __x86_64__
#include <immintrin.h>

/* Keeps the compiler from knowing what is in a register: neither is a sum that nobody reads left
 * out, nor is a product of constants taken out of a loop. */
#define USE(vector) __asm__ volatile("" : "+x"(vector))

#define NAME(loop)                 sse2_##loop
#define TARGET                     __attribute__((target("sse2")))
#define PS                         __m128
#define SI                         __m128i
#define SET_PS                     _mm_set1_ps
#define SET_EPI8                   _mm_set1_epi8
#define ADD_PRODUCTS_PS(s, x, y)   _mm_add_ps(_mm_mul_ps(s, x), y)
#define ADD_PRODUCTS_EPI8(s, x, y) _mm_add_epi32(s, _mm_madd_epi16(x, y))
#define PRODUCTS                   2
#define ADD                        _mm_add_epi32
#define LOAD                       _mm_load_si128
#define STORE                      _mm_store_si128
#include "runtime/machine/peak_loops.h"

#define NAME(loop)                 avx2_##loop
#define TARGET                     __attribute__((target("avx2,fma")))
#define PS                         __m256
#define SI                         __m256i
#define SET_PS                     _mm256_set1_ps
#define SET_EPI8                   _mm256_set1_epi8
#define ADD_PRODUCTS_PS            _mm256_fmadd_ps
#define ADD_PRODUCTS_EPI8(s, x, y) _mm256_add_epi32(s, _mm256_madd_epi16(x, y))
#define PRODUCTS                   2
#define ADD                        _mm256_add_epi32
#define LOAD                       _mm256_load_si256
#define STORE                      _mm256_store_si256
#include "runtime/machine/peak_loops.h"

#define NAME(loop)        avxvnni_##loop
#define TARGET            __attribute__((target("avx2,fma,avxvnni")))
#define PS                __m256
#define SI                __m256i
#define SET_PS            _mm256_set1_ps
#define SET_EPI8          _mm256_set1_epi8
#define ADD_PRODUCTS_PS   _mm256_fmadd_ps
#define ADD_PRODUCTS_EPI8 _mm256_dpbusd_avx_epi32
#define PRODUCTS          4
#define ADD               _mm256_add_epi32
#define LOAD              _mm256_load_si256
#define STORE             _mm256_store_si256
#include "runtime/machine/peak_loops.h"

#define NAME(loop)                 avx512_##loop
#define TARGET                     __attribute__((target("avx512f,avx512bw")))
#define PS                         __m512
#define SI                         __m512i
#define SET_PS                     _mm512_set1_ps
#define SET_EPI8                   _mm512_set1_epi8
#define ADD_PRODUCTS_PS            _mm512_fmadd_ps
#define ADD_PRODUCTS_EPI8(s, x, y) _mm512_add_epi32(s, _mm512_madd_epi16(x, y))
#define PRODUCTS                   2
#define ADD                        _mm512_add_epi32
#define LOAD                       _mm512_load_si512
#define STORE                      _mm512_store_si512
#include "runtime/machine/peak_loops.h"

#define NAME(loop)        vnni_##loop
#define TARGET            __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define PS                __m512
#define SI                __m512i
#define SET_PS            _mm512_set1_ps
#define SET_EPI8          _mm512_set1_epi8
#define ADD_PRODUCTS_PS   _mm512_fmadd_ps
#define ADD_PRODUCTS_EPI8 _mm512_dpbusd_epi32
#define PRODUCTS          4
#define ADD               _mm512_add_epi32
#define LOAD              _mm512_load_si512
#define STORE             _mm512_store_si512
#include "runtime/machine/peak_loops.h"

#define NAME(loop)                 bf16_##loop
#define TARGET                     __attribute__((target("avx512f,avx512bw,avx512vnni,avx512bf16")))
#define PS                         __m512
#define SI                         __m512i
#define SET_PS                     _mm512_set1_ps
#define SET_EPI8                   _mm512_set1_epi8
#define ADD_PRODUCTS_PS            _mm512_fmadd_ps
#define ADD_PRODUCTS_EPI8          _mm512_dpbusd_epi32
#define PRODUCTS                   4
#define ADD_PRODUCTS_BF16(s, x, y) _mm512_dpbf16_ps(s, (__m512bh)(x), (__m512bh)(y))
#define ADD                        _mm512_add_epi32
#define LOAD                       _mm512_load_si512
#define STORE                      _mm512_store_si512
#include "runtime/machine/peak_loops.h"

const struct tsr_peak_loops *tsr__peak_loops(enum tsr_level level)
{
  static const struct tsr_peak_loops loops[TSR_LEVELS] = {
#define SET(level, f32, i8)                                                                        \
  {{f32, level##_f32}, {i8, level##_i8}, {NULL, NULL}, level##_read, level##_copy}
      [TSR_LEVEL_SSE2] = SET(sse2, "mulps, addps", "pmaddwd, paddd"),
      [TSR_LEVEL_AVX2] = SET(avx2, "vfmadd", "vpmaddwd, vpaddd"),
      [TSR_LEVEL_AVXVNNI] = SET(avxvnni, "vfmadd", "vpdpbusd"),
      [TSR_LEVEL_AVX512] = SET(avx512, "vfmadd", "vpmaddwd, vpaddd"),
      [TSR_LEVEL_VNNI] = SET(vnni, "vfmadd", "vpdpbusd"),
      [TSR_LEVEL_BF16] = {{"vfmadd", bf16_f32},
                          {"vpdpbusd", bf16_i8},
                          {"vdpbf16ps", bf16_bf16},
                          bf16_read,
                          bf16_copy},
#undef SET
  };
  return &loops[level];
}
#else
const struct tsr_peak_loops *tsr__peak_loops(enum tsr_level level)
{
  (void)level;
  return NULL;
}
#endif
