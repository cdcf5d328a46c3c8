/* SPDX-License-Identifier: Apache-2.0 */
/* The compute of every op: one row each, and what builders share. */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compiler/graph/compute.h"

/* The builder, and names for the inputs; "x..." names any number of them x0, x1, ... */
static const struct row {
  tsr__builder *build;
  const char *inputs;
} rows[TSR_GOP_COUNT] = {
  [TSR_G_Abs] = {tsr__compute_unary, "x"},
  [TSR_G_Add] = {tsr__compute_broadcast, "a b"},
  [TSR_G_And] = {tsr__compute_broadcast, "a b"},
  [TSR_G_ArgMax] = {tsr__compute_argmax, "x"},
  [TSR_G_AveragePool] = {tsr__compute_average_pool, "x"},
  [TSR_G_BatchNormalization] = {tsr__compute_batch_norm, "x scale bias mean var"},
  [TSR_G_Cast] = {tsr__compute_unary, "x"},
  [TSR_G_Ceil] = {tsr__compute_unary, "x"},
  [TSR_G_Clip] = {tsr__compute_clip, "x low high"},
  [TSR_G_Concat] = {tsr__compute_concat, "x..."},
  [TSR_G_ConstantOfShape] = {tsr__compute_constant_of_shape, "shape"},
  [TSR_G_Conv] = {tsr__compute_conv, "x w bias"},
  [TSR_G_ConvInteger] = {tsr__compute_conv_integer, "x w x_zero w_zero"},
  [TSR_G_ConvTranspose] = {tsr__compute_conv_transpose, "x w bias"},
  [TSR_G_Cos] = {tsr__compute_unary, "x"},
  [TSR_G_DepthToSpace] = {tsr__compute_depth_to_space, "x"},
  [TSR_G_DequantizeLinear] = {tsr__compute_dequantize, "x scale zero"},
  [TSR_G_Div] = {tsr__compute_broadcast, "a b"},
  [TSR_G_Elu] = {tsr__compute_unary, "x"},
  [TSR_G_Equal] = {tsr__compute_broadcast, "a b"},
  [TSR_G_Erf] = {tsr__compute_unary, "x"},
  [TSR_G_Exp] = {tsr__compute_unary, "x"},
  [TSR_G_Expand] = {tsr__compute_expand, "x shape"},
  [TSR_G_Flatten] = {tsr__compute_view, "x"},
  [TSR_G_Floor] = {tsr__compute_unary, "x"},
  [TSR_G_Gather] = {tsr__compute_gather, "x indices"},
  [TSR_G_Gemm] = {tsr__compute_gemm, "a b c"},
  [TSR_G_GlobalAveragePool] = {tsr__compute_global_average_pool, "x"},
  [TSR_G_GlobalMaxPool] = {tsr__compute_global_max_pool, "x"},
  [TSR_G_Greater] = {tsr__compute_broadcast, "a b"},
  [TSR_G_GreaterOrEqual] = {tsr__compute_broadcast, "a b"},
  [TSR_G_HardSigmoid] = {tsr__compute_unary, "x"},
  [TSR_G_HardSwish] = {tsr__compute_unary, "x"},
  [TSR_G_Identity] = {tsr__compute_view, "x"},
  [TSR_G_LRN] = {tsr__compute_lrn, "x"},
  [TSR_G_LayerNormalization] = {tsr__compute_layer_norm, "x scale bias"},
  [TSR_G_LeakyRelu] = {tsr__compute_unary, "x"},
  [TSR_G_Less] = {tsr__compute_broadcast, "a b"},
  [TSR_G_LessOrEqual] = {tsr__compute_broadcast, "a b"},
  [TSR_G_Log] = {tsr__compute_unary, "x"},
  [TSR_G_MatMul] = {tsr__compute_matmul, "a b"},
  [TSR_G_MatMulInteger] = {tsr__compute_matmul_integer, "a b a_zero b_zero"},
  [TSR_G_Max] = {tsr__compute_broadcast, "x..."},
  [TSR_G_MaxPool] = {tsr__compute_max_pool, "x"},
  [TSR_G_Min] = {tsr__compute_broadcast, "x..."},
  [TSR_G_Mod] = {tsr__compute_broadcast, "a b"},
  [TSR_G_Mul] = {tsr__compute_broadcast, "a b"},
  [TSR_G_Neg] = {tsr__compute_unary, "x"},
  [TSR_G_Not] = {tsr__compute_unary, "x"},
  [TSR_G_Or] = {tsr__compute_broadcast, "a b"},
  [TSR_G_PRelu] = {tsr__compute_broadcast, "x slope"},
  [TSR_G_Pad] = {tsr__compute_pad, "x pads value"},
  [TSR_G_Pow] = {tsr__compute_broadcast, "a b"},
  [TSR_G_QLinearAdd] = {tsr__compute_qlinear_add,
                        "a a_scale a_zero b b_scale b_zero y_scale y_zero"},
  [TSR_G_QLinearConv] = {tsr__compute_qlinear_conv,
                         "x x_scale x_zero w w_scale w_zero y_scale y_zero bias"},
  [TSR_G_QLinearGlobalAveragePool] = {tsr__compute_qlinear_global_average_pool,
                                      "x x_scale x_zero y_scale y_zero"},
  [TSR_G_QLinearMatMul] = {tsr__compute_qlinear_matmul,
                           "a a_scale a_zero b b_scale b_zero y_scale y_zero"},
  [TSR_G_QuantizeLinear] = {tsr__compute_quantize, "x scale zero"},
  [TSR_G_Range] = {tsr__compute_range, "start limit delta"},
  [TSR_G_Reciprocal] = {tsr__compute_unary, "x"},
  [TSR_G_ReduceMax] = {tsr__compute_reduce, "x axes"},
  [TSR_G_ReduceMean] = {tsr__compute_reduce, "x axes"},
  [TSR_G_ReduceMin] = {tsr__compute_reduce, "x axes"},
  [TSR_G_ReduceSum] = {tsr__compute_reduce, "x axes"},
  [TSR_G_Relu] = {tsr__compute_unary, "x"},
  [TSR_G_Reshape] = {tsr__compute_view, "x shape"},
  [TSR_G_Resize] = {tsr__compute_resize, "x roi scales sizes"},
  [TSR_G_Round] = {tsr__compute_unary, "x"},
  [TSR_G_Shape] = {tsr__compute_shape, "x"},
  [TSR_G_Sigmoid] = {tsr__compute_unary, "x"},
  [TSR_G_Sign] = {tsr__compute_unary, "x"},
  [TSR_G_Sin] = {tsr__compute_unary, "x"},
  [TSR_G_Size] = {tsr__compute_size, "x"},
  [TSR_G_Slice] = {tsr__compute_slice, "x starts ends axes steps"},
  [TSR_G_Softmax] = {tsr__compute_softmax, "x"},
  [TSR_G_Softplus] = {tsr__compute_unary, "x"},
  [TSR_G_Split] = {tsr__compute_split, "x split"},
  [TSR_G_Sqrt] = {tsr__compute_unary, "x"},
  [TSR_G_Squeeze] = {tsr__compute_view, "x axes"},
  [TSR_G_Sub] = {tsr__compute_broadcast, "a b"},
  [TSR_G_Sum] = {tsr__compute_broadcast, "x..."},
  [TSR_G_Tanh] = {tsr__compute_unary, "x"},
  [TSR_G_Tile] = {tsr__compute_tile, "x repeats"},
  [TSR_G_Transpose] = {tsr__compute_transpose, "x"},
  [TSR_G_Unsqueeze] = {tsr__compute_view, "x axes"},
  [TSR_G_Where] = {tsr__compute_where, "c a b"},
  [TSR_G_Xor] = {tsr__compute_broadcast, "a b"},
  [TSR_G_QConv] = {tsr__compute_qconv, "x w bias mult pack"},
  [TSR_G_QDense] = {tsr__compute_qdense, "x w bias mult pack"},
  [TSR_G_QAdd] = {tsr__compute_qadd, "a b"},
  [TSR_G_QMul] = {tsr__compute_qmul, "a b"},
  [TSR_G_QMaxPool] = {tsr__compute_qmax_pool, "x"},
  [TSR_G_QAvgPool] = {tsr__compute_qavg_pool, "x"},
  [TSR_G_QLut] = {tsr__compute_qlut, "x table"},
  [TSR_G_BlockedConv] = {tsr__compute_blocked_conv, "x w b"},
  [TSR_G_BlockedWinograd] = {tsr__compute_blocked_winograd, "x w b"},
  [TSR_G_BlockedDepthwise] = {tsr__compute_blocked_depthwise, "x w b"},
  [TSR_G_BlockedDense] = {tsr__compute_blocked_dense, "x w b"},
  [TSR_G_Interleave] = {tsr__compute_interleave, "x..."},
  [TSR_G_Pack] = {tsr__compute_pack, "x"},
  [TSR_G_Unpack] = {tsr__compute_unpack, "x"},
  [TSR_G_AccConv] = {tsr__compute_acc_conv, "x w p"},
  [TSR_G_AccDepthwise] = {tsr__compute_acc_depthwise, "x w p"},
  [TSR_G_AccAdd] = {tsr__compute_acc_binary, "x z k p"},
  [TSR_G_AccMul] = {tsr__compute_acc_binary, "x z k p"},
  [TSR_G_AccMaxPool] = {tsr__compute_acc_max_pool, "x"},
  [TSR_G_AccAvgPool] = {tsr__compute_acc_avg_pool, "x p"},
  [TSR_G_AccLut] = {tsr__compute_acc_lut, "x table"},
  [TSR_G_AccConcat] = {tsr__compute_concat, "x..."},
  [TSR_G_AccInterleave] = {tsr__compute_interleave, "x..."},
  [TSR_G_AccSlice] = {tsr__compute_acc_slice, "x"},
};

enum tsr_status tsr__refuse(const struct tsr__compute *c, const char *format, ...)
{
  char reason[512];
  va_list args;
  va_start(args, format);
  vsnprintf(reason, sizeof reason, format, args);
  va_end(args);
  return tsr_refuse(c->err, "node '%s' (%s): %s", c->n->name, tsr_gop_name(c->n->op), reason);
}

/* --- opening a func --------------------------------------------------------------------------- */

/* The k-th of space-separated words; "x..." stands for all from there on. */
static const char *input_name(struct tsr_arena *a, const char *words, int k)
{
  const char *at = words;
  for (int i = 0; i < k && !strstr(at, "..."); i++) {
    at = strchr(at, ' ');
    assert(at);
    at++;
  }
  size_t length = strcspn(at, " .");
  if (at[length] == '.')
    return tsr_arena_printf(a, "%.*s%d", (int)length, at, k);
  return tsr_arena_printf(a, "%.*s", (int)length, at);
}

static enum tsr_status typed(const struct tsr__compute *c, const struct tsr_value *v)
{
  if (!v || v->typed)
    return TSR_OK;
  return tsr__refuse(c, "has no compute before value '%s' has a type", v->name);
}

static enum tsr_status open_params(struct tsr__compute *c, const char *names)
{
  const struct tsr_node *n = c->n;
  c->in = TSR_NEW_ARRAY(c->a, struct tir_buffer *, n->inputs + 1);
  c->out = TSR_NEW_ARRAY(c->a, struct tir_buffer *, n->outputs + 1);
  for (int k = 0; k < n->inputs; k++) {
    const struct tsr_value *v = n->in[k];
    if (typed(c, v))
      return TSR_REFUSED;
    if (v)
      c->in[k] = tsr__widened(c, tir_func_input(c->a, c->f, input_name(c->a, names, k), v->dtype,
                                                v->rank, v->dims));
  }
  for (int k = 0; k < n->outputs; k++) {
    const struct tsr_value *v = n->out[k];
    if (typed(c, v))
      return TSR_REFUSED;
    const char *name = n->outputs == 1 ? "y" : tsr_arena_printf(c->a, "y%d", k);
    if (v)
      c->out[k] =
          tsr__widened(c, tir_func_output(c->a, c->f, name, v->dtype, v->rank, v->dims));
  }
  return TSR_OK;
}

/* Where an axis is empty nothing is computed: a value without indices, which have nothing to be
 * inside of. */
static void settle_empty_stages(struct tsr__compute *c)
{
  for (int k = 0; k < c->f->stages; k++) {
    struct tir_stage *s = c->f->stage[k];
    for (int d = 0; d < s->axes; d++)
      if (s->axis[d].extent == 0)
        s->value = e_number(c, s->out->dtype, 0);
  }
}

enum tsr_status tsr_node_compute(struct tsr_arena *a, struct tsr_err *err, const struct tsr_node *n,
                                 struct tir_func **out)
{
  const struct row *row = &rows[n->op];
  struct tsr__compute c = {.a = a, .err = err, .n = n};
  if (!row->build)
    return tsr__refuse(&c, "has no compute");
  c.f = tir_func_new(a, tsr_gop_name(n->op));
  if (open_params(&c, row->inputs))
    return TSR_REFUSED;
  if (n->inputs && !c.in[0])
    return tsr__refuse(&c, "its first input is left out");
  for (int k = 0; k < n->outputs; k++)
    if (!c.out[k])
      return tsr__refuse(&c, "output %d is left out", k);
  if (row->build(&c))
    return TSR_REFUSED;
  settle_empty_stages(&c);
  tsr__store_halves(&c);
  *out = c.f;
  return TSR_OK;
}

/* --- operands and attributes ------------------------------------------------------------------ */

struct tir_buffer *tsr__in(const struct tsr__compute *c, int k)
{
  return k < c->n->inputs ? c->in[k] : NULL;
}

enum tsr_status tsr__ints(const struct tsr__compute *c, int k, const int64_t **values, int *count)
{
  *values = NULL;
  *count = 0;
  if (!tsr__in(c, k))
    return TSR_OK;
  const struct tsr_value *v = c->n->in[k];
  if (!v->data && tsr_count(v->dims, v->rank, 8) != 0)
    return tsr__refuse(c, "its input '%s' (%s) must be a constant", v->name, c->in[k]->name);
  if (tsr_dtype_kind(v->dtype) == TSR_KIND_FLOAT)
    return tsr__refuse(c, "its input '%s' (%s) must be of integers", v->name, c->in[k]->name);
  struct tsr_tensor t = tsr_value_tensor(v);
  int64_t n = tsr_tensor_count(&t);
  int64_t *copy = TSR_NEW_ARRAY(c->a, int64_t, n + 1);
  for (int64_t i = 0; i < n; i++)
    copy[i] = tsr_get_int(&t, i);
  *values = copy;
  *count = (int)n;
  return TSR_OK;
}

enum tsr_status tsr__axis_attr(const struct tsr__compute *c, const char *name, int64_t otherwise,
                               int rank, int *axis)
{
  int64_t at = tsr_node_int(c->n, name, otherwise);
  if (at < -rank || at >= rank)
    return tsr__refuse(c, "%s %lld is outside of rank %d", name, (long long)at, rank);
  *axis = (int)(at < 0 ? at + rank : at);
  return TSR_OK;
}

bool tsr__attr_is(const struct tsr__compute *c, const char *name, const char *value)
{
  const struct tsr_attr *attr = tsr_node_attr(c->n, name);
  return attr && attr->kind == TSR_ATTR_STRING && !strcmp(attr->s, value);
}

bool tsr__is_float(const struct tir_buffer *b)
{
  return tsr_dtype_kind(b->dtype) == TSR_KIND_FLOAT;
}

/* --- stages ----------------------------------------------------------------------------------- */

static const char *axis_names(struct tsr__compute *c, int spatial, int reduce)
{
  struct tsr_text text = {.arena = c->a};
  tsr_text_add(&text, "%s", "");
  for (int d = 0; d < spatial; d++)
    tsr_text_add(&text, "%si%d", d ? " " : "", d);
  for (int d = 0; d < reduce; d++)
    tsr_text_add(&text, "%sr%d", spatial || d ? " " : "", d);
  return text.data;
}

struct tir_stage *tsr__elementwise(struct tsr__compute *c, const char *name, struct tir_buffer *out,
                                   tir_e *i)
{
  struct tir_stage *s = tir_func_stage(c->a, c->f, name, out, axis_names(c, out->rank, 0), 0, NULL);
  for (int d = 0; d < out->rank; d++)
    i[d] = tir_axis_use(c->a, s, d);
  return s;
}

struct tir_stage *tsr__reduction(struct tsr__compute *c, const char *name, struct tir_buffer *out,
                              enum tir_combine combine, const struct tir_buffer *x, uint32_t mask,
                              tir_e *i)
{
  int64_t extents[TSR_MAX_RANK];
  int reduced = 0;
  for (int d = 0; d < x->rank; d++)
    if (mask >> d & 1)
      extents[reduced++] = x->dims[d];
  struct tir_stage *s = tir_func_stage(c->a, c->f, name, out, axis_names(c, out->rank, reduced),
                                       reduced, extents);
  bool kept = out->rank == x->rank;
  for (int d = 0, spatial = 0, r = out->rank; d < x->rank; d++) {
    bool over = mask >> d & 1;
    i[d] = tir_axis_use(c->a, s, over ? r++ : spatial);
    spatial += !over || kept;
  }
  tsr__combines(c, s, combine);
  return s;
}

tir_e tsr__init(struct tsr__compute *c, enum tir_combine combine, enum tsr_dtype dtype)
{
  int bits = (int)tsr_dtype_bytes(dtype) * 8;
  bool is_signed = tsr_dtype_kind(dtype) == TSR_KIND_INT;
  if (combine == TIR_SUM || combine == TIR_PRODUCT)
    return e_number(c, dtype, combine == TIR_PRODUCT);
  if (tsr_dtype_kind(dtype) == TSR_KIND_FLOAT)
    return tir_float(c->a, dtype, combine == TIR_MAXIMUM ? -INFINITY : INFINITY);
  if (dtype == TSR_BOOL)
    return tir_int(c->a, dtype, combine == TIR_MINIMUM);
  int64_t low = is_signed ? (int64_t)(UINT64_MAX << (bits - 1)) : 0;
  int64_t high = is_signed ? ~low : (int64_t)(UINT64_MAX >> (64 - bits));
  return tir_int(c->a, dtype, combine == TIR_MAXIMUM ? low : high);
}

void tsr__combines(struct tsr__compute *c, struct tir_stage *s, enum tir_combine combine)
{
  s->combine = combine;
  s->init = tsr__init(c, combine, s->out->dtype);
}

/* --- elements --------------------------------------------------------------------------------- */

tir_e tsr__load_broadcast(struct tsr__compute *c, const struct tir_buffer *b, int rank,
                          const tir_e *i)
{
  tir_e at[TSR_MAX_RANK];
  for (int d = 0; d < b->rank; d++)
    at[d] = b->dims[d] == 1 ? e_index(c, 0) : i[d + rank - b->rank];
  return e_load(c, b, at);
}

tir_e tsr__per_channel(struct tsr__compute *c, const struct tir_buffer *b, tir_e channel)
{
  bool one = tsr_count(b->dims, b->rank, 1) == 1;
  tir_e at[TSR_MAX_RANK];
  for (int d = 0; d < b->rank; d++)
    at[d] = one || d < b->rank - 1 ? e_index(c, 0) : channel;
  return e_load(c, b, at);
}

tir_e tsr__scalar(struct tsr__compute *c, const struct tir_buffer *b)
{
  return tsr__per_channel(c, b, e_index(c, 0));
}
