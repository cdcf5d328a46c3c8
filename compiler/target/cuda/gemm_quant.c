/* SPDX-License-Identifier: Apache-2.0 */
/* tsr_quant_i32 (base/arith.h) with products of two words and no longer sums, a third of the instructions: for
 * columns whose sums with the bias fit 32 bits, and whose shift is from 33 to 62. The product's high word then
 * has all that stays, and half of the last of it. */
#include "compiler/target/cuda/gemm_private.h"

enum { LEAST_SHIFT = 33, MOST_SHIFT = 62, LARGEST_PRODUCT = 128 * 128 };

static LLVMValueRef bits(const struct gemm *k, LLVMValueRef x, int64_t mask)
{
  return LLVMBuildAnd(k->e->builder, x, number(k, mask), "");
}

/* Eight bits of x from bit `at` on, with their sign. */
static LLVMValueRef byte_of(const struct gemm *k, LLVMValueRef x, int at)
{
  LLVMValueRef up = LLVMBuildShl(k->e->builder, x, number(k, 24 - at), "");
  return LLVMBuildAShr(k->e->builder, up, number(k, 24), "");
}

static LLVMValueRef nearest(const struct gemm *k, LLVMValueRef x, LLVMValueRef lo, LLVMValueRef hi)
{
  LLVMValueRef arg[] = {x, lo};
  arg[0] = llvm__intrinsic_like(k->e, "llvm.smax", 2, arg);
  arg[1] = hi;
  return llvm__intrinsic_like(k->e, "llvm.smin", 2, arg);
}

/* quant(acc[...], b[column], m[column], p[column]) in x; NULL: there is none. */
static tir_e find_quant(const struct gemm *k, tir_e x)
{
  const struct tir_func *f = k->g->epilogue;
  tir_e found = NULL;
  if (x->op == TIR_QUANT && x->arg[0]->op == TIR_LOAD && x->arg[0]->buffer == f->param[0]) {
    for (int i = 1; i < 4; i++)
      if (x->arg[i]->op != TIR_LOAD || !gemm__is_of_column(k, f->stage[0], x->arg[i]))
        return NULL;
    return x;
  }
  for (int i = 0; i < x->args && !found; i++)
    found = find_quant(k, x->arg[i]);
  return found;
}

/* |bias| and the largest sum together stay inside. */
static LLVMValueRef bias_fits(const struct gemm *k, LLVMValueRef bias)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMTypeRef wide = LLVMInt64TypeInContext(k->e->context);
  LLVMValueRef most = LLVMBuildMul(b, LLVMBuildSExt(b, k->depth, wide, ""),
                                   LLVMConstInt(wide, (unsigned)(LARGEST_PRODUCT * taps(k->g)), 0),
                                   "");
  LLVMValueRef room = LLVMBuildSub(b, LLVMConstInt(wide, INT32_MAX, 0), most, "");
  LLVMValueRef none = LLVMConstInt(wide, 0, 0);
  room = LLVMBuildSelect(b, LLVMBuildICmp(b, LLVMIntSGT, room, none, ""), room, none, "");
  room = LLVMBuildTrunc(b, room, LLVMTypeOf(bias), "");
  LLVMValueRef low = LLVMBuildICmp(b, LLVMIntSLT, LLVMBuildNeg(b, room, ""), bias, "");
  return LLVMBuildAnd(b, low, LLVMBuildICmp(b, LLVMIntSLT, bias, room, ""), "");
}

LLVMValueRef gemm__quant_of(const struct gemm *k, struct llvm__scope *of_column,
                            struct gemm__quant *out)
{
  LLVMBuilderRef b = k->e->builder;
  struct llvm__scope *outer = k->e->scope;
  out->quant = find_quant(k, k->g->epilogue->stage[0]->value);
  if (!out->quant)
    return NULL;
  k->e->scope = of_column;
  out->bias = llvm__value(k->e, out->quant->arg[1]);
  out->multiplier = bits(k, llvm__value(k->e, out->quant->arg[2]), 0x7fffffff);
  out->packed = llvm__value(k->e, out->quant->arg[3]);
  k->e->scope = outer;
  LLVMValueRef one = number(k, 1), by = bits(k, out->packed, 0x3f);
  LLVMValueRef over_least = LLVMBuildSub(b, by, number(k, LEAST_SHIFT), "");
  LLVMValueRef inside =
      LLVMBuildICmp(b, LLVMIntULE, over_least, number(k, MOST_SHIFT - LEAST_SHIFT), "");
  out->shift = bits(k, LLVMBuildSub(b, by, number(k, 32), ""), 31);
  LLVMValueRef unit = LLVMBuildShl(b, one, out->shift, "");
  out->half = LLVMBuildLShr(b, unit, one, "");
  out->mask = LLVMBuildSub(b, unit, one, "");
  return LLVMBuildAnd(b, inside, bias_fits(k, out->bias), "");
}

/* Half is added and the rest cut off: a tie that gave an odd number goes back to the even one. */
void gemm__quant_give(const struct gemm *k, const struct gemm__quant *q, LLVMValueRef sum)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMTypeRef word = LLVMTypeOf(sum), wide = LLVMInt64TypeInContext(k->e->context);
  LLVMValueRef x = LLVMBuildSExt(b, add(k, sum, q->bias), wide, "");
  LLVMValueRef product = LLVMBuildMul(b, x, LLVMBuildZExt(b, q->multiplier, wide, ""), "");
  LLVMValueRef low = LLVMBuildTrunc(b, product, word, "");
  LLVMValueRef high = LLVMBuildLShr(b, product, LLVMConstInt(wide, 32, 0), "");
  high = LLVMBuildTrunc(b, high, word, "");
  LLVMValueRef v = LLVMBuildAShr(b, add(k, high, q->half), q->shift, "");
  LLVMValueRef rest = LLVMBuildAnd(b, high, q->mask, "");
  rest = LLVMBuildOr(b, LLVMBuildXor(b, rest, q->half, ""), low, "");
  v = LLVMBuildSelect(b, equal(k, rest, 0), bits(k, v, ~1), v, "");
  v = add(k, v, byte_of(k, q->packed, 8));
  v = nearest(k, v, byte_of(k, q->packed, 16), byte_of(k, q->packed, 24));
  tir__map_put(k->e->arena, &k->e->scope->done, q->quant, v);
}
