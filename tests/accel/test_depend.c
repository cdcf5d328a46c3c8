/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: the ones that each dependence needs, no others, and every conflict ordered by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/target/accel/accel.h"
#include "tests/accel/random_net.h"

enum { ENGINES = TSR_ENGINE_COUNT, MOST = 64 };

struct touch {
  enum tsr__space space;
  uint64_t lo, hi;
  bool writes;
};

struct step {
  int engine, touches;
  struct touch touch[6];
};

struct token {
  int from, to; /* places in the stream */
};

/* The stream as it comes out: steps, and SYNCs that were put between them. */
struct placed {
  int count, tokens;
  struct step step[4 * MOST];
  struct token token[4 * MOST];
};

static void take_signals(struct placed *p, int engine, uint32_t mask, const size_t signaller[])
{
  for (int e = 0; e < ENGINES; e++) /* the SYNCs that are asked for */
    if (mask >> e & 1 && signaller[e] == (size_t)p->count) {
      p->step[p->count++] = (struct step){.engine = e};
      e = -1;
    }
  for (int e = 0; e < ENGINES; e++)
    if (mask >> e & 1) {
      assert_int_not_equal(e, engine);
      assert_true(signaller[e] < (size_t)p->count);
      assert_int_equal(p->step[signaller[e]].engine, e);
      p->token[p->tokens++] = (struct token){(int)signaller[e], p->count};
    }
}

static void place(struct tsr_arena *a, const struct step *steps, int count, int token_depth,
                  struct placed *p)
{
  struct tsr__depend *d = tsr__depend_new(a, token_depth);
  p->count = p->tokens = 0;
  for (int k = 0; k < count; k++) {
    const struct step *s = &steps[k];
    size_t signaller[ENGINES] = {0};
    for (int t = 0; t < s->touches; t++)
      tsr__depend_touch(d, s->engine, s->touch[t].space, s->touch[t].lo, s->touch[t].hi,
                        s->touch[t].writes);
    uint32_t mask = tsr__depend_close(d, s->engine, (size_t)p->count, signaller);
    take_signals(p, s->engine, mask, signaller);
    p->step[p->count++] = *s;
  }
}

/* --- sequences by hand ------------------------------------------------------------------------ */

/* Instructions are separated by ';': the engine's first letter, then touches: the space's letter,
 * LO-HI, and '!' for a write. Tokens: FROM>TO, by TO, then by FROM; "sync" stands for an
 * instruction that came in. */
static const struct row {
  const char *what, *steps;
  int token_depth;
  const char *tokens;
} rows[] = {
  {"read after write", "L i0-4!; M i2-3", 16, "0>1"},
  {"write after read", "M i0-4; L i3-9!", 16, "0>1"},
  {"write after write", "M a0-4!; V a3-5!", 16, "0>1"},
  {"reads do not conflict", "M i0-4; V i0-4", 16, ""},
  {"neighbours do not conflict", "L i0-4!; M i4-8", 16, ""},
  {"nor do equal indices of two scratchpads", "L i0-4!; M w0-4", 16, ""},
  {"an engine runs in order", "V a0-4!; V a0-4; V a0-4!", 16, ""},
  {"memory is a space too", "S d0-64!; L d63-80", 16, "0>1"},
  {"the latest conflict only", "L i0-4!; L i4-8!; M i0-8", 16, "1>2"},
  {"the conflicting one, not the latest", "L i0-4!; L w0-4!; M i0-4", 16, "0>2"},
  {"the later of a write and a read", "M a0-4!; M a0-4; V a0-4!", 16, "1>2"},
  {"one wait is enough", "L i0-4!; M i0-4; M i0-4", 16, "0>1"},
  {"a wait covers what was before it", "L i0-4!; L i4-8!; M i4-8; M i0-4", 16, "1>2"},
  {"what the signaller knew is known", "L i0-4!; M i0-4 a0-4!; V a0-4 i0-4", 16, "0>1 1>2"},
  {"two waits where neither spares the other", "L i0-4!; M a0-4!; V i0-4 a0-4", 16, "0>2 1>2"},
  {"of two needs the one that teaches the other", "L i0-4!; M i0-4; V i0-4 o0-2!; L i0-4!", 16,
   "0>1 0>2 1>3 2>3"},
  {"a circle through four engines",
   "L i0-4!; M i0-4 a0-2!; V a0-2 o0-2!; S o0-2 d0-9!; L d0-9 i0-4!", 16, "0>1 1>2 2>3 3>4"},
  {"two buffers in turn", "L i0-4!; M i0-4; L i4-8!; M i4-8; L i0-4!; M i0-4; L i4-8!", 16,
   "0>1 2>3 1>4 4>5 3>6"},
  {"four tokens fit a depth of 4",
   "L i0-1!; L i1-2!; L i2-3!; L i3-4!; M i0-1; M i1-2; M i2-3; M i3-4", 4, "0>4 1>5 2>6 3>7"},
  {"the fourth does not fit a depth of 3",
   "L i0-1!; L i1-2!; L i2-3!; L i3-4!; M i0-1; M i1-2; M i2-3; M i3-4", 3, "0>4 1>5 2>6 sync7>8"},
  {"a SYNC covers what was before it",
   "L i0-1!; L i1-2!; L i2-3!; M i0-1; M i1-2; M i2-3", 1, "0>3 sync4>5"},
  {"a token that is taken makes room", "L i0-1!; M i0-1; L i1-2!; M i1-2; L i2-3!; M i2-3", 1,
   "0>1 2>3 4>5"},
};

static int parse(const char *text, struct step *steps)
{
  static const char engines[] = "LMVS", spaces[] = "uiwaold";
  int count = 0;
  for (; *text; text++) {
    if (strchr(engines, *text)) {
      steps[count++] = (struct step){.engine = (int)(strchr(engines, *text) - engines)};
    } else if (strchr(spaces, *text)) {
      struct step *s = &steps[count - 1];
      struct touch *t = &s->touch[s->touches++];
      char *end;
      t->space = (enum tsr__space)(strchr(spaces, *text) - spaces);
      t->lo = strtoull(text + 1, &end, 10);
      t->hi = strtoull(end + 1, &end, 10);
      t->writes = *end == '!';
      text = t->writes ? end : end - 1;
    }
  }
  return count;
}

static int by_waiter(const void *x, const void *y)
{
  const struct token *a = x, *b = y;
  return a->to != b->to ? a->to - b->to : a->from - b->from;
}

static void by_hand(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct step steps[MOST];
    struct placed p;
    struct tsr_text text = {.arena = a};
    int count = parse(rows[k].steps, steps);
    place(a, steps, count, rows[k].token_depth, &p);
    qsort(p.token, (size_t)p.tokens, sizeof p.token[0], by_waiter);
    tsr_text_add(&text, "%s", "");
    for (int t = 0; t < p.tokens; t++)
      tsr_text_add(&text, "%s%s%d>%d", t ? " " : "", p.step[p.token[t].from].touches ? "" : "sync",
                   p.token[t].from, p.token[t].to);
    if (strcmp(text.data, rows[k].tokens))
      fail_msg("%s: tokens %s where %s are expected", rows[k].what, text.data, rows[k].tokens);
    tsr_arena_free(a);
  }
}

/* --- random sequences ------------------------------------------------------------------------- */

static int random_steps(struct random *r, struct step *steps)
{
  int regions = (int)random_in(r, 1, 6), count = (int)random_in(r, 2, MOST);
  for (int k = 0; k < count; k++) {
    steps[k] = (struct step){.engine = (int)random_in(r, 0, ENGINES - 1),
                             .touches = (int)random_in(r, 1, 4)};
    for (int t = 0; t < steps[k].touches; t++) {
      uint64_t lo = (uint64_t)random_in(r, 0, regions), length = (uint64_t)random_in(r, 1, 2);
      steps[k].touch[t] = (struct touch){(enum tsr__space)random_in(r, SPACE_INP, SPACE_ACC), lo,
                                         lo + length, random_in(r, 0, 2) == 0};
    }
  }
  return count;
}

static bool conflict(const struct step *a, const struct step *b)
{
  for (int i = 0; i < a->touches; i++)
    for (int k = 0; k < b->touches; k++) {
      const struct touch *x = &a->touch[i], *y = &b->touch[k];
      if (x->space == y->space && x->lo < y->hi && y->lo < x->hi && (x->writes || y->writes))
        return true;
    }
  return false;
}

/* before[i][j]: instruction j is over when i starts, by the engines' order and the tokens without
 * `spared` (-1: all of them). */
static void happens_before(const struct placed *p, int spared, bool before[][4 * MOST])
{
  for (int i = 0; i < p->count; i++) {
    memset(before[i], 0, sizeof before[i]);
    for (int j = 0; j < i; j++) {
      bool direct = p->step[j].engine == p->step[i].engine;
      for (int t = 0; t < p->tokens; t++)
        direct |= t != spared && p->token[t].from == j && p->token[t].to == i;
      if (!direct)
        continue;
      before[i][j] = true;
      for (int k = 0; k < j; k++)
        before[i][k] |= before[j][k];
    }
  }
}

/* The k-th wait of an engine for another must be meant for that one's k-th signal to it, and
 * executed in program order no counter holds more than token_depth. */
static void check_counters(const struct placed *p, int token_depth)
{
  for (int s = 0; s < ENGINES; s++)
    for (int w = 0; w < ENGINES; w++) {
      int last_from = -1, last_to = -1;
      for (int t = 0; t < p->tokens; t++) /* in the order of waiters: as they were placed */
        if (p->step[p->token[t].from].engine == s && p->step[p->token[t].to].engine == w) {
          assert_true(p->token[t].from > last_from && p->token[t].to > last_to);
          last_from = p->token[t].from;
          last_to = p->token[t].to;
        }
      for (int at = 0; at < p->count; at++) {
        int held = 0;
        for (int t = 0; t < p->tokens; t++)
          held += p->step[p->token[t].from].engine == s && p->step[p->token[t].to].engine == w &&
                  p->token[t].from <= at && p->token[t].to > at;
        assert_true(held <= token_depth);
      }
    }
}

static void every_conflict_is_ordered(void **state)
{
  (void)state;
  static struct placed p;
  static bool before[4 * MOST][4 * MOST];
  const char *seed_text = getenv("TESSERA_SEED");
  uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 20240611;
  int ordered = 0, syncs = 0;
  print_message("seed %llu (TESSERA_SEED)\n", (unsigned long long)seed);
  for (int round = 0; round < 300; round++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct random r = {seed * 1000003 + (uint64_t)round + 1};
    struct step steps[MOST];
    for (int k = 0; k < 3; k++)
      random_bits(&r);
    int count = random_steps(&r, steps);
    int token_depth = random_in(&r, 0, 2) ? 64 : (int)random_in(&r, 1, 3);
    place(a, steps, count, token_depth, &p);
    happens_before(&p, -1, before);
    for (int i = 0; i < p.count; i++)
      for (int j = 0; j < i; j++)
        if (p.step[i].engine != p.step[j].engine && conflict(&p.step[i], &p.step[j])) {
          if (!before[i][j])
            fail_msg("round %d: nothing orders instruction %d before %d", round, j, i);
          ordered++;
        }
    check_counters(&p, token_depth);
    for (int k = 0; k < p.count; k++)
      syncs += !p.step[k].touches;
    tsr_arena_free(a);
  }
  assert_true(ordered > 10000);
  assert_true(syncs > 10);
}

/* A token that other tokens make needless is never placed. */
static void no_token_is_needless(void **state)
{
  (void)state;
  static struct placed p;
  static bool before[4 * MOST][4 * MOST];
  for (int round = 0; round < 40; round++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct random r = {(uint64_t)round + 77};
    struct step steps[MOST];
    for (int k = 0; k < 3; k++)
      random_bits(&r);
    place(a, steps, random_steps(&r, steps), 64, &p);
    for (int t = 0; t < p.tokens; t++) {
      happens_before(&p, t, before);
      if (before[p.token[t].to][p.token[t].from])
        fail_msg("round %d: token %d>%d is known without it", round, p.token[t].from, p.token[t].to);
    }
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand),
                                     cmocka_unit_test(every_conflict_is_ordered),
                                     cmocka_unit_test(no_token_is_needless)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
