/* SPDX-License-Identifier: Apache-2.0 */
/* Every op of the graph at every level of this machine, of f32 and of halves: the nodes of ONNX's own conformance tests
 * (Debian's libonnx-testdata). The integer ops of the accelerator are in test_networks.c. */
#include <dirent.h>
#include <unistd.h>

#include "tests/cpu/graph_rig.h"
#include "tests/graph/halves.h"

enum { BATCH = 64 };

struct all {
  struct tsr_arena *a; /* of one batch */
  struct trial *trial;
  int trials, total, bad;
  size_t capacity;
  bool seen[TSR_GOP_COUNT];
  double off[TSR_GOP_COUNT]; /* how far f32 results are from float64 */
};

static void run_batch(struct all *all, int least)
{
  if (all->trials < least)
    return;
  all->bad += compare_all(all->a, all->trials, all->trial, 1e-5);
  all->total += all->trials;
  tsr_arena_free(all->a);
  all->a = tsr_arena_new(NULL);
  all->trial = NULL;
  all->trials = 0;
  all->capacity = 0;
}

/* Inputs from `first` on become constants; where `half` is f16 or bf16, floats become such. */
static bool try_model(struct all *all, const char *model, const struct recorded *recorded,
                      int first, enum tsr_dtype half)
{
  struct recorded run = *recorded;
  struct tsr_err err = {0};
  struct tsr_graph *g;
  if (import_file(all->a, &err, model, &g) || g->inputs != run.inputs)
    return false;
  recorded_bind(g, &run, first);
  if (tsr_dtype_is_half(half))
    make_halves(all->a, g, &run, half, half);
  if (tsr_graph_infer(&err, g) || tsr_graph_verify(&err, g))
    return false;
  return !add_nodes(all->a, &err, g, run.input, &all->trial, &all->trials, &all->capacity,
                    all->seen, all->off);
}

static void one_model(struct all *all, const char *folder)
{
  struct recorded run;
  struct tsr_err err = {0};
  char *data = tsr_arena_printf(all->a, "%s/test_data_set_0", folder);
  char *model = tsr_arena_printf(all->a, "%s/model.onnx", folder);
  if (access(data, R_OK) || recorded_read(all->a, &err, data, &run))
    return;
  for (enum tsr_dtype d = TSR_F16; d <= TSR_F32; d++)
    if (!try_model(all, model, &run, MOST_TENSORS, d) && !try_model(all, model, &run, 1, d))
      try_model(all, model, &run, 0, d);
  run_batch(all, BATCH);
}

static const char *const suites[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};

static void print_off(const struct all *all)
{
  for (int op = 0; op < TSR_GOP_COUNT; op++)
    if (all->off[op] > 0)
      printf("f32 of %s: off from float64 by %.1e of the norm at most\n",
             tsr_gop_name((enum tsr_gop)op), all->off[op]);
}

static void all_ops(void **state)
{
  struct all all = {.a = tsr_arena_new(NULL)};
  (void)state;
  if (access(TESSERA_ONNX_TESTDATA "/node", R_OK)) {
    printf("skipped: there is no Debian package libonnx-testdata\n");
    skip();
  }
  for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TESSERA_ONNX_TESTDATA, suites[s]);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));)
      if (!strncmp(e->d_name, "test_", 5)) {
        snprintf(path, sizeof path, "%s/%s/%s", TESSERA_ONNX_TESTDATA, suites[s], e->d_name);
        one_model(&all, path);
      }
    if (dir)
      closedir(dir);
  }
  run_batch(&all, 1);
  int unseen = 0;
  for (int op = 0; op < TSR_GOP_COUNT; op++)
    if (!all.seen[op]) {
      printf("not among them: %s\n", tsr_gop_name((enum tsr_gop)op));
      unseen++;
    }
  printf("%d nodes, %d differ, %d ops are not among them\n", all.total, all.bad, unseen);
  print_off(&all);
  tsr_arena_free(all.a);
  assert_int_equal(all.bad, 0);
}

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
  run_batch(&all, 1);
  print_off(&all);
  tsr_arena_free(all.a);
  assert_int_equal(all.total, sizeof long_sums / sizeof *long_sums);
  assert_int_equal(all.bad, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_ops),
                                     cmocka_unit_test(sums_of_many_terms)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
