/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/executor.h"

#include "tests/runtime/module.h"

static void fill(struct tsr_executor *x, uint64_t *seed, int8_t in[LANES])
{
  for (int i = 0; i < LANES; i++)
    in[i] = (int8_t)next_random(seed);
  memcpy(tsr_executor_buffer(x, BUFFER_X), in, LANES);
}

static void runs_and_checks(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made(a);
  struct tsr_executor *x;
  struct tsr_err err = {0};
  struct tsr_difference difference;
  struct tsr_device_counters counters;
  uint64_t seed = 11;
  assert_int_equal(tsr_executor_open(a, &err, m, "func", &x), TSR_OK);
  assert_int_equal(tsr_executor_place(x, 1), TSR_PLACE_ACCEL);
  assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_REFUSED);
  assert_string_equal(err.text, "there is nothing to check before a run");
  for (int n = 0; n < 20; n++) {
    int8_t in[LANES], y[LANES];
    fill(x, &seed, in);
    assert_int_equal(tsr_executor_run(x, &err), TSR_OK);
    hand_reference(in, y);
    assert_memory_equal(tsr_executor_buffer(x, BUFFER_Y), y, LANES);
    assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_OK);
    assert_int_equal(difference.layer, -1);
  }
  tsr_executor_counters(x, &counters);
  assert_int_equal(counters.insns[TSR_ENGINE_VECTOR], 20);
  assert_int_equal(counters.dram_write_bytes, 20 * LANES);
  tsr_executor_close(x);
}

/* Without a device the layers of streams run as all others do. */
static void runs_without_a_device(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made(a);
  struct tsr_executor *x;
  struct tsr_err err = {0};
  struct tsr_difference difference;
  struct tsr_device_counters counters;
  uint64_t seed = 12;
  int8_t in[LANES], y[LANES];
  assert_int_equal(tsr_executor_open(a, &err, m, NULL, &x), TSR_OK);
  for (int i = 0; i < m->layers; i++)
    assert_int_equal(tsr_executor_place(x, i), TSR_PLACE_CPU);
  fill(x, &seed, in);
  assert_int_equal(tsr_executor_run(x, &err), TSR_OK);
  hand_reference(in, y);
  assert_memory_equal(tsr_executor_buffer(x, BUFFER_Y), y, LANES);
  assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_OK);
  tsr_executor_counters(x, &counters);
  assert_int_equal(counters.insns[TSR_ENGINE_VECTOR], 0);
  tsr_executor_close(x);
}

/* A tensor that is a part of another has no memory of its own elsewhere. */
static void parts_need_the_device(void **state)
{
  struct tsr_executor *x = NULL;
  struct tsr_err err = {0};
  assert_int_equal(tsr_executor_open(*state, &err, hand_made_part(*state, 1), NULL, &x),
                   TSR_REFUSED);
  assert_null(x);
  assert_string_equal(err.text,
                      "'by hand' was compiled for the accelerator, in whose memory 'double' is a "
                      "part of 'whole'; targets 'cpu' and 'cuda' need the ONNX model or a package "
                      "compiled for them");
}

/* A layer whose compute is not what its instructions do. */
static void check_names_the_difference(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made(a);
  struct tsr_executor *x;
  struct tsr_err err = {0};
  struct tsr_difference difference;
  m->layer[1].func = m->layer[2].func; /* says: negated */
  assert_int_equal(tsr_executor_open(a, &err, m, "func", &x), TSR_OK);
  memset(tsr_executor_buffer(x, BUFFER_X), 0, LANES);
  ((int8_t *)tsr_executor_buffer(x, BUFFER_X))[0] = -1; /* makes a sum of 0, equal both ways */
  assert_int_equal(tsr_executor_run(x, &err), TSR_OK);
  assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_MISMATCH);
  assert_int_equal(err.status, TSR_MISMATCH);
  assert_string_equal(err.text,
                      "layer 'double' (Test, on accel): element 1 of 'double' is -4 where the "
                      "interpreter has 2; 15 of 16 elements differ");
  assert_int_equal(difference.layer, 1);
  assert_int_equal(difference.buffer, BUFFER_DOUBLE);
  assert_int_equal(difference.element, 1);
  assert_int_equal(difference.differing, 15);
  tsr_executor_close(x);
}

/* The CPU reads a part with its steps: of what the accelerator wrote, every second element, and then what
 * lies behind it. */
static void parts_are_gathered(void **state)
{
  struct tsr_arena *a = *state;
  for (int step = 1; step <= 2; step++) {
    struct tsr_module *m = hand_made_part(a, (uint64_t)step);
    struct tsr_executor *x;
    int8_t in[LANES], all[2 * LANES] = {0};
    uint64_t seed = 3;
    assert_int_equal(tsr_executor_open(a, NULL, m, "func", &x), TSR_OK);
    fill(x, &seed, in);
    assert_int_equal(tsr_executor_run(x, NULL), TSR_OK);
    hand_reference(in, all);
    const int8_t *y = tsr_executor_buffer(x, BUFFER_Y);
    for (int i = 0; i < LANES; i++)
      assert_int_equal(y[i], all[i * step]);
    tsr_executor_close(x);
  }
}

static void two_executors_do_not_meet(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made(a);
  struct tsr_executor *x[2];
  int8_t in[2][LANES], y[LANES];
  uint64_t seed = 5;
  for (int k = 0; k < 2; k++) {
    assert_int_equal(tsr_executor_open(a, NULL, m, "func", &x[k]), TSR_OK);
    fill(x[k], &seed, in[k]);
  }
  for (int k = 0; k < 2; k++)
    assert_int_equal(tsr_executor_run(x[k], NULL), TSR_OK);
  for (int k = 0; k < 2; k++) {
    hand_reference(in[k], y);
    assert_memory_equal(tsr_executor_buffer(x[k], BUFFER_Y), y, LANES);
    tsr_executor_close(x[k]);
  }
}

static void a_stream_that_would_hang_is_refused(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made(a);
  struct tsr_executor *x = NULL;
  struct tsr_err err = {0};
  struct tsr_insn insn;
  assert_int_equal(tsr_insn_decode(m->insns + 2 * TSR_INSN_BYTES, &insn), TSR_TRAP_NONE);
  insn.wait |= 1u << TSR_ENGINE_STORE;
  assert_int_equal(tsr_insn_encode(NULL, &insn, m->insns + 2 * TSR_INSN_BYTES), TSR_OK);
  assert_int_equal(tsr_executor_open(a, &err, m, "func", &x), TSR_REFUSED);
  assert_null(x);
  assert_non_null(strstr(err.text,
                         "the stream of step 1 does not pass the checker, which has 1 finding; "
                         "the first: "));
}

static void devices_are_named(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made(a);
  struct tsr_executor *x;
  static const struct { const char *device, *sentence; } rows[] = {
    {"fpga", "device 'fpga' is not built into this command; 'func', 'cycle' and 'rtl' are"},
    {"fnuc", "unknown device 'fnuc'; did you mean 'func'?"},
    {"abacus", "unknown device 'abacus'; there are 'func', 'cycle' and 'rtl'"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_err err = {0};
    assert_int_equal(tsr_executor_open(a, &err, m, rows[i].device, &x), TSR_REFUSED);
    assert_string_equal(err.text, rows[i].sentence);
  }
}

static void what_a_device_does_not_take_is_refused(void **state)
{
  struct tsr_module *m = hand_made(*state);
  static const struct tsr_device_options wave = {.wave = {.path = "/tmp/none.fst"}},
                                         timeout = {.timeout_cycles = 1},
                                         timing = {.timing_only = true};
  struct tsr_device *d;
  struct tsr_err err = {0};
  assert_int_equal(tsr_device_open(NULL, &err, "func", &m->design, &wave, 64, &d), TSR_REFUSED);
  assert_string_equal(err.text,
                      "device 'func' has no signals, so that it writes no waveform; 'rtl' does");
  assert_int_equal(tsr_device_open(NULL, &err, "func", &m->design, &timeout, 64, &d), TSR_REFUSED);
  assert_string_equal(err.text,
                      "device 'func' counts no cycles, so that it has no timeout; 'cycle' and 'rtl' do");
  assert_int_equal(tsr_device_open(NULL, &err, "rtl", &m->design, &timing, 64, &d), TSR_REFUSED);
  assert_string_equal(
      err.text, "device 'rtl' computes all data and does not run for timing only; 'cycle' does");
}

static void ranges_of_a_device_are_checked(void **state)
{
  struct tsr_module *m = hand_made(*state);
  struct tsr_device *d;
  struct tsr_err err = {0};
  uint8_t byte = 7, back = 0;
  assert_int_equal(tsr_device_open(NULL, &err, "func", &m->design, NULL, 64, &d), TSR_OK);
  assert_int_equal(tsr_device_write(d, &err, 63, &byte, 1), TSR_OK);
  assert_int_equal(tsr_device_read(d, &err, 63, &back, 1), TSR_OK);
  assert_int_equal(back, 7);
  assert_int_equal(tsr_device_write(d, &err, 64, &byte, 1), TSR_REFUSED);
  assert_string_equal(err.text, "device 'func': 1 bytes from 64 leave the window of 64 bytes");
  assert_int_equal(tsr_device_read(d, &err, UINT64_MAX, &back, 1), TSR_REFUSED);
  assert_int_equal(tsr_device_run(d, &err, (const uint8_t[TSR_INSN_BYTES]){0}, 1), TSR_REFUSED);
  assert_non_null(strstr(err.text, "device 'func' stopped (opcode): "));
  tsr_device_close(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_ARENA(runs_and_checks),
    IN_ARENA(runs_without_a_device),
    IN_ARENA(check_names_the_difference),
    IN_ARENA(parts_are_gathered),
    IN_ARENA(parts_need_the_device),
    IN_ARENA(two_executors_do_not_meet),
    IN_ARENA(a_stream_that_would_hang_is_refused),
    IN_ARENA(devices_are_named),
    IN_ARENA(what_a_device_does_not_take_is_refused),
    IN_ARENA(ranges_of_a_device_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
