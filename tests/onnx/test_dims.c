/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic dims of inputs, and how they get values. */
#include "tests/onnx/model_text.h"

struct row {
  const char *inputs;
  const char *bindings[4];
  const char *expected; /* dims of every input, or a sentence that ends with a point */
};

#define TOO_LARGE "input 'x' is too large; 2147483647 elements are the most."

static const struct row rows[] = {
    {"input x f32 2,3", {0}, "2x3"},
    {"input x f32 -", {0}, "scalar"},
    {"input x f32 N,3", {0}, "1x3"},
    {"input x f32 N,3", {"N=4"}, "4x3"},
    {"input x f32 whatever,3", {0}, "1x3"},
    {"input x f32 ?,3", {0}, "1x3"},
    {"input x f32 -1,3", {0}, "1x3"},
    {"input x f32 0,3", {0}, "1x3"},
    {"input x f32 ?,3", {"x[0]=8"}, "8x3"},
    {"input x f32 3,batch_size,N", {0}, "3x1x1"},
    {"input x f32 1,seq; input y f32 seq,seq", {0}, "1x1 1x1"},
    {"input x f32 N,H,W", {"W=5", "H=6"}, "1x6x5"},
    {"input x f32 N,H; input y i64 H,N", {"H=6"}, "1x6 6x1"},
    {"input x f32 N,?,?", {"x[2]=5", "x[1]=6"}, "1x6x5"},
    {"input x f32 N,H", {"x[1]=6"}, "1x6"},
    {"input x f32 a=b,3", {"a=b=2"}, "2x3"},
    {"input x f32 N,1", {"N=2147483647"}, "2147483647x1"},

    {"input x f32 N,H",
     {0},
     "input 'x': axis 1 has no fixed size; give one by the dim binding H=VALUE."},
    {"input x f32 N,?",
     {0},
     "input 'x': axis 1 has no fixed size; give one by the dim binding x[1]=VALUE."},
    {"input x f32 N,3", {"M=2"}, "no dim 'M' is there to bind; there are 'N'."},
    {"input x f32 2,3", {"M=2"}, "no dim 'M' is there to bind; there is none."},
    {"input x f32 ?,seq", {"M=2", "seq=2"}, "no dim 'M' is there to bind; there are 'x[0]' 'seq'."},
    {"input x f32 N", {"N=2", "N=3"}, "dim 'N' is bound twice."},
    {"input x f32 N",
     {"N"},
     "'N' binds no dim; wanted is NAME=VALUE, with a value from 1 to 2147483647."},
    {"input x f32 N",
     {"=2"},
     "'=2' binds no dim; wanted is NAME=VALUE, with a value from 1 to 2147483647."},
    {"input x f32 N",
     {"N=0"},
     "'N=0' binds no dim; wanted is NAME=VALUE, with a value from 1 to 2147483647."},
    {"input x f32 N",
     {"N=-1"},
     "'N=-1' binds no dim; wanted is NAME=VALUE, with a value from 1 to 2147483647."},
    {"input x f32 N",
     {"N=1x"},
     "'N=1x' binds no dim; wanted is NAME=VALUE, with a value from 1 to 2147483647."},
    {"input x f32 N",
     {"N=99999999999999999999"},
     "'N=99999999999999999999' binds no dim; wanted is NAME=VALUE, with a value from 1 to "
     "2147483647."},
    {"input x f32 N,2", {"N=2147483647"}, TOO_LARGE},
    {"input x f32 N,9223372036854775807", {"N=2"}, TOO_LARGE},
};

static const char *dims_of(struct tsr_arena *a, const struct tsr_graph *g)
{
  struct tsr_text t = {.arena = a};
  for (int i = 0; i < g->inputs; i++) {
    char dims[192];
    tsr_text_add(&t, "%s%s", i ? " " : "",
                 tsr_dims_text(g->input[i]->dims, g->input[i]->rank, dims));
  }
  return t.data;
}

static void each_row(void **state)
{
  struct tsr_arena *a = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct row *r = &rows[i];
    struct tsr_onnx_options options = {.dims = r->bindings};
    struct tsr_err err = {0};
    struct tsr_graph *g = NULL;
    while (options.n_dims < 4 && r->bindings[options.n_dims])
      options.n_dims++;
    char *text = tsr_arena_printf(a, "%s; output x", r->inputs);
    bool refused = import_model(a, &err, model_of(a, text), &options, &g) != TSR_OK;
    const char *got =
        refused ? tsr_arena_printf(a, "%s.", err.text + strlen("m.onnx: ")) : dims_of(a, g);
    if (strcmp(got, r->expected) != 0)
      fail_msg("%s: got '%s', expected '%s'", r->inputs, got, r->expected);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(each_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
