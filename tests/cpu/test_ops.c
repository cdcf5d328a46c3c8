/* SPDX-License-Identifier: Apache-2.0 */
/* Every op of the graph at every level of this machine. The integer ops of the accelerator are in
 * test_networks.c. */
#include "tests/cpu/each_op.h"

static int compare(struct tsr_arena *a, int trials, const struct trial *trial)
{
  return compare_all(a, trials, trial, 1e-5);
}

static void all_ops(void **state)
{
  (void)state;
  each_op(compare);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_ops)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
