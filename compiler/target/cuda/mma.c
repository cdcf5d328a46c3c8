/* SPDX-License-Identifier: Apache-2.0 */
/* Tensor cores: fragments in registers, and what fills and multiplies them.
 *
 * A tile of 16 rows and 32 bytes is four words of each lane: rows r and r + 8, bytes b and b + 16,
 * where r is the lane's thread.y and b / 4 its thread.x. A tile of sums is four elements of each lane:
 * rows r and r + 8, columns c and c + 1, c being twice thread.x. A register buffer keeps them where
 * the element with the lane's own part left out would be (memory.c does the same for the loops of
 * threads), so that loads and stores of the same elements find them. */
#include <string.h>

#include "compiler/target/cuda/kernel.h"
#include "tensorize/cuda.h"

struct call {
  struct cuda__kernel *k;
  const struct tir_stmt *s;
  enum tsr_dtype dtype;
};

/* The element of operand i that is `row` and `column` from where the tile begins. */
static LLVMValueRef element(const struct call *c, int i, LLVMValueRef row, int64_t column)
{
  struct llvm__emit *e = &c->k->e;
  const struct tir_buffer *b = c->s->call.buffer[i];
  LLVMValueRef at = LLVMBuildMul(e->builder, row, llvm__i64(e, b->dims[b->rank - 1]), "");
  at = LLVMBuildAdd(e->builder, at, llvm__i64(e, column), "");
  return llvm__element(e, b, c->s->call.index[i], at);
}

static LLVMValueRef word_at(const struct call *c, int i, int64_t row, int64_t column)
{
  return element(c, i, llvm__i64(&c->k->e, row), column);
}

static LLVMTypeRef word_type(const struct call *c)
{
  return LLVMInt32TypeInContext(c->k->e.context);
}

/* --- ldmatrix --------------------------------------------------------------------------------- */

static LLVMValueRef lane_of(struct cuda__kernel *k)
{
  LLVMValueRef y = LLVMBuildShl(k->e.builder, cuda__thread(k, 1), llvm__i32(&k->e, 2), "");
  return LLVMBuildOr(k->e.builder, y, cuda__thread(k, 0), "");
}

static LLVMValueRef bits(struct cuda__kernel *k, LLVMValueRef v, int from, int mask, int up)
{
  LLVMBuilderRef b = k->e.builder;
  v = LLVMBuildLShr(b, v, llvm__i32(&k->e, from), "");
  v = LLVMBuildAnd(b, v, llvm__i32(&k->e, mask), "");
  return LLVMBuildShl(b, v, llvm__i32(&k->e, up), "");
}

/* Each lane points to one row of one of four matrices of 8 rows by 16 bytes: which are below one
 * another first (the order of words in a fragment of rows), or next to one another. */
static LLVMValueRef row_pointer(const struct call *c, bool below)
{
  struct cuda__kernel *k = c->k;
  struct llvm__emit *e = &k->e;
  LLVMTypeRef wide = LLVMInt64TypeInContext(e->context);
  int half = 16 / (int)tsr_dtype_bytes(c->dtype), up = half == 16 ? 4 : half == 8 ? 3 : 2;
  LLVMValueRef lane = lane_of(k), low = bits(k, lane, 0, 7, 0);
  LLVMValueRef first = bits(k, lane, 3, 1, below ? 3 : up),
               second = bits(k, lane, 4, 1, below ? up : 3);
  LLVMValueRef row = LLVMBuildOr(e->builder, low, below ? first : second, "");
  LLVMValueRef column = below ? second : first;
  const struct tir_buffer *b = c->s->call.buffer[1];
  LLVMValueRef at = LLVMBuildMul(e->builder, LLVMBuildZExt(e->builder, row, wide, ""),
                                 llvm__i64(e, b->dims[b->rank - 1]), "");
  at = LLVMBuildAdd(e->builder, at, LLVMBuildZExt(e->builder, column, wide, ""), "");
  return llvm__element(e, b, c->s->call.index[1], at);
}

static void emit_ldmatrix(const struct call *c, enum tsr_cuda_op op)
{
  struct llvm__emit *e = &c->k->e;
  bool turned = op == TSR_CUDA_LDMATRIX_T, below = op != TSR_CUDA_LDMATRIX_B;
  LLVMValueRef pointer = row_pointer(c, below);
  LLVMTypeRef type = LLVMTypeOf(pointer);
  LLVMValueRef words = llvm__intrinsic(e,
                                       turned ? "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16"
                                              : "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16",
                                       1, &type, 1, &pointer);
  int64_t half = 16 / (int64_t)tsr_dtype_bytes(c->dtype);
  for (int i = 0; i < 4; i++) {
    int64_t row = 8 * (below ? i & 1 : i >> 1), column = half * (below ? i >> 1 : i & 1);
    LLVMBuildStore(e->builder, LLVMBuildExtractValue(e->builder, words, (unsigned)i, ""),
                   word_at(c, 0, row, column));
  }
}

/* --- mma -------------------------------------------------------------------------------------- */

static LLVMValueRef load_word(const struct call *c, int operand, int64_t row, int64_t column)
{
  return LLVMBuildLoad2(c->k->e.builder, word_type(c), word_at(c, operand, row, column), "");
}

/* What the intrinsic wants a word to be; of a float, rounded. */
static LLVMValueRef operand(const struct call *c, LLVMValueRef word)
{
  struct llvm__emit *e = &c->k->e;
  LLVMTypeRef half = LLVMVectorType(LLVMHalfTypeInContext(e->context), 2);
  if (c->dtype == TSR_F16)
    return LLVMBuildBitCast(e->builder, word, half, "");
  if (c->dtype != TSR_F32)
    return word;
  LLVMValueRef x = LLVMBuildBitCast(e->builder, word, LLVMFloatTypeInContext(e->context), "");
  return llvm__intrinsic(e, "llvm.nvvm.f2tf32.rna", 0, NULL, 1, &x);
}

static const char *mma_name(enum tsr_dtype dtype)
{
  switch (dtype) {
  case TSR_I8: return "llvm.nvvm.mma.m16n8k32.row.col.s8";
  case TSR_F16: return "llvm.nvvm.mma.m16n8k16.row.col.f32.f32";
  case TSR_F32: return "llvm.nvvm.mma.m16n8k8.row.col.tf32";
  default: return "llvm.nvvm.mma.m16n8k16.row.col.bf16";
  }
}

static void emit_mma(const struct call *c, bool turned)
{
  struct llvm__emit *e = &c->k->e;
  LLVMTypeRef sum = llvm__memory_type(e, c->dtype == TSR_I8 ? TSR_I32 : TSR_F32);
  int64_t half = 16 / (int64_t)tsr_dtype_bytes(c->dtype);
  LLVMValueRef arg[10];
  for (int i = 0; i < 4; i++)
    arg[i] = operand(c, load_word(c, 1, 8 * (i & 1), half * (i >> 1)));
  for (int i = 0; i < 2; i++)
    arg[4 + i] = operand(c, load_word(c, 2, turned ? 8 * i : 0, turned ? 0 : half * i));
  for (int i = 0; i < 4; i++)
    arg[6 + i] = LLVMBuildLoad2(e->builder, sum, word_at(c, 0, 8 * (i >> 1), i & 1), "");
  LLVMValueRef all = llvm__intrinsic(e, mma_name(c->dtype), 0, NULL, 10, arg);
  for (int i = 0; i < 4; i++)
    LLVMBuildStore(e->builder, LLVMBuildExtractValue(e->builder, all, (unsigned)i, ""),
                   word_at(c, 0, 8 * (i >> 1), i & 1));
}

void cuda__call(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct call c = {k, s, s->call.buffer[1]->dtype};
  enum tsr_cuda_op op = tsr_cuda_intrin_op(s->call.intrin);
  struct llvm__scope scope;
  llvm__scope_open(&k->e, &scope);
  if (op == TSR_CUDA_MMA || op == TSR_CUDA_MMA_T)
    emit_mma(&c, op == TSR_CUDA_MMA_T);
  else
    emit_ldmatrix(&c, op);
  llvm__scope_close(&k->e);
}
