/* SPDX-License-Identifier: Apache-2.0 */
/* A program as two functions: one that takes every buffer as a pointer of its own, none of which
 * overlap, and the one that is called, which has an array of them. Temporaries lie in scratch memory:
 * first those of all threads, then those of each. */
#include <string.h>

#include "compiler/target/cpu/function.h"

enum { ALIGNMENT = 64 };

static uint64_t bytes_of(const struct tir_buffer *b)
{
  uint64_t bytes = (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void add_place(struct llvm__emit *e, const struct tir_buffer *b, uint64_t offset,
                      bool is_private)
{
  e->place = TSR_GROW(e->arena, e->place, e->places, &e->place_capacity);
  e->place[e->places++] =
      (struct llvm__place){.buffer = b, .offset = offset, .is_private = is_private};
}

/* How much of the scratch memory is taken: of all threads, and of one. */
struct tops {
  uint64_t all, mine;
};

static void raise(struct tops *most, struct tops one)
{
  most->all = one.all > most->all ? one.all : most->all;
  most->mine = one.mine > most->mine ? one.mine : most->mine;
}

/* Temporaries from `top` on, those of one time behind each other. Returns how far they reach. */
static struct tops place_temporaries(struct llvm__emit *e, const struct tir_stmt *s,
                                     struct tops top, bool shared)
{
  struct tops most = top;
  switch (s->kind) {
  case TIR_FOR: return place_temporaries(e, s->f.body, top, shared || s->f.loop == TIR_PARALLEL);
  case TIR_IF: return place_temporaries(e, s->when.body, top, shared);
  case TIR_CALL: return place_temporaries(e, s->call.semantics, top, shared);
  case TIR_ALLOC:
    add_place(e, s->alloc.buffer, shared ? top.mine : top.all, shared);
    *(shared ? &top.mine : &top.all) += bytes_of(s->alloc.buffer);
    return place_temporaries(e, s->alloc.body, top, shared);
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      raise(&most, place_temporaries(e, s->block.stmt[i], top, shared));
    return most;
  default: return top;
  }
}

void cpu__attribute(struct llvm__emit *e, LLVMValueRef f, LLVMAttributeIndex at, const char *name)
{
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(f, at, LLVMCreateEnumAttribute(e->context, kind, 0));
}

void cpu__text_attribute(struct llvm__emit *e, LLVMValueRef f, const char *name, const char *value)
{
  LLVMAttributeRef a = LLVMCreateStringAttribute(e->context, name, (unsigned)strlen(name), value,
                                                 (unsigned)strlen(value));
  LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

LLVMValueRef cpu__add_function(struct llvm__emit *e, const char *name, LLVMTypeRef type,
                               bool internal)
{
  LLVMValueRef f = LLVMAddFunction(e->module, name, type);
  cpu__attribute(e, f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind");
  if (internal) {
    LLVMSetLinkage(f, LLVMInternalLinkage);
    cpu__attribute(e, f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "noinline");
  }
  cpu__text_attribute(e, f, "no-builtins", "");
  cpu__text_attribute(e, f, "prefer-vector-width",
                      tsr_arena_printf(e->arena, "%d", 8 * e->machine.vector_bytes));
  return f;
}

LLVMBasicBlockRef cpu__open_function(struct llvm__emit *e)
{
  e->entry = llvm__block(e, "entry");
  e->outside = llvm__block(e, "outside");
  LLVMBasicBlockRef start = llvm__block(e, "start");
  LLVMPositionBuilderAtEnd(e->builder, start);
  return start;
}

void cpu__close_function(struct llvm__emit *e, LLVMBasicBlockRef start)
{
  LLVMBuildRet(e->builder, llvm__i32(e, 0));
  LLVMPositionBuilderAtEnd(e->builder, e->outside);
  LLVMBuildRet(e->builder, llvm__i32(e, 1));
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
  LLVMBuildBr(e->builder, start);
}

/* Buffers, then the number of threads. */
static LLVMTypeRef body_type(struct llvm__emit *e)
{
  LLVMTypeRef pointer = LLVMPointerTypeInContext(e->context, 0);
  LLVMTypeRef *arg = TSR_NEW_ARRAY(e->arena, LLVMTypeRef, e->places + 1);
  for (int i = 0; i < e->places; i++)
    arg[i] = pointer;
  arg[e->places] = LLVMInt64TypeInContext(e->context);
  return LLVMFunctionType(LLVMInt32TypeInContext(e->context), arg, (unsigned)e->places + 1, 0);
}

static void emit_caller(struct llvm__emit *e, const char *name, int params, LLVMTypeRef type,
                        uint64_t private_from)
{
  LLVMTypeRef pointer = LLVMPointerTypeInContext(e->context, 0);
  LLVMTypeRef byte = LLVMInt8TypeInContext(e->context);
  LLVMTypeRef args[] = {pointer, pointer, LLVMInt64TypeInContext(e->context)};
  LLVMValueRef f = cpu__add_function(
      e, name, LLVMFunctionType(LLVMInt32TypeInContext(e->context), args, 3, 0), false);
  LLVMValueRef *given = TSR_NEW_ARRAY(e->arena, LLVMValueRef, e->places + 1);
  LLVMPositionBuilderAtEnd(e->builder, LLVMAppendBasicBlockInContext(e->context, f, "entry"));
  for (int i = 0; i < e->places; i++) {
    uint64_t offset = e->place[i].offset + (e->place[i].is_private ? private_from : 0);
    LLVMValueRef at = llvm__i64(e, i < params ? i : (int64_t)offset);
    given[i] = LLVMBuildGEP2(e->builder, i < params ? pointer : byte, LLVMGetParam(f, i >= params),
                             &at, 1, "");
    if (i < params)
      given[i] = LLVMBuildLoad2(e->builder, pointer, given[i], "");
  }
  given[e->places] = LLVMGetParam(f, 2);
  LLVMBuildRet(e->builder,
               LLVMBuildCall2(e->builder, type, e->function, given, (unsigned)e->places + 1, ""));
}

struct llvm__machine cpu__machine(enum tsr_level level)
{
  const struct tsr_level_info *info = tsr_level_info(level);
  return (struct llvm__machine){.vector_bytes = info->vector_bytes,
                                .registers = info->registers,
                                .fma = info->fma,
                                .dot = info->dot,
                                .bf16 = info->bf16,
                                .quick_f64 = true,
                                .f16 = level >= TSR_LEVEL_AVX2};
}

void cpu__function(struct llvm__emit *e, const char *name, const struct tir_program *p,
                   struct tsr_code_layer *out)
{
  e->places = 0;
  for (int i = 0; i < p->params; i++)
    add_place(e, p->param[i], 0, false);
  struct tops tops = place_temporaries(e, p->body, (struct tops){0, 0}, false);
  out->scratch_bytes = tops.all;
  out->private_bytes = e->private_bytes = tops.mine;
  LLVMTypeRef type = body_type(e);
  e->function = cpu__add_function(e, tsr_arena_printf(e->arena, "%s.body", name), type, true);
  for (int i = 0; i < e->places; i++) {
    cpu__attribute(e, e->function, (LLVMAttributeIndex)i + 1, "noalias");
    e->place[i].base = LLVMGetParam(e->function, (unsigned)i);
  }
  e->threads = LLVMGetParam(e->function, (unsigned)e->places);
  e->width = 1;
  e->stmt = llvm__stmt;
  LLVMBasicBlockRef start = cpu__open_function(e);
  llvm__stmt(e, p->body);
  cpu__close_function(e, start);
  emit_caller(e, name, p->params, type, tops.all);
}
