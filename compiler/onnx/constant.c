/* SPDX-License-Identifier: Apache-2.0 */
/* Constant nodes: one attribute says the value, in one of seven forms. */
#include <string.h>

#include "compiler/onnx/private.h"

static enum tsr_status from_tensor(struct tsr__onnx *x, const Onnx__AttributeProto *p,
                                   struct tsr_tensor *out)
{
  if (!p->t)
    return tsr_refuse(x->err, "attribute 'value' holds no tensor");
  return tsr__onnx_tensor(x->arena, x->err, p->t, &x->external, out);
}

static struct tsr_tensor scalar(struct tsr__onnx *x, enum tsr_dtype dtype, const void *v)
{
  return (struct tsr_tensor){.dtype = dtype,
                             .data = tsr_arena_copy(x->arena, v, tsr_dtype_bytes(dtype))};
}

static struct tsr_tensor list(struct tsr__onnx *x, enum tsr_dtype dtype, size_t n, const void *v)
{
  return (struct tsr_tensor){.dtype = dtype,
                             .rank = 1,
                             .dims = {(int64_t)n},
                             .data = tsr_arena_copy(x->arena, v, n * tsr_dtype_bytes(dtype))};
}

enum tsr_status tsr__onnx_constant(struct tsr__onnx *x, const Onnx__NodeProto *node,
                                   struct tsr_tensor *out)
{
  if (node->n_attribute != 1 || node->n_input || node->n_output != 1)
    return tsr_refuse(x->err, "must have one attribute, one output and no input");
  const Onnx__AttributeProto *p = node->attribute[0];
  const char *name = tsr__onnx_text(p->name);
  if (!strcmp(name, "value"))
    return from_tensor(x, p, out);
  if (!strcmp(name, "value_float"))
    *out = scalar(x, TSR_F32, &p->f);
  else if (!strcmp(name, "value_int"))
    *out = scalar(x, TSR_I64, &p->i);
  else if (!strcmp(name, "value_floats"))
    *out = list(x, TSR_F32, p->n_floats, p->floats);
  else if (!strcmp(name, "value_ints"))
    *out = list(x, TSR_I64, p->n_ints, p->ints);
  else
    return tsr_refuse(x->err,
                      "its value is given by '%s'; value, value_float, value_floats, value_int "
                      "and value_ints are supported",
                      tsr__onnx_show(x->arena, name));
  return TSR_OK;
}
