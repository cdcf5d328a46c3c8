/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of floats. exp, log, tanh and erf of f32 are polynomials, in as many lanes as there
 * are; the rest calls the C library, lane by lane. docs/cpu-target.md has the error bounds. */
#include <math.h>
#include <string.h>

#include "compiler/target/llvm/floats.h"

enum polynomial {
#define TSR_POLYNOMIAL(name, meaning, ...) POLY_##name,
#include "compiler/target/llvm/polynomials.def"
#undef TSR_POLYNOMIAL
  POLYNOMIALS
};

enum { MOST_TERMS = 10 };

static const struct {
  int terms;
  double coefficient[MOST_TERMS];
} polynomials[POLYNOMIALS] = {
#define TSR_POLYNOMIAL(name, meaning, ...)                                                         \
  {sizeof((double[]){__VA_ARGS__}) / sizeof(double), {__VA_ARGS__}},
#include "compiler/target/llvm/polynomials.def"
#undef TSR_POLYNOMIAL
};

static LLVMValueRef horner(struct llvm__emit *e, enum polynomial p, LLVMValueRef x)
{
  int last = polynomials[p].terms - 1;
  LLVMValueRef sum = llvm__float_like(x, polynomials[p].coefficient[last]);
  for (int i = last - 1; i >= 0; i--)
    sum = llvm__multiply_add(e, sum, x, llvm__float_like(x, polynomials[p].coefficient[i]));
  return sum;
}

static LLVMTypeRef like(struct llvm__emit *e, LLVMValueRef v, LLVMTypeRef type)
{
  return llvm__is_lanes(v) ? llvm__lanes_of(e, type) : type;
}

static LLVMValueRef bits_of(struct llvm__emit *e, LLVMValueRef x)
{
  return LLVMBuildBitCast(e->builder, x, like(e, x, LLVMInt32TypeInContext(e->context)), "");
}

static LLVMValueRef float_of_bits(struct llvm__emit *e, LLVMValueRef bits)
{
  return LLVMBuildBitCast(e->builder, bits, like(e, bits, LLVMFloatTypeInContext(e->context)), "");
}

static LLVMValueRef choose(struct llvm__emit *e, LLVMRealPredicate p, LLVMValueRef x,
                           LLVMValueRef y, LLVMValueRef yes, LLVMValueRef no)
{
  return LLVMBuildSelect(e->builder, LLVMBuildFCmp(e->builder, p, x, y, ""), yes, no, "");
}

/* 2^n of an i32 that is the exponent of a normal number */
static LLVMValueRef power_of_two(struct llvm__emit *e, LLVMValueRef n)
{
  LLVMValueRef biased = LLVMBuildAdd(e->builder, n, llvm__int_like(n, 127), "");
  return float_of_bits(e, LLVMBuildShl(e->builder, biased, llvm__int_like(n, 23), ""));
}

/* e^x = 2^n * e^r with n whole and |r| <= ln(2) / 2. 2^n is two factors, so that results that are
 * infinite or denormal come out as such. Adding 1.5 * 2^23 rounds to whole numbers, which then are
 * the low bits. */
static LLVMValueRef exponential(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef lo = llvm__float_like(x, -104), hi = llvm__float_like(x, 89);
  LLVMValueRef magic = llvm__float_like(x, 0x1.8p23);
  x = choose(e, LLVMRealOLT, x, lo, lo, x);
  x = choose(e, LLVMRealOGT, x, hi, hi, x);
  LLVMValueRef shifted = llvm__multiply_add(e, x, llvm__float_like(x, M_LOG2E), magic);
  LLVMValueRef n = subtract(e, shifted, magic);
  LLVMValueRef whole = LLVMBuildSub(e->builder, bits_of(e, shifted), bits_of(e, magic), "");
  LLVMValueRef r =
      llvm__multiply_add(e, n, llvm__float_like(x, -0x1.62ep-1), x); /* n times: exact */
  r = llvm__multiply_add(e, n, llvm__float_like(x, 0x1.62ep-1 - M_LN2), r);
  LLVMValueRef sum = llvm__multiply_add(e, multiply(e, r, r), horner(e, POLY_EXP, r), r);
  sum = add(e, sum, llvm__float_like(x, 1));
  LLVMValueRef half = LLVMBuildAShr(e->builder, whole, llvm__int_like(whole, 1), "");
  LLVMValueRef rest = LLVMBuildSub(e->builder, whole, half, "");
  return multiply(e, multiply(e, sum, power_of_two(e, half)), power_of_two(e, rest));
}

/* x = 2^n * (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); denormals are scaled by 2^23 first. */
static LLVMValueRef logarithm(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef null = llvm__float_like(x, 0), least = llvm__float_like(x, 0x1p-126);
  LLVMValueRef scaled = multiply(e, x, llvm__float_like(x, 0x1p23));
  LLVMValueRef y = choose(e, LLVMRealOLT, x, least, scaled, x);
  LLVMValueRef bias = choose(e, LLVMRealOLT, x, least, llvm__float_like(x, -23), null);
  LLVMValueRef bits = bits_of(e, y);
  LLVMValueRef above = LLVMBuildSub(e->builder, bits, llvm__int_like(bits, 0x3f3504f3), "");
  LLVMValueRef whole = LLVMBuildAShr(e->builder, above, llvm__int_like(bits, 23), "");
  LLVMValueRef power = LLVMBuildShl(e->builder, whole, llvm__int_like(bits, 23), "");
  LLVMValueRef f = float_of_bits(e, LLVMBuildSub(e->builder, bits, power, ""));
  f = subtract(e, f, llvm__float_like(x, 1));
  LLVMValueRef n = LLVMBuildSIToFP(e->builder, whole, LLVMTypeOf(x), "");
  n = add(e, n, bias);
  LLVMValueRef square = multiply(e, f, f);
  LLVMValueRef tail = multiply(e, multiply(e, square, f), horner(e, POLY_LOG, f));
  tail = llvm__multiply_add(e, n, llvm__float_like(x, M_LN2 - 0x1.62ep-1), tail);
  tail = llvm__multiply_add(e, square, llvm__float_like(x, -0.5), tail);
  LLVMValueRef r = llvm__multiply_add(e, n, llvm__float_like(x, 0x1.62ep-1), add(e, f, tail));
  LLVMValueRef infinity = llvm__float_like(x, INFINITY), none = llvm__float_like(x, NAN);
  r = choose(e, LLVMRealOEQ, x, infinity, x, r);
  r = choose(e, LLVMRealOEQ, x, null, llvm__float_like(x, -INFINITY), r);
  return choose(e, LLVMRealULT, x, null, none, r);
}

/* x + x^3 * P(x^2) near 0, else 1 - 2 / (e^2x + 1). */
static LLVMValueRef hyperbolic_tangent(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef size = magnitude(e, x), square = multiply(e, x, x), one = llvm__float_like(x, 1);
  LLVMValueRef near =
      llvm__multiply_add(e, multiply(e, square, horner(e, POLY_TANH, square)), x, x);
  LLVMValueRef power = exponential(e, add(e, size, size));
  LLVMValueRef part = LLVMBuildFDiv(e->builder, llvm__float_like(x, 2), add(e, power, one), "");
  LLVMValueRef far = with_sign(e, subtract(e, one, part), x);
  return choose(e, LLVMRealOLT, size, llvm__float_like(x, 0.625), near, far);
}

/* x + x * P(x^2) up to 1, else 1 - e^-Q(x - 1); from 4 on it is 1. */
static LLVMValueRef error_function(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMValueRef size = magnitude(e, x), one = llvm__float_like(x, 1), four = llvm__float_like(x, 4);
  LLVMValueRef near = llvm__multiply_add(e, horner(e, POLY_ERF, multiply(e, x, x)), x, x);
  LLVMValueRef at = subtract(e, choose(e, LLVMRealOGT, size, four, four, size), one);
  LLVMValueRef rest = exponential(e, LLVMBuildFNeg(e->builder, horner(e, POLY_ERFC, at), ""));
  LLVMValueRef far = with_sign(e, subtract(e, one, rest), x);
  return choose(e, LLVMRealOLE, size, one, near, far);
}

/* --- the C library's -------------------------------------------------------------------------- */

static LLVMValueRef call(struct llvm__emit *e, const char *name, LLVMTypeRef type, int n,
                         LLVMValueRef *arg)
{
  LLVMTypeRef types[2] = {type, type};
  LLVMTypeRef signature = LLVMFunctionType(type, types, (unsigned)n, 0);
  LLVMValueRef f = LLVMGetNamedFunction(e->module, name);
  if (!f)
    f = LLVMAddFunction(e->module, name, signature);
  return LLVMBuildCall2(e->builder, signature, f, arg, (unsigned)n, "");
}

static LLVMValueRef by_lanes(struct llvm__emit *e, const char *name, int n, LLVMValueRef *arg)
{
  if (!llvm__is_lanes(arg[0]))
    return call(e, name, LLVMTypeOf(arg[0]), n, arg);
  LLVMValueRef all = LLVMGetPoison(LLVMTypeOf(arg[0]));
  for (int i = 0; i < e->width; i++) {
    LLVMValueRef one[2], at = llvm__i32(e, i);
    for (int k = 0; k < n; k++)
      one[k] = LLVMBuildExtractElement(e->builder, arg[k], at, "");
    LLVMValueRef y = call(e, name, LLVMGetElementType(LLVMTypeOf(arg[0])), n, one);
    all = LLVMBuildInsertElement(e->builder, all, y, at, "");
  }
  return all;
}

static LLVMValueRef library(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                            LLVMValueRef *arg)
{
  static const char *const names[TIR_OP_COUNT][2] = {
      [TIR_EXP] = {"expf", "exp"},    [TIR_LOG] = {"logf", "log"}, [TIR_ERF] = {"erff", "erf"},
      [TIR_TANH] = {"tanhf", "tanh"}, [TIR_SIN] = {"sinf", "sin"}, [TIR_COS] = {"cosf", "cos"},
      [TIR_POW] = {"powf", "pow"}};
  return by_lanes(e, names[op][dtype == TSR_F64], op == TIR_POW ? 2 : 1, arg);
}

/* In integers: a carry into the exponent is what the next power of two is; what is not finite stays. */
static LLVMValueRef rounded_to_tf32(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMBuilderRef b = e->builder;
  LLVMValueRef u = bits_of(e, x), exponent = llvm__int_like(u, 0x7f800000);
  LLVMValueRef finite = LLVMBuildICmp(b, LLVMIntNE, LLVMBuildAnd(b, u, exponent, ""), exponent, "");
  LLVMValueRef up = LLVMBuildAdd(b, u, llvm__int_like(u, 0x1000), "");
  LLVMValueRef rounded = LLVMBuildAnd(b, up, llvm__int_like(u, -0x2000), "");
  return float_of_bits(e, LLVMBuildSelect(b, finite, rounded, u, ""));
}

LLVMValueRef llvm__math(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                        LLVMValueRef *arg)
{
  switch (op) {
  case TIR_SQRT: return llvm__intrinsic_like(e, "llvm.sqrt", 1, arg);
  case TIR_FLOOR: return llvm__intrinsic_like(e, "llvm.floor", 1, arg);
  case TIR_CEIL: return llvm__intrinsic_like(e, "llvm.ceil", 1, arg);
  case TIR_ROUND: return llvm__intrinsic_like(e, "llvm.rint", 1, arg);
  case TIR_TF32: return rounded_to_tf32(e, arg[0]);
  default: break;
  }
  if (dtype == TSR_F32 && op == TIR_EXP)
    return exponential(e, arg[0]);
  if (dtype == TSR_F32 && op == TIR_LOG)
    return logarithm(e, arg[0]);
  if (dtype == TSR_F32 && op == TIR_TANH)
    return hyperbolic_tangent(e, arg[0]);
  if (dtype == TSR_F32 && op == TIR_ERF)
    return error_function(e, arg[0]);
  return e->machine.no_library ? llvm__math64(e, op, dtype, arg) : library(e, op, dtype, arg);
}
