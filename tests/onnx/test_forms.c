/* SPDX-License-Identifier: Apache-2.0 */
/* One form an op: a node of an old or new opset, and the lines of the graph that it must become. */
#include "tests/onnx/model_text.h"

struct row {
  const char *what, *model;
  const char *lines[4]; /* parts of the graph's text */
};

static const struct row rows[] = {
    {"Clip attributes",
     "opset 10; node Clip:n x -> y min=-1.0 max=6.0",
     {"const n.min f32[] {-1.0}", "const n.max f32[] {6.0}",
      "node n Clip (x, n.min, n.max) -> (y"}},
    {"Clip with only a maximum",
     "opset 7; node Clip:n x -> y max=6.0",
     {"node n Clip (x, -, n.max) -> (y"}},
    {"Clip inputs", "const lo f32 - 0; node Clip:n x lo -> y", {"node n Clip (x, lo) -> (y"}},
    {"Squeeze axes",
     "opset 11; node Squeeze:n x -> y axes=[0,-1]",
     {"const n.axes i64[2] {0, -1}", "node n Squeeze (x, n.axes) -> (y"}},
    {"Unsqueeze axes",
     "opset 11; node Unsqueeze:n x -> y axes=[2]",
     {"node n Unsqueeze (x, n.axes) -> (y"}},
    {"ReduceSum axes",
     "opset 12; node ReduceSum:n x -> y axes=[1] keepdims=0",
     {"node n ReduceSum (x, n.axes) -> (y ?) keepdims=0"}},
    {"ReduceMean axes",
     "opset 17; node ReduceMean:n x -> y axes=[1]",
     {"node n ReduceMean (x, n.axes) -> (y"}},
    {"ReduceMean of all axes",
     "opset 17; node ReduceMean:n x -> y",
     {"node n ReduceMean (x) -> (y"}},
    {"ReduceMax of opset 18",
     "opset 18; const a i64 1 1; node ReduceMax:n x a -> y",
     {"node n ReduceMax (x, a) -> (y"}},
    {"Slice attributes",
     "opset 9; node Slice:n x -> y starts=[0,1] ends=[2,9] axes=[0,2]",
     {"const n.ends i64[2] {2, 9}", "node n Slice (x, n.starts, n.ends, n.axes) -> (y"}},
    {"Slice without axes",
     "opset 9; node Slice:n x -> y starts=[1] ends=[2]",
     {"node n Slice (x, n.starts, n.ends) -> (y"}},
    {"Pad attributes",
     "opset 10; node Pad:n x -> y pads=[0,0,1,1,0,0,1,1] value=2.5",
     {"const n.pads i64[8] {0, 0, 1, 1, 0, 0, 1, 1}", "const n.value f32[] {2.5}",
      "node n Pad (x, n.pads, n.value) -> (y"}},
    {"Pad that fills nothing in",
     "opset 10; node Pad:n x -> y mode='edge' pads=[0,0,1,1,0,0,1,1] value=2.5",
     {"node n Pad (x, n.pads) -> (y ?) mode=\"edge\""}},
    {"Pad of some axes",
     "opset 18; const p i64 2 3 4; const a i64 1 -1; node Pad:n x p _ a -> y",
     {"const n.pads i64[8] {0, 0, 0, 3, 0, 0, 0, 4}", "node n Pad (x, n.pads) -> (y"}},
    {"Pad of some axes of a value of which only the rank is told",
     "opset 18; const p i64 2 3 4; const a i64 1 0; node Relu x -> r; info r f32 ?,?; node Pad:n r "
     "p _ a -> y",
     {"const n.pads i64[4] {3, 0, 4, 0}"}},
    {"Dropout", "opset 10; node Dropout:n x -> y ratio=0.5", {"node n Identity (x) -> (y ?)\n"}},
    {"Dropout with an unused mask",
     "opset 7; node Dropout:n x -> y mask",
     {"node n Identity (x) -> (y ?)\n"}},
    {"Dropout of opset 12",
     "const r f32 - 0.5; const t bool - 0; node Dropout:n x r t -> y seed=1",
     {"node n Identity (x) -> (y ?)\n"}},
    {"BatchNormalization",
     "opset 7; node BatchNormalization:n x x x x x -> y momentum=0.9 spatial=1 epsilon=0.5",
     {"node n BatchNormalization (x, x, x, x, x) -> (y ?) epsilon=0.5\n"}},
    {"BatchNormalization of opset 15",
     "opset 15; node BatchNormalization:n x x x x x -> y training_mode=0 epsilon=0.5",
     {"(y ?) epsilon=0.5\n"}},
    {"Softmax of before 13", "opset 12; node Softmax:n x -> y", {"axis=1 flatten=1\n"}},
    {"Softmax of before 13 with an axis",
     "opset 11; node Softmax:n x -> y axis=3",
     {"axis=3 flatten=1\n"}},
    {"Softmax since 13", "opset 13; node Softmax:n x -> y", {"node n Softmax (x) -> (y ?)\n"}},
    {"Split sizes",
     "opset 12; node Split:n x -> y z split=[1,2] axis=1",
     {"const n.split i64[2] {1, 2}", "node n Split (x, n.split) -> (y ?, z ?) axis=1\n"}},
    {"Split into equal parts",
     "opset 12; node Split:n x -> y _ axis=1",
     {"node n Split (x) -> (y ?, n ?) axis=1"}},
    {"Split of opset 18",
     "opset 18; node Split:n x -> y z num_outputs=2",
     {"node n Split (x) -> (y ?, z ?)\n"}},
    {"Upsample of opset 7",
     "opset 7; node Upsample:n x -> y mode='nearest' scales=[1.0,1.0,2.0,2.0]",
     {"const n.scales f32[4] {1.0, 1.0, 2.0, 2.0}",
      "node n Resize (x, -, n.scales) -> (y ?) mode=\"nearest\" "
      "coordinate_transformation_mode=\"asymmetric\" nearest_mode=\"floor\"\n"}},
    {"Upsample of opset 9",
     "opset 9; const s f32 4 1 1 2 2; node Upsample:n x s -> y mode='linear'",
     {"node n Resize (x, -, s) -> (y ?) mode=\"linear\" "
      "coordinate_transformation_mode=\"asymmetric\""}},
    {"Resize of opset 10 that grows",
     "opset 10; const s f32 4 1 1 2 2; node Resize:n x s -> y",
     {"node n Resize (x, -, s) -> (y ?) coordinate_transformation_mode=\"asymmetric\" "
      "nearest_mode=\"floor\"\n"}},
    {"Resize of opset 10 that shrinks",
     "opset 10; const s f32 4 1 1 0.5 0.6; node Resize:n x s -> y",
     {"nearest_mode=\"ceil\"\n"}},
    {"Resize of opset 11 by sizes",
     "opset 11; const e f32 0; const s i64 4 1 3 9 9; node Resize:n x e e s -> y mode='linear'",
     {"node n Resize (x, -, -, s) -> (y ?) mode=\"linear\" "
      "coordinate_transformation_mode=\"half_pixel\"\n"}},
    {"Resize of opset 19 by scales",
     "opset 19; const s f32 4 1 1 2 2; node Resize:n x _ s -> y "
     "coordinate_transformation_mode='align_corners'"
     " antialias=0 keep_aspect_ratio_policy='stretch' cubic_coeff_a=-0.75",
     {"node n Resize (x, -, s) -> (y ?) coordinate_transformation_mode=\"align_corners\"\n"}},
    {"Cast", "opset 19; node Cast:n x -> y to=7 saturate=1", {"node n Cast (x) -> (y ?) to=7\n"}},
    {"ConstantOfShape",
     "const s i64 2 2 3; node ConstantOfShape:n s -> y value=i64{5}",
     {"node n ConstantOfShape (s) -> (y ?) value=5 dtype=7\n"}},
    {"ConstantOfShape of floats",
     "const s i64 2 2 3; node ConstantOfShape:n s -> y value=f32{0.5}",
     {"node n ConstantOfShape (s) -> (y ?) value=0.5 dtype=1\n"}},
    {"ConstantOfShape of what is not said",
     "const s i64 2 2 3; node ConstantOfShape:n s -> y",
     {"dtype=1\n"}},
    {"auto_pad that says nothing",
     "node MaxPool:n x -> y auto_pad='NOTSET' kernel_shape=[2,2] pads=[1,1,1,1]",
     {"(y ?) pads=[1,1,1,1] kernel_shape=[2,2]\n"}},
    {"auto_pad that says no padding",
     "node MaxPool:n x -> y auto_pad='VALID' kernel_shape=[2,2] storage_order=1",
     {"(y ?) kernel_shape=[2,2]\n"}},
    {"auto_pad that leaves it to the shape",
     "node AveragePool:n x -> y auto_pad='SAME_LOWER' kernel_shape=[2,2]",
     {"(y ?) auto_pad=\"SAME_LOWER\" kernel_shape=[2,2]\n"}},
    {"LayerNormalization",
     "opset 17; node LayerNormalization:n x x -> y stash_type=1 axis=-1",
     {"node n LayerNormalization (x, x) -> (y ?) axis=-1\n"}},
    {"QuantizeLinear that says its type",
     "opset 21; const s f32 - 0.5; node QuantizeLinear:n x s -> y output_dtype=3",
     {"const n.zero_point i8[] {0}", "node n QuantizeLinear (x, s, n.zero_point) -> (y ?)\n"}},
    {"QuantizeLinear with both",
     "opset 21; const s f32 - 0.5; const z i8 - 1; node QuantizeLinear:n x s z -> y"
     " output_dtype=3 saturate=1 block_size=0 axis=1",
     {"node n QuantizeLinear (x, s, z) -> (y ?) axis=1\n"}},
    {"ONNX Runtime's ops",
     "node com.microsoft/QLinearAdd:n x x x x x x x x -> y",
     {"node n QLinearAdd (x, x, x, x, x, x, x, x) -> (y"}},
    {"Reshape",
     "const s i64 2 1 -1; node Reshape:n x s -> y allowzero=1",
     {"const s i64[2] {1, -1}", "node n Reshape (x, s) -> (y ?) allowzero=1\n"}},
    {"Constant nodes",
     "node Constant:k -> c value=f32{1,2}; node Add:n x c -> y",
     {"const c f32[2] {1.0, 2.0}", "node n Add (x, c) -> (y"}},
    {"Constant nodes of opset 12",
     "node Constant -> c value_int=7; node Constant -> d value_floats=[1.5,2.0]; node Sum:n c d -> "
     "y",
     {"const c i64[] {7}", "const d f32[2] {1.5, 2.0}", "node n Sum (c, d) -> (y"}},
    {"nodes without names",
     "node Relu x -> a; node Relu a -> y",
     {"node Relu Relu (x) -> (a", "node Relu.1 Relu (a) -> (y"}},
    {"generated names make way",
     "opset 11; node Relu x -> n.axes; node Squeeze:n n.axes -> y axes=[0]",
     {"const n.axes.1 i64[1] {0}", "Squeeze (n.axes, n.axes.1)"}},
    {"nodes in any order",
     "node Relu:c b -> y; node Relu:b a -> b; node Relu:a x -> a",
     {"node a Relu (x) -> (a ?)\nnode b Relu (a) -> (b ?)\nnode c Relu (b) -> (y ?)\n"}},
    {"omitted inputs at the end", "node Conv:n x x _ -> y", {"node n Conv (x, x) -> (y"}},
};

static void each_row(void **state)
{
  struct tsr_arena *a = *state;
  int wrong = 0;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct row *r = &rows[i];
    struct tsr_err err = {0};
    struct tsr_graph *g = NULL;
    char *text = tsr_arena_printf(a, "input x f32 1,3,8,8; output y; %s", r->model);
    if (import_model(a, &err, model_of(a, text), NULL, &g))
      fail_msg("%s: %s", r->what, err.text);
    const char *got = tsr_graph_print(a, g, false);
    for (int k = 0; k < 4 && r->lines[k]; k++)
      if (!strstr(got, r->lines[k]))
        wrong++, print_error("%s: expected '%s' in\n%s", r->what, r->lines[k], got);
  }
  assert_int_equal(wrong, 0);
}

/* Every kind of attribute arrives as it was. */
static void attributes_arrive(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_graph *g = NULL;
  Onnx__ModelProto *m = model_of(a, "input x f32 1,3,8,8; output y;"
                                    "node Conv:n x x -> y strides=[2,-9007199254740993] alpha=0.1"
                                    " group=-9223372036854775808 mode='ab' w=[0.1,-2.0] none=[]");
  m->graph->node[0]->attribute[0]->has_type = 0; /* as before IR version 2 */
  m->graph->node[0]->attribute[0]->type = 0;
  assert_int_equal(import_model(a, NULL, m, NULL, &g), TSR_OK);
  const struct tsr_node *n = g->node[0];
  assert_int_equal(n->attrs, 6);
  assert_int_equal(tsr_node_attr(n, "strides")->ints[1], INT64_C(-9007199254740993));
  assert_true(tsr_node_float(n, "alpha", 0) == (double)0.1f);
  assert_int_equal(tsr_node_int(n, "group", 0), INT64_MIN);
  assert_string_equal(tsr_node_attr(n, "mode")->s, "ab");
  assert_int_equal(tsr_node_attr(n, "w")->count, 2);
  assert_true(tsr_node_attr(n, "w")->floats[0] == (double)0.1f);
  assert_int_equal(tsr_node_attr(n, "none")->count, 0);
}

/* Initializers that IR version 3 lists among the inputs are constants. */
static void initializers_are_no_inputs(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_graph *g = NULL;
  Onnx__ModelProto *m =
      model_of(a, "ir 3; opset 8; input x f32 2; input w f32 2; const w f32 2 1 2;"
                  "node Add:n x w -> y; output y; output w; output x");
  assert_int_equal(import_model(a, NULL, m, NULL, &g), TSR_OK);
  assert_int_equal(g->inputs, 1);
  assert_string_equal(g->input[0]->name, "x");
  assert_int_equal(g->outputs, 3);
  assert_string_equal(g->output[0]->name, "y");
  assert_non_null(g->output[1]->data);
  assert_ptr_equal(g->output[2], g->input[0]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(each_row), IN_ARENA(attributes_arrive),
                                     IN_ARENA(initializers_are_no_inputs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
