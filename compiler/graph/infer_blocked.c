/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of blocked ops: activations are i8[NB, CB, H, W, B, I], batch and channels in blocks. */
#include <string.h>

#include "compiler/graph/graph_private.h"

enum { NB, CB, PH, PW, PB, PI };

struct walk { /* of a window over rows and columns */
  int64_t kernel[2], stride[2], dilation[2], pad[4];
};

static struct walk walk_of(const struct tsr_node *n, int64_t kh, int64_t kw)
{
  struct walk w = {.kernel = {kh, kw}};
  tsr_node_ints(n, "strides", 2, 1, w.stride);
  tsr_node_ints(n, "dilations", 2, 1, w.dilation);
  tsr_node_ints(n, "pads", 4, 0, w.pad);
  return w;
}

static enum tsr_status places(struct tsr__infer *c, const struct walk *w, const int64_t in[2],
                              int64_t out[2])
{
  for (int k = 0; k < 2; k++) {
    if (w->kernel[k] < 1 || w->stride[k] < 1 || w->dilation[k] < 1 || w->pad[k] < 0 ||
        w->pad[k + 2] < 0)
      return tsr__refuse_node(c->err, c->n,
                              "kernel, strides and dilations must be at least 1, pads 0");
    int64_t room = in[k] + w->pad[k] + w->pad[k + 2] - (w->kernel[k] - 1) * w->dilation[k] - 1;
    if (room < 0)
      return tsr__refuse_node(c->err, c->n, "its window is larger than the input %s",
                              tsr__shape(c, 0));
    out[k] = room / w->stride[k] + 1;
  }
  return TSR_OK;
}

static enum tsr_status blocked(struct tsr__infer *c, int k)
{
  const struct tsr_value *x = c->n->in[k];
  if (x->dtype != TSR_I8 || x->rank != 6)
    return tsr__refuse_node(c->err, c->n, "'%s' must be blocked i8, not %s %s", x->name,
                            tsr_dtype_name(x->dtype), tsr__shape(c, k));
  return TSR_OK;
}

enum tsr_status tsr__infer_pack(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  int64_t kernel[2], batch = tsr_node_int(c->n, "batch", 0), block = tsr_node_int(c->n, "block", 0);
  if (x->dtype != TSR_I8 || x->rank < 2 || x->rank > 4 || batch < 1 || block < 1)
    return tsr__refuse_node(c->err, c->n, "it packs i8 of rank 2 to 4, not %s %s",
                            tsr_dtype_name(x->dtype), tsr__shape(c, 0));
  tsr_node_ints(c->n, "kernel", 2, 1, kernel);
  struct walk w = walk_of(c->n, kernel[0], kernel[1]);
  int64_t in[2] = {x->rank > 2 ? x->dims[2] : 1, x->rank > 3 ? x->dims[3] : 1};
  int64_t lanes = x->dims[1] * kernel[0] * kernel[1];
  struct tsr__type *y = &c->out[0];
  y->rank = 6;
  y->dims[NB] = (x->dims[0] + batch - 1) / batch;
  y->dims[CB] = (lanes + block - 1) / block;
  y->dims[PB] = batch;
  y->dims[PI] = block;
  return places(c, &w, in, &y->dims[PH]);
}

enum tsr_status tsr__infer_unpack(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0];
  const struct tsr_attr *shape = tsr_node_attr(c->n, "shape");
  enum tsr_status s = blocked(c, 0);
  if (s)
    return s;
  int64_t want[4] = {0, 0, 1, 1};
  if (shape->count < 2 || shape->count > 4)
    return tsr__refuse_node(c->err, c->n, "shape must have 2 to 4 dims");
  memcpy(want, shape->ints, (size_t)shape->count * sizeof want[0]);
  if (want[0] > x->dims[NB] * x->dims[PB] || want[1] > x->dims[CB] * x->dims[PI] ||
      want[2] != x->dims[PH] || want[3] != x->dims[PW])
    return tsr__refuse_node(c->err, c->n, "%s does not hold its shape", tsr__shape(c, 0));
  c->out[0].rank = shape->count;
  memcpy(c->out[0].dims, shape->ints, (size_t)shape->count * sizeof want[0]);
  return TSR_OK;
}

static enum tsr_status windowed(struct tsr__infer *c, int64_t kh, int64_t kw)
{
  enum tsr_status s = blocked(c, 0);
  struct walk w = walk_of(c->n, kh, kw);
  return s ? s : places(c, &w, &c->n->in[0]->dims[PH], &c->out[0].dims[PH]);
}

enum tsr_status tsr__infer_acc_conv(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  if (w->rank != 6 || x->rank != 6 || w->dims[0] != x->dims[CB] || w->dims[5] != x->dims[PI])
    return tsr__refuse_node(c->err, c->n, "weights %s do not fit %s", tsr__shape(c, 1),
                            tsr__shape(c, 0));
  c->out[0].dims[CB] = w->dims[1];
  c->out[0].dims[PI] = w->dims[4];
  return windowed(c, w->dims[2], w->dims[3]);
}

enum tsr_status tsr__infer_acc_depthwise(struct tsr__infer *c)
{
  const struct tsr_value *x = c->n->in[0], *w = c->n->in[1];
  if (w->rank != 5 || x->rank != 6 || w->dims[0] != x->dims[CB] || w->dims[4] != x->dims[PI])
    return tsr__refuse_node(c->err, c->n, "weights %s do not fit %s", tsr__shape(c, 1),
                            tsr__shape(c, 0));
  return windowed(c, w->dims[1], w->dims[2]);
}

enum tsr_status tsr__infer_acc_pool(struct tsr__infer *c)
{
  int64_t kernel[2];
  tsr_node_ints(c->n, "kernel", 2, 1, kernel);
  return windowed(c, kernel[0], kernel[1]);
}

enum tsr_status tsr__infer_acc_same(struct tsr__infer *c)
{
  enum tsr_status s = blocked(c, 0);
  if (s || c->n->op == TSR_G_AccLut)
    return s;
  struct tsr_tensor x = tsr_value_tensor(c->n->in[0]), y = tsr_value_tensor(c->n->in[1]);
  if (!tsr_same_shape(&x, &y))
    return tsr__refuse_node(c->err, c->n, "its inputs %s and %s differ in shape", tsr__shape(c, 0),
                            tsr__shape(c, 1));
  return blocked(c, 1);
}

enum tsr_status tsr__infer_acc_slice(struct tsr__infer *c)
{
  const struct tsr_attr *starts = tsr_node_attr(c->n, "starts");
  const struct tsr_attr *sizes = tsr_node_attr(c->n, "sizes");
  enum tsr_status s = blocked(c, 0);
  if (s)
    return s;
  if (starts->count != 3 || sizes->count != 3)
    return tsr__refuse_node(c->err, c->n, "starts and sizes must have 3 numbers each");
  for (int k = 0; k < 3; k++) {
    int64_t extent = c->n->in[0]->dims[CB + k];
    if (starts->ints[k] < 0 || sizes->ints[k] < 0 || starts->ints[k] > extent ||
        sizes->ints[k] > extent - starts->ints[k])
      return tsr__refuse_node(c->err, c->n, "its box leaves %s", tsr__shape(c, 0));
    c->out[0].dims[CB + k] = sizes->ints[k];
  }
  return TSR_OK;
}
