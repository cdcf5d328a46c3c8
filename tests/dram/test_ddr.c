/* SPDX-License-Identifier: Apache-2.0 */
/* The memory `ddr`: timing diagrams worked out by hand.
 *
 * One tick is one cycle here, and a beat is one access of 16 bytes, but where a test says otherwise.
 * An address accepted in cycle c waits in the queue from tick c + 1 on, a write from the tick behind
 * its last beat on. Of ddr3-1066 tRCD, tRP and tCL are 7, tCWL 6, and data takes 4 ticks, so that the
 * data of a read RD is complete in tick RD + 11 and shown in cycle RD + 12, with the one cycle of
 * latency; and a write WR is acknowledged in cycle WR + 11. */
#include "tests/dram/master.h"

#define CYCLES(...)                                                                                \
  (const uint64_t[])                                                                               \
  {                                                                                                \
    __VA_ARGS__                                                                                    \
  }

enum { ROW = 2048 };
#define OTHER_ROW (UINT64_C(1) << 39) /* another row of bank 0, which the master has mapped, too */

static struct tsr_dram_options ddr3(void)
{
  struct tsr_dram_options o = {.model = TSR_MEMORY_DDR, .latency_cycles = 1, .clock_mhz = 400};
  o.ddr = *tsr_ddr_set("ddr3-1066");
  o.ddr.tCK_ps = 2500;
  return o;
}

static struct master *open_ddr(const struct tsr_dram_options *o, int beat_bytes)
{
  assert_int_equal(tsr_dram_check(NULL, o), TSR_OK);
  return master_open(o, beat_bytes);
}

static void expect_reads(struct master *m, int count, const uint64_t *cycles)
{
  master_play(m);
  master_expect(m, SEEN_R, count, cycles);
  master_close(m);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* tick   1    8   15..18
 *       ACT  RD   data      */
static void a_closed_bank_opens_its_row(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 1);
  expect_reads(m, 1, CYCLES(20));
}

/* tick   1    8   12   16   20   24   28   32
 *       ACT  RD   RD   RD   RD   RD   RD   RD     tCCD = 4, and data without a gap
 * burst       0    0    0    0    1    1    2 */
static void reads_of_an_open_row_follow_without_a_gap(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 4);
  master_read(m, 0, 1, 512, 2);
  master_read(m, 0, 0, 64, 1);
  expect_reads(m, 7, CYCLES(20, 24, 28, 32, 36, 40, 44));
}

/* tick   1    8   21   28   35
 *       ACT  RD   PRE  ACT  RD      PRE: tRAS = 20 behind ACT; tRP = 7; tRC = 27 */
static void another_row_of_the_bank_waits(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 1);
  master_read(m, 0, 0, OTHER_ROW, 1);
  expect_reads(m, 2, CYCLES(20, 47));
}

/* tRC = 30 keeps the second row from opening until 31. */
static void rows_of_a_bank_keep_their_distance(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  o.ddr.tRC = 30;
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 1);
  master_read(m, 0, 0, OTHER_ROW, 1);
  expect_reads(m, 2, CYCLES(20, 50));
}

/* With four reads of the first row: tRTP = 4 behind the last one, in tick 24.
 * tick   1    8 .. 20   24   31   38 */
static void a_row_closes_behind_its_last_read(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 4);
  master_read(m, 0, 0, OTHER_ROW, 1);
  expect_reads(m, 5, CYCLES(20, 24, 28, 32, 50));
}

/* bank    0    1    2    3    4    5
 * chosen  1    2    8   14   20   26    when the burst before the last has had its read
 * ACT     1    7   13   19   28   34    tRRD = 6; bank 4: tFAW = 27 behind the first; bank 5: both
 * RD      8   14   20   26   35   41 */
static void banks_open_one_after_the_other(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  for (int k = 0; k < 6; k++)
    master_read(m, 0, 0, (uint64_t)(k * ROW), 1);
  expect_reads(m, 6, CYCLES(20, 26, 32, 38, 47, 53));
}

/* A burst over the end of a row.
 * bank 0  ACT 1   RD 8, 12
 * bank 1  ACT 7   RD 16, 20     tRCD is over in 14, tCCD in 16 */
static void a_burst_goes_on_in_the_next_bank(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, ROW - 32, 4);
  expect_reads(m, 4, CYCLES(20, 24, 28, 32));
}

/* The same with one bank: ACT 1, RD 8, 12, PRE 21, ACT 28, RD 35, 39. The third beat is shown in
 * cycle 47; the others keep its distance, so that the burst begins later. */
static void a_burst_goes_on_in_another_row(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  o.ddr.banks = 1;
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, ROW - 32, 4);
  expect_reads(m, 4, CYCLES(39, 43, 47, 51));
}

/* --- reads and writes ------------------------------------------------------------------------- */

/* W     cycle 0, 1
 * tick  2    9   13   19..22   27
 *      ACT  WR   WR   data     RD      data ends in 23; tWTR = 4 */
static void a_read_waits_for_the_data_of_a_write(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_write(m, 0, 0, 2);
  master_read(m, 2, 0, 256, 1);
  master_play(m);
  master_expect(m, SEEN_W, 2, CYCLES(0, 1));
  master_expect(m, SEEN_B, 1, CYCLES(24));
  master_expect(m, SEEN_R, 1, CYCLES(39));
  master_close(m);
}

/* tick  1    8   15
 *      ACT  RD   WR      tRTW = 7 */
static void a_write_waits_for_the_data_of_a_read(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 1);
  master_write(m, 1, 256, 1);
  master_play(m);
  master_expect(m, SEEN_R, 1, CYCLES(20));
  master_expect(m, SEEN_B, 1, CYCLES(26));
  master_close(m);
}

/* tick  1    8   26   33   40
 *      ACT  WR   PRE  ACT  RD      data ends in 18; tWR = 8 */
static void a_row_closes_behind_its_last_write(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_write(m, 0, 0, 1);
  master_read(m, 1, 0, OTHER_ROW, 1);
  master_play(m);
  master_expect(m, SEEN_B, 1, CYCLES(19));
  master_expect(m, SEEN_R, 1, CYCLES(52));
  master_close(m);
}

/* --- refresh ---------------------------------------------------------------------------------- */

/* Due in tick 4160. The burst chosen in 4159 goes before it, with ACT 4159 and RD 4166; that of 4160
 * behind it: PRE 4179, REF 4186, and tRFC = 59 later ACT 4245, RD 4252. */
static void a_refresh_closes_all_banks(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 4158, 0, 0, 1);
  master_read(m, 4159, 0, 16, 1);
  expect_reads(m, 2, CYCLES(4178, 4264));
}

/* The same with four reads, the last one in 4178: PRE 4182, REF 4189, ACT 4248, RD 4255. */
static void a_refresh_waits_for_the_last_read(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 4158, 0, 0, 4);
  master_read(m, 4159, 0, 64, 1);
  expect_reads(m, 5, CYCLES(4178, 4182, 4186, 4190, 4267));
}

/* tick  4160   4219  4226
 *       REF    ACT   RD */
static void a_refresh_of_closed_banks_starts_in_time(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 4159, 0, 0, 1);
  expect_reads(m, 1, CYCLES(4238));
}

/* Nothing happens but refreshes, the last one in tick 16640: a burst that comes in 16670 waits until
 * 16699 with its ACT, one that comes in 20001 does not. */
static void refreshes_go_on_while_nothing_is_asked(void **state)
{
  (void)state;
  for (int late = 0; late < 2; late++) {
    struct tsr_dram_options o = ddr3();
    struct master *m = open_ddr(&o, 16);
    master_read(m, 0, 0, 0, 1);
    master_read(m, late ? 20000 : 16669, 0, 0, 1);
    expect_reads(m, 2, late ? CYCLES(20, 20020) : CYCLES(20, 16718));
  }
}

/* --- channels and order ----------------------------------------------------------------------- */

/* channel 0  ACT 1   RD 8, 12, 16, 20
 * channel 1  ACT 2   RD 9, 13, 17, 21   its beats are there when R is free */
static void channels_work_side_by_side(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  o.ddr.channels = 2;
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 4);
  master_read(m, 0, 0, 4096, 4);
  expect_reads(m, 8, CYCLES(20, 24, 28, 32, 33, 34, 35, 36));
}

/* Bursts 0, 1, 3 of a row, 2 of another one of its bank.
 * fcfs    0: RD 8   1: RD 12   2: chosen in 8, PRE 21, ACT 28, RD 35   3: PRE 48, ACT 55, RD 62
 * frfcfs  0: RD 8   1: RD 12   3: chosen in 8, RD 16   2: PRE 21, ACT 28, RD 35
 * R has them in the order of their addresses. */
static void an_open_row_goes_first(void **state)
{
  (void)state;
  for (int order = TSR_DDR_FCFS; order <= TSR_DDR_FRFCFS; order++) {
    struct tsr_dram_options o = ddr3();
    o.ddr.order = (enum tsr_ddr_order)order;
    struct master *m = open_ddr(&o, 16);
    master_read(m, 0, 0, 0, 1);
    master_read(m, 0, 0, 16, 1);
    master_read(m, 0, 0, OTHER_ROW, 1);
    master_read(m, 0, 1, 32, 1);
    expect_reads(m, 4, order == TSR_DDR_FCFS ? CYCLES(20, 24, 47, 74) : CYCLES(20, 24, 47, 48));
  }
}

/* Burst 2 is of another row; those behind it hit the open one, with reads in 16, 20, ... It is chosen
 * when 16 have passed it, the last with its read in 76: PRE 80, ACT 87, RD 94. */
static void a_burst_is_not_passed_for_ever(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 16);
  master_read(m, 0, 0, 0, 1);
  master_read(m, 0, 0, 16, 1);
  master_read(m, 0, 0, OTHER_ROW, 1);
  for (int k = 0; k < 30; k++)
    master_read(m, 0, 0, 32, 1);
  master_play(m);
  assert_int_equal(master_seen(m, SEEN_R, 2)->cycle, 106);
  master_close(m);
}

/* --- clocks ----------------------------------------------------------------------------------- */

/* 16 ticks are 3 cycles. The address of cycle 0 waits from tick 6 on: ACT 6, RD 13, data complete in
 * tick 24, which is cycle 4.5; the bus takes a beat a cycle, the pins are faster. */
static void a_slow_bus_takes_a_beat_a_cycle(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  o.ddr.tCK_ps = 1875;
  o.clock_mhz = 100;
  struct master *m = open_ddr(&o, 8);
  master_read(m, 0, 0, 0, 4);
  expect_reads(m, 4, CYCLES(6, 7, 8, 9));
}

/* With one bank, over the end of a row: ACT 6, RD 13, 17, PRE 26, ACT 33, RD 40, 44. The fifth beat
 * is there in tick 51, which is cycle 9.6, and shown in 11: the burst begins four cycles before. */
static void a_slow_bus_begins_no_earlier_than_it_must(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  o.ddr.tCK_ps = 1875;
  o.ddr.banks = 1;
  o.clock_mhz = 100;
  struct master *m = open_ddr(&o, 8);
  master_read(m, 0, 0, ROW - 32, 8);
  expect_reads(m, 8, CYCLES(7, 8, 9, 10, 11, 12, 13, 14));
}

/* 4 ticks are 3 cycles, and an access has two beats of 1.5 cycles. ACT 2, RD 9, data complete in tick
 * 20, which is cycle 15, and in 24, which is 18. A burst that starts in the middle of an access has
 * its first beat with the first access and its second with the second, so that it starts later. */
static void a_fast_bus_waits_for_the_pins(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  o.ddr.tCK_ps = 1875;
  o.clock_mhz = 400;
  struct master *m = open_ddr(&o, 8);
  master_read(m, 0, 0, 0, 4);
  expect_reads(m, 4, CYCLES(16, 18, 19, 21));
  m = open_ddr(&o, 8);
  master_read(m, 0, 0, 8, 2);
  expect_reads(m, 2, CYCLES(18, 19));
}

/* A beat of two accesses is complete with the second: RD 8, 12, 16, 20. */
static void a_wide_beat_waits_for_its_accesses(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  struct master *m = open_ddr(&o, 32);
  master_read(m, 0, 0, 0, 2);
  expect_reads(m, 2, CYCLES(24, 32));
}

/* --- bandwidth -------------------------------------------------------------------------------- */

/* 400 bursts of 256 bytes, one row behind the other: four ticks for 16 bytes, and a refresh with all
 * that goes with it every 4160. */
static void a_stream_reaches_the_pins(void **state)
{
  (void)state;
  for (int write = 0; write < 2; write++) {
    struct tsr_dram_options o = ddr3();
    struct master *m = open_ddr(&o, 16);
    for (int k = 0; k < 400; k++)
      if (write)
        master_write(m, 0, (uint64_t)(k * 256 % REGION_BYTES), 16);
      else
        master_read(m, 0, 1, (uint64_t)(k * 256 % REGION_BYTES), 16);
    master_play(m);
    int pins = 400 * 16 * 4, refreshes = pins / o.ddr.tREFI;
    int refresh = o.ddr.tRTP + o.ddr.tWR + o.ddr.tRP + o.ddr.tRFC + o.ddr.tRCD + 2 * o.ddr.tCCD;
    uint64_t last = m->seen[m->seen_count - 1].cycle;
    assert_in_range(last, pins + refreshes * o.ddr.tRFC, pins + refreshes * refresh + 40);
    master_close(m);
  }
}

/* --- parameters ------------------------------------------------------------------------------- */

static void sets_are_possible(void **state)
{
  (void)state;
  for (int k = 0; tsr_ddr_set_names()[k]; k++) {
    struct tsr_err err = {0};
    if (tsr_ddr_check(&err, tsr_ddr_set(tsr_ddr_set_names()[k]), NULL))
      fail_msg("%s: %s", tsr_ddr_set_names()[k], err.text);
  }
  assert_null(tsr_ddr_set("ddr3-1067"));
}

static void expect_refused(const struct tsr_dram_options *o, const char *sentence)
{
  struct tsr_err err = {0};
  assert_int_equal(tsr_dram_check(&err, o), TSR_REFUSED);
  assert_string_equal(err.text, sentence);
}

static void impossible_parameters_are_refused(void **state)
{
  (void)state;
  struct tsr_dram_options o = ddr3();
  o.latency_cycles = 0;
  expect_refused(&o, "memory: latency_cycles is 0, outside of 1 to 100000");
  o = ddr3();
  o.clock_mhz = 0;
  expect_refused(&o, "memory: clock_mhz is 0, outside of 1 to 10000");
  o = ddr3();
  o.ddr.tCL = 0;
  expect_refused(&o, "memory: tCL is 0, outside of 1 to 255");
  o = ddr3();
  o.ddr.tRAS = 6;
  expect_refused(&o, "memory: tRAS is 6, less than tRCD, 7: a row would close before it is read");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_closed_bank_opens_its_row),
      cmocka_unit_test(reads_of_an_open_row_follow_without_a_gap),
      cmocka_unit_test(another_row_of_the_bank_waits),
      cmocka_unit_test(rows_of_a_bank_keep_their_distance),
      cmocka_unit_test(a_row_closes_behind_its_last_read),
      cmocka_unit_test(banks_open_one_after_the_other),
      cmocka_unit_test(a_burst_goes_on_in_the_next_bank),
      cmocka_unit_test(a_burst_goes_on_in_another_row),
      cmocka_unit_test(a_read_waits_for_the_data_of_a_write),
      cmocka_unit_test(a_write_waits_for_the_data_of_a_read),
      cmocka_unit_test(a_row_closes_behind_its_last_write),
      cmocka_unit_test(a_refresh_closes_all_banks),
      cmocka_unit_test(a_refresh_waits_for_the_last_read),
      cmocka_unit_test(a_refresh_of_closed_banks_starts_in_time),
      cmocka_unit_test(refreshes_go_on_while_nothing_is_asked),
      cmocka_unit_test(channels_work_side_by_side),
      cmocka_unit_test(an_open_row_goes_first),
      cmocka_unit_test(a_burst_is_not_passed_for_ever),
      cmocka_unit_test(a_slow_bus_takes_a_beat_a_cycle),
      cmocka_unit_test(a_slow_bus_begins_no_earlier_than_it_must),
      cmocka_unit_test(a_fast_bus_waits_for_the_pins),
      cmocka_unit_test(a_wide_beat_waits_for_its_accesses),
      cmocka_unit_test(a_stream_reaches_the_pins),
      cmocka_unit_test(sets_are_possible),
      cmocka_unit_test(impossible_parameters_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
