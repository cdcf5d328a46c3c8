/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of each operation, as compiler/tir/kernels.c has it. */
#include <assert.h>
#include <math.h>

#include "compiler/target/llvm/emit.h"

static bool is_signed(enum tsr_dtype dtype)
{
  return tsr_dtype_kind(dtype) == TSR_KIND_INT && dtype != TSR_BOOL;
}

static LLVMTypeRef type_like(struct llvm__emit *e, LLVMValueRef v, enum tsr_dtype dtype)
{
  LLVMTypeRef type = llvm__type(e, dtype);
  return llvm__is_lanes(v) ? llvm__lanes_of(e, type) : type;
}

static LLVMValueRef icmp(struct llvm__emit *e, LLVMIntPredicate p, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildICmp(e->builder, p, x, y, "");
}

static LLVMValueRef fcmp(struct llvm__emit *e, LLVMRealPredicate p, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildFCmp(e->builder, p, x, y, "");
}

static LLVMValueRef choose(struct llvm__emit *e, LLVMValueRef c, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildSelect(e->builder, c, x, y, "");
}

/* --- casts ------------------------------------------------------------------------------------ */

static LLVMValueRef int_to_int(struct llvm__emit *e, enum tsr_dtype from, LLVMValueRef v,
                               LLVMTypeRef type, size_t to_bytes)
{
  size_t from_bytes = tsr_dtype_bytes(from);
  if (from == TSR_BOOL)
    return LLVMBuildZExt(e->builder, v, type, "");
  if (to_bytes < from_bytes)
    return LLVMBuildTrunc(e->builder, v, type, "");
  if (to_bytes == from_bytes)
    return v;
  return is_signed(from) ? LLVMBuildSExt(e->builder, v, type, "")
                         : LLVMBuildZExt(e->builder, v, type, "");
}

/* Truncates and saturates; NaN gives 0. */
static LLVMValueRef float_to_int(struct llvm__emit *e, enum tsr_dtype to, LLVMValueRef v,
                                 LLVMTypeRef type)
{
  LLVMTypeRef types[2] = {type, LLVMTypeOf(v)};
  return llvm__intrinsic(e, is_signed(to) ? "llvm.fptosi.sat" : "llvm.fptoui.sat", 2, types, 1, &v);
}

LLVMValueRef llvm__cast(struct llvm__emit *e, enum tsr_dtype to, enum tsr_dtype from,
                        LLVMValueRef v)
{
  LLVMTypeRef type = type_like(e, v, to);
  bool to_float = tir__is_float(to), from_float = tir__is_float(from);
  if (to == from)
    return v;
  if (tsr_dtype_is_half(to) || tsr_dtype_is_half(from))
    return llvm__half_cast(e, to, from, v);
  if (to == TSR_BOOL)
    return from_float ? fcmp(e, LLVMRealUNE, v, llvm__float_like(v, 0))
                      : icmp(e, LLVMIntNE, v, llvm__int_like(v, 0));
  if (to_float && from_float)
    return to == TSR_F32 ? LLVMBuildFPTrunc(e->builder, v, type, "")
                         : LLVMBuildFPExt(e->builder, v, type, "");
  if (to_float)
    return is_signed(from) ? LLVMBuildSIToFP(e->builder, v, type, "")
                           : LLVMBuildUIToFP(e->builder, v, type, "");
  return from_float ? float_to_int(e, to, v, type)
                    : int_to_int(e, from, v, type, tsr_dtype_bytes(to));
}

/* --- quotients -------------------------------------------------------------------------------- */

/* Divisors that would trap become 1. */
struct division {
  LLVMValueRef zero, minus_one; /* whether y is; minus_one NULL: unsigned */
  LLVMValueRef quotient, remainder;
};

static struct division divide(struct llvm__emit *e, enum tsr_dtype dtype, LLVMValueRef x,
                              LLVMValueRef y)
{
  struct division d = {.zero = icmp(e, LLVMIntEQ, y, llvm__int_like(y, 0))};
  LLVMValueRef bad = d.zero, null = llvm__int_like(y, 0), one = llvm__int_like(y, 1);
  if (is_signed(dtype)) {
    d.minus_one = icmp(e, LLVMIntEQ, y, llvm__int_like(y, -1));
    bad = LLVMBuildOr(e->builder, bad, d.minus_one, "");
  }
  LLVMValueRef by = choose(e, bad, one, y);
  d.quotient = is_signed(dtype) ? LLVMBuildSDiv(e->builder, x, by, "")
                                : LLVMBuildUDiv(e->builder, x, by, "");
  d.remainder = is_signed(dtype) ? LLVMBuildSRem(e->builder, x, by, "")
                                 : LLVMBuildURem(e->builder, x, by, "");
  if (d.minus_one)
    d.quotient = choose(e, d.minus_one, LLVMBuildSub(e->builder, null, x, ""), d.quotient);
  d.quotient = choose(e, d.zero, null, d.quotient);
  d.remainder = choose(e, bad, null, d.remainder);
  return d;
}

static LLVMValueRef quotient(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                             LLVMValueRef x, LLVMValueRef y)
{
  struct division d = divide(e, dtype, x, y);
  LLVMValueRef null = llvm__int_like(y, 0);
  if (op == TIR_DIV || !is_signed(dtype))
    return op == TIR_FMOD ? d.remainder : d.quotient;
  /* rounded down: where something remains and the signs differ, one less */
  LLVMValueRef negative = icmp(e, LLVMIntSLT, d.remainder, null);
  LLVMValueRef differ = LLVMBuildXor(e->builder, negative, icmp(e, LLVMIntSLT, y, null), "");
  LLVMValueRef down = LLVMBuildAnd(e->builder, differ, icmp(e, LLVMIntNE, d.remainder, null), "");
  if (op == TIR_FMOD)
    return choose(e, down, LLVMBuildAdd(e->builder, d.remainder, y, ""), d.remainder);
  return choose(e, down, LLVMBuildSub(e->builder, d.quotient, llvm__int_like(y, 1), ""),
                d.quotient);
}

/* --- rounding shifts -------------------------------------------------------------------------- */

static LLVMValueRef widened(struct llvm__emit *e, LLVMValueRef v)
{
  return LLVMBuildSExt(e->builder, v, type_like(e, v, TSR_I64), "");
}

/* tsr_round_shift of base/arith.h: v and s are i64, 0 <= s <= 63. Shifted up to the end, v is | odd | half |
 * rest |: the last bit that stays, and what goes. It rounds up where half is set and anything else is. */
static LLVMValueRef round_shift(struct llvm__emit *e, LLVMValueRef v, LLVMValueRef s)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef null = llvm__int_like(v, 0), half = llvm__int_like(v, (int64_t)1 << 62);
  LLVMValueRef all = llvm__int_like(v, 63), floor = LLVMBuildAShr(b, v, s, "");
  LLVMValueRef up = LLVMBuildShl(b, v, LLVMBuildSub(b, all, s, ""), "");
  LLVMValueRef is_half = icmp(e, LLVMIntNE, LLVMBuildAnd(b, up, half, ""), null);
  LLVMValueRef others = LLVMBuildAnd(b, up, LLVMBuildNot(b, half, ""), "");
  LLVMValueRef rounds = LLVMBuildAnd(b, is_half, icmp(e, LLVMIntNE, others, null), "");
  return LLVMBuildAdd(b, floor, LLVMBuildZExt(b, rounds, LLVMTypeOf(v), ""), "");
}

static LLVMValueRef clamp(struct llvm__emit *e, LLVMValueRef v, LLVMValueRef lo, LLVMValueRef hi)
{
  LLVMValueRef arg[2] = {v, lo};
  arg[0] = llvm__intrinsic_like(e, "llvm.smax", 2, arg);
  arg[1] = hi;
  return llvm__intrinsic_like(e, "llvm.smin", 2, arg);
}

/* An i64 as the nearest i32. */
static LLVMValueRef narrowed(struct llvm__emit *e, LLVMValueRef v, LLVMTypeRef type)
{
  LLVMBuilderRef b = e->builder;
  if (llvm__is_lanes(v))
    return LLVMBuildTrunc(
        b, clamp(e, v, llvm__int_like(v, INT32_MIN), llvm__int_like(v, INT32_MAX)), type, "");
  LLVMValueRef low = LLVMBuildTrunc(b, v, type, "");
  LLVMValueRef same = icmp(e, LLVMIntEQ, LLVMBuildSExt(b, low, LLVMTypeOf(v), ""), v);
  LLVMValueRef sign = LLVMBuildTrunc(b, LLVMBuildAShr(b, v, llvm__int_like(v, 63), ""), type, "");
  return LLVMBuildSelect(b, same, low, LLVMBuildXor(b, sign, llvm__int_like(low, INT32_MAX), ""),
                         "");
}

/* Eight bits of an i32 from bit `at` on, with their sign. */
static LLVMValueRef byte_of(struct llvm__emit *e, LLVMValueRef v, int at)
{
  LLVMValueRef up = LLVMBuildShl(e->builder, v, llvm__int_like(v, 24 - at), "");
  return LLVMBuildAShr(e->builder, up, llvm__int_like(v, 24), "");
}

/* The limits of QUANT's result before its zero point is added: nothing can overflow then. */
struct limits {
  LLVMValueRef zero, lo, hi;
};

static struct limits limits_of(struct llvm__emit *e, LLVMValueRef packed)
{
  LLVMValueRef zero = byte_of(e, packed, 8);
  return (struct limits){zero, LLVMBuildSub(e->builder, byte_of(e, packed, 16), zero, ""),
                         LLVMBuildSub(e->builder, byte_of(e, packed, 24), zero, "")};
}

static LLVMValueRef quant_i64(struct llvm__emit *e, LLVMValueRef *arg, LLVMValueRef factor,
                              LLVMValueRef shift, const struct limits *l)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef sum = LLVMBuildAdd(b, widened(e, arg[0]), widened(e, arg[1]), "");
  LLVMValueRef v = round_shift(e, LLVMBuildMul(b, sum, widened(e, factor), ""), widened(e, shift));
  return clamp(e, narrowed(e, v, LLVMTypeOf(arg[0])), l->lo, l->hi);
}

static LLVMValueRef as_f64(struct llvm__emit *e, LLVMValueRef v)
{
  return LLVMBuildSIToFP(e->builder, v, type_like(e, v, TSR_F64), "");
}

/* factor * 2^-shift, exactly. */
static LLVMValueRef scale_of(struct llvm__emit *e, LLVMValueRef factor, LLVMValueRef shift)
{
  LLVMValueRef s = widened(e, shift);
  LLVMValueRef exponent = LLVMBuildSub(e->builder, llvm__int_like(s, 1023), s, "");
  LLVMValueRef bits = LLVMBuildShl(e->builder, exponent, llvm__int_like(s, 52), "");
  LLVMValueRef power = LLVMBuildBitCast(e->builder, bits, type_like(e, s, TSR_F64), "");
  return LLVMBuildFMul(e->builder, as_f64(e, factor), power, "");
}

/* n lanes of a, and of b behind them, by number. */
static LLVMValueRef picked(struct llvm__emit *e, LLVMValueRef a, LLVMValueRef b, unsigned n,
                           const int *from)
{
  LLVMValueRef lane[LLVM__MOST_LANES];
  for (unsigned i = 0; i < n; i++)
    lane[i] = llvm__i32(e, from[i]);
  return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lane, n), "");
}

/* Lanes are f64 in two vectors, two of each four in either: 128 bits are split and joined in one step. */
struct split {
  unsigned n;                      /* lanes in all */
  int half[2][LLVM__MOST_LANES];   /* lanes that either vector has */
  int raised[2][LLVM__MOST_LANES]; /* the same, with a word of another vector behind each */
  int low[LLVM__MOST_LANES];       /* low words of both vectors */
};

static struct split split_of(LLVMValueRef v)
{
  struct split s = {.n = LLVMGetVectorSize(LLVMTypeOf(v))};
  for (int i = 0; i < (int)s.n; i++) {
    for (int k = 0; k < 2; k++) {
      s.half[k][i] = i / 2 * 4 + i % 2 + 2 * k;
      s.raised[k][i] = i / 4 * 4 + i % 4 / 2 + 2 * k + (i % 2 ? (int)s.n : 0);
    }
    s.low[i] = i / 4 * 4 + i % 2 * 2 + (i % 4 > 1 ? (int)s.n : 0);
  }
  return s;
}

#define RAISED  4503601774854144.0 /* 2^52 + 2^31 */
#define ROUNDER 6755399441055744.0 /* 1.5 * 2^52 */

/* i32 as f64, RAISED more: the bits of 2^52 and an unsigned number below. */
static LLVMValueRef raised(struct llvm__emit *e, LLVMValueRef v, const struct split *s, int k)
{
  LLVMValueRef up = LLVMBuildXor(e->builder, v, llvm__int_like(v, INT32_MIN), "");
  up = picked(e, up, llvm__int_like(v, 0x43300000), s->n, s->raised[k]);
  return LLVMBuildBitCast(e->builder, up,
                          LLVMVectorType(LLVMDoubleTypeInContext(e->context), s->n / 2), "");
}

/* Adding ROUNDER rounds a number below 2^31, ties to even, into the low bits; after a product with the same
 * rounding, where the machine has that. */
static LLVMValueRef rounded(struct llvm__emit *e, LLVMValueRef sum, LLVMValueRef scale)
{
  return llvm__multiply_add(e, sum, scale, llvm__float_like(sum, ROUNDER));
}

static LLVMValueRef round_lanes(struct llvm__emit *e, LLVMValueRef *arg, LLVMValueRef scale)
{
  LLVMBuilderRef b = e->builder;
  struct split s = split_of(arg[0]);
  LLVMValueRef v[2];
  for (int k = 0; k < 2; k++) {
    LLVMValueRef bias = raised(e, arg[1], &s, k);
    bias = LLVMBuildFSub(b, bias, llvm__float_like(bias, 2 * RAISED), "");
    LLVMValueRef sum = LLVMBuildFAdd(b, raised(e, arg[0], &s, k), bias, "");
    v[k] = rounded(e, sum, picked(e, scale, scale, s.n / 2, s.half[k]));
    v[k] = LLVMBuildBitCast(b, v[k], LLVMTypeOf(arg[0]), "");
  }
  return picked(e, v[0], v[1], s.n, s.low);
}

static LLVMValueRef quant_f64(struct llvm__emit *e, LLVMValueRef *arg, LLVMValueRef factor,
                              LLVMValueRef shift, const struct limits *l)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef scale = scale_of(e, factor, shift), v;
  if (llvm__is_lanes(arg[0]) && LLVMGetVectorSize(LLVMTypeOf(arg[0])) >= 4) {
    v = round_lanes(e, arg, scale);
  } else {
    v = rounded(e, LLVMBuildFAdd(b, as_f64(e, arg[0]), as_f64(e, arg[1]), ""), scale);
    v = LLVMBuildBitCast(b, v, type_like(e, v, TSR_I64), "");
    v = LLVMBuildTrunc(b, v, LLVMTypeOf(arg[0]), "");
  }
  return clamp(e, v, l->lo, l->hi);
}

/* Whether f64 gives what i64 does: of a scale below 1/2, so that results are below 2^31. A product that is
 * rounded by itself, too, has more than 53 bits that are not its last zeros, so that with fewer than 44 bits
 * behind the point it is beyond all limits. */
static LLVMValueRef is_exact(struct llvm__emit *e, LLVMValueRef factor, LLVMValueRef shift)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef twice =
      LLVMBuildShl(b, widened(e, factor), llvm__int_like(widened(e, factor), 1), "");
  LLVMValueRef whole = LLVMBuildLShr(b, twice, widened(e, shift), "");
  LLVMValueRef exact = icmp(e, LLVMIntEQ, whole, llvm__int_like(whole, 0));
  if (!e->machine.fma) {
    LLVMValueRef arg[] = {factor, LLVMConstNull(LLVMInt1TypeInContext(e->context))};
    LLVMValueRef zeros = llvm__intrinsic_like(e, "llvm.cttz", 2, arg);
    LLVMValueRef behind = LLVMBuildSub(b, shift, zeros, "");
    exact = LLVMBuildAnd(b, exact, icmp(e, LLVMIntSLT, behind, llvm__int_like(behind, 44)), "");
  }
  return llvm__is_lanes(exact) ? llvm__intrinsic_like(e, "llvm.vector.reduce.and", 1, &exact)
                               : exact;
}

/* tsr_quant_i32 of base/arith.h: arg is accumulator, bias, multiplier, packed. */
static LLVMValueRef quant(struct llvm__emit *e, LLVMValueRef *arg)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef factor = LLVMBuildAnd(b, arg[2], llvm__int_like(arg[2], 0x7fffffff), "");
  LLVMValueRef shift = LLVMBuildAnd(b, arg[3], llvm__int_like(arg[3], 0x3f), ""), v[2];
  struct limits l = limits_of(e, arg[3]);
  if (!e->machine.quick_f64)
    return LLVMBuildAdd(b, quant_i64(e, arg, factor, shift, &l), l.zero, "");
  LLVMBasicBlockRef way[2] = {llvm__block(e, "f64"), llvm__block(e, "i64")};
  LLVMBasicBlockRef done = llvm__block(e, "quantized");
  LLVMBuildCondBr(b, is_exact(e, factor, shift), way[0], way[1]);
  LLVMPositionBuilderAtEnd(b, way[0]);
  v[0] = quant_f64(e, arg, factor, shift, &l);
  LLVMBuildBr(b, done);
  LLVMPositionBuilderAtEnd(b, way[1]);
  v[1] = quant_i64(e, arg, factor, shift, &l);
  LLVMBuildBr(b, done);
  LLVMPositionBuilderAtEnd(b, done);
  LLVMValueRef phi = LLVMBuildPhi(b, LLVMTypeOf(arg[0]), "");
  LLVMAddIncoming(phi, v, way, 2);
  return LLVMBuildAdd(b, phi, l.zero, "");
}

static LLVMValueRef shift_right(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  LLVMValueRef s = LLVMBuildAnd(e->builder, y, llvm__int_like(y, 31), "");
  return LLVMBuildTrunc(e->builder, round_shift(e, widened(e, x), widened(e, s)), LLVMTypeOf(x),
                        "");
}

static LLVMValueRef saturated(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef v = clamp(e, x, llvm__int_like(x, INT8_MIN), llvm__int_like(x, INT8_MAX));
  return LLVMBuildTrunc(e->builder, v, type_like(e, x, TSR_I8), "");
}

/* --- comparisons ------------------------------------------------------------------------------ */

static LLVMValueRef compare(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                            LLVMValueRef x, LLVMValueRef y)
{
  if (tir__is_float(dtype))
    return fcmp(e,
                op == TIR_LT   ? LLVMRealOLT
                : op == TIR_LE ? LLVMRealOLE
                : op == TIR_EQ ? LLVMRealOEQ
                               : LLVMRealUNE,
                x, y);
  bool sign = is_signed(dtype);
  return icmp(e,
              op == TIR_LT   ? (sign ? LLVMIntSLT : LLVMIntULT)
              : op == TIR_LE ? (sign ? LLVMIntSLE : LLVMIntULE)
              : op == TIR_EQ ? LLVMIntEQ
                             : LLVMIntNE,
              x, y);
}

/* A float constant, the same in all lanes, that is no NaN. */
static bool is_number(LLVMValueRef v, double *out)
{
  LLVMBool inexact;
  if (!LLVMIsConstant(v))
    return false;
  if (llvm__is_lanes(v))
    v = LLVMGetAggregateElement(v, 0);
  if (!v || !LLVMIsAConstantFP(v))
    return false;
  *out = LLVMConstRealGetDouble(v, &inexact);
  return !isnan(*out);
}

/* NaN if either is; of equal values y. */
static LLVMValueRef extreme(struct llvm__emit *e, bool largest, enum tsr_dtype dtype,
                            LLVMValueRef x, LLVMValueRef y)
{

  LLVMRealPredicate better = largest ? LLVMRealOGT : LLVMRealOLT;
  double constant;
  if (!tir__is_float(dtype))
    return choose(e, largest ? compare(e, TIR_LT, dtype, y, x) : compare(e, TIR_LT, dtype, x, y), x,
                  y);
  if (is_number(y, &constant) && !(constant == 0 && signbit(constant))) {
    LLVMValueRef v = choose(e, fcmp(e, better, y, x), y, x);
    return constant == 0 ? LLVMBuildFAdd(e->builder, v, y, "") : v; /* -0 + 0 is 0 */
  }
  LLVMValueRef v = choose(e, fcmp(e, better, x, y), x, y);
  return choose(e, fcmp(e, LLVMRealUNO, x, x), x, v);
}

/* --- arithmetic ------------------------------------------------------------------------------- */

static LLVMValueRef float_arithmetic(struct llvm__emit *e, enum tir_op op, LLVMValueRef *arg)
{
  switch (op) {
  case TIR_ADD: return LLVMBuildFAdd(e->builder, arg[0], arg[1], "");
  case TIR_SUB: return LLVMBuildFSub(e->builder, arg[0], arg[1], "");
  case TIR_MUL: return LLVMBuildFMul(e->builder, arg[0], arg[1], "");
  default: return LLVMBuildFDiv(e->builder, arg[0], arg[1], "");
  }
}

static LLVMValueRef arithmetic(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                               LLVMValueRef *arg)
{
  if (tir__is_float(dtype))
    return float_arithmetic(e, op, arg);
  switch (op) {
  case TIR_ADD: return LLVMBuildAdd(e->builder, arg[0], arg[1], "");
  case TIR_SUB: return LLVMBuildSub(e->builder, arg[0], arg[1], "");
  case TIR_MUL: return LLVMBuildMul(e->builder, arg[0], arg[1], "");
  default: return quotient(e, op, dtype, arg[0], arg[1]);
  }
}

static LLVMValueRef absolute(struct llvm__emit *e, enum tsr_dtype dtype, LLVMValueRef x)
{
  LLVMValueRef arg[2] = {x, LLVMConstInt(LLVMInt1TypeInContext(e->context), 0, 0)};
  if (tir__is_float(dtype))
    return llvm__intrinsic_like(e, "llvm.fabs", 1, arg);
  return is_signed(dtype) ? llvm__intrinsic_like(e, "llvm.abs", 2, arg) : x;
}

LLVMValueRef llvm__multiply_add(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y,
                                LLVMValueRef z)
{
  LLVMValueRef arg[3] = {x, y, z};
  llvm__same_form(e, 3, arg);
  if (e->machine.fma)
    return llvm__intrinsic_like(e, "llvm.fma", 3, arg);
  return LLVMBuildFAdd(e->builder, LLVMBuildFMul(e->builder, arg[0], arg[1], ""), arg[2], "");
}

LLVMValueRef llvm__op(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype, LLVMValueRef *arg)
{
  switch (op) {
  case TIR_ADD:
  case TIR_SUB:
  case TIR_MUL:
  case TIR_DIV:
  case TIR_FDIV:
  case TIR_FMOD: return arithmetic(e, op, dtype, arg);
  case TIR_MIN:
  case TIR_MAX: return extreme(e, op == TIR_MAX, dtype, arg[0], arg[1]);
  case TIR_SHL:
    return LLVMBuildShl(e->builder, arg[0],
                        LLVMBuildAnd(e->builder, arg[1], llvm__int_like(arg[1], 31), ""), "");
  case TIR_SHR: return shift_right(e, arg[0], arg[1]);
  case TIR_QUANT: return quant(e, arg);
  case TIR_SAT8: return saturated(e, arg[0]);
  case TIR_LT:
  case TIR_LE:
  case TIR_EQ:
  case TIR_NE: return compare(e, op, dtype, arg[0], arg[1]);
  case TIR_AND: return LLVMBuildAnd(e->builder, arg[0], arg[1], "");
  case TIR_OR: return LLVMBuildOr(e->builder, arg[0], arg[1], "");
  case TIR_NOT: return LLVMBuildNot(e->builder, arg[0], "");
  case TIR_ABS: return absolute(e, dtype, arg[0]);
  default: return llvm__math(e, op, dtype, arg);
  }
}

LLVMValueRef llvm__combine(struct llvm__emit *e, enum tir_combine combine, enum tsr_dtype dtype,
                           LLVMValueRef old, LLVMValueRef value)
{
  static const enum tir_op op[] = {[TIR_SUM] = TIR_ADD,
                                   [TIR_PRODUCT] = TIR_MUL,
                                   [TIR_MAXIMUM] = TIR_MAX,
                                   [TIR_MINIMUM] = TIR_MIN};
  LLVMValueRef arg[2] = {old, value};
  assert(combine != TIR_ASSIGN);
  llvm__same_form(e, 2, arg);
  return llvm__op(e, op[combine], dtype, arg);
}

LLVMValueRef llvm__neutral(struct llvm__emit *e, enum tir_combine combine, enum tsr_dtype dtype)
{
  LLVMTypeRef type = llvm__type(e, dtype);
  bool number = combine == TIR_SUM || combine == TIR_PRODUCT,
       sign = tsr_dtype_kind(dtype) == TSR_KIND_INT;
  unsigned bits = 8 * (unsigned)tsr_dtype_bytes(dtype);
  if (tir__is_float(dtype))
    return LLVMConstReal(type, number                   ? combine == TIR_PRODUCT
                               : combine == TIR_MAXIMUM ? -INFINITY
                                                        : INFINITY);
  if (number)
    return LLVMConstInt(type, combine == TIR_PRODUCT, 0);
  uint64_t top = UINT64_C(1) << (bits - 1), all = (top - 1) | top;
  if (combine == TIR_MAXIMUM)
    return LLVMConstInt(type, sign ? top : 0, 0);
  return LLVMConstInt(type, sign ? top - 1 : all, 0);
}
