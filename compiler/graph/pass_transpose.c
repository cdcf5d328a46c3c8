/* SPDX-License-Identifier: Apache-2.0 */
/* Transposes and reshapes in a row become one, or none. A transpose passes elementwise ops on its
 * way down, until it meets another, and a transpose that moves only dims of 1 is a reshape. */
#include <string.h>

#include "compiler/graph/graph_private.h"

static void permutation(const struct tsr_node *n, int64_t perm[TSR_MAX_RANK])
{
  const struct tsr_attr *attr = tsr_node_attr(n, "perm");
  int rank = n->in[0]->rank;
  for (int i = 0; i < rank; i++)
    perm[i] = attr ? attr->ints[i] : rank - 1 - i;
}

/* Reshape of x to the dims of v, which it replaces. */
static void reshape_to(struct tsr_graph *g, struct tsr_value *x, struct tsr_value *v)
{
  if (tsr__same_type(x, v)) {
    tsr__replace(g, v, x);
    return;
  }
  struct tsr_value *in[] = {x, tsr__add_ints(g, "shape", v->rank, v->dims)};
  struct tsr_node *n = tsr__add_node(g, TSR_G_Reshape, v->producer->name, 2, in);
  tsr_node_set_int(g, n, "allowzero", 1);
  tsr__take_type(n->out[0], v, v->dtype);
  tsr__replace(g, v, n->out[0]);
}

static bool reshapes(const struct tsr_node *n)
{
  return n && (n->op == TSR_G_Reshape || n->op == TSR_G_Flatten || n->op == TSR_G_Squeeze ||
               n->op == TSR_G_Unsqueeze);
}

static bool merge_reshapes(struct tsr_graph *g, struct tsr_node *n)
{
  if (!reshapes(n) || !n->in[0]->producer || !reshapes(n->in[0]->producer))
    return false;
  reshape_to(g, n->in[0]->producer->in[0], n->out[0]);
  return true;
}

/* Do the dims of more than 1 keep their order? */
static bool moves_nothing(const struct tsr_node *n)
{
  int64_t perm[TSR_MAX_RANK], last = -1;
  permutation(n, perm);
  for (int i = 0; i < n->in[0]->rank; i++) {
    if (n->in[0]->dims[perm[i]] == 1)
      continue;
    if (perm[i] < last)
      return false;
    last = perm[i];
  }
  return true;
}

static bool merge_transposes(struct tsr_graph *g, struct tsr_node *n)
{
  int64_t outer[TSR_MAX_RANK], inner[TSR_MAX_RANK], both[TSR_MAX_RANK];
  struct tsr_node *first = tsr__made_by(n->in[0], TSR_G_Transpose);
  if (!first)
    return false;
  permutation(n, outer);
  permutation(first, inner);
  for (int i = 0; i < n->in[0]->rank; i++)
    both[i] = inner[outer[i]];
  struct tsr_node *m = tsr__add_node(g, TSR_G_Transpose, n->name, 1, first->in);
  tsr_node_set_ints(g, m, "perm", n->in[0]->rank, both);
  tsr__take_type(m->out[0], n->out[0], n->out[0]->dtype);
  tsr__replace(g, n->out[0], m->out[0]);
  return true;
}

/* Ops of one tensor (and maybe constants that are one number or a table) that look at elements one
 * by one. */
static bool passes_elements(const struct tsr_node *n)
{
  double number;
  switch (n->op) {
  case TSR_G_QLut:
    return true;
  case TSR_G_QuantizeLinear:
  case TSR_G_DequantizeLinear:
    return tsr__uniform(n->in[1], &number) && (n->inputs < 3 || !n->in[2] ||
                                               tsr__uniform(n->in[2], &number));
  case TSR_G_Abs: case TSR_G_Cast: case TSR_G_Clip: case TSR_G_Elu: case TSR_G_Erf: case TSR_G_Exp:
  case TSR_G_HardSigmoid:
  case TSR_G_HardSwish:
  case TSR_G_LeakyRelu:
  case TSR_G_Neg:
  case TSR_G_Relu:
  case TSR_G_Sigmoid: case TSR_G_Softplus: case TSR_G_Sqrt: case TSR_G_Tanh:
    return true;
  default:
    return false;
  }
}

/* f(transpose(x)) -> transpose(f(x)), and the same for QAdd and QMul of two equal transposes. */
static bool pass_down(struct tsr_graph *g, struct tsr_node *n)
{
  bool two = n->op == TSR_G_QAdd || n->op == TSR_G_QMul;
  struct tsr_node *t[2] = {NULL, NULL};
  int64_t perm[2][TSR_MAX_RANK];
  if (!two && !passes_elements(n))
    return false;
  for (int k = 0; k <= two; k++) {
    t[k] = tsr__made_by(n->in[k], TSR_G_Transpose);
    if (!t[k] || tsr_graph_uses(g, n->in[k]) != 1)
      return false;
    permutation(t[k], perm[k]);
  }
  int rank = n->in[0]->rank;
  if (two && memcmp(perm[0], perm[1], (size_t)rank * sizeof perm[0][0]))
    return false;
  struct tsr_node *m = tsr__add_node(g, n->op, n->name, n->inputs, n->in);
  tsr__copy_attrs(g, m, n);
  for (int k = 0; k <= two; k++)
    m->in[k] = t[k]->in[0];
  tsr__take_type(m->out[0], t[0]->in[0], n->out[0]->dtype);
  struct tsr_node *after = tsr__add_node(g, TSR_G_Transpose, t[0]->name, 1, m->out);
  tsr_node_set_ints(g, after, "perm", rank, perm[0]);
  tsr__take_type(after->out[0], n->out[0], n->out[0]->dtype);
  tsr__replace(g, n->out[0], after->out[0]);
  return true;
}

static bool step(struct tsr_graph *g, struct tsr_node *n)
{
  if (n->op == TSR_G_Transpose && moves_nothing(n)) {
    reshape_to(g, n->in[0], n->out[0]);
    return true;
  }
  if (n->op == TSR_G_Transpose)
    return merge_transposes(g, n);
  return merge_reshapes(g, n) || pass_down(g, n);
}

enum tsr_status tsr__pass_transpose(struct tsr_err *err, struct tsr_graph *g)
{
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0, nodes = g->nodes; i < nodes; i++)
      changed |= step(g, g->node[i]);
    tsr__sweep(g);
  }
  return tsr_graph_infer(err, g);
}
