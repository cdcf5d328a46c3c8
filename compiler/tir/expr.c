/* SPDX-License-Identifier: Apache-2.0 */
/* Building expressions. What a builder returns is as simple as these rules make it, and building
 * the same expression again from its parts changes nothing: so text parses to what was printed.
 *
 * Integers wrap, so that sums and products may be regrouped freely: constants move outward and to
 * the right. Floats are only ever folded, never regrouped. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "compiler/tir/tir_internal.h"

const struct tir__op tir__ops[TIR_OP_COUNT] = {
#define TIR_OP(name, text, form, args, meaning) {#name, text, TIR__##form, args},
#include "compiler/tir/ops.def"
#undef TIR_OP
};

const char *tir_op_text(enum tir_op op)
{
  return tir__ops[op].text;
}

bool tir__is_float(enum tsr_dtype dtype)
{
  return tsr_dtype_kind(dtype) == TSR_KIND_FLOAT;
}

static struct tir_expr *new_expr(struct tsr_arena *a, enum tir_op op, enum tsr_dtype dtype,
                                 int args)
{
  struct tir_expr *e =
      tsr_arena_alloc(a, sizeof *e + (size_t)args * sizeof e->arg[0]);
  e->op = (uint8_t)op;
  e->dtype = (uint8_t)dtype;
  e->args = (uint8_t)args;
  return e;
}

static int64_t wrap_to(enum tsr_dtype dtype, int64_t v)
{
  int bits = 8 * (int)tsr_dtype_bytes(dtype);
  if (dtype == TSR_BOOL)
    return v != 0;
  if (bits == 64)
    return v;
  uint64_t low = (uint64_t)v & ((UINT64_C(1) << bits) - 1);
  if (tsr_dtype_kind(dtype) == TSR_KIND_INT && low >> (bits - 1))
    low |= ~UINT64_C(0) << bits;
  return (int64_t)low;
}

tir_e tir_int(struct tsr_arena *a, enum tsr_dtype dtype, int64_t value)
{
  assert(!tir__is_float(dtype));
  struct tir_expr *e = new_expr(a, TIR_INT, dtype, 0);
  e->i = wrap_to(dtype, value);
  return e;
}

tir_e tir_index(struct tsr_arena *a, int64_t value)
{
  return tir_int(a, TSR_I64, value);
}

double tir__rounded(enum tsr_dtype dtype, double value)
{
  uint64_t bits = 0;
  struct tsr_tensor t = {.dtype = dtype, .data = &bits};
  tsr_put_float(&t, 0, value);
  return tsr_get_float(&t, 0);
}

tir_e tir_float(struct tsr_arena *a, enum tsr_dtype dtype, double value)
{
  assert(tir__is_float(dtype));
  struct tir_expr *e = new_expr(a, TIR_FLOAT, dtype, 0);
  e->f = isnan(value) ? (double)NAN : tir__rounded(dtype, value);
  return e;
}

tir_e tir_use(struct tsr_arena *a, const struct tir_var *var)
{
  struct tir_expr *e = new_expr(a, TIR_VAR, TSR_I64, 0);
  e->var = var;
  return e;
}

tir_e tir_load(struct tsr_arena *a, const struct tir_buffer *b, const tir_e *index)
{
  struct tir_expr *e = new_expr(a, TIR_LOAD, b->dtype, b->rank);
  e->buffer = b;
  for (int i = 0; i < b->rank; i++) {
    assert(index[i]->dtype == TSR_I64);
    e->arg[i] = index[i];
  }
  return e;
}

bool tir_same(tir_e x, tir_e y)
{
  if (x == y)
    return true;
  if (x->op != y->op || x->dtype != y->dtype || x->args != y->args)
    return false;
  if (x->op == TIR_INT && x->i != y->i)
    return false;
  if (x->op == TIR_FLOAT && memcmp(&x->f, &y->f, sizeof x->f))
    return false;
  if (x->op == TIR_VAR && x->var != y->var)
    return false;
  if (x->op == TIR_LOAD && x->buffer != y->buffer)
    return false;
  for (int i = 0; i < x->args; i++)
    if (!tir_same(x->arg[i], y->arg[i]))
      return false;
  return true;
}

bool tir__is_int(tir_e x, int64_t value)
{
  return x->op == TIR_INT && x->i == value;
}

bool tir__result_dtype(enum tir_op op, int n, tir_e const *arg, enum tsr_dtype *out)
{
  bool binary = n >= 2 && op != TIR_SELECT;
  for (int i = 1; binary && i < n; i++)
    if (arg[i]->dtype != arg[0]->dtype)
      return false;
  enum tsr_dtype dtype = (enum tsr_dtype)arg[op == TIR_SELECT]->dtype;
  if (op == TIR_SELECT && (arg[0]->dtype != TSR_BOOL || arg[1]->dtype != arg[2]->dtype))
    return false;
  if (n != tir__ops[op].args || !tir__op_kernel(op, dtype))
    return false;
  bool compares = op == TIR_LT || op == TIR_LE || op == TIR_EQ || op == TIR_NE;
  *out = compares ? TSR_BOOL : op == TIR_SAT8 ? TSR_I8 : dtype;
  return true;
}

/* --- folding: the ops' own kernels, on one element ------------------------------------------- */

static bool is_constant(tir_e x)
{
  return x->op == TIR_INT || x->op == TIR_FLOAT;
}

static void put_constant(tir_e x, void *at)
{
  struct tsr_tensor t = {.dtype = (enum tsr_dtype)x->dtype, .data = at};
  if (x->op == TIR_FLOAT)
    tsr_put_float(&t, 0, x->f);
  else
    tsr_put_int(&t, 0, x->i);
}

static tir_e get_constant(struct tsr_arena *a, enum tsr_dtype dtype, void *at)
{
  struct tsr_tensor t = {.dtype = dtype, .data = at};
  if (tir__is_float(dtype))
    return tir_float(a, dtype, tsr_get_float(&t, 0));
  return tir_int(a, dtype, tsr_get_int(&t, 0));
}

static tir_e fold(struct tsr_arena *a, tir__kernel *kernel, enum tsr_dtype dtype, int n,
                  const tir_e *arg)
{
  uint64_t in[4], out = 0;
  const void *at[4] = {&in[0], &in[1], &in[2], &in[3]};
  for (int i = 0; i < n; i++) {
    if (!is_constant(arg[i]))
      return NULL;
    put_constant(arg[i], &in[i]);
  }
  kernel(&out, at, 1);
  return get_constant(a, dtype, &out);
}

static tir_e build(struct tsr_arena *a, enum tir_op op, int n, const tir_e *arg)
{
  enum tsr_dtype dtype = (enum tsr_dtype)arg[0]->dtype;
  bool known = tir__result_dtype(op, n, arg, &dtype);
  assert(known);
  (void)known;
  tir_e folded = fold(a, tir__op_kernel(op, (enum tsr_dtype)arg[op == TIR_SELECT]->dtype), dtype, n,
                      arg);
  if (folded)
    return folded;
  struct tir_expr *e = new_expr(a, op, dtype, n);
  memcpy(e->arg, arg, (size_t)n * sizeof arg[0]);
  return e;
}

/* A half that was widened only. */
static bool is_widened(tir_e x, enum tsr_dtype half)
{
  return x->op == TIR_CAST && x->dtype == TSR_F32 && x->arg[0]->dtype == half &&
         tsr_dtype_is_half(half);
}

tir_e tir_cast(struct tsr_arena *a, enum tsr_dtype dtype, tir_e x)
{
  if (dtype == x->dtype)
    return x;
  if (is_widened(x, dtype))
    return x->arg[0];
  tir__kernel *kernel = tir__cast_kernel(dtype, (enum tsr_dtype)x->dtype);
  if (!kernel)
    return tir_cast(a, dtype, tir_cast(a, TSR_F32, x));
  tir_e folded = fold(a, kernel, dtype, 1, &x);
  if (folded)
    return folded;
  struct tir_expr *e = new_expr(a, TIR_CAST, dtype, 1);
  e->arg[0] = x;
  return e;
}

tir_e tir_unary(struct tsr_arena *a, enum tir_op op, tir_e x)
{
  if (op == TIR_NOT && x->op == TIR_NOT)
    return x->arg[0];
  return build(a, op, 1, &x);
}

/* x + c, where c is a constant. */
static bool adds_constant(tir_e x)
{
  return x->op == TIR_ADD && x->arg[1]->op == TIR_INT;
}

static tir_e add_constant(struct tsr_arena *a, tir_e x, int64_t c)
{
  return tir_binary(a, TIR_ADD, x, tir_int(a, (enum tsr_dtype)x->dtype, c));
}

static int64_t wrapping_sum(int64_t x, int64_t y)
{
  return (int64_t)((uint64_t)x + (uint64_t)y);
}

static int64_t negated(int64_t x)
{
  return (int64_t)(0 - (uint64_t)x);
}

static tir_e simpler_sum(struct tsr_arena *a, tir_e x, tir_e y)
{
  if (x->op == TIR_INT && y->op != TIR_INT)
    return tir_binary(a, TIR_ADD, y, x);
  if (tir__is_int(y, 0))
    return x;
  if (y->op == TIR_INT && adds_constant(x))
    return add_constant(a, x->arg[0], wrapping_sum(x->arg[1]->i, y->i));
  if (adds_constant(y))
    return add_constant(a, tir_binary(a, TIR_ADD, x, y->arg[0]), y->arg[1]->i);
  if (adds_constant(x) && y->op != TIR_INT)
    return add_constant(a, tir_binary(a, TIR_ADD, x->arg[0], y), x->arg[1]->i);
  return NULL;
}

static tir_e simpler_difference(struct tsr_arena *a, tir_e x, tir_e y)
{
  if (y->op == TIR_INT && x->op != TIR_INT)
    return add_constant(a, x, negated(y->i));
  if (tir_same(x, y))
    return tir_int(a, (enum tsr_dtype)x->dtype, 0);
  if (adds_constant(y))
    return add_constant(a, tir_binary(a, TIR_SUB, x, y->arg[0]), negated(y->arg[1]->i));
  if (adds_constant(x))
    return add_constant(a, tir_binary(a, TIR_SUB, x->arg[0], y), x->arg[1]->i);
  return NULL;
}

static tir_e simpler_product(struct tsr_arena *a, tir_e x, tir_e y)
{
  if (x->op == TIR_INT && y->op != TIR_INT)
    return tir_binary(a, TIR_MUL, y, x);
  if (tir__is_int(y, 0))
    return y;
  if (tir__is_int(y, 1))
    return x;
  if (y->op != TIR_INT || x->op == TIR_INT)
    return NULL;
  if (x->op == TIR_MUL && x->arg[1]->op == TIR_INT)
    return tir_binary(a, TIR_MUL, x->arg[0], tir_binary(a, TIR_MUL, x->arg[1], y));
  if (adds_constant(x))
    return tir_binary(a, TIR_ADD, tir_binary(a, TIR_MUL, x->arg[0], y),
                      tir_binary(a, TIR_MUL, x->arg[1], y));
  return NULL;
}

static tir_e simpler_int(struct tsr_arena *a, enum tir_op op, tir_e x, tir_e y)
{
  switch (op) {
  case TIR_ADD:
    return simpler_sum(a, x, y);
  case TIR_SUB:
    return simpler_difference(a, x, y);
  case TIR_MUL:
    return simpler_product(a, x, y);
  case TIR_DIV:
  case TIR_FDIV:
    return tir__is_int(y, 1) ? x : NULL;
  case TIR_FMOD:
    return tir__is_int(y, 1) ? tir_int(a, (enum tsr_dtype)x->dtype, 0) : NULL;
  case TIR_MIN:
  case TIR_MAX:
    return tir_same(x, y) ? x : NULL;
  case TIR_LE:
  case TIR_EQ:
    return tir_same(x, y) ? tir_int(a, TSR_BOOL, 1) : NULL;
  case TIR_LT:
  case TIR_NE:
    return tir_same(x, y) ? tir_int(a, TSR_BOOL, 0) : NULL;
  default:
    return NULL;
  }
}

static tir_e simpler_bool(enum tir_op op, tir_e x, tir_e y)
{
  int64_t neutral = op == TIR_AND;
  if (op != TIR_AND && op != TIR_OR)
    return NULL;
  if (x->op == TIR_INT)
    return x->i == neutral ? y : x;
  if (y->op == TIR_INT)
    return y->i == neutral ? x : y;
  return NULL;
}

tir_e tir_binary(struct tsr_arena *a, enum tir_op op, tir_e x, tir_e y)
{
  tir_e simpler = NULL;
  assert(x->dtype == y->dtype);
  if (x->dtype == TSR_BOOL)
    simpler = simpler_bool(op, x, y);
  else if (!tir__is_float((enum tsr_dtype)x->dtype))
    simpler = simpler_int(a, op, x, y);
  return simpler ? simpler : build(a, op, 2, (tir_e[]){x, y});
}

tir_e tir_select(struct tsr_arena *a, tir_e c, tir_e x, tir_e y)
{
  if (c->op == TIR_INT)
    return c->i ? x : y;
  return tir_same(x, y) ? x : build(a, TIR_SELECT, 3, (tir_e[]){c, x, y});
}

tir_e tir_quant(struct tsr_arena *a, tir_e acc, tir_e bias, tir_e multiplier, tir_e packed)
{
  return build(a, TIR_QUANT, 4, (tir_e[]){acc, bias, multiplier, packed});
}

/* x's op again on other arguments, simplified. */
static tir_e rebuild(struct tsr_arena *a, tir_e x, const tir_e *arg)
{
  if (x->op == TIR_LOAD)
    return tir_load(a, x->buffer, arg);
  if (x->op == TIR_CAST)
    return tir_cast(a, (enum tsr_dtype)x->dtype, arg[0]);
  if (x->op == TIR_SELECT)
    return tir_select(a, arg[0], arg[1], arg[2]);
  if (x->args == 1)
    return tir_unary(a, (enum tir_op)x->op, arg[0]);
  if (x->args == 2)
    return tir_binary(a, (enum tir_op)x->op, arg[0], arg[1]);
  return build(a, (enum tir_op)x->op, x->args, arg);
}

struct substitution {
  struct tsr_arena *arena;
  int n;
  const struct tir_var *const *vars;
  const tir_e *with;
  struct tir__map done; /* shared subexpressions stay shared */
};

static tir_e substitute(struct substitution *s, tir_e x)
{
  tir_e arg[TSR_MAX_RANK], done = tir__map_get(&s->done, x);
  bool changed = false;
  if (done)
    return done;
  for (int i = 0; x->op == TIR_VAR && i < s->n; i++)
    if (x->var == s->vars[i])
      return s->with[i];
  if (x->args == 0)
    return x;
  for (int i = 0; i < x->args; i++) {
    arg[i] = substitute(s, x->arg[i]);
    changed |= arg[i] != x->arg[i];
  }
  tir_e result = changed ? rebuild(s->arena, x, arg) : x;
  tir__map_put(s->arena, &s->done, x, result);
  return result;
}

tir_e tir_substitute(struct tsr_arena *a, tir_e x, int n, const struct tir_var *const *vars,
                     const tir_e *with)
{
  struct substitution s = {.arena = a, .n = n, .vars = vars, .with = with};
  return substitute(&s, x);
}

bool tir_evaluate(tir_e x, int n, const struct tir_var *const *vars, const int64_t *values,
                  int64_t *out)
{
  uint64_t in[4], result = 0;
  const void *at[4] = {&in[0], &in[1], &in[2], &in[3]};
  struct tsr_tensor t = {.dtype = (enum tsr_dtype)x->dtype};
  if (tir__is_float(t.dtype) || x->op == TIR_LOAD || x->args > 4)
    return false;
  if (x->op == TIR_INT) {
    *out = x->i;
    return true;
  }
  for (int i = 0; x->op == TIR_VAR && i < n; i++)
    if (x->var == vars[i]) {
      *out = values[i];
      return true;
    }
  if (x->args == 0)
    return false;
  if (x->op == TIR_SELECT) {
    int64_t c;
    return tir_evaluate(x->arg[0], n, vars, values, &c) &&
           tir_evaluate(x->arg[c ? 1 : 2], n, vars, values, out);
  }
  for (int i = 0; i < x->args; i++) {
    int64_t v;
    if (!tir_evaluate(x->arg[i], n, vars, values, &v))
      return false;
    t = (struct tsr_tensor){.dtype = (enum tsr_dtype)x->arg[i]->dtype, .data = &in[i]};
    tsr_put_int(&t, 0, v);
  }
  enum tsr_dtype from = (enum tsr_dtype)x->arg[0]->dtype;
  tir__kernel *kernel = x->op == TIR_CAST ? tir__cast_kernel((enum tsr_dtype)x->dtype, from)
                                          : tir__op_kernel((enum tir_op)x->op, from);
  kernel(&result, at, 1);
  t = (struct tsr_tensor){.dtype = (enum tsr_dtype)x->dtype, .data = &result};
  *out = tsr_get_int(&t, 0);
  return true;
}
