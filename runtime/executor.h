/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a module: places its buffers, moves them, runs its steps in order.
 *
 * An executor belongs to one thread at a time. Several executors may share a module, which none of
 * them changes, on several threads. */
#ifndef TSR_RUNTIME_EXECUTOR_H
#define TSR_RUNTIME_EXECUTOR_H

#include "compiler/module.h"
#include "driver/cuda/ceilings.h"
#include "driver/device.h"
#include "native/kernels.h"
#include "native/level.h"

struct tsr_executor;

/* What runs the layers on the CPU: the best machine code that the module has for this CPU, the
 * interpreter where it has none; the code of one level, or nothing; the interpreter. */
struct tsr_cpu_choice {
  enum { TSR_CPU_BEST, TSR_CPU_LEVEL, TSR_CPU_INTERPRETER } way;
  enum tsr_level level;
  int threads; /* of machine code; 0: all cores */
};

/* Whether a GPU runs the layers for which the module has kernels. */
struct tsr_gpu_choice {
  bool used;
  struct tsr_gpu_arch arch; /* kernels of exactly this one; capability 0: the best for the GPU */
  const char *driver;       /* the driver's library; NULL: the system's */
  int number;               /* of the driver's GPUs, counted from 0 */
};

/* Checks every stream (verify/), opens the device (where the module needs one) and uploads the image.
 * device NULL: no stream runs; every layer runs on the CPU or on a GPU. Module and arena outlive the
 * executor; the caller ends it with tsr_executor_close(). On an error *out is untouched. */
enum tsr_status tsr_executor_open(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr_module *module, const char *device,
                                  struct tsr_executor **out);
/* The same with options for the device, and choices for the CPU and for a GPU, which does without a
 * device; each may be NULL. */
enum tsr_status tsr_executor_open_with(struct tsr_arena *arena, struct tsr_err *err,
                                       const struct tsr_module *module, const char *device,
                                       const struct tsr_device_options *options,
                                       const struct tsr_cpu_choice *cpu,
                                       const struct tsr_gpu_choice *gpu, struct tsr_executor **out);
void tsr_executor_close(struct tsr_executor *executor); /* NULL is allowed */

/* A buffer that is not on the device: inputs to be filled before a run, outputs to be read after.
 */
void *tsr_executor_buffer(struct tsr_executor *executor, int index);

/* The level of the machine code that runs layers on the CPU; NULL: the interpreter runs them. */
const char *tsr_executor_level(const struct tsr_executor *executor);
/* On how many threads that runs; of the interpreter, 1. */
int tsr_executor_threads(const struct tsr_executor *executor);

/* What runs a layer. */
enum tsr_place { TSR_PLACE_ACCEL, TSR_PLACE_CPU, TSR_PLACE_GPU };
enum tsr_place tsr_executor_place(const struct tsr_executor *executor, int layer);
/* NULL: no GPU is used. arch (may be NULL): what its kernels were made for. */
const struct tsr_cuda_info *tsr_executor_gpu(const struct tsr_executor *executor,
                                             struct tsr_gpu_arch *arch);

/* To how many bits a layer on the GPU rounds operands, as native/kernels.h has it. */
int tsr_executor_operand_bits(const struct tsr_executor *executor, int layer);

/* Whether machine code runs a layer; whether the executor is for timing only. */
bool tsr_executor_is_native(const struct tsr_executor *executor, int layer);
bool tsr_executor_is_timing_only(const struct tsr_executor *executor);

/* From now on each run writes how long its steps took, by step; NULL: no more. */
void tsr_executor_watch(struct tsr_executor *executor, double *seconds);

/* One inference; for timing only, nothing but its streams. */
enum tsr_status tsr_executor_run(struct tsr_executor *executor, struct tsr_err *err);

/* The first element in which a layer and its reference differ. */
struct tsr_difference {
  int layer; /* -1: none */
  int buffer;
  int64_t element, differing; /* row-major index; how many elements of this buffer differ */
};

/* After a run: runs every layer's reference, its unscheduled compute in the interpreter, on what
 * the layer read, and compares with what the layer wrote, bit for bit; floats that machine code
 * computed may differ by 1e-5 (f32) or 1e-9 (f64) of the buffer's norm. TSR_MISMATCH at the first
 * layer that differs, with the sentence in err.
 *
 * A GPU does not keep what layers wrote: it runs each again, alone, in memory that was filled with
 * other bytes before, and the outputs have to be those of the run, bit for bit. Its reference is the
 * CPU's machine code where there is some; operands rounded to n bits allow 2^(1-n) of the norm. */
enum tsr_status tsr_executor_check(struct tsr_executor *executor, struct tsr_err *err,
                                   struct tsr_difference *out);

/* A kernel's time. */
struct tsr_gpu_kernel {
  int layer;
  const char *entry;
  struct tsr_cuda_usage usage;
  double seconds;
};
/* Of one inference on the GPU: medians over some repetitions, of its graphs, copies included, of a graph
 * of its kernels alone, and of each kernel in another one, in the order in which they run. */
struct tsr_gpu_times {
  double seconds, device_seconds;
  double event_seconds; /* of an event between two kernels, which is not in their times */
  int kernels;
  struct tsr_gpu_kernel *kernel;
  struct tsr_cuda_ceilings ceilings;
};
/* Refuses where no GPU is used. The arena is for what is handed out. */
enum tsr_status tsr_executor_gpu_times(struct tsr_executor *executor, struct tsr_arena *arena,
                                       struct tsr_err *err, int repeats, struct tsr_gpu_times *out);

/* Zeros without a device. */
void tsr_executor_counters(const struct tsr_executor *executor, struct tsr_device_counters *out);

/* The stream of an ACCEL step as a program of its own; it points into the module. */
void tsr_module_stream(const struct tsr_module *module, int step, struct tsr_program *out);

#endif
