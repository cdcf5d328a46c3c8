/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/cpu/object.h"

#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>

static void start_llvm(void)
{
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
}

/* LLVM's names of a level. */
static const struct {
  const char *cpu, *features;
} names[TSR_LEVELS] = {
    [TSR_LEVEL_SSE2] = {"x86-64", ""},
    [TSR_LEVEL_AVX2] = {"x86-64-v3", ""},
    [TSR_LEVEL_AVX512] = {"x86-64-v4", "-prefer-256-bit"},
    [TSR_LEVEL_VNNI] = {"x86-64-v4", "-prefer-256-bit,+avx512vnni"},
};

static enum tsr_status refuse(struct tsr_err *err, const char *what, char *text)
{
  tsr_refuse(err, "LLVM %s: %s", what, text ? text : "no reason was given");
  LLVMDisposeMessage(text);
  return TSR_REFUSED;
}

LLVMTargetMachineRef cpu__target(struct tsr_err *err, enum tsr_level level)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  static const char triple[] = "x86_64-pc-linux-gnu";
  LLVMTargetRef target;
  char *text = NULL;
  pthread_once(&once, start_llvm);
  if (LLVMGetTargetFromTriple(triple, &target, &text)) {
    refuse(err, "has no x86-64 target", text);
    return NULL;
  }
  return LLVMCreateTargetMachine(target, triple, names[level].cpu, names[level].features,
                                 LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelSmall);
}

static enum tsr_status optimize(struct tsr_err *err, LLVMTargetMachineRef machine,
                                LLVMModuleRef module)
{
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef failed = LLVMRunPasses(module, "default<O2>", machine, options);
  LLVMDisposePassBuilderOptions(options);
  if (!failed)
    return TSR_OK;
  char *text = LLVMGetErrorMessage(failed);
  tsr_refuse(err, "LLVM does not optimize: %s", text);
  LLVMDisposeErrorMessage(text);
  return TSR_REFUSED;
}

enum tsr_status cpu__object(struct tsr_err *err, LLVMTargetMachineRef machine, LLVMModuleRef module,
                            LLVMMemoryBufferRef *out)
{
  char *text = NULL;
  if (optimize(err, machine, module))
    return TSR_REFUSED;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &text, out))
    return refuse(err, "emits no object", text);
  return TSR_OK;
}
