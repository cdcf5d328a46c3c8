/* SPDX-License-Identifier: Apache-2.0 */
/* Several funcs as one, in which a later one reads what an earlier one computes. */
#include <assert.h>

#include "compiler/tir/region.h"

struct joining {
  struct tsr_arena *arena;
  struct tir_func *func;
  struct tir__map buffer; /* of a part, to the one in func */
};

static const char *renamed(const struct joining *j, const char *name, const struct tir_part *part)
{
  return tsr_arena_printf(j->arena, "%s%s", name, part->suffix);
}

/* The same dims and scope under the part's name. */
static struct tir_buffer *temp_like(const struct joining *j, const struct tir_buffer *b,
                                    const struct tir_part *part)
{
  struct tir_buffer *t =
      tir_func_temp(j->arena, j->func, renamed(j, b->name, part), b->dtype, b->rank, b->dims);
  t->scope = b->scope;
  return t;
}

static tir_e replaced(void *context, tir_e load)
{
  const struct joining *j = context;
  const struct tir_buffer *b = tir__map_get(&j->buffer, load->buffer);
  return tir_load(j->arena, b, load->arg);
}

/* "conv.oh conv.ow" of stage conv as "oh ow". */
static const char *axis_names(const struct joining *j, const struct tir_stage *s)
{
  struct tsr_text names = {.arena = j->arena};
  for (int k = 0; k < s->axes; k++)
    tsr_text_add(&names, "%s%s", k ? " " : "", tir_axis_name(s, k));
  return names.data ? names.data : "";
}

static bool is_wide(const struct tir_part *part, const struct tir_stage *s)
{
  return part->wide && s->out == part->func->param[part->func->inputs];
}

static void add_stage(struct joining *j, const struct tir_stage *s, const struct tir_part *part)
{
  int64_t reduce[2 * TSR_MAX_RANK];
  const struct tir_var *var[2 * TSR_MAX_RANK];
  tir_e with[2 * TSR_MAX_RANK];
  for (int k = s->out->rank; k < s->axes; k++)
    reduce[k - s->out->rank] = s->axis[k].extent;
  struct tir_buffer *out = (struct tir_buffer *)tir__map_get(&j->buffer, s->out);
  if (!out) {
    out = temp_like(j, s->out, part);
    tir__map_put(j->arena, &j->buffer, s->out, out);
  }
  struct tir_stage *t = tir_func_stage(j->arena, j->func, renamed(j, s->name, part), out,
                                       axis_names(j, s), s->axes - s->out->rank, reduce);
  struct tir__ranges ranges = {.arena = j->arena};
  for (int k = 0; k < s->axes; k++) {
    var[k] = s->axis[k].var;
    with[k] = tir_axis_use(j->arena, t, k);
    tir__ranges_add(&ranges, t->axis[k].var, tir_index(j->arena, t->axis[k].extent));
  }
  struct tir__rewriter w = {
      .ranges = &ranges, .vars = s->axes, .var = var, .with = with, .load = replaced, .context = j};
  t->combine = s->combine;
  t->init = s->init ? tir__rewrite(&w, s->init) : NULL;
  t->value = tir__rewrite(&w, is_wide(part, s) ? s->value->arg[0] : s->value);
  out->dtype = t->value->dtype; /* a copy of what is wide is, too */
}

bool tir_func_widens(const struct tir_func *f)
{
  const struct tir_stage *s = f->stages ? f->stage[f->stages - 1] : NULL;
  return s && s->out == f->param[f->inputs] && s->value->op == TIR_CAST &&
         s->value->dtype == TSR_I8 && s->value->arg[0]->op == TIR_QUANT;
}

struct tir_func *tir_func_join(struct tsr_arena *a, const char *name, int parts,
                               const struct tir_part *part)
{
  struct joining j = {.arena = a, .func = tir_func_new(a, name)};
  for (int p = 0; p < parts; p++)
    for (int k = 0; k < part[p].func->inputs; k++) {
      const struct tir_buffer *b = part[p].func->param[k];
      if (part[p].from[k] < 0)
        tir__map_put(
            a, &j.buffer, b,
            tir_func_input(a, j.func, renamed(&j, b->name, &part[p]), b->dtype, b->rank, b->dims));
    }
  for (int p = 0; p < parts; p++) {
    const struct tir_func *f = part[p].func;
    const struct tir_buffer *y = f->param[f->inputs];
    assert(f->params == f->inputs + 1 && (!part[p].wide || tir_func_widens(f)));
    for (int k = 0; k < f->inputs; k++)
      if (part[p].from[k] >= 0) {
        const struct tir_func *maker = part[part[p].from[k]].func;
        tir__map_put(a, &j.buffer, f->param[k],
                     tir__map_get(&j.buffer, maker->param[maker->inputs]));
      }
    tir__map_put(a, &j.buffer, y,
                 p + 1 < parts ? temp_like(&j, y, &part[p])
                               : tir_func_output(a, j.func, renamed(&j, y->name, &part[p]),
                                                 y->dtype, y->rank, y->dims));
    for (int k = 0; k < f->stages; k++)
      add_stage(&j, f->stage[k], &part[p]);
  }
  return j.func;
}
