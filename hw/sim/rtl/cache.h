/* SPDX-License-Identifier: Apache-2.0 */
/* The folder in which built models are kept. An entry appears by a rename: whole, or not at all. */
#ifndef TSR_HW_SIM_RTL_CACHE_H
#define TSR_HW_SIM_RTL_CACHE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"

/* `given`, or where the user's cache is: $XDG_CACHE_HOME/tessera, else ~/.cache/tessera. */
enum tsr_status tsr__cache_folder(struct tsr_arena *arena, struct tsr_err *err, const char *given,
                                  char **out);
/* Makes a folder and those above it. */
enum tsr_status tsr__cache_make(struct tsr_err *err, const char *folder);

/* Keeps others from building the same entry at the same time. Where one of them does, waits() is
 * called, then waited. -1: the file system has no locks, and lets all of them build; end it with
 * tsr__cache_unlock(). */
int tsr__cache_lock(const char *path, void (*waits)(void *context), void *context);
void tsr__cache_unlock(int lock);

/* Removes a folder and what is in it. */
void tsr__cache_remove(const char *folder);
/* Removes all folders that mkdtemp() of this template has made: they are of processes that were ended
 * before they removed theirs. */
void tsr__cache_remove_made(const char *template);

#endif
