/* SPDX-License-Identifier: Apache-2.0 */
/* Where the window ends, to the byte; stores over micro-ops, to the micro-op. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verify/check.h"
#include "verify/uops.h"

static const struct row {
  int opcode, buffer;
  uint32_t nx, ny, nz;
  uint64_t dram, sy, sz, end; /* end: one past the last byte, at tiny */
} rows[] = {
  {TSR_OP_LOAD, TSR_BUFFER_INP, 2, 1, 1, 0, 0, 0, 8},
  {TSR_OP_LOAD, TSR_BUFFER_INP, 2, 1, 1, 64, 0, 0, 72},
  {TSR_OP_LOAD, TSR_BUFFER_INP, 2, 3, 1, 64, 16, 0, 104},
  {TSR_OP_LOAD, TSR_BUFFER_INP, 2, 3, 2, 64, 16, 128, 232},
  {TSR_OP_LOAD, TSR_BUFFER_ACC, 2, 1, 1, 64, 0, 0, 96},
  {TSR_OP_STORE, TSR_BUFFER_OUT, 2, 3, 1, 64, 16, 0, 104},
};

static void test_the_last_byte(void **state)
{
  (void)state;
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_err err;
  struct tsr_design design;
  char text[512];
  assert_non_null(arena);
  assert_int_equal(tsr_design_open(arena, &err, "tiny", &design), TSR_OK);
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    const struct row *r = &rows[k];
    struct tsr_insn insn = {.opcode = r->opcode};
    insn.dma.buffer = r->buffer;
    insn.dma.nx = r->nx;
    insn.dma.ny = r->ny;
    insn.dma.nz = r->nz;
    insn.dma.dram = r->dram;
    insn.dma.sy = r->sy;
    insn.dma.sz = r->sz;
    for (uint64_t less = 0; less < 2; less++)
      assert_int_equal(tsr_check_insn(&design, 0, &insn, NULL, r->end - less, text, sizeof text),
                       less ? TSR_TRAP_WINDOW : TSR_TRAP_NONE);
  }
  tsr_arena_free(arena);
}

/* The image has four micro-ops, of which the two in the middle are loaded; an entry of OUT is
 * half a micro-op at tiny. */
static void test_stores_over_micro_ops(void **state)
{
  (void)state;
  static uint8_t image[4 * TSR_UOP_BYTES];
  const struct tsr_program program = {.data = image, .data_bytes = sizeof image};
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_err err;
  struct tsr_design design;
  char text[512];
  assert_non_null(arena);
  assert_int_equal(tsr_design_open(arena, &err, "tiny", &design), TSR_OK);
  struct tsr__uops *uops = tsr__uops_new(arena, &design, &program);
  struct tsr_insn load = {.opcode = TSR_OP_LOAD}, store = {.opcode = TSR_OP_STORE};
  load.dma.buffer = TSR_BUFFER_UOP;
  load.dma.dram = TSR_UOP_BYTES;
  load.dma.nx = 2;
  load.dma.ny = load.dma.nz = 1;
  assert_true(tsr__uops_load(uops, 0, &load, text, sizeof text));
  store.dma.buffer = TSR_BUFFER_OUT;
  store.dma.nx = store.dma.ny = store.dma.nz = 1;
  for (int half = 0; half < 8; half++) {
    store.dma.dram = (uint64_t)(half * TSR_UOP_BYTES / 2);
    bool over = tsr__uops_stored(uops, 1, &store, text, sizeof text);
    assert_int_equal(over, half >= 2 && half < 6);
  }
  tsr_arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_the_last_byte),
    cmocka_unit_test(test_stores_over_micro_ops),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
