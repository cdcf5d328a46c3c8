/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions by Winograd's tiles: which ones, at every level of this machine, and how far from float64. */
#include <math.h>

#include "compiler/graph/layout.h"
#include "tests/cpu/graph_rig.h"

static const struct tsr_layout by_tiles = {16, 128, true};

/* --- which ------------------------------------------------------------------------------------ */

static void the_rule_takes_the_least(void **state)
{
  static const struct {
    int64_t ins, outs, rows, columns, points;
  } cases[] = {{64, 64, 56, 56, 6},   {128, 128, 28, 28, 6}, {256, 256, 14, 14, 4},
               {512, 512, 7, 7, 4},   {3, 64, 224, 224, 0},  {16, 16, 32, 32, 6},
               {2048, 2048, 2, 2, 0}, {16, 16, 14, 14, 0}};
  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    struct layout__weights w = {.outs = cases[k].outs, .ins = cases[k].ins, .taps = 9};
    struct tsr_value y = {.rank = 4, .dims = {1, w.outs, cases[k].rows, cases[k].columns}};
    assert_int_equal(layout__winograd(&w, &y), cases[k].points);
  }
}

/* --- convolutions ----------------------------------------------------------------------------- */

struct conv {
  int64_t batch, ins, outs, rows, columns, pads[4];
  const char *more; /* of the graph, behind `c`, up to `y` */
  int64_t points;
};

static float some_float(uint64_t *seed)
{
  return (float)(int32_t)(next_random(seed) << 8) * 0x1p-31f;
}

static void add_floats(struct tsr_text *text, const char *name, const char *dims, int64_t count,
                       uint64_t *seed)
{
  tsr_text_add(text, "const %s f32[%s] {", name, dims);
  for (int64_t k = 0; k < count; k++)
    tsr_text_add(text, "%s%.9g", k ? ", " : "", (double)some_float(seed));
  tsr_text_add(text, "}\n");
}

static struct tsr_graph *graph_of(struct tsr_arena *a, const struct conv *v)
{
  struct tsr_text text = {.arena = a};
  struct tsr_err err = {0};
  struct tsr_graph *g;
  uint64_t seed = 21;
  tsr_text_add(&text, "graph t\ninput x f32[%d,%d,%d,%d]\n", (int)v->batch, (int)v->ins,
               (int)v->rows, (int)v->columns);
  add_floats(&text, "w", tsr_arena_printf(a, "%d,%d,3,3", (int)v->outs, (int)v->ins),
             9 * v->outs * v->ins, &seed);
  add_floats(&text, "b", tsr_arena_printf(a, "%d", (int)v->outs), v->outs, &seed);
  tsr_text_add(&text, "node c Conv (x, w, b) -> (%s ?) pads=[%d,%d,%d,%d]\n%soutput y\nend\n",
               *v->more ? "c" : "y", (int)v->pads[0], (int)v->pads[1], (int)v->pads[2],
               (int)v->pads[3], v->more);
  if (tsr_graph_parse(a, &err, "t.graph", text.data, &g) || tsr_graph_infer(&err, g))
    fail_msg("%s", err.text);
  return g;
}

static struct tsr_tensor input_of(struct tsr_arena *a, const struct tsr_graph *g)
{
  uint64_t seed = 22;
  struct tsr_tensor x = tsr_value_tensor(g->input[0]);
  float *data = tsr_arena_alloc(a, tsr_tensor_bytes(&x));
  for (int64_t k = 0; k < tsr_tensor_count(&x); k++)
    data[k] = some_float(&seed);
  x.data = data;
  return x;
}

/* One result in float64. */
static double result_at(const struct conv *v, const float *x, const float *w, double sum,
                        const int64_t at[4])
{
  for (int64_t c = 0; c < v->ins; c++)
    for (int64_t kh = 0; kh < 3; kh++)
      for (int64_t kw = 0; kw < 3; kw++) {
        int64_t h = at[2] + kh - v->pads[0], q = at[3] + kw - v->pads[1];
        if (h >= 0 && h < v->rows && q >= 0 && q < v->columns)
          sum += (double)x[((at[0] * v->ins + c) * v->rows + h) * v->columns + q] *
                 (double)w[((at[1] * v->ins + c) * 3 + kh) * 3 + kw];
      }
  return sum;
}

/* How far y is from float64, as a part of the norm. */
static double off(const struct conv *v, const struct tsr_node *n, const float *x,
                  const struct tsr_tensor *y)
{
  double wrong = 0, norm = 0;
  int64_t k = 0, at[4];
  const float *bias = n->in[2]->data, *data = y->data;
  for (at[0] = 0; at[0] < y->dims[0]; at[0]++)
    for (at[1] = 0; at[1] < y->dims[1]; at[1]++)
      for (at[2] = 0; at[2] < y->dims[2]; at[2]++)
        for (at[3] = 0; at[3] < y->dims[3]; at[3]++, k++) {
          double exact = result_at(v, x, n->in[1]->data, bias[at[1]], at);
          wrong += ((double)data[k] - exact) * ((double)data[k] - exact);
          norm += exact * exact;
        }
  return sqrt(wrong / norm);
}

static const struct tsr_node *node_of(const struct tsr_graph *g, enum tsr_gop op)
{
  for (int k = 0; k < g->nodes; k++)
    if (g->node[k]->op == op)
      return g->node[k];
  return NULL;
}

/* Several bands of one row of tiles, and of more; one band. Ends of tiles, maps without padding and with more at one side, channels in one block, batches, tails. */
static const struct conv convs[] = {
    {1, 32, 32, 28, 28, {1, 1, 1, 1}, "", 6},
    {1, 48, 48, 14, 15, {1, 1, 1, 1}, "", 6},
    {1, 64, 128, 10, 14, {1, 1, 1, 1}, "", 4},
    {1, 96, 96, 8, 12, {1, 1, 1, 1}, "", 4},
    {1, 24, 40, 17, 30, {0, 0, 0, 0}, "", 6},
    {1, 48, 40, 19, 13, {0, 2, 1, 0}, "", 6},
    {3, 48, 32, 10, 6, {1, 1, 1, 1}, "node r Relu (c) -> (y ?)\n", 4},
    {2,
     16,
     16,
     20,
     33,
     {1, 1, 1, 1},
     "node s Sigmoid (c) -> (d ?)\nnode m Mul (d, c) -> (e ?)\nnode p Add (e, x) -> (y ?)\n",
     6},
};
enum { CONVS = sizeof convs / sizeof *convs };

static struct tsr_graph *blocked(struct tsr_arena *a, const struct conv *v)
{
  struct tsr_graph *g = graph_of(a, v);
  struct tsr_err err = {0};
  if (tsr_graph_block(&err, g, &by_tiles))
    fail_msg("%s", err.text);
  const struct tsr_node *n = node_of(g, TSR_G_BlockedWinograd);
  assert_non_null(n);
  assert_int_equal(n->in[1]->dims[0], v->points);
  assert_int_equal(tsr_node_macs(n), tsr_node_macs(node_of(graph_of(a, v), TSR_G_Conv)));
  return g;
}

static void results_are_near_float64(void **state)
{
  double most[7] = {0};
  for (int k = 0; k < CONVS; k++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_err err = {0};
    const struct tsr_graph *g = graph_of(a, &convs[k]);
    struct tsr_tensor x = input_of(a, g), y;
    (void)state;
    if (!*convs[k].more) {
      if (tsr_graph_run(a, &err, blocked(a, &convs[k]), &x, &y, NULL, NULL))
        fail_msg("%s", err.text);
      double here = off(&convs[k], node_of(g, TSR_G_Conv), x.data, &y);
      double *worst = &most[convs[k].points];
      *worst = here > *worst ? here : *worst;
    }
    tsr_arena_free(a);
  }
  printf("off from float64: 2x2 %.2g, 4x4 %.2g\n", most[4], most[6]);
  assert_true(most[4] > 0 && most[4] < 1e-6);
  assert_true(most[6] > 0 && most[6] < 3e-6);
}

/* Bands, and whether threads share them out or what is in the only one. */
static void the_plan_has_bands(void **state)
{
  static const struct {
    int conv;
    const char *line, *parallel;
  } rows[] = {{0, "split y oh 4 oh.bo oh.bi\n", "parallel y oh.bo\n"},
              {1, "split y oh 8 oh.bo oh.bi\n", NULL},
              {2, "split y oh 6 oh.bo oh.bi\n", "parallel y oh.bo\n"},
              {3, "split y oh 8 oh.bo oh.bi\n", "parallel points h\n"}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const struct tsr_graph *g = blocked(*state, &convs[rows[k].conv]);
    struct tsr_err err = {0};
    struct tir_sched *sched;
    struct tir_func *f;
    assert_int_equal(tsr_node_compute(*state, &err, node_of(g, TSR_G_BlockedWinograd), &f), TSR_OK);
    if (tsr_cpu_plan(*state, &err, tsr_cpu_flatten(*state, f), TSR_LEVEL_AVX512, &sched))
      fail_msg("%s", err.text);
    const char *text = tir_sched_text(sched);
    if (!strstr(text, rows[k].line) || !strstr(text, "compute_at data points c\n") ||
        !strstr(text, rows[k].parallel ? rows[k].parallel : "compute_at conv y oh.bo\n") ||
        (!rows[k].parallel && strstr(text, "parallel y")))
      fail_msg("row %zu:\n%s", k, text);
  }
}

static void every_level_computes_them(void **state)
{
  struct tsr_arena *a = *state;
  struct trial *trial = NULL;
  size_t capacity = 0;
  int trials = 0;
  for (int k = 0; k < CONVS; k++) {
    struct tsr_err err = {0};
    struct tsr_graph *g = blocked(a, &convs[k]);
    struct tsr_tensor x = input_of(a, g);
    if (add_groups(a, &err, g, &x, &trial, &trials, &capacity))
      fail_msg("%s", err.text);
  }
  assert_int_equal(compare_all(a, trials, trial, 3e-6), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_rule_takes_the_least),
      cmocka_unit_test(results_are_near_float64),
      IN_ARENA(the_plan_has_bands),
      IN_ARENA(every_level_computes_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
