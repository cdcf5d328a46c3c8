/* SPDX-License-Identifier: Apache-2.0 */
/* Ops of f16 and bf16 are those of f32, whose inputs are widened where they are read and whose results are
 * rounded once, where they are stored. So builders know nothing of halves: for a buffer of halves they see
 * one of f32, which stands for it until the func is complete. */
#include "compiler/graph/compute.h"

static struct tir_buffer *stored_as(const struct tsr__compute *c, const struct tir_buffer *wide)
{
  for (const struct tsr__half *h = c->halves; h; h = h->next)
    if (h->wide == wide)
      return h->stored;
  return NULL;
}

struct tir_buffer *tsr__widened(struct tsr__compute *c, struct tir_buffer *b)
{
  if (!tsr_dtype_is_half(b->dtype))
    return b;
  struct tsr__half *h = TSR_NEW(c->a, struct tsr__half);
  h->wide = tir_func_temp(c->a, c->f, b->name, TSR_F32, b->rank, b->dims);
  h->stored = b;
  h->next = c->halves;
  c->halves = h;
  return h->wide;
}

struct tir_buffer *tsr__temp_like(struct tsr__compute *c, const char *name,
                                  const struct tir_buffer *x, const int64_t *dims)
{
  const struct tir_buffer *stored = stored_as(c, x);
  enum tsr_dtype dtype = stored ? stored->dtype : x->dtype;
  return tsr__widened(c, tir_func_temp(c->a, c->f, name, dtype, x->rank, dims));
}

tir_e tsr__load_element(struct tsr__compute *c, const struct tir_buffer *b, const tir_e *i)
{
  const struct tir_buffer *stored = stored_as(c, b);
  return stored ? tir_cast(c->a, TSR_F32, tir_load(c->a, stored, i)) : tir_load(c->a, b, i);
}

/* Whether x is a value of `half` as it is. */
static bool is_half(tir_e x, enum tsr_dtype half)
{
  if (x->op == TIR_SELECT)
    return is_half(x->arg[1], half) && is_half(x->arg[2], half);
  return x->op == TIR_FLOAT || (x->op == TIR_CAST && x->arg[0]->dtype == half);
}

/* The f32 x as a half. What was an f64 just before, in a Cast, is rounded once. */
static tir_e narrowed(struct tsr__compute *c, enum tsr_dtype half, tir_e x)
{
  if (x->op == TIR_SELECT && is_half(x, half))
    return e_select(c, x->arg[0], narrowed(c, half, x->arg[1]), narrowed(c, half, x->arg[2]));
  return e_cast(c, half, x->op == TIR_CAST && x->arg[0]->dtype == TSR_F64 ? x->arg[0] : x);
}

/* A reduction adds up in f32, and a stage of its own rounds the sums. */
static void round_reduction(struct tsr__compute *c, struct tir_stage *s, struct tir_buffer *stored)
{
  tir_e i[TSR_MAX_RANK];
  s->out = tir_func_temp(c->a, c->f, "wide", TSR_F32, stored->rank, stored->dims);
  struct tir_stage *round = tsr__elementwise(c, "round", stored, i);
  round->value = e_cast(c, stored->dtype, tir_load(c->a, s->out, i));
}

void tsr__store_halves(struct tsr__compute *c)
{
  for (int k = 0, stages = c->f->stages; k < stages; k++) {
    struct tir_stage *s = c->f->stage[k];
    struct tir_buffer *stored = stored_as(c, s->out);
    if (stored && s->combine != TIR_ASSIGN) {
      round_reduction(c, s, stored);
    } else if (stored) {
      s->out = stored;
      s->value = narrowed(c, stored->dtype, s->value);
    }
  }
}
