/* SPDX-License-Identifier: Apache-2.0 */
/* Layers to a section of kernels: for each architecture schedule, loops, LLVM IR, PTX. */
#include "compiler/target/cuda/cuda.h"
#include "compiler/target/cuda/kernel.h"
#include "compiler/target/cuda/plan_gemm.h"
#include "compiler/target/cuda/product.h"
#include "compiler/target/cuda/ptx.h"

enum { TF32_BITS = 10 }; /* of fraction */

struct work {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tsr_codegen_job *job;
  struct tsr_gpu_arch arch;
  char name[TSR_GPU_ARCH_NAME];
  struct tsr_kernel_block *out;
};

static void dump(const struct work *w, const char *stage, int layer, const char *text)
{
  w->job->dump(w->job->context, stage,
               tsr_arena_printf(w->arena, "%s@%s", w->job->name[layer], w->name), text);
}

static enum tsr_status loops_of(const struct work *w, int layer, const struct tir_func *func,
                                struct tir_program **out)
{
  struct tir_sched *sched;
  if (tsr_cuda_plan(w->arena, w->err, func, w->arch, &sched) ||
      tir_lower(w->arena, w->err, sched, out))
    return TSR_REFUSED;
  if (w->job->dump) {
    dump(w, "schedule", layer, tir_sched_text(sched));
    dump(w, "tir", layer, tir_program_print(w->arena, *out));
  }
  return TSR_OK;
}

static enum tsr_status emit_layer(const struct work *w, const struct llvm__module *m, int layer,
                                  struct tsr_kernel_layer *out)
{
  struct tir_program *program;
  struct cuda__kernel *k = TSR_NEW(w->arena, struct cuda__kernel);
  if (!w->job->func[layer])
    return TSR_OK;
  *k = (struct cuda__kernel){.e = {.arena = w->arena,
                                   .machine = cuda__machine,
                                   .context = m->context,
                                   .module = m->module,
                                   .builder = m->builder},
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
  const struct tir_func *rounded = w->job->tf32 ? cuda__with_tf32(w->arena, func) : func;
  if (loops_of(w, layer, rounded, &program) || cuda__kernels(k, program, name, out))
    return tsr_refuse_at(w->err, "layer '%s'", w->job->name[layer]);
  out->operand_bits = rounded == func ? 0 : TF32_BITS;
  return TSR_OK;
}

static enum tsr_status compile_arch(void *context, struct llvm__module *m)
{
  const struct work *w = context;
  struct tsr_kernel_block *out = w->out;
  struct llvm__processor processor = cuda__target(w->arena, w->arch);
  out->arch = w->arch;
  out->layers = w->job->layers;
  out->layer = TSR_NEW_ARRAY(w->arena, struct tsr_kernel_layer, out->layers + 1);
  if (llvm__module_open(w->err, &processor, m))
    return TSR_REFUSED;
  for (int i = 0; i < out->layers; i++)
    if (emit_layer(w, m, i, &out->layer[i]))
      return TSR_REFUSED;
  if (w->job->dump) /* before it is optimized */
    w->job->dump(w->job->context, "llvm", w->name,
                 llvm__take_text(w->arena, LLVMPrintModuleToString(m->module)));
  return cuda__ptx(w->arena, w->err, m, &out->ptx);
}

static enum tsr_status compile(struct tsr_arena *arena, struct tsr_err *err,
                               const struct tsr_codegen_job *job, struct tsr_bytes *out)
{
  struct tsr_kernel_block *block = TSR_NEW_ARRAY(arena, struct tsr_kernel_block, job->archs + 1);
  for (int i = 0; i < job->archs; i++) {
    struct work w = {
        .arena = arena, .err = err, .job = job, .arch = job->arch[i], .out = &block[i]};
    tsr_gpu_arch_name(w.arch, w.name);
    if (llvm__with_module(arena, compile_arch, &w))
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
