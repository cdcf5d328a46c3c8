/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/base/cases.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"

/* A relative path counts as none: caches would come to stand wherever a command runs. */
static void caches_are_below_the_first_absolute_path(void **state)
{
  static const struct {
    const char *cache, *home, *expected;
  } rows[] = {
      {"/c", "/h", "/c/tessera"},
      {NULL, "/h", "/h/.cache/tessera"},
      {"", "/h", "/h/.cache/tessera"},
      {"c", "/h", "/h/.cache/tessera"},
      {NULL, NULL, NULL},
      {"", "", NULL},
      {"c", "h", NULL},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    rows[k].cache ? setenv("XDG_CACHE_HOME", rows[k].cache, 1) : unsetenv("XDG_CACHE_HOME");
    rows[k].home ? setenv("HOME", rows[k].home, 1) : unsetenv("HOME");
    const char *found = tsr_folder_of_caches(*state);
    if (rows[k].expected)
      assert_string_equal(found, rows[k].expected);
    else
      assert_null(found);
  }
}

static void folders_are_made_with_those_above(void **state)
{
  char top[] = "/tmp/tessera_folder_XXXXXX";
  struct stat st;
  assert_non_null(mkdtemp(top));
  const char *above = tsr_arena_printf(*state, "%s/a", top);
  const char *path = tsr_arena_printf(*state, "%s/b", above);
  assert_true(tsr_folder_make(path));
  assert_int_equal(stat(path, &st), 0);
  assert_true(S_ISDIR(st.st_mode));
  assert_true(tsr_folder_make(path)); /* is there */
  assert_true(tsr_folder_make(tsr_arena_printf(*state, "%s/", path)));
  assert_int_equal(rmdir(path) | rmdir(above) | rmdir(top), 0);
}

static void what_cannot_be_made_says_why(void **state)
{
  char *endless = tsr_arena_alloc(*state, PATH_MAX + 1);
  memset(endless, 'x', PATH_MAX);
  const struct {
    const char *path;
    int why;
  } rows[] = {
      {"/dev/null", EACCES}, /* is there, and is none */
      {"/dev/null/tessera", ENOTDIR},
      {"/dev/null/tessera/models", ENOTDIR},
      {endless, ENAMETOOLONG},
      {"", ENOENT},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    errno = 0;
    assert_false(tsr_folder_make(rows[k].path));
    assert_int_equal(errno, rows[k].why);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(caches_are_below_the_first_absolute_path),
      IN_ARENA(folders_are_made_with_those_above),
      IN_ARENA(what_cannot_be_made_says_why),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
