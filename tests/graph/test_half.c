/* SPDX-License-Identifier: Apache-2.0 */
/* Every op of f16 and bf16 is that of f32, rounded once: the nodes of ONNX's conformance tests, made of
 * halves, against the same of f32 on the same numbers. To the bit. */
#include <dirent.h>

#include "tests/graph/halves.h"

struct all {
  int compared;
  bool seen[TSR_GOP_COUNT];
};

/* Runs the only node of a model on recorded inputs rounded to `half`, as `dtype`. */
static bool run_node(struct tsr_arena *a, const char *model, const struct recorded *recorded,
                     int first, enum tsr_dtype half, enum tsr_dtype dtype, struct tsr_graph **g,
                     struct tsr_tensor *out)
{
  struct recorded run = *recorded;
  struct tsr_err err = {0};
  if (import_file(a, &err, model, g) || (*g)->inputs != run.inputs || (*g)->nodes != 1)
    return false;
  recorded_bind(*g, &run, first);
  make_halves(a, *g, &run, half, dtype);
  return !tsr_graph_infer(&err, *g) && !tsr_graph_verify(&err, *g) &&
         !tsr_graph_run(a, &err, *g, run.input, out, NULL, NULL);
}

static void compare(struct tsr_arena *a, const char *model, const struct tsr_tensor *found,
                    const struct tsr_tensor *wide)
{
  struct tsr_tensor expected = *wide;
  if (tsr_dtype_is_half(found->dtype))
    expected = halves_of(a, *wide, found->dtype, found->dtype);
  assert_int_equal(found->dtype, expected.dtype);
  if (tsr_tensor_bytes(found) && memcmp(found->data, expected.data, tsr_tensor_bytes(found)))
    fail_msg("%s of %s differs", model, tsr_dtype_name(found->dtype));
}

static bool try_model(struct tsr_arena *a, struct all *all, const char *model,
                      const struct recorded *run, int first, enum tsr_dtype half)
{
  struct tsr_tensor found[MOST_TENSORS], wide[MOST_TENSORS];
  struct tsr_graph *g, *h;
  if (!run_node(a, model, run, first, half, half, &g, found) ||
      !run_node(a, model, run, first, half, TSR_F32, &h, wide))
    return false;
  for (int k = 0; k < g->outputs; k++)
    compare(a, model, &found[k], &wide[k]);
  bool takes = g->outputs && tsr_dtype_is_half(found[0].dtype);
  for (int k = 0; k < g->node[0]->inputs; k++)
    takes |= g->node[0]->in[k] && tsr_dtype_is_half(g->node[0]->in[k]->dtype);
  all->seen[g->node[0]->op] |= takes;
  all->compared += takes;
  return true;
}

static void one_model(struct all *all, const char *name)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct recorded run;
  struct tsr_err err = {0};
  char *folder = tsr_arena_printf(a, "%s/node/%s", TESSERA_ONNX_TESTDATA, name);
  char *model = tsr_arena_printf(a, "%s/model.onnx", folder);
  char *data = tsr_arena_printf(a, "%s/test_data_set_0", folder);
  bool is_recorded = !access(data, R_OK) && !recorded_read(a, &err, data, &run);
  for (enum tsr_dtype half = TSR_F16; half <= TSR_BF16 && is_recorded; half++)
    if (!try_model(a, all, model, &run, MOST_TENSORS, half) &&
        !try_model(a, all, model, &run, 1, half))
      try_model(a, all, model, &run, 0, half);
  tsr_arena_free(a);
}

static void all_ops(void **state)
{
  struct all all = {0};
  (void)state;
  DIR *dir = opendir(TESSERA_ONNX_TESTDATA "/node");
  if (!dir) {
    printf("skipped: there is no Debian package libonnx-testdata\n");
    skip();
  }
  for (struct dirent *e; (e = readdir(dir));)
    if (!strncmp(e->d_name, "test_", 5))
      one_model(&all, e->d_name);
  closedir(dir);
  int ops = 0;
  for (int op = 0; op < TSR_GOP_COUNT; op++)
    ops += all.seen[op];
  for (int op = 0; op <= TSR_G_Xor; op++)
    if (!all.seen[op])
      printf("not among them: %s\n", tsr_gop_name((enum tsr_gop)op));
  printf("%d nodes of %d ops\n", all.compared, ops);
  assert_int_equal(all.compared, 694);
  assert_int_equal(ops, 76);
}

/* A Cast of f64 rounds once: by way of f32 this would be a tie, and go down. */
static void casts_round_once(void **state)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = tsr_graph_new(a, "t");
  struct tsr_err err = {0};
  double x = 1 + 0x1p-11 + 0x1p-40;
  struct tsr_tensor in = {.dtype = TSR_F64, .data = &x}, out;
  (void)state;
  struct tsr_node *n = tsr_graph_node(g, TSR_G_Cast, "c", 1, 1);
  n->in[0] = tsr_graph_input(g, "x", TSR_F64, 0, NULL);
  tsr_node_set_int(g, n, "to", tsr_dtype_onnx(TSR_F16));
  tsr_node_set_output(n, 0, tsr_graph_value(g, "y"));
  tsr_graph_output(g, n->out[0]);
  assert_int_equal(tsr_graph_infer(&err, g), TSR_OK);
  assert_int_equal(tsr_graph_run(a, &err, g, &in, &out, NULL, NULL), TSR_OK);
  assert_int_equal(*(uint16_t *)out.data, 0x3c01);
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_ops), cmocka_unit_test(casts_round_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
