/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of convolutions, pools and matrix products. */
#include <string.h>

#include "compiler/graph/graph_private.h"

/* A list of `count` integers, each at least `least`, or all `otherwise`. */
static enum tsr_status list(const struct tsr__infer *c, const char *name, int count, int64_t least,
                            int64_t otherwise, int64_t *out)
{
  const struct tsr_attr *attr = tsr_node_attr(c->n, name);
  if (attr && attr->count != count)
    return tsr__refuse_node(c->err, c->n, "%s has %d numbers, not %d", name, attr->count, count);
  for (int i = 0; i < count; i++) {
    out[i] = attr ? attr->ints[i] : otherwise;
    if (out[i] < least || out[i] > INT32_MAX)
      return tsr__refuse_node(c->err, c->n, "%s %lld is out of range", name, (long long)out[i]);
  }
  return TSR_OK;
}

/* SAME: as many outputs as strides fit in the input; the odd one goes to the end, or to the
 * begin. */
static void same_pads(const struct tsr_value *x, bool upper, struct tsr__window *w)
{
  for (int i = 0; i < w->spatial; i++) {
    int64_t in = x->dims[i + 2], out = (in + w->strides[i] - 1) / w->strides[i];
    int64_t span = (w->kernel[i] - 1) * w->dilations[i] + 1;
    int64_t all = (out - 1) * w->strides[i] + span - in;
    all = all < 0 ? 0 : all;
    w->pads[i] = upper ? all / 2 : all - all / 2;
    w->pads[i + w->spatial] = all - w->pads[i];
  }
}

enum tsr_status tsr__window_of(const struct tsr__infer *c, const int64_t *kernel,
                               struct tsr__window *w)
{
  const struct tsr_value *x = c->n->in[0];
  const struct tsr_attr *automatic = tsr_node_attr(c->n, "auto_pad");
  w->spatial = x->rank - 2;
  if (w->spatial < 1)
    return tsr__refuse_node(c->err, c->n, "its input of shape %s has no spatial dims",
                            tsr__shape(c, 0));
  enum tsr_status s = list(c, "strides", w->spatial, 1, 1, w->strides);
  if (s == TSR_OK)
    s = list(c, "dilations", w->spatial, 1, 1, w->dilations);
  if (s == TSR_OK)
    s = list(c, "pads", 2 * w->spatial, 0, 0, w->pads);
  if (s == TSR_OK)
    s = list(c, "kernel_shape", w->spatial, 1, kernel ? 1 : 0, w->kernel);
  for (int i = 0; s == TSR_OK && kernel && i < w->spatial; i++) {
    if (tsr_node_attr(c->n, "kernel_shape") && w->kernel[i] != kernel[i])
      return tsr__refuse_node(c->err, c->n, "kernel_shape is not that of its weights, %s",
                              tsr__shape(c, 1));
    w->kernel[i] = kernel[i];
  }
  if (s != TSR_OK || !automatic || !strcmp(automatic->s, "NOTSET"))
    return s;
  if (!strcmp(automatic->s, "VALID"))
    memset(w->pads, 0, sizeof w->pads);
  else if (!strcmp(automatic->s, "SAME_UPPER") || !strcmp(automatic->s, "SAME_LOWER"))
    same_pads(x, automatic->s[5] == 'U', w);
  else
    return tsr__refuse_node(c->err, c->n, "auto_pad '%s' is none of ONNX's", automatic->s);
  return TSR_OK;
}

enum tsr_status tsr__settle_pads(struct tsr_err *err, struct tsr_graph *g, struct tsr_node *n)
{
  const struct tsr_attr *automatic = tsr_node_attr(n, "auto_pad");
  struct tsr__infer c = {.err = err, .scratch = g->arena, .n = n};
  struct tsr__window w;
  if (!automatic)
    return TSR_OK;
  if (strcmp(automatic->s, "NOTSET")) {
    bool weights =
        n->op == TSR_G_Conv || n->op == TSR_G_ConvInteger || n->op == TSR_G_ConvTranspose;
    int k = n->op == TSR_G_QLinearConv ? 3 : 1;
    weights |= k == 3;
    enum tsr_status s = tsr__window_of(&c, weights ? n->in[k]->dims + 2 : NULL, &w);
    if (s != TSR_OK)
      return s;
    tsr_node_set_ints(g, n, "pads", 2 * w.spatial, w.pads);
  }
  automatic = tsr_node_attr(n, "auto_pad"); /* setting moved it */
  int at = (int)(automatic - n->attr);
  memmove(n->attr + at, n->attr + at + 1, (size_t)(n->attrs - at - 1) * sizeof *n->attr);
  n->attrs--;
  return TSR_OK;
}

/* The dims that windows make of x's spatial ones. */
static enum tsr_status slide(struct tsr__infer *c, const struct tsr__window *w, bool ceiling)
{
  const struct tsr_value *x = c->n->in[0];
  for (int i = 0; i < w->spatial; i++) {
    int64_t padded = x->dims[i + 2] + w->pads[i] + w->pads[i + w->spatial];
    int64_t room = padded - ((w->kernel[i] - 1) * w->dilations[i] + 1);
    if (room < 0)
      return tsr__refuse_node(c->err, c->n, "windows of %lld do not fit dim %d of %s",
                              (long long)w->kernel[i], i + 2, tsr__shape(c, 0));
    int64_t steps = (room + (ceiling ? w->strides[i] - 1 : 0)) / w->strides[i];
    if (ceiling && steps * w->strides[i] >= x->dims[i + 2] + w->pads[i])
      steps--; /* a window that starts behind the input holds only padding */
    c->out[0].dims[i + 2] = steps + 1;
  }
  return TSR_OK;
}

/* x (input 0) by w (input k), [O, C / group, kernel...]; a bias at `bias` when it is there. */
static enum tsr_status convolve(struct tsr__infer *c, int k, int bias)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[k];
  int64_t group = tsr_node_int(c->n, "group", 1);
  struct tsr__window window;
  if (x->rank < 3 || w->rank != x->rank || group < 1 || x->dims[1] % group || w->dims[0] % group ||
      w->dims[1] != x->dims[1] / group)
    return tsr__refuse_node(c->err, c->n, "weights of shape %s do not fit %s in %lld groups",
                            tsr__shape(c, k), tsr__shape(c, 0), (long long)group);
  for (int i = 2; i < w->rank; i++)
    if (w->dims[i] < 1)
      return tsr__refuse_node(c->err, c->n, "its weights of shape %s are empty", tsr__shape(c, k));
  enum tsr_status s = tsr__window_of(c, w->dims + 2, &window);
  if (s == TSR_OK)
    s = slide(c, &window, false);
  c->out[0].dims[1] = w->dims[0];
  if (s == TSR_OK && tsr__has(c, bias) &&
      (c->n->in[bias]->rank != 1 || c->n->in[bias]->dims[0] != w->dims[0]))
    return tsr__refuse_node(c->err, c->n,
                            "bias of shape %s is not one number for each of %lld channels",
                            tsr__shape(c, bias), (long long)w->dims[0]);
  return s;
}

enum tsr_status tsr__infer_conv(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  for (int k = 1; s == TSR_OK && k < c->n->inputs; k++)
    if (tsr__has(c, k))
      s = tsr__same_dtype(c, 0, k);
  return s == TSR_OK ? convolve(c, 1, 2) : s;
}

enum tsr_status tsr__infer_conv_integer(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__BYTES);
  if (s == TSR_OK)
    s = tsr__want(c, 1, TSR__BYTES);
  if (s == TSR_OK)
    s = convolve(c, 1, c->n->inputs);
  c->out[0].dtype = TSR_I32;
  return s;
}

/* x, w and the result's zero point are bytes. */
static enum tsr_status qlinear_operands(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__BYTES);
  if (s == TSR_OK)
    s = tsr__want(c, 3, TSR__BYTES);
  if (s == TSR_OK)
    s = tsr__want(c, 7, TSR__BYTES);
  return s;
}

enum tsr_status tsr__infer_qlinear_conv(struct tsr__infer *c)
{
  enum tsr_status s = qlinear_operands(c);
  if (s == TSR_OK)
    s = convolve(c, 3, 8);
  c->out[0].dtype = c->n->in[7]->dtype;
  return s;
}

enum tsr_status tsr__infer_qconv(struct tsr__infer *c)
{
  enum tsr_status s = convolve(c, 1, 2);
  if (s != TSR_OK)
    return s;
  return tsr__quant_operands(c);
}

/* out = (in - 1) * stride + output_padding + span - pads; weights are [C, O / group, kernel...]. */
enum tsr_status tsr__infer_conv_transpose(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  int64_t group = tsr_node_int(c->n, "group", 1), extra[TSR_MAX_RANK];
  const struct tsr_attr *automatic = tsr_node_attr(c->n, "auto_pad");
  struct tsr__window window;
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  if (s == TSR_OK)
    s = tsr__same_dtype(c, 0, 1);
  if (s == TSR_OK && (x->rank < 3 || w->rank != x->rank || group < 1 || x->dims[1] % group ||
                      w->dims[0] != x->dims[1]))
    return tsr__refuse_node(c->err, c->n, "weights of shape %s do not fit %s in %lld groups",
                            tsr__shape(c, 1), tsr__shape(c, 0), (long long)group);
  if (s == TSR_OK && (tsr_node_attr(c->n, "output_shape") ||
                      (automatic && strncmp(automatic->s, "SAME", 4) == 0)))
    return tsr__refuse_node(c->err, c->n,
                            "output_shape and auto_pad SAME are not supported; pads are");
  if (s == TSR_OK)
    s = tsr__window_of(c, w->dims + 2, &window);
  if (s == TSR_OK)
    s = list(c, "output_padding", window.spatial, 0, 0, extra);
  for (int i = 0; s == TSR_OK && i < window.spatial; i++) {
    int64_t span = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t *dim = &c->out[0].dims[i + 2];
    *dim = (*dim - 1) * window.strides[i] + extra[i] + span - window.pads[i] -
           window.pads[i + window.spatial];
    if (*dim < 0)
      return tsr__refuse_node(c->err, c->n, "pads leave nothing of dim %d", i + 2);
  }
  c->out[0].dims[1] = s == TSR_OK ? w->dims[1] * group : 0;
  return s;
}

enum tsr_status tsr__infer_pool(struct tsr__infer *c)
{
  struct tsr__window w;
  enum tsr_status s =
      tsr__want(c, 0, c->n->op == TSR_G_MaxPool ? TSR__FLOATS | TSR__BYTES : TSR__FLOATS);
  if (s == TSR_OK)
    s = tsr__window_of(c, NULL, &w);
  return s == TSR_OK ? slide(c, &w, tsr_node_int(c->n, "ceil_mode", 0) != 0) : s;
}

enum tsr_status tsr__infer_global_pool(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS);
  if (s == TSR_OK && c->n->in[0]->rank < 3)
    return tsr__refuse_node(c->err, c->n, "its input of shape %s has no spatial dims",
                            tsr__shape(c, 0));
  for (int i = 2; i < c->out[0].rank; i++)
    c->out[0].dims[i] = 1;
  return s;
}

enum tsr_status tsr__infer_qlinear_pool(struct tsr__infer *c)
{
  int first = tsr_node_int(c->n, "channels_last", 0) ? 1 : 2;
  enum tsr_status s = tsr__want(c, 0, TSR__BYTES);
  if (s == TSR_OK && c->n->in[0]->rank < 3)
    return tsr__refuse_node(c->err, c->n, "its input of shape %s has no spatial dims",
                            tsr__shape(c, 0));
  for (int i = 0; i < c->out[0].rank - 2; i++)
    c->out[0].dims[first + i] = 1;
  return s;
}

/* QMaxPool and QAvgPool name their windows `kernel`. */
enum tsr_status tsr__infer_qpool(struct tsr__infer *c)
{
  int dims = c->n->in[0]->rank - 2;
  struct tsr__window w = {.spatial = dims};
  if (dims < 1 || c->n->in[0]->dtype != TSR_I8)
    return tsr__refuse_node(c->err, c->n,
                            "its input must be i8 of rank 3 or more, not %s of shape %s",
                            tsr_dtype_name(c->n->in[0]->dtype), tsr__shape(c, 0));
  enum tsr_status s = list(c, "kernel", dims, 1, 0, w.kernel);
  if (s == TSR_OK)
    s = list(c, "strides", dims, 1, 1, w.strides);
  if (s == TSR_OK)
    s = list(c, "dilations", dims, 1, 1, w.dilations);
  if (s == TSR_OK)
    s = list(c, "pads", 2 * dims, 0, 0, w.pads);
  return s == TSR_OK ? slide(c, &w, false) : s;
}

/* x (input j) times y (input k), batches broadcast; a rank of 1 stands for one row or column. */
static enum tsr_status multiply(struct tsr__infer *c, int j, int k)
{
  const struct tsr_value *x = c->n->in[j], *y = c->n->in[k];
  struct tsr_value left = *x, right = *y;
  struct tsr_value *two[2] = {&left, &right};
  struct tsr_node pair = *c->n;
  struct tsr__infer batches = *c;
  if (x->rank < 1 || y->rank < 1 || x->dims[x->rank - 1] != y->dims[y->rank > 1 ? y->rank - 2 : 0])
    return tsr__refuse_node(c->err, c->n, "matrices %s and %s do not multiply", tsr__shape(c, j),
                            tsr__shape(c, k));
  left.rank = x->rank > 2 ? x->rank - 2 : 0;
  right.rank = y->rank > 2 ? y->rank - 2 : 0;
  pair.in = two;
  pair.inputs = 2;
  batches.n = &pair;
  enum tsr_status s = tsr__broadcast(&batches, 0, 1);
  if (x->rank > 1)
    c->out[0].dims[c->out[0].rank++] = x->dims[x->rank - 2];
  if (y->rank > 1)
    c->out[0].dims[c->out[0].rank++] = y->dims[y->rank - 1];
  return s;
}

enum tsr_status tsr__infer_matmul(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
  if (s == TSR_OK)
    s = tsr__same_dtype(c, 0, 1);
  return s == TSR_OK ? multiply(c, 0, 1) : s;
}

enum tsr_status tsr__infer_matmul_integer(struct tsr__infer *c)
{
  enum tsr_status s = tsr__want(c, 0, TSR__BYTES);
  if (s == TSR_OK)
    s = tsr__want(c, 1, TSR__BYTES);
  if (s == TSR_OK)
    s = multiply(c, 0, 1);
  c->out[0].dtype = TSR_I32;
  return s;
}

enum tsr_status tsr__infer_qlinear_matmul(struct tsr__infer *c)
{
  enum tsr_status s = qlinear_operands(c);
  if (s == TSR_OK)
    s = multiply(c, 0, 3);
  c->out[0].dtype = c->n->in[7]->dtype;
  return s;
}

enum tsr_status tsr__infer_gemm(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *y = c->n->in[1];
  int tx = tsr_node_int(c->n, "transA", 0) != 0, ty = tsr_node_int(c->n, "transB", 0) != 0;
  enum tsr_status s = tsr__want(c, 0, TSR__FLOATS | TSR__INTS);
  for (int k = 1; s == TSR_OK && k < c->n->inputs; k++)
    if (tsr__has(c, k))
      s = tsr__same_dtype(c, 0, k);
  if (s == TSR_OK && (x->rank != 2 || y->rank != 2 || x->dims[!tx] != y->dims[ty]))
    return tsr__refuse_node(c->err, c->n, "matrices %s%s and %s%s do not multiply",
                            tsr__shape(c, 0), tx ? " transposed" : "", tsr__shape(c, 1),
                            ty ? " transposed" : "");
  if (s != TSR_OK)
    return s;
  struct tsr__type product = {x->dtype, 2, {x->dims[tx], y->dims[!ty]}};
  c->out[0] = product;
  for (int i = 0; tsr__has(c, 2) && i < c->n->in[2]->rank; i++) {
    const struct tsr_value *b = c->n->in[2];
    int at = 2 - b->rank + i;
    if (at < 0 || (b->dims[i] != 1 && b->dims[i] != product.dims[at]))
      return tsr__refuse_node(c->err, c->n, "bias of shape %s does not broadcast to %lldx%lld",
                              tsr__shape(c, 2), (long long)product.dims[0],
                              (long long)product.dims[1]);
  }
  return TSR_OK;
}
