/* SPDX-License-Identifier: Apache-2.0 */
/* Layers to a section of code: for each level schedule, loops, LLVM IR, object, block. */
#include <string.h>

#include "compiler/target/cpu/cpu.h"
#include "compiler/target/cpu/function.h"
#include "compiler/target/cpu/object.h"

/* What LLVM owns, for as long as one level takes. */
struct held {
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMTargetMachineRef machine;
  LLVMMemoryBufferRef object;
};

struct work {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tsr_codegen_job *job;
  enum tsr_level level;
  struct held *held;
};

static void release(struct held *h)
{
  if (h->object)
    LLVMDisposeMemoryBuffer(h->object);
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
  const char *level = tsr_level_info(w->level)->name;
  w->job->dump(w->job->context, stage,
               tsr_arena_printf(w->arena, "%s@%s", w->job->name[layer], level), text);
}

static enum tsr_status loops_of(const struct work *w, int layer, struct tir_program **out)
{
  struct tir_sched *sched;
  const struct tir_func *func = tsr_cpu_flatten(w->arena, w->job->func[layer]);
  enum tsr_status status = tsr_cpu_plan(w->arena, w->err, func, w->level, &sched);
  if (!status)
    status = tir_lower(w->arena, w->err, sched, out);
  if (status)
    return tsr_refuse_at(w->err, "layer '%s'", w->job->name[layer]);
  if (w->job->dump) {
    dump(w, "schedule", layer, tir_sched_text(sched));
    dump(w, "tir", layer, tir_program_print(w->arena, *out));
  }
  return TSR_OK;
}

/* LLVM's IR before it is optimized, of the function added last. */
static void dump_function(const struct work *w, int layer, LLVMValueRef f)
{
  if (!w->job->dump)
    return;
  char *text = LLVMPrintValueToString(f);
  char *copy = tsr_arena_strdup(w->arena, text);
  LLVMDisposeMessage(text);
  dump(w, "llvm", layer, copy);
}

static enum tsr_status emit_layers(const struct work *w, const char **entry,
                                   struct tsr_code_layer *layer)
{
  struct held *h = w->held;
  struct llvm__emit *e = TSR_NEW(w->arena, struct llvm__emit);
  for (int i = 0; i < w->job->layers; i++) {
    struct tir_program *program;
    if (!w->job->func[i])
      continue;
    if (loops_of(w, i, &program))
      return TSR_REFUSED;
    *e = (struct llvm__emit){.arena = w->arena,
                             .machine = cpu__machine(w->level),
                             .step = cpu__intrinsic,
                             .share = cpu__parallel,
                             .context = h->context,
                             .module = h->module,
                             .builder = h->builder};
    entry[i] = tsr_arena_printf(w->arena, "layer%d", i);
    cpu__function(e, entry[i], program, &layer[i]);
    dump_function(w, i, e->function);
  }
  return TSR_OK;
}

static enum tsr_status compile_level(const struct work *w, struct tsr_code_block *out)
{
  struct held *h = w->held;
  int layers = w->job->layers;
  const char **entry = TSR_NEW_ARRAY(w->arena, const char *, layers + 1);
  struct tsr_code_layer *layer = TSR_NEW_ARRAY(w->arena, struct tsr_code_layer, layers + 1);
  h->machine = cpu__target(w->err, w->level);
  if (!h->machine)
    return TSR_REFUSED;
  h->context = LLVMContextCreate();
  h->module = LLVMModuleCreateWithNameInContext("tessera", h->context);
  h->builder = LLVMCreateBuilderInContext(h->context);
  LLVMSetTarget(h->module, "x86_64-pc-linux-gnu");
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(h->machine);
  LLVMSetModuleDataLayout(h->module, layout);
  LLVMDisposeTargetData(layout);
  if (emit_layers(w, entry, layer) || cpu__object(w->err, h->machine, h->module, &h->object))
    return TSR_REFUSED;
  struct tsr_bytes object = {
      tsr_arena_copy(w->arena, LLVMGetBufferStart(h->object), LLVMGetBufferSize(h->object)),
      LLVMGetBufferSize(h->object)};
  if (cpu__link(w->arena, w->err, &object, layers, entry, out))
    return TSR_REFUSED;
  out->level = w->level;
  for (int i = 0; i < layers; i++) {
    out->layer[i].scratch_bytes = layer[i].scratch_bytes;
    out->layer[i].private_bytes = layer[i].private_bytes;
  }
  return TSR_OK;
}

/* LLVM's things do not live in arenas, and an arena unwinds past whoever holds one. */
static enum tsr_status guarded_level(struct work *w, struct tsr_code_block *out)
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
  enum tsr_status status = compile_level(w, out);
  release(w->held);
  memcpy(tsr_arena_landing(w->arena), &outer, sizeof outer);
  return status;
}

static enum tsr_status compile(struct tsr_arena *arena, struct tsr_err *err,
                               const struct tsr_codegen_job *job, struct tsr_bytes *out)
{
  struct tsr_code_block block[TSR_LEVELS];
  int blocks = 0;
  memset(block, 0, sizeof block);
  for (int level = 0; level < TSR_LEVELS; level++) {
    struct work w = {arena, err, job, (enum tsr_level)level, NULL};
    if (!(job->levels >> level & 1))
      continue;
    if (guarded_level(&w, &block[blocks]))
      return tsr_refuse_at(err, "code for '%s'", tsr_level_info(w.level)->name);
    blocks++;
  }
  *out = tsr_code_write(arena, blocks, block);
  return TSR_OK;
}

const struct tessera_codegen *tessera_cpu_codegen(void)
{
  static const struct tessera_codegen codegen = {compile};
  return &codegen;
}
