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

/* What lies in one space, of ACC in one bank: from its entry `from` to `to`. */
struct shelf {
  uint32_t base; /* of the bank */
  uint32_t from, to;
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
      int turn = p->bank == BANK_BY_COPY ? copy : p->bank == BANK_OTHER;
      int which = space != SPACE_ACC ? 0 : twice ? b : (s->bank + turn) % 2;
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
    if (at + entries > shelf->to && !wrapped) {
      wrapped = true;
      at = shelf->from;
    }
    if (at + entries > (wrapped ? from : shelf->to))
      return false;
    *cost += waiting(shelf, item, at);
    item->place->at[item->copy][item->bank] = shelf->base + at;
    at += entries;
  }
  *end = at;
  return true;
}

/* From where the last layer's end, from the edges of what it used, or from the beginning. */
static bool place_shelf(struct shelf *shelf, uint32_t *next)
{
  const struct tsr__recent *recent = shelf->recent;
  uint32_t from[2 * TSR__RECENT + 2] = {*next, shelf->from}, best = 0, end;
  uint64_t least = UINT64_MAX, cost;
  int n = 2;
  for (int k = 0; k < recent->count; k++) {
    from[n++] = recent->region[k].lo;
    from[n++] = recent->region[k].hi;
  }
  for (int k = 0; k < n; k++)
    if (from[k] >= shelf->from && from[k] <= shelf->to && lay_out(shelf, from[k], &cost, &end) &&
        cost < least) {
      least = cost;
      best = from[k];
    }
  if (least == UINT64_MAX)
    return false;
  return lay_out(shelf, best, &cost, next);
}

/* --- all of them ------------------------------------------------------------------------------ */

uint32_t tsr__layout_room(const struct tsr_design *d, enum tsr__space space)
{
  return (uint32_t)tsr_design_depth(d, tsr__buffer_of(space)) / (space == SPACE_ACC ? 2 : 1);
}

uint32_t tsr__layout_entries(const struct tsr_design *d, const struct tir_buffer *b)
{
  int64_t elements = tsr_count(b->dims, b->rank, 1);
  uint32_t each = tsr__entry_elements(d, tsr__space_of(b->scope));
  if (elements % each || elements / each > UINT32_MAX)
    return 0;
  return (uint32_t)(elements / each);
}

static bool whole_entries(const struct tsr__stream *s, struct tsr__place *p)
{
  p->entry_elements = tsr__entry_elements(s->design, tsr__space_of(p->buffer->scope));
  p->entries = tsr__layout_entries(s->design, p->buffer);
  return p->entries && p->entries <= UINT16_MAX + 1;
}

uint32_t tsr__layout_lower(const struct tir_buffer *b, uint32_t entries)
{
  int d = 0;
  while (d + 1 < b->rank && b->dims[d] == 1)
    d++;
  return (uint32_t)(entries / b->dims[d] * tsr__ceil_div(b->dims[d], 2));
}

/* Puts it around the boundary of the banks; what is left of a bank is the shelf. */
static void span(struct tsr__place *p, uint32_t room, int bank, struct shelf *shelf)
{
  static const struct tsr__recent none = {0};
  uint32_t lower = tsr__layout_lower(p->buffer, p->entries),
           used = bank ? p->entries - lower : lower;
  used = used < shelf->to ? used : shelf->to;
  p->at[0][0] = room - (lower < room ? lower : room);
  shelf->base += bank ? used : 0;
  shelf->to -= used;
  shelf->recent = &none; /* all of the bank is in use at the end */
}

/* What is to lie in a space, of ACC in a bank. */
static void fill_shelf(const struct tsr__stream *s, enum tsr__space space, int bank,
                       struct tsr__place *place, int count, bool both_banks, struct shelf *shelf)
{
  uint32_t room = tsr__layout_room(s->design, space);
  *shelf = (struct shelf){bank ? room : 0, 0, room, &s->recent[space][bank], 0, {{0}}};
  if (space == SPACE_INP) { /* beside what is resident */
    shelf->from = s->inp_from;
    shelf->to = s->inp_to;
  }
  for (int k = 0; k < count; k++)
    if (tsr__space_of(place[k].buffer->scope) != space || place[k].in_place_of)
      continue;
    else if (place[k].spans)
      span(&place[k], room, bank, shelf);
    else
      add_items(s, &place[k], space, bank, both_banks, shelf);
}

/* They lie where those lie whose places they take. */
static void take_places(struct tsr__place *place, int count)
{
  for (int k = 0; k < count; k++) {
    const struct tsr__place *from = &place[k];
    while (from->in_place_of)
      from = from->in_place_of;
    memmove(place[k].at, from->at, sizeof from->at);
  }
}

/* Whether both of its parts are in their banks. */
static bool whole_span(const struct tsr__stream *s, const struct tsr__place *p)
{
  uint32_t room = tsr__layout_room(s->design, SPACE_ACC);
  uint32_t lower = tsr__layout_lower(p->buffer, p->entries);
  return lower <= room && p->entries - lower <= room;
}

bool tsr__layout_place(struct tsr__stream *s, struct tsr__place *place, int count, bool both_banks)
{
  for (int k = 0; k < count; k++)
    if (!whole_entries(s, &place[k]))
      return false;
  for (int space = 0; space < SPACE_DRAM; space++)
    for (int bank = 0; bank < (space == SPACE_ACC ? 2 : 1); bank++) {
      struct shelf shelf;
      fill_shelf(s, (enum tsr__space)space, bank, place, count, both_banks, &shelf);
      if (shelf.items && !place_shelf(&shelf, &s->next[space][bank]))
        return false;
    }
  int spanning = 0;
  for (int k = 0; k < count; k++)
    if (place[k].spans && !place[k].in_place_of && (spanning++ || !whole_span(s, &place[k])))
      return false;
  take_places(place, count);
  return true;
}

static enum tsr_status refuse_shelf(struct tsr_err *err, const char *scope,
                                    const struct shelf *shelf)
{
  uint64_t need = 0;
  const struct tsr__place *largest = shelf->item[0].place;
  for (int k = 0; k < shelf->items; k++) {
    need += shelf->item[k].place->entries;
    if (shelf->item[k].place->entries > largest->entries)
      largest = shelf->item[k].place;
  }
  if (need <= shelf->to - shelf->from)
    return TSR_OK;
  return tsr_refuse(err, "%s has %u entries%s, and %llu are needed: %d of %u for %s", scope,
                    shelf->to - shelf->from, largest->buffer->scope == TIR_ACC ? " in a bank" : "",
                    (unsigned long long)need, largest->depth, largest->entries,
                    largest->buffer->name);
}

enum tsr_status tsr__layout_refuse(struct tsr_err *err, const struct tsr__stream *s,
                                   struct tsr__inventory *v)
{
  for (int k = 0; k < v->count; k++)
    if (!whole_entries(s, &v->place[k]) && !v->place[k].entries)
      return tsr_refuse(err, "buffer %s is not of whole entries of %s", v->place[k].buffer->name,
                        tir_scope_name(v->place[k].buffer->scope));
  int spanning = 0;
  for (int k = 0; k < v->count; k++)
    if (v->place[k].spans && !v->place[k].in_place_of &&
        (spanning++ || !whole_span(s, &v->place[k])))
      return tsr_refuse(err, "acc has %u entries in a bank, and %u are needed for %s across both",
                        tsr__layout_room(s->design, SPACE_ACC), v->place[k].entries,
                        v->place[k].buffer->name);
  for (int k = 0; k < v->count; k++)
    for (int bank = 0; bank < (v->place[k].buffer->scope == TIR_ACC ? 2 : 1); bank++) {
      enum tir_scope scope = v->place[k].buffer->scope;
      struct shelf shelf;
      fill_shelf(s, tsr__space_of(scope), bank, v->place, v->count, v->both_banks, &shelf);
      if (shelf.items && refuse_shelf(err, tir_scope_name(scope), &shelf))
        return TSR_REFUSED;
    }
  return tsr_refuse(err, "its buffers do not fit the scratchpads side by side");
}

static void remember(struct tsr__recent *recent, uint32_t lo, uint32_t hi, uint32_t rank)
{
  if (recent->count < TSR__RECENT)
    recent->region[recent->count++] = (struct tsr__recent_region){lo, hi, rank};
}

static void note(struct tsr__stream *s, const struct tsr__place *p, int copy, uint32_t at)
{
  enum tsr__space space = tsr__space_of(p->buffer->scope);
  uint32_t half = (uint32_t)tsr_design_depth(s->design, TSR_BUFFER_ACC) / 2;
  int bank = space == SPACE_ACC && at >= half;
  uint32_t base = bank ? half : 0, end = at + p->entries;
  bool last = p->instance >= 0 && p->instance % p->depth == copy;
  if (p->spans)
    remember(&s->recent[space][1], 0, end - half, 2);
  remember(&s->recent[space][bank], at - base, (p->spans ? half : end) - base, last ? 2 : 1);
}

void tsr__layout_leave(struct tsr__stream *s, const struct tsr__place *place, int count,
                       bool both_banks)
{
  int bank = s->bank;
  for (int space = 0; space < SPACE_DRAM; space++)
    s->recent[space][0].count = s->recent[space][1].count = 0;
  for (int k = 0; k < count; k++) {
    const struct tsr__place *p = &place[k];
    if (p->base != BASE_NONE)
      continue;
    bool acc = p->buffer->scope == TIR_ACC, twice = acc && p->filled_by_dma && both_banks;
    for (int copy = 0; copy < p->depth; copy++)
      for (int b = 0; b < (twice ? 2 : 1); b++)
        note(s, p, copy, p->at[copy][b]);
    if (acc && !p->filled_by_dma && p->instance >= 0)
      bank = p->spans ? 1 : (s->bank + (int)(p->instance % p->depth)) % 2;
  }
  s->bank = !bank; /* the next layer's first work is beside this one's last */
}
