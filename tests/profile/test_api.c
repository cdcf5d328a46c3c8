/* SPDX-License-Identifier: Apache-2.0 */
/* Traces and profiles through the public interface, under an allocator that says no. */
#include "runtime/package.h"
#include "runtime/tessera.h"
#include "tests/runtime/module.h"

struct life {
  struct tessera *t;
  struct tessera_model *model;
  struct tessera_session *session;
  struct tessera_bytes trace, json, page;
  const struct tessera_profile *profile, *again;
};

static enum tessera_status open_session(struct life *l, const struct tsr_bytes *file, bool record,
                                        uint64_t timeout)
{
  struct tessera_session_options options = {
      .device = "cycle", .timing_only = true, .record = record, .timeout_cycles = timeout};
  enum tessera_status status =
      tessera_model_load(l->t, "p.tsr", file->data, file->size, NULL, &l->model);
  return status ? status : tessera_session_open_with(l->t, l->model, &options, &l->session);
}

static enum tessera_status profile(struct life *l)
{
  enum tessera_status status = tessera_session_profile(l->t, l->session, &l->profile);
  if (!status)
    status = tessera_profile_write(l->t, l->profile, NULL, TESSERA_PROFILE_JSON, &l->json);
  if (!status)
    status = tessera_profile_read(l->t, "p.json", l->json.data, l->json.size, &l->again);
  if (!status)
    status = tessera_profile_write(l->t, l->profile, l->again, TESSERA_PROFILE_HTML, &l->page);
  return status;
}

/* Opens, runs twice, traces, profiles; frees everything on every way. */
static enum tessera_status whole_life(const struct tessera_allocator *allocator,
                                      const struct tsr_bytes *file)
{
  struct life l = {.t = tessera_new(allocator)};
  struct tessera_trace_info info;
  struct tessera_counters counters = {0};
  if (!l.t)
    return TESSERA_NO_MEMORY;
  enum tessera_status status = open_session(&l, file, true, 0);
  for (int k = 0; k < 2 && !status; k++)
    status = tessera_session_run(l.t, l.session);
  if (!status)
    status = tessera_session_trace(l.t, l.session, NULL, &l.trace, &info);
  if (!status)
    status = profile(&l);
  if (!status) {
    /* Of the latest run, while the device counts all. */
    tessera_session_counters(l.session, &counters);
    assert_int_equal(counters.cycles, 2 * l.profile->cycles);
    assert_int_equal(info.cycles, l.profile->cycles);
    assert_int_equal(l.again->cycles, l.profile->cycles);
    assert_int_equal(info.instructions, 4);
    assert_int_equal(l.profile->layers, 1);
  }
  tessera_profile_free(l.profile);
  tessera_profile_free(l.again);
  tessera_bytes_free(&l.trace);
  tessera_bytes_free(&l.json);
  tessera_bytes_free(&l.page);
  tessera_session_free(l.session);
  tessera_model_free(l.model);
  tessera_free(l.t);
  return status;
}

static void test_no_memory(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  for (int n = 0;; n++) {
    struct counting c;
    counting_init(&c, n);
    struct tessera_allocator allocator = {counting_resize, &c};
    enum tessera_status status = whole_life(&allocator, &file);
    assert_int_equal(c.live, 0);
    if (status == TESSERA_OK) {
      assert_false(c.refused);
      assert_true(n > 20);
      break;
    }
    assert_int_equal(status, TESSERA_NO_MEMORY);
  }
  tsr_arena_free(a);
}

/* Nothing was kept: a sentence, for both. */
static void expect_refused(struct life *l, const char *sentence)
{
  assert_int_equal(tessera_session_trace(l->t, l->session, NULL, &l->trace, NULL), TESSERA_REFUSED);
  assert_string_equal(tessera_message(l->t), sentence);
  assert_int_equal(tessera_session_profile(l->t, l->session, &l->profile), TESSERA_REFUSED);
  assert_string_equal(tessera_message(l->t), sentence);
}

static void test_refused(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  struct life l = {.t = tessera_new(NULL)};
  assert_int_equal(open_session(&l, &file, true, 5), TESSERA_OK);
  expect_refused(&l, "no run of the session has come to its end, so that nothing was kept");
  assert_int_equal(tessera_session_run(l.t, l.session), TESSERA_REFUSED);
  expect_refused(&l, "no run of the session has come to its end, so that nothing was kept");
  tessera_session_free(l.session);
  tessera_model_free(l.model);
  assert_int_equal(open_session(&l, &file, false, 0), TESSERA_OK);
  assert_int_equal(tessera_session_run(l.t, l.session), TESSERA_OK);
  expect_refused(&l, "the session was opened without `record`, so that nothing was kept of its "
                     "run");
  tessera_session_free(l.session);
  tessera_model_free(l.model);
  tessera_free(l.t);
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
