/* SPDX-License-Identifier: Apache-2.0 */
/* tsr_design.vh holds what the design point says, and nothing that it does not say. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "configs/verilog.h"
#include "tests/base/in_arena.h"

/* The text behind "`define NAME " up to the end of its line or a comment. */
static void macro(const char *text, const char *name, char out[static 64])
{
  char start[64];
  snprintf(start, sizeof start, "`define %s ", name);
  const char *at = strstr(text, start);
  if (!at)
    fail_msg("%s is not defined", name);
  snprintf(out, 64, "%s", at + strlen(start));
  out[strcspn(out, " \n")] = 0;
}

static void expect(const char *text, const char *name, int value)
{
  char found[64], wanted[64];
  macro(text, name, found);
  snprintf(wanted, sizeof wanted, "%d", value);
  assert_string_equal(found, wanted);
}

static void check_point(struct tsr_arena *arena, const char *name)
{
  struct tsr_design d;
  char hash[64], wanted[64];
  assert_int_equal(tsr_design_open(arena, NULL, name, &d), TSR_OK);
  const char *text = tsr_design_verilog(arena, &d);
  expect(text, "TSR_BATCH", d.batch);
  expect(text, "TSR_BLOCK", d.block_in);
  expect(text, "TSR_LANES", d.batch * d.block_out);
  expect(text, "TSR_UOP_DEPTH", d.uop_bytes / 8);
  expect(text, "TSR_INP_DEPTH", d.inp_bytes / (d.batch * d.block_in));
  expect(text, "TSR_WGT_DEPTH", d.wgt_bytes / (d.block_in * d.block_out));
  expect(text, "TSR_ACC_DEPTH", d.acc_bytes / (4 * d.batch * d.block_out));
  expect(text, "TSR_OUT_DEPTH", d.out_bytes / (d.batch * d.block_out));
  expect(text, "TSR_LUT_DEPTH", d.lut_bytes / 256);
  expect(text, "TSR_QUEUE_DEPTH", d.queue_depth);
  expect(text, "TSR_TOKEN_DEPTH", d.token_depth);
  expect(text, "TSR_AXI_BITS", d.axi_data_bits);
  expect(text, "TSR_BURST_BEATS", d.axi_burst_beats);
  expect(text, "TSR_READS", d.axi_reads);
  expect(text, "TSR_WRITES", d.axi_writes);
  macro(text, "TSR_HASH", hash);
  snprintf(wanted, sizeof wanted, "64'h%016" PRIx64, d.hash);
  assert_string_equal(hash, wanted);
}

static void every_point(void **state)
{
  for (const char *const *name = tsr_design_names(); *name; name++)
    check_point(*state, *name);
}

/* A model is kept by this text: what changes no hardware must not change it. */
static void name_clock_and_memory_are_no_part_of_it(void **state)
{
  struct tsr_design a, b;
  assert_int_equal(tsr_design_open(*state, NULL, "default", &a), TSR_OK);
  b = a;
  snprintf(b.name, sizeof b.name, "other");
  b.clock_mhz++;
  b.memory.model = TSR_MEMORY_SIMPLE;
  b.memory.latency_cycles = 7;
  assert_string_equal(tsr_design_verilog(*state, &a), tsr_design_verilog(*state, &b));
  b.axi_reads++;
  assert_string_not_equal(tsr_design_verilog(*state, &a), tsr_design_verilog(*state, &b));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(every_point),
      IN_ARENA(name_clock_and_memory_are_no_part_of_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
