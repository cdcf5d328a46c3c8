/* SPDX-License-Identifier: Apache-2.0 */
/* Where each stage is computed: attach points checked, loops' extents and axes' values worked out.
 */
#include <string.h>

#include "compiler/tir/lower.h"

/* --- attach points ---------------------------------------------------------------------------- */

static void find_place(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  p->slides = -1;
  if (s->moves)
    s = l->state->stage[tir__stage_index(l->state, s->moves)];
  if (s->at == TIR__ROOT)
    return;
  p->in = &l->place[tir__stage_index(l->state, s->at)];
  p->in_position = tir__leaf_position(p->in->s, s->at_loop);
}

/* Whether what t computes happens inside of loop `position` of c. */
static bool is_inside(const struct tir__place *t, const struct tir__place *c, int position)
{
  for (; t; t = t->in) {
    if (t == c)
      return true;
    if (t->in == c)
      return t->in_position >= position;
  }
  return false;
}

static bool init_reads(const struct tir__sstage *s, const struct tir_buffer *b)
{
  for (int k = 0; k < s->init_loads; k++)
    if (s->load[k]->buffer == b)
      return true;
  return false;
}

static enum tsr_status check_place(struct tir__lowering *l, const struct tir__place *p)
{
  const struct tir__place *c = p->in;
  const char *name = p->s->name, *at = c->s->name, *loop = c->s->loop[p->s->at_loop].name;
  if (p->in_position >= c->tensor_at)
    return tsr_refuse(l->err,
                      "stage %s can't be computed at loop %s of stage %s, which is tensorized; "
                      "choose a loop outside of %s",
                      name, loop, at, c->s->loop[c->s->tensor_loop].name);
  if (init_reads(c->s, p->s->out) && c->init_at <= p->in_position)
    return tsr_refuse(l->err,
                      "stage %s can't be computed at loop %s of stage %s: the initial value of "
                      "%s reads it before that loop; choose a loop further out",
                      name, loop, at, at);
  for (const struct tir__place *t = p + 1; t < l->place + l->state->stages; t++)
    if (tir__stage_reads(t->s, p->s->out) && !is_inside(t, c, p->in_position))
      return tsr_refuse(
          l->err,
          "stage %s can't be computed at loop %s of stage %s: stage %s reads it "
          "outside of that loop; compute %s inside of it first, or choose a loop that "
          "holds both",
          name, loop, at, t->s->name, t->s->name);
  return TSR_OK;
}

/* --- loops ------------------------------------------------------------------------------------ */

struct loops {
  struct tir__lowering *l;
  struct tir__place *p;
};

static tir_e value_of(struct loops *w, int k);
static tir_e extent_of(struct loops *w, int k);

/* min(N, extent - outer * N) */
static tir_e inner_extent(struct loops *w, const struct tir__loop *loop)
{
  struct tir__ranges *r = &w->l->ranges;
  tir_e whole = extent_of(w, loop->of[0]), n = tir_index(r->arena, loop->factor);
  if (whole->op == TIR_INT && (whole->i <= n->i || whole->i % n->i == 0))
    return whole->i <= n->i ? whole : n;
  tir_e outer = value_of(w, w->p->s->loop[loop->of[0]].into[0]);
  return tir__min(r, n, tir__sum(r, whole, outer, -loop->factor));
}

/* Of loops that are constant: check_fused has seen to that. */
static tir_e fused_extent(struct loops *w, const struct tir__loop *loop)
{
  tir_e outer = extent_of(w, loop->of[0]), inner = extent_of(w, loop->of[1]);
  return tir_index(w->l->arena, outer->i * inner->i);
}

static tir_e source_extent(struct loops *w, int k)
{
  struct tir__ranges *r = &w->l->ranges;
  const struct tir__loop *loop = &w->p->s->loop[k];
  switch (loop->source) {
  case TIR__SPLIT_OUTER: {
    tir_e up = tir__sum(r, extent_of(w, loop->of[0]), tir_index(r->arena, loop->factor - 1), 1);
    return tir__simplify(r, tir_binary(r->arena, TIR_FDIV, up, tir_index(r->arena, loop->factor)));
  }
  case TIR__SPLIT_INNER: return inner_extent(w, loop);
  case TIR__FUSED: return fused_extent(w, loop);
  default: return k < w->p->s->rank ? w->p->size[k] : tir_index(r->arena, loop->extent);
  }
}

/* Those that are constant are known before (constant_extents), so that no loop asks for itself:
 * one that is not constant was not fused, and depends only on the outer parts of splits that it
 * is an inner part of. */
static tir_e extent_of(struct loops *w, int k)
{
  tir_e *memo = &w->p->extent[k];
  int position = tir__leaf_position(w->p->s, k);
  if (*memo)
    return *memo;
  *memo = source_extent(w, k);
  if (position >= 0)
    w->l->ranges.range[w->p->first_range + position].extent = *memo;
  return *memo;
}

/* The loop's own variable, where it iterates. */
static tir_e variable_of(struct loops *w, int k)
{
  struct tsr_arena *a = w->l->arena;
  return tir__is_int(extent_of(w, k), 1) ? tir_index(a, 0) : tir_use(a, w->p->s->loop[k].var);
}

static tir_e used_value(struct loops *w, int k)
{
  struct tir__ranges *r = &w->l->ranges;
  const struct tir__loop *loop = &w->p->s->loop[k];
  tir_e fused, inner;
  switch (loop->use) {
  case TIR__SPLIT:
    return tir__sum(r, value_of(w, loop->into[1]), value_of(w, loop->into[0]),
                    w->p->s->loop[loop->into[0]].factor);
  case TIR__FUSED_OUTER:
  case TIR__FUSED_INNER:
    fused = value_of(w, loop->into[0]);
    inner = extent_of(w, w->p->s->loop[loop->into[0]].of[1]);
    return tir__simplify(
        r, tir_binary(r->arena, loop->use == TIR__FUSED_OUTER ? TIR_FDIV : TIR_FMOD, fused, inner));
  default: return variable_of(w, k);
  }
}

static tir_e value_of(struct loops *w, int k)
{
  tir_e *memo = &w->p->value[k];
  if (!*memo)
    *memo = used_value(w, k);
  return *memo;
}

static bool uses(tir_e x, const struct tir_var *var)
{
  bool found = x->op == TIR_VAR && x->var == var;
  for (int k = 0; k < x->args && !found; k++)
    found = uses(x->arg[k], var);
  return found;
}

/* The inner loop of a split that does not divide needs the outer one's variable. */
static enum tsr_status check_order(struct tir__lowering *l, const struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  for (int k = 0; k < s->leaves; k++)
    for (int i = k + 1; i < s->leaves; i++) {
      const struct tir__loop *outer = &s->loop[s->leaf[k]], *inner = &s->loop[s->leaf[i]];
      if (uses(p->extent[s->leaf[k]], inner->var))
        return tsr_refuse(
            l->err,
            "loop %s of stage %s has to stay inside of loop %s, on which its "
            "extent depends; split by a number that divides the extent, or reorder %s "
            "before %s",
            outer->name, s->name, inner->name, inner->name, outer->name);
    }
  return TSR_OK;
}

static enum tsr_status check_fused(struct loops *w, const struct tir__loop *fused)
{
  const struct tir__sstage *s = w->p->s;
  for (int i = 0; fused->source == TIR__FUSED && i < 2; i++)
    if (extent_of(w, fused->of[i])->op != TIR_INT)
      return tsr_refuse(
          w->l->err,
          "loops %s and %s of stage %s can't be fused, because the extent of %s "
          "is not constant; split by a number that divides it, or compute %s elsewhere",
          s->loop[fused->of[0]].name, s->loop[fused->of[1]].name, s->name,
          s->loop[fused->of[i]].name, s->name);
  return TSR_OK;
}

/* Finds the extents that are constant: each loop's as when it was made, while those made before it
 * were not yet split or fused, so by their own variables. */
static enum tsr_status constant_extents(struct loops *w)
{
  struct tir__place *p = w->p;
  for (int k = 0; k < p->s->loops; k++) {
    enum tsr_status status = check_fused(w, &p->s->loop[k]);
    if (status != TSR_OK)
      return status;
    p->extent[k] = source_extent(w, k);
    p->value[k] = variable_of(w, k);
    tir__ranges_add(&w->l->ranges, p->s->loop[k].var, p->extent[k]);
  }
  w->l->ranges.count = (size_t)p->first_range;
  for (int k = 0; k < p->s->loops; k++) {
    p->value[k] = NULL;
    if (p->extent[k]->op != TIR_INT)
      p->extent[k] = NULL;
  }
  return TSR_OK;
}

static enum tsr_status place_loops(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  struct loops w = {l, p};
  p->extent = TSR_NEW_ARRAY(l->arena, tir_e, s->loops + 1);
  p->value = TSR_NEW_ARRAY(l->arena, tir_e, s->loops + 1);
  p->first_range = (int)l->ranges.count;
  enum tsr_status status = constant_extents(&w);
  if (status != TSR_OK)
    return status;
  for (int k = 0; k < s->leaves; k++)
    tir__ranges_add(&l->ranges, s->loop[s->leaf[k]].var, p->extent[s->leaf[k]]);
  for (int k = 0; k < s->loops; k++) {
    extent_of(&w, k);
    value_of(&w, k);
  }
  return check_order(l, p);
}

/* --- what the rest needs ---------------------------------------------------------------------- */

/* A load of a stage's result reads the placed buffer, counted from its region's min. */
static tir_e placed_load(void *context, tir_e x)
{
  struct tir__lowering *l = context;
  int k = tir__stage_of(l->state, x->buffer);
  if (k < 0)
    return x;
  const struct tir__place *p = &l->place[k];
  tir_e index[TSR_MAX_RANK];
  for (int d = 0; d < x->args; d++)
    index[d] = tir__sum(&l->ranges, x->arg[d], p->min[d], -1);
  return tir_load(l->arena, p->buffer, index);
}

static void place_axes(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  p->axis_var = TSR_NEW_ARRAY(l->arena, const struct tir_var *, s->axes + 1);
  p->axis = TSR_NEW_ARRAY(l->arena, tir_e, s->axes + 1);
  for (int k = 0; k < s->axes; k++) {
    p->axis_var[k] = s->loop[k].var;
    p->axis[k] = p->value[k];
    if (k < s->rank) {
      p->local[k] = p->value[k];
      if (k == p->slides)
        p->local[k] = tir__sum(&l->ranges, p->value[k], p->kept, 1);
      p->axis[k] = tir__sum(&l->ranges, p->local[k], p->min[k], 1);
    }
  }
  p->rewriter = (struct tir__rewriter){.ranges = &l->ranges,
                                       .vars = s->axes,
                                       .var = p->axis_var,
                                       .with = p->axis,
                                       .load = placed_load,
                                       .context = l};
}

static void place_nests(struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  p->tensor_at = s->intrinsic ? tir__leaf_position(s, s->tensor_loop) : s->leaves;
  for (p->init_at = 0; p->init_at < p->tensor_at; p->init_at++)
    if (s->loop[s->leaf[p->init_at]].reduce && !tir__dropped(p, p->init_at))
      break;
}

/* The largest that the region gets. */
static void place_buffer(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir__sstage *s = p->s;
  if (s->output) {
    p->buffer = s->out;
    return;
  }
  struct tir_buffer *b = tsr_arena_copy(l->arena, s->out, sizeof *s->out);
  b->scope = s->scope;
  for (int d = 0; d < s->rank; d++) {
    int64_t size = tir__largest(l, p->size[d], s->dims[d]);
    int64_t least = s->dims[d] > 0; /* an empty tensor may have dims of 0 */
    b->dims[d] = size > s->dims[d] ? s->dims[d] : size < least ? least : size;
  }
  p->buffer = b;
}

static void whole_region(struct tir__lowering *l, struct tir__place *p)
{
  for (int d = 0; d < p->s->rank; d++) {
    p->min[d] = tir_index(l->arena, 0);
    p->size[d] = tir_index(l->arena, p->s->dims[d]);
  }
}

static enum tsr_status place_region(struct tir__lowering *l, struct tir__place *p)
{
  enum tsr_status status = TSR_OK;
  if (p->s->moves) {
    tir__place_mover(l, p, &l->place[tir__stage_index(l->state, p->s->moves)]);
    return TSR_OK;
  }
  if (p->in)
    status = check_place(l, p);
  if (status != TSR_OK)
    return status;
  if (p->in)
    tir__infer_region(l, p);
  else
    whole_region(l, p);
  place_buffer(l, p);
  return p->s->slides ? tir__slide(l, p) : TSR_OK;
}

static enum tsr_status place_stage(struct tir__lowering *l, struct tir__place *p)
{
  find_place(l, p);
  enum tsr_status status = place_region(l, p);
  if (status != TSR_OK)
    return status;
  status = place_loops(l, p);
  if (status != TSR_OK)
    return status;
  place_axes(l, p);
  place_nests(p);
  return TSR_OK;
}

enum tsr_status tir__place_all(struct tir__lowering *l)
{
  for (int k = 0; k < l->state->stages; k++)
    l->place[k].s = l->state->stage[k];
  for (int k = l->state->stages - 1; k >= 0; k--) {
    enum tsr_status status = place_stage(l, &l->place[k]);
    if (status != TSR_OK)
      return status;
  }
  return TSR_OK;
}
