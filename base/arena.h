/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with one end: everything a job allocates lives in its arena and goes with it.
 *
 * Allocation from an arena never returns NULL. When memory runs out the arena jumps to the point that
 * its owner set, and only the owner (a public call) has to think about it:
 *
 *   struct tsr_arena *a = tsr_arena_new(allocator);
 *   if (!a || setjmp(*tsr_arena_landing(a))) {
 *     tsr_arena_free(a);                        // a is not changed after setjmp, so needs no volatile
 *     return tsr_no_memory(err);
 *   }
 *
 * Code between must hold nothing that the arena does not own. */
#ifndef TSR_BASE_ARENA_H
#define TSR_BASE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Where memory comes from. resize(context, NULL, n) allocates, resize(context, p, 0) frees and returns
 * NULL, otherwise as realloc; NULL means "no". A NULL allocator stands for the C library's. */
struct tsr_allocator {
  void *(*resize)(void *context, void *old, size_t size);
  void *context;
};

void *tsr_resize(const struct tsr_allocator *allocator, void *old, size_t size);

struct tsr_arena;

struct tsr_arena *tsr_arena_new(const struct tsr_allocator *allocator); /* NULL: out of memory */
void tsr_arena_free(struct tsr_arena *arena);                           /* NULL is allowed */
jmp_buf *tsr_arena_landing(struct tsr_arena *arena);
const struct tsr_allocator *tsr_arena_allocator(const struct tsr_arena *arena);
size_t tsr_arena_bytes(const struct tsr_arena *arena); /* handed out so far */

/* Calls end(context) when the arena is freed, before its memory goes; the latest first. */
void tsr_arena_at_end(struct tsr_arena *arena, void (*end)(void *context), void *context);

/* Unwinds as when memory runs out; for code that calls an allocating library. */
void tsr_arena_exhausted(struct tsr_arena *arena) __attribute__((noreturn));

/* Zeroed, aligned to 64 bytes when size >= 64, else to 16. */
void *tsr_arena_alloc(struct tsr_arena *arena, size_t size);
void *tsr_arena_alloc_array(struct tsr_arena *arena, size_t count, size_t size);
void *tsr_arena_copy(struct tsr_arena *arena, const void *bytes, size_t size);
char *tsr_arena_strdup(struct tsr_arena *arena, const char *text);
char *tsr_arena_printf(struct tsr_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define TSR_NEW(arena, type) ((type *)tsr_arena_alloc((arena), sizeof(type)))
#define TSR_NEW_ARRAY(arena, type, count)                                                            \
  ((type *)tsr_arena_alloc_array((arena), (size_t)(count), sizeof(type)))

/* Grows an array of an arena so that it holds `count` + 1 items; `capacity` is kept by the caller:
 *   list = TSR_GROW(arena, list, count, &capacity); list[count++] = item; */
void *tsr_arena_grow(struct tsr_arena *arena, void *array, size_t count, size_t *capacity, size_t size);
#define TSR_GROW(arena, array, count, capacity)                                                      \
  tsr_arena_grow((arena), (array), (size_t)(count), (capacity), sizeof *(array))

/* Text that grows in an arena; `data` is always terminated once anything was added. */
struct tsr_text {
  struct tsr_arena *arena;
  char *data;
  size_t length, capacity;
};

void tsr_text_add(struct tsr_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tsr_text_add_bytes(struct tsr_text *text, const void *bytes, size_t size);

#endif
