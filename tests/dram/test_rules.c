/* SPDX-License-Identifier: Apache-2.0 */
/* What the memory says of a master that breaks a rule of AXI4. */
#include "tests/dram/master.h"

static const struct tsr_dram_options quiet = {.model = TSR_MEMORY_IDEAL};

static struct tsr_axi_address good(uint64_t addr, int len)
{
  return (struct tsr_axi_address){
      .addr = addr, .valid = 1, .len = (uint8_t)len, .size = 3, .burst = TSR_AXI_INCR};
}

static struct tsr_dram *open_dram(const struct tsr_dram_options *o)
{
  struct tsr_dram *dram = tsr_dram_new(NULL, o, 8);
  assert_non_null(dram);
  return dram;
}

static void one_read(struct tsr_axi_address a, const char *sentence)
{
  struct tsr_dram *dram = open_dram(&quiet);
  struct tsr_axi_master m = {.ar = a};
  struct tsr_axi_slave s;
  tsr_dram_cycle(dram, &m, &s);
  if (sentence)
    assert_string_equal(tsr_dram_complaint(dram), sentence);
  else
    assert_null(tsr_dram_complaint(dram));
  tsr_dram_restart(dram);
  assert_null(tsr_dram_complaint(dram));
  tsr_dram_free(dram);
}

static void bursts(void **state)
{
  (void)state;
  struct tsr_axi_address a = good(4096 - 128, 15);
  one_read(a, NULL);
  a.size = 2;
  one_read(a, "bus cycle 0: ar: size 2 of a beat, on a bus of 8 bytes");
  a = good(0, 15);
  a.burst = 2;
  one_read(a, "bus cycle 0: ar: burst type 2, which is not INCR");
  one_read(good(12, 0), "bus cycle 0: ar: address 0xc does not start on a beat");
  one_read(good(4096 - 120, 15),
           "bus cycle 0: ar: 128 bytes from 0xf88 cross a boundary of 4096 bytes");
}

/* A first cycle in which the memory is not ready, then another. */
static void two_cycles(const struct tsr_axi_master *first, const struct tsr_axi_master *second,
                       const char *sentence)
{
  struct tsr_dram_options never = quiet;
  never.stall = 256;
  struct tsr_dram *dram = open_dram(&never);
  struct tsr_axi_slave s;
  tsr_dram_cycle(dram, first, &s);
  assert_false(s.ar_ready || s.aw_ready || s.w_ready);
  tsr_dram_cycle(dram, first, &s);
  assert_null(tsr_dram_complaint(dram));
  tsr_dram_cycle(dram, second, &s);
  assert_string_equal(tsr_dram_complaint(dram), sentence);
  tsr_dram_free(dram);
}

static void what_is_shown_stays(void **state)
{
  (void)state;
  struct tsr_axi_master none = {0}, a = {.ar = good(64, 3)}, b = a;
  two_cycles(&a, &none, "bus cycle 2: ar: valid fell before ready came");
  b.ar.addr = 128;
  two_cycles(&a, &b, "bus cycle 2: ar: the burst changed before ready came");
  a = b = (struct tsr_axi_master){.aw = good(64, 3)};
  two_cycles(&a, &none, "bus cycle 2: aw: valid fell before ready came");
  b.aw.len = 2;
  two_cycles(&a, &b, "bus cycle 2: aw: the burst changed before ready came");
  a = b = (struct tsr_axi_master){.w_valid = 1};
  two_cycles(&a, &none, "bus cycle 2: w: valid fell before ready came");
  b.w_data[7] = 1;
  two_cycles(&a, &b, "bus cycle 2: w: the beat changed before ready came");
  b = a;
  b.w_strb[0] = 1;
  two_cycles(&a, &b, "bus cycle 2: w: the beat changed before ready came");
  b = a;
  b.w_last = 1;
  two_cycles(&a, &b, "bus cycle 2: w: the beat changed before ready came");
}

static void last_is_the_last_beat(void **state)
{
  (void)state;
  for (int early = 0; early < 2; early++) {
    struct tsr_dram *dram = open_dram(&quiet);
    struct tsr_axi_master m = {.aw = good(0, 1), .w_valid = 1, .w_last = (uint8_t)early};
    struct tsr_axi_slave s;
    tsr_dram_cycle(dram, &m, &s);
    m.aw.valid = 0;
    if (!early)
      tsr_dram_cycle(dram, &m, &s);
    assert_string_equal(tsr_dram_complaint(dram),
                        early ? "bus cycle 0: w: last is 1 in beat 1 of a burst of 2"
                              : "bus cycle 1: w: last is 0 in beat 2 of a burst of 2");
    tsr_dram_free(dram);
  }
}

static void strobes_choose_bytes(void **state)
{
  (void)state;
  uint8_t window[16] = {0};
  struct tsr_dram *dram = open_dram(&quiet);
  struct tsr_axi_master m = {.aw = good(8, 0), .w_valid = 1, .w_last = 1, .w_strb = {0x81}};
  struct tsr_axi_slave s;
  tsr_dram_map(dram, 0, 0, window, sizeof window);
  memset(m.w_data, 0xee, sizeof m.w_data);
  tsr_dram_cycle(dram, &m, &s);
  const uint8_t expected[16] = {[8] = 0xee, [15] = 0xee};
  assert_memory_equal(window, expected, 16);
  tsr_dram_free(dram);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bursts),
      cmocka_unit_test(what_is_shown_stays),
      cmocka_unit_test(last_is_the_last_beat),
      cmocka_unit_test(strobes_choose_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
