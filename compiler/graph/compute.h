/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that state computes share.
 *
 * A builder states the compute of one op, or of a family of ops, generically over shapes and
 * attributes. It finds its operands as buffers at the node's own positions, adds stages, and
 * refuses what the op has no compute for. Stages have axes i0 i1 ... r0 r1 ... where nothing better
 * is said; convolutions and pools n oc od oh ow ic kd kh kw, matrix products b0 b1 m n k. */
#ifndef TSR_COMPILER_GRAPH_COMPUTE_H
#define TSR_COMPILER_GRAPH_COMPUTE_H

#include "compiler/graph/graph.h"

struct tsr__compute {
  struct tsr_arena *a;
  struct tsr_err *err;
  const struct tsr_node *n;
  struct tir_func *f;
  struct tir_buffer **in, **out; /* by the node's positions; NULL where left out; halves as f32 */
  struct tsr__half {             /* buffers of f32 that stand for buffers of halves */
    struct tir_buffer *wide;
    struct tir_buffer *stored;
    const struct tsr__half *next;
  } *halves;
};

typedef enum tsr_status tsr__builder(struct tsr__compute *c);

/* --- compute.c -------------------------------------------------------------------------------- */

/* "node 'conv1' (Conv): " and the reason. */
enum tsr_status tsr__refuse(const struct tsr__compute *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Input k of the node, NULL where there is none. */
struct tir_buffer *tsr__in(const struct tsr__compute *c, int k);
/* The integers of constant input k. *count is 0 where k is left out. Refuses what is no
 * constant. */
enum tsr_status tsr__ints(const struct tsr__compute *c, int k, const int64_t **values, int *count);
/* Attribute `name` as an axis of `rank` dims, from the end where negative. */
enum tsr_status tsr__axis_attr(const struct tsr__compute *c, const char *name, int64_t otherwise,
                               int rank, int *axis);
bool tsr__attr_is(const struct tsr__compute *c, const char *name, const char *value);
bool tsr__is_float(const struct tir_buffer *b);

/* out[i0, i1, ...] = value, to be set; i[0..out->rank) are the axes. */
struct tir_stage *tsr__elementwise(struct tsr__compute *c, const char *name, struct tir_buffer *out,
                                   tir_e *i);
/* out = combination of the value, to be set, over `mask` dims of x: bit d stands for dim d. out has
 * x's other dims, and 1 or nothing for those of the mask. i[0..x->rank) is the element of x. */
struct tir_stage *tsr__reduction(struct tsr__compute *c, const char *name, struct tir_buffer *out,
                              enum tir_combine combine, const struct tir_buffer *x, uint32_t mask,
                              tir_e *i);
/* The value that a combination starts from. */
tir_e tsr__init(struct tsr__compute *c, enum tir_combine combine, enum tsr_dtype dtype);
/* Makes the stage a reduction that starts from tsr__init. */
void tsr__combines(struct tsr__compute *c, struct tir_stage *s, enum tir_combine combine);

/* b at i[0..rank), b's dims aligned to the last ones and those of 1 repeated. */
tir_e tsr__load_broadcast(struct tsr__compute *c, const struct tir_buffer *b, int rank,
                          const tir_e *i);
/* b, a scalar or one element, or one element per `channel`. */
tir_e tsr__per_channel(struct tsr__compute *c, const struct tir_buffer *b, tir_e channel);
tir_e tsr__scalar(struct tsr__compute *c, const struct tir_buffer *b);

/* --- compute_half.c --------------------------------------------------------------------------- */

/* What builders see of b: of halves, a buffer of f32. */
struct tir_buffer *tsr__widened(struct tsr__compute *c, struct tir_buffer *b);
/* A temporary that holds elements of x as they are, and so in x's own dtype. */
struct tir_buffer *tsr__temp_like(struct tsr__compute *c, const char *name,
                                  const struct tir_buffer *x, const int64_t *dims);
tir_e tsr__load_element(struct tsr__compute *c, const struct tir_buffer *b, const tir_e *i);
/* At the end: results that are halves are rounded and stored as such. */
void tsr__store_halves(struct tsr__compute *c);

/* --- compute_window.c: windows of convolutions and pools -------------------------------------- */

enum { TSR__WINDOW_DIMS = TSR_MAX_RANK - 2 };

struct tsr__windows {
  int dims;
  int64_t in[TSR__WINDOW_DIMS], out[TSR__WINDOW_DIMS], kernel[TSR__WINDOW_DIMS];
  int64_t stride[TSR__WINDOW_DIMS], dilation[TSR__WINDOW_DIMS];
  int64_t before[TSR__WINDOW_DIMS], after[TSR__WINDOW_DIMS]; /* padding */
};

/* Reads strides, dilations, pads and auto_pad of the node whose x and y are (batch, channels,
 * spatial...); `kernel` has the extents of the windows. */
enum tsr_status tsr__window_read(struct tsr__compute *c, const int64_t *kernel,
                                 struct tsr__windows *w);
/* Elements of dim d from the first to behind the last that windows read, padding included. */
int64_t tsr__window_span(const struct tsr__windows *w, int d);
/* x with `value` around it, as far as windows reach; x itself where none leaves it. One dim may stand
 * behind the spatial ones. */
struct tir_buffer *tsr__window_pad(struct tsr__compute *c, const struct tsr__windows *w,
                                   struct tir_buffer *x, tir_e value);
/* "n c oh ow" and the like: `first` axes by name, then spatial ones, the same with `second` and
 * k's. */
const char *tsr__window_axes(struct tsr__compute *c, const struct tsr__windows *w,
                             const char *first, const char *second);
/* The element of padded dim d that output `o` reads through kernel element `k`. */
tir_e tsr__window_at(struct tsr__compute *c, const struct tsr__windows *w, int d, tir_e o, tir_e k);

/* --- compute_quant.c -------------------------------------------------------------------------- */

/* x - zero as i32; zero: NULL for none, a scalar, or one per `channel`. */
tir_e tsr__centered(struct tsr__compute *c, tir_e x, const struct tir_buffer *zero, tir_e channel);
/* saturate(round(real) + zero) in dtype. */
tir_e tsr__rounded(struct tsr__compute *c, tir_e real, tir_e zero, enum tsr_dtype dtype);
/* quant(acc, bias, mult, pack) as i8. */
tir_e tsr__quant_i8(struct tsr__compute *c, tir_e acc, tir_e bias, tir_e mult, tir_e pack);
/* quant(acc, bias[channel], mult[channel], pack[channel]) as i8, of QConv's and QDense's operands 2
 * to 4. */
tir_e tsr__requantized(struct tsr__compute *c, tir_e acc, tir_e channel);
/* quant(acc, bias, mult, pack) as i8, of attributes. */
tir_e tsr__quant_attrs(struct tsr__compute *c, tir_e acc);

/* --- expressions, shorter --------------------------------------------------------------------- */

static inline tir_e e_add(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_ADD, x, y);
}

static inline tir_e e_sub(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_SUB, x, y);
}

static inline tir_e e_mul(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_MUL, x, y);
}

static inline tir_e e_div(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_DIV, x, y);
}

static inline tir_e e_less(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_LT, x, y);
}

static inline tir_e e_and(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_AND, x, y);
}

static inline tir_e e_min(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_MIN, x, y);
}

static inline tir_e e_max(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_MAX, x, y);
}

static inline tir_e e_cast(struct tsr__compute *c, enum tsr_dtype dtype, tir_e x)
{
  return x->dtype == dtype ? x : tir_cast(c->a, dtype, x);
}

static inline tir_e e_select(struct tsr__compute *c, tir_e condition, tir_e x, tir_e y)
{
  return tir_select(c->a, condition, x, y);
}

static inline tir_e e_load(struct tsr__compute *c, const struct tir_buffer *b, const tir_e *i)
{
  return tsr__load_element(c, b, i);
}

/* A number of any dtype. */
static inline tir_e e_number(struct tsr__compute *c, enum tsr_dtype dtype, double v)
{
  return tsr_dtype_kind(dtype) == TSR_KIND_FLOAT ? tir_float(c->a, dtype, v)
                                                 : tir_int(c->a, dtype, (int64_t)v);
}

static inline tir_e e_index(struct tsr__compute *c, int64_t v)
{
  return tir_index(c->a, v);
}

/* Index arithmetic with numbers. */
static inline tir_e e_plus(struct tsr__compute *c, tir_e x, int64_t v)
{
  return v ? e_add(c, x, e_index(c, v)) : x;
}

static inline tir_e e_times(struct tsr__compute *c, tir_e x, int64_t v)
{
  return e_mul(c, x, e_index(c, v));
}

static inline tir_e e_floordiv(struct tsr__compute *c, tir_e x, int64_t v)
{
  return v == 1 ? x : tir_binary(c->a, TIR_FDIV, x, e_index(c, v));
}

static inline tir_e e_floormod(struct tsr__compute *c, tir_e x, int64_t v)
{
  return v == 1 ? e_index(c, 0) : tir_binary(c->a, TIR_FMOD, x, e_index(c, v));
}

/* low <= x < high */
static inline tir_e e_within(struct tsr__compute *c, tir_e x, int64_t low, int64_t high)
{
  return e_and(c, tir_binary(c->a, TIR_LE, e_index(c, low), x), e_less(c, x, e_index(c, high)));
}

/* x, moved to the nearest of 0..extent-1 where it is outside */
static inline tir_e e_clamped(struct tsr__compute *c, tir_e x, int64_t extent)
{
  return e_min(c, e_max(c, x, e_index(c, 0)), e_index(c, extent - 1));
}

/* --- builders, by file ------------------------------------------------------------------------ */

/* compute_elementwise.c */
tsr__builder tsr__compute_unary, tsr__compute_broadcast, tsr__compute_clip, tsr__compute_where;
/* compute_blocked.c */
tsr__builder tsr__compute_blocked_conv, tsr__compute_blocked_depthwise, tsr__compute_blocked_dense;
tsr__builder tsr__compute_pack, tsr__compute_unpack, tsr__compute_acc_conv,
    tsr__compute_acc_depthwise;
tsr__builder tsr__compute_acc_binary, tsr__compute_acc_max_pool, tsr__compute_acc_avg_pool;
tsr__builder tsr__compute_acc_lut;
tsr__builder tsr__compute_acc_slice;
/* compute_winograd.c */
tsr__builder tsr__compute_blocked_winograd;
/* compute_conv.c */
tsr__builder tsr__compute_conv, tsr__compute_conv_integer, tsr__compute_qlinear_conv,
    tsr__compute_qconv, tsr__compute_conv_transpose;
/* compute_pool.c */
tsr__builder tsr__compute_max_pool, tsr__compute_average_pool, tsr__compute_global_max_pool,
    tsr__compute_global_average_pool, tsr__compute_qmax_pool, tsr__compute_qavg_pool;
/* compute_matmul.c */
tsr__builder tsr__compute_matmul, tsr__compute_matmul_integer, tsr__compute_qlinear_matmul,
    tsr__compute_gemm, tsr__compute_qdense;
/* compute_quant.c */
tsr__builder tsr__compute_quantize, tsr__compute_dequantize, tsr__compute_qlinear_add,
    tsr__compute_qlinear_global_average_pool, tsr__compute_qadd, tsr__compute_qmul,
    tsr__compute_qlut;
/* compute_reduce.c */
tsr__builder tsr__compute_reduce, tsr__compute_argmax, tsr__compute_softmax;
/* compute_norm.c */
tsr__builder tsr__compute_batch_norm, tsr__compute_layer_norm, tsr__compute_lrn;
/* compute_shape.c */
tsr__builder tsr__compute_view, tsr__compute_transpose, tsr__compute_expand, tsr__compute_tile,
    tsr__compute_depth_to_space, tsr__compute_shape, tsr__compute_size, tsr__compute_range,
    tsr__compute_constant_of_shape;
/* compute_slice.c */
tsr__builder tsr__compute_concat, tsr__compute_interleave, tsr__compute_split, tsr__compute_slice,
    tsr__compute_pad, tsr__compute_gather;
/* compute_resize.c */
tsr__builder tsr__compute_resize;

#endif
