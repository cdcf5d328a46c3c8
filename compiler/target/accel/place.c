/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes the accelerator runs. */
#include "compiler/target/accel/block.h"

static const char *shape_refusal(struct tsr_arena *a, const struct tsr_value *v)
{
  char dims[192];
  if (v->rank >= 2 && v->rank <= 4)
    return NULL;
  return tsr_arena_printf(a, "'%s' is %s; activations on the accelerator have 2 to 4 dims", v->name,
                          tsr_dims_text(v->dims, v->rank, dims));
}

static const char *empty_refusal(struct tsr_arena *a, const struct tsr_value *v)
{
  if (tsr_count(v->dims, v->rank, 1) > 0)
    return NULL;
  return tsr_arena_printf(a, "'%s' has no elements", v->name);
}

static const char *dtype_refusal(struct tsr_arena *a, const struct tsr_node *n)
{
  const char *dtype = n->outputs && n->out[0] ? tsr_dtype_name(n->out[0]->dtype) : "no type";
  const struct tsr_attr *reason =
      tsr_node_attr(n, "reason"); /* of the pass that would make it int8 */
  if (reason)
    return tsr_arena_printf(a, "%s computes in %s: %s", tsr_gop_name(n->op), dtype, reason->s);
  return tsr_arena_printf(a, "%s computes in %s; the accelerator runs int8 ops",
                          tsr_gop_name(n->op), dtype);
}

/* The first reason that an activation gives: of the inputs that n's op has of them, and of its results. */
static const char *activation_refusal(struct tsr_arena *a, const struct tsr_node *n)
{
  bool all = n->op == TSR_G_Concat || n->op == TSR_G_Interleave || n->op == TSR_G_QAdd ||
             n->op == TSR_G_QMul;
  const char *why = NULL;
  for (int k = 0; k < (all ? n->inputs : 1) && !why; k++) {
    why = shape_refusal(a, n->in[k]);
    why = why ? why : empty_refusal(a, n->in[k]);
  }
  for (int k = 0; k < n->outputs && !why; k++)
    if (n->out[k]) {
      why = shape_refusal(a, n->out[k]);
      why = why ? why : empty_refusal(a, n->out[k]);
    }
  return why;
}

const char *tsr_accel_refusal(struct tsr_arena *a, const struct tsr_node *n)
{
  switch (n->op) {
  case TSR_G_QConv:
  case TSR_G_QDense:
  case TSR_G_QAdd:
  case TSR_G_QMul:
  case TSR_G_QMaxPool:
  case TSR_G_QAvgPool:
  case TSR_G_QLut: break;
  case TSR_G_Pack:
  case TSR_G_Unpack: return "layouts are changed by the CPU";
  case TSR_G_QuantizeLinear:
  case TSR_G_DequantizeLinear:
    return "conversion between float and int8 at the border is the CPU's";
  default:
    if (!n->outputs || !n->out[0] || n->out[0]->dtype != TSR_I8)
      return dtype_refusal(a, n);
    const char *why = tsr__join_refusal(a, n);
    if (why)
      return why;
  }
  return activation_refusal(a, n);
}

bool tsr_accel_runs(enum tsr_gop op)
{
  switch (op) {
  case TSR_G_AccConv:
  case TSR_G_AccDepthwise:
  case TSR_G_AccAdd:
  case TSR_G_AccMul:
  case TSR_G_AccMaxPool:
  case TSR_G_AccAvgPool:
  case TSR_G_AccLut: return true;
  default: return false;
  }
}
