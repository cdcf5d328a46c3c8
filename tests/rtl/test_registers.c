/* SPDX-License-Identifier: Apache-2.0 */
/* The register map as a host sees it: what can be read and written, what is refused and changes
 * nothing, and a program that is run by registers alone. */
#include "tests/rtl/main.h"

#include <string.h>

enum { WINDOW = 1 << 16, BASE = 4096, MAP_BYTES = 4096, POLLS = 100000 };
enum { START = 1, RESET = 2, RUNNING = 1, CLEARING = 2, ENDED = 4 };
enum { MACHINE_ID = 0x41525354, MAP_VERSION = 1, FETCH_TRAP_NONE = TSR_ENGINE_FETCH << 8 };

static const struct entry {
  const char *name;
  uint32_t offset, writable;
} map[] = {
#define TSR_REGISTER(at, text, mask, meaning) {#text, at, mask},
#include "isa/registers.def"
#undef TSR_REGISTER
};
enum { COUNT = sizeof map / sizeof map[0], ALL = COUNT + 2 * TSR_COUNTER_COUNT };

static uint32_t get(uint32_t offset)
{
  uint32_t value = 0;
  if (!tsr_rtl_read_register(rig.rtl, offset, &value))
    fail_msg("register 0x%03x is not read", offset);
  return value;
}

static void put(uint32_t offset, uint32_t value)
{
  if (!tsr_rtl_write_register(rig.rtl, offset, value))
    fail_msg("register 0x%03x does not take 0x%08x", offset, value);
}

static void refuse(uint32_t offset, uint32_t value)
{
  if (tsr_rtl_write_register(rig.rtl, offset, value))
    fail_msg("register 0x%03x takes 0x%08x", offset, value);
}

/* The value of every register and counter. */
struct snapshot {
  uint32_t value[ALL];
};

static uint32_t offset_of(int k)
{
  return k < COUNT ? map[k].offset : TSR_REG_COUNTERS + 4 * (uint32_t)(k - COUNT);
}

static struct snapshot look(void)
{
  struct snapshot s;
  for (int k = 0; k < ALL; k++)
    s.value[k] = get(offset_of(k));
  return s;
}

static void same(const struct snapshot *before, const char *what)
{
  struct snapshot now = look();
  for (int k = 0; k < ALL; k++)
    if (now.value[k] != before->value[k])
      fail_msg("%s changes register 0x%03x from 0x%08x to 0x%08x", what, offset_of(k),
               before->value[k], now.value[k]);
}

static void await(uint32_t bits, uint32_t value)
{
  for (int k = 0; k < POLLS; k++)
    if ((get(TSR_REG_STATUS) & bits) == value)
      return;
  fail_msg("status stays 0x%x", get(TSR_REG_STATUS));
}

static bool is_register(uint32_t offset)
{
  for (int k = 0; k < ALL; k++)
    if (offset_of(k) == offset)
      return true;
  return false;
}

/* ---- reads and writes ---- */

static void as_new(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  assert_int_equal(get(TSR_REG_ID), MACHINE_ID);
  assert_int_equal(get(TSR_REG_VERSION), MAP_VERSION);
  assert_int_equal(get(TSR_REG_HASH_LO), (uint32_t)rig.design.hash);
  assert_int_equal(get(TSR_REG_HASH_HI), rig.design.hash >> 32);
  assert_int_equal(get(TSR_REG_STATUS), 0);
  assert_int_equal(get(TSR_REG_TRAP), FETCH_TRAP_NONE);
  assert_int_equal(get(TSR_REG_TRAP_INSN), 0);
  for (int k = 0; k < ALL; k++)
    if (k >= COUNT || map[k].writable)
      assert_int_equal(get(offset_of(k)), 0);
}

/* All of its bits, none, each one, every other one. */
static void written(void **state)
{
  (void)state;
  for (int k = 0; k < COUNT; k++) {
    uint32_t mask = map[k].writable;
    if (!mask || map[k].offset == TSR_REG_CONTROL)
      continue;
    for (int bit = -4; bit < 32; bit++) {
      static const uint32_t all[] = {0x55555555, 0xaaaaaaaa, 0, 0xffffffff};
      uint32_t value = mask & (bit < 0 ? all[bit + 4] : 1u << bit);
      put(map[k].offset, value);
      assert_int_equal(get(map[k].offset), value);
    }
  }
}

/* Bits that are not writable, one alone and beside those that are. */
static void reserved_bits(void **state)
{
  (void)state;
  for (int k = 0; k < COUNT; k++) {
    struct snapshot before = look();
    for (int bit = 0; bit < 32; bit++)
      if (!(map[k].writable >> bit & 1)) {
        refuse(map[k].offset, 1u << bit);
        refuse(map[k].offset, map[k].writable | 1u << bit);
      }
    if (!map[k].writable)
      refuse(map[k].offset, 0);
    same(&before, map[k].name);
  }
  struct snapshot before = look();
  for (int k = COUNT; k < ALL; k++) {
    refuse(offset_of(k), 0);
    refuse(offset_of(k), 1);
  }
  same(&before, "a counter");
}

/* Offsets without a register, those between two multiples of 4 among them. */
static void reserved_offsets(void **state)
{
  (void)state;
  struct snapshot before = look();
  for (uint32_t offset = 0; offset < MAP_BYTES; offset++) {
    uint32_t value = 1;
    if (is_register(offset))
      continue;
    if (tsr_rtl_read_register(rig.rtl, offset, &value) || value)
      fail_msg("offset 0x%03x reads as 0x%08x", offset, value);
    refuse(offset, 0);
    refuse(offset, 1);
  }
  same(&before, "an offset without a register");
}

static void control(void **state)
{
  (void)state;
  struct snapshot before = look();
  put(TSR_REG_CONTROL, 0);
  same(&before, "a control of 0");
  rig_machine(&rig, WINDOW);
  before = look();
  put(TSR_REG_PROGRAM_LO, 128);
  put(TSR_REG_CONTROL, START | RESET); /* is a reset */
  await(CLEARING, 0);
  same(&before, "a reset");
}

/* While scratchpads are being cleared only a reset is taken, and begins anew. */
static void while_clearing(void **state)
{
  (void)state;
  rig_machine(&rig, WINDOW);
  struct snapshot before = look();
  put(TSR_REG_CONTROL, RESET);
  assert_int_equal(get(TSR_REG_STATUS), CLEARING);
  refuse(TSR_REG_CONTROL, START);
  refuse(TSR_REG_CONTROL, 0);
  refuse(TSR_REG_PROGRAM_LO, 128);
  refuse(TSR_REG_WINDOW_BYTES_LO, 0);
  put(TSR_REG_CONTROL, RESET);
  assert_int_equal(get(TSR_REG_STATUS), CLEARING);
  await(CLEARING, 0);
  same(&before, "a reset");
}

/* ---- programs ---- */

/* A program of many cycles: GEMM over and over the same entries. */
static struct tsr_program endless(struct tsr_arena *arena)
{
  struct build b = build_new(arena, &rig.design);
  struct tsr_uop uop = {0, 0, 0, false};
  struct tsr_insn gemm = build_loop(TSR_OP_GEMM);
  gemm.loop.uop_begin = build_uops(&b, &uop, 1);
  gemm.loop.n[0] = gemm.loop.n[1] = 65535;
  build_add(&b, &gemm);
  return build_end(&b);
}

static void while_running(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program p = endless(arena), probe = build_probe(arena, &rig.design);
  uint64_t timeout = rig.timeout_cycles;
  rig.timeout_cycles = 2000;
  rig_machine(&rig, WINDOW);
  struct snapshot new = look();
  assert_int_equal(rig_run(&rig, &p), HUNG);
  assert_int_equal(get(TSR_REG_STATUS), RUNNING);
  assert_int_equal(get(TSR_REG_STATE_MATRIX) & 0xff, TSR_STATE_BUSY);
  assert_int_equal(get(TSR_REG_INSN_MATRIX), 1);
  assert_int_equal(get(TSR_REG_STATE_LOAD) & 0xff, TSR_STATE_IDLE);
  assert_int_equal(get(TSR_REG_STATE_FETCH) & 0xff, TSR_STATE_FINISH);
  for (int k = 0; k < COUNT; k++) {
    uint32_t before = get(map[k].offset);
    refuse(map[k].offset, map[k].offset == TSR_REG_CONTROL ? START : map[k].writable);
    refuse(map[k].offset, 0);
    assert_int_equal(get(map[k].offset), before);
  }
  put(TSR_REG_CONTROL, RESET); /* in the middle of it */
  await(RUNNING | CLEARING, 0);
  same(&new, "a program and a reset");
  rig_reset(&rig);
  rig.timeout_cycles = timeout;
  rig_machine(&rig, WINDOW);
  expect(rig_run(&rig, &probe), "the probe");
  rig_reset(&rig);
  same(&new, "the probe and a reset");
  tsr_arena_free(arena);
}

/* The probe, started by hand, at another place of the window. It has run before, so that the
 * program lies where the registers say. */
static void start_probe(const struct tsr_program *probe)
{
  memset(rig.window, 0, WINDOW);
  memcpy(rig.window + BASE, probe->data, probe->data_bytes);
  put(TSR_REG_WINDOW_LO, BASE);
  put(TSR_REG_WINDOW_BYTES_LO, WINDOW - BASE);
  put(TSR_REG_CONTROL, START);
}

static void check_window(const struct tsr_program *probe)
{
  struct tsr_func_result result;
  memset(rig.own, 0, WINDOW);
  memcpy(rig.own + BASE, probe->data, probe->data_bytes);
  tsr_func_reset(rig.func);
  tsr_func_run(rig.func, probe->insns, probe->insn_count, rig.own + BASE, WINDOW - BASE, &result);
  assert_int_equal(result.trap, TSR_TRAP_NONE);
  assert_memory_equal(rig.window, rig.own, WINDOW);
}

static void by_hand(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program probe = build_probe(arena, &rig.design);
  rig_machine(&rig, WINDOW);
  expect(rig_run(&rig, &probe), "the probe");
  assert_int_equal(get(TSR_REG_STATUS), ENDED);
  for (int k = 0; k < TSR_COUNTER_COUNT; k++) {
    uint32_t at = TSR_REG_COUNTERS + 8 * (uint32_t)k;
    assert_int_equal((uint64_t)get(at + 4) << 32 | get(at), rig.result.counters[k]);
  }
  start_probe(&probe);
  await(ENDED | RUNNING, ENDED);
  assert_int_equal(get(TSR_REG_TRAP), FETCH_TRAP_NONE);
  assert_int_equal(get(TSR_REG_TRAP_INSN), probe.insn_count - 1);
  check_window(&probe);
  tsr_arena_free(arena);
}

/* A program of another design point traps before it starts; one of this, or of any, runs. */
static void design(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program probe = build_probe(arena, &rig.design);
  uint32_t low = (uint32_t)rig.design.hash, high = (uint32_t)(rig.design.hash >> 32);
  const uint32_t wrong[][2] = {{low ^ 1, high}, {low, high ^ 0x80000000}, {low, 0}, {0, high}};
  rig_machine(&rig, WINDOW);
  expect(rig_run(&rig, &probe), "the probe");
  for (int k = 0; k < 4; k++) {
    uint64_t before = rig.result.counters[TSR_COUNTER_LOAD_INSNS];
    put(TSR_REG_DESIGN_LO, wrong[k][0]);
    put(TSR_REG_DESIGN_HI, wrong[k][1]);
    start_probe(&probe);
    await(ENDED | RUNNING, ENDED);
    assert_int_equal(get(TSR_REG_TRAP), FETCH_TRAP_NONE | TSR_TRAP_DESIGN);
    memset(rig.own, 0, WINDOW);
    memcpy(rig.own + BASE, probe.data, probe.data_bytes);
    assert_memory_equal(rig.window, rig.own, WINDOW); /* nothing was stored */
    assert_int_equal(get(TSR_REG_COUNTERS + 8 * TSR_COUNTER_LOAD_INSNS), before);
  }
  put(TSR_REG_DESIGN_LO, low);
  put(TSR_REG_DESIGN_HI, high);
  start_probe(&probe);
  await(ENDED | RUNNING, ENDED);
  assert_int_equal(get(TSR_REG_TRAP), FETCH_TRAP_NONE);
  check_window(&probe);
  tsr_arena_free(arena);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(as_new),        cmocka_unit_test(written),
      cmocka_unit_test(reserved_bits), cmocka_unit_test(reserved_offsets),
      cmocka_unit_test(control),       cmocka_unit_test(while_clearing),
      cmocka_unit_test(while_running), cmocka_unit_test(by_hand),
      cmocka_unit_test(design),
  };
  if (!begin(argc, argv))
    return SKIPPED;
  return end(cmocka_run_group_tests(tests, NULL, NULL));
}
