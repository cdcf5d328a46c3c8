/* SPDX-License-Identifier: Apache-2.0 */
/* What makes machine code, as an interface: who compiles models hands one in, so that only programs
 * that do link LLVM. */
#ifndef TSR_NATIVE_CODEGEN_H
#define TSR_NATIVE_CODEGEN_H

#include "base/file.h"
#include "compiler/tir/tir.h"
#include "native/kernels.h"
#include "native/level.h"

struct tsr_codegen_job {
  int layers;
  const char *const *name;            /* of each layer */
  const struct tir_func *const *func; /* NULL: a layer without code */
  unsigned levels;                    /* bit by enum tsr_level */
  int archs;                          /* of GPUs */
  const struct tsr_gpu_arch *arch;    /* in the order of tsr_gpu_arch_compare() */
  bool tf32;                          /* GPUs may round factors of f32 to tf32 */
  /* As that of tsr_compile_options: stages "schedule", "tir" and "llvm". */
  void (*dump)(void *context, const char *stage, const char *name, const char *text);
  void *context;
};

/* Public programs know it by name only: runtime/tessera_cpu.h. */
struct tessera_codegen {
  /* Gives the section that native/code.h describes, or native/kernels.h. */
  enum tsr_status (*compile)(struct tsr_arena *arena, struct tsr_err *err,
                             const struct tsr_codegen_job *job, struct tsr_bytes *out);
};

#endif
