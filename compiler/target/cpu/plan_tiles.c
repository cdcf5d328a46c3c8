/* SPDX-License-Identifier: Apache-2.0 */
/* A convolution by tiles (compiler/graph/compute_winograd.c): band by band of the result's rows, so that what
 * passes between its stages stays in a cache of one core. In each band all tiles are transformed, multiplied
 * and transformed back. All weights are read for each band: there are fewer where they are many. */
#include "compiler/target/cpu/plan.h"

enum {
  RANK = 7,                /* of the sums: a b n ob h w o */
  SHARED_BYTES = 256 << 10 /* of points and sums, from which on threads share the work */
};
#define BANDS_A_READ                                                                               \
  2.5 /* bytes of points and sums that weigh as much as one of weights, read again */

struct tiles {
  struct cpu__planner *p;
  const struct tir_stage *data, *points, *sums, *lines, *last;
  const struct tir_buffer *weights;
  int64_t tile, rows; /* rows of results of a tile; tiles of a column in a band */
};

static int64_t bytes_of(const struct tir_buffer *b)
{
  return tsr_count(b->dims, b->rank, 1) * (int64_t)tsr_dtype_bytes(b->dtype);
}

/* The stage that computes a factor of the sums, only for them; of the other factor, which is an input, the
 * buffer. */
static bool find_factors(struct tiles *t)
{
  const struct tir_stage *s = t->sums;
  if (s->value->op != TIR_MUL)
    return false;
  for (int k = 0; k < 2; k++) {
    tir_e x = s->value->arg[k];
    const struct tir_stage *from = x->op == TIR_LOAD ? cpu__producer(t->p, x->buffer) : NULL;
    if (from)
      t->points = from;
    else if (x->op == TIR_LOAD)
      t->weights = x->buffer;
  }
  return t->points && t->weights && cpu__only_reader(t->p, t->points) == s;
}

/* The stage that `reader` alone reads, element by element of some others. */
static const struct tir_stage *made_for(const struct cpu__planner *p,
                                        const struct tir_stage *reader)
{
  const struct tir_func *f = p->func;
  for (int i = 0; i < f->stages; i++)
    if (!p->inlined[i] && f->stage[i]->combine == TIR_ASSIGN &&
        cpu__only_reader(p, f->stage[i]) == reader)
      return f->stage[i];
  return NULL;
}

static bool find(struct tiles *t)
{
  const struct tir_func *f = t->p->func;
  for (int i = 0; i < f->stages; i++)
    if (f->stage[i]->combine == TIR_SUM && f->stage[i]->out->rank == RANK)
      t->sums = f->stage[i];
  if (!t->sums || !find_factors(t))
    return false;
  t->last = f->stage[f->stages - 1];
  t->data = made_for(t->p, t->points);
  t->lines = cpu__only_reader(t->p, t->sums);
  return t->data && t->lines && cpu__only_reader(t->p, t->lines) == t->last &&
         t->lines->out->rank == RANK - 1 && t->last->out->rank == RANK - 2;
}

static int64_t passed_bytes(const struct tiles *t)
{
  return bytes_of(t->points->out) + bytes_of(t->sums->out);
}

static void choose_band(struct tiles *t)
{
  int64_t all = t->sums->axis[4].extent;
  double passed = (double)passed_bytes(t);
  int64_t bands = (int64_t)(passed * BANDS_A_READ / (double)bytes_of(t->weights) + 0.5);
  t->tile = t->sums->axis[0].extent - 2;
  t->rows = bands > 1 ? (all + bands - 1) / bands : all;
}

static const char *name(const struct tir_stage *s, int axis)
{
  return cpu__axis_name(s, axis);
}

/* The result, and its rows before the columns are transformed. */
static enum tsr_status plan_results(struct tiles *t, const char **band)
{
  struct tir_sched *sched = t->p->sched;
  struct tsr_err *err = t->p->err;
  struct tsr_arena *a = t->p->e.arena;
  const struct tir_stage *y = t->last, *l = t->lines;
  const char *h = name(y, 2), *w = name(y, 3), *lh = name(l, 2), *row = lh, *outer = "";
  *band = tsr_arena_printf(a, "%s.bo", h);
  if (tir_sched_do(sched, err, "split %s %s %lld %s %s.bi", y->name, h,
                   (long long)(t->rows * t->tile), *band, h) ||
      tir_sched_do(sched, err, "split %s %s %lld %s.to %s.ti", y->name, w, (long long)t->tile, w,
                   w) ||
      tir_sched_do(sched, err, "reorder %s %s %s %s %s.bi %s.to %s.ti %s", y->name, name(y, 0),
                   *band, name(y, 1), h, w, w, name(y, 4)))
    return TSR_REFUSED;
  if (t->rows > 1) {
    outer = tsr_arena_printf(a, "%s.to", lh);
    row = tsr_arena_printf(a, "%s.ti", lh);
    if (tir_sched_do(sched, err, "split %s %s %lld %s %s", l->name, lh, (long long)t->tile, outer,
                     row))
      return TSR_REFUSED;
  }
  if (tir_sched_do(sched, err, "reorder %s %s %s %s %s %s %s %s", l->name, name(l, 0), name(l, 1),
                   outer, name(l, 4), name(l, 3), row, name(l, 5)))
    return TSR_REFUSED;
  return tir_sched_do(sched, err, "compute_at %s %s %s", l->name, y->name, name(y, 1));
}

/* What the sums read: both transforms of a row of tiles while its elements are near. */
static enum tsr_status plan_factors(struct tiles *t, const char *band)
{
  struct tir_sched *sched = t->p->sched;
  struct tsr_err *err = t->p->err;
  const struct tir_stage *v = t->points, *d = t->data;
  if (tir_sched_do(sched, err, "compute_at %s %s %s", t->sums->name, t->last->name, band) ||
      tir_sched_do(sched, err, "compute_at %s %s %s", v->name, t->last->name, band) ||
      tir_sched_do(sched, err, "reorder %s %s %s %s %s %s %s %s", v->name, name(v, 2), name(v, 3),
                   name(v, 5), name(v, 0), name(v, 4), name(v, 1), name(v, 6)) ||
      tir_sched_do(sched, err, "compute_at %s %s %s", d->name, v->name, name(v, 5)))
    return TSR_REFUSED;
  return tir_sched_do(sched, err, "reorder %s %s %s %s %s %s %s", d->name, name(d, 1), name(d, 2),
                      name(d, 3), name(d, 4), name(d, 0), name(d, 5));
}

/* Threads share out bands; of one band what each stage makes, the sums as any others. */
static enum tsr_status share(struct tiles *t, const char *band)
{
  struct cpu__planner *p = t->p;
  p->banded = t->sums;
  p->shared = t->rows < t->sums->axis[4].extent;
  if (passed_bytes(t) < SHARED_BYTES)
    return TSR_OK;
  if (p->shared)
    return tir_sched_do(p->sched, p->err, "parallel %s %s", t->last->name, band);
  if (tir_sched_do(p->sched, p->err, "parallel %s %s", t->points->name, name(t->points, 3)))
    return TSR_REFUSED;
  return tir_sched_do(p->sched, p->err, "parallel %s %s", t->last->name, name(t->last, 1));
}

enum tsr_status cpu__plan_tiles(struct cpu__planner *p)
{
  struct tiles t = {.p = p};
  const char *band;
  if (!find(&t))
    return TSR_OK;
  choose_band(&t);
  if (plan_results(&t, &band) || plan_factors(&t, band))
    return TSR_REFUSED;
  cpu__settle(p, t.data);
  cpu__settle(p, t.points);
  cpu__settle(p, t.lines);
  cpu__settle(p, t.last);
  return share(&t, band);
}
