/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/json_guard.h"

#include <stdlib.h>
#include <string.h>

static void release(struct tsr__json_held *held)
{
  json_decref(held->value);
  free(held->text);
}

enum tsr_status tsr__with_json(struct tsr_arena *arena,
                               enum tsr_status (*body)(struct tsr__json_held *held, void *context),
                               void *context)
{
  struct tsr__json_held held = {NULL, NULL};
  jmp_buf outer; /* where the arena unwinds to once ours is done */
  memcpy(&outer, tsr_arena_landing(arena), sizeof outer);
  if (setjmp(*tsr_arena_landing(arena))) {
    release(&held);
    memcpy(tsr_arena_landing(arena), &outer, sizeof outer);
    tsr_arena_exhausted(arena);
  }
  enum tsr_status status = body(&held, context);
  release(&held);
  memcpy(tsr_arena_landing(arena), &outer, sizeof outer);
  return status;
}
