/* SPDX-License-Identifier: Apache-2.0 */
/* A module of LLVM IR to PTX. */
#ifndef TSR_TARGET_CUDA_PTX_H
#define TSR_TARGET_CUDA_PTX_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "base/status.h"
#include "compiler/target/llvm/emit.h"
#include "native/kernels.h"

extern const struct llvm__machine cuda__machine; /* what fma and its like are worth on every GPU */

/* NULL: err says why. The caller disposes of it. */
LLVMTargetMachineRef cuda__target(struct tsr_err *err, struct tsr_gpu_arch arch);
/* Makes a new module one of the machine's. */
void cuda__prepare(LLVMTargetMachineRef machine, LLVMModuleRef module);
/* Optimizes the module and gives its text, which the caller disposes of. */
enum tsr_status cuda__ptx(struct tsr_err *err, LLVMTargetMachineRef machine, LLVMModuleRef module,
                          LLVMMemoryBufferRef *out);

#endif
