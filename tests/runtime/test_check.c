/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a run sees one wrong element, wherever it is. */
#include <string.h>

#include "runtime/executor.h"
#include "tests/runtime/module.h"

static void each_element_is_compared(void **state)
{
  (void)state;
  for (int k = 0; k < LANES; k++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_module *m = hand_made(a);
    struct tsr_executor *x;
    struct tsr_err err = {0};
    struct tsr_difference difference;
    m->layer[1].func = m->layer[2].func; /* says: negated; the instructions double */
    assert_int_equal(tsr_executor_open(a, &err, m, "func", &x), TSR_OK);
    int8_t *input = tsr_executor_buffer(x, BUFFER_X);
    for (int i = 0; i < LANES; i++) /* a sum of 0 is the same both ways */
      input[i] = (int8_t)((i % 2 ? i + 1 : -i - 1) + (i == k));
    assert_int_equal(tsr_executor_run(x, &err), TSR_OK);
    assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_MISMATCH);
    assert_int_equal(difference.element, k);
    assert_int_equal(difference.differing, 1);
    tsr_executor_close(x);
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_element_is_compared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
