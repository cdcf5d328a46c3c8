/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of machine code: written and read back, refused where they are damaged, never writable
 * and executable at once. */
#include "tests/cpu/rig.h"

static const char text[] = "func f(x: f32[40]) -> (y: f32[40]) {\n  one: y[i] = sin(x[i])\n}\n";

static struct tsr_bytes section(struct tsr_arena *a)
{
  return code_of(a, func_of(a, text), TSR_ALL_LEVELS);
}

static uint64_t word(const struct tsr_bytes *b, size_t at)
{
  uint64_t v;
  memcpy(&v, b->data + at, sizeof v);
  return v;
}

static void levels(void **state)
{
  struct tsr_bytes bytes = section(*state);
  struct tsr_code_block *block;
  struct tsr_err err = {0};
  int blocks;
  assert_int_equal(tsr_code_read(*state, &err, &bytes, 1, &blocks, &block), TSR_OK);
  assert_int_equal(blocks, TSR_LEVELS);
  for (int k = 0; k < blocks; k++) {
    assert_int_equal(block[k].level, k);
    assert_int_equal(block[k].imports, 1);
    assert_string_equal(block[k].import[0], "sinf");
  }
  assert_ptr_equal(tsr_code_choose(blocks, block, TSR_ALL_LEVELS), &block[TSR_LEVELS - 1]);
  assert_ptr_equal(tsr_code_choose(blocks, block, 1u << TSR_LEVEL_AVX2), &block[TSR_LEVEL_AVX2]);
  unsigned without = (1u << TSR_LEVEL_SSE2) | (1u << TSR_LEVEL_AVX2) | (1u << TSR_LEVEL_AVX512);
  assert_ptr_equal(tsr_code_choose(TSR_LEVEL_AVX512, block, without), &block[TSR_LEVEL_AVX2]);
  assert_ptr_equal(tsr_code_choose(1, block, TSR_ALL_LEVELS), &block[0]);
  assert_null(tsr_code_choose(1, block, 1u << TSR_LEVEL_VNNI));
  assert_null(tsr_code_choose(blocks, block, 0));
}

/* The same func gives the same bytes. */
static void same_bytes(void **state)
{
  struct tsr_bytes a = section(*state), b = section(*state);
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.data, b.data, a.size);
}

static void not_writable(void **state)
{
  struct tsr_bytes bytes = section(*state);
  struct tsr_code_block *block;
  struct tsr_code_mapping mapping;
  int blocks, seen = 0;
  char line[512];
  assert_int_equal(tsr_code_read(*state, NULL, &bytes, 1, &blocks, &block), TSR_OK);
  assert_int_equal(tsr_code_map(NULL, &block[0], &mapping), TSR_OK);
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) {
    unsigned long long from, to;
    char rights[8];
    if (sscanf(line, "%llx-%llx %7s", &from, &to, rights) == 3 &&
        from <= (uintptr_t)mapping.memory && (uintptr_t)mapping.memory < to) {
      assert_string_equal(rights, "r-xp");
      seen++;
    }
  }
  if (maps)
    fclose(maps);
  assert_int_equal(seen, 1);
  tsr_code_unmap(&mapping);
  assert_null(mapping.memory);
}

/* What a damaged value at an offset is refused with. */
static void refused(void **state)
{
  struct tsr_bytes good = section(*state);
  size_t first = word(&good, 32), levels_row = 16;
  const struct {
    size_t at;
    uint64_t value;
    const char *says;
  } rows[] = {
      {0, 0, "the section of machine code does not begin as one does"},
      {4, 3 | (uint64_t)TSR_LEVELS << 32,
       "the machine code has format version 3; version 2 is read"},
      {8, 77, "the machine code is said to be for 77 levels"},
      {levels_row, 0x31786661, "there is machine code for 'afx1', which is no known level"},
      {levels_row + 32, 0x32657373, "the machine code for 'sse2' is not in the order of levels"},
      {levels_row + 16, first + 1, "the machine code for 'sse2' is not inside of its section"},
      {levels_row + 24, UINT64_MAX, "the machine code for 'sse2' is not inside of its section"},
      {levels_row + 24, 8, "the machine code for 'sse2' is cut off"},
      {first, 2 | UINT64_C(1) << 32,
       "the machine code for 'sse2' is of 2 layers; the module has 1"},
      {first + 8, 64, "the machine code for 'sse2' does not have the size that it states"},
      {first + 16, 1 << 20,
       "the machine code for 'sse2' has no room for the addresses of the 1 functions that it "
       "calls"},
      {first + 32, 1 << 20,
       "the machine code for 'sse2': layer 0 begins at 1048576, which is no place in"},
      {first + 32, 8, "the machine code for 'sse2': layer 0 begins at 8, which is no place in"},
      {first + 40, UINT64_MAX / 2, "the machine code for 'sse2': layer 0 wants"},
      {first + 48, UINT64_MAX / 2, "the machine code for 'sse2': layer 0 wants"},
      {first + 48, 8,
       "the machine code for 'sse2': the scratch memory of layer 0 is no multiple of 64 bytes"},
      {first + 56, 0x736e6f7465,
       "the machine code for 'sse2' calls 'etons', which is none of the functions"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct tsr_bytes bad = {tsr_arena_copy(*state, good.data, good.size + 1), good.size};
    struct tsr_code_block *block;
    struct tsr_err err = {0};
    int blocks;
    memcpy(bad.data + rows[k].at, &rows[k].value, 8);
    assert_int_equal(tsr_code_read(*state, &err, &bad, 1, &blocks, &block), TSR_REFUSED);
    if (strncmp(err.text, rows[k].says, strlen(rows[k].says)))
      fail_msg("row %zu: %s", k, err.text);
  }
}

/* Cut off anywhere, or changed in any byte of its tables: refused or read, never more than that. */
static void every_byte(void **state)
{
  struct tsr_bytes good = section(*state);
  for (size_t size = 1; size < good.size; size += size < 600 ? 1 : 97) {
    struct tsr_code_block *block;
    struct tsr_arena *a = tsr_arena_new(NULL);
    int blocks;
    struct tsr_bytes cut = {tsr_arena_copy(a, good.data, size), size};
    assert_int_equal(tsr_code_read(a, NULL, &cut, 1, &blocks, &block), TSR_REFUSED);
    tsr_arena_free(a);
  }
  for (size_t at = 0; at < 512; at++)
    for (int bit = 0; bit < 8; bit++) {
      struct tsr_code_block *block;
      struct tsr_arena *a = tsr_arena_new(NULL);
      int blocks;
      struct tsr_bytes bad = {tsr_arena_copy(a, good.data, good.size), good.size};
      bad.data[at] ^= (uint8_t)(1 << bit);
      (void)tsr_code_read(a, NULL, &bad, 1, &blocks, &block);
      tsr_arena_free(a);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(levels),  IN_ARENA(same_bytes), IN_ARENA(not_writable),
      IN_ARENA(refused), IN_ARENA(every_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
