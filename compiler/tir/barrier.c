/* SPDX-License-Identifier: Apache-2.0 */
/* Where a block's threads wait for one another. Threads work side by side inside of loops bound to
 * them and one after another otherwise, so between two such nests, of which one writes shared
 * memory that the other touches, there has to be a barrier, and also between the last nest of a
 * loop's iteration and the first of its next. */
#include "compiler/tir/lower.h"

enum { MOST_BUFFERS = 64 };

/* Shared buffers touched since the last barrier. */
struct touched {
  int count;
  bool full; /* more than can be told apart: conflicts with everything */
  const struct tir_buffer *buffer[MOST_BUFFERS];
  bool written[MOST_BUFFERS];
};

struct placer {
  struct tsr_arena *arena;
  struct touched since;
  bool only_counts; /* statements stay as they are */
  int placed;
};

static void touch(struct touched *t, const struct tir_buffer *b, bool written)
{
  int k = 0;
  if (b->scope != TIR_SHARED)
    return;
  while (k < t->count && t->buffer[k] != b)
    k++;
  if (k == MOST_BUFFERS) {
    t->full = true;
    return;
  }
  if (k == t->count) {
    t->buffer[t->count++] = b;
    t->written[k] = false;
  }
  t->written[k] |= written;
}

static void touch_expr(struct touched *t, tir_e x)
{
  if (x->op == TIR_LOAD)
    touch(t, x->buffer, false);
  for (int k = 0; k < x->args; k++)
    touch_expr(t, x->arg[k]);
}

static void touch_store(struct touched *t, const struct tir_stmt *s)
{
  for (int d = 0; d < s->store.buffer->rank; d++)
    touch_expr(t, s->store.index[d]);
  touch_expr(t, s->store.value);
  if (!s->store.async) /* pipeline.c sees to these */
    touch(t, s->store.buffer, true);
}

static void touch_stmt(struct touched *t, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: touch_stmt(t, s->f.body); break;
  case TIR_STORE: touch_store(t, s); break;
  case TIR_ALLOC: touch_stmt(t, s->alloc.body); break;
  case TIR_CALL: touch_stmt(t, s->call.semantics); break;
  case TIR_IF:
    touch_expr(t, s->when.condition);
    touch_stmt(t, s->when.body);
    break;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      touch_stmt(t, s->block.stmt[k]);
    break;
  default: break;
  }
}

bool tir__writes(const struct tir_stmt *s, const struct tir_buffer *b)
{
  switch (s->kind) {
  case TIR_FOR: return tir__writes(s->f.body, b);
  case TIR_STORE: return s->store.buffer == b;
  case TIR_ALLOC: return tir__writes(s->alloc.body, b);
  case TIR_CALL: return tir__writes(s->call.semantics, b);
  case TIR_IF: return tir__writes(s->when.body, b);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      if (tir__writes(s->block.stmt[k], b))
        return true;
    return false;
  default: return false;
  }
}

static void join(struct touched *to, const struct touched *from)
{
  to->full |= from->full;
  for (int k = 0; k < from->count; k++)
    touch(to, from->buffer[k], from->written[k]);
}

static bool conflict(const struct touched *x, const struct touched *y)
{
  if (x->full || y->full)
    return x->count && y->count;
  for (int i = 0; i < x->count; i++)
    for (int k = 0; k < y->count; k++)
      if (x->buffer[i] == y->buffer[k] && (x->written[i] || y->written[k]))
        return true;
  return false;
}

/* --- statements ------------------------------------------------------------------------------- */

static struct tir_stmt *pair(struct placer *p, struct tir_stmt *first, struct tir_stmt *second)
{
  struct tir_stmt *s = TSR_NEW(p->arena, struct tir_stmt);
  s->kind = TIR_BLOCK;
  s->block.count = 2;
  s->block.stmt = TSR_NEW_ARRAY(p->arena, struct tir_stmt *, 2);
  s->block.stmt[0] = first;
  s->block.stmt[1] = second;
  return s;
}

/* The statement with a barrier before or behind it. */
static struct tir_stmt *with_barrier(struct placer *p, struct tir_stmt *s, bool before)
{
  p->since = (struct touched){0};
  p->placed++;
  if (p->only_counts)
    return s;
  struct tir_stmt *barrier = TSR_NEW(p->arena, struct tir_stmt);
  barrier->kind = TIR_BARRIER;
  return before ? pair(p, barrier, s) : pair(p, s, barrier);
}

static struct tir_stmt *place(struct placer *p, struct tir_stmt *s);

static struct tir_stmt *place_before(struct placer *p, struct tir_stmt *s)
{
  struct touched here = {0};
  touch_stmt(&here, s);
  if (conflict(&p->since, &here))
    s = with_barrier(p, s, true);
  join(&p->since, &here);
  return s;
}

/* Whether what one iteration leaves conflicts with the next. */
static bool carries(const struct placer *p, struct tir_stmt *body)
{
  struct placer again = {.arena = p->arena, .since = p->since, .only_counts = true};
  place(&again, body);
  return again.placed > 0;
}

/* Loops around one store, of a stage that computes each element once. */
static bool is_map(const struct tir_stmt *s)
{
  while (s->kind == TIR_FOR)
    s = s->f.body;
  return s->kind == TIR_STORE && s->store.combine == TIR_ASSIGN;
}

static void place_loop(struct placer *p, struct tir_stmt *s)
{
  struct touched before = p->since;
  s->f.body = place(p, s->f.body);
  if (s->f.loop != TIR_BOUND && carries(p, s->f.body))
    s->f.body = with_barrier(p, s->f.body, false);
  if (s->f.extent->op != TIR_INT) /* perhaps it never runs */
    join(&p->since, &before);
}

static void place_block(struct placer *p, struct tir_stmt *s)
{
  struct tir_stmt **stmt = TSR_NEW_ARRAY(p->arena, struct tir_stmt *, s->block.count + 1);
  if (p->only_counts)
    stmt = s->block.stmt;
  for (int k = 0; k < s->block.count; k++)
    stmt[k] = place(p, s->block.stmt[k]);
  s->block.stmt = stmt;
}

static struct tir_stmt *place(struct placer *p, struct tir_stmt *s)
{
  struct touched before;
  switch (s->kind) {
  case TIR_FOR:
    if ((s->f.loop == TIR_BOUND && s->f.bind >= TIR_THREAD_X) || is_map(s))
      return place_before(p, s);
    place_loop(p, s);
    return s;
  case TIR_BLOCK: place_block(p, s); return s;
  case TIR_ALLOC: s->alloc.body = place(p, s->alloc.body); return s;
  case TIR_IF:
    before = p->since;
    s->when.body = place(p, s->when.body);
    join(&p->since, &before);
    return s;
  case TIR_BARRIER: p->since = (struct touched){0}; return s;
  case TIR_COMMIT:
  case TIR_WAIT: return s;
  default: return place_before(p, s);
  }
}

struct tir_stmt *tir__place_barriers(struct tsr_arena *a, struct tir_stmt *body)
{
  struct placer *p = TSR_NEW(a, struct placer);
  p->arena = a;
  return place(p, body);
}
