/* SPDX-License-Identifier: Apache-2.0 */
/* What tells one built model from another: FNV-1a over all that goes into it. */
#ifndef TSR_HW_SIM_RTL_KEY_H
#define TSR_HW_SIM_RTL_KEY_H

#include "base/arena.h"

uint64_t tsr__key_start(void);
/* Adds a text with its end, so that two texts are not one. */
uint64_t tsr__key_text(uint64_t key, const char *text);
/* A program: path, size, time of change; and those of PATH_bin beside it, which a script may
 * run. */
uint64_t tsr__key_tool(uint64_t key, const char *path);
/* The processor's features, which code for `native` uses. */
uint64_t tsr__key_processor(uint64_t key);

#endif
