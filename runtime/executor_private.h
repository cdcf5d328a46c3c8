/* SPDX-License-Identifier: Apache-2.0 */
/* What running and checking share. */
#ifndef TSR_RUNTIME_EXECUTOR_PRIVATE_H
#define TSR_RUNTIME_EXECUTOR_PRIVATE_H

#include "runtime/executor.h"
#include "runtime/gpu.h"
#include "runtime/native.h"

struct tsr_executor {
  const struct tsr_allocator *allocator;
  const struct tsr_module *module;
  struct tsr_device *device; /* NULL: no stream runs */
  bool streams;              /* of ACCEL steps; else their layers run as the others do */
  int works;
  struct tsr__work *work; /* in order */
  void **host;            /* by buffer; for those on the device a copy, where the CPU uses it */
  struct tsr__native native;
  struct tsr__gpu *gpu;   /* NULL: none is used */
  struct tir_code **code; /* by layer, for the interpreter; NULL: something else runs it */
  void ***params;         /* by layer on the CPU: its buffers */
  bool ran, timing_only;
  double *seconds; /* by step, of the run; NULL: nobody wants to know */
};

/* The layer's compute for the interpreter. */
enum tsr_status tsr__compile_layer(struct tsr_arena *arena, struct tsr_err *err,
                                   const struct tsr_module_layer *l, struct tir_code **out);

/* A layer and the buffers that it computes with. */
struct tsr__computation {
  int layer;
  void **params;
};

/* Where a layer finds its buffers, of which `place` has one each. */
void **tsr__layer_params(struct tsr_arena *arena, const struct tsr_module *m, int layer,
                         void *const *place);

/* By machine code, or the interpreter where there is none. */
enum tsr_status tsr__compute_layer(struct tsr_executor *x, struct tsr_err *err,
                                   struct tsr__computation c);

/* One piece of work with memory of its own for the time that it takes. */
typedef enum tsr_status tsr__piece(struct tsr_executor *x, struct tsr_arena *scratch,
                                   struct tsr_err *err, void *context);
enum tsr_status tsr__with_scratch(struct tsr_executor *x, struct tsr_err *err, tsr__piece *work,
                                  void *context);

/* The data of a constant in host memory, which is read only: tsr_module_check() says so. NULL: it is
 * none, or on the device. */
void *tsr__constant_of(const struct tsr_executor *x, int index);
/* Copies a buffer that is on the device. */
enum tsr_status tsr__fetch(struct tsr_executor *x, struct tsr_err *err, int index, void *to);
/* A place on the host for each buffer: those that layers on the GPU write get one in scratch memory. */
void **tsr__place_gpu_results(const struct tsr_executor *x, struct tsr_arena *scratch);

#endif
