/* SPDX-License-Identifier: Apache-2.0 */
/* The outer form of a package: a header, a table of sections, sections; every byte under a checksum
 * or fixed. What the sections mean is not known here. */
#ifndef TSR_RUNTIME_CONTAINER_H
#define TSR_RUNTIME_CONTAINER_H

#include <stdbool.h>

#include "base/file.h"

enum tsr__section {
#define TSR_SECTION(name, tag, meaning) TSR__SECTION_##name,
#include "runtime/sections.def"
#undef TSR_SECTION
  TSR__SECTIONS
};

enum { TSR__PACKAGE_VERSION = 4 };

struct tsr__container {
  uint64_t design_hash;
  struct tsr_bytes section[TSR__SECTIONS]; /* read: inside of the given bytes */
  uint64_t offset[TSR__SECTIONS];          /* read: in the file */
};

const char *tsr__section_name(int section);
const char *tsr__section_meaning(int section);

bool tsr__container_is(const uint8_t *bytes, size_t size);
struct tsr_bytes tsr__container_write(struct tsr_arena *arena, const struct tsr__container *c);
enum tsr_status tsr__container_read(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                    size_t size, struct tsr__container *out);

#endif
