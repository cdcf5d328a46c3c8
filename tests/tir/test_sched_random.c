/* SPDX-License-Identifier: Apache-2.0 */
/* Random schedules: whatever a schedule accepts computes the same bits as the default one.
 *
 * test_sched_random [SEED [SCHEDULES]]; the seed of a difference is printed with its lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/tir/sched.h"
#include "tests/tir/test_sched_funcs.h"

enum { LINES = 14 };

struct random {
  uint64_t state;
  int names; /* made so far */
};

static int below(struct random *r, int n)
{
  r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int)((r->state >> 33) % (uint64_t)n);
}

static const struct tir__sstage *any_stage(struct random *r, const struct tir_sched *s)
{
  return s->state->stage[below(r, s->state->stages)];
}

static const char *leaf_name(const struct tir__sstage *g, int position)
{
  return g->loop[g->leaf[position]].name;
}

static const char *any_leaf(struct random *r, const struct tir__sstage *g)
{
  return g->leaves ? leaf_name(g, below(r, g->leaves)) : "none";
}

static const char *any_scope(struct random *r)
{
  return tir_scope_name((enum tir_scope)below(r, TIR_SCOPE_COUNT));
}

static char *reorder_line(struct tsr_arena *a, struct random *r, const struct tir__sstage *g)
{
  struct tsr_text text = {.arena = a};
  bool taken[TIR__MAX_LOOPS] = {false};
  tsr_text_add(&text, "reorder %s", g->name);
  for (int n = 2 + below(r, 3); n > 0; n--) {
    int k = g->leaves ? below(r, g->leaves) : 0;
    if (!g->leaves || taken[k])
      continue;
    taken[k] = true;
    tsr_text_add(&text, " %s", leaf_name(g, k));
  }
  return text.data;
}

static char *fuse_line(struct tsr_arena *a, struct random *r, const struct tir__sstage *g)
{
  if (g->leaves < 2)
    return "fuse";
  int k = below(r, g->leaves - 1);
  return tsr_arena_printf(a, "fuse %s %s %s f%d", g->name, leaf_name(g, k), leaf_name(g, k + 1),
                          r->names++);
}

/* At a reader, or where a reader is. */
static char *compute_at_line(struct tsr_arena *a, struct random *r, const struct tir__state *st,
                             const struct tir__sstage *g)
{
  const struct tir__sstage *at = NULL;
  int seen = 0;
  for (int k = 0; k < st->stages; k++)
    if (tir__stage_reads(st->stage[k], g->out) && below(r, ++seen) == 0)
      at = st->stage[k];
  if (at && at->at && below(r, 2))
    at = st->stage[tir__stage_index(st, at->at)];
  return tsr_arena_printf(a, "compute_at %s %s %s", g->name, at ? at->name : "nothing",
                          at ? any_leaf(r, at) : "none");
}

static char *cache_read_line(struct tsr_arena *a, struct random *r, const struct tir__sstage *g)
{
  const char *name = g->loads ? g->load[below(r, g->loads)]->buffer->name : "nothing";
  return tsr_arena_printf(a, "cache_read %s %s %s c%d", name, any_scope(r), g->name, r->names++);
}

/* Of a stage that is computed in a loop, if there is one. */
static char *slide_line(struct tsr_arena *a, struct random *r, const struct tir__state *st,
                        const struct tir__sstage *g)
{
  int seen = 0;
  for (int k = 0; k < st->stages; k++)
    if (st->stage[k]->at && below(r, ++seen) == 0)
      g = st->stage[k];
  return tsr_arena_printf(a, "slide %s k%d", g->name, r->names++);
}

static char *any_line(struct tsr_arena *a, struct random *r, const struct tir_sched *s)
{
  const struct tir__sstage *g = any_stage(r, s);
  int n = r->names;
  switch (below(r, 18)) {
  case 0:
  case 1:
  case 2:
    r->names += 2;
    return tsr_arena_printf(a, "split %s %s %d s%d s%d", g->name, any_leaf(r, g), 1 + below(r, 6),
                            n, n + 1);
  case 3: return fuse_line(a, r, g);
  case 4:
  case 5:
  case 6: return reorder_line(a, r, g);
  case 7:
  case 8:
  case 9: return compute_at_line(a, r, s->state, g);
  case 10: return cache_read_line(a, r, g);
  case 11:
    r->names++;
    return tsr_arena_printf(a, "cache_write %s %s c%d", g->name, any_scope(r), n);
  case 12:
    if (below(r, 3) == 0)
      return tsr_arena_printf(a, "inline %s", g->name);
    return tsr_arena_printf(a, "set_scope %s %s", g->name, any_scope(r));
  case 13: return tsr_arena_printf(a, "unroll %s %s", g->name, any_leaf(r, g));
  case 14: return tsr_arena_printf(a, "pipeline %s %s 2", g->name, any_leaf(r, g));
  case 15:
  case 16: return slide_line(a, r, s->state, g);
  default: return tsr_arena_printf(a, "pad %s %s %d", g->name, any_leaf(r, g), 2 + below(r, 4));
  }
}

/* What a schedule's text gives on a new schedule is the same program. */
static void expect_replays(struct tsr_arena *a, const struct tir_func *f, const struct tir_sched *s,
                           const struct tir_program *p)
{
  struct tir_program *again = lowered(a, scheduled(a, f, tir_sched_text(s)));
  assert_string_equal(tir_program_print(a, p), tir_program_print(a, again));
}

static void expect_parses(struct tsr_arena *a, const struct tir_program *p)
{
  char *text = tir_program_print(a, p);
  struct tir_program *parsed;
  struct tsr_err err = {0};
  if (tir_program_parse(a, &err, "printed", text, &parsed))
    fail_msg("%s\n%s", err.text, text);
  assert_string_equal(text, tir_program_print(a, parsed));
}

struct counts {
  int tried, accepted, slides; /* lines; schedules in which a stage slides */
};

static void one_schedule(struct tsr_arena *a, uint64_t seed, struct counts *c)
{
  struct random r = {.state = seed};
  struct tir_func *f = sched_func(a, (int)(seed % SCHED_FUNCS));
  struct tir_sched *s = tir_sched_new(a, f);
  struct tsr_err err = {0};
  for (int k = 0; k < LINES; k++) {
    const char *before = tsr_arena_strdup(a, tir_sched_text(s));
    char *line = any_line(a, &r, s);
    enum tsr_status status = tir_sched_apply(s, &err, line);
    c->tried++;
    c->accepted += status == TSR_OK;
    if (status != TSR_OK)
      assert_string_equal(before, tir_sched_text(s));
  }
  c->slides += strstr(tir_sched_text(s), "slide ") != NULL;
  struct tir_program *p = lowered(a, s);
  expect_replays(a, f, s, p);
  expect_parses(a, p);
  expect_same_result(a, f, p, seed);
}

static uint64_t first_seed = 1;
static int schedules = 800;

static void in_own_arena(uint64_t seed, struct counts *c)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  if (setjmp(*tsr_arena_landing(a)))
    fail_msg("out of memory");
  one_schedule(a, seed, c);
  tsr_arena_free(a);
}

static void test_random_schedules(void **state)
{
  (void)state;
  struct counts c = {0};
  for (int k = 0; k < schedules; k++) {
    print_message("\rseed %llu ", (unsigned long long)first_seed + (unsigned)k);
    in_own_arena(first_seed + (uint64_t)k, &c);
  }
  print_message("\n%d of %d lines were legal, %d schedules slide\n", c.accepted, c.tried, c.slides);
  assert_true(2 * c.accepted > c.tried && c.slides > schedules / 60);
}

int main(int argc, char **argv)
{
  if (argc > 1)
    first_seed = strtoull(argv[1], NULL, 10);
  if (argc > 2)
    schedules = atoi(argv[2]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_schedules)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
