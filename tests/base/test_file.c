/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/base/cases.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct place {
  struct tsr_arena *arena;
  char folder[64];
};

static int open_place(void **state)
{
  struct place *p = calloc(1, sizeof *p);
  strcpy(p->folder, "/tmp/tessera_file_XXXXXX");
  p->arena = tsr_arena_new(NULL);
  *state = p;
  return mkdtemp(p->folder) ? 0 : -1;
}

static int close_place(void **state)
{
  struct place *p = *state;
  DIR *d = opendir(p->folder);
  for (struct dirent *e; (e = readdir(d));)
    if (e->d_name[0] != '.')
      remove(tsr_arena_printf(p->arena, "%s/%s", p->folder, e->d_name));
  closedir(d);
  rmdir(p->folder);
  tsr_arena_free(p->arena);
  free(p);
  return 0;
}

static int count_files(const char *folder)
{
  int n = 0;
  DIR *d = opendir(folder);
  for (struct dirent *e; (e = readdir(d));)
    n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

static void what_is_written_is_read(void **state)
{
  struct place *p = *state;
  char *path = tsr_arena_printf(p->arena, "%s/a.bin", p->folder);
  struct tsr_err err = {0};
  struct tsr_bytes got = {0};
  assert_int_equal(tsr_file_write(&err, path, "one\0two", 7), TSR_OK);
  assert_int_equal(tsr_file_read(p->arena, &err, path, 7, &got), TSR_OK);
  assert_int_equal(got.size, 7);
  assert_memory_equal(got.data, "one\0two", 8);
  assert_int_equal(tsr_file_write(&err, path, "", 0), TSR_OK); /* replaces */
  assert_int_equal(tsr_file_read(p->arena, &err, path, 7, &got), TSR_OK);
  assert_int_equal(got.size, 0);
  assert_int_equal(count_files(p->folder), 1);
}

static void what_is_mapped_is_the_file(void **state)
{
  struct place *p = *state;
  char *path = tsr_arena_printf(p->arena, "%s/a.bin", p->folder);
  enum { SIZE = 3 * 4096 };
  unsigned char *bytes = tsr_arena_alloc(p->arena, SIZE);
  struct tsr_err err = {0};
  struct tsr_bytes got;
  for (int i = 0; i < SIZE; i++)
    bytes[i] = (unsigned char)(i % 251);
  for (size_t size = SIZE - 1; size <= SIZE; size++) {
    assert_int_equal(tsr_file_write(&err, path, bytes, size), TSR_OK);
    assert_int_equal(tsr_file_map(p->arena, &err, path, SIZE, &got), TSR_OK);
    assert_int_equal(got.size, size);
    assert_int_equal((uintptr_t)got.data % 64, 0);
    assert_memory_equal(got.data, bytes, size);
  }
  assert_int_equal(tsr_file_write(&err, path, "other", 5), TSR_OK); /* beside it, and renamed */
  assert_memory_equal(got.data, bytes, SIZE);
  assert_int_equal(tsr_file_write(&err, path, "", 0), TSR_OK);
  assert_int_equal(tsr_file_map(p->arena, &err, path, SIZE, &got), TSR_OK);
  assert_int_equal(got.size, 0);
  assert_non_null(got.data);
}

typedef enum tsr_status reading(struct tsr_arena *arena, struct tsr_err *err, const char *path,
                                size_t limit, struct tsr_bytes *out);

static void refuses(struct place *p, reading *read)
{
  char *path = tsr_arena_printf(p->arena, "%s/a.bin", p->folder);
  struct tsr_err err = {0};
  struct tsr_bytes got = {.size = 99};
  assert_int_equal(tsr_file_write(&err, path, "12345678", 8), TSR_OK);
  assert_int_equal(read(p->arena, &err, path, 7, &got), TSR_REFUSED);
  assert_non_null(strstr(err.text, "a.bin: has 8 bytes, more than the 7 that are read"));
  assert_int_equal(read(p->arena, &err, p->folder, 7, &got), TSR_REFUSED);
  assert_non_null(strstr(err.text, "is a directory"));
  char *missing = tsr_arena_printf(p->arena, "%s/none", p->folder);
  assert_int_equal(read(p->arena, &err, missing, 7, &got), TSR_REFUSED);
  assert_non_null(strstr(err.text, "none: No such file"));
  char *pipe_path = tsr_arena_printf(p->arena, "%s/pipe", p->folder);
  assert_int_equal(mkfifo(pipe_path, 0600), 0);
  assert_int_equal(read(p->arena, &err, pipe_path, 7, &got), TSR_REFUSED); /* and returns */
  assert_non_null(strstr(err.text, "is not a regular file"));
  assert_int_equal(got.size, 99);
  remove(pipe_path);
}

static void reading_refuses(void **state)
{
  refuses(*state, tsr_file_read);
}

static void mapping_refuses(void **state)
{
  refuses(*state, tsr_file_map);
}

/* A write that cannot end well leaves the old content, and nothing beside it. */
static void writing_is_all_or_nothing(void **state)
{
  struct place *p = *state;
  struct tsr_err err = {0};
  char *inside = tsr_arena_printf(p->arena, "%s/none/a.bin", p->folder);
  assert_int_equal(tsr_file_write(&err, inside, "x", 1), TSR_REFUSED);
  assert_non_null(strstr(err.text, "cannot be written"));
  assert_int_equal(tsr_file_write(&err, p->folder, "x", 1), TSR_REFUSED);
  assert_non_null(strstr(err.text, "is a directory"));
  char *endless = tsr_arena_alloc(p->arena, 5000);
  memset(endless, 'x', 4999);
  assert_int_equal(tsr_file_write(&err, endless, "x", 1), TSR_REFUSED);
  assert_int_equal(count_files(p->folder), 0);
}

static void special_files_are_written_in_place(void **state)
{
  (void)state;
  struct tsr_err err = {0};
  struct stat st;
  assert_int_equal(tsr_file_write(&err, "/dev/null", "x", 1), TSR_OK);
  assert_int_equal(stat("/dev/null", &st), 0);
  assert_true(S_ISCHR(st.st_mode));
  assert_int_equal(tsr_file_write(&err, "/dev/full", "x", 1), TSR_REFUSED);
  assert_non_null(strstr(err.text, "/dev/full: cannot be written: No space left"));
}

#define AT_PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
  const struct CMUnitTest tests[] = {
      AT_PLACE(what_is_written_is_read),   AT_PLACE(what_is_mapped_is_the_file),
      AT_PLACE(reading_refuses),           AT_PLACE(mapping_refuses),
      AT_PLACE(writing_is_all_or_nothing), cmocka_unit_test(special_files_are_written_in_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
