/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: pad with what changes nothing, combine the window, and for means divide. Sums of floats
 * run over the window in order. */

#include "compiler/graph/compute.h"

/* out[n, c, o...] = combination over the window of x, in out's dtype. */
static struct tir_stage *pool_stage(struct tsr__compute *c, const struct tsr__windows *w,
                                    enum tir_combine combine, struct tir_buffer *x,
                                    struct tir_buffer *out)
{
  struct tir_stage *s = tir_func_stage(c->a, c->f, "pool", out, tsr__window_axes(c, w, "n c", ""),
                                       w->dims, w->kernel);
  tir_e at[TSR_MAX_RANK] = {tir_axis_use(c->a, s, 0), tir_axis_use(c->a, s, 1)};
  for (int d = 0; d < w->dims; d++)
    at[2 + d] = tsr__window_at(c, w, d, tir_axis_use(c->a, s, 2 + d),
                               tir_axis_use(c->a, s, 2 + w->dims + d));
  s->value = e_cast(c, out->dtype, e_load(c, x, at));
  tsr__combines(c, s, combine);
  return s;
}

/* `attr`: where the node has the window's extents. */
static enum tsr_status pool_read(struct tsr__compute *c, const char *attr, struct tsr__windows *w)
{
  const struct tsr_attr *kernel = tsr_node_attr(c->n, attr);
  if (!kernel || kernel->kind != TSR_ATTR_INTS || kernel->count != c->in[0]->rank - 2)
    return tsr__refuse(c, "needs attribute %s with one number for each spatial dim", attr);
  return tsr__window_read(c, kernel->ints, w);
}

static enum tsr_status max_pool(struct tsr__compute *c, const char *attr)
{
  struct tir_buffer *x = c->in[0];
  struct tsr__windows w;
  if (pool_read(c, attr, &w))
    return TSR_REFUSED;
  tir_e lowest = tsr__init(c, TIR_MAXIMUM, x->dtype);
  pool_stage(c, &w, TIR_MAXIMUM, tsr__window_pad(c, &w, x, lowest), c->out[0]);
  return TSR_OK;
}

enum tsr_status tsr__compute_max_pool(struct tsr__compute *c)
{
  if (c->n->outputs > 1)
    return tsr__refuse(c, "has no compute for its second output, indices");
  return max_pool(c, "kernel_shape");
}

enum tsr_status tsr__compute_qmax_pool(struct tsr__compute *c)
{
  return max_pool(c, "kernel");
}

/* How many elements of dim d count in the window of output `o` at kernel element `k`: 1 or 0. */
static tir_e counts(struct tsr__compute *c, const struct tsr__windows *w, int d, tir_e o, tir_e k,
                    bool padding, enum tsr_dtype dtype)
{
  int64_t low = padding ? 0 : w->before[d];
  int64_t high = w->before[d] + w->in[d] + (padding ? w->after[d] : 0);
  tir_e within = e_within(c, tsr__window_at(c, w, d, o, k), low, high);
  return e_select(c, within, e_number(c, dtype, 1), e_number(c, dtype, 0));
}

/* Elements that count in each window, (spatial...), or NULL where it is the whole window
 * everywhere. */
static struct tir_buffer *count_stage(struct tsr__compute *c, const struct tsr__windows *w,
                                      bool padding)
{
  bool whole = true;
  for (int d = 0; d < w->dims; d++)
    whole &= (padding || !w->before[d]) &&
             tsr__window_span(w, d) <= w->before[d] + w->in[d] + (padding ? w->after[d] : 0);
  if (whole)
    return NULL;
  struct tir_buffer *b = tir_func_temp(c->a, c->f, "count", c->in[0]->dtype, w->dims, w->out);
  const char *axes = tsr__window_axes(c, w, "", "");
  struct tir_stage *s = tir_func_stage(c->a, c->f, "counts", b, axes, w->dims, w->kernel);
  for (int d = 0; d < w->dims; d++) {
    tir_e one = counts(c, w, d, tir_axis_use(c->a, s, d), tir_axis_use(c->a, s, w->dims + d),
                       padding, b->dtype);
    s->value = d ? e_mul(c, s->value, one) : one;
  }
  tsr__combines(c, s, TIR_SUM);
  return b;
}

enum tsr_status tsr__compute_average_pool(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  struct tsr__windows w;
  tir_e i[TSR_MAX_RANK];
  double elements = 1;
  if (!tsr__is_float(x))
    return tsr__refuse(c, "takes floats, not %s", tsr_dtype_name(x->dtype));
  if (pool_read(c, "kernel_shape", &w))
    return TSR_REFUSED;
  for (int d = 0; d < w.dims; d++)
    elements *= (double)w.kernel[d];
  struct tir_buffer *count = count_stage(c, &w, tsr_node_int(c->n, "count_include_pad", 0));
  struct tir_buffer *sum = tir_func_temp(c->a, c->f, "sum", x->dtype, y->rank, y->dims);
  pool_stage(c, &w, TIR_SUM, tsr__window_pad(c, &w, x, e_number(c, x->dtype, 0)), sum);
  struct tir_stage *s = tsr__elementwise(c, "mean", y, i);
  tir_e by = count ? e_load(c, count, i + 2) : e_number(c, x->dtype, elements);
  s->value = e_div(c, e_load(c, sum, i), by);
  return TSR_OK;
}

enum tsr_status tsr__compute_qavg_pool(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  struct tsr__windows w;
  tir_e i[TSR_MAX_RANK];
  if (pool_read(c, "kernel", &w))
    return TSR_REFUSED;
  tir_e around = e_number(c, TSR_I8, (double)tsr_node_int(c->n, "x_zero", 0));
  struct tir_buffer *acc = tir_func_temp(c->a, c->f, "acc", TSR_I32, y->rank, y->dims);
  pool_stage(c, &w, TIR_SUM, tsr__window_pad(c, &w, x, around), acc);
  struct tir_stage *s = tsr__elementwise(c, "epilogue", y, i);
  s->value = tsr__quant_attrs(c, e_load(c, acc, i));
  return TSR_OK;
}

/* --- global ----------------------------------------------------------------------------------- */

static enum tsr_status check_spatial(struct tsr__compute *c)
{
  if (c->in[0]->rank < 3)
    return tsr__refuse(c, "is defined for inputs of rank 3 and more, not %d", c->in[0]->rank);
  return TSR_OK;
}

static uint32_t spatial_mask(const struct tir_buffer *x)
{
  return ((UINT32_C(1) << x->rank) - 1) & ~UINT32_C(3);
}

enum tsr_status tsr__compute_global_max_pool(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0];
  tir_e i[TSR_MAX_RANK];
  if (check_spatial(c))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__reduction(c, "pool", c->out[0], TIR_MAXIMUM, x, spatial_mask(x), i);
  s->value = e_load(c, x, i);
  return TSR_OK;
}

enum tsr_status tsr__compute_global_average_pool(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  tir_e i[TSR_MAX_RANK];
  if (check_spatial(c))
    return TSR_REFUSED;
  if (!tsr__is_float(x))
    return tsr__refuse(c, "takes floats, not %s", tsr_dtype_name(x->dtype));
  struct tir_buffer *sum = tir_func_temp(c->a, c->f, "sum", x->dtype, y->rank, y->dims);
  struct tir_stage *s = tsr__reduction(c, "pool", sum, TIR_SUM, x, spatial_mask(x), i);
  s->value = e_load(c, x, i);
  double elements = (double)tsr_count(x->dims + 2, x->rank - 2, 1);
  s = tsr__elementwise(c, "mean", y, i);
  s->value = e_div(c, e_load(c, sum, i), e_number(c, x->dtype, elements));
  return TSR_OK;
}
