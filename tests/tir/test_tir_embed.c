/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs whose parameters lie inside of larger buffers: the text that comes of it, and the same numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "compiler/tir/tir.h"

enum { PAD = 7 };

/* Sums of three neighbours in a row, 7 beside it; z twice as large in steps of 2. */
static const char text[] = "func f(x: i8[2,4], z: i8[2,7]) -> (y: i8[2,4]) {\n"
                           "  temp xs: i8[2,6]\n"
                           "  temp s: i8[2,4]\n"
                           "  xs: xs[a, b] = select(0 <= b - 1 and b - 1 < 4, x[a, b - 1], i8(7))\n"
                           "  s: s[a, b] sum(k < 3) init i8(0) = xs[a, b + k]\n"
                           "  y: y[a, b] = s[a, b] + z[a, b * 2]\n"
                           "}";

static const struct row {
  int64_t x[2], z[2], y[2]; /* before and behind each row; -1: it stays as it is */
  int64_t value;
  const char *text;
} rows[] = {
    {{1, 1},
     {-1, 0},
     {-1, 0},
     PAD,
     "func f(x: i8[2,6] inp, z: i8[2,7]) -> (y: i8[2,4]) {\n"
     "  temp xs: i8[2,6]\n"
     "  temp s: i8[2,4]\n"
     "  xs: xs[a, b] = x[a, b]\n"
     "  s: s[a, b] sum(k < 3) init i8(0) = xs[a, b + k]\n"
     "  y: y[a, b] = s[a, b] + z[a, b * 2]\n"
     "}\n"},
    /* more than it needs, and on one side only */
    {{3, 1},
     {0, 2},
     {2, 0},
     PAD,
     "func f(x: i8[2,8] inp, z: i8[2,9] inp) -> (ys: i8[2,6] inp) {\n"
     "  temp xs: i8[2,6]\n"
     "  temp s: i8[2,4]\n"
     "  temp y: i8[2,4]\n"
     "  xs: xs[a, b] = x[a, b + 2]\n"
     "  s: s[a, b] sum(k < 3) init i8(0) = xs[a, b + k]\n"
     "  y: y[a, b] = s[a, b] + z[a, b * 2]\n"
     "  ys: ys[a, b] = select(0 <= b - 2, y[a, b - 2], i8(7))\n"
     "}\n"},
    /* less than it needs: it pads itself */
    {{0, 1},
     {-1, 0},
     {1, 1},
     PAD,
     "func f(x: i8[2,5] inp, z: i8[2,7]) -> (ys: i8[2,6] inp) {\n"
     "  temp xs: i8[2,6]\n"
     "  temp s: i8[2,4]\n"
     "  temp y: i8[2,4]\n"
     "  xs: xs[a, b] = select(0 <= b - 1 and b - 1 < 4, x[a, b - 1], i8(7))\n"
     "  s: s[a, b] sum(k < 3) init i8(0) = xs[a, b + k]\n"
     "  y: y[a, b] = s[a, b] + z[a, b * 2]\n"
     "  ys: ys[a, b] = select(0 <= b - 1 and b - 1 < 4, y[a, b - 1], i8(7))\n"
     "}\n"},
    {{1, 0},
     {-1, 0},
     {-1, 0},
     PAD,
     "func f(x: i8[2,5] inp, z: i8[2,7]) -> (y: i8[2,4]) {\n"
     "  temp xs: i8[2,6]\n"
     "  temp s: i8[2,4]\n"
     "  xs: xs[a, b] = select(0 <= b - 1 and b - 1 < 4, x[a, b], i8(7))\n"
     "  s: s[a, b] sum(k < 3) init i8(0) = xs[a, b + k]\n"
     "  y: y[a, b] = s[a, b] + z[a, b * 2]\n"
     "}\n"},
    /* another value */
    {{1, 1},
     {-1, 0},
     {0, 0},
     PAD + 1,
     "func f(x: i8[2,6] inp, z: i8[2,7]) -> (ys: i8[2,4] inp) {\n"
     "  temp xs: i8[2,6]\n"
     "  temp s: i8[2,4]\n"
     "  temp y: i8[2,4]\n"
     "  xs: xs[a, b] = select(0 <= b - 1 and b - 1 < 4, x[a, b], i8(7))\n"
     "  s: s[a, b] sum(k < 3) init i8(0) = xs[a, b + k]\n"
     "  y: y[a, b] = s[a, b] + z[a, b * 2]\n"
     "  ys: ys[a, b] = y[a, b]\n"
     "}\n"},
};

static void run(struct tsr_arena *a, const struct tir_func *f, void *const *data)
{
  struct tsr_err err;
  struct tir_program *p;
  struct tir_code *code;
  if (tir_func_verify(&err, f) || tir_lower(a, &err, tir_sched_new(a, f), &p) ||
      tir_code_new(a, &err, p, &code) || tir_code_run(code, a, &err, data))
    fail_msg("%s", err.text);
}

/* Rows of `columns` elements into longer ones, or back. */
static int8_t *embedded(struct tsr_arena *a, const int8_t *from, int64_t columns,
                        const int64_t around[2], int8_t value)
{
  int64_t before = around[0] < 0 ? 0 : around[0], row = columns + before + around[1];
  int8_t *to = tsr_arena_alloc(a, (size_t)(2 * row));
  memset(to, value, (size_t)(2 * row));
  for (int r = 0; r < 2; r++)
    memcpy(to + r * row + before, from + r * columns, (size_t)columns);
  return to;
}

static void text_and_numbers(void **state)
{
  (void)state;
  int8_t x[8], z[14], y[8] = {0};
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    const struct row *r = &rows[k];
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_err err;
    struct tir_func *f = NULL;
    struct tir_border border[3];
    const int64_t *around[3] = {r->x, r->z, r->y};
    const struct tir_border *list[3] = {NULL, NULL, NULL};
    if (tir_func_parse(a, &err, "test", text, &f))
      fail_msg("%s", err.text);
    for (int p = 0; p < 3; p++) {
      border[p] = (struct tir_border){TIR_INP, {0, around[p][0]}, {0, around[p][1]}, r->value};
      list[p] = around[p][0] < 0 ? NULL : &border[p];
    }
    struct tir_func *g = tir_func_embed(a, f, list, "ys");
    assert_string_equal(tir_func_print(a, g), r->text);
    for (int i = 0; i < 14; i++) {
      x[i % 8] = (int8_t)(i * 5 - 20);
      z[i] = (int8_t)(i * 3);
    }
    int8_t *found = embedded(a, y, 4, r->y, 0);
    run(a, f, (void *[]){x, z, y});
    run(a, g,
        (void *[]){embedded(a, x, 4, r->x, (int8_t)r->value),
                   embedded(a, z, 7, r->z, (int8_t)r->value), found});
    int64_t before[2], dims[2], row = 4 + (r->y[0] < 0 ? 0 : r->y[0]) + r->y[1];
    assert_memory_equal(found, embedded(a, y, 4, r->y, (int8_t)r->value), (size_t)(2 * row));
    tir_func_result(g, before, dims);
    assert_int_equal(before[1], r->y[0] < 0 ? 0 : r->y[0]);
    assert_int_equal(dims[1], 4);
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(text_and_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
