/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of nodes: a handful each, found by name. */
#include <assert.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

const struct tsr_attr *tsr_node_attr(const struct tsr_node *n, const char *name)
{
  for (int i = 0; i < n->attrs; i++)
    if (!strcmp(n->attr[i].name, name))
      return &n->attr[i];
  return NULL;
}

/* The attribute of that name, made where there is none, and emptied where there is. */
static struct tsr_attr *attr_slot(struct tsr_graph *g, struct tsr_node *n, const char *name,
                                  enum tsr_attr_kind kind)
{
  struct tsr_attr *slot = (struct tsr_attr *)tsr_node_attr(n, name);
  if (!slot) {
    struct tsr_attr *more = TSR_NEW_ARRAY(g->arena, struct tsr_attr, n->attrs + 1);
    if (n->attrs)
      memcpy(more, n->attr, (size_t)n->attrs * sizeof *more);
    n->attr = more;
    slot = &n->attr[n->attrs++];
  }
  *slot = (struct tsr_attr){.name = tsr_arena_strdup(g->arena, name), .kind = kind};
  return slot;
}

void tsr_node_set_int(struct tsr_graph *g, struct tsr_node *n, const char *name, int64_t value)
{
  attr_slot(g, n, name, TSR_ATTR_INT)->i = value;
}

void tsr_node_set_float(struct tsr_graph *g, struct tsr_node *n, const char *name, double value)
{
  attr_slot(g, n, name, TSR_ATTR_FLOAT)->f = value;
}

void tsr_node_set_string(struct tsr_graph *g, struct tsr_node *n, const char *name,
                         const char *value)
{
  attr_slot(g, n, name, TSR_ATTR_STRING)->s = tsr_arena_strdup(g->arena, value);
}

void tsr_node_set_ints(struct tsr_graph *g, struct tsr_node *n, const char *name, int count,
                       const int64_t *values)
{
  const int64_t *copy = tsr_arena_copy(g->arena, values, (size_t)count * sizeof *values);
  struct tsr_attr *slot = attr_slot(g, n, name, TSR_ATTR_INTS);
  slot->count = count;
  slot->ints = copy;
}

void tsr_node_set_floats(struct tsr_graph *g, struct tsr_node *n, const char *name, int count,
                         const double *values)
{
  const double *copy = tsr_arena_copy(g->arena, values, (size_t)count * sizeof *values);
  struct tsr_attr *slot = attr_slot(g, n, name, TSR_ATTR_FLOATS);
  slot->count = count;
  slot->floats = copy;
}

int64_t tsr_node_int(const struct tsr_node *n, const char *name, int64_t otherwise)
{
  const struct tsr_attr *attr = tsr_node_attr(n, name);
  return attr ? attr->i : otherwise;
}

double tsr_node_float(const struct tsr_node *n, const char *name, double otherwise)
{
  const struct tsr_attr *attr = tsr_node_attr(n, name);
  return attr ? attr->f : otherwise;
}

void tsr_node_ints(const struct tsr_node *n, const char *name, int count, int64_t otherwise,
                   int64_t *out)
{
  const struct tsr_attr *attr = tsr_node_attr(n, name);
  assert(!attr || attr->count == count);
  for (int i = 0; i < count; i++)
    out[i] = attr ? attr->ints[i] : otherwise;
}
