/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of a block of threads. What is in no loop over the threads of a dim is done by the
 * first of them, or by all where the result is in registers. */
#include "compiler/target/cuda/kernel.h"

enum { SWIZZLE_BYTES = 1024 }; /* where a TMA unit wants what it swizzles to begin */

static struct cuda__kernel *kernel_of(struct llvm__emit *e)
{
  return (struct cuda__kernel *)e;
}

static LLVMValueRef number(struct cuda__kernel *k, enum tir_bind bind)
{
  static const char *const names[TIR_BIND_COUNT] = {
      "llvm.nvvm.read.ptx.sreg.ctaid.x", "llvm.nvvm.read.ptx.sreg.ctaid.y",
      "llvm.nvvm.read.ptx.sreg.ctaid.z", "llvm.nvvm.read.ptx.sreg.tid.x",
      "llvm.nvvm.read.ptx.sreg.tid.y",   "llvm.nvvm.read.ptx.sreg.tid.z"};
  return llvm__intrinsic(&k->e, names[bind], 0, NULL, 0, NULL);
}

LLVMValueRef cuda__thread(struct cuda__kernel *k, int dim)
{
  return number(k, (enum tir_bind)(TIR_THREAD_X + dim));
}

void cuda__barrier(struct cuda__kernel *k)
{
  llvm__intrinsic(&k->e, "llvm.nvvm.barrier0", 0, NULL, 0, NULL);
}

LLVMValueRef cuda__shared(struct cuda__kernel *k, uint64_t bytes, uint64_t alignment)
{
  k->shared_bytes = (k->shared_bytes + alignment - 1) & -alignment;
  LLVMValueRef at = llvm__i32(&k->e, (int32_t)k->shared_bytes);
  k->shared_bytes += bytes;
  return LLVMBuildGEP2(k->e.builder, LLVMInt8TypeInContext(k->e.context), k->shared, &at, 1, "");
}

/* --- who does it ------------------------------------------------------------------------------ */

static bool stores_outside_of_registers(const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: return stores_outside_of_registers(s->f.body);
  case TIR_IF: return stores_outside_of_registers(s->when.body);
  case TIR_ALLOC: return stores_outside_of_registers(s->alloc.body);
  case TIR_CALL: return stores_outside_of_registers(s->call.semantics);
  case TIR_STORE: return s->store.buffer->scope != TIR_REGISTER;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      if (stores_outside_of_registers(s->block.stmt[i]))
        return true;
    return false;
  default: return false;
  }
}

/* Whether this thread is the first of each dim that no loop is bound to; NULL: there is no other. */
static LLVMValueRef is_first(struct cuda__kernel *k)
{
  LLVMValueRef all = NULL;
  for (int d = 0; d < CUDA__DIMS; d++) {
    if (k->bound[d] || k->block[d] == 1)
      continue;
    LLVMValueRef one =
        LLVMBuildICmp(k->e.builder, LLVMIntEQ, cuda__thread(k, d), llvm__i32(&k->e, 0), "");
    all = all ? LLVMBuildAnd(k->e.builder, all, one, "") : one;
  }
  return all;
}

static void guarded(struct llvm__emit *e, LLVMValueRef condition, const struct tir_stmt *s,
                    llvm__emit_stmt *emit)
{
  if (!condition) {
    emit(e, s);
    return;
  }
  LLVMBasicBlockRef then = llvm__block(e, "mine"), done = llvm__block(e, "joined");
  LLVMBuildCondBr(e->builder, condition, then, done);
  LLVMPositionBuilderAtEnd(e->builder, then);
  emit(e, s);
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
}

/* Something that each thread does alone. */
static void emit_leaf(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct llvm__emit *e = &k->e;
  LLVMValueRef first = stores_outside_of_registers(s) ? is_first(k) : NULL;
  e->stmt = llvm__stmt;
  guarded(e, first, s, llvm__stmt);
  e->stmt = cuda__stmt;
}

/* --- loops ------------------------------------------------------------------------------------ */

/* One iteration, whose variable is bound already; `of` iterations there are at least. */
static void emit_iteration(struct cuda__kernel *k, const struct tir_stmt *s, LLVMValueRef value,
                           int64_t of)
{
  struct llvm__emit *e = &k->e;
  struct tir__fact fact = {
      .outer = e->facts, .var = tir_use(e->arena, s->f.var), .condition = s->f.extent};
  LLVMValueRef inside = NULL;
  if (s->f.extent->op != TIR_INT)
    e->facts = &fact;
  if (s->f.extent->op != TIR_INT || s->f.extent->i < of)
    inside = LLVMBuildICmp(e->builder, LLVMIntSLT, value, llvm__value_alone(e, s->f.extent), "");
  guarded(e, inside, s->f.body, cuda__stmt);
  e->facts = fact.outer;
}

static void emit_bound(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct llvm__emit *e = &k->e;
  int64_t most = llvm__most(e, s->f.extent);
  bool thread = s->f.bind >= TIR_THREAD_X;
  int dim = s->f.bind - (thread ? TIR_THREAD_X : TIR_BLOCK_X);
  LLVMValueRef value = LLVMBuildZExt(e->builder, number(k, s->f.bind),
                                     LLVMInt64TypeInContext(e->context), s->f.var->name);
  llvm__bind(e, s->f.var, 0, most - 1, value);
  e->thread[e->depth - 1] = thread;
  if (thread)
    k->bound[dim] = true;
  emit_iteration(k, s, value, thread ? k->block[dim] : k->grid[dim]);
  if (thread)
    k->bound[dim] = false;
  llvm__unbind(e);
}

static void emit_unrolled(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct llvm__emit *e = &k->e;
  int64_t most = llvm__most(e, s->f.extent);
  for (int64_t i = 0; i < most; i++) {
    LLVMValueRef value = llvm__i64(e, i);
    llvm__bind(e, s->f.var, i, i, value);
    emit_iteration(k, s, value, 0);
    llvm__unbind(e);
  }
}

/* Whether each thread can do it alone. */
static bool is_leaf(const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_STORE: return true;
  case TIR_FOR: return (s->f.loop == TIR_SERIAL || s->f.loop == TIR_PIPELINE) && is_leaf(s->f.body);
  case TIR_IF: return is_leaf(s->when.body);
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      if (!is_leaf(s->block.stmt[i]))
        return false;
    return true;
  default: return false;
  }
}

static void emit_for(struct cuda__kernel *k, const struct tir_stmt *s)
{
  if (s->f.loop == TIR_UNROLL)
    emit_unrolled(k, s);
  else if (cuda__reduce(k, s))
    return;
  else if (s->f.loop == TIR_BOUND)
    emit_bound(k, s);
  else
    llvm__for(&k->e, s);
}

/* --- buffers ---------------------------------------------------------------------------------- */

static uint64_t bytes_of(const struct tir_buffer *b)
{
  return (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

/* Whether a call in s reads the buffer: ldmatrix does. */
static bool is_fetched(const struct tir_stmt *s, const struct tir_buffer *b)
{
  switch (s->kind) {
  case TIR_FOR: return is_fetched(s->f.body, b);
  case TIR_ALLOC: return is_fetched(s->alloc.body, b);
  case TIR_IF: return is_fetched(s->when.body, b);
  case TIR_CALL: return s->call.buffer[1] == b;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      if (is_fetched(s->block.stmt[i], b))
        return true;
    return false;
  default: return false;
  }
}

/* Rows of 32 bytes and more that pass through ldmatrix, 8 at a time: a line of banks, 128 bytes, has
 * several of the short ones. */
static void set_swizzle(struct llvm__place *p)
{
  const struct tir_buffer *b = p->buffer;
  int64_t bytes = b->rank < 2 ? 0 : b->dims[b->rank - 1] * (int64_t)tsr_dtype_bytes(b->dtype);
  for (int row = 5; row <= 9; row++)
    if (bytes == INT64_C(1) << row) {
      p->swizzle = row < 7 ? (1 << (row - 4)) - 1 : 7;
      p->row = row < 7 ? 7 : row;
    }
}

/* Whether a call in s starts the buffer's sums, which then are zero to begin with. */
static bool is_started(const struct tir_stmt *s, const struct tir_buffer *b)
{
  switch (s->kind) {
  case TIR_FOR: return is_started(s->f.body, b);
  case TIR_ALLOC: return is_started(s->alloc.body, b);
  case TIR_IF: return is_started(s->when.body, b);
  case TIR_CALL: return s->call.buffer[0] == b && s->call.init;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      if (is_started(s->block.stmt[i], b))
        return true;
    return false;
  default: return false;
  }
}

static LLVMValueRef registers(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct llvm__emit *e = &k->e;
  const struct tir_buffer *b = s->alloc.buffer;
  LLVMTypeRef type =
      LLVMArrayType2(llvm__memory_type(e, b->dtype), (uint64_t)tsr_count(b->dims, b->rank, 1));
  LLVMValueRef v = llvm__local(e, type, b->name);
  LLVMSetAlignment(v, 16);
  if (is_started(s->alloc.body, b))
    LLVMBuildMemSet(e->builder, v, LLVMConstInt(LLVMInt8TypeInContext(e->context), 0, 0),
                    llvm__i64(e, (int64_t)bytes_of(b)), 16);
  return v;
}

static void emit_alloc(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct llvm__emit *e = &k->e;
  const struct tir_buffer *b = s->alloc.buffer;
  e->place = TSR_GROW(e->arena, e->place, e->places, &e->place_capacity);
  struct llvm__place *p = &e->place[e->places++];
  *p = (struct llvm__place){.buffer = b};
  if (b->scope == TIR_SHARED) {
    p->base = cuda__shared(k, (bytes_of(b) + 15) / 16 * 16, SWIZZLE_BYTES);
    if (is_fetched(s->alloc.body, b))
      set_swizzle(p);
  } else {
    p->base = registers(k, s);
  }
  cuda__stmt(e, s->alloc.body);
  e->places--;
}

void cuda__stmt(struct llvm__emit *e, const struct tir_stmt *s)
{
  struct cuda__kernel *k = kernel_of(e);
  if (cuda__async(k, s))
    return;
  if (is_leaf(s)) {
    emit_leaf(k, s);
    return;
  }
  switch (s->kind) {
  case TIR_FOR: emit_for(k, s); break;
  case TIR_IF: llvm__if(e, s); break;
  case TIR_ALLOC: emit_alloc(k, s); break;
  case TIR_BARRIER: cuda__barrier(k); break;
  case TIR_CALL: cuda__call(k, s); break;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      cuda__stmt(e, s->block.stmt[i]);
    break;
  case TIR_COMMIT: cuda__commit(k); break;
  case TIR_WAIT: cuda__wait(k, s->groups); break;
  case TIR_STORE: break;
  }
}
