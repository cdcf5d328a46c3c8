/* SPDX-License-Identifier: Apache-2.0 */
/* Statements as they stand. */
#include <assert.h>
#include <llvm-c/DebugInfo.h>

#include "compiler/target/llvm/emit.h"

void llvm__bind(struct llvm__emit *e, const struct tir_var *var, int64_t lo, int64_t hi,
                LLVMValueRef value)
{
  assert(e->depth < LLVM__MOST_DEPTH);
  e->range[e->depth] = (struct tir__range){var, lo, hi < lo ? lo : hi};
  e->thread[e->depth] = false;
  e->value[e->depth++] = value;
}

void llvm__unbind(struct llvm__emit *e)
{
  e->depth--;
}

int64_t llvm__most(struct llvm__emit *e, tir_e extent)
{
  int64_t lo, hi;
  return tir__interval(extent, e->depth, e->range, &lo, &hi) && hi > 0 ? hi : 0;
}

struct llvm__loop llvm__loop_begin(struct llvm__emit *e, LLVMValueRef from, LLVMValueRef to,
                                   int64_t step)
{
  struct llvm__loop loop = {llvm__block(e, "loop"), llvm__block(e, "done"), NULL, NULL};
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
  LLVMValueRef first_end = LLVMBuildNSWAdd(e->builder, from, llvm__i64(e, step), "");
  LLVMValueRef any = LLVMBuildICmp(e->builder, LLVMIntSLE, first_end, to, "");
  LLVMBuildCondBr(e->builder, any, loop.head, loop.done);
  LLVMPositionBuilderAtEnd(e->builder, loop.head);
  loop.counter = LLVMBuildPhi(e->builder, LLVMTypeOf(from), "i");
  LLVMAddIncoming(loop.counter, &from, &before, 1);
  return loop;
}

/* Marks a loop to be laid out in full. */
static void lay_out(struct llvm__emit *e, LLVMValueRef branch)
{
  static const char full[] = "llvm.loop.unroll.full";
  LLVMMetadataRef hint = LLVMMDStringInContext2(e->context, full, sizeof full - 1);
  LLVMMetadataRef md[2] = {LLVMTemporaryMDNode(e->context, NULL, 0),
                           LLVMMDNodeInContext2(e->context, &hint, 1)};
  LLVMMetadataRef loop = LLVMMDNodeInContext2(e->context, md, 2); /* its first operand is itself */
  LLVMMetadataReplaceAllUsesWith(md[0], loop);
  LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(e->context, "llvm.loop", 9),
                  LLVMMetadataAsValue(e->context, loop));
}

void llvm__loop_end(struct llvm__emit *e, struct llvm__loop *loop, LLVMValueRef to, int64_t step)
{
  LLVMValueRef by = llvm__i64(e, step);
  LLVMBasicBlockRef last = LLVMGetInsertBlock(e->builder);
  LLVMValueRef next = LLVMBuildNSWAdd(e->builder, loop->counter, by, "");
  LLVMValueRef end = LLVMBuildNSWAdd(e->builder, next, by, "");
  LLVMAddIncoming(loop->counter, &next, &last, 1);
  LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLE, end, to, "");
  LLVMValueRef branch = LLVMBuildCondBr(e->builder, more, loop->head, loop->done);
  if (e->stmt == llvm__stmt && LLVMIsAConstantInt(to) &&
      LLVMConstIntGetSExtValue(to) <= (int64_t)e->machine.unroll * step)
    lay_out(e, branch);
  LLVMPositionBuilderAtEnd(e->builder, loop->done);
}

static void emit_whole(struct llvm__emit *e, const struct tir_stmt *s)
{
  int64_t most = llvm__most(e, s->f.extent);
  LLVMValueRef to = llvm__value_alone(e, s->f.extent);
  struct tir__fact fact = {
      .outer = e->facts, .var = tir_use(e->arena, s->f.var), .condition = s->f.extent};
  struct llvm__loop loop = llvm__loop_begin(e, llvm__i64(e, 0), to, 1);
  llvm__bind(e, s->f.var, 0, most ? most - 1 : INT64_MAX, loop.counter);
  if (s->f.extent->op != TIR_INT)
    e->facts = &fact;
  e->stmt(e, s->f.body);
  e->facts = fact.outer;
  llvm__unbind(e);
  llvm__loop_end(e, &loop, to, 1);
}

static void emit_part(struct llvm__emit *e, const struct tir_stmt *s, int64_t from, int64_t to)
{
  if (llvm__transpose(e, s, from, to))
    return;
  struct llvm__loop loop = llvm__loop_begin(e, llvm__i64(e, from), llvm__i64(e, to), 1);
  llvm__bind(e, s->f.var, from, to - 1, loop.counter);
  e->stmt(e, s->f.body);
  llvm__unbind(e);
  llvm__loop_end(e, &loop, llvm__i64(e, to), 1);
}

/* Loops around stores are written once for each part in which their conditions don't change: two of
 * a nest at most, and of few parts. Not where lanes are few: there a condition costs little. */
static bool emit_cut(struct llvm__emit *e, const struct tir_stmt *s)
{
  enum { MOST_CUT = 2, MOST_PARTS = 6 };
  struct llvm__cuts cuts = {.var = s->f.var, .extent = s->f.extent->i};
  if (e->machine.lanes || s->f.extent->op != TIR_INT || e->cut == MOST_CUT ||
      !llvm__cut_stmt(&cuts, s->f.body) || !cuts.n || cuts.n >= MOST_PARTS)
    return false;
  e->cut++;
  for (int i = 0; i <= cuts.n; i++)
    emit_part(e, s, i ? cuts.at[i - 1] : 0, i < cuts.n ? cuts.at[i] : s->f.extent->i);
  e->cut--;
  return true;
}

static void emit_unrolled(struct llvm__emit *e, const struct tir_stmt *s)
{
  for (int64_t at = 0; at < s->f.extent->i; at++) {
    llvm__bind(e, s->f.var, at, at, llvm__i64(e, at));
    e->stmt(e, s->f.body);
    llvm__unbind(e);
  }
}

void llvm__for(struct llvm__emit *e, const struct tir_stmt *s)
{
  if (!e->machine.lanes && s->f.loop == TIR_UNROLL && s->f.extent->op == TIR_INT)
    emit_unrolled(e, s);
  else if (!emit_cut(e, s))
    emit_whole(e, s);
}

void llvm__store(struct llvm__emit *e, const struct tir_stmt *s)
{
  const struct tir_buffer *b = s->store.buffer;
  bool guarded;
  struct llvm__scope scope;
  llvm__scope_open(e, &scope);
  LLVMValueRef value = llvm__value(e, s->store.value);
  struct llvm__address at = llvm__address(e, b, s->store.index, &guarded);
  if (s->store.combine != TIR_ASSIGN) {
    LLVMValueRef old = llvm__load_at(e, b->dtype, &at, false);
    value = llvm__combine(e, s->store.combine, b->dtype, old, value);
  }
  llvm__store_at(e, b->dtype, &at, value);
  llvm__scope_close(e);
}

void llvm__if(struct llvm__emit *e, const struct tir_stmt *s)
{
  struct tir__fact fact = {.outer = e->facts, .condition = s->when.condition};
  LLVMBasicBlockRef then = llvm__block(e, "if"), done = llvm__block(e, "endif");
  LLVMBuildCondBr(e->builder, llvm__value_alone(e, s->when.condition), then, done);
  LLVMPositionBuilderAtEnd(e->builder, then);
  e->facts = &fact;
  e->stmt(e, s->when.body);
  e->facts = fact.outer;
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
}

/* Statements in order; loops that only give a reduction its initial values become part of it. */
static void emit_block(struct llvm__emit *e, const struct tir_stmt *s)
{
  struct tir_stmt **stmt = s->block.stmt;
  for (int i = 0; i < s->block.count; i++) {
    if (i + 1 < s->block.count && llvm__tile(e, stmt[i + 1], stmt[i]))
      i++;
    else
      llvm__stmt(e, stmt[i]);
  }
}

static void emit_loop(struct llvm__emit *e, const struct tir_stmt *s)
{
  int64_t extent = s->f.extent->op == TIR_INT ? s->f.extent->i : 0;
  if (!(e->share && e->share(e, s)) && !llvm__tile(e, s, NULL) && !llvm__unswitch(e, s) &&
      !(extent && llvm__transpose(e, s, 0, extent)) && !llvm__vector(e, s))
    llvm__for(e, s);
}

void llvm__stmt(struct llvm__emit *e, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: emit_loop(e, s); break;
  case TIR_STORE: llvm__store(e, s); break;
  case TIR_BLOCK: emit_block(e, s); break;
  case TIR_ALLOC: /* no schedule of this target pads: what is read was written before */
    llvm__stmt(e, s->alloc.body);
    break;
  case TIR_CALL: llvm__stmt(e, s->call.semantics); break;
  case TIR_IF: llvm__if(e, s); break;
  default: break; /* one thread has nothing to wait for */
  }
}
