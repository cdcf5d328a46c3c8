/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers in ACC that take another's place: what a vector step makes element by element of a
 * buffer that nobody reads after it. A loop point reads its operands before it writes, so the
 * step may write where it reads, and a chain of such steps needs the place of one. */
#include "compiler/target/accel/accel.h"

/* A loop that stands around more than one leaf. */
struct around {
  const struct tir_var *loop; /* NULL: none, the end of the list */
  const struct around *outer;
};

struct leaf {
  const struct tir_stmt *stmt;
  const struct around *in; /* the loops around the leaf's own nest, from the innermost */
};

struct lives {
  struct tsr_arena *arena;
  int count;
  size_t capacity;
  struct leaf *leaf; /* in the order of the program's text */
};

static void collect(struct lives *l, const struct tir_stmt *s, const struct around *in)
{
  const struct tir_stmt *leaf = s;
  while (leaf->kind == TIR_FOR)
    leaf = leaf->f.body;
  if (leaf->kind == TIR_CALL || leaf->kind == TIR_STORE) {
    l->leaf = TSR_GROW(l->arena, l->leaf, l->count, &l->capacity);
    l->leaf[l->count++] = (struct leaf){leaf, in};
    return;
  }
  struct around *loop;
  switch (s->kind) {
  case TIR_FOR:
    loop = TSR_NEW(l->arena, struct around);
    *loop = (struct around){s->f.var, in};
    collect(l, s->f.body, loop);
    break;
  case TIR_IF: collect(l, s->when.body, in); break;
  case TIR_ALLOC: collect(l, s->alloc.body, in); break;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      collect(l, s->block.stmt[k], in);
    break;
  default: break;
  }
}

static bool loads(tir_e x, const struct tir_buffer *b)
{
  bool found = x->op == TIR_LOAD && x->buffer == b;
  for (int k = 0; k < x->args && !found; k++)
    found = loads(x->arg[k], b);
  return found;
}

static bool touches(const struct tir_stmt *leaf, const struct tir_buffer *b)
{
  if (leaf->kind == TIR_STORE)
    return leaf->store.buffer == b || loads(leaf->store.value, b);
  for (int k = 0; k < leaf->call.operands; k++)
    if (leaf->call.buffer[k] == b)
      return true;
  return false;
}

/* Operand k of the step has the elements of its result, one for one. */
static bool same_elements(const struct tir_stmt *call, int k)
{
  const struct tir_buffer *d = call->call.buffer[0], *from = call->call.buffer[k];
  if (from->dtype != d->dtype || from->scope != d->scope || from->rank != d->rank)
    return false;
  for (int i = 0; i < d->rank; i++)
    if (from->dims[i] != d->dims[i] || !tir_same(call->call.index[0][i], call->call.index[k][i]))
      return false;
  return true;
}

/* The loop around the leaf that is right inside of an iteration of `loop`; NULL: the leaf's nest is. */
static const struct around *below(const struct leaf *leaf, const struct tir_var *loop, bool *inside)
{
  const struct around *at = leaf->in, *inner = NULL;
  for (; at->loop && at->loop != loop; at = at->outer)
    inner = at;
  *inside = at->loop == loop;
  return inner;
}

/* Whether leaf n makes all of `to`, and is the last that reads `from`, in one iteration of the
 * loop in which both live. The leaf may have loops of its own inside of that, of which each iteration makes
 * other elements. */
static bool hands_over(const struct lives *l, int n, const struct tsr__place *from,
                       const struct tsr__place *to)
{
  bool inside, also;
  const struct around *own = below(&l->leaf[n], to->loop, &inside);
  if (from == to || from->filled_by_dma || from->loop != to->loop || from->depth != to->depth ||
      !inside)
    return false;
  for (int k = 0; k < l->count; k++) {
    bool reads = touches(l->leaf[k].stmt, from->buffer);
    bool again = k != n && own && below(&l->leaf[k], to->loop, &also) == own;
    if ((k < n && touches(l->leaf[k].stmt, to->buffer)) || ((k > n || again) && reads))
      return false;
  }
  return true;
}

static struct tsr__place *place_of(struct tsr__inventory *v, const struct tir_buffer *b)
{
  for (int k = 0; k < v->count; k++)
    if (v->place[k].buffer == b)
      return &v->place[k];
  return NULL;
}

static void take_over(const struct lives *l, int n, struct tsr__inventory *v)
{
  const struct tir_stmt *s = l->leaf[n].stmt;
  if (s->kind != TIR_CALL || s->call.init || s->call.intrin->accumulates)
    return;
  struct tsr__place *to = place_of(v, s->call.buffer[0]);
  for (int k = s->call.operands; to && to->buffer->scope == TIR_ACC && --k > 0;) {
    const struct tsr__place *from = place_of(v, s->call.buffer[k]);
    if (!from || !same_elements(s, k) || !hands_over(l, n, from, to))
      continue;
    to->in_place_of = from;
    return;
  }
}

void tsr__in_place(struct tsr_arena *a, const struct tir_program *p, struct tsr__inventory *v)
{
  struct lives l = {.arena = a};
  collect(&l, p->body, &(struct around){NULL, NULL});
  for (int n = 0; n < l.count; n++)
    take_over(&l, n, v);
}
