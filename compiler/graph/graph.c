/* SPDX-License-Identifier: Apache-2.0 */
/* Building and editing graphs. */
#include <assert.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

static const char *const gop_names[] = {
#define TSR_GOP(name, least, most, outputs, meaning) #name,
#include "compiler/graph/ops.def"
#undef TSR_GOP
};

const char *tsr_gop_name(enum tsr_gop op)
{
  return gop_names[op];
}

bool tsr_gop_is_view(enum tsr_gop op)
{
  return op == TSR_G_Reshape || op == TSR_G_Flatten || op == TSR_G_Squeeze ||
         op == TSR_G_Unsqueeze || op == TSR_G_Identity;
}

bool tsr_gop_from_name(const char *name, enum tsr_gop *out)
{
  for (int i = 0; i < TSR_GOP_COUNT; i++)
    if (!strcmp(gop_names[i], name)) {
      *out = (enum tsr_gop)i;
      return true;
    }
  return false;
}

struct tsr_graph *tsr_graph_new(struct tsr_arena *a, const char *name)
{
  struct tsr_graph *g = TSR_NEW(a, struct tsr_graph);
  g->arena = a;
  g->name = tsr_arena_strdup(a, name);
  g->value_names = tsr__names_new(a);
  g->node_names = tsr__names_new(a);
  return g;
}

struct tsr_value *tsr_graph_value(struct tsr_graph *g, const char *name)
{
  struct tsr_value *v = TSR_NEW(g->arena, struct tsr_value);
  v->name = tsr__names_add(g->value_names, name, v);
  g->value = TSR_GROW(g->arena, g->value, g->values, &g->value_capacity);
  g->value[g->values++] = v;
  return v;
}

static struct tsr_value *typed_value(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                     int rank, const int64_t *dims)
{
  struct tsr_value *v = tsr_graph_value(g, name);
  assert(rank >= 0 && rank <= TSR_MAX_RANK);
  v->typed = true;
  v->dtype = dtype;
  v->rank = rank;
  if (rank)
    memcpy(v->dims, dims, (size_t)rank * sizeof *dims);
  return v;
}

struct tsr_value *tsr_graph_input(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                  int rank, const int64_t *dims)
{
  struct tsr_value *v = typed_value(g, name, dtype, rank, dims);
  g->input = TSR_GROW(g->arena, g->input, g->inputs, &g->input_capacity);
  g->input[g->inputs++] = v;
  return v;
}

struct tsr_value *tsr_graph_constant(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                     int rank, const int64_t *dims, const void *data)
{
  struct tsr_value *v = typed_value(g, name, dtype, rank, dims);
  assert(data);
  v->data = data;
  return v;
}

void tsr_graph_output(struct tsr_graph *g, struct tsr_value *v)
{
  g->output = TSR_GROW(g->arena, g->output, g->outputs, &g->output_capacity);
  g->output[g->outputs++] = v;
}

struct tsr_node *tsr_graph_node(struct tsr_graph *g, enum tsr_gop op, const char *name, int inputs,
                                int outputs)
{
  struct tsr_node *n = TSR_NEW(g->arena, struct tsr_node);
  n->op = op;
  n->asked = tsr_arena_strdup(g->arena, name && *name ? name : tsr_gop_name(op));
  n->name = tsr__names_add(g->node_names, n->asked, n);
  n->inputs = inputs;
  n->outputs = outputs;
  n->in = TSR_NEW_ARRAY(g->arena, struct tsr_value *, inputs);
  n->out = TSR_NEW_ARRAY(g->arena, struct tsr_value *, outputs);
  g->node = TSR_GROW(g->arena, g->node, g->nodes, &g->node_capacity);
  g->node[g->nodes++] = n;
  return n;
}

void tsr_node_set_output(struct tsr_node *n, int k, struct tsr_value *v)
{
  assert(k < n->outputs && (!v || !v->data));
  n->out[k] = v;
  if (v)
    v->producer = n;
}

int tsr_graph_uses(const struct tsr_graph *g, const struct tsr_value *v)
{
  int uses = 0;
  for (int i = 0; i < g->nodes; i++)
    for (int k = 0; k < g->node[i]->inputs; k++)
      uses += g->node[i]->in[k] == v;
  for (int i = 0; i < g->outputs; i++)
    uses += g->output[i] == v;
  return uses;
}

void tsr_graph_replace(struct tsr_graph *g, struct tsr_value *old, struct tsr_value *now)
{
  for (int i = 0; i < g->nodes; i++)
    for (int k = 0; k < g->node[i]->inputs; k++)
      if (g->node[i]->in[k] == old)
        g->node[i]->in[k] = now;
  for (int i = 0; i < g->outputs; i++)
    if (g->output[i] == old)
      g->output[i] = now;
}

struct tsr_tensor tsr_value_tensor(const struct tsr_value *v)
{
  struct tsr_tensor t = {.dtype = v->dtype, .rank = v->rank, .data = (void *)v->data};
  memcpy(t.dims, v->dims, sizeof t.dims);
  return t;
}
