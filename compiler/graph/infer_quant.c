/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of quantization and of the internal integer ops. */
#include <string.h>

#include "compiler/graph/graph_private.h"

/* Scale (input k) and zero point (k + 1) are one number, or one for each of the dims along
 * `axis`. */
static enum tsr_status one_or_each(struct tsr__infer *c, int k, int64_t channels)
{
  for (int i = k; i < k + 2; i++) {
    if (!tsr__has(c, i))
      continue;
    const struct tsr_value *v = c->n->in[i];
    int64_t count = tsr_count(v->dims, v->rank, 1);
    if (v->rank > 1 || (count != 1 && count != channels))
      return tsr__refuse_node(c->err, c->n,
                              "'%s' of shape %s is neither one number nor one for each "
                              "of %lld channels",
                              v->name, tsr__shape(c, i), (long long)channels);
  }
  if (tsr_dtype_kind(c->n->in[k]->dtype) != TSR_KIND_FLOAT)
    return tsr__refuse_node(c->err, c->n, "its scale '%s' must be a float", c->n->in[k]->name);
  return TSR_OK;
}

static enum tsr_status parameters(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *scale = c->n->in[1];
  int axis;
  if (tsr_count(scale->dims, scale->rank, 1) == 1)
    return one_or_each(c, 1, 1);
  enum tsr_status s = tsr__axis(c, tsr_node_int(c->n, "axis", 1), x->rank, &axis);
  return s == TSR_OK ? one_or_each(c, 1, x->dims[axis]) : s;
}

enum tsr_status tsr__infer_quantize(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  if (s == TSR_OK)
    s = parameters(c);
  if (s == TSR_OK && tsr__has(c, 2))
    s = tsr__want(c, 2, TSR__INTS);
  c->out[0].dtype = tsr__has(c, 2) ? c->n->in[2]->dtype : TSR_U8;
  return s;
}

enum tsr_status tsr__infer_dequantize(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__INTS);
  if (s == TSR_OK)
    s = parameters(c);
  if (s == TSR_OK && tsr__has(c, 2))
    s = tsr__same_dtype(c, 0, 2);
  c->out[0].dtype = c->n->in[1]->dtype;
  return s;
}

enum tsr_status tsr__infer_qlinear_add(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *y = c->n->in[3];
  struct tsr_value *two[2] = {c->n->in[0], c->n->in[3]};
  struct tsr_node pair = *c->n;
  struct tsr__infer shapes = *c;
  if (x->dtype != y->dtype || (x->dtype != TSR_I8 && x->dtype != TSR_U8))
    return tsr__refuse_node(c->err, c->n, "its inputs must both be i8 or both u8, not %s and %s",
                            tsr_dtype_name(x->dtype), tsr_dtype_name(y->dtype));
  pair.in = two;
  pair.inputs = 2;
  shapes.n = &pair;
  return tsr__broadcast(&shapes, 0, 1);
}

/* x, w are i8; bias, mult and pack one i32 for each output channel (w's first dim). */
enum tsr_status tsr__quant_operands(struct tsr__infer *c)
{
  static const char *const names[] = {"its input", "its weights", "bias", "mult", "pack"};
  for (int k = 0; k < 5; k++) {
    const struct tsr_value *v = c->n->in[k];
    enum tsr_dtype wanted = k < 2 ? TSR_I8 : TSR_I32;
    struct tsr_tensor t;
    if (v->dtype != wanted)
      return tsr__refuse_node(c->err, c->n, "%s must be %s, not %s", names[k],
                              tsr_dtype_name(wanted), tsr_dtype_name(v->dtype));
    enum tsr_status s = k ? tsr__known(c, k, names[k], &t) : TSR_OK;
    if (s != TSR_OK)
      return s;
    if (k >= 2 && (v->rank != 1 || v->dims[0] != c->n->in[1]->dims[0]))
      return tsr__refuse_node(c->err, c->n,
                              "%s of shape %s is not one number for each of %lld "
                              "channels",
                              names[k], tsr__shape(c, k), (long long)c->n->in[1]->dims[0]);
  }
  return TSR_OK;
}

enum tsr_status tsr__infer_qdense(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  if (x->rank != 2 || w->rank != 2 || x->dims[1] != w->dims[1])
    return tsr__refuse_node(c->err, c->n, "weights of shape %s do not fit %s", tsr__shape(c, 1),
                            tsr__shape(c, 0));
  c->out[0].dims[1] = w->dims[0];
  return tsr__quant_operands(c);
}

enum tsr_status tsr__infer_qbinary(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *y = c->n->in[1];
  struct tsr_tensor a = tsr_value_tensor(x), b = tsr_value_tensor(y);
  if (x->dtype != TSR_I8 || y->dtype != TSR_I8 || !tsr_same_shape(&a, &b))
    return tsr__refuse_node(c->err, c->n, "its inputs must be i8 of one shape, not %s %s and %s %s",
                            tsr_dtype_name(x->dtype), tsr__shape(c, 0), tsr_dtype_name(y->dtype),
                            tsr__shape(c, 1));
  if (c->n->op == TSR_G_QAdd)
    for (int k = 0; k < 2; k++) {
      int64_t m = tsr_node_int(c->n, k ? "my" : "mx", 0);
      if (m <= -(1 << 22) || m >= 1 << 22)
        return tsr__refuse_node(c->err, c->n, "%s %lld is outside of 22 bits", k ? "my" : "mx",
                                (long long)m);
    }
  return TSR_OK;
}

enum tsr_status tsr__infer_qlut(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *table = c->n->in[1];
  struct tsr_tensor t;
  if (x->dtype != TSR_I8 || table->dtype != TSR_I8 || table->rank != 1 || table->dims[0] != 256)
    return tsr__refuse_node(
        c->err, c->n, "it wants i8 and a table of 256 i8, not %s and %s of shape %s",
        tsr_dtype_name(x->dtype), tsr_dtype_name(table->dtype), tsr__shape(c, 1));
  return tsr__known(c, 1, "table", &t);
}
