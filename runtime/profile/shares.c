/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/shares.h"

enum { TRACKS = TSR_ENGINE_COUNT + 1 };

/* --- one cycle -------------------------------------------------------------------------------- */

static bool any(const enum tsr_state *state, enum tsr_state wanted)
{
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (state[e] == wanted)
      return true;
  return false;
}

enum tsr_share tsr_share_of(const enum tsr_state state[TRACKS])
{
  enum tsr_state load = state[TSR_ENGINE_LOAD], store = state[TSR_ENGINE_STORE];
  enum tsr_state vector = state[TSR_ENGINE_VECTOR], fetch = state[TSR_ENGINE_FETCH];
  if (state[TSR_ENGINE_MATRIX] == TSR_STATE_BUSY)
    return TSR_SHARE_MATRIX;
  if (vector == TSR_STATE_BUSY || vector == TSR_STATE_HAZARD)
    return TSR_SHARE_VECTOR;
  if (load == TSR_STATE_BUSY || load == TSR_STATE_MEMORY)
    return load == TSR_STATE_BUSY ? TSR_SHARE_LOAD : TSR_SHARE_READ;
  if (store == TSR_STATE_BUSY || store == TSR_STATE_MEMORY)
    return store == TSR_STATE_BUSY ? TSR_SHARE_STORE : TSR_SHARE_WRITE;
  if (any(state, TSR_STATE_LOCK))
    return TSR_SHARE_LOCK;
  if (fetch != TSR_STATE_FINISH && fetch != TSR_STATE_QUEUE && any(state, TSR_STATE_IDLE))
    return TSR_SHARE_FETCH;
  return any(state, TSR_STATE_TOKEN) || any(state, TSR_STATE_SIGNAL) ? TSR_SHARE_TOKEN
                                                                     : TSR_SHARE_END;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* The spans of an engine, one after the other. */
struct track {
  const struct tsr_cycle_span **span;
  size_t count, at;
};

static void open_tracks(struct tsr_arena *arena, const struct tsr_record *record,
                        const struct tsr_record_run *run, struct track track[TRACKS])
{
  for (int e = 0; e < TRACKS; e++)
    track[e] =
        (struct track){TSR_NEW_ARRAY(arena, const struct tsr_cycle_span *, run->spans), 0, 0};
  for (size_t k = 0; k < run->spans; k++) {
    const struct tsr_cycle_span *s = &record->span[run->first_span + k];
    track[s->engine].span[track[s->engine].count++] = s;
  }
}

/* The state of a track in a cycle; *until: the last cycle, up to there, in which it is that. */
static enum tsr_state state_at(struct track *t, uint64_t cycle, uint64_t *until)
{
  while (t->at < t->count && t->span[t->at]->last < cycle)
    t->at++;
  if (t->at == t->count)
    return TSR_STATE_IDLE;
  const struct tsr_cycle_span *s = t->span[t->at];
  bool here = s->first <= cycle;
  uint64_t last = here ? s->last : s->first - 1;
  if (last < *until)
    *until = last;
  return here ? s->state : TSR_STATE_IDLE;
}

/* Adds the cycles from `cycle` to `last`. */
static void add_cycles(struct track track[TRACKS], uint64_t cycle, uint64_t last,
                       uint64_t sum[TSR_SHARES])
{
  while (cycle <= last) {
    enum tsr_state state[TRACKS];
    uint64_t until = last;
    for (int e = 0; e < TRACKS; e++)
      state[e] = state_at(&track[e], cycle, &until);
    sum[tsr_share_of(state)] += until - cycle + 1;
    cycle = until + 1;
  }
}

void tsr_share_cycles(struct tsr_arena *arena, const struct tsr_record *record,
                      const struct tsr_record_run *run, uint64_t (*cycles)[TSR_SHARES])
{
  const struct tsr_module *m = record->module;
  struct track track[TRACKS];
  uint64_t done = 0;
  int last = -1;
  open_tracks(arena, record, run, track);
  for (int k = 0; k < m->layers; k++) {
    if (!tsr_record_has_layer(run, &m->layer[k]))
      continue;
    uint64_t end = tsr_record_layer_end(record, &m->layer[k], done);
    add_cycles(track, done + 1, end, cycles[k]);
    done = end;
    last = k;
  }
  if (last >= 0)
    add_cycles(track, done + 1, run->cycles, cycles[last]);
}
