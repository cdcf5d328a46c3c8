/* SPDX-License-Identifier: Apache-2.0 */
/* A reduction whose loops are bound to threads: each thread combines its part in a register, the
 * threads of a warp exchange theirs, and the warps of a block meet in shared memory. */
#include "compiler/target/cuda/kernel.h"

struct reduction {
  const struct tir_stmt *store;
  int dim; /* the threads that share it */
  bool spread;
};

static bool places(const struct tir_stmt *store, const struct tir_var *var)
{
  for (int d = 0; d < store->store.buffer->rank; d++)
    if (llvm__uses(store->store.index[d], var))
      return true;
  return false;
}

static bool find(const struct tir_stmt *s, struct reduction *r)
{
  const struct tir_stmt *outermost = s;
  for (; s->kind == TIR_FOR; s = s->f.body)
    if (s->f.loop == TIR_BOUND) {
      r->dim = s->f.bind - TIR_THREAD_X;
      r->spread = s->f.bind >= TIR_THREAD_X;
    }
  r->store = s;
  if (!r->spread || s->kind != TIR_STORE || s->store.combine == TIR_ASSIGN ||
      s->store.buffer->scope == TIR_REGISTER) /* each thread for itself */
    return false;
  for (s = outermost; s->kind == TIR_FOR; s = s->f.body)
    if (places(r->store, s->f.var))
      return false;
  return true;
}

int cuda__reduces(const struct tir_stmt *s)
{
  struct reduction r = {.dim = 0};
  return s->kind == TIR_FOR && find(s, &r) ? r.dim : -1;
}

/* The loops around another store. */
static struct tir_stmt *around(struct tsr_arena *a, const struct tir_stmt *s,
                               struct tir_stmt *store)
{
  if (s->kind != TIR_FOR)
    return store;
  struct tir_stmt *copy = tsr_arena_copy(a, s, sizeof *s);
  copy->f.body = around(a, s->f.body, store);
  return copy;
}

/* --- exchanging ------------------------------------------------------------------------------- */

static LLVMValueRef shuffle_word(struct cuda__kernel *k, LLVMValueRef v, int distance)
{
  LLVMValueRef arg[4] = {llvm__i32(&k->e, -1), v, llvm__i32(&k->e, distance),
                         llvm__i32(&k->e, CUDA__WARP - 1)};
  return llvm__intrinsic(&k->e, "llvm.nvvm.shfl.sync.bfly.i32", 0, NULL, 4, arg);
}

/* The value of the thread whose lane differs in bit `distance`. */
static LLVMValueRef shuffle(struct cuda__kernel *k, enum tsr_dtype dtype, LLVMValueRef v,
                            int distance)
{
  LLVMBuilderRef b = k->e.builder;
  LLVMTypeRef type = LLVMTypeOf(v), word = LLVMInt32TypeInContext(k->e.context);
  unsigned bits = 8 * (unsigned)tsr_dtype_bytes(dtype);
  LLVMTypeRef whole = LLVMIntTypeInContext(k->e.context, bits);
  LLVMValueRef x = LLVMBuildBitCast(b, v, whole, "");
  if (bits <= 32) {
    x = shuffle_word(k, LLVMBuildZExt(b, x, word, ""), distance);
    return LLVMBuildBitCast(b, LLVMBuildTrunc(b, x, whole, ""), type, "");
  }
  LLVMTypeRef pair = LLVMVectorType(word, 2);
  LLVMValueRef halves = LLVMBuildBitCast(b, x, pair, ""), out = LLVMGetPoison(pair);
  for (int i = 0; i < 2; i++) {
    LLVMValueRef one = LLVMBuildExtractElement(b, halves, llvm__i32(&k->e, i), "");
    out = LLVMBuildInsertElement(b, out, shuffle_word(k, one, distance), llvm__i32(&k->e, i), "");
  }
  return LLVMBuildBitCast(b, LLVMBuildBitCast(b, out, whole, ""), type, "");
}

/* All lanes get what the `lanes` next to one another have. */
static LLVMValueRef of_lanes(struct cuda__kernel *k, const struct reduction *r, LLVMValueRef v,
                             unsigned lanes)
{
  enum tsr_dtype dtype = r->store->store.buffer->dtype;
  for (unsigned n = lanes / 2; n; n /= 2)
    v = llvm__combine(&k->e, r->store->store.combine, dtype, v, shuffle(k, dtype, v, (int)n));
  return v;
}

/* The warps' results by way of shared memory; the first warp has the whole. */
static LLVMValueRef of_block(struct cuda__kernel *k, const struct reduction *r, LLVMValueRef v)
{
  struct llvm__emit *e = &k->e;
  LLVMBuilderRef b = e->builder;
  enum tsr_dtype dtype = r->store->store.buffer->dtype;
  unsigned warps = k->block[r->dim] / CUDA__WARP;
  LLVMTypeRef type = llvm__memory_type(e, dtype);
  LLVMValueRef thread = cuda__thread(k, r->dim), meeting = cuda__shared(k, 8 * CUDA__WARP, 16);
  LLVMValueRef lane = LLVMBuildAnd(b, thread, llvm__i32(e, CUDA__WARP - 1), "");
  LLVMValueRef warp = LLVMBuildLShr(b, thread, llvm__i32(e, 5), "");
  LLVMBasicBlockRef writes = llvm__block(e, "writes"), written = llvm__block(e, "written");
  cuda__barrier(k); /* what was read there before has been */
  LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, lane, llvm__i32(e, 0), ""), writes, written);
  LLVMPositionBuilderAtEnd(b, writes);
  LLVMBuildStore(b, v, LLVMBuildGEP2(b, type, meeting, &warp, 1, ""));
  LLVMBuildBr(b, written);
  LLVMPositionBuilderAtEnd(b, written);
  cuda__barrier(k);
  LLVMValueRef mine = LLVMBuildAnd(b, lane, llvm__i32(e, (int)warps - 1), "");
  return of_lanes(k, r, LLVMBuildLoad2(b, type, LLVMBuildGEP2(b, type, meeting, &mine, 1, ""), ""),
                  warps);
}

/* --- emitting --------------------------------------------------------------------------------- */

static LLVMValueRef partial(struct cuda__kernel *k, const struct tir_stmt *s,
                            const struct reduction *r)
{
  struct llvm__emit *e = &k->e;
  struct tir_buffer *b = TSR_NEW(e->arena, struct tir_buffer);
  struct tir_stmt *store = tsr_arena_copy(e->arena, r->store, sizeof *r->store);
  *b = (struct tir_buffer){
      .name = "partial", .dtype = r->store->store.buffer->dtype, .scope = TIR_REGISTER};
  store->store.buffer = b;
  e->place = TSR_GROW(e->arena, e->place, e->places, &e->place_capacity);
  LLVMValueRef local = llvm__local(e, llvm__memory_type(e, b->dtype), "partial");
  e->place[e->places++] = (struct llvm__place){.buffer = b, .base = local};
  LLVMBuildStore(e->builder, llvm__neutral(e, store->store.combine, b->dtype), local);
  cuda__stmt(e, around(e->arena, s, store));
  e->places--;
  return LLVMBuildLoad2(e->builder, llvm__memory_type(e, b->dtype), local, "");
}

/* The first thread adds the whole to what is there. */
static void add_whole(struct cuda__kernel *k, const struct reduction *r, LLVMValueRef whole)
{
  struct llvm__emit *e = &k->e;
  const struct tir_stmt *s = r->store;
  enum tsr_dtype dtype = s->store.buffer->dtype;
  LLVMBasicBlockRef then = llvm__block(e, "first"), done = llvm__block(e, "reduced");
  struct llvm__scope scope;
  bool guard;
  LLVMBuildCondBr(
      e->builder,
      LLVMBuildICmp(e->builder, LLVMIntEQ, cuda__thread(k, r->dim), llvm__i32(e, 0), ""), then,
      done);
  LLVMPositionBuilderAtEnd(e->builder, then);
  llvm__scope_open(e, &scope);
  struct llvm__address at = llvm__address(e, s->store.buffer, s->store.index, &guard);
  LLVMValueRef old = llvm__load_at(e, dtype, &at, false);
  llvm__store_at(e, dtype, &at, llvm__combine(e, s->store.combine, dtype, old, whole));
  llvm__scope_close(e);
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
}

bool cuda__reduce(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct reduction r = {.dim = 0};
  if (!find(s, &r))
    return false;
  LLVMValueRef v = partial(k, s, &r);
  unsigned threads = k->block[r.dim];
  v = of_lanes(k, &r, v, threads < CUDA__WARP ? threads : CUDA__WARP);
  if (threads > CUDA__WARP)
    v = of_block(k, &r, v);
  add_whole(k, &r, v);
  return true;
}
