/* SPDX-License-Identifier: Apache-2.0 */
/* The burst port in front of a memory that answers later: who comes next on R, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hw/sim/systemc/flights.h"

enum { MOST = 8, FETCH = 0, LOAD = 1 };
#define NEVER UINT64_MAX

static struct tsr_flights flights;
static struct tsr_burst_port port;
static struct tsr_flight *sent[MOST];
static int sent_count, written_count;

static void send(void *context, struct tsr_flight *flight)
{
  assert_ptr_equal(context, sent);
  tsr_flight_sent(flight, flight->accepted);
  sent[sent_count++] = flight;
}

static void written(void *context, struct tsr_flight *flight)
{
  assert_ptr_equal(context, sent);
  assert_ptr_equal(flight, sent[written_count++]);
}

static int set_up(void **state)
{
  (void)state;
  flights = (struct tsr_flights){.send = send, .written = written, .context = sent};
  written_count = 0;
  tsr_flights_clear(&flights);
  port = tsr_flights_port(&flights);
  sent_count = 0;
  return 0;
}

static struct tsr_burst_run next_read(uint64_t cycle)
{
  struct tsr_burst_run run;
  port.next_read(port.context, cycle, &run);
  return run;
}

/* What R shows: so many beats of an ID, the first in this cycle. */
static void shows(uint64_t cycle, int id, int beats, uint64_t first)
{
  struct tsr_burst_run run = next_read(cycle);
  assert_int_equal(run.beats, beats);
  assert_int_equal(run.id, id);
  assert_true(tsr_beat_cycle(&run.when, 0) == first);
  assert_int_equal(run.error_beat, -1);
}

static void shows_nothing(uint64_t cycle)
{
  struct tsr_burst_run run = next_read(cycle);
  assert_int_equal(run.beats, 0);
  assert_true(run.look_again == NEVER);
}

static void a_read(void **state)
{
  (void)state;
  port.accept_read(port.context, 5, LOAD, 0x1000, 4);
  assert_int_equal(sent_count, 1);
  assert_int_equal(sent[0]->addr, 0x1000);
  assert_int_equal(sent[0]->beats, 4);
  assert_false(sent[0]->write);
  shows_nothing(6);
  tsr_flight_answered(sent[0], 9, false);
  shows(6, LOAD, 4, 9);
  assert_true(next_read(6).ends && next_read(6).sure);
  port.take_read(port.context, 3, 11);
  shows(12, LOAD, 1, 12);
  port.take_read(port.context, 1, 12);
  shows_nothing(13);
}

/* Reads are shown in the order of their answers, those of one ID in that of their addresses, and
 * a burst that has begun goes on. */
static void order(void **state)
{
  (void)state;
  port.accept_read(port.context, 1, LOAD, 0, 2);
  port.accept_read(port.context, 2, LOAD, 64, 2);
  port.accept_read(port.context, 3, FETCH, 0, 2);
  tsr_flight_answered(sent[1], 10, false);
  shows_nothing(10); /* the first of the ID has no answer */
  tsr_flight_answered(sent[2], 12, false);
  shows(12, FETCH, 2, 12);
  tsr_flight_answered(sent[0], 12, false);
  shows(12, LOAD, 2, 12); /* the same cycle: the address that was first */
  port.take_read(port.context, 1, 12);
  shows(13, LOAD, 1, 13);
  port.take_read(port.context, 1, 13);
  shows(14, LOAD, 2, 10);
  port.take_read(port.context, 2, 15);
  shows(16, FETCH, 2, 12);
}

/* A beat each two and a half cycles, the first six behind the request; and an answer that comes
 * when the first two could have gone. */
static void timed(void **state)
{
  (void)state;
  const struct tsr_beats slow = {12, 5, 2};
  port.accept_read(port.context, 100, LOAD, 0, 4);
  tsr_flight_timed(sent[0], &slow, 1);
  tsr_flight_answered(sent[0], 106, false);
  struct tsr_burst_run run = next_read(101);
  assert_int_equal(run.beats, 4);
  for (int k = 0; k < 4; k++)
    assert_int_equal(tsr_beat_cycle(&run.when, (uint64_t)k), 106 + k * 5 / 2);
  tsr_flight_answered(sent[0], 109, false);
  shows(101, LOAD, 2, 109);
  assert_false(next_read(101).ends);
  port.take_read(port.context, 2, 110);
  shows(111, LOAD, 2, 111);
  assert_true(next_read(111).ends);
  run = next_read(111);
  assert_int_equal(tsr_beat_cycle(&run.when, 1), 113);
}

static void read_error(void **state)
{
  (void)state;
  port.accept_read(port.context, 1, FETCH, 0, 3);
  tsr_flight_answered(sent[0], 4, true);
  struct tsr_burst_run run = next_read(4);
  assert_int_equal(run.beats, 1);
  assert_int_equal(run.error_beat, 0);
  assert_false(run.ends);
  port.take_read(port.context, 1, 4);
  shows(5, FETCH, 2, 5);
}

static struct tsr_burst_answer next_answer(uint64_t cycle)
{
  struct tsr_burst_answer answer;
  port.next_answer(port.context, cycle, &answer);
  return answer;
}

static void take_writes(int beats, uint64_t last)
{
  struct tsr_burst_run run;
  port.next_write(port.context, 0, &run);
  assert_int_equal(run.beats, beats);
  port.take_write(port.context, beats, last);
}

/* The answer counts from the last beat, or is the memory's, whichever is later. */
static void a_write(void **state)
{
  (void)state;
  const struct tsr_beats when = {0, 1, 1};
  port.accept_write(port.context, 10, 0x80, 2);
  port.accept_write(port.context, 11, 0x100, 1);
  tsr_flight_timed(sent[0], &when, 7);
  tsr_flight_answered(sent[0], 18, false);
  tsr_flight_answered(sent[1], 40, true);
  assert_false(next_answer(12).known);
  assert_int_equal(written_count, 0);
  take_writes(2, 20);
  assert_int_equal(written_count, 1);
  assert_true(next_answer(21).known && next_answer(21).cycle == 27);
  assert_int_equal(next_answer(30).cycle, 30);
  port.take_answer(port.context);
  assert_false(next_answer(31).known);
  take_writes(1, 21);
  assert_int_equal(next_answer(31).cycle, 40);
  assert_true(next_answer(31).error);
}

/* What is sent counts as written when nothing more moves; what is not out yet does not. */
static void writes_without_beats(void **state)
{
  (void)state;
  port.accept_write(port.context, 10, 0x80, 1);
  port.accept_write(port.context, 11, 0x100, 2);
  port.accept_write(port.context, 12, 0x200, 2);
  take_writes(1, 13);
  assert_int_equal(written_count, 1);
  flights.writes.slots[2].sent = false;
  tsr_flights_end_writes(&flights);
  assert_int_equal(written_count, 2);
  tsr_flights_end_writes(&flights);
  assert_int_equal(written_count, 2);
}

/* A request that is not out yet moves no beats. */
static void hold(void *context, struct tsr_flight *flight)
{
  assert_ptr_equal(context, sent);
  sent[sent_count++] = flight;
}

static void requests_that_wait(void **state)
{
  (void)state;
  struct tsr_burst_run run;
  flights.send = hold;
  port.accept_write(port.context, 10, 0, 2);
  port.next_write(port.context, 10, &run);
  assert_int_equal(run.beats, 0);
  tsr_flight_sent(sent[0], 15);
  port.next_write(port.context, 10, &run);
  assert_int_equal(run.beats, 2);
  assert_true(tsr_beat_cycle(&run.when, 0) == 15);
  assert_true(port.address_cycle(port.context, TSR_AXI_AR, 16) == 16);
  flights.blocked = true;
  assert_true(port.address_cycle(port.context, TSR_AXI_AW, 16) == NEVER);
}

static uint64_t address_cycle(enum tsr_axi_channel channel, uint64_t cycle)
{
  return port.address_cycle(port.context, channel, cycle);
}

/* Two reads, of both IDs together, from the address to the last beat; one write, to its answer. */
static void limits(void **state)
{
  (void)state;
  flights.read_limit.most = 2;
  flights.write_limit.most = 1;
  port.accept_write(port.context, 1, 0x80, 1);
  assert_true(address_cycle(TSR_AXI_AW, 2) == NEVER);
  take_writes(1, 2);
  tsr_flight_answered(sent[0], 20, false);
  assert_int_equal(next_answer(3).cycle, 20);
  assert_true(address_cycle(TSR_AXI_AW, 3) == NEVER);
  port.take_answer(port.context);
  assert_true(address_cycle(TSR_AXI_AW, 3) == 20);
  port.accept_read(port.context, 3, LOAD, 0, 2);
  assert_true(address_cycle(TSR_AXI_AR, 4) == 4);
  port.accept_read(port.context, 4, FETCH, 0, 1);
  assert_true(address_cycle(TSR_AXI_AR, 5) == NEVER);
  tsr_flight_answered(sent[1], 6, false);
  shows(6, LOAD, 2, 6);
  port.take_read(port.context, 1, 6);
  assert_true(address_cycle(TSR_AXI_AR, 7) == NEVER);
  port.take_read(port.context, 1, 9);
  assert_true(address_cycle(TSR_AXI_AR, 7) == 9);
  assert_true(address_cycle(TSR_AXI_AR, 10) == 10);
  tsr_flights_clear(&flights);
  assert_true(address_cycle(TSR_AXI_AR, 0) == 0 && address_cycle(TSR_AXI_AW, 0) == 0);
}

/* A memory that answers at once may be asked for something sooner before a beat comes. */
static void at_once(void **state)
{
  (void)state;
  flights.at_once = true;
  port.accept_read(port.context, 1, LOAD, 0, 2);
  tsr_flight_answered(sent[0], 30, false);
  assert_false(next_read(2).sure);
  port.accept_read(port.context, 5, FETCH, 0, 2);
  tsr_flight_answered(sent[1], 7, false);
  shows(6, FETCH, 2, 7);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_read, set_up),
      cmocka_unit_test_setup(order, set_up),
      cmocka_unit_test_setup(timed, set_up),
      cmocka_unit_test_setup(read_error, set_up),
      cmocka_unit_test_setup(a_write, set_up),
      cmocka_unit_test_setup(writes_without_beats, set_up),
      cmocka_unit_test_setup(requests_that_wait, set_up),
      cmocka_unit_test_setup(limits, set_up),
      cmocka_unit_test_setup(at_once, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
