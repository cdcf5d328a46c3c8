/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled module as one file, and back. docs/package.md has the layout. */
#ifndef TSR_RUNTIME_PACKAGE_H
#define TSR_RUNTIME_PACKAGE_H

#include "base/file.h"
#include "compiler/module.h"
#include "native/kernels.h"

/* Do these bytes begin as a package does? */
bool tsr_package_is(const void *bytes, size_t size);

/* The file's bytes, in the arena. The same module always gives the same bytes. */
struct tsr_bytes tsr_package_write(struct tsr_arena *arena, const struct tsr_module *module);

/* Reads a package. `name` starts every sentence. Refuses whatever tsr_package_write would not have
 * written: damage, truncation, another version, a manifest that contradicts itself. The module
 * lives in the arena and points into `bytes`, which stay as they are for as long; constants are
 * aligned where `bytes` begin at a multiple of 64. On an error *out is untouched. */
enum tsr_status tsr_package_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                 const uint8_t *bytes, size_t size, struct tsr_module **out);

/* The GPU kernels in a section, checked against the module's layers. */
enum tsr_status tsr_module_kernels(struct tsr_arena *arena, struct tsr_err *err,
                                   const struct tsr_module *module, const struct tsr_bytes *section,
                                   int *blocks, struct tsr_kernel_block **block);

/* The sections of a package, for people. */
struct tsr_package_section {
  const char *name, *meaning;
  uint64_t offset, size;
};
enum { TSR_PACKAGE_SECTIONS = 7 };
enum tsr_status tsr_package_sections(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                     size_t size,
                                     struct tsr_package_section out[static TSR_PACKAGE_SECTIONS]);

/* Refuses a module whose parts contradict each other: indices, sizes, shapes, places in the window,
 * overlaps, streams without FINISH. Every module passes here before it runs. */
enum tsr_status tsr_module_check(struct tsr_arena *arena, struct tsr_err *err,
                                 const struct tsr_module *module);

#endif
