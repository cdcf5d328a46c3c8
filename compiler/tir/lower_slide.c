/* SPDX-License-Identifier: Apache-2.0 */
/* Stages that slide: of the region that an iteration reads, a stage computes what the iteration before did
 * not read. The rest is moved to the buffer's beginning by a stage of its own, which comes before. */
#include "compiler/tir/lower.h"

enum { MOST_ITERATIONS = 4096 };

static const struct tir__loop *loop_of(const struct tir__place *p)
{
  return &p->in->s->loop[p->in->s->leaf[p->in_position]];
}

/* x in iteration i of the loop in which p is computed, or with `i` for its variable. */
static tir_e in_iteration(struct tir__lowering *l, const struct tir__place *p, tir_e x, tir_e i)
{
  const struct tir_var *var = loop_of(p)->var;
  struct tir__rewriter w = {.ranges = &l->ranges, .vars = 1, .var = &var, .with = &i};
  return tir__rewrite(&w, x);
}

static tir_e at(struct tir__lowering *l, const struct tir__place *p, tir_e x, int64_t i)
{
  return in_iteration(l, p, x, tir_index(l->arena, i));
}

/* How many iterations the loop has; 0: it varies, or they are too many. */
static int64_t iterations(const struct tir__place *p)
{
  tir_e n = p->in->extent[p->in->s->leaf[p->in_position]];
  return n->op == TIR_INT && n->i <= MOST_ITERATIONS ? n->i : 0;
}

static bool uses(tir_e x, const struct tir_var *var)
{
  bool found = x->op == TIR_VAR && x->var == var;
  for (int k = 0; k < x->args && !found; k++)
    found = uses(x->arg[k], var);
  return found;
}

/* The first iteration reads more than the others compute: each is looked at. */
int64_t tir__largest(struct tir__lowering *l, tir_e size, int64_t otherwise)
{
  int64_t largest = tir__bound_int(&l->ranges, size, true, otherwise), found = 0;
  const struct tir__place *along = l->slides;
  if (!along || !uses(size, loop_of(along)->var))
    return largest;
  for (int64_t i = 0; i < iterations(along); i++) {
    int64_t n = tir__bound_int(&l->ranges, at(l, along, size, i), true, otherwise);
    found = n > found ? n : found;
  }
  return found < largest ? found : largest;
}

/* The dimension along which the region moves on with the loop; -1: there is none, or more than one. */
static int moving_dim(const struct tir__place *p)
{
  int found = -1, count = 0;
  for (int d = 0; d < p->s->rank; d++)
    if (uses(p->min[d], loop_of(p)->var) || uses(p->size[d], loop_of(p)->var)) {
      found = d;
      count++;
    }
  return count == 1 ? found : -1;
}

/* What iteration i reads along dimension d of what the one before has read, at its end; -1: it is not known. */
static int64_t kept_in(struct tir__lowering *l, const struct tir__place *p, int d, int64_t i)
{
  tir_e before = at(l, p, p->min[d], i - 1), size = at(l, p, p->size[d], i - 1);
  tir_e min = at(l, p, p->min[d], i), now = at(l, p, p->size[d], i);
  if (before->op != TIR_INT || size->op != TIR_INT || min->op != TIR_INT || now->op != TIR_INT)
    return -1;
  int64_t kept = before->i + size->i - min->i;
  return min->i < before->i || kept > now->i ? -1 : kept;
}

static enum tsr_status refuse(struct tir__lowering *l, const struct tir__place *p, const char *why)
{
  return tsr_refuse(l->err, "stage %s can't slide along loop %s of stage %s: %s", p->s->name,
                    loop_of(p)->name, p->in->s->name, why);
}

enum tsr_status tir__slide(struct tir__lowering *l, struct tir__place *p)
{
  if (!p->in)
    return tsr_refuse(l->err, "stage %s can't slide: it is computed in no loop; compute_at first",
                      p->s->name);
  enum tir_loop_kind kind = loop_of(p)->kind;
  int64_t n = iterations(p), kept = -1;
  int d = moving_dim(p);
  if (kind == TIR_PARALLEL || kind == TIR_BOUND)
    return refuse(l, p, "its iterations don't follow one another");
  if (n < 2 || d < 0)
    return refuse(
        l, p, "the region that it reads doesn't move on by constant numbers along one dimension");
  for (int64_t i = 1; i < n; i++) {
    int64_t k = kept_in(l, p, d, i);
    if (k < 1 || (i > 1 && k != kept))
      return refuse(l, p,
                    "its iterations don't all read the same part of what the one before has read");
    kept = k;
  }
  struct tir__ranges *r = &l->ranges;
  tir_e later = tir__min(r, tir_use(l->arena, loop_of(p)->var), tir_index(l->arena, 1));
  p->slides = d;
  p->read = p->size[d];
  p->kept = tir__sum(r, tir_index(l->arena, 0), later, kept);
  p->most_kept = kept;
  p->size[d] = tir__sum(r, p->size[d], p->kept, -1);
  l->slides = p;
  return TSR_OK;
}

void tir__place_mover(struct tir__lowering *l, struct tir__place *p, const struct tir__place *of)
{
  struct tir__ranges *r = &l->ranges;
  int d = of->slides;
  for (int k = 0; k < p->s->rank; k++) {
    p->min[k] = of->min[k];
    p->size[k] = k == d ? of->kept : of->size[k];
  }
  tir_e before = tir__sum(r, tir_use(l->arena, loop_of(p)->var), tir_index(l->arena, 1), -1);
  tir_e end = tir__sum(r, p->min[d], in_iteration(l, p, of->read, before), 1);
  p->min[d] = tir__sum(r, end, tir_index(l->arena, of->most_kept), -1);
  p->buffer = of->buffer;
}
