/* SPDX-License-Identifier: Apache-2.0 */
/* docs/graph-ir.md names every op and every pass, and its example is a graph. */
#include "base/file.h"
#include "tests/graph/test_graph.h"

static const char page[] = "docs/graph-ir.md";

static char *read_page(struct tsr_arena *a)
{
  struct tsr_bytes bytes;
  struct tsr_err err = {0};
  if (tsr_file_read(a, &err, page, 1 << 20, &bytes))
    fail_msg("%s", err.text);
  return (char *)bytes.data;
}

static void assert_named(struct tsr_arena *a, const char *text, const char *name, const char *row)
{
  if (!strstr(text, tsr_arena_printf(a, row, name)))
    fail_msg("%s has no row for %s", page, name);
}

static void every_op_and_pass(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  const char *text = read_page(a);
  for (int op = 0; op < TSR_GOP_COUNT; op++)
    assert_named(a, text, tsr_gop_name((enum tsr_gop)op), "`%s`");
  for (const struct tsr_pass *pass = tsr_passes(); pass->name; pass++) {
    assert_named(a, text, pass->name, "| `%s` |");
    assert_named(a, text, pass->meaning, "| %s |");
  }
  tsr_arena_free(a);
}

static void the_example_parses(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g;
  struct tsr_err err = {0};
  char *start = strstr(read_page(a), "graph example\n");
  assert_non_null(start);
  char *end = strstr(start, "\nend\n");
  assert_non_null(end);
  end[5] = 0;
  if (tsr_graph_parse(a, &err, page, start, &g) || tsr_graph_verify(&err, g))
    fail_msg("%s", err.text);
  assert_string_equal(tsr_graph_print(a, g, false), start);
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_op_and_pass),
      cmocka_unit_test(the_example_parses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
