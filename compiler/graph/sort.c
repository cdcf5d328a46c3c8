/* SPDX-License-Identifier: Apache-2.0 */
/* Topological order: nodes keep their order as far as their producers allow it. */
#include <assert.h>
#include <stdlib.h>

#include "compiler/graph/graph_private.h"

struct mark {
  struct tsr_node *node;
  int next_input; /* the first whose producer has not been looked at */
  bool open, done;
};

static int by_address(const void *x, const void *y)
{
  uintptr_t a = (uintptr_t)((const struct mark *)x)->node;
  uintptr_t b = (uintptr_t)((const struct mark *)y)->node;
  return a < b ? -1 : a > b;
}

static struct mark *mark_of(struct mark *marks, int count, struct tsr_node *n)
{
  struct mark key = {.node = n};
  struct mark *m = bsearch(&key, marks, (size_t)count, sizeof *marks, by_address);
  assert(m && "a value's producer is not in the graph");
  return m;
}

/* The next producer of m's node that has to stand before it; NULL when there is none left. */
static struct mark *next_producer(struct mark *marks, int count, struct mark *m)
{
  while (m->next_input < m->node->inputs) {
    const struct tsr_value *v = m->node->in[m->next_input++];
    if (!v || !v->producer)
      continue;
    struct mark *p = mark_of(marks, count, v->producer);
    if (!p->done)
      return p;
  }
  return NULL;
}

void tsr_graph_sort(struct tsr_graph *g)
{
  if (!g->nodes)
    return;
  struct mark *marks = TSR_NEW_ARRAY(g->arena, struct mark, g->nodes);
  struct mark **stack = TSR_NEW_ARRAY(g->arena, struct mark *, g->nodes);
  struct tsr_node **order = TSR_NEW_ARRAY(g->arena, struct tsr_node *, g->nodes);
  int ordered = 0;
  for (int i = 0; i < g->nodes; i++)
    marks[i].node = g->node[i];
  qsort(marks, (size_t)g->nodes, sizeof *marks, by_address);
  for (int i = 0; i < g->nodes; i++) {
    int depth = 0;
    stack[depth++] = mark_of(marks, g->nodes, g->node[i]);
    while (depth) {
      struct mark *m = stack[depth - 1];
      m->open = true;
      struct mark *p = m->done ? NULL : next_producer(marks, g->nodes, m);
      if (p) {
        assert(!p->open && "a graph has no cycle");
        stack[depth++] = p;
        continue;
      }
      if (!m->done)
        order[ordered++] = m->node;
      m->open = false;
      m->done = true;
      depth--;
    }
  }
  assert(ordered == g->nodes);
  g->node = order;
  g->node_capacity = (size_t)g->nodes;
}
