/* SPDX-License-Identifier: Apache-2.0 */
/* The memory burst by burst. */
#include "hw/sim/dram/memory.h"

#define NEVER UINT64_MAX

static uint64_t later(uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

static void told(void *context, uint64_t cycle)
{
  struct tsr_dram *dram = context;
  dram->told = later(dram->told, cycle);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void next_answer(void *context, uint64_t cycle, struct tsr_burst_answer *out)
{
  struct tsr_dram *dram = context;
  struct tsr__burst *b = tsr__ring_at(&dram->writes, 0);
  *out = (struct tsr_burst_answer){.look_again = NEVER};
  if (!dram->writes_full || !tsr__dram_decide(dram, b, &out->look_again))
    return;
  out->known = true;
  out->error = b->resp != TSR_AXI_OKAY;
  out->cycle = tsr__dram_free_cycle(dram, TSR_AXI_B, later(b->due, cycle));
  dram->answer_cycle = out->cycle;
}

static void take_answer(void *context)
{
  struct tsr_dram *dram = context;
  tsr__dram_take_answer(dram, dram->answer_cycle);
}

/* --- beats ------------------------------------------------------------------------------------ */

static void one_beat(struct tsr_burst_run *run, const struct tsr__burst *b, uint64_t cycle)
{
  run->beats = 1;
  run->ends = b->next + 1 == b->beats;
  run->when = (struct tsr_beats){cycle, 1, 1};
}

/* All that a burst has left. */
static void all_beats(struct tsr_burst_run *run, const struct tsr__burst *b)
{
  run->beats = b->beats - b->next;
  run->ends = true;
  run->when = b->when;
  run->when.offset += (uint64_t)b->next * b->when.step;
}

/* No more than up to the first beat that has an error. */
static void cut_at_error(const struct tsr_dram *dram, const struct tsr__burst *b,
                         struct tsr_burst_run *run)
{
  run->error_beat = -1;
  if (b->home && b->error_beat < b->next)
    return;
  for (int k = 0; k < run->beats && run->error_beat < 0; k++)
    if (tsr__dram_read_resp(dram, b, b->next + k) != TSR_AXI_OKAY)
      run->error_beat = k;
  if (run->error_beat < 0)
    return;
  run->beats = run->error_beat + 1;
  run->ends = b->next + run->beats == b->beats;
}

/* Which ID is next where bursts keep their order; -1: none. */
static int first_read(struct tsr_dram *dram)
{
  struct tsr__ring *reads = dram->reads;
  if (!reads[0].count || !reads[1].count)
    return reads[0].count ? 0 : reads[1].count ? 1 : -1;
  return tsr__ring_at(&reads[1], 0)->order < tsr__ring_at(&reads[0], 0)->order;
}

/* Bursts may overtake: what is picked in each cycle, until something is; -1: nothing is known to
 * be, from `look_again` on. */
static int search_read(struct tsr_dram *dram, uint64_t *cycle, uint64_t *look_again)
{
  for (int id = 0; id < TSR_AXI_READ_IDS; id++) {
    uint64_t then = NEVER;
    if (dram->reads[id].count)
      tsr__dram_decide(dram, tsr__ring_at(&dram->reads[id], 0), &then);
    *look_again = then < *look_again ? then : *look_again;
  }
  for (; *cycle < *look_again; ++*cycle) {
    int id = tsr__dram_held(dram, TSR_AXI_R, *cycle) ? -1 : tsr__dram_pick_read(dram, *cycle);
    if (id >= 0)
      return id;
  }
  return -1;
}

/* As search_read() where they keep their order: its cycle does not matter. */
static int await_read(struct tsr_dram *dram, int id, uint64_t *look_again)
{
  return tsr__dram_decide(dram, tsr__ring_at(&dram->reads[id], 0), look_again) ? id : -1;
}

static void next_read(void *context, uint64_t cycle, struct tsr_burst_run *out)
{
  struct tsr_dram *dram = context;
  bool reorder = dram->options.reorder, stall = dram->options.stall;
  int id = first_read(dram);
  *out = (struct tsr_burst_run){.error_beat = -1, .look_again = NEVER};
  if (id >= 0)
    id = reorder ? search_read(dram, &cycle, &out->look_again)
                 : await_read(dram, id, &out->look_again);
  dram->shown = id;
  if (id < 0)
    return;
  const struct tsr__burst *b = tsr__ring_at(&dram->reads[id], 0);
  out->id = id;
  out->sure = !reorder;
  if (reorder || stall)
    one_beat(out, b, tsr__dram_free_cycle(dram, TSR_AXI_R, later(b->due, cycle)));
  else
    all_beats(out, b);
  cut_at_error(dram, b, out);
}

static void take_read(void *context, int beats, uint64_t cycle)
{
  struct tsr_dram *dram = context;
  tsr__dram_take_read(dram, dram->shown, beats, cycle);
}

static void next_write(void *context, uint64_t cycle, struct tsr_burst_run *out)
{
  struct tsr_dram *dram = context;
  const struct tsr__burst *b = tsr__ring_at(&dram->writes, dram->writes_full);
  *out = (struct tsr_burst_run){.error_beat = -1, .sure = true, .look_again = NEVER};
  if (dram->writes_full == dram->writes.count)
    return;
  if (dram->options.stall)
    one_beat(out, b, tsr__dram_free_cycle(dram, TSR_AXI_W, later(b->due, cycle)));
  else
    all_beats(out, b);
}

static void take_write(void *context, int beats, uint64_t cycle)
{
  tsr__dram_take_write(context, beats, cycle);
}

/* --- addresses -------------------------------------------------------------------------------- */

static uint64_t address_cycle(void *context, enum tsr_axi_channel channel, uint64_t cycle)
{
  const struct tsr_dram *dram = context;
  uint64_t room = tsr__dram_room_cycle(dram, channel, cycle);
  return room == NEVER ? NEVER : tsr__dram_free_cycle(dram, channel, room);
}

static void accept_read(void *context, uint64_t cycle, int id, uint64_t addr, int beats)
{
  told(context, cycle);
  tsr__dram_accept_read(context, cycle, id, addr, beats);
}

static bool read_at_once(void *context, uint64_t cycle, uint64_t addr, int beats,
                         struct tsr_beats *when)
{
  struct tsr_dram *dram = context;
  if (!tsr__dram_mapped(dram, addr, beats))
    return false;
  *when = tsr__dram_reserve_read(dram, cycle, beats, 0);
  return true;
}

static void accept_write(void *context, uint64_t cycle, uint64_t addr, int beats)
{
  told(context, cycle);
  tsr__dram_accept_write(context, cycle, addr, beats);
}

struct tsr_burst_port tsr_dram_port(struct tsr_dram *dram)
{
  const struct tsr_dram_options *o = &dram->options;
  bool chooses = o->model == TSR_MEMORY_DDR; /* among bursts, as far as they are told */
  bool quiet = !(o->stall | o->reorder | o->long_latency | o->read_error);
  bool limited = dram->read_limit.most || dram->write_limit.most;
  return (struct tsr_burst_port){
      .context = dram,
      .ahead = !chooses && !limited && !o->stall && !o->reorder,
      .told = told,
      .read_at_once = !chooses && !limited && quiet ? read_at_once : NULL,
      .next_answer = next_answer,
      .take_answer = take_answer,
      .next_read = next_read,
      .take_read = take_read,
      .address_cycle = address_cycle,
      .accept_read = accept_read,
      .accept_write = accept_write,
      .next_write = next_write,
      .take_write = take_write,
  };
}
