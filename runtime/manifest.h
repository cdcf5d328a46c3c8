/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest: everything of a module but its bytes, as JSON. */
#ifndef TSR_RUNTIME_MANIFEST_H
#define TSR_RUNTIME_MANIFEST_H

#include "compiler/module.h"
#include "runtime/container.h"

/* A piece of a section. */
struct tsr__piece {
  uint64_t offset, size;
};

/* Where the pieces of the sections TIR (by layer) and CONST (by buffer, size 0: none) lie. */
struct tsr__pieces {
  struct tsr__piece *func, *constant;
};

/* JSON text in the arena. */
struct tsr_bytes tsr__manifest_write(struct tsr_arena *arena, const struct tsr_module *module,
                                     const struct tsr__pieces *pieces);

/* Fills everything of *out but insns, image and what the pieces hold. Kinds, counts and ranges of
 * single values are checked here, what they mean together by tsr_module_check(). */
enum tsr_status tsr__manifest_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                   const struct tsr_bytes *text, struct tsr_module *out,
                                   struct tsr__pieces *pieces);

#endif
