/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/llvm/module.h"

#include <llvm-c/Transforms/PassBuilder.h>
#include <string.h>

static enum tsr_status refuse(struct tsr_err *err, const char *what, char *text)
{
  tsr_refuse(err, "LLVM %s: %s", what, text ? text : "no reason was given");
  LLVMDisposeMessage(text);
  return TSR_REFUSED;
}

enum tsr_status llvm__module_open(struct tsr_err *err, const struct llvm__processor *p,
                                  struct llvm__module *out)
{
  LLVMTargetRef target;
  char *text = NULL;
  if (LLVMGetTargetFromTriple(p->triple, &target, &text))
    return refuse(err, "lacks a target", text);
  *out = (struct llvm__module){.context = LLVMContextCreate()};
  out->machine = LLVMCreateTargetMachine(target, p->triple, p->cpu, p->features,
                                         LLVMCodeGenLevelDefault, p->relocation, p->model);
  out->module = LLVMModuleCreateWithNameInContext("tessera", out->context);
  out->builder = LLVMCreateBuilderInContext(out->context);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(out->machine);
  LLVMSetTarget(out->module, p->triple);
  LLVMSetModuleDataLayout(out->module, layout);
  LLVMDisposeTargetData(layout);
  return TSR_OK;
}

static enum tsr_status optimize(struct tsr_err *err, const struct llvm__module *m)
{
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef failed = LLVMRunPasses(m->module, "default<O2>", m->machine, options);
  LLVMDisposePassBuilderOptions(options);
  if (!failed)
    return TSR_OK;
  char *text = LLVMGetErrorMessage(failed);
  tsr_refuse(err, "LLVM does not optimize: %s", text);
  LLVMDisposeErrorMessage(text);
  return TSR_REFUSED;
}

enum tsr_status llvm__module_output(struct tsr_arena *arena, struct tsr_err *err,
                                    struct llvm__module *m, LLVMCodeGenFileType type,
                                    struct tsr_bytes *out)
{
  char *text = NULL;
  if (optimize(err, m))
    return TSR_REFUSED;
  if (LLVMTargetMachineEmitToMemoryBuffer(m->machine, m->module, type, &text, &m->output))
    return refuse(err, "emits no code", text);
  out->size = LLVMGetBufferSize(m->output);
  out->data = tsr_arena_copy(arena, LLVMGetBufferStart(m->output), out->size);
  return TSR_OK;
}

void llvm__module_close(struct llvm__module *m)
{
  if (m->output)
    LLVMDisposeMemoryBuffer(m->output);
  if (m->builder)
    LLVMDisposeBuilder(m->builder);
  if (m->module)
    LLVMDisposeModule(m->module);
  if (m->machine)
    LLVMDisposeTargetMachine(m->machine);
  if (m->context)
    LLVMContextDispose(m->context);
  *m = (struct llvm__module){0};
}

enum tsr_status llvm__with_module(struct tsr_arena *arena, llvm__make *make, void *context)
{
  struct llvm__module module = {0};
  jmp_buf outer;
  memcpy(&outer, tsr_arena_landing(arena), sizeof outer);
  if (setjmp(*tsr_arena_landing(arena))) {
    llvm__module_close(&module);
    memcpy(tsr_arena_landing(arena), &outer, sizeof outer);
    tsr_arena_exhausted(arena);
  }
  enum tsr_status status = make(context, &module);
  llvm__module_close(&module);
  memcpy(tsr_arena_landing(arena), &outer, sizeof outer);
  return status;
}

char *llvm__take_text(struct tsr_arena *arena, char *text)
{
  char *copy = tsr_arena_strdup(arena, text);
  LLVMDisposeMessage(text);
  return copy;
}
