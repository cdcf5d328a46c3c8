/* SPDX-License-Identifier: Apache-2.0 */
/* tir_lower: from a schedule to loops. */
#include "compiler/tir/lower.h"

bool tir__dropped(const struct tir__place *p, int position)
{
  return tir__is_int(p->extent[p->s->leaf[position]], 1);
}

static enum tsr_status analyze(struct tir__lowering *l)
{
  l->ranges.arena = l->arena;
  l->place = TSR_NEW_ARRAY(l->arena, struct tir__place, l->state->stages + 1);
  enum tsr_status status = tir__place_all(l);
  if (status == TSR_OK)
    status = tir__check_bound(l);
  return status == TSR_OK ? tir__match_all(l) : status;
}

enum tsr_status tir__check(struct tsr_arena *a, struct tsr_err *err, const struct tir_sched *s,
                           const struct tir__state *st)
{
  struct tir__lowering l = {.arena = a, .err = err, .sched = s, .state = st};
  return analyze(&l);
}

enum tsr_status tir_lower(struct tsr_arena *a, struct tsr_err *err, const struct tir_sched *s,
                          struct tir_program **out)
{
  struct tir__lowering l = {.arena = a, .err = err, .sched = s, .state = s->state};
  enum tsr_status status = analyze(&l);
  if (status != TSR_OK)
    return status;
  struct tir_program *p = TSR_NEW(a, struct tir_program);
  p->name = s->func->name;
  p->params = s->func->params;
  p->inputs = s->func->inputs;
  p->param = s->func->param;
  p->body = tir__place_barriers(a, tir__pipeline(a, tir__emit(&l)));
  *out = p;
  return TSR_OK;
}
