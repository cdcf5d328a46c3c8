/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that move elements as a function of their place, or make them of nothing but the place. */
#include "compiler/graph/compute.h"

/* The element of x that is the `at`-th of dims d..end-1, as their indices. */
static void split_index(struct tsr__compute *c, const struct tir_buffer *x, int d, int end,
                        tir_e at, tir_e *i)
{
  for (int k = end - 1; k >= d; k--) {
    i[k] = k == d ? at : e_floormod(c, at, x->dims[k]);
    at = e_floordiv(c, at, x->dims[k]);
  }
}

/* Runs of dims of x and of y with equally many elements share an index, so that what is only put
 * in, left out or joined stays affine. */
enum tsr_status tsr__compute_view(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  tir_e i[TSR_MAX_RANK], j[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "copy", y, i);
  if (tsr_count(y->dims, y->rank, 1) == 0)
    return TSR_OK;
  for (int from = 0, to = 0; from < x->rank || to < y->rank;) {
    int x0 = from, y0 = to;
    int64_t nx = from < x->rank ? x->dims[from++] : 1, ny = to < y->rank ? y->dims[to++] : 1;
    while (nx != ny)
      if (nx < ny)
        nx *= x->dims[from++];
      else
        ny *= y->dims[to++];
    tir_e at = e_index(c, 0);
    for (int d = y0; d < to; d++)
      if (y->dims[d] > 1)
        at = e_add(c, e_times(c, at, y->dims[d]), i[d]);
    split_index(c, x, x0, from, at, j);
  }
  s->value = e_load(c, x, j);
  return TSR_OK;
}

enum tsr_status tsr__compute_transpose(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0];
  const struct tsr_attr *perm = tsr_node_attr(c->n, "perm");
  tir_e i[TSR_MAX_RANK], j[TSR_MAX_RANK];
  if (perm && perm->count != x->rank)
    return tsr__refuse(c, "perm has %d numbers for rank %d", perm->count, x->rank);
  struct tir_stage *s = tsr__elementwise(c, "copy", c->out[0], i);
  for (int d = 0; d < x->rank; d++)
    j[perm ? perm->ints[d] : x->rank - 1 - d] = i[d];
  s->value = e_load(c, x, j);
  return TSR_OK;
}

enum tsr_status tsr__compute_expand(struct tsr__compute *c)
{
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "copy", c->out[0], i);
  s->value = tsr__load_broadcast(c, c->in[0], c->out[0]->rank, i);
  return TSR_OK;
}

enum tsr_status tsr__compute_tile(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  tir_e i[TSR_MAX_RANK], j[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "copy", y, i);
  for (int d = 0; d < x->rank; d++)
    j[d] = x->dims[d] == y->dims[d] ? i[d] : e_floormod(c, i[d], x->dims[d]);
  s->value = e_load(c, x, j);
  return TSR_OK;
}

/* y[n, c, h, w] is x[n, ., h / block, w / block]; its channel is block row, block column, c (mode
 * DCR) or c, block row, block column (CRD), the last one fastest. */
enum tsr_status tsr__compute_depth_to_space(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  int64_t block = tsr_node_int(c->n, "blocksize", 1);
  tir_e i[TSR_MAX_RANK];
  if (x->rank != 4 || block < 1 || y->dims[1] * block * block != x->dims[1])
    return tsr__refuse(c, "blocks of %lld do not divide %lld channels", (long long)block,
                       (long long)x->dims[1]);
  struct tir_stage *s = tsr__elementwise(c, "copy", y, i);
  tir_e row = e_floormod(c, i[2], block), column = e_floormod(c, i[3], block);
  tir_e place = e_add(c, e_times(c, row, block), column);
  tir_e channel = tsr__attr_is(c, "mode", "CRD") ? e_add(c, e_times(c, i[1], block * block), place)
                                                 : e_add(c, e_times(c, place, y->dims[1]), i[1]);
  tir_e j[4] = {i[0], channel, e_floordiv(c, i[2], block), e_floordiv(c, i[3], block)};
  s->value = e_load(c, x, j);
  return TSR_OK;
}

/* --- out of nothing --------------------------------------------------------------------------- */

/* values[at], as nested selects. */
static tir_e listed(struct tsr__compute *c, const int64_t *values, int64_t count, tir_e at)
{
  tir_e e = e_index(c, count ? values[count - 1] : 0);
  for (int64_t k = count - 2; k >= 0; k--)
    e = e_select(c, tir_binary(c->a, TIR_EQ, at, e_index(c, k)), e_index(c, values[k]), e);
  return e;
}

enum tsr_status tsr__compute_shape(struct tsr__compute *c)
{
  const struct tir_buffer *x = c->in[0], *y = c->out[0];
  int64_t start = tsr_node_int(c->n, "start", 0);
  start = start < 0 ? start + x->rank : start;
  start = start < 0 ? 0 : start > x->rank ? x->rank : start;
  if (start + y->dims[0] > x->rank)
    return tsr__refuse(c, "has %lld dims from %lld on, of rank %d", (long long)y->dims[0],
                       (long long)start, x->rank);
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "shape", c->out[0], i);
  s->value = listed(c, x->dims + start, y->dims[0], i[0]);
  return TSR_OK;
}

enum tsr_status tsr__compute_size(struct tsr__compute *c)
{
  const struct tir_buffer *x = c->in[0];
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "size", c->out[0], i);
  s->value = e_index(c, tsr_count(x->dims, x->rank, 1));
  return TSR_OK;
}

enum tsr_status tsr__compute_range(struct tsr__compute *c)
{
  enum tsr_dtype dtype = c->out[0]->dtype;
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "range", c->out[0], i);
  tir_e far = e_mul(c, e_cast(c, dtype, i[0]), tsr__scalar(c, c->in[2]));
  s->value = e_add(c, tsr__scalar(c, c->in[0]), far);
  return TSR_OK;
}

enum tsr_status tsr__compute_constant_of_shape(struct tsr__compute *c)
{
  const struct tsr_attr *value = tsr_node_attr(c->n, "value");
  enum tsr_dtype dtype = c->out[0]->dtype;
  tir_e i[TSR_MAX_RANK];
  struct tir_stage *s = tsr__elementwise(c, "fill", c->out[0], i);
  if (value && value->kind == TSR_ATTR_INT && !tsr__is_float(c->out[0]))
    s->value = tir_int(c->a, dtype, value->i);
  else
    s->value = e_number(c, dtype,
                        !value                        ? 0
                        : value->kind == TSR_ATTR_INT ? (double)value->i
                                                      : value->f);
  return TSR_OK;
}
