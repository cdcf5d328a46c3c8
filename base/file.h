/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in, whole files out. */
#ifndef TSR_BASE_FILE_H
#define TSR_BASE_FILE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

struct tsr_bytes {
  unsigned char *data; /* in the arena, with a terminating 0 behind the end */
  size_t size;
};

/* Reads a regular file of at most limit bytes. */
enum tsr_status tsr_file_read(struct tsr_arena *arena, struct tsr_err *err, const char *path,
                              size_t limit, struct tsr_bytes *out);

/* Writes beside the path and renames, so that the path holds all or nothing of the new content. */
enum tsr_status tsr_file_write(struct tsr_err *err, const char *path, const void *data, size_t size);

#endif
