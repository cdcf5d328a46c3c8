/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that are computed together, at every level of this machine. */
#include "tests/accel/random_net.h"
#include "tests/cpu/graph_rig.h"
#include "tests/graph/group_rows.h"

struct all {
  struct tsr_arena *a;
  struct trial *trial;
  int trials;
  size_t capacity;
};

static struct tsr_graph *graph_of(struct tsr_arena *a, const char *lines)
{
  struct tsr_err err = {0};
  struct tsr_graph *g;
  const char *text = tsr_arena_printf(a, "graph t\n%send\n", lines);
  if (tsr_graph_parse(a, &err, "t.graph", text, &g) || tsr_graph_infer(&err, g))
    fail_msg("%s", err.text);
  return g;
}

/* Floats from -4 to 4, integers of any value. */
static void fill(struct tsr_arena *a, const struct tsr_graph *g, uint64_t *seed,
                 struct tsr_tensor *inputs)
{
  for (int k = 0; k < g->inputs; k++) {
    struct tsr_tensor *t = &inputs[k];
    *t = tsr_value_tensor(g->input[k]);
    t->data = tsr_arena_alloc(a, tsr_tensor_bytes(t) + 1);
    for (int64_t i = 0; i < tsr_tensor_count(t); i++)
      if (t->dtype == TSR_F32)
        ((float *)t->data)[i] = (float)(int32_t)(next_random(seed) << 8) * 0x1p-29f;
      else
        ((int8_t *)t->data)[i] = (int8_t)next_random(seed);
  }
}

static void add_graph(struct all *all, struct tsr_graph *g, uint64_t *seed)
{
  struct tsr_err err = {0};
  struct tsr_tensor *inputs = TSR_NEW_ARRAY(all->a, struct tsr_tensor, g->inputs);
  fill(all->a, g, seed, inputs);
  if (add_groups(all->a, &err, g, inputs, &all->trial, &all->trials, &all->capacity))
    fail_msg("%s", err.text);
}

static void rows(void **state)
{
  struct all all = {.a = *state};
  uint64_t seed = 7;
  for (size_t i = 0; i < sizeof group_rows / sizeof group_rows[0]; i++)
    add_graph(&all,
              graph_of(all.a, tsr_arena_printf(all.a, "%s%s", group_values, group_rows[i].lines)),
              &seed);
  assert_int_equal(compare_all(all.a, all.trials, all.trial, 1e-5), 0);
}

/* Maps of all sizes, so that tiles end within rows, channels and maps, with a tail behind them. */
static void sizes(void **state)
{
  struct all all = {.a = *state};
  uint64_t seed = 9;
  for (int size = 1; size <= 41; size += 1 + size / 8)
    add_graph(
        &all,
        graph_of(all.a, tsr_arena_printf(all.a,
                                         "input x f32[2,%d,%d,5]\ninput w f32[%d,%d,3,3]\n"
                                         "input b f32[%d]\ninput z f32[2,%d,%d,5]\n"
                                         "node c Conv (x, w, b) -> (a ?) pads=[1,1,1,1]\n"
                                         "node s Sigmoid (a) -> (e ?)\nnode m Mul (e, a) -> (f ?)\n"
                                         "node p Add (f, z) -> (y ?)\noutput y\n",
                                         3, size, size, 3, size, size, size)),
        &seed);
  assert_int_equal(compare_all(all.a, all.trials, all.trial, 1e-5), 0);
}

static struct tsr_graph *net_of(struct tsr_arena *a, struct random r, enum net_kind kind)
{
  struct tsr_err err = {0};
  struct tsr_graph *g = random_net(a, &r, kind);
  if (tsr_graph_optimize(&err, g, NULL, NULL))
    fail_msg("%s", err.text);
  return g;
}

/* Another layout gives the same bits. */
static void compare_layouts(struct tsr_arena *a, const struct tsr_graph *g,
                            const struct tsr_graph *h, uint64_t *seed)
{
  struct tsr_err err = {0};
  struct tsr_tensor x, y, z;
  fill(a, g, seed, &x);
  if (tsr_graph_run(a, &err, g, &x, &y, NULL, NULL) ||
      tsr_graph_run(a, &err, h, &x, &z, NULL, NULL))
    fail_msg("%s", err.text);
  assert_memory_equal(y.data, z.data, tsr_tensor_bytes(&y));
}

static void random_networks(void **state)
{
  static const struct tsr_layout layouts[] = {{16, 128, false}, {0, 0, false}};
  struct all all = {.a = *state};
  uint64_t seed = 11;
  int together = 0;
  for (int k = 0; k < 9 * NET_KINDS; k++) {
    struct random r = {4321 + (uint64_t)k / 3};
    struct tsr_err err = {0};
    enum net_kind kind = (enum net_kind)(k / 3 % NET_KINDS);
    struct tsr_graph *g = net_of(all.a, r, kind), *h = net_of(all.a, r, kind);
    if (k % 3 && tsr_graph_block(&err, h, &layouts[k % 3 - 1]))
      fail_msg("%s", err.text);
    compare_layouts(all.a, g, h, &seed);
    add_graph(&all, h, &seed);
  }
  assert_int_equal(compare_all(all.a, all.trials, all.trial, 1e-5), 0);
  for (int k = 0; k < all.trials; k++)
    together += strchr(all.trial[k].func->name, '_') != NULL;
  assert_true(together > 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(rows),
      IN_ARENA(sizes),
      IN_ARENA(random_networks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
