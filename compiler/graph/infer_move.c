/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of ops that move elements or make tensors out of shapes. */
#include <math.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

/* Asks for the operand k that is a list of `wanted` integers. */
static enum tsr_status exactly(struct tsr__infer *c, int k, const char *what, int64_t *out,
                               int wanted)
{
  int count;
  enum tsr_status s = tsr__known_ints(c, k, what, TSR_MAX_RANK, out, &count);
  if (s == TSR_OK && count != wanted)
    return tsr__refuse_node(c->err, c->n, "its %s has %d numbers, not %d", what, count, wanted);
  return s;
}

enum tsr_status tsr__infer_shape(struct tsr__infer *c)
{
  int64_t rank = c->n->in[0]->rank, start = tsr_node_int(c->n, "start", 0);
  int64_t end = tsr_node_int(c->n, "end", rank);
  start = start < 0 ? start + rank : start;
  end = end < 0 ? end + rank : end;
  start = start < 0 ? 0 : start;
  end = end > rank ? rank : end;
  c->out[0] = (struct tsr__type){TSR_I64, 1, {end > start ? end - start : 0}};
  return TSR_OK;
}

enum tsr_status tsr__infer_size(struct tsr__infer *c)
{
  c->out[0] = (struct tsr__type){TSR_I64, 0, {0}};
  return TSR_OK;
}

enum tsr_status tsr__infer_reshape(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  struct tsr__type *t = &c->out[0];
  int64_t have = tsr_count(x->dims, x->rank, 1), rest = 1;
  int unknown = -1;
  char text[192];
  enum tsr_status s = tsr__known_ints(c, 1, "shape", TSR_MAX_RANK, t->dims, &t->rank);
  if (s != TSR_OK)
    return s;
  for (int i = 0; i < t->rank; i++) {
    if (t->dims[i] == 0 && !tsr_node_int(c->n, "allowzero", 0) && i < x->rank)
      t->dims[i] = x->dims[i];
    if (t->dims[i] < -1 || (t->dims[i] == -1 && unknown >= 0))
      return tsr__refuse_node(c->err, c->n, "its shape %s has more than one unknown dim",
                              tsr_dims_text(t->dims, t->rank, text));
    if (t->dims[i] == -1)
      unknown = i;
    else if (__builtin_mul_overflow(rest, t->dims[i], &rest))
      return tsr__refuse_node(c->err, c->n, "its shape is too large");
  }
  if (unknown >= 0 && rest > 0 && have % rest == 0)
    t->dims[unknown] = have / rest;
  if ((unknown >= 0 && t->dims[unknown] < 0) || tsr_count(t->dims, t->rank, 1) != have)
    return tsr__refuse_node(c->err, c->n, "the elements of %s do not fill shape %s",
                            tsr__shape(c, 0), tsr_dims_text(t->dims, t->rank, text));
  return TSR_OK;
}

enum tsr_status tsr__infer_flatten(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  int64_t axis = tsr_node_int(c->n, "axis", 1);
  axis = axis < 0 ? axis + x->rank : axis;
  if (axis < 0 || axis > x->rank)
    return tsr__refuse_node(c->err, c->n, "axis %lld is outside of rank %d",
                            (long long)tsr_node_int(c->n, "axis", 1), x->rank);
  c->out[0].rank = 2;
  c->out[0].dims[0] = tsr_count(x->dims, (int)axis, 1);
  c->out[0].dims[1] = tsr_count(x->dims + axis, x->rank - (int)axis, 1);
  return TSR_OK;
}

enum tsr_status tsr__infer_squeeze(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  int64_t list[TSR_MAX_RANK];
  int count = 0, axis;
  unsigned axes = 0;
  enum tsr_status s = TSR_OK;
  if (tsr__has(c, 1))
    s = tsr__known_ints(c, 1, "list of axes", TSR_MAX_RANK, list, &count);
  else
    for (int i = 0; i < x->rank; i++)
      if (x->dims[i] == 1)
        list[count++] = i;
  for (int i = 0; s == TSR_OK && i < count; i++) {
    s = tsr__axis(c, list[i], x->rank, &axis);
    if (s == TSR_OK && x->dims[axis] != 1)
      return tsr__refuse_node(c->err, c->n, "axis %d of %s is not 1", axis, tsr__shape(c, 0));
    if (s == TSR_OK)
      axes |= 1u << axis;
  }
  c->out[0].rank = 0;
  for (int i = 0; i < x->rank; i++)
    if (!(axes >> i & 1))
      c->out[0].dims[c->out[0].rank++] = x->dims[i];
  return s;
}

enum tsr_status tsr__infer_unsqueeze(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  int64_t list[TSR_MAX_RANK];
  int count = 0, axis, from = 0;
  unsigned axes = 0;
  enum tsr_status s = tsr__known_ints(c, 1, "list of axes", TSR_MAX_RANK, list, &count);
  if (s == TSR_OK && x->rank + count > TSR_MAX_RANK)
    return tsr__refuse_node(c->err, c->n, "rank %d is more than %d", x->rank + count, TSR_MAX_RANK);
  for (int i = 0; s == TSR_OK && i < count; i++) {
    s = tsr__axis(c, list[i], x->rank + count, &axis);
    if (s == TSR_OK && axes >> axis & 1)
      return tsr__refuse_node(c->err, c->n, "axis %d stands twice", axis);
    if (s == TSR_OK)
      axes |= 1u << axis;
  }
  if (s != TSR_OK)
    return s;
  c->out[0].rank = x->rank + count;
  for (int i = 0; i < c->out[0].rank; i++)
    c->out[0].dims[i] = axes >> i & 1 ? 1 : x->dims[from++];
  return TSR_OK;
}

enum tsr_status tsr__infer_transpose(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  const struct tsr_attr *perm = tsr_node_attr(c->n, "perm");
  unsigned seen = 0;
  if (perm && perm->count != x->rank)
    return tsr__refuse_node(c->err, c->n, "perm has %d numbers for an input of rank %d",
                            perm->count, x->rank);
  for (int i = 0; i < x->rank; i++) {
    int64_t from = perm ? perm->ints[i] : x->rank - 1 - i;
    if (from < 0 || from >= x->rank || seen >> from & 1)
      return tsr__refuse_node(c->err, c->n, "perm is no permutation of 0..%d", x->rank - 1);
    seen |= 1u << from;
    c->out[0].dims[i] = x->dims[from];
  }
  return TSR_OK;
}

enum tsr_status tsr__infer_concat(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  int axis;
  enum tsr_status s = tsr__axis(c, tsr_node_int(c->n, "axis", 0), x->rank, &axis);
  for (int k = 1; s == TSR_OK && k < c->n->inputs; k++) {
    const struct tsr_value *y = c->n->in[k];
    s = tsr__same_dtype(c, 0, k);
    bool fits = y->rank == x->rank;
    for (int i = 0; fits && i < x->rank; i++)
      fits = i == axis || y->dims[i] == x->dims[i];
    if (s == TSR_OK && !fits)
      return tsr__refuse_node(c->err, c->n, "shapes %s and %s do not join along axis %d",
                              tsr__shape(c, 0), tsr__shape(c, k), axis);
    if (s == TSR_OK && __builtin_add_overflow(c->out[0].dims[axis], y->dims[axis],
                                              &c->out[0].dims[axis]))
      return tsr__refuse_node(c->err, c->n, "its output is too large");
  }
  return s;
}

/* The parts are told by input 1, or are equal but for a smaller last one. */
enum tsr_status tsr__infer_split(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  enum { MOST_PARTS = 1024 };
  int64_t parts[MOST_PARTS], sum = 0;
  int axis, count = c->n->outputs;
  enum tsr_status s = tsr__axis(c, tsr_node_int(c->n, "axis", 0), x->rank, &axis);
  if (s == TSR_OK && (count < 1 || count > MOST_PARTS))
    return tsr__refuse_node(c->err, c->n, "it has %d outputs, not 1 to %d", count, MOST_PARTS);
  if (s == TSR_OK && tsr__has(c, 1))
    s = tsr__known_ints(c, 1, "list of parts", MOST_PARTS, parts, &count);
  if (s != TSR_OK)
    return s;
  for (int k = 0; k < c->n->outputs && !tsr__has(c, 1); k++) {
    int64_t size = (x->dims[axis] + count - 1) / count, left = x->dims[axis] - k * size;
    parts[k] = left < 0 ? 0 : left < size ? left : size;
  }
  bool fits = count == c->n->outputs;
  for (int k = 0; k < count && fits; k++) {
    fits = parts[k] >= 0 && parts[k] <= x->dims[axis] - sum;
    sum += parts[k];
    c->out[k].dims[axis] = parts[k];
  }
  if (!fits || sum != x->dims[axis])
    return tsr__refuse_node(c->err, c->n,
                            "its %d parts are not its %d outputs or do not sum to %lld", count,
                            c->n->outputs, (long long)x->dims[axis]);
  return TSR_OK;
}

static int64_t limited(int64_t v, int64_t least, int64_t most)
{
  return v < least ? least : v > most ? most : v;
}

/* How many elements start, start + step, ... before end there are of `dim`, ends clamped as in
 * ONNX. */
static int64_t slice_extent(int64_t dim, int64_t start, int64_t end, int64_t step)
{
  start = start < 0 ? start + dim : start;
  end = end < 0 ? end + dim : end;
  if (step > 0) {
    start = limited(start, 0, dim);
    end = limited(end, 0, dim);
    return end > start ? (end - start - 1) / step + 1 : 0;
  }
  start = limited(start, 0, dim - 1);
  end = limited(end, -1, dim - 1);
  return start > end ? (start - end - 1) / -step + 1 : 0;
}

enum tsr_status tsr__infer_slice(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  int64_t starts[TSR_MAX_RANK], ends[TSR_MAX_RANK], axes[TSR_MAX_RANK], steps[TSR_MAX_RANK];
  int count, axis;
  enum tsr_status s = tsr__known_ints(c, 1, "list of starts", TSR_MAX_RANK, starts, &count);
  for (int i = 0; i < TSR_MAX_RANK; i++) {
    axes[i] = i;
    steps[i] = 1;
  }
  if (s == TSR_OK)
    s = exactly(c, 2, "list of ends", ends, count);
  if (s == TSR_OK && tsr__has(c, 3))
    s = exactly(c, 3, "list of axes", axes, count);
  if (s == TSR_OK && tsr__has(c, 4))
    s = exactly(c, 4, "list of steps", steps, count);
  for (int i = 0; s == TSR_OK && i < count; i++) {
    s = tsr__axis(c, axes[i], x->rank, &axis);
    if (s == TSR_OK && (steps[i] == 0 || steps[i] < -INT32_MAX))
      return tsr__refuse_node(c->err, c->n, "step %lld along axis %d goes nowhere",
                              (long long)steps[i], axis);
    if (s == TSR_OK)
      c->out[0].dims[axis] = slice_extent(x->dims[axis], starts[i], ends[i], steps[i]);
  }
  return s;
}

enum tsr_status tsr__infer_gather(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *index = c->n->in[1];
  struct tsr__type *t = &c->out[0];
  int axis;
  enum tsr_status s = tsr__want(c, 1, TSR__INTS);
  if (s == TSR_OK)
    s = tsr__axis(c, tsr_node_int(c->n, "axis", 0), x->rank, &axis);
  if (s != TSR_OK)
    return s;
  t->rank = x->rank - 1 + index->rank;
  if (t->rank > TSR_MAX_RANK)
    return tsr__refuse_node(c->err, c->n, "rank %d is more than %d", t->rank, TSR_MAX_RANK);
  memcpy(t->dims + axis, index->dims, sizeof *t->dims * (size_t)index->rank);
  memcpy(t->dims + axis + index->rank, x->dims + axis + 1,
         sizeof *t->dims * (size_t)(x->rank - axis - 1));
  return TSR_OK;
}

enum tsr_status tsr__infer_expand(struct tsr__infer *c)
{
  struct tsr_value wanted = {.typed = true};
  struct tsr_value *two[2] = {c->n->in[0], &wanted};
  struct tsr_node pair = *c->n;
  enum tsr_status s = tsr__known_ints(c, 1, "shape", TSR_MAX_RANK, wanted.dims, &wanted.rank);
  if (s != TSR_OK)
    return s;
  for (int i = 0; i < wanted.rank; i++)
    if (wanted.dims[i] < 0)
      return tsr__refuse_node(c->err, c->n, "dim %lld is negative", (long long)wanted.dims[i]);
  pair.in = two;
  struct tsr__infer as_pair = *c;
  as_pair.n = &pair;
  return tsr__broadcast(&as_pair, 0, 1);
}

enum tsr_status tsr__infer_tile(struct tsr__infer *c)
{
  int64_t repeats[TSR_MAX_RANK];
  struct tsr__type *t = &c->out[0];
  enum tsr_status s = exactly(c, 1, "list of repeats", repeats, t->rank);
  for (int i = 0; s == TSR_OK && i < t->rank; i++)
    if (repeats[i] < 0 || __builtin_mul_overflow(t->dims[i], repeats[i], &t->dims[i]))
      return tsr__refuse_node(c->err, c->n, "%lld repeats of dim %d are out of range",
                              (long long)repeats[i], i);
  return s;
}

enum tsr_status tsr__infer_pad(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  const struct tsr_attr *mode = tsr_node_attr(c->n, "mode");
  int64_t pads[2 * TSR_MAX_RANK];
  int count;
  enum tsr_status s = tsr__known_ints(c, 1, "list of pads", 2 * TSR_MAX_RANK, pads, &count);
  if (s == TSR_OK && count != 2 * x->rank)
    return tsr__refuse_node(c->err, c->n, "it has %d pads, its input of rank %d wants %d", count,
                            x->rank, 2 * x->rank);
  if (s == TSR_OK && tsr__has(c, 2))
    s = tsr__number_dtype(c, 0, 2);
  if (mode && strcmp(mode->s, "constant") && strcmp(mode->s, "edge") && strcmp(mode->s, "reflect"))
    return tsr__refuse_node(c->err, c->n, "mode '%s' is none of constant, edge and reflect",
                            mode->s);
  for (int i = 0; s == TSR_OK && i < x->rank; i++) {
    int64_t *dim = &c->out[0].dims[i];
    if (__builtin_add_overflow(*dim, pads[i], dim) ||
        __builtin_add_overflow(*dim, pads[i + x->rank], dim) || *dim < 0)
      return tsr__refuse_node(c->err, c->n, "pads %lld and %lld do not fit dim %d of %s",
                              (long long)pads[i], (long long)pads[i + x->rank], i,
                              tsr__shape(c, 0));
  }
  return s;
}

enum tsr_status tsr__infer_depth_to_space(struct tsr__infer *c)
{
  int64_t block = tsr_node_int(c->n, "blocksize", 0), *dims = c->out[0].dims;
  if (c->out[0].rank != 4 || block < 1 || block > INT32_MAX || dims[1] % (block * block))
    return tsr__refuse_node(c->err, c->n, "blocks of %lld do not divide %s", (long long)block,
                            tsr__shape(c, 0));
  dims[1] /= block * block;
  if (__builtin_mul_overflow(dims[2], block, &dims[2]) ||
      __builtin_mul_overflow(dims[3], block, &dims[3]))
    return tsr__refuse_node(c->err, c->n, "its output is too large");
  return TSR_OK;
}

enum tsr_status tsr__infer_constant_of_shape(struct tsr__infer *c)
{
  struct tsr__type *t = &c->out[0];
  int64_t dtype = tsr_node_int(c->n, "dtype", 1);
  enum tsr_status s = tsr__known_ints(c, 0, "shape", TSR_MAX_RANK, t->dims, &t->rank);
  for (int i = 0; s == TSR_OK && i < t->rank; i++)
    if (t->dims[i] < 0)
      return tsr__refuse_node(c->err, c->n, "dim %lld is negative", (long long)t->dims[i]);
  if (s == TSR_OK && (dtype < 0 || dtype > 99 || !tsr_dtype_from_onnx((int)dtype, &t->dtype)))
    return tsr__refuse_node(c->err, c->n, "type %lld of ONNX is none that exists here",
                            (long long)dtype);
  return s;
}

enum tsr_status tsr__infer_range(struct tsr__infer *c)
{
  static const char *const what[] = {"start", "limit", "delta"};
  double v[3];
  struct tsr_tensor t;
  for (int k = 0; k < 3; k++) {
    enum tsr_status s = tsr__known(c, k, what[k], &t);
    if (s == TSR_OK)
      s = tsr__same_dtype(c, 0, k);
    if (s != TSR_OK)
      return s;
    if (tsr_tensor_count(&t) != 1)
      return tsr__refuse_node(c->err, c->n, "its %s must be one number", what[k]);
    v[k] = tsr_get_float(&t, 0);
  }
  double count = ceil((v[1] - v[0]) / v[2]);
  if (!(fabs(count) < 1e12))
    return tsr__refuse_node(c->err, c->n, "from %g to %g by %g is no range", v[0], v[1], v[2]);
  c->out[0].rank = 1;
  c->out[0].dims[0] = count > 0 ? (int64_t)count : 0;
  return TSR_OK;
}

/* Input 3 says the sizes, or input 2 the scales; input 1 (a region) is not supported. */
enum tsr_status tsr__infer_resize(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  struct tsr_tensor scales;
  if (tsr__has(c, 3) && c->n->in[3]->dims[0] > 0)
    return exactly(c, 3, "list of sizes", c->out[0].dims, x->rank);
  if (!tsr__has(c, 2))
    return tsr__refuse_node(c->err, c->n, "it has neither scales nor sizes");
  enum tsr_status s = tsr__known(c, 2, "list of scales", &scales);
  if (s == TSR_OK && tsr_tensor_count(&scales) != x->rank)
    return tsr__refuse_node(c->err, c->n, "it has %lld scales for an input of rank %d",
                            (long long)tsr_tensor_count(&scales), x->rank);
  for (int i = 0; s == TSR_OK && i < x->rank; i++) {
    double size = floor((double)x->dims[i] * tsr_get_float(&scales, i));
    if (!(size >= 0 && size < 1e12))
      return tsr__refuse_node(c->err, c->n, "scale %g of dim %d is out of range",
                              tsr_get_float(&scales, i), i);
    c->out[0].dims[i] = (int64_t)size;
  }
  return s;
}
