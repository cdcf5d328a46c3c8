/* SPDX-License-Identifier: Apache-2.0 */
/* What was found is there again: in memory, in the file, from many processes at once; a file that is
 * damaged or somebody else's is refused by a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "compiler/tune/tune.h"

enum { WRITERS = 6, RECORDS = 20 };

struct place {
  char folder[64], file[96];
  struct tsr_arena *arena;
};

static int setup(void **state)
{
  static struct place p;
  snprintf(p.folder, sizeof p.folder, "/tmp/tessera-tune-XXXXXX");
  if (!mkdtemp(p.folder))
    return -1;
  snprintf(p.file, sizeof p.file, "%s/tune.sqlite", p.folder);
  p.arena = tsr_arena_new(NULL);
  *state = &p;
  return 0;
}

static int teardown(void **state)
{
  static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
  struct place *p = *state;
  for (int k = 0; k < 4; k++)
    unlink(tsr_arena_printf(p->arena, "%s%s", p->file, ends[k]));
  tsr_arena_free(p->arena);
  return rmdir(p->folder);
}

static struct tsr_tune *open_tune(const struct place *p, const char *file)
{
  struct tsr_tune_options options = {.cache = file};
  return tsr_tune_new(p->arena, &options);
}

static void keep(struct tsr_tune *t, const char *key, const char *schedule, uint64_t cycles)
{
  struct tsr_tune_record record = {schedule, cycles, 10 * cycles};
  tsr_tune_keep(t, key, &record);
}

static const struct tsr_tune_record *recall(struct tsr_tune *t, const char *key)
{
  struct tsr_err err = {0};
  const struct tsr_tune_record *found;
  if (tsr_tune_recall(t, &err, key, &found))
    fail_msg("%s", err.text);
  return found;
}

static void expect_refused(const struct place *p, const char *sentence)
{
  struct tsr_err err = {0};
  const struct tsr_tune_record *found;
  struct tsr_tune *t = open_tune(p, p->file);
  assert_int_equal(tsr_tune_recall(t, &err, "k", &found), TSR_REFUSED);
  if (!strstr(err.text, sentence) || !strstr(err.text, p->file) ||
      !strstr(err.text, "--tune-cache"))
    fail_msg("%s", err.text);
  keep(t, "k", "x", 1);
  assert_string_equal(recall(t, "k")->schedule, "x");
}

static void write_file(const struct place *p, const void *data, size_t size)
{
  assert_int_equal(tsr_file_write(NULL, p->file, data, size), TSR_OK);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void in_memory(void **state)
{
  struct tsr_tune *t = open_tune(*state, NULL);
  assert_null(recall(t, "a"));
  keep(t, "a", "split x 2", 17);
  keep(t, "b", "", 3);
  assert_string_equal(recall(t, "a")->schedule, "split x 2");
  assert_int_equal(recall(t, "a")->cycles, 17);
  assert_null(recall(t, "c"));
}

static void in_the_file(void **state)
{
  const struct place *p = *state;
  keep(open_tune(p, p->file), "a", "split x 2\n", 17);
  keep(open_tune(p, p->file), "a", "split x 3\n", 16);
  keep(open_tune(p, p->file), "b", "fuse\n", UINT32_MAX * 8ull);
  struct tsr_tune *t = open_tune(p, p->file);
  assert_string_equal(recall(t, "a")->schedule, "split x 3\n");
  assert_int_equal(recall(t, "a")->cycles, 16);
  assert_int_equal(recall(t, "b")->cycles, UINT32_MAX * 8ull);
  assert_int_equal(recall(t, "b")->bytes, UINT32_MAX * 80ull);
  assert_null(recall(t, "A"));
}

static void write_many(const struct place *p, int writer)
{
  for (int k = 0; k < RECORDS; k++) {
    char key[32], text[32];
    snprintf(key, sizeof key, "%d %d", k % 3 ? writer : -1, k);
    snprintf(text, sizeof text, "schedule %d", k);
    keep(open_tune(p, p->file), key, text, (uint64_t)k + 1);
    assert_int_equal(recall(open_tune(p, p->file), key)->cycles, (uint64_t)k + 1);
  }
}

/* Processes that make the file, and write to it, at once. */
static void many_writers(void **state)
{
  const struct place *p = *state;
  for (int w = 0; w < WRITERS; w++)
    if (fork() == 0) {
      write_many(p, w);
      _exit(0);
    }
  for (int w = 0, code; w < WRITERS; w++) {
    assert_true(wait(&code) > 0);
    assert_int_equal(code, 0);
  }
  struct tsr_tune *t = open_tune(p, p->file);
  for (int w = 0; w < WRITERS; w++)
    for (int k = 0; k < RECORDS; k++) {
      char key[32];
      snprintf(key, sizeof key, "%d %d", k % 3 ? w : -1, k);
      assert_int_equal(recall(t, key)->cycles, (uint64_t)k + 1);
    }
}

static void no_database(void **state)
{
  const char *text = "this is a text of some length, and no database, whatever its name is; so it "
                     "has to be refused, and it has to stay as it is.";
  struct place *p = *state;
  struct tsr_bytes after;
  write_file(p, text, strlen(text));
  expect_refused(p, "is no cache of schedules, or is damaged");
  assert_int_equal(tsr_file_read(p->arena, NULL, p->file, 4096, &after), TSR_OK);
  assert_string_equal((const char *)after.data, text);
}

/* Pages that are overwritten: refused, or read as what they still say, but never something else. */
static void damaged(void **state)
{
  struct place *p = *state;
  struct tsr_bytes file;
  sqlite3 *db;
  for (int k = 0; k < 200; k++) {
    char key[32];
    snprintf(key, sizeof key, "key %d", k);
    keep(open_tune(p, p->file), key, "some text of a schedule, of some length", 1);
  }
  assert_int_equal(sqlite3_open(p->file, &db), SQLITE_OK);
  sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
  sqlite3_close(db);
  assert_int_equal(tsr_file_read(p->arena, NULL, p->file, 1 << 20, &file), TSR_OK);
  assert_true(file.size > 2 * 4096);
  memset(file.data + 4096, 0xa5, file.size - 4096);
  write_file(p, file.data, file.size);
  expect_refused(p, "damaged");
}

static void of_another_program(void **state)
{
  const struct place *p = *state;
  static const char *const made[] = {"CREATE TABLE schedule (key TEXT PRIMARY KEY, text TEXT)",
                                     "PRAGMA application_id = 7"};
  for (int k = 0; k < 2; k++) {
    sqlite3 *db;
    unlink(p->file);
    assert_int_equal(sqlite3_open(p->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, made[k], NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    expect_refused(p, "is a database of another program");
  }
}

/* A file whose records had no bytes: it stays in use, and they are made anew. */
static void of_an_earlier_version(void **state)
{
  const struct place *p = *state;
  sqlite3 *db;
  assert_int_equal(sqlite3_open(p->file, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db,
                                "CREATE TABLE schedule (key TEXT PRIMARY KEY, text TEXT NOT NULL, "
                                "cycles INTEGER NOT NULL) WITHOUT ROWID;"
                                "INSERT INTO schedule VALUES ('a', 'split x 2', 17);"
                                "PRAGMA application_id = 1414746708",
                                NULL, NULL, NULL),
                   SQLITE_OK);
  sqlite3_close(db);
  assert_null(recall(open_tune(p, p->file), "a"));
  keep(open_tune(p, p->file), "a", "split x 3", 16);
  assert_int_equal(recall(open_tune(p, p->file), "a")->bytes, 160);
}

static void no_place(void **state)
{
  struct place p = *(struct place *)*state;
  snprintf(p.file, sizeof p.file, "%s/nowhere/tune.sqlite", p.folder);
  expect_refused(&p, "cannot be used");
}

/* A file that cannot grow, as on a full disk: what is found is there until the end, and nothing fails. */
static void no_space(void **state)
{
  struct place *p = *state;
  struct tsr_tune *t = open_tune(p, p->file);
  struct rlimit all, none;
  keep(t, "a", "first", 1);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
  none = (struct rlimit){0, all.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
  keep(t, "b", "second", 2);
  assert_string_equal(recall(t, "b")->schedule, "second");
  assert_null(recall(t, "c"));
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
  keep(t, "d", "third", 3);
  struct tsr_tune *later = open_tune(p, p->file);
  assert_string_equal(recall(later, "a")->schedule, "first");
  assert_null(recall(later, "b"));
  assert_null(recall(later, "d"));
}

static void the_default(void **state)
{
  struct place *p = *state;
  assert_int_equal(setenv("XDG_CACHE_HOME", p->folder, 1), 0);
  const char *path = tsr_tune_default_cache(p->arena);
  assert_string_equal(path, tsr_arena_printf(p->arena, "%s/tessera/tune.sqlite", p->folder));
  keep(open_tune(p, path), "a", "x", 1);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(tsr_arena_printf(p->arena, "%s/tessera", p->folder)), 0);
  assert_int_equal(setenv("XDG_CACHE_HOME", "/dev/null", 1), 0);
  assert_null(tsr_tune_default_cache(p->arena));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(in_memory, setup, teardown),
      cmocka_unit_test_setup_teardown(in_the_file, setup, teardown),
      cmocka_unit_test_setup_teardown(many_writers, setup, teardown),
      cmocka_unit_test_setup_teardown(no_database, setup, teardown),
      cmocka_unit_test_setup_teardown(damaged, setup, teardown),
      cmocka_unit_test_setup_teardown(of_another_program, setup, teardown),
      cmocka_unit_test_setup_teardown(of_an_earlier_version, setup, teardown),
      cmocka_unit_test_setup_teardown(no_place, setup, teardown),
      cmocka_unit_test_setup_teardown(no_space, setup, teardown),
      cmocka_unit_test_setup_teardown(the_default, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
