/* SPDX-License-Identifier: Apache-2.0 */
/* The computes of several nodes as one: what one node makes and another reads becomes a buffer
 * between stages. */
#include <string.h>

#include "compiler/graph/graph_private.h"

struct joining {
  struct tsr_arena *a;
  struct tsr_err *err;
  struct tir_func *to;
  struct tsr__map *of_value;   /* value -> buffer of `to` */
  const struct tir_func *from; /* of the node at hand */
  const struct tsr_node *n;
  struct tsr__map *of_buffer; /* buffer of `from` -> buffer of `to` */
};

/* --- names ------------------------------------------------------------------------------------ */

static bool is_taken(const struct tir_func *f, const char *name)
{
  for (int k = 0; k < f->params; k++)
    if (!strcmp(f->param[k]->name, name))
      return true;
  for (int k = 0; k < f->stages; k++)
    if (!strcmp(f->stage[k]->name, name) || !strcmp(f->stage[k]->out->name, name))
      return true;
  return false;
}

/* `name`, with a number where that is taken. */
static const char *new_name(const struct joining *j, const char *name)
{
  const char *made = name;
  for (int k = 2; is_taken(j->to, made); k++)
    made = tsr_arena_printf(j->a, "%s%d", name, k);
  return made;
}

/* A stage that is all that its node does is called as the op. */
static const char *stage_name(const struct joining *j, const struct tir_stage *s)
{
  return new_name(j, j->from->stages == 1 ? tsr_gop_name(j->n->op) : s->name);
}

/* --- buffers ---------------------------------------------------------------------------------- */

/* Inputs are called as in the compute of the first node that reads them. */
static enum tsr_status add_inputs(struct joining *j, const struct tsr_group *group)
{
  for (int k = 0; k < group->nodes; k++) {
    const struct tsr_node *n = group->node[k];
    struct tir_func *f;
    if (tsr_node_compute(j->a, j->err, n, &f))
      return TSR_REFUSED;
    for (int i = 0, param = 0; i < n->inputs; i++) {
      const struct tsr_value *v = n->in[i];
      const struct tir_buffer *b = v ? f->param[param++] : NULL;
      bool inside = false;
      for (int m = 0; m < group->nodes && v; m++)
        inside |= v->producer == group->node[m];
      if (!v || inside || tsr__map_get(j->of_value, v))
        continue;
      tsr__map_put(j->of_value, v,
                   tir_func_input(j->a, j->to, new_name(j, b->name), b->dtype, b->rank, b->dims));
    }
  }
  return TSR_OK;
}

/* What takes the place of a buffer of the node's own compute. */
static struct tir_buffer *joined_buffer(void *context, const struct tir_buffer *b)
{
  const struct joining *j = context;
  return (struct tir_buffer *)(uintptr_t)tsr__map_get(j->of_buffer, b);
}

static void map_params(struct joining *j)
{
  const struct tsr_node *n = j->n;
  int param = 0;
  for (int i = 0; i < n->inputs; i++)
    if (n->in[i])
      tsr__map_put(j->of_buffer, j->from->param[param++], tsr__map_get(j->of_value, n->in[i]));
  for (int i = 0; i < n->outputs; i++)
    if (tsr__map_get(j->of_value, n->out[i]))
      tsr__map_put(j->of_buffer, j->from->param[param + i], tsr__map_get(j->of_value, n->out[i]));
}

/* The buffer of a stage: an output of the group, or one between stages, called as the stage. */
static void map_result(struct joining *j, const struct tir_stage *s, const char *name)
{
  if (tsr__map_get(j->of_buffer, s->out))
    return;
  struct tir_buffer *b =
      tir_func_temp(j->a, j->to, name, s->out->dtype, s->out->rank, s->out->dims);
  tsr__map_put(j->of_buffer, s->out, b);
  if (j->from->param[j->from->params - 1] == s->out)
    tsr__map_put(j->of_value, j->n->out[0], b);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static enum tsr_status add_node(struct joining *j, const struct tsr_node *n)
{
  struct tir_func *from;
  if (tsr_node_compute(j->a, j->err, n, &from))
    return TSR_REFUSED;
  j->n = n;
  j->from = from;
  j->of_buffer = tsr__map_new(j->a);
  map_params(j);
  for (int k = 0; k < from->stages; k++) {
    const char *name = stage_name(j, from->stage[k]);
    map_result(j, from->stage[k], name);
    tir_func_adopt(j->a, j->to, name, from->stage[k], joined_buffer, j);
  }
  return TSR_OK;
}

enum tsr_status tsr_group_compute(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tsr_group *group, struct tir_func **out)
{
  const struct tsr_node *last = group->node[group->nodes - 1];
  if (group->nodes == 1)
    return tsr_node_compute(a, err, last, out);
  struct tsr_text name = {.arena = a};
  for (int k = 0; k < group->nodes; k++)
    tsr_text_add(&name, "%s%s", k ? "_" : "", tsr_gop_name(group->node[k]->op));
  struct joining j = {.a = a,
                      .err = err,
                      .to = tir_func_new(a, tsr_arena_printf(a, "%.200s", name.data)),
                      .of_value = tsr__map_new(a)};
  if (add_inputs(&j, group))
    return TSR_REFUSED;
  const struct tsr_value *y = last->out[0];
  tsr__map_put(j.of_value, y,
               tir_func_output(a, j.to, new_name(&j, "y"), y->dtype, y->rank, y->dims));
  for (int k = 0; k < group->nodes; k++)
    if (add_node(&j, group->node[k]))
      return TSR_REFUSED;
  *out = j.to;
  return TSR_OK;
}
