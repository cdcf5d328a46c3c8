/* SPDX-License-Identifier: Apache-2.0 */
/* Loops whose copies to shared memory run ahead. Of
 *
 *   for k < E pipeline D { alloc s { s[...] = x(k); use of s } }
 *
 * the copies of the first D - 1 iterations are started before the loop, and iteration k starts those
 * of k + D - 1 while it uses its own; s has D copies:
 *
 *   alloc s {
 *     for p < D - 1 { s[p, ...] = x(p) async; commit }
 *     for k < E { wait D - 2; barrier; if k + D - 1 < E { s[(k + D - 1) mod D, ...] = x(k + D - 1) async }
 *                 commit; use of s[k mod D, ...] }
 *   }
 *
 * The barrier both shows a thread what the others copied and keeps them from copying over what it
 * still uses. */
#include <string.h>

#include "compiler/tir/lower.h"

enum { MOST_BUFFERS = 8 };

struct pipe {
  struct tsr_arena *arena;
  const struct tir_stmt *loop;
  int depth; /* copies of the buffers: no more than iterations */
  int buffers;
  const struct tir_buffer *old[MOST_BUFFERS];
  struct tir_buffer *new[MOST_BUFFERS];
  struct tir_stmt *body; /* of the innermost alloc */
};

/* One copy of a statement: for which iteration, and in which of the buffers' copies. */
struct copy {
  const struct pipe *pipe;
  tir_e iteration, slot;
  bool async;
  struct tir__ranges ranges;
};

static struct tir_stmt *new_stmt(const struct pipe *p, enum tir_stmt_kind kind)
{
  struct tir_stmt *s = TSR_NEW(p->arena, struct tir_stmt);
  s->kind = kind;
  return s;
}

static struct tir_stmt *new_block(const struct pipe *p, int count)
{
  struct tir_stmt *s = new_stmt(p, TIR_BLOCK);
  s->block.count = count;
  s->block.stmt = TSR_NEW_ARRAY(p->arena, struct tir_stmt *, count + 1);
  return s;
}

/* --- statements again ------------------------------------------------------------------------- */

static int number_of(const struct pipe *p, const struct tir_buffer *b)
{
  int k = p->buffers - 1;
  while (k >= 0 && p->old[k] != b)
    k--;
  return k;
}

static tir_e copied_load(void *context, tir_e x)
{
  const struct copy *c = context;
  tir_e index[TSR_MAX_RANK];
  int k = number_of(c->pipe, x->buffer);
  if (k < 0)
    return x;
  index[0] = c->slot;
  for (int d = 0; d < x->args; d++)
    index[d + 1] = x->arg[d];
  return tir_load(c->pipe->arena, c->pipe->new[k], index);
}

static tir_e copied(struct copy *c, tir_e x)
{
  const struct tir_var *var = c->pipe->loop->f.var;
  struct tir__rewriter w = {.ranges = &c->ranges,
                            .vars = 1,
                            .var = &var,
                            .with = &c->iteration,
                            .load = copied_load,
                            .context = c};
  return tir__rewrite(&w, x);
}

static struct tir_stmt *copy_stmt(struct copy *c, const struct tir_stmt *s);

/* An index of a buffer, which may have become one of the pipe's. */
static tir_e *copied_index(struct copy *c, const struct tir_buffer **b, tir_e *const old)
{
  int k = number_of(c->pipe, *b), lead = k >= 0;
  tir_e *index = TSR_NEW_ARRAY(c->pipe->arena, tir_e, TSR_MAX_RANK + 1);
  for (int d = 0; d < (*b)->rank; d++)
    index[d + lead] = copied(c, old[d]);
  if (lead) {
    index[0] = c->slot;
    *b = c->pipe->new[k];
  }
  return index;
}

static void copy_call(struct copy *c, struct tir_stmt *s)
{
  const struct tir_buffer **buffer =
      TSR_NEW_ARRAY(c->pipe->arena, const struct tir_buffer *, s->call.operands + 1);
  tir_e **index = TSR_NEW_ARRAY(c->pipe->arena, tir_e *, s->call.operands + 1);
  for (int k = 0; k < s->call.operands; k++) {
    buffer[k] = s->call.buffer[k];
    index[k] = copied_index(c, &buffer[k], s->call.index[k]);
  }
  s->call.buffer = buffer;
  s->call.index = index;
  s->call.first = s->call.first ? copied(c, s->call.first) : NULL;
  s->call.semantics = copy_stmt(c, s->call.semantics);
}

static void copy_block(struct copy *c, struct tir_stmt *s)
{
  struct tir_stmt **old = s->block.stmt;
  s->block.stmt = TSR_NEW_ARRAY(c->pipe->arena, struct tir_stmt *, s->block.count + 1);
  for (int k = 0; k < s->block.count; k++)
    s->block.stmt[k] = copy_stmt(c, old[k]);
}

static struct tir_stmt *copy_stmt(struct copy *c, const struct tir_stmt *from)
{
  struct tir_stmt *s = tsr_arena_copy(c->pipe->arena, from, sizeof *from);
  switch (s->kind) {
  case TIR_FOR:
    s->f.extent = copied(c, s->f.extent);
    s->f.body = copy_stmt(c, s->f.body);
    break;
  case TIR_STORE:
    s->store.async = c->async;
    s->store.value = copied(c, s->store.value);
    s->store.index = copied_index(c, &s->store.buffer, s->store.index);
    break;
  case TIR_BLOCK: copy_block(c, s); break;
  case TIR_ALLOC: s->alloc.body = copy_stmt(c, s->alloc.body); break;
  case TIR_CALL: copy_call(c, s); break;
  case TIR_IF:
    s->when.condition = copied(c, s->when.condition);
    s->when.body = copy_stmt(c, s->when.body);
    break;
  default: break;
  }
  return s;
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Writes one of the buffers, whole. */
static bool is_filling(const struct pipe *p, const struct tir_stmt *s)
{
  while (s->kind == TIR_FOR)
    s = s->f.body;
  return s->kind == TIR_STORE && s->store.combine == TIR_ASSIGN &&
         number_of(p, s->store.buffer) >= 0;
}

static struct tir_stmt *some(const struct pipe *p, bool filling, tir_e iteration, tir_e slot)
{
  struct copy c = {.pipe = p,
                   .iteration = iteration,
                   .slot = slot,
                   .async = filling,
                   .ranges = {.arena = p->arena}};
  const struct tir_stmt *body = p->body;
  struct tir_stmt *const one = p->body, *const *stmt = &one;
  int count = 1, n = 0;
  if (body->kind == TIR_BLOCK) {
    stmt = body->block.stmt;
    count = body->block.count;
  }
  struct tir_stmt *s = new_block(p, count);
  for (int k = 0; k < count; k++)
    if (is_filling(p, stmt[k]) == filling)
      s->block.stmt[n++] = copy_stmt(&c, stmt[k]);
  s->block.count = n;
  return s;
}

static struct tir_stmt *pair(const struct pipe *p, struct tir_stmt *x, struct tir_stmt *y)
{
  struct tir_stmt *s = new_block(p, 2);
  s->block.stmt[0] = x;
  s->block.stmt[1] = y;
  return s;
}

/* Fills slot `slot` for an iteration, if there is such, as one group. */
static struct tir_stmt *fill(const struct pipe *p, tir_e iteration, tir_e slot, bool certain)
{
  struct tir_stmt *when = new_stmt(p, TIR_IF), *filling = some(p, true, iteration, slot);
  when->when.condition = tir_binary(p->arena, TIR_LT, iteration, p->loop->f.extent);
  when->when.body = filling;
  return pair(p, certain ? filling : when, new_stmt(p, TIR_COMMIT));
}

static struct tir_stmt *prologue(const struct pipe *p)
{
  struct tir_stmt *s = new_stmt(p, TIR_FOR);
  struct tir_var *var = TSR_NEW(p->arena, struct tir_var);
  var->name = tsr_arena_printf(p->arena, "%s.ahead", p->loop->f.var->name);
  s->f.var = var;
  s->f.extent = tir_index(p->arena, p->depth - 1);
  s->f.loop = TIR_UNROLL;
  s->f.stage = p->loop->f.stage;
  tir_e slot = tir_use(p->arena, var);
  s->f.body = fill(p, slot, slot, p->loop->f.extent->op == TIR_INT);
  return s;
}

static struct tir_stmt *steady(const struct pipe *p)
{
  struct tsr_arena *a = p->arena;
  int depth = p->depth;
  tir_e k = tir_use(a, p->loop->f.var), of = tir_index(a, depth);
  tir_e ahead = tir_binary(a, TIR_ADD, k, tir_index(a, depth - 1));
  struct tir_stmt *s = tsr_arena_copy(a, p->loop, sizeof *p->loop), *wait = new_stmt(p, TIR_WAIT);
  wait->groups = depth - 2;
  s->f.loop = TIR_SERIAL;
  s->f.depth = 0;
  s->f.body = new_block(p, 4);
  s->f.body->block.stmt[0] = wait;
  s->f.body->block.stmt[1] = new_stmt(p, TIR_BARRIER);
  s->f.body->block.stmt[2] = fill(p, ahead, tir_binary(a, TIR_FMOD, ahead, of), false);
  s->f.body->block.stmt[3] = some(p, false, k, tir_binary(a, TIR_FMOD, k, of));
  return s;
}

static void add_buffer(struct pipe *p, const struct tir_buffer *b)
{
  struct tir_buffer *n = tsr_arena_copy(p->arena, b, sizeof *b);
  n->rank = b->rank + 1;
  n->dims[0] = p->depth;
  for (int d = 0; d < b->rank; d++)
    n->dims[d + 1] = b->dims[d];
  p->old[p->buffers] = b;
  p->new[p->buffers++] = n;
}

static bool reads_written(tir_e x, const struct tir_stmt *in)
{
  if (x->op == TIR_LOAD && tir__writes(in, x->buffer))
    return true;
  for (int k = 0; k < x->args; k++)
    if (reads_written(x->arg[k], in))
      return true;
  return false;
}

/* Copies may run ahead if they read nothing that the loop writes. */
static bool may_run_ahead(const struct pipe *p)
{
  const struct tir_stmt *body = p->body;
  int count = body->kind == TIR_BLOCK ? body->block.count : 1;
  for (int k = 0; k < count; k++) {
    const struct tir_stmt *s = body->kind == TIR_BLOCK ? body->block.stmt[k] : body;
    if (!is_filling(p, s))
      continue;
    while (s->kind == TIR_FOR)
      s = s->f.body;
    if (reads_written(s->store.value, body))
      return false;
  }
  return true;
}

static bool find(struct pipe *p)
{
  p->body = p->loop->f.body;
  for (; p->body->kind == TIR_ALLOC && p->body->alloc.buffer->scope == TIR_SHARED;
       p->body = p->body->alloc.body) {
    if (p->buffers == MOST_BUFFERS || p->body->alloc.buffer->rank == TSR_MAX_RANK)
      return false;
    add_buffer(p, p->body->alloc.buffer);
  }
  return p->buffers > 0 && p->depth > 1 && may_run_ahead(p);
}

static struct tir_stmt *pipelined(struct tsr_arena *a, struct tir_stmt *loop)
{
  struct pipe p = {.arena = a, .loop = loop, .depth = loop->f.depth};
  if (loop->f.extent->op == TIR_INT && loop->f.extent->i < p.depth)
    p.depth = loop->f.extent->i < 1 ? 1 : (int)loop->f.extent->i;
  if (!find(&p))
    return loop;
  struct tir_stmt *s = pair(&p, prologue(&p), steady(&p));
  for (int k = p.buffers - 1; k >= 0; k--) {
    struct tir_stmt *alloc = new_stmt(&p, TIR_ALLOC);
    alloc->alloc.buffer = p.new[k];
    alloc->alloc.body = s;
    s = alloc;
  }
  return s;
}

struct tir_stmt *tir__pipeline(struct tsr_arena *a, struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR:
    s->f.body = tir__pipeline(a, s->f.body);
    return s->f.loop == TIR_PIPELINE ? pipelined(a, s) : s;
  case TIR_ALLOC: s->alloc.body = tir__pipeline(a, s->alloc.body); break;
  case TIR_IF: s->when.body = tir__pipeline(a, s->when.body); break;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      s->block.stmt[k] = tir__pipeline(a, s->block.stmt[k]);
    break;
  default: break;
  }
  return s;
}
