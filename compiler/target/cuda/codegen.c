/* SPDX-License-Identifier: Apache-2.0 */
/* Layers to a section of kernels: for each architecture schedule, loops, LLVM IR, PTX. */
#include <string.h>

#include "compiler/target/cuda/cuda.h"
#include "compiler/target/cuda/kernel.h"
#include "compiler/target/cuda/plan_gemm.h"
#include "compiler/target/cuda/ptx.h"

/* What LLVM owns, for as long as one architecture takes. */
struct held {
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMTargetMachineRef machine;
  LLVMMemoryBufferRef text;
};

struct work {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tsr_codegen_job *job;
  struct tsr_gpu_arch arch;
  char name[TSR_GPU_ARCH_NAME];
  struct held *held;
};

static void release(struct held *h)
{
  if (h->text)
    LLVMDisposeMemoryBuffer(h->text);
  if (h->builder)
    LLVMDisposeBuilder(h->builder);
  if (h->module)
    LLVMDisposeModule(h->module);
  if (h->machine)
    LLVMDisposeTargetMachine(h->machine);
  if (h->context)
    LLVMContextDispose(h->context);
  *h = (struct held){0};
}

static void dump(const struct work *w, const char *stage, int layer, const char *text)
{
  w->job->dump(w->job->context, stage,
               tsr_arena_printf(w->arena, "%s@%s", w->job->name[layer], w->name), text);
}

static enum tsr_status loops_of(const struct work *w, int layer, struct tir_program **out)
{
  struct tir_sched *sched;
  if (tsr_cuda_plan(w->arena, w->err, w->job->func[layer], w->arch, &sched) ||
      tir_lower(w->arena, w->err, sched, out))
    return TSR_REFUSED;
  if (w->job->dump) {
    dump(w, "schedule", layer, tir_sched_text(sched));
    dump(w, "tir", layer, tir_program_print(w->arena, *out));
  }
  return TSR_OK;
}

static enum tsr_status emit_layer(const struct work *w, int layer, struct tsr_kernel_layer *out)
{
  struct held *h = w->held;
  struct tir_program *program;
  struct cuda__kernel *k = TSR_NEW(w->arena, struct cuda__kernel);
  if (!w->job->func[layer])
    return TSR_OK;
  *k = (struct cuda__kernel){.e = {.arena = w->arena,
                                   .machine = cuda__machine,
                                   .context = h->context,
                                   .module = h->module,
                                   .builder = h->builder},
                             .err = w->err,
                             .arch = w->arch};
  const char *name = tsr_arena_printf(w->arena, "layer%d", layer);
  const struct tir_func *func = w->job->func[layer];
  struct cuda__gemm_layer gemm;
  if (cuda__gemm_of(w->arena, func, w->arch, &gemm)) {
    if (w->job->dump)
      dump(w, "schedule", layer, cuda__gemm_text(w->arena, &gemm.gemm));
    cuda__gemm_kernel(&k->e, &gemm, name, func->inputs, out);
    return TSR_OK;
  }
  if (loops_of(w, layer, &program) || cuda__kernels(k, program, name, out))
    return tsr_refuse_at(w->err, "layer '%s'", w->job->name[layer]);
  return TSR_OK;
}

/* LLVM's IR before it is optimized. */
static void dump_module(const struct work *w)
{
  if (!w->job->dump)
    return;
  char *text = LLVMPrintModuleToString(w->held->module);
  char *copy = tsr_arena_strdup(w->arena, text);
  LLVMDisposeMessage(text);
  w->job->dump(w->job->context, "llvm", w->name, copy);
}

static enum tsr_status compile_arch(const struct work *w, struct tsr_kernel_block *out)
{
  struct held *h = w->held;
  out->arch = w->arch;
  out->layers = w->job->layers;
  out->layer = TSR_NEW_ARRAY(w->arena, struct tsr_kernel_layer, out->layers + 1);
  h->machine = cuda__target(w->err, w->arch);
  if (!h->machine)
    return TSR_REFUSED;
  h->context = LLVMContextCreate();
  h->module = LLVMModuleCreateWithNameInContext("tessera", h->context);
  h->builder = LLVMCreateBuilderInContext(h->context);
  cuda__prepare(h->machine, h->module);
  for (int i = 0; i < out->layers; i++)
    if (emit_layer(w, i, &out->layer[i]))
      return TSR_REFUSED;
  dump_module(w);
  if (cuda__ptx(w->err, h->machine, h->module, &h->text))
    return TSR_REFUSED;
  size_t size = LLVMGetBufferSize(h->text);
  char *text = tsr_arena_alloc(w->arena, size + 1);
  memcpy(text, LLVMGetBufferStart(h->text), size);
  text[size] = 0;
  out->ptx = text;
  return TSR_OK;
}

/* LLVM's things do not live in arenas, and an arena unwinds past whoever holds one. */
static enum tsr_status guarded_arch(struct work *w, struct tsr_kernel_block *out)
{
  struct held held = {0};
  jmp_buf outer;
  w->held = &held;
  memcpy(&outer, tsr_arena_landing(w->arena), sizeof outer);
  if (setjmp(*tsr_arena_landing(w->arena))) {
    release(w->held);
    memcpy(tsr_arena_landing(w->arena), &outer, sizeof outer);
    tsr_arena_exhausted(w->arena);
  }
  enum tsr_status status = compile_arch(w, out);
  release(w->held);
  memcpy(tsr_arena_landing(w->arena), &outer, sizeof outer);
  return status;
}

static enum tsr_status compile(struct tsr_arena *arena, struct tsr_err *err,
                               const struct tsr_codegen_job *job, struct tsr_bytes *out)
{
  struct tsr_kernel_block *block = TSR_NEW_ARRAY(arena, struct tsr_kernel_block, job->archs + 1);
  for (int i = 0; i < job->archs; i++) {
    struct work w = {.arena = arena, .err = err, .job = job, .arch = job->arch[i]};
    tsr_gpu_arch_name(w.arch, w.name);
    if (guarded_arch(&w, &block[i]))
      return tsr_refuse_at(err, "kernels for '%s'", w.name);
  }
  *out = tsr_kernels_write(arena, job->archs, block);
  return TSR_OK;
}

const struct tessera_codegen *tessera_cuda_codegen(void)
{
  static const struct tessera_codegen codegen = {compile};
  return &codegen;
}
