/* SPDX-License-Identifier: Apache-2.0 */
/* Layers to a section of code: for each level schedule, loops, LLVM IR, object, block. */
#include <string.h>

#include "compiler/target/cpu/cpu.h"
#include "compiler/target/cpu/function.h"
#include "compiler/target/cpu/object.h"

struct work {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tsr_codegen_job *job;
  enum tsr_level level;
  struct tsr_code_block *out;
};

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

static enum tsr_status emit_layers(const struct work *w, const struct llvm__module *m,
                                   const char **entry, struct tsr_code_layer *layer)
{
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
                             .outline = cpu__outline,
                             .context = m->context,
                             .module = m->module,
                             .builder = m->builder};
    entry[i] = tsr_arena_printf(w->arena, "layer%d", i);
    cpu__function(e, entry[i], program, &layer[i]);
    if (w->job->dump) /* before it is optimized */
      dump(w, "llvm", i, llvm__take_text(w->arena, LLVMPrintValueToString(e->function)));
  }
  return TSR_OK;
}

static enum tsr_status compile_level(void *context, struct llvm__module *m)
{
  const struct work *w = context;
  int layers = w->job->layers;
  const char **entry = TSR_NEW_ARRAY(w->arena, const char *, layers + 1);
  struct tsr_code_layer *layer = TSR_NEW_ARRAY(w->arena, struct tsr_code_layer, layers + 1);
  struct llvm__processor processor = cpu__target(w->level);
  struct tsr_bytes object;
  if (llvm__module_open(w->err, &processor, m) || emit_layers(w, m, entry, layer) ||
      llvm__module_output(w->arena, w->err, m, LLVMObjectFile, &object) ||
      cpu__link(w->arena, w->err, &object, layers, entry, w->out))
    return TSR_REFUSED;
  w->out->level = w->level;
  for (int i = 0; i < layers; i++) {
    w->out->layer[i].scratch_bytes = layer[i].scratch_bytes;
    w->out->layer[i].private_bytes = layer[i].private_bytes;
  }
  return TSR_OK;
}

static enum tsr_status compile(struct tsr_arena *arena, struct tsr_err *err,
                               const struct tsr_codegen_job *job, struct tsr_bytes *out)
{
  struct tsr_code_block block[TSR_LEVELS];
  int blocks = 0;
  memset(block, 0, sizeof block);
  for (int level = 0; level < TSR_LEVELS; level++) {
    struct work w = {arena, err, job, (enum tsr_level)level, &block[blocks]};
    if (!(job->levels >> level & 1))
      continue;
    if (llvm__with_module(arena, compile_level, &w))
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
