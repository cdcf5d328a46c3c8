/* SPDX-License-Identifier: Apache-2.0 */
/* The memory behind both of its faces: bursts in rings, from the address to the last beat. */
#include "hw/sim/dram/dram.h"

#include <string.h>

#include "hw/sim/dram/memory.h"

enum { LONGEST_EXTRA = 500, LONGEST_DETOUR = 64 };
enum { REORDER_BYTE = TSR_AXI_CHANNELS }; /* of a cycle's dice, behind those of the channels */

/* --- dice ------------------------------------------------------------------------------------- */

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* SplitMix64. */
static uint64_t mix(uint64_t z)
{
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static uint64_t roll(uint64_t *state)
{
  return mix(*state += GOLDEN);
}

static bool chance(uint64_t *state, int in_256)
{
  return in_256 && (int)(roll(state) & 255) < in_256;
}

static int cycle_dice(const struct tsr_dram *dram, uint64_t cycle, int byte)
{
  return (int)(mix(dram->options.seed + GOLDEN * (cycle + 1)) >> 8 * byte & 255);
}

bool tsr__dram_held(const struct tsr_dram *dram, enum tsr_axi_channel channel, uint64_t cycle)
{
  return dram->options.stall && cycle_dice(dram, cycle, (int)channel) < dram->options.stall;
}

uint64_t tsr__dram_free_cycle(const struct tsr_dram *dram, enum tsr_axi_channel channel,
                              uint64_t cycle)
{
  while (tsr__dram_held(dram, channel, cycle))
    cycle++;
  return cycle;
}

/* --- options ---------------------------------------------------------------------------------- */

struct tsr_dram_options tsr_dram_defaults(const struct tsr_design *design)
{
  return (struct tsr_dram_options){
      .model = design->memory.model,
      .latency_cycles = design->memory.latency_cycles,
      .bytes_per_cycle = design->memory.bytes_per_cycle,
      .reads = design->memory.reads,
      .writes = design->memory.writes,
      .ddr = design->memory.ddr,
      .clock_mhz = design->clock_mhz,
  };
}

static enum tsr_status check_range(struct tsr_err *err, const char *name, int value, int smallest,
                                   int largest)
{
  if (value >= smallest && value <= largest)
    return TSR_OK;
  return tsr_refuse(err, "memory: %s is %d, outside of %d to %d", name, value, smallest, largest);
}

static enum tsr_status check_limits(struct tsr_err *err, const struct tsr_dram_options *o)
{
  if (check_range(err, "reads", o->reads, 0, TSR_DRAM_BURSTS))
    return TSR_REFUSED;
  return check_range(err, "writes", o->writes, 0, TSR_DRAM_BURSTS);
}

static enum tsr_status check_trouble(struct tsr_err *err, const struct tsr_dram_options *o)
{
  if (check_range(err, "stall", o->stall, 0, 255) ||
      check_range(err, "long_latency", o->long_latency, 0, 256) ||
      check_range(err, "reorder", o->reorder, 0, 256) ||
      check_range(err, "read_error", o->read_error, 0, 256))
    return TSR_REFUSED;
  return check_range(err, "write_error", o->write_error, 0, 256);
}

static enum tsr_status check_ddr(struct tsr_err *err, const struct tsr_dram_options *o)
{
  if (check_range(err, "latency_cycles", o->latency_cycles, 1, 100000) ||
      check_range(err, "clock_mhz", o->clock_mhz, 1, 10000) || check_limits(err, o))
    return TSR_REFUSED;
  return tsr_ddr_check(err, &o->ddr, NULL) ? tsr_refuse_at(err, "memory") : TSR_OK;
}

enum tsr_status tsr_dram_check(struct tsr_err *err, const struct tsr_dram_options *options)
{
  switch (options->model) {
  case TSR_MEMORY_IDEAL: break;
  case TSR_MEMORY_SIMPLE:
    if (check_range(err, "latency_cycles", options->latency_cycles, 0, 100000) ||
        check_range(err, "bytes_per_cycle", options->bytes_per_cycle, 1, 4096) ||
        check_limits(err, options))
      return TSR_REFUSED;
    break;
  case TSR_MEMORY_DDR:
    if (check_ddr(err, options))
      return TSR_REFUSED;
    break;
  default:
    return tsr_refuse(err, "memory: there is no model %d; ideal is %d, simple %d and ddr %d",
                      (int)options->model, TSR_MEMORY_IDEAL, TSR_MEMORY_SIMPLE, TSR_MEMORY_DDR);
  }
  return check_trouble(err, options);
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
  if (options->model != TSR_MEMORY_IDEAL) {
    dram->latency_cycles = options->latency_cycles;
    dram->read_limit.most = options->reads;
    dram->write_limit.most = options->writes;
  }
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
  dram->regions[k] = (struct tsr__region){base, bytes, data, data};
}

void tsr_dram_map_read_only(struct tsr_dram *dram, int k, uint64_t base, const uint8_t *data,
                            size_t bytes)
{
  dram->regions[k] = (struct tsr__region){base, bytes, data, NULL};
}

void tsr_dram_restart(struct tsr_dram *dram)
{
  dram->cycle = dram->told = dram->accepted = dram->pins_free = 0;
  dram->burst_dice = ~dram->options.seed;
  for (int id = 0; id < TSR_AXI_READ_IDS; id++)
    dram->reads[id].first = dram->reads[id].count = 0;
  dram->writes.first = dram->writes.count = dram->writes_full = 0;
  tsr_limit_clear(&dram->read_limit);
  tsr_limit_clear(&dram->write_limit);
  if (dram->options.model == TSR_MEMORY_DDR)
    tsr__ddr_restart(dram);
  dram->shown = -1;
  dram->answering = false;
  dram->error_cycle = UINT64_MAX;
  dram->slave = (struct tsr_axi_slave){0};
  dram->rules = (struct tsr__axi_rules){.beat_bytes = dram->beat_bytes};
}

bool tsr_dram_idle(const struct tsr_dram *dram)
{
  return !(dram->reads[0].count | dram->reads[1].count | dram->writes.count);
}

/* --- regions and errors ----------------------------------------------------------------------- */

static bool inside(const struct tsr__region *r, uint64_t addr, uint64_t bytes)
{
  return addr >= r->base && bytes <= r->bytes && addr - r->base <= r->bytes - bytes;
}

static const struct tsr__region *find_region(const struct tsr_dram *dram, uint64_t addr,
                                             uint64_t bytes)
{
  for (int k = 0; k < TSR_DRAM_REGIONS; k++)
    if (inside(&dram->regions[k], addr, bytes))
      return &dram->regions[k];
  return NULL;
}

bool tsr__dram_mapped(const struct tsr_dram *dram, uint64_t addr, int beats)
{
  return find_region(dram, addr, (uint64_t)beats * (uint64_t)dram->beat_bytes);
}

const struct tsr__region *tsr__dram_region(const struct tsr_dram *dram, const struct tsr__burst *b,
                                           int beat)
{
  uint64_t bytes = (uint64_t)dram->beat_bytes;
  return b->home ? b->home : find_region(dram, b->addr + (uint64_t)beat * bytes, bytes);
}

uint8_t tsr__dram_read_resp(const struct tsr_dram *dram, const struct tsr__burst *b, int beat)
{
  if (!tsr__dram_region(dram, b, beat))
    return TSR_AXI_DECERR;
  return beat == b->error_beat ? TSR_AXI_SLVERR : TSR_AXI_OKAY;
}

/* The earliest counts, since beats may be taken ahead of time; of one cycle the write's. */
static void note_error(struct tsr_dram *dram, const struct tsr__burst *b, uint8_t resp, bool write,
                       uint64_t cycle)
{
  if (resp == TSR_AXI_OKAY || cycle + !write > dram->error_cycle)
    return;
  dram->error_cycle = cycle;
  dram->error = (struct tsr_dram_error){b->addr, b->beats * dram->beat_bytes, resp, write};
}

bool tsr_dram_first_error(const struct tsr_dram *dram, struct tsr_dram_error *out)
{
  bool any = dram->error_cycle != UINT64_MAX;
  if (any)
    *out = dram->error;
  return any;
}

/* --- bursts come ------------------------------------------------------------------------------ */

static bool has_slot(const struct tsr_dram *dram, enum tsr_axi_channel channel)
{
  if (channel == TSR_AXI_AW)
    return dram->writes.count < TSR_DRAM_BURSTS;
  return dram->reads[0].count < TSR_DRAM_BURSTS && dram->reads[1].count < TSR_DRAM_BURSTS;
}

uint64_t tsr__dram_room_cycle(const struct tsr_dram *dram, enum tsr_axi_channel channel,
                              uint64_t cycle)
{
  if (!has_slot(dram, channel))
    return UINT64_MAX;
  return tsr_limit_room(channel == TSR_AXI_AW ? &dram->write_limit : &dram->read_limit, cycle);
}

static void delay(struct tsr_dram *dram, struct tsr__burst *b)
{
  const struct tsr_dram_options *o = &dram->options;
  if (chance(&dram->burst_dice, o->long_latency))
    b->extra += roll(&dram->burst_dice) % (LONGEST_EXTRA + 1);
  if (chance(&dram->burst_dice, o->reorder))
    b->extra += roll(&dram->burst_dice) % (LONGEST_DETOUR + 1);
}

static struct tsr__burst *accept(struct tsr_dram *dram, struct tsr__ring *ring, uint64_t cycle,
                                 uint64_t addr, int beats)
{
  struct tsr__burst *b = tsr__ring_at(ring, ring->count++);
  *b = (struct tsr__burst){
      .addr = addr,
      .order = dram->accepted++,
      .accepted = cycle,
      .beats = beats,
      .error_beat = -1,
      .home = find_region(dram, addr, (uint64_t)beats * (uint64_t)dram->beat_bytes),
  };
  delay(dram, b);
  return b;
}

void tsr__dram_accept_read(struct tsr_dram *dram, uint64_t cycle, int id, uint64_t addr, int beats)
{
  struct tsr__burst *b = accept(dram, &dram->reads[id & 1], cycle, addr, beats);
  tsr_limit_begin(&dram->read_limit);
  if (dram->options.model == TSR_MEMORY_DDR) {
    tsr__ddr_enter(dram, b, cycle);
  } else {
    b->when = tsr__dram_reserve_read(dram, cycle, beats, b->extra);
    b->due = tsr_beat_cycle(&b->when, 0);
  }
  if (chance(&dram->burst_dice, dram->options.read_error))
    b->error_beat = (int)(roll(&dram->burst_dice) % (uint64_t)b->beats);
}

void tsr__dram_accept_write(struct tsr_dram *dram, uint64_t cycle, uint64_t addr, int beats)
{
  struct tsr__burst *b = accept(dram, &dram->writes, cycle, addr, beats);
  tsr_limit_begin(&dram->write_limit);
  b->when = tsr__dram_reserve_write(dram, cycle, beats);
  b->due = tsr_beat_cycle(&b->when, 0);
  b->write = true;
  if (chance(&dram->burst_dice, dram->options.write_error))
    b->resp = TSR_AXI_SLVERR;
}

bool tsr__dram_decide(struct tsr_dram *dram, struct tsr__burst *b, uint64_t *look_again)
{
  return b->due != TSR__UNDECIDED || tsr__ddr_decide(dram, b, look_again);
}

/* --- and go ----------------------------------------------------------------------------------- */

/* The oldest burst of an ID that is accepted before this cycle; NULL: none. */
static const struct tsr__burst *oldest(struct tsr_dram *dram, int id, uint64_t cycle)
{
  struct tsr__ring *ring = &dram->reads[id];
  const struct tsr__burst *b = tsr__ring_at(ring, 0);
  return ring->count && b->accepted < cycle ? b : NULL;
}

/* The burst accepted first, or, where bursts may overtake, either. */
int tsr__dram_pick_read(struct tsr_dram *dram, uint64_t cycle)
{
  const struct tsr__burst *b[] = {oldest(dram, 0, cycle), oldest(dram, 1, cycle)};
  int id = !b[0] || (b[1] && b[1]->order < b[0]->order);
  if (b[0] && b[1] && dram->options.reorder)
    id ^= b[id]->due > cycle || cycle_dice(dram, cycle, REORDER_BYTE) < dram->options.reorder;
  return b[id] && b[id]->due <= cycle ? id : -1;
}

/* An empty ring starts again, so that few slots are touched. */
static void drop(struct tsr__ring *ring)
{
  ring->first = --ring->count ? (ring->first + 1) % TSR_DRAM_BURSTS : 0;
}

void tsr__dram_take_read(struct tsr_dram *dram, int id, int beats, uint64_t cycle)
{
  struct tsr__ring *ring = &dram->reads[id];
  struct tsr__burst *b = tsr__ring_at(ring, 0);
  b->next += beats;
  note_error(dram, b, tsr__dram_read_resp(dram, b, b->next - 1), false, cycle);
  if (b->next < b->beats) {
    b->due = tsr_beat_cycle(&b->when, (uint64_t)b->next);
    return;
  }
  drop(ring);
  tsr_limit_end(&dram->read_limit, cycle);
}

static bool may_write(const struct tsr_dram *dram, const struct tsr__burst *b, int beat)
{
  const struct tsr__region *r = tsr__dram_region(dram, b, beat);
  return r && r->write;
}

void tsr__dram_take_write(struct tsr_dram *dram, int beats, uint64_t cycle)
{
  struct tsr__burst *b = tsr__ring_at(&dram->writes, dram->writes_full);
  for (int end = b->home && b->home->write ? b->next : b->next + beats, k = b->next; k < end; k++)
    if (!may_write(dram, b, k))
      b->resp = TSR_AXI_DECERR;
  b->next += beats;
  if (b->next < b->beats) {
    b->due = tsr_beat_cycle(&b->when, (uint64_t)b->next);
    return;
  }
  dram->writes_full++;
  if (dram->options.model == TSR_MEMORY_DDR)
    tsr__ddr_enter(dram, b, cycle);
  else
    b->due = cycle + 1 + (uint64_t)dram->latency_cycles + b->extra;
}

void tsr__dram_take_answer(struct tsr_dram *dram, uint64_t cycle)
{
  const struct tsr__burst *b = tsr__ring_at(&dram->writes, 0);
  note_error(dram, b, b->resp, true, cycle);
  dram->writes_full--;
  drop(&dram->writes);
  tsr_limit_end(&dram->write_limit, cycle);
}
