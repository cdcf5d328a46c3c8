/* SPDX-License-Identifier: Apache-2.0 */
/* A loop over two nests that build the same elements,
 *
 *   for v { B[i(v)] = init;  for r { B[i(v)] += value } }
 *
 * as two loops, so that v's iterations become lanes of both: worth it where r alone has few. */
#include <string.h>

#include "compiler/tir/code.h"

struct piece {
  const struct tir_stmt *store;
  int64_t iterations; /* of its own loops; more than TIR__LANES: too many or unknown */
  int loops;
  const struct tir_stmt *loop[TIR__LANE_LOOPS];
};

/* The chain of loops of constant extent around one store. */
static bool find_piece(const struct tir_stmt *s, struct piece *out)
{
  out->loops = 0;
  out->iterations = 1;
  while (s->kind == TIR_FOR || (s->kind == TIR_BLOCK && s->block.count == 1)) {
    if (s->kind == TIR_BLOCK) {
      s = s->block.stmt[0];
      continue;
    }
    if (out->loops == TIR__LANE_LOOPS || s->f.extent->op != TIR_INT || s->f.extent->i < 1 ||
        s->f.extent->i > TIR__LANES || out->iterations > TIR__LANES)
      return false;
    out->iterations *= s->f.extent->i;
    out->loop[out->loops++] = s;
    s = s->f.body;
  }
  out->store = s;
  return s->kind == TIR_STORE;
}

static bool reads(tir_e x, const struct tir_buffer *b, int *budget)
{
  if ((x->op == TIR_LOAD && x->buffer == b) || --*budget < 0)
    return true;
  for (int i = 0; i < x->args; i++)
    if (reads(x->arg[i], b, budget))
      return true;
  return false;
}

static bool same_element(const struct tir_stmt *x, const struct tir_stmt *y)
{
  if (x->store.buffer != y->store.buffer)
    return false;
  for (int i = 0; i < x->store.buffer->rank; i++)
    if (!tir_same(x->store.index[i], y->store.index[i]))
      return false;
  return true;
}

/* The loops of a piece, and v, that the element varies with: distinct iterations of these must name
 * distinct elements. Each must stand in one dimension only, and there as a digit of its own: its
 * step larger than all that the smaller steps reach. */
struct digit {
  int64_t step, extent;
};

static bool are_digits(struct digit *d, int n)
{
  int64_t reach = 0;
  for (int i = 0; i < n; i++) {
    int least = i;
    for (int k = i + 1; k < n; k++)
      if (d[k].step < d[least].step)
        least = k;
    struct digit swap = d[i];
    d[i] = d[least];
    d[least] = swap;
    if (d[i].step <= reach || d[i].step > INT32_MAX || d[i].extent > INT32_MAX)
      return false;
    reach += d[i].step * (d[i].extent - 1);
  }
  return true;
}

static int loop_of(const struct piece *p, const struct tir_stmt *v, tir_e atom)
{
  for (int k = 0; k <= p->loops && atom->op == TIR_VAR; k++)
    if ((k < p->loops ? p->loop[k] : v)->f.var == atom->var)
      return k;
  return -1;
}

static bool mentions(tir_e x, const struct tir_var *var)
{
  if (x->op == TIR_VAR)
    return x->var == var;
  for (int i = 0; i < x->args; i++)
    if (mentions(x->arg[i], var))
      return true;
  return false;
}

static bool are_distinct(const struct piece *p, const struct tir_stmt *v)
{
  bool seen[TIR__LANE_LOOPS + 1] = {false};
  const struct tir_stmt *s = p->store;
  for (int i = 0; i < s->store.buffer->rank; i++) {
    struct tir__linear l;
    struct digit digits[TIR__TERMS];
    int n = 0;
    if (!tir__linear(s->store.index[i], &l))
      return false;
    for (int t = 0; t < l.n; t++) {
      int k = loop_of(p, v, l.atom[t]);
      for (int j = 0; k < 0 && j <= p->loops; j++)
        if (mentions(l.atom[t], (j < p->loops ? p->loop[j] : v)->f.var))
          return false;
      if (k < 0)
        continue;
      int64_t step = l.coefficient[t];
      if (seen[k] || step == INT64_MIN)
        return false;
      seen[k] = true;
      digits[n++] = (struct digit){step < 0 ? -step : step,
                                   (k < p->loops ? p->loop[k] : v)->f.extent->i};
    }
    if (!are_digits(digits, n))
      return false;
  }
  return seen[p->loops];
}

static struct tir_stmt *loop_over(struct tsr_arena *a, const struct tir_stmt *v,
                                  struct tir_stmt *body)
{
  struct tir_stmt *s = tsr_arena_copy(a, v, sizeof *v);
  s->f.body = body;
  return s;
}

const struct tir_stmt *tir__fission(struct tsr_arena *a, const struct tir_stmt *v)
{
  enum { MOST_PIECES = 4, READ_BUDGET = 2000 };
  struct piece piece[MOST_PIECES];
  const struct tir_stmt *body = v->f.body, *inner = NULL;
  while (body->kind == TIR_BLOCK && body->block.count == 1)
    body = body->block.stmt[0];
  if (v->f.extent->op != TIR_INT || v->f.extent->i < 1 || v->f.extent->i > TIR__LANES)
    return NULL;
  if (body->kind == TIR_FOR && (inner = tir__fission(a, body)))
    body = inner;
  if (body->kind != TIR_BLOCK || body->block.count < 2 || body->block.count > MOST_PIECES)
    return NULL;
  int budget = READ_BUDGET;
  for (int i = 0; i < body->block.count; i++)
    if (!find_piece(body->block.stmt[i], &piece[i]) ||
        piece[i].iterations * v->f.extent->i > 16 * TIR__LANES ||
        !same_element(piece[0].store, piece[i].store) || !are_distinct(&piece[i], v) ||
        reads(piece[i].store->store.value, piece[0].store->store.buffer, &budget))
      return NULL;
  struct tir_stmt *block = TSR_NEW(a, struct tir_stmt);
  block->kind = TIR_BLOCK;
  block->block.count = body->block.count;
  block->block.stmt = TSR_NEW_ARRAY(a, struct tir_stmt *, body->block.count);
  for (int i = 0; i < body->block.count; i++)
    block->block.stmt[i] = loop_over(a, v, body->block.stmt[i]);
  return block;
}
