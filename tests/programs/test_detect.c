/* SPDX-License-Identifier: Apache-2.0 */
/* The race detector on small programs of assembler text: what it reports, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hw/sim/func/detect.h"
#include "tests/base/counting.h"

enum { WINDOW = 8192, ORDERS = 20 };

struct row {
  const char *name, *text;
  const char *reports[2]; /* in any order of engines one of these begins each report; NULL: none */
};

static const struct row rows[] = {
    {"a chain through two engines orders",
     "load inp n=1 signal=matrix\nsync matrix wait=load signal=vector\nload uop dram=512 n=1\n"
     "load acc n=1 signal=vector\nsync vector wait=load,matrix\n"
     "mov uops=0+1 a=inp dst=out banks=none wait=none\nfinish\n.data\n.org 512\n.uop 0,0,0\n",
     {NULL}},
    {"load before its reader, no token",
     "load acc n=4\nstore acc n=4 dram=4096\nfinish\n",
     {"ACC entry 0: instruction 1 (store, store) reads what instruction 0 (load, load) writes",
      "ACC entry 0: instruction 0 (load, load) writes what instruction 1 (store, store) reads"}},
    {"a token the wrong way round",
     "load acc n=4 wait=store\nstore acc n=4 dram=4096 signal=load\nstore acc n=4\nfinish\n",
     {"ACC entry 0: instruction 2 (store, store) reads what instruction 0 (load, load) writes",
      "ACC entry 0: instruction 0 (load, load) writes what instruction 2 (store, store) reads"}},
    {"a store that a load overtakes in DRAM",
     "load acc n=1 signal=store\nload acc sram=9 n=1 dram=64\nstore acc n=1 dram=64 wait=load\n"
     "finish\n",
     {"DRAM byte 64: instruction 2 (store, store) writes what instruction 1 (load, load) reads",
      "DRAM byte 64: instruction 1 (load, load) reads what instruction 2 (store, store) writes"}},
    {"DRAM side by side", "load acc n=1 signal=store\nload acc sram=9 n=1 dram=128\n"
     "store acc n=1 dram=64 wait=load\nfinish\n", {NULL}},
    {"what nothing wrote", "store out sram=7 n=2\nfinish\n",
     {"OUT entry 7: instruction 0 (store, store) reads what nothing wrote", NULL}},
    {"padding is written", "load acc sram=7 n=1 x=1,1 signal=store\nstore acc sram=7 n=3 dram=4096 "
     "wait=load\nfinish\n", {NULL}},
    {"tokens left",
     "load acc n=1 signal=store\nload acc n=1 signal=store\nfinish\n",
     {"instruction 2 (finish): 2 tokens from load to store left", NULL}},
    {"B of a maximum that starts is not read",
     "load uop dram=512 n=1\nload inp n=1 signal=vector\nmax uops=0+1 a=inp banks=0 wait=load\n"
     "finish\n.data\n.org 512\n.uop 3,0,3,overwrite\n", {NULL}},
    {"B of a maximum that goes on is read",
     "load uop dram=512 n=1\nload inp n=1 signal=vector\nmax uops=0+1 a=inp banks=0 wait=load\n"
     "finish\n.data\n.org 512\n.uop 3,0,3\n",
     {"ACC entry 3: instruction 2 (max, vector) reads what nothing wrote", NULL}},
    {"a sum reads what it adds to",
     "load uop dram=512 n=1\nload inp n=1\nload wgt n=1 signal=matrix\n"
     "gemm uops=0+1 n=2 first=none banks=0 dst=1 wait=load\nfinish\n.data\n.org 512\n.uop 3,0,0\n",
     {"ACC entry ", NULL}},
    {"QUANT reads three entries",
     "load uop dram=512 n=1\nload inp n=1\nload acc n=2 signal=vector\n"
     "quant uops=0+1 a=inp dst=out banks=0 wait=load\nfinish\n.data\n.org 512\n.uop 3,0,0\n",
     {"ACC entry 2: instruction 3 (quant, vector) reads what nothing wrote", NULL}},
    {"LUT reads its table",
     "load uop dram=512 n=1\nload inp n=1 signal=vector\n"
     "lut uops=0+1 a=inp dst=out wait=load\nload lut sram=1 n=1\nfinish\n"
     ".data\n.org 512\n.uop 3,0,1\n",
     {"LUT entry 1: instruction 2 (lut, vector) reads what ",
      "LUT entry 1: instruction 3 (load, load) writes what instruction 2 (lut, vector) reads"}},
    {"GEMM reads weights",
     "load uop dram=512 n=1\nload inp n=1 signal=matrix\nload wgt sram=5 n=1\n"
     "gemm uops=0+1 banks=0 wait=load\nfinish\n.data\n.org 512\n.uop 3,0,5,overwrite\n",
     {"WGT entry 5: instruction 3 (gemm, matrix) reads what ",
      "WGT entry 5: instruction 2 (load, load) writes what instruction 3 (gemm, matrix) reads"}},
    {"micro-ops are read",
     "load uop dram=512 n=1\nload inp n=1 signal=vector\n"
     "mov uops=0+1 a=inp dst=out wait=load\nload uop dram=512 n=1\nfinish\n"
     ".data\n.org 512\n.uop 3,0,0\n",
     {"UOP entry 0: instruction 3 (load, load) writes what instruction 2 (mov, vector) reads",
      "UOP entry 0: instruction 2 (mov, vector) reads what instruction 3 (load, load) writes"}},
};

struct machine {
  struct tsr_design design;
  struct tsr_func *func;
  struct tsr_program program;
  struct tsr_arena *arena;
  uint8_t window[WINDOW];
};

static void setup(struct machine *m, const char *text)
{
  struct tsr_err err = {0};
  memset(m, 0, sizeof *m);
  m->arena = tsr_arena_new(NULL);
  if (tsr_design_parse(&err, "default", tsr_design_json("default"), &m->design) ||
      tsr_assemble(m->arena, &err, "text", text, &m->program))
    fail_msg("%s", err.text);
  m->func = tsr_func_new(NULL, &m->design);
  for (size_t i = 0; i < m->program.data_bytes; i++)
    m->window[i] = m->program.data[i];
}

static void teardown(struct machine *m)
{
  tsr_func_free(m->func);
  tsr_arena_free(m->arena);
}

static enum tsr_trap detect(struct machine *m, uint64_t seed, struct tsr_detect *out)
{
  struct tsr_func_result result;
  assert_int_equal(tsr_func_detect(m->func, m->program.insns, m->program.insn_count, m->window,
                                   WINDOW, seed, &result, out),
                   TSR_OK);
  return result.trap;
}

static bool begins(const char *text, const char *with)
{
  return with && strncmp(text, with, strlen(with)) == 0;
}

static void reports(void **state)
{
  (void)state;
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
    for (uint64_t seed = 0; seed < ORDERS; seed++) {
      struct machine m;
      struct tsr_detect out;
      setup(&m, rows[r].text);
      assert_int_equal(detect(&m, seed, &out), TSR_TRAP_NONE);
      bool found = rows[r].reports[0] == NULL && out.count == 0;
      for (size_t k = 0; k < out.listed; k++)
        found |= begins(out.list[k].text, rows[r].reports[0]) ||
                 begins(out.list[k].text, rows[r].reports[1]);
      if (!found)
        fail_msg("%s: %zu reports: %s", rows[r].name, out.count, out.list[0].text);
      teardown(&m);
    }
}

/* Both orders of a race happen, and each gives its own result. */
static void orders_differ(void **state)
{
  (void)state;
  struct machine m;
  int late = 0;
  setup(&m, "load acc n=1 pad=7 x=1\nstore acc n=1 dram=4096\nfinish\n");
  for (uint64_t seed = 0; seed < ORDERS; seed++) {
    struct tsr_detect out;
    tsr_func_reset(m.func);
    detect(&m, seed, &out);
    late += m.window[4096] == 7;
  }
  assert_true(late > 0 && late < ORDERS);
  teardown(&m);
}

/* Seventeen pairs race; all count, sixteen are listed. */
static void list_is_full(void **state)
{
  (void)state;
  struct machine m;
  struct tsr_detect out;
  char text[2000] = "load acc n=1 signal=none\n";
  for (int k = 0; k < TSR_DETECT_LISTED + 1; k++)
    strcat(text, "store acc n=1 dram=4096\n");
  setup(&m, strcat(text, "finish\n"));
  detect(&m, 1, &out);
  assert_int_equal(out.listed, TSR_DETECT_LISTED);
  assert_true(out.count > TSR_DETECT_LISTED);
  teardown(&m);
}

static void traps_as_a_run_does(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum tsr_trap trap;
  } list[] = {{"sync load wait=store\nfinish\n", TSR_TRAP_DEADLOCK},
              {"load acc sram=65535 n=2\nfinish\n", TSR_TRAP_INDEX},
              {"sync load\n", TSR_TRAP_OPCODE}};
  for (size_t k = 0; k < sizeof list / sizeof list[0]; k++) {
    struct machine m;
    struct tsr_detect out;
    setup(&m, list[k].text);
    assert_int_equal(detect(&m, k, &out), list[k].trap);
    assert_int_equal(out.count, 0);
    teardown(&m);
  }
}

static void memory_runs_out(void **state)
{
  (void)state;
  struct machine m;
  struct tsr_detect out;
  struct tsr_func_result result;
  struct counting c;
  counting_init(&c, -1);
  setup(&m, rows[0].text);
  struct tsr_func *func = tsr_func_new(&c.allocator, &m.design);
  int live = c.live, n = 0;
  enum tsr_status status = TSR_NO_MEMORY;
  for (; status != TSR_OK && n < 1000; n++) {
    c.left = n;
    status = tsr_func_detect(func, m.program.insns, m.program.insn_count, m.window, WINDOW, 1,
                             &result, &out);
    assert_int_equal(c.live, live);
  }
  assert_int_equal(status, TSR_OK);
  assert_true(n > 2);
  tsr_func_free(func);
  assert_int_equal(c.live, 0);
  teardown(&m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reports),         cmocka_unit_test(orders_differ),
      cmocka_unit_test(list_is_full),    cmocka_unit_test(traps_as_a_run_does),
      cmocka_unit_test(memory_runs_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
