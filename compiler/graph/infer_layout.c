/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of ops with channels in blocks: activations are [N, CB, H, W, I]. */
#include <string.h>

#include "compiler/graph/graph_private.h"
#include "compiler/graph/winograd.h"

/* b: of floats one for each lane, which may be left out; of bytes three words. */
static enum tsr_status check_parameters(struct tsr__infer *c, int64_t blocks, int64_t lanes)
{
  const struct tsr_value *b = c->n->inputs > 2 ? c->n->in[2] : NULL;
  bool bytes = c->n->in[0]->dtype == TSR_I8;
  int64_t dims[3] = {blocks, bytes ? 3 : lanes, lanes};
  if (!b && !bytes)
    return TSR_OK;
  if (b && b->dtype == (bytes ? TSR_I32 : c->n->in[0]->dtype) && b->rank == 2 + bytes &&
      !memcmp(b->dims, dims, (size_t)b->rank * sizeof dims[0]))
    return TSR_OK;
  return tsr__refuse_node(c->err, c->n, "input 2 must be %s",
                          bytes ? "i32 of [blocks,3,lanes]" : "of [blocks,lanes]");
}

/* Rank and dtype of the weights; of bytes, and of bf16 in pairs, they are `more` dims. */
static enum tsr_status check_weights(struct tsr__infer *c, int rank, int more)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  bool bytes = x->dtype == TSR_I8, pairs = x->dtype == TSR_BF16 && w->rank == rank + more;
  enum tsr_status s = bytes ? TSR_OK : tsr__want(c, 0, TSR__FLOATS);
  if (s)
    return s;
  if (w->dtype != x->dtype || w->rank != rank + (bytes || pairs ? more : 0))
    return tsr__refuse_node(c->err, c->n, "weights %s %s do not fit %s %s",
                            tsr_dtype_name(w->dtype), tsr__shape(c, 1), tsr_dtype_name(x->dtype),
                            tsr__shape(c, 0));
  return TSR_OK;
}

static enum tsr_status refuse_fit(struct tsr__infer *c)
{
  return tsr__refuse_node(c->err, c->n, "weights %s do not fit %s", tsr__shape(c, 1),
                          tsr__shape(c, 0));
}

/* Rows and columns of the result; `kernel` has the window's. */
static enum tsr_status slide(struct tsr__infer *c, const int64_t kernel[2])
{
  int64_t stride[2], dilation[2], pad[4];
  tsr_node_ints(c->n, "strides", 2, 1, stride);
  tsr_node_ints(c->n, "dilations", 2, 1, dilation);
  tsr_node_ints(c->n, "pads", 4, 0, pad);
  for (int k = 0; k < 2; k++) {
    int64_t span = (kernel[k] - 1) * dilation[k] + 1;
    int64_t room = c->n->in[0]->dims[2 + k] + pad[k] + pad[2 + k] - span;
    if (kernel[k] < 1 || stride[k] < 1 || dilation[k] < 1 || pad[k] < 0 || pad[2 + k] < 0 ||
        room < 0)
      return tsr__refuse_node(c->err, c->n, "its window does not fit the input %s",
                              tsr__shape(c, 0));
    c->out[0].dims[2 + k] = room / stride[k] + 1;
  }
  return TSR_OK;
}

enum tsr_status tsr__infer_blocked_conv(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  bool plain = x->rank == 4, bytes = x->dtype == TSR_I8;
  enum tsr_status s = check_weights(c, plain ? 5 : 6, !plain || bytes);
  if (s)
    return s;
  bool fits = plain ? !bytes && x->dims[1] == w->dims[1]
                    : x->rank == 5 && x->dims[1] == w->dims[1] &&
                          x->dims[4] == w->dims[4] * (w->rank == 7 ? w->dims[6] : 1);
  if (!fits)
    return refuse_fit(c);
  c->out[0].rank = 5;
  c->out[0].dims[1] = w->dims[0];
  c->out[0].dims[4] = w->dims[plain ? 4 : 5];
  s = check_parameters(c, c->out[0].dims[1], c->out[0].dims[4]);
  return s ? s : slide(c, w->dims + 2);
}

enum tsr_status tsr__infer_blocked_winograd(struct tsr__infer *c)
{
  static const int64_t taps[2] = {WINOGRAD__TAPS, WINOGRAD__TAPS};
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  if (x->dtype != TSR_F32 || w->dtype != TSR_F32 || x->rank != 5 || w->rank != 6 ||
      w->dims[0] != w->dims[1] || !winograd__matrices(w->dims[0]) || x->dims[1] != w->dims[3] ||
      x->dims[4] != w->dims[4])
    return refuse_fit(c);
  c->out[0].dims[1] = w->dims[2];
  c->out[0].dims[4] = w->dims[5];
  enum tsr_status s = check_parameters(c, w->dims[2], w->dims[5]);
  return s ? s : slide(c, taps);
}

enum tsr_status tsr__infer_blocked_depthwise(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  enum tsr_status s = check_weights(c, 4, 0);
  if (s)
    return s;
  if (x->rank != 5 || x->dims[1] != w->dims[0] || x->dims[4] != w->dims[3])
    return refuse_fit(c);
  s = check_parameters(c, x->dims[1], x->dims[4]);
  return s ? s : slide(c, w->dims + 1);
}

enum tsr_status tsr__infer_blocked_dense(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  enum tsr_status s = check_weights(c, 3, 1);
  if (s)
    return s;
  if (x->rank != 2 || x->dims[1] != w->dims[1] * (w->rank == 4 ? w->dims[3] : 1))
    return refuse_fit(c);
  c->out[0].rank = 3;
  c->out[0].dims[1] = w->dims[0];
  c->out[0].dims[2] = w->dims[2];
  return check_parameters(c, w->dims[0], w->dims[2]);
}
