/* SPDX-License-Identifier: Apache-2.0 */
/* When a convolution is computed by Winograd's tiles, and its weights then. */
#include "compiler/graph/layout.h"
#include "compiler/graph/winograd.h"

/* In products that a processor makes in the same time: to transform an element, there and back, and to
 * read a weight from memory. docs/cpu-target.md has what they were measured by. */
enum { TRANSFORM = 12, READ = 15 };

static int64_t tiles_of(const struct tsr_value *y, int64_t tile)
{
  int64_t rows = (y->dims[2] + tile - 1) / tile, columns = (y->dims[3] + tile - 1) / tile;
  return y->dims[0] * rows * columns;
}

/* y is the result of the plain convolution. */
static double cost_of_tiles(const struct layout__weights *w, const struct tsr_value *y,
                            int64_t points)
{
  double all = (double)(points * points), outs = (double)w->outs, ins = (double)w->ins;
  double tiles = (double)tiles_of(y, winograd__matrices(points)->tile);
  return all * (tiles * ins * outs + TRANSFORM * tiles * (ins + outs) + READ * ins * outs);
}

int64_t layout__winograd(const struct layout__weights *w, const struct tsr_value *y)
{
  double weights = (double)(w->taps * w->ins * w->outs), places = (double)tiles_of(y, 1);
  double least = weights * (places + READ);
  int64_t best = 0;
  for (int64_t points = 4; points <= WINOGRAD__MOST; points += 2) {
    double cost = cost_of_tiles(w, y, points);
    if (cost < least) {
      least = cost;
      best = points;
    }
  }
  return best;
}

/* G g G^T of one result's and one channel's taps, at [a][b]. */
static void transform(const struct winograd__matrices *by, const float *g,
                      double out[WINOGRAD__MOST][WINOGRAD__MOST])
{
  double half[WINOGRAD__MOST][WINOGRAD__TAPS] = {{0}};
  for (int a = 0; a < by->points; a++)
    for (int k = 0; k < WINOGRAD__TAPS; k++)
      for (int r = 0; r < WINOGRAD__TAPS; r++)
        half[a][k] += by->taps[a][r] * (double)g[r * WINOGRAD__TAPS + k];
  for (int a = 0; a < by->points; a++)
    for (int b = 0; b < by->points; b++) {
      out[a][b] = 0;
      for (int k = 0; k < WINOGRAD__TAPS; k++)
        out[a][b] += half[a][k] * by->taps[b][k];
    }
}

struct tsr_value *layout__transform(struct tsr_graph *g, const char *name,
                                    const struct layout__weights *w, int64_t points,
                                    int64_t block_in, int64_t block_out)
{
  const struct winograd__matrices *by = winograd__matrices(points);
  int64_t dims[6] = {points, points, w->outs / block_out, w->ins / block_in, block_in, block_out};
  struct tsr_value *made = tsr__add_constant(g, name, TSR_F32, 6, dims);
  float *to = (float *)(uintptr_t)made->data;
  double one[WINOGRAD__MOST][WINOGRAD__MOST];
  for (int64_t o = 0; o < w->outs; o++)
    for (int64_t c = 0; c < w->ins; c++) {
      int64_t block = o / block_out * dims[3] + c / block_in;
      int64_t at = (block * block_in + c % block_in) * block_out + o % block_out;
      transform(by, (const float *)w->value->data + o * w->stride_o + c * w->stride_c, one);
      for (int64_t p = 0; p < points * points; p++)
        to[p * w->outs * w->ins + at] = (float)one[p / points][p % points];
    }
  return made;
}
