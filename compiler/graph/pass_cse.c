/* SPDX-License-Identifier: Apache-2.0 */
/* Equal things are computed once: nodes of one op, equal inputs and equal attributes. Small
 * constants of equal type and elements are one, so that their users can be equal. */
#include <string.h>

#include "compiler/graph/graph_private.h"

static bool same_attr(const struct tsr_attr *a, const struct tsr_attr *b)
{
  if (a->kind != b->kind || a->count != b->count)
    return false;
  switch (a->kind) {
  case TSR_ATTR_INT:
    return a->i == b->i;
  case TSR_ATTR_FLOAT:
    return memcmp(&a->f, &b->f, sizeof a->f) == 0;
  case TSR_ATTR_STRING:
    return strcmp(a->s, b->s) == 0;
  case TSR_ATTR_INTS:
    return a->count == 0 || memcmp(a->ints, b->ints, (size_t)a->count * sizeof *a->ints) == 0;
  case TSR_ATTR_FLOATS:
    return a->count == 0 || memcmp(a->floats, b->floats, (size_t)a->count * sizeof *a->floats) == 0;
  }
  return false;
}

static bool same_node(const struct tsr_node *a, const struct tsr_node *b)
{
  if (a->op != b->op || a->inputs != b->inputs || a->outputs != b->outputs || a->attrs != b->attrs)
    return false;
  for (int k = 0; k < a->inputs; k++)
    if (a->in[k] != b->in[k])
      return false;
  for (int k = 0; k < a->outputs; k++)
    if (!a->out[k] != !b->out[k])
      return false;
  for (int k = 0; k < a->attrs; k++) {
    const struct tsr_attr *other = tsr_node_attr(b, a->attr[k].name);
    if (!other || !same_attr(&a->attr[k], other))
      return false;
  }
  return true;
}

enum { MOST_BYTES = 4096 };

static bool same_constant(const struct tsr_value *a, const struct tsr_value *b)
{
  struct tsr_tensor t = tsr_value_tensor(a);
  return tsr__same_type(a, b) && tsr_tensor_bytes(&t) <= MOST_BYTES &&
         memcmp(a->data, b->data, tsr_tensor_bytes(&t)) == 0;
}

/* Candidates hang in chains by a sum over what they must agree in. */
static uint64_t mix(uint64_t h, uint64_t v)
{
  return (h ^ v) * UINT64_C(0x9e3779b97f4a7c15) >> 7 | v << 60;
}

static uint64_t node_sum(const struct tsr_node *n)
{
  uint64_t h = mix(n->op, (uint64_t)n->attrs);
  for (int k = 0; k < n->inputs; k++)
    h = mix(h, (uint64_t)(uintptr_t)n->in[k]);
  return h;
}

static uint64_t constant_sum(const struct tsr_value *v)
{
  struct tsr_tensor t = tsr_value_tensor(v);
  uint64_t h = mix(v->dtype, (uint64_t)v->rank);
  for (size_t i = 0; i < tsr_tensor_bytes(&t) && i < 64; i++)
    h = mix(h, ((const unsigned char *)v->data)[i]);
  return h;
}

enum { CHAINS = 1024 };

struct link {
  void *thing;
  struct link *next;
};

static void hang(struct tsr_arena *a, struct link **chain, void *thing)
{
  struct link *l = TSR_NEW(a, struct link);
  *l = (struct link){thing, *chain};
  *chain = l;
}

static void merge_constants(struct tsr_graph *g)
{
  struct link **chains = TSR_NEW_ARRAY(g->arena, struct link *, CHAINS);
  struct tsr__map *twin = tsr__map_new(g->arena);
  for (int i = 0; i < g->values; i++) {
    struct tsr_value *v = g->value[i];
    if (!v->data)
      continue;
    struct link **chain = &chains[constant_sum(v) % CHAINS], *l = *chain;
    while (l && !same_constant(l->thing, v))
      l = l->next;
    if (l)
      tsr__map_put(twin, v, l->thing);
    else
      hang(g->arena, chain, v);
  }
  for (int i = 0; i < g->nodes; i++)
    for (int k = 0; k < g->node[i]->inputs; k++) {
      struct tsr_value *v = (struct tsr_value *)tsr__map_get(twin, g->node[i]->in[k]);
      if (g->node[i]->in[k] && v)
        g->node[i]->in[k] = v;
    }
}

enum tsr_status tsr__pass_cse(struct tsr_err *err, struct tsr_graph *g)
{
  (void)err;
  struct link **chains = TSR_NEW_ARRAY(g->arena, struct link *, CHAINS);
  merge_constants(g);
  for (int i = 0; i < g->nodes; i++) {
    struct tsr_node *n = g->node[i];
    struct link **chain = &chains[node_sum(n) % CHAINS], *l = *chain;
    while (l && !same_node(l->thing, n))
      l = l->next;
    if (!l) {
      hang(g->arena, chain, n);
      continue;
    }
    for (int k = 0; k < n->outputs; k++)
      if (n->out[k])
        tsr__replace(g, n->out[k], ((struct tsr_node *)l->thing)->out[k]);
  }
  tsr__sweep(g);
  return TSR_OK;
}

enum tsr_status tsr__pass_cse_again(struct tsr_err *err, struct tsr_graph *g)
{
  return tsr__pass_cse(err, g);
}
