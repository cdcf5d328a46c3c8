/* SPDX-License-Identifier: Apache-2.0 */
/* What LLVM makes an object for, and from the object to a block of code. */
#ifndef TSR_TARGET_CPU_OBJECT_H
#define TSR_TARGET_CPU_OBJECT_H

#include "compiler/target/llvm/module.h"
#include "native/code.h"

struct llvm__processor cpu__target(enum tsr_level level);

/* Lays the sections of an object out as one block and resolves what refers from one to another.
 * entry_name[i] NULL: layer i has none. Fills everything of *out but level and scratch_bytes. */
enum tsr_status cpu__link(struct tsr_arena *arena, struct tsr_err *err,
                          const struct tsr_bytes *object, int layers, const char *const *entry_name,
                          struct tsr_code_block *out);

#endif
