/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about the GPU share. */
#ifndef TSR_RUNTIME_GPU_PRIVATE_H
#define TSR_RUNTIME_GPU_PRIVATE_H

#include "runtime/gpu.h"

#define TSR__NOWHERE UINT64_MAX

/* Layers that follow each other on the GPU. */
struct tsr__segment {
  int *up, *down; /* buffers that are copied before and after */
  int ups, downs;
  void *graph;
};

struct tsr__gpu {
  const struct tsr_module *module;
  const struct tsr_kernel_block *block;
  struct tsr_cuda_info info; /* as it was when the kernels were chosen */
  const char *driver;
  int number; /* of the driver's GPUs */
  const struct tsr_allocator *allocator;

  /* the plan */
  int works;
  const struct tsr__work *work;
  struct tsr__segment *segment; /* by work */
  uint64_t *place;              /* by buffer: offset in the GPU's memory, or TSR__NOWHERE */
  uint64_t *scratch;            /* by layer: the same */
  uint64_t *host_place;         /* by buffer: offset in pinned memory, or TSR__NOWHERE */
  uint64_t status_place;        /* a word a layer */
  uint64_t bytes, host_bytes;

  /* the device */
  struct tsr_arena *arena;
  struct tsr_cuda *cuda;
  uint64_t memory; /* address */
  uint8_t *pinned; /* status words first */
  void *module_handle;
  struct tsr_cuda_kernel ***kernel; /* by layer, in order */
};

/* What runs a layer's kernels, and how the sentences of a run begin. */
enum tsr_status tsr__gpu_launch_layer(struct tsr__gpu *gpu, struct tsr_err *err, int layer);
/* "running 'resnet50'". */
const char *tsr__gpu_doing(const struct tsr__gpu *gpu, char buffer[static 128]);

#endif
