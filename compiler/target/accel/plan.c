/* SPDX-License-Identifier: Apache-2.0 */
/* Tile sizes and loop order for a blocked op, by estimated cost, as a schedule.
 *
 * The candidates are all tilings whose buffers fit the scratchpads, twice each where the loop around them
 * runs more than once. The estimate is the longest of four times (matrix, vector, load, store), since the
 * engines overlap, plus what does not overlap: the first tile's loads and a start-up per tile. */
#include <stdio.h>

#include "compiler/target/accel/accel.h"

enum { NB, CB, PH, PW };
enum { START_CYCLES = 24 }; /* of an instruction chain: load, compute, store of one tile */

enum kind { CONV, CHANNELWISE, ELEMENTWISE, LOOKUP };

enum { CHANNELS, ROWS, COLUMNS, IMAGES, DIMS }; /* what is tiled */

struct problem {
  enum kind kind;
  const struct tsr_node *node;
  int64_t out[DIMS]; /* channel blocks, rows, columns, images of the result */
  int64_t summed; /* CONV: channel blocks; CHANNELWISE: rows of the kernel; else 1 */
  int64_t kernel[2], stride[2], dilation[2];
  int64_t operands;                   /* activations read */
  int64_t params;                     /* ACC entries of constants per channel block */
  int64_t fixed_params;               /* ACC entries of constants of the whole op */
  int64_t work;                       /* int32 buffers of the result's size */
  int64_t vector_steps;               /* vector steps per entry of the result */
  int64_t inp, wgt, acc, out_entries; /* capacities, entries; acc of one bank */
  int64_t entry, weight_entry, beat;  /* bytes */
};

struct tiling {
  int64_t tile[DIMS], slice; /* slice: of what is summed, at a time */
  bool weights_outer;            /* channel tiles outside of spatial tiles */
  int64_t cost;
};

static int64_t largest(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* Places that windows of `taps` kernel elements reach, for `tile` results. */
static int64_t reach(const struct problem *p, int k, int64_t tile, int64_t taps)
{
  if (p->kernel[k] == 1)
    return tile;
  return (tile - 1) * p->stride[k] + (taps - 1) * p->dilation[k] + 1;
}

/* The input region of a tile and a slice of the sum. */
static int64_t region_rows(const struct problem *p, const struct tiling *t)
{
  return reach(p, 0, t->tile[ROWS], p->kind == CHANNELWISE ? t->slice : p->kernel[0]);
}

static int64_t region_columns(const struct problem *p, const struct tiling *t)
{
  return reach(p, 1, t->tile[COLUMNS], p->kernel[1]);
}

struct need { /* entries */
  int64_t inp, wgt, acc, out;
};

static struct need need_of(const struct problem *p, const struct tiling *t)
{
  int64_t tiles = 1, places = t->tile[ROWS] * t->tile[COLUMNS] * t->tile[IMAGES];
  for (int k = 0; k < DIMS; k++)
    tiles *= tsr__ceil_div(p->out[k], t->tile[k]);
  int64_t channel_tiles = tsr__ceil_div(p->out[CHANNELS], t->tile[CHANNELS]);
  int64_t sums = tsr__ceil_div(p->summed, t->slice);
  int64_t copies = tiles > 1 ? 2 : 1, slices = tiles * sums > 1 ? 2 : 1;
  bool weights_stay = t->weights_outer && sums == 1;
  int64_t weight_copies = weights_stay ? (channel_tiles > 1 ? 2 : 1) : slices;
  int64_t param_copies = t->weights_outer ? (channel_tiles > 1 ? 2 : 1) : copies;
  int64_t channels = t->tile[CHANNELS], blocks = p->kind == CONV ? t->slice : channels;
  int64_t window = p->kernel[0] * p->kernel[1];
  return (struct need){
      .inp = slices * p->operands * blocks * t->tile[IMAGES] * region_rows(p, t) *
             region_columns(p, t),
      .wgt = p->kind == CONV ? weight_copies * channels * t->slice * window : 0,
      .acc = p->work * channels * places + param_copies * p->params * channels + p->fixed_params,
      .out = copies * channels * places,
  };
}

static bool fits(const struct problem *p, const struct tiling *t)
{
  struct need n = need_of(p, t);
  /* loops and rows of an instruction have 16 bits; depths reach 65536 */
  if (region_rows(p, t) > UINT16_MAX || region_columns(p, t) > UINT16_MAX)
    return false;
  for (int k = 0; k < DIMS; k++)
    if (t->tile[k] > UINT16_MAX)
      return false;
  return n.inp <= p->inp && n.wgt <= p->wgt && n.acc <= p->acc && n.out <= p->out_entries;
}

static int64_t cost_of(const struct problem *p, const struct tiling *t)
{
  int64_t n[DIMS], points = 1, tiles = 1, sums = tsr__ceil_div(p->summed, t->slice);
  bool conv = p->kind == CONV;
  for (int k = 0; k < DIMS; k++) {
    n[k] = tsr__ceil_div(p->out[k], t->tile[k]);
    tiles *= n[k];
    points *= p->out[k];
  }
  int64_t window = p->kernel[0] * p->kernel[1], places = n[ROWS] * n[COLUMNS] * n[IMAGES];
  int64_t rows = n[ROWS] * region_rows(p, t), columns = n[COLUMNS] * region_columns(p, t);
  int64_t blocks = conv ? p->summed : p->out[CHANNELS] * sums;
  int64_t input = p->out[IMAGES] * p->operands * blocks * rows * columns * p->entry;
  int64_t weights = conv ? p->out[CHANNELS] * p->summed * window * p->weight_entry : 0;
  int64_t params = p->out[CHANNELS] * p->params * 4 * p->entry * (t->weights_outer ? 1 : places);
  if (conv && (t->weights_outer || sums > 1))
    input *= n[CHANNELS];
  if (!t->weights_outer || sums > 1)
    weights *= places;
  int64_t load = (input + weights + 2 * params) / p->beat, store = points * p->entry / p->beat;
  int64_t matrix = conv ? points * p->summed * window : 0;
  int64_t vector = points * p->vector_steps;
  int64_t busiest = largest(largest(matrix, vector), largest(load, store));
  int64_t first = load / (tiles * sums) + (matrix + vector + store) / (4 * tiles);
  return busiest + first + tiles * sums * START_CYCLES;
}

/* The k-th tile size of an extent, largest first: what k tiles of equal size need; 0 past the end. */
static int64_t candidate(int64_t extent, int64_t k)
{
  return k <= extent ? tsr__ceil_div(extent, k) : 0;
}

static int64_t next_candidate(int64_t extent, int64_t tile)
{
  return tile <= 1 ? 0 : candidate(extent, tsr__ceil_div(extent, tile - 1));
}

static void consider(const struct problem *p, const struct tiling *t, struct tiling *best)
{
  if (!fits(p, t))
    return;
  int64_t cost = cost_of(p, t);
  if (!best->cost || cost < best->cost) {
    *best = *t;
    best->cost = cost;
  }
}

/* Rows shrink one by one, columns in up to eight parts; narrower tiles than the first that fit only cost
 * more. Of several images at a time, all of each. */
static void search_places(const struct problem *p, struct tiling *t, struct tiling *best)
{
  const int64_t *out = p->out;
  for (t->tile[ROWS] = out[ROWS]; t->tile[ROWS] > 0;
       t->tile[ROWS] = next_candidate(out[ROWS], t->tile[ROWS]))
    for (t->tile[COLUMNS] = out[COLUMNS]; t->tile[COLUMNS] > 0;
         t->tile[COLUMNS] = next_candidate(out[COLUMNS], t->tile[COLUMNS])) {
      t->weights_outer = true;
      consider(p, t, best);
      t->weights_outer = false;
      consider(p, t, best);
      if (t->tile[IMAGES] > 1)
        return;
      if (fits(p, t))
        break;
    }
}

/* Channel tiles, slices of the sum and images shrink by about half. */
static struct tiling search(const struct problem *p)
{
  struct tiling best = {.cost = 0}, t;
  for (t.tile[IMAGES] = p->out[IMAGES]; t.tile[IMAGES] > 0; t.tile[IMAGES] /= 2)
    for (t.tile[CHANNELS] = p->out[CHANNELS]; t.tile[CHANNELS] > 0; t.tile[CHANNELS] /= 2)
      for (t.slice = p->summed; t.slice > 0; t.slice /= 2)
        search_places(p, &t, &best);
  return best;
}

/* --- the problem of a node --------------------------------------------------------------------------- */

static void window_attributes(struct problem *p, int64_t kh, int64_t kw)
{
  p->kernel[0] = p->summed = kh;
  p->kernel[1] = kw;
  tsr_node_ints(p->node, "strides", 2, 1, p->stride);
  tsr_node_ints(p->node, "dilations", 2, 1, p->dilation);
}

static struct problem problem_of(const struct tsr_node *n, const struct tsr_design *d)
{
  const int64_t *y = n->out[0]->dims;
  struct problem p = {.node = n,
                      .out = {y[CB], y[PH], y[PW], y[NB]},
                      .operands = 1,
                      .work = 1,
                      .kernel = {1, 1},
                      .stride = {1, 1},
                      .dilation = {1, 1},
                      .summed = 1,
                      .kind = CHANNELWISE,
                      .inp = tsr_design_depth(d, TSR_BUFFER_INP),
                      .wgt = tsr_design_depth(d, TSR_BUFFER_WGT),
                      .acc = tsr_design_depth(d, TSR_BUFFER_ACC) / 2,
                      .out_entries = tsr_design_depth(d, TSR_BUFFER_OUT),
                      .beat = tsr_design_beat(d),
                      .entry = tsr_design_dram_entry(d, TSR_BUFFER_INP),
                      .weight_entry = tsr_design_dram_entry(d, TSR_BUFFER_WGT)};
  const int64_t *w = n->inputs > 1 ? n->in[1]->dims : NULL;
  int64_t kernel[2];
  tsr_node_ints(n, "kernel", 2, 1, kernel);
  switch (n->op) {
  case TSR_G_AccConv:
    p.kind = CONV;
    p.params = 3;
    p.vector_steps = 1;
    window_attributes(&p, w[2], w[3]);
    p.summed = w[1];
    break;
  case TSR_G_AccDepthwise:
    window_attributes(&p, w[1], w[2]);
    p.params = 3 + w[1] * w[2];
    p.vector_steps = w[1] * w[2] + 1;
    break;
  case TSR_G_AccMaxPool:
  case TSR_G_AccAvgPool:
    window_attributes(&p, kernel[0], kernel[1]);
    p.fixed_params = n->op == TSR_G_AccAvgPool ? 3 : 0;
    p.vector_steps = kernel[0] * kernel[1] + 1;
    break;
  case TSR_G_AccLut:
    p.kind = LOOKUP;
    p.work = 0;
    p.vector_steps = 1;
    break;
  default:
    p.kind = ELEMENTWISE;
    p.operands = 2;
    p.work = 3;
    p.fixed_params = 3 + 2 * 2; /* p, and both vectors of k for each operand */
    p.vector_steps = 4;
  }
  return p;
}

/* --- the schedule -------------------------------------------------------------------------------------- */

struct writer {
  struct tir_sched *s;
  struct tsr_err *err;
  enum tsr_status status;
};

__attribute__((format(printf, 2, 3))) static void line(struct writer *w, const char *format, ...)
{
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (!w->status)
    w->status = tir_sched_apply(w->s, w->err, text);
}

/* The result's loops: tiles outside, entries inside; the name of the innermost tile loop is "wo". */
static void tile_result(struct writer *w, const struct tiling *t)
{
  line(w, "cache_write y out ys");
  static const struct {
    const char *loop, *outer, *inner;
  } row[DIMS] = {{"cb", "co", "ci"}, {"h", "ho", "hi"}, {"w", "wo", "wi"}, {"nb", "no", "ni"}};
  for (int k = 0; k < DIMS; k++) {
    line(w, "split ys %s %lld %s %s", row[k].loop, (long long)t->tile[k], row[k].outer,
         row[k].inner);
    line(w, "pipeline ys %s 2", row[k].outer);
  }
  line(w, "reorder ys %s ni ci hi wi b i", t->weights_outer ? "co no ho wo" : "no ho wo co");
}

static const char *innermost(const struct tiling *t)
{
  return t->weights_outer ? "wo" : "co";
}

static void write_conv(struct writer *w, const struct problem *p, const struct tiling *t)
{
  const char *in = innermost(t);
  bool whole = t->slice >= p->summed;
  line(w, "cache_read w wgt acc ws");
  line(w, "cache_read p acc y ps");
  line(w, "set_scope xs inp");
  line(w, "set_scope acc acc");
  tile_result(w, t);
  line(w, "compute_at y ys %s", in);
  line(w, "compute_at ps ys co");
  line(w, "compute_at acc ys %s", in);
  line(w, "split acc cb %lld so si", (long long)t->slice);
  line(w, "reorder acc so nb ob si kh kw h w b o i");
  line(w, "pipeline acc so 2");
  if (whole) {
    line(w, "compute_at xs ys wo");
    line(w, "compute_at ws ys co");
  } else {
    line(w, "compute_at xs acc so");
    line(w, "compute_at ws acc so");
  }
  line(w, "tensorize acc b accel.gemm");
  line(w, "tensorize y b accel.quant");
}

static void write_channelwise(struct writer *w, const struct problem *p, const struct tiling *t)
{
  const char *in = innermost(t);
  enum tsr_gop op = p->node->op;
  if (op != TSR_G_AccMaxPool)
    line(w, "cache_read p acc y ps");
  line(w, "set_scope xs inp");
  line(w, "set_scope acc acc");
  tile_result(w, t);
  line(w, "compute_at y ys %s", in);
  line(w, "compute_at acc ys %s", in);
  line(w, "split acc kh %lld so si", (long long)t->slice);
  line(w, "reorder acc so nb cb si kw h w b i");
  line(w, "pipeline acc so 2");
  if (t->slice < p->summed)
    line(w, "compute_at xs acc so");
  else
    line(w, "compute_at xs ys %s", in);
  if (op == TSR_G_AccDepthwise) {
    line(w, "set_scope ws acc");
    line(w, "compute_at ws ys co");
    line(w, "compute_at ps ys co");
  }
  line(w, "tensorize acc b accel.%s",
       op == TSR_G_AccDepthwise ? "mac"
       : op == TSR_G_AccMaxPool ? "maximum"
                                : "sum");
  line(w, "tensorize y b accel.%s", op == TSR_G_AccMaxPool ? "narrow" : "quant");
}

static void write_elementwise(struct writer *w, const struct problem *p, const struct tiling *t)
{
  static const char *const scopes[] = {"xs inp", "zs inp", "xa acc", "za acc", "acc acc"};
  static const char *const inner[] = {"y", "acc", "xa", "za", "xs", "zs"};
  bool sum = p->node->op == TSR_G_AccAdd;
  line(w, "cache_read k acc xa kx");
  line(w, "cache_read k acc za kz");
  line(w, "cache_read p acc y ps");
  for (int k = 0; k < 5; k++)
    line(w, "set_scope %s", scopes[k]);
  tile_result(w, t);
  for (int k = 0; k < 6; k++)
    line(w, "compute_at %s ys %s", inner[k], innermost(t));
  line(w, "tensorize xa b accel.%s", sum ? "scale" : "offset");
  line(w, "tensorize za b accel.%s", sum ? "scale" : "offset");
  line(w, "tensorize acc b accel.%s", sum ? "add" : "mul");
  line(w, "tensorize y b accel.quant");
}

static void write_lookup(struct writer *w, const struct tiling *t)
{
  line(w, "cache_read table lut y ts");
  line(w, "set_scope xs inp");
  tile_result(w, t);
  line(w, "compute_at y ys %s", innermost(t));
  line(w, "compute_at xs ys %s", innermost(t));
  line(w, "tensorize y b accel.lut");
}

/* --- when nothing fits --------------------------------------------------------------------------------- */

static enum tsr_status refuse_capacity(struct tsr_err *err, const struct problem *p,
                                       const struct tsr_design *d)
{
  struct tiling one = {.tile = {1, 1, 1, 1}, .slice = 1, .weights_outer = true};
  struct need n = need_of(p, &one);
  const struct {
    const char *key;
    int64_t need, have, entry;
  } row[] = {{"inp_bytes", n.inp, p->inp, p->entry},
             {"wgt_bytes", n.wgt, p->wgt, p->weight_entry},
             {"acc_bytes", 2 * n.acc, 2 * p->acc, 4 * p->entry},
             {"out_bytes", n.out, p->out_entries, p->entry}};
  for (int k = 0; k < 4; k++)
    if (row[k].need > row[k].have)
      return tsr_refuse(err,
                        "design point %s cannot hold one tile: %s is %lld, and %lld are needed",
                        d->name, row[k].key, (long long)(row[k].have * row[k].entry),
                        (long long)(row[k].need * row[k].entry));
  return tsr_refuse(err, "design point %s has no tiling for it", d->name);
}

enum tsr_status tsr__accel_plan(struct tsr_err *err, const struct tsr_node *n,
                                const struct tsr_design *d, struct tir_sched *s)
{
  struct problem p = problem_of(n, d);
  struct tiling t = search(&p);
  struct writer w = {s, err, TSR_OK};
  if (!t.cost)
    return refuse_capacity(err, &p, d);
  switch (p.kind) {
  case CONV: write_conv(&w, &p, &t); break;
  case CHANNELWISE: write_channelwise(&w, &p, &t); break;
  case ELEMENTWISE: write_elementwise(&w, &p, &t); break;
  case LOOKUP: write_lookup(&w, &t); break;
  }
  return w.status;
}
