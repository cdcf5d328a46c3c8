/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "configs/design.h"
#include "tests/base/in_arena.h"

/* The point at which VTA published, as its own file words it. */
#define VTA(batch, block_rows, wgt)                                                                  \
  "{\n  \"TARGET\" : \"sim\",\n  \"HW_VER\" : \"0.0.2\",\n  \"LOG_INP_WIDTH\" : 3,\n"                \
  "  \"LOG_WGT_WIDTH\" : 3,\n  \"LOG_ACC_WIDTH\" : 5,\n  \"LOG_BATCH\" : " batch ",\n" block_rows     \
  "  \"LOG_UOP_BUFF_SIZE\" : 15,\n  \"LOG_INP_BUFF_SIZE\" : 15,\n  \"LOG_WGT_BUFF_SIZE\" : " wgt     \
  ",\n  \"LOG_ACC_BUFF_SIZE\" : 17\n}\n"
#define BLOCK(n) "  \"LOG_BLOCK\" : " n ",\n"

static struct tsr_design imported(struct tsr_arena *arena, const char *text)
{
  struct tsr_err err;
  struct tsr_design design = {0};
  char *json;
  if (tsr_design_import_vta(arena, &err, "vta_config.json", text, &json) ||
      tsr_design_parse(&err, "imported", json, &design))
    fail_msg("%s", err.text);
  return design;
}

/* It is our default, but for micro-ops: as many of them, each twice as long. */
static void the_published_point(void **state)
{
  struct tsr_design d = imported(*state, VTA("0", BLOCK("4"), "18")), standing;
  assert_int_equal(tsr_design_open(*state, NULL, "default", &standing), TSR_OK);
  assert_string_equal(tsr_design_difference(*state, &standing, &d),
                      "uop_bytes is 32768 here and 65536 there");
  assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_UOP), (1 << 15) / 4);
  d.uop_bytes = standing.uop_bytes;
  assert_null(tsr_design_difference(*state, &standing, &d));
}

static void other_points(void **state)
{
  struct tsr_design d = imported(*state, VTA("1", BLOCK("5"), "20"));
  assert_int_equal(d.batch, 2);
  assert_int_equal(d.block_in, 32);
  assert_int_equal(d.block_out, 32);
  assert_int_equal(d.wgt_bytes, 1 << 20);
  assert_int_equal(d.out_bytes, 1 << 15);
  d = imported(*state, VTA("0", "\"LOG_BLOCK_IN\": 3, \"LOG_BLOCK_OUT\": 3, "
                                "\"LOG_OUT_WIDTH\": 3, \"LOG_OUT_BUFF_SIZE\": 14,\n", "15"));
  assert_int_equal(d.block_out, 8);
  assert_int_equal(d.out_bytes, 1 << 14);
  assert_int_equal(d.axi_data_bits, 64);
  d = imported(*state, VTA("0", BLOCK("2"), "15"));
  assert_int_equal(d.axi_data_bits, 32); /* an entry of 4 bytes starts on a beat */
}

static void refused_files(void **state)
{
  static const struct {
    const char *text, *sentence;
  } rows[] = {
      {"{", "v:1: the text ends where a key in double quotes is expected"},
      {"{}", "v:1: VTA key 'LOG_INP_WIDTH' is missing"},
      {"{\n\"LOG_BLOK\": 4}", "v:2: unknown VTA key 'LOG_BLOK'; did you mean 'LOG_BLOCK'?"},
      {"{\n\"LOG_INP_WIDTH\": 2}", "v:2: VTA key 'LOG_WGT_WIDTH' is missing"},
      {"{\"LOG_INP_WIDTH\": 2, \"LOG_WGT_WIDTH\": 3, \"LOG_ACC_WIDTH\": 5, \"LOG_BATCH\": 0,\n"
       "\"LOG_BLOCK\": 4, \"LOG_UOP_BUFF_SIZE\": 15, \"LOG_INP_BUFF_SIZE\": 15,\n"
       "\"LOG_WGT_BUFF_SIZE\": 18, \"LOG_ACC_BUFF_SIZE\": 17}",
       "v:1: LOG_INP_WIDTH is 2, 4 bits; Tessera computes with 8 bits there, 3"},
      {VTA("0", BLOCK("4") "\"LOG_OUT_WIDTH\": 4,\n", "18"),
       "v:9: LOG_OUT_WIDTH is 4, 16 bits; Tessera computes with 8 bits there, 3"},
      {VTA("0", "", "18"), "v:12: VTA key 'LOG_BLOCK' is missing"},
      {VTA("0", "\"LOG_BLOCK_IN\": 4, \"LOG_BLOCK_OUT\": 5,", "18"),
       "v: LOG_BLOCK_IN and LOG_BLOCK_OUT differ; Tessera's blocks are square"},
      {VTA("0", BLOCK("4"), "29"),
       "v:11: LOG_WGT_BUFF_SIZE must be a whole number from 0 to 28, a logarithm"},
      {VTA("0", BLOCK("4"), "-1"),
       "v:11: LOG_WGT_BUFF_SIZE must be a whole number from 0 to 28, a logarithm"},
      {VTA("5", BLOCK("4"), "18"), "v: as a design point:2: batch is 32, outside of 1 to 16"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_err err = {0};
    char *json = NULL;
    assert_int_equal(tsr_design_import_vta(*state, &err, "v", rows[i].text, &json), TSR_REFUSED);
    assert_string_equal(err.text, rows[i].sentence);
    assert_null(json);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_published_point),
      cmocka_unit_test(other_points),
      cmocka_unit_test(refused_files),
  };
  return cmocka_run_group_tests(tests, open_arena, close_arena);
}
