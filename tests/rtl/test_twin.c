/* SPDX-License-Identifier: Apache-2.0 */
/* The twin tells the first difference: the RTL runs one program while the cycle model is told
 * another. And a race of micro-ops is known for what it is. */
#include "tests/rtl/main.h"

#include <string.h>

#include "tests/rtl/uops.h"

enum { WINDOW = 1 << 15 };

static int8_t ramp(void *context, size_t i)
{
  (void)context;
  return (int8_t)(i % 120 + 1);
}

/* What the two programs may differ in. */
struct parts {
  uint32_t points, inp, out, last_uop;
};

static const struct parts usual = {.points = 3};

static struct tsr_program program(struct tsr_arena *arena, const struct parts *parts)
{
  struct build b = build_new(arena, &rig.design);
  uint64_t data = build_bytes(&b, 4096, ramp, NULL);
  build_load(&b, TSR_BUFFER_ACC8, 0, data, 8);
  build_load(&b, TSR_BUFFER_INP, 0, data + parts->inp, 2);
  build_run(
      &b, &(struct build_run){.opcode = TSR_OP_ADD, .n = 3, .b = 4 + parts->last_uop, .step_d = 1});
  build_run(&b, &(struct build_run){.opcode = TSR_OP_GEMM, .n = parts->points});
  struct tsr_insn store = build_dma(TSR_OP_STORE, TSR_BUFFER_ACC, parts->out, 4096 + 128, 2);
  build_add(&b, &store);
  struct tsr_program p = build_end(&b);
  p.window_bytes = WINDOW;
  return p;
}

/* The RTL runs `is`, and the twin `told`. */
static bool compare(const struct tsr_program *is, const struct tsr_program *told,
                    enum twin_compares compares)
{
  static uint8_t window[WINDOW];
  memset(window, 0, sizeof window);
  memcpy(window, told->data, told->data_bytes);
  rig_machine(&rig, WINDOW);
  rig.compares = TWIN_NOTHING;
  expect(rig_run(&rig, is), "the program");
  rig.compares = TWIN_ALL;
  const struct twin_of of = {rig.rtl, &rig.result, rig.spans, rig.window};
  twin_reset(&rig.twin);
  twin_run(&rig.twin, told, window);
  return twin_equals(&rig.twin, is, &of, compares);
}

/* The RTL runs the usual program, and the twin the one of these parts. */
static bool differs(const struct parts *parts, const char *says)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program is = program(arena, &usual), told = program(arena, parts);
  bool equal = compare(&is, &told, TWIN_ALL);
  if (says && (equal || strncmp(rig.twin.text, says, strlen(says))))
    fail_msg("'%s' where it should say '%s'", equal ? "equal" : rig.twin.text, says);
  bool times = compare(&is, &told, TWIN_TIMES);
  assert_true(compare(&is, &told, TWIN_NOTHING));
  tsr_arena_free(arena);
  return !times;
}

static void equal(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program p = program(arena, &usual);
  assert_true(compare(&p, &p, TWIN_ALL));
  tsr_arena_free(arena);
}

static void time(void **state)
{
  (void)state;
  assert_true(differs(&(struct parts){.points = 4},
                      "cycle model: instruction 5 (gemm, matrix) ends in cycle "));
}

static void data(void **state)
{
  (void)state;
  assert_false(
      differs(&(struct parts){.points = 3, .inp = 128}, "cycle model: byte 0 of inp entry 0 is "));
  assert_false(differs(&(struct parts){.points = 3, .out = 1},
                       "cycle model: byte 0x1080 of the window is "));
}

/* What timing only knows of data is micro-ops: here they differ, and the times do not. */
static void micro_ops(void **state)
{
  (void)state;
  static const char says[] = "timing only: byte 4 of uop entry ";
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct parts parts = {.points = 3, .last_uop = 1};
  struct tsr_program is = program(arena, &usual), told = program(arena, &parts);
  assert_false(compare(&is, &told, TWIN_ALL));
  struct twin two = rig.twin;
  const struct twin_of of = {rig.rtl, &rig.result, rig.spans, rig.window};
  tsr_cycle_reset(two.all.cycle);
  memset(two.all.window, 0, WINDOW);
  memcpy(two.all.window, is.data, is.data_bytes);
  tsr_cycle_run(two.all.cycle, is.insns, is.insn_count, &two.all.result);
  assert_false(twin_equals(&two, &is, &of, TWIN_ALL));
  if (strncmp(two.text, says, sizeof says - 1))
    fail_msg("'%s' where it should say '%s'", two.text, says);
  tsr_arena_free(arena);
}

static void traps(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program is = program(arena, &usual), told = is;
  uint8_t words[16 * TSR_INSN_BYTES];
  memcpy(words, told.insns, told.insn_count * TSR_INSN_BYTES);
  told.insns = words;
  words[(told.insn_count - 1) * TSR_INSN_BYTES] = 255; /* finish is the last to be fetched */
  assert_false(compare(&is, &told, TWIN_TIMES));
  tsr_arena_free(arena);
}

/* ---- races of micro-ops ---- */

/* A LOAD of two micro-ops, a GEMM of `count` from `begin` on, a token or none, to or fro. */
static bool races(uint32_t begin, uint32_t count, uint32_t signal, uint32_t back)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct build b = build_new(arena, &rig.design);
  struct tsr_insn load = build_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 4, 0, 2),
                  gemm = build_loop(TSR_OP_GEMM);
  b.free = true;
  gemm.loop.uop_begin = begin;
  gemm.loop.uop_count = count;
  load.signal = signal << TSR_ENGINE_MATRIX;
  gemm.wait = signal << TSR_ENGINE_LOAD;
  gemm.signal = back << TSR_ENGINE_LOAD;
  load.wait = back << TSR_ENGINE_MATRIX;
  build_add(&b, back ? &gemm : &load);
  build_add(&b, back ? &load : &gemm);
  struct tsr_program p = build_end(&b);
  bool race = uops_race(&p);
  tsr_arena_free(arena);
  return race;
}

static void uops(void **state)
{
  (void)state;
  assert_true(races(4, 1, 0, 0));
  assert_true(races(3, 2, 0, 0));
  assert_true(races(5, 9, 0, 0));
  assert_false(races(3, 1, 0, 0));
  assert_false(races(6, 1, 0, 0));
  assert_false(races(4, 1, 1, 0));
  assert_false(races(4, 1, 0, 1));
}

/* The token goes around by another engine, and comes too early. */
static void uops_by_another_way(void **state)
{
  (void)state;
  for (int early = 0; early < 2; early++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct build b = build_new(arena, &rig.design);
    struct tsr_insn list[] = {
        {.opcode = TSR_OP_SYNC, .engine = TSR_ENGINE_LOAD},
        build_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, 1),
        {.opcode = TSR_OP_SYNC,
         .engine = TSR_ENGINE_VECTOR,
         .wait = 1 << TSR_ENGINE_LOAD,
         .signal = 1 << TSR_ENGINE_MATRIX},
        build_loop(TSR_OP_GEMM),
    };
    list[early ? 0 : 1].signal = 1 << TSR_ENGINE_VECTOR;
    list[3].wait = 1 << TSR_ENGINE_VECTOR;
    b.free = true;
    for (int k = 0; k < 4; k++)
      build_add(&b, &list[k]);
    struct tsr_program p = build_end(&b);
    assert_int_equal(uops_race(&p), early);
    tsr_arena_free(arena);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal),
      cmocka_unit_test(time),
      cmocka_unit_test(data),
      cmocka_unit_test(micro_ops),
      cmocka_unit_test(traps),
      cmocka_unit_test(uops),
      cmocka_unit_test(uops_by_another_way),
  };
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
