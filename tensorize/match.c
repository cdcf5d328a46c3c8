/* SPDX-License-Identifier: Apache-2.0 */
/* The matcher: unifies a stage's update with an intrinsic's.
 *
 * The pattern is the intrinsic's expression. A pattern variable is one of the intrinsic's axes and binds
 * to one loop variable; a pattern load of an operand binds the operand to a buffer, whose leading indices
 * become the operand's base. Commutative operations are tried both ways. */
#include <stdio.h>
#include <string.h>

#include "tensorize/tensorize.h"

enum { MAX_AXES = 8, MAX_OPERANDS = 8 };

struct binding {
  const struct tir_var *axis[MAX_AXES];            /* the loop variable, by axis of the intrinsic */
  const struct tir_buffer *buffer[MAX_OPERANDS];
  const tir_e *index[MAX_OPERANDS];                /* the load's indices */
};

struct matcher {
  struct tsr_arena *arena;
  const struct tir_match *m;
  const struct tir_stage *pattern;
  const struct tir_func *func;
  struct binding bound;
  char reason[256]; /* of the deepest failure so far */
};

static bool reject(struct matcher *t, const char *reason, const char *what)
{
  snprintf(t->reason, sizeof t->reason, "%s%s", reason, what);
  return false;
}

static int loop_of(const struct tir_match *m, const struct tir_var *var)
{
  for (int k = 0; k < m->loops; k++)
    if (m->var[k] == var)
      return k;
  return -1;
}

static bool uses_inner(const struct tir_match *m, tir_e x)
{
  if (x->op == TIR_VAR)
    return loop_of(m, x->var) >= 0;
  for (int k = 0; k < x->args; k++)
    if (uses_inner(m, x->arg[k]))
      return true;
  return false;
}

static bool same_expr(tir_e x, tir_e y)
{
  if (x == y)
    return true;
  if (x->op != y->op || x->dtype != y->dtype || x->args != y->args)
    return false;
  if (x->op == TIR_INT && x->i != y->i)
    return false;
  if (x->op == TIR_FLOAT && x->f != y->f)
    return false;
  if (x->op == TIR_VAR && x->var != y->var)
    return false;
  if (x->op == TIR_LOAD && x->buffer != y->buffer)
    return false;
  for (int k = 0; k < x->args; k++)
    if (!same_expr(x->arg[k], y->arg[k]))
      return false;
  return true;
}

/* Operand number of a buffer of the intrinsic: its output is 0, its inputs are 1.. */
static int operand_of(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int k = 0; k < f->params; k++)
    if (f->param[k] == b)
      return k < f->inputs ? k + 1 : 0;
  return -1;
}

/* Axis `a` of the intrinsic against x: a loop over the whole axis, or 0 where the axis has one value. */
static bool bind_axis(struct matcher *t, int a, tir_e x)
{
  const struct tir_axis *axis = &t->pattern->axis[a];
  if (x->op == TIR_INT && x->i == 0 && axis->extent == 1)
    return true;
  int loop = x->op == TIR_VAR ? loop_of(t->m, x->var) : -1;
  if (loop < 0)
    return reject(t, "no tensorized loop runs along axis ", axis->var->name);
  tir_e extent = t->m->extent[loop];
  if (extent->op != TIR_INT || extent->i != axis->extent) {
    char text[96];
    snprintf(text, sizeof text, "%s; the intrinsic wants %lld", x->var->name, (long long)axis->extent);
    return reject(t, "wrong extent of loop ", text);
  }
  if (t->bound.axis[a] && t->bound.axis[a] != x->var)
    return reject(t, "two loops run along axis ", axis->var->name);
  t->bound.axis[a] = x->var;
  return true;
}

static bool unify(struct matcher *t, tir_e p, tir_e x);

static bool unify_trailing(struct matcher *t, int rank, const tir_e *p, const struct tir_buffer *b,
                           const tir_e *x)
{
  int lead = b->rank - rank;
  if (lead < 0)
    return reject(t, "too few dims in buffer ", b->name);
  for (int k = 0; k < lead; k++)
    if (uses_inner(t->m, x[k]))
      return reject(t, "a tensorized loop strides over leading dims of buffer ", b->name);
  for (int k = 0; k < rank; k++)
    if (!unify(t, p[k], x[lead + k]))
      return false;
  return true;
}

static bool unify_buffer(struct matcher *t, const struct tir_buffer *operand, const tir_e *p,
                         const struct tir_buffer *b, const tir_e *x)
{
  int k = operand_of(t->func, operand), lead = b->rank - operand->rank;
  if (b->dtype != operand->dtype)
    return reject(t, "wrong element type of buffer ", b->name);
  if (b->scope != operand->scope)
    return reject(t, "wrong scope of buffer ", b->name);
  for (int d = 0; d < operand->rank && lead >= 0; d++)
    if (b->dims[lead + d] != operand->dims[d])
      return reject(t, "wrong last dims of buffer ", b->name);
  if (!unify_trailing(t, operand->rank, p, b, x))
    return false;
  if (t->bound.buffer[k]) {
    if (t->bound.buffer[k] != b)
      return reject(t, "two buffers for one operand: ", b->name);
    for (int d = 0; d < lead; d++)
      if (!same_expr(t->bound.index[k][d], x[d]))
        return reject(t, "two places for one operand in buffer ", b->name);
  }
  t->bound.buffer[k] = b;
  t->bound.index[k] = x;
  return true;
}

static bool commutes(int op)
{
  return op == TIR_ADD || op == TIR_MUL || op == TIR_MIN || op == TIR_MAX;
}

static bool unify(struct matcher *t, tir_e p, tir_e x)
{
  if (p->op == TIR_VAR) {
    for (int a = 0; a < t->pattern->axes; a++)
      if (t->pattern->axis[a].var == p->var)
        return bind_axis(t, a, x);
    return false;
  }
  if (p->op != x->op || p->dtype != x->dtype)
    return reject(t, "the computation differs: the intrinsic has ", tir_op_text(p->op));
  if (p->op == TIR_INT)
    return p->i == x->i || reject(t, "a constant differs", "");
  if (p->op == TIR_FLOAT)
    return p->f == x->f || reject(t, "a constant differs", "");
  if (p->op == TIR_LOAD)
    return unify_buffer(t, p->buffer, p->arg, x->buffer, x->arg);
  if (p->args != x->args)
    return false;
  struct binding before = t->bound;
  bool ok = true;
  for (int k = 0; k < p->args && ok; k++)
    ok = unify(t, p->arg[k], x->arg[k]);
  if (!ok && commutes(p->op)) {
    t->bound = before;
    ok = unify(t, p->arg[0], x->arg[1]) && unify(t, p->arg[1], x->arg[0]);
  }
  return ok;
}

/* The variables of the pattern's output are its spatial axes, in order. */
static bool unify_output(struct matcher *t)
{
  tir_e axes[TSR_MAX_RANK];
  const struct tir_buffer *out = t->pattern->out;
  for (int k = 0; k < out->rank; k++)
    axes[k] = tir_axis_use(t->arena, t->pattern, k);
  return unify_buffer(t, out, axes, t->m->out, t->m->index);
}

static bool every_loop_bound(struct matcher *t)
{
  for (int k = 0; k < t->m->loops; k++) {
    bool found = t->m->extent[k]->op == TIR_INT && t->m->extent[k]->i == 1;
    for (int a = 0; a < t->pattern->axes; a++)
      found |= t->bound.axis[a] == t->m->var[k];
    if (!found)
      return reject(t, "the intrinsic has no axis for loop ", t->m->var[k]->name);
  }
  return true;
}

static bool matches(struct matcher *t)
{
  if (t->pattern->combine != t->m->combine)
    return reject(t, "the way of combining results differs", "");
  return unify_output(t) && unify(t, t->pattern->value, t->m->value) && every_loop_bound(t);
}

static const struct tir_intrin *find(const struct tsr_intrin_set *set, const char *name)
{
  for (int k = 0; k < set->count; k++)
    if (!strcmp(set->intrin[k]->name, name))
      return set->intrin[k];
  return NULL;
}

static enum tsr_status refuse_name(struct tsr_arena *a, struct tsr_err *err,
                                   const struct tsr_intrin_set *set, const char *name)
{
  const char **names = TSR_NEW_ARRAY(a, const char *, set->count + 1);
  for (int k = 0; k < set->count; k++)
    names[k] = set->intrin[k]->name;
  const char *near = tsr_nearest(name, names, set->count);
  return tsr_refuse(err, "no intrinsic is named '%s'%s%s%s", name, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
}

enum tsr_status tsr_tensorize_match(struct tsr_arena *a, struct tsr_err *err, const void *context,
                                    const char *name, struct tir_match *m)
{
  const struct tir_intrin *intrin = find(context, name);
  if (!intrin)
    return refuse_name(a, err, context, name);
  struct matcher t = {.arena = a, .m = m, .func = intrin->func, .pattern = intrin->func->stage[0]};
  if (!matches(&t))
    return tsr_refuse(err, "%s does not match: %s", name, t.reason);
  m->intrin = intrin;
  m->operands = intrin->func->params;
  for (int k = 0; k < m->operands; k++) {
    const struct tir_buffer *b = t.bound.buffer[k];
    const struct tir_buffer *operand = k ? intrin->func->param[k - 1] : t.pattern->out;
    m->buffer[k] = b;
    for (int d = 0; d < b->rank; d++)
      m->base[k][d] = d < b->rank - operand->rank ? t.bound.index[k][d] : tir_index(a, 0);
  }
  return TSR_OK;
}
