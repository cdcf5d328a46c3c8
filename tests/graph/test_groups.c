/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes are computed together, and that they give the bits that they give one by one. */
#include "compiler/graph/graph_private.h"
#include "tests/graph/group_rows.h"
#include "tests/graph/test_graph.h"
#include "tests/base/in_arena.h"

static const char *groups_text(struct tsr_arena *a, const struct tsr_group *group, int groups)
{
  struct tsr_text text = {.arena = a};
  for (int k = 0; k < groups; k++)
    for (int n = 0; n < group[k].nodes; n++)
      tsr_text_add(&text, "%s%s", n ? "+" : k ? " " : "", tsr_gop_name(group[k].node[n]->op));
  return text.data;
}

/* --- bits ------------------------------------------------------------------------------------- */

struct values {
  struct tsr_arena *a;
  struct tsr__map *data;
};

static void keep(void *context, const struct tsr_value *v, const void *data)
{
  struct values *k = context;
  tsr__map_put(k->data, v, data);
}

static void *data_of(const struct values *k, const struct tsr_value *v)
{
  return (void *)(uintptr_t)(v->data ? v->data : tsr__map_get(k->data, v));
}

/* The group, given what its inputs were in the run of all nodes, computes what its last node did. */
static void compare_group(const char *row, const struct values *k, const struct tsr_group *group)
{
  struct tsr_err err = {0};
  struct tir_func *f;
  int inputs;
  struct tsr_value **in = tsr_group_inputs(k->a, group, &inputs);
  const struct tsr_value *out = group->node[group->nodes - 1]->out[0];
  struct tsr_tensor y = tsr_value_tensor(out);
  void *params[40];
  if (tsr_group_compute(k->a, &err, group, &f) || tir_func_verify(&err, f))
    fail_msg("%s: %s", row, err.text);
  assert_int_equal(f->inputs, inputs);
  for (int i = 0; i < inputs; i++)
    params[i] = data_of(k, in[i]);
  params[inputs] = tsr_arena_alloc(k->a, tsr_tensor_bytes(&y) + 1);
  if (tir_func_run(k->a, &err, f, params))
    fail_msg("%s: %s", row, err.text);
  if (memcmp(params[inputs], data_of(k, out), tsr_tensor_bytes(&y)))
    fail_msg("%s: %s differs\n%s", row, out->name, tir_func_print(k->a, f));
}

static void rows_group(void **state)
{
  struct tsr_arena *a = *state;
  uint64_t seed = 1;
  for (size_t i = 0; i < sizeof group_rows / sizeof group_rows[0]; i++) {
    struct tsr_err err = {0};
    int groups;
    struct tsr_graph *g =
        graph_of(a, tsr_arena_printf(a, "%s%s", group_values, group_rows[i].lines));
    struct tsr_tensor *inputs = TSR_NEW_ARRAY(a, struct tsr_tensor, g->inputs);
    struct tsr_tensor *outputs = TSR_NEW_ARRAY(a, struct tsr_tensor, g->outputs);
    struct values k = {a, tsr__map_new(a)};
    struct tsr_group *group = tsr_graph_groups(a, g, true, &groups);
    const char *text = groups_text(a, group, groups);
    if (strcmp(text, group_rows[i].groups))
      fail_msg("%s: '%s' where '%s' is expected", group_rows[i].name, text, group_rows[i].groups);
    random_inputs(a, g, &seed, 4, inputs);
    for (int n = 0; n < g->inputs; n++)
      tsr__map_put(k.data, g->input[n], inputs[n].data);
    if (tsr_graph_run(a, &err, g, inputs, outputs, keep, &k))
      fail_msg("%s: %s", group_rows[i].name, err.text);
    for (int n = 0; n < groups; n++)
      compare_group(group_rows[i].name, &k, &group[n]);
  }
}

static void alone(void **state)
{
  struct tsr_arena *a = *state;
  int groups;
  struct tsr_graph *g = graph_of(a, tsr_arena_printf(a, "%s%s", group_values, group_rows[1].lines));
  struct tsr_group *group = tsr_graph_groups(a, g, false, &groups);
  assert_string_equal(groups_text(a, group, groups), "Conv Add Add Clip");
}

/* A chain longer than a group: cut, and still the same bits. */
static void long_chain(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_text text = {.arena = a};
  int groups;
  tsr_text_add(&text, "input x f32[5]\n");
  for (int k = 0; k < 80; k++)
    tsr_text_add(&text, "node n%d Neg (%s) -> (v%d ?)\n", k,
                 k ? tsr_arena_printf(a, "v%d", k - 1) : "x", k);
  tsr_text_add(&text, "output v79\n");
  struct tsr_group *group = tsr_graph_groups(a, graph_of(a, text.data), true, &groups);
  assert_int_equal(groups, 3);
  assert_int_equal(group[0].nodes + group[1].nodes + group[2].nodes, 80);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(rows_group),
      IN_ARENA(alone),
      IN_ARENA(long_chain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
