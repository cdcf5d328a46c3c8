/* SPDX-License-Identifier: Apache-2.0 */
/* How the stages of a func hang together: where one reads what another computed, and stages of one
 * func in another. */
#include <string.h>

#include "compiler/tir/tir_internal.h"

struct adoption {
  struct tsr_arena *a;
  const struct tir_stage *from;
  const struct tir_stage *to;
  struct tir_buffer *(*buffer)(void *context, const struct tir_buffer *b);
  void *context;
  struct tir__map done;
};

static const struct tir_var *variable_of(const struct adoption *c, const struct tir_var *var)
{
  for (int k = 0; k < c->from->axes; k++)
    if (c->from->axis[k].var == var)
      return c->to->axis[k].var;
  return var;
}

/* The same operation of copied arguments, nothing simplified: what was computed stays computed. */
static tir_e copied(struct adoption *c, tir_e x)
{
  tir_e known = tir__map_get(&c->done, x);
  if (known)
    return known;
  size_t size = sizeof *x + x->args * sizeof x->arg[0];
  struct tir_expr *y = tsr_arena_copy(c->a, x, size);
  for (int k = 0; k < x->args; k++)
    y->arg[k] = copied(c, x->arg[k]);
  if (x->op == TIR_VAR)
    y->var = variable_of(c, x->var);
  if (x->op == TIR_LOAD)
    y->buffer = c->buffer(c->context, x->buffer);
  tir__map_put(c->a, &c->done, x, y);
  return y;
}

struct tir_stage *
tir_func_adopt(struct tsr_arena *a, struct tir_func *f, const char *name, const struct tir_stage *s,
               struct tir_buffer *(*buffer)(void *context, const struct tir_buffer *b),
               void *context)
{
  struct tsr_text axes = {.arena = a};
  int64_t extents[TSR_MAX_RANK];
  int rank = s->out->rank;
  tsr_text_add(&axes, "%s", "");
  for (int k = 0; k < s->axes; k++) {
    tsr_text_add(&axes, "%s%s", k ? " " : "", tir_axis_name(s, k));
    if (k >= rank)
      extents[k - rank] = s->axis[k].extent;
  }
  struct tir_stage *made =
      tir_func_stage(a, f, name, buffer(context, s->out), axes.data, s->axes - rank, extents);
  struct adoption c = {a, s, made, buffer, context, {0}};
  made->combine = s->combine;
  made->init = s->init ? copied(&c, s->init) : NULL;
  made->value = copied(&c, s->value);
  return made;
}

/* --- places ------------------------------------------------------------------------------------ */

/* Dim d of b is read at axis d of s, or has one element. */
static bool is_own(const struct tir_stage *s, const struct tir_buffer *b, tir_e index, int d)
{
  if (b->dims[d] == 1 && tir__is_int(index, 0))
    return true;
  return d < s->out->rank && s->axis[d].extent == b->dims[d] && index->op == TIR_VAR &&
         index->var == s->axis[d].var;
}

static void align(const struct tir_stage *s, const struct tir_buffer *b, tir_e x, int *least)
{
  if (x->op == TIR_LOAD && x->buffer == b) {
    int d = 0;
    while (d < *least && is_own(s, b, x->arg[d], d))
      d++;
    *least = d;
  }
  for (int k = 0; k < x->args; k++)
    align(s, b, x->arg[k], least);
}

int tir_stage_aligned(const struct tir_stage *s, const struct tir_buffer *b)
{
  int least = b->rank;
  align(s, b, s->value, &least);
  if (s->init)
    align(s, b, s->init, &least);
  return least;
}

bool tir_same_dims(const struct tir_buffer *x, const struct tir_buffer *y)
{
  return x->rank == y->rank && !memcmp(x->dims, y->dims, (size_t)x->rank * sizeof x->dims[0]);
}

/* --- rows -------------------------------------------------------------------------------------- */

static bool is_of_rows(const struct tir_func *f, const struct tir_stage *s, int rows)
{
  const struct tir_buffer *y = f->stage[f->stages - 1]->out;
  if (s->out->rank < rows || memcmp(s->out->dims, y->dims, (size_t)rows * sizeof y->dims[0]))
    return false;
  for (int d = rows; d < s->out->rank; d++)
    if (s->combine != TIR_ASSIGN && s->out->dims[d] != 1)
      return false;
  for (int k = 0; k < f->stages && f->stage[k] != s; k++) {
    const struct tir_buffer *b = f->stage[k]->out;
    if (tir_stage_aligned(s, b) < (s->combine == TIR_ASSIGN ? b->rank : rows))
      return false;
  }
  return true;
}

int tir_func_rows(const struct tir_func *f)
{
  bool reduces = false;
  for (int k = 0; k < f->stages; k++)
    reduces |= f->stage[k]->combine != TIR_ASSIGN;
  for (int rows = reduces ? f->stage[f->stages - 1]->out->rank - 1 : 0; rows > 0; rows--) {
    int k = 0;
    while (k < f->stages && is_of_rows(f, f->stage[k], rows))
      k++;
    if (k == f->stages)
      return rows;
  }
  return 0;
}
