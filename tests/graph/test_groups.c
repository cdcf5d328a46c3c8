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

/* Runs all nodes, then each group. */
static void compare_groups(struct tsr_arena *a, const char *name, const struct tsr_graph *g,
                           const struct tsr_group *group, int groups, uint64_t *seed)
{
  struct tsr_err err = {0};
  struct tsr_tensor *inputs = TSR_NEW_ARRAY(a, struct tsr_tensor, g->inputs);
  struct tsr_tensor *outputs = TSR_NEW_ARRAY(a, struct tsr_tensor, g->outputs);
  struct values k = {a, tsr__map_new(a)};
  random_inputs(a, g, seed, 4, inputs);
  for (int n = 0; n < g->inputs; n++)
    tsr__map_put(k.data, g->input[n], inputs[n].data);
  if (tsr_graph_run(a, &err, g, inputs, outputs, keep, &k))
    fail_msg("%s: %s", name, err.text);
  for (int n = 0; n < groups; n++)
    compare_group(name, &k, &group[n]);
}

static void rows_group(void **state)
{
  struct tsr_arena *a = *state;
  uint64_t seed = 1;
  for (size_t i = 0; i < sizeof group_rows / sizeof group_rows[0]; i++) {
    int groups;
    struct tsr_graph *g =
        graph_of(a, tsr_arena_printf(a, "%s%s", group_values, group_rows[i].lines));
    struct tsr_group *group = tsr_graph_groups(a, g, TSR_FUSE_POINTS, &groups);
    const char *text = groups_text(a, group, groups);
    if (strcmp(text, group_rows[i].groups))
      fail_msg("%s: '%s' where '%s' is expected", group_rows[i].name, text, group_rows[i].groups);
    compare_groups(a, group_rows[i].name, g, group, groups, &seed);
  }
}

/* Every node is in one group, behind whatever makes what it reads. */
static void check_order(struct tsr_arena *a, const struct tsr_graph *g,
                        const struct tsr_group *group, int groups)
{
  struct tsr__map *made = tsr__map_new(a);
  int nodes = 0;
  for (int k = 0; k < groups; k++) {
    int inputs;
    struct tsr_value **in = tsr_group_inputs(a, &group[k], &inputs);
    for (int i = 0; i < inputs; i++)
      assert_true(!in[i]->producer || tsr__map_get(made, in[i]));
    for (int n = 0; n < group[k].nodes; n++)
      tsr__map_put(made, group[k].node[n]->out[0], in);
    nodes += group[k].nodes;
  }
  assert_int_equal(nodes, g->nodes);
}

/* `line` with each "%" an input. */
static void add_line(struct tsr_text *text, const char *line, const char *const in[2])
{
  for (int i = 0; *line; line++)
    if (*line == '%')
      tsr_text_add(text, "%s", in[i++]);
    else
      tsr_text_add(text, "%c", *line);
}

/* Any graph of points, rows and others, each node reading what is there. */
static void any_graph(void **state)
{
  static const char *const lines[] = {
      "Relu (%)",      "Add (%, %)",          "Mul (%, %)", "Softmax (%)", "MatMul (%, %)",
      "Transpose (%)", "ReduceMax (%, last)", "Floor (%)",  "Sigmoid (%)"};
  uint64_t seed = 77;
  int together = 0;
  for (int n = 0; n < 150; n++) {
    struct tsr_arena *a = *state;
    struct tsr_text text = {.arena = a};
    int count = 3 + (int)(next_random(&seed) % 20), groups;
    tsr_text_add(&text, "input v0 f32[4,4]\nconst last i64[1] {-1}\n");
    for (int k = 1; k <= count; k++) {
      const char *in[2];
      for (int i = 0; i < 2; i++)
        in[i] = tsr_arena_printf(a, "v%d",
                                 k - 1 - (int)(next_random(&seed) % (uint64_t)(k < 4 ? k : 4)));
      const char *line = lines[next_random(&seed) % (sizeof lines / sizeof lines[0])];
      if (!strncmp(line, "Mat", 3) || !strncmp(line, "Tr", 2)) /* of what is whole */
        in[0] = in[1] = "v0";
      tsr_text_add(&text, "node n%d ", k);
      add_line(&text, line, in);
      tsr_text_add(&text, " -> (v%d ?)\n", k);
    }
    tsr_text_add(&text, "output v%d\n", count);
    struct tsr_graph *g = graph_of(a, text.data);
    struct tsr_group *group = tsr_graph_groups(a, g, TSR_FUSE_POINTS, &groups);
    check_order(a, g, group, groups);
    compare_groups(a, text.data, g, group, groups, &seed);
    together += groups < count;
  }
  assert_true(together > 75);
}

static void alone(void **state)
{
  struct tsr_arena *a = *state;
  int groups;
  struct tsr_graph *g = graph_of(a, tsr_arena_printf(a, "%s%s", group_values, group_rows[1].lines));
  struct tsr_group *group = tsr_graph_groups(a, g, TSR_FUSE_NOTHING, &groups);
  assert_string_equal(groups_text(a, group, groups), "Conv Add Add Clip");
}

/* What brings a map into its order belongs to the convolution that reads it, if no other node does. */
static void leads(void **state)
{
  static const char map[] = "input x f32[1,16,4,4]\nconst s i64[5] {1, 1, 16, 4, 4}\n"
                            "input w f32[1,3,3,16]\nnode n Neg (x) -> (a ?)\n"
                            "node r Reshape (a, s) -> (b ?)\n"
                            "node t Transpose (b) -> (e ?) perm=[0,1,3,4,2]\n"
                            "node c BlockedDepthwise (e, w) -> (f ?) pads=[1,1,1,1]\n"
                            "node u Relu (f) -> (y ?)\noutput y\n";
  static const struct {
    const char *more, *groups;
    int leads; /* of the last group */
  } cases[] = {
      {"", "Neg+Reshape+Transpose+BlockedDepthwise+Relu", 3},
      {"output a\n", "Neg Reshape+Transpose+BlockedDepthwise+Relu", 2},
      {"output e\n", "Neg Reshape Transpose BlockedDepthwise+Relu", 0},
      {"node z Exp (a) -> (g ?)\noutput g\n", "Neg Reshape+Transpose+BlockedDepthwise+Relu Exp", 0},
  };
  struct tsr_arena *a = *state;
  uint64_t seed = 5;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    int groups;
    struct tsr_graph *g = graph_of(a, tsr_arena_printf(a, "%s%s", map, cases[k].more));
    struct tsr_group *group = tsr_graph_groups(a, g, TSR_FUSE_LEADS, &groups);
    assert_string_equal(groups_text(a, group, groups), cases[k].groups);
    assert_int_equal(group[groups - 1].leads, cases[k].leads);
    check_order(a, g, group, groups);
    compare_groups(a, cases[k].groups, g, group, groups, &seed);
    group = tsr_graph_groups(a, g, TSR_FUSE_POINTS, &groups);
    for (int i = 0; i < groups; i++)
      assert_int_equal(group[i].leads, 0);
  }
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
  struct tsr_group *group = tsr_graph_groups(a, graph_of(a, text.data), TSR_FUSE_POINTS, &groups);
  assert_int_equal(groups, 3);
  assert_int_equal(group[0].nodes + group[1].nodes + group[2].nodes, 80);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(leads), IN_ARENA(rows_group), IN_ARENA(any_graph),
      IN_ARENA(alone), IN_ARENA(long_chain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
