/* SPDX-License-Identifier: Apache-2.0 */
/* The machine code that runs a module's CPU layers: chosen, checked and mapped once, when an
 * executor is opened. */
#ifndef TSR_RUNTIME_NATIVE_H
#define TSR_RUNTIME_NATIVE_H

#include "compiler/module.h"
#include "native/code.h"
#include "runtime/executor.h"

struct tsr__native {
  const struct tsr_code_block *block; /* NULL: the interpreter runs every layer */
  struct tsr_code_mapping mapping;
  void *scratch; /* as much as any layer needs */
  int threads;
};

/* Chooses the block. Refuses a level that was asked for and that the CPU or the module lacks. */
enum tsr_status tsr__native_choose(struct tsr_arena *arena, struct tsr_err *err,
                                   const struct tsr_module *module,
                                   const struct tsr_cpu_choice *choice, struct tsr__native *out);
/* Makes it executable; the caller ends the mapping. Takes nothing from an arena. */
enum tsr_status tsr__native_map(struct tsr_err *err, struct tsr__native *native);
void tsr__native_close(struct tsr__native *native);
/* NULL: the interpreter runs this layer. */
tsr_code_function *tsr__native_layer(const struct tsr__native *native, int layer);

#endif
