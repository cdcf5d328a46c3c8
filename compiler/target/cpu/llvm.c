/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/target/cpu/emit.h"

LLVMTypeRef cpu__memory_type(struct cpu__emit *e, enum tsr_dtype dtype)
{
  if (dtype == TSR_F32)
    return LLVMFloatTypeInContext(e->context);
  if (dtype == TSR_F64)
    return LLVMDoubleTypeInContext(e->context);
  return LLVMIntTypeInContext(e->context, 8 * (unsigned)tsr_dtype_bytes(dtype));
}

LLVMTypeRef cpu__type(struct cpu__emit *e, enum tsr_dtype dtype)
{
  return dtype == TSR_BOOL ? LLVMInt1TypeInContext(e->context) : cpu__memory_type(e, dtype);
}

LLVMTypeRef cpu__lanes_of(struct cpu__emit *e, LLVMTypeRef scalar)
{
  return LLVMVectorType(scalar, (unsigned)e->width);
}

LLVMValueRef cpu__i64(struct cpu__emit *e, int64_t value)
{
  return LLVMConstInt(LLVMInt64TypeInContext(e->context), (uint64_t)value, 1);
}

LLVMValueRef cpu__i32(struct cpu__emit *e, int32_t value)
{
  return LLVMConstInt(LLVMInt32TypeInContext(e->context), (uint64_t)(int64_t)value, 1);
}

bool cpu__is_lanes(LLVMValueRef v)
{
  return LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMVectorTypeKind;
}

LLVMValueRef cpu__spread(struct cpu__emit *e, LLVMValueRef v)
{
  if (cpu__is_lanes(v))
    return v;
  LLVMTypeRef type = cpu__lanes_of(e, LLVMTypeOf(v));
  LLVMTypeRef mask = cpu__lanes_of(e, LLVMInt32TypeInContext(e->context));
  LLVMValueRef one = LLVMBuildInsertElement(e->builder, LLVMGetPoison(type), v, cpu__i32(e, 0), "");
  return LLVMBuildShuffleVector(e->builder, one, LLVMGetPoison(type), LLVMConstNull(mask), "");
}

static LLVMValueRef constant_like(LLVMValueRef v, LLVMValueRef scalar)
{
  LLVMValueRef all[CPU__MOST_LANES];
  if (!cpu__is_lanes(v))
    return scalar;
  unsigned n = LLVMGetVectorSize(LLVMTypeOf(v));
  for (unsigned i = 0; i < n; i++)
    all[i] = scalar;
  return LLVMConstVector(all, n);
}

static LLVMTypeRef element_of(LLVMValueRef v)
{
  return cpu__is_lanes(v) ? LLVMGetElementType(LLVMTypeOf(v)) : LLVMTypeOf(v);
}

LLVMValueRef cpu__int_like(LLVMValueRef v, int64_t value)
{
  return constant_like(v, LLVMConstInt(element_of(v), (uint64_t)value, 1));
}

LLVMValueRef cpu__float_like(LLVMValueRef v, double value)
{
  return constant_like(v, LLVMConstReal(element_of(v), value));
}

void cpu__same_form(struct cpu__emit *e, int n, LLVMValueRef *v)
{
  bool lanes = false;
  for (int i = 0; i < n; i++)
    lanes |= cpu__is_lanes(v[i]);
  for (int i = 0; i < n && lanes; i++)
    v[i] = cpu__spread(e, v[i]);
}

LLVMValueRef cpu__intrinsic(struct cpu__emit *e, const char *name, int types, LLVMTypeRef *type,
                            int n, LLVMValueRef *arg)
{
  unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  LLVMValueRef f = LLVMGetIntrinsicDeclaration(e->module, id, type, (size_t)types);
  LLVMTypeRef signature = LLVMIntrinsicGetType(e->context, id, type, (size_t)types);
  return LLVMBuildCall2(e->builder, signature, f, arg, (unsigned)n, "");
}

LLVMValueRef cpu__intrinsic_like(struct cpu__emit *e, const char *name, int n, LLVMValueRef *arg)
{
  LLVMTypeRef type = LLVMTypeOf(arg[0]);
  return cpu__intrinsic(e, name, 1, &type, n, arg);
}

LLVMValueRef cpu__select(struct cpu__emit *e, LLVMValueRef c, LLVMValueRef x, LLVMValueRef y)
{
  LLVMValueRef v[] = {x, y};
  if (cpu__is_lanes(c)) {
    v[0] = cpu__spread(e, x);
    v[1] = cpu__spread(e, y);
  }
  cpu__same_form(e, 2, v);
  return LLVMBuildSelect(e->builder, c, v[0], v[1], "");
}

LLVMBasicBlockRef cpu__block(struct cpu__emit *e, const char *name)
{
  return LLVMAppendBasicBlockInContext(e->context, e->function, name);
}

LLVMValueRef cpu__local(struct cpu__emit *e, LLVMTypeRef type, const char *name)
{
  LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
  LLVMValueRef v = LLVMBuildAlloca(e->builder, type, name);
  LLVMPositionBuilderAtEnd(e->builder, here);
  return v;
}
