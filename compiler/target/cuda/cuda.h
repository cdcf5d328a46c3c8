/* SPDX-License-Identifier: Apache-2.0 */
/* The NVIDIA GPU target: tensor IR to PTX by LLVM. docs/cuda-target.md. */
#ifndef TSR_TARGET_CUDA_H
#define TSR_TARGET_CUDA_H

#include "native/codegen.h"
#include "native/kernels.h"
#include "runtime/tessera_cuda.h"

/* The schedule of a func for an architecture: lines applied to *out, which is new. */
enum tsr_status tsr_cuda_plan(struct tsr_arena *a, struct tsr_err *err, const struct tir_func *f,
                              struct tsr_gpu_arch arch, struct tir_sched **out);

#endif
