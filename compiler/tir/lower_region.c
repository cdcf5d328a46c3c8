/* SPDX-License-Identifier: Apache-2.0 */
/* Region inference: what one iteration of the attach loop reads of a stage's result, by dimension,
 * as a box whose least index and size depend on the enclosing loops. */
#include "compiler/tir/lower.h"

/* One dimension of what was found so far; NULL: nothing yet. */
struct span {
  tir_e least, greatest;
};

/* Loops that stand still while one iteration of loop `position` of stage c runs. */
static bool *enclosing(struct tir__lowering *l, const struct tir__place *c, int position)
{
  bool *keep = TSR_NEW_ARRAY(l->arena, bool, l->ranges.count + 1);
  for (; c; position = c->in_position, c = c->in)
    for (int k = 0; k <= position; k++)
      keep[c->first_range + k] = true;
  return keep;
}

static struct span whole(struct tir__lowering *l, int64_t dim)
{
  return (struct span){tir_index(l->arena, 0), tir_index(l->arena, dim - 1)};
}

/* Clipped to the buffer: what lies outside is guarded by a select, and never read. */
static struct span index_span(struct tir__lowering *l, struct tir__place *reader, tir_e index,
                              int64_t dim, const bool *keep)
{
  struct tir__ranges *r = &l->ranges;
  if (tir__has_load(index))
    return whole(l, dim);
  tir_e x = tir__rewrite(&reader->rewriter, index);
  struct span s = {tir__bound(r, x, false, keep), tir__bound(r, x, true, keep)};
  if (!s.least || !s.greatest)
    return whole(l, dim);
  if (tir__bound_int(r, s.least, false, -1) < 0)
    s.least = tir__max(r, s.least, tir_index(l->arena, 0));
  if (tir__bound_int(r, s.greatest, true, dim) >= dim)
    s.greatest = tir__min(r, s.greatest, tir_index(l->arena, dim - 1));
  return s;
}

static void join(struct tir__lowering *l, struct span *all, struct span s)
{
  all->least = all->least ? tir__min(&l->ranges, all->least, s.least) : s.least;
  all->greatest = all->greatest ? tir__max(&l->ranges, all->greatest, s.greatest) : s.greatest;
}

/* x rounded down to a multiple of n. */
static tir_e round_down(struct tir__ranges *r, tir_e x, int64_t n)
{
  tir_e q = tir__simplify(r, tir_binary(r->arena, TIR_FDIV, x, tir_index(r->arena, n)));
  return tir__sum(r, tir_index(r->arena, 0), q, n);
}

/* A padded stage is computed in whole multiples of its padding. */
static void set_region(struct tir__lowering *l, struct tir__place *p, int d, struct span s)
{
  struct tir__ranges *r = &l->ranges;
  int64_t pad = p->s->pad[d];
  p->min[d] = pad > 1 ? round_down(r, s.least, pad) : s.least;
  tir_e size = tir__sum(r, s.greatest, p->min[d], -1);
  size = tir__sum(r, size, tir_index(r->arena, pad), 1);
  p->size[d] = pad > 1 ? round_down(r, size, pad) : size;
  if (tir__bound_int(r, p->size[d], true, 1) < 0) /* read by loops that never run */
    p->size[d] = tir_index(l->arena, 0);
}

void tir__infer_region(struct tir__lowering *l, struct tir__place *p)
{
  const bool *keep = enclosing(l, p->in, p->in_position);
  struct span span[TSR_MAX_RANK] = {0};
  for (struct tir__place *t = p + 1; t < l->place + l->state->stages; t++)
    for (int k = 0; k < t->s->loads; k++) {
      tir_e load = t->s->load[k];
      for (int d = 0; load->buffer == p->s->out && d < p->s->rank; d++)
        join(l, &span[d], index_span(l, t, load->arg[d], p->s->dims[d], keep));
    }
  for (int d = 0; d < p->s->rank; d++)
    set_region(l, p, d, span[d].least ? span[d] : whole(l, p->s->dims[d]));
}
