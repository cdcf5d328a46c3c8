/* SPDX-License-Identifier: Apache-2.0 */
/* Constants: what depends on nothing else is computed once, here. And nodes that only copy go away.
 * DequantizeLinear stays: behind it stand the int8 weights that quantize wants; pass "weights"
 * folds what is left of it. */
#include <string.h>

#include "compiler/graph/graph_private.h"

enum { MOST_BYTES = 1 << 24 }; /* of a result: a small formula must not become a large file */

static bool all_constant(const struct tsr_node *n)
{
  for (int k = 0; k < n->inputs; k++)
    if (n->in[k] && !n->in[k]->data)
      return false;
  return true;
}

static bool small_outputs(const struct tsr_node *n)
{
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k] &&
        tsr__count(n->out[k]) > MOST_BYTES / (int64_t)tsr_dtype_bytes(n->out[k]->dtype))
      return false;
  return true;
}

/* Every output of n becomes a constant, where all its inputs are and the op has a compute. */
void tsr__fold_node(struct tsr_graph *g, struct tsr_node *n)
{
  const void **in = TSR_NEW_ARRAY(g->arena, const void *, n->inputs);
  void **out = TSR_NEW_ARRAY(g->arena, void *, n->outputs);
  struct tsr_tensor t;
  bool shape = n->op == TSR_G_Shape || n->op == TSR_G_Size; /* needs no elements */
  if (!small_outputs(n) || (!shape && !all_constant(n)))
    return;
  for (int k = 0; k < n->inputs; k++)
    in[k] = n->in[k] ? n->in[k]->data : NULL;
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k]) {
      t = tsr_value_tensor(n->out[k]);
      out[k] = tsr_arena_alloc(g->arena, tsr_tensor_bytes(&t) + 1);
    }
  t = tsr_value_tensor(n->out[0]);
  t.data = out[0];
  if (!tsr__shape_elements(n, &t) && tsr__evaluate(g->arena, NULL, n, in, out) != TSR_OK)
    return;
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k]) { /* a value of its own: the node's may be looked at until the sweep */
      struct tsr_value *v = n->out[k];
      tsr__replace(g, v, tsr_graph_constant(g, v->name, v->dtype, v->rank, v->dims, out[k]));
    }
}

/* Does x and the node's output hold the same elements in the same order, with the same type? */
static bool only_copies(const struct tsr_node *n)
{
  double zero;
  switch (n->op) {
  case TSR_G_Identity:
    return true;
  case TSR_G_Cast:
  case TSR_G_Reshape:
  case TSR_G_Flatten:
  case TSR_G_Squeeze:
  case TSR_G_Unsqueeze:
  case TSR_G_Expand:
  case TSR_G_Tile:
    return tsr__same_type(n->in[0], n->out[0]);
  case TSR_G_Slice: /* all of it, and not backwards */
    if (!tsr__same_type(n->in[0], n->out[0]))
      return false;
    return n->inputs < 5 || !n->in[4] || (tsr__uniform(n->in[4], &zero) && zero == 1);
  case TSR_G_Concat:
  case TSR_G_Sum:
  case TSR_G_Max:
  case TSR_G_Min:
    return n->inputs == 1;
  case TSR_G_Pad:
    return tsr__uniform(n->in[1], &zero) && zero == 0;
  case TSR_G_Transpose:
    for (int i = 0; i < n->in[0]->rank; i++) {
      const struct tsr_attr *perm = tsr_node_attr(n, "perm");
      if ((perm ? perm->ints[i] : n->in[0]->rank - 1 - i) != i)
        return false;
    }
    return true;
  default:
    return false;
  }
}

enum tsr_status tsr__pass_fold(struct tsr_err *err, struct tsr_graph *g)
{
  (void)err;
  int nodes = g->nodes;
  for (int i = 0; i < nodes; i++) {
    struct tsr_node *n = g->node[i];
    if (n->outputs == 0 || !n->out[0])
      continue;
    if (only_copies(n))
      tsr__replace(g, n->out[0], n->in[0]);
    else if (n->op != TSR_G_DequantizeLinear)
      tsr__fold_node(g, n);
  }
  tsr__sweep(g);
  return TSR_OK;
}

enum tsr_status tsr__pass_weights(struct tsr_err *err, struct tsr_graph *g)
{
  (void)err;
  int nodes = g->nodes;
  for (int i = 0; i < nodes; i++)
    if (g->node[i]->out[0])
      tsr__fold_node(g, g->node[i]);
  tsr__sweep(g);
  return TSR_OK;
}
