/* SPDX-License-Identifier: Apache-2.0 */
/* Places of buffers: what the layer before used last is used again last, nothing overlaps, and what does
 * not fit is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler/target/accel/accel.h"

struct world {
  struct tsr_arena *arena;
  struct tsr_design design;
  struct tsr__stream *stream;
};

static int setup(void **state)
{
  static struct world w;
  w.arena = tsr_arena_new(NULL);
  *state = &w;
  if (!w.arena || tsr_design_open(w.arena, NULL, "default", &w.design))
    return -1;
  w.stream = tsr__stream_new(w.arena, &w.design);
  return 0;
}

static int teardown(void **state)
{
  struct world *w = *state;
  tsr_arena_free(w->arena);
  return 0;
}

static struct tsr__place buffer(struct world *w, enum tir_scope scope, int64_t entries, int depth,
                                int64_t instance)
{
  struct tir_buffer *b = TSR_NEW(w->arena, struct tir_buffer);
  int64_t elements = scope == TIR_WGT ? 256 : 16;
  *b = (struct tir_buffer){"b", TSR_I8, scope, 1, {entries * elements}};
  return (struct tsr__place){.buffer = b, .depth = depth, .instance = instance};
}

/* A layer with two copies that fill WGT, and where the next one's only buffer comes to lie. */
static uint32_t after_two_copies(struct world *w, int64_t last)
{
  struct tsr__place first = buffer(w, TIR_WGT, 512, 2, last);
  struct tsr__place next = buffer(w, TIR_WGT, 400, 1, 0);
  tsr__stream_begin(w->stream);
  assert_true(tsr__layout_place(w->stream, &first, 1, true));
  assert_int_equal(first.at[0][0], 0);
  assert_int_equal(first.at[1][0], 512);
  tsr__layout_leave(w->stream, &first, 1, true);
  assert_true(tsr__layout_place(w->stream, &next, 1, true));
  return next.at[0][0];
}

static void beside_what_was_used_last(void **state)
{
  assert_int_equal(after_two_copies(*state, 6), 512);
  assert_int_equal(after_two_copies(*state, 7), 0);
}

/* The first work of a layer is in the bank that the layer before did not use last. */
static void banks(void **state)
{
  struct world *w = *state;
  for (int64_t last = 4; last < 6; last++) {
    struct tsr__place work = buffer(w, TIR_ACC, 100, 2, last), next = buffer(w, TIR_ACC, 50, 1, 0);
    tsr__stream_begin(w->stream);
    assert_true(tsr__layout_place(w->stream, &work, 1, true));
    tsr__layout_leave(w->stream, &work, 1, true);
    assert_true(tsr__layout_place(w->stream, &next, 1, false));
    uint32_t used = work.at[last % 2][0], then = next.at[0][0];
    assert_true((used < 1024) != (then < 1024));
  }
}

static void nothing_overlaps(void **state)
{
  struct world *w = *state;
  tsr__stream_begin(w->stream);
  for (int64_t k = 0; k < 200; k++) {
    struct tsr__place p[3] = {buffer(w, TIR_INP, 1 + k * 37 % 500, 2, k),
                              buffer(w, TIR_INP, 1 + k * 91 % 300, 2, k / 2),
                              buffer(w, TIR_INP, 1 + k * 53 % 200, 1, 0)};
    assert_true(tsr__layout_place(w->stream, p, 3, false));
    uint8_t used[2048] = {0};
    for (int b = 0; b < 3; b++)
      for (int copy = 0; copy < p[b].depth; copy++)
        for (uint32_t e = p[b].at[copy][0]; e < p[b].at[copy][0] + p[b].entries; e++) {
          assert_true(e < 2048);
          assert_int_equal(used[e]++, 0);
        }
    tsr__layout_leave(w->stream, p, 3, false);
  }
}

static void what_does_not_fit(void **state)
{
  struct world *w = *state;
  struct tsr__place fits = buffer(w, TIR_OUT, 1024, 2, 0), large = buffer(w, TIR_OUT, 1025, 2, 0);
  tsr__stream_begin(w->stream);
  assert_true(tsr__layout_place(w->stream, &fits, 1, false));
  assert_false(tsr__layout_place(w->stream, &large, 1, false));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(beside_what_was_used_last, setup, teardown),
      cmocka_unit_test_setup_teardown(banks, setup, teardown),
      cmocka_unit_test_setup_teardown(nothing_overlaps, setup, teardown),
      cmocka_unit_test_setup_teardown(what_does_not_fit, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
