/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs whose matrices gemm.c can multiply as they lie in memory. */
#ifndef TSR_TARGET_CUDA_PLAN_GEMM_H
#define TSR_TARGET_CUDA_PLAN_GEMM_H

#include "compiler/target/cuda/gemm.h"
#include "native/kernels.h"

struct cuda__gemm_layer {
  struct cuda__gemm gemm;
  struct tsr_tensor_map a, b;
  int *input; /* of each input of the epilogue but the sums: which parameter of the func */
};

/* Whether the func is one for this architecture. */
bool cuda__gemm_of(struct tsr_arena *a, const struct tir_func *f, struct tsr_gpu_arch arch,
                   struct cuda__gemm_layer *out);

/* A line: what is multiplied, and by which tile. */
const char *cuda__gemm_text(struct tsr_arena *a, const struct cuda__gemm *g);

/* Emits the kernel; `result` is the parameter that it writes. */
void cuda__gemm_kernel(struct llvm__emit *e, const struct cuda__gemm_layer *layer, const char *name,
                       int result, struct tsr_kernel_layer *out);

#endif
