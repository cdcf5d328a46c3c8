/* SPDX-License-Identifier: Apache-2.0 */
/* The floats of graphs in another dtype. */
#include "tests/graph/test_graph.h"

struct row {
  enum tsr_dtype to;
  const char *lines, *expected;
};

static const struct row rows[] = {
    /* casts at the ends, weights by value, outputs by name */
    {TSR_F16,
     "input x f32[1,2]\nconst w f32[2,2] {1.0, 0.1, -2.0, 1e-9}\n"
     "node m MatMul (x, w) -> (y ?)\nnode r Relu (y) -> (z ?)\noutput z\n",
     "input x f32[1,2]\nconst w.1 f16[2,2] {1.0, 0.0999755859375, -2.0, 0.0}\n"
     "node x Cast (x) -> (x.1 f16[1,2]) to=10\nnode m MatMul (x.1, w.1) -> (y f16[1,2])\n"
     "node r Relu (y) -> (z.1 f16[1,2])\nnode z Cast (z.1) -> (z f32[1,2]) to=1\noutput z\n"},
    {TSR_BF16,
     "input x f32[2]\nconst w f32[2] {1.0, 0.1}\nnode m Mul (x, w) -> (y ?)\noutput y\noutput y\n",
     "input x f32[2]\nconst w.1 bf16[2] {1.0, 0.10009765625}\n"
     "node x Cast (x) -> (x.1 bf16[2]) to=16\nnode m Mul (x.1, w.1) -> (y.1 bf16[2])\n"
     "node y Cast (y.1) -> (y f32[2]) to=1\noutput y\noutput y\n"},
    /* back again; f64 stays */
    {TSR_F32,
     "input x f16[2]\ninput d f64[2]\nconst w f16[2] {1.0, 0.0999755859375}\n"
     "node m Mul (x, w) -> (y ?)\nnode n Neg (d) -> (e ?)\noutput y\noutput e\n",
     "input x f16[2]\ninput d f64[2]\nconst w.1 f32[2] {1.0, 0.0999755859375}\n"
     "node x Cast (x) -> (x.1 f32[2]) to=1\nnode m Mul (x.1, w.1) -> (y.1 f32[2])\n"
     "node n Neg (d) -> (e f64[2])\nnode y Cast (y.1) -> (y f16[2]) to=10\noutput y\n"
     "output e\n"},
    /* a variance stays f32 from the square to the root, whose lone epsilon no f16 holds */
    {TSR_F16,
     "input x f32[1,4]\nconst two f32[] {2.0}\nconst axes i64[1] {1}\nconst eps f32[] "
     "{9.094947017729282e-13}\n"
     "node p Pow (x, two) -> (a ?)\nnode m ReduceMean (a, axes) -> (b ?)\n"
     "node e Add (b, eps) -> (c ?)\nnode s Sqrt (c) -> (d ?)\nnode q Div (x, d) -> (y ?)\noutput "
     "y\n",
     "input x f32[1,4]\nconst two f32[] {2.0}\nconst axes i64[1] {1}\nconst eps f32[] "
     "{9.094947017729282e-13}\n"
     "node p Pow (x, two) -> (a f32[1,4])\nnode m ReduceMean (a, axes) -> (b f32[1,1])\n"
     "node e Add (b, eps) -> (c f32[1,1])\nnode s Sqrt (c) -> (d f32[1,1])\n"
     "node x Cast (x) -> (x.1 f16[1,4]) to=10\nnode d Cast (d) -> (d.1 f16[1,1]) to=10\n"
     "node q Div (x.1, d.1) -> (y.1 f16[1,4])\nnode y Cast (y.1) -> (y f32[1,4]) to=1\noutput y\n"},
    /* so does any square */
    {TSR_F16, "input x f32[2]\nnode n Neg (x) -> (n ?)\nnode m Mul (n, n) -> (y ?)\noutput y\n",
     "input x f32[2]\nnode x Cast (x) -> (x.1 f16[2]) to=10\nnode n Neg (x.1) -> (n f16[2])\n"
     "node n.1 Cast (n) -> (n.1 f32[2]) to=1\nnode m Mul (n.1, n.1) -> (y f32[2])\noutput y\n"},
    /* a mask that f16 can't hold; limits that it need not hold */
    {TSR_F16,
     "input x f32[2]\nconst big f32[2] {0.0, -1e9}\nconst most f32[] {1e9}\n"
     "node a Neg (x) -> (n ?)\nnode m Add (n, big) -> (y ?)\nnode c Clip (n, -, most) -> (z ?)\n"
     "output y\noutput z\n",
     "input x f32[2]\nconst big f32[2] {0.0, -1e+09}\nconst most f32[] {1e+09}\n"
     "node x Cast (x) -> (x.1 f16[2]) to=10\nnode a Neg (x.1) -> (n f16[2])\n"
     "node n Cast (n) -> (n.1 f32[2]) to=1\nnode m Add (n.1, big) -> (y f32[2])\n"
     "node c Clip (n, -, most) -> (z.1 f16[2])\nnode z Cast (z.1) -> (z f32[2]) to=1\noutput y\n"
     "output z\n"},
    /* what is dequantized stays f32 up to the first product of matrices */
    {TSR_F16,
     "input x i8[1,2]\nconst s f32[] {0.5}\nconst z i8[] {0}\nconst w f32[2,2] {1.0, 2.0, 3.0, "
     "4.0}\n"
     "node d DequantizeLinear (x, s, z) -> (a ?)\nnode r Relu (a) -> (b ?)\n"
     "node m MatMul (b, w) -> (y ?)\noutput y\n",
     "input x i8[1,2]\nconst s f32[] {0.5}\nconst z i8[] {0}\nconst w.1 f16[2,2] {1.0, 2.0, 3.0, "
     "4.0}\n"
     "node d DequantizeLinear (x, s, z) -> (a f32[1,2])\nnode r Relu (a) -> (b f32[1,2])\n"
     "node b Cast (b) -> (b.1 f16[1,2]) to=10\nnode m MatMul (b.1, w.1) -> (y.1 f16[1,2])\n"
     "node y Cast (y.1) -> (y f32[1,2]) to=1\noutput y\n"},
    /* nothing to do */
    {TSR_F32, "input x f32[2]\nnode r Relu (x) -> (y ?)\noutput y\noutput x\n",
     "input x f32[2]\nnode r Relu (x) -> (y f32[2])\noutput y\noutput x\n"},
};

static void graphs(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *g = graph_of(a, rows[k].lines);
    struct tsr_err err = {0};
    if (tsr_graph_set_floats(&err, g, rows[k].to))
      fail_msg("row %zu: %s", k, err.text);
    assert_string_equal(tsr_graph_print(a, g, false),
                        tsr_arena_printf(a, "graph t\n%send\n", rows[k].expected));
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(graphs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
