/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes are computed together.
 *
 * A group has one result. It grows towards the node that all ways from that result lead to (the
 * nearest post-dominator), and takes everything on these ways with it, as long as the compute of all
 * together is of one of two forms:
 *
 *   points  one node, which may be anything, and nodes that read its result, and each other's,
 *           element by element: convolution, bias, activation, residual sum
 *   rows    stages of which each reads only its own row of what others compute: tir_func_rows();
 *           softmax, layer norm, and what exporters make of them
 *
 * In front of the first form may be leads, where the target wants them: what brings the map that the one node
 * reads into its order, element by element, for it alone.
 *
 * Convolutions and other reductions are asked first, so that a sum of two branches is computed where
 * one of them is.
 *
 * Targets may round sums of floats and functions like exp in a way of their own. What rounds such a
 * value to whole numbers would jump where they differ, and no one could tell that from a mistake: it
 * is in another group, and so reads the same bits as the interpreter. */
#include <stdlib.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

enum { MOST_NODES = 32 };

struct grouping {
  struct tsr_arena *a;
  const struct tsr_graph *g;
  int nodes;
  struct tsr__map *place; /* node -> its item of `index` */
  int *index;             /* 0, 1, ... */
  struct tir_func **func; /* of each node; NULL: it has none */
  int *post;              /* nearest post-dominator; `nodes`: the end */
  int *set;               /* the group that a node is in, called by its first node */
  bool *lead;             /* of its group */
};

/* Nodes by their places, ascending. */
struct members {
  int count, node[MOST_NODES];
};

static int place_of(const struct grouping *p, const struct tsr_node *n)
{
  return *(const int *)tsr__map_get(p->place, n);
}

/* --- post-dominators -------------------------------------------------------------------------- */

/* Where the ways from x and from y meet. A post-dominator stands behind its node. */
static int meet(const struct grouping *p, int x, int y)
{
  while (x != y)
    if (x < y)
      x = p->post[x];
    else
      y = p->post[y];
  return x;
}

static void find_posts(struct grouping *p)
{
  for (int k = 0; k < p->nodes; k++)
    p->post[k] = -1; /* no reader seen */
  for (int k = p->nodes - 1; k >= 0; k--) {
    const struct tsr_node *n = p->g->node[k];
    for (int i = 0; i < n->outputs; i++)
      for (int o = 0; o < p->g->outputs; o++)
        if (n->out[i] && p->g->output[o] == n->out[i])
          p->post[k] = p->nodes;
    if (p->post[k] < 0)
      p->post[k] = p->nodes; /* nothing reads it */
    for (int i = 0; i < n->inputs; i++) {
      if (!n->in[i] || !n->in[i]->producer)
        continue;
      int *post = &p->post[place_of(p, n->in[i]->producer)];
      *post = *post < 0 ? k : meet(p, *post, k);
    }
  }
}

/* --- forms ------------------------------------------------------------------------------------ */

static bool is_in(const struct members *m, int node)
{
  for (int k = 0; k < m->count; k++)
    if (m->node[k] == node)
      return true;
  return false;
}

/* Whether input i of node n is made inside. */
static bool is_made_by(const struct grouping *p, const struct members *m, const struct tsr_node *n,
                       int i)
{
  const struct tsr_node *by = n->in[i] ? n->in[i]->producer : NULL;
  return by && is_in(m, place_of(p, by));
}

/* Node k computes one element of the size of y of the same element of what others make. */
static bool is_point(const struct grouping *p, const struct members *m, int k,
                     const struct tir_buffer *y)
{
  const struct tsr_node *n = p->g->node[k];
  const struct tir_func *f = p->func[k];
  if (f->stages != 1 || f->stage[0]->combine != TIR_ASSIGN || !tir_same_dims(f->stage[0]->out, y))
    return false;
  for (int i = 0, param = 0; i < n->inputs; i++) {
    const struct tir_buffer *b = n->in[i] ? f->param[param++] : NULL;
    if (b && is_made_by(p, m, n, i) &&
        (!tir_same_dims(b, y) || tir_stage_aligned(f->stage[0], b) < b->rank))
      return false;
  }
  return true;
}

static const struct tir_buffer *result_of(const struct tir_func *f)
{
  return f->param[f->params - 1];
}

/* All are points but one at most, which comes first in *m then and reads nothing that others make. */
static bool are_points(const struct grouping *p, struct members *m)
{
  const struct tir_buffer *y = result_of(p->func[m->node[m->count - 1]]);
  int other = -1;
  for (int k = 0; k < m->count; k++) {
    if (is_point(p, m, m->node[k], y))
      continue;
    if (other >= 0 || !tir_same_dims(result_of(p->func[m->node[k]]), y))
      return false;
    other = k;
  }
  if (other < 0)
    return true;
  int node = m->node[other];
  for (int i = 0; i < p->g->node[node]->inputs; i++)
    if (is_made_by(p, m, p->g->node[node], i))
      return false;
  memmove(&m->node[1], &m->node[0], (size_t)other * sizeof m->node[0]);
  m->node[0] = node;
  return true;
}

static struct tsr_group group_of(struct grouping *p, const struct members *m)
{
  struct tsr_group group = {m->count, 0, TSR_NEW_ARRAY(p->a, struct tsr_node *, m->count)};
  for (int k = 0; k < m->count; k++)
    group.node[k] = p->g->node[m->node[k]];
  return group;
}

static bool are_rows(struct grouping *p, const struct members *m)
{
  struct tsr_group group = group_of(p, m);
  struct tir_func *f;
  return !tsr_group_compute(p->a, NULL, &group, &f) && tir_func_rows(f) > 0;
}

/* --- what targets may round in a way of their own --------------------------------------------- */

static bool is_float(enum tsr_dtype dtype)
{
  return tsr_dtype_kind(dtype) == TSR_KIND_FLOAT;
}

static bool is_constant(tir_e x)
{
  return x->op == TIR_INT || x->op == TIR_FLOAT;
}

static bool is_function(tir_e x)
{
  return x->op == TIR_EXP || x->op == TIR_LOG || x->op == TIR_TANH || x->op == TIR_ERF;
}

/* To whole numbers, or to one of two. */
static bool jumps(tir_e x)
{
  switch (x->op) {
  case TIR_ROUND:
  case TIR_FLOOR:
  case TIR_CEIL: return true;
  case TIR_CAST:
    return is_float((enum tsr_dtype)x->arg[0]->dtype) && !is_float((enum tsr_dtype)x->dtype);
  case TIR_SELECT: return is_constant(x->arg[1]) && is_constant(x->arg[2]);
  default: return false;
  }
}

static bool has(tir_e x, bool (*is)(tir_e x))
{
  bool found = is(x);
  for (int k = 0; k < x->args && !found; k++)
    found = has(x->arg[k], is);
  return found;
}

static bool is_rounded_freely(const struct tir_stage *s)
{
  bool sums = s->combine == TIR_SUM || s->combine == TIR_PRODUCT;
  return (sums && is_float(s->out->dtype)) || has(s->value, is_function);
}

/* No stage jumps behind one that is rounded freely, and no half that was is seen as a float, of which
 * more bits are expected. */
static bool is_steady(const struct grouping *p, const struct members *m)
{
  bool free = false, half = false;
  for (int k = 0; k < m->count; k++) {
    const struct tir_func *f = p->func[m->node[k]];
    enum tsr_dtype dtype = p->g->node[m->node[k]]->out[0]->dtype;
    if (half && is_float(dtype) && !tsr_dtype_is_half(dtype))
      return false;
    for (int i = 0; i < f->stages; i++) {
      const struct tir_stage *s = f->stage[i];
      if (free && (s->out->dtype == TSR_BOOL || has(s->value, jumps)))
        return false;
      free |= is_rounded_freely(s);
    }
    half |= free && tsr_dtype_is_half(dtype);
  }
  return true;
}

/* Views are no computation: targets may have them for nothing. */
static bool may_join(const struct grouping *p, const struct members *m)
{
  for (int k = 0; k < m->count; k++) {
    const struct tsr_node *n = p->g->node[m->node[k]];
    if (!p->func[m->node[k]] || n->outputs != 1 || tsr_gop_is_view(n->op))
      return false;
  }
  return is_steady(p, m);
}

/* --- growing ---------------------------------------------------------------------------------- */

static bool add_set(const struct grouping *p, struct members *m, int set)
{
  for (int k = 0; k < p->nodes; k++) {
    if (p->set[k] != set || is_in(m, k))
      continue;
    if (m->count == MOST_NODES)
      return false;
    m->node[m->count++] = k;
  }
  return true;
}

static int by_number(const void *x, const void *y)
{
  return *(const int *)x - *(const int *)y;
}

/* The group of `from`, and those of all nodes on the ways from there to its post-dominator. */
static bool find_ways(const struct grouping *p, int from, struct members *out)
{
  bool *on = TSR_NEW_ARRAY(p->a, bool, p->nodes);
  out->count = 0;
  if (p->post[from] == p->nodes || !add_set(p, out, p->set[from]))
    return false;
  on[from] = true;
  for (int k = from + 1; k <= p->post[from]; k++) {
    const struct tsr_node *n = p->g->node[k];
    for (int i = 0; i < n->inputs && !on[k]; i++)
      on[k] = n->in[i] && n->in[i]->producer && on[place_of(p, n->in[i]->producer)];
    if (on[k] && !add_set(p, out, p->set[k]))
      return false;
  }
  qsort(out->node, (size_t)out->count, sizeof out->node[0], by_number);
  return true;
}

/* The node whose output is the group's result: the last one. */
static int last_of(const struct grouping *p, int node)
{
  int last = node;
  for (int k = node + 1; k < p->nodes; k++)
    if (p->set[k] == p->set[node])
      last = k;
  return last;
}

static void grow(struct grouping *p, int node)
{
  struct members m;
  while (find_ways(p, last_of(p, node), &m)) {
    int set = m.node[0];
    if (!may_join(p, &m) || (!are_points(p, &m) && !are_rows(p, &m)))
      return;
    for (int k = 0; k < m.count; k++)
      p->set[m.node[k]] = set;
  }
}

/* --- leads ------------------------------------------------------------------------------------ */

/* Node k makes each element of one of an input, and no more of them. */
static bool passes_on(const struct grouping *p, int k)
{
  const struct tsr_node *n = p->g->node[k];
  const struct tir_func *f = p->func[k];
  if (!f || f->stages != 1 || f->stage[0]->combine != TIR_ASSIGN || n->outputs != 1 ||
      has(f->stage[0]->value, is_function) || tsr__count(n->in[0]) != tsr__count(n->out[0]) ||
      tsr_graph_uses(p->g, n->out[0]) != 1)
    return false;
  for (int i = 1; i < n->inputs; i++)
    if (n->in[i] && !n->in[i]->data)
      return false;
  return true;
}

/* Nodes on the way back from v that are in no group with others that stay behind. */
static int chain_to(const struct grouping *p, const struct tsr_value *v, int *chain)
{
  int count = 0;
  while (v->producer && count < MOST_NODES) {
    int k = place_of(p, v->producer);
    if (!passes_on(p, k))
      break;
    chain[count++] = k;
    v = p->g->node[k]->in[0];
  }
  for (int i = 0; i < p->nodes; i++) /* a group is in the chain as a whole, or not at all */
    for (int k = 0; k < count; k++) {
      bool found = p->set[i] != p->set[chain[k]];
      for (int m = 0; m < count && !found; m++)
        found = chain[m] == i;
      if (!found)
        count = k;
    }
  return count;
}

/* What changes the order of the map that convolution `node` reads, and what is in front of that. */
static void add_leads(struct grouping *p, int node)
{
  int chain[MOST_NODES], old = p->set[node];
  int count = chain_to(p, p->g->node[node]->in[0], chain);
  bool orders = false;
  for (int k = 0; k < count; k++)
    orders |= p->g->node[chain[k]]->op == TSR_G_Transpose;
  if (!orders)
    return;
  int first = chain[count - 1] < old ? chain[count - 1] : old;
  for (int k = 0; k < count; k++) {
    p->lead[chain[k]] = true;
    p->set[chain[k]] = old;
  }
  for (int k = 0; k < p->nodes; k++)
    p->set[k] = p->set[k] == old ? first : p->set[k];
}

/* --- all groups ------------------------------------------------------------------------------- */

static bool is_convolution(const struct tsr_node *n)
{
  return n->op == TSR_G_BlockedConv || n->op == TSR_G_BlockedDepthwise;
}

static bool reduces(const struct tir_func *f)
{
  for (int k = 0; f && k < f->stages; k++)
    if (f->stage[k]->combine != TIR_ASSIGN)
      return true;
  return false;
}

static struct grouping *open_grouping(struct tsr_arena *a, const struct tsr_graph *g)
{
  struct grouping *p = TSR_NEW(a, struct grouping);
  *p = (struct grouping){.a = a, .g = g, .nodes = g->nodes, .place = tsr__map_new(a)};
  p->index = TSR_NEW_ARRAY(a, int, g->nodes + 1);
  p->lead = TSR_NEW_ARRAY(a, bool, g->nodes + 1);
  p->func = TSR_NEW_ARRAY(a, struct tir_func *, g->nodes + 1);
  p->post = TSR_NEW_ARRAY(a, int, g->nodes + 1);
  p->set = TSR_NEW_ARRAY(a, int, g->nodes + 1);
  for (int k = 0; k < g->nodes; k++) {
    p->index[k] = p->set[k] = k;
    tsr__map_put(p->place, g->node[k], &p->index[k]);
  }
  return p;
}

static void fuse(struct grouping *p, bool leads)
{
  for (int k = 0; k < p->nodes; k++)
    if (tsr_node_compute(p->a, NULL, p->g->node[k], &p->func[k]))
      p->func[k] = NULL;
  find_posts(p);
  for (int k = 0; k < p->nodes; k++)
    if (reduces(p->func[k]))
      grow(p, k);
  for (int k = 0; k < p->nodes; k++)
    grow(p, k);
  for (int k = 0; k < p->nodes && leads; k++)
    if (is_convolution(p->g->node[k]))
      add_leads(p, k);
}

/* A group in order: leads, the one that may be anything, the others. */
static struct tsr_group collected(struct grouping *p, int node)
{
  struct members all = {0}, led = {0};
  add_set(p, &all, p->set[node]);
  int leads = 0;
  for (int k = 0; k < all.count; k++)
    leads += p->lead[all.node[k]];
  for (int k = 0, at = 0; k < all.count; k++)
    if (p->lead[all.node[k]])
      all.node[at++] = all.node[k];
    else
      led.node[led.count++] = all.node[k];
  if (led.count > 1)
    are_points(p, &led); /* for the order */
  for (int k = 0; k < led.count; k++)
    all.node[leads + k] = led.node[k];
  struct tsr_group group = group_of(p, &all);
  group.leads = leads;
  return group;
}

struct tsr_group *tsr_graph_groups(struct tsr_arena *a, const struct tsr_graph *g,
                                   enum tsr_fusion fusion, int *count)
{
  struct tsr_group *list = TSR_NEW_ARRAY(a, struct tsr_group, g->nodes + 1);
  struct grouping *p = open_grouping(a, g);
  if (fusion != TSR_FUSE_NOTHING)
    fuse(p, fusion == TSR_FUSE_LEADS);
  *count = 0;
  for (int k = 0; k < g->nodes; k++)
    if (last_of(p, k) == k)
      list[(*count)++] = collected(p, k);
  return list;
}

struct tsr_value **tsr_group_inputs(struct tsr_arena *a, const struct tsr_group *group, int *count)
{
  int most = 0, n = 0;
  for (int k = 0; k < group->nodes; k++)
    most += group->node[k]->inputs;
  struct tsr_value **list = TSR_NEW_ARRAY(a, struct tsr_value *, most + 1);
  for (int k = 0; k < group->nodes; k++)
    for (int i = 0; i < group->node[k]->inputs; i++) {
      struct tsr_value *v = group->node[k]->in[i];
      bool skip = !v;
      for (int m = 0; m < group->nodes && v; m++)
        skip |= v->producer == group->node[m];
      for (int m = 0; m < n && group->nodes > 1; m++)
        skip |= list[m] == v;
      if (!skip)
        list[n++] = v;
    }
  *count = n;
  return list;
}
