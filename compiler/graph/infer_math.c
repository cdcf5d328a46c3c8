/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of elementwise ops, reductions and normalizations. */
#include <string.h>

#include "compiler/graph/graph_private.h"

enum tsr_status tsr__infer_any(struct tsr__infer *c)
{
  return tsr__want(c, 0, TSR__ANY);
}

enum tsr_status tsr__infer_number(struct tsr__infer *c)
{
  return tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
}

enum tsr_status tsr__infer_float(struct tsr__infer *c)
{
  return tsr__want(c, 0, TSR__FLOATS);
}

enum tsr_status tsr__infer_bool(struct tsr__infer *c)
{
  return tsr__want(c, 0, TSR__BOOLS);
}

/* All present inputs are of one dtype out of `kinds`; the output broadcasts over them. */
static enum tsr_status alike(struct tsr__infer *c, unsigned kinds)
{
  enum tsr_status s = tsr__want(c, 0, kinds);
  for (int k = 1; s == TSR_OK && k < c->n->inputs; k++)
    s = tsr__same_dtype(c, 0, k);
  return s == TSR_OK ? tsr__broadcast(c, 0, c->n->inputs - 1) : s;
}

enum tsr_status tsr__infer_binary(struct tsr__infer *c)
{
  return alike(c, TSR__FLOATS | TSR__INTS);
}

enum tsr_status tsr__infer_variadic(struct tsr__infer *c)
{
  return alike(c, TSR__FLOATS | TSR__INTS);
}

/* The exponent may be of another dtype; the result has the base's. */
enum tsr_status tsr__infer_power(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
  if (s == TSR_OK)
    s = tsr__want(c, 1, TSR__FLOATS | TSR__INTS);
  return s == TSR_OK ? tsr__broadcast(c, 0, 1) : s;
}

enum tsr_status tsr__infer_logical(struct tsr__infer *c)
{
  return alike(c, TSR__BOOLS);
}

enum tsr_status tsr__infer_compare(struct tsr__infer *c)
{
  enum tsr_status s = alike(c, c->n->op == TSR_G_Equal ? TSR__ANY : TSR__FLOATS | TSR__INTS);
  c->out[0].dtype = TSR_BOOL;
  return s;
}

enum tsr_status tsr__infer_where(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__BOOLS);
  if (s == TSR_OK)
    s = tsr__same_dtype(c, 1, 2);
  c->out[0].dtype = c->n->in[1]->dtype;
  return s == TSR_OK ? tsr__broadcast(c, 0, 2) : s;
}

/* The output has the shape of input 0: others broadcast to it and never widen it. */
static enum tsr_status fits_input(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  enum tsr_status s = tsr__broadcast(c, 0, c->n->inputs - 1);
  if (s != TSR_OK)
    return s;
  if (c->out[0].rank != x->rank ||
      memcmp(c->out[0].dims, x->dims, sizeof *x->dims * (size_t)x->rank))
    return tsr__refuse_node(c->err, c->n, "'%s' of shape %s does not broadcast to %s",
                            c->n->in[1]->name, tsr__shape(c, 1), tsr__shape(c, 0));
  return TSR_OK;
}

enum tsr_status tsr__infer_prelu(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
  if (s == TSR_OK)
    s = tsr__same_dtype(c, 0, 1);
  return s == TSR_OK ? fits_input(c) : s;
}

enum tsr_status tsr__infer_clip(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
  for (int k = 1; s == TSR_OK && k < c->n->inputs; k++)
    if (tsr__has(c, k)) {
      s = tsr__number_dtype(c, 0, k);
      if (s == TSR_OK && tsr_count(c->n->in[k]->dims, c->n->in[k]->rank, 1) != 1)
        return tsr__refuse_node(c->err, c->n, "its limit '%s' must be one number, not of shape %s",
                                c->n->in[k]->name, tsr__shape(c, k));
    }
  return s;
}

enum tsr_status tsr__infer_cast(struct tsr__infer *c)
{
  int64_t to = tsr_node_int(c->n, "to", 0);
  if (to > 0 && to < 100 && tsr_dtype_from_onnx((int)to, &c->out[0].dtype))
    return TSR_OK;
  return tsr__refuse_node(c->err, c->n, "type %lld of ONNX is none that exists here",
                          (long long)to);
}

/* Drops the marked axes, or makes them 1. */
static void reduce_axes(struct tsr__type *t, unsigned axes, bool keep)
{
  int rank = 0;
  for (int i = 0; i < t->rank; i++) {
    if (!(axes >> i & 1))
      t->dims[rank++] = t->dims[i];
    else if (keep)
      t->dims[rank++] = 1;
  }
  t->rank = rank;
}

enum tsr_status tsr__infer_arg(struct tsr__infer *c)
{
  int axis;
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
  if (s == TSR_OK)
    s = tsr__axis(c, tsr_node_int(c->n, "axis", 0), c->n->in[0]->rank, &axis);
  if (s != TSR_OK)
    return s;
  if (c->n->in[0]->dims[axis] == 0)
    return tsr__refuse_node(c->err, c->n, "nothing is largest along axis %d of %s", axis,
                            tsr__shape(c, 0));
  reduce_axes(&c->out[0], 1u << axis, tsr_node_int(c->n, "keepdims", 1) != 0);
  c->out[0].dtype = TSR_I64;
  return TSR_OK;
}

/* Axes are an attribute or input 1; none of either means all of them, or with noop_with_empty_axes
 * none. */
enum tsr_status tsr__infer_reduce(struct tsr__infer *c)
{
  int64_t list[TSR_MAX_RANK];
  int count = 0, axis, rank = c->n->in[0]->rank;
  unsigned axes = 0;
  const struct tsr_attr *attr = tsr_node_attr(c->n, "axes");
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
  if (s == TSR_OK && attr && attr->count > TSR_MAX_RANK)
    return tsr__refuse_node(c->err, c->n, "it has %d axes, more than any tensor", attr->count);
  if (s == TSR_OK && tsr__has(c, 1)) {
    s = tsr__known_ints(c, 1, "list of axes", TSR_MAX_RANK, list, &count);
  } else if (attr) {
    count = attr->count;
    memcpy(list, attr->ints, (size_t)count * sizeof *list);
  }
  for (int i = 0; s == TSR_OK && i < count; i++) {
    s = tsr__axis(c, list[i], rank, &axis);
    if (s == TSR_OK)
      axes |= 1u << axis;
  }
  if (count == 0 && !tsr_node_int(c->n, "noop_with_empty_axes", 0))
    axes = (1u << rank) - 1;
  if (s == TSR_OK)
    reduce_axes(&c->out[0], axes, tsr_node_int(c->n, "keepdims", 1) != 0);
  return s;
}

enum tsr_status tsr__infer_softmax(struct tsr__infer *c)
{
  int axis;
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  if (s != TSR_OK)
    return s;
  return tsr__axis(c, tsr_node_int(c->n, "axis", -1), c->n->in[0]->rank, &axis);
}

enum tsr_status tsr__infer_batch_norm(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  if (s == TSR_OK && c->n->in[0]->rank < 2)
    return tsr__refuse_node(c->err, c->n, "its input of shape %s has no channels",
                            tsr__shape(c, 0));
  if (tsr_node_int(c->n, "training_mode", 0))
    return tsr__refuse_node(c->err, c->n, "training mode has no inference");
  for (int k = 1; s == TSR_OK && k < 5; k++) {
    s = tsr__same_dtype(c, 0, k);
    if (s == TSR_OK && (c->n->in[k]->rank != 1 || c->n->in[k]->dims[0] != c->n->in[0]->dims[1]))
      return tsr__refuse_node(c->err, c->n, "'%s' of shape %s has not one number for each of %lld "
                              "channels", c->n->in[k]->name, tsr__shape(c, k),
                              (long long)c->n->in[0]->dims[1]);
  }
  return s;
}

enum tsr_status tsr__infer_layer_norm(struct tsr__infer *c)
{
  int axis;
  const struct tsr_value *x = c->n->in[0];
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  if (s == TSR_OK)
    s = tsr__axis(c, tsr_node_int(c->n, "axis", -1), x->rank, &axis);
  for (int k = 1; s == TSR_OK && k < c->n->inputs; k++)
    if (tsr__has(c, k))
      s = tsr__same_dtype(c, 0, k);
  return s == TSR_OK ? fits_input(c) : s;
}

enum tsr_status tsr__infer_lrn(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  if (s == TSR_OK && c->n->in[0]->rank < 3)
    return tsr__refuse_node(c->err, c->n, "its input of shape %s has no channels",
                            tsr__shape(c, 0));
  if (s == TSR_OK && tsr_node_int(c->n, "size", 0) < 1)
    return tsr__refuse_node(c->err, c->n, "size %lld is less than 1",
                            (long long)tsr_node_int(c->n, "size", 0));
  return s;
}
