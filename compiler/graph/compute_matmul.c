/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products: a is (..., m, k), b is (..., k, n), y is (..., m, n). Sums of floats run over k
 * in order: the error is at most (k + 1) * eps * sum |a * b|. */
#include "compiler/graph/compute.h"

/* The stage and its axes; m or n is NULL where a or b is a vector. */
struct product {
  struct tir_stage *stage;
  int batch;
  tir_e i[TSR_MAX_RANK], m, n, k; /* i: all spatial axes */
};

static enum tsr_status product_stage(struct tsr__compute *c, const struct tir_buffer *a,
                                     const struct tir_buffer *b, struct tir_buffer *y,
                                     struct product *p)
{
  bool has_m = a->rank > 1, has_n = b->rank > 1;
  struct tsr_text axes = {.arena = c->a};
  if (!a->rank || !b->rank || a->dims[a->rank - 1] != b->dims[has_n ? b->rank - 2 : 0])
    return tsr__refuse(c, "a and b do not fit each other");
  p->batch = y->rank - has_m - has_n;
  for (int d = 0; d < p->batch; d++)
    tsr_text_add(&axes, "b%d ", d);
  tsr_text_add(&axes, "%s%sk", has_m ? "m " : "", has_n ? "n " : "");
  p->stage = tir_func_stage(c->a, c->f, "matmul", y, axes.data, 1, &a->dims[a->rank - 1]);
  for (int d = 0; d < y->rank; d++)
    p->i[d] = tir_axis_use(c->a, p->stage, d);
  p->m = has_m ? p->i[p->batch] : NULL;
  p->n = has_n ? p->i[p->batch + has_m] : NULL;
  p->k = tir_axis_use(c->a, p->stage, y->rank);
  tsr__combines(c, p->stage, TIR_SUM);
  return TSR_OK;
}

/* An element of a matrix whose last indices are row and column; row is NULL for a vector. */
static tir_e element(struct tsr__compute *c, const struct product *p, const struct tir_buffer *b,
                     tir_e row, tir_e column)
{
  tir_e at[TSR_MAX_RANK];
  int batch = b->rank - (row && column ? 2 : 1);
  for (int d = 0; d < batch; d++)
    at[d] = b->dims[d] == 1 ? e_index(c, 0) : p->i[d + p->batch - batch];
  if (row)
    at[batch++] = row;
  if (column)
    at[batch++] = column;
  return e_load(c, b, at);
}

enum tsr_status tsr__compute_matmul(struct tsr__compute *c)
{
  const struct tir_buffer *a = c->in[0], *b = c->in[1];
  struct product p = {0};
  if (a->dtype != b->dtype || a->dtype == TSR_BOOL)
    return tsr__refuse(c, "takes numbers of one dtype, not %s and %s", tsr_dtype_name(a->dtype),
                       tsr_dtype_name(b->dtype));
  if (product_stage(c, a, b, c->out[0], &p))
    return TSR_REFUSED;
  p.stage->value = e_mul(c, element(c, &p, a, p.m, p.k), element(c, &p, b, p.k, p.n));
  return TSR_OK;
}

/* A zero point or scale: a scalar, or `extent` of them, one for each row of a or column of b. */
static enum tsr_status check_along(struct tsr__compute *c, const struct tir_buffer *b,
                                   int64_t extent)
{
  if (!b || tsr_count(b->dims, b->rank, 1) == 1 || (b->rank == 1 && b->dims[0] == extent))
    return TSR_OK;
  return tsr__refuse(c, "%s must be a scalar or have %lld elements", b->name, (long long)extent);
}

/* acc = sum over k of (a - a_zero) * (b - b_zero), operands at these positions. */
static enum tsr_status integer_product(struct tsr__compute *c, int ka, int kb, int ka_zero,
                                       int kb_zero, struct tir_buffer *acc, struct product *p)
{
  const struct tir_buffer *a = c->in[ka], *b = c->in[kb];
  const struct tir_buffer *a_zero = tsr__in(c, ka_zero), *b_zero = tsr__in(c, kb_zero);
  if (tsr__is_float(a) || tsr__is_float(b) || tsr_dtype_bytes(a->dtype) > 1 ||
      tsr_dtype_bytes(b->dtype) > 1)
    return tsr__refuse(c, "takes 8-bit integers, not %s and %s", tsr_dtype_name(a->dtype),
                       tsr_dtype_name(b->dtype));
  if (product_stage(c, a, b, acc, p) || check_along(c, a_zero, p->m ? a->dims[a->rank - 2] : 1) ||
      check_along(c, b_zero, p->n ? b->dims[b->rank - 1] : 1))
    return TSR_REFUSED;
  tir_e x = tsr__centered(c, element(c, p, a, p->m, p->k), a_zero, p->m);
  tir_e w = tsr__centered(c, element(c, p, b, p->k, p->n), b_zero, p->n);
  p->stage->value = e_mul(c, x, w);
  return TSR_OK;
}

enum tsr_status tsr__compute_matmul_integer(struct tsr__compute *c)
{
  struct product p = {0};
  return integer_product(c, 0, 1, 2, 3, c->out[0], &p);
}

/* y = saturate(round(acc * (a_scale * b_scale / y_scale)) + y_zero), the factor in f32. */
enum tsr_status tsr__compute_qlinear_matmul(struct tsr__compute *c)
{
  struct tir_buffer *y = c->out[0], *a = c->in[0], *b = c->in[3];
  struct tir_buffer *acc = tir_func_temp(c->a, c->f, "acc", TSR_I32, y->rank, y->dims);
  tir_e i[TSR_MAX_RANK];
  struct product p = {0};
  if (integer_product(c, 0, 3, 2, 5, acc, &p) ||
      check_along(c, c->in[1], p.m ? a->dims[a->rank - 2] : 1) ||
      check_along(c, c->in[4], p.n ? b->dims[b->rank - 1] : 1))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__elementwise(c, "epilogue", y, i);
  tir_e row = p.m ? i[p.batch] : e_index(c, 0), column = p.n ? i[y->rank - 1] : e_index(c, 0);
  tir_e scale = e_mul(c, tsr__per_channel(c, c->in[1], row), tsr__per_channel(c, c->in[4], column));
  scale = e_div(c, scale, tsr__scalar(c, c->in[6]));
  tir_e real = e_mul(c, e_cast(c, TSR_F32, e_load(c, acc, i)), scale);
  s->value = tsr__rounded(c, real, tsr__scalar(c, c->in[7]), y->dtype);
  return TSR_OK;
}

/* y = alpha * a' b' + beta * c */
enum tsr_status tsr__compute_gemm(struct tsr__compute *c)
{
  struct tir_buffer *a = c->in[0], *b = c->in[1], *add = tsr__in(c, 2), *y = c->out[0];
  bool ta = tsr_node_int(c->n, "transA", 0) != 0, tb = tsr_node_int(c->n, "transB", 0) != 0;
  double alpha = tsr_node_float(c->n, "alpha", 1), beta = tsr_node_float(c->n, "beta", 1);
  if (a->rank != 2 || b->rank != 2 || a->dtype != b->dtype || a->dtype == TSR_BOOL ||
      (add && add->dtype != a->dtype))
    return tsr__refuse(c, "takes matrices of numbers of one dtype");
  if (a->dims[!ta] != b->dims[tb])
    return tsr__refuse(c, "a and b do not fit each other");
  bool plain = alpha == 1 && !add;
  struct tir_buffer *acc = plain ? y : tir_func_temp(c->a, c->f, "acc", y->dtype, 2, y->dims);
  struct tir_stage *s = tir_func_stage(c->a, c->f, "matmul", acc, "m n k", 1, &a->dims[!ta]);
  tir_e m = tir_axis_use(c->a, s, 0), n = tir_axis_use(c->a, s, 1), k = tir_axis_use(c->a, s, 2);
  tir_e at_a[2] = {ta ? k : m, ta ? m : k}, at_b[2] = {tb ? n : k, tb ? k : n}, i[TSR_MAX_RANK];
  s->value = e_mul(c, e_load(c, a, at_a), e_load(c, b, at_b));
  tsr__combines(c, s, TIR_SUM);
  if (plain)
    return TSR_OK;
  s = tsr__elementwise(c, "epilogue", y, i);
  s->value = e_load(c, acc, i);
  if (alpha != 1)
    s->value = e_mul(c, s->value, e_number(c, y->dtype, alpha));
  if (add) {
    tir_e term = tsr__load_broadcast(c, add, 2, i);
    s->value = e_add(c, s->value, beta == 1 ? term : e_mul(c, term, e_number(c, y->dtype, beta)));
  }
  return TSR_OK;
}

enum tsr_status tsr__compute_qdense(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *w = c->in[1], *y = c->out[0];
  if (x->rank != 2 || w->rank != 2 || x->dims[1] != w->dims[1])
    return tsr__refuse(c, "x and w do not fit each other");
  struct tir_buffer *acc = tir_func_temp(c->a, c->f, "acc", TSR_I32, 2, y->dims);
  struct tir_stage *s = tir_func_stage(c->a, c->f, "matmul", acc, "m n k", 1, &x->dims[1]);
  tir_e m = tir_axis_use(c->a, s, 0), n = tir_axis_use(c->a, s, 1), k = tir_axis_use(c->a, s, 2);
  tir_e at_x[2] = {m, k}, at_w[2] = {n, k};
  s->value =
      e_mul(c, e_cast(c, TSR_I32, e_load(c, x, at_x)), e_cast(c, TSR_I32, e_load(c, w, at_w)));
  tsr__combines(c, s, TIR_SUM);
  tir_e i[TSR_MAX_RANK];
  s = tsr__elementwise(c, "epilogue", y, i);
  s->value = tsr__requantized(c, e_load(c, acc, i), i[1]);
  return TSR_OK;
}
