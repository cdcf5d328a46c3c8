/* SPDX-License-Identifier: Apache-2.0 */
/* The register map without a bus: every offset, every bit, and when writes are taken. What the RTL
 * answers is tests/rtl/test_registers.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hw/sim/systemc/registers.h"

enum { START = 1, RESET = 2 };

static const struct {
  uint32_t offset, writable;
} map[] = {
#define TSR_REGISTER(offset, name, writable, meaning) {offset, writable},
#include "isa/registers.def"
#undef TSR_REGISTER
};
enum { COUNT = sizeof map / sizeof map[0] };

static struct tsr_registers registers;
static struct tsr_register_view view;

static int set_up(void **state)
{
  (void)state;
  memset(&registers, 0, sizeof registers);
  memset(&view, 0, sizeof view);
  registers.hash = UINT64_C(0x123456789abcdef0);
  return 0;
}

static enum tsr_register_answer put(bool ready, uint32_t offset, uint32_t value)
{
  enum tsr_register_act act;
  return tsr_register_write(&registers, ready, offset, value, &act);
}

static uint32_t get(uint32_t offset)
{
  uint32_t value;
  assert_int_equal(tsr_register_read(&registers, &view, offset, &value), TSR_REGISTER_OKAY);
  return value;
}

static void identity(void **state)
{
  (void)state;
  assert_int_equal(get(TSR_REG_ID), 0x41525354);
  assert_int_equal(get(TSR_REG_VERSION), 1);
  assert_int_equal(get(TSR_REG_HASH_LO), 0x9abcdef0);
  assert_int_equal(get(TSR_REG_HASH_HI), 0x12345678);
}

/* Each bit alone, each bit beside those that are writable, all of them; and not while a program
 * runs. */
static void writes(void **state)
{
  (void)state;
  for (int k = 0; k < COUNT; k++) {
    uint32_t offset = map[k].offset, mask = map[k].writable;
    if (offset == TSR_REG_CONTROL)
      continue;
    for (int bit = 0; bit < 32; bit++) {
      bool good = mask >> bit & 1;
      assert_int_equal(put(true, offset, 1u << bit) == TSR_REGISTER_OKAY, good);
      assert_int_equal(put(true, offset, mask | 1u << bit) == TSR_REGISTER_OKAY, good);
      if (good)
        assert_int_equal(get(offset), mask);
      assert_int_equal(put(false, offset, 1u << bit), TSR_REGISTER_REFUSED);
      if (good)
        assert_int_equal(get(offset), mask);
    }
  }
}

static bool is_register(uint32_t offset)
{
  for (int k = 0; k < COUNT; k++)
    if (map[k].offset == offset)
      return true;
  return offset >= TSR_REG_COUNTERS && offset < TSR_REG_COUNTERS + 8 * TSR_COUNTER_COUNT &&
         offset % 4 == 0;
}

static void offsets(void **state)
{
  (void)state;
  for (uint32_t offset = 0; offset < TSR_REGISTER_SPAN; offset++) {
    uint32_t value = 1;
    bool there = is_register(offset);
    assert_int_equal(tsr_register_read(&registers, &view, offset, &value) == TSR_REGISTER_OKAY,
                     there);
    if (!there) {
      assert_int_equal(value, 0);
      assert_int_equal(put(true, offset, 0), TSR_REGISTER_NONE);
    }
    if (offset >= TSR_REG_COUNTERS && there)
      assert_int_equal(put(true, offset, 0), TSR_REGISTER_REFUSED);
  }
}

static void control(void **state)
{
  (void)state;
  static const struct {
    bool ready;
    uint32_t value;
    enum tsr_register_answer answer;
    enum tsr_register_act act;
  } rows[] = {
      {true, 0, TSR_REGISTER_OKAY, TSR_REGISTER_NOTHING},
      {true, START, TSR_REGISTER_OKAY, TSR_REGISTER_START},
      {true, RESET, TSR_REGISTER_OKAY, TSR_REGISTER_RESET},
      {true, START | RESET, TSR_REGISTER_OKAY, TSR_REGISTER_RESET},
      {true, 4, TSR_REGISTER_REFUSED, TSR_REGISTER_NOTHING},
      {true, 4 | RESET, TSR_REGISTER_REFUSED, TSR_REGISTER_NOTHING},
      {false, 0, TSR_REGISTER_REFUSED, TSR_REGISTER_NOTHING},
      {false, START, TSR_REGISTER_REFUSED, TSR_REGISTER_NOTHING},
      {false, RESET, TSR_REGISTER_OKAY, TSR_REGISTER_RESET},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    enum tsr_register_act act;
    put(true, TSR_REG_PROGRAM_LO, 128);
    assert_int_equal(
        tsr_register_write(&registers, rows[k].ready, TSR_REG_CONTROL, rows[k].value, &act),
        rows[k].answer);
    assert_int_equal(act, rows[k].act);
    assert_int_equal(get(TSR_REG_CONTROL), 0);
    assert_int_equal(get(TSR_REG_PROGRAM_LO), act == TSR_REGISTER_RESET ? 0 : 128);
  }
}

static void what_the_machine_tells(void **state)
{
  (void)state;
  view = (struct tsr_register_view){.running = true, .trap = 6, .trap_engine = 3, .trap_insn = 77};
  assert_int_equal(get(TSR_REG_STATUS), 1);
  view.running = false;
  view.clearing = true;
  assert_int_equal(get(TSR_REG_STATUS), 2);
  view.clearing = false;
  view.ended = true;
  assert_int_equal(get(TSR_REG_STATUS), 4);
  assert_int_equal(get(TSR_REG_TRAP), 0x306);
  assert_int_equal(get(TSR_REG_TRAP_INSN), 77);
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++) {
    view.engines[e].state = e + 1;
    view.engines[e].missing = 8u >> e;
    view.engines[e].insn = 100u + (uint32_t)e;
  }
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++) {
    uint32_t at = 4 * (uint32_t)e;
    assert_int_equal(get(TSR_REG_STATE_LOAD + at), (8u >> e) << 8 | ((uint32_t)e + 1));
    assert_int_equal(get(TSR_REG_INSN_LOAD + at), 100 + e);
  }
  for (uint32_t k = 0; k < TSR_COUNTER_COUNT; k++) {
    view.counters[k] = UINT64_C(0xa500000000) + k;
    assert_int_equal(get(TSR_REG_COUNTERS + 8 * k), k);
    assert_int_equal(get(TSR_REG_COUNTERS + 8 * k + 4), 0xa5);
  }
}

static void designs(void **state)
{
  (void)state;
  assert_false(tsr_register_design_wrong(&registers)); /* 0: any */
  put(true, TSR_REG_DESIGN_LO, 0x9abcdef0);
  assert_true(tsr_register_design_wrong(&registers));
  put(true, TSR_REG_DESIGN_HI, 0x12345678);
  assert_false(tsr_register_design_wrong(&registers));
  put(true, TSR_REG_DESIGN_LO, 0x9abcdef1);
  assert_true(tsr_register_design_wrong(&registers));
}

static void pairs(void **state)
{
  (void)state;
  put(true, TSR_REG_WINDOW_BYTES_LO, 0xfffffff0);
  put(true, TSR_REG_WINDOW_BYTES_HI, 1);
  assert_true(tsr_register_pair(&registers, TSR_REG_WINDOW_BYTES_LO) == UINT64_C(0x1fffffff0));
  put(true, TSR_REG_PROGRAM_LO, 0x80);
  put(true, TSR_REG_PROGRAM_HI, 0xff);
  assert_true(tsr_register_pair(&registers, TSR_REG_PROGRAM_LO) == UINT64_C(0xff00000080));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(identity, set_up),
      cmocka_unit_test_setup(writes, set_up),
      cmocka_unit_test_setup(offsets, set_up),
      cmocka_unit_test_setup(control, set_up),
      cmocka_unit_test_setup(what_the_machine_tells, set_up),
      cmocka_unit_test_setup(designs, set_up),
      cmocka_unit_test_setup(pairs, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
