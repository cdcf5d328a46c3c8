/* SPDX-License-Identifier: Apache-2.0 */
/* Building a func, names, and the map that passes over expressions share. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "compiler/tir/tir_internal.h"

static const char *const scopes[] = {"global", "local", "inp",    "wgt",     "acc",
                                     "out",    "lut",   "shared", "register"};
_Static_assert(sizeof scopes / sizeof scopes[0] == TIR_SCOPE_COUNT, "one name for each scope");

const char *tir_scope_name(enum tir_scope scope)
{
  return scopes[scope];
}

bool tir_scope_from_name(const char *name, enum tir_scope *out)
{
  for (int i = 0; i < TIR_SCOPE_COUNT; i++)
    if (!strcmp(scopes[i], name)) {
      *out = (enum tir_scope)i;
      return true;
    }
  return false;
}

static const char *const binds[] = {"block.x",  "block.y",  "block.z",
                                    "thread.x", "thread.y", "thread.z"};
_Static_assert(sizeof binds / sizeof binds[0] == TIR_BIND_COUNT, "one name for each place");

const char *tir_bind_name(enum tir_bind bind)
{
  return binds[bind];
}

bool tir_bind_from_name(const char *name, enum tir_bind *out)
{
  for (int i = 0; i < TIR_BIND_COUNT; i++)
    if (!strcmp(binds[i], name)) {
      *out = (enum tir_bind)i;
      return true;
    }
  return false;
}

bool tir__name_ok(const char *name)
{
  static const char *const words[] = {"and", "or", "not", "true", "false", "inf", "nan"};
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.";
  size_t length = strlen(name);
  if (!length || length > 255 || strspn(name, letters) != length || strspn(name, letters + 53))
    return false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (!strcmp(name, words[i]))
      return false;
  return true;
}

struct tir_func *tir_func_new(struct tsr_arena *a, const char *name)
{
  assert(tir__name_ok(name));
  struct tir_func *f = TSR_NEW(a, struct tir_func);
  f->name = tsr_arena_strdup(a, name);
  return f;
}

static struct tir_buffer *new_buffer(struct tsr_arena *a, const char *name, enum tsr_dtype dtype,
                                     int rank, const int64_t *dims)
{
  assert(tir__name_ok(name) && rank >= 0 && rank <= TSR_MAX_RANK);
  struct tir_buffer *b = TSR_NEW(a, struct tir_buffer);
  b->name = tsr_arena_strdup(a, name);
  b->dtype = dtype;
  b->scope = TIR_GLOBAL;
  b->rank = rank;
  for (int i = 0; i < rank; i++)
    b->dims[i] = dims[i];
  return b;
}

/* list with one item more; funcs are small, and so copied. */
static void *appended(struct tsr_arena *a, void *list, int count, void *item)
{
  void **bigger = TSR_NEW_ARRAY(a, void *, count + 1);
  if (count)
    memcpy(bigger, list, (size_t)count * sizeof *bigger);
  bigger[count] = item;
  return bigger;
}

struct tir_buffer *tir_func_input(struct tsr_arena *a, struct tir_func *f, const char *name,
                                  enum tsr_dtype dtype, int rank, const int64_t *dims)
{
  assert(f->params == f->inputs); /* inputs first, then outputs */
  struct tir_buffer *b = tir_func_output(a, f, name, dtype, rank, dims);
  f->inputs++;
  return b;
}

struct tir_buffer *tir_func_output(struct tsr_arena *a, struct tir_func *f, const char *name,
                                   enum tsr_dtype dtype, int rank, const int64_t *dims)
{
  struct tir_buffer *b = new_buffer(a, name, dtype, rank, dims);
  f->param = appended(a, f->param, f->params, b);
  f->params++;
  return b;
}

struct tir_buffer *tir_func_temp(struct tsr_arena *a, struct tir_func *f, const char *name,
                                 enum tsr_dtype dtype, int rank, const int64_t *dims)
{
  (void)f; /* a temp belongs to the stage that computes it */
  return new_buffer(a, name, dtype, rank, dims);
}

/* Copies the next word of *names to `word`; false at the end. */
static bool next_word(const char **names, char *word, size_t size)
{
  *names += strspn(*names, " ");
  size_t length = strcspn(*names, " ");
  if (length == 0)
    return false;
  assert(length < size);
  (void)size;
  memcpy(word, *names, length);
  word[length] = 0;
  *names += length;
  return true;
}

struct tir_stage *tir_func_stage(struct tsr_arena *a, struct tir_func *f, const char *name,
                                 struct tir_buffer *out, const char *axis_names, int reduce_axes,
                                 const int64_t *reduce_extents)
{
  assert(tir__name_ok(name) && reduce_axes >= 0 && reduce_axes <= TSR_MAX_RANK);
  struct tir_stage *s = TSR_NEW(a, struct tir_stage);
  char word[256];
  s->name = tsr_arena_strdup(a, name);
  s->out = out;
  s->axes = out->rank + reduce_axes;
  for (int i = 0; i < s->axes; i++) {
    bool named = next_word(&axis_names, word, sizeof word);
    assert(named);
    (void)named;
    struct tir_var *var = TSR_NEW(a, struct tir_var);
    var->name = tsr_arena_printf(a, "%s.%s", name, word);
    assert(tir__name_ok(var->name));
    s->axis[i].var = var;
    s->axis[i].extent = i < out->rank ? out->dims[i] : reduce_extents[i - out->rank];
  }
  assert(!next_word(&axis_names, word, sizeof word));
  tir__func_add_stage(a, f, s);
  return s;
}

void tir__func_add_stage(struct tsr_arena *a, struct tir_func *f, struct tir_stage *s)
{
  f->stage = appended(a, f->stage, f->stages, s);
  f->stages++;
}

tir_e tir_axis_use(struct tsr_arena *a, const struct tir_stage *s, int axis)
{
  return tir_use(a, s->axis[axis].var);
}

const char *tir_axis_name(const struct tir_stage *s, int axis)
{
  return s->axis[axis].var->name + strlen(s->name) + 1;
}

/* --- map ------------------------------------------------------------------------------------- */

static size_t slot_of(const struct tir__map *m, const void *key)
{
  uint64_t h = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
  size_t i = (size_t)(h >> 32) & (m->capacity - 1);
  while (m->entry[i].key && m->entry[i].key != key)
    i = (i + 1) & (m->capacity - 1);
  return i;
}

const void *tir__map_get(const struct tir__map *m, const void *key)
{
  return m->capacity ? m->entry[slot_of(m, key)].value : NULL;
}

void tir__map_put(struct tsr_arena *a, struct tir__map *m, const void *key, const void *value)
{
  if (2 * m->count >= m->capacity) {
    struct tir__map old = *m;
    m->capacity = old.capacity ? 2 * old.capacity : 16;
    m->entry = TSR_NEW_ARRAY(a, struct tir__map_entry, m->capacity);
    for (size_t i = 0; i < old.capacity; i++)
      if (old.entry[i].key)
        m->entry[slot_of(m, old.entry[i].key)] = old.entry[i];
  }
  size_t i = slot_of(m, key);
  m->count += !m->entry[i].key;
  m->entry[i].key = key;
  m->entry[i].value = value;
}
