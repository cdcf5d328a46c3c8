/* SPDX-License-Identifier: Apache-2.0 */
/* Tensorized stages: the innermost loops given to the matcher, and who starts the reduction. */
#include "compiler/tir/lower.h"

static enum tsr_status inner_loops(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  const struct tir_var **var = TSR_NEW_ARRAY(l->arena, const struct tir_var *, s->leaves + 1);
  tir_e *extent = TSR_NEW_ARRAY(l->arena, tir_e, s->leaves + 1);
  int n = 0;
  for (int k = p->tensor_at; k < s->leaves; k++) {
    const struct tir__loop *loop = &s->loop[s->leaf[k]];
    extent[n] = p->extent[s->leaf[k]];
    var[n] = loop->var;
    if (extent[n]->op != TIR_INT)
      return tsr_refuse(l->err,
                        "stage %s can't be tensorized at loop %s: the extent of loop %s is not "
                        "constant; split by a number that divides it, or pad the stage",
                        s->name, s->loop[s->tensor_loop].name, loop->name);
    n += !tir__dropped(p, k);
  }
  p->match = (struct tir_match){.loops = n, .var = var, .extent = extent};
  return TSR_OK;
}

/* The range of a value by its type, looking through a widening of a narrower one. */
static void type_range(tir_e x, int64_t *least, int64_t *greatest)
{
  if (x->op == TIR_CAST && tsr_dtype_kind(x->arg[0]->dtype) != TSR_KIND_FLOAT &&
      tsr_dtype_bytes(x->arg[0]->dtype) < tsr_dtype_bytes(x->dtype) &&
      tsr_dtype_kind(x->dtype) == TSR_KIND_INT)
    x = x->arg[0];
  int bits = 8 * (int)tsr_dtype_bytes(x->dtype);
  bool is_signed = tsr_dtype_kind(x->dtype) == TSR_KIND_INT;
  *least = is_signed ? -(INT64_C(1) << (bits - 1)) : 0;
  *greatest = is_signed || bits == 64 ? (int64_t)(UINT64_MAX >> 1 >> (64 - bits))
                                      : (INT64_C(1) << bits) - 1;
}

/* init combine value = value, whatever value is. */
static bool is_neutral(enum tir_combine combine, tir_e init, tir_e value)
{
  int64_t least, greatest;
  if (init->op != TIR_INT || tsr_dtype_kind(value->dtype) != TSR_KIND_INT)
    return false;
  type_range(value, &least, &greatest);
  return (combine == TIR_MAXIMUM && init->i <= least) ||
         (combine == TIR_MINIMUM && init->i >= greatest);
}

/* Whether starting with the intrinsic's initial value is starting with the stage's. */
static bool starts_alike(const struct tir__sstage *s, const struct tir_intrin *intrin)
{
  tir_e init = intrin->func->stage[0]->init;
  if (!init)
    return false;
  return tir_same(init, s->init) ||
         (is_neutral(s->combine, s->init, s->value) && is_neutral(s->combine, init, s->value));
}

/* An empty reduction is nothing but its initial value, and makes no call. */
static bool reduces_nothing(const struct tir__sstage *s)
{
  for (int k = s->rank; k < s->axes; k++)
    if (s->loop[k].extent == 0)
      return true;
  return false;
}

static enum tsr_status match_init(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  if (s->combine == TIR_ASSIGN)
    return TSR_OK;
  p->folds_init = starts_alike(s, p->match.intrin) && !reduces_nothing(s);
  if (p->match.intrin->accumulates)
    return TSR_OK;
  if (!p->folds_init)
    return tsr_refuse(l->err,
                      "stage %s can't be tensorized by %s, which starts its reduction with "
                      "another initial value",
                      s->name, s->intrinsic);
  for (int k = 0; k < p->tensor_at; k++)
    if (s->loop[s->leaf[k]].reduce && !tir__dropped(p, k))
      return tsr_refuse(l->err,
                        "stage %s can't be tensorized by %s, which does not accumulate: reduce "
                        "loop %s would be outside of it",
                        s->name, s->intrinsic, s->loop[s->leaf[k]].name);
  return TSR_OK;
}

static bool uses_inner(const struct tir_match *m, tir_e x)
{
  bool found = false;
  for (int k = 0; k < m->loops; k++)
    found |= x->op == TIR_VAR && x->var == m->var[k];
  for (int k = 0; k < x->args && !found; k++)
    found = uses_inner(m, x->arg[k]);
  return found;
}

/* The value that an intrinsic computes where a select of loops outside of it says so; elsewhere
 * it is a constant. */
static tir_e guarded(struct tir__place *p, tir_e value)
{
  if (p->s->combine != TIR_ASSIGN || value->op != TIR_SELECT || value->arg[2]->op != TIR_INT ||
      uses_inner(&p->match, value->arg[0]))
    return value;
  p->guard = value->arg[0];
  p->otherwise = value->arg[2];
  return value->arg[1];
}

static enum tsr_status match_stage(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  const struct tir_intrinsics *known = &l->sched->intrinsics;
  if (!known->match)
    return tsr_refuse(
        l->err, "stage %s can't be tensorized: this schedule's target has no intrinsics", s->name);
  enum tsr_status status = inner_loops(l, p);
  if (status != TSR_OK)
    return status;
  struct tir_match *m = &p->match;
  m->out = p->buffer;
  m->combine = s->combine;
  m->index = p->local;
  m->init = s->init ? tir__rewrite(&p->rewriter, s->init) : NULL;
  m->value = guarded(p, tir__rewrite(&p->rewriter, s->value));
  status = known->match(l->arena, l->err, known->context, s->intrinsic, m);
  if (status != TSR_OK)
    return tsr_refuse_at(l->err, "stage %s, tensorized at loop %s", s->name,
                         s->loop[s->tensor_loop].name);
  return match_init(l, p);
}

enum tsr_status tir__match_all(struct tir__lowering *l)
{
  for (int k = 0; k < l->state->stages; k++) {
    enum tsr_status status = TSR_OK;
    if (l->place[k].s->intrinsic)
      status = match_stage(l, &l->place[k]);
    if (status != TSR_OK)
      return status;
  }
  return TSR_OK;
}
