/* SPDX-License-Identifier: Apache-2.0 */
/* Every vector row on every path against arithmetic in 128 bits written for this test. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "hw/sim/func/state.h"

typedef __int128 wide;

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
                                  0x00010000,  0x0000ffff};
enum { CORNER_COUNT = sizeof CORNERS / sizeof CORNERS[0] };

static int32_t low32(wide v)
{
  return (int32_t)(uint32_t)(v & 0xffffffff);
}

/* Nearest whole number to v / 2^s, the even one of two; by comparing twice the rest with the
 * divisor. */
static wide divide(wide v, int s)
{
  wide divisor = (wide)1 << s, quotient = v / divisor;
  if (v % divisor < 0)
    quotient--;
  wide twice = 2 * (v - quotient * divisor);
  if (twice > divisor || (twice == divisor && quotient % 2 != 0))
    quotient++;
  return quotient;
}

static int32_t want_lane(int opcode, bool first, int32_t a, int32_t b, int32_t d)
{
  switch (opcode) {
  case TSR_OP_ADD: return first ? a : low32((wide)a + b);
  case TSR_OP_SUB: return low32((wide)a - b);
  case TSR_OP_MUL: return low32((wide)a * b);
  case TSR_OP_MIN: return first ? a : a < b ? a : b;
  case TSR_OP_MAX: return first ? a : a > b ? a : b;
  case TSR_OP_SHL: return low32((wide)a * ((wide)1 << ((uint32_t)b % 32)));
  case TSR_OP_SHR: return (int32_t)divide(a, (int)((uint32_t)b % 32));
  case TSR_OP_MOV: return a;
  default: return low32((first ? 0 : (wide)d) + (wide)a * b); /* MAC */
  }
}

static int32_t want_quant(int32_t a, int32_t bias, int32_t m, uint32_t packed)
{
  wide v = divide(((wide)a + bias) * (m & 0x7fffffff), (int)(packed & 63)) + (int8_t)(packed >> 8);
  int lo = (int8_t)(packed >> 16), hi = (int8_t)(packed >> 24);
  if (v < lo)
    v = lo;
  return v > hi ? hi : (int32_t)v;
}

static int8_t narrow(int32_t v)
{
  return (int8_t)(v > 127 ? 127 : v < -128 ? -128 : v);
}

/* What the machine made of lane i of entry d. */
static int32_t got(struct machine *m, const struct tsr_insn *insn, size_t at)
{
  if (insn->loop.dst == TSR_DST_ACC)
    return machine_acc(m)[at];
  return machine_i8(m, insn->loop.dst == TSR_DST_OUT ? TSR_BUFFER_OUT : TSR_BUFFER_INP)[at];
}

static void run(struct machine *m, const struct tsr_insn *insn)
{
  machine_add(m, insn);
  if (machine_run(m) != TSR_TRAP_NONE)
    fail_msg("%s", m->result.text);
}

static void expect(struct machine *m, const struct tsr_insn *insn, size_t at, int32_t want)
{
  int32_t is = got(m, insn, at);
  if (insn->loop.dst != TSR_DST_ACC)
    want = narrow(want);
  if (is != want)
    fail_msg("%s, %s, src %d, dst %d, lane %zu: %d instead of %d", m->design.name,
             tsr_opcode_name(insn->opcode), insn->loop.src, insn->loop.dst, at, is, want);
}

/* One point of one row: entries 0 (a), 1 (b), 2 (d) of ACC, or 0 of INP for a; d may be ACC, OUT,
 * INP. */
static void check_pair(struct machine *m, struct tsr_insn *insn, int32_t a, int32_t b, bool first)
{
  int lanes = tsr_design_lanes(&m->design);
  int32_t *acc = machine_acc(m), d = 0x5a5a1234;
  for (int i = 0; i < lanes; i++) { /* neighbours differ, so that a lane mix-up shows */
    acc[i] = low32((wide)a + i % 3);
    acc[lanes + i] = low32((wide)b - i % 2);
    acc[2 * lanes + i] = d;
    machine_i8(m, TSR_BUFFER_INP)[i] = (int8_t)(a + i % 3);
  }
  machine_uop(m, 0, 2, 0, 1, first);
  run(m, insn);
  for (int i = 0; i < lanes; i++) {
    int32_t x = insn->loop.src == TSR_SRC_INP ? (int8_t)(a + i % 3) : low32((wide)a + i % 3);
    expect(m, insn, (size_t)(2 * lanes + i),
           want_lane(insn->opcode, first, x, low32((wide)b - i % 2), d));
  }
}

static void check_rows(struct machine *m)
{
  for (int opcode = TSR_OP_ADD; opcode <= TSR_OP_MAC; opcode++)
    for (int form = 0; form < 6; form++) {
      struct tsr_insn insn = machine_loop(opcode);
      insn.loop.src = form % 2;
      insn.loop.dst = form / 2;
      if (opcode == TSR_OP_MAC && insn.loop.dst != TSR_DST_ACC)
        continue;
      for (int i = 0; i < CORNER_COUNT; i++)
        for (int j = form ? i % 7 : 0; j < CORNER_COUNT; j += form ? 7 : 1) {
          check_pair(m, &insn, CORNERS[i], CORNERS[j], false);
          if (tsr_opcode_takes_first(opcode))
            check_pair(m, &insn, CORNERS[i], CORNERS[j], true);
        }
    }
}

/* For every path and point of the design space that a row goes by. */
static void everywhere(void (*check)(struct machine *m))
{
  for (int i = 0; i < 5; i++) {
    struct machine *m = machine_open(MACHINE_POINTS[i]);
    for (enum tsr__path path = TSR__REFERENCE; path <= TSR__AVX512; path++)
      if (tsr__func_limit(m->func, path) == path)
        check(m);
    machine_close(m);
  }
}

static void lane_rows(void **state)
{
  (void)state;
  everywhere(check_rows);
}

/* Multipliers and shifts that hit halves exactly, overflow 32 bits, shift out everything. */
static void check_quant(struct machine *m)
{
  static const int32_t multipliers[] = {0, 1, 3, 0x40000000, 0x7fffffff, -1, INT32_MIN, 0x12345679};
  static const int clamps[][3] = {{-128, 127, 0}, {-128, 127, -128}, {0, 127, 127}, {5, -5, 3}};
  int lanes = tsr_design_lanes(&m->design), lane = 0;
  struct tsr_insn insn = machine_loop(TSR_OP_QUANT);
  int32_t *acc = machine_acc(m), want[16 * 128];
  machine_uop(m, 0, 4, 0, 1, false);
  for (int a = 0; a < CORNER_COUNT; a++)
    for (int b = 0; b < CORNER_COUNT; b += 3)
      for (int k = 0; k < 8; k++)
        for (int s = 0; s < 64; s += 1 + (s > 2) * 4) {
          const int *c = clamps[(a + b + k + s) % 4];
          uint32_t packed = (uint32_t)c[1] << 24 | ((uint32_t)c[0] & 255) << 16 |
                            ((uint32_t)c[2] & 255) << 8 | (uint32_t)s;
          acc[lane] = CORNERS[a];
          acc[lanes + lane] = CORNERS[b];
          acc[2 * lanes + lane] = multipliers[k];
          acc[3 * lanes + lane] = (int32_t)packed;
          want[lane] = want_quant(CORNERS[a], CORNERS[b], multipliers[k], packed);
          if (++lane < lanes)
            continue;
          lane = 0;
          run(m, &insn);
          for (int i = 0; i < lanes; i++)
            expect(m, &insn, (size_t)(4 * lanes + i), want[i]);
        }
}

static void quant(void **state)
{
  (void)state;
  everywhere(check_quant);
}

/* Values around every half of every shift. */
static void check_halves(struct machine *m)
{
  struct tsr_insn insn = machine_loop(TSR_OP_SHR);
  for (int s = 0; s < 32; s++)
    for (int q = -3; q <= 3; q++)
      for (int e = -1; e <= 1; e++)
        check_pair(m, &insn, low32((wide)q * ((wide)1 << s) + ((wide)1 << s) / 2 + e), s, false);
}

static void shift_halves(void **state)
{
  (void)state;
  everywhere(check_halves);
}

static void check_lut(struct machine *m)
{
  int lanes = tsr_design_lanes(&m->design), tables = machine_depth(m, TSR_BUFFER_LUT);
  int8_t *lut = machine_i8(m, TSR_BUFFER_LUT);
  for (int i = 0; i < tables * 256; i++)
    lut[i] = (int8_t)(i * 7 + i / 256);
  for (int form = 0; form < 6; form++)
    for (int i = 0; i < CORNER_COUNT; i++) {
      struct tsr_insn insn = machine_loop(TSR_OP_LUT);
      insn.loop.src = form % 2;
      insn.loop.dst = form / 2;
      machine_uop(m, 0, 2, 0, (uint32_t)tables - 1, false);
      for (int k = 0; k < lanes; k++) {
        machine_acc(m)[k] = low32((wide)CORNERS[i] + k);
        machine_i8(m, TSR_BUFFER_INP)[k] = (int8_t)(CORNERS[i] + k);
      }
      run(m, &insn);
      for (int k = 0; k < lanes; k++) {
        int8_t x = insn.loop.src ? (int8_t)(CORNERS[i] + k) : narrow(low32((wide)CORNERS[i] + k));
        expect(m, &insn, (size_t)(2 * lanes + k), lut[(tables - 1) * 256 + x + 128]);
      }
    }
}

static void lut_rows(void **state)
{
  (void)state;
  everywhere(check_lut);
}

static void check_reductions(struct machine *m)
{
  int lanes = tsr_design_lanes(&m->design), row = m->design.block_out;
  for (int form = 0; form < 12; form++) {
    struct tsr_insn insn = machine_loop(form < 6 ? TSR_OP_RSUM : TSR_OP_RMAX);
    insn.loop.src = form % 2;
    insn.loop.dst = form / 2 % 3;
    machine_uop(m, 0, 2, 0, 9, false);
    for (int i = 0; i < lanes; i++) {
      machine_acc(m)[i] = CORNERS[(i * 5 + form) % CORNER_COUNT];
      machine_i8(m, TSR_BUFFER_INP)[i] = (int8_t)(i * 29 - 77);
    }
    int32_t want[16];
    for (int r = 0; r < m->design.batch; r++) {
      wide sum = 0, most = INT32_MIN;
      for (int i = r * row; i < (r + 1) * row; i++) {
        int32_t x = insn.loop.src ? machine_i8(m, TSR_BUFFER_INP)[i] : machine_acc(m)[i];
        sum += x;
        most = x > most ? x : most;
      }
      want[r] = form < 6 ? low32(sum) : (int32_t)most;
    }
    run(m, &insn);
    for (int i = 0; i < lanes; i++)
      expect(m, &insn, (size_t)(2 * lanes + i), want[i / row]);
  }
}

static void reductions(void **state)
{
  (void)state;
  everywhere(check_reductions);
}

/* Points follow each other: each adds the entry before, so the last holds the sum of all. `first`
 * where the loops say so; entry 0 is the only one that starts anew. */
static void check_chain(struct machine *m)
{
  int lanes = tsr_design_lanes(&m->design);
  int32_t *acc = machine_acc(m);
  for (int i = 0; i < 40 * lanes; i++)
    acc[i] = i % lanes + 1;
  struct tsr_insn insn = machine_loop(TSR_OP_ADD);
  memcpy(insn.loop.n, (uint32_t[]){3, 4, 3}, sizeof insn.loop.n);
  memcpy(insn.loop.step_dst, (uint32_t[]){12, 3, 1}, sizeof insn.loop.n);
  memcpy(insn.loop.step_a, insn.loop.step_dst, sizeof insn.loop.n);
  memcpy(insn.loop.step_b, insn.loop.step_dst, sizeof insn.loop.n);
  insn.loop.first = 7;
  machine_uop(m, 0, 1, 1, 0, true);
  run(m, &insn);
  for (int k = 0; k < 37; k++)
    for (int i = 0; i < lanes; i++)
      assert_int_equal(acc[k * lanes + i], (k > 1 ? k : 1) * (i + 1));
}

static void chains(void **state)
{
  (void)state;
  everywhere(check_chain);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lane_rows), cmocka_unit_test(quant),      cmocka_unit_test(shift_halves),
      cmocka_unit_test(lut_rows),  cmocka_unit_test(reductions), cmocka_unit_test(chains),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
