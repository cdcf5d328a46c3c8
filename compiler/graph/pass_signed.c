/* SPDX-License-Identifier: Apache-2.0 */
/* uint8 activations become int8: q - 128 with zero point z - 128 stands for the same real number.
 *
 * Every uint8 value that is quantized here, or moved from one that is, gets a signed twin; what
 * reads uint8 for good (outputs of the graph, ops that we do not know) reads the twin shifted back.
 * Weights are constants and stay as they are: pass "quantize" reads both kinds. */
#include <assert.h>

#include "compiler/graph/graph_private.h"

struct twins {
  struct tsr_graph *g;
  struct tsr__map *signed_of,
      *unsigned_of; /* by the u8 value: its i8 twin; the twin shifted back */
};

/* x + offset in i32, then as dtype. */
static struct tsr_value *shifted(struct tsr_graph *g, struct tsr_value *x, int offset,
                                 enum tsr_dtype dtype)
{
  struct tsr_value *in[] = {x, tsr__add_scalar(g, "offset", TSR_I32, offset)};
  struct tsr_node *wide = tsr__add_node(g, TSR_G_Cast, x->name, 1, in);
  in[0] = wide->out[0];
  struct tsr_node *sum = tsr__add_node(g, TSR_G_Add, x->name, 2, in);
  struct tsr_node *narrow = tsr__add_node(g, TSR_G_Cast, x->name, 1, sum->out);
  tsr_node_set_int(g, wide, "to", tsr_dtype_onnx(TSR_I32));
  tsr_node_set_int(g, narrow, "to", tsr_dtype_onnx(dtype));
  return narrow->out[0];
}

/* The zero point of n, input k, less 128; NULL when it is not one constant. */
static struct tsr_value *signed_zero(struct tsr_graph *g, const struct tsr_node *n)
{
  double zero = 0;
  if (n->inputs > 2 && n->in[2] && !tsr__uniform(n->in[2], &zero))
    return NULL;
  return tsr__add_scalar(g, n->inputs > 2 && n->in[2] ? n->in[2]->name : "zero", TSR_I8,
                         zero - 128);
}

static struct tsr_node *with_three_inputs(struct tsr_graph *g, struct tsr_node *n, enum tsr_gop op,
                                          struct tsr_value *x, struct tsr_value *zero)
{
  struct tsr_value *in[] = {x, n->in[1], zero};
  struct tsr_node *m = tsr__add_node(g, op, n->out[0]->name, 3, in);
  if (tsr_node_attr(n, "axis"))
    tsr_node_set_int(g, m, "axis", tsr_node_int(n, "axis", 1));
  return m;
}

static bool one_scale(const struct tsr_node *n)
{
  double scale;
  return tsr__uniform(n->in[1], &scale);
}

static void quantize_signed(struct twins *t, struct tsr_node *n)
{
  struct tsr_value *zero = one_scale(n) ? signed_zero(t->g, n) : NULL;
  if (zero)
    tsr__map_put(t->signed_of, n->out[0],
                 with_three_inputs(t->g, n, TSR_G_QuantizeLinear, n->in[0], zero)->out[0]);
}

static bool dequantize_signed(struct twins *t, struct tsr_node *n)
{
  struct tsr_value *zero, *twin = (struct tsr_value *)tsr__map_get(t->signed_of, n->in[0]);
  if (n->in[0]->data || !one_scale(n) || !(zero = signed_zero(t->g, n)))
    return false;
  if (!twin) {
    twin = shifted(t->g, n->in[0], -128, TSR_I8);
    tsr__map_put(t->signed_of, n->in[0], twin);
    tsr__map_put(t->unsigned_of, n->in[0], n->in[0]);
  }
  tsr__replace(t->g, n->out[0],
                    with_three_inputs(t->g, n, TSR_G_DequantizeLinear, twin, zero)->out[0]);
  return true;
}

/* Ops that copy elements, or choose among them by their order: the shift passes through. */
static bool carries(const struct tsr_node *n, int *data)
{
  *data = 1;
  switch (n->op) {
  case TSR_G_Concat:
    *data = n->inputs;
    return true;
  case TSR_G_Reshape:
  case TSR_G_Flatten:
  case TSR_G_Squeeze:
  case TSR_G_Unsqueeze:
  case TSR_G_Transpose:
  case TSR_G_Slice:
  case TSR_G_Split:
  case TSR_G_Gather:
  case TSR_G_Expand:
  case TSR_G_Tile:
  case TSR_G_DepthToSpace:
  case TSR_G_MaxPool:
    return true;
  default:
    return false;
  }
}

static bool carry(struct twins *t, struct tsr_node *n)
{
  int data;
  if (!carries(n, &data))
    return false;
  for (int k = 0; k < data; k++)
    if (!tsr__map_get(t->signed_of, n->in[k]))
      return false;
  struct tsr_node *m = tsr_graph_node(t->g, n->op, n->name, n->inputs, n->outputs);
  tsr__copy_attrs(t->g, m, n);
  for (int k = 0; k < n->inputs; k++)
    m->in[k] = k < data ? (struct tsr_value *)tsr__map_get(t->signed_of, n->in[k]) : n->in[k];
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k]) {
      tsr_node_set_output(m, k, tsr_graph_value(t->g, n->out[k]->name));
      tsr__map_put(t->signed_of, n->out[k], m->out[k]);
    }
  return true;
}

/* What a reader of u8 reads in v's place. */
static struct tsr_value *back(struct twins *t, struct tsr_value *v)
{
  struct tsr_value *twin = v ? (struct tsr_value *)tsr__map_get(t->signed_of, v) : NULL;
  if (!twin)
    return v;
  if (!tsr__map_get(t->unsigned_of, v))
    tsr__map_put(t->unsigned_of, v, shifted(t->g, twin, 128, TSR_U8));
  return (struct tsr_value *)tsr__map_get(t->unsigned_of, v);
}

enum tsr_status tsr__pass_signed(struct tsr_err *err, struct tsr_graph *g)
{
  struct twins t = {g, tsr__map_new(g->arena), tsr__map_new(g->arena)};
  int nodes = g->nodes;
  for (int i = 0; i < nodes; i++) {
    struct tsr_node *n = g->node[i];
    bool carried = false;
    if (n->op == TSR_G_QuantizeLinear && n->out[0]->dtype == TSR_U8)
      quantize_signed(&t, n);
    else if (n->op == TSR_G_DequantizeLinear && n->in[0]->dtype == TSR_U8)
      carried = dequantize_signed(&t, n);
    else
      carried = carry(&t, n);
    for (int k = 0; k < n->inputs && !carried; k++)
      n->in[k] = back(&t, n->in[k]);
  }
  for (int i = 0; i < g->outputs; i++) {
    struct tsr_value *v = back(&t, g->output[i]);
    if (v != g->output[i])
      tsr__swap_names(v, g->output[i]);
    g->output[i] = v;
  }
  tsr__sweep(g);
  return tsr_graph_infer(err, g);
}
