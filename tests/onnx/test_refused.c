/* SPDX-License-Identifier: Apache-2.0 */
/* Models that are refused, each with the sentence that says why. */
#include "tests/onnx/model_text.h"

struct row {
  const char *model, *sentence;
};

static const struct row rows[] = {
    /* versions */
    {"ir 2; output x", "IR version 2 is not supported; 3 to 10 are"},
    {"ir 11; output x", "IR version 11 is not supported"},
    {"opset 6; output x", "opset 6 is not supported; 7 to 21 are"},
    {"opset 22; output x", "opset 22 is not supported"},
    {"opset -1; output x", "does not say which version"},

    /* the graph */
    {"node Relu:n x -> y", "m.onnx: its graph has no outputs"},
    {"output z", "the graph's output 'z' is undefined"},
    {"node Relu:n x -> x; output x", "node 'n' (Relu): the value name 'x' is given twice"},
    {"node Relu:n x -> y; node Relu:k x -> y; output y",
     "node 'k' (Relu): the value name 'y' is given twice"},
    {"const w f32 1 1; const w f32 1 1; output x", "the value name 'w' is given twice"},
    {"input x f32 1; output x", "the value name 'x' is given twice"},
    {"node Add:n x w -> y; output y", "node 'n' (Add): input 'w' is undefined: no graph input"},
    {"node Relu x -> a; node Relu:n a -> b; node Add:k b d -> c; node Relu:l c -> d; output d",
     "node 'k' (Add): depends on its own output: the graph has a cycle"},
    {"node Relu:n y -> y; output y", "node 'n' (Relu): depends on its own output"},
    {"node Relu w -> y; output y", "node that makes 'y' (Relu): input 'w' is undefined"},

    /* ops */
    {"node Foo:n x -> y; output y", "m.onnx: node 'n' (Foo): op Foo is not supported"},
    {"node Foo:n x -> a; node Relu a -> b; node Bar b -> c; node Foo c -> d; node Baz d -> y; "
     "output y",
     "node 'n' (Foo): op Foo is not supported; nor are Bar, Baz"},
    {"node QConv:n x x x x x -> y; output y", "op QConv is not supported"},
    {"node ai.onnx.ml/Scaler:n x -> y; output y",
     "op Scaler of domain 'ai.onnx.ml' is not supported"},
    {"node com.microsoft/Relu:n x -> y; output y",
     "op Relu of domain 'com.microsoft' is not supported"},
    {"node QLinearAdd:n x x x x x x x -> y; output y", "op QLinearAdd is not supported"},
    {"node If:n x -> y then_branch=graph; output y",
     "node 'n' (If): holds a subgraph; control flow"},
    {"node Relu:n x -> y body=graph; output y", "attribute 'body' is a subgraph"},
    {"node Relu:n x x -> y; output y", "node 'n' (Relu): has 2 inputs; it takes 1"},
    {"node Conv:n x -> y; output y", "node 'n' (Conv): has 1 inputs; it takes 2 to 3"},
    {"node Concat:n -> y axis=0; output y", "has 0 inputs; it takes 1 or more"},
    {"node Add:n _ x -> y; output y", "input 0 is left out, but is not optional"},
    {"node Concat:n x _ x -> y axis=0; output y", "input 1 is left out"},
    {"node Relu:n x -> _; output x", "node 'n' (Relu): its output has no name"},
    {"node Relu:n x ->; output x", "node 'n' (Relu): its output has no name"},
    {"node MaxPool:n x -> y i kernel_shape=[2,2]; output i", "output 'i' is an optional output"},
    {"node Dropout:n x -> y m; node Not:k m -> z; output z",
     "node 'k' (Not): input 'm' is an optional output of node 'n', which is not supported"},

    /* attributes */
    {"node Relu:n x -> y a=1 a=2; output y", "node 'n' (Relu): attribute 'a' stands twice"},
    {"node Relu:n x -> y value=f32{1}; output y", "attribute 'value' is a tensor"},
    {"opset 9; node Slice:n x -> y starts='a' ends=[1]; output y",
     "attribute 'starts' must be numbers"},
    {"opset 9; const s i64 1 0; node Slice:n x s -> y starts=[0] ends=[1]; output y",
     "has 'starts' twice, as an attribute and as input 1"},
    {"opset 9; node Slice:n x -> y starts=[0]; output y",
     "node 'n' (Slice): has 2 inputs; it takes 3 to 5"},
    {"opset 11; node Unsqueeze:n x -> y; output y",
     "node 'n' (Unsqueeze): has 1 inputs; it takes 2"},
    {"opset 7; node BatchNormalization:n x x x x x -> y spatial=0; output y",
     "attribute 'spatial' is supported only as 1"},
    {"opset 14; node BatchNormalization:n x x x x x -> y training_mode=1; output y",
     "attribute 'training_mode' is supported only as 0"},
    {"opset 9; node BatchNormalization:n x x x x x -> y m v; output y",
     "has output 'm', which is of training"},
    {"const t bool - 1; node Dropout:n x _ t -> y; output y",
     "training_mode is not the constant false"},
    {"node Dropout:n x _ x -> y; output y", "training_mode is not the constant false"},
    {"node Cast:n x -> y; output y", "must have the attribute 'to'"},
    {"node Cast:n x -> y to=8; output y", "casts to string (8)"},
    {"node Cast:n x -> y to=999999999999; output y", "casts to unknown (999999999999)"},
    {"node ConstantOfShape:n x -> y value=f32{1,2}; output y",
     "attribute 'value' must have one element"},
    {"opset 18; node Split:n x -> y z num_outputs=3; output y",
     "attribute 'num_outputs' is supported only as 2"},
    {"opset 18; node Pad:n x x _ x -> y; output y", "has axes, and its pads"},
    {"opset 18; const p i64 2 1 1; const a i64 1 7; node Pad:n x p _ a -> y; output y",
     "axis 7 is outside of rank 4"},
    {"opset 18; const p i64 3 1 1 1; const a i64 1 0; node Pad:n x p _ a -> y; output y",
     "has 1 axes, but 3 pads"},
    {"opset 10; node Resize:n x x -> y; output y", "its scales must be a constant before opset 11"},
    {"opset 10; const s f32 4 1 1 2 0.5; node Resize:n x s -> y; output y",
     "grows one axis and shrinks another"},
    {"opset 7; node Upsample:n x -> y; output y", "its scales must be a constant"},
    {"opset 13; node Resize:n x -> y; output y", "must have either scales or sizes"},
    {"opset 18; const s f32 1 2; node Resize:n x _ s -> y axes=[2]; output y",
     "attribute 'axes' is not supported"},
    {"opset 18; const s f32 4 1 1 2 2; node Resize:n x _ s -> y antialias=1; output y",
     "attribute 'antialias' is supported only as 0"},
    {"opset 18; const s i64 4 1 1 2 2; node Resize:n x _ _ s -> y "
     "keep_aspect_ratio_policy='not_larger'; output y",
     "attribute 'keep_aspect_ratio_policy' is supported only as 'stretch'"},
    {"opset 13; const s f32 4 1 1 2 2; node Resize:n x x s -> y "
     "coordinate_transformation_mode='tf_crop_and_resize'; output y",
     "tf_crop_and_resize is not supported"},
    {"opset 21; node DequantizeLinear:n x x -> y block_size=32; output y",
     "attribute 'block_size' is supported only as 0"},
    {"opset 21; node QuantizeLinear:n x x -> y output_dtype=3; output y",
     "a scale that is no constant"},
    {"opset 21; node QuantizeLinear:n x x -> y output_dtype=22; output y",
     "output_dtype 22 is not supported"},
    {"opset 17; node LayerNormalization:n x x -> y stash_type=10; output y",
     "attribute 'stash_type'"},
    {"node Constant:n -> y; output y", "node 'n' (Constant): must have one attribute"},
    {"node Constant:n -> y value_string='a'; output y", "its value is given by 'value_string'"},
    {"node Constant:n -> y value=3; output y", "attribute 'value' holds no tensor"},

    /* tensors */
    {"const w f32 3 1 2; output x",
     "initializer 'w': raw data (bytes) holds 8, but 3 of float32 needs 12"},
    {"const w f32 -2 1 2; output x",
     "initializer 'w': dim 0 is -2; dims of a tensor are not negative"},
    {"const w i8 4294967296,4294967296 1; output x", "initializer 'w': is too large"},
    {"const w i8 1,1,1,1,1,1,1,1,1 1; output x",
     "initializer 'w': has 9 dims; at most 8 are supported"},
    {"const w string 1; output x", "initializer 'w': element type string (8) is not supported"},
    {"node Constant:n -> y value=string{1}; output y",
     "node 'n' (Constant): element type string (8)"},

    /* inputs */
    {"input z string 1; output x",
     "input 'z' has the element type string (8), which is not supported"},
    {"input z; output x", "input 'z' is no tensor"},
    {"input z f32; output x", "input 'z' has no shape"},
    {"input z f32 1,1,1,1,1,1,1,1,1; output x", "input 'z' has 9 dims"},
    {"input z f32 4294967296,4294967296; output x", "input 'z' is too large; 2147483647 elements are the most"},
};

static void each_row(void **state)
{
  struct tsr_arena *a = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    expect_refused(a, model_of(a, tsr_arena_printf(a, "input x f32 1,3,8,8; %s", rows[i].model)),
                   NULL, rows[i].sentence);
}

static Onnx__ModelProto *plain(struct tsr_arena *a)
{
  return model_of(a, "input x f32 2; const w f32 2 1 2; node Add:n x w -> y; output y");
}

static void odd_models(void **state)
{
  struct tsr_arena *a = *state;
  Onnx__ModelProto *m = plain(a);
  m->graph = NULL;
  expect_refused(a, m, NULL, "holds no graph");
  m = plain(a);
  m->n_opset_import = 0;
  expect_refused(a, m, NULL, "does not say which version of ONNX's operator set");
  m->n_opset_import = 1;
  m->opset_import[0]->domain = "ai.onnx.ml";
  expect_refused(a, m, NULL, "does not say which version of ONNX's operator set");
  m = plain(a);
  Onnx__OperatorSetIdProto more = *m->opset_import[0];
  more.version = 12;
  m->opset_import = (Onnx__OperatorSetIdProto *[]){m->opset_import[0], &more};
  m->n_opset_import = 2;
  expect_refused(a, m, NULL, "names two versions");
  m = plain(a);
  Onnx__SparseTensorProto sparse = ONNX__SPARSE_TENSOR_PROTO__INIT;
  m->graph->sparse_initializer = (Onnx__SparseTensorProto *[]){&sparse};
  m->graph->n_sparse_initializer = 1;
  expect_refused(a, m, NULL, "has sparse initializers");
}

static void odd_attributes(void **state)
{
  struct tsr_arena *a = *state;
  Onnx__ModelProto *m = model_of(a, "input x f32 2; node Relu:n x -> y a='b'; output y");
  Onnx__AttributeProto *p = m->graph->node[0]->attribute[0];
  p->s = (ProtobufCBinaryData){3, (uint8_t *)"b\0c"};
  expect_refused(a, m, NULL, "attribute 'a' holds a zero byte");
  p->type = 99;
  expect_refused(a, m, NULL, "attribute 'a' has an unsupported type (99)");
  p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
  expect_refused(a, m, NULL, "attribute 'a' has an unsupported type (8)");
  p->ref_attr_name = "alpha";
  expect_refused(a, m, NULL, "attribute 'a' refers to one of a function");
  p->name = NULL;
  expect_refused(a, m, NULL, "attribute 0 has no name");
}

static void odd_names(void **state)
{
  struct tsr_arena *a = *state;
  Onnx__ModelProto *m = plain(a);
  char *longest = tsr_arena_alloc(a, 5001);
  memset(longest, 'v', 5000);
  m->graph->initializer[0]->name = longest;
  expect_refused(a, m, NULL, "vvv...' has more than 4096 bytes");
  m->graph->initializer[0]->name = "two\nlines";
  expect_refused(a, m, NULL, "the value name 'two?lines' holds a control character");
  m->graph->initializer[0]->name = NULL;
  expect_refused(a, m, NULL, "a value has no name");
  m = plain(a);
  m->graph->node[0]->name = "a\nb";
  m->graph->node[0]->op_type = NULL;
  expect_refused(a, m, NULL, "node 'a?b' (): has no op");
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(each_row), IN_ARENA(odd_models),
                                     IN_ARENA(odd_attributes), IN_ARENA(odd_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
