/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/systemc/flights.h"

#include <assert.h>
#include <string.h>

#define NEVER UINT64_MAX

static uint64_t later(uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

static struct tsr_flight *at(struct tsr_flight_ring *ring, unsigned k)
{
  return &ring->slots[(ring->first + k) % TSR_DRAM_BURSTS];
}

static void drop(struct tsr_flight_ring *ring)
{
  ring->first = (ring->first + 1) % TSR_DRAM_BURSTS;
  ring->count--;
}

void tsr_flights_clear(struct tsr_flights *flights)
{
  flights->blocked = false;
  flights->accepted = 0;
  for (int id = 0; id < TSR_AXI_READ_IDS; id++)
    flights->reads[id].first = flights->reads[id].count = 0;
  flights->writes.first = flights->writes.count = flights->writes_full = 0;
  flights->shown = -1;
  tsr_limit_clear(&flights->read_limit);
  tsr_limit_clear(&flights->write_limit);
}

/* --- what is told ----------------------------------------------------------------------------- */

void tsr_flight_sent(struct tsr_flight *flight, uint64_t cycle)
{
  flight->sent = true;
  flight->requested = cycle;
  flight->when = (struct tsr_beats){cycle, 1, 1};
  flight->answer_cycles = 1;
}

void tsr_flight_timed(struct tsr_flight *flight, const struct tsr_beats *when,
                      uint64_t answer_cycles)
{
  flight->timed = true;
  flight->when = *when;
  flight->when.offset += flight->requested * when->per;
  flight->answer_cycles = answer_cycles;
}

void tsr_flight_answered(struct tsr_flight *flight, uint64_t cycle, bool error)
{
  flight->answered = true;
  flight->error = error;
  flight->answer = cycle;
  if (!flight->write && !flight->timed)
    flight->when.offset = cycle;
}

/* --- reads ------------------------------------------------------------------------------------ */

static bool before(const struct tsr_flight *a, const struct tsr_flight *b)
{
  return a->answer != b->answer ? a->answer < b->answer : a->order < b->order;
}

/* The ID whose burst R moves: the one that it is in, else the one that was answered first. */
static int pick_read(struct tsr_flights *f)
{
  int best = -1;
  for (int id = 0; id < TSR_AXI_READ_IDS; id++) {
    const struct tsr_flight *b = at(&f->reads[id], 0);
    if (!f->reads[id].count || !b->answered)
      continue;
    if (b->moved)
      return id;
    if (best < 0 || before(b, at(&f->reads[best], 0)))
      best = id;
  }
  return best;
}

static void rest_of(const struct tsr_flight *b, struct tsr_burst_run *out)
{
  out->beats = b->beats - b->moved;
  out->ends = true;
  out->when = b->when;
  out->when.offset += (uint64_t)b->moved * b->when.step;
}

/* No beat of a read is before its answer: those that could have been follow each other. */
static void wait_for_answer(const struct tsr_flight *b, struct tsr_burst_run *run)
{
  int late = 0;
  while (late < run->beats &&
         tsr_beat_cycle(&run->when, (uint64_t)late) < b->answer + (uint64_t)late)
    late++;
  if (!late)
    return;
  run->ends = late == run->beats;
  run->beats = late;
  run->when = (struct tsr_beats){b->answer, 1, 1};
}

static void next_read(void *context, uint64_t cycle, struct tsr_burst_run *out)
{
  (void)cycle;
  struct tsr_flights *f = context;
  *out = (struct tsr_burst_run){.error_beat = -1, .look_again = NEVER};
  f->shown = pick_read(f);
  if (f->shown < 0)
    return;
  const struct tsr_flight *b = at(&f->reads[f->shown], 0);
  out->id = f->shown;
  out->sure = !f->at_once;
  rest_of(b, out);
  if (!b->moved)
    wait_for_answer(b, out);
  if (b->error && !b->moved) {
    out->error_beat = 0;
    out->beats = 1;
    out->ends = b->beats == 1;
  }
}

static void take_read(void *context, int beats, uint64_t cycle)
{
  struct tsr_flights *f = context;
  struct tsr_flight *b = at(&f->reads[f->shown], 0);
  b->moved += beats;
  if (b->moved < b->beats)
    return;
  drop(&f->reads[f->shown]);
  tsr_limit_end(&f->read_limit, cycle);
}

/* --- writes ----------------------------------------------------------------------------------- */

static void next_write(void *context, uint64_t cycle, struct tsr_burst_run *out)
{
  (void)cycle;
  struct tsr_flights *f = context;
  *out = (struct tsr_burst_run){.error_beat = -1, .sure = true, .look_again = NEVER};
  if (f->writes_full == f->writes.count)
    return;
  const struct tsr_flight *b = at(&f->writes, f->writes_full);
  if (b->sent)
    rest_of(b, out);
}

static void take_write(void *context, int beats, uint64_t cycle)
{
  struct tsr_flights *f = context;
  struct tsr_flight *b = at(&f->writes, f->writes_full);
  b->moved += beats;
  if (b->moved < b->beats)
    return;
  b->last = cycle;
  f->writes_full++;
  f->written(f->context, b);
}

void tsr_flights_end_writes(struct tsr_flights *f)
{
  for (; f->writes_full < f->writes.count; f->writes_full++) {
    struct tsr_flight *b = at(&f->writes, f->writes_full);
    if (b->sent)
      f->written(f->context, b);
  }
}

static void next_answer(void *context, uint64_t cycle, struct tsr_burst_answer *out)
{
  struct tsr_flights *f = context;
  const struct tsr_flight *b = at(&f->writes, 0);
  *out = (struct tsr_burst_answer){.look_again = NEVER};
  if (!f->writes_full || !b->answered)
    return;
  out->known = true;
  out->error = b->error;
  out->cycle = later(later(b->answer, b->last + b->answer_cycles), cycle);
  f->acknowledged = out->cycle;
}

static void take_answer(void *context)
{
  struct tsr_flights *f = context;
  drop(&f->writes);
  f->writes_full--;
  tsr_limit_end(&f->write_limit, f->acknowledged);
}

/* --- addresses -------------------------------------------------------------------------------- */

static uint64_t address_cycle(void *context, enum tsr_axi_channel channel, uint64_t cycle)
{
  const struct tsr_flights *f = context;
  if (f->blocked)
    return NEVER;
  return tsr_limit_room(channel == TSR_AXI_AW ? &f->write_limit : &f->read_limit, cycle);
}

static void accept(struct tsr_flights *f, struct tsr_flight_ring *ring,
                   const struct tsr_flight *flight)
{
  assert(ring->count < TSR_DRAM_BURSTS);
  struct tsr_flight *b = at(ring, ring->count++);
  *b = *flight;
  b->order = f->accepted++;
  f->send(f->context, b);
}

static void accept_read(void *context, uint64_t cycle, int id, uint64_t addr, int beats)
{
  struct tsr_flights *f = context;
  struct tsr_flight b = {.id = id, .addr = addr, .beats = beats, .accepted = cycle};
  tsr_limit_begin(&f->read_limit);
  accept(f, &f->reads[id], &b);
}

static void accept_write(void *context, uint64_t cycle, uint64_t addr, int beats)
{
  struct tsr_flights *f = context;
  struct tsr_flight b = {.write = true, .addr = addr, .beats = beats, .accepted = cycle};
  tsr_limit_begin(&f->write_limit);
  accept(f, &f->writes, &b);
}

struct tsr_burst_port tsr_flights_port(struct tsr_flights *flights)
{
  return (struct tsr_burst_port){
      .context = flights,
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
