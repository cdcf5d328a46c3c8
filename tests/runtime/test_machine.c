/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured of the machine, and what a profile of the CPU makes of it. No time is judged:
 * bounds are those of a machine that is made up. */
#include <math.h>

#include "runtime/package.h"
#include "runtime/tessera.h"
#include "tests/runtime/module.h"

/* --- the machine ------------------------------------------------------------------------------ */

static int levels_here(void)
{
  int n = 0;
  for (int k = 0; tessera_cpu_level(k); k++)
    n += tessera_cpu_level_here(k);
  return n;
}

static void every_level_and_place_is_measured(void **state)
{
  struct tessera *t = tessera_new(NULL);
  struct tessera_machine m;
  (void)state;
  if (!levels_here()) {
    assert_int_equal(tessera_machine_measure(t, &m), TESSERA_REFUSED);
    tessera_free(t);
    skip();
  }
  assert_int_equal(tessera_machine_measure(t, &m), TESSERA_OK);
  int ways = m.cores > 1 ? 2 : 1;
  bool halves = tessera_machine_ops(&m, "avx512bf16", TESSERA_BF16, 1) > 0;
  assert_int_equal(m.peaks, (levels_here() * 2 + halves) * ways);
  assert_int_equal(m.bandwidths, 4 * ways);
  for (int k = 0; k < m.peaks; k++) {
    assert_true(m.peak[k].ops_per_s > 0 && isfinite(m.peak[k].ops_per_s));
    assert_int_equal(m.peak[k].threads, k < m.peaks / ways ? 1 : m.cores);
    assert_true(tessera_machine_ops(&m, m.peak[k].level, m.peak[k].dtype, m.peak[k].threads) ==
                m.peak[k].ops_per_s);
  }
  for (int k = 0; k < m.bandwidths; k++) {
    const struct tessera_machine_bandwidth *b = &m.bandwidth[k];
    assert_true(b->read_bytes_per_s > 0 && isfinite(b->read_bytes_per_s));
    assert_true(b->copy_bytes_per_s > 0 && isfinite(b->copy_bytes_per_s));
    assert_true(b->bytes > 0 && b->bytes < b->capacity_bytes);
  }
  assert_true(tessera_machine_ops(&m, "sse2", TESSERA_F32, m.cores + 1) == 0);
  assert_true(tessera_machine_ops(&m, "nothing", TESSERA_F32, 1) == 0);
  tessera_free(t);
}

static void memory_to_measure_may_be_refused(void **state)
{
  struct counting c;
  struct tessera_machine m;
  (void)state;
  for (int n = 0; levels_here(); n++) {
    counting_init(&c, n);
    struct tessera_allocator allocator = {counting_resize, &c};
    struct tessera *t = tessera_new(&allocator);
    enum tessera_status status = t ? tessera_machine_measure(t, &m) : TESSERA_NO_MEMORY;
    tessera_free(t);
    assert_int_equal(c.live, 0);
    if (status == TESSERA_OK) {
      assert_true(n > 2);
      return;
    }
    assert_int_equal(status, TESSERA_NO_MEMORY);
  }
}

/* --- profiles --------------------------------------------------------------------------------- */

/* A thousand operations a second on integers; L1 holds 16 bytes and gives 8 a second, L2 40 and 4,
 * DRAM 1. */
static struct tessera_machine made_up(void)
{
  struct tessera_machine m = {.cores = 1, .bandwidths = 3};
  for (int k = 0; tessera_cpu_level(k); k++) {
    m.peak[m.peaks++] = (struct tessera_machine_peak){
        .level = tessera_cpu_level(k), .dtype = TESSERA_I8, .threads = 1, .ops_per_s = 1000};
    m.peak[m.peaks++] = (struct tessera_machine_peak){
        .level = tessera_cpu_level(k), .dtype = TESSERA_F32, .threads = 1, .ops_per_s = 7};
  }
  m.bandwidth[0] = (struct tessera_machine_bandwidth){
      .place = "L1", .capacity_bytes = 16, .threads = 1, .read_bytes_per_s = 8};
  m.bandwidth[1] = (struct tessera_machine_bandwidth){
      .place = "L2", .capacity_bytes = 40, .threads = 1, .read_bytes_per_s = 4};
  m.bandwidth[2] = (struct tessera_machine_bandwidth){
      .place = "DRAM", .capacity_bytes = SIZE_MAX, .threads = 1, .read_bytes_per_s = 1};
  return m;
}

static enum tessera_status profile_package(struct tessera *t, const struct tsr_bytes *file,
                                           const struct tessera_machine *machine, int runs,
                                           const struct tessera_cpu_profile **out)
{
  struct tessera_model *model = NULL;
  struct tessera_session *session = NULL;
  enum tessera_status status = tessera_model_load(t, "p.tsr", file->data, file->size, NULL, &model);
  if (!status)
    status = tessera_session_open(t, model, NULL, &session);
  if (!status)
    status = tessera_session_profile_cpu(t, session, machine, runs, out);
  tessera_session_free(session);
  tessera_model_free(model);
  return status;
}

/* The layer adds 16 constants to 16 elements. */
static void check_added(struct tsr_arena *a, uint64_t macs, uint64_t capacity, double memory_s,
                        const char *limit)
{
  struct tsr_module *module = hand_made(a);
  struct tessera_machine machine = made_up();
  const struct tessera_cpu_profile *p;
  struct tessera *t = tessera_new(NULL);
  module->layer[0].macs = macs;
  machine.bandwidth[0].capacity_bytes = capacity;
  struct tsr_bytes file = tsr_package_write(a, module);
  assert_int_equal(profile_package(t, &file, &machine, 3, &p), TESSERA_OK);
  const struct tessera_cpu_profile_layer *l = &p->layer[0];
  double least = (double)macs / 500 > memory_s ? (double)macs / 500 : memory_s;
  assert_true(l->ops == 2 * macs && l->bytes == 48);
  assert_true(l->compute_s == (double)macs / 500 && l->memory_s == memory_s);
  assert_string_equal(l->limit, limit);
  assert_true(l->seconds > 0 && l->fraction_of_peak == least / l->seconds);
  assert_true(p->least_s == least + p->layer[1].memory_s);
  tessera_cpu_profile_free(p);
  tessera_free(t);
}

static void bounds_are_those_of_the_machine(void **state)
{
  check_added(*state, 0, 16, 16.0 / 8 + 32.0 / 4, "L2");
  check_added(*state, 100, 16, 16.0 / 8 + 32.0 / 4, "L2");
  check_added(*state, 5001, 16, 16.0 / 8 + 32.0 / 4, "compute");
  check_added(*state, 0, 15, 16.0 / 4 + 32.0 / 4, "L2");
  check_added(*state, 0, 32, 16.0 / 8 + 32.0 / 8, "L1");
}

static void layers_of_the_device_are_left_out(void **state)
{
  struct tsr_bytes file = tsr_package_write(*state, hand_made(*state));
  struct tessera_machine machine = made_up();
  struct tessera *t = tessera_new(NULL);
  const struct tessera_cpu_profile *p;
  assert_int_equal(profile_package(t, &file, &machine, 5, &p), TESSERA_OK);
  assert_string_equal(p->model, "by hand");
  assert_string_equal(p->level, "interpreter");
  assert_true(p->threads == 1 && p->runs == 5 && p->layers == 2);
  assert_string_equal(p->layer[0].name, "add");
  assert_string_equal(p->layer[1].name, "negate");
  assert_true(p->layer[0].interpreted && p->layer[1].interpreted);
  assert_true(p->ops == 0 && p->bytes == 48 + 32 && p->layer[1].bytes == 32);
  assert_true(p->layer[0].seconds <= p->seconds && p->layer[1].seconds <= p->seconds);
  tessera_cpu_profile_free(p);
  tessera_cpu_profile_free(NULL);
  assert_int_equal(profile_package(t, &file, &machine, 0, &p), TESSERA_OK);
  assert_true(p->runs >= 3 && p->runs <= 100);
  tessera_cpu_profile_free(p);
  tessera_free(t);
}

static void refusals_of_profiles(void **state)
{
  struct tsr_bytes file = tsr_package_write(*state, hand_made(*state));
  struct tessera_machine machine = made_up();
  struct tessera_session_options options = {.device = "cycle", .timing_only = true};
  struct tessera *t = tessera_new(NULL);
  struct tessera_model *model;
  struct tessera_session *session;
  const struct tessera_cpu_profile *p = NULL;
  assert_int_equal(profile_package(t, &file, &machine, -1, &p), TESSERA_REFUSED);
  assert_string_equal(tessera_message(t),
                      "-1 runs; there can be 1 to 1000000, or 0 for about a second");
  assert_int_equal(profile_package(t, &file, &machine, 1000001, &p), TESSERA_REFUSED);
  assert_int_equal(tessera_model_load(t, "p.tsr", file.data, file.size, NULL, &model), TESSERA_OK);
  assert_int_equal(tessera_session_open_with(t, model, &options, &session), TESSERA_OK);
  assert_int_equal(tessera_session_profile_cpu(t, session, &machine, 1, &p), TESSERA_REFUSED);
  assert_string_equal(tessera_message(t),
                      "the session is for timing only, so that the CPU does nothing in it");
  assert_null(p);
  tessera_session_free(session);
  tessera_model_free(model);
  tessera_free(t);
}

static void every_allocation_of_a_profile_may_be_refused(void **state)
{
  struct tsr_bytes file = tsr_package_write(*state, hand_made(*state));
  struct tessera_machine machine = made_up();
  for (int n = 0;; n++) {
    struct counting c;
    const struct tessera_cpu_profile *p = NULL;
    counting_init(&c, n);
    struct tessera_allocator allocator = {counting_resize, &c};
    struct tessera *t = tessera_new(&allocator);
    enum tessera_status status = t ? profile_package(t, &file, &machine, 2, &p) : TESSERA_NO_MEMORY;
    tessera_cpu_profile_free(p);
    tessera_free(t);
    assert_int_equal(c.live, 0);
    if (status == TESSERA_OK)
      return;
    assert_int_equal(status, TESSERA_NO_MEMORY);
    assert_null(p);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_level_and_place_is_measured),
      cmocka_unit_test(memory_to_measure_may_be_refused),
      IN_ARENA(bounds_are_those_of_the_machine),
      IN_ARENA(layers_of_the_device_are_left_out),
      IN_ARENA(refusals_of_profiles),
      IN_ARENA(every_allocation_of_a_profile_may_be_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
