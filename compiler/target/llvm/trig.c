/* SPDX-License-Identifier: Apache-2.0 */
/* sin and cos where there is no C library. x = q pi/2 + r with |r| <= pi/4 at most; q modulo 4 says
 * which of the two series of r it is, and its sign. Up to 2^40, r is x less a multiple of pi/2 in
 * three parts; beyond that, the bits of 2/pi that count are multiplied by x's as whole numbers, so that no
 * argument is too large. */
#include <math.h>

#include "compiler/target/llvm/emit.h"

enum { TERMS = 9, WORDS = 21, FAR = 1023 + 40 }; /* FAR: exponent of 2^40 */

/* 2/pi in 64 bits each, behind 64 bits before the point. */
static const uint64_t two_over_pi[WORDS] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
    0xf0cfbc209af4361d};

static LLVMValueRef whole(struct llvm__emit *e, uint64_t value)
{
  return llvm__i64(e, (int64_t)value);
}

static LLVMValueRef real(struct llvm__emit *e, double value)
{
  return LLVMConstReal(LLVMDoubleTypeInContext(e->context), value);
}

static LLVMValueRef intrinsic3(struct llvm__emit *e, const char *name, LLVMValueRef x,
                               LLVMValueRef y, LLVMValueRef z)
{
  LLVMValueRef arg[3] = {x, y, z};
  return llvm__intrinsic_like(e, name, 3, arg);
}

/* --- the rest of a multiple of pi/2 ----------------------------------------------------------- */

struct rest {
  LLVMValueRef r, q;
};

static struct rest near(struct llvm__emit *e, LLVMValueRef x)
{
  static const double part[3] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54,
                                 -0x1.f1976b7ed8fbcp-110};
  LLVMValueRef n = LLVMBuildFMul(e->builder, x, real(e, M_2_PI), ""), r = x;
  n = llvm__intrinsic_like(e, "llvm.rint", 1, &n);
  for (int k = 0; k < 3; k++)
    r = intrinsic3(e, "llvm.fma", n, real(e, -part[k]), r);
  return (struct rest){r, LLVMBuildFPToSI(e->builder, n, LLVMInt64TypeInContext(e->context), "")};
}

static LLVMValueRef table(struct llvm__emit *e)
{
  static const char name[] = "two_over_pi";
  LLVMValueRef word[WORDS], t = LLVMGetNamedGlobal(e->module, name);
  if (t)
    return t;
  for (int k = 0; k < WORDS; k++)
    word[k] = whole(e, two_over_pi[k]);
  LLVMTypeRef type = LLVMInt64TypeInContext(e->context);
  t = LLVMAddGlobalInAddressSpace(e->module, LLVMArrayType2(type, WORDS), name,
                                  e->machine.constants);
  LLVMSetInitializer(t, LLVMConstArray2(type, word, WORDS));
  LLVMSetGlobalConstant(t, 1);
  LLVMSetLinkage(t, LLVMInternalLinkage);
  return t;
}

/* 64 bits of the table from bit `from` + 64 * `word` on. */
static LLVMValueRef bits_at(struct llvm__emit *e, LLVMValueRef from, int word)
{
  LLVMTypeRef type = LLVMInt64TypeInContext(e->context);
  LLVMValueRef at = LLVMBuildLShr(e->builder, from, whole(e, 6), ""), v[2];
  for (int k = 0; k < 2; k++) {
    LLVMValueRef i = LLVMBuildAdd(e->builder, at, whole(e, (uint64_t)(word + k)), "");
    v[k] =
        LLVMBuildLoad2(e->builder, type, LLVMBuildGEP2(e->builder, type, table(e), &i, 1, ""), "");
  }
  return intrinsic3(e, "llvm.fshl", v[0], v[1], LLVMBuildAnd(e->builder, from, whole(e, 63), ""));
}

/* x = m 2^s with m a whole number: of m 2^s 2/pi modulo 4, bits of weight 2 and less, 192 of them. */
static struct rest far(struct llvm__emit *e, LLVMValueRef bits, LLVMValueRef exponent)
{
  LLVMBuilderRef b = e->builder;
  LLVMTypeRef wide = LLVMIntTypeInContext(e->context, 192), word = LLVMTypeOf(bits);
  LLVMTypeRef type = LLVMDoubleTypeInContext(e->context);
  LLVMValueRef m = LLVMBuildAnd(b, bits, whole(e, (UINT64_C(1) << 52) - 1), "");
  m = LLVMBuildOr(b, m, whole(e, UINT64_C(1) << 52), "");
  /* the first bit has weight 2^(s - 1 - ...): s - 2 bits behind the point are left out */
  LLVMValueRef from = LLVMBuildSub(b, exponent, whole(e, 1075 + 2 - 64), "");
  LLVMValueRef window = LLVMConstNull(wide);
  for (int k = 0; k < 3; k++) {
    LLVMValueRef part = LLVMBuildZExt(b, bits_at(e, from, k), wide, "");
    LLVMValueRef up = LLVMConstInt(wide, (uint64_t)(128 - 64 * k), 0);
    window = LLVMBuildOr(b, window, LLVMBuildShl(b, part, up, ""), "");
  }
  LLVMValueRef p = LLVMBuildMul(b, window, LLVMBuildZExt(b, m, wide, ""), "");
  LLVMValueRef high =
      LLVMBuildTrunc(b, LLVMBuildLShr(b, p, LLVMConstInt(wide, 128, 0), ""), word, "");
  LLVMValueRef low =
      LLVMBuildTrunc(b, LLVMBuildLShr(b, p, LLVMConstInt(wide, 64, 0), ""), word, "");
  LLVMValueRef q = LLVMBuildAdd(b, high, whole(e, UINT64_C(1) << 61), "");
  q = LLVMBuildLShr(b, q, whole(e, 62), "");
  LLVMValueRef over = LLVMBuildSub(b, high, LLVMBuildShl(b, q, whole(e, 62), ""), "");
  LLVMValueRef r = LLVMBuildFMul(b, LLVMBuildSIToFP(b, over, type, ""), real(e, 0x1p-62), "");
  LLVMValueRef less = LLVMBuildFMul(b, LLVMBuildUIToFP(b, low, type, ""), real(e, 0x1p-126), "");
  r = LLVMBuildFMul(b, LLVMBuildFAdd(b, r, less, ""), real(e, M_PI_2), "");
  LLVMValueRef minus = LLVMBuildICmp(b, LLVMIntSLT, bits, whole(e, 0), "");
  r = LLVMBuildSelect(b, minus, LLVMBuildFNeg(b, r, ""), r, "");
  return (struct rest){r, LLVMBuildSelect(b, minus, LLVMBuildNeg(b, q, ""), q, "")};
}

/* Only what is far pays for it. */
static struct rest reduce(struct llvm__emit *e, LLVMValueRef x)
{
  LLVMBuilderRef b = e->builder;
  LLVMBasicBlockRef here = LLVMGetInsertBlock(b), then = llvm__block(e, "far");
  LLVMBasicBlockRef done = llvm__block(e, "reduced");
  LLVMTypeRef word = LLVMInt64TypeInContext(e->context);
  LLVMValueRef bits = LLVMBuildBitCast(b, x, word, "");
  LLVMValueRef exponent =
      LLVMBuildAnd(b, LLVMBuildLShr(b, bits, whole(e, 52), ""), whole(e, 0x7ff), "");
  LLVMValueRef most = LLVMBuildICmp(b, LLVMIntULT, exponent, whole(e, 0x7ff), "");
  LLVMValueRef distant = LLVMBuildICmp(b, LLVMIntUGE, exponent, whole(e, FAR), "");
  struct rest simple = near(e, LLVMBuildSelect(b, distant, real(e, 0), x, ""));
  here = LLVMGetInsertBlock(b);
  LLVMBuildCondBr(b, LLVMBuildAnd(b, distant, most, ""), then, done);
  LLVMPositionBuilderAtEnd(b, then);
  struct rest other = far(e, bits, exponent);
  LLVMBuildBr(b, done);
  LLVMPositionBuilderAtEnd(b, done);
  LLVMBasicBlockRef from[2] = {here, then};
  LLVMValueRef r[2] = {simple.r, other.r}, q[2] = {simple.q, other.q};
  struct rest all = {LLVMBuildPhi(b, LLVMTypeOf(x), ""), LLVMBuildPhi(b, word, "")};
  LLVMAddIncoming(all.r, r, from, 2);
  LLVMAddIncoming(all.q, q, from, 2);
  return all;
}

/* --- series ----------------------------------------------------------------------------------- */

/* 1 - r^2/2! + ... (first 0), or r - r^3/3! + ... (first 1). */
static LLVMValueRef series(struct llvm__emit *e, LLVMValueRef r, int first)
{
  LLVMValueRef square = LLVMBuildFMul(e->builder, r, r, ""), sum = real(e, 0);
  for (int k = TERMS; k >= 1; k--) {
    double term = (k % 2 ? -1 : 1) / tgamma(2 * k + first + 1);
    sum = LLVMBuildFMul(e->builder, LLVMBuildFAdd(e->builder, sum, real(e, term), ""), square, "");
  }
  return first ? intrinsic3(e, "llvm.fma", sum, r, r)
               : LLVMBuildFAdd(e->builder, sum, real(e, 1), "");
}

static LLVMValueRef of_one(struct llvm__emit *e, LLVMValueRef x, bool cosine)
{
  LLVMBuilderRef b = e->builder;
  struct rest all = reduce(e, x);
  LLVMValueRef q = LLVMBuildAdd(b, all.q, whole(e, cosine), "");
  LLVMTypeRef truth = LLVMInt1TypeInContext(e->context);
  LLVMValueRef odd = LLVMBuildTrunc(b, q, truth, "");
  LLVMValueRef minus = LLVMBuildTrunc(b, LLVMBuildLShr(b, q, whole(e, 1), ""), truth, "");
  LLVMValueRef y = LLVMBuildSelect(b, odd, series(e, all.r, 0), series(e, all.r, 1), "");
  y = LLVMBuildSelect(b, minus, LLVMBuildFNeg(b, y, ""), y, "");
  LLVMValueRef size = llvm__intrinsic_like(e, "llvm.fabs", 1, &x);
  LLVMValueRef tiny = LLVMBuildFCmp(b, LLVMRealOLT, size, real(e, 0x1p-30), "");
  y = LLVMBuildSelect(b, tiny, cosine ? real(e, 1) : x, y, "");
  LLVMValueRef none = LLVMBuildFCmp(b, LLVMRealUEQ, size, real(e, INFINITY), "");
  return LLVMBuildSelect(b, none, real(e, NAN), y, "");
}

LLVMValueRef llvm__trigonometric(struct llvm__emit *e, LLVMValueRef x, bool cosine)
{
  if (!llvm__is_lanes(x))
    return of_one(e, x, cosine);
  LLVMValueRef all = LLVMGetPoison(LLVMTypeOf(x));
  for (int i = 0; i < e->width; i++) {
    LLVMValueRef at = llvm__i32(e, i);
    LLVMValueRef y = of_one(e, LLVMBuildExtractElement(e->builder, x, at, ""), cosine);
    all = LLVMBuildInsertElement(e->builder, all, y, at, "");
  }
  return all;
}
