/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/target/llvm/emit.h"

LLVMTypeRef llvm__memory_type(struct llvm__emit *e, enum tsr_dtype dtype)
{
  if (dtype == TSR_F32)
    return LLVMFloatTypeInContext(e->context);
  if (dtype == TSR_F64)
    return LLVMDoubleTypeInContext(e->context);
  return LLVMIntTypeInContext(e->context, 8 * (unsigned)tsr_dtype_bytes(dtype));
}

LLVMTypeRef llvm__type(struct llvm__emit *e, enum tsr_dtype dtype)
{
  return dtype == TSR_BOOL ? LLVMInt1TypeInContext(e->context) : llvm__memory_type(e, dtype);
}

LLVMTypeRef llvm__lanes_of(struct llvm__emit *e, LLVMTypeRef scalar)
{
  return LLVMVectorType(scalar, (unsigned)e->width);
}

LLVMValueRef llvm__i64(struct llvm__emit *e, int64_t value)
{
  return LLVMConstInt(LLVMInt64TypeInContext(e->context), (uint64_t)value, 1);
}

LLVMValueRef llvm__i32(struct llvm__emit *e, int32_t value)
{
  return LLVMConstInt(LLVMInt32TypeInContext(e->context), (uint64_t)(int64_t)value, 1);
}

LLVMValueRef llvm__float(struct llvm__emit *e, enum tsr_dtype dtype, double value)
{
  uint16_t bits = 0;
  struct tsr_tensor half = {.dtype = dtype, .data = &bits};
  if (!tsr_dtype_is_half(dtype))
    return LLVMConstReal(llvm__type(e, dtype), value);
  tsr_put_float(&half, 0, value);
  return LLVMConstInt(llvm__type(e, dtype), bits, 0);
}

bool llvm__is_lanes(LLVMValueRef v)
{
  return LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMVectorTypeKind;
}

LLVMValueRef llvm__spread(struct llvm__emit *e, LLVMValueRef v)
{
  if (llvm__is_lanes(v))
    return v;
  LLVMTypeRef type = llvm__lanes_of(e, LLVMTypeOf(v));
  LLVMTypeRef mask = llvm__lanes_of(e, LLVMInt32TypeInContext(e->context));
  LLVMValueRef one =
      LLVMBuildInsertElement(e->builder, LLVMGetPoison(type), v, llvm__i32(e, 0), "");
  return LLVMBuildShuffleVector(e->builder, one, LLVMGetPoison(type), LLVMConstNull(mask), "");
}

static LLVMValueRef constant_like(LLVMValueRef v, LLVMValueRef scalar)
{
  LLVMValueRef all[LLVM__MOST_LANES];
  if (!llvm__is_lanes(v))
    return scalar;
  unsigned n = LLVMGetVectorSize(LLVMTypeOf(v));
  for (unsigned i = 0; i < n; i++)
    all[i] = scalar;
  return LLVMConstVector(all, n);
}

static LLVMTypeRef element_of(LLVMValueRef v)
{
  return llvm__is_lanes(v) ? LLVMGetElementType(LLVMTypeOf(v)) : LLVMTypeOf(v);
}

LLVMValueRef llvm__int_like(LLVMValueRef v, int64_t value)
{
  return constant_like(v, LLVMConstInt(element_of(v), (uint64_t)value, 1));
}

LLVMValueRef llvm__float_like(LLVMValueRef v, double value)
{
  return constant_like(v, LLVMConstReal(element_of(v), value));
}

void llvm__same_form(struct llvm__emit *e, int n, LLVMValueRef *v)
{
  bool lanes = false;
  for (int i = 0; i < n; i++)
    lanes |= llvm__is_lanes(v[i]);
  for (int i = 0; i < n && lanes; i++)
    v[i] = llvm__spread(e, v[i]);
}

LLVMValueRef llvm__intrinsic(struct llvm__emit *e, const char *name, int types, LLVMTypeRef *type,
                             int n, LLVMValueRef *arg)
{
  unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  LLVMValueRef f = LLVMGetIntrinsicDeclaration(e->module, id, type, (size_t)types);
  LLVMTypeRef signature = LLVMIntrinsicGetType(e->context, id, type, (size_t)types);
  return LLVMBuildCall2(e->builder, signature, f, arg, (unsigned)n, "");
}

LLVMValueRef llvm__intrinsic_like(struct llvm__emit *e, const char *name, int n, LLVMValueRef *arg)
{
  LLVMTypeRef type = LLVMTypeOf(arg[0]);
  return llvm__intrinsic(e, name, 1, &type, n, arg);
}

LLVMValueRef llvm__select(struct llvm__emit *e, LLVMValueRef c, LLVMValueRef x, LLVMValueRef y)
{
  LLVMValueRef v[] = {x, y};
  if (llvm__is_lanes(c)) {
    v[0] = llvm__spread(e, x);
    v[1] = llvm__spread(e, y);
  }
  llvm__same_form(e, 2, v);
  return LLVMBuildSelect(e->builder, c, v[0], v[1], "");
}

LLVMBasicBlockRef llvm__block(struct llvm__emit *e, const char *name)
{
  return LLVMAppendBasicBlockInContext(e->context, e->function, name);
}

LLVMValueRef llvm__local(struct llvm__emit *e, LLVMTypeRef type, const char *name)
{
  LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
  LLVMValueRef v = LLVMBuildAlloca(e->builder, type, name);
  LLVMPositionBuilderAtEnd(e->builder, here);
  return v;
}
