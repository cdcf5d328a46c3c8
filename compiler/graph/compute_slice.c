/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that cut tensors up and put them together along axes. */
#include <string.h>

#include "compiler/graph/compute.h"

/* Where y's index along the axis is below the end of an input's part, that input's element, else
 * what the inputs behind say. */
enum tsr_status tsr__compute_concat(struct tsr__compute *c)
{
  struct tir_buffer *y = c->out[0];
  int64_t *end = TSR_NEW_ARRAY(c->a, int64_t, c->n->inputs), at = 0;
  tir_e i[TSR_MAX_RANK], j[TSR_MAX_RANK];
  int axis;
  if (tsr__axis_attr(c, "axis", 0, y->rank, &axis))
    return TSR_REFUSED;
  for (int k = 0; k < c->n->inputs; k++) {
    if (!c->in[k] || c->in[k]->dtype != y->dtype)
      return tsr__refuse(c, "takes inputs of one dtype");
    end[k] = at += c->in[k]->dims[axis];
  }
  struct tir_stage *s = tsr__elementwise(c, "concat", y, i);
  memcpy(j, i, sizeof j);
  for (int k = c->n->inputs - 1; k >= 0; k--) {
    if (tsr_count(c->in[k]->dims, y->rank, 1) == 0)
      continue;
    j[axis] = e_plus(c, i[axis], k ? -end[k - 1] : 0);
    tir_e here = e_load(c, c->in[k], j);
    s->value =
        !s->value ? here : e_select(c, e_less(c, i[axis], e_index(c, end[k])), here, s->value);
  }
  return TSR_OK;
}

/* Dims 2 and 3 go round the inputs. */
enum tsr_status tsr__compute_interleave(struct tsr__compute *c)
{
  int64_t factor[2];
  tir_e i[TSR_MAX_RANK], turn[2];
  struct tir_stage *s = tsr__elementwise(c, "interleave", c->out[0], i);
  tsr_node_ints(c->n, "factor", 2, 1, factor);
  for (int k = 0; k < 2; k++) {
    turn[k] = e_floormod(c, i[2 + k], factor[k]);
    i[2 + k] = e_floordiv(c, i[2 + k], factor[k]);
  }
  tir_e which = e_add(c, e_times(c, turn[0], factor[1]), turn[1]);
  for (int k = c->n->inputs - 1; k >= 0; k--) {
    tir_e here = e_load(c, c->in[k], i);
    s->value = s->value ? e_select(c, e_less(c, which, e_index(c, k + 1)), here, s->value) : here;
  }
  return TSR_OK;
}

enum tsr_status tsr__compute_split(struct tsr__compute *c)
{
  int64_t start = 0;
  int axis;
  if (tsr__axis_attr(c, "axis", 0, c->in[0]->rank, &axis))
    return TSR_REFUSED;
  for (int k = 0; k < c->n->outputs; k++) {
    struct tir_buffer *y = c->out[k];
    tir_e i[TSR_MAX_RANK];
    struct tir_stage *s = tsr__elementwise(c, tsr_arena_printf(c->a, "split%d", k), y, i);
    i[axis] = e_plus(c, i[axis], start);
    s->value = e_load(c, c->in[0], i);
    start += y->dims[axis];
  }
  return TSR_OK;
}

static int64_t limited(int64_t v, int64_t least, int64_t most)
{
  return v < least ? least : v > most ? most : v;
}

/* First element and step of each dim of x. */
static enum tsr_status slice_read(struct tsr__compute *c, int64_t *first, int64_t *by)
{
  const struct tir_buffer *x = c->in[0];
  const int64_t *starts, *axes, *steps;
  int count, axis_count, step_count;
  if (tsr__ints(c, 1, &starts, &count) || tsr__ints(c, 3, &axes, &axis_count) ||
      tsr__ints(c, 4, &steps, &step_count))
    return TSR_REFUSED;
  if (count > x->rank || (axis_count && axis_count != count) || (step_count && step_count != count))
    return tsr__refuse(c, "has starts, axes and steps of different lengths");
  for (int d = 0; d < x->rank; d++) {
    first[d] = 0;
    by[d] = 1;
  }
  for (int k = 0; k < count; k++) {
    int64_t axis = axis_count ? axes[k] : k;
    axis += axis < 0 ? x->rank : 0;
    if (axis < 0 || axis >= x->rank)
      return tsr__refuse(c, "axis %lld is outside of rank %d", (long long)axes[k], x->rank);
    int64_t dim = x->dims[axis], start = starts[k] < 0 ? starts[k] + dim : starts[k];
    by[axis] = step_count ? steps[k] : 1;
    first[axis] = by[axis] > 0 ? limited(start, 0, dim) : limited(start, 0, dim - 1);
  }
  return TSR_OK;
}

enum tsr_status tsr__compute_slice(struct tsr__compute *c)
{
  int64_t first[TSR_MAX_RANK], by[TSR_MAX_RANK];
  tir_e i[TSR_MAX_RANK];
  if (slice_read(c, first, by))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__elementwise(c, "copy", c->out[0], i);
  for (int d = 0; d < c->out[0]->rank; d++)
    i[d] = e_plus(c, e_times(c, i[d], c->out[0]->dims[d] > 1 ? by[d] : 1), first[d]);
  s->value = e_load(c, c->in[0], i);
  return TSR_OK;
}

/* --- padding ---------------------------------------------------------------------------------- */

/* The element of a dim that stands at `at`, which may lie before 0 or behind the end. */
static tir_e reflected(struct tsr__compute *c, tir_e at, int64_t extent)
{
  tir_e up = e_max(c, at, e_sub(c, e_index(c, 0), at));
  tir_e back = e_min(c, up, e_sub(c, e_index(c, 2 * (extent - 1)), up));
  return e_clamped(c, back, extent);
}

enum tsr_status tsr__compute_pad(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *value = tsr__in(c, 2);
  bool edge = tsr__attr_is(c, "mode", "edge"), reflect = tsr__attr_is(c, "mode", "reflect");
  bool constant = !tsr_node_attr(c->n, "mode") || tsr__attr_is(c, "mode", "constant");
  const int64_t *pads;
  tir_e i[TSR_MAX_RANK], inside = NULL;
  int count;
  if (tsr__ints(c, 1, &pads, &count))
    return TSR_REFUSED;
  if (count != 2 * x->rank || !(edge || reflect || constant))
    return tsr__refuse(c, "needs two pads a dim, and mode constant, edge or reflect");
  for (int d = 0; d < x->rank; d++)
    if (!constant && (pads[d] > 0 || pads[d + x->rank] > 0) &&
        (x->dims[d] < 1 || (reflect && (pads[d] >= x->dims[d] || pads[d + x->rank] >= x->dims[d]))))
      return tsr__refuse(c, "pads of dim %d reach further than its %lld elements", d,
                         (long long)x->dims[d]);
  struct tir_stage *s = tsr__elementwise(c, "pad", c->out[0], i);
  for (int d = 0; d < x->rank; d++) {
    bool outside = pads[d] > 0 || pads[d + x->rank] > 0;
    i[d] = e_plus(c, i[d], -pads[d]);
    if (!outside)
      continue;
    tir_e within = e_within(c, i[d], 0, x->dims[d]);
    inside = !constant ? NULL : inside ? e_and(c, inside, within) : within;
    i[d] = edge ? e_clamped(c, i[d], x->dims[d]) : reflect ? reflected(c, i[d], x->dims[d]) : i[d];
  }
  bool empty = tsr_count(x->dims, x->rank, 1) == 0;
  tir_e around = value ? tsr__scalar(c, value) : e_number(c, x->dtype, 0);
  s->value = empty ? around : e_load(c, x, i);
  if (inside && !empty)
    s->value = e_select(c, inside, s->value, around);
  return TSR_OK;
}

/* --- by index --------------------------------------------------------------------------------- */

enum tsr_status tsr__compute_gather(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *indices = c->in[1];
  tir_e i[TSR_MAX_RANK], j[TSR_MAX_RANK];
  int axis;
  if (tsr__is_float(indices) || indices->dtype == TSR_BOOL)
    return tsr__refuse(c, "takes integer indices, not %s", tsr_dtype_name(indices->dtype));
  if (tsr__axis_attr(c, "axis", 0, x->rank, &axis))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__elementwise(c, "gather", c->out[0], i);
  tir_e at = e_cast(c, TSR_I64, e_load(c, indices, i + axis));
  if (tsr_dtype_kind(indices->dtype) == TSR_KIND_INT)
    at = e_select(c, e_less(c, at, e_index(c, 0)), e_plus(c, at, x->dims[axis]), at);
  for (int d = 0; d < x->rank; d++)
    j[d] = d < axis ? i[d] : d == axis ? at : i[d - 1 + indices->rank];
  s->value = e_load(c, x, j);
  return TSR_OK;
}
