/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/base/cases.h"

static void refuse_fills_the_sentence(void **state)
{
  (void)state;
  struct tsr_err err = {0};
  assert_int_equal(tsr_refuse(&err, "tile %d does not divide %d", 3, 10), TSR_REFUSED);
  assert_int_equal(err.status, TSR_REFUSED);
  assert_string_equal(err.text, "tile 3 does not divide 10");
  assert_int_equal(tsr_refuse(NULL, "nobody listens"), TSR_REFUSED);
  assert_int_equal(tsr_refuse_at(NULL, "nowhere"), TSR_REFUSED);
}

static void places_go_before_the_sentence(void **state)
{
  (void)state;
  struct tsr_err err = {0};
  tsr_refuse(&err, "no such op");
  assert_int_equal(tsr_refuse_at(&err, "node '%s'", "a"), TSR_REFUSED);
  tsr_refuse_at(&err, "m.onnx");
  assert_string_equal(err.text, "m.onnx: node 'a': no such op");
}

static void a_place_keeps_the_status(void **state)
{
  (void)state;
  struct tsr_err err = {0};
  assert_int_equal(tsr_no_memory(&err), TSR_NO_MEMORY);
  assert_string_equal(err.text, "out of memory");
  assert_int_equal(tsr_refuse_at(&err, "m.onnx"), TSR_NO_MEMORY);
  assert_string_equal(err.text, "m.onnx: out of memory");
  assert_int_equal(tsr_no_memory(NULL), TSR_NO_MEMORY);
}

/* Long sentences are cut at the end, at every length of the place before them. */
static void long_sentences_are_cut(void **state)
{
  (void)state;
  static char place[TSR_ERR_TEXT + 64];
  struct tsr_err err = {0};
  for (size_t n = 0; n + 1 < sizeof place; n++) {
    place[n] = 'p';
    tsr_refuse(&err, "%01500d", 7);
    assert_int_equal(strlen(err.text), TSR_ERR_TEXT - 1);
    tsr_refuse_at(&err, "%s", place);
    size_t expected = n + 1 < TSR_ERR_TEXT - 3 ? TSR_ERR_TEXT - 1 : strlen(err.text);
    assert_int_equal(strlen(err.text), expected);
    assert_true(strlen(err.text) < TSR_ERR_TEXT);
    assert_int_equal(strspn(err.text, "p"), n + 1 < TSR_ERR_TEXT ? n + 1 : TSR_ERR_TEXT - 1);
  }
}

static void nearest_names(void **state)
{
  (void)state;
  static const char *const names[] = {"block_in", "block_out", "batch", "axi_data_bits"};
  static const struct {
    const char *given, *expected;
  } rows[] = {
      {"blok_in", "block_in"},
      {"block_otu", "block_out"},
      {"batches", "batch"},
      {"batch", "batch"},
      {"frequency", NULL},
      {"", NULL},
      {"axi_data_bots", "axi_data_bits"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const char *got = tsr_nearest(rows[i].given, names, 4);
    if (rows[i].expected)
      assert_string_equal(got, rows[i].expected);
    else
      assert_null(got);
  }
  char longest[200];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  assert_null(tsr_nearest(longest, names, 4));
  const char *const only_long[] = {longest};
  assert_null(tsr_nearest("xxxx", only_long, 1));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuse_fills_the_sentence),
      cmocka_unit_test(places_go_before_the_sentence),
      cmocka_unit_test(a_place_keeps_the_status),
      cmocka_unit_test(long_sentences_are_cut),
      cmocka_unit_test(nearest_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
