/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM by every path the host has against code of this test that knows nothing of the simulator's:
 * random nests of every kind (plan or no plan, overwriting or not, aliasing dst) at every point. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/sim/func/state.h"

enum { MOST_UOPS = 40 };

struct nest {
  struct tsr_insn insn;
  struct tsr_uop uops[MOST_UOPS];
};

static uint64_t SEED = 20260117;

/* A step such that `n` iterations from at most `room` stay inside; 0 and 1 often. */
static uint32_t random_step(uint64_t *r, uint32_t n, uint32_t *room)
{
  uint32_t most = n > 1 ? *room / (n - 1) : 3;
  uint32_t step = machine_below(r, 3) == 0 ? 0 : machine_below(r, (most < 24 ? most : 24) + 1);
  *room -= n > 1 ? (n - 1) * step : 0;
  return step;
}

static void random_steps(uint64_t *r, const struct nest *nest, uint32_t step[3], uint32_t *room)
{
  for (int k = 0; k < 3; k++)
    step[k] = random_step(r, nest->insn.loop.n[k], room);
}

static struct nest random_nest(struct machine *m, uint64_t *r)
{
  struct nest nest = {.insn = machine_loop(TSR_OP_GEMM)};
  uint32_t room[3] = {(uint32_t)machine_depth(m, TSR_BUFFER_ACC) - 1,
                      (uint32_t)machine_depth(m, TSR_BUFFER_INP) - 1,
                      (uint32_t)machine_depth(m, TSR_BUFFER_WGT) - 1};
  for (int k = 0; k < 3; k++)
    nest.insn.loop.n[k] = 1 + machine_below(r, 6);
  nest.insn.loop.first = machine_below(r, 8);
  nest.insn.loop.uop_begin = machine_below(r, 8);
  nest.insn.loop.uop_count = 1 + machine_below(r, machine_below(r, 2) ? 4 : MOST_UOPS);
  random_steps(r, &nest, nest.insn.loop.step_dst, &room[0]);
  random_steps(r, &nest, nest.insn.loop.step_a, &room[1]);
  random_steps(r, &nest, nest.insn.loop.step_b, &room[2]);
  uint32_t style = machine_below(r, 4);     /* of dst: one, some, rising, anything */
  uint32_t overwrite = machine_below(r, 4); /* never, first micro-op, always, sometimes */
  uint32_t base = machine_below(r, room[0] + 1);
  bool one_b = style == 2 || machine_below(r, 3) == 0;
  for (uint32_t u = 0; u < nest.insn.loop.uop_count; u++) {
    uint32_t dst = style == 0   ? base
                   : style == 1 ? machine_below(r, room[0] < 3 ? room[0] + 1 : 3)
                   : style == 2 ? (u < room[0] ? u : room[0])
                                : machine_below(r, room[0] + 1);
    nest.uops[u] = (struct tsr_uop){
        dst, machine_below(r, room[1] + 1), one_b ? room[2] : machine_below(r, room[2] + 1),
        overwrite == 1 ? u == 0 : overwrite == 2 || (overwrite && machine_below(r, 2))};
  }
  return nest;
}

static void product(const struct tsr_design *d, int32_t *acc, const int8_t *inp, const int8_t *wgt,
                    bool first)
{
  for (int r = 0; r < d->batch; r++)
    for (int c = 0; c < d->block_out; c++) {
      uint32_t sum = first ? 0 : (uint32_t)acc[r * d->block_out + c];
      for (int k = 0; k < d->block_in; k++)
        sum += (uint32_t)(inp[r * d->block_in + k] * wgt[c * d->block_in + k]);
      acc[r * d->block_out + c] = (int32_t)sum;
    }
}

static void naive(const struct machine *m, const struct nest *nest, int32_t *acc, const int8_t *inp,
                  const int8_t *wgt)
{
  const struct tsr_design *d = &m->design;
  const uint32_t *n = nest->insn.loop.n, *sd = nest->insn.loop.step_dst,
                 *sa = nest->insn.loop.step_a, *sb = nest->insn.loop.step_b;
  for (uint32_t i = 0; i < n[0]; i++)
    for (uint32_t j = 0; j < n[1]; j++)
      for (uint32_t k = 0; k < n[2]; k++)
        for (uint32_t u = 0; u < nest->insn.loop.uop_count; u++) {
          uint32_t f = nest->insn.loop.first;
          bool first = nest->uops[u].overwrite;
          if ((f & 1 && i) || (f & 2 && j) || (f & 4 && k))
            first = false;
          size_t dst = nest->uops[u].dst + i * sd[0] + j * sd[1] + k * sd[2];
          size_t a = nest->uops[u].a + i * sa[0] + j * sa[1] + k * sa[2];
          size_t b = nest->uops[u].b + i * sb[0] + j * sb[1] + k * sb[2];
          product(d, acc + dst * (size_t)(d->batch * d->block_out),
                  inp + a * (size_t)(d->batch * d->block_in),
                  wgt + b * (size_t)(d->block_in * d->block_out), first);
        }
}

static void fill(struct machine *m, int buffer, uint64_t *r)
{
  size_t bytes;
  uint8_t *pad = tsr_func_scratchpad(m->func, buffer, &bytes);
  for (size_t i = 0; i < bytes; i++)
    pad[i] = (uint8_t)machine_random(r);
}

static void check_nest(struct machine *m, const struct nest *nest, const int32_t *before,
                       uint64_t seed)
{
  size_t bytes;
  int32_t *acc = tsr_func_scratchpad(m->func, TSR_BUFFER_ACC, &bytes), *want = malloc(bytes);
  assert_non_null(want);
  memcpy(want, before, bytes);
  naive(m, nest, want, machine_i8(m, TSR_BUFFER_INP), machine_i8(m, TSR_BUFFER_WGT));
  for (uint32_t u = 0; u < nest->insn.loop.uop_count; u++)
    machine_uop(m, nest->insn.loop.uop_begin + u, nest->uops[u].dst, nest->uops[u].a,
                nest->uops[u].b, nest->uops[u].overwrite);
  for (enum tsr__path path = TSR__REFERENCE; path <= TSR__AVX512; path++) {
    if (tsr__func_limit(m->func, path) != path)
      continue;
    memcpy(acc, before, bytes);
    machine_add(m, &nest->insn);
    if (machine_run(m) != TSR_TRAP_NONE)
      fail_msg("%s, seed %llu: %s", m->design.name, (unsigned long long)seed, m->result.text);
    if (memcmp(acc, want, bytes))
      fail_msg("%s, path %d, seed %llu: sums differ", m->design.name, path,
               (unsigned long long)seed);
  }
  free(want);
}

static void check_point(const char *point, int nests)
{
  struct machine *m = machine_open(point);
  uint64_t r = SEED;
  size_t bytes;
  fill(m, TSR_BUFFER_INP, &r);
  fill(m, TSR_BUFFER_WGT, &r);
  fill(m, TSR_BUFFER_ACC, &r);
  int32_t *acc = tsr_func_scratchpad(m->func, TSR_BUFFER_ACC, &bytes), *before = malloc(bytes);
  assert_non_null(before);
  memcpy(before, acc, bytes);
  for (int i = 0; i < nests; i++) {
    uint64_t seed = r;
    struct nest nest = random_nest(m, &r);
    check_nest(m, &nest, before, seed);
  }
  free(before);
  machine_close(m);
}

static void random_nests(void **state)
{
  (void)state;
  print_message("seed %llu\n", (unsigned long long)SEED);
  for (int i = 0; i < 5; i++)
    check_point(MACHINE_POINTS[i], 120);
}

/* Block sizes that have no kernel of their own. */
static void odd_blocks(void **state)
{
  (void)state;
  static const int shapes[][2] = {{1, 2}, {16, 2}, {3, 64}, {1, 128}, {5, 16}, {2, 32}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    struct machine *m = machine_open("default");
    tsr_func_free(m->func);
    m->design.batch = shapes[i][0];
    m->design.block_in = m->design.block_out = shapes[i][1];
    m->func = tsr_func_new(NULL, &m->design);
    assert_non_null(m->func);
    uint64_t r = SEED + i;
    size_t bytes;
    fill(m, TSR_BUFFER_INP, &r);
    fill(m, TSR_BUFFER_WGT, &r);
    fill(m, TSR_BUFFER_ACC, &r);
    int32_t *acc = tsr_func_scratchpad(m->func, TSR_BUFFER_ACC, &bytes), *before = malloc(bytes);
    assert_non_null(before);
    memcpy(before, acc, bytes);
    for (int k = 0; k < 12; k++) {
      uint64_t seed = r;
      struct nest nest = random_nest(m, &r);
      check_nest(m, &nest, before, seed);
    }
    free(before);
    machine_close(m);
  }
}

/* More rows than a block holds, and more steps: 40 x 40 pixels, 200 steps each. */
static void large_nest(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  uint64_t r = SEED;
  size_t bytes;
  fill(m, TSR_BUFFER_INP, &r);
  fill(m, TSR_BUFFER_WGT, &r);
  int32_t *acc = tsr_func_scratchpad(m->func, TSR_BUFFER_ACC, &bytes), *before = calloc(1, bytes);
  assert_non_null(before);
  (void)acc;
  struct nest nest = {.insn = machine_loop(TSR_OP_GEMM)};
  memcpy(nest.insn.loop.n, (uint32_t[]){200, 40, 40}, sizeof nest.insn.loop.n);
  memcpy(nest.insn.loop.step_dst, (uint32_t[]){0, 40, 1}, sizeof nest.insn.loop.n);
  memcpy(nest.insn.loop.step_a, (uint32_t[]){1, 40, 1}, sizeof nest.insn.loop.n);
  nest.insn.loop.step_b[0] = 5;
  nest.insn.loop.first = 1;
  nest.uops[0].overwrite = true;
  check_nest(m, &nest, before, SEED);
  free(before);
  machine_close(m);
}

/* INP written by LOAD and by the vector engine, WGT by LOAD: the fast path's copies follow. */
static void copies_follow(void **state)
{
  (void)state;
  for (int i = 0; i < 5; i++) {
    struct machine *m = machine_open(MACHINE_POINTS[i]);
    const struct tsr_design *d = &m->design;
    int inp_entry = d->batch * d->block_in, wgt_entry = d->block_in * d->block_out;
    for (int k = 0; k < MACHINE_WINDOW; k++)
      m->window[k] = (uint8_t)(k * 37 + 11);
    machine_uop(m, 0, 5, 3, 0, false); /* mov: INP[5] <- INP[3], INP[7] <- INP[4] */
    machine_uop(m, 1, 0, 7, 2, true);  /* gemm */
    struct tsr_insn load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 0, 8);
    load.signal = 1 << TSR_ENGINE_VECTOR;
    machine_add(m, &load);
    load = machine_dma(TSR_OP_LOAD, TSR_BUFFER_WGT, 1, 512, 3);
    load.signal = 1 << TSR_ENGINE_MATRIX;
    machine_add(m, &load);
    struct tsr_insn mov = machine_loop(TSR_OP_MOV);
    mov.loop.n[2] = 2;
    mov.loop.step_dst[2] = 2;
    mov.loop.step_a[2] = 1;
    mov.loop.src = TSR_SRC_INP;
    mov.loop.dst = TSR_DST_INP;
    mov.wait = 1 << TSR_ENGINE_LOAD;
    mov.signal = 1 << TSR_ENGINE_MATRIX;
    machine_add(m, &mov);
    struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
    gemm.loop.uop_begin = 1;
    gemm.wait = 1 << TSR_ENGINE_LOAD | 1 << TSR_ENGINE_VECTOR;
    machine_add(m, &gemm);
    assert_int_equal(machine_run(m), TSR_TRAP_NONE);
    int32_t want[16 * 128];
    product(d, want, (const int8_t *)m->window + 4 * inp_entry,
            (const int8_t *)m->window + 512 + wgt_entry, true);
    assert_memory_equal(machine_acc(m), want, (size_t)(d->batch * d->block_out) * 4);
    assert_int_equal(tsr_func_counters(m->func)->macs, (uint64_t)(inp_entry * d->block_out));
    machine_close(m);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_nests),
      cmocka_unit_test(odd_blocks),
      cmocka_unit_test(large_nest),
      cmocka_unit_test(copies_follow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
