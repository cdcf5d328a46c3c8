/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/graph/test_graph.h"

enum { MOST_OUTPUTS = 8 };

enum tsr_status try_graph(struct tsr_arena *a, struct tsr_err *err, const char *lines,
                          struct tsr_graph **out)
{
  char *text = tsr_arena_printf(a, "graph t\n%send\n", lines);
  enum tsr_status s = tsr_graph_parse(a, err, "t.graph", text, out);
  if (s == TSR_OK)
    s = tsr_graph_verify(err, *out);
  return s == TSR_OK ? tsr_graph_infer(err, *out) : s;
}

struct tsr_graph *graph_of(struct tsr_arena *a, const char *lines)
{
  struct tsr_err err = {0};
  struct tsr_graph *g;
  if (try_graph(a, &err, lines, &g) != TSR_OK || tsr_graph_verify(&err, g) != TSR_OK)
    fail_msg("%s", err.text);
  return g;
}

int count_of(const struct tsr_graph *g, enum tsr_gop op)
{
  int count = 0;
  for (int i = 0; i < g->nodes; i++)
    count += g->node[i]->op == op;
  return count;
}

const char *ops_of(struct tsr_arena *a, const struct tsr_graph *g)
{
  struct tsr_text t = {.arena = a};
  tsr_text_add(&t, "%s", "");
  for (int op = 0; op < TSR_GOP_COUNT; op++) {
    int count = count_of(g, (enum tsr_gop)op);
    if (count)
      tsr_text_add(&t, "%s%s %d", t.length ? " " : "", tsr_gop_name((enum tsr_gop)op), count);
  }
  return t.data;
}

uint64_t next_random(uint64_t *seed)
{
  uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

double random_between(uint64_t *seed, double lo, double hi)
{
  return lo + (hi - lo) * (double)(next_random(seed) >> 11) / 9007199254740992.0;
}

void random_inputs(struct tsr_arena *a, const struct tsr_graph *g, uint64_t *seed, double range,
                   struct tsr_tensor *inputs)
{
  for (int k = 0; k < g->inputs; k++) {
    inputs[k] = tsr_value_tensor(g->input[k]);
    inputs[k].data = tsr_arena_alloc(a, tsr_tensor_bytes(&inputs[k]) + 1);
    for (int64_t i = 0; i < tsr_tensor_count(&inputs[k]); i++)
      if (tsr_dtype_kind(inputs[k].dtype) == TSR_KIND_FLOAT)
        tsr_put_float(&inputs[k], i, random_between(seed, -range, range));
      else
        tsr_put_int(&inputs[k], i, (int64_t)next_random(seed));
  }
}

double largest_difference(struct tsr_arena *a, const struct tsr_graph *g, const struct tsr_graph *h,
                          const struct tsr_tensor *inputs)
{
  struct tsr_tensor of_g[MOST_OUTPUTS], of_h[MOST_OUTPUTS];
  struct tsr_err err = {0};
  double most = 0;
  assert_int_equal(g->outputs, h->outputs);
  if (tsr_graph_run(a, &err, g, inputs, of_g, NULL, NULL) ||
      tsr_graph_run(a, &err, h, inputs, of_h, NULL, NULL))
    fail_msg("%s", err.text);
  for (int k = 0; k < g->outputs; k++) {
    assert_int_equal(of_g[k].dtype, of_h[k].dtype);
    assert_true(tsr_same_shape(&of_g[k], &of_h[k]));
    for (int64_t i = 0; i < tsr_tensor_count(&of_g[k]); i++)
      most = fmax(most, fabs(tsr_get_float(&of_g[k], i) - tsr_get_float(&of_h[k], i)));
  }
  return most;
}
