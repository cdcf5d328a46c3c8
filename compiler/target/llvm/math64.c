/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of f64 where there is no C library, and of f32 by way of them. Series whose terms are
 * known replace tables of coefficients: what is computed here is rare in networks. */
#include <math.h>

#include "compiler/target/llvm/floats.h"

enum { EXP_TERMS = 14, LOG_TERMS = 12, ERF_TERMS = 120 };

static LLVMValueRef constant(LLVMValueRef like, double x)
{
  return llvm__float_like(like, x);
}

static LLVMValueRef quotient(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildFDiv(e->builder, x, y, "");
}

static LLVMValueRef compare(struct llvm__emit *e, LLVMRealPredicate p, LLVMValueRef x, double y)
{
  return LLVMBuildFCmp(e->builder, p, x, constant(x, y), "");
}

static LLVMValueRef choose(struct llvm__emit *e, LLVMValueRef c, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildSelect(e->builder, c, x, y, "");
}

static LLVMValueRef clamp(struct llvm__emit *e, LLVMValueRef x, double lo, double hi)
{
  x = choose(e, compare(e, LLVMRealOLT, x, lo), constant(x, lo), x);
  return choose(e, compare(e, LLVMRealOGT, x, hi), constant(x, hi), x);
}

static LLVMTypeRef whole_type(struct llvm__emit *e, LLVMValueRef like)
{
  LLVMTypeRef type = LLVMInt64TypeInContext(e->context);
  return llvm__is_lanes(like) ? llvm__lanes_of(e, type) : type;
}

static LLVMValueRef bits_of(struct llvm__emit *e, LLVMValueRef x)
{
  return LLVMBuildBitCast(e->builder, x, whole_type(e, x), "");
}

/* 2^n of an i64 that is the exponent of a normal number */
static LLVMValueRef power_of_two(struct llvm__emit *e, LLVMValueRef n, LLVMTypeRef type)
{
  LLVMValueRef biased = LLVMBuildAdd(e->builder, n, llvm__int_like(n, 1023), "");
  return LLVMBuildBitCast(e->builder, LLVMBuildShl(e->builder, biased, llvm__int_like(n, 52), ""),
                          type, "");
}

/* e^x = 2^n (1 + p), |p| small: r + r^2/2 + r^3/6 + ... of the rest r. */
static LLVMValueRef exponent_of(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef *n)
{
  static const double high = 0x1.62e42fefa39efp-1, low = 0x1.abc9e3b39803fp-56;
  LLVMValueRef magic = constant(x, 0x1.8p52);
  LLVMValueRef shifted = llvm__multiply_add(e, x, constant(x, M_LOG2E), magic);
  LLVMValueRef whole = subtract(e, shifted, magic);
  LLVMValueRef r = llvm__multiply_add(e, whole, constant(x, -high), x);
  r = llvm__multiply_add(e, whole, constant(x, -low), r);
  double term = tgamma(EXP_TERMS + 1);
  LLVMValueRef sum = constant(x, 1 / term);
  for (int k = EXP_TERMS - 1; k >= 1; k--)
    sum = llvm__multiply_add(e, sum, r, constant(x, 1 / tgamma(k + 1)));
  *n = LLVMBuildSub(e->builder, bits_of(e, shifted), bits_of(e, magic), "");
  return multiply(e, sum, r);
}

/* 2^n is two factors, so that results that are infinite or denormal come out as such. */
static LLVMValueRef exponential(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef n, p = exponent_of(e, clamp(e, x, -746, 710), &n);
  LLVMValueRef half = LLVMBuildAShr(e->builder, n, llvm__int_like(n, 1), "");
  LLVMValueRef rest = LLVMBuildSub(e->builder, n, half, "");
  LLVMTypeRef type = LLVMTypeOf(x);
  LLVMValueRef y = multiply(e, add(e, constant(x, 1), p), power_of_two(e, half, type));
  return multiply(e, y, power_of_two(e, rest, type));
}

/* e^x - 1 for 0 <= x <= 700 */
static LLVMValueRef exponential_less_one(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef n, p = exponent_of(e, x, &n), power = power_of_two(e, n, LLVMTypeOf(x));
  return llvm__multiply_add(e, power, p, subtract(e, power, constant(x, 1)));
}

/* x = 2^n (1 + f), s = f / (2 + f): log(1 + f) = f - s (f - 2/3 s^2 - 2/5 s^4 - ...) */
static LLVMValueRef logarithm(struct llvm__emit *e, LLVMValueRef x)
{
  static const double high = 0x1.62e42fefa38p-1, low = 0x1.ef35793c7673p-45;
  LLVMValueRef small = compare(e, LLVMRealOLT, x, 0x1p-1022);
  LLVMValueRef y = choose(e, small, multiply(e, x, constant(x, 0x1p54)), x);
  LLVMValueRef bits = bits_of(e, y);
  LLVMValueRef above = LLVMBuildSub(e->builder, bits, llvm__int_like(bits, 0x3fe6a09e667f3bcd), "");
  LLVMValueRef whole = LLVMBuildAShr(e->builder, above, llvm__int_like(bits, 52), "");
  LLVMValueRef power = LLVMBuildShl(e->builder, whole, llvm__int_like(bits, 52), "");
  LLVMValueRef f =
      LLVMBuildBitCast(e->builder, LLVMBuildSub(e->builder, bits, power, ""), LLVMTypeOf(x), "");
  f = subtract(e, f, constant(x, 1));
  LLVMValueRef n = LLVMBuildSIToFP(e->builder, whole, LLVMTypeOf(x), "");
  n = add(e, n, choose(e, small, constant(x, -54), constant(x, 0)));
  LLVMValueRef s = quotient(e, f, add(e, f, constant(x, 2))), square = multiply(e, s, s);
  LLVMValueRef sum = constant(x, 2.0 / (2 * LOG_TERMS + 1));
  for (int k = LOG_TERMS - 1; k >= 1; k--)
    sum = llvm__multiply_add(e, sum, square, constant(x, 2.0 / (2 * k + 1)));
  sum = multiply(e, sum, square);
  LLVMValueRef rest = multiply(e, s, subtract(e, f, sum));
  rest = subtract(e, multiply(e, n, constant(x, low)), rest);
  LLVMValueRef r = llvm__multiply_add(e, n, constant(x, high), add(e, f, rest));
  r = choose(e, compare(e, LLVMRealOEQ, x, INFINITY), x, r);
  r = choose(e, compare(e, LLVMRealOEQ, x, 0), constant(x, -INFINITY), r);
  return choose(e, compare(e, LLVMRealULT, x, 0), constant(x, NAN), r);
}

/* (e^2x - 1) / (e^2x + 1) */
static LLVMValueRef hyperbolic_tangent(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef size = magnitude(e, x), bounded = clamp(e, size, 0, 22);
  LLVMValueRef power = exponential_less_one(e, add(e, bounded, bounded));
  return with_sign(e, quotient(e, power, add(e, power, constant(x, 2))), x);
}

/* 2 / sqrt(pi) e^-x^2 (x + x^3 2/3 + x^5 4/15 + ...): all terms have one sign; from 6 on it is 1. */
static LLVMValueRef error_function(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef size = clamp(e, magnitude(e, x), 0, 6), square = multiply(e, size, size);
  LLVMValueRef one = constant(x, 1), sum = one;
  for (int k = ERF_TERMS; k >= 1; k--)
    sum = llvm__multiply_add(e, multiply(e, sum, square), constant(x, 2.0 / (2 * k + 1)), one);
  LLVMValueRef scale = exponential(e, LLVMBuildFNeg(e->builder, square, ""));
  scale = multiply(e, scale, multiply(e, size, constant(x, M_2_SQRTPI)));
  LLVMValueRef y = multiply(e, sum, scale);
  y = choose(e, compare(e, LLVMRealOGE, size, 6), one, y);
  return with_sign(e, y, x);
}

static LLVMValueRef floor_of(struct llvm__emit *e, LLVMValueRef x)
{
  return llvm__intrinsic_like(e, "llvm.floor", 1, &x);
}

/* x^y, y whole and less than 64, by squaring: exact where the result is a whole number. */
static LLVMValueRef whole_power(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef one = constant(x, 1), r = one, square = x;
  LLVMValueRef n = LLVMBuildFPToSI(b, clamp(e, magnitude(e, y), 0, 63), whole_type(e, y), "");
  for (int k = 0; k < 6; k++) {
    LLVMValueRef bit =
        LLVMBuildAnd(b, LLVMBuildLShr(b, n, llvm__int_like(n, k), ""), llvm__int_like(n, 1), "");
    LLVMValueRef set = LLVMBuildICmp(b, LLVMIntNE, bit, llvm__int_like(n, 0), "");
    r = choose(e, set, multiply(e, r, square), r);
    square = multiply(e, square, square);
  }
  return choose(e, compare(e, LLVMRealOLT, y, 0), quotient(e, one, r), r);
}

/* |x|^y with the sign of x where y is odd; nothing where x is negative and y not whole. */
static LLVMValueRef power(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef size = magnitude(e, x), one = constant(x, 1),
               half = multiply(e, y, constant(x, 0.5));
  LLVMValueRef r = exponential(e, multiply(e, y, logarithm(e, size)));
  LLVMValueRef whole = LLVMBuildFCmp(b, LLVMRealOEQ, floor_of(e, y), y, "");
  LLVMValueRef odd =
      LLVMBuildAnd(b, whole, LLVMBuildFCmp(b, LLVMRealUNE, floor_of(e, half), half, ""), "");
  LLVMValueRef negative =
      LLVMBuildAnd(b, compare(e, LLVMRealOLT, x, 0), compare(e, LLVMRealOGT, x, -INFINITY), "");
  LLVMValueRef few = LLVMBuildFCmp(b, LLVMRealOLT, magnitude(e, y), constant(x, 64), "");
  r = choose(e, LLVMBuildAnd(b, whole, few, ""), whole_power(e, size, y), r);
  r = choose(e, compare(e, LLVMRealOEQ, size, 1), one, r);
  r = choose(e, odd, with_sign(e, r, x), r);
  r = choose(e, LLVMBuildAnd(b, negative, LLVMBuildNot(b, whole, ""), ""), constant(x, NAN), r);
  LLVMValueRef none = LLVMBuildFCmp(b, LLVMRealUNO, x, y, "");
  r = choose(e, none, constant(x, NAN), r);
  r = choose(e, compare(e, LLVMRealOEQ, x, 1), one, r);
  return choose(e, compare(e, LLVMRealOEQ, y, 0), one, r);
}

static LLVMValueRef of_f64(struct llvm__emit *e, enum tir_op op, LLVMValueRef *arg)
{
  switch (op) {
  case TIR_EXP: return exponential(e, arg[0]);
  case TIR_LOG: return logarithm(e, arg[0]);
  case TIR_TANH: return hyperbolic_tangent(e, arg[0]);
  case TIR_ERF: return error_function(e, arg[0]);
  case TIR_POW: return power(e, arg[0], arg[1]);
  case TIR_SIN:
  case TIR_COS: return llvm__trigonometric(e, arg[0], op == TIR_COS);
  default: return LLVMGetPoison(LLVMTypeOf(arg[0]));
  }
}

LLVMValueRef llvm__math64(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                          LLVMValueRef *arg)
{
  LLVMValueRef wide[2];
  int n = op == TIR_POW ? 2 : 1;
  if (dtype == TSR_F64)
    return of_f64(e, op, arg);
  for (int i = 0; i < n; i++)
    wide[i] = llvm__cast(e, TSR_F64, dtype, arg[i]);
  return llvm__cast(e, dtype, TSR_F64, of_f64(e, op, wide));
}
