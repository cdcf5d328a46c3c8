/* SPDX-License-Identifier: Apache-2.0 */
/* Statements out of placed stages. */
#include <string.h>

#include "compiler/tir/lower.h"

static struct tir_stmt *stmt(struct tsr_arena *a, enum tir_stmt_kind kind)
{
  struct tir_stmt *s = TSR_NEW(a, struct tir_stmt);
  s->kind = kind;
  return s;
}

/* Statements in order; a block in a block is laid open. */
struct list {
  struct tsr_arena *arena;
  int count;
  size_t capacity;
  struct tir_stmt **stmt;
};

static void add(struct list *list, struct tir_stmt *s)
{
  if (s->kind == TIR_BLOCK) {
    for (int k = 0; k < s->block.count; k++)
      add(list, s->block.stmt[k]);
    return;
  }
  list->stmt = TSR_GROW(list->arena, list->stmt, list->count, &list->capacity);
  list->stmt[list->count++] = s;
}

static struct tir_stmt *block(const struct list *list)
{
  if (list->count == 1)
    return list->stmt[0];
  struct tir_stmt *s = stmt(list->arena, TIR_BLOCK);
  s->block.count = list->count;
  s->block.stmt = list->stmt;
  return s;
}

/* --- one stage -------------------------------------------------------------------------------- */

static struct tir_stmt *store(struct tir__lowering *l, const struct tir__place *p,
                              enum tir_combine combine, const tir_e *index, tir_e value)
{
  struct tir_stmt *s = stmt(l->arena, TIR_STORE);
  s->store.buffer = p->buffer;
  s->store.combine = combine;
  s->store.index = TSR_NEW_ARRAY(l->arena, tir_e, p->s->rank + 1);
  for (int d = 0; d < p->s->rank; d++)
    s->store.index[d] = index[d];
  s->store.value = value;
  return s;
}

static struct tir_stmt *update(struct tir__lowering *l, struct tir__place *p)
{
  tir_e value = tir__rewrite(&p->rewriter, p->s->value);
  return store(l, p, p->s->combine, p->local, p->guard ? value->arg[1] : value);
}

static struct tir_stmt *loop(struct tir__lowering *l, const struct tir__place *p, int position,
                             struct tir_stmt *body)
{
  const struct tir__loop *from = &p->s->loop[p->s->leaf[position]];
  if (tir__dropped(p, position))
    return body;
  struct tir_stmt *s = stmt(l->arena, TIR_FOR);
  s->f.var = from->var;
  s->f.extent = p->extent[p->s->leaf[position]];
  s->f.loop = from->kind;
  s->f.depth = from->depth;
  s->f.bind = from->bind;
  s->f.stage = p->s->name;
  s->f.body = body;
  return s;
}

/* The loops that an init nest has of its own: copies of the spatial ones from some leaf on. */
struct copies {
  int n, position[TIR__MAX_LOOPS];
  const struct tir_var *var[TIR__MAX_LOOPS], *old[TIR__MAX_LOOPS];
  tir_e extent[TIR__MAX_LOOPS], use[TIR__MAX_LOOPS];
};

static struct tir__rewriter to_copies(struct tir__lowering *l, const struct copies *c)
{
  return (struct tir__rewriter){.ranges = &l->ranges, .vars = c->n, .var = c->old, .with = c->use};
}

static void copy_loops(struct tir__lowering *l, const struct tir__place *p, int position,
                       struct copies *c)
{
  for (int k = position; k < p->s->leaves; k++) {
    const struct tir__loop *from = &p->s->loop[p->s->leaf[k]];
    if (from->reduce || tir__dropped(p, k))
      continue;
    struct tir__rewriter w = to_copies(l, c);
    struct tir_var *var = TSR_NEW(l->arena, struct tir_var);
    var->name = tsr_arena_printf(l->arena, "%s.init", from->var->name);
    c->extent[c->n] = tir__rewrite(&w, p->extent[p->s->leaf[k]]);
    tir__ranges_add(&l->ranges, var, c->extent[c->n]);
    c->position[c->n] = k;
    c->old[c->n] = from->var;
    c->var[c->n] = var;
    c->use[c->n++] = tir_use(l->arena, var);
  }
}

/* Stores the value everywhere that the loops from `position` on reach. */
static struct tir_stmt *fill_nest(struct tir__lowering *l, struct tir__place *p, int position,
                                  tir_e value)
{
  struct copies c = {0};
  copy_loops(l, p, position, &c);
  struct tir__rewriter w = to_copies(l, &c);
  tir_e index[TSR_MAX_RANK];
  for (int d = 0; d < p->s->rank; d++)
    index[d] = tir__rewrite(&w, p->local[d]);
  struct tir_stmt *s = store(l, p, TIR_ASSIGN, index, tir__rewrite(&w, value));
  for (int k = c.n - 1; k >= 0; k--) {
    const struct tir__loop *from = &p->s->loop[p->s->leaf[c.position[k]]];
    struct tir_stmt *f = stmt(l->arena, TIR_FOR);
    f->f.loop = from->kind == TIR_PIPELINE ? TIR_SERIAL : from->kind;
    f->f.bind = from->bind;
    f->f.var = c.var[k];
    f->f.extent = c.extent[k];
    f->f.stage = p->s->name;
    f->f.body = s;
    s = f;
  }
  return s;
}

static struct tir_stmt *init_nest(struct tir__lowering *l, struct tir__place *p, int position)
{
  return fill_nest(l, p, position, tir__rewrite(&p->rewriter, p->s->init));
}

/* All reduce loops around the call stand at 0. */
static tir_e is_first(struct tir__lowering *l, const struct tir__place *p)
{
  tir_e first = tir_int(l->arena, TSR_BOOL, 1), zero = tir_index(l->arena, 0);
  for (int k = 0; k < p->tensor_at; k++) {
    const struct tir__loop *at = &p->s->loop[p->s->leaf[k]];
    if (at->reduce && !tir__dropped(p, k))
      first = tir_binary(l->arena, TIR_AND, first,
                         tir_binary(l->arena, TIR_EQ, tir_use(l->arena, at->var), zero));
  }
  return first;
}

/* The loops that a call stands for. */
static struct tir_stmt *semantics(struct tir__lowering *l, struct tir__place *p, tir_e first)
{
  struct list list = {.arena = l->arena};
  struct tir_stmt *s = update(l, p);
  for (int k = p->s->leaves - 1; k >= p->tensor_at; k--)
    s = loop(l, p, k, s);
  if (first && first->op == TIR_INT) {
    add(&list, init_nest(l, p, p->tensor_at));
  } else if (first) {
    struct tir_stmt *when = stmt(l->arena, TIR_IF);
    when->when.condition = first;
    when->when.body = init_nest(l, p, p->tensor_at);
    add(&list, when);
  }
  add(&list, s);
  return block(&list);
}

static struct tir_stmt *call(struct tir__lowering *l, struct tir__place *p)
{
  const struct tir_match *m = &p->match;
  struct tir_stmt *s = stmt(l->arena, TIR_CALL);
  s->call.intrin = m->intrin;
  s->call.init = p->folds_init;
  s->call.first = p->folds_init ? is_first(l, p) : NULL;
  s->call.semantics = semantics(l, p, s->call.first);
  s->call.operands = m->operands;
  s->call.buffer = TSR_NEW_ARRAY(l->arena, const struct tir_buffer *, m->operands + 1);
  s->call.index = TSR_NEW_ARRAY(l->arena, tir_e *, m->operands + 1);
  for (int k = 0; k < m->operands; k++) {
    s->call.buffer[k] = m->buffer[k];
    s->call.index[k] = tsr_arena_copy(l->arena, m->base[k], sizeof m->base[k]);
  }
  if (!p->guard)
    return s;
  struct tir_stmt *when = stmt(l->arena, TIR_IF);
  when->when.condition = p->guard;
  when->when.body = s;
  return when;
}

/* --- nests ------------------------------------------------------------------------------------ */

static struct tir_stmt *nest(struct tir__lowering *l, struct tir__place *p, int position);

/* The scopes of the buffers of stages that are computed in this loop; of those that slide, whose buffers live for
 * all of its iterations, or of the others. */
static struct tir_stmt *with_buffers(struct tir__lowering *l, const struct tir__place *in,
                                     int position, bool slide, struct tir_stmt *s)
{
  for (int k = l->state->stages - 1; k >= 0; k--) {
    const struct tir__place *p = &l->place[k];
    if (p->s->output || p->s->moves || p->s->slides != slide || p->in != in ||
        (in && p->in_position != position))
      continue;
    struct tir_stmt *alloc = stmt(l->arena, TIR_ALLOC);
    alloc->alloc.buffer = p->buffer;
    alloc->alloc.body = s;
    s = alloc;
  }
  return s;
}

/* `body` with the stages that are computed before it in this loop (p NULL: at the root), in the
 * scopes of their buffers. */
static struct tir_stmt *with_attached(struct tir__lowering *l, const struct tir__place *in,
                                      int position, struct tir_stmt *body)
{
  struct list list = {.arena = l->arena};
  for (int k = 0; k < l->state->stages; k++) {
    struct tir__place *p = &l->place[k];
    if (p->in == in && (!in || p->in_position == position))
      add(&list, nest(l, p, 0));
  }
  if (body)
    add(&list, body);
  return with_buffers(l, in, position, false, block(&list));
}

static struct tir_stmt *inner_nest(struct tir__lowering *l, struct tir__place *p, int position)
{
  if (position == p->tensor_at && p->s->intrinsic)
    return call(l, p);
  if (position == p->s->leaves)
    return update(l, p);
  struct tir_stmt *body = with_attached(l, p, position, nest(l, p, position + 1));
  return with_buffers(l, p, position, true, loop(l, p, position, body));
}

static struct tir_stmt *nest(struct tir__lowering *l, struct tir__place *p, int position)
{
  struct tir_stmt *inner = inner_nest(l, p, position);
  bool starts = position == p->init_at && p->s->combine != TIR_ASSIGN && !p->folds_init;
  bool guards = position == 0 && p->guard;
  if (!starts && !guards)
    return inner;
  struct list list = {.arena = l->arena};
  add(&list, guards ? fill_nest(l, p, position, p->otherwise) : init_nest(l, p, position));
  add(&list, inner);
  return block(&list);
}

struct tir_stmt *tir__emit(struct tir__lowering *l)
{
  return with_attached(l, NULL, 0, NULL);
}
