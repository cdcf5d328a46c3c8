/* SPDX-License-Identifier: Apache-2.0 */
/* QUANT over corners of sums, biases, multipliers, shifts, zero points and clamps, and around its
 * ties. */
#include "tests/rtl/main.h"

static const int32_t SUMS[] = {INT32_MIN,   INT32_MIN + 1,
                               INT32_MAX,   INT32_MAX - 1,
                               0,           1,
                               -1,          2,
                               -2,          3,
                               -3,          7,
                               127,         -128,
                               255,         -256,
                               1000,        0x12345678,
                               -0x40000000, 0x3fffffff};
static const int32_t BIASES[] = {0, 1, -1, INT32_MIN, INT32_MAX, 0x40000000, -77};
static const int32_t MULTIPLIERS[] = {0, 1, 3, 0x40000000, 0x7fffffff, -1, INT32_MIN, 0x12345679};
static const int8_t CLAMPS[][3] = {/* lo, hi, zero point */
                                   {-128, 127, 0}, {-128, 127, -128}, {0, 127, 127}, {5, -5, 3},
                                   {-1, -1, 1},    {127, -128, -7},   {-6, 93, -100}};
#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { SHIFTS = 64 };

/* The four operands of a lane. */
struct lane {
  int32_t sum, bias, multiplier, packed;
};

static int32_t pack(size_t shift, size_t clamp)
{
  const int8_t *c = CLAMPS[clamp % COUNT(CLAMPS)];
  uint32_t ignored = (uint32_t)(clamp / COUNT(CLAMPS) % 4) << 6;
  return (int32_t)((uint32_t)(uint8_t)c[1] << 24 | (uint32_t)(uint8_t)c[0] << 16 |
                   (uint32_t)(uint8_t)c[2] << 8 | ignored | (uint32_t)shift);
}

enum { CORNERS = COUNT(SUMS) * COUNT(BIASES) * COUNT(MULTIPLIERS) * SHIFTS };

static struct lane corner(size_t i)
{
  struct lane lane = {.packed = pack(i % SHIFTS, i / SHIFTS + i)};
  i /= SHIFTS;
  lane.multiplier = MULTIPLIERS[i % COUNT(MULTIPLIERS)];
  i /= COUNT(MULTIPLIERS);
  lane.bias = BIASES[i % COUNT(BIASES)];
  lane.sum = SUMS[i / COUNT(BIASES) % COUNT(SUMS)];
  return lane;
}

/* Products at a multiple of half a step, one below and one above: (2q+1) * 2^(s-1) + e, written as
 * sum + bias times a multiplier that is a power of two where the sum would be too large. */
enum { TIES = (SHIFTS - 1) * 16 * 3 };

static struct lane tie(size_t i)
{
  size_t shift = 1 + i / 48, high = shift > 24 ? shift - 24 : 0; /* bits of the multiplier */
  high = high > 30 ? 30 : high;
  int64_t half = (int64_t)1 << (shift - 1 - high), q = (int64_t)(i / 3 % 16) - 8;
  int64_t sum = (2 * q + 1) * half + (int64_t)(i % 3) - 1;
  int32_t bias = (int32_t)(sum / 3);
  return (struct lane){(int32_t)(sum - bias), bias, (int32_t)1 << high, pack(shift, i % 2)};
}

/* A program's operands: parts 0 to 3 of each lane. */
struct set {
  struct lane (*lane)(size_t i);
  size_t first;
  uint32_t entries, part, each; /* each: entries that share their parameters */
};

static int32_t value(void *context, size_t i)
{
  const struct set *s = context;
  size_t lanes = (size_t)tsr_design_lanes(&rig.design);
  if (s->part == 0)
    return s->lane(s->first + i).sum;
  size_t group = i / lanes / 3,
         part = i / lanes % 3; /* parameters come as three entries in a row */
  struct lane lane = s->lane(s->first + (group * s->each) * lanes + i % lanes);
  return part == 0 ? lane.bias : part == 1 ? lane.multiplier : lane.packed;
}

/* From ACC or INP to each place; a at 0, d behind, parameters at the end. */
static void run_set(struct set *s)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct build b = build_new(arena, &rig.design);
  size_t lanes = (size_t)tsr_design_lanes(&rig.design);
  uint32_t n = s->entries, groups = (n + s->each - 1) / s->each;
  uint32_t params = build_depth(&b, TSR_BUFFER_ACC) - 3 * groups;
  s->part = 0;
  build_load(&b, TSR_BUFFER_ACC, 0, build_words(&b, n * lanes, value, s), n);
  build_load(&b, TSR_BUFFER_INP, 0, build_data(&b, b.data, n * lanes), n);
  s->part = 1;
  build_load(&b, TSR_BUFFER_ACC, params, build_words(&b, 3 * groups * lanes, value, s), 3 * groups);
  for (int form = 0; form < 6; form++) {
    uint32_t d = form / 2 == TSR_DST_OUT ? 0 : n;
    struct tsr_uop uop = {d, 0, params, false};
    struct tsr_insn insn = build_loop(TSR_OP_QUANT);
    insn.loop.uop_begin = build_uops(&b, &uop, 1);
    insn.loop.src = form % 2;
    insn.loop.dst = form / 2;
    insn.loop.n[1] = groups;
    insn.loop.n[2] = s->each;
    insn.loop.step_dst[1] = insn.loop.step_a[1] = s->each;
    insn.loop.step_dst[2] = insn.loop.step_a[2] = 1;
    insn.loop.step_b[1] = 3;
    build_add(&b, &insn);
  }
  struct tsr_program p = build_end(&b);
  expect(rig_check(&rig, &p), "lanes from %zu, %u with the same parameters", s->first, s->each);
  tsr_arena_free(arena);
}

static void run_lanes(struct lane (*lane)(size_t i), size_t count, uint32_t each)
{
  size_t lanes = (size_t)tsr_design_lanes(&rig.design);
  uint32_t most = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_ACC) / 5 / each * each;
  uint32_t narrow = (uint32_t)tsr_design_depth(&rig.design, TSR_BUFFER_OUT) / each * each;
  most = most < narrow ? most : narrow;
  for (size_t first = 0; first < count; first += most * lanes) {
    size_t left = (count - first + lanes * each - 1) / (lanes * each) * each;
    struct set set = {lane, first, left < most ? (uint32_t)left : most, 0, each};
    run_set(&set);
  }
}

/* Each entry has parameters of its own. */
static void corners(void **state)
{
  (void)state;
  run_lanes(corner, amount ? amount : CORNERS, 1);
}

static void ties(void **state)
{
  (void)state;
  run_lanes(tie, TIES, 1);
}

/* As layers do: many entries with the same parameters. */
static void shared(void **state)
{
  (void)state;
  run_lanes(corner, 4096, 7);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(corners), cmocka_unit_test(ties),
                                     cmocka_unit_test(shared)};
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
