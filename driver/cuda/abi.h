/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the CUDA driver's binary interface that is used, declared here so that nothing of
 * CUDA is needed to build. */
#ifndef TSR_DRIVER_CUDA_ABI_H
#define TSR_DRIVER_CUDA_ABI_H

#include <stddef.h>
#include <stdint.h>

/* CUlaunchAttribute, of which one kind is used. */
struct tsr__cuda_launch_attribute {
  int id;
  char zero[4];
  union {
    uint32_t cluster[3];
    char room[64];
  } value;
};

/* CUlaunchConfig. */
struct tsr__cuda_launch {
  uint32_t grid[3], block[3], shared_bytes;
  void *stream;
  struct tsr__cuda_launch_attribute *attribute;
  uint32_t attributes;
};

_Static_assert(sizeof(struct tsr__cuda_launch_attribute) == 72, "as the driver has it");
_Static_assert(offsetof(struct tsr__cuda_launch, stream) == 32, "as the driver has it");
_Static_assert(sizeof(struct tsr__cuda_launch) == 56, "as the driver has it");

enum { /* CUresult: those with a meaning here are in errors.def */
#define TSR_CUDA_ERROR(id, code, advice) TSR__CUDA_##id = code,
#include "driver/cuda/errors.def"
#undef TSR_CUDA_ERROR
       TSR__CUDA_OK = 0,
};

enum { /* CUdevice_attribute */
       TSR__CUDA_CLOCK_KHZ = 13,
       TSR__CUDA_PROCESSORS = 16,
       TSR__CUDA_MEMORY_CLOCK_KHZ = 36,
       TSR__CUDA_MEMORY_BUS_BITS = 37,
       TSR__CUDA_L2_BYTES = 38,
       TSR__CUDA_MAJOR = 75,
       TSR__CUDA_MINOR = 76,
       TSR__CUDA_SHARED_BYTES = 97, /* of a block, where the kernel asks for it */
};

enum { /* CUfunction_attribute */
       TSR__CUDA_FUNCTION_THREADS = 0,
       TSR__CUDA_FUNCTION_STATIC_SHARED = 1,
       TSR__CUDA_FUNCTION_LOCAL = 3,
       TSR__CUDA_FUNCTION_REGISTERS = 4,
       TSR__CUDA_FUNCTION_DYNAMIC_SHARED = 8,
       TSR__CUDA_FUNCTION_LARGE_CLUSTERS = 14,
};

enum { /* CUjit_option */
       TSR__CUDA_JIT_INFO = 3,
       TSR__CUDA_JIT_INFO_BYTES = 4,
       TSR__CUDA_JIT_ERRORS = 5,
       TSR__CUDA_JIT_ERRORS_BYTES = 6,
};

enum {
  TSR__CUDA_STREAM_OF_ITS_OWN = 1, /* CU_STREAM_NON_BLOCKING */
  TSR__CUDA_CAPTURE_THREAD = 1,    /* CU_STREAM_CAPTURE_MODE_THREAD_LOCAL */
  TSR__CUDA_EVENT_NODE = 1,        /* CU_EVENT_RECORD_EXTERNAL */
  TSR__CUDA_LAUNCH_CLUSTER = 4,    /* CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION */
  TSR__CUDA_OLDEST_DRIVER = 12000, /* 1000 * major + 10 * minor */
};

/* The driver's functions. */
struct tsr__cuda_api {
  void *library;
#define TSR_CUDA(name, symbol, params) int(*name) params;
#include "driver/cuda/functions.def"
#undef TSR_CUDA
};

#endif
