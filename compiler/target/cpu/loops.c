/* SPDX-License-Identifier: Apache-2.0 */
/* Statements as they stand. */
#include <assert.h>

#include "compiler/target/cpu/emit.h"

void cpu__bind(struct cpu__emit *e, const struct tir_var *var, int64_t lo, int64_t hi,
               LLVMValueRef value)
{
  assert(e->depth < CPU__MOST_DEPTH);
  e->range[e->depth] = (struct tir__range){var, lo, hi < lo ? lo : hi};
  e->value[e->depth++] = value;
}

void cpu__unbind(struct cpu__emit *e)
{
  e->depth--;
}

int64_t cpu__most(struct cpu__emit *e, tir_e extent)
{
  int64_t lo, hi;
  return tir__interval(extent, e->depth, e->range, &lo, &hi) && hi > 0 ? hi : 0;
}

struct cpu__loop cpu__loop_begin(struct cpu__emit *e, LLVMValueRef from, LLVMValueRef to,
                                 int64_t step)
{
  struct cpu__loop loop = {cpu__block(e, "loop"), cpu__block(e, "done"), NULL, NULL};
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
  LLVMValueRef first_end = LLVMBuildNSWAdd(e->builder, from, cpu__i64(e, step), "");
  LLVMValueRef any = LLVMBuildICmp(e->builder, LLVMIntSLE, first_end, to, "");
  LLVMBuildCondBr(e->builder, any, loop.head, loop.done);
  LLVMPositionBuilderAtEnd(e->builder, loop.head);
  loop.counter = LLVMBuildPhi(e->builder, LLVMTypeOf(from), "i");
  LLVMAddIncoming(loop.counter, &from, &before, 1);
  return loop;
}

void cpu__loop_end(struct cpu__emit *e, struct cpu__loop *loop, LLVMValueRef to, int64_t step)
{
  LLVMValueRef by = cpu__i64(e, step);
  LLVMBasicBlockRef last = LLVMGetInsertBlock(e->builder);
  LLVMValueRef next = LLVMBuildNSWAdd(e->builder, loop->counter, by, "");
  LLVMValueRef end = LLVMBuildNSWAdd(e->builder, next, by, "");
  LLVMAddIncoming(loop->counter, &next, &last, 1);
  LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLE, end, to, "");
  LLVMBuildCondBr(e->builder, more, loop->head, loop->done);
  LLVMPositionBuilderAtEnd(e->builder, loop->done);
}

/* The value of an expression on its own, outside of any store. */
static LLVMValueRef value_alone(struct cpu__emit *e, tir_e x)
{
  struct cpu__scope scope;
  cpu__scope_open(e, &scope);
  LLVMValueRef v = cpu__value(e, x);
  cpu__scope_close(e);
  return v;
}

void cpu__for(struct cpu__emit *e, const struct tir_stmt *s)
{
  int64_t most = cpu__most(e, s->f.extent);
  LLVMValueRef to = value_alone(e, s->f.extent);
  struct tir__fact fact = {
      .outer = e->facts, .var = tir_use(e->arena, s->f.var), .condition = s->f.extent};
  struct cpu__loop loop = cpu__loop_begin(e, cpu__i64(e, 0), to, 1);
  cpu__bind(e, s->f.var, 0, most ? most - 1 : INT64_MAX, loop.counter);
  if (s->f.extent->op != TIR_INT)
    e->facts = &fact;
  cpu__stmt(e, s->f.body);
  e->facts = fact.outer;
  cpu__unbind(e);
  cpu__loop_end(e, &loop, to, 1);
}

void cpu__store(struct cpu__emit *e, const struct tir_stmt *s)
{
  const struct tir_buffer *b = s->store.buffer;
  bool guarded;
  struct cpu__scope scope;
  cpu__scope_open(e, &scope);
  LLVMValueRef value = cpu__value(e, s->store.value);
  struct cpu__address at = cpu__address(e, b, s->store.index, &guarded);
  if (s->store.combine != TIR_ASSIGN) {
    LLVMValueRef old = cpu__load_at(e, b->dtype, &at, false);
    value = cpu__combine(e, s->store.combine, b->dtype, old, value);
  }
  cpu__store_at(e, b->dtype, &at, value);
  cpu__scope_close(e);
}

static void emit_if(struct cpu__emit *e, const struct tir_stmt *s)
{
  struct tir__fact fact = {.outer = e->facts, .condition = s->when.condition};
  LLVMBasicBlockRef then = cpu__block(e, "if"), done = cpu__block(e, "endif");
  LLVMBuildCondBr(e->builder, value_alone(e, s->when.condition), then, done);
  LLVMPositionBuilderAtEnd(e->builder, then);
  e->facts = &fact;
  cpu__stmt(e, s->when.body);
  e->facts = fact.outer;
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
}

void cpu__stmt(struct cpu__emit *e, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR:
    if (!cpu__tile(e, s) && !cpu__vector(e, s))
      cpu__for(e, s);
    break;
  case TIR_STORE: cpu__store(e, s); break;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      cpu__stmt(e, s->block.stmt[i]);
    break;
  case TIR_ALLOC: /* no schedule of this target pads: what is read was written before */
    cpu__stmt(e, s->alloc.body);
    break;
  case TIR_CALL: cpu__stmt(e, s->call.semantics); break;
  case TIR_IF: emit_if(e, s); break;
  }
}
