/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes make a layer together: what one computes stays on the chip until the other has
 * used it.
 *
 * A group is a convolution, perhaps with
 *   the head    which makes its input: a convolution; where its kernel is 1x1 depthwise or a mean
 *   the feeder  which makes the input of a head that is no convolution: one of kernel 1x1
 *   the tail    what is done with each element of its result: a sum, a product, a table
 * or a pool with a convolution as its head. The results of feeder and head go to INP: of a convolution as much
 * as a tile needs, what the tiles above it made not again; of others as much as one slice of the sum needs. The
 * convolution's stays in ACC. Nodes of which each is the only one to read the one before make a
 * chain; it is cut into groups such that what they take costs the least: cycles, and bytes that count for some. */
#include <string.h>

#include "compiler/target/accel/accel.h"

const char *tsr_accel_group_suffix(const struct tsr_accel_group *g, int k)
{
  static const char *const suffix[] = {"1", "2", "3"};
  return k + 1 < g->nodes ? suffix[k] : "";
}

/* The node of the group that makes the value; -1: none of them. */
static int maker_of(const struct tsr_accel_group *g, const struct tsr_value *v)
{
  for (int k = 0; k < g->nodes; k++)
    if (v && v->producer == g->node[k])
      return k;
  return -1;
}

struct tsr_value **tsr_accel_group_inputs(struct tsr_arena *a, const struct tsr_accel_group *g,
                                          int *count)
{
  int most = 0;
  for (int k = 0; k < g->nodes; k++)
    most += g->node[k]->inputs;
  struct tsr_value **list = TSR_NEW_ARRAY(a, struct tsr_value *, most + 1);
  *count = 0;
  for (int k = 0; k < g->nodes; k++)
    for (int i = 0; i < g->node[k]->inputs; i++)
      if (maker_of(g, g->node[k]->in[i]) < 0)
        list[(*count)++] = g->node[k]->in[i];
  return list;
}

static bool is_tail(const struct tsr_node *n)
{
  return n->op == TSR_G_AccAdd || n->op == TSR_G_AccMul || n->op == TSR_G_AccLut;
}

const struct tsr_accel_resident *tsr_accel_resident_of(const struct tsr_accel_group *g,
                                                       const struct tsr_value *v)
{
  for (int k = 0; k < g->residents; k++)
    if (g->resident[k]->value == v)
      return g->resident[k];
  return NULL;
}

static const struct tir_border *border_of(struct tsr_arena *a, const struct tsr_accel_group *g,
                                          const struct tsr_value *v)
{
  enum { ROWS = 2 };
  const struct tsr_accel_resident *r = tsr_accel_resident_of(g, v);
  struct tir_border *border = TSR_NEW(a, struct tir_border);
  if (!r)
    return NULL;
  *border = (struct tir_border){.scope = TIR_INP, .value = r->pad};
  for (int k = 0; k < 2; k++) {
    border->before[ROWS + k] = r->before[k];
    border->after[ROWS + k] = r->after[k];
  }
  return border;
}

/* What is resident lies in INP. */
static struct tir_func *in_inp(struct tsr_arena *a, const struct tsr_accel_group *g,
                               struct tir_func *f)
{
  int inputs;
  struct tsr_value **in = tsr_accel_group_inputs(a, g, &inputs);
  const struct tir_border **border = TSR_NEW_ARRAY(a, const struct tir_border *, inputs + 1);
  if (!g->residents)
    return f;
  for (int k = 0; k < inputs; k++)
    border[k] = border_of(a, g, in[k]);
  border[inputs] = border_of(a, g, g->node[g->nodes - 1]->out[0]);
  return tir_func_embed(a, f, border, "ys");
}

enum tsr_status tsr_accel_group_compute(struct tsr_arena *a, struct tsr_err *err,
                                        const struct tsr_accel_group *g, struct tir_func **out)
{
  struct tir_part part[TSR_ACCEL_MOST_GROUPED];
  struct tsr_text name = {.arena = a};
  for (int k = 0; k < g->nodes; k++) {
    const struct tsr_node *n = g->node[k];
    struct tir_func *f;
    enum tsr_status status = tsr_node_compute(a, err, n, &f);
    if (status)
      return status;
    if (g->nodes == 1) {
      *out = in_inp(a, g, f);
      return TSR_OK;
    }
    int *from = TSR_NEW_ARRAY(a, int, n->inputs);
    for (int i = 0; i < n->inputs; i++)
      from[i] = maker_of(g, n->in[i]);
    bool stays = k == g->nodes - 2 && is_tail(g->node[k + 1]);
    part[k] = (struct tir_part){f, tsr_accel_group_suffix(g, k), from, stays};
    tsr_text_add(&name, "%s%s", k ? "." : "", f->name);
  }
  *out = in_inp(a, g, tir_func_join(a, name.data, g->nodes, part));
  return TSR_OK;
}

/* --- what a group may be ---------------------------------------------------------------------- */

static bool is_pointwise(const struct tsr_node *n)
{
  const struct tsr_value *w = n->in[1];
  int64_t stride[2], pad[4];
  tsr_node_ints(n, "strides", 2, 1, stride);
  tsr_node_ints(n, "pads", 4, 0, pad);
  return w->dims[2] == 1 && w->dims[3] == 1 && stride[0] == 1 && stride[1] == 1 && !pad[0] &&
         !pad[1] && !pad[2] && !pad[3];
}

/* Whether node `conv` is a convolution with a head and perhaps a feeder. */
static bool has_slices(const struct tsr_accel_group *g, int conv)
{
  enum tsr_gop head = g->node[conv - 1]->op;
  bool channelwise = head == TSR_G_AccDepthwise || head == TSR_G_AccAvgPool;
  if (g->node[conv]->op != TSR_G_AccConv || !channelwise || !is_pointwise(g->node[conv]))
    return false;
  return conv == 1 || (conv == 2 && g->node[0]->op == TSR_G_AccConv && is_pointwise(g->node[0]));
}

/* Whether node 1 has a convolution as its head. */
static bool is_fed(const struct tsr_accel_group *g)
{
  bool tail = g->nodes > 2;
  return g->node[0]->op == TSR_G_AccConv &&
         (g->node[1]->op == TSR_G_AccConv || (g->node[1]->op == TSR_G_AccMaxPool && !tail));
}

static bool is_group(const struct tsr_accel_group *g)
{
  int last = g->nodes - 1 - is_tail(g->node[g->nodes - 1]);
  if (last == 0)
    return g->node[0]->op == TSR_G_AccConv;
  return last > 0 && ((last == 1 && is_fed(g)) || has_slices(g, last));
}

static bool may_be(const struct tsr_accel_planning *p, const struct tsr_accel_group *g)
{
  return g->nodes == 1 || (!p->apart && is_group(g));
}

/* --- which are -------------------------------------------------------------------------------- */

enum tsr_status tsr_accel_group_plan(struct tsr_accel_planning *p, struct tsr_err *err,
                                     const char *schedule, struct tsr_accel_group *g)
{
  struct tsr_accel_plan plan = {p, g, schedule};
  enum tsr_status status = tsr_accel_group_compute(p->arena, err, g, &g->func);
  if (!status)
    status = tsr__accel_plan(&plan, err, &g->found);
  if (status)
    return tsr_refuse_at(err, "node '%s' (%s)", g->node[0]->name, tsr_gop_name(g->node[0]->op));
  return TSR_OK;
}

/* Plans the group; UINT64_MAX where it has no schedule. */
static uint64_t cost_of(struct tsr_accel_planning *p, struct tsr_accel_group *g)
{
  return tsr_accel_group_plan(p, NULL, NULL, g) ? UINT64_MAX : g->found.cost;
}

static uint64_t sum(uint64_t x, uint64_t y)
{
  return x == UINT64_MAX || y == UINT64_MAX ? UINT64_MAX : x + y;
}

/* The nodes of a chain in their order, and how it is cut. */
struct chain {
  int count;
  struct tsr_node **node;
  uint64_t *cost;                /* of the first k nodes */
  struct tsr_accel_group *group; /* the one that ends with node k */
};

/* Takes the best group that ends with node k, or the longest of the best. */
static enum tsr_status end_at(struct tsr_accel_planning *p, struct tsr_err *err, struct chain *c,
                              int k)
{
  uint64_t best = UINT64_MAX;
  for (int n = 1; n <= TSR_ACCEL_MOST_GROUPED && n <= k + 1; n++) {
    struct tsr_accel_group g = {.nodes = n};
    for (int i = 0; i < n; i++)
      g.node[i] = c->node[k + 1 - n + i];
    if (!may_be(p, &g))
      continue;
    uint64_t cost = sum(cost_of(p, &g), c->cost[k + 1 - n]);
    if (cost == UINT64_MAX || cost > best)
      continue;
    best = cost;
    c->group[k] = g;
  }
  c->cost[k + 1] = best;
  if (best != UINT64_MAX || k + 1 < c->count)
    return TSR_OK;
  for (int i = 0; i < c->count; i++) { /* one of them has no schedule: why? */
    struct tsr_accel_group alone = {.nodes = 1, .node = {c->node[i]}};
    enum tsr_status status = tsr_accel_group_plan(p, err, NULL, &alone);
    if (status)
      return status;
  }
  return tsr_refuse(err, "node '%s' has no schedule", c->node[0]->name);
}

static int index_of(const struct tsr_graph *g, const struct tsr_node *n)
{
  int k = 0;
  while (g->node[k] != n)
    k++;
  return k;
}

static enum tsr_status cut(struct tsr_accel_planning *p, struct tsr_err *err, struct chain *c,
                           struct tsr_accel_group **of_node)
{
  enum tsr_status status = TSR_OK;
  c->cost = TSR_NEW_ARRAY(p->arena, uint64_t, c->count + 1);
  c->group = TSR_NEW_ARRAY(p->arena, struct tsr_accel_group, c->count);
  for (int k = 0; k < c->count && !status; k++)
    status = end_at(p, err, c, k);
  for (int k = c->count - 1; k >= 0 && !status; k -= c->group[k].nodes)
    of_node[index_of(p->graph, c->node[k])] = &c->group[k];
  return status;
}

/* The node that has n's result as its first input, and is the only one to read it; NULL: none. */
static struct tsr_node *next_of(const struct tsr_graph *g, const struct tsr_node *n)
{
  for (int k = 0; k < g->nodes && tsr_graph_uses(g, n->out[0]) == 1; k++)
    if (tsr_accel_runs(g->node[k]->op) && g->node[k]->in[0] == n->out[0])
      return g->node[k];
  return NULL;
}

static bool begins_chain(const struct tsr_graph *g, const struct tsr_node *n)
{
  const struct tsr_node *before = n->in[0]->producer;
  return !before || !tsr_accel_runs(before->op) || next_of(g, before) != n;
}

enum tsr_status tsr_accel_groups(struct tsr_accel_planning *p, struct tsr_err *err,
                                 struct tsr_accel_group **of_node)
{
  const struct tsr_graph *g = p->graph;
  enum tsr_status status = TSR_OK;
  for (int k = 0; k < g->nodes && !status; k++) {
    struct tsr_node *n = g->node[k];
    if (!tsr_accel_runs(n->op) || !begins_chain(g, n))
      continue;
    struct chain chain = {.node = TSR_NEW_ARRAY(p->arena, struct tsr_node *, g->nodes)};
    for (; n; n = next_of(g, n))
      chain.node[chain.count++] = n;
    status = cut(p, err, &chain, of_node);
  }
  return status;
}
