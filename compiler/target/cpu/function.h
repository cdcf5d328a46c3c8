/* SPDX-License-Identifier: Apache-2.0 */
/* A program of tensor IR as a function for the CPU. */
#ifndef TSR_TARGET_CPU_FUNCTION_H
#define TSR_TARGET_CPU_FUNCTION_H

#include "compiler/target/llvm/emit.h"
#include "native/level.h"

struct llvm__machine cpu__machine(enum tsr_level level);

/* Adds the function `name` to the module; *scratch_bytes is what it needs. */
void cpu__function(struct llvm__emit *e, const char *name, const struct tir_program *p,
                   uint64_t *scratch_bytes);

#endif
