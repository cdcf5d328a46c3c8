/* SPDX-License-Identifier: Apache-2.0 */
/* Index expressions with the outer loops' variables known. */
#include "compiler/target/accel/accel.h"

enum { MOST_VARS = 16 };

struct affine {
  int64_t c0, c[MOST_VARS];
};

static void clear(struct affine *x, int n)
{
  x->c0 = 0;
  for (int k = 0; k < n; k++)
    x->c[k] = 0;
}

static bool is_constant(const struct affine *x, int n)
{
  for (int k = 0; k < n; k++)
    if (x->c[k])
      return false;
  return true;
}

static bool constant_op(int op, int64_t a, int64_t b, int64_t *r)
{
  switch (op) {
  case TIR_FDIV: *r = tsr__floor_div(a, b); return true;
  case TIR_FMOD: *r = a - tsr__floor_div(a, b) * b; return true;
  case TIR_MIN: *r = a < b ? a : b; return true;
  case TIR_MAX: *r = a > b ? a : b; return true;
  case TIR_LT: *r = a < b; return true;
  case TIR_LE: *r = a <= b; return true;
  case TIR_EQ: *r = a == b; return true;
  case TIR_NE: *r = a != b; return true;
  case TIR_AND: *r = a && b; return true;
  case TIR_OR: *r = a || b; return true;
  default: return false;
  }
}

static bool find(const struct tsr__env *env, tir_e x, int n, const struct tir_var *const *vars,
                 struct affine *out);

static bool combine(const struct tsr__env *env, tir_e x, int n, const struct tir_var *const *vars,
                    struct affine *out)
{
  struct affine a, b;
  if (x->args != 2 || !find(env, x->arg[0], n, vars, &a) || !find(env, x->arg[1], n, vars, &b))
    return false;
  clear(out, n);
  if (x->op == TIR_ADD || x->op == TIR_SUB) {
    int sign = x->op == TIR_ADD ? 1 : -1;
    out->c0 = a.c0 + sign * b.c0;
    for (int k = 0; k < n; k++)
      out->c[k] = a.c[k] + sign * b.c[k];
    return true;
  }
  bool ca = is_constant(&a, n), cb = is_constant(&b, n);
  if (x->op == TIR_MUL && (ca || cb)) {
    const struct affine *f = ca ? &b : &a;
    int64_t by = ca ? a.c0 : b.c0;
    out->c0 = f->c0 * by;
    for (int k = 0; k < n; k++)
      out->c[k] = f->c[k] * by;
    return true;
  }
  return ca && cb && constant_op(x->op, a.c0, b.c0, &out->c0);
}

static bool variable(const struct tsr__env *env, const struct tir_var *v, int n,
                     const struct tir_var *const *vars, struct affine *out)
{
  for (int k = 0; k < n; k++)
    if (vars[k] == v) {
      out->c[k] = 1;
      return true;
    }
  for (int k = env->count; k-- > 0;)
    if (env->var[k] == v) {
      out->c0 = env->value[k];
      return true;
    }
  return false;
}

static bool find(const struct tsr__env *env, tir_e x, int n, const struct tir_var *const *vars,
                 struct affine *out)
{
  clear(out, n);
  switch (x->op) {
  case TIR_INT: out->c0 = x->i; return true;
  case TIR_VAR: return variable(env, x->var, n, vars, out);
  case TIR_CAST:
    return tsr_dtype_kind(x->dtype) == TSR_KIND_INT && find(env, x->arg[0], n, vars, out);
  case TIR_SELECT: {
    struct affine c;
    return find(env, x->arg[0], n, vars, &c) && is_constant(&c, n) &&
           find(env, x->arg[c.c0 ? 1 : 2], n, vars, out);
  }
  default: return combine(env, x, n, vars, out);
  }
}

bool tsr__env_affine(const struct tsr__env *env, tir_e x, int n, const struct tir_var *const *vars,
                     int64_t *constant, int64_t *coefficient)
{
  struct affine a;
  if (n > MOST_VARS || !find(env, x, n, vars, &a))
    return false;
  *constant = a.c0;
  for (int k = 0; k < n; k++)
    coefficient[k] = a.c[k];
  return true;
}

bool tsr__env_value(const struct tsr__env *env, tir_e x, int64_t *value)
{
  return tsr__env_affine(env, x, 0, NULL, value, NULL);
}

/* Narrows the ranges of the variables by 0 <= c0 + c*i. */
static bool narrow(int n, int64_t c0, const int64_t *c, int64_t *lo, int64_t *hi, bool *nothing)
{
  int which = -1;
  for (int k = 0; k < n; k++)
    if (c[k] && which >= 0)
      return false;
    else if (c[k])
      which = k;
  if (which < 0) { /* holds everywhere, or nowhere */
    *nothing |= c0 < 0;
    return true;
  }
  if (c[which] > 0) {
    int64_t from = -tsr__floor_div(c0, c[which]);
    lo[which] = from > lo[which] ? from : lo[which];
  } else {
    int64_t to = tsr__floor_div(c0, -c[which]) + 1;
    hi[which] = to < hi[which] ? to : hi[which];
  }
  return true;
}

bool tsr__env_box(const struct tsr__env *env, tir_e x, int n, const struct tir_var *const *vars,
                  int64_t *lo, int64_t *hi, bool *nothing)
{
  int64_t l0, r0, l[MOST_VARS], r[MOST_VARS];
  if (x->op == TIR_AND)
    return tsr__env_box(env, x->arg[0], n, vars, lo, hi, nothing) &&
           tsr__env_box(env, x->arg[1], n, vars, lo, hi, nothing);
  if (x->op == TIR_INT) {
    *nothing |= !x->i;
    return true;
  }
  if ((x->op != TIR_LE && x->op != TIR_LT) || !tsr__env_affine(env, x->arg[0], n, vars, &l0, l) ||
      !tsr__env_affine(env, x->arg[1], n, vars, &r0, r))
    return false;
  for (int k = 0; k < n; k++)
    r[k] -= l[k];
  return narrow(n, r0 - l0 - (x->op == TIR_LT), r, lo, hi, nothing);
}
