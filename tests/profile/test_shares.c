/* SPDX-License-Identifier: Apache-2.0 */
/* Every cycle in one layer and in one share. */
#include "runtime/profile/shares.h"

#include "tests/profile/subject.h"

static void test_order_of_shares(void **state)
{
  static const struct {
    enum tsr_state state[TSR_ENGINE_COUNT + 1]; /* load, matrix, vector, store, fetch */
    enum tsr_share share;
  } rows[] = {
#define ROW(load, matrix, vector, store, fetch, share)                                             \
  {{TSR_STATE_##load, TSR_STATE_##matrix, TSR_STATE_##vector, TSR_STATE_##store,                   \
    TSR_STATE_##fetch},                                                                            \
   TSR_SHARE_##share}
      ROW(BUSY, BUSY, BUSY, BUSY, BUSY, MATRIX),
      ROW(BUSY, TOKEN, BUSY, BUSY, BUSY, VECTOR),
      ROW(MEMORY, TOKEN, HAZARD, BUSY, BUSY, VECTOR),
      ROW(BUSY, TOKEN, TOKEN, BUSY, BUSY, LOAD),
      ROW(MEMORY, LOCK, TOKEN, BUSY, BUSY, READ),
      ROW(TOKEN, TOKEN, LOCK, BUSY, QUEUE, STORE),
      ROW(IDLE, TOKEN, IDLE, MEMORY, QUEUE, WRITE),
      ROW(LOCK, TOKEN, IDLE, TOKEN, MEMORY, LOCK),
      ROW(IDLE, TOKEN, IDLE, TOKEN, MEMORY, FETCH),
      ROW(IDLE, IDLE, IDLE, IDLE, BUSY, FETCH),
      ROW(IDLE, TOKEN, IDLE, TOKEN, QUEUE, TOKEN),
      ROW(TOKEN, SIGNAL, TOKEN, TOKEN, MEMORY, TOKEN),
      ROW(IDLE, IDLE, IDLE, IDLE, FINISH, END),
#undef ROW
  };
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    if (tsr_share_of(rows[k].state) != rows[k].share)
      fail_msg("row %d is share %d", (int)k, (int)tsr_share_of(rows[k].state));
}

static void span(struct subject *s, int engine, enum tsr_state state, uint64_t first, uint64_t last)
{
  struct tsr_cycle_span told = {.engine = engine, .state = state, .first = first, .last = last};
  struct tsr_device_observer o = tsr_record_observer(&s->record);
  o.span(o.context, &told);
}

static void retire(struct subject *s, size_t insn, uint64_t cycle)
{
  struct tsr_cycle_insn told = {.insn = insn, .retired = cycle};
  struct tsr_device_observer o = tsr_record_observer(&s->record);
  o.insn(o.context, &told);
}

/* Two layers by hand: the first ends in cycle 40, though its load had ended in 10. */
static void test_layers(void **state)
{
  (void)state;
  struct subject s;
  struct tsr_run_result result = {.counters = {[TSR_COUNTER_CYCLES] = 100}};
  subject_chain(&s, "default", 1, (size_t[]){5, 2, 0});
  struct tsr_device_observer o = tsr_record_observer(&s.record);
  o.start(o.context, s.program.insns, s.program.insn_count);
  span(&s, TSR_ENGINE_FETCH, TSR_STATE_FINISH, 1, 100);
  span(&s, TSR_ENGINE_LOAD, TSR_STATE_BUSY, 1, 10);
  retire(&s, 0, 10);
  span(&s, TSR_ENGINE_MATRIX, TSR_STATE_TOKEN, 1, 20);
  span(&s, TSR_ENGINE_MATRIX, TSR_STATE_BUSY, 21, 40);
  retire(&s, 4, 40);
  span(&s, TSR_ENGINE_VECTOR, TSR_STATE_BUSY, 31, 70);
  retire(&s, 5, 70);
  retire(&s, 6, 90);
  o.end(o.context, &result);
  uint64_t(*cycles)[TSR_SHARES] = (void *)TSR_NEW_ARRAY(s.arena, uint64_t, 2 * TSR_SHARES);
  tsr_share_cycles(s.arena, &s.record, &s.record.run[0], cycles);
  assert_int_equal(cycles[0][TSR_SHARE_LOAD], 10);
  assert_int_equal(cycles[0][TSR_SHARE_TOKEN], 10);
  assert_int_equal(cycles[0][TSR_SHARE_MATRIX], 20);
  assert_int_equal(cycles[0][TSR_SHARE_VECTOR], 0);
  assert_int_equal(cycles[1][TSR_SHARE_VECTOR], 30);
  assert_int_equal(cycles[1][TSR_SHARE_END], 30); /* 71 to 90, and what comes behind the last */
  subject_close(&s);
}

/* A layer that has ended before the one in front of it has no cycles. */
static void test_overtaken(void **state)
{
  (void)state;
  struct subject s;
  struct tsr_run_result result = {.counters = {[TSR_COUNTER_CYCLES] = 100}};
  subject_chain(&s, "default", 1, (size_t[]){5, 1, 1, 0});
  struct tsr_device_observer o = tsr_record_observer(&s.record);
  o.start(o.context, s.program.insns, s.program.insn_count);
  span(&s, TSR_ENGINE_MATRIX, TSR_STATE_BUSY, 1, 100);
  retire(&s, 5, 60);
  retire(&s, 4, 80);
  retire(&s, 6, 95);
  o.end(o.context, &result);
  uint64_t(*cycles)[TSR_SHARES] = (void *)TSR_NEW_ARRAY(s.arena, uint64_t, 3 * TSR_SHARES);
  tsr_share_cycles(s.arena, &s.record, &s.record.run[0], cycles);
  assert_int_equal(cycles[0][TSR_SHARE_MATRIX], 80);
  assert_int_equal(cycles[1][TSR_SHARE_MATRIX], 0);
  assert_int_equal(cycles[2][TSR_SHARE_MATRIX], 20);
  subject_close(&s);
}

/* Of a real run everything sums to its cycles, and what matrix does is what it counts. */
static void test_sums(void **state)
{
  (void)state;
  struct subject s;
  uint64_t sum = 0, matrix = 0;
  subject_chain(&s, "batch2", 50, (size_t[]){5, 2, 0});
  subject_run(&s);
  uint64_t(*cycles)[TSR_SHARES] = (void *)TSR_NEW_ARRAY(s.arena, uint64_t, 2 * TSR_SHARES);
  tsr_share_cycles(s.arena, &s.record, &s.record.run[0], cycles);
  for (int k = 0; k < TSR_SHARES; k++)
    sum += cycles[0][k] + cycles[1][k];
  matrix = cycles[0][TSR_SHARE_MATRIX] + cycles[1][TSR_SHARE_MATRIX];
  assert_int_equal(sum, s.record.run[0].cycles);
  assert_int_equal(matrix, s.record.run[0].counters[TSR_COUNTER_MATRIX_BUSY]);
  assert_true(cycles[1][TSR_SHARE_VECTOR] >= 50 && cycles[0][TSR_SHARE_VECTOR] == 0);
  subject_close(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_of_shares),
      cmocka_unit_test(test_layers),
      cmocka_unit_test(test_overtaken),
      cmocka_unit_test(test_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
