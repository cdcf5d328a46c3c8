/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a layer's instructions: by hand, where LOADs belong, and what vector does before
 * it would stand still; at random, that nothing passes what it conflicts with, and no STORE
 * another. TESSERA_SEED sets the seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "compiler/target/accel/accel.h"

enum { MOST = 400, MOST_TOUCHES = 3 };

struct touched {
  enum tsr__space space;
  uint64_t lo, hi;
  bool writes;
};

struct announced {
  int engine, touches;
  struct touched touch[MOST_TOUCHES];
};

struct world {
  struct tsr_arena *arena;
  struct tsr_design design;
  struct tsr__stream *stream;
  struct tsr__ordering *order;
  struct announced told[MOST];
  size_t count, place[MOST]; /* of each, where it came out */
  size_t out;
};

static struct world w;

static int setup(void **state)
{
  (void)state;
  w = (struct world){.arena = tsr_arena_new(NULL)};
  if (!w.arena || tsr_design_open(w.arena, NULL, "default", &w.design))
    return -1;
  w.stream = tsr__stream_new(w.arena, &w.design);
  w.order = tsr__order_new(w.arena, &w.design);
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  tsr_arena_free(w.arena);
  return 0;
}

static void touch(struct announced *a, enum tsr__space space, uint64_t lo, uint64_t hi, bool writes)
{
  a->touch[a->touches++] = (struct touched){space, lo, hi, writes};
}

/* Which it is stands in a field that the order does not look at. */
static void tell(const struct announced *a, struct tsr_insn insn, enum tsr__dram_base base)
{
  if (a->engine == TSR_ENGINE_LOAD || a->engine == TSR_ENGINE_STORE)
    insn.dma.dram = w.count;
  else
    insn.loop.step_dst[0] = (uint32_t)w.count;
  for (int k = 0; k < a->touches; k++)
    tsr__order_touch(w.order, a->touch[k].space, a->touch[k].lo, a->touch[k].hi,
                     a->touch[k].writes);
  tsr__order_add(w.order, &insn, base);
  w.told[w.count++] = *a;
}

static size_t load(enum tsr__space space, uint32_t lo, uint32_t hi, enum tsr__dram_base base)
{
  struct announced a = {.engine = TSR_ENGINE_LOAD};
  struct tsr_insn insn = {.opcode = TSR_OP_LOAD};
  insn.dma.buffer = space == SPACE_WGT ? TSR_BUFFER_WGT : TSR_BUFFER_INP;
  insn.dma.nx = hi - lo;
  insn.dma.ny = insn.dma.nz = 1;
  touch(&a, space, lo, hi, true);
  tell(&a, insn, base);
  return w.count - 1;
}

static size_t gemm(uint32_t inp, uint32_t wgt, uint32_t entries)
{
  struct announced a = {.engine = TSR_ENGINE_MATRIX};
  struct tsr_insn insn = {.opcode = TSR_OP_GEMM};
  insn.loop.n[0] = 1000;
  insn.loop.n[1] = insn.loop.n[2] = insn.loop.uop_count = 1;
  touch(&a, SPACE_INP, inp, inp + entries, false);
  touch(&a, SPACE_WGT, wgt, wgt + entries, false);
  tell(&a, insn, BASE_NONE);
  return w.count - 1;
}

static void append(struct tsr__stream *s, struct tsr_insn *insn, enum tsr__dram_base base)
{
  (void)s;
  (void)base;
  bool dma = insn->opcode == TSR_OP_LOAD || insn->opcode == TSR_OP_STORE;
  w.place[dma ? insn->dma.dram : insn->loop.step_dst[0]] = w.out++;
}

static bool conflict(const struct announced *a, const struct announced *b)
{
  for (int i = 0; i < a->touches; i++)
    for (int k = 0; k < b->touches; k++) {
      const struct touched *x = &a->touch[i], *y = &b->touch[k];
      if (x->space == y->space && x->lo < y->hi && y->lo < x->hi && (x->writes || y->writes))
        return true;
    }
  return false;
}

static void release(void)
{
  w.out = 0;
  tsr__order_release(w.order, w.stream, append);
  assert_int_equal(w.out, w.count);
  for (size_t i = 0; i < w.count; i++)
    for (size_t k = 0; k < i; k++) {
      bool kept = conflict(&w.told[i], &w.told[k]) ||
                  (w.told[i].engine == w.told[k].engine && w.told[i].engine == TSR_ENGINE_STORE);
      assert_true(!kept || w.place[k] < w.place[i]);
    }
  w.count = 0;
}

/* --- tests ------------------------------------------------------------------------------------ */

/* Weights of the next channels, told behind all inputs of these, come in between. */
static void weights_come_early(void **state)
{
  (void)state;
  size_t input[8];
  load(SPACE_WGT, 0, 32, BASE_CONSTANT);
  for (uint32_t k = 0; k < 8; k++) {
    input[k] = load(SPACE_INP, k % 2 * 32, k % 2 * 32 + 32, BASE_ACTIVATION);
    gemm(k % 2 * 32, 0, 32);
  }
  size_t weights = load(SPACE_WGT, 32, 64, BASE_CONSTANT);
  gemm(0, 32, 32);
  release();
  assert_true(w.place[weights] > w.place[input[1]]); /* which is needed sooner, and could come */
  assert_true(w.place[weights] < w.place[input[2]]); /* which waits for the first product */
}

/* What is needed first goes first, of what can come. */
static void the_first_need_goes_first(void **state)
{
  (void)state;
  size_t late = load(SPACE_WGT, 0, 32, BASE_CONSTANT),
         soon = load(SPACE_WGT, 32, 64, BASE_CONSTANT);
  load(SPACE_INP, 0, 32, BASE_ACTIVATION);
  gemm(0, 32, 32);
  gemm(0, 0, 32);
  release();
  assert_true(w.place[soon] < w.place[late]);
}

/* A step of vector: writes `to` where that is a buffer, else reads the sums of a GEMM only. */
static size_t step(enum tsr__space to, uint32_t at, uint32_t acc, uint32_t entries)
{
  struct announced a = {.engine = TSR_ENGINE_VECTOR};
  struct tsr_insn insn = {.opcode = TSR_OP_MOV};
  insn.loop.n[0] = 100;
  insn.loop.n[1] = insn.loop.n[2] = insn.loop.uop_count = 1;
  touch(&a, to, at, at + entries, true);
  touch(&a, SPACE_ACC, acc, acc + entries, false);
  tell(&a, insn, BASE_NONE);
  return w.count - 1;
}

static size_t sums(uint32_t inp, uint32_t acc)
{
  size_t k = gemm(inp, 0, 32);
  w.told[k].touch[w.told[k].touches++] = (struct touched){SPACE_ACC, acc, acc + 32, true};
  return k;
}

/* What ends a tile waits for its products; meanwhile vector begins with the next one. */
static void vector_does_not_stand_still(void **state)
{
  (void)state;
  load(SPACE_WGT, 0, 32, BASE_CONSTANT);
  step(SPACE_INP, 0, 1024, 32);
  tsr__order_touch(w.order, SPACE_ACC, 0, 32, true);
  sums(0, 0);
  size_t end = step(SPACE_OUT, 0, 0, 32);
  size_t begin = step(SPACE_INP, 32, 1024, 32);
  release();
  assert_true(w.place[begin] < w.place[end]);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (*state >> 33) % below;
}

static void tell_random(uint64_t *r)
{
  static const int opcode[] = {TSR_OP_LOAD, TSR_OP_GEMM, TSR_OP_ADD, TSR_OP_STORE};
  static const int engine[] = {TSR_ENGINE_LOAD, TSR_ENGINE_MATRIX, TSR_ENGINE_VECTOR,
                               TSR_ENGINE_STORE};
  uint64_t which = draw(r, 4);
  struct announced a = {.engine = engine[which]};
  struct tsr_insn insn = {.opcode = opcode[which]};
  if (which == 0 || which == 3) {
    insn.dma.buffer = TSR_BUFFER_INP;
    insn.dma.nx = 1 + (uint32_t)draw(r, 40);
    insn.dma.ny = insn.dma.nz = 1;
  } else {
    insn.loop.n[0] = 1 + (uint32_t)draw(r, 300);
    insn.loop.n[1] = insn.loop.n[2] = insn.loop.uop_count = 1;
  }
  int touches = 1 + (int)draw(r, MOST_TOUCHES);
  for (int k = 0; k < touches; k++) {
    uint64_t lo = draw(r, 60);
    touch(&a, (enum tsr__space)draw(r, SPACE_LUT), lo, lo + 1 + draw(r, 20),
          which == 0 || draw(r, 2)); /* a LOAD reads no scratchpad */
  }
  tell(&a, insn, draw(r, 2) ? BASE_ACTIVATION : BASE_CONSTANT);
}

static void nothing_passes_a_conflict(void **state)
{
  (void)state;
  const char *text = getenv("TESSERA_SEED");
  uint64_t seed = text ? strtoull(text, NULL, 0) : 8;
  print_message("seed %llu (TESSERA_SEED)\n", (unsigned long long)seed);
  for (int n = 0; n < 60; n++) {
    size_t count = 1 + draw(&seed, MOST);
    tsr__stream_begin(w.stream);
    while (w.count < count)
      tell_random(&seed);
    release();
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(weights_come_early, setup, teardown),
      cmocka_unit_test_setup_teardown(the_first_need_goes_first, setup, teardown),
      cmocka_unit_test_setup_teardown(vector_does_not_stand_still, setup, teardown),
      cmocka_unit_test_setup_teardown(nothing_passes_a_conflict, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
