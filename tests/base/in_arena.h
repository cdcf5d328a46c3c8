/* SPDX-License-Identifier: Apache-2.0 */
/* The setup and teardown of a test whose state is an arena. */
#ifndef TSR_TESTS_BASE_IN_ARENA_H
#define TSR_TESTS_BASE_IN_ARENA_H

#include "base/arena.h"

static inline int open_arena(void **state)
{
  *state = tsr_arena_new(NULL);
  return *state ? 0 : -1;
}

static inline int close_arena(void **state)
{
  tsr_arena_free(*state);
  return 0;
}

/* cmocka.h is the test's to include. */
#define IN_ARENA(test) cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

#endif
