/* SPDX-License-Identifier: Apache-2.0 */
/* Every vector row but QUANT over the corners of its operands, from and to every place. */
#include "tests/rtl/main.h"

static const int32_t CORNERS[] = {INT32_MIN,   INT32_MIN + 1,
                                  INT32_MAX,   INT32_MAX - 1,
                                  0,           1,
                                  -1,          2,
                                  -2,          3,
                                  -3,          5,
                                  -5,          6,
                                  -6,          7,
                                  8,           31,
                                  32,          33,
                                  63,          64,
                                  127,         128,
                                  129,         -127,
                                  -128,        -129,
                                  255,         256,
                                  -256,        0x40000000,
                                  -0x40000000, 0x3fffffff,
                                  0x12345678,  -0x12345678,
                                  0x00010000,  0x0000ffff,
                                  0x7fff8000,  -0x8000};
enum { CORNER_COUNT = sizeof CORNERS / sizeof CORNERS[0] };

static const int8_t CORNERS8[] = {-128, -127, -126, -65, -64, -3, -2,  -1,
                                  0,    1,    2,    3,   63,  64, 126, 127};
enum { CORNER8_COUNT = sizeof CORNERS8 / sizeof CORNERS8[0] };

/* Operands, by number; lane i of entry k has those of number first + k*lanes + i. */
struct pairs {
  size_t count;
  int32_t (*a)(size_t i), (*b)(size_t i);
  int8_t (*a8)(size_t i);
};

static int32_t corner_a(size_t i)
{
  return CORNERS[i / CORNER_COUNT % CORNER_COUNT];
}

static int32_t corner_b(size_t i)
{
  return CORNERS[i % CORNER_COUNT];
}

static int8_t corner_a8(size_t i)
{
  return CORNERS8[i / CORNER_COUNT % CORNER8_COUNT];
}

/* Values around every half of every shift, then every corner by every amount; bits above the low
 * five of an amount are anything. */
enum { HALVES = 32 * 7 * 3, SHIFTS = HALVES + CORNER_COUNT * 32 };

static int32_t shift_of(size_t i)
{
  return i < HALVES ? (int32_t)(i / 21) : (int32_t)((i - HALVES) % 32);
}

static int32_t shifted(size_t i)
{
  if (i >= HALVES)
    return CORNERS[(i - HALVES) / 32 % CORNER_COUNT];
  int64_t step = INT64_C(1) << shift_of(i);
  return (int32_t)((int64_t)(i / 3 % 7) * step - 3 * step + step / 2 + (int64_t)(i % 3) - 1);
}

static int32_t shift_amount(size_t i)
{
  return shift_of(i) | (int32_t)((uint32_t)i * 0x9e3779b9u & ~31u);
}

static int8_t shifted8(size_t i)
{
  return CORNERS8[i / 32 % CORNER8_COUNT];
}

/* Where a program's operands lie: `entries` of each. */
struct set {
  const struct pairs *pairs;
  size_t first; /* pair of the first lane */
  uint32_t entries;
};

static int32_t set_a(void *context, size_t i)
{
  const struct set *s = context;
  return s->pairs->a(s->first + i);
}

static int32_t set_b(void *context, size_t i)
{
  const struct set *s = context;
  return s->pairs->b(s->first + i);
}

static int8_t set_a8(void *context, size_t i)
{
  const struct set *s = context;
  return s->pairs->a8(s->first + i);
}

/* A row from and to each place, with and without `first`. ACC: a, b, d. INP: a, d. */
static void add_forms(struct build *b, int opcode, uint32_t n)
{
  for (int src = TSR_SRC_ACC; src <= TSR_SRC_INP; src++)
    for (int dst = TSR_DST_ACC; dst <= TSR_DST_INP; dst++)
      for (int first = 0; first <= tsr_opcode_takes_first(opcode); first++) {
        if (opcode == TSR_OP_MAC && dst != TSR_DST_ACC)
          continue;
        build_run(b, &(struct build_run){opcode, src, dst, n,
                                         dst == TSR_DST_ACC   ? 2 * n
                                         : dst == TSR_DST_INP ? n
                                                              : 0,
                                         0, n, 1, 1, 1, first});
      }
}

static void run_set(struct set *s, int first_opcode, int last_opcode)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct build b = build_new(arena, &rig.design);
  size_t lanes = (size_t)tsr_design_lanes(&rig.design) * s->entries;
  build_load(&b, TSR_BUFFER_ACC, 0, build_words(&b, lanes, set_a, s), s->entries);
  build_load(&b, TSR_BUFFER_ACC, s->entries, build_words(&b, lanes, set_b, s), s->entries);
  build_load(&b, TSR_BUFFER_INP, 0, build_bytes(&b, lanes, set_a8, s), s->entries);
  for (int opcode = first_opcode; opcode <= last_opcode; opcode++)
    add_forms(&b, opcode, s->entries);
  struct tsr_program p = build_end(&b);
  expect(rig_check(&rig, &p), "pairs from %zu", s->first);
  tsr_arena_free(arena);
}

static uint32_t fewer(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

/* As many programs as the scratchpads ask for. */
static void run_pairs(const struct pairs *pairs, int first_opcode, int last_opcode)
{
  size_t lanes = (size_t)tsr_design_lanes(&rig.design);
  uint32_t most = fewer((uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_ACC) / 3,
                        (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_INP) / 2);
  most = fewer(most, (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_OUT));
  for (size_t first = 0; first < pairs->count; first += lanes * most) {
    uint32_t left = (uint32_t)((pairs->count - first + lanes - 1) / lanes);
    struct set set = {pairs, first, fewer(left, most)};
    run_set(&set, first_opcode, last_opcode);
  }
}

static void rows(void **state)
{
  (void)state;
  static const struct pairs pairs = {CORNER_COUNT * CORNER_COUNT, corner_a, corner_b, corner_a8};
  run_pairs(&pairs, TSR_OP_ADD, TSR_OP_MAC);
}

static void shifts(void **state)
{
  (void)state;
  static const struct pairs pairs = {SHIFTS, shifted, shift_amount, shifted8};
  run_pairs(&pairs, TSR_OP_SHL, TSR_OP_SHR);
}

/* Entry k of batch row r: a corner in the lane k, smaller ones around it. */
static int32_t rotated(size_t i)
{
  size_t lanes = (size_t)rig.design.block_out, row = i / lanes;
  return i % lanes == row % lanes ? CORNERS[row / lanes % CORNER_COUNT]
                                  : CORNERS[(i * 7 + row) % CORNER_COUNT];
}

static int8_t rotated8(size_t i)
{
  size_t lanes = (size_t)rig.design.block_out, row = i / lanes;
  return i % lanes == row % lanes ? CORNERS8[row / lanes % CORNER8_COUNT]
                                  : CORNERS8[(i * 5 + row) % CORNER8_COUNT];
}

static void reductions(void **state)
{
  (void)state;
  size_t lanes = (size_t)rig.design.block_out;
  struct pairs pairs = {CORNER_COUNT * lanes * lanes, rotated, corner_b, rotated8};
  run_pairs(&pairs, TSR_OP_RSUM, TSR_OP_RMAX);
}

/* Every value of a byte, then the corners. */
static int32_t looked_up(size_t i)
{
  return i < 256 ? (int32_t)i - 128 : CORNERS[(i - 256) % CORNER_COUNT];
}

static int32_t any_value(void *context, size_t i)
{
  (void)context;
  return looked_up(i);
}

static int8_t any_byte(void *context, size_t i)
{
  (void)context;
  return (int8_t)i;
}

static int8_t table_byte(void *context, size_t i)
{
  (void)context;
  return (int8_t)(i * 167 + i / 256 * 3);
}

static void tables(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct build b = build_new(arena, &rig.design);
  uint32_t lanes = (uint32_t)tsr_design_lanes(&rig.design), n = (256 + CORNER_COUNT) / lanes + 1;
  uint32_t count = build_depth(&b, TSR_BUFFER_LUT);
  build_load(&b, TSR_BUFFER_ACC, 0, build_words(&b, (size_t)n * lanes, any_value, NULL), n);
  build_load(&b, TSR_BUFFER_INP, 0, build_bytes(&b, (size_t)n * lanes, any_byte, NULL), n);
  build_load(&b, TSR_BUFFER_LUT, 0,
             build_bytes(&b, (size_t)count * TSR_LUT_BYTES, table_byte, NULL), count);
  for (uint32_t table = 0; table < count; table++)
    for (int form = 0; form < 6; form++)
      build_run(&b,
                &(struct build_run){TSR_OP_LUT, form % 2, form / 2, n, n, 0, table, 1, 1, 0, 0});
  for (int form = 0; form < 6; form++) /* another table every time */
    build_run(&b, &(struct build_run){TSR_OP_LUT, form % 2, form / 2, count, n, 0, 0, 1, 1, 1, 0});
  struct tsr_program p = build_end(&b);
  expect(rig_check(&rig, &p), "tables");
  tsr_arena_free(arena);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(shifts),
                                     cmocka_unit_test(reductions), cmocka_unit_test(tables)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
