/* SPDX-License-Identifier: Apache-2.0 */
/* The matcher: unifies a stage's update with an intrinsic's.
 *
 * The pattern is the intrinsic's expression. A pattern variable is one of the intrinsic's axes and binds
 * to one loop variable; a pattern load of an operand binds the operand to a buffer, whose leading indices
 * become the operand's base. Commutative operations are tried both ways. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compiler/tir/tir_internal.h"
#include "tensorize/tensorize.h"

enum { MAX_AXES = 8, MAX_OPERANDS = 8 };

struct binding {
  const struct tir_var *axis[MAX_AXES]; /* the loop variable, by axis of the intrinsic */
  const struct tir_buffer *buffer[MAX_OPERANDS];
  const tir_e *index[MAX_OPERANDS]; /* the load's indices */
  tir_e from[MAX_OPERANDS];         /* where the operand begins in the first of its dims */
};

struct matcher {
  struct tsr_arena *arena;
  const struct tir_match *m;
  const struct tir_stage *pattern;
  const struct tir_func *func;
  bool parts; /* as the set has it */
  struct binding bound;
  int steps, deepest; /* nodes of the pattern unified; where the reason was found */
  char reason[384]; /* of the deepest failure so far: of the order of operands that came furthest */
};

__attribute__((format(printf, 2, 3))) static bool reject(struct matcher *t, const char *format, ...)
{
  va_list args;
  if (t->steps <= t->deepest)
    return false;
  t->deepest = t->steps;
  va_start(args, format);
  vsnprintf(t->reason, sizeof t->reason, format, args);
  va_end(args);
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
    return reject(t, "an index is no single tensorized loop where the intrinsic has its axis %s",
                  axis->var->name);
  tir_e extent = t->m->extent[loop];
  assert(extent->op == TIR_INT);
  if (extent->i != axis->extent)
    return reject(t, "loop %s has %lld iterations; the intrinsic's axis %s has %lld", x->var->name,
                  (long long)extent->i, axis->var->name, (long long)axis->extent);
  if (t->bound.axis[a] && t->bound.axis[a] != x->var)
    return reject(t, "loops %s and %s both run along the intrinsic's axis %s",
                  t->bound.axis[a]->name, x->var->name, axis->var->name);
  for (int k = 0; k < t->pattern->axes; k++)
    if (k != a && t->bound.axis[k] == x->var)
      return reject(t, "loop %s runs along two axes of the intrinsic, %s and %s", x->var->name,
                    t->pattern->axis[k].var->name, axis->var->name);
  t->bound.axis[a] = x->var;
  return true;
}

static bool unify(struct matcher *t, tir_e p, tir_e x);

/* x as a loop inside and what stands still: false where there is no such loop. */
static bool take_apart(struct matcher *t, tir_e x, tir_e *inner, tir_e *from)
{
  struct tir__linear l;
  *inner = NULL;
  if (!tir__linear(x, &l))
    return false;
  tir_e rest = tir_index(t->arena, l.constant);
  for (int k = 0; k < l.n; k++) {
    bool moves = uses_inner(t->m, l.atom[k]);
    if (moves && (*inner || l.atom[k]->op != TIR_VAR || l.coefficient[k] != 1))
      return false;
    tir_e term = tir_binary(t->arena, TIR_MUL, l.atom[k], tir_index(t->arena, l.coefficient[k]));
    if (moves)
      *inner = l.atom[k];
    else
      rest = tir_binary(t->arena, TIR_ADD, rest, term);
  }
  *from = rest;
  return *inner != NULL;
}

/* The first of an operand's dims, along which it may begin anywhere. */
static bool unify_first(struct matcher *t, int operand, tir_e p, tir_e x)
{
  tir_e inner, from = tir_index(t->arena, 0);
  if (!t->parts || p->op != TIR_VAR || !take_apart(t, x, &inner, &from))
    inner = x;
  t->bound.from[operand] = from;
  return unify(t, p, inner);
}

static bool unify_trailing(struct matcher *t, int operand, int rank, const tir_e *p,
                           const struct tir_buffer *b, const tir_e *x)
{
  int lead = b->rank - rank;
  for (int k = 0; k < lead; k++)
    if (uses_inner(t->m, x[k]))
      return reject(t,
                    "a tensorized loop runs over dim %d of buffer %s; only its last %d are the "
                    "intrinsic's",
                    k, b->name, rank);
  t->bound.from[operand] = tir_index(t->arena, 0);
  for (int k = 0; k < rank; k++)
    if (!(k ? unify(t, p[k], x[lead + k]) : unify_first(t, operand, p[k], x[lead])))
      return false;
  return true;
}

/* Whether buffer b can be the operand at all. */
static bool suits(struct matcher *t, const struct tir_buffer *operand, const struct tir_buffer *b)
{
  char found[192], wanted[192];
  int lead = b->rank - operand->rank;
  if (b->dtype != operand->dtype)
    return reject(t, "buffer %s is of %s; the intrinsic wants %s", b->name,
                  tsr_dtype_name(b->dtype), tsr_dtype_name(operand->dtype));
  if (b->scope != operand->scope)
    return reject(t, "buffer %s is in scope %s; the intrinsic wants %s", b->name,
                  tir_scope_name(b->scope), tir_scope_name(operand->scope));
  if (lead < 0)
    return reject(t, "buffer %s has %d dims; the intrinsic wants at least %d", b->name, b->rank,
                  operand->rank);
  for (int d = 0; d < operand->rank; d++)
    if (d == 0 && t->parts ? b->dims[lead] < operand->dims[0]
                           : b->dims[lead + d] != operand->dims[d])
      return reject(t, "the last dims of buffer %s are %s; the intrinsic wants %s", b->name,
                    tsr_dims_text(b->dims + lead, operand->rank, found),
                    tsr_dims_text(operand->dims, operand->rank, wanted));
  return true;
}

static bool unify_buffer(struct matcher *t, const struct tir_buffer *operand, const tir_e *p,
                         const struct tir_buffer *b, const tir_e *x)
{
  int k = operand_of(t->func, operand);
  tir_e from = t->bound.from[k];
  if (!suits(t, operand, b) || !unify_trailing(t, k, operand->rank, p, b, x))
    return false;
  if (t->bound.buffer[k]) {
    if (t->bound.buffer[k] != b)
      return reject(t, "operand %s of the intrinsic would be two buffers, %s and %s", operand->name,
                    t->bound.buffer[k]->name, b->name);
    bool same = tir_same(from, t->bound.from[k]);
    for (int d = 0; d < b->rank - operand->rank; d++)
      same &= tir_same(t->bound.index[k][d], x[d]);
    if (!same)
      return reject(t, "operand %s of the intrinsic would be two places of buffer %s", operand->name,
                    b->name);
  }
  t->bound.buffer[k] = b;
  t->bound.index[k] = x;
  return true;
}

static bool commutes(int op)
{
  return op == TIR_ADD || op == TIR_MUL || op == TIR_MIN || op == TIR_MAX;
}

static bool unify_var(struct matcher *t, tir_e p, tir_e x)
{
  for (int a = 0; a < t->pattern->axes; a++)
    if (t->pattern->axis[a].var == p->var)
      return bind_axis(t, a, x);
  assert(!"an axis of the intrinsic");
  return false;
}

static const char *what_is(tir_e x)
{
  switch (x->op) {
  case TIR_INT:
  case TIR_FLOAT: return "a constant";
  case TIR_VAR: return "a loop variable";
  case TIR_LOAD: return "an element of a buffer";
  case TIR_CAST: return "a cast";
  default: return tir_op_text(x->op);
  }
}

static bool same_op(struct matcher *t, tir_e p, tir_e x)
{
  if (p->op != x->op)
    return reject(t, "the stage has %s where the intrinsic has %s", what_is(x), what_is(p));
  if (p->dtype != x->dtype && p->op != TIR_LOAD)
    return reject(t, "the stage has %s in %s where the intrinsic has it in %s", what_is(x),
                  tsr_dtype_name(x->dtype), tsr_dtype_name(p->dtype));
  if (p->op == TIR_INT && p->i != x->i)
    return reject(t, "the stage has %lld where the intrinsic has %lld", (long long)x->i,
                  (long long)p->i);
  if (p->op == TIR_FLOAT && p->f != x->f)
    return reject(t, "the stage has %g where the intrinsic has %g", x->f, p->f);
  return true;
}

static bool unify(struct matcher *t, tir_e p, tir_e x)
{
  t->steps++;
  if (p->op == TIR_VAR)
    return unify_var(t, p, x);
  if (!same_op(t, p, x))
    return false;
  if (p->op == TIR_LOAD)
    return unify_buffer(t, p->buffer, p->arg, x->buffer, x->arg);
  assert(p->args == x->args);
  struct binding before = t->bound;
  int steps = t->steps;
  bool ok = true;
  for (int k = 0; k < p->args && ok; k++)
    ok = unify(t, p->arg[k], x->arg[k]);
  if (!ok && commutes(p->op)) {
    t->bound = before;
    t->steps = steps;
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
      return reject(t, "the intrinsic has no axis for loop %s", t->m->var[k]->name);
  }
  return true;
}

static bool matches(struct matcher *t)
{
  static const char *const how[] = {"assigns", "sums", "multiplies", "takes the maximum",
                                    "takes the minimum"};
  if (t->pattern->combine != t->m->combine)
    return reject(t, "the stage %s; the intrinsic %s", how[t->m->combine],
                  how[t->pattern->combine]);
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
  const struct tsr_intrin_set *set = context;
  const struct tir_intrin *intrin = find(set, name);
  if (!intrin)
    return refuse_name(a, err, set, name);
  struct matcher t = {.arena = a,
                      .m = m,
                      .func = intrin->func,
                      .pattern = intrin->func->stage[0],
                      .parts = set->parts,
                      .deepest = -1};
  if (!matches(&t))
    return tsr_refuse(err, "%s does not match: %s", name, t.reason);
  m->intrin = intrin;
  m->operands = intrin->func->params;
  for (int k = 0; k < m->operands; k++) {
    const struct tir_buffer *b = t.bound.buffer[k];
    const struct tir_buffer *operand = k ? intrin->func->param[k - 1] : t.pattern->out;
    m->buffer[k] = b;
    int lead = b->rank - operand->rank;
    for (int d = 0; d < b->rank; d++)
      m->base[k][d] = d < lead    ? t.bound.index[k][d]
                      : d == lead ? t.bound.from[k]
                                  : tir_index(a, 0);
  }
  return TSR_OK;
}
