/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: where the user's caches are, and the making of one. */
#ifndef TSR_BASE_FOLDER_H
#define TSR_BASE_FOLDER_H

#include <stdbool.h>

#include "base/arena.h"

/* $XDG_CACHE_HOME/tessera, else ~/.cache/tessera; NULL where neither variable is an absolute path. It
 * need not be there yet. */
char *tsr_folder_of_caches(struct tsr_arena *arena);

/* Makes a folder and those above it, where they are missing. False: it cannot be made, or nothing can
 * be written in it; errno tells why. */
bool tsr_folder_make(const char *path);

#endif
