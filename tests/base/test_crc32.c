/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32.h"
#include "tests/base/cases.h"

/* The definition, bit by bit. */
static uint32_t by_bits(const uint8_t *bytes, size_t size)
{
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static void the_check_value_is_known(void **state)
{
  (void)state;
  assert_int_equal(tsr_crc32(0, "123456789", 9), 0xcbf43926u);
  assert_int_equal(tsr_crc32(0, "", 0), 0);
}

/* Around every number of blocks, from every place. */
static void every_size_and_place_is_as_defined(void **state)
{
  (void)state;
  enum { MOST = 400 };
  uint8_t bytes[MOST + 16];
  uint64_t seed = 32;
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)next_random(&seed);
  for (size_t size = 0; size <= MOST; size++)
    assert_int_equal(tsr_crc32(0, bytes + size % 16, size), by_bits(bytes + size % 16, size));
}

static void pieces_make_the_whole(void **state)
{
  (void)state;
  enum { SIZE = 100003 };
  uint8_t *bytes = malloc(SIZE);
  uint64_t seed = 33;
  for (size_t i = 0; i < SIZE; i++)
    bytes[i] = (uint8_t)next_random(&seed);
  uint32_t whole = by_bits(bytes, SIZE), crc = 0;
  assert_int_equal(tsr_crc32(0, bytes, SIZE), whole);
  for (size_t at = 0, piece; at < SIZE; at += piece) {
    piece = next_random(&seed) % 700;
    piece = piece < SIZE - at ? piece : SIZE - at;
    crc = tsr_crc32(crc, bytes + at, piece);
  }
  assert_int_equal(crc, whole);
  free(bytes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_check_value_is_known),
      cmocka_unit_test(every_size_and_place_is_as_defined),
      cmocka_unit_test(pieces_make_the_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
