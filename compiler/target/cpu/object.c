/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/cpu/object.h"

#include <llvm-c/Target.h>
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
    [TSR_LEVEL_AVXVNNI] = {"x86-64-v3", "+avxvnni"},
    [TSR_LEVEL_AVX512] = {"x86-64-v4", "-prefer-256-bit"},
    [TSR_LEVEL_VNNI] = {"x86-64-v4", "-prefer-256-bit,+avx512vnni"},
    [TSR_LEVEL_BF16] = {"x86-64-v4", "-prefer-256-bit,+avx512vnni,+avx512bf16"},
};

struct llvm__processor cpu__target(enum tsr_level level)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_llvm);
  return (struct llvm__processor){.triple = "x86_64-pc-linux-gnu",
                                  .cpu = names[level].cpu,
                                  .features = names[level].features,
                                  .relocation = LLVMRelocPIC,
                                  .model = LLVMCodeModelSmall};
}
