/* SPDX-License-Identifier: Apache-2.0 */
/* A memory that makes trouble: bits stay right, AXI's rules are kept, and a seed is a sequence. */
#include "tests/dram/master.h"

#define PROGRAM (UINT64_C(1) << 39)

static const struct tsr_dram_options all = {.model = TSR_MEMORY_SIMPLE,
                                            .latency_cycles = 6,
                                            .bytes_per_cycle = 8,
                                            .stall = 90,
                                            .long_latency = 20,
                                            .reorder = 100};

/* Reads of both IDs, from both regions; writes to the upper half of the window, reads of the
 * lower. */
static struct master *draw(const struct tsr_dram_options *options, uint64_t seed, int lazy)
{
  struct tsr_dram_options o = *options;
  o.seed = seed;
  struct master *m = master_open(&o, 8);
  uint64_t dice = seed;
  for (int i = 0; i < 200; i++) {
    int beats = 1 + (int)(next_random(&dice) % 16);
    uint64_t addr = 128 * (next_random(&dice) % 60), from = (uint64_t)i * 10;
    int id = (int)(next_random(&dice) & 1);
    master_read(m, from, id, id ? addr : PROGRAM + addr, beats);
    if (i < 60)
      master_write(m, from, REGION_BYTES / 2 + 128 * (uint64_t)i, beats);
  }
  m->lazy = lazy;
  m->dice = ~seed;
  return m;
}

/* Every beat that was read, by ID, in the order of that ID's bursts. */
static void check_data(const struct master *m)
{
  int burst[2] = {-1, -1}, beat[2] = {0, 0};
  for (int i = 0; i < m->seen_count; i++) {
    const struct seen *s = &m->seen[i];
    if (s->kind != SEEN_R)
      continue;
    if (!beat[s->id])
      do
        burst[s->id]++;
      while (m->reads[burst[s->id]].id != s->id);
    const struct burst *b = &m->reads[burst[s->id]];
    const uint8_t *home = s->id ? m->region : m->constant;
    uint64_t at = (s->id ? b->addr : b->addr - PROGRAM) + 8 * (uint64_t)beat[s->id]++;
    assert_memory_equal(s->data, home + at, 8);
    assert_int_equal(s->last, beat[s->id] == b->beats);
    if (s->last)
      beat[s->id] = 0;
  }
  for (int i = 0; i < m->write_count; i++)
    for (int k = 0; k < 8 * m->writes[i].beats; k++)
      assert_int_equal(m->region[m->writes[i].addr + (uint64_t)k], master_byte(i, k));
}

/* How often a burst was cut by a beat of the other ID, and an older burst of it overtaken. */
static void count_disorder(const struct master *m, int *cuts, int *overtakings)
{
  int order[2][MOST_BURSTS], first[2] = {0, 0}, count[2] = {0, 0}, last = -1, accepted = 0;
  bool open[2] = {false, false};
  *cuts = *overtakings = 0;
  for (int i = 0; i < m->seen_count; i++) {
    const struct seen *s = &m->seen[i];
    int other = !s->id;
    if (s->kind == SEEN_AR)
      order[s->id][count[s->id]++] = accepted++;
    if (s->kind != SEEN_R)
      continue;
    *cuts += last == other && open[other];
    if (!open[s->id] && first[other] < count[other])
      *overtakings += order[other][first[other]] < order[s->id][first[s->id]];
    open[s->id] = !s->last;
    first[s->id] += s->last;
    last = s->id;
  }
}

static void bits_are_right_under_all_of_it(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct master *m = draw(&all, seed, seed & 1 ? 100 : 0);
    master_play(m);
    check_data(m);
    assert_null(tsr_dram_complaint(m->dram));
    struct tsr_dram_error unused;
    assert_false(tsr_dram_first_error(m->dram, &unused));
    int cuts, overtakings;
    count_disorder(m, &cuts, &overtakings);
    assert_true(cuts > 10);
    assert_true(overtakings > 10);
    master_close(m);
  }
}

static void without_reorder_bursts_keep_their_order(void **state)
{
  (void)state;
  struct tsr_dram_options o = all;
  o.reorder = 0;
  struct master *m = draw(&o, 5, 60);
  master_play(m);
  int cuts, overtakings;
  count_disorder(m, &cuts, &overtakings);
  assert_int_equal(cuts + overtakings, 0);
  check_data(m);
  master_close(m);
}

static void long_latency_is_some_bursts_only(void **state)
{
  (void)state;
  struct tsr_dram_options o = {.model = TSR_MEMORY_IDEAL, .long_latency = 64, .seed = 3};
  struct master *m = master_open(&o, 8);
  for (int i = 0; i < 200; i++)
    master_read(m, 1000 * (uint64_t)i, 0, 0, 1);
  master_play(m);
  int late = 0;
  uint64_t most = 0;
  for (int i = 0; i < 200; i++) {
    uint64_t took = master_seen(m, SEEN_R, i)->cycle - 1000 * (uint64_t)i - 1;
    late += took > 0;
    most = took > most ? took : most;
  }
  assert_in_range(late, 30, 70); /* a quarter of 200 */
  assert_in_range(most, 400, 500);
  master_close(m);
}

/* Two bursts at a time, of which one in two is late. */
static void a_late_burst_does_not_hold_up_the_other_id(void **state)
{
  (void)state;
  struct tsr_dram_options o = {
      .model = TSR_MEMORY_IDEAL, .long_latency = 128, .reorder = 1, .seed = 9};
  struct master *m = master_open(&o, 8);
  for (int i = 0; i < 100; i++)
    for (int id = 0; id < 2; id++)
      master_read(m, 2000 * (uint64_t)i, id, 0, 1);
  master_play(m);
  int in_time = 0;
  for (int i = 0; i < m->seen_count; i++)
    in_time += m->seen[i].kind == SEEN_R && m->seen[i].id == 1 && m->seen[i].cycle % 2000 == 2;
  assert_in_range(in_time, 35, 65);
  master_close(m);
}

static void a_seed_is_a_sequence(void **state)
{
  (void)state;
  struct master *a = draw(&all, 7, 50), *b = draw(&all, 7, 50), *c = draw(&all, 8, 50);
  b->dice = c->dice = a->dice;
  memcpy(c->reads, a->reads, sizeof c->reads);
  memcpy(c->writes, a->writes, sizeof c->writes);
  uint64_t dice = a->dice;
  master_play(a);
  master_play(b);
  master_play(c);
  assert_int_equal(a->seen_count, b->seen_count);
  assert_memory_equal(a->seen, b->seen, (size_t)a->seen_count * sizeof *a->seen);
  assert_memory_not_equal(a->seen, c->seen, (size_t)a->seen_count * sizeof *a->seen);
  tsr_dram_restart(b->dram); /* and again on the same memory */
  b->dice = dice;
  master_play(b);
  for (int i = 0; i < a->seen_count; i++)
    assert_int_equal(a->seen[i].cycle, b->seen[i].cycle);
  master_close(a);
  master_close(b);
  master_close(c);
}

static void errors_come_by_burst(void **state)
{
  (void)state;
  struct tsr_dram_options o = {
      .model = TSR_MEMORY_IDEAL, .seed = 1, .read_error = 128, .write_error = 128};
  struct master *m = master_open(&o, 4);
  for (int i = 0; i < 200; i++) {
    master_read(m, 0, i & 1, 64, 8);
    master_write(m, 0, 128, 2);
  }
  master_play(m);
  int reads = 0, writes = 0, in_burst = 0, last_beats = 0;
  for (int i = 0; i < m->seen_count; i++) {
    const struct seen *s = &m->seen[i];
    writes += s->kind == SEEN_B && s->resp == TSR_AXI_SLVERR;
    in_burst += s->kind == SEEN_R && s->resp == TSR_AXI_SLVERR;
    if (s->kind != SEEN_R || !s->last)
      continue;
    assert_true(in_burst <= 1); /* one beat of the burst has it, any of them */
    reads += in_burst;
    last_beats += s->resp == TSR_AXI_SLVERR;
    in_burst = 0;
  }
  assert_in_range(reads, 70, 130);
  assert_in_range(writes, 70, 130);
  assert_in_range(last_beats, 3, reads / 2);
  struct tsr_dram_error first;
  assert_true(tsr_dram_first_error(m->dram, &first));
  assert_int_equal(first.resp, TSR_AXI_SLVERR);
  assert_int_equal(first.addr, first.write ? 128 : 64);
  assert_int_equal(first.bytes, first.write ? 8 : 32);
  master_close(m);
}

static void errors_come_by_seed(void **state)
{
  (void)state;
  int responses[3][100];
  for (int k = 0; k < 3; k++) {
    struct tsr_dram_options o = {
        .model = TSR_MEMORY_IDEAL, .seed = k < 2 ? 1 : 2, .read_error = 128};
    struct master *m = master_open(&o, 4);
    for (int i = 0; i < 100; i++)
      master_read(m, 0, 0, 64, 1);
    master_play(m);
    for (int i = 0; i < 100; i++)
      responses[k][i] = master_seen(m, SEEN_R, i)->resp;
    master_close(m);
  }
  assert_memory_equal(responses[0], responses[1], sizeof responses[0]);
  assert_memory_not_equal(responses[0], responses[2], sizeof responses[0]);
}

static void outside_of_the_regions_nothing_answers(void **state)
{
  (void)state;
  struct tsr_dram_options o = {.model = TSR_MEMORY_IDEAL};
  struct master *m = master_open(&o, 4);
  const uint64_t end = REGION_BYTES;
  tsr_dram_map(m->dram, 0, 0, m->region, end - 4); /* ends within the burst at end - 8 */
  master_read(m, 0, 0, end - 8, 2);
  master_read(m, 0, 1, PROGRAM - 4, 1);
  master_read(m, 0, 1, UINT64_C(0xfffffffffc), 1);
  master_write(m, 0, PROGRAM, 1);
  master_write(m, 0, end, 1);
  master_write(m, 0, end - 8, 2);
  master_write(m, 0, 0, 1);
  uint8_t constant[4];
  memcpy(constant, m->constant, 4);
  master_play(m);
  const int reads[] = {TSR_AXI_OKAY, TSR_AXI_DECERR, TSR_AXI_DECERR, TSR_AXI_DECERR};
  const int writes[] = {TSR_AXI_DECERR, TSR_AXI_DECERR, TSR_AXI_DECERR, TSR_AXI_OKAY};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(master_seen(m, SEEN_R, i)->resp, reads[i]);
    assert_int_equal(master_seen(m, SEEN_B, i)->resp, writes[i]);
  }
  assert_memory_equal(m->constant, constant, 4);
  assert_int_equal(m->region[end - 8], master_byte(2, 0)); /* the beat that was inside */
  assert_int_equal(m->region[end - 4], (uint8_t)((end - 4) * 37 + ((end - 4) >> 8)));
  struct tsr_dram_error first;
  assert_true(tsr_dram_first_error(m->dram, &first));
  assert_int_equal(first.addr, PROGRAM); /* answered in the cycle behind its beat */
  assert_true(first.write && first.resp == TSR_AXI_DECERR);
  master_close(m);
}

static void memory_may_run_out(void **state)
{
  (void)state;
  struct counting c;
  counting_init(&c, 0);
  assert_null(tsr_dram_new(&c.allocator, &all, 8));
  counting_init(&c, 1);
  struct tsr_dram *dram = tsr_dram_new(&c.allocator, &all, 8);
  assert_non_null(dram);
  tsr_dram_free(dram);
  tsr_dram_free(NULL);
  assert_int_equal(c.live, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bits_are_right_under_all_of_it),
      cmocka_unit_test(without_reorder_bursts_keep_their_order),
      cmocka_unit_test(long_latency_is_some_bursts_only),
      cmocka_unit_test(a_late_burst_does_not_hold_up_the_other_id),
      cmocka_unit_test(a_seed_is_a_sequence),
      cmocka_unit_test(errors_come_by_burst),
      cmocka_unit_test(errors_come_by_seed),
      cmocka_unit_test(outside_of_the_regions_nothing_answers),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
