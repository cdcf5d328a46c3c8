/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dram/master.h"

struct master *master_open(const struct tsr_dram_options *options, int beat_bytes)
{
  struct master *m = calloc(1, sizeof *m);
  m->seen = calloc(MOST_SEEN, sizeof *m->seen);
  m->beat_bytes = beat_bytes;
  m->dram = tsr_dram_new(NULL, options, beat_bytes);
  assert_non_null(m->dram);
  for (int i = 0; i < REGION_BYTES; i++) {
    m->region[i] = (uint8_t)(i * 37 + (i >> 8));
    m->constant[i] = (uint8_t)(i * 53 + (i >> 7));
  }
  tsr_dram_map(m->dram, 0, 0, m->region, sizeof m->region);
  tsr_dram_map_read_only(m->dram, 1, UINT64_C(1) << 39, m->constant, sizeof m->constant);
  return m;
}

void master_close(struct master *m)
{
  tsr_dram_free(m->dram);
  free(m->seen);
  free(m);
}

void master_read(struct master *m, uint64_t from, int id, uint64_t addr, int beats)
{
  m->reads[m->read_count++] = (struct burst){from, addr, beats, id};
}

void master_write(struct master *m, uint64_t from, uint64_t addr, int beats)
{
  m->writes[m->write_count++] = (struct burst){from, addr, beats, 0};
}

uint8_t master_byte(int burst, int i)
{
  return (uint8_t)(burst * 101 + i * 3 + 7);
}

static bool lazy(struct master *m)
{
  return m->lazy && (int)(next_random(&m->dice) & 255) < m->lazy;
}

/* Shows the next address of a script, if its time has come; once shown it stays. */
static void show_address(struct master *m, struct tsr_axi_address *a, const struct burst *script,
                         int count, int shown)
{
  if (a->valid || shown == count || script[shown].from > m->cycle || lazy(m))
    return;
  const struct burst *b = &script[shown];
  *a = (struct tsr_axi_address){
      .addr = b->addr,
      .valid = 1,
      .id = (uint8_t)b->id,
      .len = (uint8_t)(b->beats - 1),
      .size = (uint8_t)__builtin_ctz((unsigned)m->beat_bytes),
      .burst = TSR_AXI_INCR,
  };
}

/* Data comes with its address at the earliest. */
static void show_data(struct master *m)
{
  int known = m->writes_shown + m->now.aw.valid;
  if (m->now.w_valid || m->data_burst >= known || lazy(m))
    return;
  m->now.w_valid = 1;
  m->now.w_last = m->data_beat + 1 == m->writes[m->data_burst].beats;
  memset(m->now.w_strb, 0xff, sizeof m->now.w_strb);
  for (int i = 0; i < m->beat_bytes; i++)
    m->now.w_data[i] = master_byte(m->data_burst, m->data_beat * m->beat_bytes + i);
}

static void note(struct master *m, enum kind kind, int id, int resp, int last)
{
  assert_true(m->seen_count < MOST_SEEN);
  struct seen *s = &m->seen[m->seen_count++];
  *s = (struct seen){.cycle = m->cycle, .kind = kind, .id = id, .resp = resp, .last = last};
  if (kind == SEEN_R)
    memcpy(s->data, m->slave.r_data, (size_t)m->beat_bytes);
}

static void take_addresses(struct master *m)
{
  if (m->now.ar.valid && m->slave.ar_ready) {
    note(m, SEEN_AR, m->now.ar.id, 0, 0);
    m->reads_shown++;
    m->now.ar.valid = 0;
  }
  if (m->now.aw.valid && m->slave.aw_ready) {
    note(m, SEEN_AW, 0, 0, 0);
    m->writes_shown++;
    m->now.aw.valid = 0;
  }
}

static void take_data(struct master *m)
{
  if (m->slave.r_valid && m->now.r_ready) {
    note(m, SEEN_R, m->slave.r_id, m->slave.r_resp, m->slave.r_last);
    m->last_beats += m->slave.r_last;
  }
  if (m->now.w_valid && m->slave.w_ready) {
    note(m, SEEN_W, 0, 0, m->now.w_last);
    m->data_beat = m->now.w_last ? 0 : m->data_beat + 1;
    m->data_burst += m->now.w_last;
    m->now.w_valid = 0;
  }
  if (m->slave.b_valid && m->now.b_ready) {
    note(m, SEEN_B, 0, m->slave.b_resp, 0);
    m->answers++;
  }
}

/* What a slave owes its master: what was shown and not taken stays as it was. */
static void check_slave(const struct master *m, const struct tsr_axi_slave *before, bool r_held,
                        bool b_held)
{
  const struct tsr_axi_slave *s = &m->slave;
  if (r_held) {
    assert_true(s->r_valid && s->r_id == before->r_id && s->r_resp == before->r_resp);
    assert_true(s->r_last == before->r_last);
    assert_memory_equal(s->r_data, before->r_data, (size_t)m->beat_bytes);
  }
  if (b_held)
    assert_true(s->b_valid && s->b_resp == before->b_resp);
}

void master_cycle(struct master *m)
{
  struct tsr_axi_slave before = m->slave;
  bool r_held = before.r_valid && !m->now.r_ready, b_held = before.b_valid && !m->now.b_ready;
  show_address(m, &m->now.ar, m->reads, m->read_count, m->reads_shown);
  show_address(m, &m->now.aw, m->writes, m->write_count, m->writes_shown);
  show_data(m);
  m->now.r_ready = !lazy(m);
  m->now.b_ready = !lazy(m);
  tsr_dram_cycle(m->dram, &m->now, &m->slave);
  check_slave(m, &before, r_held, b_held);
  take_addresses(m);
  take_data(m);
  m->cycle++;
}

void master_play(struct master *m)
{
  m->cycle = 0;
  m->reads_shown = m->writes_shown = m->data_burst = m->data_beat = 0;
  m->answers = m->last_beats = m->seen_count = 0;
  m->now = (struct tsr_axi_master){0};
  m->slave = (struct tsr_axi_slave){0};
  while (m->last_beats < m->read_count || m->answers < m->write_count) {
    assert_true(m->cycle < LONGEST_RUN);
    master_cycle(m);
  }
  assert_true(tsr_dram_idle(m->dram));
}

const struct seen *master_seen(const struct master *m, enum kind kind, int n)
{
  for (int i = 0; i < m->seen_count; i++)
    if (m->seen[i].kind == kind && n-- == 0)
      return &m->seen[i];
  return NULL;
}

void master_expect(const struct master *m, enum kind kind, int count, const uint64_t *cycles)
{
  for (int i = 0; i < count; i++) {
    const struct seen *s = master_seen(m, kind, i);
    assert_non_null(s);
    if (s->cycle != cycles[i])
      print_error("transfer %d of kind %d: in cycle %d, expected in %d\n", i, kind, (int)s->cycle,
                  (int)cycles[i]);
    assert_int_equal(s->cycle, cycles[i]);
  }
  assert_null(master_seen(m, kind, count));
}
