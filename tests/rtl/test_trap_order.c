/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and queues at their limits and beyond, programs without an end, error responses. */
#include "tests/rtl/main.h"

enum { WINDOW = 1 << 15 };

/* SYNCs, one after another. */
struct chain {
  struct tsr_arena *arena;
  struct build build;
};

static struct chain chain_new(void)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct chain c = {arena, build_new(arena, &rig.design)};
  c.build.free = true;
  build_data(&c.build, NULL, 128);
  return c;
}

static void sync(struct chain *c, int engine, uint32_t wait, uint32_t signal)
{
  struct tsr_insn insn = {.opcode = TSR_OP_SYNC, .engine = engine, .wait = wait, .signal = signal};
  build_add(&c->build, &insn);
}

static void check(struct chain *c, enum tsr_trap trap, const char *what)
{
  struct tsr_program p = build_end(&c->build);
  rig_expect(&rig, &p);
  if (rig.expected.trap != trap)
    fail_msg("%s: the functional device has %s: %s", what, tsr_trap_name((int)rig.expected.trap),
             rig.expected.text);
  expect(rig_check_here(&rig, &p), "%s", what);
  tsr_arena_free(c->arena);
}

static int third(int a, int b)
{
  int c = 0;
  while (c == a || c == b)
    c++;
  return c;
}

static uint32_t bit(int engine)
{
  return 1u << engine;
}

/* One waits for a token that no one gives; so do two, three, four, each for the next. */
static void starved(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++) {
      if (from == to)
        continue;
      struct chain c = chain_new();
      sync(&c, third(from, to), 0, 0);
      sync(&c, to, 0, bit(from));
      sync(&c, to, bit(from), 0);
      check(&c, TSR_TRAP_DEADLOCK, "no token");
    }
  for (int members = 2; members <= 4; members++) {
    struct chain c = chain_new();
    for (int k = 0; k < members; k++)
      sync(&c, k, bit((k + 1) % members), bit((k + members - 1) % members));
    check(&c, TSR_TRAP_DEADLOCK, "a cycle");
  }
}

/* A counter takes token_depth tokens. One more makes the giver wait: for good where its taker
 * waits for the giver, for a while where it does not. */
static void full(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  int depth = rig.design.token_depth;
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int more = 0; more < 2; more++) {
      int to = (from + 1) % TSR_ENGINE_COUNT, other = third(from, to);
      struct chain c = chain_new();
      for (int k = 0; k < depth + more; k++)
        sync(&c, from, 0, bit(to));
      sync(&c, from, 0, bit(other));
      sync(&c, to, bit(other), 0); /* which comes behind all of the tokens */
      sync(&c, other, bit(from), bit(to));
      for (int k = 0; k < depth + more; k++)
        sync(&c, to, bit(from), 0);
      check(&c, more ? TSR_TRAP_DEADLOCK : TSR_TRAP_NONE, "a full counter");
      c = chain_new();
      for (int k = 0; k < depth + more; k++)
        sync(&c, from, 0, bit(to));
      for (int k = 0; k < depth + more; k++)
        sync(&c, to, bit(from), 0);
      check(&c, TSR_TRAP_NONE, "a counter that is full for a while");
    }
}

/* The token that does not fit is given by a transfer of some length, or by a SYNC. */
static void give(struct chain *c, int engine, bool transfer, uint32_t signal)
{
  struct tsr_insn insn = {.opcode = TSR_OP_SYNC, .engine = engine};
  if (transfer)
    insn = engine == TSR_ENGINE_LOAD ? build_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 0, 64)
                                     : build_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 0, 0, 64);
  insn.signal = signal;
  build_add(&c->build, &insn);
}

/* An engine that cannot give its tokens takes none for what it would do next: two engines, each
 * with one token more for the other than fits, and a third that would take them when one of the
 * two goes on. */
static void check_ahead(int stuck, bool transfer)
{
  int taker = (stuck + 1) % TSR_ENGINE_COUNT, giver = (stuck + 2) % TSR_ENGINE_COUNT;
  int depth = rig.design.token_depth;
  struct chain c = chain_new();
  for (int k = 0; k < depth; k++) {
    sync(&c, giver, 0, bit(stuck));
    sync(&c, stuck, 0, bit(taker));
  }
  sync(&c, giver, 0, bit(stuck)); /* stays */
  sync(&c, giver, 0, bit(taker));
  sync(&c, taker, bit(giver), 0);
  give(&c, stuck, transfer, bit(taker)); /* stays, too */
  for (int k = 0; k <= depth; k++) {
    sync(&c, stuck, bit(giver), 0);
    sync(&c, taker, bit(stuck), 0);
  }
  check(&c, TSR_TRAP_DEADLOCK,
        transfer ? "a token taken ahead of a transfer" : "a token taken ahead");
}

static void no_token_ahead(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  for (int stuck = 0; stuck < TSR_ENGINE_COUNT; stuck++)
    check_ahead(stuck, false);
  check_ahead(TSR_ENGINE_LOAD, true);
  check_ahead(TSR_ENGINE_STORE, true);
}

/* A queue takes queue_depth instructions, the one at work among them. */
static void queues(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  int depth = rig.design.queue_depth;
  for (int engine = 0; engine < TSR_ENGINE_COUNT; engine++)
    for (int more = 0; more < 2; more++) {
      int giver = (engine + 1) % TSR_ENGINE_COUNT;
      struct chain c = chain_new();
      sync(&c, engine, bit(giver), 0);
      for (int k = 1; k < depth + more; k++)
        sync(&c, engine, 0, 0);
      sync(&c, giver, 0, bit(engine));
      check(&c, more ? TSR_TRAP_DEADLOCK : TSR_TRAP_NONE, "a full queue");
    }
}

/* Tokens of many pairs at once, and some left over. */
static void all_pairs(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  struct chain c = chain_new();
  for (int round = 0; round < 5; round++)
    for (int engine = 0; engine < TSR_ENGINE_COUNT; engine++)
      sync(&c, engine, round ? 15 & ~bit(engine) : 0, 15 & ~bit(engine));
  check(&c, TSR_TRAP_NONE, "all pairs");
}

/* FINISH comes first, in the middle, not at all; there is no instruction. */
static void ends(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  for (int count = 0; count < 12; count++) {
    struct chain c = chain_new();
    for (int k = 0; k < count; k++)
      sync(&c, k % TSR_ENGINE_COUNT, 0, 0);
    struct tsr_program p = build_end(&c.build);
    expect(rig_check_here(&rig, &p), "%d instructions and finish", count);
    p.insn_count--;
    rig_expect(&rig, &p);
    assert_int_equal(rig.expected.trap, TSR_TRAP_OPCODE);
    expect(rig_check_here(&rig, &p), "%d instructions without finish", count);
    tsr_arena_free(c.arena);
  }
  struct chain c = chain_new();
  struct tsr_insn finish = {.opcode = TSR_OP_FINISH};
  sync(&c, TSR_ENGINE_STORE, 0, 0);
  build_add(&c.build, &finish);
  sync(&c, TSR_ENGINE_LOAD, bit(TSR_ENGINE_STORE), 0);
  check(&c, TSR_TRAP_NONE, "finish in the middle");
}

/* ---- error responses ---- */

static struct tsr_program transfers(struct tsr_arena *arena)
{
  struct build b = build_new(arena, &rig.design);
  uint64_t data = build_data(&b, NULL, 4096), place = build_data(&b, NULL, 4096);
  for (uint32_t k = 0; k < 6; k++) {
    struct tsr_insn store = build_dma(TSR_OP_STORE, TSR_BUFFER_OUT, k, place + 256 * k, 2);
    build_load(&b, TSR_BUFFER_INP, k, data + 128 * k, 2);
    build_add(&b, &store);
  }
  struct tsr_program p = build_end(&b);
  p.window_bytes = WINDOW;
  return p;
}

/* Every read, or every write, is answered with an error, in one of its beats: who asks first
 * stops. */
static void every_answer(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program p = transfers(arena);
  struct tsr_dram_options trouble = rig.dram;
  trouble.read_error = 256;
  expect(rig_check_troubled(&rig, &p, &trouble), "read errors");
  assert_int_equal(rig.result.trap, TSR_TRAP_BUS);
  assert_int_equal(rig.result.engine, TSR_ENGINE_FETCH);
  assert_true(rig.result.insn * TSR_INSN_BYTES <
              (size_t)(tsr_design_beat(&rig.design) * rig.design.axi_burst_beats));
  trouble = rig.dram;
  trouble.write_error = 256;
  expect(rig_check_troubled(&rig, &p, &trouble), "write errors");
  assert_int_equal(rig.result.trap, TSR_TRAP_BUS);
  assert_int_equal(rig.result.engine, TSR_ENGINE_STORE);
  assert_int_equal(rig.result.insn, 1);
  tsr_arena_free(arena);
}

/* Some are. Each of fetch, load and store stops somewhere; and where the probe meets no error
 * after a reset, it runs as on a new machine. */
static void some_answers(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program p = transfers(arena), probe = build_probe(arena, &rig.design);
  struct tsr_dram_options quiet = rig.dram;
  int stopped[TSR_ENGINE_COUNT + 1] = {0}, again = 0;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    struct tsr_dram_options trouble = quiet;
    trouble.seed = seed;
    trouble.read_error = seed % 2 ? 16 : 0;
    trouble.write_error = seed % 2 ? 0 : 40;
    expect(rig_check_troubled(&rig, &p, &trouble), "seed %d", (int)seed);
    if (rig.result.trap != TSR_TRAP_BUS)
      continue;
    stopped[rig.result.engine]++;
    rig_reset(&rig);
    expect(rig_run(&rig, &probe), "the probe after seed %d", (int)seed);
    if (rig.result.trap == TSR_TRAP_BUS)
      continue;
    expect(rig_check_new(&rig), "after seed %d", (int)seed);
    again++;
  }
  print_message("stopped: fetch %d, load %d, store %d; went on after a reset: %d\n",
                stopped[TSR_ENGINE_FETCH], stopped[TSR_ENGINE_LOAD], stopped[TSR_ENGINE_STORE],
                again);
  assert_true(stopped[TSR_ENGINE_FETCH] && stopped[TSR_ENGINE_LOAD] && stopped[TSR_ENGINE_STORE]);
  assert_true(again);
  assert_int_equal(stopped[TSR_ENGINE_MATRIX] + stopped[TSR_ENGINE_VECTOR], 0);
  tsr_arena_free(arena);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(starved),        cmocka_unit_test(full),
      cmocka_unit_test(no_token_ahead), cmocka_unit_test(queues),
      cmocka_unit_test(all_pairs),      cmocka_unit_test(ends),
      cmocka_unit_test(every_answer),   cmocka_unit_test(some_answers),
  };
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
