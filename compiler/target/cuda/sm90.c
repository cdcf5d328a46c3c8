/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/cuda/sm90.h"

#include <string.h>

static LLVMTypeRef i32_type(const struct llvm__emit *e)
{
  return LLVMInt32TypeInContext(e->context);
}

static LLVMValueRef call_asm(struct llvm__emit *e, LLVMTypeRef result, const char *text,
                             const char *constraints, bool effects, int n, LLVMValueRef *arg)
{
  LLVMTypeRef *type = TSR_NEW_ARRAY(e->arena, LLVMTypeRef, n + 1);
  for (int i = 0; i < n; i++)
    type[i] = LLVMTypeOf(arg[i]);
  if (!result)
    result = LLVMVoidTypeInContext(e->context);
  LLVMTypeRef signature = LLVMFunctionType(result, type, (unsigned)n, 0);
  LLVMValueRef f = LLVMGetInlineAsm(signature, text, strlen(text), constraints, strlen(constraints),
                                    effects, 0, LLVMInlineAsmDialectATT, 0);
  LLVMValueRef call = LLVMBuildCall2(e->builder, signature, f, arg, (unsigned)n, "");
  unsigned kind = LLVMGetEnumAttributeKindForName("convergent", strlen("convergent"));
  if (effects)
    LLVMAddCallSiteAttribute(call, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                             LLVMCreateEnumAttribute(e->context, kind, 0));
  return call;
}

LLVMValueRef cuda__asm(struct llvm__emit *e, LLVMTypeRef result, const char *text,
                       const char *constraints, int n, LLVMValueRef *arg)
{
  return call_asm(e, result, text, constraints, true, n, arg);
}

LLVMValueRef cuda__special(struct llvm__emit *e, const char *name)
{
  return call_asm(e, i32_type(e), tsr_arena_printf(e->arena, "mov.u32 $0, %%%s;", name), "=r",
                  false, 0, NULL);
}

LLVMValueRef cuda__uniform(struct llvm__emit *e, LLVMValueRef v)
{
  return cuda__asm(e, i32_type(e), "shfl.sync.idx.b32 $0, $1, 0, 31, -1;", "=r,r", 1, &v);
}

LLVMValueRef cuda__trade(struct llvm__emit *e, LLVMValueRef v, int bit)
{
  LLVMValueRef arg[] = {v, llvm__i32(e, bit)};
  return cuda__asm(e, i32_type(e), "shfl.sync.bfly.b32 $0, $1, $2, 31, -1;", "=r,r,n", 2, arg);
}

LLVMValueRef cuda__shared_base(struct llvm__emit *e)
{
  LLVMValueRef memory = LLVMGetNamedGlobal(e->module, "shared");
  if (!memory) {
    LLVMTypeRef bytes = LLVMArrayType2(LLVMInt8TypeInContext(e->context), 0);
    memory = LLVMAddGlobalInAddressSpace(e->module, bytes, "shared", 3);
    LLVMSetAlignment(memory, 1024);
  }
  return LLVMBuildPtrToInt(e->builder, memory, i32_type(e), "shared");
}

/* --- variables and control ---------------------------------------------------------------------- */

LLVMValueRef cuda__get(struct llvm__emit *e, LLVMValueRef variable)
{
  return LLVMBuildLoad2(e->builder, LLVMGetAllocatedType(variable), variable, "");
}

void cuda__set(struct llvm__emit *e, LLVMValueRef variable, LLVMValueRef value)
{
  LLVMBuildStore(e->builder, value, variable);
}

struct cuda__loop cuda__loop_begin(struct llvm__emit *e, LLVMValueRef variable, LLVMValueRef to,
                                   LLVMValueRef step)
{
  struct cuda__loop loop = {llvm__block(e, "loop"), llvm__block(e, "done"), variable, step};
  LLVMBasicBlockRef body = llvm__block(e, "body");
  LLVMBuildBr(e->builder, loop.head);
  LLVMPositionBuilderAtEnd(e->builder, loop.head);
  LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLT, cuda__get(e, variable), to, "");
  LLVMBuildCondBr(e->builder, more, body, loop.done);
  LLVMPositionBuilderAtEnd(e->builder, body);
  return loop;
}

void cuda__loop_end(struct llvm__emit *e, const struct cuda__loop *loop)
{
  LLVMValueRef next = LLVMBuildNSWAdd(e->builder, cuda__get(e, loop->variable), loop->step, "");
  cuda__set(e, loop->variable, next);
  LLVMBuildBr(e->builder, loop->head);
  LLVMPositionBuilderAtEnd(e->builder, loop->done);
}

LLVMBasicBlockRef cuda__if(struct llvm__emit *e, LLVMValueRef condition)
{
  LLVMBasicBlockRef then = llvm__block(e, "then"), done = llvm__block(e, "end");
  LLVMBuildCondBr(e->builder, condition, then, done);
  LLVMPositionBuilderAtEnd(e->builder, then);
  return done;
}

void cuda__end_if(struct llvm__emit *e, LLVMBasicBlockRef done)
{
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
}

/* --- mbarriers ----------------------------------------------------------------------------------- */

void cuda__barrier_init(struct llvm__emit *e, LLVMValueRef barrier, int arrivals)
{
  LLVMValueRef arg[] = {barrier, llvm__i32(e, arrivals)};
  cuda__asm(e, NULL, "mbarrier.init.shared::cta.b64 [$0], $1;", "r,r,~{memory}", 2, arg);
}

void cuda__barriers_ready(struct llvm__emit *e)
{
  cuda__asm(e, NULL, "fence.mbarrier_init.release.cluster;", "~{memory}", 0, NULL);
}

void cuda__barrier_expect(struct llvm__emit *e, LLVMValueRef barrier, LLVMValueRef bytes)
{
  LLVMValueRef arg[] = {barrier, bytes};
  cuda__asm(e, NULL, "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], $1;", "r,r,~{memory}", 2,
            arg);
}

void cuda__barrier_arrive(struct llvm__emit *e, LLVMValueRef barrier, LLVMValueRef rank,
                          LLVMValueRef condition)
{
  LLVMValueRef arg[] = {rank ? cuda__cluster_address(e, barrier, rank) : barrier,
                        LLVMBuildZExt(e->builder, condition, i32_type(e), "")};
  /* Nothing but the order of copies hangs on it, which the barrier keeps: a release to the whole cluster would
   * wait for all of memory. */
  const char *scope = rank ? "shared::cluster" : "shared::cta";
  cuda__asm(e, NULL,
            tsr_arena_printf(e->arena,
                             "{\n\t.reg .pred p;\n\tsetp.ne.b32 p, $1, 0;\n\t"
                             "@p mbarrier.arrive.%s.b64 _, [$0];\n\t}",
                             scope),
            "r,r,~{memory}", 2, arg);
}

void cuda__barrier_wait(struct llvm__emit *e, LLVMValueRef barrier, LLVMValueRef parity)
{
  LLVMBasicBlockRef again = llvm__block(e, "wait"), done = llvm__block(e, "arrived");
  LLVMValueRef arg[] = {barrier, parity};
  LLVMBuildBr(e->builder, again);
  LLVMPositionBuilderAtEnd(e->builder, again);
  LLVMValueRef over = cuda__asm(e, i32_type(e),
                                "{\n\t.reg .pred p;\n\t"
                                "mbarrier.try_wait.parity.shared::cta.b64 p, [$1], $2;\n\t"
                                "selp.b32 $0, 1, 0, p;\n\t}",
                                "=r,r,r,~{memory}", 2, arg);
  LLVMValueRef arrived = LLVMBuildICmp(e->builder, LLVMIntNE, over, llvm__i32(e, 0), "");
  LLVMBuildCondBr(e->builder, arrived, done, again);
  LLVMPositionBuilderAtEnd(e->builder, done);
}

/* --- copies ---------------------------------------------------------------------------------------- */

void cuda__map_prefetch(struct llvm__emit *e, LLVMValueRef map)
{
  cuda__asm(e, NULL, "prefetch.tensormap [$0];", "l,~{memory}", 1, &map);
}

void cuda__copy_box(struct llvm__emit *e, LLVMValueRef to, LLVMValueRef map, int rank,
                    LLVMValueRef *index, LLVMValueRef barrier, int blocks)
{
  LLVMValueRef arg[9] = {to, map, barrier};
  const char *list = "", *constraints = "r,l,r";
  int n = 3;
  for (int d = 0; d < rank; d++) {
    list = tsr_arena_printf(e->arena, "%s%s$%d", list, d ? ", " : "", n);
    constraints = tsr_arena_printf(e->arena, "%s,r", constraints);
    arg[n++] = index[d];
  }
  const char *mask = "";
  if (blocks) {
    mask = tsr_arena_printf(e->arena, ", $%d", n);
    constraints = tsr_arena_printf(e->arena, "%s,h", constraints);
    arg[n++] = LLVMConstInt(LLVMInt16TypeInContext(e->context), (unsigned)blocks, 0);
  }
  cuda__asm(e, NULL,
            tsr_arena_printf(e->arena,
                             "cp.async.bulk.tensor.%dd.shared::cluster.global.mbarrier::complete_tx"
                             "::bytes%s [$0], [$1, {%s}], [$2]%s;",
                             rank, blocks ? ".multicast::cluster" : "", list, mask),
            tsr_arena_printf(e->arena, "%s,~{memory}", constraints), n, arg);
}

void cuda__global_store(struct llvm__emit *e, LLVMValueRef condition, LLVMValueRef pointer, int n,
                        LLVMValueRef *word)
{
  LLVMTypeRef global = LLVMPointerTypeInContext(e->context, 1);
  LLVMTypeRef wide = LLVMInt64TypeInContext(e->context);
  LLVMValueRef to = LLVMBuildAddrSpaceCast(e->builder, pointer, global, "");
  LLVMValueRef arg[6] = {LLVMBuildZExt(e->builder, condition, i32_type(e), "")};
  for (int first = 0; first < n; first += 4) {
    int some = n - first < 4 ? n - first : 4;
    arg[1] = LLVMBuildAdd(e->builder, LLVMBuildPtrToInt(e->builder, to, wide, ""),
                          LLVMConstInt(wide, 4 * (unsigned)first, 0), "");
    memcpy(arg + 2, word + first, (size_t)some * sizeof *word);
    cuda__asm(e, NULL,
              some == 4 ? "{\n\t.reg .pred p;\n\tsetp.ne.b32 p, $0, 0;\n\t"
                          "@p st.global.v4.b32 [$1], {$2, $3, $4, $5};\n\t}"
                        : "{\n\t.reg .pred p;\n\tsetp.ne.b32 p, $0, 0;\n\t"
                          "@p st.global.v2.b32 [$1], {$2, $3};\n\t}",
              some == 4 ? "r,l,r,r,r,r,~{memory}" : "r,l,r,r,~{memory}", 2 + some, arg);
  }
}

void cuda__registers(struct llvm__emit *e, bool more, int count)
{
  cuda__asm(
      e, NULL,
      tsr_arena_printf(e->arena, "setmaxnreg.%s.sync.aligned.u32 %d;", more ? "inc" : "dec", count),
      "~{memory}", 0, NULL);
}

/* --- blocks and clusters --------------------------------------------------------------------------- */

void cuda__block_arrive(struct llvm__emit *e, LLVMValueRef name, int threads)
{
  LLVMValueRef arg[] = {name, llvm__i32(e, threads)};
  cuda__asm(e, NULL, "bar.arrive $0, $1;", "r,n,~{memory}", 2, arg);
}

void cuda__block_sync(struct llvm__emit *e, LLVMValueRef name, int threads)
{
  LLVMValueRef arg[] = {name, llvm__i32(e, threads)};
  cuda__asm(e, NULL, "bar.sync $0, $1;", LLVMIsConstant(name) ? "n,n,~{memory}" : "r,n,~{memory}",
            2, arg);
}

void cuda__warp_sync(struct llvm__emit *e)
{
  cuda__asm(e, NULL, "bar.warp.sync 0xffffffff;", "~{memory}", 0, NULL);
}

void cuda__cluster_meet(struct llvm__emit *e)
{
  cuda__asm(e, NULL, "barrier.cluster.arrive.relaxed;\n\tbarrier.cluster.wait;", "~{memory}", 0,
            NULL);
}

void cuda__cluster_sync(struct llvm__emit *e)
{
  cuda__asm(e, NULL, "barrier.cluster.arrive.release;\n\tbarrier.cluster.wait.acquire;",
            "~{memory}", 0, NULL);
}

LLVMValueRef cuda__cluster_address(struct llvm__emit *e, LLVMValueRef address, LLVMValueRef rank)
{
  LLVMValueRef arg[] = {address, rank};
  return call_asm(e, i32_type(e), "mapa.shared::cluster.u32 $0, $1, $2;", "=r,r,r", false, 2, arg);
}

static bool is_float(LLVMTypeRef type)
{
  return LLVMGetTypeKind(type) == LLVMFloatTypeKind;
}

void cuda__shared_store4(struct llvm__emit *e, LLVMValueRef address, LLVMTypeRef type,
                         LLVMValueRef *value)
{
  LLVMValueRef arg[] = {address, value[0], value[1], value[2], value[3]};
  cuda__asm(e, NULL, "st.shared.v4.b32 [$0], {$1, $2, $3, $4};",
            is_float(type) ? "r,f,f,f,f,~{memory}" : "r,r,r,r,r,~{memory}", 5, arg);
}

void cuda__cluster_load4(struct llvm__emit *e, LLVMValueRef address, LLVMTypeRef type,
                         LLVMValueRef *value)
{
  LLVMTypeRef four[] = {type, type, type, type};
  LLVMValueRef all = cuda__asm(
      e, LLVMStructTypeInContext(e->context, four, 4, 0),
      "ld.shared::cluster.v4.b32 {$0, $1, $2, $3}, [$4];",
      is_float(type) ? "=f,=f,=f,=f,r,~{memory}" : "=r,=r,=r,=r,r,~{memory}", 1, &address);
  for (unsigned i = 0; i < 4; i++)
    value[i] = LLVMBuildExtractValue(e->builder, all, i, "");
}
