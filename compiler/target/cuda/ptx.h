/* SPDX-License-Identifier: Apache-2.0 */
/* A module of LLVM IR to PTX. */
#ifndef TSR_TARGET_CUDA_PTX_H
#define TSR_TARGET_CUDA_PTX_H

#include "compiler/target/llvm/emit.h"
#include "compiler/target/llvm/module.h"
#include "native/kernels.h"

extern const struct llvm__machine cuda__machine; /* what fma and its like are worth on every GPU */

struct llvm__processor cuda__target(struct tsr_arena *a, struct tsr_gpu_arch arch);
/* Optimizes the module and gives its text. */
enum tsr_status cuda__ptx(struct tsr_arena *a, struct tsr_err *err, struct llvm__module *m,
                          const char **out);

#endif
