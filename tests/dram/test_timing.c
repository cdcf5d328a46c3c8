/* SPDX-License-Identifier: Apache-2.0 */
/* A quiet memory: the cycle of every transfer, worked out by hand, and by the closed form. */
#include "tests/dram/master.h"

#define CYCLES(...)                                                                                \
  (const uint64_t[])                                                                               \
  {                                                                                                \
    __VA_ARGS__                                                                                    \
  }

static const struct tsr_dram_options ideal = {.model = TSR_MEMORY_IDEAL};

static struct tsr_dram_options simple(int latency_cycles, int bytes_per_cycle)
{
  return (struct tsr_dram_options){.model = TSR_MEMORY_SIMPLE,
                                   .latency_cycles = latency_cycles,
                                   .bytes_per_cycle = bytes_per_cycle};
}

static void ideal_reads_follow_back_to_back(void **state)
{
  (void)state;
  struct master *m = master_open(&ideal, 8);
  master_read(m, 0, 1, 64, 4);
  master_read(m, 0, 0, 256, 2);
  master_read(m, 20, 1, 0, 1);
  master_play(m);
  master_expect(m, SEEN_AR, 3, CYCLES(0, 1, 20));
  master_expect(m, SEEN_R, 7, CYCLES(1, 2, 3, 4, 5, 6, 21));
  for (int i = 0; i < 4; i++) {
    const struct seen *s = master_seen(m, SEEN_R, i);
    assert_memory_equal(s->data, m->region + 64 + 8 * i, 8);
    assert_int_equal(s->id, 1);
    assert_int_equal(s->last, i == 3);
  }
  assert_int_equal(master_seen(m, SEEN_R, 4)->id, 0);
  assert_memory_equal(master_seen(m, SEEN_R, 5)->data, m->region + 264, 8);
  assert_memory_equal(master_seen(m, SEEN_R, 6)->data, m->region, 8);
  master_close(m);
}

static void ideal_writes_every_cycle(void **state)
{
  (void)state;
  struct master *m = master_open(&ideal, 4);
  master_write(m, 0, 100, 3);
  master_write(m, 0, 200, 2);
  master_play(m);
  master_expect(m, SEEN_AW, 2, CYCLES(0, 1));
  master_expect(m, SEEN_W, 5, CYCLES(0, 1, 2, 3, 4));
  master_expect(m, SEEN_B, 2, CYCLES(3, 5));
  for (int i = 0; i < 12; i++)
    assert_int_equal(m->region[100 + i], master_byte(0, i));
  for (int i = 0; i < 8; i++)
    assert_int_equal(m->region[200 + i], master_byte(1, i));
  assert_int_equal(m->region[112], (uint8_t)(112 * 37));
  master_close(m);
}

static void latency_is_paid_once_by_bursts_in_flight(void **state)
{
  (void)state;
  struct tsr_dram_options o = simple(10, 8);
  struct master *m = master_open(&o, 8);
  master_read(m, 0, 0, 0, 4);
  master_read(m, 0, 0, 32, 2);
  master_read(m, 30, 0, 64, 1);
  master_play(m);
  master_expect(m, SEEN_R, 7, CYCLES(11, 12, 13, 14, 15, 16, 41));
  master_close(m);
}

static void a_slow_memory_spaces_beats(void **state)
{
  (void)state;
  struct tsr_dram_options half = simple(10, 4), odd = simple(0, 3);
  struct master *m = master_open(&half, 8);
  master_read(m, 0, 0, 0, 3); /* 8 bytes are there after 2, 4, 6 cycles */
  master_play(m);
  master_expect(m, SEEN_R, 3, CYCLES(12, 14, 16));
  master_close(m);
  m = master_open(&odd, 8);
  master_read(m, 0, 0, 0, 4); /* 8/3, 16/3, 24/3, 32/3 cycles, rounded up */
  master_play(m);
  master_expect(m, SEEN_R, 4, CYCLES(3, 6, 8, 11));
  master_close(m);
}

static void reads_and_writes_share_the_pins(void **state)
{
  (void)state;
  struct tsr_dram_options o = simple(10, 8);
  struct master *m = master_open(&o, 8);
  master_read(m, 0, 0, 0, 4);
  master_write(m, 0, 512, 2);  /* behind the read, which takes the pins in cycles 0 to 3 */
  master_read(m, 1, 0, 64, 1); /* behind the write, in 4 and 5 */
  master_play(m);
  master_expect(m, SEEN_R, 5, CYCLES(11, 12, 13, 14, 17));
  master_expect(m, SEEN_W, 2, CYCLES(4, 5));
  master_expect(m, SEEN_B, 1, CYCLES(16));
  master_close(m);
}

static void a_fast_memory_waits_for_the_bus(void **state)
{
  (void)state;
  struct tsr_dram_options o = simple(5, 32);
  struct master *m = master_open(&o, 8);
  master_read(m, 0, 0, 0, 4);
  master_write(m, 0, 512, 4); /* the read leaves the pins after one cycle */
  master_play(m);
  master_expect(m, SEEN_R, 4, CYCLES(6, 7, 8, 9));
  master_expect(m, SEEN_W, 4, CYCLES(1, 2, 3, 4));
  master_expect(m, SEEN_B, 1, CYCLES(10));
  master_close(m);
}

/* Two reads in flight: the third address waits for the last beat of the first, the fourth for that
 * of the second. */
static void a_limit_holds_addresses_back(void **state)
{
  (void)state;
  struct tsr_dram_options o = simple(10, 8);
  o.reads = 2;
  struct master *m = master_open(&o, 8);
  master_read(m, 0, 0, 0, 2);
  master_read(m, 0, 1, 32, 4);
  master_read(m, 0, 1, 64, 1);
  master_read(m, 3, 0, 128, 2);
  master_play(m);
  master_expect(m, SEEN_AR, 4, CYCLES(0, 1, 12, 16));
  master_expect(m, SEEN_R, 9, CYCLES(11, 12, 13, 14, 15, 16, 23, 27, 28));
  master_close(m);
}

/* The second write's address is accepted in the cycle in which the answer to the first is taken,
 * and so is its first beat; reads have no limit. */
static void a_write_is_in_flight_until_its_answer(void **state)
{
  (void)state;
  struct tsr_dram_options o = simple(5, 8);
  o.writes = 1;
  struct master *m = master_open(&o, 8);
  master_write(m, 0, 512, 2);
  master_write(m, 0, 1024, 1);
  master_read(m, 20, 0, 0, 1);
  master_read(m, 20, 1, 8, 1);
  master_play(m);
  master_expect(m, SEEN_AW, 2, CYCLES(0, 7));
  master_expect(m, SEEN_W, 3, CYCLES(0, 1, 7));
  master_expect(m, SEEN_B, 2, CYCLES(7, 13));
  master_expect(m, SEEN_AR, 2, CYCLES(20, 21));
  master_close(m);
}

/* Reads of a quiet memory with a master that is always ready, from the order of bursts alone. */
static void check_reads(const struct tsr_dram_options *o, int beat_bytes, uint64_t seed)
{
  struct master *m = master_open(o, beat_bytes);
  uint64_t from = 0;
  for (int i = 0; i < 100; i++) {
    from += next_random(&seed) % 40;
    int beats = 1 + (int)(next_random(&seed) % 16);
    master_read(m, from, (int)(next_random(&seed) & 1), 0, beats);
  }
  master_play(m);
  uint64_t bus = 0;  /* free from this cycle on */
  uint64_t pins = 0; /* in 1/rate */
  uint64_t rate = o->model == TSR_MEMORY_SIMPLE ? (uint64_t)o->bytes_per_cycle : 0;
  int beat = 0;
  for (int i = 0; i < 100; i++) {
    uint64_t cycle = master_seen(m, SEEN_AR, i)->cycle;
    pins = pins > cycle * rate ? pins : cycle * rate;
    for (int k = 0; k < m->reads[i].beats; k++) {
      pins += (uint64_t)beat_bytes;
      uint64_t moved = rate ? (pins + rate - 1) / rate : cycle + 1 + (uint64_t)k;
      moved += (uint64_t)o->latency_cycles;
      bus = moved > bus ? moved : bus;
      assert_int_equal(master_seen(m, SEEN_R, beat++)->cycle, bus);
      bus++;
    }
  }
  master_close(m);
}

static void the_closed_form_is_what_happens(void **state)
{
  (void)state;
  struct tsr_dram_options list[] = {ideal,         simple(0, 1),    simple(4, 4),
                                    simple(20, 8), simple(100, 32), simple(7, 5)};
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
    for (uint64_t seed = 0; seed < 4; seed++)
      check_reads(&list[i], 4 << seed, seed);
}

static void the_design_point_is_the_default(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_design d;
  assert_int_equal(tsr_design_open(arena, NULL, "wide", &d), TSR_OK);
  struct tsr_dram_options o = tsr_dram_defaults(&d);
  assert_int_equal(o.model, TSR_MEMORY_SIMPLE);
  assert_int_equal(o.latency_cycles, 100);
  assert_int_equal(o.bytes_per_cycle, 32);
  assert_int_equal(o.reads | o.writes, 0);
  d.memory.reads = 3;
  d.memory.writes = 2;
  o = tsr_dram_defaults(&d);
  assert_int_equal(o.reads, 3);
  assert_int_equal(o.writes, 2);
  assert_int_equal(o.stall | o.long_latency | o.reorder | o.read_error | o.write_error, 0);
  tsr_arena_free(arena);
}

static void impossible_options_are_refused(void **state)
{
  (void)state;
  struct tsr_dram_options good = simple(0, 1), rate = simple(0, 0), latency = simple(-1, 1);
  struct tsr_dram_options stall = ideal, model = ideal, reads = good, writes = good;
  stall.stall = 256;
  reads.reads = 257;
  writes.writes = -1;
  model.model = (enum tsr_memory_model)77;
  struct tsr_err err;
  assert_int_equal(tsr_dram_check(&err, &ideal), TSR_OK);
  assert_int_equal(tsr_dram_check(&err, &good), TSR_OK);
  assert_int_equal(tsr_dram_check(&err, &rate), TSR_REFUSED);
  assert_string_equal(err.text, "memory: bytes_per_cycle is 0, outside of 1 to 4096");
  assert_int_equal(tsr_dram_check(&err, &latency), TSR_REFUSED);
  assert_string_equal(err.text, "memory: latency_cycles is -1, outside of 0 to 100000");
  assert_int_equal(tsr_dram_check(&err, &reads), TSR_REFUSED);
  assert_string_equal(err.text, "memory: reads is 257, outside of 0 to 256");
  assert_int_equal(tsr_dram_check(&err, &writes), TSR_REFUSED);
  assert_string_equal(err.text, "memory: writes is -1, outside of 0 to 256");
  assert_int_equal(tsr_dram_check(&err, &stall), TSR_REFUSED);
  assert_string_equal(err.text, "memory: stall is 256, outside of 0 to 255");
  assert_int_equal(tsr_dram_check(&err, &model), TSR_REFUSED);
  assert_string_equal(err.text, "memory: there is no model 77; ideal is 0, simple 1 and ddr 2");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ideal_reads_follow_back_to_back),
      cmocka_unit_test(ideal_writes_every_cycle),
      cmocka_unit_test(latency_is_paid_once_by_bursts_in_flight),
      cmocka_unit_test(a_slow_memory_spaces_beats),
      cmocka_unit_test(reads_and_writes_share_the_pins),
      cmocka_unit_test(a_fast_memory_waits_for_the_bus),
      cmocka_unit_test(a_limit_holds_addresses_back),
      cmocka_unit_test(a_write_is_in_flight_until_its_answer),
      cmocka_unit_test(the_closed_form_is_what_happens),
      cmocka_unit_test(the_design_point_is_the_default),
      cmocka_unit_test(impossible_options_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
