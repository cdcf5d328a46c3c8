/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "isa/isa.h"
#include "random.h"
#include "tests/base/in_arena.h"

/* finish, and data 1 2 3 */
static uint8_t *small_file(struct tsr_arena *arena, size_t *size)
{
  struct tsr_program program;
  uint8_t *bytes;
  const char *text = ".design 0x1122334455667788\n.window 4096\nfinish\n.data\n.byte 1,2,3\n";
  assert_int_equal(tsr_assemble(arena, NULL, "t", text, &program), TSR_OK);
  tsr_program_write(arena, &program, &bytes, size);
  return bytes;
}

static void random_programs_come_back(void **state)
{
  (void)state;
  uint64_t seed = random_seed();
  for (int i = 0; i < 1000; i++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct tsr_program a = random_program(arena, &seed), b;
    struct tsr_err err;
    uint8_t *bytes;
    size_t size;
    tsr_program_write(arena, &a, &bytes, &size);
    if (tsr_program_read(arena, &err, "t.tbin", bytes, size, &b))
      fail_msg("%s", err.text);
    memset(bytes, 0, size); /* the program keeps nothing of the file */
    assert_int_equal(a.insn_count, b.insn_count);
    assert_int_equal(a.data_bytes, b.data_bytes);
    assert_int_equal(a.window_bytes, b.window_bytes);
    assert_true(a.design_hash == b.design_hash);
    assert_memory_equal(a.insns, b.insns, a.insn_count * TSR_INSN_BYTES);
    assert_memory_equal(a.data, b.data, a.data_bytes);
    tsr_arena_free(arena);
  }
}

/* The layout by hand: a file of today is a file of tomorrow. */
static void the_bytes_of_a_file(void **state)
{
  size_t size;
  const uint8_t *bytes = small_file(*state, &size);
  static const uint8_t head[48] = {'T',  'S', 'R', 'B', 1, 0, 0, 0, 0x88, 0x77, 0x66, 0x55,
                                   0x44, 0x33, 0x22, 0x11, 0, 0x10, 0, 0, 0, 0, 0, 0,
                                   1,    0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0};
  assert_int_equal(size, 64 + 32 + 3 + 4);
  assert_memory_equal(bytes, head, sizeof head);
  assert_int_equal(bytes[64], TSR_OP_FINISH);
  assert_memory_equal(bytes + 96, "\1\2\3", 3);
}

static void every_cut_is_refused(void **state)
{
  size_t size;
  uint8_t *bytes = small_file(*state, &size);
  for (size_t n = 0; n < size; n++) {
    struct tsr_program program;
    uint8_t *cut = malloc(n + 1); /* so that a sanitizer sees a read past the end */
    memcpy(cut, bytes, n);
    assert_int_equal(tsr_program_read(*state, NULL, "t", cut, n, &program), TSR_REFUSED);
    free(cut);
  }
}

static void every_changed_bit_is_refused(void **state)
{
  size_t size;
  uint8_t *bytes = small_file(*state, &size);
  for (size_t bit = 0; bit < 8 * size; bit++) {
    struct tsr_program program;
    struct tsr_err err = {0};
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_int_equal(tsr_program_read(*state, &err, "t", bytes, size, &program), TSR_REFUSED);
    assert_memory_equal(err.text, "t: ", 3);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

static void sentences(void **state)
{
  static const struct {
    int at, value, cut;
    const char *sentence;
  } rows[] = {
      {0, 'X', 0, "t: is not a Tessera program: it does not begin with TSRB"},
      {0, 'T', 100, "t: is not a Tessera program: it does not begin with TSRB"},
      {0, 'T', 63, "t: ends after 40 bytes, inside of its header"},
      {4, 2, 0, "t: has program version 2; this build reads version 1"},
      {31, 0x80, 0, "t: claims 9223372036854775809 instructions; the most is 16777216"},
      {36, 1, 0, "t: claims 4294967299 bytes of data; the most is 1073741824"},
      {17, 0, 0,
       "t: claims a window of 0 bytes, outside of its 3 bytes of data to 4294967296"},
      {21, 1, 0,
       "t: claims a window of 1099511631872 bytes, outside of its 3 bytes of data to 4294967296"},
      {24, 2, 0, "t: has 103 bytes where its header claims 135"},
      {0, 'T', 1, "t: has 102 bytes where its header claims 103"},
      {97, 9, 0, "t: is damaged: its CRC-32 is 0x"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_program program;
    struct tsr_err err = {0};
    size_t size;
    uint8_t *bytes = small_file(*state, &size);
    bytes[rows[i].at] = (uint8_t)rows[i].value;
    assert_int_equal(
        tsr_program_read(*state, &err, "t", bytes, size - (size_t)rows[i].cut, &program), TSR_REFUSED);
    if (strncmp(err.text, rows[i].sentence, strlen(rows[i].sentence)))
      fail_msg("row %zu: %s", i, err.text);
  }
}

/* The check value of CRC-32: of "123456789" it is 0xcbf43926. Here of a whole file, computed apart. */
static void the_checksum_is_crc32(void **state)
{
  size_t size;
  const uint8_t *bytes = small_file(*state, &size);
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < size - 4; i++) {
    crc ^= bytes[i];
    for (int k = 0; k < 8; k++)
      crc = crc & 1 ? crc >> 1 ^ UINT32_C(0xedb88320) : crc >> 1;
  }
  crc = ~crc;
  const uint8_t expected[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                               (uint8_t)(crc >> 24)};
  assert_memory_equal(bytes + size - 4, expected, 4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_programs_come_back),
      cmocka_unit_test(the_bytes_of_a_file),
      cmocka_unit_test(every_cut_is_refused),
      cmocka_unit_test(every_changed_bit_is_refused),
      cmocka_unit_test(sentences),
      cmocka_unit_test(the_checksum_is_crc32),
  };
  return cmocka_run_group_tests(tests, open_arena, close_arena);
}
