/* SPDX-License-Identifier: Apache-2.0 */
/* A program as two functions: one that takes every buffer as a pointer of its own, none of which
 * overlap, and the one that is called, which has an array of them. */
#include <string.h>

#include "compiler/target/cpu/function.h"

enum { ALIGNMENT = 64 };

static uint64_t bytes_of(const struct tir_buffer *b)
{
  uint64_t bytes = (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void add_place(struct llvm__emit *e, const struct tir_buffer *b, uint64_t offset)
{
  e->place = TSR_GROW(e->arena, e->place, e->places, &e->place_capacity);
  e->place[e->places++] = (struct llvm__place){.buffer = b, .offset = offset};
}

/* Temporaries from `top` on, those of one time behind each other. Returns how far they reach. */
static uint64_t place_temporaries(struct llvm__emit *e, const struct tir_stmt *s, uint64_t top)
{
  uint64_t most = top, one;
  switch (s->kind) {
  case TIR_FOR: return place_temporaries(e, s->f.body, top);
  case TIR_IF: return place_temporaries(e, s->when.body, top);
  case TIR_CALL: return place_temporaries(e, s->call.semantics, top);
  case TIR_ALLOC:
    add_place(e, s->alloc.buffer, top);
    return place_temporaries(e, s->alloc.body, top + bytes_of(s->alloc.buffer));
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++) {
      one = place_temporaries(e, s->block.stmt[i], top);
      most = one > most ? one : most;
    }
    return most;
  default: return top;
  }
}

static void attribute(struct llvm__emit *e, LLVMValueRef f, LLVMAttributeIndex at, const char *name)
{
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(f, at, LLVMCreateEnumAttribute(e->context, kind, 0));
}

static void text_attribute(struct llvm__emit *e, LLVMValueRef f, const char *name,
                           const char *value)
{
  LLVMAttributeRef a = LLVMCreateStringAttribute(e->context, name, (unsigned)strlen(name), value,
                                                 (unsigned)strlen(value));
  LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

static LLVMValueRef add_function(struct llvm__emit *e, const char *name, LLVMTypeRef type)
{
  LLVMValueRef f = LLVMAddFunction(e->module, name, type);
  attribute(e, f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind");
  text_attribute(e, f, "no-builtins", "");
  text_attribute(e, f, "prefer-vector-width",
                 tsr_arena_printf(e->arena, "%d", 8 * e->machine.vector_bytes));
  return f;
}

static LLVMTypeRef body_type(struct llvm__emit *e)
{
  LLVMTypeRef pointer = LLVMPointerTypeInContext(e->context, 0);
  LLVMTypeRef *arg = TSR_NEW_ARRAY(e->arena, LLVMTypeRef, e->places + 1);
  for (int i = 0; i < e->places; i++)
    arg[i] = pointer;
  return LLVMFunctionType(LLVMInt32TypeInContext(e->context), arg, (unsigned)e->places, 0);
}

static void emit_body(struct llvm__emit *e, const struct tir_program *p)
{
  LLVMBasicBlockRef start;
  e->entry = llvm__block(e, "entry");
  e->outside = llvm__block(e, "outside");
  start = llvm__block(e, "start");
  LLVMPositionBuilderAtEnd(e->builder, start);
  llvm__stmt(e, p->body);
  LLVMBuildRet(e->builder, llvm__i32(e, 0));
  LLVMPositionBuilderAtEnd(e->builder, e->outside);
  LLVMBuildRet(e->builder, llvm__i32(e, 1));
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
  LLVMBuildBr(e->builder, start);
}

static void emit_caller(struct llvm__emit *e, const char *name, int params, LLVMTypeRef type)
{
  LLVMTypeRef pointer = LLVMPointerTypeInContext(e->context, 0), args[2] = {pointer, pointer};
  LLVMTypeRef byte = LLVMInt8TypeInContext(e->context);
  LLVMValueRef f =
      add_function(e, name, LLVMFunctionType(LLVMInt32TypeInContext(e->context), args, 2, 0));
  LLVMValueRef *given = TSR_NEW_ARRAY(e->arena, LLVMValueRef, e->places + 1);
  LLVMPositionBuilderAtEnd(e->builder, LLVMAppendBasicBlockInContext(e->context, f, "entry"));
  for (int i = 0; i < e->places; i++) {
    LLVMValueRef at = llvm__i64(e, i < params ? i : (int64_t)e->place[i].offset);
    given[i] = LLVMBuildGEP2(e->builder, i < params ? pointer : byte, LLVMGetParam(f, i >= params),
                             &at, 1, "");
    if (i < params)
      given[i] = LLVMBuildLoad2(e->builder, pointer, given[i], "");
  }
  LLVMBuildRet(e->builder,
               LLVMBuildCall2(e->builder, type, e->function, given, (unsigned)e->places, ""));
}

struct llvm__machine cpu__machine(enum tsr_level level)
{
  const struct tsr_level_info *info = tsr_level_info(level);
  return (struct llvm__machine){info->vector_bytes, info->registers, info->fma};
}

void cpu__function(struct llvm__emit *e, const char *name, const struct tir_program *p,
                   uint64_t *scratch_bytes)
{
  e->places = 0;
  for (int i = 0; i < p->params; i++)
    add_place(e, p->param[i], 0);
  *scratch_bytes = place_temporaries(e, p->body, 0);
  LLVMTypeRef type = body_type(e);
  e->function = add_function(e, tsr_arena_printf(e->arena, "%s.body", name), type);
  LLVMSetLinkage(e->function, LLVMInternalLinkage);
  attribute(e, e->function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "noinline");
  for (int i = 0; i < e->places; i++) {
    attribute(e, e->function, (LLVMAttributeIndex)i + 1, "noalias");
    e->place[i].base = LLVMGetParam(e->function, (unsigned)i);
  }
  e->width = 1;
  emit_body(e, p);
  emit_caller(e, name, p->params, type);
}
