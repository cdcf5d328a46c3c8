/* SPDX-License-Identifier: Apache-2.0 */
/* Where a module's tensors lie in host memory: planned once, before anything runs. */
#ifndef TSR_RUNTIME_MEMORY_H
#define TSR_RUNTIME_MEMORY_H

#include "compiler/module.h"

#define TSR_NOWHERE UINT64_MAX

struct tsr_memory {
  uint64_t *offset;        /* by buffer; TSR_NOWHERE: a constant, or nothing on the CPU uses it */
  uint64_t bytes;          /* of the one block that holds all of them, on multiples of 64 */
  uint64_t separate_bytes; /* what they would take if none shared memory with another */
};

/* Tensors whose times of use don't overlap may share memory. Inputs keep theirs always, outputs from
 * the layer that makes them to the end of the run. A layer's outputs never overlap its inputs. The
 * module has passed tsr_module_check(), or is the compiler's. */
struct tsr_memory tsr_memory_plan(struct tsr_arena *arena, const struct tsr_module *module);

#endif
