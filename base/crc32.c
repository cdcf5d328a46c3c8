/* SPDX-License-Identifier: Apache-2.0 */
/* Weights are many: sixteen bytes at a time where the CPU multiplies without carries, else eight.
 *
 * Bit i of a word is the coefficient of x^(width-1-i), and the checksum is what is left of the bytes,
 * as a polynomial, modulo P. What bytes are worth D bits further on is their product with x^D, of
 * which only the rest modulo P counts: 128 bits are moved on by two products with constants of 32 bits
 * and are 128 bits again. Bytes that were so added up have the checksum of all before them. */
#include "base/crc32.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define POLYNOMIAL 0xedb88320u

static uint32_t times_x(uint32_t v)
{
  return v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
}

/* of[k][b] is what byte b does to the checksum when k bytes come behind it. */
struct table {
  uint32_t of[8][256];
};

static void fill(struct table *t)
{
  uint32_t(*table)[256] = t->of;
  for (uint32_t b = 0; b < 256; b++) {
    table[0][b] = b;
    for (int bit = 0; bit < 8; bit++)
      table[0][b] = times_x(table[0][b]);
  }
  for (int k = 1; k < 8; k++)
    for (int b = 0; b < 256; b++)
      table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 255];
}

static uint32_t by_table(const struct table *t, uint32_t crc, const uint8_t *bytes, size_t size)
{
  const uint32_t(*table)[256] = t->of;
  for (; size >= 8; bytes += 8, size -= 8) {
    for (int k = 0; k < 4; k++)
      crc ^= (uint32_t)bytes[k] << 8 * k;
    uint32_t next = 0;
    for (int k = 0; k < 4; k++)
      next ^= table[7 - k][crc >> 8 * k & 255] ^ table[3 - k][bytes[4 + k]];
    crc = next;
  }
  for (; size; bytes++, size--)
    crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 255];
  return crc;
}

#ifdef __x86_64__
enum { LANE = 16, LANES = 4 };

/* x^n mod P, where a product of two words has it: in the upper half of 64 bits. */
static long long power(int n)
{
  uint32_t v = UINT32_C(1) << 31;
  while (n--)
    v = times_x(v);
  return (long long)((uint64_t)v << 32);
}

/* The constants that move 128 bits on by so many. A product of two words is one bit short of 128. */
__attribute__((target("pclmul"))) static __m128i distance(int bits)
{
  return _mm_set_epi64x(power(bits - 1), power(bits + 63));
}

__attribute__((target("pclmul"))) static __m128i move(__m128i v, __m128i by)
{
  return _mm_xor_si128(_mm_clmulepi64_si128(v, by, 0x00), _mm_clmulepi64_si128(v, by, 0x11));
}

__attribute__((target("pclmul"))) static __m128i load(const uint8_t *bytes)
{
  return _mm_loadu_si128((const __m128i *)bytes);
}

/* size: at least one block of four lanes; what is behind the last is left. */
__attribute__((target("pclmul"))) static uint32_t by_blocks(const struct table *t, uint32_t crc,
                                                            const uint8_t *bytes, size_t size)
{
  __m128i lane[LANES], on = distance(8 * LANE * LANES);
  uint8_t rest[LANE];
  for (int k = 0; k < LANES; k++)
    lane[k] = load(bytes + LANE * k);
  lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi32_si128((int)crc));
  for (bytes += LANE * LANES; size >= 2 * LANE * LANES; bytes += LANE * LANES, size -= LANE * LANES)
    for (int k = 0; k < LANES; k++)
      lane[k] = _mm_xor_si128(move(lane[k], on), load(bytes + LANE * k));
  on = distance(8 * LANE);
  for (int k = 1; k < LANES; k++)
    lane[k] = _mm_xor_si128(move(lane[k - 1], on), lane[k]);
  _mm_storeu_si128((__m128i *)rest, lane[LANES - 1]);
  return by_table(t, 0, rest, LANE);
}

static size_t whole_blocks(size_t size)
{
  return __builtin_cpu_supports("pclmul") ? size - size % (LANE * LANES) : 0;
}
#else
static size_t whole_blocks(size_t size)
{
  (void)size;
  return 0;
}

static uint32_t by_blocks(const struct table *t, uint32_t crc, const uint8_t *bytes, size_t size)
{
  return by_table(t, crc, bytes, size);
}
#endif

uint32_t tsr_crc32(uint32_t crc, const void *bytes, size_t size)
{
  const uint8_t *p = bytes;
  size_t blocks = whole_blocks(size);
  struct table table;
  fill(&table);
  crc = ~crc;
  if (blocks)
    crc = by_blocks(&table, crc, p, blocks);
  return ~by_table(&table, crc, p + blocks, size - blocks);
}
