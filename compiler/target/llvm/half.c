/* SPDX-License-Identifier: Apache-2.0 */
/* Halves: bits in i16, widened to f32 and rounded from f32 or f64 as base/half.h does it, to the bit. */
#include "compiler/target/llvm/emit.h"

static LLVMTypeRef like(struct llvm__emit *e, LLVMValueRef v, LLVMTypeRef type)
{
  return llvm__is_lanes(v) ? llvm__lanes_of(e, type) : type;
}

static LLVMValueRef as(struct llvm__emit *e, LLVMValueRef v, LLVMTypeRef type)
{
  return LLVMBuildBitCast(e->builder, v, like(e, v, type), "");
}

static LLVMValueRef bits_of(struct llvm__emit *e, LLVMValueRef x)
{
  return as(e, x, LLVMInt32TypeInContext(e->context));
}

static LLVMValueRef float_of(struct llvm__emit *e, LLVMValueRef bits)
{
  return as(e, bits, LLVMFloatTypeInContext(e->context));
}

static LLVMValueRef masked(struct llvm__emit *e, LLVMValueRef x, int64_t mask)
{
  return LLVMBuildAnd(e->builder, x, llvm__int_like(x, mask), "");
}

static LLVMValueRef joined(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildOr(e->builder, x, y, "");
}

static LLVMValueRef plus(struct llvm__emit *e, LLVMValueRef x, int64_t y)
{
  return LLVMBuildAdd(e->builder, x, llvm__int_like(x, y), "");
}

static LLVMValueRef up(struct llvm__emit *e, LLVMValueRef x, int by)
{
  return LLVMBuildShl(e->builder, x, llvm__int_like(x, by), "");
}

static LLVMValueRef down(struct llvm__emit *e, LLVMValueRef x, int by)
{
  return LLVMBuildLShr(e->builder, x, llvm__int_like(x, by), "");
}

/* x < limit, both not negative, chooses. */
static LLVMValueRef below(struct llvm__emit *e, LLVMValueRef x, int64_t limit, LLVMValueRef yes,
                          LLVMValueRef no)
{
  LLVMValueRef c = LLVMBuildICmp(e->builder, LLVMIntULT, x, llvm__int_like(x, limit), "");
  return LLVMBuildSelect(e->builder, c, yes, no, "");
}

/* --- f16 -------------------------------------------------------------------------------------- */

static LLVMValueRef float_of_f16(struct llvm__emit *e, LLVMValueRef h)
{
  LLVMValueRef u = LLVMBuildZExt(e->builder, h, like(e, h, LLVMInt32TypeInContext(e->context)), "");
  LLVMValueRef sign = up(e, masked(e, u, 0x8000), 16), m = masked(e, u, 0x7fff),
               scaled = up(e, m, 13);
  LLVMValueRef x = float_of(e, scaled);
  LLVMValueRef finite = bits_of(e, LLVMBuildFMul(e->builder, x, llvm__float_like(x, 0x1p112), ""));
  LLVMValueRef infinite = joined(e, scaled, llvm__int_like(m, 0x7f800000));
  LLVMValueRef other =
      below(e, m, 0x7c01, infinite, joined(e, infinite, llvm__int_like(m, 0x400000)));
  return float_of(e, joined(e, sign, below(e, m, 0x7c00, finite, other)));
}

static LLVMValueRef f16_of_float(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef u = bits_of(e, x), sign = masked(e, down(e, u, 16), 0x8000),
               m = masked(e, u, 0x7fffffff);
  LLVMValueRef odd = masked(e, down(e, m, 13), 1), size = float_of(e, m);
  LLVMValueRef normal =
      down(e, LLVMBuildAdd(e->builder, plus(e, m, 0xfff - (INT64_C(112) << 23)), odd, ""), 13);
  LLVMValueRef moved = LLVMBuildFAdd(e->builder, size, llvm__float_like(size, 0.5), "");
  LLVMValueRef denormal = plus(e, bits_of(e, moved), -(INT64_C(126) << 23));
  LLVMValueRef payload = joined(e, masked(e, down(e, m, 13), 0x3ff), llvm__int_like(m, 0x7e00));
  LLVMValueRef large = below(e, m, 0x7f800001, llvm__int_like(m, 0x7c00), payload);
  LLVMValueRef finite = below(e, m, INT64_C(113) << 23, denormal, normal);
  LLVMValueRef all = joined(e, sign, below(e, m, INT64_C(143) << 23, finite, large));
  return LLVMBuildTrunc(e->builder, all, like(e, x, LLVMInt16TypeInContext(e->context)), "");
}

static LLVMValueRef float_of_f16_here(struct llvm__emit *e, LLVMValueRef h)
{
  LLVMTypeRef type = like(e, h, LLVMFloatTypeInContext(e->context));
  return LLVMBuildFPExt(e->builder, as(e, h, LLVMHalfTypeInContext(e->context)), type, "");
}

static LLVMValueRef f16_of_float_here(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMTypeRef type = like(e, x, LLVMHalfTypeInContext(e->context));
  return as(e, LLVMBuildFPTrunc(e->builder, x, type, ""), LLVMInt16TypeInContext(e->context));
}

/* --- bf16 ------------------------------------------------------------------------------------- */

static LLVMValueRef float_of_bf16(struct llvm__emit *e, LLVMValueRef h)
{
  LLVMValueRef u = LLVMBuildZExt(e->builder, h, like(e, h, LLVMInt32TypeInContext(e->context)), "");
  return float_of(e, up(e, u, 16));
}

static LLVMValueRef bf16_of_float(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef u = bits_of(e, x), odd = masked(e, down(e, u, 16), 1);
  LLVMValueRef rounded = LLVMBuildAdd(e->builder, plus(e, u, 0x7fff), odd, "");
  LLVMValueRef quiet = joined(e, u, llvm__int_like(u, 0x400000));
  LLVMValueRef all = down(e, below(e, masked(e, u, 0x7fffffff), 0x7f800001, rounded, quiet), 16);
  return LLVMBuildTrunc(e->builder, all, like(e, x, LLVMInt16TypeInContext(e->context)), "");
}

/* --- both ------------------------------------------------------------------------------------- */

static LLVMValueRef float_to_odd(struct llvm__emit *e, LLVMValueRef x)
{
  int64_t unit = INT64_C(1) << 40;
  LLVMValueRef u = as(e, x, LLVMInt64TypeInContext(e->context)), rest = masked(e, u, unit - 1);
  LLVMValueRef odd = joined(e, masked(e, u, -unit), llvm__int_like(u, unit));
  LLVMValueRef kept = below(e, rest, 1, u, odd);
  return LLVMBuildFPTrunc(e->builder, as(e, kept, LLVMDoubleTypeInContext(e->context)),
                          like(e, x, LLVMFloatTypeInContext(e->context)), "");
}

LLVMValueRef llvm__half_cast(struct llvm__emit *e, enum tsr_dtype to, enum tsr_dtype from,
                             LLVMValueRef v)
{
  if (from == TSR_BF16)
    return float_of_bf16(e, v);
  if (from == TSR_F16)
    return e->machine.f16 ? float_of_f16_here(e, v) : float_of_f16(e, v);
  if (from == TSR_F64)
    v = float_to_odd(e, v);
  if (to == TSR_BF16)
    return bf16_of_float(e, v);
  return e->machine.f16 ? f16_of_float_here(e, v) : f16_of_float(e, v);
}
