/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/cuda/ptx.h"

#include <llvm-c/Target.h>
#include <pthread.h>
#include <string.h>

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

struct llvm__processor cuda__target(struct tsr_arena *a, struct tsr_gpu_arch arch)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_llvm);
  return (struct llvm__processor){
      .triple = "nvptx64-nvidia-cuda",
      .cpu = tsr_gpu_arch_name(arch, tsr_arena_alloc(a, TSR_GPU_ARCH_NAME)),
      .features = "+ptx80"};
}

enum tsr_status cuda__ptx(struct tsr_arena *a, struct tsr_err *err, struct llvm__module *m,
                          const char **out)
{
  struct tsr_bytes text;
  if (llvm__module_output(a, err, m, LLVMAssemblyFile, &text))
    return TSR_REFUSED;
  char *copy = tsr_arena_alloc(a, text.size + 1);
  memcpy(copy, text.data, text.size);
  copy[text.size] = 0;
  *out = copy;
  return TSR_OK;
}
