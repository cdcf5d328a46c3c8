/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes make a layer together: what one computes stays on the chip until the other has used it.
 *
 * A group is a convolution, perhaps with the op that makes its input (the head: depthwise or a mean, in front
 * of a kernel of 1x1), and with what is done with each element of its result (the tail: a sum, a product, a
 * table). The head's result goes to INP slice by slice, the convolution's stays in ACC. A node is taken into
 * a group where that is measured to take no more cycles than a layer of its own. */
#include <string.h>

#include "compiler/target/accel/accel.h"

const char *tsr_accel_group_suffix(const struct tsr_accel_group *g, int k)
{
  static const char *const suffix[] = {"1", "2"};
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

bool tsr_accel_group_makes(const struct tsr_accel_group *g, const struct tsr_value *v)
{
  return maker_of(g, v) >= 0;
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
    if (status || g->nodes == 1) {
      *out = f;
      return status;
    }
    int *from = TSR_NEW_ARRAY(a, int, n->inputs);
    for (int i = 0; i < n->inputs; i++)
      from[i] = maker_of(g, n->in[i]);
    bool conv = n->op == TSR_G_AccConv;
    part[k] = (struct tir_part){f, tsr_accel_group_suffix(g, k), from, conv && k + 1 < g->nodes};
    tsr_text_add(&name, "%s%s", k ? "." : "", f->name);
  }
  *out = tir_func_join(a, name.data, g->nodes, part);
  return TSR_OK;
}

const char *tsr_accel_group_name(struct tsr_arena *a, const struct tsr_accel_group *g)
{
  const char *name = g->node[0]->name;
  for (int k = 1; k < g->nodes; k++)
    name = tsr_arena_printf(a, "%s+%s", name, g->node[k]->name);
  return name;
}

/* --- which could be ---------------------------------------------------------------------------- */

/* Somebody wants the node as a layer of its own. */
static bool is_apart(const struct tsr_accel_planning *p, const struct tsr_node *n)
{
  return p->apart || (p->schedule && !strcmp(p->layer, n->name));
}

static bool is_pointwise(const struct tsr_node *n)
{
  const struct tsr_value *w = n->in[1];
  int64_t stride[2], pad[4];
  tsr_node_ints(n, "strides", 2, 1, stride);
  tsr_node_ints(n, "pads", 4, 0, pad);
  return w->dims[2] == 1 && w->dims[3] == 1 && stride[0] == 1 && stride[1] == 1 && !pad[0] &&
         !pad[1] && !pad[2] && !pad[3];
}

static const struct tsr_node *head_of(const struct tsr_accel_planning *p,
                                      const struct tsr_node *conv)
{
  const struct tsr_value *x = conv->in[0];
  const struct tsr_node *h = x->producer;
  if (!h || !is_pointwise(conv) || tsr_graph_uses(p->graph, x) != 1 || is_apart(p, h))
    return NULL;
  return h->op == TSR_G_AccDepthwise || h->op == TSR_G_AccAvgPool ? h : NULL;
}

static const struct tsr_node *tail_of(const struct tsr_accel_planning *p,
                                      const struct tsr_node *conv)
{
  const struct tsr_graph *g = p->graph;
  const struct tsr_value *y = conv->out[0];
  for (int k = 0; k < g->nodes && tsr_graph_uses(g, y) == 1; k++) {
    const struct tsr_node *n = g->node[k];
    bool can = n->op == TSR_G_AccAdd || n->op == TSR_G_AccMul || n->op == TSR_G_AccLut;
    if (can && n->in[0] == y && !is_apart(p, n))
      return n;
  }
  return NULL;
}

/* --- which are --------------------------------------------------------------------------------- */

static enum tsr_status plan(struct tsr_accel_planning *p, struct tsr_err *err,
                            struct tsr_accel_group *g)
{
  bool given = p->schedule && !strcmp(p->layer, tsr_accel_group_name(p->arena, g));
  struct tsr_accel_plan plan = {p, g, given ? p->schedule : NULL};
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
  return plan(p, NULL, g) ? UINT64_MAX : g->found.cost;
}

static uint64_t sum(uint64_t x, uint64_t y)
{
  return x == UINT64_MAX || y == UINT64_MAX ? UINT64_MAX : x + y;
}

struct best {
  uint64_t cost;
  struct tsr_accel_group group;
};

/* Takes the group where, with what the nodes outside of it cost, it costs no more than the best. */
static void consider(struct tsr_accel_planning *p, struct best *best, struct tsr_accel_group g,
                     uint64_t outside)
{
  uint64_t cost = sum(cost_of(p, &g), outside);
  if (cost == UINT64_MAX || cost > best->cost)
    return;
  *best = (struct best){cost, g};
}

static struct tsr_accel_group one(const struct tsr_node *n)
{
  return (struct tsr_accel_group){.nodes = 1, .node = {n}};
}

static enum tsr_status group_conv(struct tsr_accel_planning *p, struct tsr_err *err,
                                  const struct tsr_node *conv, struct tsr_accel_group *out)
{
  const struct tsr_node *h = head_of(p, conv), *t = tail_of(p, conv);
  struct tsr_accel_group alone = one(conv), head = one(h), tail = one(t);
  uint64_t without_head = h ? cost_of(p, &head) : 0, without_tail = t ? cost_of(p, &tail) : 0;
  uint64_t apart = sum(cost_of(p, &alone), sum(without_head, without_tail));
  struct best best = {apart, alone};
  if (t)
    consider(p, &best, (struct tsr_accel_group){.nodes = 2, .node = {conv, t}}, without_head);
  if (h)
    consider(p, &best, (struct tsr_accel_group){.nodes = 2, .node = {h, conv}}, without_tail);
  if (h && t)
    consider(p, &best, (struct tsr_accel_group){.nodes = 3, .node = {h, conv, t}}, 0);
  *out = best.group;
  return best.cost == UINT64_MAX ? plan(p, err, out) : TSR_OK;
}

static enum tsr_status group_node(struct tsr_accel_planning *p, struct tsr_err *err,
                                  const struct tsr_node *n, struct tsr_accel_group *out)
{
  *out = one(n);
  if (n->op == TSR_G_AccConv && !is_apart(p, n))
    return group_conv(p, err, n, out);
  return plan(p, err, out);
}

static int index_of(const struct tsr_graph *g, const struct tsr_node *n)
{
  int k = 0;
  while (g->node[k] != n)
    k++;
  return k;
}

/* Convolutions first: they choose what stays for others. */
static enum tsr_status group_all(struct tsr_accel_planning *p, struct tsr_err *err, bool convs,
                                 bool *taken, struct tsr_accel_group **of_node)
{
  const struct tsr_graph *g = p->graph;
  for (int k = 0; k < g->nodes; k++) {
    const struct tsr_node *n = g->node[k];
    if (!tsr_accel_runs(n->op) || taken[k] || (n->op == TSR_G_AccConv) != convs)
      continue;
    struct tsr_accel_group *group = TSR_NEW(p->arena, struct tsr_accel_group);
    enum tsr_status status = group_node(p, err, n, group);
    if (status)
      return status;
    for (int i = 0; i < group->nodes; i++)
      taken[index_of(g, group->node[i])] = true;
    of_node[index_of(g, group->node[group->nodes - 1])] = group;
  }
  return TSR_OK;
}

enum tsr_status tsr_accel_groups(struct tsr_accel_planning *p, struct tsr_err *err,
                                 struct tsr_accel_group **of_node)
{
  bool *taken = TSR_NEW_ARRAY(p->arena, bool, p->graph->nodes + 1);
  enum tsr_status status = group_all(p, err, true, taken, of_node);
  return status ? status : group_all(p, err, false, taken, of_node);
}
