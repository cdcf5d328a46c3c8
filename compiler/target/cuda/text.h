/* SPDX-License-Identifier: Apache-2.0 */
/* A module to PTX text. */
#ifndef TSR_TARGET_CUDA_TEXT_H
#define TSR_TARGET_CUDA_TEXT_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "base/status.h"

/* The target machine of an architecture, "sm_90a", which LLVM disposes of; NULL: refused. */
LLVMTargetMachineRef cuda__target(struct tsr_err *err, const char *arch);

/* Optimizes the module and gives its text, which the caller ends with LLVMDisposeMemoryBuffer(). */
enum tsr_status cuda__text(struct tsr_err *err, LLVMTargetMachineRef machine, LLVMModuleRef module,
                           LLVMMemoryBufferRef *out);

#endif
