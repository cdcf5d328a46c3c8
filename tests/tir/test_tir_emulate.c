/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and threads: what emulation finds, where lowering puts barriers, and what it refuses to
 * bind. */
#include "tests/tir/tir_test.h"

struct row {
  const char *program, *says; /* NULL: nothing, y is x's elements twice */
};

#define HEAD   "program p(x: i32[8]) -> (y: i32[8]) {\n"
#define BLOCK  HEAD "for b < 1 bind block.x {\n"
#define SHARED BLOCK "alloc s: i32[8] shared {\n"
#define FILL   "for i < 8 bind thread.x { s[i] = x[i] }\n"

static const struct row rows[] = {
    {HEAD
     "for b < 2 bind block.x { for t < 4 bind thread.x { y[t + b * 4] = x[t + b * 4] * 2 } }\n}",
     NULL},
    {HEAD "for b < 2 bind block.x { for t < 4 bind thread.x { y[t] = x[t] } }\n}",
     "p: race: element 0 of buffer y is used by two blocks, of which one writes it"},
    {SHARED FILL
     "barrier\nfor i < 8 bind thread.x { y[i] = s[7 - i] + x[i] * 2 - s[7 - i] } } }\n}",
     NULL},
    {SHARED FILL "for i < 8 bind thread.x { y[i] = s[7 - i] } } }\n}",
     "p: race: thread 0,0,0 reads element 7 of buffer s, which thread 7,0,0 uses too with no "
     "barrier between"},
    {SHARED FILL "for i < 8 bind thread.x { y[i] = s[i] * 2 } } }\n}", NULL},
    {SHARED "for k < 2 { " FILL "barrier\nfor i < 8 bind thread.x { y[i] = s[7 - i] } } } }\n}",
     "p: race: thread 0,0,0 writes element 0 of buffer s, which thread 7,0,0 uses too with no "
     "barrier between"},
    {SHARED "for i < 7 bind thread.x { s[i] = x[i] }\nbarrier\n"
            "for i < 8 bind thread.x { y[i] = s[i] } } }\n}",
     "p: thread 7,0,0 reads element 7 of buffer s, which none has written"},
    {BLOCK "alloc r: i32[8] register {\nfor i < 8 bind thread.x { r[i] = x[i] }\n"
           "for i < 8 bind thread.x { y[i] = r[i] * 2 } } }\n}",
     NULL},
    {BLOCK "alloc r: i32[8] register {\nfor i < 8 bind thread.x { r[i] = x[i] }\n"
           "for i < 8 bind thread.x { y[i] = r[7 - i] } } }\n}",
     "p: thread 0,0,0 reads element 7 of register buffer r, which thread 7,0,0 holds"},
    {SHARED "for i < 8 bind thread.x { s[i] = x[i] async }\ncommit\nbarrier\n"
            "for i < 8 bind thread.x { y[i] = s[i] } } }\n}",
     "p: thread 0,0,0 reads element 0 of buffer s, which is still on its way"},
    {SHARED "for i < 8 bind thread.x { s[i] = x[i] async }\ncommit\nwait 0\nbarrier\n"
            "for i < 8 bind thread.x { y[i] = s[i] * 2 } } }\n}",
     NULL},
};

static void test_programs(void **state)
{
  int32_t x[8], y[8];
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct tsr_err err = {0};
    for (int i = 0; i < 8; i++)
      x[i] = 3 * i - 5;
    char *text = tsr_arena_strdup(*state, rows[k].program);
    /* i32 constants are written as casts */
    struct tsr_text t = {.arena = *state};
    for (const char *c = text; *c; c++)
      if (!strncmp(c, "* 2", 3) && (c[-2] == ']')) {
        tsr_text_add(&t, "* i32(2)");
        c += 2;
      } else {
        tsr_text_add_bytes(&t, c, 1);
      }
    enum tsr_status status =
        tir_emulate(*state, &err, program_of(*state, t.data), (void *[]){x, y});
    if (rows[k].says) {
      if (!status)
        fail_msg("runs, and should say: %s", rows[k].says);
      assert_string_equal(err.text, rows[k].says);
      continue;
    }
    if (status)
      fail_msg("%s\n%s", err.text, t.data);
    for (int i = 0; i < 8; i++)
      assert_int_equal(y[i], 2 * x[i]);
  }
}

/* --- schedules -------------------------------------------------------------------------------- */

static const char func[] = "func f(x: i32[32,64]) -> (y: i32[32,64]) {\n"
                           "  temp t: i32[32,64]\n"
                           "  t: t[n, m] = x[n, m] * i32(3)\n"
                           "  y: y[n, m] = t[n, 63 - m] + t[n, m]\n}";

static struct tir_sched *scheduled_by(struct tsr_arena *a, const char *lines, struct tsr_err *err)
{
  struct tir_sched *s = tir_sched_new(a, func_of(a, func));
  char *line = tsr_arena_strdup(a, lines), *next = line;
  for (; (line = strsep(&next, "\n"));)
    if (tir_sched_apply(s, err, line))
      return NULL;
  return s;
}

static void test_barriers(void **state)
{
  struct tsr_err err = {0};
  struct tir_program *p;
  int32_t x[32 * 64], y[32 * 64];
  struct tir_sched *s = scheduled_by(*state,
                                     "set_scope t shared\ncompute_at t y n\nbind y n block.x\n"
                                     "bind y m thread.x\nbind t m thread.x",
                                     &err);
  if (!s || tir_lower(*state, &err, s, &p))
    fail_msg("%s", err.text);
  assert_non_null(strstr(tir_program_print(*state, p), "barrier"));
  for (int i = 0; i < 32 * 64; i++)
    x[i] = i * i;
  if (tir_emulate(*state, &err, p, (void *[]){x, y}))
    fail_msg("%s", err.text);
  for (int i = 0; i < 32 * 64; i++)
    assert_int_equal(y[i], 3 * (x[i] + x[i / 64 * 64 + 63 - i % 64]));
}

static const struct row refused[] = {
    {"bind y n block.q", "no loop can be bound to 'block.q'; did you mean 'block.x'?"},
    {"bind y n thread.x\nbind y m thread.x",
     "loop m of stage y is bound to thread.x, as loop n around it is"},
    {"bind y n thread.x\nbind y m block.x",
     "loop m of stage y can't be bound to block.x: loop n stands outside of it; loops over blocks "
     "come first"},
    {"compute_at t y n\nbind y n block.x",
     "stage t is computed in a loop bound to blocks, where buffers are of scope shared or "
     "register, not global"},
    {"set_scope t shared\ncompute_at t y n\nbind y n thread.x",
     "stage t is computed in a loop bound to threads, so each thread has a buffer of its own, "
     "which is of scope register, not shared"},
    {"set_scope t shared\ncompute_at t y n\nbind t m block.x",
     "loop m of stage t can't be bound to block.x: the stage is computed inside of another, and "
     "only those at the root run over blocks"},
    {"bind y n block.x\nsplit y n 4 a b",
     "can't split loop n of stage y: it is marked as bound; split first, then mark its parts"},
};

static void test_refusals(void **state)
{
  for (size_t k = 0; k < sizeof refused / sizeof *refused; k++) {
    struct tsr_err err = {0};
    assert_null(scheduled_by(*state, refused[k].program, &err));
    assert_string_equal(err.text, refused[k].says);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(test_programs), IN_ARENA(test_barriers),
                                     IN_ARENA(test_refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
