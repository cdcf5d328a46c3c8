/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes the accelerator runs. */
#include "compiler/target/accel/accel.h"

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
    if (n->outputs && n->out[0] && n->out[0]->dtype == TSR_I8)
      return tsr_arena_printf(a, "the accelerator has no instruction for %s", tsr_gop_name(n->op));
    return dtype_refusal(a, n);
  }
  const char *why = shape_refusal(a, n->in[0]);
  if (!why)
    why = empty_refusal(a, n->in[0]);
  return why ? why : shape_refusal(a, n->out[0]);
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
