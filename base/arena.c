/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
  struct block *next;
};

struct last {
  struct last *next;
  void (*end)(void *context);
  void *context;
};

struct tsr_arena {
  const struct tsr_allocator *allocator;
  struct block *blocks; /* the first is the one being filled */
  char *free_from, *free_to;
  size_t bytes;
  struct last *lasts; /* the latest first */
  jmp_buf landing;
};

enum { BLOCK_BYTES = 64 * 1024, BLOCK_HEAD = 64 };

void *tsr_resize(const struct tsr_allocator *allocator, void *old, size_t size)
{
  if (allocator)
    return allocator->resize(allocator->context, old, size);
  if (size == 0) {
    free(old);
    return NULL;
  }
  return realloc(old, size);
}

struct tsr_arena *tsr_arena_new(const struct tsr_allocator *allocator)
{
  struct tsr_arena *arena = tsr_resize(allocator, NULL, sizeof *arena);
  if (!arena)
    return NULL;
  memset(arena, 0, sizeof *arena);
  arena->allocator = allocator;
  return arena;
}

void tsr_arena_free(struct tsr_arena *arena)
{
  if (!arena)
    return;
  for (const struct last *l = arena->lasts; l; l = l->next)
    l->end(l->context);
  for (struct block *b = arena->blocks, *next; b; b = next) {
    next = b->next;
    tsr_resize(arena->allocator, b, 0);
  }
  tsr_resize(arena->allocator, arena, 0);
}

void tsr_arena_at_end(struct tsr_arena *arena, void (*end)(void *context), void *context)
{
  struct last *l = TSR_NEW(arena, struct last);
  *l = (struct last){arena->lasts, end, context};
  arena->lasts = l;
}

jmp_buf *tsr_arena_landing(struct tsr_arena *arena)
{
  return &arena->landing;
}

const struct tsr_allocator *tsr_arena_allocator(const struct tsr_arena *arena)
{
  return arena->allocator;
}

size_t tsr_arena_bytes(const struct tsr_arena *arena)
{
  return arena->bytes;
}

void tsr_arena_exhausted(struct tsr_arena *arena)
{
  longjmp(arena->landing, 1);
}

static char *align_up(char *p, size_t alignment)
{
  return p + (-(uintptr_t)p & (alignment - 1));
}

static struct block *add_block(struct tsr_arena *arena, size_t payload)
{
  struct block *b = NULL;
  if (payload < SIZE_MAX - 2 * BLOCK_HEAD)
    b = tsr_resize(arena->allocator, NULL, payload + 2 * BLOCK_HEAD);
  if (!b)
    tsr_arena_exhausted(arena);
  return b;
}

void *tsr_arena_alloc(struct tsr_arena *arena, size_t size)
{
  size_t alignment = size >= 64 ? 64 : 16;
  char *p = align_up(arena->free_from, alignment);
  if (!arena->free_from || size > (size_t)(arena->free_to - arena->free_from) ||
      (size_t)(p - arena->free_from) > (size_t)(arena->free_to - arena->free_from) - size) {
    if (size > BLOCK_BYTES / 4) { /* a block of its own, behind the one being filled */
      struct block *own = add_block(arena, size);
      if (arena->blocks) {
        own->next = arena->blocks->next;
        arena->blocks->next = own;
      } else {
        own->next = NULL;
        arena->blocks = own;
      }
      p = align_up((char *)own + sizeof *own, BLOCK_HEAD);
      arena->bytes += size;
      return memset(p, 0, size);
    }
    struct block *b = add_block(arena, BLOCK_BYTES);
    b->next = arena->blocks;
    arena->blocks = b;
    arena->free_from = align_up((char *)b + sizeof *b, BLOCK_HEAD);
    arena->free_to = arena->free_from + BLOCK_BYTES;
    p = arena->free_from;
  }
  arena->free_from = p + size;
  arena->bytes += size;
  return memset(p, 0, size);
}

void *tsr_arena_alloc_array(struct tsr_arena *arena, size_t count, size_t size)
{
  if (size && count > SIZE_MAX / size)
    tsr_arena_exhausted(arena);
  return tsr_arena_alloc(arena, count * size);
}

void *tsr_arena_copy(struct tsr_arena *arena, const void *bytes, size_t size)
{
  void *p = tsr_arena_alloc(arena, size);
  if (size)
    memcpy(p, bytes, size);
  return p;
}

char *tsr_arena_strdup(struct tsr_arena *arena, const char *text)
{
  return tsr_arena_copy(arena, text, strlen(text) + 1);
}

void *tsr_arena_grow(struct tsr_arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
  if (count < *capacity)
    return array;
  size_t wanted = *capacity ? *capacity * 2 : 8;
  void *bigger = tsr_arena_alloc_array(arena, wanted, size);
  if (count)
    memcpy(bigger, array, count * size);
  *capacity = wanted;
  return bigger;
}

void tsr_text_add_bytes(struct tsr_text *text, const void *bytes, size_t size)
{
  if (size > SIZE_MAX / 2 - text->length)
    tsr_arena_exhausted(text->arena);
  if (text->length + size + 1 > text->capacity) {
    size_t wanted = (text->length + size + 1) * 2;
    char *bigger = tsr_arena_alloc(text->arena, wanted);
    if (text->length)
      memcpy(bigger, text->data, text->length);
    text->data = bigger;
    text->capacity = wanted;
  }
  if (size)
    memcpy(text->data + text->length, bytes, size);
  text->length += size;
  text->data[text->length] = 0;
}

void tsr_text_add(struct tsr_text *text, const char *format, ...)
{
  char small[256];
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(small, sizeof small, format, args);
  va_end(args);
  if (n >= 0 && (size_t)n < sizeof small) {
    tsr_text_add_bytes(text, small, (size_t)n);
  } else if (n >= 0) {
    char *big = tsr_arena_alloc(text->arena, (size_t)n + 1);
    vsnprintf(big, (size_t)n + 1, format, again);
    tsr_text_add_bytes(text, big, (size_t)n);
  }
  va_end(again);
}

char *tsr_arena_printf(struct tsr_arena *arena, const char *format, ...)
{
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *p = tsr_arena_alloc(arena, (size_t)(n < 0 ? 0 : n) + 1);
  vsnprintf(p, (size_t)(n < 0 ? 0 : n) + 1, format, again);
  va_end(again);
  return p;
}
