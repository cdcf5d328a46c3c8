/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values beside an arena.
 *
 * jansson's values do not live in arenas, and an arena unwinds past whoever holds one when memory
 * runs out. tsr__with_json() calls `body` with a place for a value and a text, and releases both
 * whichever way the body ends. */
#ifndef TSR_RUNTIME_JSON_GUARD_H
#define TSR_RUNTIME_JSON_GUARD_H

#include <jansson.h>

#include "base/arena.h"
#include "base/status.h"

struct tsr__json_held {
  json_t *volatile value;
  char *volatile text; /* from json_dumps */
};

enum tsr_status tsr__with_json(struct tsr_arena *arena,
                               enum tsr_status (*body)(struct tsr__json_held *held, void *context),
                               void *context);

#endif
