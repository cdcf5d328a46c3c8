/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/base/cases.h"

/* One of each kind of use, with a size from every path: small, a new block, a block of its own. */
static void use(struct tsr_arena *arena)
{
  static const size_t sizes[] = {0, 1, 15, 16, 63, 64, 65, 1000, 16384, 16385, 65536, 200000};
  uint64_t seed = 1;
  for (int i = 0; i < 60; i++) {
    size_t size = sizes[next_random(&seed) % (sizeof sizes / sizeof sizes[0])];
    unsigned char *p = tsr_arena_alloc(arena, size);
    assert_int_equal((uintptr_t)p % (size >= 64 ? 64 : 16), 0);
    for (size_t k = 0; k < size; k++)
      assert_int_equal(p[k], 0);
    memset(p, 0xa5, size);
  }
  int *list = NULL;
  size_t capacity = 0;
  for (int i = 0; i < 1000; i++) {
    list = TSR_GROW(arena, list, i, &capacity);
    list[i] = i;
  }
  for (int i = 0; i < 1000; i++)
    assert_int_equal(list[i], i);
  struct tsr_text text = {.arena = arena};
  for (int i = 0; i < 100; i++)
    tsr_text_add(&text, "%d,%*s", i, i * 5, "");
  assert_memory_equal(text.data, "0,1,     2,", 11);
  assert_int_equal(strlen(text.data), text.length);
  assert_string_equal(tsr_arena_printf(arena, "%s=%d", "a", 5), "a=5");
  assert_string_equal(tsr_arena_strdup(arena, "text"), "text");
}

static bool use_lands(struct counting *c)
{
  struct tsr_arena *arena = tsr_arena_new(&c->allocator);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return true;
  }
  use(arena);
  tsr_arena_free(arena);
  return false;
}

static void every_allocation_fails_once(void **state)
{
  (void)state;
  for (int n = 0;; n++) {
    struct counting c;
    counting_init(&c, n);
    bool landed = use_lands(&c);
    assert_int_equal(c.live, 0);
    assert_int_equal(landed, c.refused);
    if (!landed) {
      assert_true(n > 10);
      break;
    }
  }
}

struct ending {
  int *calls, place;
};

static void ends(void *context)
{
  struct ending *e = context;
  assert_int_equal(*e->calls, e->place);
  ++*e->calls;
}

/* The latest first, while what they were given is still there. */
static void ends_are_called_in_order(void **state)
{
  (void)state;
  int calls = 0;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  for (int i = 0; i < 3; i++) {
    struct ending *e = TSR_NEW(arena, struct ending);
    *e = (struct ending){&calls, 2 - i};
    tsr_arena_at_end(arena, ends, e);
  }
  assert_int_equal(calls, 0);
  tsr_arena_free(arena);
  assert_int_equal(calls, 3);
}

static void plain_allocator(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  use(arena);
  assert_null(tsr_arena_allocator(arena));
  size_t before = tsr_arena_bytes(arena);
  tsr_arena_alloc(arena, 100);
  assert_int_equal(tsr_arena_bytes(arena) - before, 100);
  tsr_arena_free(arena);
  tsr_arena_free(NULL);
}

/* Sizes that cannot be had unwind; they neither wrap around nor reach the allocator. */
static void impossible_sizes_unwind(void **state)
{
  (void)state;
  static const size_t rows[][2] = {{SIZE_MAX, 1},     {SIZE_MAX - 64, 1}, {SIZE_MAX - 128, 1},
                                   {SIZE_MAX / 2, 3}, {3, SIZE_MAX / 2},  {SIZE_MAX, SIZE_MAX}};
  for (volatile size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct counting c;
    counting_init(&c, 1); /* the arena itself */
    struct tsr_arena *arena = tsr_arena_new(&c.allocator);
    if (setjmp(*tsr_arena_landing(arena)) == 0) {
      tsr_arena_alloc_array(arena, rows[i][0], rows[i][1]);
      assert_true(false);
    }
    assert_int_equal(c.live, 1);
    tsr_arena_free(arena);
  }
}

static void text_of_any_size(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  for (int n = 250; n < 262; n++) { /* around the size that is formatted on the stack */
    struct tsr_text text = {.arena = arena};
    tsr_text_add(&text, "%0*d", n, 8);
    assert_int_equal(text.length, n);
    assert_int_equal(text.data[n - 1], '8');
    tsr_text_add_bytes(&text, "", 0);
    assert_int_equal(text.data[n], 0);
  }
  tsr_arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_allocation_fails_once),
      cmocka_unit_test(plain_allocator),
      cmocka_unit_test(ends_are_called_in_order),
      cmocka_unit_test(impossible_sizes_unwind),
      cmocka_unit_test(text_of_any_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
