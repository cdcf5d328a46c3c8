/* SPDX-License-Identifier: Apache-2.0 */
/* QAvgPool out of means between DequantizeLinear and QuantizeLinear.
 *
 * The mean of a window of `count` elements is their sum times xs / (ys count), zero points aside. Where
 * windows at the border count fewer elements, the map is cut into boxes of equal counts: what is between two
 * of them has windows of its own. */
#include "compiler/graph/graph_private.h"

enum { MOST_RUNS = 16 };

/* Results [first, first + size) of one dim, whose windows count `elements` each; they lie in [from, end) of
 * the input, padded. */
struct run {
  int64_t first, size, elements, from, end, before, behind;
};

struct along {
  int64_t in, out, kernel, stride, before, behind;
  int runs;
  struct run run[MOST_RUNS];
};

static struct tsr_value *no(struct tsr__request *r, const char *reason)
{
  r->reason = reason;
  return NULL;
}

/* ReduceMean over exactly the last two of four dims. */
static bool means_plane(const struct tsr_node *n)
{
  int64_t axes[TSR_MAX_RANK];
  const struct tsr_attr *attr = tsr_node_attr(n, "axes");
  struct tsr_tensor list = {0};
  int count = attr ? attr->count : 0;
  if (n->inputs > 1 && n->in[1]) {
    list = tsr_value_tensor(n->in[1]);
    count = list.data ? (int)tsr_tensor_count(&list) : 0;
  }
  if (count != 2)
    return false;
  for (int i = 0; i < 2; i++) {
    axes[i] = list.data ? tsr_get_int(&list, i) : attr->ints[i];
    axes[i] += axes[i] < 0 ? 4 : 0;
  }
  return axes[0] + axes[1] == 5 && (axes[0] == 2 || axes[0] == 3);
}

static int64_t larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static void end_run(struct along *d, struct run *run)
{
  int64_t lo = run->first * d->stride - d->before;
  int64_t hi = (run->first + run->size - 1) * d->stride - d->before + d->kernel;
  run->from = smaller(larger(lo, 0), d->in);
  run->end = larger(smaller(hi, d->in), run->from);
  run->before = larger(-lo, 0);
  run->behind = larger(hi - d->in, 0);
}

/* Cuts the dim into runs; false: there are too many, or windows of nothing. */
static bool cut(struct along *d, bool counts_padding)
{
  d->runs = 0;
  for (int64_t o = 0; o < d->out; o++) {
    int64_t lo = o * d->stride - d->before, hi = lo + d->kernel;
    int64_t elements = counts_padding ? d->kernel : smaller(hi, d->in) - larger(lo, 0);
    if (elements < 1)
      return false;
    if (d->runs && d->run[d->runs - 1].elements == elements) {
      d->run[d->runs - 1].size++;
      continue;
    }
    if (d->runs == MOST_RUNS)
      return false;
    d->run[d->runs++] = (struct run){.first = o, .size = 1, .elements = elements};
  }
  for (int k = 0; k < d->runs; k++)
    end_run(d, &d->run[k]);
  return d->runs > 0;
}

/* False with a reason where the core's windows can't be those of QAvgPool. */
static bool windows(struct tsr__request *r, struct along d[2])
{
  const struct tsr_node *n = r->core;
  bool pool = n->op == TSR_G_AveragePool, counts_padding = !pool;
  int64_t kernel[2], strides[2] = {1, 1}, pads[4] = {0}, dilations[2] = {1, 1};
  for (int i = 0; i < 2; i++) {
    bool there = 2 + i < n->in[0]->rank;
    d[i].in = kernel[i] = there ? n->in[0]->dims[2 + i] : 1;
    d[i].out = pool && there ? n->out[0]->dims[2 + i] : 1;
  }
  if (pool) {
    tsr__map_ints(n, "kernel_shape", 1, kernel);
    tsr__map_ints(n, "strides", 1, strides);
    tsr__map_pads(n, pads);
    tsr__map_ints(n, "dilations", 1, dilations);
    counts_padding = tsr_node_int(n, "count_include_pad", 0);
  }
  for (int i = 0; i < 2; i++) {
    d[i].kernel = kernel[i];
    d[i].stride = strides[i];
    d[i].before = pads[i];
    d[i].behind = pads[i + 2];
    bool over = (d[i].out - 1) * strides[i] + kernel[i] > d[i].in + pads[i] + pads[i + 2];
    if (dilations[i] != 1 || (counts_padding && over))
      return no(r, "its windows are dilated, or reach over padding that they count");
    if (!cut(&d[i], counts_padding))
      return no(r, "its windows count too many different numbers of elements, or none");
  }
  return true;
}

/* The box of x that the runs read. */
static struct tsr_value *box(struct tsr__request *r, struct tsr_value *x, const struct run *rows,
                             const struct run *columns)
{
  static const int64_t axes[2] = {2, 3};
  int64_t starts[2] = {rows->from, columns->from}, ends[2] = {rows->end, columns->end};
  struct tsr_value *in[] = {x, tsr__add_ints(r->g, "starts", 2, starts),
                            tsr__add_ints(r->g, "ends", 2, ends),
                            tsr__add_ints(r->g, "axes", 2, axes)};
  return tsr__add_node(r->g, TSR_G_Slice, r->core->name, 4, in)->out[0];
}

static struct tsr_value *pool_of(struct tsr__request *r, struct tsr_value *x, struct tsr__scale xs,
                                 const struct along d[2], int i, int k)
{
  const struct run *rows = &d[0].run[i], *columns = &d[1].run[k];
  const char *name = r->core->name;
  int64_t count = rows->elements * columns->elements, kernel[2] = {d[0].kernel, d[1].kernel};
  int64_t strides[2] = {d[0].stride, d[1].stride};
  int64_t pads[4] = {rows->before, columns->before, rows->behind, columns->behind};
  int32_t mult;
  int shift;
  if (!tsr__multiplier(xs.scale / (r->y.scale * (double)count), &mult, &shift))
    return no(r, "the ratio of its scales is outside of what a multiplier of 31 bits holds");
  if (d[0].runs * d[1].runs > 1) {
    name = tsr_arena_printf(r->g->arena, "%s.%d.%d", name, i, k);
    x = box(r, x, rows, columns);
  }
  struct tsr_node *q = tsr__add_node(r->g, TSR_G_QAvgPool, name, 1, &x);
  tsr_node_set_ints(r->g, q, "kernel", 2, kernel);
  tsr_node_set_ints(r->g, q, "strides", 2, strides);
  tsr_node_set_ints(r->g, q, "pads", 4, pads);
  tsr_node_set_int(r->g, q, "x_zero", xs.zero);
  tsr__set_quant(r, q, -xs.zero * kernel[0] * kernel[1], mult, shift);
  return q->out[0];
}

static struct tsr_value *joined(struct tsr__request *r, int axis, int parts,
                                struct tsr_value **part)
{
  if (parts == 1)
    return part[0];
  struct tsr_node *n = tsr__add_node(r->g, TSR_G_Concat, r->core->name, parts, part);
  tsr_node_set_int(r->g, n, "axis", axis);
  return n->out[0];
}

static struct tsr_value *pools(struct tsr__request *r, struct tsr_value *x, struct tsr__scale xs,
                               const struct along d[2])
{
  struct tsr_value *row[MOST_RUNS], *part[MOST_RUNS];
  for (int i = 0; i < d[0].runs; i++) {
    for (int k = 0; k < d[1].runs; k++) {
      part[k] = pool_of(r, x, xs, d, i, k);
      if (!part[k])
        return NULL;
    }
    row[i] = joined(r, 3, d[1].runs, part);
  }
  return joined(r, 2, d[0].runs, row);
}

struct tsr_value *tsr__quantize_average(struct tsr__request *r)
{
  const struct tsr_node *n = r->core;
  struct tsr__scale xs;
  struct tsr_node *dq = tsr__dequantized(n->in[0], &xs);
  struct along d[2];
  if (!dq)
    return no(r, "its input is not dequantized from int8 with one constant scale");
  if (!tsr__is_map(n->in[0]))
    return no(r, "it has more than two spatial dims");
  if (n->op == TSR_G_ReduceMean && !(n->in[0]->rank == 4 && means_plane(n)))
    return no(r, "its mean is not over the two last dims");
  if (!windows(r, d))
    return NULL;
  if (d[0].kernel >= 1 << 24 || d[1].kernel >= 1 << 24 ||
      d[0].kernel * d[1].kernel >= 1 << 24) /* 2^24 * 2^7 are the largest sums of int32 */
    return no(r, "its windows are too large for sums in int32");
  struct tsr_value *y = pools(r, tsr__as_map(r->g, dq->in[0]), xs, d);
  return y ? tsr__from_map(r->g, y, n->out[0]) : NULL;
}
