/* SPDX-License-Identifier: Apache-2.0 */
/* Upsample and the many Resizes become one: inputs x, nothing, scales, sizes, and the coordinates
 * always said. Before opset 11 they were asymmetric, and `nearest` took the pixel that ONNX Runtime
 * takes: the one before when growing, the one behind when shrinking. */
#include <string.h>

#include "compiler/onnx/private.h"

static void resize_inputs(struct tsr__onnx_draft *d, struct tsr_value *scales,
                          struct tsr_value *sizes)
{
  d->in[1] = NULL;
  d->in[2] = scales;
  d->in[3] = sizes;
  d->inputs = 4;
}

/* Opset 11 had no way of leaving an input out, and wrote an empty tensor. */
static struct tsr_value *unless_empty(const struct tsr__onnx_draft *d, int k)
{
  struct tsr_value *v = k < d->inputs ? d->in[k] : NULL;
  return v && v->typed && tsr_count(v->dims, v->rank, 1) == 0 ? NULL : v;
}

static enum tsr_status modern_resize(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  static const char *const silent[] = {"cubic_coeff_a", "extrapolation_value", NULL};
  const struct tsr_attr *mode = tsr__onnx_attr(d, "coordinate_transformation_mode");
  if (mode && mode->kind == TSR_ATTR_STRING && !strcmp(mode->s, "tf_crop_and_resize"))
    return tsr_refuse(x->err, "coordinate_transformation_mode tf_crop_and_resize is not supported");
  if (tsr__onnx_attr(d, "axes"))
    return tsr_refuse(x->err,
                      "attribute 'axes' is not supported; give scales or sizes of all axes");
  enum tsr_status status = tsr__onnx_only_int(x, d, "antialias", 0);
  if (!status)
    status = tsr__onnx_only_int(x, d, "exclude_outside", 0);
  if (!status)
    status = tsr__onnx_only_string(x, d, "keep_aspect_ratio_policy", "stretch");
  if (status)
    return status;
  struct tsr_value *scales = unless_empty(d, 2), *sizes = unless_empty(d, 3);
  if (!scales == !sizes)
    return tsr_refuse(x->err, "must have either scales or sizes");
  for (const char *const *name = silent; *name; name++)
    tsr__onnx_drop_attr(d, *name);
  if (!mode)
    tsr__onnx_set_string(d, "coordinate_transformation_mode", "half_pixel");
  resize_inputs(d, scales, sizes);
  return TSR_OK;
}

/* Scales of opset 10, which pick the pixel; 0 where they are of both kinds. */
static const char *nearest_mode(const struct tsr_value *scales)
{
  struct tsr_tensor t = tsr_value_tensor(scales);
  bool grows = true, shrinks = true;
  for (int64_t i = 0; i < tsr_tensor_count(&t); i++) {
    grows = grows && tsr_get_float(&t, i) >= 1;
    shrinks = shrinks && tsr_get_float(&t, i) <= 1;
  }
  return grows ? "floor" : shrinks ? "ceil" : NULL;
}

static enum tsr_status old_resize(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                  struct tsr_value *scales)
{
  if (!scales || !scales->data)
    return tsr_refuse(x->err, "its scales must be a constant before opset 11");
  const char *nearest = nearest_mode(scales);
  const struct tsr_attr *mode = tsr__onnx_attr(d, "mode");
  if (!nearest && (!mode || mode->kind != TSR_ATTR_STRING || !strcmp(mode->s, "nearest")))
    return tsr_refuse(x->err,
                      "grows one axis and shrinks another, which opset 10 leaves undefined; "
                      "export the model with opset 11 or later");
  tsr__onnx_set_string(d, "coordinate_transformation_mode", "asymmetric");
  tsr__onnx_set_string(d, "nearest_mode", nearest ? nearest : "floor");
  resize_inputs(d, scales, NULL);
  return TSR_OK;
}

enum tsr_status tsr__onnx_resize(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  if (x->opset >= 11)
    return modern_resize(x, d);
  return old_resize(x, d, d->inputs > 1 ? d->in[1] : NULL);
}

enum tsr_status tsr__onnx_upsample(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  enum tsr_status status = tsr__onnx_attr_to_input(x, d, "scales", 1);
  return status ? status : old_resize(x, d, d->inputs > 1 ? d->in[1] : NULL);
}
