/* SPDX-License-Identifier: Apache-2.0 */
/* Networks at every level of this machine: random ones of the accelerator's integer ops, each blocked
 * and not, node by node. */
#include "compiler/target/accel/accel.h"
#include "tests/accel/random_net.h"
#include "tests/cpu/graph_rig.h"

enum { NETS = 4 * NET_KINDS };

struct all {
  struct tsr_arena *a;
  struct trial *trial;
  int trials;
  size_t capacity;
  bool seen[TSR_GOP_COUNT];
};

static void add_net(struct all *all, struct random *r, enum net_kind kind, bool blocked)
{
  struct tsr_err err = {0};
  struct tsr_design design;
  struct tsr_graph *g = random_net(all->a, r, kind);
  struct tsr_tensor x = tsr_value_tensor(g->input[0]);
  int64_t n = tsr_tensor_count(&x);
  x.data = tsr_arena_alloc(all->a, (size_t)n + 1);
  for (int64_t i = 0; i < n; i++)
    ((int8_t *)x.data)[i] = (int8_t)random_bits(r);
  if (tsr_design_open(all->a, &err, "default", &design) ||
      tsr_graph_optimize(&err, g, NULL, NULL) || (blocked && tsr_accel_block(&err, g, &design)) ||
      add_nodes(all->a, &err, g, &x, &all->trial, &all->trials, &all->capacity, all->seen, NULL))
    fail_msg("%s", err.text);
}

static void random_networks(void **state)
{
  static const enum tsr_gop wanted[] = {
      TSR_G_QConv,      TSR_G_QDense,       TSR_G_QAdd,   TSR_G_QMul,       TSR_G_QMaxPool,
      TSR_G_QAvgPool,   TSR_G_QLut,         TSR_G_Pack,   TSR_G_Unpack,     TSR_G_AccConv,
      TSR_G_AccAdd,     TSR_G_AccDepthwise, TSR_G_AccMul, TSR_G_AccLut,     TSR_G_AccMaxPool,
      TSR_G_AccAvgPool, TSR_G_Concat,       TSR_G_Slice,  TSR_G_Interleave, TSR_G_AccConcat,
      TSR_G_AccSlice};
  struct all all = {.a = *state};
  struct random r = {12345};
  for (int k = 0; k < NETS; k++) {
    struct random again = r;
    add_net(&all, &r, (enum net_kind)(k % NET_KINDS), false);
    add_net(&all, &again, (enum net_kind)(k % NET_KINDS), true);
  }
  assert_int_equal(compare_all(all.a, all.trials, all.trial, 1e-5), 0);
  for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
    if (!all.seen[wanted[k]])
      fail_msg("no network has %s", tsr_gop_name(wanted[k]));
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(random_networks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
