/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM blocks by vpmaddwd, which adds two exact products of 16-bit elements in each 32-bit lane.
 *
 * Inputs are kept as int16. A tile is out/8 groups of int16 weight[in/2][8 channels][2]. */
#include <immintrin.h>
#include <string.h>

#include "hw/sim/func/kernel.h"

#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

static size_t tile_bytes(int in, int out)
{
  return (size_t)in * (size_t)out * 2;
}

TARGET static void pack_inp(uint8_t *to, const int8_t *from, size_t elements)
{
  int16_t *wide = (int16_t *)(void *)to;
  for (size_t i = 0; i < elements; i++)
    wide[i] = from[i];
}

static void pack_wgt(uint8_t *to, const int8_t *from, int in, int out)
{
  int16_t *wide = (int16_t *)(void *)to;
  for (int c = 0; c < out; c += 8)
    for (int k = 0; k < in; k += 2)
      for (int lane = 0; lane < 8; lane++) {
        *wide++ = from[(c + lane) * in + k];
        *wide++ = from[(c + lane) * in + k + 1];
      }
}

static inline int32_t pair(const uint8_t *bytes)
{
  int32_t v;
  memcpy(&v, bytes, 4);
  return v;
}

/* Sums of p rows, for the eight channels from c on. */
INLINE void kernel(const struct tsr__block *block, const struct tsr__row *row, int c, int pairs,
                   const int p_count)
{
  const uint8_t *wgt = block->wgt + (size_t)c * (size_t)pairs * 4, *x[4];
  __m256i sum[4];
  for (int p = 0; p < p_count; p++) {
    x[p] = block->inp + row[p].a;
    sum[p] = _mm256_loadu_si256((const void *)(block->acc + row[p].d + c));
  }
  for (size_t s = 0; s < block->step_count; s++) {
    const uint8_t *w = wgt + block->steps[s].b;
    ptrdiff_t a = block->steps[s].a;
    for (int j = 0; j < pairs; j++) {
      __m256i weight = _mm256_loadu_si256((const void *)(w + (size_t)j * 32));
      for (int p = 0; p < p_count; p++)
        sum[p] = _mm256_add_epi32(
            sum[p], _mm256_madd_epi16(_mm256_set1_epi32(pair(x[p] + a + 4 * j)), weight));
    }
  }
  for (int p = 0; p < p_count; p++)
    _mm256_storeu_si256((void *)(block->acc + row[p].d + c), sum[p]);
}

INLINE void rows(const struct tsr__block *block, int c, int pairs)
{
  size_t p = 0;
  for (; p + 4 <= block->row_count; p += 4)
    kernel(block, block->rows + p, c, pairs, 4);
  for (; p < block->row_count; p++)
    kernel(block, block->rows + p, c, pairs, 1);
}

TARGET static void run(const struct tsr__block *block)
{
  for (int c = 0; c < block->out; c += 8) {
    if (block->in == 16)
      rows(block, c, 8);
    else
      rows(block, c, block->in / 2);
  }
}

const struct tsr__kernel *tsr__kernel_avx2(int in, int out)
{
  static const struct tsr__kernel any = {2, tile_bytes, pack_inp, pack_wgt, run, false};
  return in % 2 || out % 8 ? NULL : &any;
}
