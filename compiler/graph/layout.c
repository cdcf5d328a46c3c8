/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors with channels in blocks, from the first layer to the last.
 *
 * A value has up to two forms, plain and blocked; the blocked form of a map [N,C,H,W] is [N,CB,H,W,I], of
 * a matrix [..,N] it is [M,NB,O], which lies in memory as the matrix does. Convolutions and products
 * with constant weights make blocked values; pools, elementwise ops and concatenations of blocked values
 * do too. Everything else reads the plain form. Conversions stand where one form is there and the
 * other one is wanted; what no one wants is swept away. */
#include <string.h>

#include "compiler/graph/layout.h"

enum { MAP = 5, ROWS = 3 };           /* ranks of blocked forms */
enum { LEAST_CHANNELS = 8, FEW = 4 }; /* fewer results stay plain; so few bytes are a block */

struct layouter {
  struct tsr_err *err;
  struct tsr_graph *g;
  struct tsr_layout layout;
  struct tsr__map *form; /* plain value -> blocked */
  enum tsr_status status;
};

/* --- nodes ------------------------------------------------------------------------------------ */

static struct tsr_node *add(struct layouter *b, enum tsr_gop op, const char *like, int inputs,
                            struct tsr_value *const *in)
{
  return tsr__add_node(b->g, op, like, inputs, in);
}

/* The output of a node whose inputs and attributes are there. */
static struct tsr_value *typed(struct layouter *b, struct tsr_node *n)
{
  enum tsr_status s = tsr__type_node(b->err, b->g, n);
  b->status = b->status ? b->status : s;
  return n->out[0];
}

/* The node is `n` in another layout: it takes its name. */
static struct tsr_node *in_place(struct layouter *b, const struct tsr_node *n, enum tsr_gop op,
                                 int inputs, struct tsr_value *const *in)
{
  const char *like = tsr_arena_printf(b->g->arena, "%s.blocked", n->out[0]->name);
  struct tsr_node *m = add(b, op, like, inputs, in);
  m->name = m->asked = n->name;
  return m;
}

static struct tsr_value *reshaped(struct layouter *b, struct tsr_value *x, int rank,
                                  const int64_t *dims)
{
  const char *name = tsr_arena_printf(b->g->arena, "%s.shape", x->name);
  struct tsr_value *in[2] = {x, tsr__add_ints(b->g, name, rank, dims)};
  return typed(b, add(b, TSR_G_Reshape, tsr_arena_printf(b->g->arena, "%s.view", x->name), 2, in));
}

static struct tsr_value *transposed(struct layouter *b, struct tsr_value *x, const int64_t perm[5])
{
  struct tsr_node *n =
      add(b, TSR_G_Transpose, tsr_arena_printf(b->g->arena, "%s.order", x->name), 1, &x);
  tsr_node_set_ints(b->g, n, "perm", 5, perm);
  return typed(b, n);
}

/* --- blocks ----------------------------------------------------------------------------------- */

struct blocks {
  int64_t count, size; /* CB, I */
};

static struct blocks blocks_for(const struct layouter *b, enum tsr_dtype dtype, int64_t channels)
{
  int64_t size = b->layout.block;
  if (dtype == TSR_I8 && channels <= FEW)
    size = LAYOUT__GROUP;
  else if (dtype == TSR_I8 && !size)
    size = (channels + LAYOUT__GROUP - 1) / LAYOUT__GROUP * LAYOUT__GROUP;
  else if (dtype != TSR_I8 && (!size || channels % size))
    size = channels;
  return (struct blocks){(channels + size - 1) / size, size};
}

/* Of so many weights of an output that lie behind one another: how many are not parted by those of other
 * outputs, four bytes. Of int8 in one block all of them: matrix units read rows. */
static int64_t group_of(const struct layouter *b, enum tsr_dtype dtype, int64_t lanes)
{
  if (dtype == TSR_I8)
    return b->layout.block ? LAYOUT__GROUP : lanes;
  return dtype == TSR_BF16 && b->layout.block && lanes % 2 == 0 ? 2 : 1;
}

static struct blocks blocks_of(const struct layouter *b, const struct tsr_value *v)
{
  return blocks_for(b, v->dtype, v->dims[1]);
}

/* Without lanes past the last channel. */
static bool is_full(const struct tsr_value *v, struct blocks k)
{
  return k.count * k.size == v->dims[1];
}

static struct tsr_value *known(const struct layouter *b, const struct tsr_value *v, int rank)
{
  const struct tsr_value *form = tsr__map_get(b->form, v);
  return form && form->rank == rank ? (struct tsr_value *)(uintptr_t)form : NULL;
}

static struct tsr_value *pack(struct layouter *b, struct tsr_value *x, struct blocks k)
{
  int64_t dims[MAP] = {x->dims[0], k.count, x->dims[2], x->dims[3], k.size};
  struct tsr_node *n =
      add(b, TSR_G_Pack, tsr_arena_printf(b->g->arena, "%s.packed", x->name), 1, &x);
  tsr_node_set_int(b->g, n, "batch", 1);
  tsr_node_set_int(b->g, n, "block", k.size);
  return reshaped(b, typed(b, n), MAP, dims);
}

/* The blocked form of a map. */
static struct tsr_value *blocked(struct layouter *b, struct tsr_value *x)
{
  static const int64_t perm[] = {0, 1, 3, 4, 2};
  struct blocks k = blocks_of(b, x);
  struct tsr_value *v = known(b, x, MAP);
  int64_t dims[MAP] = {x->dims[0], k.count, k.size, x->dims[2], x->dims[3]};
  int64_t point[MAP] = {x->dims[0], k.count, 1, 1, k.size};
  if (v)
    return v;
  if (!is_full(x, k))
    v = pack(b, x, k);
  else if (x->dims[2] * x->dims[3] == 1)
    v = reshaped(b, x, MAP, point);
  else
    v = transposed(b, reshaped(b, x, MAP, dims), perm);
  tsr__map_put(b->form, x, v);
  return v;
}

/* --- back to plain ---------------------------------------------------------------------------- */

/* Makes `plain` what the last node makes. */
static void settle(const struct tsr_value *made, struct tsr_value *plain)
{
  tsr_node_set_output(made->producer, 0, plain);
}

static void unblock_map(struct layouter *b, struct tsr_value *v, struct tsr_value *plain)
{
  static const int64_t perm[] = {0, 1, 4, 2, 3};
  struct blocks k = blocks_of(b, plain);
  if (is_full(plain, k)) {
    bool order = plain->dims[2] * plain->dims[3] > 1;
    settle(reshaped(b, order ? transposed(b, v, perm) : v, plain->rank, plain->dims), plain);
    return;
  }
  int64_t dims[6] = {plain->dims[0], k.count, plain->dims[2], plain->dims[3], 1, k.size};
  struct tsr_value *x = reshaped(b, v, 6, dims);
  struct tsr_node *n =
      add(b, TSR_G_Unpack, tsr_arena_printf(b->g->arena, "%s.unpacked", v->name), 1, &x);
  tsr_node_set_ints(b->g, n, "shape", plain->rank, plain->dims);
  settle(typed(b, n), plain);
}

static void unblock_rows(struct layouter *b, struct tsr_value *v, struct tsr_value *plain)
{
  int64_t columns = plain->dims[plain->rank - 1], from = 0, axis = 1;
  int64_t flat[2] = {v->dims[0], v->dims[1] * v->dims[2]};
  if (flat[1] == columns) {
    settle(reshaped(b, v, plain->rank, plain->dims), plain);
    return;
  }
  const char *name = tsr_arena_printf(b->g->arena, "%s.cut", v->name);
  struct tsr_value *in[4] = {reshaped(b, v, 2, flat), tsr__add_ints(b->g, name, 1, &from),
                             tsr__add_ints(b->g, name, 1, &columns),
                             tsr__add_ints(b->g, name, 1, &axis)};
  struct tsr_value *cut = typed(b, add(b, TSR_G_Slice, name, 4, in));
  settle(plain->rank == 2 ? cut : reshaped(b, cut, plain->rank, plain->dims), plain);
}

/* v is the blocked form of what n made. */
static bool replace(struct layouter *b, const struct tsr_node *n, struct tsr_value *v)
{
  struct tsr_value *plain = n->out[0];
  if (b->status)
    return true;
  if (v->rank == MAP)
    unblock_map(b, v, plain);
  else
    unblock_rows(b, v, plain);
  tsr__map_put(b->form, plain, v);
  return true;
}

/* --- convolutions and products ---------------------------------------------------------------- */

static bool is_float(const struct tsr_value *v)
{
  return tsr_dtype_kind(v->dtype) == TSR_KIND_FLOAT;
}

static const char *name_of(struct layouter *b, const struct tsr_node *n, const char *what)
{
  return tsr_arena_printf(b->g->arena, "%s.%s", n->name, what);
}

/* Input 2: what makes results of sums. NULL: nothing. */
static struct tsr_value *parameters(struct layouter *b, const struct tsr_node *n,
                                    const struct layout__weights *w, int64_t block, int64_t *offset)
{
  if (w->value->dtype == TSR_I8)
    return layout__words(b->g, n, w, block, offset);
  if (n->inputs < 3 || !n->in[2])
    return NULL;
  return layout__lanes(b->g, name_of(b, n, "b"), n->in[2], w->outs, block);
}

static void set_window(struct layouter *b, struct tsr_node *m, const struct tsr_node *n)
{
  static const struct {
    const char *name;
    int count;
    int64_t otherwise;
  } lists[] = {{"strides", 2, 1}, {"pads", 4, 0}, {"dilations", 2, 1}};
  int64_t v[4];
  for (int k = 0; k < 3; k++) {
    tsr_node_ints(n, lists[k].name, lists[k].count, lists[k].otherwise, v);
    tsr_node_set_ints(b->g, m, lists[k].name, lists[k].count, v);
  }
  if (tsr_node_attr(n, "x_zero"))
    tsr_node_set_int(b->g, m, "x_zero", tsr_node_int(n, "x_zero", 0));
}

static void set_numbers(struct layouter *b, struct tsr_node *m, const struct tsr_node *n,
                        int64_t offset)
{
  tsr_node_set_int(b->g, m, "macs", tsr_node_macs(n));
  if (offset)
    tsr_node_set_int(b->g, m, "offset", offset);
}

/* A convolution over rows and columns, of constants, in one group or one for each channel. */
static bool takes_conv(struct layouter *b, struct tsr_node *n, bool *depthwise)
{
  const struct tsr_value *x = n->in[0], *w = n->in[1];
  int64_t group = tsr_node_int(n, "group", 1);
  if (x->rank != 4 || !w->data || (n->op == TSR_G_Conv && !is_float(x)) ||
      (n->op == TSR_G_Conv && n->inputs > 2 && n->in[2] && !n->in[2]->data) ||
      w->dims[0] < LEAST_CHANNELS || tsr__count(n->out[0]) == 0)
    return false;
  *depthwise = group > 1 && group == x->dims[1] && group == w->dims[0];
  b->status = n->op == TSR_G_Conv ? tsr__settle_pads(b->err, b->g, n) : TSR_OK;
  return group == 1 || *depthwise;
}

static bool block_depthwise(struct layouter *b, struct tsr_node *n)
{
  const struct tsr_value *v = n->in[1];
  int64_t taps = v->dims[2] * v->dims[3], none = 0;
  struct layout__weights w = {v, v->dims[0], 1, taps, taps, taps};
  struct blocks k = blocks_of(b, n->out[0]);
  int64_t dims[4] = {k.count, v->dims[2], v->dims[3], k.size};
  struct tsr_value *in[3] = {blocked(b, n->in[0]),
                             layout__spread(b->g, name_of(b, n, "w"), &w, k.size, dims),
                             parameters(b, n, &w, k.size, &none)};
  struct tsr_node *m = in_place(b, n, TSR_G_BlockedDepthwise, in[2] ? 3 : 2, in);
  set_window(b, m, n);
  set_numbers(b, m, n, 0);
  return replace(b, n, typed(b, m));
}

/* Every tap is a place further on. */
static bool is_dense_3x3(const struct tsr_node *n)
{
  int64_t stride[2], dilation[2];
  tsr_node_ints(n, "strides", 2, 1, stride);
  tsr_node_ints(n, "dilations", 2, 1, dilation);
  return n->in[1]->dims[2] == 3 && n->in[1]->dims[3] == 3 && stride[0] == 1 && stride[1] == 1 &&
         dilation[0] == 1 && dilation[1] == 1;
}

/* The points of the tiles by which n is computed; 0: by none. */
static int64_t points_of(const struct layouter *b, const struct tsr_node *n,
                         const struct layout__weights *w)
{
  bool may = b->layout.winograd && w->value->dtype == TSR_F32 && is_dense_3x3(n);
  return may ? layout__winograd(w, n->out[0]) : 0;
}

static bool block_winograd(struct layouter *b, const struct tsr_node *n,
                           const struct layout__weights *w, int64_t points)
{
  struct blocks from = blocks_of(b, n->in[0]), to = blocks_of(b, n->out[0]);
  int64_t none = 0, pads[4];
  struct tsr_value *in[3] = {
      blocked(b, n->in[0]),
      layout__transform(b->g, name_of(b, n, "w"), w, points, from.size, to.size),
      parameters(b, n, w, to.size, &none)};
  struct tsr_node *m = in_place(b, n, TSR_G_BlockedWinograd, in[2] ? 3 : 2, in);
  tsr_node_ints(n, "pads", 4, 0, pads);
  tsr_node_set_ints(b->g, m, "pads", 4, pads);
  set_numbers(b, m, n, 0);
  return replace(b, n, typed(b, m));
}

static bool block_conv(struct layouter *b, struct tsr_node *n)
{
  bool depthwise;
  if (!takes_conv(b, n, &depthwise) || b->status)
    return false;
  if (depthwise)
    return block_depthwise(b, n);
  const struct tsr_value *v = n->in[1];
  int64_t taps = v->dims[2] * v->dims[3], offset = b->layout.offset;
  struct layout__weights w = {v, v->dims[0], v->dims[1], taps, v->dims[1] * taps, taps};
  int64_t points = points_of(b, n, &w);
  if (points)
    return block_winograd(b, n, &w, points);
  bool plain = v->dtype != TSR_I8 && !known(b, n->in[0], MAP);
  struct blocks from = blocks_of(b, n->in[0]), to = blocks_of(b, n->out[0]);
  int64_t group = group_of(b, v->dtype, from.size);
  int64_t of_plain[5] = {to.count, w.ins, v->dims[2], v->dims[3], to.size};
  int64_t of_blocks[7] = {to.count,          from.count, v->dims[2], v->dims[3],
                          from.size / group, to.size,    group};
  int rank = plain ? 5 : v->dtype == TSR_I8 || group > 1 ? 7 : 6;
  struct tsr_value *in[3] = {plain ? n->in[0] : blocked(b, n->in[0]),
                             layout__pack(b->g, name_of(b, n, "w"), &w, plain ? 1 : from.size,
                                          to.size, group, rank, plain ? of_plain : of_blocks),
                             parameters(b, n, &w, to.size, &offset)};
  struct tsr_node *m = in_place(b, n, TSR_G_BlockedConv, in[2] ? 3 : 2, in);
  set_window(b, m, n);
  set_numbers(b, m, n, v->dtype == TSR_I8 ? offset : 0);
  return replace(b, n, typed(b, m));
}

/* Whether a Gemm's third input is a number for each column, or left out. */
static bool is_bias(const struct tsr_node *n, int64_t columns)
{
  const struct tsr_value *v = n->inputs > 2 ? n->in[2] : NULL;
  return !v || (v->data && tsr__count(v) == columns && v->dims[v->rank - 1] == columns);
}

static bool takes_product(const struct tsr_node *n, struct layout__weights *w)
{
  const struct tsr_value *x = n->in[0], *v = n->in[1];
  bool rows = n->op == TSR_G_QDense || (n->op == TSR_G_Gemm && tsr_node_int(n, "transB", 0));
  if (!v->data || v->rank != 2 || x->rank < 2 || tsr__count(n->out[0]) == 0 || tsr__count(v) == 0)
    return false;
  *w = rows ? (struct layout__weights){v, v->dims[0], v->dims[1], 1, v->dims[1], 1}
            : (struct layout__weights){v, v->dims[1], v->dims[0], 1, 1, v->dims[1]};
  if (w->outs < LEAST_CHANNELS)
    return false;
  if (n->op == TSR_G_QDense)
    return w->ins % LAYOUT__GROUP == 0;
  if (n->op == TSR_G_Gemm && (tsr_node_int(n, "transA", 0) || tsr_node_float(n, "alpha", 1) != 1 ||
                              tsr_node_float(n, "beta", 1) != 1 || !is_bias(n, w->outs)))
    return false;
  return is_float(x);
}

/* The rows of x, [M, K]. */
static struct tsr_value *rows_of(struct layouter *b, struct tsr_value *x)
{
  int64_t dims[2] = {tsr_count(x->dims, x->rank - 1, 1), x->dims[x->rank - 1]};
  return x->rank == 2 ? x : reshaped(b, x, 2, dims);
}

static bool block_product(struct layouter *b, const struct tsr_node *n)
{
  struct layout__weights w;
  int64_t offset = b->layout.offset;
  if (!takes_product(n, &w))
    return false;
  bool bytes = w.value->dtype == TSR_I8;
  int64_t block = b->layout.block ? b->layout.block : w.outs;
  int64_t group = group_of(b, w.value->dtype, w.ins);
  int64_t dims[4] = {(w.outs + block - 1) / block, w.ins / group, block, group};
  struct tsr_value *in[3] = {rows_of(b, n->in[0]),
                             layout__pack(b->g, name_of(b, n, "w"), &w, w.ins, block, group,
                                          bytes || group > 1 ? 4 : 3, dims),
                             parameters(b, n, &w, block, &offset)};
  struct tsr_node *m = in_place(b, n, TSR_G_BlockedDense, in[2] ? 3 : 2, in);
  set_numbers(b, m, n, bytes ? offset : 0);
  return replace(b, n, typed(b, m));
}

/* --- pools ------------------------------------------------------------------------------------ */

/* A list of `per` numbers a spatial dim with one for the lanes in between or behind: {a, b} becomes
 * {a, b, one}, {a, b, c, d} becomes {a, b, one, c, d, one}. */
static void set_longer(struct layouter *b, struct tsr_node *m, const struct tsr_node *n,
                       const char *name, int per, int64_t one)
{
  const struct tsr_attr *attr = tsr_node_attr(n, name);
  int64_t v[6];
  if (!attr)
    return;
  for (int k = 0; k < per; k++) {
    v[3 * k] = attr->ints[2 * k];
    v[3 * k + 1] = attr->ints[2 * k + 1];
    v[3 * k + 2] = one;
  }
  tsr_node_set_ints(b->g, m, name, 3 * per, v);
}

static bool block_pool(struct layouter *b, struct tsr_node *n)
{
  bool mean = n->op == TSR_G_GlobalAveragePool;
  bool global = mean || n->op == TSR_G_GlobalMaxPool;
  struct tsr_value *x = known(b, n->in[0], MAP);
  if (!x || n->outputs != 1)
    return false;
  if (tsr_node_attr(n, "auto_pad"))
    b->status = tsr__settle_pads(b->err, b->g, n);
  enum tsr_gop op = mean ? TSR_G_AveragePool : global ? TSR_G_MaxPool : n->op;
  struct tsr_node *m = in_place(b, n, op, 1, &x);
  int64_t whole[3] = {x->dims[2], x->dims[3], 1};
  tsr__copy_attrs(b->g, m, n);
  if (global)
    tsr_node_set_ints(b->g, m, "kernel_shape", 3, whole);
  else
    set_longer(b, m, n, "kernel_shape", 1, 1);
  set_longer(b, m, n, "kernel", 1, 1);
  set_longer(b, m, n, "strides", 1, 1);
  set_longer(b, m, n, "dilations", 1, 1);
  set_longer(b, m, n, "pads", 2, 0);
  return replace(b, n, typed(b, m));
}

/* --- element by element ----------------------------------------------------------------------- */

static bool is_elementwise(enum tsr_gop op)
{
  switch (op) {
  case TSR_G_Abs:
  case TSR_G_Add:
  case TSR_G_Cast:
  case TSR_G_Ceil:
  case TSR_G_Clip:
  case TSR_G_DequantizeLinear:
  case TSR_G_Div:
  case TSR_G_Elu:
  case TSR_G_Erf:
  case TSR_G_Exp:
  case TSR_G_Floor:
  case TSR_G_HardSigmoid:
  case TSR_G_HardSwish:
  case TSR_G_LeakyRelu:
  case TSR_G_Log:
  case TSR_G_Max:
  case TSR_G_Min:
  case TSR_G_Mul:
  case TSR_G_Neg:
  case TSR_G_PRelu:
  case TSR_G_Pow:
  case TSR_G_QAdd:
  case TSR_G_QLut:
  case TSR_G_QMul:
  case TSR_G_QuantizeLinear:
  case TSR_G_Reciprocal:
  case TSR_G_Relu:
  case TSR_G_Round:
  case TSR_G_Sigmoid:
  case TSR_G_Softplus:
  case TSR_G_Sqrt:
  case TSR_G_Sub:
  case TSR_G_Sum:
  case TSR_G_Tanh: return true;
  default: return false;
  }
}

static bool same_dims(const struct tsr_value *x, const struct tsr_value *y)
{
  return x->rank == y->rank && !memcmp(x->dims, y->dims, (size_t)x->rank * sizeof x->dims[0]);
}

/* dims of v, aligned with the last ones of y: `dim` is as y's, all others are 1. */
static bool only_along(const struct tsr_value *v, const struct tsr_value *y, int dim)
{
  for (int d = 0; d < y->rank; d++) {
    int64_t here = d < y->rank - v->rank ? 1 : v->dims[d - (y->rank - v->rank)];
    if (here != (d == dim ? y->dims[d] : 1))
      return false;
  }
  return v->rank <= y->rank;
}

static struct tsr_value *constant_as(struct layouter *b, const struct tsr_value *v, int rank,
                                     const int64_t *dims)
{
  return tsr_graph_constant(b->g, tsr_arena_printf(b->g->arena, "%s.blocked", v->name), v->dtype,
                            rank, dims, v->data);
}

/* The form of an operand of a node that makes the map y blocked; NULL: it has none. */
static struct tsr_value *map_operand(struct layouter *b, struct tsr_value *v,
                                     const struct tsr_value *y)
{
  struct blocks to = blocks_of(b, y);
  int64_t lanes[4] = {to.count, 1, 1, to.size};
  bool per_map = v->rank == 4 && v->dims[0] == y->dims[0] && v->dims[1] == y->dims[1] &&
                 v->dims[2] * v->dims[3] == 1;
  if (tsr__count(v) == 1 && v->rank <= 4)
    return v;
  if (v->data)
    return is_full(y, to) && only_along(v, y, 1) ? constant_as(b, v, 4, lanes) : NULL;
  if (!same_dims(v, y) && !per_map)
    return NULL;
  struct blocks from = blocks_of(b, v);
  return from.count == to.count && from.size == to.size ? blocked(b, v) : NULL;
}

/* Likewise of the matrix y, whose form is `form`. */
static struct tsr_value *rows_operand(struct layouter *b, struct tsr_value *v,
                                      const struct tsr_value *y, const struct tsr_value *form)
{
  if (tsr__count(v) == 1 && v->rank <= ROWS)
    return v;
  if (v->data)
    return only_along(v, y, y->rank - 1) ? constant_as(b, v, 2, form->dims + 1) : NULL;
  if (!same_dims(v, y))
    return NULL;
  struct tsr_value *w = known(b, v, ROWS);
  return w ? w : reshaped(b, v, ROWS, form->dims);
}

/* An operand of y's shape that is blocked already; a matrix without columns past its last. */
static const struct tsr_value *leader_of(const struct layouter *b, const struct tsr_node *n)
{
  const struct tsr_value *y = n->out[0];
  for (int k = 0; k < n->inputs; k++) {
    const struct tsr_value *v = n->in[k];
    const struct tsr_value *form = v && same_dims(v, y) ? tsr__map_get(b->form, v) : NULL;
    if (form && (form->rank == MAP || form->dims[1] * form->dims[2] == y->dims[y->rank - 1]))
      return form;
  }
  return NULL;
}

/* QuantizeLinear and DequantizeLinear: their scale is one number. QLut's table stays as it is. */
static bool is_table(const struct tsr_node *n, int k)
{
  return n->op == TSR_G_QLut && k == 1;
}

static bool block_elementwise(struct layouter *b, const struct tsr_node *n)
{
  const struct tsr_value *y = n->out[0], *leader = leader_of(b, n);
  struct tsr_value **in = TSR_NEW_ARRAY(b->g->arena, struct tsr_value *, n->inputs);
  bool scaled = n->op == TSR_G_QuantizeLinear || n->op == TSR_G_DequantizeLinear;
  if (!leader || (scaled && tsr__count(n->in[1]) != 1))
    return false;
  for (int k = 0; k < n->inputs; k++) {
    struct tsr_value *v = n->in[k];
    in[k] = !v || is_table(n, k)  ? v
            : leader->rank == MAP ? map_operand(b, v, y)
                                  : rows_operand(b, v, y, leader);
    if (v && !in[k])
      return false;
  }
  struct tsr_node *m = in_place(b, n, n->op, n->inputs, in);
  tsr__copy_attrs(b->g, m, n);
  return replace(b, n, typed(b, m));
}

/* --- concatenation ---------------------------------------------------------------------------- */

/* Along channels: blocks behind blocks, or lanes behind lanes. */
static bool block_concat(struct layouter *b, const struct tsr_node *n)
{
  const struct tsr_value *y = n->out[0];
  int64_t axis = tsr_node_int(n, "axis", 0);
  bool blocks = true, lanes = true;
  struct tsr_value **in = TSR_NEW_ARRAY(b->g->arena, struct tsr_value *, n->inputs);
  if (y->rank != 4 || (axis != 1 && axis != -3))
    return false;
  struct blocks to = blocks_of(b, y);
  for (int k = 0; k < n->inputs; k++) {
    in[k] = known(b, n->in[k], MAP);
    if (!in[k])
      return false;
    bool full = is_full(n->in[k], blocks_of(b, n->in[k]));
    blocks &= in[k]->dims[4] == to.size && (full || k == n->inputs - 1);
    lanes &= in[k]->dims[1] == 1 && full;
  }
  lanes &= to.count == 1 && is_full(y, to);
  if (!blocks && !lanes)
    return false;
  struct tsr_node *m = in_place(b, n, TSR_G_Concat, n->inputs, in);
  tsr_node_set_int(b->g, m, "axis", blocks ? 1 : 4);
  return replace(b, n, typed(b, m));
}

/* --- the pass --------------------------------------------------------------------------------- */

static bool block_node(struct layouter *b, struct tsr_node *n)
{
  switch (n->op) {
  case TSR_G_Conv:
  case TSR_G_QConv: return block_conv(b, n);
  case TSR_G_Gemm:
  case TSR_G_MatMul:
  case TSR_G_QDense: return block_product(b, n);
  case TSR_G_AveragePool:
  case TSR_G_GlobalAveragePool:
  case TSR_G_GlobalMaxPool:
  case TSR_G_MaxPool:
  case TSR_G_QAvgPool:
  case TSR_G_QMaxPool: return block_pool(b, n);
  case TSR_G_Concat: return block_concat(b, n);
  default: return is_elementwise(n->op) && block_elementwise(b, n);
  }
}

enum tsr_status tsr_graph_block(struct tsr_err *err, struct tsr_graph *g,
                                const struct tsr_layout *layout)
{
  struct layouter b = {.err = err, .g = g, .layout = *layout, .form = tsr__map_new(g->arena)};
  int count = g->nodes;
  struct tsr_node **old = tsr_arena_copy(g->arena, g->node, (size_t)count * sizeof g->node[0]);
  g->nodes = 0;
  for (int k = 0; k < count && !b.status; k++) {
    if (block_node(&b, old[k]))
      continue;
    g->node = TSR_GROW(g->arena, g->node, g->nodes, &g->node_capacity);
    g->node[g->nodes++] = old[k];
  }
  if (b.status)
    return b.status;
  tsr__sweep(g);
  return tsr_graph_verify(err, g);
}
