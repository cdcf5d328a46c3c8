/* SPDX-License-Identifier: Apache-2.0 */
/* Two last axes as one. A convolution of 1x1 over 14 rows of 14 is one over a row of 196, and
 * whatever works element by element works on one long row: lanes want long rows. A func is the
 * same over the same memory when every stage uses the two axes only to read elements at its own
 * place. */
#include <string.h>

#include "compiler/target/cpu/cpu.h"
#include "compiler/target/llvm/emit.h"

struct flat {
  struct tsr_arena *a;
  const struct tir_func *from;
  struct tir_func *to;
  int64_t rows, columns;
  const struct tir_stage *stage; /* at hand, and what it becomes */
  struct tir_stage *made;
  struct tir__map buffers, done;
  bool fails;
};

static bool is_wide(const struct flat *f, const struct tir_buffer *b)
{
  return b->rank >= 2 && b->dims[b->rank - 2] == f->rows && b->dims[b->rank - 1] == f->columns;
}

static const struct tir_buffer *buffer_of(struct flat *f, const struct tir_buffer *b)
{
  return tir__map_get(&f->buffers, b);
}

/* The shape that a buffer gets; the rank is returned. */
static int shape_of(const struct flat *f, const struct tir_buffer *b, int64_t *dims)
{
  memcpy(dims, b->dims, sizeof b->dims);
  if (!is_wide(f, b))
    return b->rank;
  dims[b->rank - 2] = f->rows * f->columns;
  return b->rank - 1;
}

static void add_buffers(struct flat *f)
{
  int64_t dims[TSR_MAX_RANK];
  for (int i = 0; i < f->from->params; i++) {
    const struct tir_buffer *b = f->from->param[i];
    int rank = shape_of(f, b, dims);
    tir__map_put(f->a, &f->buffers, b,
                 i < f->from->inputs ? tir_func_input(f->a, f->to, b->name, b->dtype, rank, dims)
                                     : tir_func_output(f->a, f->to, b->name, b->dtype, rank, dims));
  }
  for (int i = 0; i < f->from->stages; i++) {
    const struct tir_buffer *b = f->from->stage[i]->out;
    int rank = shape_of(f, b, dims);
    if (!buffer_of(f, b))
      tir__map_put(f->a, &f->buffers, b, tir_func_temp(f->a, f->to, b->name, b->dtype, rank, dims));
  }
}

/* --- expressions ------------------------------------------------------------------------------ */

static tir_e rebuild(struct flat *f, tir_e x);

/* Axis d of the stage that is made for axis d of the old one. */
static tir_e variable(struct flat *f, tir_e x)
{
  const struct tir_stage *s = f->stage;
  int rank = s->out->rank, i = 0;
  while (i < s->axes && s->axis[i].var != x->var)
    i++;
  if (i >= s->axes || i == rank - 2 || i == rank - 1)
    f->fails = true;
  else if (s->axis[i].extent == 1)
    return tir_index(f->a, 0);
  return f->fails ? x : tir_axis_use(f->a, f->made, i < rank ? i : i - 1);
}

/* `axis`, possibly with axes of one iteration added to it. */
static bool is_axis(const struct flat *f, tir_e x, int axis)
{
  struct tir__linear l;
  int found = 0;
  if (!tir__linear(x, &l) || l.constant)
    return false;
  for (int i = 0; i < l.n; i++)
    for (int k = 0; k < f->stage->axes; k++) {
      if (l.atom[i]->op != TIR_VAR)
        return false;
      if (l.atom[i]->var != f->stage->axis[k].var)
        continue;
      if (k == axis && l.coefficient[i] == 1)
        found++;
      else if (f->stage->axis[k].extent != 1)
        return false;
    }
  return found == 1;
}

static tir_e load(struct flat *f, tir_e x)
{
  tir_e index[TSR_MAX_RANK] = {NULL};
  int rank = x->buffer->rank, out = f->stage->out->rank;
  bool wide = is_wide(f, x->buffer);
  if (wide && (!is_axis(f, x->arg[rank - 2], out - 2) || !is_axis(f, x->arg[rank - 1], out - 1))) {
    f->fails = true;
    return x;
  }
  for (int d = 0; d < rank - 2 * wide; d++)
    index[d] = rebuild(f, x->arg[d]);
  if (wide)
    index[rank - 2] = tir_axis_use(f->a, f->made, out - 2);
  return f->fails ? x : tir_load(f->a, buffer_of(f, x->buffer), index);
}

static tir_e operation(struct flat *f, tir_e x)
{
  tir_e arg[4] = {NULL};
  for (int i = 0; i < x->args && !f->fails; i++)
    arg[i] = rebuild(f, x->arg[i]);
  if (f->fails)
    return x;
  if (x->op == TIR_CAST)
    return tir_cast(f->a, (enum tsr_dtype)x->dtype, arg[0]);
  if (x->op == TIR_SELECT)
    return tir_select(f->a, arg[0], arg[1], arg[2]);
  if (x->op == TIR_QUANT)
    return tir_quant(f->a, arg[0], arg[1], arg[2], arg[3]);
  return x->args == 1 ? tir_unary(f->a, (enum tir_op)x->op, arg[0])
                      : tir_binary(f->a, (enum tir_op)x->op, arg[0], arg[1]);
}

static tir_e rebuild(struct flat *f, tir_e x)
{
  tir_e known = tir__map_get(&f->done, x);
  if (f->fails || known)
    return f->fails ? x : known;
  tir_e made = x->op == TIR_VAR    ? variable(f, x)
               : x->op == TIR_LOAD ? load(f, x)
               : x->args           ? operation(f, x)
                                   : x;
  tir__map_put(f->a, &f->done, x, made);
  return made;
}

/* --- stages ----------------------------------------------------------------------------------- */

static void add_stage(struct flat *f, const struct tir_stage *s)
{
  struct tsr_text names = {.arena = f->a};
  int64_t reduce[TSR_MAX_RANK];
  int rank = s->out->rank, reduces = s->axes - rank;
  for (int i = 0; i < s->axes; i++)
    if (i != rank - 1)
      tsr_text_add(&names, "%s%s", names.length ? " " : "",
                   s->axis[i].var->name + strlen(s->name) + 1);
  for (int i = 0; i < reduces; i++)
    reduce[i] = s->axis[rank + i].extent;
  f->stage = s;
  f->made = tir_func_stage(f->a, f->to, s->name,
                           (struct tir_buffer *)(uintptr_t)buffer_of(f, s->out), names.data,
                           reduces, reduce);
  f->done = (struct tir__map){0};
  f->made->combine = s->combine;
  f->made->init = s->init ? rebuild(f, s->init) : NULL;
  f->made->value = rebuild(f, s->value);
}

static const struct tir_func *merged(struct tsr_arena *a, const struct tir_func *from)
{
  const struct tir_buffer *out = from->stages ? from->stage[from->stages - 1]->out : NULL;
  if (!out || out->rank < 2)
    return NULL;
  struct flat f = {.a = a,
                   .from = from,
                   .to = tir_func_new(a, from->name),
                   .rows = out->dims[out->rank - 2],
                   .columns = out->dims[out->rank - 1]};
  for (int i = 0; i < from->stages; i++)
    if (!is_wide(&f, from->stage[i]->out))
      return NULL;
  add_buffers(&f);
  for (int i = 0; i < from->stages && !f.fails; i++)
    add_stage(&f, from->stage[i]);
  return f.fails ? NULL : f.to;
}

const struct tir_func *tsr_cpu_flatten(struct tsr_arena *a, const struct tir_func *f)
{
  for (const struct tir_func *next = f; next; next = merged(a, f))
    f = next;
  return f;
}
