/* SPDX-License-Identifier: Apache-2.0 */
/* Every op of the graph as kernels. */
#include "tests/cpu/each_op.h"
#include "tests/cuda/rig.h"

static void all_ops(void **state)
{
  (void)state;
  if (!has_ptxas())
    printf("ptxas is not installed: kernels are compiled and emulated, not assembled\n");
  each_op(check_kernels);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_ops)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
