/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions over axes, and softmax. Sums of floats run over the elements in row-major order: the
 * error of n terms is at most n * eps * sum |x|. */
#include "compiler/graph/compute.h"

/* The dims of x that the node reduces: axes by input 1, by attribute, or all. */
static enum tsr_status reduced_dims(struct tsr__compute *c, uint32_t *mask)
{
  const struct tir_buffer *x = c->in[0];
  const struct tsr_attr *attr = tsr_node_attr(c->n, "axes");
  const int64_t *axes;
  int count;
  if (tsr__ints(c, 1, &axes, &count))
    return TSR_REFUSED;
  if (!count && attr && attr->kind == TSR_ATTR_INTS) {
    axes = attr->ints;
    count = attr->count;
  }
  *mask = 0;
  if (!count && !tsr_node_int(c->n, "noop_with_empty_axes", 0))
    *mask = (UINT32_C(1) << x->rank) - 1;
  for (int k = 0; k < count; k++) {
    int64_t axis = axes[k] < 0 ? axes[k] + x->rank : axes[k];
    if (axis < 0 || axis >= x->rank)
      return tsr__refuse(c, "axis %lld is outside of rank %d", (long long)axes[k], x->rank);
    *mask |= UINT32_C(1) << axis;
  }
  return TSR_OK;
}

static int64_t elements_of(const struct tir_buffer *x, uint32_t mask)
{
  int64_t n = 1;
  for (int d = 0; d < x->rank; d++)
    n *= mask >> d & 1 ? x->dims[d] : 1;
  return n;
}

enum tsr_status tsr__compute_reduce(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0], *out = y;
  enum tsr_gop op = c->n->op;
  tir_e i[TSR_MAX_RANK];
  uint32_t mask;
  if (x->dtype == TSR_BOOL)
    return tsr__refuse(c, "takes numbers, not bool");
  if (reduced_dims(c, &mask))
    return TSR_REFUSED;
  if (op == TSR_G_ReduceMean)
    out = tir_func_temp(c->a, c->f, "sum", x->dtype, y->rank, y->dims);
  enum tir_combine combine = op == TSR_G_ReduceMax   ? TIR_MAXIMUM
                             : op == TSR_G_ReduceMin ? TIR_MINIMUM
                                                     : TIR_SUM;
  struct tir_stage *s = tsr__reduction(c, "reduce", out, combine, x, mask, i);
  s->value = e_load(c, x, i);
  if (op == TSR_G_ReduceMean) {
    s = tsr__elementwise(c, "mean", y, i);
    s->value = e_div(c, e_load(c, out, i), e_number(c, x->dtype, (double)elements_of(x, mask)));
  }
  return TSR_OK;
}

/* The largest, then the least (or with select_last_index the greatest) index that holds it. A NaN
 * is larger than any number. */
enum tsr_status tsr__compute_argmax(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  tir_e i[TSR_MAX_RANK], j[TSR_MAX_RANK];
  bool last = tsr_node_int(c->n, "select_last_index", 0) != 0;
  int axis;
  if (x->dtype == TSR_BOOL)
    return tsr__refuse(c, "takes numbers, not bool");
  if (tsr__axis_attr(c, "axis", 0, x->rank, &axis))
    return TSR_REFUSED;
  struct tir_buffer *top = tir_func_temp(c->a, c->f, "top", x->dtype, y->rank, y->dims);
  uint32_t mask = UINT32_C(1) << axis;
  struct tir_stage *s = tsr__reduction(c, "max", top, TIR_MAXIMUM, x, mask, i);
  s->value = e_load(c, x, i);
  s = tsr__reduction(c, "index", y, last ? TIR_MAXIMUM : TIR_MINIMUM, x, mask, i);
  for (int d = 0; d < y->rank; d++)
    j[d] = tir_axis_use(c->a, s, d);
  tir_e here = e_load(c, x, i), holds = tir_binary(c->a, TIR_EQ, here, e_load(c, top, j));
  if (tsr__is_float(x))
    holds = tir_binary(c->a, TIR_OR, holds, tir_binary(c->a, TIR_NE, here, here));
  s->value = e_select(c, holds, i[axis], e_index(c, last ? 0 : x->dims[axis] - 1));
  return TSR_OK;
}

/* e^(x - max) / sum e^(x - max). Error: that of the sum, plus a few roundings. */
enum tsr_status tsr__compute_softmax(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  bool flatten = tsr_node_int(c->n, "flatten", 0) != 0;
  int64_t kept[TSR_MAX_RANK];
  tir_e i[TSR_MAX_RANK];
  uint32_t mask = 0;
  int axis = 0;
  if (!tsr__is_float(x))
    return tsr__refuse(c, "takes floats, not %s", tsr_dtype_name(x->dtype));
  if (x->rank && tsr__axis_attr(c, "axis", flatten ? 1 : -1, x->rank + flatten, &axis))
    return TSR_REFUSED;
  for (int d = 0; d < x->rank; d++) {
    bool over = d == axis || (flatten && d > axis);
    mask |= (uint32_t)over << d;
    kept[d] = over ? 1 : x->dims[d];
  }
  struct tir_buffer *m = tir_func_temp(c->a, c->f, "m", x->dtype, x->rank, kept);
  struct tir_buffer *e = tir_func_temp(c->a, c->f, "e", x->dtype, x->rank, x->dims);
  struct tir_buffer *t = tir_func_temp(c->a, c->f, "t", x->dtype, x->rank, kept);
  struct tir_stage *s = tsr__reduction(c, "max", m, TIR_MAXIMUM, x, mask, i);
  s->value = e_load(c, x, i);
  s = tsr__elementwise(c, "exp", e, i);
  s->value =
      tir_unary(c->a, TIR_EXP, e_sub(c, e_load(c, x, i), tsr__load_broadcast(c, m, x->rank, i)));
  s = tsr__reduction(c, "sum", t, TIR_SUM, e, mask, i);
  s->value = e_load(c, e, i);
  s = tsr__elementwise(c, "div", y, i);
  s->value = e_div(c, e_load(c, e, i), tsr__load_broadcast(c, t, x->rank, i));
  return TSR_OK;
}
