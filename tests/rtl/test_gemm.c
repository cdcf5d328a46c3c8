/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM with extreme values, and with sums that meet at every small distance. */
#include "tests/rtl/main.h"

#include "tests/isa/random.h"

enum { TILES = 8, SUMS = 16, MOST_UOPS = 48 };

/* Tile k of INP or WGT: extremes first, then what tells rows and columns apart. */
static int8_t tile_byte(size_t tile, size_t i)
{
  switch (tile % TILES) {
  case 0: return -128;
  case 1: return 127;
  case 2: return i % 2 ? -128 : 127;
  case 3: return i % 2 ? 127 : -128;
  case 4: return -1;
  case 5: return i % 7 ? 0 : 1;
  case 6: return (int8_t)(i * 73 + 19);
  default: return (int8_t)(i / 5 * 31 - i);
  }
}

static int8_t inp_byte(void *context, size_t i)
{
  (void)context;
  size_t bytes = (size_t)(rig.design.batch * rig.design.block_in);
  return tile_byte(i / bytes, i % bytes);
}

static int8_t wgt_byte(void *context, size_t i)
{
  (void)context;
  size_t bytes = (size_t)(rig.design.block_in * rig.design.block_out);
  return tile_byte(i / bytes, i % bytes);
}

static int32_t acc_word(void *context, size_t i)
{
  static const int32_t corners[] = {INT32_MAX, INT32_MIN, -1, 0, 1, 0x7ffffff0, -0x7ffffff0, 12345};
  (void)context;
  return corners[(i + i / 8) % 8];
}

static struct build start(struct tsr_arena *arena)
{
  struct build b = build_new(arena, &rig.design);
  size_t inp = (size_t)(rig.design.batch * rig.design.block_in),
         wgt = (size_t)(rig.design.block_in * rig.design.block_out),
         acc = (size_t)tsr_design_lanes(&rig.design);
  build_load(&b, TSR_BUFFER_INP, 0, build_bytes(&b, TILES * inp, inp_byte, NULL), TILES);
  build_load(&b, TSR_BUFFER_WGT, 0, build_bytes(&b, TILES * wgt, wgt_byte, NULL), TILES);
  build_load(&b, TSR_BUFFER_ACC, 0, build_words(&b, SUMS * acc, acc_word, NULL), SUMS);
  return b;
}

static void finish(struct build *b, const char *what)
{
  struct tsr_program p = build_end(b);
  expect(rig_check(&rig, &p), "%s", what);
  tsr_arena_free(b->arena);
}

static void add(struct build *b, const struct tsr_uop *uops, uint32_t count, const uint32_t n[3],
                const uint32_t step[3][3], uint32_t first)
{
  struct tsr_insn insn = build_loop(TSR_OP_GEMM);
  insn.loop.uop_begin = build_uops(b, uops, count);
  insn.loop.uop_count = count;
  insn.loop.first = first;
  for (int k = 0; k < 3; k++) {
    insn.loop.n[k] = n[k];
    insn.loop.step_dst[k] = step[0][k];
    insn.loop.step_a[k] = step[1][k];
    insn.loop.step_b[k] = step[2][k];
  }
  build_add(b, &insn);
}

/* Every tile by every tile, into sums at their corners: added, then over them. */
static void extremes(void **state)
{
  (void)state;
  struct build b = start(tsr_arena_new(NULL));
  for (uint32_t overwrite = 0; overwrite < 2; overwrite++)
    for (uint32_t tile = 0; tile < TILES; tile++) {
      struct tsr_uop uop = {tile, tile, 0, overwrite};
      add(&b, &uop, 1, (uint32_t[]){1, 1, TILES}, (const uint32_t[3][3]){{0, 0, 1}, {0}, {0, 0, 1}},
          0);
      add(&b, &uop, 1, (uint32_t[]){3, 1, 5}, (const uint32_t[3][3]){{0}, {0}, {0, 0, 1}}, 0);
    }
  finish(&b, "extremes");
}

/* Sums that come back every `period` points, by micro-ops; `overwrite` says where they start. */
static void add_period(struct build *b, uint32_t period, uint32_t count, uint64_t overwrite)
{
  struct tsr_uop uops[MOST_UOPS];
  for (uint32_t u = 0; u < count; u++)
    uops[u] = (struct tsr_uop){u % period, u * 5 % TILES, u * 3 % TILES, overwrite >> u & 1};
  add(b, uops, count, (uint32_t[]){1, 1, 1}, (const uint32_t[3][3]){{0}, {0}, {0}}, 0);
}

static void distances(void **state)
{
  (void)state;
  struct build b = start(tsr_arena_new(NULL));
  uint64_t random = 17;
  for (uint32_t period = 1; period <= SUMS; period++) {
    add_period(&b, period, 3 * period < MOST_UOPS ? 3 * period : MOST_UOPS, 0);
    add_period(&b, period, period + 1, 1);
    add_period(&b, period, 2 * period,
               ((uint64_t)1 << period) - 1); /* overwritten, then added to */
    add_period(&b, period, 2 * period, (((uint64_t)1 << period) - 1) << period);
    add_period(&b, period, 40, random_next(&random));
    add_period(&b, period, 40, random_next(&random) & random_next(&random));
  }
  finish(&b, "distances");
}

/* The same by loops: the inner, the middle or the outer one comes back to a sum, under every
 * mask. */
static void loops(void **state)
{
  (void)state;
  struct build b = start(tsr_arena_new(NULL));
  struct tsr_uop uops[] = {{0, 0, 1, true}, {1, 3, 2, false}, {0, 5, 3, true}, {2, 1, 6, true}};
  for (uint32_t count = 1; count <= 4; count++)
    for (uint32_t shape = 0; shape < 8; shape++)
      for (uint32_t first = 0; first < 8; first++)
        add(&b, uops, count, (uint32_t[]){2, 2, 1 + shape % 3 + first % 2},
            (const uint32_t[3][3]){
                {shape & 1, shape >> 1 & 1, shape >> 2 & 1}, {1, 0, 1}, {0, 1, 1}},
            first);
  finish(&b, "loops");
}

/* Sums of random micro-ops, two or three to choose from, so that all short distances mix. */
static void mixed(void **state)
{
  (void)state;
  struct build b = start(tsr_arena_new(NULL));
  uint64_t random = 23;
  for (int k = 0; k < 40; k++) {
    struct tsr_uop uops[MOST_UOPS];
    uint32_t among = 2 + random_below(&random, 5), count = 2 + random_below(&random, MOST_UOPS - 2);
    for (uint32_t u = 0; u < count; u++)
      uops[u] = (struct tsr_uop){random_below(&random, among), random_below(&random, TILES),
                                 random_below(&random, TILES), random_below(&random, 4) == 0};
    add(&b, uops, count, (uint32_t[]){1, 2, 2}, (const uint32_t[3][3]){{0, 1, 0}, {0}, {0}},
        random_below(&random, 8));
  }
  finish(&b, "mixed");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(extremes), cmocka_unit_test(distances),
                                     cmocka_unit_test(loops), cmocka_unit_test(mixed)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
