/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM blocks by vpdpbusd, which multiplies unsigned by signed bytes: inputs are kept with 128
 * added, and 128 times the sum of each tile's weights is taken off at the end. Exact modulo 2^32.
 *
 * A tile is out/L groups of L output channels, L = 16, 8 or 4 lanes of 32 bits. A group is L int32
 * corrections, then in/4 vectors that hold four weights of each of the L channels:
 *
 *   int32 correction[L], int8 weight[in/4][L][4]
 *
 * A kernel holds P rows by Q groups of sums in registers over all steps; S sums for each, because a
 * vpdpbusd takes five cycles and two start in each. */
#include <immintrin.h>
#include <string.h>

#include "hw/sim/func/kernel.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define INLINE TARGET static inline __attribute__((always_inline))

static int lanes_of(int out)
{
  return out % 16 == 0 ? 16 : out % 8 == 0 ? 8 : 4;
}

static size_t tile_bytes(int in, int out)
{
  return (size_t)(in / 4 + 1) * (size_t)out * 4;
}

TARGET static void pack_inp(uint8_t *to, const int8_t *from, size_t elements)
{
  for (size_t i = 0; i < elements; i++)
    to[i] = (uint8_t)(from[i] ^ -128);
}

/* One group: from is (lanes,in). */
static void pack_group(uint8_t *to, const int8_t *from, int in, int lanes)
{
  for (int c = 0; c < lanes; c++) {
    int32_t sum = 0;
    for (int k = 0; k < in; k++)
      sum += from[c * in + k];
    sum *= 128;
    memcpy(to + 4 * c, &sum, 4);
    for (int j = 0; j < in / 4; j++)
      memcpy(to + ((j + 1) * lanes + c) * 4, from + c * in + 4 * j, 4);
  }
}

/* The same for 16 lanes: column j of the group's 32-bit words is a gather. */
TARGET static void pack_group16(uint8_t *to, const int8_t *from, int in)
{
  const __m512i rows = _mm512_mullo_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
      _mm512_set1_epi32(in));
  const __m512i offset = _mm512_set1_epi8(-128); /* 128 as an unsigned byte */
  __m512i sum = _mm512_setzero_si512();
  for (int j = 0; j < in / 4; j++) {
    __m512i w = _mm512_i32gather_epi32(rows, from + 4 * j, 1);
    _mm512_storeu_si512(to + (j + 1) * 64, w);
    sum = _mm512_dpbusd_epi32(sum, offset, w);
  }
  _mm512_storeu_si512(to, sum);
}

static void pack_wgt(uint8_t *to, const int8_t *from, int in, int out)
{
  int lanes = lanes_of(out);
  for (int c = 0; c < out; c += lanes) {
    if (lanes == 16)
      pack_group16(to, from + c * in, in);
    else
      pack_group(to, from + c * in, in, lanes);
    to += tile_bytes(in, lanes);
  }
}

static inline int32_t word(const uint8_t *bytes)
{
  int32_t v;
  memcpy(&v, bytes, 4);
  return v;
}

/* Where the groups of a kernel are: elements of acc and bytes of wgt from the block's, and from the
 * first group to the second. */
struct groups {
  size_t acc, wgt, acc_q, wgt_q;
};

/* sum += input . weight. By hand, because around the intrinsic compilers move sums between
 * registers. */
#define DOT(sum, input, weight) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(input), "v"(weight))

/* The kernel for vectors of L lanes: p rows from `row` on, q groups, the second of them acc_q
 * elements and wgt_q bytes behind the first; s, the sums for each, divides words, which is in/4.
 * Loops over p, q and s are constant and unrolled. */
#define KERNEL(L, V, SET1, ZERO, LOAD, STORE, ADD, SUB)                                            \
  INLINE void kernel##L(const struct tsr__block *block, const struct tsr__row *row,                \
                        struct groups at, int words, const int p_count, const int q_count,         \
                        const int s_count)                                                         \
  {                                                                                                \
    const uint8_t *wgt = block->wgt + at.wgt, *x[8];                                               \
    V sum[8][2][4], correction[2] = {ZERO(), ZERO()};                                              \
    for (int p = 0; p < p_count; p++) {                                                            \
      x[p] = block->inp + row[p].a;                                                                \
      for (int q = 0; q < q_count; q++)                                                            \
        for (int s = 0; s < s_count; s++)                                                          \
          sum[p][q][s] = ZERO();                                                                   \
    }                                                                                              \
    const struct tsr__step *step = block->steps, *end = step + block->step_count;                  \
    for (; step < end; step++) {                                                                   \
      const uint8_t *w = wgt + step->b;                                                            \
      const ptrdiff_t a = step->a;                                                                 \
      for (int q = 0; q < q_count; q++)                                                            \
        correction[q] = ADD(correction[q], LOAD((const void *)(w + (size_t)q * at.wgt_q)));        \
      for (int j = 0; j < words; j += s_count)                                                     \
        for (int s = 0; s < s_count; s++) {                                                        \
          V weight[2];                                                                             \
          for (int q = 0; q < q_count; q++)                                                        \
            weight[q] = LOAD(                                                                      \
                (const void *)(w + (size_t)q * at.wgt_q + (size_t)(j + s + 1) * L * 4));           \
          for (int p = 0; p < p_count; p++) {                                                      \
            V input = SET1(word(x[p] + a + 4 * (j + s)));                                          \
            for (int q = 0; q < q_count; q++)                                                      \
              DOT(sum[p][q][s], input, weight[q]);                                                 \
          }                                                                                        \
        }                                                                                          \
    }                                                                                              \
    for (int p = 0; p < p_count; p++)                                                              \
      for (int q = 0; q < q_count; q++) {                                                          \
        int32_t *d = block->acc + row[p].d + at.acc + (size_t)q * at.acc_q;                        \
        V total = SUB(LOAD((const void *)d), correction[q]);                                       \
        for (int s = 0; s < s_count; s++)                                                          \
          total = ADD(total, sum[p][q][s]);                                                        \
        STORE((void *)d, total);                                                                   \
      }                                                                                            \
  }

KERNEL(16, __m512i, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_loadu_si512,
       _mm512_storeu_si512, _mm512_add_epi32, _mm512_sub_epi32)
KERNEL(8, __m256i, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_loadu_si256, _mm256_storeu_si256,
       _mm256_add_epi32, _mm256_sub_epi32)
KERNEL(4, __m128i, _mm_set1_epi32, _mm_setzero_si128, _mm_loadu_si128, _mm_storeu_si128,
       _mm_add_epi32, _mm_sub_epi32)

/* All rows, for q groups; s1 to s8: the sums for each at 1, 2, 4 and 8 rows. */
#define ROWS(L)                                                                                    \
  INLINE void rows##L(const struct tsr__block *block, struct groups at, int words, const int q,    \
                      const int s1, const int s2, const int s4, const int s8)                      \
  {                                                                                                \
    const struct tsr__row *row = block->rows, *end = row + block->row_count;                       \
    for (; end - row >= 8; row += 8)                                                               \
      kernel##L(block, row, at, words, 8, q, s8);                                                  \
    if (end - row >= 4) {                                                                          \
      kernel##L(block, row, at, words, 4, q, s4);                                                  \
      row += 4;                                                                                    \
    }                                                                                              \
    if (end - row >= 2) {                                                                          \
      kernel##L(block, row, at, words, 2, q, s2);                                                  \
      row += 2;                                                                                    \
    }                                                                                              \
    if (row < end)                                                                                 \
      kernel##L(block, row, at, words, 1, q, s1);                                                  \
  }

ROWS(16)
ROWS(8)
ROWS(4)

/* A block and its twin, if it has one, as the two groups of a kernel: for tiles of one group. */
static struct groups with_twin(const struct tsr__block *block)
{
  return (struct groups){0, 0, block->twin_acc, block->twin_wgt};
}

TARGET static void run4x4(const struct tsr__block *block)
{
  if (block->twin)
    rows4(block, with_twin(block), 1, 2, 1, 1, 1, 1);
  else
    rows4(block, with_twin(block), 1, 1, 1, 1, 1, 1);
}

TARGET static void run8x8(const struct tsr__block *block)
{
  if (block->twin)
    rows8(block, with_twin(block), 2, 2, 2, 2, 2, 1);
  else
    rows8(block, with_twin(block), 2, 1, 2, 2, 2, 2);
}

TARGET static void run16x16(const struct tsr__block *block)
{
  if (block->twin)
    rows16(block, with_twin(block), 4, 2, 4, 4, 2, 1);
  else
    rows16(block, with_twin(block), 4, 1, 4, 4, 2, 2);
}

/* Tiles of several groups pair their own, and have no use for twins. */
TARGET static void run32x32(const struct tsr__block *block)
{
  rows16(block, (struct groups){0, 0, 16, tile_bytes(32, 16)}, 8, 2, 4, 4, 2, 1);
}

TARGET static void run_any(const struct tsr__block *block)
{
  int words = block->in / 4, out = block->out, lanes = lanes_of(out);
  size_t group = tile_bytes(block->in, lanes);
  struct groups at = {0, 0, (size_t)lanes, group};
  bool pairs = out % 32 == 0;
  for (int c = 0; c < out; c += pairs ? 32 : lanes) {
    at.acc = (size_t)c;
    at.wgt = (size_t)(c / lanes) * group;
    if (lanes == 4)
      rows4(block, at, words, 1, 1, 1, 1, 1);
    else if (lanes == 8)
      rows8(block, at, words, 1, 1, 1, 1, 1);
    else if (pairs)
      rows16(block, at, words, 2, 1, 1, 1, 1);
    else
      rows16(block, at, words, 1, 1, 1, 1, 1);
  }
}

const struct tsr__kernel *tsr__kernel_avx512(int in, int out)
{
  static const struct tsr__kernel any = {1, tile_bytes, pack_inp, pack_wgt, run_any, false},
                                  by4 = {1, tile_bytes, pack_inp, pack_wgt, run4x4, true},
                                  by8 = {1, tile_bytes, pack_inp, pack_wgt, run8x8, true},
                                  by16 = {1, tile_bytes, pack_inp, pack_wgt, run16x16, true},
                                  by32 = {1, tile_bytes, pack_inp, pack_wgt, run32x32, false};
  if (in % 4 || out % 4)
    return NULL;
  if (in != out)
    return &any;
  return in == 4 ? &by4 : in == 8 ? &by8 : in == 16 ? &by16 : in == 32 ? &by32 : &any;
}
