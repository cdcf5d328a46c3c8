/* SPDX-License-Identifier: Apache-2.0 */
/* Tilings whose buffers fit the scratchpads.
 *
 * A size is tried when some number of equal tiles needs it: 28, 14, 10, 7, ... of 28 rows.
 * Narrower tiles than the widest that fit only cost more, and of several images at a time all
 * rows and columns are taken, so columns and images end early. */
#include "compiler/target/accel/plan.h"

/* Places that windows of `taps` kernel elements reach, for `tile` results. */
static int64_t reach(const struct tsr__problem *p, int k, int64_t tile, int64_t taps)
{
  tile = tile < tsr__extent(p, ROWS + k) ? tile : tsr__extent(p, ROWS + k);
  if (p->kernel[k] == 1)
    return tile;
  return (tile - 1) * p->stride[k] + (taps - 1) * p->dilation[k] + 1;
}

/* The input region of a tile and a slice of the sum. */
static int64_t region_rows(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  int64_t taps = p->kind == KIND_CHANNELWISE ? t->slice : p->kernel[0];
  return reach(p, 0, t->order == ORDER_INPUT ? p->out[ROWS] : t->tile[ROWS], taps);
}

static int64_t region_columns(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  return reach(p, 1, t->order == ORDER_INPUT ? p->out[COLUMNS] : t->tile[COLUMNS], p->kernel[1]);
}

/* --- what a tiling needs ---------------------------------------------------------------------- */

static int64_t copies(int64_t iterations)
{
  return iterations > 1 ? 2 : 1;
}

/* Rows times columns of a tile that are computed. */
static int64_t area(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  return tsr__made(p, t, ROWS) * tsr__made(p, t, COLUMNS);
}

/* Of what each of so many tiles has its own. */
static int64_t tile_copies(const struct tsr__tiling *t, int64_t tiles)
{
  return t->spans ? 1 : copies(tiles);
}

/* --- what is fed ------------------------------------------------------------------------------ */

int64_t tsr__fed_reach(const struct tsr__problem *p, const struct tsr__tiling *t, int k)
{
  return reach(p, k, t->tile[ROWS + k], p->kernel[k]);
}

/* Rows that are in the windows of two neighbours. */
static int64_t overlap(const struct tsr__problem *p)
{
  int64_t rows = reach(p, 0, 1, p->kernel[0]) - p->stride[0];
  return p->kernel[0] > 1 && rows > 0 ? rows : 0;
}

int64_t tsr__kept(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  return tsr__tiles(p, t, ROWS) > 1 ? overlap(p) : 0;
}

int64_t tsr__kept_of_head(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  return p->head->operands && tsr__tiles(p, t, ROWS) > 1 ? overlap(p->head) : 0;
}

/* The first tile has all rows of its windows, but for the padding above; others have what is new. */
int64_t tsr__fed_places(const struct tsr__problem *p, const struct tsr__tiling *t, int k)
{
  int64_t places = tsr__fed_reach(p, t, k), first = places - p->pad[0];
  if (k == 0 && tsr__kept(p, t)) {
    places -= tsr__kept(p, t);
    places = places > first ? places : first;
  }
  return places < p->in[k] ? places : p->in[k];
}

static int64_t fed_input(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  const struct tsr__problem *h = p->head;
  int64_t times = tsr__kept_of_head(p, t) ? 1 : copies(tsr__tiles(p, t, ROWS));
  int64_t blocks = t->sliced ? t->slice : h->summed, region = 1;
  for (int k = 0; k < 2; k++)
    region *= reach(h, k, tsr__fed_places(p, t, k), h->kernel[k]);
  return h->operands * region * blocks * (t->sliced ? 2 : times);
}

static struct tsr__need need_of_fed(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  const struct tsr__problem *h = p->head;
  int64_t times = copies(tsr__tiles(p, t, ROWS)), channels = t->tile[CHANNELS];
  int64_t places = area(p, t), taps = p->kernel[0] * p->kernel[1];
  int64_t window = tsr__fed_reach(p, t, 0) * tsr__fed_reach(p, t, 1) * h->out[CHANNELS];
  int64_t head = h->out[CHANNELS] * h->summed * h->kernel[0] * h->kernel[1];
  struct tsr__need n = {
      .inp = fed_input(p, t) + window * (tsr__kept(p, t) ? 1 : times),
      .wgt = head + (p->kind == KIND_CONV ? channels * p->summed * taps : 0),
      .acc = h->out[CHANNELS] * (tsr__fed_places(p, t, 0) * tsr__fed_places(p, t, 1) + h->params) +
             channels * (p->work * places + p->params) + p->fixed_params,
      .out = p->stays ? 0 : times * channels * places,
  };
  n.inp += tsr__tiling_divides_tail(p, t) ? 2 * p->beside * places
                                          : times * p->beside * channels * places;
  return n;
}

/* --- what others need ------------------------------------------------------------------------- */

/* Places that the head's windows reach for a tile, with padding or without. */
static int64_t head_region(const struct tsr__problem *p, const struct tsr__tiling *t, bool padding)
{
  int64_t region = 1;
  for (int k = 0; k < 2; k++) {
    int64_t reached = reach(p->head, k, t->tile[ROWS + k], p->head->kernel[k]);
    region *= padding || reached < p->head->in[k] ? reached : p->head->in[k];
  }
  return region * t->tile[IMAGES];
}

/* Entries of INP that head and feeder take: inputs and results, all copies. */
static int64_t head_entries(const struct tsr__problem *p, const struct tsr__tiling *t,
                            int64_t tiles, int64_t pieces)
{
  const struct tsr__problem *feeder = p->head->head;
  int64_t places = area(p, t) * t->tile[IMAGES];
  int64_t input = 0, region = head_region(p, t, true);
  if (feeder)
    input = feeder->operands * copies(tiles) * feeder->summed * head_region(p, t, false);
  else
    region *= p->head->operands;
  return input + copies(pieces) * t->slice * (region + places);
}

/* Entries of INP that a tile's input takes, all copies. */
static int64_t input_entries(const struct tsr__problem *p, const struct tsr__tiling *t,
                             int64_t tiles, int64_t sums)
{
  int64_t blocks = t->tile[CHANNELS], times = tile_copies(t, tiles);
  if (p->head)
    return head_entries(p, t, tiles, tiles * sums);
  if (p->kind == KIND_CONV)
    blocks = t->sliced ? t->slice : p->summed;
  if (t->sliced)
    times = copies(t->spans ? sums : tiles * sums);
  if (t->order == ORDER_INPUT)
    times = tile_copies(t, tsr__tiles(p, t, IMAGES));
  return times * p->operands * blocks * t->tile[IMAGES] * region_rows(p, t) * region_columns(p, t);
}

/* What the head and its feeder need beside INP; `blocks`: of channels, whose constants are
 * there. */
static void add_head(const struct tsr__problem *p, const struct tsr__tiling *t, int64_t blocks,
                     struct tsr__need *n)
{
  const struct tsr__problem *head = p->head, *feeder = head->head;
  int64_t places = area(p, t) * t->tile[IMAGES];
  n->head_acc = head->work * t->slice * places + blocks * head->params + head->fixed_params;
  if (feeder)
    n->acc += t->slice * head_region(p, t, false) + blocks * feeder->params;
}

/* Entries of WGT for so many blocks of what is summed. */
static int64_t weight_entries(const struct tsr__problem *p, int64_t channels, int64_t blocks)
{
  const struct tsr__problem *feeder = p->head ? p->head->head : NULL;
  int64_t each = channels * p->kernel[0] * p->kernel[1] + (feeder ? feeder->summed : 0);
  return blocks * each;
}

bool tsr__tiling_keeps_weights(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  if (tsr__is_fed(p))
    return true;
  return p->head ? weight_entries(p, p->out[CHANNELS], p->summed) <= p->wgt : t->stays;
}

static int64_t tiles_of(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  int64_t tiles = 1;
  for (int k = 0; k < DIMS; k++)
    tiles *= tsr__tiles(p, t, k);
  return tiles;
}

/* Entries of INP that the tail's other operand takes with all of a tile, all copies. */
static int64_t whole_beside(const struct tsr__problem *p, const struct tsr__tiling *t,
                            int64_t tiles)
{
  int64_t places = area(p, t) * t->tile[IMAGES];
  return tile_copies(t, tiles) * p->beside * t->tile[CHANNELS] * places;
}

bool tsr__tiling_divides_tail(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  int64_t tiles = tiles_of(p, t), sums = tsr__ceil_div(p->summed, t->slice);
  if (tsr__is_fed(p))
    return p->beside > 0 && t->tile[CHANNELS] > 2;
  return p->beside && t->tile[CHANNELS] > 2 &&
         input_entries(p, t, tiles, sums) + whole_beside(p, t, tiles) > p->inp;
}

static int64_t beside_entries(const struct tsr__problem *p, const struct tsr__tiling *t,
                              int64_t tiles)
{
  int64_t places = area(p, t) * t->tile[IMAGES];
  return tsr__tiling_divides_tail(p, t) ? 2 * p->beside * places : whole_beside(p, t, tiles);
}

static struct tsr__need need_of(const struct tsr__problem *p, const struct tsr__tiling *t,
                                bool keeps_head)
{
  int64_t tiles = tiles_of(p, t), channels = t->tile[CHANNELS];
  int64_t places = area(p, t) * t->tile[IMAGES];
  int64_t sums = tsr__ceil_div(p->summed, t->slice),
          work = t->spans ? (channels + 1) / 2 : channels;
  int64_t pieces = copies(t->spans ? sums : tiles * sums) * t->slice;
  int64_t outer = tsr__tiles(p, t, CHANNELS); /* iterations of the loop in which parameters stay */
  outer *= t->order == ORDER_INPUT ? tsr__tiles(p, t, IMAGES) : 1;
  outer = t->order == ORDER_PLACES ? tiles : outer;
  int64_t blocks = sums > 1 ? pieces : tile_copies(t, outer) * t->slice;
  if (tsr__tiling_keeps_weights(p, t))
    blocks = tile_copies(t, outer) * p->summed;
  struct tsr__need n = {
      .inp = input_entries(p, t, tiles, sums) + beside_entries(p, t, tiles),
      .wgt = p->kind == KIND_CONV ? weight_entries(p, channels, blocks) : 0,
      .acc = p->work * work * places + tile_copies(t, outer) * p->params * channels +
             p->fixed_params,
      .out = p->stays ? 0 : tile_copies(t, tiles) * channels * places,
  };
  if (p->head)
    add_head(p, t, keeps_head ? p->summed : pieces, &n);
  return n;
}

bool tsr__tiling_keeps_head(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  struct tsr__need n = need_of(p, t, true);
  return tiles_of(p, t) > 1 && n.acc <= p->acc && n.head_acc <= p->acc;
}

struct tsr__need tsr__tiling_need(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  return tsr__is_fed(p) ? need_of_fed(p, t)
                        : need_of(p, t, p->head && tsr__tiling_keeps_head(p, t));
}

static bool fits(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  struct tsr__need n = tsr__tiling_need(p, t);
  /* loops and rows of an instruction have 16 bits; depths reach 65536 */
  if (!tsr__is_fed(p) && (region_rows(p, t) > UINT16_MAX || region_columns(p, t) > UINT16_MAX))
    return false;
  for (int k = 0; k < DIMS; k++)
    if (t->tile[k] > UINT16_MAX)
      return false;
  return n.inp <= p->inp && n.wgt <= p->wgt && n.acc <= p->acc && n.head_acc <= p->acc &&
         n.out <= p->out_entries;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct space {
  struct tsr_arena *arena;
  const struct tsr__problem *problem;
  struct tsr__tiling *list;
  size_t count, capacity;
};

/* The next smaller tile size that some number of equal tiles needs; 0 past the end. */
static int64_t next_size(int64_t extent, int64_t tile)
{
  return tile <= 1 ? 0 : tsr__ceil_div(extent, tsr__ceil_div(extent, tile - 1));
}

/* Whether windows of one element lie apart: what is between them is not loaded, but would be computed. */
static bool skips(const struct tsr__problem *p)
{
  return (p->kernel[0] == 1 && p->stride[0] > 1) || (p->kernel[1] == 1 && p->stride[1] > 1);
}

/* Whether the input that is loaded, if any is, comes in a way of its own. What is resident comes in none. */
static bool is_way_in(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  if (p->operands || p->kind == KIND_ELEMENTWISE || p->kind == KIND_LOOKUP)
    return true;
  return p->kind == KIND_CONV ? !t->sliced && t->order != ORDER_INPUT : t->slice == p->summed;
}

/* Whether the order, and the way to bring the input, are different from others for this tiling.
 * A head is computed once for each tile: of all channels, its slices as they are summed. */
static bool is_way(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  bool conv = p->kind == KIND_CONV, slices = t->slice < p->summed;
  if (t->spans && (!conv || p->head || p->work > 1 || t->tile[CHANNELS] < 2 ||
                   t->tile[IMAGES] > 1 || t->tile[CHANNELS] * area(p, t) <= p->acc))
    return false;
  int64_t channels = tsr__tiles(p, t, CHANNELS), places = tiles_of(p, t) / channels;
  if (t->stays && (!conv || p->head || !slices || places == 1))
    return false;
  if (conv && t->order == ORDER_WEIGHTS && places == 1 && channels > 1)
    return false; /* the same as ORDER_PLACES */
  if (tsr__is_fed(p) && !p->head->operands && t->slice < p->head->summed)
    return false;
  if (!p->head && !is_way_in(p, t))
    return false;
  if (tsr__is_fed(p))
    return t->order == ORDER_ROWS && !skips(p) && t->tile[CHANNELS] == p->out[CHANNELS] &&
           t->tile[IMAGES] == 1 && t->sliced == (t->slice < p->head->summed) &&
           !(t->sliced && overlap(p->head));
  if (t->order == ORDER_ROWS)
    return false;
  if (p->head)
    return t->order == ORDER_WEIGHTS && t->tile[CHANNELS] == p->out[CHANNELS] && slices &&
           t->sliced;
  if (t->order == ORDER_INPUT && (!conv || t->sliced))
    return false;
  return conv ? slices || !t->sliced : t->sliced == slices;
}

/* Adds the tiling in every order and way to bring its input; false when none fits. */
static bool add_orders(struct space *s, struct tsr__tiling t)
{
  const struct tsr__problem *p = s->problem;
  bool any = false;
  for (int order = 0; order < ORDERS; order++)
    for (int way = 0; way < 4; way++) {
      t.order = (enum tsr__order)order;
      t.sliced = way & 1;
      t.stays = way & 2;
      if (!is_way(p, &t) || !fits(p, &t))
        continue;
      s->list = TSR_GROW(s->arena, s->list, s->count, &s->capacity);
      s->list[s->count++] = t;
      any = true;
    }
  return any;
}

static void add_places(struct space *s, struct tsr__tiling t)
{
  const int64_t *out = s->problem->out;
  for (t.tile[ROWS] = out[ROWS]; t.tile[ROWS] > 0;
       t.tile[ROWS] = next_size(out[ROWS], t.tile[ROWS]))
    for (t.tile[COLUMNS] = out[COLUMNS]; t.tile[COLUMNS] > 0;
         t.tile[COLUMNS] = next_size(out[COLUMNS], t.tile[COLUMNS])) {
      bool any = add_orders(s, t);
      if (t.tile[IMAGES] > 1)
        return;
      if (any)
        break;
    }
}

size_t tsr__tilings(struct tsr_arena *a, const struct tsr__problem *p, struct tsr__tiling **out)
{
  struct space s = {.arena = a, .problem = p};
  struct tsr__tiling t = {.order = ORDER_WEIGHTS};
  int64_t summed = tsr__sliced(p)->summed;
  for (int spans = 0; spans < 2; spans++)
    for (t.tile[IMAGES] = p->out[IMAGES]; t.tile[IMAGES] > 0; t.tile[IMAGES] /= 2)
      for (t.tile[CHANNELS] = p->out[CHANNELS]; t.tile[CHANNELS] > 0;
           t.tile[CHANNELS] = next_size(p->out[CHANNELS], t.tile[CHANNELS]))
        for (t.slice = summed; t.slice > 0; t.slice = next_size(summed, t.slice)) {
          t.spans = spans;
          add_places(&s, t);
        }
  *out = s.list;
  return s.count;
}
