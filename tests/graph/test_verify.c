/* SPDX-License-Identifier: Apache-2.0 */
/* What the verifier refuses, said as text or done to a graph by hand. */
#include "tests/graph/test_graph.h"

static const struct {
  const char *lines, *sentence;
} refused[] = {
    {"input x f32[2]\nnode n Relu (x, x) -> (y ?)\n",
     "node 'n' (Relu): it has 2 inputs; it takes 1 to 1"},
    {"input x f32[2]\nnode n Relu (-) -> (y ?)\n", "node 'n' (Relu): its input 0 is left out"},
    {"input x f32[2]\nnode n Sum (x, -) -> (y ?)\n", "node 'n' (Sum): its input 1 is left out"},
    {"input x f32[2]\nnode n Relu (x) -> (y ?, z ?)\n",
     "node 'n' (Relu): it has 2 outputs; it makes 1"},
    {"input x f32[2]\nnode n Relu (x) -> ()\n", "node 'n' (Relu): it has 0 outputs; it makes 1"},
    {"input x f32[2]\nnode n LeakyRelu (x) -> (y ?) alpa=1.0\n",
     "node 'n' (LeakyRelu): it has no attribute 'alpa'; did you mean 'alpha'?"},
    {"input x f32[2]\nnode n Relu (x) -> (y ?) zzz=1\n",
     "node 'n' (Relu): it has no attribute 'zzz'"},
    {"input x f32[2]\nnode n LeakyRelu (x) -> (y ?) alpha=1\n",
     "node 'n' (LeakyRelu): attribute 'alpha' must be a float, not an integer"},
    {"input x f32[2]\nnode n Cast (x) -> (y ?)\n", "node 'n' (Cast): it needs attribute 'to'"},
    {"input x f32[2]\nnode n Relu (x) -> (y f32[3])\n",
     "node 'n' (Relu): its output 'y' is f32 of shape 3; inference says f32 of 2"},
    {"input x f32[2]\nnode n Relu (x) -> (y i32[2])\n",
     "node 'n' (Relu): its output 'y' is i32 of shape 2; inference says f32 of 2"},
};

static void from_text(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *g;
    struct tsr_err err = {0};
    assert_int_equal(try_graph(a, &err, refused[i].lines, &g), TSR_REFUSED);
    assert_string_equal(err.text, refused[i].sentence);
    tsr_arena_free(a);
  }
}

static struct tsr_graph *two_nodes(struct tsr_arena *a)
{
  return graph_of(a, "input x f32[2]\nconst c f32[] {1.0}\nnode n Relu (x) -> (y ?)\n"
                     "node m Add (y, c) -> (z ?)\noutput z\n");
}

static void assert_refused(struct tsr_graph *g, const char *sentence)
{
  struct tsr_err err = {0};
  assert_int_equal(tsr_graph_verify(&err, g), TSR_REFUSED);
  assert_string_equal(err.text, sentence);
}

static void by_hand(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = two_nodes(a);
  struct tsr_node *swap = g->node[0];
  g->node[0] = g->node[1];
  g->node[1] = swap;
  assert_refused(g, "node 'm' (Add): its input 'y' is not made above it");
  tsr_graph_sort(g);
  assert_int_equal(tsr_graph_verify(NULL, g), TSR_OK);
  g->node[1]->out[0] = g->node[0]->out[0];
  assert_refused(g, "node 'm' (Add): it is not the producer of its output 'y'");
  g = two_nodes(a);
  g->output[0] = tsr_graph_value(g, "nothing");
  assert_refused(g, "output 'nothing' is made by no node");
  g = two_nodes(a);
  g->value[3]->name = "x";
  assert_refused(g, "two values are named 'x'");
  g = two_nodes(a);
  g->node[1]->name = "n";
  assert_refused(g, "two nodes are named 'n'");
  g = two_nodes(a);
  g->values--;
  assert_refused(g, "value 'z' is not in the graph's list of values");
  g = two_nodes(a);
  g->input[0]->dims[0] = -1;
  assert_refused(g, "dim -1 of value 'x' is negative");
  g = two_nodes(a);
  g->input[0] = g->node[0]->out[0];
  assert_refused(g, "node 'n' (Relu): its input 'x' is not made above it");
  tsr_arena_free(a);
}

static void editing(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = two_nodes(a);
  struct tsr_value *y = g->node[0]->out[0];
  assert_int_equal(tsr_graph_uses(g, y), 1);
  assert_int_equal(tsr_graph_uses(g, g->output[0]), 1);
  tsr_graph_replace(g, y, g->input[0]);
  assert_int_equal(tsr_graph_uses(g, y), 0);
  assert_int_equal(tsr_graph_uses(g, g->input[0]), 2);
  assert_string_equal(tsr_graph_value(g, "y")->name, "y.1");
  assert_string_equal(tsr_graph_value(g, "y")->name, "y.2");
  assert_string_equal(tsr_graph_node(g, TSR_G_Relu, NULL, 1, 1)->name, "Relu");
  assert_string_equal(tsr_graph_node(g, TSR_G_Relu, "", 1, 1)->name, "Relu.1");
  tsr_arena_free(a);
}

/* A value that is made far below its users, in a long chain written backwards. */
static void sorting_a_long_chain(void **state)
{
  (void)state;
  enum { LENGTH = 20000 };
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = tsr_graph_new(a, "chain");
  struct tsr_value *last = NULL;
  for (int i = 0; i < LENGTH; i++) {
    struct tsr_node *n = tsr_graph_node(g, TSR_G_Relu, "n", 1, 1);
    tsr_node_set_output(n, 0, last ? last : tsr_graph_value(g, "v"));
    n->in[0] = last = i + 1 < LENGTH ? tsr_graph_value(g, "v")
                                     : tsr_graph_input(g, "x", TSR_F32, 1, (int64_t[]){2});
  }
  tsr_graph_output(g, g->node[0]->out[0]);
  tsr_graph_sort(g);
  assert_int_equal(g->nodes, LENGTH);
  assert_ptr_equal(g->node[0]->in[0], g->input[0]);
  assert_int_equal(tsr_graph_infer(NULL, g), TSR_OK);
  assert_int_equal(tsr_graph_verify(NULL, g), TSR_OK);
  tsr_arena_free(a);
}

static void macs(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = graph_of(
      a, "input x f32[2,6,8,8]\ninput w f32[4,3,3,3]\ninput m f32[5,7]\ninput n f32[7,9]\n"
         "node c Conv (x, w) -> (y ?) group=2\nnode g Gemm (m, n) -> (z ?)\n"
         "node h MatMul (m, n) -> (u ?)\nnode r Relu (y) -> (t ?)\noutput t\noutput z\noutput u\n");
  assert_int_equal(tsr_node_macs(g->node[0]), 2 * 4 * 6 * 6 * 27);
  assert_int_equal(tsr_node_macs(g->node[1]), 5 * 7 * 9);
  assert_int_equal(tsr_node_macs(g->node[2]), 5 * 7 * 9);
  assert_int_equal(tsr_node_macs(g->node[3]), 0);
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(from_text), cmocka_unit_test(by_hand), cmocka_unit_test(editing),
      cmocka_unit_test(sorting_a_long_chain), cmocka_unit_test(macs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
