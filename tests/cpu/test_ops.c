/* SPDX-License-Identifier: Apache-2.0 */
/* Every op of the graph at every level of this machine. The integer ops of the accelerator are in
 * test_networks.c. */
#include "tests/cpu/each_op.h"

static int compare(struct tsr_arena *a, int trials, const struct trial *trial)
{
  return compare_all(a, trials, trial, 1e-5);
}

static void all_ops(void **state)
{
  (void)state;
  each_op(compare);
}

struct all {
  struct tsr_arena *a;
  struct trial *trial;
  int trials;
  size_t capacity;
  double off[TSR_GOP_COUNT]; /* how far f32 results are from float64 */
};

/* Sums of more terms than the conformance tests have, and what those lack. */
static const char *const long_sums[] = {
    "input x f32[1,512,7,7]\ninput w f32[16,512,3,3]\ninput b f32[16]\n"
    "node n Conv (x, w, b) -> (y ?) kernel_shape=[3,3] pads=[1,1,1,1]\n",
    "input x f32[5,3072]\ninput w f32[3072,48]\ninput b f32[48]\nnode n Gemm (x, w, b) -> (y ?)\n",
    "input x f32[3,2,7,1024]\ninput w f32[3,2,1024,17]\nnode n MatMul (x, w) -> (y ?)\n",
    "input x f32[7,768]\ninput w f32[768]\ninput b f32[768]\n"
    "node n LayerNormalization (x, w, b) -> (y ?) axis=-1\n",
    "input x f32[9,4099]\nnode n Softmax (x) -> (y ?) axis=-1\n",
    "input x f32[3,64,4099]\nnode n ReduceMean (x) -> (y ?) axes=[2] keepdims=0\n",
    "input x f32[1,32,56,56]\nnode n GlobalAveragePool (x) -> (y ?)\n",
};

static void add_text(struct all *all, const char *lines)
{
  struct tsr_err err = {0};
  struct tsr_graph *g;
  char *text = tsr_arena_printf(all->a, "graph \"g\"\n%soutput y\nend\n", lines);
  if (tsr_graph_parse(all->a, &err, "g", text, &g) || tsr_graph_infer(&err, g))
    fail_msg("%s", err.text);
  struct tsr_tensor *input = TSR_NEW_ARRAY(all->a, struct tsr_tensor, g->inputs);
  for (int k = 0; k < g->inputs; k++) {
    input[k] = tsr_value_tensor(g->input[k]);
    int64_t n = tsr_count(input[k].dims, input[k].rank, 1);
    float *x = input[k].data = tsr_arena_alloc(all->a, (size_t)n * sizeof *x);
    uint32_t state = 1 + (uint32_t)k;
    for (int64_t i = 0; i < n; i++, state = state * 1664525u + 1013904223u)
      x[i] = (float)(int32_t)state / 2147483648.0f;
  }
  if (add_nodes(all->a, &err, g, input, &all->trial, &all->trials, &all->capacity, NULL, all->off))
    fail_msg("%s", err.text);
}

static void sums_of_many_terms(void **state)
{
  struct all all = {.a = tsr_arena_new(NULL)};
  (void)state;
  for (size_t k = 0; k < sizeof long_sums / sizeof *long_sums; k++)
    add_text(&all, long_sums[k]);
  int bad = compare_all(all.a, all.trials, all.trial, 1e-5);
  print_off(all.off);
  tsr_arena_free(all.a);
  assert_int_equal(all.trials, sizeof long_sums / sizeof *long_sums);
  assert_int_equal(bad, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_ops),
                                     cmocka_unit_test(sums_of_many_terms)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
