/* SPDX-License-Identifier: Apache-2.0 */
/* A package whose header contradicts its manifest; buffers that overlap in their last byte. */
#include <string.h>

#include "runtime/container.h"
#include "runtime/package.h"
#include "tests/runtime/module.h"

static void another_design_point_is_refused(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_err err = {0};
  struct tsr_module *back;
  struct tsr__container c;
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  assert_int_equal(tsr__container_read(&err, "p", file.data, file.size, &c), TSR_OK);
  c.design_hash ^= 1;
  file = tsr__container_write(a, &c);
  assert_int_equal(tsr_package_read(a, &err, "p", file.data, file.size, &back), TSR_REFUSED);
  assert_string_equal(err.text,
                      "p: the package's header and its manifest name different design points");
  tsr_arena_free(a);
}

static void one_shared_byte_is_refused(void **state)
{
  (void)state;
  for (size_t shared = 0; shared < 2; shared++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_err err = {0};
    struct tsr_module *m = hand_made(a);
    m->buffer[BUFFER_DOUBLE].offset = m->buffer[BUFFER_SUM].offset + LANES - shared;
    assert_int_equal(tsr_module_check(a, &err, m), shared ? TSR_REFUSED : TSR_OK);
    if (shared)
      assert_non_null(strstr(err.text, "overlap in the window"));
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(another_design_point_is_refused),
    cmocka_unit_test(one_shared_byte_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
