/* SPDX-License-Identifier: Apache-2.0 */
/* Float ops between DequantizeLinear and QuantizeLinear, with random weights and parameters: which
 * integer ops they become, and that these are at most one step from what the float ops give. Where
 * nothing rounds twice they are equal but for the rounding of float itself. */
#include "base/arith.h"
#include "tests/graph/test_graph.h"

/* Text of a constant of `count` elements of `bytes` random bytes each. */
static void add_random(struct tsr_text *t, uint64_t *seed, const char *name, const char *type,
                       int bytes)
{
  tsr_text_add(t, "const %s %s hex ", name, type);
  for (int i = 0; i < bytes; i++)
    tsr_text_add(t, "%02x", (unsigned)(next_random(seed) & 0xff));
  tsr_text_add(t, "\n");
}

/* A float constant: count numbers, or the products of x_scale with numbers that `scales` keeps. */
static void add_scales(struct tsr_text *t, uint64_t *seed, const char *name, int count,
                       float x_scale, float *scales)
{
  tsr_text_add(t, "const %s f32[%d] {", name, count);
  for (int i = 0; i < count; i++) {
    if (x_scale == 0)
      scales[i] = (float)random_between(seed, 0.005, 0.02);
    tsr_text_add(t, "%s%.9e", i ? ", " : "",
                 (double)(x_scale == 0 ? scales[i] : x_scale * scales[i]));
  }
  tsr_text_add(t, "}\n");
}

/* Inputs, parameters and dequantized tensors that the rows' nodes read. */
static const char *prelude(struct tsr_arena *a, uint64_t *seed)
{
  struct tsr_text t = {.arena = a};
  float ws[8], xs = (float)random_between(seed, 0.02, 0.08);
  tsr_text_add(&t,
               "input x i8[1,4,6,6]\ninput z i8[1,4,6,6]\ninput u u8[1,4,6,6]\ninput km i8[3,4]\n"
               "input km3 i8[2,3,4]\ninput f f32[1,4,6,6]\n");
  tsr_text_add(&t, "const xs f32[] {%.9e}\nconst zs f32[1] {%.9e}\nconst ys f32[] {%.9e}\n",
               (double)xs, random_between(seed, 0.02, 0.08), random_between(seed, 0.3, 0.8));
  tsr_text_add(&t, "const as f32[] {%.9e}\n", random_between(seed, 0.04, 0.15));
  tsr_text_add(&t,
               "const xz i8[] {%d}\nconst zz i8[1] {%d}\nconst yz i8[] {%d}\nconst uz u8[] {%d}\n",
               (int)(next_random(seed) % 256) - 128, (int)(next_random(seed) % 256) - 128,
               (int)(next_random(seed) % 64) - 32, (int)(next_random(seed) % 64) + 96);
  add_random(&t, seed, "kw", "i8[8,4,3,3]", 288);
  add_random(&t, seed, "kdw", "i8[4,1,3,3]", 36);
  add_random(&t, seed, "kt", "i8[4,8,3,3]", 288);
  add_random(&t, seed, "kd", "i8[5,4]", 20);
  add_random(&t, seed, "kdt", "i8[4,5]", 20);
  add_scales(&t, seed, "ws", 8, 0, ws);
  add_scales(&t, seed, "bs", 8, xs, ws);
  add_scales(&t, seed, "ds", 5, 0, ws);
  tsr_text_add(
      &t, "const kb i32[8] {100, -2000, 30000, 4, -5, 6, 7, -8}\nconst w0 f32[] {0.0625}\n"
          "const fb5 f32[5] {1.0, -2.0, 0.3, 0.01, -0.5}\nconst fb8 f32[8] {1.0, -2.0, 0.3, 0.01, "
          "-0.5, 1.0, 2.0, 3.0}\n"
          "const zero f32[] {0.0}\nconst six f32[] {6.0}\nconst three f32[] {3.0}\n"
          "const half f32[] {0.5}\nconst root f32[] {0.70710678}\nconst one f32[] {1.0}\n"
          "const slopes f32[4,1,1] {0.25, -1.5, 0.0, 1.75}\n"
          "const fb4 f32[4] {1.0, -2.0, 0.3, 0.01}\n"
          "const wu u8[4,1,1,1] {100, 200, 130, 140}\nconst wuz u8[] {128}\nconst wuz0 u8[] {0}\n"
          "const flat i64[2] {1, -1}\nconst pads i64[8] {0, 0, 1, 2, 0, 0, 0, 1}\n"
          "node fx DequantizeLinear (x, xs, xz) -> (fx ?)\n"
          "node fz DequantizeLinear (z, zs, zz) -> (fz ?)\n"
          "node fu DequantizeLinear (u, xs, uz) -> (fu ?)\n"
          "node fm DequantizeLinear (km, xs, xz) -> (fm ?)\n"
          "node fm3 DequantizeLinear (km3, xs, xz) -> (fm3 ?)\n"
          "node fw DequantizeLinear (kw, ws) -> (fw ?) axis=0\n"
          "node fw1 DequantizeLinear (kw, w0) -> (fw1 ?)\n"
          "node fdw DequantizeLinear (kdw, w0) -> (fdw ?)\n"
          "node ft DequantizeLinear (kt, ws) -> (ft ?) axis=1\n"
          "node fd DequantizeLinear (kd, ds) -> (fd ?) axis=0\n"
          "node fdt DequantizeLinear (kdt, ds) -> (fdt ?) axis=1\n"
          "node fb DequantizeLinear (kb, bs) -> (fb ?) axis=0\n"
          "node fwu DequantizeLinear (wu, w0, wuz) -> (fwu ?)\n"
          "node fwu0 DequantizeLinear (wu, w0, wuz0) -> (fwu0 ?)\n");
  return t.data;
}

#define QUANTIZED(op) op "node q QuantizeLinear (r, ys, yz) -> (y ?)\noutput y\n"
#define FINE(op) op "node q QuantizeLinear (r, as, yz) -> (y ?)\noutput y\n"

/* x as one row of 36 elements a channel, and weights of three taps. */
#define ONE_ROW                                                                                    \
  "const row i64[3] {1, 4, 36}\n"                                    \
  "const k1 i8[8,4,3] hex "                                                                        \
  "0102f304051607f809aa0b0c1d0e0f7011125314f5161798191a1b8c1d1e1f20" \
  "2122e324252627d829aa2b2c3d2e2f3031323334f53637983a3b3c8c3d3e3f40" \
  "4142c344454647b849aa4b4c4d4e4f5051525354f5565798595a5b8c5d5e5f60" \
  "\nnode f1 Reshape (fx, row) -> (f1 ?)\n"                                                        \
  "node fw1d DequantizeLinear (k1, ws) -> (fw1d ?) axis=0\n"

static const struct row {
  const char *name, *lines, *ops;
} rows[] = {
    {"convolution", QUANTIZED("node c Conv (fx, fw, fb) -> (r ?) pads=[1,0,1,1] strides=[2,1]\n"),
     "QConv 1"},
    {"without bias", QUANTIZED("node c Conv (fx, fw1) -> (r ?) dilations=[2,1]\n"), "QConv 1"},
    {"float bias", QUANTIZED("node c Conv (fx, fw, fb8) -> (r ?)\n"), "QConv 1"},
    {"depthwise", FINE("node c Conv (fx, fdw) -> (r ?) group=4 pads=[1,1,1,1]\n"), "QConv 1"},
    {"Relu behind", QUANTIZED("node c Conv (fx, fw, fb) -> (c ?)\nnode l Relu (c) -> (r ?)\n"),
     "QConv 1"},
    {"Clip behind",
     FINE("node c Conv (fx, fw, fb) -> (c ?)\nnode l Clip (c, zero, six) -> (r ?)\n"), "QConv 1"},
    {"half a Clip",
     QUANTIZED("node c Conv (fx, fw, fb) -> (c ?)\nnode l Clip (c, -, six) -> (r ?)\n"), "QConv 1"},
    {"uint8 weights", FINE("node c Conv (fx, fwu) -> (r ?) group=4\n"), "QConv 1"},
    {"uint8 weights that do not fit", FINE("node c Conv (fx, fwu0) -> (r ?) group=4\n"),
     "Conv 1 DequantizeLinear 1 QuantizeLinear 1"},
    {"padding before",
     QUANTIZED("node p Pad (fx, pads) -> (p ?)\nnode c Conv (p, fw, fb) -> (r ?)\n"), "QConv 1"},
    {"padding between",
     "node p Pad (fx, pads) -> (p ?)\nnode pq QuantizeLinear (p, xs, xz) -> (pq ?)\n"
     "node pd DequantizeLinear (pq, xs, xz) -> (pd ?)\n" QUANTIZED(
         "node c Conv (pd, fw, fb) -> (r ?)\n"),
     "QConv 1"},
    {"a maximum behind",
     QUANTIZED("node c Conv (fx, fw, fb) -> (c ?)\nnode l Relu (c) -> (l ?)\n"
               "node p MaxPool (l) -> (r ?) kernel_shape=[2,2] strides=[2,2]\n"),
     "QConv 1 QMaxPool 1"},
    {"Gemm", FINE("node c Gemm (fm, fd, fb5) -> (r ?) transB=1 alpha=0.5 beta=2.0\n"), "QDense 1"},
    {"Gemm of columns", FINE("node c Gemm (fm, fdt) -> (r ?)\n"), "QDense 1"},
    {"MatMul", FINE("node c MatMul (fm, fdt) -> (r ?)\n"), "QDense 1"},
    {"MatMul of transposed weights",
     FINE("node t Transpose (fd) -> (t ?)\nnode c MatMul (fm, t) -> (r ?)\n"), "QDense 1"},
    {"MatMul and bias", FINE("node c MatMul (fm, fdt) -> (c ?)\nnode a Add (c, fb5) -> (r ?)\n"),
     "QDense 1"},
    {"MatMul of three dims",
     FINE("node c MatMul (fm3, fdt) -> (c ?)\nnode a Add (fb5, c) -> (r ?)\n"),
     "Reshape 2 QDense 1"},
    {"Add", FINE("node a Add (fx, fz) -> (r ?)\n"), "QAdd 1"},
    {"Sum", FINE("node a Sum (fx, fz) -> (r ?)\n"), "QAdd 1"},
    {"Sub and Relu", FINE("node a Sub (fx, fz) -> (s ?)\nnode l Relu (s) -> (r ?)\n"), "QAdd 1"},
    {"Mul", QUANTIZED("node a Mul (fx, fz) -> (r ?)\n"), "QMul 1"},
    {"MaxPool, equal scales",
     "node p MaxPool (fx) -> (r ?) kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]\n"
     "node q QuantizeLinear (r, xs, xz) -> (y ?)\noutput y\n",
     "QMaxPool 1"},
    {"MaxPool, rounded up",
     "node p MaxPool (fx) -> (r ?) kernel_shape=[3,3] strides=[2,2] ceil_mode=1\n"
     "node q QuantizeLinear (r, xs, xz) -> (y ?)\noutput y\n",
     "QMaxPool 1"},
    {"MaxPool, another scale", FINE("node p GlobalMaxPool (fx) -> (r ?)\n"), "QMaxPool 1 QLut 1"},
    {"AveragePool", FINE("node p AveragePool (fx) -> (r ?) kernel_shape=[3,2] strides=[2,2]\n"),
     "QAvgPool 1"},
    {"AveragePool, padding counts",
     FINE("node p AveragePool (fx) -> (r ?) kernel_shape=[3,3] "
          "pads=[1,1,1,1] count_include_pad=1\n"),
     "QAvgPool 1"},
    {"AveragePool, padding does not count",
     FINE("node p AveragePool (fx) -> (r ?) kernel_shape=[3,3] pads=[1,1,1,1]\n"),
     "Concat 4 Slice 9 QAvgPool 9"},
    {"AveragePool, rounded up",
     FINE("node p AveragePool (fx) -> (r ?) kernel_shape=[3,3] strides=[2,2] ceil_mode=1\n"),
     "Concat 3 Slice 4 QAvgPool 4"},
    {"one-dimensional convolution",
     ONE_ROW FINE("node c Conv (f1, fw1d, fb8) -> (r ?) strides=[2] pads=[1,0] dilations=[2]\n"),
     "Reshape 2 QConv 1"},
    {"one-dimensional pools",
     ONE_ROW "node m MaxPool (f1) -> (m ?) kernel_shape=[3] strides=[2] pads=[0,1]\n"
     FINE("node p AveragePool (m) -> (r ?) kernel_shape=[2]\n"),
     "Reshape 2 QMaxPool 1 QAvgPool 1"},
    {"transposed convolution",
     FINE("node c ConvTranspose (fx, ft, fb8) -> (r ?) strides=[2,2] pads=[1,1,1,1]\n"),
     "Slice 1 QConv 4 Interleave 1"},
    {"transposed convolution of whole steps",
     FINE("node c ConvTranspose (fx, ft) -> (r ?) strides=[3,3]\n"), "QConv 9 Interleave 1"},
    {"transposed convolution with gaps",
     FINE("node c ConvTranspose (fx, ft, fb8) -> (r ?) strides=[4,1] output_padding=[2,0]\n"),
     "Slice 1 QConv 4 Interleave 1"},
    {"transposed convolution, padding as large as the kernel",
     FINE("node c ConvTranspose (fx, ft) -> (r ?) strides=[1,2] pads=[0,3,2,3]\n"),
     "Slice 1 QConv 2 Interleave 1"},
    {"transposed convolution without strides",
     QUANTIZED("node c ConvTranspose (fx, ft, fb8) -> (c ?) dilations=[2,1] pads=[1,0,0,0]\n"
               "node l Relu (c) -> (r ?)\n"),
     "QConv 1"},
    {"grouped transposed convolution",
     FINE("node c ConvTranspose (fx, fdw, fb4) -> (r ?) group=4 strides=[2,2] pads=[1,1,0,0]\n"),
     "QConv 4 Interleave 1"},
    {"PRelu", FINE("node p PRelu (fx, slopes) -> (r ?)\n"), "QConv 1 QAdd 1 QLut 1"},
    {"PRelu of one slope", FINE("node p PRelu (fx, half) -> (r ?)\n"), "QLut 1"},
    {"Resize, nearest",
     "const times f32[4] {1.0, 1.0, 2.0, 3.0}\n" QUANTIZED(
         "node c Conv (fx, fw, fb) -> (c ?)\nnode s Resize (c, -, times) -> (r ?)\n"),
     "Resize 1 QConv 1"},
    {"GlobalAveragePool", FINE("node p GlobalAveragePool (fx) -> (r ?)\n"), "QAvgPool 1"},
    {"ReduceMean", FINE("node p ReduceMean (fx) -> (r ?) axes=[3,-2] keepdims=0\n"),
     "Reshape 1 QAvgPool 1"},
    {"ReduceMean of channels", FINE("node p ReduceMean (fx) -> (r ?) axes=[1]\n"),
     "DequantizeLinear 1 QuantizeLinear 1 ReduceMean 1"},
    {"other scale", FINE("node i Identity (fx) -> (r ?)\n"), "QLut 1"},
    {"equal scale",
     "node q QuantizeLinear (fx, xs, xz) -> (q ?)\nnode d DequantizeLinear (q, xs, xz) -> "
     "(d ?)\nnode n Neg (d) -> (n ?)\nnode r QuantizeLinear (n, xs, xz) -> (y ?)\noutput y\n",
     "QLut 1"},
    {"Sigmoid",
     "node s Sigmoid (fx) -> (r ?)\nnode q QuantizeLinear (r, w0, xz) -> (y ?)\noutput y\n",
     "QLut 1"},
    {"x * sigmoid(x)", FINE("node s Sigmoid (fx) -> (s ?)\nnode m Mul (fx, s) -> (r ?)\n"),
     "QLut 1"},
    {"GELU",
     FINE("node a Mul (fx, root) -> (a ?)\nnode e Erf (a) -> (e ?)\nnode p Add (e, one) -> (p ?)\n"
          "node m Mul (fx, p) -> (m ?)\nnode h Mul (m, half) -> (r ?)\n"),
     "QLut 1"},
    {"hard swish",
     FINE("node a Add (fx, three) -> (a ?)\nnode c Clip (a, zero, six) -> (c ?)\n"
          "node m Mul (fx, c) -> (m ?)\nnode d Div (m, six) -> (r ?)\n"),
     "QLut 1"},
    {"x + x", FINE("node a Add (fx, fx) -> (r ?)\n"), "QLut 1"},
    {"Reshape and Transpose",
     "node t Transpose (fx) -> (t ?) perm=[0,2,3,1]\nnode s Reshape (t, flat) -> (r ?)\n"
     "node q QuantizeLinear (r, xs, xz) -> (y ?)\noutput y\n",
     "Reshape 1 Transpose 1"},
    {"Concat, equal scales",
     "node j Concat (fx, fx) -> (r ?) axis=1\n"
     "node q QuantizeLinear (r, xs, xz) -> (y ?)\noutput y\n",
     "Concat 1"},
    {"Concat, other scales", FINE("node j Concat (fx, fz) -> (r ?) axis=1\n"), "Concat 1 QLut 2"},
    {"Split", "node s Split (fx) -> (s ?, t ?) axis=1\n" FINE("node a Add (s, t) -> (r ?)\n"),
     "Split 1 QAdd 1"},
    {"two readers",
     FINE("node c Conv (fx, fdw) -> (c ?) group=4 pads=[1,1,1,1]\nnode cq QuantizeLinear (c, as, "
          "yz) -> (cq ?)\n"
          "node cd DequantizeLinear (cq, as, yz) -> (cd ?)\nnode d Conv (cd, fdw) -> (d ?) group=4 "
          "pads=[1,1,1,1]\nnode dq QuantizeLinear (d, as, yz) -> (dq ?)\n"
          "node dd DequantizeLinear (dq, as, yz) -> (dd ?)\nnode a Add (cd, dd) -> (r ?)\n"),
     "QConv 2 QAdd 1"},
    {"uint8 input", FINE("node c Conv (fu, fdw) -> (r ?) group=4\n"), "Add 1 Cast 2 QConv 1"},
    {"uint8 inside",
     "node uq QuantizeLinear (f, xs, uz) -> (uq ?)\nnode ud DequantizeLinear (uq, xs, uz) -> (ud "
     "?)\n"
     "node c Conv (ud, fdw) -> (c ?) group=4\nnode cq QuantizeLinear (c, as, uz) -> (cq ?)\n"
     "node cd DequantizeLinear (cq, as, uz) -> (y ?)\noutput y\n",
     "DequantizeLinear 1 QuantizeLinear 1 QConv 1"},
    {"uint8 output", "node uq QuantizeLinear (fx, as, uz) -> (y ?)\noutput y\n",
     "Add 1 Cast 2 QLut 1"},
    {"uint8 moved",
     "node uq QuantizeLinear (fx, as, uz) -> (uq ?)\n"
     "node p MaxPool (uq) -> (p ?) kernel_shape=[2,2]\nnode s Reshape (p, flat) -> (s ?)\n"
     "node ud DequantizeLinear (s, as, uz) -> (y ?)\noutput y\n",
     "DequantizeLinear 1 Reshape 1 QMaxPool 1 QLut 1"},
    {"QLinearConv",
     "const kz i8[] {0}\nnode c QLinearConv (x, xs, xz, kw, ws, kz, ys, yz, kb) -> (y ?) "
     "pads=[1,1,1,1]\noutput y\n",
     "QConv 1"},
    {"QLinearMatMul",
     "const dz i8[] {0}\nnode c QLinearMatMul (km, xs, xz, kdt, ds, dz, as, yz) -> (y ?)\n"
     "output y\n",
     "QDense 1"},
    {"QLinearAdd", "node c QLinearAdd (x, xs, xz, z, zs, zz, as, yz) -> (y ?)\noutput y\n",
     "QAdd 1"},
    {"QLinearGlobalAveragePool",
     "node c QLinearGlobalAveragePool (x, xs, xz, as, yz) -> (y ?)\noutput y\n", "QAvgPool 1"},
};

/* One step of the outputs, in which differences are counted. */
static double step_of(const struct tsr_value *v)
{
  if (tsr_dtype_kind(v->dtype) != TSR_KIND_FLOAT)
    return 1;
  struct tsr_tensor scale = tsr_value_tensor(v->producer->in[1]);
  return tsr_get_float(&scale, 0);
}

static void run_row(const struct row *row, uint64_t first)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_tensor inputs[8];
  struct tsr_err err = {0};
  uint64_t seed = first;
  char *lines = tsr_arena_printf(a, "%s%s", prelude(a, &seed), row->lines);
  struct tsr_graph *before = graph_of(a, lines), *g = graph_of(a, lines);
  if (tsr_graph_optimize(&err, g, NULL, NULL))
    fail_msg("%s: %s", row->name, err.text);
  if (strcmp(ops_of(a, g), row->ops))
    fail_msg("%s: %s, not %s", row->name, ops_of(a, g), row->ops);
  random_inputs(a, before, &seed, 10, inputs);
  double difference = largest_difference(a, before, g, inputs) / step_of(before->output[0]);
  if (difference > 1.001)
    fail_msg("%s, seed %llu: %g steps", row->name, (unsigned long long)first, difference);
  assert_string_equal(g->output[0]->name, "y");
  tsr_arena_free(a);
}

static void each_form(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    for (uint64_t seed = 1; seed <= 4; seed++)
      run_row(&rows[i], 1000 * i + seed);
}

/* What stays float says why. */
static void reasons(void **state)
{
  (void)state;
  static const struct {
    const char *node, *reason;
  } said[] = {
      {"node n Conv (fx, fwu0) -> (r ?) group=4\n",
       "its weights less their zero points do not fit int8"},
      {"node n Conv (f, fdw) -> (r ?) group=4\n",
       "its input is not dequantized from int8 with one constant scale"},
      {"const cw f32[4,1,1,1] {1.0, 2.0, 3.0, 4.0}\nnode n Conv (fx, cw) -> (r ?) group=4\n",
       "its weights are not dequantized from constants"},
      {"node n AveragePool (fx) -> (r ?) kernel_shape=[3,3] pads=[1,1,1,1] count_include_pad=1 "
       "ceil_mode=1 strides=[2,3]\n",
       "its windows are dilated, or reach over padding that they count"},
      {"node n ConvTranspose (fx, ft) -> (r ?) strides=[2,2] dilations=[1,2]\n",
       "it is both strided and dilated"},
      {"node n ConvTranspose (fx, ft) -> (r ?) strides=[2,2] pads=[4,0,0,0]\n",
       "its padding is larger than its kernel"},
      {"node n ConvTranspose (fx, ft) -> (r ?) strides=[13,5]\n",
       "its strides make more than 64 convolutions of it"},
      {"const kp f32[6] {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}\nnode n PRelu (fx, kp) -> (r ?)\n",
       "its slopes are not one number for each channel"},
      {"const c4 f32[4,1,1] {1.0, 2.0, 3.0, 4.0}\nnode n Mul (fx, c4) -> (r ?)\n",
       "an operand is not dequantized from int8 with one constant scale"},
      {"const tiny f32[] {1e-30}\nnode d DequantizeLinear (z, tiny) -> (d ?)\nnode n Add (fx, d) "
       "-> (s ?)\n"
       "node e QuantizeLinear (s, tiny, xz) -> (e ?)\nnode h DequantizeLinear (e, xs, xz) -> (r "
       "?)\n",
       "the ratio of its scales is too large"},
  };
  for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    uint64_t seed = i;
    const struct tsr_attr *reason = NULL;
    struct tsr_graph *g = graph_of(
        a, tsr_arena_printf(a, "%s%snode q QuantizeLinear (r, as, yz) -> (y ?)\noutput y\n",
                            prelude(a, &seed), said[i].node));
    assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
    for (int k = 0; k < g->nodes; k++)
      if (tsr_node_attr(g->node[k], "reason"))
        reason = tsr_node_attr(g->node[k], "reason");
    assert_non_null(reason);
    assert_string_equal(reason->s, said[i].reason);
    tsr_arena_free(a);
  }
}

/* QAdd against the real formula, over all pairs of elements: at most half a step and 2^-20 of the
 * range away from the exact result. */
static void add_is_exact_to_its_bound(void **state)
{
  (void)state;
  for (uint64_t n = 1; n <= 50; n++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    uint64_t seed = n;
    float s[3];
    int z[3];
    for (int k = 0; k < 3; k++) {
      s[k] = (float)exp2(random_between(&seed, -6, 0));
      z[k] = (int)(next_random(&seed) % 256) - 128;
    }
    struct tsr_graph *g = graph_of(
        a, tsr_arena_printf(
               a,
               "input x i8[1]\ninput y i8[1]\nconst xs f32[] {%.9e}\nconst ys f32[] {%.9e}\n"
               "const rs f32[] {%.9e}\nconst xz i8[] {%d}\nconst yz i8[] {%d}\nconst rz i8[] {%d}\n"
               "node a DequantizeLinear (x, xs, xz) -> (a ?)\n"
               "node b DequantizeLinear (y, ys, yz) -> (b ?)\nnode c Add (a, b) -> (c ?)\n"
               "node q QuantizeLinear (c, rs, rz) -> (r ?)\noutput r\n",
               (double)s[0], (double)s[1], (double)s[2], z[0], z[1], z[2]));
    assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
    const struct tsr_node *add = g->node[0];
    assert_int_equal(add->op, TSR_G_QAdd);
    int64_t larger = tsr_node_int(add, "mx", 0) > tsr_node_int(add, "my", 0)
                         ? tsr_node_int(add, "mx", 0)
                         : tsr_node_int(add, "my", 0);
    assert_true(larger >= 1 << 21);
    double bound = 0.5 + 255 * fmax((double)s[0], (double)s[1]) / (double)s[2] * exp2(-21);
    for (int x = -128; x < 128; x++)
      for (int y = -128; y < 128; y++) {
        int64_t sum = x * tsr_node_int(add, "mx", 0) + y * tsr_node_int(add, "my", 0);
        int32_t r = tsr_quant_i32((int32_t)sum, (int32_t)tsr_node_int(add, "bias", 0),
                                  (int32_t)tsr_node_int(add, "mult", 0),
                                  (int32_t)tsr_node_int(add, "pack", 0));
        double exact =
            ((x - z[0]) * (double)s[0] + (y - z[1]) * (double)s[1]) / (double)s[2] + z[2];
        exact = fmin(fmax(exact, -128), 127);
        assert_true(fabs(r - exact) <= bound);
      }
    tsr_arena_free(a);
  }
}

/* A stored int32 bias is taken as it is, although its scale is a rounded product; another scale is
 * converted. */
static void biases(void **state)
{
  (void)state;
  static const struct {
    const char *scale;
    int32_t bias;
  } said[] = {{"0.01", 2000000001}, {"0.0100000007", 2000000001}, {"0.005", 1000000000}};
  for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *g = graph_of(
        a,
        tsr_arena_printf(a,
                         "input x i8[1,2]\nconst k i8[1,2] {1, 2}\nconst s f32[] {0.1}\n"
                         "const b i32[1] {2000000001}\nconst bs f32[] {%s}\n"
                         "node a DequantizeLinear (x, s) -> (a ?)\n"
                         "node w DequantizeLinear (k, s) -> (w ?)\n"
                         "node b DequantizeLinear (b, bs) -> (c ?)\n"
                         "node g Gemm (a, w, c) -> (d ?) transB=1\nconst r f32[] {1000.0}\n"
                         "const z i8[] {0}\nnode q QuantizeLinear (d, r, z) -> (y ?)\noutput y\n",
                         said[i].scale));
    assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
    assert_string_equal(ops_of(a, g), "QDense 1");
    assert_in_range(*(const int32_t *)g->node[0]->in[2]->data - said[i].bias + 100, i < 2 ? 100 : 0,
                    i < 2 ? 100 : 200);
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_form),
      cmocka_unit_test(reasons),
      cmocka_unit_test(biases),
      cmocka_unit_test(add_is_exact_to_its_bound),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
