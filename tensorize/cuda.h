/* SPDX-License-Identifier: Apache-2.0 */
/* What the tensor cores of NVIDIA GPUs do, as intrinsics. */
#ifndef TSR_TENSORIZE_CUDA_H
#define TSR_TENSORIZE_CUDA_H

#include "tensorize/tensorize.h"

enum tsr_cuda_op {
  TSR_CUDA_MMA, TSR_CUDA_MMA_T, TSR_CUDA_LDMATRIX_A, TSR_CUDA_LDMATRIX_B, TSR_CUDA_LDMATRIX_T
};

/* The rows of cuda.def. */
const struct tsr_intrin_set *tsr_cuda_intrinsics(struct tsr_arena *a);
enum tsr_cuda_op tsr_cuda_intrin_op(const struct tir_intrin *intrin);

#endif
