/* SPDX-License-Identifier: Apache-2.0 */
/* The memory `ddr`: the commands of each channel, burst by burst, in ticks of the DRAM's clock.
 *
 * A channel is at work on two bursts, so that the row of one opens while data of the other moves.
 * When the older has issued its last read or write, the next one is chosen from those that wait;
 * from then on all of its times are known: they depend on earlier choices alone. */
#include <string.h>

#include "hw/sim/dram/memory.h"

enum { INTERLEAVE_BYTES = 4096, MOST_PASSED = 16, FRACTION = 256 };

static uint64_t later(uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

/* --- ticks and cycles ------------------------------------------------------------------------- */

static uint64_t divisor(uint64_t a, uint64_t b)
{
  return b ? divisor(b, a % b) : a;
}

/* The first tick that begins no earlier than the cycle. */
static uint64_t tick_of(const struct tsr__ddr *ddr, uint64_t cycle)
{
  uint64_t whole = cycle / ddr->cycles, rest = cycle % ddr->cycles;
  return whole * ddr->ticks + (rest * ddr->ticks + ddr->cycles - 1) / ddr->cycles;
}

/* The beginning of a tick in 1/256 cycle, rounded up. */
static uint64_t fraction_of(const struct tsr__ddr *ddr, uint64_t tick)
{
  uint64_t whole = tick / ddr->ticks, rest = tick % ddr->ticks;
  return whole * ddr->cycles * FRACTION +
         (rest * ddr->cycles * FRACTION + ddr->ticks - 1) / ddr->ticks;
}

static uint64_t cycle_of(const struct tsr__ddr *ddr, uint64_t tick)
{
  return (fraction_of(ddr, tick) + FRACTION - 1) / FRACTION;
}

/* The first cycle whose end is behind the beginning of a tick: what is accepted in it, and later,
 * has not entered a queue by then. */
static uint64_t cycle_behind(const struct tsr__ddr *ddr, uint64_t tick)
{
  uint64_t whole = tick / ddr->ticks, rest = tick % ddr->ticks;
  return whole * ddr->cycles + rest * ddr->cycles / ddr->ticks;
}

/* No faster than the pins, nor than a beat a cycle. */
static uint32_t beat_step(const struct tsr_dram *dram)
{
  const struct tsr__ddr *ddr = &dram->ddr;
  uint64_t ticks = (uint64_t)(dram->options.ddr.tCCD * dram->beat_bytes);
  uint64_t per = ddr->ticks * (uint64_t)ddr->access_bytes;
  uint64_t step = (ticks * ddr->cycles * FRACTION + per - 1) / per;
  return step > FRACTION ? (uint32_t)step : FRACTION;
}

void tsr__ddr_restart(struct tsr_dram *dram)
{
  const struct tsr_ddr *p = &dram->options.ddr;
  struct tsr__ddr *ddr = &dram->ddr;
  uint64_t ticks = 1000000, cycles = (uint64_t)dram->options.clock_mhz * (uint64_t)p->tCK_ps;
  uint64_t common = divisor(ticks, cycles);
  memset(ddr, 0, sizeof *ddr);
  ddr->ticks = ticks / common;
  ddr->cycles = cycles / common;
  ddr->access_bytes = p->bus_bits / 8 * p->burst_length;
  ddr->beat_step = beat_step(dram);
  for (int k = 0; k < p->channels; k++)
    ddr->channels[k].refresh = (uint64_t)p->tREFI;
}

/* --- addresses -------------------------------------------------------------------------------- */

/* Row, bank, column, from the top; of the channels 4096 bytes each in turn. */
struct place {
  struct tsr__ddr_bank *bank;
  uint64_t row, column; /* column: in bytes */
};

static struct tsr__ddr_channel *channel_of(struct tsr_dram *dram, uint64_t addr)
{
  return &dram->ddr.channels[addr / INTERLEAVE_BYTES % (uint64_t)dram->options.ddr.channels];
}

static struct place place_of(struct tsr_dram *dram, uint64_t addr)
{
  const struct tsr_ddr *p = &dram->options.ddr;
  uint64_t block = addr / INTERLEAVE_BYTES / (uint64_t)p->channels;
  uint64_t local = block * INTERLEAVE_BYTES + addr % INTERLEAVE_BYTES;
  uint64_t row = local / (uint64_t)p->row_bytes;
  return (struct place){&channel_of(dram, addr)->banks[row % (uint64_t)p->banks],
                        row / (uint64_t)p->banks, local % (uint64_t)p->row_bytes};
}

static bool hits(const struct tsr__burst *b)
{
  return b->job.bank->open && b->job.bank->row == b->job.row;
}

/* --- commands --------------------------------------------------------------------------------- */

static void open_row(struct tsr_dram *dram, struct tsr__ddr_channel *c, const struct place *at,
                     uint64_t now)
{
  const struct tsr_ddr *p = &dram->options.ddr;
  struct tsr__ddr_bank *bank = at->bank;
  if (bank->open)
    bank->activate = later(bank->activate, later(now, bank->precharge) + (uint64_t)p->tRP);
  uint64_t tick = later(now, bank->activate);
  if (c->opened)
    tick = later(tick, c->window[c->newest] + (uint64_t)p->tRRD);
  c->newest = (c->newest + 1) % TSR__DDR_WINDOW;
  if (c->opened == TSR__DDR_WINDOW)
    tick = later(tick, c->window[c->newest] + (uint64_t)p->tFAW);
  else
    c->opened++;
  c->window[c->newest] = tick;
  *bank = (struct tsr__ddr_bank){.open = true,
                                 .row = at->row,
                                 .activate = tick + (uint64_t)p->tRC,
                                 .column = tick + (uint64_t)p->tRCD,
                                 .precharge = tick + (uint64_t)p->tRAS};
}

/* Reads or writes of one row, as fast as they go. Returns the first; *last is the last one. */
static uint64_t access_row(struct tsr_dram *dram, struct tsr__ddr_channel *c, bool write,
                           const struct place *at, int accesses, uint64_t now, uint64_t *last)
{
  const struct tsr_ddr *p = &dram->options.ddr;
  uint64_t tick = later(later(now, at->bank->column), write ? c->write : c->read);
  *last = tick + (uint64_t)((accesses - 1) * p->tCCD);
  if (write) {
    uint64_t data_end = *last + (uint64_t)(p->tCWL + p->burst_length / 2);
    c->write = *last + (uint64_t)p->tCCD;
    c->read = later(c->write, data_end + (uint64_t)p->tWTR);
    at->bank->precharge = later(at->bank->precharge, data_end + (uint64_t)p->tWR);
  } else {
    c->read = *last + (uint64_t)p->tCCD;
    c->write = later(c->read, *last + (uint64_t)p->tRTW);
    at->bank->precharge = later(at->bank->precharge, *last + (uint64_t)p->tRTP);
  }
  return tick;
}

/* Every bank is closed, and opens again when all rows are refreshed. Returns when. */
static uint64_t refresh(const struct tsr_dram *dram, struct tsr__ddr_channel *c)
{
  const struct tsr_ddr *p = &dram->options.ddr;
  uint64_t tick = c->refresh;
  for (int k = 0; k < p->banks; k++) {
    const struct tsr__ddr_bank *b = &c->banks[k];
    if (b->open)
      tick = later(tick, later(c->refresh, b->precharge) + (uint64_t)p->tRP);
    tick = later(tick, b->activate);
  }
  tick += (uint64_t)p->tRFC;
  for (int k = 0; k < p->banks; k++)
    c->banks[k] = (struct tsr__ddr_bank){.activate = tick};
  c->refresh += (uint64_t)p->tREFI;
  return tick;
}

/* All that is due: a refresh goes before the burst that is chosen when it is due, or later. Behind
 * one that ended in time so did all up to the last one. */
static void refresh_until(const struct tsr_dram *dram, struct tsr__ddr_channel *c, uint64_t now)
{
  uint64_t every = (uint64_t)dram->options.ddr.tREFI;
  while (c->refresh <= now) {
    uint64_t end = refresh(dram, c);
    if (end <= c->refresh && c->refresh <= now)
      c->refresh += (now - c->refresh) / every * every;
  }
}

/* --- a burst ---------------------------------------------------------------------------------- */

/* The beats of a read whose data comes with the accesses of one row, the first one at `tick`: the
 * burst's beats begin late enough for each of them. */
static uint64_t offset_of(const struct tsr_dram *dram, const struct tsr__burst *b, uint64_t addr,
                          uint64_t tick)
{
  const struct tsr_ddr *p = &dram->options.ddr;
  const struct tsr__ddr *ddr = &dram->ddr;
  uint64_t access = (uint64_t)ddr->access_bytes, beat = (uint64_t)dram->beat_bytes;
  uint64_t wait = (uint64_t)(p->tCL + p->burst_length / 2), ccd = (uint64_t)p->tCCD;
  if (beat > access)
    wait += (beat / access - 1) * ccd;
  else /* a beat in the middle of an access has less time to the next access */
    wait += (addr % access * ccd + access - 1) / access;
  uint64_t before = (addr - b->addr) / beat * ddr->beat_step, at = fraction_of(ddr, tick + wait);
  return at > before ? at - before : 0;
}

/* All of a burst's commands from a tick on, row by row; then its beats, or its answer, are known. */
static void serve(struct tsr_dram *dram, struct tsr__ddr_channel *c, struct tsr__burst *b,
                  uint64_t now)
{
  const struct tsr_ddr *p = &dram->options.ddr;
  uint64_t access = (uint64_t)dram->ddr.access_bytes;
  uint64_t end = b->addr + (uint64_t)b->beats * (uint64_t)dram->beat_bytes;
  uint64_t latency = (uint64_t)dram->latency_cycles + b->extra, offset = 0, last = now;
  for (uint64_t addr = b->addr, next; addr < end; addr = next) {
    struct place at = place_of(dram, addr);
    next = addr + (uint64_t)p->row_bytes - at.column;
    next = next < end ? next : end;
    if (!at.bank->open || at.bank->row != at.row)
      open_row(dram, c, &at, now);
    int accesses = (int)((next - 1) / access - addr / access) + 1;
    uint64_t tick = access_row(dram, c, b->write, &at, accesses, now, &last);
    offset = later(offset, offset_of(dram, b, addr, tick));
  }
  c->ended[0] = c->ended[1];
  c->ended[1] = last;
  if (b->write) {
    b->due = cycle_of(&dram->ddr, last + (uint64_t)(p->tCWL + p->burst_length / 2)) + latency;
    return;
  }
  b->when =
      (struct tsr_beats){offset + FRACTION - 1 + latency * FRACTION, dram->ddr.beat_step, FRACTION};
  b->due = tsr_beat_cycle(&b->when, 0);
}

/* --- the queue -------------------------------------------------------------------------------- */

void tsr__ddr_enter(struct tsr_dram *dram, struct tsr__burst *b, uint64_t cycle)
{
  struct tsr__ddr_channel *c = channel_of(dram, b->addr);
  b->due = TSR__UNDECIDED;
  struct place at = place_of(dram, b->addr);
  b->job = (struct tsr__ddr_job){
      .entered = tick_of(&dram->ddr, cycle + 1), .bank = at.bank, .row = at.row};
  if (c->oldest)
    c->youngest->job.behind = b;
  else
    c->oldest = b;
  c->youngest = b;
}

/* Takes the burst behind `before` out, or the oldest. Those that it passes count it. */
static struct tsr__burst *leave(struct tsr__ddr_channel *c, struct tsr__burst *before)
{
  struct tsr__burst *b = before ? before->job.behind : c->oldest;
  for (struct tsr__burst *passed = c->oldest; passed != b; passed = passed->job.behind)
    passed->job.passed++;
  if (before)
    before->job.behind = b->job.behind;
  else
    c->oldest = b->job.behind;
  if (c->youngest == b)
    c->youngest = before;
  return b;
}

/* Chooses at tick `now`. NULL: a burst may still come that would be chosen. */
static struct tsr__burst *choose(struct tsr_dram *dram, struct tsr__ddr_channel *c, uint64_t now)
{
  bool in_order = dram->options.ddr.order == TSR_DDR_FCFS;
  if (in_order || c->oldest->job.passed >= MOST_PASSED)
    return leave(c, NULL);
  struct tsr__burst *before = NULL;
  for (struct tsr__burst *b = c->oldest; b && b->job.entered <= now; b = b->job.behind) {
    if (hits(b))
      return leave(c, before);
    before = b;
  }
  return dram->told >= cycle_behind(&dram->ddr, now) ? leave(c, NULL) : NULL;
}

bool tsr__ddr_decide(struct tsr_dram *dram, struct tsr__burst *b, uint64_t *look_again)
{
  struct tsr__ddr_channel *c = channel_of(dram, b->addr);
  while (b->due == TSR__UNDECIDED) {
    uint64_t now = later(c->ended[0], c->oldest->job.entered);
    refresh_until(dram, c, now);
    struct tsr__burst *next = choose(dram, c, now);
    if (!next) {
      *look_again = cycle_behind(&dram->ddr, now);
      return false;
    }
    serve(dram, c, next, now);
  }
  return true;
}
