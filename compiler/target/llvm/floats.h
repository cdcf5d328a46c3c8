/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of functions of floats, by short names. */
#ifndef TSR_TARGET_LLVM_FLOATS_H
#define TSR_TARGET_LLVM_FLOATS_H

#include "compiler/target/llvm/emit.h"

static inline LLVMValueRef add(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildFAdd(e->builder, x, y, "");
}

static inline LLVMValueRef subtract(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildFSub(e->builder, x, y, "");
}

static inline LLVMValueRef multiply(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildFMul(e->builder, x, y, "");
}

static inline LLVMValueRef magnitude(struct llvm__emit *e, LLVMValueRef x)
{
  return llvm__intrinsic_like(e, "llvm.fabs", 1, &x);
}

static inline LLVMValueRef with_sign(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef sign)
{
  LLVMValueRef arg[2] = {x, sign};
  return llvm__intrinsic_like(e, "llvm.copysign", 2, arg);
}

#endif
