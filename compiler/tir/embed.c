/* SPDX-License-Identifier: Apache-2.0 */
/* A func some of whose parameters lie inside of larger buffers, with a constant around them. */
#include <assert.h>

#include "compiler/tir/region.h"

struct embedding {
  struct tsr_arena *arena;
  struct tir_func *func;
  struct tir__map buffer;    /* of the old func, to the one in func */
  struct tir__map border;    /* of inputs in func */
  struct tir__ranges ranges; /* of the stage at hand */
};

static struct tir_buffer sized(const struct tir_buffer *b, const struct tir_border *border)
{
  struct tir_buffer larger = *b;
  for (int d = 0; d < b->rank && border; d++)
    larger.dims[d] += border->before[d] + border->after[d];
  larger.scope = border ? border->scope : b->scope;
  return larger;
}

static void add_input(struct embedding *e, const struct tir_buffer *b,
                      const struct tir_border *border)
{
  struct tir_buffer like = sized(b, border);
  struct tir_buffer *x = tir_func_input(e->arena, e->func, b->name, b->dtype, b->rank, like.dims);
  x->scope = like.scope;
  tir__map_put(e->arena, &e->buffer, b, x);
  if (border)
    tir__map_put(e->arena, &e->border, x, border);
}

/* --- stages ----------------------------------------------------------------------------------- */

/* What takes the place of a buffer: of one between stages, another one. */
static struct tir_buffer *buffer_of(void *context, const struct tir_buffer *b)
{
  struct embedding *e = context;
  struct tir_buffer *to = (struct tir_buffer *)(uintptr_t)tir__map_get(&e->buffer, b);
  if (to)
    return to;
  to = tir_func_temp(e->arena, e->func, b->name, b->dtype, b->rank, b->dims);
  to->scope = b->scope;
  tir__map_put(e->arena, &e->buffer, b, to);
  return to;
}

static tir_e moved(void *context, tir_e load)
{
  struct embedding *e = context;
  const struct tir_border *border = tir__map_get(&e->border, load->buffer);
  tir_e index[TSR_MAX_RANK];
  if (!border)
    return load;
  for (int d = 0; d < load->args; d++)
    index[d] = tir__sum(&e->ranges, load->arg[d], tir_index(e->arena, border->before[d]), 1);
  return tir_load(e->arena, load->buffer, index);
}

static bool is_inside(struct embedding *e, tir_e load)
{
  for (int d = 0; d < load->args; d++)
    if (tir__bound_int(&e->ranges, load->arg[d], false, -1) < 0 ||
        tir__bound_int(&e->ranges, load->arg[d], true, INT64_MAX) >= load->buffer->dims[d])
      return false;
  return true;
}

/* A stage that pads with what lies around the map needs no condition. */
static tir_e unpadded(struct embedding *e, tir_e value)
{
  if (value->op != TIR_SELECT || value->arg[1]->op != TIR_LOAD || value->arg[2]->op != TIR_INT)
    return value;
  tir_e load = value->arg[1];
  const struct tir_border *border = tir__map_get(&e->border, load->buffer);
  return border && border->value == value->arg[2]->i && is_inside(e, load) ? load : value;
}

static struct tir_stage *add_stage(struct embedding *e, const struct tir_stage *s)
{
  struct tir_stage *t = tir_func_adopt(e->arena, e->func, s->name, s, buffer_of, e);
  struct tir__rewriter w = {.ranges = &e->ranges, .load = moved, .context = e};
  e->ranges = (struct tir__ranges){.arena = e->arena};
  for (int k = 0; k < t->axes; k++)
    tir__ranges_add(&e->ranges, t->axis[k].var, tir_index(e->arena, t->axis[k].extent));
  t->value = unpadded(e, tir__rewrite(&w, t->value));
  return t;
}

/* --- the result ------------------------------------------------------------------------------- */

static tir_e both(struct tsr_arena *a, tir_e x, tir_e y)
{
  return x ? tir_binary(a, TIR_AND, x, y) : y;
}

/* Where the stage is inside of the map, and, in index, where there. NULL: everywhere. */
static tir_e place_in(struct tsr_arena *a, const struct tir_stage *s,
                      const struct tir_border *border, tir_e *index)
{
  tir_e inside = NULL;
  for (int d = 0; d < s->out->rank; d++) {
    int64_t end = s->out->dims[d] - border->before[d] - border->after[d];
    index[d] = tir_axis_use(a, s, d);
    if (border->before[d]) {
      index[d] = tir_binary(a, TIR_SUB, index[d], tir_index(a, border->before[d]));
      inside = both(a, inside, tir_binary(a, TIR_LE, tir_index(a, 0), index[d]));
    }
    if (border->after[d])
      inside = both(a, inside, tir_binary(a, TIR_LT, index[d], tir_index(a, end)));
  }
  return inside;
}

/* A stage of its own lays the result, which `from` computes, into the larger buffer. */
static void add_result(struct embedding *e, const struct tir_stage *from,
                       const struct tir_border *border, const char *name)
{
  struct tsr_arena *a = e->arena;
  struct tsr_text axes = {.arena = a};
  struct tir_buffer like = sized(from->out, border);
  tir_e index[TSR_MAX_RANK];
  for (int d = 0; d < like.rank; d++)
    tsr_text_add(&axes, "%s%s", d ? " " : "", tir_axis_name(from, d));
  struct tir_buffer *y = tir_func_output(a, e->func, name, like.dtype, like.rank, like.dims);
  y->scope = like.scope;
  struct tir_stage *s = tir_func_stage(a, e->func, name, y, axes.data ? axes.data : "", 0, NULL);
  tir_e inside = place_in(a, s, border, index);
  s->value = tir_load(a, from->out, index);
  if (inside)
    s->value = tir_select(a, inside, s->value, tir_int(a, y->dtype, border->value));
}

struct tir_func *tir_func_embed(struct tsr_arena *a, const struct tir_func *f,
                                const struct tir_border *const *border, const char *name)
{
  struct embedding e = {.arena = a, .func = tir_func_new(a, f->name)};
  const struct tir_buffer *y = f->param[f->inputs];
  const struct tir_border *around = border[f->inputs];
  const struct tir_stage *last = NULL;
  assert(f->params == f->inputs + 1);
  for (int k = 0; k < f->inputs; k++)
    add_input(&e, f->param[k], border[k]);
  if (!around)
    tir__map_put(a, &e.buffer, y, tir_func_output(a, e.func, y->name, y->dtype, y->rank, y->dims));
  for (int k = 0; k < f->stages; k++)
    last = add_stage(&e, f->stage[k]);
  assert(last && f->stage[f->stages - 1]->out == y);
  if (around)
    add_result(&e, last, around, name);
  return e.func;
}

/* An index of place_in where the stage's axes are at 0. */
static int64_t at_zero(tir_e index)
{
  switch (index->op) {
  case TIR_INT: return index->i;
  case TIR_ADD: return at_zero(index->arg[0]) + at_zero(index->arg[1]);
  case TIR_SUB: return at_zero(index->arg[0]) - at_zero(index->arg[1]);
  default: return 0;
  }
}

void tir_func_result(const struct tir_func *f, int64_t *before, int64_t *dims)
{
  const struct tir_stage *s = f->stages ? f->stage[f->stages - 1] : NULL;
  const struct tir_buffer *y = f->param[f->inputs];
  bool embedded = s && y->scope != TIR_GLOBAL && s->value->op == TIR_SELECT &&
                  s->value->arg[1]->op == TIR_LOAD && s->value->arg[1]->args == y->rank;
  for (int d = 0; d < y->rank; d++) {
    tir_e load = embedded ? s->value->arg[1] : NULL;
    before[d] = load ? -at_zero(load->arg[d]) : 0;
    dims[d] = load ? load->buffer->dims[d] : y->dims[d];
  }
}
