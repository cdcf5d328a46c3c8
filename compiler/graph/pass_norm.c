/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norms with stored statistics are y = g x + b for each channel: g = scale / sqrt(variance +
 * epsilon), b = shift - g mean. Where x comes from a Conv or Gemm with constant float weights,
 * those take g and the bias takes b; elsewhere it is a Mul and an Add. Computed in double. */
#include <math.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

struct norm {
  int64_t channels;
  double *g, *b;
};

static bool read_norm(struct tsr_graph *g, const struct tsr_node *n, struct norm *out)
{
  struct tsr_tensor t[4]; /* scale, shift, mean, variance */
  for (int k = 0; k < 4; k++) {
    if (!n->in[k + 1]->data)
      return false;
    t[k] = tsr_value_tensor(n->in[k + 1]);
  }
  double epsilon = (double)(float)tsr_node_float(n, "epsilon", 1e-5);
  out->channels = n->in[1]->dims[0];
  out->g = TSR_NEW_ARRAY(g->arena, double, out->channels);
  out->b = TSR_NEW_ARRAY(g->arena, double, out->channels);
  for (int64_t c = 0; c < out->channels; c++) {
    out->g[c] = tsr_get_float(&t[0], c) / sqrt(tsr_get_float(&t[3], c) + epsilon);
    out->b[c] = tsr_get_float(&t[1], c) - out->g[c] * tsr_get_float(&t[2], c);
  }
  return true;
}

/* A constant of v's type, each element multiplied by its channel's g. Channels are the dim
 * `axis`. */
static struct tsr_value *scaled(struct tsr_graph *g, const struct tsr_value *v, int axis,
                                const struct norm *norm)
{
  struct tsr_value *c = tsr__add_constant(g, v->name, v->dtype, v->rank, v->dims);
  struct tsr_tensor from = tsr_value_tensor(v), to = tsr_value_tensor(c);
  int64_t inner = tsr_count(v->dims + axis + 1, v->rank - axis - 1, 1);
  for (int64_t i = 0; i < tsr_tensor_count(&from); i++)
    tsr_put_float(&to, i, tsr_get_float(&from, i) * norm->g[i / inner % norm->channels]);
  return c;
}

static struct tsr_value *per_channel(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                     int rank, int64_t channels, const double *v)
{
  int64_t dims[TSR_MAX_RANK] = {channels, 1, 1, 1, 1, 1, 1, 1};
  struct tsr_value *c = tsr__add_constant(g, name, dtype, rank, dims);
  struct tsr_tensor t = tsr_value_tensor(c);
  for (int64_t i = 0; i < channels; i++)
    tsr_put_float(&t, i, v[i]);
  return c;
}

/* g * factor * old + b; old is the Conv's or Gemm's bias, or NULL. */
static struct tsr_value *scaled_bias(struct tsr_graph *g, const struct tsr_node *n, double factor,
                                     const struct norm *norm)
{
  const struct tsr_value *old = n->inputs > 2 ? n->in[2] : NULL;
  double *sum = TSR_NEW_ARRAY(g->arena, double, norm->channels);
  struct tsr_tensor t = {0};
  if (old)
    t = tsr_value_tensor(old);
  for (int64_t c = 0; c < norm->channels; c++)
    sum[c] = norm->b[c] +
             (old ? factor * norm->g[c] * tsr_get_float(&t, tsr__count(old) > 1 ? c : 0) : 0);
  return per_channel(g, tsr_arena_printf(g->arena, "%s.bias", n->name), n->in[1]->dtype, 1,
                     norm->channels, sum);
}

static bool foldable(const struct tsr_graph *g, const struct tsr_node *n, const struct norm *norm)
{
  if (!n || (n->op != TSR_G_Conv && n->op != TSR_G_Gemm) || !n->in[1]->data ||
      tsr_graph_uses(g, n->out[0]) != 1)
    return false;
  const struct tsr_value *bias = n->inputs > 2 ? n->in[2] : NULL;
  if (!bias)
    return true;
  return bias->data && (tsr__count(bias) == 1 || (tsr__count(bias) == norm->channels &&
                                                  bias->dims[bias->rank - 1] == norm->channels));
}

static void fold_into(struct tsr_graph *g, struct tsr_node *n, const struct norm *norm,
                      struct tsr_value *result)
{
  bool gemm = n->op == TSR_G_Gemm;
  int axis = gemm && !tsr_node_int(n, "transB", 0) ? 1 : 0;
  double factor = gemm ? tsr_node_float(n, "beta", 1) : 1;
  struct tsr_value *in[] = {n->in[0], scaled(g, n->in[1], axis, norm),
                            scaled_bias(g, n, factor, norm)};
  struct tsr_node *m = tsr__add_node(g, n->op, n->name, 3, in);
  tsr__copy_attrs(g, m, n);
  if (gemm)
    tsr_node_set_float(g, m, "beta", 1);
  tsr__replace(g, result, m->out[0]);
}

static void make_affine(struct tsr_graph *g, struct tsr_node *n, const struct norm *norm)
{
  enum tsr_dtype dtype = n->in[0]->dtype;
  int rank = n->in[0]->rank - 1; /* [C, 1, 1]: broadcasts over the batch */
  struct tsr_value *in[] = {n->in[0],
                            per_channel(g, tsr_arena_printf(g->arena, "%s.scale", n->name), dtype,
                                        rank, norm->channels, norm->g)};
  in[0] = tsr__add_node(g, TSR_G_Mul, n->name, 2, in)->out[0];
  in[1] = per_channel(g, tsr_arena_printf(g->arena, "%s.shift", n->name), dtype, rank,
                      norm->channels, norm->b);
  tsr__replace(g, n->out[0], tsr__add_node(g, TSR_G_Add, n->name, 2, in)->out[0]);
}

enum tsr_status tsr__pass_norm(struct tsr_err *err, struct tsr_graph *g)
{
  for (int i = 0, nodes = g->nodes; i < nodes; i++) {
    struct tsr_node *n = g->node[i];
    struct norm norm;
    if (n->op != TSR_G_BatchNormalization || !read_norm(g, n, &norm))
      continue;
    if (foldable(g, n->in[0]->producer, &norm))
      fold_into(g, n->in[0]->producer, &norm, n->out[0]);
    else
      make_affine(g, n, &norm);
  }
  tsr__sweep(g);
  return tsr_graph_infer(err, g);
}
