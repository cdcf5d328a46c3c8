/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a model's values: who gives each its content. */
#include <string.h>

#include "compiler/onnx/private.h"

static size_t hash(const char *name)
{
  uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
  for (; *name; name++)
    h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
  return (size_t)(h ^ h >> 32);
}

/* The slot that holds the name, or the free one where it goes. */
static struct tsr__onnx_name *place(const struct tsr__onnx_names *names, const char *name)
{
  size_t at = hash(name) & (names->slots - 1);
  while (names->slot[at].name && strcmp(names->slot[at].name, name) != 0)
    at = (at + 1) & (names->slots - 1);
  return &names->slot[at];
}

struct tsr__onnx_name *tsr__onnx_find(const struct tsr__onnx_names *names, const char *name)
{
  struct tsr__onnx_name *slot = names->slots ? place(names, name) : NULL;
  return slot && slot->name ? slot : NULL;
}

static void double_slots(struct tsr_arena *arena, struct tsr__onnx_names *names)
{
  struct tsr__onnx_names bigger = {.slots = names->slots ? names->slots * 2 : 256,
                                   .used = names->used};
  bigger.slot = TSR_NEW_ARRAY(arena, struct tsr__onnx_name, bigger.slots);
  for (size_t i = 0; i < names->slots; i++)
    if (names->slot[i].name)
      *place(&bigger, names->slot[i].name) = names->slot[i];
  *names = bigger;
}

static enum tsr_status check_name(struct tsr_arena *arena, struct tsr_err *err, const char *name)
{
  enum { LONGEST = 4096 };
  if (!*name)
    return tsr_refuse(err, "a value has no name");
  if (strnlen(name, LONGEST + 1) > LONGEST)
    return tsr_refuse(err, "the value name '%s' has more than %d bytes",
                      tsr__onnx_show(arena, name), LONGEST);
  for (const char *c = name; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      return tsr_refuse(err, "the value name '%s' holds a control character",
                        tsr__onnx_show(arena, name));
  return TSR_OK;
}

enum tsr_status tsr__onnx_add(struct tsr_arena *arena, struct tsr_err *err,
                              struct tsr__onnx_names *names, const char *name, int node,
                              struct tsr__onnx_name **out)
{
  enum tsr_status status = check_name(arena, err, name);
  if (status)
    return status;
  if (names->used * 2 >= names->slots)
    double_slots(arena, names);
  struct tsr__onnx_name *slot = place(names, name);
  if (slot->name)
    return tsr_refuse(err, "the value name '%s' is given twice; each value has one origin",
                      tsr__onnx_show(arena, name));
  *slot = (struct tsr__onnx_name){.name = name, .node = node};
  names->used++;
  *out = slot;
  return TSR_OK;
}

const char *tsr__onnx_show(struct tsr_arena *arena, const char *name)
{
  enum { LONGEST = 120 };
  char *shown = tsr_arena_printf(arena, "%.*s%s", LONGEST, name ? name : "",
                                 name && strnlen(name, LONGEST + 1) > LONGEST ? "..." : "");
  for (char *c = shown; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      *c = '?';
  return shown;
}
