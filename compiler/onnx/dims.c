/* SPDX-License-Identifier: Apache-2.0 */
/* The graph's inputs, whose symbolic dims get values here: the graph IR has static shapes only. */
#include <inttypes.h>
#include <string.h>

#include "compiler/onnx/private.h"

enum { LARGEST_DIM = INT32_MAX };

/* One "NAME=VALUE" of the options, split. */
struct binding {
  const char *name;
  int64_t value;
  bool used;
};

struct bindings {
  struct tsr__onnx *x;
  struct binding *of; /* options->n_dims of them */
};

static enum tsr_status split_binding(struct tsr__onnx *x, const char *given, struct binding *out)
{
  const char *equals = strrchr(given, '=');
  int64_t v = 0;
  for (const char *c = equals ? equals + 1 : ""; *c && v <= LARGEST_DIM; c++) {
    if (*c < '0' || *c > '9') {
      v = 0;
      break;
    }
    v = v * 10 + (*c - '0');
  }
  if (!equals || equals == given || v < 1 || v > LARGEST_DIM)
    return tsr_refuse(x->err, "'%s' binds no dim; wanted is NAME=VALUE, with a value from 1 to %d",
                      tsr__onnx_show(x->arena, given), LARGEST_DIM);
  char *name = tsr_arena_strdup(x->arena, given);
  name[equals - given] = 0;
  *out = (struct binding){.name = name, .value = v};
  return TSR_OK;
}

static enum tsr_status read_bindings(struct bindings *b)
{
  const struct tsr_onnx_options *o = b->x->options;
  b->of = TSR_NEW_ARRAY(b->x->arena, struct binding, o->n_dims);
  for (int i = 0; i < o->n_dims; i++) {
    enum tsr_status status = split_binding(b->x, o->dims[i], &b->of[i]);
    if (status)
      return status;
    for (int k = 0; k < i; k++)
      if (!strcmp(b->of[k].name, b->of[i].name))
        return tsr_refuse(b->x->err, "dim '%s' is bound twice", b->of[i].name);
  }
  return TSR_OK;
}

static const Onnx__TensorShapeProto *shape_of(const Onnx__ValueInfoProto *v)
{
  if (!v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return NULL;
  return v->type->tensor_type->shape;
}

/* The name of a symbolic dim; NULL for a number that is one. Exporters write an unknown dim as
 * nothing, as an empty name, as 0 or as -1. */
static const char *symbol_of(const Onnx__TensorShapeProto__Dimension *d)
{
  if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0)
    return NULL;
  if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
    return tsr__onnx_text(d->dim_param);
  return "";
}

static bool is_initializer(const struct tsr__onnx *x, const char *name)
{
  const struct tsr__onnx_name *n = tsr__onnx_find(&x->names, name);
  return n && n->node == TSR__ONNX_INITIALIZER;
}

/* A dim that is the batch, wherever it stands: by its name, or because it is axis 0 of some input.
 */
static bool is_batch(const struct tsr__onnx *x, const char *symbol, size_t axis)
{
  if (axis == 0 || !strcmp(symbol, "N") || !strcmp(symbol, "n") || !strncmp(symbol, "batch", 5) ||
      !strncmp(symbol, "Batch", 5))
    return true;
  for (size_t i = 0; *symbol && i < x->proto->n_input; i++) {
    const Onnx__TensorShapeProto *s = shape_of(x->proto->input[i]);
    const char *first = s && s->n_dim ? symbol_of(s->dim[0]) : NULL;
    if (first && !strcmp(first, symbol) &&
        !is_initializer(x, tsr__onnx_text(x->proto->input[i]->name)))
      return true;
  }
  return false;
}

static enum tsr_status bind_dim(struct bindings *b, const char *input, size_t axis,
                                const char *symbol, int64_t *out)
{
  struct tsr__onnx *x = b->x;
  const char *place = tsr_arena_printf(x->arena, "%s[%zu]", input, axis);
  struct binding *found = NULL;
  for (int i = 0; i < x->options->n_dims; i++)
    if ((*symbol && !strcmp(b->of[i].name, symbol)) || !strcmp(b->of[i].name, place))
      found = &b->of[i];
  if (found) {
    found->used = true;
    *out = found->value;
    return TSR_OK;
  }
  if (is_batch(x, symbol, axis)) {
    *out = 1;
    return TSR_OK;
  }
  const char *name = tsr__onnx_show(x->arena, *symbol ? symbol : place);
  return tsr_refuse(x->err,
                    "input '%s': axis %zu has no fixed size; give one by the dim binding %s=VALUE",
                    tsr__onnx_show(x->arena, input), axis, name);
}

static enum tsr_status input_dtype(struct tsr__onnx *x, const Onnx__ValueInfoProto *v,
                                   enum tsr_dtype *out)
{
  const char *name = tsr__onnx_show(x->arena, v->name);
  if (!v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return tsr_refuse(x->err, "input '%s' is no tensor", name);
  int type = v->type->tensor_type->elem_type;
  if (!tsr_dtype_from_onnx(type, out))
    return tsr_refuse(x->err, "input '%s' has the element type %s (%d), which is not supported",
                      name, tsr__onnx_dtype_name(type), type);
  if (!v->type->tensor_type->shape)
    return tsr_refuse(
        x->err, "input '%s' has no shape; export the model with the shape of its inputs", name);
  if (v->type->tensor_type->shape->n_dim > TSR_MAX_RANK)
    return tsr_refuse(x->err, "input '%s' has %zu dims; at most %d are supported", name,
                      v->type->tensor_type->shape->n_dim, TSR_MAX_RANK);
  return TSR_OK;
}

static enum tsr_status add_input(struct bindings *b, const Onnx__ValueInfoProto *v)
{
  struct tsr__onnx *x = b->x;
  const char *name = tsr__onnx_text(v->name);
  int64_t dims[TSR_MAX_RANK];
  enum tsr_dtype dtype = TSR_F32;
  enum tsr_status status = input_dtype(x, v, &dtype);
  if (status)
    return status;
  const Onnx__TensorShapeProto *shape = shape_of(v);
  for (size_t k = 0; k < shape->n_dim; k++) {
    const char *symbol = symbol_of(shape->dim[k]);
    dims[k] = shape->dim[k]->dim_value;
    if (symbol && (status = bind_dim(b, name, k, symbol, &dims[k])))
      return status;
  }
  int64_t count = tsr_count(dims, (int)shape->n_dim, 8);
  if (count < 0 || count > TSR_MAX_ELEMENTS)
    return tsr_refuse(x->err, "input '%s' is too large; %d elements are the most",
                      tsr__onnx_show(x->arena, name), TSR_MAX_ELEMENTS);
  struct tsr__onnx_name *n = NULL;
  status = tsr__onnx_add(x->arena, x->err, &x->names, name, TSR__ONNX_INPUT, &n);
  if (status)
    return status;
  n->value = tsr_graph_input(x->graph, name, dtype, (int)shape->n_dim, dims);
  return TSR_OK;
}

/* A binding that nothing used is a mistake in its name. */
static enum tsr_status check_used(const struct bindings *b)
{
  struct tsr__onnx *x = b->x;
  struct tsr_text known = {.arena = x->arena};
  for (size_t i = 0; i < x->proto->n_input; i++) {
    const Onnx__TensorShapeProto *s = shape_of(x->proto->input[i]);
    for (size_t k = 0; s && k < s->n_dim; k++) {
      const char *symbol = symbol_of(s->dim[k]);
      if (symbol && *symbol)
        tsr_text_add(&known, " '%s'", tsr__onnx_show(x->arena, symbol));
      else if (symbol)
        tsr_text_add(&known, " '%s[%zu]'", tsr__onnx_show(x->arena, x->proto->input[i]->name), k);
    }
  }
  for (int i = 0; i < x->options->n_dims; i++)
    if (!b->of[i].used)
      return tsr_refuse(x->err, "no dim '%s' is there to bind; there %s%s",
                        tsr__onnx_show(x->arena, b->of[i].name), known.length ? "are" : "is none",
                        known.length ? known.data : "");
  return TSR_OK;
}

enum tsr_status tsr__onnx_inputs(struct tsr__onnx *x)
{
  struct bindings b = {.x = x};
  enum tsr_status status = read_bindings(&b);
  for (size_t i = 0; !status && i < x->proto->n_input; i++) /* IR 3 lists initializers here too */
    if (!is_initializer(x, tsr__onnx_text(x->proto->input[i]->name)))
      status = add_input(&b, x->proto->input[i]);
  return status ? status : check_used(&b);
}

int tsr__onnx_rank(const struct tsr__onnx *x, const struct tsr_value *v)
{
  if (v->typed)
    return v->rank;
  for (size_t i = 0; i < x->proto->n_value_info; i++) {
    const Onnx__ValueInfoProto *info = x->proto->value_info[i];
    const Onnx__TensorShapeProto *shape = shape_of(info);
    if (shape && shape->n_dim <= TSR_MAX_RANK && !strcmp(tsr__onnx_text(info->name), v->name))
      return (int)shape->n_dim;
  }
  return -1;
}
