/* SPDX-License-Identifier: Apache-2.0 */
/* Channels in blocks: which nodes, and the same results. */
#include <ctype.h>

#include "compiler/graph/graph_private.h"
#include "tests/base/in_arena.h"
#include "tests/graph/test_graph.h"

/* In lines, w4x3x1x1 is a constant of floats of that shape; q of int8, c, m and p of int32: biases,
 * multipliers and packed words; v of floats that are positive. All are small whole numbers, so that sums
 * are exact in any order. */
static const struct row {
  const char *name, *lines, *ops; /* as blocks of 16 */
  double tolerance;
} rows[] = {
    {"a first layer reads its input as it is",
     "input x f32[2,3,7,9]\nnode c Conv (x, w32x3x3x3, w32) -> (y ?) pads=[1,1,1,1] strides=[2,1]\n"
     "output y\n",
     "Reshape 1 Transpose 1 BlockedConv 1", 0},
    {"blocked from layer to layer",
     "input x f32[1,3,8,8]\nnode c Conv (x, w16x3x3x3) -> (a ?) pads=[0,1,1,0]\nnode r Relu (a) -> "
     "(e ?)\n"
     "node d Conv (e, w32x16x3x3, w32) -> (f ?) dilations=[2,1]\nnode p MaxPool (f) -> (g ?) "
     "kernel_shape=[2,2] strides=[2,2]\n"
     "node s Conv (g, w8x32x1x1) -> (y ?) strides=[1,2]\noutput y\n",
     "MaxPool 1 Relu 1 Reshape 1 BlockedConv 3", 0},
    {"channels that the block does not divide are one block",
     "input x f32[1,5,6,6]\nnode c Conv (x, w24x5x1x1) -> (a ?)\nnode d Conv (a, w9x24x3x3, w9) -> "
     "(y ?)\n"
     "output y\n",
     "Reshape 1 Transpose 1 BlockedConv 2", 0},
    {"depthwise",
     "input x f32[1,16,6,6]\nnode c Conv (x, w16x1x3x3, w16) -> (a ?) group=16 "
     "auto_pad=\"SAME_UPPER\" "
     "strides=[2,2]\n"
     "node d Conv (a, w24x16x1x1) -> (e ?)\nnode f Conv (e, w24x1x3x2) -> (y ?) group=24\noutput "
     "y\n",
     "Reshape 2 Transpose 2 BlockedConv 1 BlockedDepthwise 2", 0},
    {"groups stay plain",
     "input x f32[1,16,4,4]\nnode c Conv (x, w16x16x1x1) -> (a ?)\nnode d Conv (a, w32x8x1x1) -> "
     "(e ?) "
     "group=2\nnode f Conv (e, w16x32x1x1) -> (y ?)\noutput y\n",
     "Conv 1 Reshape 2 Transpose 2 BlockedConv 2", 0},
    {"few results stay plain",
     "input x f32[1,16,4,4]\nnode c Conv (x, w16x16x1x1) -> (a ?)\nnode d Conv (a, w4x16x1x1) -> "
     "(y ?)\n"
     "output y\n",
     "Conv 1 Reshape 1 Transpose 1 BlockedConv 1", 0},
    {"elementwise: constants by channel, one number, a number a map, residual sums",
     "input x f32[1,3,4,4]\ninput z f32[1,16,4,4]\nnode c Conv (x, w16x3x1x1) -> (a ?)\n"
     "node m Mul (a, w16x1x1) -> (e ?)\nnode n Add (e, w1x16x1x1) -> (f ?)\nnode o Sub (f, w1) -> "
     "(g ?)\n"
     "node q Add (z, g) -> (h ?)\nnode p GlobalMaxPool (h) -> (i ?)\nnode u Mul (i, h) -> (j ?)\n"
     "node v PRelu (j, w16x1x1) -> (k ?)\nnode d Conv (k, w16x16x1x1) -> (y ?)\noutput y\n",
     "Add 2 MaxPool 1 Mul 2 PRelu 1 Reshape 2 Sub 1 Transpose 2 BlockedConv 2", 0},
    {"a conversion is made once",
     "input x f32[1,16,4,4]\nnode c Conv (x, w16x1x3x3) -> (a ?) group=16\n"
     "node d Conv (x, w16x1x3x3) -> (e ?) group=16\nnode f Add (a, e) -> (y ?)\noutput y\n",
     "Add 1 Reshape 2 Transpose 2 BlockedDepthwise 2", 0},
    {"elementwise along rows stays plain",
     "input x f32[1,3,4,4]\nnode c Conv (x, w16x3x1x1) -> (a ?)\nnode m Mul (a, w4) -> (y "
     "?)\noutput y\n",
     "Mul 1 Reshape 1 Transpose 1 BlockedConv 1", 0},
    {"means and rounding up",
     "input x f32[2,3,7,7]\nnode c Conv (x, w16x3x1x1) -> (a ?)\n"
     "node p AveragePool (a) -> (e ?) kernel_shape=[2,2] strides=[2,2] ceil_mode=1\n"
     "node q AveragePool (e) -> (f ?) kernel_shape=[2,2] pads=[1,1,0,0] count_include_pad=1\n"
     "node r MaxPool (f) -> (g ?) kernel_shape=[3,2] strides=[2,2] ceil_mode=1\n"
     "node s GlobalAveragePool (g) -> (h ?)\nnode t Flatten (h) -> (y ?)\noutput y\n",
     "AveragePool 3 Flatten 1 MaxPool 1 Reshape 1 BlockedConv 1", 0},
    {"concatenation of blocks",
     "input x f32[1,3,4,4]\nnode c Conv (x, w16x3x1x1) -> (a ?)\nnode d Conv (x, w32x3x1x1) -> (e "
     "?)\n"
     "node f Concat (a, e) -> (g ?) axis=1\nnode h Conv (g, w16x48x1x1) -> (y ?)\noutput y\n",
     "Concat 1 Reshape 1 Transpose 1 BlockedConv 3", 0},
    {"concatenation of lanes",
     "input x f32[1,3,4,4]\nnode c Conv (x, w16x3x1x1) -> (a ?)\nnode d Conv (x, w24x3x1x1) -> (e "
     "?)\n"
     "node f Concat (a, e) -> (g ?) axis=-3\nnode h Conv (g, w16x40x1x1) -> (y ?)\noutput y\n",
     "Concat 1 Reshape 1 Transpose 1 BlockedConv 3", 0},
    {"concatenation of neither",
     "input x f32[1,3,4,4]\nnode c Conv (x, w32x3x1x1) -> (a ?)\nnode d Conv (x, w24x3x1x1) -> (e "
     "?)\n"
     "node f Concat (a, e) -> (g ?) axis=1\nnode h Conv (g, w16x56x1x1) -> (y ?)\noutput y\n",
     "Concat 1 Reshape 3 Transpose 3 BlockedConv 3", 0},
    {"what has no blocked form reads the plain one, once",
     "input x f32[1,3,4,4]\nnode c Conv (x, w16x3x1x1) -> (a ?)\nnode s Softmax (a) -> (e ?) "
     "axis=1\n"
     "node t Transpose (a) -> (f ?) perm=[0,2,3,1]\nnode d Conv (a, w16x16x1x1) -> (g ?)\n"
     "output e\noutput f\noutput g\n",
     "Reshape 2 Softmax 1 Transpose 3 BlockedConv 2", 0},
    {"one number a channel is only seen in another way",
     "input x f32[3,16,1,1]\nnode c Conv (x, w48x16x1x1) -> (a ?)\nnode h HardSigmoid (a) -> (e "
     "?)\n"
     "node d Conv (e, w16x48x1x1, w16) -> (y ?)\noutput y\n",
     "HardSigmoid 1 Reshape 1 BlockedConv 2", 1e-5},
    {"products",
     "input x f32[5,7]\nnode g Gemm (x, w7x32, w32) -> (a ?)\nnode r Relu (a) -> (e ?)\n"
     "node h Gemm (e, w10x32, w1x10) -> (f ?) transB=1\nnode m Mul (f, w1) -> (y ?)\noutput y\n",
     "Mul 1 Relu 1 Reshape 2 Slice 1 BlockedDense 2", 0},
    {"products of rows of rows, with what is added",
     "input x f32[2,3,8]\ninput z f32[2,3,32]\nnode m MatMul (x, w8x32) -> (a ?)\n"
     "node b Add (a, w32) -> (e ?)\nnode r Add (z, e) -> (f ?)\nnode s Mul (f, w1x1x32) -> (g ?)\n"
     "node n MatMul (g, w32x9) -> (y ?)\noutput y\n",
     "Add 2 Mul 1 Reshape 6 Slice 1 BlockedDense 2", 0},
    {"products of what is no constant, scaled or transposed stay plain",
     "input x f32[4,8]\ninput z f32[8,16]\ninput b f32[16]\nnode m MatMul (x, z) -> (a ?)\n"
     "node g Gemm (a, w16x16) -> (e ?) alpha=2.0\nnode h Gemm (e, w4x8) -> (f ?) transA=1\n"
     "node i Gemm (f, w8x16, b) -> (y ?)\noutput y\n",
     "Gemm 3 MatMul 1", 0},
    {"int8",
     "input x i8[2,3,6,6]\nnode c QConv (x, q20x3x3x3, c20, m20, p20) -> (a ?) strides=[1,1] "
     "pads=[1,1,0,0] dilations=[1,1] group=1 x_zero=-7\n"
     "node d QConv (a, q20x1x3x3, c20, m20, p20) -> (e ?) strides=[2,1] pads=[1,1,1,1] "
     "dilations=[1,1] group=20 x_zero=3\n"
     "node f QMaxPool (e) -> (f ?) kernel=[2,2] strides=[1,1] pads=[0,1,1,0] dilations=[1,1]\n"
     "node g QAvgPool (f) -> (g ?) kernel=[2,3] strides=[1,1] pads=[0,0,0,0] x_zero=2 bias=5 "
     "mult=1500000000 pack=2139160862\n"
     "node h QAdd (g, g) -> (h ?) mx=5 my=7 bias=3 mult=1073741824 pack=2139160861\n"
     "node i QConv (h, q33x20x1x1, c33, m33, p33) -> (y ?) strides=[1,1] pads=[0,0,0,0] "
     "dilations=[1,1] group=1 x_zero=0\noutput y\n",
     "Reshape 2 QAdd 1 QMaxPool 1 QAvgPool 1 BlockedConv 2 BlockedDepthwise 1 Pack 1 Unpack 1", 0},
    {"int8 products",
     "input x i8[3,8]\nnode c QDense (x, q32x8, c32, m32, p32) -> (a ?)\n"
     "node d QMul (a, a) -> (e ?) x_zero=1 y_zero=-2 bias=3 mult=1073741824 pack=2139160861\n"
     "node f QDense (e, q10x32, c10, m10, p10) -> (f ?)\nnode g QDense (f, q16x10, c16, m16, p16) "
     "-> (y ?)\n"
     "output y\n",
     "Reshape 2 Slice 1 QDense 1 QMul 1 BlockedDense 2", 0},
};

/* --- graphs of rows --------------------------------------------------------------------------- */

static void add_number(struct tsr_text *text, char kind, uint64_t *seed)
{
  int v = (int)(next_random(seed) % 7) - 3;
  switch (kind) {
  case 'w': tsr_text_add(text, "%d.0", v); break;
  case 'q': tsr_text_add(text, "%d", (int)(next_random(seed) % 256) - 128); break;
  case 'c': tsr_text_add(text, "%d", v * 1000); break;
  case 'm': tsr_text_add(text, "%d", (1 << 30) + v * 100000000 + 300000000); break;
  default: tsr_text_add(text, "%d", tsr_quant_pack(37 + v, v, -128, 127 + (v < 0 ? v : 0))); break;
  }
}

/* Declares the constant that is named at `at`, if it is one and not declared before. */
static void declare(struct tsr_text *text, const char *lines, const char *at, uint64_t *seed)
{
  size_t length = strspn(at + 1, "0123456789x") + 1;
  const char *first = lines;
  int64_t count = 1;
  while (strncmp(first, at, length) || isalnum(first[length]) || isalnum(first[-1]))
    first++;
  if (first != at)
    return;
  tsr_text_add(text, "const %.*s %s[", (int)length, at,
               *at == 'w'   ? "f32"
               : *at == 'q' ? "i8"
                            : "i32");
  for (const char *p = at + 1; p < at + length; p += strspn(p, "0123456789") + 1) {
    count *= atoi(p);
    tsr_text_add(text, "%s%d", p > at + 1 ? "," : "", atoi(p));
  }
  tsr_text_add(text, "] {");
  for (int64_t k = 0; k < count; k++) {
    tsr_text_add(text, "%s", k ? ", " : "");
    add_number(text, *at, seed);
  }
  tsr_text_add(text, "}\n");
}

static struct tsr_graph *graph_of_row(struct tsr_arena *a, const char *lines)
{
  struct tsr_text text = {.arena = a};
  uint64_t seed = 5;
  for (const char *at = lines + 1; *at; at++)
    if (strchr("wqcmp", *at) && isdigit(at[1]) && strchr(" (", at[-1]))
      declare(&text, lines, at, &seed);
  const char *nodes = strstr(lines, "node");
  return graph_of(a, tsr_arena_printf(a, "%.*s%s%s", (int)(nodes - lines), lines,
                                      text.data ? text.data : "", nodes));
}

/* Whole numbers from -3 to 3, or any int8. */
static void fill(struct tsr_arena *a, const struct tsr_graph *g, struct tsr_tensor *inputs)
{
  uint64_t seed = 3;
  random_inputs(a, g, &seed, 3, inputs);
  for (int k = 0; k < g->inputs; k++)
    for (int64_t i = 0; i < tsr_tensor_count(&inputs[k]) && inputs[k].dtype == TSR_F32; i++)
      tsr_put_float(&inputs[k], i, nearbyint(tsr_get_float(&inputs[k], i)));
}

static void check_row(struct tsr_arena *a, const struct row *r, struct tsr_layout layout)
{
  struct tsr_err err = {0};
  struct tsr_tensor inputs[3];
  struct tsr_graph *g = graph_of_row(a, r->lines), *h = graph_of_row(a, r->lines);
  if (tsr_graph_block(&err, h, &layout) || tsr_graph_verify(&err, h))
    fail_msg("%s: %s", r->name, err.text);
  if (layout.block == 16 && strcmp(ops_of(a, h), r->ops))
    fail_msg("%s: '%s' where '%s' is expected\n%s", r->name, ops_of(a, h), r->ops,
             tsr_graph_print(a, h, true));
  for (int k = 0; k < g->outputs; k++)
    assert_string_equal(g->output[k]->name, h->output[k]->name);
  fill(a, g, inputs);
  double difference = largest_difference(a, g, h, inputs);
  if (!(difference <= r->tolerance))
    fail_msg("%s, blocks of %d: off by %g", r->name, (int)layout.block, difference);
}

static void rows_stay_the_same(void **state)
{
  static const struct tsr_layout layouts[] = {
      {16, 128, false}, {16, 0, false}, {8, 0, false}, {0, 0, false}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    for (size_t k = 0; k < sizeof layouts / sizeof layouts[0]; k++)
      check_row(*state, &rows[i], layouts[k]);
}

/* Sums that wrap with 128 added to each byte are made without. */
static void offsets(void **state)
{
  static const struct {
    const char *bias;
    int64_t offset;
  } cases[] = {{"0", 128}, {"2147483647", 128}, {"2147483646", 0}};
  for (int k = 0; k < 3; k++) {
    struct tsr_err err = {0};
    struct tsr_text w = {.arena = *state}, c = {.arena = *state};
    for (int i = 0; i < 8 * 4; i++) /* the sum of each row is 1, or -1 in the last case */
      tsr_text_add(&w, "%s%d", i ? ", " : "", i % 4 ? 0 : k == 2 ? -1 : 1);
    for (int i = 0; i < 8; i++)
      tsr_text_add(&c, "%s%s", i ? ", " : "", cases[k].bias);
    struct tsr_graph *g = graph_of(
        *state, tsr_arena_printf(*state,
                                 "input x i8[1,4]\nconst w i8[8,4] {%s}\nconst c i32[8] {%s}\n"
                                 "node n QDense (x, w, c, c, c) -> (y ?)\noutput y\n",
                                 w.data, c.data));
    assert_int_equal(tsr_graph_block(&err, g, &(struct tsr_layout){16, 128, false}), TSR_OK);
    const struct tsr_node *n = g->node[0];
    assert_int_equal(n->op, TSR_G_BlockedDense);
    assert_int_equal(tsr_node_int(n, "offset", 0), cases[k].offset);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(rows_stay_the_same),
      IN_ARENA(offsets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
