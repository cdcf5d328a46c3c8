/* SPDX-License-Identifier: Apache-2.0 */
/* What a tiling costs. The bound: each engine's instructions take so long at the least
 * (docs/rtl.md, "Time"), and the bus moves so many bytes; the longest engine is busy all that
 * time. The estimate adds what does not overlap. */
#include "compiler/target/accel/plan.h"

enum {
  GEMM_CYCLES = 9,    /* of a GEMM beyond its products */
  QUANT_CYCLES = 11,  /* of a QUANT beyond its points */
  CHANNEL_CYCLES = 2, /* of a QUANT, for each block of channels */
  DMA_CYCLES = 1,     /* of a transfer beyond its beats, while others are in flight */
  START_CYCLES = 24,  /* of a tile's chain: load, compute, store */
};

static int64_t largest(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

static int64_t smallest(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* Places of the input, along rows or columns, that all tiles of this size load; padding is not
 * loaded. `from`, `taps`: which elements of the kernel. */
static int64_t loaded(const struct tsr__problem *p, int k, int64_t tile, int64_t from, int64_t taps)
{
  int64_t out = tsr__extent(p, ROWS + k), sum = 0;
  if (p->kernel[k] == 1)
    return smallest(out, p->in[k]);
  for (int64_t o = 0; o < out; o += tile) {
    int64_t last = smallest(o + tile, out) - 1;
    int64_t lo = o * p->stride[k] + from * p->dilation[k] - p->pad[k];
    int64_t hi = last * p->stride[k] + (from + taps - 1) * p->dilation[k] - p->pad[k] + 1;
    sum += largest(smallest(hi, p->in[k]) - largest(lo, 0), 0);
  }
  return sum;
}

/* Rows of the input that are loaded in one go through all tiles. */
static int64_t loaded_rows(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  if (p->kind != KIND_CHANNELWISE)
    return loaded(p, 0, t->order == ORDER_INPUT ? p->out[ROWS] : t->tile[ROWS], 0, p->kernel[0]);
  int64_t rows = 0;
  for (int64_t from = 0; from < p->summed; from += t->slice)
    rows += loaded(p, 0, t->tile[ROWS], from, smallest(t->slice, p->summed - from));
  return rows;
}

static int64_t input_bytes(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  bool whole = t->order == ORDER_INPUT, conv = p->kind == KIND_CONV;
  int64_t columns = loaded(p, 1, whole ? p->out[COLUMNS] : t->tile[COLUMNS], 0, p->kernel[1]);
  int64_t blocks = conv ? p->summed : p->out[CHANNELS];
  int64_t bytes = p->out[IMAGES] * p->operands * blocks * loaded_rows(p, t) * columns * p->entry;
  bool again = conv && (t->order == ORDER_WEIGHTS || t->sliced);
  return again ? bytes * tsr__tiles(p, t, CHANNELS) : bytes;
}

/* Bytes of a head's constants, all channel blocks: the kernel's weights as int8, the others
 * int32. */
static int64_t constant_bytes(const struct tsr__problem *h)
{
  int64_t taps = h->params > 3 ? h->params - 3 : 0;
  return h->out[CHANNELS] * ((h->params - taps) * 4 + taps) * h->entry;
}

/* What the head of each tile costs, with its feeder: the places that its windows reach are
 * loaded, or computed. */
static void add_head(const struct tsr__problem *p, const struct tsr__tiling *t, int64_t places,
                     struct tsr__times *times)
{
  const struct tsr__problem *h = p->head, *feeder = h->head;
  int64_t points = h->out[CHANNELS] * h->out[ROWS] * h->out[COLUMNS] * h->out[IMAGES];
  int64_t pieces = places * tsr__ceil_div(p->summed, t->slice), blocks = h->out[CHANNELS];
  int64_t reached = h->out[IMAGES] * loaded(h, 0, t->tile[ROWS], 0, h->kernel[0]) *
                    loaded(h, 1, t->tile[COLUMNS], 0, h->kernel[1]);
  int64_t bytes = constant_bytes(h) + (feeder ? constant_bytes(feeder) : 0);
  bytes *= tsr__tiling_keeps_head(p, t) ? 1 : places;
  bytes += reached * (feeder ? feeder->operands * feeder->summed : h->operands * blocks) * h->entry;
  times->vector += points * h->vector_steps + pieces * 2 * QUANT_CYCLES;
  if (feeder) {
    bytes += blocks * feeder->summed * p->weight_entry *
             (tsr__tiling_keeps_weights(p, t) ? 1 : places);
    times->matrix += reached * blocks * feeder->summed + pieces * GEMM_CYCLES;
    times->vector += reached * blocks + pieces * QUANT_CYCLES;
  }
  times->load += bytes / p->beat + pieces * DMA_CYCLES;
  times->bytes += bytes;
}

/* What the head of what is fed costs: each of its rows once. Its products wait for nothing, but those of what it
 * feeds wait until vector has written its results. */
static void add_fed(const struct tsr__problem *p, const struct tsr__tiling *t,
                    struct tsr__times *times)
{
  const struct tsr__problem *h = p->head;
  int64_t columns = loaded(p, 1, t->tile[COLUMNS], 0, p->kernel[1]), blocks = h->out[CHANNELS];
  int64_t rows = tsr__kept(p, t) ? p->in[0] : loaded(p, 0, t->tile[ROWS], 0, p->kernel[0]);
  int64_t points = blocks * rows * columns * h->out[IMAGES], taps = h->kernel[0] * h->kernel[1];
  int64_t tiles = tsr__tiles(p, t, ROWS) * tsr__tiles(p, t, COLUMNS) * h->out[IMAGES];
  int64_t edges = columns - loaded(p, 1, p->out[COLUMNS], 0, p->kernel[1]);
  int64_t input = loaded(h, 0, h->out[ROWS], 0, h->kernel[0]) *
                  (loaded(h, 1, h->out[COLUMNS], 0, h->kernel[1]) + edges * h->stride[1]);
  int64_t bytes = h->operands * h->out[IMAGES] * input * h->summed * h->entry + constant_bytes(h) +
                  blocks * h->summed * taps * h->weight_entry;
  int64_t moved = tsr__kept(p, t) * blocks + tsr__kept_of_head(p, t) * h->summed;
  times->matrix += points * h->summed * taps + tiles * GEMM_CYCLES;
  times->vector += points + tiles * (moved * tsr__fed_reach(p, t, 1) + QUANT_CYCLES);
  times->load += bytes / p->beat + tiles * DMA_CYCLES;
  times->bytes += bytes;
  times->turns = p->kind == KIND_CONV ? points + tiles * (GEMM_CYCLES + QUANT_CYCLES) : 0;
}

/* Entries of the result that are computed. */
static int64_t points_of(const struct tsr__problem *p)
{
  return p->out[CHANNELS] * tsr__extent(p, ROWS) * tsr__extent(p, COLUMNS) * p->out[IMAGES];
}

/* What lays the padding around a result that is resident: a LOAD for each of its planes, and one more; between
 * rows, vector. */
static void add_padding(const struct tsr__problem *p, struct tsr__times *times)
{
  int64_t planes = p->out[CHANNELS] * p->out[IMAGES];
  if (!p->padding[0] && !p->padding[1])
    return;
  times->load += (planes + 1) * (p->entry / p->beat + DMA_CYCLES);
  times->bytes += (planes + 1) * p->entry;
  if (p->padding[1])
    times->vector += planes * (tsr__extent(p, ROWS) - 1) * p->padding[1] + QUANT_CYCLES;
}

struct tsr__times tsr__tiling_times(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  int64_t places = tsr__tiles(p, t, ROWS) * tsr__tiles(p, t, COLUMNS) * tsr__tiles(p, t, IMAGES);
  int64_t tiles = places * tsr__tiles(p, t, CHANNELS),
          sums = tsr__ceil_div(p->summed, tsr__slice(p, t));
  int64_t points = points_of(p), stored = p->stays ? 0 : points * p->entry;
  int64_t taps = p->kernel[0] * p->kernel[1], again = places;
  if (t->order == ORDER_WEIGHTS || t->order == ORDER_ROWS)
    again = 1;
  if (t->order == ORDER_INPUT)
    again = tsr__tiles(p, t, IMAGES);
  int64_t weights = p->out[CHANNELS] * p->summed * taps * p->weight_entry;
  int64_t params = p->out[CHANNELS] * p->params * 4 * p->entry * again;
  int64_t bytes = (p->head ? 0 : input_bytes(p, t)) + p->beside * points * p->entry + params;
  struct tsr__times times = {0};
  if (p->kind == KIND_CONV) {
    bytes += weights * (sums > 1 && !tsr__tiling_keeps_weights(p, t) ? places : again);
    times.matrix = points * p->summed * taps + tiles * sums * GEMM_CYCLES;
  }
  times.vector = points * p->vector_steps + tiles * QUANT_CYCLES;
  if (p->params)
    times.vector += CHANNEL_CYCLES * tiles * t->tile[CHANNELS];
  times.load = bytes / p->beat + tiles * sums * DMA_CYCLES;
  times.store = p->stays ? 0 : stored / p->beat + tiles * DMA_CYCLES;
  times.bytes = bytes + stored;
  add_padding(p, &times);
  if (tsr__is_fed(p))
    add_fed(p, t, &times);
  else if (p->head)
    add_head(p, t, places, &times);
  return times;
}

int64_t tsr__tiling_bound(const struct tsr__times *t)
{
  return largest(largest(t->matrix, t->vector), largest(t->load, t->store));
}

int64_t tsr__tiling_estimate(const struct tsr__problem *p, const struct tsr__tiling *t,
                             const struct tsr__times *times)
{
  int64_t tiles = 1, sums = tsr__ceil_div(p->summed, tsr__slice(p, t));
  for (int k = 0; k < DIMS; k++)
    tiles *= tsr__tiles(p, t, k);
  int64_t first = times->load / (tiles * sums) + (times->vector + times->store) / (2 * tiles);
  /* vector waits for the last products before it ends a tile, and has no head to compute
   * meanwhile */
  int64_t ends = p->head && !tsr__is_fed(p) ? times->matrix / sums : times->turns;
  return tsr__tiling_bound(times) + first + ends + tiles * sums * START_CYCLES;
}
