/* SPDX-License-Identifier: Apache-2.0 */
/* Blocked layouts: every node that the accelerator runs becomes its blocked form, constants packed.
 *
 * A value has up to two forms, plain and blocked. The blocked form of what the CPU makes is a Pack; the
 * plain form of what the accelerator makes is an Unpack; each is made once, and only where someone wants
 * it. Two layouts are free: a dense layer behind a flattened map is a convolution over the whole map, and
 * the first convolution of few channels takes its window's taps as channels (the Pack folds them). */
#include <assert.h>
#include <string.h>

#include "base/arith.h"
#include "compiler/target/accel/block.h"

struct tsr_value *tsr__blocked_value(struct tsr__blocker *b, const char *name,
                                     const int64_t dims[6])
{
  struct tsr_value *v = tsr_graph_value(b->g, name);
  v->typed = true;
  v->dtype = TSR_I8;
  v->rank = 6;
  memcpy(v->dims, dims, 6 * sizeof dims[0]);
  return v;
}

struct tsr_value *tsr__known_form(const struct tsr__blocker *b, const struct tsr_value *plain)
{
  for (size_t k = 0; k < b->forms; k++)
    if (b->form[k].plain == plain)
      return b->form[k].blocked;
  return NULL;
}

void tsr__remember(struct tsr__blocker *b, const struct tsr_value *plain, struct tsr_value *blocked)
{
  b->form = TSR_GROW(b->a, b->form, b->forms, &b->form_capacity);
  b->form[b->forms++] = (struct tsr__form){plain, blocked};
}

/* --- layout nodes ---------------------------------------------------------------------------------- */

/* How a convolution walks, when its taps are folded into channels by the Pack; NULL: not folded. */
struct fold {
  int64_t kernel[2], stride[2], dilation[2], pad[4], out[2], value;
};

static struct tsr_value *pack(struct tsr__blocker *b, struct tsr_value *x, const struct fold *f)
{
  int64_t taps = f ? f->kernel[0] * f->kernel[1] : 1;
  int64_t dims[6] = {tsr__ceil_div(x->dims[0], b->d->batch),
                     tsr__ceil_div(x->dims[1] * taps, b->d->block_in),
                     f ? f->out[0] : tsr__dim_of(x, 2),
                     f ? f->out[1] : tsr__dim_of(x, 3),
                     b->d->batch,
                     b->d->block_in};
  struct tsr_value *y = tsr__blocked_value(b, tsr_arena_printf(b->a, "%s.blocked", x->name), dims);
  struct tsr_node *n =
      tsr_graph_node(b->g, TSR_G_Pack, tsr_arena_printf(b->a, "pack %s", x->name), 1, 1);
  n->in[0] = x;
  tsr_node_set_output(n, 0, y);
  tsr_node_set_int(b->g, n, "batch", b->d->batch);
  tsr_node_set_int(b->g, n, "block", b->d->block_in);
  if (f) {
    tsr_node_set_ints(b->g, n, "kernel", 2, f->kernel);
    tsr_node_set_ints(b->g, n, "strides", 2, f->stride);
    tsr_node_set_ints(b->g, n, "dilations", 2, f->dilation);
    tsr_node_set_ints(b->g, n, "pads", 4, f->pad);
    tsr_node_set_int(b->g, n, "value", f->value);
  }
  return y;
}

struct tsr_value *tsr__blocked_of(struct tsr__blocker *b, struct tsr_value *x)
{
  struct tsr_value *y = tsr__known_form(b, x);
  if (!y) {
    y = pack(b, x, NULL);
    tsr__remember(b, x, y);
  }
  return y;
}

static void unpack(struct tsr__blocker *b, struct tsr_value *blocked, struct tsr_value *plain)
{
  struct tsr_node *n =
      tsr_graph_node(b->g, TSR_G_Unpack, tsr_arena_printf(b->a, "unpack %s", plain->name), 1, 1);
  n->in[0] = blocked;
  tsr_node_set_output(n, 0, plain);
  tsr_node_set_ints(b->g, n, "shape", plain->rank, plain->dims);
}

/* --- packed constants ------------------------------------------------------------------------------ */

static struct tsr_value *constant(struct tsr__blocker *b, const struct tsr_node *n,
                                  const char *what, enum tsr_dtype dtype, int rank,
                                  const int64_t *dims, void *data)
{
  return tsr_graph_constant(b->g, tsr_arena_printf(b->a, "%s.%s", n->name, what), dtype, rank, dims,
                            data);
}

/* p[CB, 3, B, I] of per-channel bias, mult, pack; lanes past the last channel are 0. */
struct tsr_value *tsr__lane_parameters(struct tsr__blocker *b, const struct tsr_node *n,
                                       int64_t channels, const int32_t *const part[3])
{
  int64_t dims[4] = {tsr__ceil_div(channels, b->d->block_out), 3, b->d->batch, b->d->block_out};
  int32_t *p = tsr_arena_alloc_array(b->a, (size_t)tsr_count(dims, 4, 4), 4);
  for (int64_t c = 0; c < channels; c++)
    for (int k = 0; k < 3; k++)
      for (int64_t r = 0; r < dims[2]; r++)
        p[((c / dims[3] * 3 + k) * dims[2] + r) * dims[3] + c % dims[3]] = part[k][c];
  return constant(b, n, "p", TSR_I32, 4, dims, p);
}

/* One row for every lane of every block, from attributes. */
static struct tsr_value *uniform_parameters(struct tsr__blocker *b, const struct tsr_node *n)
{
  static const char *const names[] = {"bias", "mult", "pack"};
  int64_t lanes = b->d->block_out;
  int32_t *part[3];
  for (int k = 0; k < 3; k++) {
    part[k] = TSR_NEW_ARRAY(b->a, int32_t, lanes);
    for (int64_t c = 0; c < lanes; c++)
      part[k][c] = (int32_t)tsr_node_int(n, names[k], 0);
  }
  const int32_t *const parts[3] = {part[0], part[1], part[2]};
  return tsr__lane_parameters(b, n, lanes, parts);
}

static struct tsr_value *two_vectors(struct tsr__blocker *b, const struct tsr_node *n,
                                     const char *first, const char *second)
{
  int64_t dims[3] = {2, b->d->batch, b->d->block_out}, lanes = dims[1] * dims[2];
  int32_t *k = TSR_NEW_ARRAY(b->a, int32_t, 2 * lanes);
  for (int64_t c = 0; c < 2 * lanes; c++)
    k[c] = (int32_t)tsr_node_int(n, c < lanes ? first : second, 0);
  return constant(b, n, "k", TSR_I32, 3, dims, k);
}

/* Where an input lane's weights are: in which group, and how far from an output channel's first weight. */
struct lane {
  int64_t group, at;
};

/* Lane L is channel L mod C at folded tap L div C. */
static struct lane *lanes_of(struct tsr__blocker *b, const struct tsr__weights *w,
                             const int64_t folded[2], int64_t count)
{
  struct lane *lane = TSR_NEW_ARRAY(b->a, struct lane, count);
  int64_t per_group = w->c / w->group;
  for (int64_t k = 0; k < count; k++) {
    int64_t c = k % w->c, tap = k / w->c;
    lane[k].group = c / per_group;
    lane[k].at = (c % per_group * w->kh + tap / folded[1]) * w->kw + tap % folded[1];
  }
  return lane;
}

/* One tile's row: the weights of output channel o from input lanes [from, to), shifted by `tap`. */
static void fill_row(const struct tsr__weights *w, int64_t o, const struct lane *lane, int64_t from,
                     int64_t to, int64_t tap, int8_t *row)
{
  int64_t group = o / (w->o / w->group);
  const int8_t *first = w->data + o * (w->c / w->group) * w->kh * w->kw + tap;
  for (int64_t k = from; k < to; k++)
    if (lane[k].group == group)
      row[k - from] = first[lane[k].at];
}

/* w[CB, OB, KH, KW, O, I], so that a slice of the sum is one piece; folded: taps become input lanes, and the kernel is what is not folded. Lanes and
 * channels past the last stay zero. */
struct tsr_value *tsr__conv_weights(struct tsr__blocker *b, const struct tsr_node *n,
                                    const struct tsr__weights *w, const int64_t folded[2])
{
  int64_t lanes = w->c * folded[0] * folded[1], block = b->d->block_in;
  int64_t dims[6] = {tsr__ceil_div(lanes, block),
                     tsr__ceil_div(w->o, b->d->block_out),
                     w->kh / folded[0],
                     w->kw / folded[1],
                     b->d->block_out,
                     block};
  const struct lane *lane = lanes_of(b, w, folded, lanes);
  int8_t *p = tsr_arena_alloc(b->a, (size_t)tsr_count(dims, 6, 1)), *row = p;
  for (int64_t from = 0; from < dims[0] * block; from += block)
    for (int64_t ob = 0; ob < dims[1]; ob++)
      for (int64_t kh = 0; kh < dims[2]; kh++)
        for (int64_t kw = 0; kw < dims[3]; kw++)
          for (int64_t o = ob * dims[4]; o < (ob + 1) * dims[4]; o++, row += block)
            if (o < w->o)
              fill_row(w, o, lane, from, from + block < lanes ? from + block : lanes,
                       kh * w->kw + kw, row);
  return constant(b, n, "w", TSR_I8, 6, dims, p);
}

/* w[CB, KH, KW, B, I] of i8[C, 1, KH, KW]. */
static struct tsr_value *depthwise_weights(struct tsr__blocker *b, const struct tsr_node *n,
                                           const struct tsr__weights *w)
{
  int64_t dims[5] = {tsr__ceil_div(w->c, b->d->block_in), w->kh, w->kw, b->d->batch, b->d->block_in};
  int64_t taps = w->kh * w->kw;
  int8_t *p = tsr_arena_alloc(b->a, (size_t)tsr_count(dims, 5, 1));
  for (int64_t c = 0; c < w->c; c++)
    for (int64_t t = 0; t < taps; t++)
      for (int64_t r = 0; r < dims[3]; r++)
        p[((c / dims[4] * taps + t) * dims[3] + r) * dims[4] + c % dims[4]] = w->data[c * taps + t];
  return constant(b, n, "w", TSR_I8, 5, dims, p);
}

/* --- nodes ----------------------------------------------------------------------------------------- */

static struct tsr_node *blocked_node(struct tsr__blocker *b, const struct tsr_node *n,
                                     enum tsr_gop op, int inputs)
{
  const struct tsr_value *y = n->out[0];
  int64_t dims[6] = {tsr__ceil_div(y->dims[0], b->d->batch),
                     tsr__ceil_div(y->dims[1], b->d->block_out),
                     tsr__dim_of(y, 2),
                     tsr__dim_of(y, 3),
                     b->d->batch,
                     b->d->block_out};
  struct tsr_value *v = tsr__blocked_value(b, tsr_arena_printf(b->a, "%s.blocked", y->name), dims);
  struct tsr_node *m = tsr_graph_node(b->g, op, n->name, inputs, 1);
  tsr_node_set_output(m, 0, v);
  m->name = n->name; /* it takes the node's place */
  if (op == TSR_G_AccConv || op == TSR_G_AccDepthwise)
    tsr_node_set_int(b->g, m, "macs", tsr_node_macs(n));
  tsr__remember(b, y, v);
  return m;
}

static void copy_ints(struct tsr__blocker *b, struct tsr_node *to, const struct tsr_node *from,
                      const char *name, int count, int64_t otherwise)
{
  int64_t v[4];
  tsr_node_ints(from, name, count, otherwise, v);
  tsr_node_set_ints(b->g, to, name, count, v);
}

void tsr__copy_window(struct tsr__blocker *b, struct tsr_node *to, const struct tsr_node *from)
{
  copy_ints(b, to, from, "strides", 2, 1);
  copy_ints(b, to, from, "pads", 4, 0);
  copy_ints(b, to, from, "dilations", 2, 1);
}

struct tsr__weights tsr__weights_of(const struct tsr_node *n)
{
  const struct tsr_value *w = n->in[1];
  int64_t group = tsr_node_int(n, "group", 1);
  return (struct tsr__weights){w->data,           w->dims[0],        w->dims[1] * group,
                               tsr__dim_of(w, 2), tsr__dim_of(w, 3), group};
}

static struct tsr_value *conv_parameters(struct tsr__blocker *b, const struct tsr_node *n)
{
  const int32_t *const part[3] = {n->in[2]->data, n->in[3]->data, n->in[4]->data};
  return tsr__lane_parameters(b, n, n->in[2]->dims[0], part);
}

/* Which taps to fold: none, the kernel's columns, or all of it; what needs the fewest tile products. */
static void choose_fold(const struct tsr__blocker *b, const struct tsr__weights *w,
                        int64_t folded[2])
{
  const int64_t option[3][2] = {{1, 1}, {1, w->kw}, {w->kh, w->kw}};
  int64_t best = INT64_MAX;
  for (int k = 0; k < 3; k++) {
    int64_t blocks = tsr__ceil_div(w->c * option[k][0] * option[k][1], b->d->block_in);
    int64_t products = blocks * (w->kh / option[k][0]) * (w->kw / option[k][1]);
    if (products < best) {
      best = products;
      folded[0] = option[k][0];
      folded[1] = option[k][1];
    }
  }
}

/* The Pack that folds, and what is left of the window for the convolution m. */
static struct tsr_value *fold_input(struct tsr__blocker *b, const struct tsr_node *n,
                                    struct tsr_node *m, const struct tsr__weights *w,
                                    const int64_t folded[2])
{
  int64_t stride[2], pad[4], dilation[2], kernel[2] = {w->kh, w->kw};
  tsr_node_ints(n, "strides", 2, 1, stride);
  tsr_node_ints(n, "pads", 4, 0, pad);
  tsr_node_ints(n, "dilations", 2, 1, dilation);
  struct fold f = {.value = tsr_node_int(n, "x_zero", 0)};
  for (int k = 0; k < 2; k++) {
    bool gone = folded[k] == kernel[k]; /* this dim's walk is the Pack's */
    f.kernel[k] = folded[k];
    f.stride[k] = gone ? stride[k] : 1;
    f.dilation[k] = gone ? dilation[k] : 1;
    f.pad[k] = gone ? pad[k] : 0;
    f.pad[k + 2] = gone ? pad[k + 2] : 0;
    f.out[k] = gone ? n->out[0]->dims[2 + k] : n->in[0]->dims[2 + k];
    if (gone) {
      stride[k] = dilation[k] = 1;
      pad[k] = pad[k + 2] = 0;
    }
  }
  tsr_node_set_ints(b->g, m, "strides", 2, stride);
  tsr_node_set_ints(b->g, m, "pads", 4, pad);
  tsr_node_set_ints(b->g, m, "dilations", 2, dilation);
  return pack(b, n->in[0], &f);
}

static void block_conv(struct tsr__blocker *b, const struct tsr_node *n)
{
  struct tsr__weights w = tsr__weights_of(n);
  int64_t folded[2] = {1, 1};
  bool depthwise = w.group > 1 && w.group == w.c && w.o == w.c;
  if (!depthwise && tsr__split_groups(b, n))
    return;
  struct tsr_node *m = blocked_node(b, n, depthwise ? TSR_G_AccDepthwise : TSR_G_AccConv, 3);
  if (!depthwise && !tsr__known_form(b, n->in[0]))
    choose_fold(b, &w, folded);
  if (folded[0] * folded[1] > 1) {
    m->in[0] = fold_input(b, n, m, &w, folded);
  } else {
    m->in[0] = tsr__blocked_of(b, n->in[0]);
    tsr__copy_window(b, m, n);
  }
  m->in[1] = depthwise ? depthwise_weights(b, n, &w) : tsr__conv_weights(b, n, &w, folded);
  m->in[2] = conv_parameters(b, n);
  tsr_node_set_int(b->g, m, "x_zero", tsr_node_int(n, "x_zero", 0));
}

/* The map that x = [N, K] is a flattened form of, when the accelerator made that; else x. */
static struct tsr_value *unflattened(const struct tsr__blocker *b, struct tsr_value *x)
{
  struct tsr_value *v = x;
  for (const struct tsr_node *p = v->producer; p; p = v->producer) {
    if (p->op != TSR_G_Flatten && p->op != TSR_G_Reshape && p->op != TSR_G_Squeeze &&
        p->op != TSR_G_Unsqueeze)
      break;
    v = p->in[0];
    if (tsr__known_form(b, v) && v->dims[0] == x->dims[0])
      return v;
  }
  return x;
}

static void block_dense(struct tsr__blocker *b, const struct tsr_node *n)
{
  static const int64_t unfolded[2] = {1, 1};
  struct tsr_value *x = unflattened(b, n->in[0]);
  struct tsr__weights w = tsr__weights_of(n);
  struct tsr_node *m = blocked_node(b, n, TSR_G_AccConv, 3);
  w.c = tsr__dim_of(x, 1);
  w.kh = tsr__dim_of(x, 2);
  w.kw = tsr__dim_of(x, 3);
  m->in[0] = tsr__blocked_of(b, x);
  m->in[1] = tsr__conv_weights(b, n, &w, unfolded);
  m->in[2] = conv_parameters(b, n);
}

static void block_binary(struct tsr__blocker *b, const struct tsr_node *n)
{
  bool sum = n->op == TSR_G_QAdd;
  struct tsr_node *m = blocked_node(b, n, sum ? TSR_G_AccAdd : TSR_G_AccMul, 4);
  m->in[0] = tsr__blocked_of(b, n->in[0]);
  m->in[1] = tsr__blocked_of(b, n->in[1]);
  m->in[2] = two_vectors(b, n, sum ? "mx" : "x_zero", sum ? "my" : "y_zero");
  m->in[3] = uniform_parameters(b, n);
}

static void block_pool(struct tsr__blocker *b, const struct tsr_node *n)
{
  bool mean = n->op == TSR_G_QAvgPool;
  struct tsr_node *m = blocked_node(b, n, mean ? TSR_G_AccAvgPool : TSR_G_AccMaxPool, mean ? 2 : 1);
  m->in[0] = tsr__blocked_of(b, n->in[0]);
  if (mean) {
    m->in[1] = uniform_parameters(b, n);
    tsr_node_set_int(b->g, m, "x_zero", tsr_node_int(n, "x_zero", 0));
  }
  copy_ints(b, m, n, "kernel", 2, 1);
  tsr__copy_window(b, m, n);
}

static void block_lut(struct tsr__blocker *b, const struct tsr_node *n)
{
  struct tsr_node *m = blocked_node(b, n, TSR_G_AccLut, 2);
  m->in[0] = tsr__blocked_of(b, n->in[0]);
  m->in[1] = n->in[1];
}

static void block_node(struct tsr__blocker *b, const struct tsr_node *n)
{
  switch (n->op) {
  case TSR_G_QConv: block_conv(b, n); break;
  case TSR_G_QDense: block_dense(b, n); break;
  case TSR_G_QAdd:
  case TSR_G_QMul: block_binary(b, n); break;
  case TSR_G_QMaxPool:
  case TSR_G_QAvgPool: block_pool(b, n); break;
  case TSR_G_QLut: block_lut(b, n); break;
  default: tsr__block_join(b, n);
  }
}

/* --- operands that lead ------------------------------------------------------------------------ */

/* Products of the convolution whose result v is, where nobody else reads it; else -1. */
static int64_t products_of(const struct tsr_graph *g, const struct tsr_value *v)
{
  bool conv = v->producer && v->producer->op == TSR_G_AccConv && tsr_graph_uses(g, v) == 1;
  return conv ? tsr_node_int(v->producer, "macs", 0) : -1;
}

/* Sums and products take the operand first with which they can be computed: group.c looks there. */
static void lead(struct tsr_graph *g, struct tsr_node *n)
{
  struct tsr_value *second = n->in[1], *k = n->in[2];
  if (products_of(g, second) <= products_of(g, n->in[0]))
    return;
  size_t row = (size_t)tsr_count(k->dims + 1, k->rank - 1, 1);
  int32_t *swapped = TSR_NEW_ARRAY(g->arena, int32_t, 2 * row);
  memcpy(swapped, (const int32_t *)k->data + row, row * sizeof *swapped);
  memcpy(swapped + row, k->data, row * sizeof *swapped);
  n->in[1] = n->in[0];
  n->in[0] = second;
  n->in[2] = tsr_graph_constant(g, k->name, k->dtype, k->rank, k->dims, swapped);
}

/* --- the pass -------------------------------------------------------------------------------------- */

/* Takes nodes out that nobody uses: a Flatten that a dense layer looked through, an Unpack before it. */
static void remove_unused(struct tsr_graph *g)
{
  for (int k = g->nodes; k-- > 0;) {
    bool used = false;
    for (int o = 0; o < g->node[k]->outputs; o++)
      used |= g->node[k]->out[o] && tsr_graph_uses(g, g->node[k]->out[o]) > 0;
    if (used)
      continue;
    memmove(&g->node[k], &g->node[k + 1], (size_t)(g->nodes - k - 1) * sizeof g->node[0]);
    g->nodes--;
  }
}

enum tsr_status tsr_accel_block(struct tsr_err *err, struct tsr_graph *g,
                                const struct tsr_design *d)
{
  struct tsr__blocker b = {.g = g, .a = g->arena, .d = d};
  int count = g->nodes;
  for (int k = 0; k < count; k++)
    if (tsr_accel_is_view(g->node[k]->op))
      return tsr_refuse(err, "node '%s' (%s): which values lie in another is for the compiler to say",
                        g->node[k]->name, tsr_gop_name(g->node[k]->op));
  struct tsr_node **old = tsr_arena_copy(g->arena, g->node, (size_t)count * sizeof g->node[0]);
  g->nodes = 0;
  for (int k = 0; k < count; k++) {
    struct tsr_node *n = old[k];
    if (tsr_accel_refusal(g->arena, n)) {
      g->node = TSR_GROW(g->arena, g->node, g->nodes, &g->node_capacity);
      g->node[g->nodes++] = n;
      continue;
    }
    struct tsr_value **plain = n->out; /* an Unpack takes them over */
    block_node(&b, n);
    for (int o = 0; o < n->outputs; o++)
      if (plain[o])
        unpack(&b, tsr__known_form(&b, plain[o]), plain[o]);
  }
  remove_unused(g);
  for (int k = 0; k < g->nodes; k++)
    if (g->node[k]->op == TSR_G_AccAdd || g->node[k]->op == TSR_G_AccMul)
      lead(g, g->node[k]);
  tsr_graph_sort(g);
  return tsr_graph_verify(err, g);
}
