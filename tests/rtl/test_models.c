/* SPDX-License-Identifier: Apache-2.0 */
/* Networks on the RTL: their streams in lockstep, on any activations; and outputs through the
 * runtime, equal to those of the other devices. Networks that stand beside the checkout
 * (../shared/models) are skipped with a sentence where they are absent. The second argument names
 * one network, the third another memory for the streams. */
#include "tests/rtl/main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/executor.h"
#include "runtime/package.h"
#include "runtime/tessera.h"
#include "tests/isa/random.h"
#include "tests/rtl/trial.h"

#define SHARED "../shared/models/"

static const struct network {
  const char *name, *path;
} networks[] = {
    {"digits", "models/digits/digits.onnx"},
    {"resnet8", SHARED "mlperf_tiny_resnet8/model_int8_qdq.onnx"},
    {"dscnn", SHARED "mlperf_tiny_dscnn_kws/model_int8_qdq.onnx"},
    {"mobilenetv2", SHARED "imagenet_tf2_mobilenet_v2_1.0_224_ptq/model_qdq.onnx"},
};

static const struct network *network;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(struct tessera *t, enum tessera_status status)
{
  if (status)
    fail_msg("%s", tessera_message(t));
}

static struct tessera_model *open_model(struct tessera *t)
{
  struct tessera_options options = {.config = rig.design.name};
  struct tessera_model *model = NULL;
  must(t, tessera_model_open(t, network->path, &options, &model));
  return model;
}

static struct tsr_module *module_of(struct tsr_arena *arena)
{
  struct tessera *t = tessera_new(NULL);
  struct tessera_model *model = open_model(t);
  struct tessera_bytes bytes;
  struct tsr_module *module = NULL;
  struct tsr_err err;
  must(t, tessera_model_package(t, model, &bytes));
  if (tsr_package_read(arena, &err, network->name, tsr_arena_copy(arena, bytes.data, bytes.size),
                       bytes.size, &module))
    fail_msg("%s", err.text);
  tessera_bytes_free(&bytes);
  tessera_model_free(model);
  tessera_free(t);
  return module;
}

/* The stream of a step; behind the image, activations at random. */
static struct tsr_program stream_of(struct tsr_arena *arena, const struct tsr_module *module,
                                    int step)
{
  struct tsr_program p;
  uint64_t random = 11;
  tsr_module_stream(module, step, &p);
  uint8_t *data = tsr_arena_alloc(arena, p.window_bytes + 1);
  memcpy(data, p.data, p.data_bytes);
  for (size_t k = p.data_bytes; k < p.window_bytes; k++)
    data[k] = (uint8_t)random_next(&random);
  p.data = data;
  p.data_bytes = p.window_bytes;
  return p;
}

static void run_stream(const struct tsr_program *p, int step)
{
  rig_machine(&rig, p->window_bytes);
  rig_expect(&rig, p);
  double begun = now();
  enum outcome outcome = rig_run(&rig, p);
  double seconds = now() - begun;
  if (outcome == AS_EXPECTED)
    outcome = rig_same_trap(&rig);
  if (outcome == AS_EXPECTED)
    outcome = rig_counts(&rig);
  expect(outcome, "%s, step %d", network->name, step);
  const uint64_t *c = rig.result.counters;
  print_message(
      "%s at %s: %d instructions, %.0f cycles, %.0f tiles, %.0f vector points, in %.1f s\n",
      network->name, rig.design.name, (int)p->insn_count, (double)c[TSR_COUNTER_CYCLES],
      (double)c[TSR_COUNTER_TILES], (double)c[TSR_COUNTER_POINTS], seconds);
}

static void streams(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_module *module = module_of(arena);
  int ran = 0;
  for (int step = 0; step < module->steps; step++)
    if (module->step[step].kind == TSR_STEP_ACCEL) {
      struct tsr_program p = stream_of(arena, module, step);
      run_stream(&p, step);
      ran++;
    }
  assert_true(ran > 0);
  tsr_arena_free(arena);
}

/* ---- through the runtime ---- */

static void set_inputs(struct tessera *t, struct tessera_session *session,
                       const struct tessera_model *model, uint64_t seed)
{
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  for (int k = 0; k < info.inputs; k++) {
    struct tessera_port port;
    struct tessera_tensor tensor;
    tessera_model_input(model, k, &port);
    must(t, tessera_tensor_stack(t, &port, 1, &tensor));
    tessera_tensor_random(&tensor, seed + (uint64_t)k);
    must(t, tessera_session_set_input(t, session, k, &tensor));
    tessera_tensor_free(&tensor);
  }
}

/* Two inferences on a device. */
static struct tessera_session *infer(struct tessera *t, const struct tessera_model *model,
                                     const char *device, bool timing_only)
{
  struct tessera_session *session = NULL;
  struct tessera_session_options options = {.device = device, .timing_only = timing_only};
  must(t, tessera_session_open_with(t, model, &options, &session));
  for (uint64_t seed = 1; seed <= 2; seed++) {
    set_inputs(t, session, model, seed);
    must(t, tessera_session_run(t, session));
  }
  return session;
}

/* The outputs of the second inference. */
static void same_outputs(const struct tessera_model *model, const struct tessera_session *a,
                         const struct tessera_session *b)
{
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  for (int k = 0; k < info.outputs; k++) {
    struct tessera_tensor expected, found;
    tessera_session_output(a, k, &expected);
    tessera_session_output(b, k, &found);
    assert_memory_equal(found.data, expected.data, tessera_tensor_bytes(&expected));
  }
}

static void same_work(const struct tessera_session *a, const struct tessera_session *b)
{
  struct tessera_counters expected, found;
  tessera_session_counters(a, &expected);
  tessera_session_counters(b, &found);
  assert_int_equal(found.macs, expected.macs);
  assert_int_equal(found.vector_ops, expected.vector_ops);
  assert_int_equal(found.dram_read_bytes, expected.dram_read_bytes);
  assert_int_equal(found.dram_write_bytes, expected.dram_write_bytes);
}

static void same_time(const struct tessera_session *a, const struct tessera_session *b)
{
  struct tessera_counters expected, found;
  struct tessera_activity row, other;
  tessera_session_counters(a, &expected);
  tessera_session_counters(b, &found);
  assert_memory_equal(&found, &expected, sizeof found);
  for (int k = 0; tessera_session_activity(a, k, &row); k++) {
    assert_true(tessera_session_activity(b, k, &other));
    assert_string_equal(other.engine, row.engine);
    assert_string_equal(other.state, row.state);
    assert_int_equal(other.cycles, row.cycles);
  }
}

static void outputs(void **state)
{
  (void)state;
  struct tessera *t = tessera_new(NULL);
  struct tessera_model *model = open_model(t);
  struct tessera_session *func = infer(t, model, "func", false),
                         *rtl = infer(t, model, "rtl", false),
                         *cycle = infer(t, model, "cycle", false),
                         *timing = infer(t, model, "cycle", true);
  same_outputs(model, func, rtl);
  same_outputs(model, func, cycle);
  same_work(func, rtl);
  same_time(rtl, cycle);
  same_time(rtl, timing);
  must(t, tessera_session_check(t, rtl));
  must(t, tessera_session_check(t, cycle));
  assert_int_equal(tessera_session_check(t, timing), TESSERA_REFUSED);
  tessera_session_free(func);
  tessera_session_free(rtl);
  tessera_session_free(cycle);
  tessera_session_free(timing);
  tessera_model_free(model);
  tessera_free(t);
}

static bool choose(const char *name)
{
  for (size_t k = 0; k < sizeof networks / sizeof networks[0]; k++)
    if (!strcmp(networks[k].name, name))
      network = &networks[k];
  if (network && !access(network->path, R_OK))
    return true;
  printf("skipped: %s is not here\n", network ? network->path : name);
  return false;
}

/* A memory of trials, without errors. */
static void choose_memory(const char *name)
{
  struct trial t = {.rig = &rig, .seed = 3, .memory = trial_memory_find(name)};
  struct tsr_dram_options dram = trial_dram(&t);
  dram.read_error = dram.write_error = 0;
  rig_memory(&rig, &dram);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(streams), cmocka_unit_test(outputs)},
                          streams_only[] = {cmocka_unit_test(streams)};
  if (!choose(argc > 2 ? argv[2] : "digits") || !begin(argc, argv))
    return SKIPPED;
  rig.timeout_cycles = 0; /* as many as it takes */
  choose_memory(argc > 3 ? argv[3] : "own");
  return end(argc > 3 ? cmocka_run_group_tests(streams_only, NULL, NULL)
                      : cmocka_run_group_tests(tests, NULL, NULL));
}
