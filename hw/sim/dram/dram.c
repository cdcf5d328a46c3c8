/* SPDX-License-Identifier: Apache-2.0 */
/* The memory cycle by cycle: bursts in rings, one shown beat a channel. */
#include "hw/sim/dram/dram.h"

#include <string.h>

#include "hw/sim/dram/rules.h"

enum { LONGEST_EXTRA = 500, LONGEST_DETOUR = 64 };

struct region {
  uint64_t base;
  size_t bytes;
  const uint8_t *read;
  uint8_t *write; /* NULL: read only */
};

struct burst {
  uint64_t addr, order;
  struct tsr_dram_slot slot;
  uint64_t extra; /* cycles that trouble adds */
  uint64_t due;   /* of the next beat; of a write's answer when all beats are there */
  int beats, next;
  int error_beat;            /* a read's beat that answers SLVERR; -1: none */
  uint8_t resp;              /* of a write */
  const struct region *home; /* that holds all of it; NULL: each beat is looked up */
};

struct ring {
  struct burst slots[TSR_DRAM_BURSTS];
  unsigned first, count;
};

struct tsr_dram {
  const struct tsr_allocator *allocator;
  struct tsr_dram_options options;
  int beat_bytes;
  struct region regions[TSR_DRAM_REGIONS];
  struct tsr_dram_timing timing;
  uint64_t cycle, accepted;
  uint64_t cycle_dice, burst_dice; /* states of the two sequences */
  struct ring reads[TSR_AXI_READ_IDS];
  struct ring writes;   /* from the address to the answer */
  unsigned writes_full; /* of these, how many have all of their beats */
  int shown;            /* read ID whose beat is on the bus; -1: none */
  bool answering;       /* a write's answer is on the bus */
  struct tsr_axi_slave slave;
  struct tsr_dram_error error;
  bool has_error;
  struct tsr__axi_rules rules;
};

/* --- rings and dice --------------------------------------------------------------------------- */

static struct burst *at(struct ring *ring, unsigned k)
{
  return &ring->slots[(ring->first + k) % TSR_DRAM_BURSTS];
}

static void drop(struct ring *ring)
{
  ring->first = (ring->first + 1) % TSR_DRAM_BURSTS;
  ring->count--;
}

/* SplitMix64. */
static uint64_t roll(uint64_t *state)
{
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static bool chance(uint64_t *state, int in_256)
{
  return in_256 && (int)(roll(state) & 255) < in_256;
}

/* --- new, free, map --------------------------------------------------------------------------- */

struct tsr_dram *tsr_dram_new(const struct tsr_allocator *allocator,
                              const struct tsr_dram_options *options, int beat_bytes)
{
  struct tsr_dram *dram = tsr_resize(allocator, NULL, sizeof *dram);
  if (!dram)
    return NULL;
  memset(dram, 0, sizeof *dram);
  dram->allocator = allocator;
  dram->options = *options;
  dram->beat_bytes = beat_bytes;
  tsr_dram_restart(dram);
  return dram;
}

void tsr_dram_free(struct tsr_dram *dram)
{
  if (dram)
    tsr_resize(dram->allocator, dram, 0);
}

void tsr_dram_map(struct tsr_dram *dram, int k, uint64_t base, uint8_t *data, size_t bytes)
{
  dram->regions[k] = (struct region){base, bytes, data, data};
}

void tsr_dram_map_read_only(struct tsr_dram *dram, int k, uint64_t base, const uint8_t *data,
                            size_t bytes)
{
  dram->regions[k] = (struct region){base, bytes, data, NULL};
}

void tsr_dram_restart(struct tsr_dram *dram)
{
  dram->timing = tsr_dram_timing(&dram->options, dram->beat_bytes);
  dram->cycle = dram->accepted = 0;
  dram->cycle_dice = dram->options.seed;
  dram->burst_dice = ~dram->options.seed;
  for (int id = 0; id < TSR_AXI_READ_IDS; id++)
    dram->reads[id].first = dram->reads[id].count = 0;
  dram->writes.first = dram->writes.count = dram->writes_full = 0;
  dram->shown = -1;
  dram->answering = dram->has_error = false;
  dram->slave = (struct tsr_axi_slave){0};
  dram->rules = (struct tsr__axi_rules){.beat_bytes = dram->beat_bytes};
}

static bool inside(const struct region *r, uint64_t addr, uint64_t bytes)
{
  return addr >= r->base && bytes <= r->bytes && addr - r->base <= r->bytes - bytes;
}

static const struct region *find_region(const struct tsr_dram *dram, uint64_t addr, uint64_t bytes)
{
  for (int k = 0; k < TSR_DRAM_REGIONS; k++)
    if (inside(&dram->regions[k], addr, bytes))
      return &dram->regions[k];
  return NULL;
}

static void note_error(struct tsr_dram *dram, const struct burst *b, uint8_t resp, bool write)
{
  if (dram->has_error)
    return;
  dram->has_error = true;
  dram->error = (struct tsr_dram_error){b->addr, b->beats * dram->beat_bytes, resp, write};
}

/* --- addresses -------------------------------------------------------------------------------- */

static void delay(struct tsr_dram *dram, struct burst *b)
{
  const struct tsr_dram_options *o = &dram->options;
  if (chance(&dram->burst_dice, o->long_latency))
    b->extra += roll(&dram->burst_dice) % (LONGEST_EXTRA + 1);
  if (chance(&dram->burst_dice, o->reorder))
    b->extra += roll(&dram->burst_dice) % (LONGEST_DETOUR + 1);
}

static struct burst *accept(struct tsr_dram *dram, struct ring *ring,
                            const struct tsr_axi_address *a)
{
  struct burst *b = at(ring, ring->count++);
  int beats = a->len + 1;
  *b = (struct burst){
      .addr = a->addr,
      .order = dram->accepted++,
      .slot = tsr_dram_reserve(&dram->timing, dram->cycle, beats),
      .beats = beats,
      .error_beat = -1,
      .home = find_region(dram, a->addr, (uint64_t)beats * (uint64_t)dram->beat_bytes),
  };
  delay(dram, b);
  return b;
}

static void accept_read(struct tsr_dram *dram, const struct tsr_axi_address *a)
{
  struct burst *b = accept(dram, &dram->reads[a->id & 1], a);
  b->due = tsr_dram_read_cycle(&dram->timing, b->slot, 0) + b->extra;
  if (chance(&dram->burst_dice, dram->options.read_error))
    b->error_beat = (int)(roll(&dram->burst_dice) % (uint64_t)b->beats);
}

static void accept_write(struct tsr_dram *dram, const struct tsr_axi_address *a)
{
  struct burst *b = accept(dram, &dram->writes, a);
  b->due = tsr_dram_write_cycle(&dram->timing, b->slot, 0);
  if (chance(&dram->burst_dice, dram->options.write_error))
    b->resp = TSR_AXI_SLVERR;
}

/* --- reads ------------------------------------------------------------------------------------ */

/* Whose beat comes next: the burst accepted first, or, where bursts may overtake, either. */
static int pick_read(struct tsr_dram *dram)
{
  struct ring *reads = dram->reads;
  if (!reads[0].count || !reads[1].count)
    return reads[0].count ? 0 : reads[1].count ? 1 : -1;
  int id = at(&reads[1], 0)->order < at(&reads[0], 0)->order;
  if (dram->options.reorder)
    id ^= at(&reads[id], 0)->due > dram->cycle || chance(&dram->cycle_dice, dram->options.reorder);
  return id;
}

static void show_read(struct tsr_dram *dram, int id)
{
  struct burst *b = at(&dram->reads[id], 0);
  struct tsr_axi_slave *s = &dram->slave;
  size_t bytes = (size_t)dram->beat_bytes;
  uint64_t addr = b->addr + (uint64_t)b->next * bytes;
  const struct region *r = b->home ? b->home : find_region(dram, addr, bytes);
  s->r_valid = 1;
  s->r_id = (uint8_t)id;
  s->r_last = b->next + 1 == b->beats;
  s->r_resp = !r ? TSR_AXI_DECERR : b->next == b->error_beat ? TSR_AXI_SLVERR : TSR_AXI_OKAY;
  if (s->r_resp)
    note_error(dram, b, s->r_resp, false);
  if (r)
    memcpy(s->r_data, r->read + (addr - r->base), bytes);
  else
    memset(s->r_data, 0, bytes);
  dram->shown = id;
}

static void take_read(struct tsr_dram *dram)
{
  struct ring *ring = &dram->reads[dram->shown];
  struct burst *b = at(ring, 0);
  dram->shown = -1;
  if (++b->next == b->beats)
    drop(ring);
  else
    b->due = tsr_dram_read_cycle(&dram->timing, b->slot, b->next) + b->extra;
}

static void cycle_reads(struct tsr_dram *dram, bool held, bool r_ready)
{
  if (dram->shown < 0) {
    int id = pick_read(dram);
    dram->slave.r_valid = 0;
    if (id < 0 || held || at(&dram->reads[id], 0)->due > dram->cycle)
      return;
    show_read(dram, id);
  }
  if (r_ready)
    take_read(dram);
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

static void store(struct tsr_dram *dram, struct burst *b, const struct tsr_axi_master *m)
{
  size_t bytes = (size_t)dram->beat_bytes;
  uint64_t addr = b->addr + (uint64_t)b->next * bytes;
  const struct region *r = b->home ? b->home : find_region(dram, addr, bytes);
  if (!r || !r->write) {
    b->resp = TSR_AXI_DECERR;
    return;
  }
  uint8_t *to = r->write + (addr - r->base);
  if (all_lanes(m->w_strb, bytes)) {
    memcpy(to, m->w_data, bytes);
    return;
  }
  for (size_t i = 0; i < bytes; i++)
    if (m->w_strb[i / 8] >> i % 8 & 1)
      to[i] = m->w_data[i];
}

static void take_beat(struct tsr_dram *dram, struct burst *b, const struct tsr_axi_master *m)
{
  store(dram, b, m);
  tsr__axi_rules_beat(&dram->rules, m->w_last, b->next, b->beats);
  if (++b->next < b->beats) {
    b->due = tsr_dram_write_cycle(&dram->timing, b->slot, b->next);
    return;
  }
  b->due = tsr_dram_answer_cycle(&dram->timing, dram->cycle) + b->extra;
  dram->writes_full++;
}

static void cycle_writes(struct tsr_dram *dram, bool held, const struct tsr_axi_master *m)
{
  dram->slave.w_ready = 0;
  if (dram->writes_full == dram->writes.count || held)
    return;
  struct burst *b = at(&dram->writes, dram->writes_full);
  dram->slave.w_ready = b->due <= dram->cycle;
  if (dram->slave.w_ready && m->w_valid)
    take_beat(dram, b, m);
}

static void cycle_answers(struct tsr_dram *dram, bool held, bool b_ready)
{
  struct tsr_axi_slave *s = &dram->slave;
  if (!dram->answering) {
    const struct burst *b = at(&dram->writes, 0);
    s->b_valid = 0;
    if (!dram->writes_full || held || b->due > dram->cycle)
      return;
    s->b_valid = 1;
    s->b_resp = b->resp;
    if (b->resp)
      note_error(dram, b, b->resp, true);
    dram->answering = true;
  }
  if (b_ready) {
    dram->answering = false;
    dram->writes_full--;
    drop(&dram->writes);
  }
}

/* --- a cycle ---------------------------------------------------------------------------------- */

/* The answers go first: a beat that is accepted in a cycle is not answered in it. */
static void cycle_busy(struct tsr_dram *dram, const struct tsr_axi_master *m)
{
  enum { AR, R, AW, W, B, CHANNELS };
  struct tsr_axi_slave *s = &dram->slave;
  bool held[CHANNELS] = {0};
  dram->rules.cycle = dram->cycle;
  if (dram->options.stall) {
    uint64_t dice = roll(&dram->cycle_dice);
    for (int c = 0; c < CHANNELS; c++)
      held[c] = (int)(dice >> 8 * c & 255) < dram->options.stall;
  }
  cycle_answers(dram, held[B], m->b_ready);
  cycle_reads(dram, held[R], m->r_ready);
  s->ar_ready = dram->reads[m->ar.id & 1].count < TSR_DRAM_BURSTS && !held[AR];
  s->aw_ready = dram->writes.count < TSR_DRAM_BURSTS && !held[AW];
  if (m->ar.valid && s->ar_ready)
    accept_read(dram, &m->ar);
  if (m->aw.valid && s->aw_ready)
    accept_write(dram, &m->aw);
  cycle_writes(dram, held[W], m);
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

bool tsr_dram_idle(const struct tsr_dram *dram)
{
  return !(dram->reads[0].count | dram->reads[1].count | dram->writes.count);
}

bool tsr_dram_first_error(const struct tsr_dram *dram, struct tsr_dram_error *out)
{
  if (dram->has_error)
    *out = dram->error;
  return dram->has_error;
}

const char *tsr_dram_complaint(const struct tsr_dram *dram)
{
  return dram->rules.text[0] ? dram->rules.text : NULL;
}
