/* SPDX-License-Identifier: Apache-2.0 */
/* The memory cycle by cycle: one shown beat a channel, and the data. */
#include <string.h>

#include "hw/sim/dram/memory.h"

/* --- reads ------------------------------------------------------------------------------------ */

static void show_read(struct tsr_dram *dram, int id)
{
  const struct tsr__burst *b = tsr__ring_at(&dram->reads[id], 0);
  const struct tsr__region *r = tsr__dram_region(dram, b, b->next);
  struct tsr_axi_slave *s = &dram->slave;
  size_t bytes = (size_t)dram->beat_bytes;
  s->r_valid = 1;
  s->r_id = (uint8_t)id;
  s->r_last = b->next + 1 == b->beats;
  s->r_resp = tsr__dram_read_resp(dram, b, b->next);
  if (r)
    memcpy(s->r_data, r->read + (b->addr + (uint64_t)b->next * bytes - r->base), bytes);
  else
    memset(s->r_data, 0, bytes);
  dram->shown = id;
}

static void cycle_reads(struct tsr_dram *dram, bool r_ready)
{
  if (dram->shown < 0) {
    dram->slave.r_valid = 0;
    if (tsr__dram_held(dram, TSR_AXI_R, dram->cycle))
      return;
    int id = tsr__dram_pick_read(dram, dram->cycle);
    if (id < 0)
      return;
    show_read(dram, id);
  }
  if (!r_ready)
    return;
  tsr__dram_take_read(dram, dram->shown, 1, dram->cycle);
  dram->shown = -1;
}

/* --- writes ----------------------------------------------------------------------------------- */

static bool all_lanes(const uint8_t *strobes, size_t bytes)
{
  uint8_t all = bytes < 8 ? (uint8_t)((1u << bytes) - 1) : 0xff;
  for (size_t i = 0; i < (bytes + 7) / 8; i++)
    if (strobes[i] != all)
      return false;
  return true;
}

static void store(struct tsr_dram *dram, const struct tsr__burst *b, const struct tsr_axi_master *m)
{
  size_t bytes = (size_t)dram->beat_bytes;
  const struct tsr__region *r = tsr__dram_region(dram, b, b->next);
  if (!r || !r->write)
    return;
  uint8_t *to = r->write + (b->addr + (uint64_t)b->next * bytes - r->base);
  if (all_lanes(m->w_strb, bytes)) {
    memcpy(to, m->w_data, bytes);
    return;
  }
  for (size_t i = 0; i < bytes; i++)
    if (m->w_strb[i / 8] >> i % 8 & 1)
      to[i] = m->w_data[i];
}

static void cycle_writes(struct tsr_dram *dram, const struct tsr_axi_master *m)
{
  dram->slave.w_ready = 0;
  if (dram->writes_full == dram->writes.count || tsr__dram_held(dram, TSR_AXI_W, dram->cycle))
    return;
  const struct tsr__burst *b = tsr__ring_at(&dram->writes, dram->writes_full);
  dram->slave.w_ready = b->due <= dram->cycle;
  if (!dram->slave.w_ready || !m->w_valid)
    return;
  store(dram, b, m);
  tsr__axi_rules_beat(&dram->rules, m->w_last, b->next, b->beats);
  tsr__dram_take_write(dram, 1, dram->cycle);
}

static void cycle_answers(struct tsr_dram *dram, bool b_ready)
{
  struct tsr_axi_slave *s = &dram->slave;
  if (!dram->answering) {
    const struct tsr__burst *b = tsr__ring_at(&dram->writes, 0);
    s->b_valid = 0;
    if (!dram->writes_full || b->due > dram->cycle || tsr__dram_held(dram, TSR_AXI_B, dram->cycle))
      return;
    s->b_valid = 1;
    s->b_resp = b->resp;
    dram->answering = true;
  }
  if (b_ready) {
    dram->answering = false;
    tsr__dram_take_answer(dram, dram->cycle);
  }
}

/* --- a cycle ---------------------------------------------------------------------------------- */

static bool accepts(const struct tsr_dram *dram, enum tsr_axi_channel channel)
{
  return tsr__dram_room_cycle(dram, channel, dram->cycle) == dram->cycle &&
         !tsr__dram_held(dram, channel, dram->cycle);
}

/* What can be known of the bursts that are next. */
static void decide(struct tsr_dram *dram)
{
  uint64_t unused;
  for (int id = 0; id < TSR_AXI_READ_IDS; id++)
    if (dram->reads[id].count)
      tsr__dram_decide(dram, tsr__ring_at(&dram->reads[id], 0), &unused);
  if (dram->writes_full)
    tsr__dram_decide(dram, tsr__ring_at(&dram->writes, 0), &unused);
}

/* In the order of bursts.h: a beat that is accepted in a cycle is not answered in it. */
static void cycle_busy(struct tsr_dram *dram, const struct tsr_axi_master *m)
{
  struct tsr_axi_slave *s = &dram->slave;
  dram->rules.cycle = dram->told = dram->cycle;
  decide(dram);
  cycle_answers(dram, m->b_ready);
  cycle_reads(dram, m->r_ready);
  s->ar_ready = accepts(dram, TSR_AXI_AR);
  s->aw_ready = accepts(dram, TSR_AXI_AW);
  if (m->ar.valid && s->ar_ready)
    tsr__dram_accept_read(dram, dram->cycle, m->ar.id, m->ar.addr, m->ar.len + 1);
  if (m->aw.valid && s->aw_ready)
    tsr__dram_accept_write(dram, dram->cycle, m->aw.addr, m->aw.len + 1);
  cycle_writes(dram, m);
  if (m->ar.valid | m->aw.valid | m->w_valid || tsr__axi_rules_wait(&dram->rules))
    tsr__axi_rules_cycle(&dram->rules, m, s);
}

void tsr_dram_cycle(struct tsr_dram *dram, const struct tsr_axi_master *master,
                    struct tsr_axi_slave *slave)
{
  bool quiet = !(master->ar.valid | master->aw.valid | master->w_valid) && tsr_dram_idle(dram) &&
               !dram->options.stall && !tsr__axi_rules_wait(&dram->rules);
  if (quiet) {
    slave->ar_ready = slave->aw_ready = 1;
    slave->w_ready = slave->r_valid = slave->b_valid = 0;
  } else {
    cycle_busy(dram, master);
    size_t flags = offsetof(struct tsr_axi_slave, r_data);
    memcpy(slave, &dram->slave, flags + (dram->slave.r_valid ? (size_t)dram->beat_bytes : 0));
  }
  dram->cycle++;
}

const char *tsr_dram_complaint(const struct tsr_dram *dram)
{
  return dram->rules.text[0] ? dram->rules.text : NULL;
}
