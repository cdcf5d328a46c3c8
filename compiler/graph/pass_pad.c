/* SPDX-License-Identifier: Apache-2.0 */
/* Padding with zeros is something a convolution does itself. The Pad stands before it, or before
 * the DequantizeLinear before it, where zero is the zero point. */
#include <string.h>

#include "compiler/graph/graph_private.h"

/* Does n pad spatial dims only, by no less than nothing, with `zero`? */
static bool pads_with(const struct tsr_node *n, double zero)
{
  const struct tsr_attr *mode = tsr_node_attr(n, "mode");
  double value = 0;
  if (!n->in[1]->data || (mode && strcmp(mode->s, "constant")) ||
      (n->inputs > 2 && n->in[2] && !tsr__uniform(n->in[2], &value)) || value != zero)
    return false;
  struct tsr_tensor pads = tsr_value_tensor(n->in[1]);
  int rank = n->in[0]->rank;
  for (int i = 0; i < 2 * rank; i++) {
    int64_t p = tsr_get_int(&pads, i);
    if (p < 0 || (i % rank < 2 && p))
      return false;
  }
  return true;
}

/* The Pad in front of conv; *dq is the DequantizeLinear between, or NULL. */
static struct tsr_node *pad_before(const struct tsr_node *conv, struct tsr_node **dq)
{
  struct tsr__scale s = {0};
  *dq = tsr__dequantized(conv->in[0], &s);
  struct tsr_node *n = tsr__made_by(*dq ? (*dq)->in[0] : conv->in[0], TSR_G_Pad);
  return n && pads_with(n, *dq ? s.zero : 0) ? n : NULL;
}

static void take_pad(struct tsr_graph *g, struct tsr_node *conv, const struct tsr_node *pad,
                     struct tsr_node *dq)
{
  struct tsr_tensor more = tsr_value_tensor(pad->in[1]);
  int rank = pad->in[0]->rank, spatial = rank - 2;
  int64_t pads[2 * TSR_MAX_RANK];
  tsr_node_ints(conv, "pads", 2 * spatial, 0, pads);
  for (int i = 0; i < spatial; i++) {
    pads[i] += tsr_get_int(&more, i + 2);
    pads[i + spatial] += tsr_get_int(&more, i + 2 + rank);
  }
  struct tsr_node *m = tsr__add_node(g, TSR_G_Conv, conv->name, conv->inputs, conv->in);
  tsr__copy_attrs(g, m, conv);
  tsr_node_set_ints(g, m, "pads", 2 * spatial, pads);
  m->in[0] = pad->in[0];
  if (dq) {
    struct tsr_node *d = tsr__add_node(g, TSR_G_DequantizeLinear, dq->name, dq->inputs, dq->in);
    d->in[0] = pad->in[0];
    tsr__take_type(d->out[0], pad->in[0], dq->out[0]->dtype);
    m->in[0] = d->out[0];
  }
  tsr__take_type(m->out[0], conv->out[0], conv->out[0]->dtype);
  tsr__replace(g, conv->out[0], m->out[0]);
}

enum tsr_status tsr__pass_pad(struct tsr_err *err, struct tsr_graph *g)
{
  for (int i = 0, nodes = g->nodes; i < nodes; i++) {
    struct tsr_node *n = g->node[i], *dq;
    struct tsr_node *pad = n->op == TSR_G_Conv ? pad_before(n, &dq) : NULL;
    if (pad)
      take_pad(g, n, pad, dq);
  }
  tsr__sweep(g);
  return tsr_graph_infer(err, g);
}
