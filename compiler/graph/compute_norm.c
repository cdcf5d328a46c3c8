/* SPDX-License-Identifier: Apache-2.0 */
/* Normalizations. */
#include "compiler/graph/compute.h"

static enum tsr_status check_floats(struct tsr__compute *c)
{
  for (int k = 0; k < c->n->inputs; k++)
    if (c->in[k] && (!tsr__is_float(c->in[k]) || c->in[k]->dtype != c->in[0]->dtype))
      return tsr__refuse(c, "takes floats of one dtype; %s is %s", c->in[k]->name,
                         tsr_dtype_name(c->in[k]->dtype));
  return TSR_OK;
}

/* (x - mean) / sqrt(var + epsilon) * scale + bias, per channel. */
enum tsr_status tsr__compute_batch_norm(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0];
  tir_e i[TSR_MAX_RANK];
  if (check_floats(c))
    return TSR_REFUSED;
  if (tsr_node_int(c->n, "training_mode", 0) || c->n->outputs > 1)
    return tsr__refuse(c, "has no compute in training mode");
  if (x->rank < 2)
    return tsr__refuse(c, "is defined for inputs of rank 2 and more, not %d", x->rank);
  struct tir_stage *s = tsr__elementwise(c, "map", c->out[0], i);
  tir_e epsilon = e_number(c, x->dtype, tsr_node_float(c->n, "epsilon", 1e-5));
  tir_e deviation =
      tir_unary(c->a, TIR_SQRT, e_add(c, tsr__per_channel(c, c->in[4], i[1]), epsilon));
  tir_e centered = e_sub(c, e_load(c, x, i), tsr__per_channel(c, c->in[3], i[1]));
  tir_e scaled = e_mul(c, e_div(c, centered, deviation), tsr__per_channel(c, c->in[1], i[1]));
  s->value = e_add(c, scaled, tsr__per_channel(c, c->in[2], i[1]));
  return TSR_OK;
}

/* Output k of the node where it has one, else a buffer between stages. */
static struct tir_buffer *output_or_temp(struct tsr__compute *c, int k, const char *name,
                                         enum tsr_dtype dtype, int rank, const int64_t *dims)
{
  return k < c->n->outputs ? c->out[k] : tir_func_temp(c->a, c->f, name, dtype, rank, dims);
}

/* (x - mean) * inv * scale + bias with inv = 1 / sqrt(mean of squared differences + epsilon), means
 * over the dims from `axis` on. */
enum tsr_status tsr__compute_layer_norm(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *bias = tsr__in(c, 2);
  enum tsr_dtype dtype = x->dtype;
  int64_t kept[TSR_MAX_RANK];
  double elements = 1;
  tir_e i[TSR_MAX_RANK];
  uint32_t mask = 0;
  int axis, rank = x->rank;
  if (check_floats(c) || tsr__axis_attr(c, "axis", -1, rank, &axis))
    return TSR_REFUSED;
  for (int d = 0; d < rank; d++) {
    mask |= (uint32_t)(d >= axis) << d;
    kept[d] = d >= axis ? 1 : x->dims[d];
    elements *= d >= axis ? (double)x->dims[d] : 1;
  }
  tir_e count = e_number(c, dtype, elements);
  struct tir_buffer *sum = tir_func_temp(c->a, c->f, "sum", dtype, rank, kept);
  struct tir_buffer *mean = output_or_temp(c, 1, "mean", dtype, rank, kept);
  struct tir_buffer *square = tir_func_temp(c->a, c->f, "square", dtype, rank, kept);
  struct tir_buffer *inv = output_or_temp(c, 2, "inv", dtype, rank, kept);

  struct tir_stage *s = tsr__reduction(c, "sums", sum, TIR_SUM, x, mask, i);
  s->value = e_load(c, x, i);
  s = tsr__elementwise(c, "means", mean, i);
  s->value = e_div(c, e_load(c, sum, i), count);
  s = tsr__reduction(c, "squares", square, TIR_SUM, x, mask, i);
  tir_e difference = e_sub(c, e_load(c, x, i), tsr__load_broadcast(c, mean, rank, i));
  s->value = e_mul(c, difference, difference);
  s = tsr__elementwise(c, "invs", inv, i);
  tir_e epsilon = e_number(c, dtype, tsr_node_float(c->n, "epsilon", 1e-5));
  tir_e variance = e_add(c, e_div(c, e_load(c, square, i), count), epsilon);
  s->value = e_div(c, e_number(c, dtype, 1), tir_unary(c->a, TIR_SQRT, variance));
  s = tsr__elementwise(c, "norm", c->out[0], i);
  difference = e_sub(c, e_load(c, x, i), tsr__load_broadcast(c, mean, rank, i));
  s->value = e_mul(c, e_mul(c, difference, tsr__load_broadcast(c, inv, rank, i)),
                   tsr__load_broadcast(c, c->in[1], rank, i));
  if (bias)
    s->value = e_add(c, s->value, tsr__load_broadcast(c, bias, rank, i));
  return TSR_OK;
}

/* x / (bias + alpha / size * sum of squares of `size` channels around)^beta */
enum tsr_status tsr__compute_lrn(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  enum tsr_dtype dtype = x->dtype;
  int64_t size = tsr_node_int(c->n, "size", 1), extents[1] = {size};
  double alpha = tsr_node_float(c->n, "alpha", 1e-4), beta = tsr_node_float(c->n, "beta", 0.75);
  double bias = tsr_node_float(c->n, "bias", 1);
  if (check_floats(c))
    return TSR_REFUSED;
  if (x->rank < 2 || x->rank > TSR_MAX_RANK - 1 || size < 1)
    return tsr__refuse(c, "is defined for inputs of rank 2 and more and a size of 1 and more");
  struct tir_buffer *sum = tir_func_temp(c->a, c->f, "sum", dtype, y->rank, y->dims);
  struct tsr_text axes = {.arena = c->a};
  for (int d = 0; d < y->rank; d++)
    tsr_text_add(&axes, "i%d ", d);
  tsr_text_add(&axes, "r0");
  struct tir_stage *s = tir_func_stage(c->a, c->f, "squares", sum, axes.data, 1, extents);
  tir_e i[TSR_MAX_RANK];
  for (int d = 0; d < y->rank; d++)
    i[d] = tir_axis_use(c->a, s, d);
  i[1] = e_plus(c, e_add(c, i[1], tir_axis_use(c->a, s, y->rank)), -((size - 1) / 2));
  tir_e inside = e_within(c, i[1], 0, x->dims[1]), here = e_load(c, x, i);
  s->value = e_select(c, inside, e_mul(c, here, here), e_number(c, dtype, 0));
  tsr__combines(c, s, TIR_SUM);

  s = tsr__elementwise(c, "norm", y, i);
  tir_e base = e_mul(c, e_number(c, dtype, alpha / (double)size), e_load(c, sum, i));
  base = e_add(c, e_number(c, dtype, bias), base);
  s->value = e_div(c, e_load(c, x, i), tir_binary(c->a, TIR_POW, base, e_number(c, dtype, beta)));
  return TSR_OK;
}
