/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cpu/graph_rig.h"

struct kept {
  struct tsr_arena *a;
  struct tir__map data;
};

static void keep(void *context, const struct tsr_value *v, const void *data)
{
  struct kept *k = context;
  struct tsr_tensor t = tsr_value_tensor(v);
  tir__map_put(k->a, &k->data, v, tsr_arena_copy(k->a, data, tsr_tensor_bytes(&t) + 1));
}

static void *data_of(const struct kept *k, const struct tsr_graph *g,
                     const struct tsr_tensor *inputs, const struct tsr_value *v)
{
  for (int i = 0; i < g->inputs; i++)
    if (g->input[i] == v)
      return inputs[i].data;
  return (void *)(uintptr_t)(v->data ? v->data : tir__map_get(&k->data, v));
}

/* A copy that is f64 where the value is f32. */
static struct tsr_value *wide_value(struct tsr_arena *a, const struct tsr_value *v)
{
  struct tsr_value *wide = v ? tsr_arena_copy(a, v, sizeof *v) : NULL;
  if (!wide || v->dtype != TSR_F32)
    return wide;
  wide->dtype = TSR_F64;
  wide->data = v->data ? widened(a, v->data, tsr_count(v->dims, v->rank, 1)) : NULL;
  return wide;
}

/* What the node computes, in f64; NULL: none of its results is f32, or there is no such compute. */
static struct tir_func *wide_func(struct tsr_arena *a, const struct tsr_node *n)
{
  struct tsr_node wide = *n;
  struct tsr_err err = {0};
  struct tir_func *f;
  bool floats = false;
  wide.in = TSR_NEW_ARRAY(a, struct tsr_value *, n->inputs + 1);
  wide.out = TSR_NEW_ARRAY(a, struct tsr_value *, n->outputs + 1);
  for (int i = 0; i < n->inputs; i++)
    wide.in[i] = wide_value(a, n->in[i]);
  for (int i = 0; i < n->outputs; i++) {
    wide.out[i] = wide_value(a, n->out[i]);
    floats |= n->out[i] && n->out[i]->dtype == TSR_F32;
  }
  return floats && !tsr_node_compute(a, &err, &wide, &f) ? f : NULL;
}

static void add_node(const struct kept *k, const struct tsr_graph *g,
                     const struct tsr_tensor *inputs, const struct tsr_node *n, double *off,
                     struct trial *out)
{
  struct tir_func *f;
  struct tsr_err err = {0};
  int count = 0;
  if (tsr_node_compute(k->a, &err, n, &f))
    fail_msg("%s", err.text);
  *out = (struct trial){.name = tsr_arena_printf(k->a, "%s '%s'", tsr_gop_name(n->op), n->name),
                        .func = f};
  for (int i = 0; i < n->inputs; i++)
    if (n->in[i])
      out->input[count++] = data_of(k, g, inputs, n->in[i]);
  if (off) {
    out->wide = wide_func(k->a, n);
    out->off = &off[n->op];
  }
}

enum tsr_status add_nodes(struct tsr_arena *a, struct tsr_err *err, struct tsr_graph *g,
                          const struct tsr_tensor *inputs, struct trial **trial, int *trials,
                          size_t *capacity, bool *seen, double *off)
{
  struct kept k = {.a = a};
  struct tsr_tensor *outputs = TSR_NEW_ARRAY(a, struct tsr_tensor, g->outputs + 1);
  if (tsr_graph_run(a, err, g, inputs, outputs, keep, &k))
    return TSR_REFUSED;
  for (int i = 0; i < g->nodes; i++) {
    *trial = TSR_GROW(a, *trial, *trials, capacity);
    add_node(&k, g, inputs, g->node[i], off, &(*trial)[(*trials)++]);
    if (seen)
      seen[g->node[i]->op] = true;
  }
  return TSR_OK;
}

static void add_group(const struct kept *k, const struct tsr_graph *g,
                      const struct tsr_tensor *inputs, const struct tsr_group *group,
                      struct trial *out)
{
  struct tir_func *f;
  struct tsr_err err = {0};
  int count;
  struct tsr_value **in = tsr_group_inputs(k->a, group, &count);
  if (tsr_group_compute(k->a, &err, group, &f))
    fail_msg("%s", err.text);
  *out = (struct trial){.name = tsr_arena_printf(k->a, "%s '%s'", f->name, group->node[0]->name),
                        .func = f};
  assert_in_range(count, 0, sizeof out->input / sizeof out->input[0]);
  for (int i = 0; i < count; i++)
    out->input[i] = data_of(k, g, inputs, in[i]);
}

enum tsr_status add_groups(struct tsr_arena *a, struct tsr_err *err, struct tsr_graph *g,
                           const struct tsr_tensor *inputs, struct trial **trial, int *trials,
                           size_t *capacity)
{
  struct kept k = {.a = a};
  struct tsr_tensor *outputs = TSR_NEW_ARRAY(a, struct tsr_tensor, g->outputs + 1);
  int count;
  struct tsr_group *group = tsr_graph_groups(a, g, TSR_FUSE_LEADS, &count);
  if (tsr_graph_run(a, err, g, inputs, outputs, keep, &k))
    return TSR_REFUSED;
  for (int i = 0; i < count; i++) {
    *trial = TSR_GROW(a, *trial, *trials, capacity);
    add_group(&k, g, inputs, &group[i], &(*trial)[(*trials)++]);
  }
  return TSR_OK;
}
