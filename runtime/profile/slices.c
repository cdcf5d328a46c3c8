/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/slices.h"

#include <string.h>

/* --- labels ----------------------------------------------------------------------------------- */

enum { KINDS = 256 * 8 };

static size_t kind_of(const struct tsr__label *l)
{
  return (size_t)l->opcode * 8 + (l->buffer & 7);
}

static void label_layer(const struct tsr_module *m, int layer, struct tsr__label *label,
                        uint32_t *kinds)
{
  size_t first = m->layer[layer].first_insn, end = first + m->layer[layer].insns;
  memset(kinds, 0, KINDS * sizeof *kinds);
  for (size_t i = first; i < end; i++) {
    label[i].layer = layer;
    label[i].nth = ++kinds[kind_of(&label[i])];
  }
  for (size_t i = first; i < end; i++)
    label[i].of = kinds[kind_of(&label[i])];
}

struct tsr__label *tsr__label_insns(struct tsr_arena *arena, const struct tsr_module *m)
{
  struct tsr__label *label = TSR_NEW_ARRAY(arena, struct tsr__label, m->insn_count + 1);
  uint32_t *kinds = TSR_NEW_ARRAY(arena, uint32_t, KINDS);
  for (size_t i = 0; i < m->insn_count; i++) {
    struct tsr_insn insn;
    label[i].layer = -1;
    if (tsr_insn_decode(m->insns + i * TSR_INSN_BYTES, &insn) != TSR_TRAP_NONE)
      continue;
    label[i].opcode = (uint8_t)insn.opcode;
    label[i].wait = (uint8_t)insn.wait;
    label[i].signal = (uint8_t)insn.signal;
    if (tsr_opcode_format(insn.opcode) == TSR_FORMAT_DMA)
      label[i].buffer = (uint8_t)insn.dma.buffer;
  }
  for (int layer = 0; layer < m->layers; layer++)
    label_layer(m, layer, label, kinds);
  return label;
}

/* --- cutting ---------------------------------------------------------------------------------- */

static bool works(enum tsr_state state)
{
  return state == TSR_STATE_BUSY || state == TSR_STATE_MEMORY || state == TSR_STATE_HAZARD;
}

/* Spans of one engine in one run, all about one instruction, none missing in between. */
struct group {
  const struct tsr_cycle_span **span;
  size_t count;
  uint64_t before; /* cycles of the runs before */
};

static void add(struct tsr__track *t, struct tsr__slice slice)
{
  t->slice[t->count++] = slice;
}

static void add_stall(struct tsr__track *t, const struct group *g, size_t k, bool inside)
{
  const struct tsr_cycle_span *s = g->span[k];
  if (s->state == TSR_STATE_IDLE || s->state == TSR_STATE_BUSY)
    return;
  add(t, (struct tsr__slice){.first = s->first + g->before,
                             .last = s->last + g->before,
                             .insn = s->insn,
                             .count = 1,
                             .state = (uint8_t)s->state,
                             .others = (uint8_t)s->others,
                             .inside = inside});
}

/* From where the engine begins to work on it to where it ends. */
static void add_insn(struct tsr__track *t, const struct group *g, size_t first, size_t last)
{
  struct tsr__slice slice = {.first = g->span[first]->first + g->before,
                             .last = g->span[last]->last + g->before,
                             .insn = g->span[first]->insn,
                             .count = 1,
                             .state = TSR_STATE_BUSY};
  for (size_t k = first; k <= last; k++)
    if (g->span[k]->state == TSR_STATE_BUSY)
      slice.busy += g->span[k]->last - g->span[k]->first + 1;
  add(t, slice);
}

static void cut_group(struct tsr__track *t, const struct group *g)
{
  size_t first = 0, last = g->count;
  while (first < g->count && !works(g->span[first]->state))
    first++;
  while (last && !works(g->span[last - 1]->state))
    last--;
  for (size_t k = 0; k < g->count; k++) {
    bool inside = k >= first && k < last;
    if (inside && k == first)
      add_insn(t, g, first, last - 1);
    add_stall(t, g, k, inside);
  }
}

/* Spans of an engine leave no cycle out. Fetch works on no instruction for long: what it waits for
 * lies between. */
static bool together(const struct tsr_cycle_span *a, const struct tsr_cycle_span *b)
{
  return a->engine != TSR_ENGINE_FETCH && a->insn == b->insn && a->state != TSR_STATE_IDLE &&
         b->state != TSR_STATE_IDLE;
}

static void cut_run(struct tsr__track *t, const struct tsr_cycle_span **span, size_t count,
                    uint64_t before)
{
  for (size_t k = 0; k < count;) {
    struct group g = {span + k, 1, before};
    while (k + g.count < count && together(g.span[g.count - 1], g.span[g.count]))
      g.count++;
    if (g.span[0]->engine == TSR_ENGINE_FETCH && g.span[0]->state != TSR_STATE_BUSY)
      add_stall(t, &g, 0, false);
    else
      cut_group(t, &g);
    k += g.count;
  }
}

void tsr__cut_slices(struct tsr_arena *arena, const struct tsr_record *record,
                     struct tsr__track track[TSR__TRACKS])
{
  const struct tsr_cycle_span **span =
      TSR_NEW_ARRAY(arena, const struct tsr_cycle_span *, record->spans + 1);
  for (int e = 0; e < TSR__TRACKS; e++) {
    size_t most = 0;
    for (size_t k = 0; k < record->spans; k++)
      most += record->span[k].engine == e;
    /* A span is a stall, or begins an instruction, or both. */
    track[e] = (struct tsr__track){TSR_NEW_ARRAY(arena, struct tsr__slice, 2 * most + 1), 0};
  }
  uint64_t before = 0;
  for (size_t r = 0; r < record->runs; r++) {
    const struct tsr_record_run *run = &record->run[r];
    for (int e = 0; e < TSR__TRACKS; e++) {
      size_t n = 0;
      for (size_t k = 0; k < run->spans; k++)
        if (record->span[run->first_span + k].engine == e)
          span[n++] = &record->span[run->first_span + k];
      cut_run(&track[e], span, n, before);
    }
    before += run->cycles;
  }
}

/* --- merging ---------------------------------------------------------------------------------- */

static bool alike(const struct tsr__label *label, const struct tsr__slice *a,
                  const struct tsr__slice *b)
{
  const struct tsr__label *x = &label[a->insn], *y = &label[b->insn];
  return x->layer == y->layer && kind_of(x) == kind_of(y);
}

struct tsr__track tsr__merge_slices(struct tsr_arena *arena, const struct tsr__track *track,
                                    const struct tsr__label *label, uint64_t below,
                                    struct tsr__merged *merged)
{
  struct tsr__track out = {TSR_NEW_ARRAY(arena, struct tsr__slice, track->count + 1), 0};
  struct tsr__slice *outer = NULL; /* the instructions that came last, if nothing came behind */
  for (size_t k = 0; k < track->count; k++) {
    const struct tsr__slice *s = &track->slice[k];
    bool stall = s->state != TSR_STATE_BUSY;
    if (stall && s->last - s->first + 1 < below) {
      merged->stalls++;
    } else if (below && !stall && outer && s->first - outer->last - 1 < below &&
               alike(label, outer, s)) {
      outer->last = s->last;
      outer->busy += s->busy;
      outer->count += s->count;
      merged->slices++;
    } else {
      add(&out, *s);
      if (!stall)
        outer = &out.slice[out.count - 1];
      else if (!s->inside)
        outer = NULL;
    }
  }
  return out;
}
