/* SPDX-License-Identifier: Apache-2.0 */
/* The floats of a graph in another dtype. Ops are converted one by one: a constant is converted here, a value
 * that is made in the other dtype by a Cast, once. Inputs and outputs of the graph keep their dtypes. */
#include <math.h>

#include "compiler/graph/graph_private.h"

struct conversion {
  struct tsr_graph *g;
  enum tsr_dtype to;
  struct tsr__map *was;   /* converted results: to what they had been */
  struct tsr__map *other; /* values: to the same in the other dtype, if anything wants that */
  struct tsr__map *kept;  /* results of ops that stay as they are */
};

static bool converts(const struct tsr_value *v)
{
  return v && tsr_dtype_kind(v->dtype) == TSR_KIND_FLOAT && v->dtype != TSR_F64;
}

/* --- which ops -------------------------------------------------------------------------------- */

/* Their dtypes are attributes, or those of quantization parameters, or count. */
static bool is_fixed(enum tsr_gop op)
{
  switch (op) {
  case TSR_G_Cast:
  case TSR_G_ConstantOfShape:
  case TSR_G_Range:
  case TSR_G_QuantizeLinear:
  case TSR_G_DequantizeLinear:
  case TSR_G_QLinearAdd:
  case TSR_G_QLinearConv:
  case TSR_G_QLinearGlobalAveragePool:
  case TSR_G_QLinearMatMul: return true;
  default: return false;
  }
}

/* What grows fast leaves the range of f16: the squares of a variance do where x is 256, or 1/4096. */
static bool grows(const struct tsr_node *n)
{
  bool square = n->op == TSR_G_Mul && n->in[0] == n->in[1];
  return square || n->op == TSR_G_Pow || n->op == TSR_G_Exp;
}

static bool multiplies_matrices(enum tsr_gop op)
{
  return op == TSR_G_Conv || op == TSR_G_ConvTranspose || op == TSR_G_Gemm || op == TSR_G_MatMul;
}

/* Numbers that may be f32 beside any x. */
static bool is_number(const struct tsr_node *n, int k)
{
  bool may = (n->op == TSR_G_Clip && k > 0) || (n->op == TSR_G_Pad && k > 1) ||
             (n->op == TSR_G_Resize && k > 0);
  return may && n->in[k]->dtype == TSR_F32;
}

/* Whether constant v has no element that becomes infinite; and, a lone number such as the epsilon of a
 * variance, is not lost among the denormals. */
static bool fits(const struct tsr_value *v, enum tsr_dtype to)
{
  struct tsr_tensor t = tsr_value_tensor(v), one = {.dtype = to, .data = (uint32_t[1]){0}};
  double least = to == TSR_F16 ? 0x1p-14 : 0x1p-126;
  int64_t n = tsr_tensor_count(&t);
  for (int64_t i = 0; i < n; i++) {
    double x = tsr_get_float(&t, i);
    tsr_put_float(&one, 0, x);
    if (isinf(tsr_get_float(&one, 0)) && !isinf(x))
      return false;
    if (n == 1 && x != 0 && fabs(x) < least)
      return false;
  }
  return true;
}

/* The float inputs of n that are computed are all results of ops that stay f32. */
static bool follows_kept(const struct conversion *c, const struct tsr_node *n)
{
  bool any = false;
  for (int k = 0; k < n->inputs; k++) {
    if (!converts(n->in[k]) || n->in[k]->data)
      continue;
    if (!tsr__map_get(c->kept, n->in[k]))
      return false;
    any = true;
  }
  return any;
}

static bool stays(const struct conversion *c, const struct tsr_node *n)
{
  if (is_fixed(n->op) || !tsr_dtype_is_half(c->to))
    return is_fixed(n->op);
  for (int k = 0; k < n->inputs; k++)
    if (converts(n->in[k]) && n->in[k]->data && !is_number(n, k) && !fits(n->in[k], c->to))
      return true;
  return !multiplies_matrices(n->op) && (grows(n) || follows_kept(c, n));
}

/* --- converting ------------------------------------------------------------------------------- */

static struct tsr_value *converted(struct conversion *c, struct tsr_value *v, enum tsr_dtype dtype)
{
  struct tsr_tensor from = tsr_value_tensor(v);
  if (!v->data) {
    struct tsr_node *n = tsr__add_node(c->g, TSR_G_Cast, v->name, 1, &v);
    tsr_node_set_int(c->g, n, "to", tsr_dtype_onnx(dtype));
    tsr__take_type(n->out[0], v, dtype);
    return n->out[0];
  }
  struct tsr_value *constant = tsr__add_constant(c->g, v->name, dtype, v->rank, v->dims);
  struct tsr_tensor to = tsr_value_tensor(constant);
  for (int64_t i = 0; i < tsr_tensor_count(&from); i++)
    tsr_put_float(&to, i, tsr_get_float(&from, i));
  return constant;
}

static struct tsr_value *in_dtype(struct conversion *c, struct tsr_value *v, enum tsr_dtype dtype)
{
  if (v->dtype == dtype)
    return v;
  struct tsr_value *other = (struct tsr_value *)(uintptr_t)tsr__map_get(c->other, v);
  if (!other) {
    other = converted(c, v, dtype);
    tsr__map_put(c->other, v, other);
  }
  return other;
}

static enum tsr_dtype dtype_before(const struct conversion *c, const struct tsr_value *v)
{
  const enum tsr_dtype *was = tsr__map_get(c->was, v);
  return was ? *was : v->dtype;
}

static void convert_node(struct conversion *c, struct tsr_node *n)
{
  bool kept = stays(c, n);
  for (int k = 0; k < n->inputs; k++)
    if (converts(n->in[k]) && !is_number(n, k))
      n->in[k] = in_dtype(c, n->in[k], kept ? dtype_before(c, n->in[k]) : c->to);
  for (int k = 0; k < n->outputs; k++) {
    struct tsr_value *v = n->out[k];
    if (!converts(v))
      continue;
    if (kept) {
      tsr__map_put(c->kept, v, v);
    } else {
      tsr__map_put(c->was, v, tsr_arena_copy(c->g->arena, &v->dtype, sizeof v->dtype));
      v->dtype = c->to;
    }
  }
}

static void restore_output(struct conversion *c, int k)
{
  struct tsr_value **output = c->g->output, *v = output[k];
  bool named = false;
  output[k] = in_dtype(c, v, dtype_before(c, v));
  for (int i = 0; i < k; i++)
    named |= output[i] == output[k];
  if (output[k] != v && !named)
    tsr__swap_names(v, output[k]);
}

enum tsr_status tsr_graph_set_floats(struct tsr_err *err, struct tsr_graph *g, enum tsr_dtype to)
{
  struct conversion c = {.g = g,
                         .to = to,
                         .was = tsr__map_new(g->arena),
                         .other = tsr__map_new(g->arena),
                         .kept = tsr__map_new(g->arena)};
  tsr_graph_sort(g);
  for (int i = 0, nodes = g->nodes; i < nodes; i++)
    convert_node(&c, g->node[i]);
  for (int i = 0; i < g->outputs; i++)
    restore_output(&c, i);
  tsr__sweep(g);
  return tsr_graph_verify(err, g);
}
