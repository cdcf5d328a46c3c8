/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in, whole files out. */
#ifndef TSR_BASE_FILE_H
#define TSR_BASE_FILE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

struct tsr_bytes {
  unsigned char *data; /* in the arena */
  size_t size;
};

/* Reads a regular file of at most limit bytes, and puts a 0 behind its end. */
enum tsr_status tsr_file_read(struct tsr_arena *arena, struct tsr_err *err, const char *path,
                              size_t limit, struct tsr_bytes *out);

/* The same without a copy: the file is mapped, to be read only, from a page's beginning on, for as long
 * as the arena lives. It must not be written to or made shorter in this time (tsr_file_write() does
 * neither): as of any mapped file, the bytes would change, and those that are gone end the process. */
enum tsr_status tsr_file_map(struct tsr_arena *arena, struct tsr_err *err, const char *path,
                             size_t limit, struct tsr_bytes *out);

/* Writes beside the path and renames, so that the path holds all or nothing of the new content. */
enum tsr_status tsr_file_write(struct tsr_err *err, const char *path, const void *data, size_t size);

#endif
