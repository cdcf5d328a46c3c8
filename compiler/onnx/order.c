/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX wants nodes in topological order; not every exporter keeps to it. */
#include "compiler/onnx/private.h"

enum visit { NOT_YET, ON_PATH, DONE };

struct step {
  int node;
  size_t next; /* input to look at next */
};

/* The node that an input comes from and that is not done; -1 when the input is ready. */
static int pending(const struct tsr__onnx *x, const uint8_t *visit, const char *input)
{
  const struct tsr__onnx_name *name = *input ? tsr__onnx_find(&x->names, input) : NULL;
  return name && name->node >= 0 && visit[name->node] != DONE ? name->node : -1;
}

static enum tsr_status refuse_cycle(struct tsr__onnx *x, int node)
{
  tsr_refuse(x->err, "depends on its own output: the graph has a cycle");
  return tsr__onnx_at_node(x, x->draft[node].proto);
}

/* Depth first without recursion: a node is placed when all that it reads from is. */
enum tsr_status tsr__onnx_order(struct tsr__onnx *x, int *order)
{
  uint8_t *visit = TSR_NEW_ARRAY(x->arena, uint8_t, x->nodes);
  struct step *path = TSR_NEW_ARRAY(x->arena, struct step, x->nodes + 1);
  int placed = 0;
  for (int root = 0; root < x->nodes; root++) {
    int depth = visit[root] == NOT_YET ? 1 : 0;
    path[0] = (struct step){.node = root};
    while (depth) {
      struct step *s = &path[depth - 1];
      const Onnx__NodeProto *n = x->draft[s->node].proto;
      visit[s->node] = ON_PATH;
      int before = -1;
      while (before < 0 && s->next < n->n_input)
        before = pending(x, visit, n->input[s->next++]);
      if (before >= 0 && visit[before] == ON_PATH)
        return refuse_cycle(x, before);
      if (before >= 0) {
        path[depth++] = (struct step){.node = before};
      } else {
        visit[s->node] = DONE;
        order[placed++] = s->node;
        depth--;
      }
    }
  }
  return TSR_OK;
}
