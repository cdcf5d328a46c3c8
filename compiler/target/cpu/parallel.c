/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a program as functions of their own: loops that threads share out, and long sums, whose
 * tile then has all registers.
 *
 * A loop of threads becomes a call of tsr_parallel (native/parallel.h) with a context of eight-byte words:
 * the address of each buffer, then the value of each loop around. Buffers that live in the loop lie
 * in memory of the thread. */
#include "compiler/target/cpu/function.h"

/* What changes while another function is being made. */
struct outer {
  LLVMValueRef function, *base, value[LLVM__MOST_DEPTH];
  struct llvm__kept kept;
  LLVMBasicBlockRef entry, outside, here;
};

static LLVMTypeRef word(struct llvm__emit *e)
{
  return LLVMInt64TypeInContext(e->context);
}

static LLVMTypeRef pointer(struct llvm__emit *e)
{
  return LLVMPointerTypeInContext(e->context, 0);
}

static void keep_outer(struct llvm__emit *e, struct outer *o)
{
  *o = (struct outer){.function = e->function,
                      .kept = e->kept,
                      .base = TSR_NEW_ARRAY(e->arena, LLVMValueRef, e->places + 1),
                      .entry = e->entry,
                      .outside = e->outside,
                      .here = LLVMGetInsertBlock(e->builder)};
  for (int i = 0; i < e->places; i++)
    o->base[i] = e->place[i].base;
  for (int i = 0; i < e->depth; i++)
    o->value[i] = e->value[i];
}

static void restore_outer(struct llvm__emit *e, const struct outer *o)
{
  e->function = o->function;
  e->kept = o->kept;
  e->entry = o->entry;
  e->outside = o->outside;
  for (int i = 0; i < e->places; i++)
    e->place[i].base = o->base[i];
  for (int i = 0; i < e->depth; i++)
    e->value[i] = o->value[i];
  LLVMPositionBuilderAtEnd(e->builder, o->here);
}

/* Each buffer and each value as an argument of its own, then `more` words. */
static LLVMTypeRef body_type(struct llvm__emit *e, int more)
{
  int n = e->places + e->depth + more;
  LLVMTypeRef *arg = TSR_NEW_ARRAY(e->arena, LLVMTypeRef, n + 1);
  for (int i = 0; i < n; i++)
    arg[i] = i < e->places ? pointer(e) : word(e);
  return LLVMFunctionType(LLVMInt32TypeInContext(e->context), arg, (unsigned)n, 0);
}

static LLVMValueRef emit_body(struct llvm__emit *e, const char *name, LLVMTypeRef type,
                              llvm__emission *emit, void *context)
{
  LLVMValueRef f = e->function = cpu__add_function(e, name, type, true);
  e->kept = (struct llvm__kept){{NULL}};
  for (int i = 0; i < e->places; i++) {
    e->place[i].base = LLVMGetParam(f, (unsigned)i);
    cpu__attribute(e, f, (LLVMAttributeIndex)i + 1, "noalias");
  }
  for (int i = 0; i < e->depth; i++)
    e->value[i] = LLVMGetParam(f, (unsigned)(e->places + i));
  LLVMBasicBlockRef start = cpu__open_function(e);
  emit(e, context);
  cpu__close_function(e, start);
  return f;
}

/* Leaves the function, too, where the one that was called had to. */
static void check(struct llvm__emit *e, LLVMValueRef result)
{
  LLVMValueRef bad = LLVMBuildICmp(e->builder, LLVMIntNE, result, llvm__i32(e, 0), "");
  LLVMBasicBlockRef inside = llvm__block(e, "inside");
  LLVMBuildCondBr(e->builder, bad, e->outside, inside);
  LLVMPositionBuilderAtEnd(e->builder, inside);
}

static const char *name_of(struct llvm__emit *e, const char *part)
{
  return tsr_arena_printf(e->arena, "%s.%s", LLVMGetValueName(e->function), part);
}

void cpu__outline(struct llvm__emit *e, llvm__emission *emit, void *context)
{
  struct outer outer;
  LLVMTypeRef type = body_type(e, 0);
  int n = e->places + e->depth;
  LLVMValueRef *arg = TSR_NEW_ARRAY(e->arena, LLVMValueRef, n + 1);
  keep_outer(e, &outer);
  LLVMValueRef f = emit_body(e, name_of(e, "tile"), type, emit, context);
  restore_outer(e, &outer);
  for (int i = 0; i < n; i++)
    arg[i] = i < e->places ? e->place[i].base : e->value[i - e->places];
  check(e, LLVMBuildCall2(e->builder, type, f, arg, (unsigned)n, ""));
}

/* --- threads ---------------------------------------------------------------------------------- */

/* Iterations from..to-1, the function's last arguments. */
static void emit_iterations(struct llvm__emit *e, void *context)
{
  const struct tir_stmt *s = context;
  unsigned n = (unsigned)(e->places + e->depth);
  LLVMValueRef from = LLVMGetParam(e->function, n), to = LLVMGetParam(e->function, n + 1);
  int64_t most = llvm__most(e, s->f.extent);
  struct llvm__loop loop = llvm__loop_begin(e, from, to, 1);
  llvm__bind(e, s->f.var, 0, most ? most - 1 : INT64_MAX, loop.counter);
  llvm__stmt(e, s->f.body);
  llvm__unbind(e);
  llvm__loop_end(e, &loop, to, 1);
}

/* The function that tsr_parallel calls: unpacks the context. */
static LLVMValueRef emit_share(struct llvm__emit *e, const char *name, LLVMValueRef body,
                               LLVMTypeRef type)
{
  LLVMTypeRef args[] = {pointer(e), word(e), word(e), word(e)};
  LLVMTypeRef signature = LLVMFunctionType(LLVMInt32TypeInContext(e->context), args, 4, 0);
  LLVMValueRef f = cpu__add_function(e, name, signature, true);
  int n = e->places + e->depth;
  LLVMValueRef *given = TSR_NEW_ARRAY(e->arena, LLVMValueRef, n + 2);
  LLVMPositionBuilderAtEnd(e->builder, LLVMAppendBasicBlockInContext(e->context, f, "entry"));
  LLVMValueRef mine =
      LLVMBuildMul(e->builder, LLVMGetParam(f, 3), llvm__i64(e, (int64_t)e->private_bytes), "");
  for (int i = 0; i < n; i++) {
    LLVMTypeRef t = i < e->places ? pointer(e) : word(e);
    LLVMValueRef at = llvm__i64(e, i);
    at = LLVMBuildGEP2(e->builder, word(e), LLVMGetParam(f, 0), &at, 1, "");
    given[i] = LLVMBuildLoad2(e->builder, t, at, "");
    if (i < e->places && e->place[i].is_private)
      given[i] =
          LLVMBuildGEP2(e->builder, LLVMInt8TypeInContext(e->context), given[i], &mine, 1, "");
  }
  given[n] = LLVMGetParam(f, 1);
  given[n + 1] = LLVMGetParam(f, 2);
  LLVMBuildRet(e->builder, LLVMBuildCall2(e->builder, type, body, given, (unsigned)n + 2, ""));
  return f;
}

static LLVMValueRef emit_context(struct llvm__emit *e)
{
  int n = e->places + e->depth;
  LLVMValueRef context = llvm__local(e, LLVMArrayType(word(e), (unsigned)n + 1), "context");
  for (int i = 0; i < n; i++) {
    LLVMValueRef at = llvm__i64(e, i);
    LLVMBuildStore(e->builder, i < e->places ? e->place[i].base : e->value[i - e->places],
                   LLVMBuildGEP2(e->builder, word(e), context, &at, 1, ""));
  }
  return context;
}

static LLVMValueRef parallel_of(struct llvm__emit *e, LLVMTypeRef type)
{
  LLVMValueRef f = LLVMGetNamedFunction(e->module, "tsr_parallel");
  return f ? f : LLVMAddFunction(e->module, "tsr_parallel", type);
}

bool cpu__parallel(struct llvm__emit *e, const struct tir_stmt *s)
{
  if (s->f.loop != TIR_PARALLEL || e->shared || s->f.extent->op != TIR_INT)
    return false;
  struct outer outer;
  LLVMTypeRef type = body_type(e, 2);
  const char *name = name_of(e, s->f.var->name);
  keep_outer(e, &outer);
  e->shared = true;
  LLVMValueRef body = emit_body(e, name, type, emit_iterations, (void *)(uintptr_t)s);
  LLVMValueRef share = emit_share(e, tsr_arena_printf(e->arena, "%s.share", name), body, type);
  e->shared = false;
  restore_outer(e, &outer);
  LLVMTypeRef args[] = {pointer(e), pointer(e), word(e), word(e)};
  LLVMTypeRef signature = LLVMFunctionType(LLVMInt32TypeInContext(e->context), args, 4, 0);
  LLVMValueRef arg[] = {share, emit_context(e), llvm__i64(e, s->f.extent->i), e->threads};
  check(e, LLVMBuildCall2(e->builder, signature, parallel_of(e, signature), arg, 4, ""));
  return true;
}
