/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a module: places its buffers, moves them, runs its steps in order.
 *
 * An executor belongs to one thread at a time. Several executors may share a module, which none of
 * them changes, on several threads. */
#ifndef TSR_RUNTIME_EXECUTOR_H
#define TSR_RUNTIME_EXECUTOR_H

#include "compiler/module.h"
#include "driver/device.h"
#include "native/level.h"

struct tsr_executor;

/* What runs the layers on the CPU: the best machine code that the module has for this CPU, the
 * interpreter where it has none; the code of one level, or nothing; the interpreter. */
struct tsr_cpu_choice {
  enum { TSR_CPU_BEST, TSR_CPU_LEVEL, TSR_CPU_INTERPRETER } way;
  enum tsr_level level;
  int threads; /* of machine code; 0: all cores */
};

/* Checks every stream (verify/), opens the device (where the module needs one; device may be NULL
 * where it does not) and uploads the image. Module and arena outlive the executor; the caller ends
 * it with tsr_executor_close(). On an error *out is untouched. */
enum tsr_status tsr_executor_open(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr_module *module, const char *device,
                                  struct tsr_executor **out);
/* The same with options for the device and a choice for the CPU, each of which may be NULL. */
enum tsr_status tsr_executor_open_with(struct tsr_arena *arena, struct tsr_err *err,
                                       const struct tsr_module *module, const char *device,
                                       const struct tsr_device_options *options,
                                       const struct tsr_cpu_choice *cpu,
                                       struct tsr_executor **out);
void tsr_executor_close(struct tsr_executor *executor); /* NULL is allowed */

/* A buffer that is not on the device: inputs to be filled before a run, outputs to be read after.
 */
void *tsr_executor_buffer(struct tsr_executor *executor, int index);

/* The level of the machine code that runs layers on the CPU; NULL: the interpreter runs them. */
const char *tsr_executor_level(const struct tsr_executor *executor);

/* Whether machine code runs a layer; whether the executor is for timing only. */
bool tsr_executor_is_native(const struct tsr_executor *executor, int layer);
bool tsr_executor_is_timing_only(const struct tsr_executor *executor);

/* From now on each run writes how long its steps took, by step; NULL: no more. */
void tsr_executor_watch(struct tsr_executor *executor, double *seconds);

/* One inference; for timing only, nothing but its streams. */
enum tsr_status tsr_executor_run(struct tsr_executor *executor, struct tsr_err *err);

/* The first element in which a layer and its reference differ. */
struct tsr_difference {
  int layer;   /* -1: none */
  int buffer;
  int64_t element, differing; /* row-major index; how many elements of this buffer differ */
};

/* After a run: runs every layer's reference, its unscheduled compute in the interpreter, on what
 * the layer read, and compares with what the layer wrote, bit for bit; floats that machine code
 * computed may differ by 1e-5 (f32) or 1e-9 (f64) of the buffer's norm. TSR_MISMATCH at the first
 * layer that differs, with the sentence in err. */
enum tsr_status tsr_executor_check(struct tsr_executor *executor, struct tsr_err *err,
                                   struct tsr_difference *out);

/* Zeros without a device. */
void tsr_executor_counters(const struct tsr_executor *executor, struct tsr_device_counters *out);

/* The stream of an ACCEL step as a program of its own; it points into the module. */
void tsr_module_stream(const struct tsr_module *module, int step, struct tsr_program *out);

#endif
