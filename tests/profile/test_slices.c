/* SPDX-License-Identifier: Apache-2.0 */
/* Spans as slices, and slices merged. */
#include "runtime/profile/slices.h"

#include "tests/profile/subject.h"

struct told {
  int engine;
  enum tsr_state state;
  size_t insn;
  uint64_t first, last;
};

static void tell(struct subject *s, const struct told *told, size_t count, uint64_t cycles)
{
  struct tsr_device_observer o = tsr_record_observer(&s->record);
  struct tsr_run_result result = {.counters = {[TSR_COUNTER_CYCLES] = cycles}};
  o.start(o.context, s->program.insns, s->program.insn_count);
  for (size_t k = 0; k < count; k++)
    o.span(o.context, &(struct tsr_cycle_span){told[k].engine, told[k].state, told[k].insn, 2,
                                               told[k].first, told[k].last});
  o.end(o.context, &result);
}

static void open_subject(struct subject *s)
{
  subject_chain(s, "default", 4, (size_t[]){5, 2, 0});
}

static void expect(const struct tsr__slice *s, uint64_t first, uint64_t last, int state,
                   uint64_t busy, bool inside)
{
  assert_int_equal(s->first, first);
  assert_int_equal(s->last, last);
  assert_int_equal(s->state, state);
  assert_int_equal(s->busy, busy);
  assert_int_equal(s->inside, inside);
}

/* A stall before, two stalls inside, one behind; and another stream after it. */
static void test_cut(void **state)
{
  static const struct told spans[] = {
      {TSR_ENGINE_LOAD, TSR_STATE_IDLE, 0, 1, 9},   {TSR_ENGINE_LOAD, TSR_STATE_TOKEN, 0, 10, 19},
      {TSR_ENGINE_LOAD, TSR_STATE_BUSY, 0, 20, 20}, {TSR_ENGINE_LOAD, TSR_STATE_LOCK, 0, 21, 25},
      {TSR_ENGINE_LOAD, TSR_STATE_BUSY, 0, 26, 30}, {TSR_ENGINE_LOAD, TSR_STATE_MEMORY, 0, 31, 40},
      {TSR_ENGINE_LOAD, TSR_STATE_BUSY, 0, 41, 44}, {TSR_ENGINE_LOAD, TSR_STATE_SIGNAL, 0, 45, 49},
      {TSR_ENGINE_LOAD, TSR_STATE_BUSY, 1, 50, 60},
  };
  (void)state;
  struct subject s;
  struct tsr__track track[TSR__TRACKS];
  open_subject(&s);
  tell(&s, spans, sizeof spans / sizeof spans[0], 100);
  tell(&s, spans + 8, 1, 70);
  tsr__cut_slices(s.arena, &s.record, track);
  const struct tsr__slice *slice = track[TSR_ENGINE_LOAD].slice;
  assert_int_equal(track[TSR_ENGINE_LOAD].count, 7);
  expect(&slice[0], 10, 19, TSR_STATE_TOKEN, 0, false);
  assert_int_equal(slice[0].others, 2);
  expect(&slice[1], 20, 44, TSR_STATE_BUSY, 10, false);
  expect(&slice[2], 21, 25, TSR_STATE_LOCK, 0, true);
  expect(&slice[3], 31, 40, TSR_STATE_MEMORY, 0, true);
  expect(&slice[4], 45, 49, TSR_STATE_SIGNAL, 0, false);
  expect(&slice[5], 50, 60, TSR_STATE_BUSY, 11, false);
  expect(&slice[6], 150, 160, TSR_STATE_BUSY, 11, false);
  assert_int_equal(slice[5].insn, 1);
  assert_int_equal(track[TSR_ENGINE_MATRIX].count, 0);
  subject_close(&s);
}

/* LOADs of one buffer are of one kind: 3 and 3 again are merged over a gap below 8, 3 and 2 never
 * are, nor what a stall that stays lies between. */
static void test_merge(void **state)
{
  (void)state;
  struct subject s;
  struct tsr__track track[TSR__TRACKS];
  struct tsr__merged merged = {0}, nothing = {0};
  open_subject(&s);
  /* Not in one group: another engine's instruction lies between in the stream. */
  tell(&s, &(const struct told){TSR_ENGINE_LOAD, TSR_STATE_BUSY, 3, 1, 10}, 1, 10);
  tell(&s,
       (const struct told[]){{TSR_ENGINE_LOAD, TSR_STATE_TOKEN, 3, 1, 7},
                             {TSR_ENGINE_LOAD, TSR_STATE_BUSY, 3, 8, 10}},
       2, 10);
  tell(&s,
       (const struct told[]){{TSR_ENGINE_LOAD, TSR_STATE_TOKEN, 2, 1, 8},
                             {TSR_ENGINE_LOAD, TSR_STATE_BUSY, 2, 9, 20},
                             {TSR_ENGINE_LOAD, TSR_STATE_BUSY, 3, 21, 30}},
       3, 30);
  const struct tsr__label *label = tsr__label_insns(s.arena, &s.module);
  tsr__cut_slices(s.arena, &s.record, track);
  const struct tsr__track *load = &track[TSR_ENGINE_LOAD];
  assert_int_equal(load->count, 6);
  struct tsr__track whole = tsr__merge_slices(s.arena, load, label, 0, &nothing);
  assert_int_equal(whole.count, 6);
  assert_int_equal(nothing.slices + nothing.stalls, 0);
  struct tsr__track less = tsr__merge_slices(s.arena, load, label, 8, &merged);
  assert_int_equal(less.count, 4);
  assert_int_equal(merged.stalls, 1);
  assert_int_equal(merged.slices, 1);
  expect(&less.slice[0], 1, 20, TSR_STATE_BUSY, 13, false);
  assert_int_equal(less.slice[0].count, 2);
  expect(&less.slice[1], 21, 28, TSR_STATE_TOKEN, 0, false);
  expect(&less.slice[3], 41, 50, TSR_STATE_BUSY, 10, false);
  subject_close(&s);
}

static void test_labels(void **state)
{
  (void)state;
  struct subject s;
  open_subject(&s);
  const struct tsr__label *label = tsr__label_insns(s.arena, &s.module);
  assert_int_equal(label[0].opcode, TSR_OP_LOAD);
  assert_int_equal(label[3].buffer, TSR_BUFFER_INP);
  assert_int_equal(label[3].nth, 1);
  assert_int_equal(label[3].of, 1);
  assert_int_equal(label[4].layer, 0);
  assert_int_equal(label[6].layer, 1);
  assert_int_equal(label[7].layer, -1); /* FINISH */
  subject_close(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_merge),
      cmocka_unit_test(test_labels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
