/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const int random_opcodes[] = {
#define TSR_INSN(opcode, name, text, engine, format, meaning) opcode,
#include "isa/insns.def"
#undef TSR_INSN
};
const int random_opcode_count = sizeof random_opcodes / sizeof random_opcodes[0];

uint64_t random_seed(void)
{
  const char *given = getenv("TSR_SEED");
  uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
  printf("seed: TSR_SEED=%llu\n", (unsigned long long)seed);
  return seed;
}

/* splitmix64 */
uint64_t random_next(uint64_t *state)
{
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

uint32_t random_below(uint64_t *state, uint32_t n)
{
  return (uint32_t)(random_next(state) % n);
}

/* From smallest to largest, an end in half of the cases. */
static uint32_t between(uint64_t *state, uint32_t smallest, uint32_t largest)
{
  switch (random_below(state, 4)) {
  case 0: return smallest;
  case 1: return largest;
  default: return smallest + (uint32_t)(random_next(state) % ((uint64_t)largest - smallest + 1));
  }
}

static void random_dma(uint64_t *state, struct tsr_insn *insn)
{
  static const int loads[] = {TSR_BUFFER_UOP, TSR_BUFFER_INP, TSR_BUFFER_WGT,
                              TSR_BUFFER_ACC, TSR_BUFFER_ACC8, TSR_BUFFER_LUT};
  bool load = insn->opcode == TSR_OP_LOAD;
  insn->dma.buffer = load ? loads[random_below(state, 6)]
                     : random_below(state, 2) ? TSR_BUFFER_ACC : TSR_BUFFER_OUT;
  insn->dma.sram = between(state, 0, UINT16_MAX);
  insn->dma.dram = between(state, 0, UINT32_MAX);
  insn->dma.nx = between(state, 1, UINT16_MAX);
  insn->dma.ny = between(state, 1, UINT16_MAX);
  insn->dma.nz = between(state, 1, UINT16_MAX);
  insn->dma.sy = between(state, 0, UINT32_MAX);
  insn->dma.sz = between(state, 0, UINT32_MAX);
  if (!load)
    return;
  if (insn->dma.buffer == TSR_BUFFER_ACC)
    insn->dma.pad = (int32_t)between(state, 0, UINT16_MAX) + INT16_MIN;
  else if (insn->dma.buffer != TSR_BUFFER_UOP)
    insn->dma.pad = (int32_t)between(state, 0, UINT8_MAX) + INT8_MIN;
  insn->dma.xl = between(state, 0, UINT8_MAX);
  insn->dma.xr = between(state, 0, UINT8_MAX);
  insn->dma.yl = between(state, 0, UINT8_MAX);
  insn->dma.yr = between(state, 0, UINT8_MAX);
}

static void random_loop(uint64_t *state, struct tsr_insn *insn)
{
  if (tsr_opcode_takes_first(insn->opcode))
    insn->loop.first = between(state, 0, 7);
  insn->loop.banks = between(state, 0, 3);
  if (insn->opcode != TSR_OP_GEMM && insn->opcode != TSR_OP_MAC)
    insn->loop.dst = (int)between(state, 0, 2);
  if (insn->opcode != TSR_OP_GEMM)
    insn->loop.src = (int)between(state, 0, 1);
  insn->loop.uop_begin = between(state, 0, UINT16_MAX);
  insn->loop.uop_count = between(state, 1, UINT16_MAX);
  for (int k = 0; k < 3; k++) {
    insn->loop.n[k] = between(state, 1, UINT16_MAX);
    insn->loop.step_dst[k] = between(state, 0, UINT16_MAX);
    insn->loop.step_a[k] = between(state, 0, UINT16_MAX);
    insn->loop.step_b[k] = between(state, 0, UINT16_MAX);
  }
}

struct tsr_insn random_insn(uint64_t *state)
{
  struct tsr_insn insn;
  memset(&insn, 0, sizeof insn); /* padding too: tests compare bytes */
  insn.opcode = random_opcodes[random_below(state, (uint32_t)random_opcode_count)];
  if (insn.opcode == TSR_OP_FINISH)
    return insn;
  if (insn.opcode == TSR_OP_SYNC)
    insn.engine = (int)random_below(state, TSR_ENGINE_COUNT);
  uint32_t others = 15u & ~(1u << tsr_insn_engine(&insn));
  insn.wait = random_below(state, 16) & others;
  insn.signal = random_below(state, 16) & others;
  if (tsr_opcode_format(insn.opcode) == TSR_FORMAT_DMA)
    random_dma(state, &insn);
  if (tsr_opcode_format(insn.opcode) == TSR_FORMAT_LOOP)
    random_loop(state, &insn);
  return insn;
}

static void random_data(uint64_t *state, struct tsr_program *program)
{
  for (size_t i = 0; i < program->data_bytes;) {
    size_t run = 1 + random_below(state, 60);
    bool zero = random_below(state, 2);
    for (; run && i < program->data_bytes; run--, i++)
      program->data[i] = zero ? 0 : (uint8_t)random_next(state);
  }
}

/* A LOAD of micro-ops from somewhere in the data, most of which then are micro-ops. */
static struct tsr_insn uop_load(uint64_t *state, struct tsr_program *program)
{
  struct tsr_insn insn;
  memset(&insn, 0, sizeof insn);
  insn.opcode = TSR_OP_LOAD;
  insn.dma.buffer = TSR_BUFFER_UOP;
  insn.dma.dram = random_below(state, (uint32_t)program->data_bytes + 1);
  insn.dma.nx = 1 + random_below(state, 6);
  insn.dma.ny = insn.dma.nz = 1;
  for (uint32_t i = 0; i < insn.dma.nx; i++) {
    struct tsr_uop uop = {random_below(state, 99), random_below(state, 65536), 7,
                          random_below(state, 2)};
    size_t at = insn.dma.dram + i * (size_t)TSR_UOP_BYTES;
    if (at + TSR_UOP_BYTES <= program->data_bytes && random_below(state, 5))
      tsr_uop_encode(NULL, &uop, program->data + at);
  }
  return insn;
}

struct tsr_program random_program(struct tsr_arena *arena, uint64_t *state)
{
  struct tsr_program p = {.insn_count = random_below(state, 30), .data_bytes = random_below(state, 400)};
  p.insns = TSR_NEW_ARRAY(arena, uint8_t, p.insn_count * TSR_INSN_BYTES);
  p.data = TSR_NEW_ARRAY(arena, uint8_t, p.data_bytes);
  p.window_bytes = p.data_bytes + (random_below(state, 2) ? random_below(state, 5000) : 0);
  p.design_hash = random_below(state, 2) ? random_next(state) : 0;
  random_data(state, &p);
  for (size_t i = 0; i < p.insn_count; i++) {
    uint8_t *word = p.insns + i * TSR_INSN_BYTES;
    struct tsr_insn insn = random_below(state, 4) ? random_insn(state) : uop_load(state, &p);
    tsr_insn_encode(NULL, &insn, word);
    if (random_below(state, 4) == 0)
      word[random_below(state, TSR_INSN_BYTES)] ^= (uint8_t)random_next(state);
  }
  return p;
}
