/* SPDX-License-Identifier: Apache-2.0 */
/* A program of tensor IR as a function for the CPU. */
#ifndef TSR_TARGET_CPU_FUNCTION_H
#define TSR_TARGET_CPU_FUNCTION_H

#include "compiler/target/llvm/emit.h"
#include "native/code.h"

struct llvm__machine cpu__machine(enum tsr_level level);

/* The intrinsics: llvm__emit.step. */
LLVMValueRef cpu__intrinsic(struct llvm__emit *e, const struct tir_stmt *call, LLVMValueRef sum);

/* Loops marked parallel: llvm__emit.share. */
bool cpu__parallel(struct llvm__emit *e, const struct tir_stmt *loop);
/* Long sums: llvm__emit.outline. */
void cpu__outline(struct llvm__emit *e, llvm__emission *emit, void *context);

/* Adds the function `name` to the module; *out gets the memory that it needs. */
void cpu__function(struct llvm__emit *e, const char *name, const struct tir_program *p,
                   struct tsr_code_layer *out);

/* What the files that make functions share. internal: called from the module only, and not inlined. */
LLVMValueRef cpu__add_function(struct llvm__emit *e, const char *name, LLVMTypeRef type,
                               bool internal);
void cpu__attribute(struct llvm__emit *e, LLVMValueRef f, LLVMAttributeIndex at, const char *name);
void cpu__text_attribute(struct llvm__emit *e, LLVMValueRef f, const char *name, const char *value);
/* e->function gets its blocks, and `start` to emit into; then its ends: 0, or 1 from `outside`. */
LLVMBasicBlockRef cpu__open_function(struct llvm__emit *e);
void cpu__close_function(struct llvm__emit *e, LLVMBasicBlockRef start);

#endif
