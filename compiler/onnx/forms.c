/* SPDX-License-Identifier: Apache-2.0 */
/* One form an op: what opsets 7 to 21 say differently is brought to the form in docs/onnx.md. */
#include <inttypes.h>
#include <string.h>

#include "compiler/onnx/private.h"

struct tsr_value *tsr__onnx_new_constant(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                         const char *suffix, const struct tsr_tensor *t)
{
  const char *node = tsr__onnx_text(d->proto->name);
  if (!*node && d->proto->n_output)
    node = d->proto->output[0];
  const char *name = tsr_arena_printf(x->arena, "%s.%s", node, suffix);
  return tsr_graph_constant(x->graph, name, t->dtype, t->rank, t->dims, t->data);
}

/* An attribute's number or list of numbers as a tensor: i64 or f32. */
static enum tsr_status attr_tensor(struct tsr__onnx *x, const struct tsr_attr *a,
                                   struct tsr_tensor *t)
{
  bool list = a->kind == TSR_ATTR_INTS || a->kind == TSR_ATTR_FLOATS;
  bool real = a->kind == TSR_ATTR_FLOAT || a->kind == TSR_ATTR_FLOATS;
  if (a->kind == TSR_ATTR_STRING)
    return tsr_refuse(x->err, "attribute '%s' must be numbers", a->name);
  *t = (struct tsr_tensor){.dtype = real ? TSR_F32 : TSR_I64, .rank = list, .dims = {a->count}};
  t->data = tsr_arena_alloc(x->arena, tsr_tensor_bytes(t));
  for (int i = 0; i < (list ? a->count : 1); i++)
    if (real)
      tsr_put_float(t, i, list ? a->floats[i] : a->f);
    else
      tsr_put_int(t, i, list ? a->ints[i] : a->i);
  return TSR_OK;
}

static void set_input(struct tsr__onnx_draft *d, int k, struct tsr_value *v)
{
  d->in[k] = v; /* k < MOST_ADDED, and so many are there beyond the node's own */
  d->inputs = d->inputs > k ? d->inputs : k + 1;
}

enum tsr_status tsr__onnx_attr_to_input(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                        const char *name, int k)
{
  struct tsr_tensor t;
  const struct tsr_attr *a = tsr__onnx_attr(d, name);
  if (!a)
    return TSR_OK;
  if (k < d->inputs && d->in[k])
    return tsr_refuse(x->err, "has '%s' twice, as an attribute and as input %d", name, k);
  enum tsr_status status = attr_tensor(x, a, &t);
  if (status)
    return status;
  set_input(d, k, tsr__onnx_new_constant(x, d, name, &t));
  tsr__onnx_drop_attr(d, name);
  return TSR_OK;
}

enum tsr_status tsr__onnx_only_int(struct tsr__onnx *x, struct tsr__onnx_draft *d, const char *name,
                                   int64_t value)
{
  const struct tsr_attr *a = tsr__onnx_attr(d, name);
  if (a && (a->kind != TSR_ATTR_INT || a->i != value))
    return tsr_refuse(x->err, "attribute '%s' is supported only as %" PRId64, name, value);
  tsr__onnx_drop_attr(d, name);
  return TSR_OK;
}

enum tsr_status tsr__onnx_only_string(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                      const char *name, const char *value)
{
  const struct tsr_attr *a = tsr__onnx_attr(d, name);
  if (a && (a->kind != TSR_ATTR_STRING || strcmp(a->s, value) != 0))
    return tsr_refuse(x->err, "attribute '%s' is supported only as '%s'", name, value);
  tsr__onnx_drop_attr(d, name);
  return TSR_OK;
}

void tsr__onnx_set_string(struct tsr__onnx_draft *d, const char *name, const char *value)
{
  tsr__onnx_drop_attr(d, name);
  tsr__onnx_add_attr(d, name, TSR_ATTR_STRING)->s = value;
}

/* Attributes that say nothing about the result of inference. */
static void drop_attrs(struct tsr__onnx_draft *d, const char *const *names)
{
  for (; *names; names++)
    tsr__onnx_drop_attr(d, *names);
}

static enum tsr_status form_axes(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  return tsr__onnx_attr_to_input(x, d, "axes", 1);
}

static enum tsr_status form_slice(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  static const char *const names[] = {NULL, "starts", "ends", "axes"};
  enum tsr_status status = TSR_OK;
  for (int k = 1; !status && k <= 3; k++)
    status = tsr__onnx_attr_to_input(x, d, names[k], k);
  return status;
}

static enum tsr_status form_clip(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  enum tsr_status status = tsr__onnx_attr_to_input(x, d, "min", 1);
  return status ? status : tsr__onnx_attr_to_input(x, d, "max", 2);
}

/* Before opset 13 Softmax flattened its input to two dims at `axis`, which was 1 unless given. */
static enum tsr_status form_softmax(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  if (x->opset >= 13)
    return TSR_OK;
  if (!tsr__onnx_attr(d, "axis"))
    tsr__onnx_add_attr(d, "axis", TSR_ATTR_INT)->i = 1;
  tsr__onnx_drop_attr(d, "flatten");
  tsr__onnx_add_attr(d, "flatten", TSR_ATTR_INT)->i = 1;
  return TSR_OK;
}

/* num_outputs (opset 18) repeats what the outputs say; parts are equal, the last may be smaller. */
static enum tsr_status form_split(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  enum tsr_status status = tsr__onnx_only_int(x, d, "num_outputs", (int64_t)d->proto->n_output);
  return status ? status : tsr__onnx_attr_to_input(x, d, "split", 1);
}

static enum tsr_status form_batch_norm(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  static const char *const silent[] = {"momentum", NULL};
  enum tsr_status status = tsr__onnx_only_int(x, d, "training_mode", 0);
  if (!status)
    status = tsr__onnx_only_int(x, d, "spatial", 1);
  for (size_t k = 1; !status && k < d->proto->n_output; k++)
    if (*d->proto->output[k])
      status = tsr_refuse(x->err,
                          "has output '%s', which is of training; export the model for inference",
                          tsr__onnx_show(x->arena, d->proto->output[k]));
  drop_attrs(d, silent);
  return status;
}

static enum tsr_status form_dropout(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  static const char *const silent[] = {"ratio", "seed", NULL};
  struct tsr_value *training = d->inputs > 2 ? d->in[2] : NULL;
  if (training && (!training->data || training->dtype != TSR_BOOL || training->rank != 0 ||
                   *(const uint8_t *)training->data))
    return tsr_refuse(x->err, "its training_mode is not the constant false; export the model for "
                              "inference");
  d->inputs = d->inputs > 1 ? 1 : d->inputs;
  drop_attrs(d, silent);
  return TSR_OK;
}

static enum tsr_status form_pool(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  static const char *const silent[] = {"storage_order", NULL}; /* is about the indices only */
  (void)x;
  drop_attrs(d, silent);
  return TSR_OK;
}

static enum tsr_status form_qlinear_pool(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  return tsr__onnx_only_int(x, d, "channels_last", 0);
}

static enum tsr_status form_layer_norm(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  return tsr__onnx_only_int(x, d, "stash_type", 1);
}

static enum tsr_status form_cast(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  static const char *const silent[] = {"saturate", NULL}; /* to float8 only */
  const struct tsr_attr *to = tsr__onnx_attr(d, "to");
  enum tsr_dtype dtype;
  if (!to || to->kind != TSR_ATTR_INT)
    return tsr_refuse(x->err, "must have the attribute 'to', an integer");
  int number = to->i >= 0 && to->i < 1000 ? (int)to->i : -1;
  if (!tsr_dtype_from_onnx(number, &dtype))
    return tsr_refuse(x->err, "casts to %s (%" PRId64 "), which is not supported",
                      tsr__onnx_dtype_name(number), to->i);
  drop_attrs(d, silent);
  return TSR_OK;
}

/* The element, a tensor in ONNX, becomes `value` and `dtype` (a number as ONNX's). */
static enum tsr_status form_constant_of_shape(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  float zero = 0;
  struct tsr_tensor t = {.dtype = TSR_F32, .data = &zero};
  const Onnx__TensorProto *p = tsr__onnx_tensor_attr(d, "value");
  enum tsr_status status = p ? tsr__onnx_tensor(x->arena, x->err, p, &x->external, &t) : TSR_OK;
  if (!status && tsr_tensor_count(&t) != 1)
    status = tsr_refuse(x->err, "attribute 'value' must have one element");
  if (status)
    return tsr_refuse_at(x->err, "attribute 'value'");
  d->attrs = 0;
  if (tsr_dtype_kind(t.dtype) == TSR_KIND_FLOAT)
    tsr__onnx_add_attr(d, "value", TSR_ATTR_FLOAT)->f = tsr_get_float(&t, 0);
  else
    tsr__onnx_add_attr(d, "value", TSR_ATTR_INT)->i = tsr_get_int(&t, 0);
  tsr__onnx_add_attr(d, "dtype", TSR_ATTR_INT)->i = tsr_dtype_onnx(t.dtype);
  return TSR_OK;
}

/* Opset 21 may say the type of the result by `output_dtype` instead of by a zero point. */
static enum tsr_status form_quantize(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  static const char *const silent[] = {"saturate", "output_dtype", NULL};
  enum tsr_dtype dtype = TSR_U8; /* what neither says */
  enum tsr_status status = tsr__onnx_only_int(x, d, "block_size", 0);
  const struct tsr_attr *a = tsr__onnx_attr(d, "output_dtype");
  if (status)
    return status;
  if (a && a->i && (a->i < 0 || a->i > 99 || !tsr_dtype_from_onnx((int)a->i, &dtype)))
    return tsr_refuse(x->err, "output_dtype %" PRId64 " is not supported", a->i);
  const struct tsr_value *scale = d->inputs > 1 ? d->in[1] : NULL;
  if (dtype != TSR_U8 && (d->inputs < 3 || !d->in[2])) {
    if (!scale || !scale->data)
      return tsr_refuse(x->err, "has output_dtype, no zero point, and a scale that is no constant");
    struct tsr_tensor zero = tsr_value_tensor(scale);
    zero.dtype = dtype;
    zero.data = tsr_arena_alloc(x->arena, tsr_tensor_bytes(&zero));
    set_input(d, 2, tsr__onnx_new_constant(x, d, "zero_point", &zero));
  }
  drop_attrs(d, silent);
  return TSR_OK;
}

/* Pads of the given axes (opset 18) become pads of all. */
static enum tsr_status spread_pads(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  const struct tsr_value *pads = d->in[1], *axes = d->in[3];
  int rank = d->in[0] ? tsr__onnx_rank(x, d->in[0]) : -1;
  if (rank < 0 || !pads || !pads->data || !axes->data)
    return tsr_refuse(x->err,
                      "has axes, and its pads, its axes or its input's rank are not known here");
  struct tsr_tensor p = tsr_value_tensor(pads), k = tsr_value_tensor(axes);
  struct tsr_tensor all = {.dtype = TSR_I64, .rank = 1, .dims = {2 * rank}};
  int64_t n = tsr_tensor_count(&k);
  if (tsr_tensor_count(&p) != 2 * n)
    return tsr_refuse(x->err, "has %" PRId64 " axes, but %" PRId64 " pads", n,
                      tsr_tensor_count(&p));
  all.data = tsr_arena_alloc(x->arena, tsr_tensor_bytes(&all));
  for (int64_t i = 0; i < n; i++) {
    int64_t axis = tsr_get_int(&k, i);
    if (axis < -rank || axis >= rank)
      return tsr_refuse(x->err, "axis %" PRId64 " is outside of rank %d", axis, rank);
    axis += axis < 0 ? rank : 0;
    tsr_put_int(&all, axis, tsr_get_int(&p, i));
    tsr_put_int(&all, axis + rank, tsr_get_int(&p, i + n));
  }
  d->in[1] = tsr__onnx_new_constant(x, d, "pads", &all);
  d->inputs = 3;
  return TSR_OK;
}

static enum tsr_status form_pad(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  const struct tsr_attr *mode = tsr__onnx_attr(d, "mode");
  bool constant = !mode || (mode->kind == TSR_ATTR_STRING && !strcmp(mode->s, "constant"));
  enum tsr_status status = tsr__onnx_attr_to_input(x, d, "pads", 1);
  if (!status && !constant) /* nothing is filled in */
    tsr__onnx_drop_attr(d, "value");
  if (!status)
    status = tsr__onnx_attr_to_input(x, d, "value", 2);
  if (!status && d->inputs == 4 && d->in[3])
    status = spread_pads(x, d);
  return status;
}

#define form_resize tsr__onnx_resize
#define form_upsample tsr__onnx_upsample

const struct tsr__onnx_form *tsr__onnx_form(const char *op_type)
{
  static const struct tsr__onnx_form forms[] = {
#define TSR_ONNX_FORM(onnx, graph, rule) {#onnx, TSR_G_##graph, form_##rule},
#include "compiler/onnx/forms.def"
#undef TSR_ONNX_FORM
  };
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
    if (!strcmp(forms[i].name, op_type))
      return &forms[i];
  return NULL;
}
