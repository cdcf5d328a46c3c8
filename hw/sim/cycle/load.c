/* SPDX-License-Identifier: Apache-2.0 */
/* load: hw/rtl/load.v, load_fill.v. Up to four instructions are between their tokens and their end:
 * asked for; then filled, with their locks; then ended, until there is room for their tokens. A
 * fill moves a beat or an entry of padding in a cycle; where the beats' times are known, those of
 * the fill are. */
#include "hw/sim/cycle/machine.h"

enum { E = TSR_ENGINE_LOAD };

void tsr__load_start(struct tsr_cycle *m)
{
  struct tsr__load *l = &m->load;
  tsr__front_start(m, E);
  l->fill_from = 1;
  l->filling = false;
  l->done = l->trap_at = TSR__NEVER;
}

/* --- a fill ----------------------------------------------------------------------------------- */

static void place(struct tsr__load *l, uint64_t first, uint64_t moves, bool data)
{
  tsr__moves_add(&l->moves, first, moves, data);
  l->cursor = first + moves;
}

static void place_pads(struct tsr__load *l, uint64_t pads)
{
  if (pads)
    place(l, l->cursor, pads, false);
}

/* So many beats of the row are placed. */
static void pass(struct tsr_cycle *m, uint32_t beats)
{
  struct tsr__load *l = &m->load;
  l->beats_left -= beats;
  if (l->beats_left)
    return;
  l->beats_left = l->row_beats;
  l->uops_left = l->nx;
  if (l->rows_left) {
    l->rows_left--;
    l->pads = l->row_pads;
  } else if (l->planes_left) {
    l->planes_left--;
    l->rows_left = l->ny - 1;
    l->pads = l->plane_pads;
  } else {
    l->data_over = true;
    place_pads(l, l->tail_pads);
    l->done = l->cursor - 1;
    tsr__rouse(m, TSR__PART_LOAD, l->done);
  }
}

/* A beat that came in `cycle` goes on as soon as it can. */
static void take_beat(struct tsr_cycle *m, uint64_t cycle, bool error)
{
  struct tsr__load *l = &m->load;
  struct tsr__reads *r = &m->reads;
  uint32_t moves = 1;
  if (l->several)
    moves = l->uops_left < l->several ? l->uops_left : l->several;
  place_pads(l, l->pads);
  l->pads = 0;
  place(l, tsr__later(cycle + 1, l->cursor), moves, true);
  l->uops_left -= l->several ? moves : 0;
  r->before = r->last;
  r->last = l->cursor - 1;
  if (error && l->trap_at == TSR__NEVER) {
    l->trap_at = r->last;
    tsr__rouse(m, TSR__PART_LOAD, r->last);
  }
}

/* Beats of a run that come, and are taken, at one a cycle, the first in `cycle`. */
static void take_stream(struct tsr_cycle *m, uint64_t cycle, uint32_t beats)
{
  struct tsr__load *l = &m->load;
  struct tsr__reads *r = &m->reads;
  place_pads(l, l->pads);
  l->pads = 0;
  place(l, cycle + 1, beats, true);
  r->before = beats > 1 ? cycle + beats - 1 : r->last;
  r->last = cycle + beats;
  r->free = cycle + beats;
  pass(m, beats);
}

static int take_run(struct tsr_cycle *m, const struct tsr_burst_run *run, int k)
{
  struct tsr__load *l = &m->load;
  struct tsr__reads *r = &m->reads;
  bool regular = run->when.step <= run->when.per && run->error_beat < 0 && !l->several;
  while (k < run->beats && !l->data_over) {
    uint64_t cycle = tsr__later(tsr_beat_cycle(&run->when, (uint64_t)k), r->free);
    cycle = tsr__later(cycle, r->before + 1);
    if (regular && cycle + 1 >= l->cursor + l->pads) {
      take_stream(m, cycle, (uint32_t)(run->beats - k));
      return run->beats;
    }
    r->free = cycle + 1;
    take_beat(m, cycle, k == run->error_beat);
    k++;
    pass(m, 1);
  }
  return k;
}

/* Nobody takes them yet: two have room. */
static int hold_run(struct tsr_cycle *m, const struct tsr_burst_run *run, int k)
{
  struct tsr__reads *r = &m->reads;
  for (; k < run->beats && r->held_count < 2; k++) {
    uint64_t room = (r->held_count ? r->last : r->before) + 1;
    uint64_t cycle = tsr__later(tsr_beat_cycle(&run->when, (uint64_t)k), tsr__later(r->free, room));
    r->held_error[r->held_count] = k == run->error_beat;
    r->held[r->held_count++] = cycle;
    r->free = cycle + 1;
  }
  return k;
}

int tsr__load_beats(struct tsr_cycle *m, const struct tsr_burst_run *run, int done)
{
  const struct tsr__load *l = &m->load;
  if (l->filling && !l->data_over)
    done = take_run(m, run, done);
  return done < run->beats ? hold_run(m, run, done) : done;
}

static void take_held(struct tsr_cycle *m)
{
  struct tsr__reads *r = &m->reads;
  int count = r->held_count;
  r->held_count = 0;
  for (int i = 0; i < count; i++) {
    if (m->load.data_over) {
      r->held_error[r->held_count] = r->held_error[i];
      r->held[r->held_count++] = r->held[i];
      continue;
    }
    take_beat(m, r->held[i], r->held_error[i]);
    pass(m, 1);
  }
}

static void start_fill(struct tsr_cycle *m, struct tsr__entry *e)
{
  struct tsr__load *l = &m->load;
  const struct tsr_insn *insn = &e->insn;
  uint64_t pad = insn->dma.buffer == TSR_BUFFER_LUT ? (uint64_t)(TSR_LUT_BYTES / m->beat_bytes) : 1;
  uint64_t width = (uint64_t)insn->dma.xl + insn->dma.nx + insn->dma.xr;
  uint64_t xl = insn->dma.xl, xr = insn->dma.xr, top = insn->dma.yl * width,
           bottom = insn->dma.yr * width;
  bool several = insn->dma.buffer == TSR_BUFFER_UOP && m->beat_bytes > TSR_UOP_BYTES;
  e->granted = m->now;
  l->filling = true;
  l->cursor = m->now + 1;
  l->pads = (top + xl) * pad;
  l->row_pads = (xr + xl) * pad;
  l->plane_pads = (xr + bottom + top + xl) * pad;
  l->tail_pads = (xr + bottom) * pad;
  l->row_beats = l->beats_left = tsr__row_beats(m, insn);
  l->ny = insn->dma.ny;
  l->rows_left = insn->dma.ny - 1;
  l->planes_left = insn->dma.nz - 1;
  l->several = several ? (uint32_t)(m->beat_bytes / TSR_UOP_BYTES) : 0;
  l->nx = l->uops_left = insn->dma.nx;
  l->move_bytes = several ? TSR_UOP_BYTES : (uint32_t)m->beat_bytes;
  l->data_over = false;
  tsr__moves_start(&l->moves);
  l->done = l->trap_at = TSR__NEVER;
  take_held(m);
  tsr__reads_pump(m);
}

/* --- states ----------------------------------------------------------------------------------- */

/* Padding in front of a beat that has not come is not placed yet, but moves. */
static void settle_fill(struct tsr_cycle *m, uint64_t upto)
{
  struct tsr__load *l = &m->load;
  uint64_t data, moves = tsr__moves_before(&l->moves, upto, &data);
  uint64_t pads = upto > l->cursor ? tsr__sooner(l->pads, upto - l->cursor) : 0;
  uint64_t cycles = upto - m->accounts[E].next;
  m->result.counters[TSR_COUNTER_READ_BYTES] += data * l->move_bytes;
  tsr__spend_mixed(m, E, TSR_STATE_MEMORY, cycles - moves - pads, TSR_STATE_BUSY, upto,
                   tsr__entry_at(&m->queues[E], m->queues[E].ended)->index);
}

void tsr__load_settle(struct tsr_cycle *m, uint64_t upto)
{
  if (m->load.filling)
    settle_fill(m, upto);
  else
    tsr__front_spend(m, E, m->fronts[E].state, upto);
}

/* The instruction that the fill is about, or could be in this cycle. */
static struct tsr__entry *asked(struct tsr_cycle *m, uint64_t cycle)
{
  struct tsr__queue *q = &m->queues[E];
  struct tsr__entry *e = q->started > q->ended ? tsr__entry_at(q, q->ended) : NULL;
  return e && e->start < cycle ? e : NULL;
}

/* In a cycle in which nothing is filled, and no locks are got. */
static enum tsr_state state_in(struct tsr_cycle *m, uint64_t cycle)
{
  const struct tsr__entry *a = asked(m, cycle), *e = tsr__ended(m, E, cycle);
  if (a)
    return a->insn.opcode == TSR_OP_SYNC ? TSR_STATE_BUSY : TSR_STATE_LOCK;
  if (e && tsr__missing_room(m, E, e->insn.signal))
    return TSR_STATE_SIGNAL;
  if (tsr__front_lacks(m, E, cycle))
    return TSR_STATE_TOKEN;
  return tsr__front_empty(m, E, cycle) && !e ? TSR_STATE_IDLE : TSR_STATE_BUSY;
}

/* --- a look ----------------------------------------------------------------------------------- */

static void look_front(struct tsr_cycle *m)
{
  struct tsr__queue *q = &m->queues[E];
  uint64_t flight = q->started - q->retired;
  tsr__front_look(m, E, m->fronts[E].rows_free <= m->now && flight < TSR__IN_FLIGHT, flight == 0);
}

static void end(struct tsr_cycle *m, struct tsr__entry *e)
{
  e->end = m->now;
  tsr__execute(m, e);
  tsr__tell(m, E, e->index, true);
  tsr__release(m, e->locks);
  m->queues[E].ended++;
  m->load.filling = false;
  m->load.fill_from = m->now + 1;
  tsr__rouse(m, TSR__PART_LOAD, m->now + 1);
}

/* Whether locks were got. */
static bool look_fill(struct tsr_cycle *m)
{
  struct tsr__load *l = &m->load;
  struct tsr__entry *e = asked(m, m->now);
  if (!e)
    return false;
  if (l->filling) {
    if (l->done == m->now)
      end(m, e);
    else
      tsr__rouse(m, TSR__PART_LOAD, tsr__sooner(l->done, l->trap_at));
    return false;
  }
  if (e->insn.opcode == TSR_OP_SYNC) {
    e->granted = e->start;
    end(m, e);
    return false;
  }
  tsr__ask_locks(m, E, e->locks, m->now);
  if (!tsr__grant(m, E))
    return false;
  start_fill(m, e);
  return true;
}

static void look_end(struct tsr_cycle *m, const struct tsr__entry *e)
{
  if (tsr__missing_room(m, E, e->insn.signal))
    return;
  tsr__give(m, E, e->insn.signal);
  tsr__retire(m, E);
  tsr__rouse(m, TSR__PART_LOAD, m->now + 1);
}

void tsr__load_look(struct tsr_cycle *m)
{
  struct tsr__load *l = &m->load;
  bool filling = l->filling, error = filling && l->trap_at == m->now;
  size_t insn = error ? asked(m, m->now)->index : 0;
  if (!filling)
    tsr__front_spend(m, E, m->fronts[E].state, m->now);
  else if (l->done == m->now)
    settle_fill(m, m->now + 1);
  enum tsr_state state = state_in(m, m->now);
  struct tsr__entry *e = tsr__ended(m, E, m->now);
  look_front(m);
  if (look_fill(m))
    state = TSR_STATE_BUSY;
  if (!filling)
    tsr__front_spend(m, E, state, m->now + 1);
  if (e)
    look_end(m, e);
  if (error) /* before what the front has found */
    tsr__trap(m, E, TSR_TRAP_BUS, insn);
  tsr__front_stay(m, E, state_in(m, m->now + 1));
}

uint64_t tsr__load_blocked(const struct tsr_cycle *m)
{
  const struct tsr__load *l = &m->load;
  const struct tsr__queue *q = &m->queues[E];
  if (q->started > q->ended)
    return TSR__NEVER;
  uint64_t since = tsr__later(tsr__front_blocked(m, E), m->fronts[E].rows_free);
  since = tsr__later(since, tsr__later(l->fill_from, q->retired_at + 1));
  return q->ended > q->retired ? tsr__later(since, tsr__entry_at(q, q->retired)->end + 1) : since;
}
