/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution by tiles: those of the map are transformed, columns first (`data`, `points`), multiplied with
 * the transformed weights point by point, which are sums over the channels (`conv`), and transformed
 * back, columns first (`lines`, `y`). */
#include "compiler/graph/compute.h"
#include "compiler/graph/winograd.h"

struct tiling {
  const struct winograd__matrices *by;
  struct tir_buffer *x;                           /* with padding, whole tiles */
  int64_t batch, from, lanes, to, outs, tiles[2]; /* blocks and lanes of x and y; tiles of a map */
};

/* --- sums of a row of a matrix ---------------------------------------------------------------- */

/* What a row of coefficients is applied to: element k. */
struct elements {
  struct tir_buffer *b;
  tir_e at[TSR_MAX_RANK];
  int dim; /* in which k counts, from at[dim] on */
};

static tir_e element(struct tsr__compute *c, const struct elements *of, int k)
{
  tir_e at[TSR_MAX_RANK];
  for (int d = 0; d < of->b->rank; d++)
    at[d] = d == of->dim ? e_plus(c, of->at[d], k) : of->at[d];
  return e_load(c, of->b, at);
}

/* Those of one sign; factors of 1 are none. */
static tir_e add_up(struct tsr__compute *c, tir_e sum, const double *row, double sign,
                    const struct elements *of)
{
  for (int k = 0; k < WINOGRAD__MOST; k++) {
    double factor = row[k] * sign;
    if (factor <= 0)
      continue;
    tir_e x = element(c, of, k);
    if (factor != 1)
      x = e_mul(c, x, e_number(c, of->b->dtype, factor));
    sum = !sum ? x : tir_binary(c->a, sign > 0 ? TIR_ADD : TIR_SUB, sum, x);
  }
  return sum;
}

/* Row `which` of the matrix, of so many, times the elements. Each row has a positive factor. */
static tir_e transformed(struct tsr__compute *c, int rows, const double (*matrix)[WINOGRAD__MOST],
                         tir_e which, const struct elements *of)
{
  tir_e value = NULL;
  for (int k = rows - 1; k >= 0; k--) {
    tir_e sum = add_up(c, add_up(c, NULL, matrix[k], 1, of), matrix[k], -1, of);
    tir_e here = tir_binary(c->a, TIR_EQ, which, e_index(c, k));
    value = value ? e_select(c, here, sum, value) : sum;
  }
  return value;
}

/* --- stages ----------------------------------------------------------------------------------- */

static struct tir_stage *stage(struct tsr__compute *c, const char *name, const char *axes,
                               struct tir_buffer *out, tir_e *i)
{
  struct tir_stage *s = tir_func_stage(c->a, c->f, name, out, axes, 0, NULL);
  for (int d = 0; d < out->rank; d++)
    i[d] = tir_axis_use(c->a, s, d);
  return s;
}

static struct tir_buffer *temp(struct tsr__compute *c, const char *name, int rank,
                               const int64_t *dims)
{
  return tir_func_temp(c->a, c->f, name, c->out[0]->dtype, rank, dims);
}

/* B^T d: down the rows of each tile. */
static struct tir_buffer *add_data(struct tsr__compute *c, const struct tiling *t)
{
  int64_t dims[6] = {t->by->points, t->batch, t->tiles[0], t->from, t->x->dims[3], t->lanes};
  struct tir_buffer *out = temp(c, "data", 6, dims);
  tir_e i[6];
  struct tir_stage *s = stage(c, "data", "a n h c w i", out, i);
  struct elements of = {t->x, {i[1], i[3], e_times(c, i[2], t->by->tile), i[4], i[5]}, 2};
  s->value = transformed(c, t->by->points, t->by->data, i[0], &of);
  return out;
}

/* (B^T d) B, where products want it: all channels of a tile side by side. */
static struct tir_buffer *add_points(struct tsr__compute *c, const struct tiling *t,
                                     struct tir_buffer *data)
{
  int64_t dims[7] = {t->by->points, t->by->points, t->batch, t->tiles[0],
                     t->tiles[1],   t->from,       t->lanes};
  struct tir_buffer *out = temp(c, "points", 7, dims);
  tir_e i[7];
  struct tir_stage *s = stage(c, "points", "a b n h w c i", out, i);
  struct elements of = {data, {i[0], i[2], i[3], i[5], e_times(c, i[4], t->by->tile), i[6]}, 4};
  s->value = transformed(c, t->by->points, t->by->data, i[1], &of);
  return out;
}

static struct tir_buffer *add_sums(struct tsr__compute *c, const struct tiling *t,
                                   struct tir_buffer *points)
{
  int64_t dims[7] = {t->by->points, t->by->points, t->batch, t->to,
                     t->tiles[0],   t->tiles[1],   t->outs};
  int64_t reduce[2] = {t->from, t->lanes};
  struct tir_buffer *out = temp(c, "sums", 7, dims);
  struct tir_stage *s = tir_func_stage(c->a, c->f, "conv", out, "a b n ob h w o c i", 2, reduce);
  tir_e v[9];
  for (int k = 0; k < 9; k++)
    v[k] = tir_axis_use(c->a, s, k);
  tir_e at_x[7] = {v[0], v[1], v[2], v[4], v[5], v[7], v[8]};
  tir_e at_w[6] = {v[0], v[1], v[3], v[7], v[8], v[6]};
  s->value = e_mul(c, e_load(c, points, at_x), e_load(c, c->in[1], at_w));
  tsr__combines(c, s, TIR_SUM);
  return out;
}

/* A^T m: the rows of the result. */
static struct tir_buffer *add_lines(struct tsr__compute *c, const struct tiling *t,
                                    struct tir_buffer *sums)
{
  int64_t dims[6] = {t->batch, t->to, c->out[0]->dims[2], t->tiles[1], t->by->points, t->outs};
  struct tir_buffer *out = temp(c, "lines", 6, dims);
  tir_e i[6];
  struct tir_stage *s = stage(c, "lines", "n ob oh w b o", out, i);
  tir_e tile = e_floordiv(c, i[2], t->by->tile), row = e_floormod(c, i[2], t->by->tile);
  struct elements of = {sums, {e_index(c, 0), i[4], i[0], i[1], tile, i[3], i[5]}, 0};
  s->value = transformed(c, t->by->tile, t->by->result, row, &of);
  return out;
}

/* (A^T m) A, and the bias. */
static void add_result(struct tsr__compute *c, const struct tiling *t, struct tir_buffer *lines)
{
  tir_e i[5];
  struct tir_stage *s = stage(c, "y", "n ob oh ow o", c->out[0], i);
  tir_e tile = e_floordiv(c, i[3], t->by->tile), column = e_floormod(c, i[3], t->by->tile);
  struct elements of = {lines, {i[0], i[1], i[2], tile, e_index(c, 0), i[4]}, 4};
  s->value = transformed(c, t->by->tile, t->by->result, column, &of);
  if (tsr__in(c, 2)) {
    tir_e at[2] = {i[1], i[4]};
    s->value = e_add(c, s->value, e_load(c, c->in[2], at));
  }
}

/* The window of whole tiles: what is past the map is padding too. */
static struct tsr__windows window_of(struct tsr__compute *c, const struct tiling *t)
{
  struct tsr__windows w = {.dims = 2};
  int64_t pads[4];
  tsr_node_ints(c->n, "pads", 4, 0, pads);
  for (int d = 0; d < 2; d++) {
    w.kernel[d] = WINOGRAD__TAPS;
    w.stride[d] = w.dilation[d] = 1;
    w.in[d] = c->in[0]->dims[2 + d];
    w.out[d] = t->tiles[d] * t->by->tile;
    w.before[d] = pads[d];
    w.after[d] = pads[2 + d];
  }
  return w;
}

enum tsr_status tsr__compute_blocked_winograd(struct tsr__compute *c)
{
  const int64_t *w = c->in[1]->dims, *y = c->out[0]->dims;
  struct tiling t = {.by = winograd__matrices(w[0]),
                     .batch = y[0],
                     .from = w[3],
                     .lanes = w[4],
                     .to = w[2],
                     .outs = w[5]};
  for (int d = 0; d < 2; d++)
    t.tiles[d] = (y[2 + d] + t.by->tile - 1) / t.by->tile;
  struct tsr__windows win = window_of(c, &t);
  t.x = tsr__window_pad(c, &win, c->in[0], e_number(c, c->in[0]->dtype, 0));
  add_result(c, &t, add_lines(c, &t, add_sums(c, &t, add_points(c, &t, add_data(c, &t)))));
  return TSR_OK;
}
