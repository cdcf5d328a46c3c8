/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of ONNX nodes become those of the graph IR, without loss. */
#include <string.h>

#include "compiler/onnx/private.h"

enum { MOST_ATTRS = 64, MOST_ITEMS = 1 << 20 };

static int type_of(const Onnx__AttributeProto *p)
{
  if (p->type)
    return p->type;
  /* Files of IR version 1 leave the type out. */
  if (p->has_f)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
  if (p->has_i)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
  if (p->has_s)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
  if (p->t)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
  if (p->n_floats)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
  return p->n_ints ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS : 0;
}

static enum tsr_status read_string(struct tsr__onnx *x, const Onnx__AttributeProto *p,
                                   struct tsr_attr *out)
{
  char *s = tsr_arena_alloc(x->arena, p->s.len + 1);
  if (p->s.len)
    memcpy(s, p->s.data, p->s.len);
  if (strlen(s) != p->s.len)
    return tsr_refuse(x->err, "attribute '%s' holds a zero byte", out->name);
  out->kind = TSR_ATTR_STRING;
  out->s = s;
  return TSR_OK;
}

static void read_floats(struct tsr__onnx *x, const Onnx__AttributeProto *p, struct tsr_attr *out)
{
  double *v = TSR_NEW_ARRAY(x->arena, double, p->n_floats);
  for (size_t i = 0; i < p->n_floats; i++)
    v[i] = (double)p->floats[i];
  out->kind = TSR_ATTR_FLOATS;
  out->count = (int)p->n_floats;
  out->floats = v;
}

static enum tsr_status convert(struct tsr__onnx *x, const Onnx__AttributeProto *p,
                               struct tsr_attr *out)
{
  out->name = tsr_arena_strdup(x->arena, p->name);
  switch (type_of(p)) {
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
    out->kind = TSR_ATTR_FLOAT;
    out->f = (double)p->f;
    return TSR_OK;
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
    out->kind = TSR_ATTR_INT;
    out->i = p->i;
    return TSR_OK;
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING: return read_string(x, p, out);
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS: read_floats(x, p, out); return TSR_OK;
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
    out->kind = TSR_ATTR_INTS;
    out->count = (int)p->n_ints;
    out->ints = p->ints ? p->ints : tsr_arena_alloc(x->arena, 0);
    return TSR_OK;
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
  case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS:
    return tsr_refuse(x->err, "attribute '%s' is a subgraph; control flow is not supported",
                      out->name);
  default:
    return tsr_refuse(x->err, "attribute '%s' has an unsupported type (%d)", out->name, type_of(p));
  }
}

static enum tsr_status check_name(struct tsr__onnx *x, const struct tsr__onnx_draft *d, size_t i)
{
  const Onnx__AttributeProto *p = d->proto->attribute[i];
  const char *name = tsr__onnx_show(x->arena, p->name);
  if (!*name)
    return tsr_refuse(x->err, "attribute %zu has no name", i);
  if (p->ref_attr_name && *p->ref_attr_name)
    return tsr_refuse(
        x->err, "attribute '%s' refers to one of a function; functions are not supported", name);
  for (size_t k = 0; k < i; k++)
    if (!strcmp(tsr__onnx_text(d->proto->attribute[k]->name), p->name))
      return tsr_refuse(x->err, "attribute '%s' stands twice", name);
  if (p->n_floats > MOST_ITEMS || p->n_ints > MOST_ITEMS)
    return tsr_refuse(x->err, "attribute '%s' has more than %d items", name, MOST_ITEMS);
  return TSR_OK;
}

enum tsr_status tsr__onnx_attrs(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  size_t n = d->proto->n_attribute;
  if (n > MOST_ATTRS)
    return tsr_refuse(x->err, "has %zu attributes; at most %d are read", n, MOST_ATTRS);
  d->attr = TSR_NEW_ARRAY(x->arena, struct tsr_attr, n + TSR__ONNX_MOST_ADDED);
  for (size_t i = 0; i < n; i++) {
    const Onnx__AttributeProto *p = d->proto->attribute[i];
    enum tsr_status status = check_name(x, d, i);
    if (!status && type_of(p) != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)
      status = convert(x, p, &d->attr[d->attrs++]);
    else if (!status && d->op != TSR_G_ConstantOfShape)
      status = tsr_refuse(x->err, "attribute '%s' is a tensor, which %s does not have", p->name,
                          tsr_gop_name(d->op));
    if (status)
      return status;
  }
  return TSR_OK;
}

const Onnx__TensorProto *tsr__onnx_tensor_attr(const struct tsr__onnx_draft *d, const char *name)
{
  for (size_t i = 0; i < d->proto->n_attribute; i++) {
    const Onnx__AttributeProto *p = d->proto->attribute[i];
    if (!strcmp(tsr__onnx_text(p->name), name) &&
        type_of(p) == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)
      return p->t;
  }
  return NULL;
}

struct tsr_attr *tsr__onnx_attr(struct tsr__onnx_draft *d, const char *name)
{
  for (int i = 0; i < d->attrs; i++)
    if (!strcmp(d->attr[i].name, name))
      return &d->attr[i];
  return NULL;
}

void tsr__onnx_drop_attr(struct tsr__onnx_draft *d, const char *name)
{
  struct tsr_attr *a = tsr__onnx_attr(d, name);
  if (a)
    *a = d->attr[--d->attrs];
}

struct tsr_attr *tsr__onnx_add_attr(struct tsr__onnx_draft *d, const char *name,
                                    enum tsr_attr_kind kind)
{
  struct tsr_attr *a = &d->attr[d->attrs++];
  *a = (struct tsr_attr){.name = name, .kind = kind};
  return a;
}
