/* SPDX-License-Identifier: Apache-2.0 */
/* Primitives on whole stages: compute_at, inline, cache_read, cache_write, set_scope, pad, slide. */
#include <string.h>

#include "compiler/tir/region.h"
#include "compiler/tir/sched.h"

static enum tsr_status refuse_output(struct tir__edit *e, const struct tir__sstage *s,
                                     const char *what)
{
  return tsr_refuse(e->err, "can't %s stage %s: it computes the output %s of %s%s", e->word[0],
                    s->name, s->out->name, e->sched->func->name, what);
}

/* What a stage that slides keeps lies in its buffer as it computed it. */
static enum tsr_status check_still(struct tir__edit *e, const struct tir__sstage *s)
{
  if (!s->slides)
    return TSR_OK;
  return tsr_refuse(e->err, "can't %s stage %s: it slides; %s first, then slide", e->word[0],
                    s->name, e->word[0]);
}

static enum tsr_status check_read(struct tir__edit *e, const struct tir__sstage *s)
{
  for (int k = 0; k < e->state->stages; k++)
    if (tir__stage_reads(e->state->stage[k], s->out))
      return TSR_OK;
  return tsr_refuse(e->err, "can't %s stage %s: no stage reads it", e->word[0], s->name);
}

/* Whether its readers are all inside of the loop is seen when it is lowered. */
enum tsr_status tir__do_compute_at(struct tir__edit *e)
{
  struct tir__sstage *s, *c;
  int k;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_stage(e, 2, &c);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, c, 3, &k);
  if (status != TSR_OK)
    return status;
  if (s->output)
    return refuse_output(e, s, "; cache_write gives it a stage of its own for that");
  if (tir__stage_index(e->state, s->id) >= tir__stage_index(e->state, c->id))
    return tsr_refuse(e->err,
                      "stage %s can't be computed at a loop of stage %s, which is not computed "
                      "after it; name a stage that reads %s",
                      s->name, c->name, s->name);
  s->at = c->id;
  s->at_loop = k;
  return check_read(e, s);
}

/* --- replacing what is read ------------------------------------------------------------------- */

enum { MOST_PLACES = 8 };

struct replacement {
  struct tsr_arena *arena;
  const struct tir_buffer *buffer;   /* loads of it ... */
  const struct tir_buffer *by;       /* ... become loads of this, or */
  const struct tir__sstage *inlined; /* ... the value of this stage there */
  int places;                        /* where it was read before, and its value there, so that */
  tir_e load[MOST_PLACES], value[MOST_PLACES]; /* what is read twice is one expression */
};

static tir_e inlined_value(struct replacement *r, tir_e x)
{
  const struct tir_var *var[TSR_MAX_RANK];
  for (int k = 0; k < r->places; k++)
    if (tir_same(r->load[k], x))
      return r->value[k];
  for (int k = 0; k < r->inlined->rank; k++)
    var[k] = r->inlined->loop[k].var;
  tir_e value = tir_substitute(r->arena, r->inlined->value, r->inlined->rank, var, x->arg);
  if (r->places < MOST_PLACES) {
    r->load[r->places] = x;
    r->value[r->places++] = value;
  }
  return value;
}

static tir_e replace_load(void *context, tir_e x)
{
  struct replacement *r = context;
  if (x->buffer != r->buffer)
    return x;
  return r->by ? tir_load(r->arena, r->by, x->arg) : inlined_value(r, x);
}

/* The variables of s's axes, for simplification. */
static struct tir__ranges axis_ranges(struct tsr_arena *a, const struct tir__sstage *s)
{
  struct tir__ranges r = {.arena = a};
  for (int k = 0; k < s->axes; k++)
    tir__ranges_add(&r, s->loop[k].var, tir_index(a, s->loop[k].extent));
  return r;
}

static void replace_reads(struct tir__edit *e, struct tir__sstage *s, struct replacement r)
{
  r.arena = e->arena;
  struct tir__ranges ranges = axis_ranges(e->arena, s);
  struct tir__rewriter w = {.ranges = &ranges, .load = replace_load, .context = &r};
  tir_e init = s->init ? tir__rewrite(&w, s->init) : NULL;
  tir__set_values(e->arena, s, init, tir__rewrite(&w, s->value));
}

static enum tsr_status check_inline(struct tir__edit *e, const struct tir__sstage *s)
{
  const struct tir__state *st = e->state;
  if (s->output)
    return refuse_output(e, s, "");
  if (s->combine != TIR_ASSIGN)
    return tsr_refuse(e->err, "can't inline stage %s: it is a reduction; use compute_at", s->name);
  for (int k = 0; k < st->stages; k++)
    if (st->stage[k]->at == s->id)
      return tsr_refuse(e->err,
                        "can't inline stage %s: stage %s is computed at its loop %s; inline "
                        "first, then compute_at",
                        s->name, st->stage[k]->name, s->loop[st->stage[k]->at_loop].name);
  enum tsr_status status = check_still(e, s);
  return status ? status : check_read(e, s);
}

enum tsr_status tir__do_inline(struct tir__edit *e)
{
  struct tir__sstage *s;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = check_inline(e, s);
  if (status != TSR_OK)
    return status;
  struct tir__state *st = e->state;
  for (int k = 0; k < st->stages; k++)
    if (tir__stage_reads(st->stage[k], s->out))
      replace_reads(e, tir__edit_own(e, k), (struct replacement){.buffer = s->out, .inlined = s});
  int index = tir__stage_index(st, s->id);
  memmove(&st->stage[index], &st->stage[index + 1],
          (size_t)(--st->stages - index) * sizeof st->stage[0]);
  return TSR_OK;
}

/* --- caches ----------------------------------------------------------------------------------- */

/* A stage `name` that copies `from` to `to`, whose axes are named after `like`, or d0, d1, ... */
static struct tir__sstage *copy_stage(struct tir__edit *e, const char *name, const int64_t *dims,
                                      const struct tir_buffer *from, const struct tir_buffer *to,
                                      const struct tir__sstage *like)
{
  struct tsr_arena *a = e->arena;
  struct tir__sstage *s = TSR_NEW(a, struct tir__sstage);
  tir_e index[TSR_MAX_RANK];
  s->id = e->state->next_id++;
  s->name = name;
  s->out = to;
  s->rank = to->rank;
  s->scope = to->scope;
  s->combine = TIR_ASSIGN;
  for (int k = 0; k < s->rank; k++) {
    struct tir_var *var = TSR_NEW(a, struct tir_var);
    const char *axis = like ? like->loop[k].name : tsr_arena_printf(a, "d%d", k);
    var->name = tsr_arena_printf(a, "%s.%s", name, axis);
    s->dims[k] = dims[k];
    s->pad[k] = 1;
    tir__axis_loop(a, s, axis, var, dims[k]);
    index[k] = tir_use(a, var);
  }
  tir__set_values(a, s, NULL, tir_load(a, from, index));
  return s;
}

static struct tir_buffer *like_buffer(struct tir__edit *e, const struct tir_buffer *b,
                                      const char *name, enum tir_scope scope)
{
  struct tir_buffer *c = tsr_arena_copy(e->arena, b, sizeof *b);
  c->name = name;
  c->scope = scope;
  return c;
}

static enum tsr_status refuse_buffer(struct tir__edit *e, const struct tir__sstage *s,
                                     const char *given)
{
  const char **names = TSR_NEW_ARRAY(e->arena, const char *, s->loads + 1);
  for (int k = 0; k < s->loads; k++)
    names[k] = s->load[k]->buffer->name;
  const char *near = tsr_nearest(given, names, s->loads);
  return tsr_refuse(e->err, "stage %s reads no buffer named '%s'%s%s%s", s->name, given,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum tsr_status tir__do_cache_read(struct tir__edit *e)
{
  struct tir__sstage *s;
  enum tir_scope scope;
  const struct tir_buffer *b = NULL;
  enum tsr_status status = tir__edit_scope(e, 2, &scope);
  if (status == TSR_OK)
    status = tir__edit_stage(e, 3, &s);
  if (status == TSR_OK)
    status = tir__edit_new_name(e, 4);
  if (status != TSR_OK)
    return status;
  for (int k = 0; k < s->loads && !b; k++)
    if (!strcmp(s->load[k]->buffer->name, e->word[1]))
      b = s->load[k]->buffer;
  if (!b)
    return refuse_buffer(e, s, e->word[1]);
  int producer = tir__stage_of(e->state, b);
  const struct tir__sstage *like = producer < 0 ? NULL : e->state->stage[producer];
  struct tir_buffer *cache = like_buffer(e, b, e->word[4], scope);
  struct tir__sstage *copy = copy_stage(e, e->word[4], like ? like->dims : b->dims, b, cache, like);
  if (like) { /* inside of the loop that the copied buffer lives in */
    copy->at = like->at;
    copy->at_loop = like->at_loop;
  }
  replace_reads(e, s, (struct replacement){.buffer = b, .by = cache});
  tir__edit_insert(e, tir__stage_index(e->state, s->id), copy);
  return TSR_OK;
}

/* S's new buffer is named S.SCOPE; with more dots where that is taken. */
static const char *cache_name(struct tir__edit *e, const struct tir__sstage *s)
{
  const char *name = tsr_arena_printf(e->arena, "%s.%s", s->name, e->word[2]);
  const struct tir__state *st = e->state;
  const struct tir_func *f = e->sched->func;
  for (int k = 0; k < st->stages + f->params; k++) {
    const char *taken = k < st->stages ? st->stage[k]->out->name : f->param[k - st->stages]->name;
    if (!strcmp(taken, name)) {
      name = tsr_arena_printf(e->arena, "%s.", name);
      k = -1;
    }
  }
  return name;
}

enum tsr_status tir__do_cache_write(struct tir__edit *e)
{
  struct tir__sstage *s, *copy;
  enum tir_scope scope;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_scope(e, 2, &scope);
  if (status == TSR_OK)
    status = tir__edit_new_name(e, 3);
  if (status == TSR_OK)
    status = check_still(e, s);
  if (status != TSR_OK)
    return status;
  struct tir_buffer *cache = like_buffer(e, s->out, cache_name(e, s), scope);
  copy = copy_stage(e, e->word[3], s->dims, cache, s->out, s);
  copy->output = s->output;
  copy->scope = s->scope;
  copy->at = s->at; /* readers of the old buffer find the copy where s was */
  copy->at_loop = s->at_loop;
  s->out = cache;
  s->output = false;
  s->scope = scope;
  tir__edit_insert(e, tir__stage_index(e->state, s->id) + 1, copy);
  return TSR_OK;
}

enum tsr_status tir__do_set_scope(struct tir__edit *e)
{
  struct tir__sstage *s;
  enum tir_scope scope;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_scope(e, 2, &scope);
  if (status != TSR_OK)
    return status;
  if (s->output)
    return refuse_output(e, s, ", which is the caller's memory; use cache_write");
  s->scope = scope;
  return TSR_OK;
}

/* --- pad -------------------------------------------------------------------------------------- */

static tir_e zero_of(struct tsr_arena *a, enum tsr_dtype dtype)
{
  return tir__is_float(dtype) ? tir_float(a, dtype, 0) : tir_int(a, dtype, 0);
}

static enum tsr_status check_pad(struct tir__edit *e, const struct tir__sstage *s, int k)
{
  if (s->output)
    return refuse_output(e, s, ", whose dims are given; use cache_write, then pad");
  if (k >= s->rank)
    return tsr_refuse(e->err, "can't pad loop %s of stage %s: it is not a spatial axis but %s",
                      s->loop[k].name, s->name,
                      k < s->axes ? "a reduce axis" : "a part of one; pad before split and fuse");
  return check_still(e, s);
}

/* Behind the end the initial value and all that is combined with it are zero, so the result is. */
enum tsr_status tir__do_pad(struct tir__edit *e)
{
  struct tir__sstage *s;
  int k;
  int64_t n;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, s, 2, &k);
  if (status == TSR_OK)
    status = tir__edit_number(e, 3, 1, 1 << 20, &n);
  if (status == TSR_OK)
    status = check_pad(e, s, k);
  if (status != TSR_OK)
    return status;
  struct tsr_arena *a = e->arena;
  int64_t dim = s->dims[k], padded = (dim + n - 1) / n * n;
  tir_e inside = tir_binary(a, TIR_LT, tir_use(a, s->loop[k].var), tir_index(a, dim));
  tir_e zero = zero_of(a, s->value->dtype);
  s->pad[k] = n;
  if (padded == dim)
    return TSR_OK;
  tir__set_values(a, s, s->init ? tir_select(a, inside, s->init, zero) : NULL,
                  tir_select(a, inside, s->value, zero));
  s->dims[k] = s->loop[k].extent = padded;
  return TSR_OK;
}

/* --- slide ------------------------------------------------------------------------------------ */

static enum tsr_status check_slide(struct tir__edit *e, const struct tir__sstage *s)
{
  if (s->output)
    return refuse_output(e, s, "; cache_write gives it a stage of its own for that");
  if (s->combine != TIR_ASSIGN)
    return tsr_refuse(
        e->err, "can't slide stage %s: it is a reduction; slide a stage that reads it", s->name);
  for (int d = 0; d < s->rank; d++)
    if (s->pad[d] > 1)
      return tsr_refuse(e->err, "can't slide stage %s: it is padded", s->name);
  if (s->slides)
    return tsr_refuse(e->err, "can't slide stage %s: it slides already", s->name);
  return TSR_OK;
}

/* The new stage reads what the other has computed, and has its buffer when it is lowered. */
enum tsr_status tir__do_slide(struct tir__edit *e)
{
  struct tir__sstage *s;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_new_name(e, 2);
  if (status == TSR_OK)
    status = check_slide(e, s);
  if (status != TSR_OK)
    return status;
  const struct tir_buffer *none = like_buffer(e, s->out, e->word[2], s->scope);
  struct tir__sstage *mover = copy_stage(e, e->word[2], s->dims, s->out, none, s);
  mover->moves = s->id;
  s->slides = true;
  tir__edit_insert(e, tir__stage_index(e->state, s->id), mover);
  return TSR_OK;
}
