/* SPDX-License-Identifier: Apache-2.0 */
/* Ops whose every element is a formula of the elements at the same place, dims of 1 repeated. Error
 * of a float result: a few roundings of its dtype for each operation of the formula. */
#include "compiler/graph/compute.h"

/* What an op takes. */
enum takes { NUMBERS, SIGNED, FLOATS, BOOLS, ANY };

static enum tsr_status check_takes(struct tsr__compute *c, enum takes takes, enum tsr_dtype dtype)
{
  enum tsr_dtype_kind kind = tsr_dtype_kind(dtype);
  static const char *const what[] = {"numbers", "signed numbers", "floats", "bools", "anything"};
  bool ok = takes == ANY || (takes == NUMBERS && dtype != TSR_BOOL) ||
            (takes == SIGNED && kind != TSR_KIND_UINT) ||
            (takes == FLOATS && kind == TSR_KIND_FLOAT) || (takes == BOOLS && dtype == TSR_BOOL);
  return ok ? TSR_OK : tsr__refuse(c, "takes %s, not %s", what[takes], tsr_dtype_name(dtype));
}

static tir_e number(struct tsr__compute *c, tir_e like, double v)
{
  return e_number(c, (enum tsr_dtype)like->dtype, v);
}

static tir_e zero(struct tsr__compute *c, tir_e like)
{
  return number(c, like, 0);
}

static bool is_float(tir_e x)
{
  return tsr_dtype_kind((enum tsr_dtype)x->dtype) == TSR_KIND_FLOAT;
}

/* --- one input -------------------------------------------------------------------------------- */

typedef tir_e unary(struct tsr__compute *c, tir_e x);

static tir_e abs_of(struct tsr__compute *c, tir_e x)
{
  return tsr_dtype_kind((enum tsr_dtype)x->dtype) == TSR_KIND_UINT ? x
                                                                   : tir_unary(c->a, TIR_ABS, x);
}

static tir_e cast_of(struct tsr__compute *c, tir_e x)
{
  enum tsr_dtype to = c->out[0]->dtype;
  if (to == TSR_BOOL && x->dtype != TSR_BOOL)
    return tir_binary(c->a, TIR_NE, x, zero(c, x));
  return e_cast(c, to, x);
}

static tir_e elu_of(struct tsr__compute *c, tir_e x)
{
  tir_e below = e_sub(c, tir_unary(c->a, TIR_EXP, x), number(c, x, 1));
  below = e_mul(c, number(c, x, tsr_node_float(c->n, "alpha", 1)), below);
  return e_select(c, e_less(c, x, zero(c, x)), below, x);
}

static tir_e hard_sigmoid(struct tsr__compute *c, tir_e x, double alpha, double beta)
{
  tir_e line = e_add(c, e_mul(c, number(c, x, alpha), x), number(c, x, beta));
  return e_max(c, zero(c, x), e_min(c, number(c, x, 1), line));
}

static tir_e hard_sigmoid_of(struct tsr__compute *c, tir_e x)
{
  return hard_sigmoid(c, x, tsr_node_float(c->n, "alpha", 0.2), tsr_node_float(c->n, "beta", 0.5));
}

static tir_e hard_swish_of(struct tsr__compute *c, tir_e x)
{
  return e_mul(c, x, hard_sigmoid(c, x, 1.0 / 6, 0.5));
}

static tir_e leaky_relu_of(struct tsr__compute *c, tir_e x)
{
  tir_e below = e_mul(c, number(c, x, tsr_node_float(c->n, "alpha", 0.01)), x);
  return e_select(c, e_less(c, x, zero(c, x)), below, x);
}

static tir_e neg_of(struct tsr__compute *c, tir_e x)
{
  return is_float(x) ? e_mul(c, x, number(c, x, -1)) : e_sub(c, zero(c, x), x);
}

static tir_e reciprocal_of(struct tsr__compute *c, tir_e x)
{
  return e_div(c, number(c, x, 1), x);
}

static tir_e relu_of(struct tsr__compute *c, tir_e x)
{
  return e_max(c, x, zero(c, x));
}

static tir_e sigmoid_of(struct tsr__compute *c, tir_e x)
{
  tir_e e = tir_unary(c->a, TIR_EXP, neg_of(c, x));
  return e_div(c, number(c, x, 1), e_add(c, number(c, x, 1), e));
}

static tir_e sign_of(struct tsr__compute *c, tir_e x)
{
  tir_e above = e_select(c, e_less(c, zero(c, x), x), number(c, x, 1), zero(c, x));
  if (tsr_dtype_kind((enum tsr_dtype)x->dtype) == TSR_KIND_UINT)
    return above;
  return e_select(c, e_less(c, x, zero(c, x)), number(c, x, -1), above);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which does not overflow */
static tir_e softplus_of(struct tsr__compute *c, tir_e x)
{
  tir_e e = tir_unary(c->a, TIR_EXP, neg_of(c, tir_unary(c->a, TIR_ABS, x)));
  return e_add(c, relu_of(c, x), tir_unary(c->a, TIR_LOG, e_add(c, number(c, x, 1), e)));
}

/* Either a formula or, where there is none, an operation of tensor IR. */
static const struct unary_row {
  unary *formula;
  enum tir_op op;
  enum takes takes;
} unaries[TSR_GOP_COUNT] = {
  [TSR_G_Abs] = {abs_of, 0, NUMBERS},
  [TSR_G_Cast] = {cast_of, 0, ANY},
  [TSR_G_Ceil] = {NULL, TIR_CEIL, FLOATS},
  [TSR_G_Cos] = {NULL, TIR_COS, FLOATS},
  [TSR_G_Elu] = {elu_of, 0, FLOATS},
  [TSR_G_Erf] = {NULL, TIR_ERF, FLOATS},
  [TSR_G_Exp] = {NULL, TIR_EXP, FLOATS},
  [TSR_G_Floor] = {NULL, TIR_FLOOR, FLOATS},
  [TSR_G_HardSigmoid] = {hard_sigmoid_of, 0, FLOATS},
  [TSR_G_HardSwish] = {hard_swish_of, 0, FLOATS},
  [TSR_G_LeakyRelu] = {leaky_relu_of, 0, FLOATS},
  [TSR_G_Log] = {NULL, TIR_LOG, FLOATS},
  [TSR_G_Neg] = {neg_of, 0, SIGNED},
  [TSR_G_Not] = {NULL, TIR_NOT, BOOLS},
  [TSR_G_Reciprocal] = {reciprocal_of, 0, FLOATS},
  [TSR_G_Relu] = {relu_of, 0, NUMBERS},
  [TSR_G_Round] = {NULL, TIR_ROUND, FLOATS},
  [TSR_G_Sigmoid] = {sigmoid_of, 0, FLOATS},
  [TSR_G_Sign] = {sign_of, 0, NUMBERS},
  [TSR_G_Sin] = {NULL, TIR_SIN, FLOATS},
  [TSR_G_Softplus] = {softplus_of, 0, FLOATS},
  [TSR_G_Sqrt] = {NULL, TIR_SQRT, FLOATS},
  [TSR_G_Tanh] = {NULL, TIR_TANH, FLOATS},
};

enum tsr_status tsr__compute_unary(struct tsr__compute *c)
{
  const struct unary_row *row = &unaries[c->n->op];
  tir_e i[TSR_MAX_RANK];
  if (check_takes(c, row->takes, c->in[0]->dtype))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__elementwise(c, "map", c->out[0], i);
  tir_e x = e_load(c, c->in[0], i);
  s->value = row->formula ? row->formula(c, x) : tir_unary(c->a, row->op, x);
  return TSR_OK;
}

/* --- two inputs and more ---------------------------------------------------------------------- */

typedef tir_e binary(struct tsr__compute *c, tir_e x, tir_e y);

static tir_e greater_of(struct tsr__compute *c, tir_e x, tir_e y)
{
  return e_less(c, y, x);
}

static tir_e greater_or_equal_of(struct tsr__compute *c, tir_e x, tir_e y)
{
  return tir_binary(c->a, TIR_LE, y, x);
}

static tir_e trunc_of(struct tsr__compute *c, tir_e x)
{
  return e_select(c, e_less(c, x, zero(c, x)), tir_unary(c->a, TIR_CEIL, x),
                  tir_unary(c->a, TIR_FLOOR, x));
}

/* Sign of the divisor, or with attribute fmod of the dividend as in C. Floats: in f64, exact while
 * the quotient of two f32 is below 2^29. */
static tir_e mod_of(struct tsr__compute *c, tir_e x, tir_e y)
{
  if (!is_float(x) && !tsr_node_int(c->n, "fmod", 0))
    return tir_binary(c->a, TIR_FMOD, x, y);
  if (!is_float(x))
    return e_sub(c, x, e_mul(c, e_div(c, x, y), y));
  tir_e wide = e_cast(c, TSR_F64, x), by = e_cast(c, TSR_F64, y);
  tir_e whole = e_mul(c, trunc_of(c, e_div(c, wide, by)), by);
  return e_cast(c, (enum tsr_dtype)x->dtype, e_sub(c, wide, whole));
}

/* The base's dtype; of integers through f64, exact below 2^53. */
static tir_e pow_of(struct tsr__compute *c, tir_e x, tir_e y)
{
  enum tsr_dtype dtype = (enum tsr_dtype)x->dtype, in = is_float(x) ? dtype : TSR_F64;
  const struct tsr_value *by = c->n->in[1];
  if (is_float(x) && by->data && tsr_count(by->dims, by->rank, 1) == 1) {
    struct tsr_tensor t = tsr_value_tensor(by);
    if (tsr_get_float(&t, 0) == 2)
      return e_mul(c, x, x);
  }
  return e_cast(c, dtype, tir_binary(c->a, TIR_POW, e_cast(c, in, x), e_cast(c, in, y)));
}

static tir_e prelu_of(struct tsr__compute *c, tir_e x, tir_e slope)
{
  return e_select(c, e_less(c, x, zero(c, x)), e_mul(c, slope, x), x);
}

/* As unaries; more inputs than two are taken one by one. */
static const struct binary_row {
  binary *formula;
  enum tir_op op;
  enum takes takes;
} binaries[TSR_GOP_COUNT] = {
  [TSR_G_Add] = {NULL, TIR_ADD, NUMBERS},
  [TSR_G_And] = {NULL, TIR_AND, BOOLS},
  [TSR_G_Div] = {NULL, TIR_DIV, NUMBERS},
  [TSR_G_Equal] = {NULL, TIR_EQ, ANY},
  [TSR_G_Greater] = {greater_of, 0, NUMBERS},
  [TSR_G_GreaterOrEqual] = {greater_or_equal_of, 0, NUMBERS},
  [TSR_G_Less] = {NULL, TIR_LT, NUMBERS},
  [TSR_G_LessOrEqual] = {NULL, TIR_LE, NUMBERS},
  [TSR_G_Max] = {NULL, TIR_MAX, NUMBERS},
  [TSR_G_Min] = {NULL, TIR_MIN, NUMBERS},
  [TSR_G_Mod] = {mod_of, 0, NUMBERS},
  [TSR_G_Mul] = {NULL, TIR_MUL, NUMBERS},
  [TSR_G_Or] = {NULL, TIR_OR, BOOLS},
  [TSR_G_PRelu] = {prelu_of, 0, NUMBERS},
  [TSR_G_Pow] = {pow_of, 0, NUMBERS},
  [TSR_G_Sub] = {NULL, TIR_SUB, NUMBERS},
  [TSR_G_Sum] = {NULL, TIR_ADD, FLOATS},
  [TSR_G_Xor] = {NULL, TIR_NE, BOOLS},
};

static enum tsr_status check_operands(struct tsr__compute *c, enum takes takes)
{
  for (int k = 0; k < c->n->inputs; k++) {
    const struct tir_buffer *b = c->in[k];
    if (!b)
      return tsr__refuse(c, "its input %d is left out", k);
    if (check_takes(c, takes, b->dtype))
      return TSR_REFUSED;
    if (b->dtype != c->in[0]->dtype && c->n->op != TSR_G_Pow)
      return tsr__refuse(c, "mixes %s and %s", tsr_dtype_name(c->in[0]->dtype),
                         tsr_dtype_name(b->dtype));
  }
  if (c->n->op == TSR_G_Mod && tsr__is_float(c->in[0]) && !tsr_node_int(c->n, "fmod", 0))
    return tsr__refuse(c, "of floats is defined with attribute fmod = 1 only");
  return TSR_OK;
}

enum tsr_status tsr__compute_broadcast(struct tsr__compute *c)
{
  const struct binary_row *row = &binaries[c->n->op];
  tir_e i[TSR_MAX_RANK];
  int rank = c->out[0]->rank;
  if (check_operands(c, row->takes))
    return TSR_REFUSED;
  struct tir_stage *s = tsr__elementwise(c, "map", c->out[0], i);
  tir_e x = tsr__load_broadcast(c, c->in[0], rank, i);
  for (int k = 1; k < c->n->inputs; k++) {
    tir_e y = tsr__load_broadcast(c, c->in[k], rank, i);
    x = row->formula ? row->formula(c, x, y) : tir_binary(c->a, row->op, x, y);
  }
  s->value = x;
  return TSR_OK;
}

enum tsr_status tsr__compute_clip(struct tsr__compute *c)
{
  const struct tir_buffer *low = tsr__in(c, 1), *high = tsr__in(c, 2);
  tir_e i[TSR_MAX_RANK];
  if (check_takes(c, NUMBERS, c->in[0]->dtype))
    return TSR_REFUSED;
  for (int k = 1; k <= 2; k++)
    if (tsr__in(c, k) && (c->in[k]->dtype != c->in[0]->dtype ||
                          tsr_count(c->in[k]->dims, c->in[k]->rank, 1) != 1))
      return tsr__refuse(c, "%s must be one %s", c->in[k]->name, tsr_dtype_name(c->in[0]->dtype));
  struct tir_stage *s = tsr__elementwise(c, "map", c->out[0], i);
  s->value = e_load(c, c->in[0], i);
  if (low)
    s->value = e_max(c, s->value, tsr__scalar(c, low));
  if (high)
    s->value = e_min(c, s->value, tsr__scalar(c, high));
  return TSR_OK;
}

enum tsr_status tsr__compute_where(struct tsr__compute *c)
{
  tir_e i[TSR_MAX_RANK];
  int rank = c->out[0]->rank;
  if (c->in[0]->dtype != TSR_BOOL || c->in[1]->dtype != c->in[2]->dtype)
    return tsr__refuse(c, "takes a bool condition and two inputs of one dtype");
  struct tir_stage *s = tsr__elementwise(c, "map", c->out[0], i);
  s->value = e_select(c, tsr__load_broadcast(c, c->in[0], rank, i),
                      tsr__load_broadcast(c, c->in[1], rank, i),
                      tsr__load_broadcast(c, c->in[2], rank, i));
  return TSR_OK;
}
