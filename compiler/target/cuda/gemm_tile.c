/* SPDX-License-Identifier: Apache-2.0 */
/* Which tile: of a few, the one of the least estimated cycles. docs/gpu-tuning.md has what the numbers
 * were measured by. */
#include "compiler/target/cuda/gemm_private.h"

enum {
  SHARED_OF_ALL =
      233472,      /* bytes of a multiprocessor; each block takes 1 KiB more than it asks for */
  L2_BYTES = 60,   /* of a cycle, for each multiprocessor */
  LATENCY = 2800,  /* cycles until what is copied is there; stages share it */
  LAUNCH = 1600,   /* until the first products, and from the last ones to the end */
  MEETING = 1400,  /* of blocks in a cluster, */
  EXCHANGE = 2000, /* and more where they share a tile */
};

/* clang-format off */
static const struct cuda__gemm_tile tiles[] = {
    /* m,  n, warpgroups, alternate, stages, cluster, splits, group */
    {128, 256, 2, false, 4, 2, 1, 8},
    {128, 256, 2, false, 4, 1, 1, 16},
    {128, 192, 2, false, 5, 2, 1, 8},
    {128, 192, 2, false, 5, 1, 1, 16},
    {128, 128, 2, true,  6, 2, 1, 8},
    {128, 128, 2, true,  6, 1, 1, 16},
    {192, 128, 3, false, 5, 2, 1, 8},
    {192, 128, 3, false, 5, 1, 1, 16},
    {128, 128, 2, false, 6, 2, 1, 8},
    {128, 128, 2, false, 6, 1, 1, 16},
    {128,  64, 2, false, 4, 1, 1, 16},
    { 64, 128, 1, false, 4, 2, 1, 8},
    { 64, 128, 1, false, 4, 1, 1, 16},
    { 64,  64, 1, false, 6, 1, 1, 16},
    { 64,  32, 1, false, 6, 1, 1, 16},
    { 64,  32, 1, false, 8, 1, 2, 16},
    { 64,  64, 1, false, 4, 1, 2, 16},
    { 64,  64, 1, false, 6, 1, 4, 16},
    { 64, 128, 1, false, 4, 1, 4, 16},
    {128, 128, 2, false, 4, 1, 4, 16},
};
/* clang-format on */

static int64_t least(int64_t x, int64_t y)
{
  return x < y ? x : y;
}

static int64_t most(int64_t x, int64_t y)
{
  return x > y ? x : y;
}

/* Blocks of one multiprocessor at a time. */
static int64_t residents(const struct cuda__gemm *g)
{
  struct cuda__gemm_launch launch = cuda__gemm_launch(g);
  return least(SHARED_OF_ALL / (launch.shared_bytes + 1024), 1536 / launch.threads);
}

static bool has(tir_e x, bool (*is)(tir_e x))
{
  bool found = is(x);
  for (int k = 0; k < x->args && !found; k++)
    found = has(x->arg[k], is);
  return found;
}

static bool is_function(tir_e x)
{
  return x->op >= TIR_EXP && x->op <= TIR_POW && x->op != TIR_SQRT;
}

static bool is_quant(tir_e x)
{
  return x->op == TIR_QUANT;
}

/* Cycles from one sum of a thread to its result. */
static int64_t finish_of(const struct cuda__gemm *g)
{
  const struct tir_func *f = g->epilogue;
  bool functions = false, quantizes = false;
  for (int i = 0; i < f->stages; i++) {
    functions |= has(f->stage[i]->value, is_function);
    quantizes |= has(f->stage[i]->value, is_quant);
  }
  bool wide = tsr_dtype_bytes(f->param[f->params - 1]->dtype) == 4;
  return functions ? 173 : wide ? 100 : quantizes ? 68 : 41;
}

/* Of one tile of each block of a multiprocessor, `together` of them at a time: copies and products, and
 * what makes results of sums, of which a third waits for the other blocks'. */
static int64_t cycles_of_tiles(const struct cuda__gemm *g, int64_t together, bool more)
{
  const struct cuda__gemm_tile *t = &g->tile;
  int64_t steps = g->window.taps_h ? steps_of_window(g) / t->splits
                                   : pieces(g->k * bytes_of(g->in), ROW * t->splits);
  int64_t products = (int64_t)t->m * t->n / 32;
  int64_t bytes = (int64_t)(t->m + t->n / t->cluster) * ROW / L2_BYTES;
  int64_t step = most(most(products, bytes), LATENCY / (t->stages * together));
  int64_t results = t->m * t->n / (WARPGROUP * (t->alternate ? 1 : t->warpgroups));
  int64_t finish = results * finish_of(g) * (1 + 2 * together) / 3;
  int64_t multiply = steps * step * together;
  return t->alternate && more ? most(multiply, finish) : multiply + finish;
}

static int64_t cycles(const struct cuda__gemm *g)
{
  const struct cuda__gemm_tile *t = &g->tile;
  int64_t high = g->window.taps_h ? boxes_of(&g->window) : pieces(g->m, t->m);
  int64_t rows = pieces(high, t->cluster) * t->cluster;
  int64_t blocks = g->batch * rows * pieces(g->n, t->n) * t->splits;
  int64_t resident = residents(g), waves = pieces(blocks, CUDA__MULTIPROCESSORS * resident);
  int64_t together = waves > 1 ? resident : pieces(blocks, CUDA__MULTIPROCESSORS);
  return LAUNCH + (t->cluster * t->splits > 1 ? MEETING : 0) + (t->splits > 1 ? EXCHANGE : 0) +
         waves * cycles_of_tiles(g, together, waves > 1);
}

/* Half of such a tile would be for nothing. */
static bool is_too_wide(const struct cuda__gemm *g)
{
  return g->tile.n > COLUMNS && g->n <= g->tile.n / 2;
}

void cuda__gemm_choose(struct cuda__gemm *g)
{
  struct cuda__gemm_tile best = {0};
  int64_t fewest = INT64_MAX;
  for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
    g->tile = tiles[i];
    if (g->window.taps_h)
      cuda__gemm_set_box(&g->window, tiles[i].m);
    if (is_too_wide(g) || cuda__gemm_check(NULL, g))
      continue;
    int64_t c = cycles(g);
    if (c < fewest) {
      fewest = c;
      best = tiles[i];
    }
  }
  g->tile = best;
  if (g->window.taps_h && best.m)
    cuda__gemm_set_box(&g->window, best.m);
}
