/* SPDX-License-Identifier: Apache-2.0 */
/* The graph interpreter: node after node, each by its compute. The oracle for every pass and
 * target. */
#include <string.h>

#include "compiler/graph/graph_private.h"

struct run {
  struct tsr_arena *a;
  struct tsr_err *err;
  struct tsr__map *data; /* value -> its elements */
  void (*keep)(void *context, const struct tsr_value *v, const void *data);
  void *context;
};

static const void *elements(const struct run *r, const struct tsr_value *v)
{
  return v->data ? v->data : tsr__map_get(r->data, v);
}

static size_t value_bytes(const struct tsr_value *v)
{
  return (size_t)tsr_count(v->dims, v->rank, 1) * tsr_dtype_bytes(v->dtype);
}

static size_t output_bytes(const struct tsr_node *n)
{
  size_t sum = 0;
  for (int k = 0; k < n->outputs; k++)
    sum += n->out[k] ? value_bytes(n->out[k]) : 0;
  return sum;
}

/* Computes in memory that goes again at the end: funcs, code, buffers between stages. */
static enum tsr_status run_compute(struct run *r, const struct tsr_node *n, void *const *params)
{
  struct tsr_arena *scratch = tsr_arena_new(tsr_arena_allocator(r->a));
  struct tir_func *f;
  if (!scratch || setjmp(*tsr_arena_landing(scratch))) {
    tsr_arena_free(scratch);
    tsr_arena_exhausted(r->a);
  }
  enum tsr_status s = tsr_node_compute(scratch, r->err, n, &f);
  if (s == TSR_OK) {
    s = tir_func_run(scratch, r->err, f, params);
    if (s != TSR_OK)
      tsr_refuse_at(r->err, "node '%s' (%s)", n->name, tsr_gop_name(n->op));
  }
  tsr_arena_free(scratch);
  return s;
}

static enum tsr_status run_node(struct run *r, const struct tsr_node *n)
{
  void **params = TSR_NEW_ARRAY(r->a, void *, n->inputs + n->outputs + 1);
  int count = 0;
  for (int k = 0; k < n->inputs; k++)
    if (n->in[k])
      params[count++] = (void *)elements(r, n->in[k]);
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k]) {
      if (!n->out[k]->typed)
        return tsr_refuse(r->err, "node '%s' (%s): its output '%s' has no type", n->name,
                          tsr_gop_name(n->op), n->out[k]->name);
      params[count] = tsr_arena_alloc(r->a, value_bytes(n->out[k]) + 1);
      tsr__map_put(r->data, n->out[k], params[count++]);
    }
  enum tsr_status s = TSR_OK;
  if (tsr_gop_is_view(n->op))
    memcpy((void *)elements(r, n->out[0]), elements(r, n->in[0]), value_bytes(n->out[0]));
  else if (output_bytes(n) > 0)
    s = run_compute(r, n, params);
  for (int k = 0; k < n->outputs && s == TSR_OK && r->keep; k++)
    if (n->out[k])
      r->keep(r->context, n->out[k], elements(r, n->out[k]));
  return s;
}

static enum tsr_status bind_input(struct run *r, const struct tsr_value *v,
                                  const struct tsr_tensor *t)
{
  char want[192], got[192];
  if (!v->typed || v->dtype != t->dtype || v->rank != t->rank ||
      memcmp(v->dims, t->dims, (size_t)v->rank * sizeof v->dims[0]))
    return tsr_refuse(r->err, "input '%s' is %s %s, not %s %s", v->name, tsr_dtype_name(v->dtype),
                      tsr_dims_text(v->dims, v->rank, want), tsr_dtype_name(t->dtype),
                      tsr_dims_text(t->dims, t->rank, got));
  tsr__map_put(r->data, v, t->data);
  return TSR_OK;
}

enum tsr_status tsr_graph_run(struct tsr_arena *a, struct tsr_err *err, const struct tsr_graph *g,
                              const struct tsr_tensor *inputs, struct tsr_tensor *outputs,
                              void (*keep)(void *context, const struct tsr_value *v,
                                           const void *data),
                              void *context)
{
  struct run r = {.a = a, .err = err, .data = tsr__map_new(a), .keep = keep, .context = context};
  enum tsr_status s = TSR_OK;
  for (int k = 0; k < g->inputs && s == TSR_OK; k++)
    s = bind_input(&r, g->input[k], &inputs[k]);
  for (int k = 0; k < g->nodes && s == TSR_OK; k++)
    s = run_node(&r, g->node[k]);
  for (int k = 0; k < g->outputs && s == TSR_OK; k++) {
    const struct tsr_value *v = g->output[k];
    outputs[k] = (struct tsr_tensor){.dtype = v->dtype, .rank = v->rank};
    memcpy(outputs[k].dims, v->dims, sizeof v->dims);
    outputs[k].data = (void *)elements(&r, v);
  }
  return s;
}
