/* SPDX-License-Identifier: Apache-2.0 */
/* Which tile: of a few, the one of the least estimated cycles. docs/gpu-tuning.md has what the numbers
 * were measured by. */
#include "compiler/target/cuda/gemm_private.h"

enum {
  SHARED_OF_ALL =
      233472,      /* bytes of a multiprocessor; each block takes 1 KiB more than it asks for */
  L2_BYTES = 50,   /* of a cycle, for each multiprocessor */
  LAUNCH = 2500,   /* cycles until the first products, and from the last ones to the end */
  EXCHANGE = 3500, /* of blocks that share a tile */
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

/* Blocks of one multiprocessor at a time. */
static int64_t residents(const struct cuda__gemm *g)
{
  struct cuda__gemm_launch launch = cuda__gemm_launch(g);
  return least(SHARED_OF_ALL / (launch.shared_bytes + 1024), 1536 / launch.threads);
}

static int64_t cycles(const struct cuda__gemm *g)
{
  const struct cuda__gemm_tile *t = &g->tile;
  int64_t high = g->window.taps_h ? boxes_of(&g->window) : pieces(g->m, t->m);
  int64_t rows = pieces(high, t->cluster) * t->cluster;
  int64_t blocks = g->batch * rows * pieces(g->n, t->n) * t->splits;
  int64_t resident = residents(g),
          steps = taps(g) * pieces(g->k * bytes_of(g->in), ROW * t->splits);
  int64_t products = (int64_t)t->m * t->n / 32;
  int64_t bytes = (int64_t)(t->m + t->n / t->cluster) * ROW / L2_BYTES;
  int64_t step = products > bytes ? products : bytes, finish = (int64_t)t->m * t->n / 16;
  int64_t waves = pieces(blocks, CUDA__MULTIPROCESSORS * resident);
  int64_t together = waves > 1 ? resident : pieces(blocks, CUDA__MULTIPROCESSORS);
  int64_t tile = steps * step + (t->alternate || resident > 1 ? finish / 4 : finish);
  return LAUNCH + (t->splits > 1 ? EXCHANGE : 0) + waves * together * tile;
}

void cuda__gemm_choose(struct cuda__gemm *g)
{
  struct cuda__gemm_tile best = {0};
  int64_t fewest = INT64_MAX;
  for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
    g->tile = tiles[i];
    if (g->window.taps_h)
      cuda__gemm_set_box(&g->window, tiles[i].m);
    if (cuda__gemm_check(NULL, g))
      continue;
    int64_t c = cycles(g);
    if (c < fewest - fewest / 32) { /* about as good is no reason to leave a larger tile */
      fewest = c;
      best = tiles[i];
    }
  }
  g->tile = best;
  if (g->window.taps_h && best.m)
    cuda__gemm_set_box(&g->window, best.m);
}
