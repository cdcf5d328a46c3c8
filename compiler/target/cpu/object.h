/* SPDX-License-Identifier: Apache-2.0 */
/* A module of LLVM IR to an object file to a block of code. */
#ifndef TSR_TARGET_CPU_OBJECT_H
#define TSR_TARGET_CPU_OBJECT_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "base/file.h"
#include "native/code.h"

/* NULL: err says why. The caller disposes of it. */
LLVMTargetMachineRef cpu__target(struct tsr_err *err, enum tsr_level level);
/* Optimizes the module and gives an ELF object, which the caller disposes of. */
enum tsr_status cpu__object(struct tsr_err *err, LLVMTargetMachineRef machine, LLVMModuleRef module,
                            LLVMMemoryBufferRef *out);

/* Lays the sections of an object out as one block and resolves what refers from one to another.
 * entry_name[i] NULL: layer i has none. Fills everything of *out but level and scratch_bytes. */
enum tsr_status cpu__link(struct tsr_arena *arena, struct tsr_err *err,
                          const struct tsr_bytes *object, int layers, const char *const *entry_name,
                          struct tsr_code_block *out);

#endif
