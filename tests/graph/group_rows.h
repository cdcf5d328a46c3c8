/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs, and the groups that their nodes are computed in. */
#ifndef TSR_TESTS_GRAPH_GROUP_ROWS_H
#define TSR_TESTS_GRAPH_GROUP_ROWS_H

/* Values that the rows' nodes may read. */
static const char group_values[] =
    "input x f32[1,4,6,6]\ninput z f32[1,4,6,6]\ninput m f32[3,8]\ninput h f32[2,3,8]\n"
    "input q i8[1,4,6,6]\ninput r i8[1,4,6,6]\n"
    "input w f32[4,4,3,3]\ninput v f32[4,4,1,1]\ninput d f32[4,1,3,3]\ninput c f32[4,1,1]\n"
    "input k f32[8,5]\ninput b f32[5]\ninput g8 f32[8]\ninput b8 f32[8]\ninput o f32[1,4,1,1]\n"
    "const three f32[] {3.0}\nconst six f32[] {6.0}\nconst zero f32[] {0.0}\nconst two f32[] "
    "{2.0}\n"
    "const half f32[] {0.5}\nconst one f32[] {1.0}\nconst root f32[] {1.4142135}\n"
    "const eps f32[] {0.001}\nconst last i64[1] {-1}\nconst z8 i8[] {3}\n"
    "const s24 i64[2] {1, 144}\n"
    "const qw i8[4,4,1,1] {1, 2, 3, 4, -5, 6, 7, 8, 9, 10, 11, -12, 13, 14, 15, 16}\n"
    "const c4 i32[4] {100, -200, 3, 4}\nconst mult i32[4] {1073741824, 1500000000, 1200000000, "
    "2147483647}\n"
    "const pack i32[4] {2139160861, 2139160862, 2139160862, 2139160863}\n";

static const struct group_row {
  const char *name, *lines, *groups;
} group_rows[] = {
    {"activation",
     "node n1 Conv (x, w, -) -> (a ?) pads=[1,1,1,1]\nnode n2 Relu (a) -> (y ?)\noutput y\n",
     "Conv+Relu"},
    {"bias, activation and residual sum",
     "node n1 Conv (x, w) -> (a ?) pads=[1,1,1,1]\nnode n2 Add (a, c) -> (e ?)\n"
     "node n3 Add (e, z) -> (f ?)\nnode n4 Clip (f, zero, six) -> (y ?)\noutput y\n",
     "Conv+Add+Add+Clip"},
    {"two branches: the first convolution takes the sum",
     "node n1 Conv (x, w) -> (a ?) pads=[1,1,1,1]\nnode n2 Conv (z, v) -> (e ?)\n"
     "node n3 Add (a, e) -> (f ?)\nnode n4 Relu (f) -> (y ?)\noutput y\n",
     "Conv Conv+Add+Relu"},
    {"what is sent to a sum comes along",
     "node n0 Mul (z, two) -> (s ?)\nnode n1 Conv (x, d) -> (a ?) pads=[1,1,1,1] group=4\n"
     "node n2 Add (s, a) -> (y ?)\noutput y\n",
     "Conv+Mul+Add"},
    {"a diamond",
     "node n1 Conv (x, v) -> (a ?)\nnode n2 Sigmoid (a) -> (s ?)\nnode n3 Mul (a, s) -> (y ?)\n"
     "output y\n",
     "Conv+Sigmoid+Mul"},
    {"GELU",
     "node n1 MatMul (m, k) -> (a ?)\nnode n2 Add (a, b) -> (e ?)\nnode n3 Div (e, root) -> (f ?)\n"
     "node n4 Erf (f) -> (g ?)\nnode n5 Add (g, one) -> (i ?)\nnode n6 Mul (e, i) -> (j ?)\n"
     "node n7 Mul (j, half) -> (y ?)\noutput y\n",
     "MatMul+Add+Div+Erf+Add+Mul+Mul"},
    {"hard swish in parts",
     "node n1 MaxPool (x) -> (a ?) kernel_shape=[3,3] pads=[1,1,1,1]\n"
     "node n2 Add (a, three) -> (e ?)\n"
     "node n3 Clip (e, zero, six) -> (f ?)\nnode n4 Mul (a, f) -> (i ?)\nnode n5 Div (i, six) -> "
     "(y ?)\n"
     "output y\n",
     "MaxPool+Add+Clip+Mul+Div"},
    {"softmax in parts",
     "node n0 Mul (h, half) -> (s ?)\nnode n1 ReduceMax (s, last) -> (a ?)\n"
     "node n2 Sub (s, a) -> (e ?)\nnode n3 Exp (e) -> (f ?)\n"
     "node n4 ReduceSum (f, last) -> (i ?)\nnode n5 Div (f, i) -> (y ?)\noutput y\n",
     "Mul+ReduceMax+Sub+Exp+ReduceSum+Div"},
    {"layer norm in parts, of a sum",
     "node n0 Add (h, b8) -> (s ?)\nnode n1 ReduceMean (s, last) -> (a ?)\n"
     "node n2 Sub (s, a) -> (e ?)\nnode n3 Pow (e, two) -> (f ?)\n"
     "node n4 ReduceMean (f, last) -> (i ?)\nnode n5 Add (i, eps) -> (j ?)\nnode n6 Sqrt (j) -> (l "
     "?)\n"
     "node n7 Div (e, l) -> (n ?)\nnode n8 Mul (n, g8) -> (p ?)\nnode n9 Add (p, b8) -> (y "
     "?)\noutput y\n",
     "Add+ReduceMean+Sub+Pow+ReduceMean+Add+Sqrt+Div+Mul+Add"},
    {"softmax and layer norm, with what comes before and behind",
     "node n0 Mul (h, half) -> (s ?)\nnode n1 Softmax (s) -> (a ?) axis=-1\nnode n2 Add (a, h) -> "
     "(e ?)\n"
     "node n3 LayerNormalization (e, g8, b8) -> (f ?)\nnode n4 Relu (f) -> (y ?)\noutput y\n",
     "Mul+Softmax+Add+LayerNormalization+Relu"},
    {"integers",
     "node n1 QConv (q, qw, c4, mult, pack) -> (a ?) strides=[1,1] pads=[0,0,0,0] dilations=[1,1] "
     "group=1 x_zero=3\n"
     "node n2 QAdd (a, r) -> (y ?) mx=5 my=7 bias=3 mult=1073741824 pack=2139160861\noutput y\n",
     "QConv+QAdd"},
    {"read twice",
     "node n1 Conv (x, v) -> (a ?)\nnode n2 Relu (a) -> (e ?)\nnode n3 MaxPool (e) -> (f ?) "
     "kernel_shape=[2,2]\nnode n4 MaxPool (e) -> (i ?) kernel_shape=[2,2] strides=[2,2]\n"
     "output f\noutput i\n",
     "Conv+Relu MaxPool MaxPool"},
    {"an output of the graph",
     "node n1 Conv (x, v) -> (a ?)\nnode n2 Relu (a) -> (y ?)\noutput a\noutput y\n", "Conv Relu"},
    {"another place: transposed",
     "node n1 MatMul (m, k) -> (a ?)\nnode n2 Transpose (a) -> (y ?)\noutput y\n",
     "MatMul Transpose"},
    {"another place: shifted",
     "node n1 Conv (x, v) -> (a ?)\nnode n2 MaxPool (a) -> (y ?) kernel_shape=[2,2]\noutput y\n",
     "Conv MaxPool"},
    {"a mean of each map, and the map",
     "node n1 GlobalAveragePool (x) -> (a ?)\nnode n2 Sigmoid (a) -> (s ?)\n"
     "node n3 Mul (x, s) -> (y ?)\noutput y\n",
     "GlobalAveragePool+Sigmoid+Mul"},
    {"another size: broadcast",
     "node n1 Sigmoid (o) -> (a ?)\nnode n2 Mul (x, a) -> (y ?)\noutput y\n", "Sigmoid Mul"},
    {"another row: softmax along channels",
     "node n1 Conv (x, v) -> (a ?)\nnode n2 Softmax (a) -> (y ?) axis=1\noutput y\n",
     "Conv Softmax"},
    {"another row: a product of rows with all rows",
     "node n1 Softmax (m) -> (a ?) axis=-1\nnode n2 MatMul (a, k) -> (y ?)\noutput y\n",
     "Softmax MatMul"},
    {"a jump behind a sum of floats",
     "node n1 Conv (x, v) -> (a ?)\nnode n2 QuantizeLinear (a, half, z8) -> (e ?)\n"
     "node n3 DequantizeLinear (e, half, z8) -> (f ?)\nnode n4 Relu (f) -> (y ?)\noutput y\n",
     "Conv QuantizeLinear+DequantizeLinear+Relu"},
    {"a jump behind a function", "node n1 Exp (x) -> (a ?)\nnode n2 Floor (a) -> (y ?)\noutput y\n",
     "Exp Floor"},
    {"a jump behind what every target rounds alike",
     "node n1 Mul (x, z) -> (a ?)\nnode n2 Floor (a) -> (e ?)\nnode n3 Exp (e) -> (y ?)\noutput "
     "y\n",
     "Mul+Floor+Exp"},
};

#endif
