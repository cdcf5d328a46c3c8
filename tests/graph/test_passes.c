/* SPDX-License-Identifier: Apache-2.0 */
/* Each pass on small graphs: what is left after all of them, and that it computes the same. */
#include "tests/graph/test_graph.h"

static const struct row {
  const char *name, *lines, *ops;
  double tolerance;
} rows[] = {
    {"constants",
     "input x f32[2]\nconst a f32[2] {1.0, 2.0}\nconst b f32[2] {3.0, 4.0}\n"
     "node m Mul (a, b) -> (c ?)\nnode e Exp (c) -> (d ?)\nnode n Add (x, d) -> (y ?)\noutput y\n",
     "Add 1", 0},
    {"an output that is a constant",
     "input x f32[2]\nconst a f32[2] {1.0, 2.0}\nnode m Neg (a) -> (y ?)\n"
     "output y\n",
     "", 0},
    {"shape arithmetic",
     "input x f32[2,3,4]\nconst i i64[1] {0}\nconst m i64[1] {-1}\nnode s Shape (x) -> (s ?)\n"
     "node g Gather (s, i) -> (n ?)\nnode j Concat (n, m) -> (d ?) axis=0\n"
     "node r Reshape (x, d) -> (y ?)\noutput y\n",
     "Reshape 1", 0},
    {"rows of a constant that an input picks",
     "input i i64[2]\nconst one i64[] {1}\nconst t f32[2,2] {1.0, 2.0, 3.0, 4.0}\nconst lo i64[] "
     "{0}\n"
     "node c Clip (i, lo, one) -> (c ?)\nnode g Gather (t, c) -> (y ?)\noutput y\n",
     "Clip 1 Gather 1", 0},
    {"copies",
     "input x f32[2,3]\nconst s i64[2] {2, 3}\nconst st i64[1] {0}\nconst e i64[1] {99}\nnode a "
     "Identity (x) -> (a ?)\n"
     "node b Reshape (a, s) -> (b ?)\nnode c Cast (b) -> (c ?) to=1\nnode d Slice (c, st, e) -> (d "
     "?)\n"
     "node t Transpose (d) -> (t ?) perm=[0,1]\nnode r Relu (t) -> (y ?)\noutput y\n",
     "Relu 1", 0},
    {"a slice that turns around is no copy",
     "input x f32[3]\nconst st i64[1] {-1}\nconst e i64[1] {-9}\nconst a i64[1] {0}\nconst s "
     "i64[1] {-1}\n"
     "node d Slice (x, st, e, a, s) -> (y ?)\noutput y\n",
     "Slice 1", 0},
    {"an input that is an output", "input x f32[3]\nnode i Identity (x) -> (y ?)\noutput y\n",
     "Identity 1", 0},
    {"equal nodes and equal constants",
     "input x f32[2]\nconst a f32[] {2.0}\nconst b f32[] {2.0}\nnode m Mul (x, a) -> (c ?)\n"
     "node n Mul (x, b) -> (d ?)\nnode p Sub (c, d) -> (y ?)\noutput y\n",
     "Mul 1 Sub 1", 0},
    {"different attributes are not equal",
     "input x f32[2]\nnode m LeakyRelu (x) -> (c ?) alpha=0.1\nnode n LeakyRelu (x) -> (d ?) "
     "alpha=0.2\n"
     "node p Sub (c, d) -> (y ?)\noutput y\n",
     "LeakyRelu 2 Sub 1", 0},
    {"two equal outputs",
     "input x f32[2]\nnode m Exp (x) -> (y ?)\nnode n Exp (x) -> (z ?)\n"
     "output y\noutput z\n",
     "Exp 1 Identity 1", 0},
    {"dead nodes", "input x f32[2]\nnode a Exp (x) -> (a ?)\nnode b Neg (x) -> (y ?)\noutput y\n",
     "Neg 1", 0},
    {"batch norm behind Conv",
     "input x f32[1,2,4,4]\nconst w f32[3,2,1,1] {1.0, -2.0, 0.5, 1.5, 2.0, 3.0}\nconst b f32[3] "
     "{1.0, 2.0, 3.0}\n"
     "const s f32[3] {0.5, -1.0, 2.0}\nconst m f32[3] {0.1, 0.2, 0.3}\nconst v f32[3] {1.0, 4.0, "
     "0.25}\n"
     "node c Conv (x, w, b) -> (c ?)\nnode n BatchNormalization (c, s, b, m, v) -> (y ?) "
     "epsilon=0.001\n"
     "output y\n",
     "Conv 1", 1e-4},
    {"batch norm behind grouped Conv without bias",
     "input x f32[1,2,4,4]\nconst w f32[2,1,1,1] {1.0, -2.0}\nconst s f32[2] {0.5, -1.0}\n"
     "const v f32[2] {1.0, 4.0}\nnode c Conv (x, w) -> (c ?) group=2\n"
     "node n BatchNormalization (c, s, s, v, v) -> (y ?)\noutput y\n",
     "Conv 1", 1e-4},
    {"batch norm behind Gemm",
     "input x f32[4,2]\nconst w f32[2,3] {1.0, -2.0, 0.5, 1.5, 2.0, 3.0}\nconst b f32[3] {1.0, "
     "2.0, 3.0}\n"
     "node c Gemm (x, w, b) -> (c ?) alpha=0.5 beta=2.0\n"
     "node n BatchNormalization (c, b, b, b, b) -> (y ?)\noutput y\n",
     "Gemm 1", 1e-4},
    {"batch norm alone",
     "input x f32[2,3,4,4]\nconst b f32[3] {1.0, 2.0, 3.0}\n"
     "node n BatchNormalization (x, b, b, b, b) -> (y ?)\noutput y\n",
     "Add 1 Mul 1", 1e-4},
    {"batch norm of a Conv that something else reads",
     "input x f32[1,3,4,4]\nconst w f32[3,1,1,1] {1.0, 2.0, 3.0}\nconst b f32[3] {1.0, 2.0, 3.0}\n"
     "node c Conv (x, w) -> (c ?) group=3\nnode n BatchNormalization (c, b, b, b, b) -> (y ?)\n"
     "output y\noutput c\n",
     "Add 1 Conv 1 Mul 1", 1e-4},
    {"bias of Conv",
     "input x f32[1,3,4,4]\nconst w f32[3,1,1,1] {1.0, 2.0, 3.0}\nconst b f32[3,1,1] {1.0, 2.0, "
     "3.0}\n"
     "node c Conv (x, w) -> (c ?) group=3\nnode n Add (b, c) -> (y ?)\noutput y\n",
     "Conv 1", 1e-5},
    {"no bias: one number for each column",
     "input x f32[1,3,4,3]\nconst w f32[3,1,1,1] {1.0, 2.0, 3.0}\nconst b f32[3] {1.0, 2.0, 3.0}\n"
     "node c Conv (x, w) -> (c ?) group=3\nnode n Add (b, c) -> (y ?)\noutput y\n",
     "Add 1 Conv 1", 0},
    {"bias of MatMul",
     "input x f32[4,2]\nconst w f32[2,3] {1.0, -2.0, 0.5, 1.5, 2.0, 3.0}\nconst b f32[3] {1.0, "
     "2.0, 3.0}\n"
     "node c MatMul (x, w) -> (c ?)\nnode n Add (c, b) -> (y ?)\noutput y\n",
     "Gemm 1", 1e-5},
    {"padding",
     "input x f32[1,1,4,4]\nconst w f32[1,1,2,2] {1.0, 2.0, 3.0, 4.0}\nconst p i64[8] {0, 0, 1, 2, "
     "0, 0, 0, 1}\n"
     "node p Pad (x, p) -> (p2 ?)\nnode c Conv (p2, w) -> (y ?) pads=[1,0,0,0] "
     "strides=[2,1]\noutput y\n",
     "Conv 1", 0},
    {"padding with ones",
     "input x f32[1,1,4,4]\nconst w f32[1,1,2,2] {1.0, 2.0, 3.0, 4.0}\nconst p i64[8] {0, 0, 1, 2, "
     "0, 0, 0, 1}\n"
     "const one f32[] {1.0}\nnode p Pad (x, p, one) -> (p2 ?)\nnode c Conv (p2, w) -> (y "
     "?)\noutput y\n",
     "Conv 1 Pad 1", 0},
    {"padding by reflection",
     "input x f32[1,1,4,4]\nconst w f32[1,1,2,2] {1.0, 2.0, 3.0, 4.0}\nconst p i64[8] {0, 0, 1, 1, "
     "0, 0, 0, 1}\n"
     "node p Pad (x, p) -> (p2 ?) mode=\"reflect\"\nnode c Conv (p2, w) -> (y ?)\noutput y\n",
     "Conv 1 Pad 1", 0},
    {"transposes that cancel",
     "input x f32[2,3,4]\nnode a Transpose (x) -> (a ?) perm=[1,2,0]\nnode b Relu (a) -> (b ?)\n"
     "node c Transpose (b) -> (y ?) perm=[2,0,1]\noutput y\n",
     "Relu 1", 0},
    {"transposes that become one",
     "input x f32[2,3,4]\nnode a Transpose (x) -> (a ?) perm=[1,2,0]\n"
     "node c Transpose (a) -> (y ?) perm=[1,0,2]\noutput y\n",
     "Transpose 1", 0},
    {"a transpose of one row, and reshapes in a row",
     "input x f32[1,3,1,4]\nconst s i64[1] {12}\nnode a Transpose (x) -> (a ?) perm=[0,2,1,3]\n"
     "node b Flatten (a) -> (b ?)\nnode c Reshape (b, s) -> (y ?)\noutput y\n",
     "Reshape 1", 0},
};

static void each_row(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *before = graph_of(a, rows[i].lines), *g = graph_of(a, rows[i].lines);
    struct tsr_tensor inputs[4];
    struct tsr_err err = {0};
    uint64_t seed = i;
    if (tsr_graph_optimize(&err, g, NULL, NULL))
      fail_msg("%s: %s", rows[i].name, err.text);
    if (strcmp(ops_of(a, g), rows[i].ops))
      fail_msg("%s: %s, not %s", rows[i].name, ops_of(a, g), rows[i].ops);
    random_inputs(a, before, &seed, 4, inputs);
    double difference = largest_difference(a, before, g, inputs);
    if (difference > rows[i].tolerance)
      fail_msg("%s: results differ by %g", rows[i].name, difference);
    for (int k = 0; k < g->outputs; k++)
      assert_string_equal(g->output[k]->name, before->output[k]->name);
    tsr_arena_free(a);
  }
}

struct seen {
  int passes;
  char names[64][32];
};

static void note(void *context, const char *pass, const struct tsr_graph *g)
{
  struct seen *s = context;
  snprintf(s->names[s->passes++], sizeof s->names[0], "%s", pass);
  assert_int_equal(tsr_graph_verify(NULL, g), TSR_OK);
}

static void every_pass_runs_in_order(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct seen seen = {0};
  struct tsr_graph *g = graph_of(a, rows[0].lines);
  assert_int_equal(tsr_graph_optimize(NULL, g, note, &seen), TSR_OK);
  for (int i = 0; i < seen.passes; i++) {
    assert_string_equal(seen.names[i], tsr_passes()[i].name);
    assert_true(strlen(tsr_passes()[i].meaning) > 10);
  }
  assert_null(tsr_passes()[seen.passes].name);
  tsr_arena_free(a);
}

static void a_second_run_changes_nothing(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *g = graph_of(a, rows[i].lines);
    assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
    const char *once = ops_of(a, g);
    assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
    assert_string_equal(ops_of(a, g), once);
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_row),
      cmocka_unit_test(every_pass_runs_in_order),
      cmocka_unit_test(a_second_run_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
