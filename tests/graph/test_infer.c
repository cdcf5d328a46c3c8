/* SPDX-License-Identifier: Apache-2.0 */
/* One row an op or rule: a node of typed inputs, and the type that it makes or the sentence that
 * refuses it. */
#include "tests/graph/test_graph.h"

/* Values that the rows' nodes may read. */
static const char values[] =
    "input f f32[2,6,8,10]\ninput g f32[2,6,8,10]\ninput m f32[4,6]\ninput v f32[6]\ninput s "
    "f32[]\n"
    "input row f32[1,6,1,1]\ninput b bool[2,6,8,10]\ninput i i32[2,6,8,10]\ninput l i64[3]\n"
    "input q i8[2,6,8,10]\ninput u u8[2,6,8,10]\ninput qm i8[4,6]\ninput one f32[1,6,1,10]\n"
    "input w f32[4,3,3,3]\ninput w1 f32[4,6,3,3]\ninput w4 f32[4]\ninput wt f32[6,2,3,3]\n"
    "input batch f32[5,1,4,6]\ninput k2 f32[7,6,3]\ninput t3 f32[3,4,5]\n"
    "const qw i8[4,6,1,1] hex 000000000000000000000000000000000000000000000000\n"
    "const qd i8[4,6] hex 000000000000000000000000000000000000000000000000\n"
    "const c4 i32[4] {1, 2, 3, 4}\nconst c6 i32[6] {1, 2, 3, 4, 5, 6}\nconst half f32[] {0.5}\n"
    "const z8 i8[] {3}\nconst zu u8[] {3}\nconst scales6 f32[6] {1.0, 1.0, 1.0, 1.0, 1.0, 1.0}\n"
    "const n2 i64[2] {12, -1}\nconst n2b i64[2] {0, -1}\nconst n3 i64[3] {7, -1, -1}\n"
    "const n4 i64[4] {1, 2, 1, 3}\nconst a0 i64[1] {0}\nconst a1 i64[1] {-1}\nconst a23 i64[2] {2, "
    "3}\n"
    "const s4 i64[4] {1, 0, -3, 9}\nconst e4 i64[4] {2, 100, 100, 0}\nconst d4 i64[4] {1, 2, 1, "
    "-4}\n"
    "const ax4 i64[4] {0, 1, 2, 3}\nconst st0 i64[1] {0}\nconst p8 i64[8] {0, 0, 1, 2, 0, 0, 3, "
    "-4}\n"
    "const split i64[2] {2, 4}\nconst r0 i64[] {3}\nconst r1 i64[] {12}\nconst r2 i64[] {4}\n"
    "const huge i64[4] {8192, 6, 8192, 10}\n"
    "const up f32[4] {1.0, 1.0, 2.0, 0.5}\nconst sizes i64[4] {2, 6, 5, 5}\nconst e1 i64[3] {6, 6, "
    "10}\n"
    "const far i64[1] {99}\nconst near i64[1] {-99}\nconst three i64[1] {3}\n"
    "input blocked i8[1,3,6,8,2,5]\nconst table i8[3] {0, 1, 2}\n"
    "input bl f32[2,3,8,10,2]\ninput bw f32[5,3,3,3,2,4]\ninput bb f32[5,4]\ninput bp f32[4,6,3,3,8]\n"
    "input dw f32[3,3,3,2]\ninput db f32[3,2]\ninput bq i8[1,1,4,4,8]\ninput qw7 i8[2,1,1,1,2,16,4]\n"
    "input qp i32[2,3,16]\ninput dn f32[4,6,16]\ninput qn i8[3,8]\ninput qwn i8[1,2,16,4]\n"
    "input qpn i32[1,3,16]\ninput ww f32[4,4,5,3,2,4]\ninput w5 f32[5,5,5,3,2,4]\n"
    "input bh bf16[2,3,8,10,4]\ninput hw bf16[5,3,3,3,4,4]\ninput hw2 bf16[5,3,3,3,2,4,2]\n"
    "input hm bf16[4,6]\ninput hn bf16[2,3,16,2]\ninput hn4 bf16[2,2,16,4]\n"
    "input bw7 f32[5,3,3,3,1,4,2]\ninput dn4 f32[4,2,16,3]\n";

static const struct row {
  const char *node,
      *expected; /* "Op (inputs) attributes"; the type of the output, or the sentence */
} rows[] = {
    {"Abs (i)", "i32[2,6,8,10]"},
    {"BlockedConv (bl, bw, bb) pads=[1,0,0,1] strides=[1,2]", "f32[2,5,7,5,4]"},
    {"BlockedConv (bl, bw7, bb) pads=[1,0,0,1] strides=[1,2]", "f32[2,5,7,5,4]"},
    {"BlockedConv (f, bw7)", "weights f32 5x3x3x3x1x4x2 do not fit f32 2x6x8x10"},
    {"BlockedConv (f, bp)", "f32[2,4,6,8,8]"},
    {"BlockedConv (bq, qw7, qp)", "i8[1,2,4,4,16]"},
    {"BlockedConv (bq, qw7)", "input 2 must be i32 of [blocks,3,lanes]"},
    {"BlockedConv (bl, bw, db)", "input 2 must be of [blocks,lanes]"},
    {"BlockedConv (bl, dw)", "weights f32 3x3x3x2 do not fit f32 2x3x8x10x2"},
    {"BlockedConv (f, bw)", "weights f32 5x3x3x3x2x4 do not fit f32 2x6x8x10"},
    {"BlockedConv (v, bw)", "weights 5x3x3x3x2x4 do not fit 6"},
    {"BlockedConv (bl, bw) dilations=[4,1]", "its window does not fit the input 2x3x8x10x2"},
    {"BlockedConv (bl, bw) pads=[-1,0,0,0]", "its window does not fit the input 2x3x8x10x2"},
    {"BlockedWinograd (bl, ww, bb) pads=[1,0,0,1]", "f32[2,5,7,9,4]"},
    {"BlockedWinograd (bl, w5)", "weights 5x5x5x3x2x4 do not fit 2x3x8x10x2"},
    {"BlockedWinograd (f, ww)", "weights 4x4x5x3x2x4 do not fit 2x6x8x10"},
    {"BlockedWinograd (bl, ww, db)", "input 2 must be of [blocks,lanes]"},
    {"BlockedWinograd (bl, ww) pads=[-1,0,0,0]", "its window does not fit the input 2x3x8x10x2"},
    {"BlockedDepthwise (bl, dw, db) strides=[3,1]", "f32[2,3,2,8,2]"},
    {"BlockedDepthwise (bl, dw, bb)", "input 2 must be of [blocks,lanes]"},
    {"BlockedDepthwise (f, dw)", "weights 3x3x3x2 do not fit 2x6x8x10"},
    {"BlockedDense (m, dn)", "f32[4,4,16]"},
    {"BlockedDense (m, dn4)", "f32[4,4,16]"},
    {"BlockedDense (qn, qwn, qpn)", "i8[3,1,16]"},
    {"BlockedConv (bh, hw)", "bf16[2,5,6,8,4]"},
    {"BlockedConv (bh, hw2)", "bf16[2,5,6,8,4]"},
    {"BlockedDense (hm, hn)", "bf16[4,2,16]"},
    {"BlockedDense (hm, hn4)", "weights 2x2x16x4 do not fit 4x6"},
    {"BlockedDense (f, dn)", "weights 4x6x16 do not fit 2x6x8x10"},
    {"BlockedDense (qn, dn)", "weights f32 4x6x16 do not fit i8 3x8"},
    {"Abs (b)", "input 0 'b' can't be bool"},
    {"Sigmoid (i)", "input 0 'i' can't be i32"},
    {"Not (b)", "bool[2,6,8,10]"},
    {"Add (f, row)", "f32[2,6,8,10]"},
    {"Add (v, m)", "f32[4,6]"},
    {"Add (f, v)", "shapes 2x6x8x10 and 6 do not broadcast"},
    {"Add (f, i)", "inputs 'f' and 'i' must have one type, not f32 and i32"},
    {"Pow (f, i)", "f32[2,6,8,10]"},
    {"Sum (f, row, s)", "f32[2,6,8,10]"},
    {"Greater (f, s)", "bool[2,6,8,10]"},
    {"And (b, b)", "bool[2,6,8,10]"},
    {"And (f, b)", "input 0 'f' can't be f32"},
    {"Where (b, f, s)", "f32[2,6,8,10]"},
    {"PRelu (f, row)", "f32[2,6,8,10]"},
    {"PRelu (row, f)", "'f' of shape 2x6x8x10 does not broadcast to 1x6x1x1"},
    {"Clip (f, -, s)", "f32[2,6,8,10]"},
    {"Clip (f, v)", "its limit 'v' must be one number, not of shape 6"},
    {"Cast (f) to=7", "i64[2,6,8,10]"},
    {"Cast (f) to=8", "type 8 of ONNX is none that exists here"},
    {"ArgMax (f) axis=1 keepdims=0", "i64[2,8,10]"},
    {"ArgMax (f) axis=4", "axis 4 is outside of rank 4"},
    {"ReduceMean (f) axes=[2,-1]", "f32[2,6,1,1]"},
    {"ReduceMean (f, a23) keepdims=0", "f32[2,6]"},
    {"ReduceSum (f)", "f32[1,1,1,1]"},
    {"ReduceSum (f) noop_with_empty_axes=1", "f32[2,6,8,10]"},
    {"ReduceMax (f, l)", "its list of axes 'l' must be a constant"},
    {"Softmax (f) axis=-4", "f32[2,6,8,10]"},
    {"Softmax (f) axis=-5", "axis -5 is outside of rank 4"},
    {"BatchNormalization (f, v, v, v, v)", "f32[2,6,8,10]"},
    {"BatchNormalization (f, v, v, w4, v)",
     "'w4' of shape 4 has not one number for each of 6 channels"},
    {"LayerNormalization (m, v)", "f32[4,6]"},
    {"LRN (f) size=5", "f32[2,6,8,10]"},
    {"Shape (f)", "i64[4]"},
    {"Shape (f) start=1 end=-1", "i64[2]"},
    {"Size (f)", "i64[]"},
    {"Reshape (f, n2)", "f32[12,80]"},
    {"Reshape (f, n2b)", "f32[2,480]"},
    {"Reshape (f, n3)", "its shape 7x-1x-1 has more than one unknown dim"},
    {"Reshape (m, n4)", "the elements of 4x6 do not fill shape 1x2x1x3"},
    {"Reshape (m, l)", "its shape 'l' must be a constant"},
    {"Flatten (f) axis=3", "f32[96,10]"},
    {"Flatten (f) axis=5", "axis 5 is outside of rank 4"},
    {"Squeeze (row)", "f32[6]"},
    {"Squeeze (row, a1)", "f32[1,6,1]"},
    {"Squeeze (f, a1)", "axis 3 of 2x6x8x10 is not 1"},
    {"Unsqueeze (m, a1)", "f32[4,6,1]"},
    {"Unsqueeze (m, a23)", "f32[4,6,1,1]"},
    {"Transpose (f) perm=[0,2,3,1]", "f32[2,8,10,6]"},
    {"Transpose (m)", "f32[6,4]"},
    {"Transpose (m) perm=[0,0]", "perm is no permutation of 0..1"},
    {"Concat (f, g) axis=-1", "f32[2,6,8,20]"},
    {"Concat (f, row) axis=0", "shapes 2x6x8x10 and 1x6x1x1 do not join along axis 0"},
    {"Slice (f, s4, e4, ax4, d4)", "f32[1,3,3,3]"},
    {"Slice (f, far, near, three, a1)", "f32[2,6,8,10]"},
    {"Slice (f, a0, a1)", "f32[1,6,8,10]"},
    {"Slice (f, a0, a1, a0, st0)", "step 0 along axis 0 goes nowhere"},
    {"Gather (f, l) axis=1", "f32[2,3,8,10]"},
    {"Gather (f, s)", "input 1 's' can't be f32"},
    {"Expand (one, e1)", "f32[1,6,6,10]"},
    {"Expand (one, huge)",
     "its output of shape 8192x6x8192x10 is too large; 2147483647 elements are the most"},
    {"Expand (row, e1)", "f32[1,6,6,10]"},
    {"Tile (f, n4)", "f32[2,12,8,30]"},
    {"Pad (f, p8)", "f32[2,6,12,8]"},
    {"Pad (f, p8) mode=\"wrap\"", "mode 'wrap' is none of constant, edge and reflect"},
    {"DepthToSpace (f) blocksize=2", "blocks of 2 do not divide 2x6x8x10"},
    {"ConstantOfShape (n4) value=1.0", "f32[1,2,1,3]"},
    {"ConstantOfShape (n4) dtype=7", "i64[1,2,1,3]"},
    {"Range (r0, r1, r2)", "i64[3]"},
    {"Resize (f, -, up)", "f32[2,6,16,5]"},
    {"Resize (f, -, -, sizes)", "f32[2,6,5,5]"},
    {"Resize (f)", "it has neither scales nor sizes"},
    {"Conv (f, w1)", "f32[2,4,6,8]"},
    {"Conv (f, w, w4) group=2 pads=[1,0,2,0] strides=[2,1]", "f32[2,4,5,8]"},
    {"Conv (f, w1) auto_pad=\"SAME_UPPER\" strides=[3,2]", "f32[2,4,3,5]"},
    {"Conv (f, w1) dilations=[2,4]", "f32[2,4,4,2]"},
    {"Conv (f, w1) dilations=[4,4]", "windows of 3 do not fit dim 2 of 2x6x8x10"},
    {"Conv (f, w)", "weights of shape 4x3x3x3 do not fit 2x6x8x10 in 1 groups"},
    {"Conv (f, w1, v)", "bias of shape 6 is not one number for each of 4 channels"},
    {"Conv (f, w1) kernel_shape=[3,2]", "kernel_shape is not that of its weights, 4x6x3x3"},
    {"Conv (f, w1) strides=[0,1]", "strides 0 is out of range"},
    {"Conv (f, w1) pads=[1,1]", "pads has 2 numbers, not 4"},
    {"ConvTranspose (f, wt) strides=[2,2] output_padding=[1,1] pads=[1,1,1,1]", "f32[2,2,16,20]"},
    {"MaxPool (f) kernel_shape=[3,3] strides=[2,2] ceil_mode=1", "f32[2,6,4,5]"},
    {"MaxPool (f) kernel_shape=[2,2] strides=[3,3] ceil_mode=1", "f32[2,6,3,4]"},
    {"MaxPool (f) kernel_shape=[1,1] strides=[4,4] ceil_mode=1", "f32[2,6,2,3]"},
    {"MaxPool (f) kernel_shape=[2,2] strides=[3,3]", "f32[2,6,3,3]"},
    {"GlobalAveragePool (f)", "f32[2,6,1,1]"},
    {"MatMul (batch, k2)", "f32[5,7,4,3]"},
    {"MatMul (m, v)", "f32[4]"},
    {"MatMul (m, m)", "matrices 4x6 and 4x6 do not multiply"},
    {"Gemm (m, m, w4) transB=1", "f32[4,4]"},
    {"Gemm (m, m, v) transB=1", "bias of shape 6 does not broadcast to 4x4"},
    {"Gemm (m, m)", "matrices 4x6 and 4x6 do not multiply"},
    {"QuantizeLinear (f, half)", "u8[2,6,8,10]"},
    {"QuantizeLinear (f, half, z8)", "i8[2,6,8,10]"},
    {"QuantizeLinear (f, scales6)", "u8[2,6,8,10]"},
    {"QuantizeLinear (f, scales6) axis=0",
     "'scales6' of shape 6 is neither one number nor one for each of 2 channels"},
    {"DequantizeLinear (q, half, z8)", "f32[2,6,8,10]"},
    {"DequantizeLinear (q, half, zu)", "inputs 'q' and 'zu' must have one type, not i8 and u8"},
    {"QConv (q, qw, c4, c4, c4) strides=[1,2] pads=[0,0,0,0] dilations=[1,1] group=1 x_zero=0",
     "i8[2,4,8,5]"},
    {"QConv (q, qw, c6, c4, c4) strides=[1,2] pads=[0,0,0,0] dilations=[1,1] group=1 x_zero=0",
     "bias of shape 6 is not one number for each of 4 channels"},
    {"QDense (qm, qd, c4, c4, c4)", "i8[4,4]"},
    {"QDense (m, qd, c4, c4, c4)", "its input must be i8, not f32"},
    {"QAdd (q, q) mx=1 my=4194303 bias=0 mult=1 pack=0", "i8[2,6,8,10]"},
    {"QAdd (q, q) mx=1 my=-4194304 bias=0 mult=1 pack=0", "my -4194304 is outside of 22 bits"},
    {"QAdd (q, u) mx=1 my=1 bias=0 mult=1 pack=0",
     "its inputs must be i8 of one shape, not i8 2x6x8x10 and u8 2x6x8x10"},
    {"QMaxPool (q) kernel=[2,2] strides=[2,2] pads=[1,0,0,0] dilations=[1,1]", "i8[2,6,4,5]"},
    {"Interleave (q, q, q, q, q, q) factor=[2,3]", "i8[2,6,16,30]"},
    {"Interleave (q, q, q) factor=[2,2]",
     "factor must be two numbers whose product is the number of inputs, which have 4 dims at least"},
    {"Interleave (q, q) factor=[2]",
     "factor must be two numbers whose product is the number of inputs, which have 4 dims at least"},
    {"Interleave (qm, qm) factor=[1,2]",
     "factor must be two numbers whose product is the number of inputs, which have 4 dims at least"},
    {"Interleave (q, u) factor=[1,2]", "its inputs 2x6x8x10 and 2x6x8x10 differ in type"},
    {"AccSlice (blocked) starts=[1,0,4] sizes=[2,6,4]", "i8[1,2,6,4,2,5]"},
    {"AccSlice (blocked) starts=[1,0,4] sizes=[2,6,5]", "its box leaves 1x3x6x8x2x5"},
    {"AccSlice (blocked) starts=[-1,0,4] sizes=[2,6,4]", "its box leaves 1x3x6x8x2x5"},
    {"AccSlice (blocked) starts=[1,0] sizes=[2,6,4]", "starts and sizes must have 3 numbers each"},
    {"AccSlice (q) starts=[1,0,4] sizes=[2,6,4]", "'q' must be blocked i8, not i8 2x6x8x10"},
    {"AccConcat (blocked, blocked) axis=1", "i8[1,6,6,8,2,5]"},
    {"QLut (q, table)", "it wants i8 and a table of 256 i8, not i8 and i8 of shape 3"},
};

static void each_op(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *g;
    struct tsr_err err = {0};
    const char *operands = strchr(rows[i].node, '('), *end = strchr(operands, ')');
    char *text = tsr_arena_printf(a, "%snode n %.*s) -> (y ?)%s\noutput y\n", values,
                                  (int)(end - rows[i].node), rows[i].node, end + 1);
    enum tsr_status s = try_graph(a, &err, text, &g);
    if (s == TSR_OK) {
      assert_int_equal(tsr_graph_verify(&err, g), TSR_OK);
      char *line = strstr(tsr_graph_print(a, g, true), "-> (y ") + 6;
      *strchr(line, ')') = 0;
      assert_string_equal(line, rows[i].expected);
    } else {
      char *prefix = tsr_arena_printf(a, "node 'n' (%.*s): ", (int)(operands - rows[i].node - 1),
                                      rows[i].node);
      assert_non_null(strstr(err.text, prefix));
      assert_string_equal(err.text + strlen(prefix), rows[i].expected);
    }
    tsr_arena_free(a);
  }
}

static void split_makes_parts(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = graph_of(a, "input x f32[7,2]\nconst p i64[2] {3, 4}\n"
                                    "node n Split (x) -> (a ?, b ?, c ?)\n"
                                    "node m Split (x, p) -> (d ?, e ?)\noutput a\n");
  assert_int_equal(g->node[0]->out[0]->dims[0], 3);
  assert_int_equal(g->node[0]->out[2]->dims[0], 1);
  assert_int_equal(g->node[1]->out[1]->dims[0], 4);
  tsr_arena_free(a);
}

/* A shape computed out of shapes: Shape, Gather, Concat, Mul on the way to a Reshape. */
static void shapes_are_computed(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = graph_of(
      a,
      "input x f32[2,3,4,5]\nconst i i64[1] {1}\nconst two i64[1] {2}\nconst m i64[1] {-1}\n"
      "node s Shape (x) -> (s ?)\nnode g Gather (s, i) -> (c ?)\nnode k Mul (c, two) -> (cc ?)\n"
      "node j Concat (cc, m) -> (shape ?) axis=0\nnode r Reshape (x, shape) -> (y ?)\noutput y\n");
  assert_int_equal(g->output[0]->rank, 2);
  assert_int_equal(g->output[0]->dims[0], 6);
  assert_int_equal(g->output[0]->dims[1], 20);
  tsr_arena_free(a);
}

static void auto_pad_becomes_pads(void **state)
{
  (void)state;
  static const struct {
    const char *mode;
    int64_t pads[4];
  } modes[] = {{"SAME_UPPER", {0, 0, 1, 1}}, {"SAME_LOWER", {1, 1, 0, 0}}, {"VALID", {0, 0, 0, 0}}};
  for (int i = 0; i < 3; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *g = graph_of(
        a, tsr_arena_printf(a,
                            "input x f32[1,1,8,8]\ninput w f32[1,1,3,3]\n"
                            "node n Conv (x, w) -> (y ?) auto_pad=\"%s\" strides=[2,2]\noutput y\n",
                            modes[i].mode));
    int64_t pads[4];
    assert_null(tsr_node_attr(g->node[0], "auto_pad"));
    tsr_node_ints(g->node[0], "pads", 4, -1, pads);
    assert_memory_equal(pads, modes[i].pads, sizeof pads);
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_op),
      cmocka_unit_test(split_makes_parts),
      cmocka_unit_test(shapes_are_computed),
      cmocka_unit_test(auto_pad_becomes_pads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
