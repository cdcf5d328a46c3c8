/* SPDX-License-Identifier: Apache-2.0 */
/* Printing and parsing are each other's inverse; hostile text gets a sentence. */
#include "tests/base/counting.h"
#include "tests/graph/test_graph.h"

static const char everything[] =
    "graph \"a name\"\n"
    "input x f32[1,3,4,4]\n"
    "input \"odd \\\"name\\\" \\x0a\" u8[]\n"
    "const empty f32[0] {}\n"
    "const numbers i64[3] {1, -2, 9223372036854775807}\n"
    "const big u64[1] {18446744073709551615}\n"
    "const real f64[4] {0.1, -0.0, inf, 1e+300}\n"
    "const odd f32[2] hex 0000c07f0000807f\n"
    "const truth bool[2] {1, 0}\n"
    "const bytes u8[17] hex 000102030405060708090a0b0c0d0e0f10\n"
    "node first Relu (x) -> (y f32[1,3,4,4])\n"
    "node second Clip (y, -, -) -> (z ?)\n"
    "node third Split (y) -> (a ?, -, b ?) axis=1\n"
    "node fourth Resize (y, -, -, numbers) -> (w ?) mode=\"nearest \\\"q\\\"\" "
    "cubic_coeff_a=-0.75\n"
    "node fifth AveragePool (y) -> (v ?) kernel_shape=[2,2] pads=[0,0,0,0] strides=[]\n"
    "node sixth LRN (y) -> (u ?) alpha=0.0001 beta=1.0 list=[1.0,2.5] none=[.]\n"
    "output z\n"
    "output x\n"
    "end\n";

static void round_trip(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g;
  struct tsr_err err = {0};
  if (tsr_graph_parse(a, &err, "everything", everything, &g))
    fail_msg("%s", err.text);
  assert_string_equal(tsr_graph_print(a, g, false), everything);
  assert_int_equal(g->inputs, 2);
  assert_string_equal(g->input[1]->name, "odd \"name\" \n");
  assert_null(g->node[1]->in[1]);
  assert_ptr_equal(g->output[1], g->input[0]);
  tsr_arena_free(a);
}

static void brief_text_has_no_bytes(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g, *h;
  struct tsr_err err;
  assert_int_equal(tsr_graph_parse(a, &err, "everything", everything, &g), TSR_OK);
  const char *brief = tsr_graph_print(a, g, true);
  assert_non_null(strstr(brief, "const bytes u8[17] ...\n"));
  assert_int_equal(tsr_graph_parse(a, &err, "brief", brief, &h), TSR_REFUSED);
  tsr_arena_free(a);
}

static void comments_and_blank_lines(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g;
  struct tsr_err err;
  assert_int_equal(
      tsr_graph_parse(a, &err, "t", "# one\n\n graph g\n# two\n  input x f32[2]\n\nend", &g),
      TSR_OK);
  assert_int_equal(g->inputs, 1);
  tsr_arena_free(a);
}

static const struct {
  const char *text, *sentence;
} refused[] = {
    {"", "t:1: a graph starts with the word 'graph' and its name"},
    {"graph", "t:1: a graph starts with the word 'graph' and its name"},
    {"graph g\n", "t:2: the text ends before 'end'"},
    {"graph g\nend\nend", "t:3: nothing may follow 'end'"},
    {"graph g x\nend", "t:1: the line should end before 'x'"},
    {"graph g\nvalue x\nend",
     "t:2: a line starts with input, const, node, output or end, not with 'value'"},
    {"graph g\ninput x ?\nend", "t:2: input 'x' needs a type"},
    {"graph g\ninput x f33[]\nend",
     "t:2: 'f33' is no element type; i8, u8, i32, i64, f32 are some"},
    {"graph g\ninput x f32[-1]\nend", "t:2: dim -1 is negative"},
    {"graph g\ninput x f32[1 2]\nend", "t:2: expected ',' before '2'"},
    {"graph g\ninput x f32[1,1,1,1,1,1,1,1,1]\nend", "t:2: a tensor has at most 8 dims"},
    {"graph g\ninput x f32[9223372036854775807,2]\nend",
     "t:2: the tensor's size does not fit 64 bits"},
    {"graph g\ninput x f32[99999999999999999999]\nend",
     "t:2: '99999999999999999999' is no number that fits"},
    {"graph g\ninput x f32[2]\ninput x f32[2]\nend", "t:3: there is a value 'x' already"},
    {"graph g\ninput \"x f32[2]\nend", "t:2: a quoted name has no closing quote"},
    {"graph g\ninput \"\\q\" f32[2]\nend",
     "t:2: after a backslash comes a quote, a backslash or x and two hexadecimal digits"},
    {"graph g\ninput \"\\x00\" f32[2]\nend", "t:2: a name can't hold the character \\x00"},
    {"graph g\nconst c i8[1] {128}\nend", "t:2: 128 is no i8"},
    {"graph g\nconst c u64[1] {-1}\nend", "t:2: -1 is no u64"},
    {"graph g\nconst c i64[1] {9223372036854775808}\nend", "t:2: 9.2233720368547758e+18 is no i64"},
    {"graph g\nconst c i8[1] {1.5}\nend", "t:2: 1.5 is no i8"},
    {"graph g\nconst c i8[2] {1}\nend", "t:2: expected ',' before '}'"},
    {"graph g\nconst c i8[2] {1, 2, 3}\nend", "t:2: expected '}' before ','"},
    {"graph g\nconst c i8[2] hex 00\nend", "t:2: the constant has 1 bytes, its type wants 2"},
    {"graph g\nconst c i8[2] hex 000000\nend",
     "t:2: the constant has more bytes than the 2 of its type"},
    {"graph g\nconst c i8[1000000000000] hex 00\nend",
     "t:2: constant 'c' has more elements than the text has characters"},
    {"graph g\nconst c i8[2] ...\nend",
     "t:2: expected '{' and numbers, or 'hex ' and bytes, before '...'"},
    {"graph g\nconst c ? {}\nend", "t:2: constant 'c' needs a type"},
    {"graph g\nnode n Relo () -> ()\nend", "t:2: there is no op 'Relo'; did you mean 'Relu'?"},
    {"graph g\nnode n Zzzzzzzzz () -> ()\nend", "t:2: there is no op 'Zzzzzzzzz'"},
    {"graph g\nnode n Relu (x) -> (y ?)\nend", "t:2: no value 'x' stands above this line"},
    {"graph g\ninput x f32[1]\nnode n Relu (x) (y ?)\nend", "t:3: expected '->' before '('"},
    {"graph g\ninput x f32[1]\nnode n Relu (x) -> (y ?)\nnode n Relu (x) -> (z ?)\nend",
     "t:4: there is a node 'n' already"},
    {"graph g\ninput x f32[1]\nnode n Relu (x) -> (y ?) a=1 a=2\nend",
     "t:3: attribute 'a' stands twice"},
    {"graph g\ninput x f32[1]\nnode n Relu (x) -> (y ?) a=\nend",
     "t:3: expected a number before the end of the line"},
    {"graph g\ninput x f32[1]\nnode n Relu (x) -> (y ?) a=[1,2.5]\nend",
     "t:3: attribute 'a' mixes integers and floats"},
    {"graph g\ninput x f32[1]\nnode n Relu (x) -> (y ?) a=0x10\nend",
     "t:3: '0x10' is no number that fits"},
    {"graph g\noutput y\nend", "t:2: no value 'y' stands above this line"},
};

static void bad_text_is_refused(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_graph *g = NULL;
    struct tsr_err err = {0};
    assert_int_equal(tsr_graph_parse(a, &err, "t", refused[i].text, &g), TSR_REFUSED);
    assert_string_equal(err.text, refused[i].sentence);
    assert_null(g);
    tsr_arena_free(a);
  }
}

/* Text cut anywhere, and with any byte changed, parses or is refused; nothing else happens. */
static void damaged_text(void **state)
{
  (void)state;
  static const char bytes[] = "\"\\[]{}(),-=x0 \n";
  struct tsr_err err;
  for (size_t i = 0; i < sizeof everything - 1; i++)
    for (size_t b = 0; b < sizeof bytes; b++) {
      struct tsr_arena *a = tsr_arena_new(NULL);
      struct tsr_graph *g;
      char *text = tsr_arena_strdup(a, everything);
      text[i] = bytes[b]; /* the last byte is the terminator: text cut at i */
      if (tsr_graph_parse(a, &err, "t", text, &g) == TSR_OK)
        (void)tsr_graph_verify(&err, g);
      tsr_arena_free(a);
    }
}

static enum tsr_status parse_and_optimize(struct tsr_arena *a, const char *text)
{
  struct tsr_graph *g;
  struct tsr_err err;
  if (!a || setjmp(*tsr_arena_landing(a)))
    return TSR_NO_MEMORY;
  enum tsr_status s = tsr_graph_parse(a, &err, "t", text, &g);
  if (s == TSR_OK)
    s = tsr_graph_optimize(&err, g, NULL, NULL);
  if (s == TSR_OK)
    tsr_graph_print(a, g, false);
  return s;
}

static void memory_running_out(void **state)
{
  (void)state;
  static const char text[] =
      "graph g\ninput x f32[2]\nconst c f32[2] {1.0, 2.0}\n"
      "node m Mul (c, c) -> (d ?)\nnode n Add (x, d) -> (y ?)\noutput y\nend";
  enum tsr_status s = TSR_NO_MEMORY;
  for (int n = 0; s == TSR_NO_MEMORY; n++) {
    struct counting c;
    counting_init(&c, n);
    struct tsr_arena *a = tsr_arena_new(&c.allocator);
    s = parse_and_optimize(a, text);
    tsr_arena_free(a);
    assert_true(n < 1000);
  }
  assert_int_equal(s, TSR_OK);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trip),         cmocka_unit_test(brief_text_has_no_bytes),
      cmocka_unit_test(bad_text_is_refused), cmocka_unit_test(comments_and_blank_lines),
      cmocka_unit_test(damaged_text),       cmocka_unit_test(memory_running_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
