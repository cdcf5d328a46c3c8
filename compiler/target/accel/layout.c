/* SPDX-License-Identifier: Apache-2.0 */
/* Where a layer's buffers lie in the scratchpads: behind each other from some entry on, around the end.
 * From which is chosen so that the first copies, which are filled first, lie where the layer before has
 * finished first: so its first loads need not wait for that one's last steps. */
#include <string.h>

#include "compiler/target/accel/accel.h"

enum { MOST_ITEMS = 128, FIRST_COPY = 4 /* how much more its waiting counts */ };

struct item {
  struct tsr__place *place;
  int copy, bank; /* place->at[copy][bank] */
};

/* What lies in one space, of ACC in one bank. */
struct shelf {
  uint32_t base, size; /* first entry, entries */
  const struct tsr__recent *recent;
  int items;
  struct item item[MOST_ITEMS];
};

static void add_items(const struct tsr__stream *s, struct tsr__place *p, enum tsr__space space,
                      int bank, bool both_banks, struct shelf *shelf)
{
  bool twice = space == SPACE_ACC && p->filled_by_dma && both_banks;
  for (int copy = 0; copy < p->depth; copy++)
    for (int b = 0; b < (twice ? 2 : 1); b++) {
      int which = space != SPACE_ACC ? 0 : twice ? b : (s->bank + copy) % 2;
      if (which == bank && shelf->items < MOST_ITEMS)
        shelf->item[shelf->items++] = (struct item){p, copy, b};
    }
}

static uint64_t waiting(const struct shelf *shelf, const struct item *item, uint32_t at)
{
  uint64_t rank = 0;
  for (int k = 0; k < shelf->recent->count; k++) {
    const struct tsr__recent_region *r = &shelf->recent->region[k];
    if (at < r->hi && r->lo < at + item->place->entries && r->rank > rank)
      rank = r->rank;
  }
  return item->copy ? rank : FIRST_COPY * rank;
}

/* Lays the items out from `from` on; *end is where they end. False: they do not fit so. */
static bool lay_out(const struct shelf *shelf, uint32_t from, uint64_t *cost, uint32_t *end)
{
  uint32_t at = from;
  bool wrapped = false;
  *cost = 0;
  for (int k = 0; k < shelf->items; k++) {
    const struct item *item = &shelf->item[k];
    uint32_t entries = item->place->entries;
    if (at + entries > shelf->size && !wrapped) {
      wrapped = true;
      at = 0;
    }
    if (at + entries > (wrapped ? from : shelf->size))
      return false;
    *cost += waiting(shelf, item, at);
    item->place->at[item->copy][item->bank] = shelf->base + at;
    at += entries;
  }
  *end = at;
  return true;
}

/* From where the last layer's end, from the edges of what it used, or from 0. */
static bool place_shelf(struct shelf *shelf, uint32_t *next)
{
  const struct tsr__recent *recent = shelf->recent;
  uint32_t from[2 * TSR__RECENT + 2] = {*next, 0}, best = 0, end;
  uint64_t least = UINT64_MAX, cost;
  int n = 2;
  for (int k = 0; k < recent->count; k++) {
    from[n++] = recent->region[k].lo;
    from[n++] = recent->region[k].hi;
  }
  for (int k = 0; k < n; k++)
    if (from[k] <= shelf->size && lay_out(shelf, from[k], &cost, &end) && cost < least) {
      least = cost;
      best = from[k];
    }
  if (least == UINT64_MAX)
    return false;
  return lay_out(shelf, best, &cost, next);
}

/* --- all of them ------------------------------------------------------------------------------ */

static uint32_t depth_of(const struct tsr__stream *s, enum tsr__space space)
{
  static const int id[] = {
      [SPACE_UOP] = TSR_BUFFER_UOP, [SPACE_INP] = TSR_BUFFER_INP, [SPACE_WGT] = TSR_BUFFER_WGT,
      [SPACE_ACC] = TSR_BUFFER_ACC, [SPACE_OUT] = TSR_BUFFER_OUT, [SPACE_LUT] = TSR_BUFFER_LUT};
  return (uint32_t)tsr_design_depth(s->design, id[space]);
}

static bool whole_entries(const struct tsr__stream *s, struct tsr__place *p)
{
  int64_t elements = tsr_count(p->buffer->dims, p->buffer->rank, 1);
  p->entry_elements = tsr__entry_elements(s->design, tsr__space_of(p->buffer->scope));
  if (elements % p->entry_elements || elements / p->entry_elements > UINT16_MAX + 1)
    return false;
  p->entries = (uint32_t)(elements / p->entry_elements);
  return true;
}

bool tsr__layout_place(struct tsr__stream *s, struct tsr__place *place, int count, bool both_banks)
{
  for (int k = 0; k < count; k++)
    if (!whole_entries(s, &place[k]))
      return false;
  for (int space = 0; space < SPACE_DRAM; space++)
    for (int bank = 0; bank < (space == SPACE_ACC ? 2 : 1); bank++) {
      uint32_t depth = depth_of(s, (enum tsr__space)space), half = depth / 2;
      bool acc = space == SPACE_ACC;
      struct shelf shelf = {bank ? half : 0, acc ? half : depth, &s->recent[space][bank], 0, {{0}}};
      for (int k = 0; k < count; k++)
        if (tsr__space_of(place[k].buffer->scope) == (enum tsr__space)space)
          add_items(s, &place[k], (enum tsr__space)space, bank, both_banks, &shelf);
      if (shelf.items && !place_shelf(&shelf, &s->next[space][bank]))
        return false;
    }
  return true;
}

static void note(struct tsr__stream *s, const struct tsr__place *p, int copy, uint32_t at)
{
  enum tsr__space space = tsr__space_of(p->buffer->scope);
  uint32_t half = (uint32_t)tsr_design_depth(s->design, TSR_BUFFER_ACC) / 2;
  int bank = space == SPACE_ACC && at >= half;
  struct tsr__recent *recent = &s->recent[space][bank];
  uint32_t base = bank ? half : 0;
  bool last = p->instance >= 0 && p->instance % p->depth == copy;
  if (recent->count < TSR__RECENT)
    recent->region[recent->count++] =
        (struct tsr__recent_region){at - base, at - base + p->entries, last ? 2 : 1};
}

void tsr__layout_leave(struct tsr__stream *s, const struct tsr__place *place, int count,
                       bool both_banks)
{
  int bank = s->bank;
  for (int space = 0; space < SPACE_DRAM; space++)
    s->recent[space][0].count = s->recent[space][1].count = 0;
  for (int k = 0; k < count; k++) {
    const struct tsr__place *p = &place[k];
    bool acc = p->buffer->scope == TIR_ACC, twice = acc && p->filled_by_dma && both_banks;
    for (int copy = 0; copy < p->depth; copy++)
      for (int b = 0; b < (twice ? 2 : 1); b++)
        note(s, p, copy, p->at[copy][b]);
    if (acc && !p->filled_by_dma && p->instance >= 0)
      bank = (s->bank + (int)(p->instance % p->depth)) % 2;
  }
  s->bank = !bank; /* the next layer's first work is beside this one's last */
}
