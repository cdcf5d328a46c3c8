/* SPDX-License-Identifier: Apache-2.0 */
/* What the intrinsics of tensorize/cpu.def become: 16 sums of 4 products of bytes, or 2 of bf16, each are
 * added to. A row's are broadcast, four bytes in all; with avx512bf16 that is vdpbf16ps, else two products of
 * f32.
 *
 * With VNNI it is vpdpbusd, which takes unsigned bytes of the rows and signed ones of the columns.
 * Else it is two vpmaddwd: bytes 0 and 2 of each four, widened to 16 bits, and bytes 1 and 3. */
#include <string.h>

#include "compiler/target/cpu/function.h"

enum { LANES = 16, TERMS = 4 };
enum { OFFSETS, ORDER }; /* of e->kept */

static LLVMTypeRef lanes(struct llvm__emit *e, unsigned bits, unsigned n)
{
  return LLVMVectorType(LLVMIntTypeInContext(e->context, bits), n);
}

static LLVMValueRef splat(LLVMTypeRef type, int64_t value)
{
  LLVMValueRef all[4 * LANES];
  unsigned n = LLVMGetVectorSize(type);
  for (unsigned i = 0; i < n; i++)
    all[i] = LLVMConstInt(LLVMGetElementType(type), (uint64_t)value, 1);
  return LLVMConstVector(all, n);
}

static LLVMValueRef pointer_of(struct llvm__emit *e, const struct tir_stmt *call, int operand)
{
  bool guarded;
  return llvm__address(e, call->call.buffer[operand], call->call.index[operand], &guarded).pointer;
}

/* Four bytes of a row in each lane. */
static LLVMValueRef load_row(struct llvm__emit *e, const struct tir_stmt *call)
{
  LLVMTypeRef type = lanes(e, 32, LANES);
  LLVMValueRef v =
      LLVMBuildLoad2(e->builder, LLVMInt32TypeInContext(e->context), pointer_of(e, call, 1), "");
  LLVMSetAlignment(v, 1);
  v = LLVMBuildInsertElement(e->builder, LLVMGetPoison(type), v, llvm__i32(e, 0), "");
  return LLVMBuildShuffleVector(e->builder, v, LLVMGetPoison(type), LLVMConstNull(type), "");
}

static LLVMValueRef load_vector(struct llvm__emit *e, const struct tir_stmt *call, int operand)
{
  LLVMValueRef v =
      LLVMBuildLoad2(e->builder, lanes(e, 32, LANES), pointer_of(e, call, operand), "");
  LLVMSetAlignment(v, 1);
  return v;
}

static LLVMValueRef part_of(struct llvm__emit *e, LLVMValueRef v, int n, int at)
{
  LLVMValueRef lane[2 * LANES];
  for (int i = 0; i < n; i++)
    lane[i] = llvm__i32(e, at + i);
  return LLVMBuildShuffleVector(e->builder, v, LLVMGetPoison(LLVMTypeOf(v)),
                                LLVMConstVector(lane, (unsigned)n), "");
}

/* Two vectors as one. */
static LLVMValueRef joined(struct llvm__emit *e, LLVMValueRef a, LLVMValueRef b)
{
  LLVMValueRef lane[2 * LANES];
  unsigned n = LLVMGetVectorSize(LLVMTypeOf(a));
  for (unsigned i = 0; i < 2 * n; i++)
    lane[i] = llvm__i32(e, (int32_t)i);
  return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lane, 2 * n), "");
}

/* A constant that LLVM must not know, in a register from the function's begin on. */
static LLVMValueRef unknown(struct llvm__emit *e, LLVMValueRef constant, LLVMValueRef *kept)
{
  LLVMTypeRef type = LLVMTypeOf(constant), function = LLVMFunctionType(type, &type, 1, 0);
  LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
  if (*kept)
    return *kept;
  LLVMValueRef nothing = LLVMGetInlineAsm(function, "", 0,
                                          e->machine.vector_bytes == 64 ? "=v,0" : "=x,0", 4, 0, 0,
                                          LLVMInlineAsmDialectATT, 0);
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
  *kept = LLVMBuildCall2(e->builder, function, nothing, &constant, 1, "");
  LLVMPositionBuilderAtEnd(e->builder, here);
  return *kept;
}

/* 128 in each byte of a register. If LLVM knew it, it would move the addition before the broadcast,
 * into a general register, and a broadcast from there costs more than one from memory. */
static LLVMValueRef offsets(struct llvm__emit *e)
{
  LLVMTypeRef type = lanes(e, 32, (unsigned)e->machine.vector_bytes / 4);
  if (!e->machine.dot)
    return splat(lanes(e, 32, LANES), (int32_t)0x80808080);
  LLVMValueRef all = unknown(e, splat(type, (int32_t)0x80808080), &e->kept.value[OFFSETS]);
  return e->machine.vector_bytes == 64 ? all : joined(e, all, all);
}

/* Bytes of either sign as those that are 128 more. */
static LLVMValueRef offset(struct llvm__emit *e, LLVMValueRef v)
{
  return LLVMBuildXor(e->builder, v, offsets(e), "");
}

/* --- with VNNI -------------------------------------------------------------------------------- */

static LLVMValueRef dot_bytes(struct llvm__emit *e, LLVMValueRef sum, LLVMValueRef row,
                              LLVMValueRef columns)
{
  LLVMValueRef arg[] = {sum, row, columns}, half[2];
  if (e->machine.vector_bytes == 64)
    return llvm__intrinsic(e, "llvm.x86.avx512.vpdpbusd.512", 0, NULL, 3, arg);
  for (int k = 0; k < 2; k++) { /* the name is that of AVX-512, the instruction that of AVX-VNNI */
    LLVMValueRef part[3];
    for (int i = 0; i < 3; i++)
      part[i] = part_of(e, arg[i], LANES / 2, k * LANES / 2);
    half[k] = llvm__intrinsic(e, "llvm.x86.avx512.vpdpbusd.256", 0, NULL, 3, part);
  }
  return joined(e, half[0], half[1]);
}

/* --- without ---------------------------------------------------------------------------------- */

/* sum + the products of pairs of 16-bit elements, added up: as many lanes at a time as there are. */
static LLVMValueRef multiply_pairs(struct llvm__emit *e, LLVMValueRef a, LLVMValueRef b, int n,
                                   int at)
{
  const char *name = e->machine.vector_bytes == 64   ? "llvm.x86.avx512.pmaddw.d.512"
                     : e->machine.vector_bytes == 32 ? "llvm.x86.avx2.pmadd.wd"
                                                     : "llvm.x86.sse2.pmadd.wd";
  if (n > e->machine.vector_bytes / 4)
    return joined(e, multiply_pairs(e, a, b, n / 2, at),
                  multiply_pairs(e, a, b, n / 2, at + n / 2));
  LLVMValueRef arg[] = {part_of(e, a, 2 * n, 2 * at), part_of(e, b, 2 * n, 2 * at)};
  return llvm__intrinsic(e, name, 0, NULL, 2, arg);
}

/* Bytes 0 and 2 of each four (odd: 1 and 3) as 16-bit elements. */
static LLVMValueRef widened(struct llvm__emit *e, LLVMValueRef v, bool odd, bool is_signed)
{
  LLVMTypeRef words = lanes(e, 16, 2 * LANES);
  v = LLVMBuildBitCast(e->builder, v, words, "");
  if (!odd)
    v = LLVMBuildShl(e->builder, v, splat(words, 8), "");
  return is_signed ? LLVMBuildAShr(e->builder, v, splat(words, 8), "")
                   : LLVMBuildLShr(e->builder, v, splat(words, 8), "");
}

static LLVMValueRef dot_words(struct llvm__emit *e, LLVMValueRef sum, LLVMValueRef row,
                              bool signed_row, LLVMValueRef columns)
{
  for (int odd = 0; odd < 2; odd++) {
    LLVMValueRef a = widened(e, row, odd, signed_row), b = widened(e, columns, odd, true);
    sum = LLVMBuildAdd(e->builder, sum, multiply_pairs(e, a, b, LANES, 0), "");
  }
  return sum;
}

/* --- rows of their own ------------------------------------------------------------------------ */

/* Bytes of four rows, of each row the one of each lane, in the order lane by lane. */
static LLVMValueRef in_lanes(struct llvm__emit *e, LLVMValueRef v, int parts)
{
  LLVMTypeRef bytes = lanes(e, 8, LANES * TERMS);
  LLVMValueRef from[LANES * TERMS];
  int part = LANES * TERMS / parts; /* in each the same number of bytes of each row */
  for (int i = 0; i < LANES * TERMS; i++)
    from[i] = llvm__i32(e, i / part * part + i % TERMS * (part / TERMS) + i % part / TERMS);
  v = LLVMBuildBitCast(e->builder, v, bytes, "");
  v = LLVMBuildShuffleVector(e->builder, v, LLVMGetPoison(bytes),
                             LLVMConstVector(from, LANES * TERMS), "");
  return LLVMBuildBitCast(e->builder, v, lanes(e, 32, LANES), "");
}

/* With registers of 64 bytes, four lanes of each row come together in one step that LLVM cannot see
 * through: of both steps as one it makes ten. */
static LLVMValueRef load_rows(struct llvm__emit *e, const struct tir_stmt *call)
{
  LLVMValueRef v = load_vector(e, call, 1), order[LANES];
  if (e->machine.vector_bytes < 64)
    return in_lanes(e, v, 1);
  for (int i = 0; i < LANES; i++)
    order[i] = llvm__i32(e, i % 4 * 4 + i / 4);
  LLVMValueRef arg[] = {v, unknown(e, LLVMConstVector(order, LANES), &e->kept.value[ORDER])};
  v = llvm__intrinsic(e, "llvm.x86.avx512.permvar.si.512", 0, NULL, 2, arg);
  return in_lanes(e, v, 4);
}

/* --- bf16 ------------------------------------------------------------------------------------- */

/* The first (odd: second) of each pair as f32, which has their bits in front. */
static LLVMValueRef float_of(struct llvm__emit *e, LLVMValueRef pairs, bool odd)
{
  LLVMTypeRef words = lanes(e, 32, LANES), f32 = LLVMFloatTypeInContext(e->context);
  LLVMValueRef bits = odd ? LLVMBuildAnd(e->builder, pairs, splat(words, (int32_t)0xffff0000), "")
                          : LLVMBuildShl(e->builder, pairs, splat(words, 16), "");
  return LLVMBuildBitCast(e->builder, bits, LLVMVectorType(f32, LANES), "");
}

/* The same of a row's pair, in all lanes. */
static LLVMValueRef load_float(struct llvm__emit *e, const struct tir_stmt *call, bool odd)
{
  LLVMTypeRef half = LLVMInt16TypeInContext(e->context), word = LLVMInt32TypeInContext(e->context);
  LLVMTypeRef type = LLVMVectorType(LLVMFloatTypeInContext(e->context), LANES);
  LLVMValueRef at = llvm__i64(e, odd);
  LLVMValueRef p = LLVMBuildGEP2(e->builder, half, pointer_of(e, call, 1), &at, 1, "");
  LLVMValueRef v = LLVMBuildZExt(e->builder, LLVMBuildLoad2(e->builder, half, p, ""), word, "");
  v = LLVMBuildShl(e->builder, v, llvm__i32(e, 16), "");
  v = LLVMBuildBitCast(e->builder, v, LLVMFloatTypeInContext(e->context), "");
  v = LLVMBuildInsertElement(e->builder, LLVMGetPoison(type), v, llvm__i32(e, 0), "");
  return LLVMBuildShuffleVector(e->builder, v, LLVMGetPoison(type),
                                LLVMConstNull(lanes(e, 32, LANES)), "");
}

/* One product after the other. */
static LLVMValueRef dot_floats(struct llvm__emit *e, const struct tir_stmt *call, LLVMValueRef sum,
                               LLVMValueRef columns)
{
  for (int odd = 0; odd < 2; odd++) {
    LLVMValueRef arg[] = {load_float(e, call, odd), float_of(e, columns, odd), sum};
    sum = e->machine.fma
              ? llvm__intrinsic_like(e, "llvm.fma", 3, arg)
              : LLVMBuildFAdd(e->builder, sum, LLVMBuildFMul(e->builder, arg[0], arg[1], ""), "");
  }
  return sum;
}

/* Both products at once. */
static LLVMValueRef dot_pairs(struct llvm__emit *e, LLVMValueRef sum, LLVMValueRef row,
                              LLVMValueRef columns)
{
  LLVMTypeRef halves = LLVMVectorType(LLVMBFloatTypeInContext(e->context), 2 * LANES);
  LLVMValueRef arg[] = {sum, LLVMBuildBitCast(e->builder, row, halves, ""),
                        LLVMBuildBitCast(e->builder, columns, halves, "")};
  return llvm__intrinsic(e, "llvm.x86.avx512bf16.dpbf16ps.512", 0, NULL, 3, arg);
}

/* A tile's sums take all registers but a few. In LLVM's order for any CPU with AVX-512 two rows are broadcast at
 * a time, and a sum goes to memory and back in every step; in its order for Zen 4 one row is. */
static void save_registers(struct llvm__emit *e)
{
  if (e->machine.dot && e->machine.vector_bytes == 64)
    cpu__text_attribute(e, e->function, "tune-cpu", "znver4");
}

LLVMValueRef cpu__intrinsic(struct llvm__emit *e, const struct tir_stmt *call, LLVMValueRef sum)
{
  const char *name = call->call.intrin->name;
  bool each = strstr(name, ".each.") != NULL, is_signed = strstr(name, ".s8s8") != NULL;
  LLVMValueRef row = each ? load_rows(e, call) : load_row(e, call);
  LLVMValueRef columns = load_vector(e, call, 2);
  if (!strcmp(name, "x86.dot2.bf16"))
    return e->machine.bf16 ? dot_pairs(e, sum, row, columns) : dot_floats(e, call, sum, columns);
  if (is_signed)
    return dot_words(e, sum, row, true, columns);
  if (strstr(name, ".offset"))
    row = offset(e, row);
  if (!each)
    save_registers(e);
  return e->machine.dot ? dot_bytes(e, sum, row, columns) : dot_words(e, sum, row, false, columns);
}
