/* SPDX-License-Identifier: Apache-2.0 */
/* From a module of LLVM IR to what a target runs: an object file, or its text. */
#ifndef TSR_TARGET_LLVM_MODULE_H
#define TSR_TARGET_LLVM_MODULE_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "base/arena.h"
#include "base/file.h"

/* A processor in LLVM's names. Its target has been initialized. */
struct llvm__processor {
  const char *triple, *cpu, *features;
  LLVMRelocMode relocation;
  LLVMCodeModel model;
};

/* What LLVM owns while code is made. All of it NULL: nothing. */
struct llvm__module {
  LLVMTargetMachineRef machine;
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMMemoryBufferRef output;
};

/* An empty module for the processor. */
enum tsr_status llvm__module_open(struct tsr_err *err, const struct llvm__processor *p,
                                  struct llvm__module *out);
/* Optimizes the module and makes an object file or text of it, copied to the arena. */
enum tsr_status llvm__module_output(struct tsr_arena *arena, struct tsr_err *err,
                                    struct llvm__module *m, LLVMCodeGenFileType type,
                                    struct tsr_bytes *out);
void llvm__module_close(struct llvm__module *m);

/* make(context, &module) on nothing, which is closed behind it: LLVM's things do not live in arenas,
 * and an arena that runs out of memory unwinds past whoever holds one. */
typedef enum tsr_status llvm__make(void *context, struct llvm__module *m);
enum tsr_status llvm__with_module(struct tsr_arena *arena, llvm__make *make, void *context);

/* A text of LLVM's, copied to the arena; LLVM's own is gone. */
char *llvm__take_text(struct tsr_arena *arena, char *text);

#endif
