/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the system that build a model: found along PATH, run with a log. */
#ifndef TSR_HW_SIM_RTL_TOOL_H
#define TSR_HW_SIM_RTL_TOOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"

/* NULL: no such program. */
char *tsr__tool_find(struct tsr_arena *arena, const char *name);

/* Starts argv[0], a path, in `folder`; what it prints is added to the file `log`. -1: it could not
 * be started, and errno says why. */
pid_t tsr__tool_start(const char *const *argv, const char *folder, const char *log);
/* Whether the program ended with status 0. */
bool tsr__tool_wait(pid_t pid);

#endif
