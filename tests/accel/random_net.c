/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/accel/random_net.h"

#include "base/arith.h"

const char *const net_kind_names[NET_KINDS] = {"conv",        "depthwise", "grouped", "dense",
                                               "elementwise", "pool",      "joined",  "mixed",
                                               "chain",       "fed conv",  "fed pool"};

struct net {
  struct tsr_arena *a;
  struct random *r;
  struct tsr_graph *g;
};

static struct tsr_value *constant(struct net *n, const char *name, enum tsr_dtype dtype, int rank,
                                  const int64_t *dims, int64_t lo, int64_t hi)
{
  struct tsr_tensor t = {.dtype = dtype, .rank = rank};
  for (int k = 0; k < rank; k++)
    t.dims[k] = dims[k];
  int64_t count = tsr_tensor_count(&t);
  t.data = tsr_arena_alloc(n->a, tsr_tensor_bytes(&t) + 1);
  for (int64_t k = 0; k < count; k++)
    tsr_put_int(&t, k, random_in(n->r, lo, hi));
  return tsr_graph_constant(n->g, name, dtype, rank, dims, t.data);
}

/* A packed word whose clamp is mostly wide and sometimes narrow, as with a fused Relu. */
static int32_t random_pack(struct net *n, int shift)
{
  int zero = (int)random_in(n->r, -128, 127), lo = -128, hi = 127;
  if (random_bits(n->r) % 3 == 0)
    lo = zero;
  if (random_bits(n->r) % 8 == 0)
    hi = (int)random_in(n->r, lo, 127);
  return tsr_quant_pack(shift, zero, lo, hi);
}

static int32_t random_mult(struct net *n)
{
  return (int32_t)random_in(n->r, 1 << 30, INT32_MAX);
}

/* The shift that brings sums of `terms` products to about int8. */
static int shift_for(int64_t terms)
{
  int bits = 0;
  while (terms > 1) {
    terms /= 2;
    bits++;
  }
  return 31 + 5 + bits / 2;
}

static void requantization(struct net *n, struct tsr_node *node, int64_t channels, int64_t terms)
{
  int32_t *mult = TSR_NEW_ARRAY(n->a, int32_t, channels),
          *pack = TSR_NEW_ARRAY(n->a, int32_t, channels);
  for (int64_t k = 0; k < channels; k++) {
    mult[k] = random_mult(n);
    pack[k] = random_pack(n, shift_for(terms) + (int)random_in(n->r, -1, 1));
  }
  node->in[2] = constant(n, "bias", TSR_I32, 1, &channels, -3000, 3000);
  node->in[3] = tsr_graph_constant(n->g, "mult", TSR_I32, 1, &channels, mult);
  node->in[4] = tsr_graph_constant(n->g, "pack", TSR_I32, 1, &channels, pack);
}

static struct tsr_value *finish(struct net *n, struct tsr_node *node)
{
  struct tsr_value *y = tsr_graph_value(n->g, "v");
  tsr_node_set_output(node, 0, y);
  struct tsr_err err;
  if (tsr_graph_infer(&err, n->g))
    return NULL;
  return y;
}

static void window(struct net *n, struct tsr_node *node, const struct tsr_value *x, int64_t kh,
                   int64_t kw, bool plain)
{
  int64_t kernel[2] = {kh, kw}, stride[2] = {1, 1}, pad[4] = {0}, dilation[2] = {1, 1};
  for (int k = 0; k < 2 && !plain; k++) {
    stride[k] = random_in(n->r, 1, 3);
    pad[k] = random_in(n->r, 0, kernel[k] - 1);
    pad[k + 2] = random_in(n->r, 0, kernel[k] - 1);
    dilation[k] = random_in(n->r, 0, 3) || node->op == TSR_G_QAvgPool ? 1 : 2;
    if (x->dims[2 + k] + pad[k] + pad[k + 2] < (kernel[k] - 1) * dilation[k] + 1)
      dilation[k] = 1;
    while (x->dims[2 + k] + pad[k] + pad[k + 2] < kernel[k])
      pad[k]++;
  }
  tsr_node_set_ints(n->g, node, "strides", 2, stride);
  tsr_node_set_ints(n->g, node, "pads", 4, pad);
  if (node->op != TSR_G_QAvgPool)
    tsr_node_set_ints(n->g, node, "dilations", 2, dilation);
}

static struct tsr_value *conv(struct net *n, struct tsr_value *x, int64_t out, int64_t group)
{
  int64_t kh = random_in(n->r, 1, 5), kw = random_in(n->r, 0, 2) ? kh : random_in(n->r, 1, 5);
  int64_t dims[4] = {out, x->dims[1] / group, kh, kw};
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QConv, "conv", 5, 1);
  node->in[0] = x;
  node->in[1] = constant(n, "w", TSR_I8, 4, dims, -127, 127);
  requantization(n, node, out, dims[1] * kh * kw);
  window(n, node, x, kh, kw, false);
  tsr_node_set_int(n->g, node, "group", group);
  tsr_node_set_int(n->g, node, "x_zero", random_in(n->r, -128, 127));
  return finish(n, node);
}

static struct tsr_value *dense(struct net *n, struct tsr_value *x, int64_t out)
{
  int64_t dims[2] = {out, x->dims[1]};
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QDense, "dense", 5, 1);
  node->in[0] = x;
  node->in[1] = constant(n, "w", TSR_I8, 2, dims, -127, 127);
  requantization(n, node, out, dims[1]);
  return finish(n, node);
}

static void uniform(struct net *n, struct tsr_node *node, int shift)
{
  tsr_node_set_int(n->g, node, "bias", random_in(n->r, -3000, 3000));
  tsr_node_set_int(n->g, node, "mult", random_mult(n));
  tsr_node_set_int(n->g, node, "pack", random_pack(n, shift));
}

static struct tsr_value *binary(struct net *n, struct tsr_value *x, struct tsr_value *y, bool sum)
{
  struct tsr_node *node = tsr_graph_node(n->g, sum ? TSR_G_QAdd : TSR_G_QMul, "binary", 2, 1);
  node->in[0] = x;
  node->in[1] = y;
  tsr_node_set_int(n->g, node, sum ? "mx" : "x_zero",
                   random_in(n->r, -100, 100) * (sum ? 40000 : 1));
  tsr_node_set_int(n->g, node, sum ? "my" : "y_zero",
                   random_in(n->r, -100, 100) * (sum ? 40000 : 1));
  uniform(n, node, sum ? 31 + 22 : 31 + 8);
  return finish(n, node);
}

static struct tsr_value *lut(struct net *n, struct tsr_value *x)
{
  int64_t dims[1] = {256};
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QLut, "lut", 2, 1);
  node->in[0] = x;
  node->in[1] = constant(n, "table", TSR_I8, 1, dims, -128, 127);
  return finish(n, node);
}

static struct tsr_value *pool(struct net *n, struct tsr_value *x, bool mean, bool global)
{
  int64_t kernel[2];
  for (int k = 0; k < 2; k++)
    kernel[k] = global ? x->dims[2 + k]
                       : random_in(n->r, 1, x->dims[2 + k] < 4 ? x->dims[2 + k] : 4);
  struct tsr_node *node =
      tsr_graph_node(n->g, mean ? TSR_G_QAvgPool : TSR_G_QMaxPool, "pool", 1, 1);
  node->in[0] = x;
  tsr_node_set_ints(n->g, node, "kernel", 2, kernel);
  window(n, node, x, kernel[0], kernel[1], global);
  if (mean) {
    tsr_node_set_int(n->g, node, "x_zero", random_in(n->r, -128, 127));
    uniform(n, node, shift_for(kernel[0] * kernel[1] * kernel[0] * kernel[1]) - 5);
  }
  return finish(n, node);
}

/* --- maps that are joined, cut and repeated ---------------------------------------------------- */

static struct tsr_value *ints(struct net *n, int count, const int64_t *v)
{
  int64_t dims[1] = {count};
  return tsr_graph_constant(n->g, "list", TSR_I64, 1, dims,
                            tsr_arena_copy(n->a, v, (size_t)count * sizeof *v));
}

static struct tsr_value *concat(struct net *n, struct tsr_value *x, struct tsr_value *y,
                                int64_t axis)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_Concat, "concat", 3, 1);
  node->in[0] = x;
  node->in[1] = y;
  node->in[2] = random_bits(n->r) & 1 ? x : y; /* one of them twice */
  tsr_node_set_int(n->g, node, "axis", axis);
  return finish(n, node);
}

static struct tsr_value *slice(struct net *n, struct tsr_value *x)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_Slice, "slice", 4, 1);
  int64_t starts[3], ends[3], axes[3] = {1, -2, 3};
  for (int k = 0; k < 3; k++) {
    starts[k] = random_in(n->r, 0, x->dims[1 + k] - 1);
    ends[k] = random_in(n->r, starts[k] + 1, x->dims[1 + k]);
  }
  node->in[0] = x;
  node->in[1] = ints(n, 3, starts);
  node->in[2] = ints(n, 3, ends);
  node->in[3] = ints(n, 3, axes);
  return finish(n, node);
}

/* The second part of two. */
static struct tsr_value *split(struct net *n, struct tsr_value *x)
{
  int64_t axis = random_in(n->r, 1, 3), extent = x->dims[axis], parts[2];
  if (extent < 2)
    return x;
  parts[0] = random_in(n->r, 1, extent - 1);
  parts[1] = extent - parts[0];
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_Split, "split", 2, 2);
  node->in[0] = x;
  node->in[1] = ints(n, 2, parts);
  tsr_node_set_int(n->g, node, "axis", axis);
  tsr_node_set_output(node, 0, tsr_graph_value(n->g, "first"));
  tsr_node_set_output(node, 1, tsr_graph_value(n->g, "second"));
  struct tsr_err err;
  return tsr_graph_infer(&err, n->g) ? NULL : node->out[1];
}

static struct tsr_value *interleave(struct net *n, struct tsr_value *x, struct tsr_value *y)
{
  int64_t factor[2] = {random_in(n->r, 1, 3), random_in(n->r, 1, 2)};
  int parts = (int)(factor[0] * factor[1]);
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_Interleave, "interleave", parts, 1);
  for (int k = 0; k < parts; k++)
    node->in[k] = k % 2 ? y : x;
  tsr_node_set_ints(n->g, node, "factor", 2, factor);
  return finish(n, node);
}

static struct tsr_value *resize(struct net *n, struct tsr_value *x)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_Resize, "resize", 3, 1);
  int64_t dims[1] = {4};
  float *scale = TSR_NEW_ARRAY(n->a, float, 4);
  for (int k = 0; k < 4; k++)
    scale[k] = k < 2 ? 1 : (float)random_in(n->r, 1, 3);
  node->in[0] = x;
  node->in[2] = tsr_graph_constant(n->g, "scales", TSR_F32, 1, dims, scale);
  tsr_node_set_string(n->g, node, "mode", "nearest");
  tsr_node_set_string(n->g, node, "nearest_mode", "floor");
  tsr_node_set_string(n->g, node, "coordinate_transformation_mode", "asymmetric");
  return finish(n, node);
}

static struct tsr_value *shuffle(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, x, 4 * random_in(n->r, 1, 20), 1);
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_DepthToSpace, "shuffle", 1, 1);
  node->in[0] = y;
  tsr_node_set_int(n->g, node, "blocksize", 2);
  tsr_node_set_string(n->g, node, "mode", random_bits(n->r) & 1 ? "CRD" : "DCR");
  return y ? finish(n, node) : NULL;
}

static struct tsr_value *joined(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, x, random_in(n->r, 1, 40), 1);
  for (int k = (int)random_in(n->r, 1, 3); k > 0 && y && tsr_count(y->dims, 4, 1) < 8000; k--)
    switch (random_in(n->r, 0, 6)) {
    case 0: y = concat(n, y, lut(n, y), random_in(n->r, 2, 3)); break;
    case 1: y = slice(n, y); break;
    case 2: y = interleave(n, y, lut(n, y)); break;
    case 3: y = resize(n, y); break;
    case 4: y = shuffle(n, y); break;
    case 5: y = split(n, y); break;
    default: y = concat(n, y, lut(n, y), 1);
    }
  return y && random_bits(n->r) & 1 ? conv(n, y, random_in(n->r, 1, 40), 1) : y;
}

static struct tsr_value *mixed(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, x, random_in(n->r, 1, 40), 1);
  if (y && y->dims[2] > 1 && y->dims[3] > 1)
    y = pool(n, y, false, false);
  struct tsr_value *z = y ? lut(n, y) : NULL;
  y = z ? binary(n, z, y, true) : NULL;
  y = y ? conv(n, y, y->dims[1], y->dims[1]) : NULL;
  y = y ? conv(n, y, random_in(n->r, 1, 70), 1) : NULL;
  return y ? pool(n, y, true, true) : NULL;
}

/* A convolution whose result has the places of x. */
static struct tsr_value *in_place(struct net *n, struct tsr_value *x, int64_t out, int64_t group,
                                  int64_t kernel)
{
  int64_t dims[4] = {out, x->dims[1] / group, kernel, kernel}, at = kernel / 2;
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QConv, "conv", 5, 1);
  node->in[0] = x;
  node->in[1] = constant(n, "w", TSR_I8, 4, dims, -127, 127);
  requantization(n, node, out, dims[1] * kernel * kernel);
  tsr_node_set_ints(n->g, node, "strides", 2, (int64_t[2]){1, 1});
  tsr_node_set_ints(n->g, node, "pads", 4, (int64_t[4]){at, at, at, at});
  tsr_node_set_ints(n->g, node, "dilations", 2, (int64_t[2]){1, 1});
  tsr_node_set_int(n->g, node, "group", group);
  tsr_node_set_int(n->g, node, "x_zero", random_in(n->r, -128, 127));
  return finish(n, node);
}

/* What an accelerator may do without DRAM in between: pointwise, depthwise or a mean, pointwise,
 * something with each element. Sometimes not: somebody else reads what is in between. */
static struct tsr_value *chain(struct net *n, struct tsr_value *x)
{
  int64_t out = random_in(n->r, 1, 90);
  struct tsr_value *from = x;
  if (random_bits(n->r) % 4)
    x = in_place(n, x, random_in(n->r, 17, 90), 1, 1);
  bool mean = random_bits(n->r) % 4 == 0;
  struct tsr_value *y = mean
                            ? pool(n, x, true, random_bits(n->r) & 1)
                            : in_place(n, x, x->dims[1], x->dims[1], 1 + 2 * random_in(n->r, 0, 2));
  struct tsr_value *z = y ? in_place(n, y, out, 1, 1) : NULL;
  struct tsr_value *other = !mean && z ? in_place(n, from, out, 1, 2 * random_in(n->r, 0, 1) + 1)
                                       : z;
  if (!z || random_bits(n->r) % 4 == 0)
    return z ? lut(n, z) : NULL;
  return random_bits(n->r) & 1 ? binary(n, z, other, random_bits(n->r) % 3 > 0)
                               : binary(n, other, z, random_bits(n->r) % 3 > 0);
}

/* A convolution whose result another one, or a pool, may find on the chip, on a map of several tiles; what is kept of
 * it from tile to tile depends on both windows. */
static struct tsr_value *fed(struct net *n, struct tsr_value *x, bool into_pool)
{
  struct tsr_value *y = conv(n, x, random_in(n->r, 1, 40), 1);
  if (!y || into_pool)
    return y ? pool(n, y, false, false) : NULL;
  struct tsr_value *z = conv(n, y, random_in(n->r, 1, 40), 1);
  if (!z || random_bits(n->r) & 1)
    return z;
  return random_bits(n->r) & 1 ? lut(n, z) : binary(n, z, in_place(n, z, z->dims[1], 1, 1), true);
}

struct tsr_graph *random_net(struct tsr_arena *a, struct random *r, enum net_kind kind)
{
  struct net n = {a, r, tsr_graph_new(a, net_kind_names[kind])};
  int64_t group = kind == NET_GROUPED ? random_in(r, 2, 6) : 1;
  int64_t dims[4] = {random_in(r, 0, 3) ? 1 : random_in(r, 2, 5),
                     random_in(r, 1, 48 / group) * group, random_in(r, 1, 20), random_in(r, 1, 20)};
  if (kind == NET_GROUPED && random_bits(r) & 1) /* whole blocks, or halves */
    dims[1] = group * 8 * random_in(r, 1, 3);
  if (kind == NET_FED_CONV || kind == NET_FED_POOL) {
    dims[1] = random_in(r, 1, 24);
    dims[2] = random_in(r, 4, 40);
  }
  if (kind == NET_POOL && random_bits(r) % 4 == 0) { /* a map that no scratchpad holds whole */
    dims[2] = random_in(r, 40, 70);
    dims[3] = random_in(r, 40, 70);
  }
  struct tsr_value *x = tsr_graph_input(n.g, "x", TSR_I8, kind == NET_DENSE ? 2 : 4, dims),
                   *y = NULL;
  switch (kind) {
  case NET_CONV: y = conv(&n, x, random_in(r, 1, 90), 1); break;
  case NET_DEPTHWISE: y = conv(&n, x, dims[1], dims[1]); break;
  case NET_GROUPED: y = conv(&n, x, group * random_in(r, 1, 6) * random_in(r, 1, 6), group); break;
  case NET_DENSE: y = dense(&n, x, random_in(r, 1, 200)); break;
  case NET_POOL: y = pool(&n, x, random_bits(r) & 1, random_bits(r) % 3 == 0); break;
  case NET_JOINED: y = joined(&n, x); break;
  case NET_MIXED: y = mixed(&n, x); break;
  case NET_CHAIN: y = chain(&n, x); break;
  case NET_FED_CONV: y = fed(&n, x, false); break;
  case NET_FED_POOL: y = fed(&n, x, true); break;
  default:
    y = lut(&n, x);
    for (int k = (int)random_in(r, 1, 4); k > 0 && y; k--)
      y = random_bits(r) & 1 ? lut(&n, y)
                             : binary(&n, y, random_bits(r) & 1 ? x : y, random_bits(r) & 1);
  }
  if (!y)
    return NULL;
  tsr_graph_output(n.g, y);
  return n.g;
}
