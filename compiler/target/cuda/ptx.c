/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/cuda/ptx.h"

#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>

static const char triple[] = "nvptx64-nvidia-cuda";

const struct llvm__machine cuda__machine = {.vector_bytes = 16,
                                            .registers = 64,
                                            .fma = true,
                                            .f16 = true,
                                            .lanes = 16,
                                            .alignment = 16,
                                            .unroll = 8,
                                            .constants = 1, /* global */
                                            .no_library = true};

static void start_llvm(void)
{
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
}

static enum tsr_status refuse(struct tsr_err *err, const char *what, char *text)
{
  tsr_refuse(err, "LLVM %s: %s", what, text ? text : "no reason was given");
  LLVMDisposeMessage(text);
  return TSR_REFUSED;
}

LLVMTargetMachineRef cuda__target(struct tsr_err *err, struct tsr_gpu_arch arch)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  char name[TSR_GPU_ARCH_NAME];
  LLVMTargetRef target;
  char *text = NULL;
  pthread_once(&once, start_llvm);
  if (LLVMGetTargetFromTriple(triple, &target, &text)) {
    refuse(err, "has no NVPTX target", text);
    return NULL;
  }
  return LLVMCreateTargetMachine(target, triple, tsr_gpu_arch_name(arch, name), "+ptx80",
                                 LLVMCodeGenLevelDefault, LLVMRelocDefault, LLVMCodeModelDefault);
}

void cuda__prepare(LLVMTargetMachineRef machine, LLVMModuleRef module)
{
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
  LLVMSetTarget(module, triple);
  LLVMSetModuleDataLayout(module, layout);
  LLVMDisposeTargetData(layout);
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

enum tsr_status cuda__ptx(struct tsr_err *err, LLVMTargetMachineRef machine, LLVMModuleRef module,
                          LLVMMemoryBufferRef *out)
{
  char *text = NULL;
  if (optimize(err, machine, module))
    return TSR_REFUSED;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMAssemblyFile, &text, out))
    return refuse(err, "emits no PTX", text);
  return TSR_OK;
}
