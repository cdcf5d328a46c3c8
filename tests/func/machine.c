/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

const char *const MACHINE_POINTS[5] = {"default", "tiny", "ecp5", "wide", "batch2"};

struct machine *machine_open(const char *point)
{
  struct tsr_err err = {0};
  struct machine *m = calloc(1, sizeof *m);
  assert_non_null(m);
  if (tsr_design_parse(&err, point, tsr_design_json(point), &m->design))
    fail_msg("%s", err.text);
  m->func = tsr_func_new(NULL, &m->design);
  assert_non_null(m->func);
  return m;
}

void machine_close(struct machine *m)
{
  tsr_func_free(m->func);
  free(m);
}

void machine_add(struct machine *m, const struct tsr_insn *insn)
{
  struct tsr_err err = {0};
  assert_true(m->count < MACHINE_INSNS);
  if (tsr_insn_encode(&err, insn, m->words + m->count * TSR_INSN_BYTES))
    fail_msg("%s", err.text);
  m->count++;
}

enum tsr_trap machine_run_as_is(struct machine *m)
{
  size_t count = m->count;
  m->count = 0;
  return tsr_func_run(m->func, m->words, count, m->window, MACHINE_WINDOW, &m->result);
}

enum tsr_trap machine_run(struct machine *m)
{
  machine_add(m, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
  return machine_run_as_is(m);
}

static void *pad(struct machine *m, int buffer)
{
  size_t bytes;
  return tsr_func_scratchpad(m->func, buffer, &bytes);
}

void machine_uop(struct machine *m, uint32_t at, uint32_t dst, uint32_t a, uint32_t b,
                 bool overwrite)
{
  struct tsr_err err = {0};
  struct tsr_uop uop = {dst, a, b, overwrite};
  uint8_t *uops = pad(m, TSR_BUFFER_UOP);
  if (tsr_uop_encode(&err, &uop, uops + at * TSR_UOP_BYTES))
    fail_msg("%s", err.text);
}

int8_t *machine_i8(struct machine *m, int buffer)
{
  return pad(m, buffer);
}

int32_t *machine_acc(struct machine *m)
{
  return pad(m, TSR_BUFFER_ACC);
}

int machine_depth(const struct machine *m, int buffer)
{
  return tsr_design_depth(&m->design, buffer);
}

struct tsr_insn machine_loop(int opcode)
{
  return (struct tsr_insn){.opcode = opcode, .loop = {.banks = 3, .uop_count = 1, .n = {1, 1, 1}}};
}

struct tsr_insn machine_dma(int opcode, int buffer, uint32_t sram, uint64_t dram, uint32_t nx)
{
  return (struct tsr_insn){
      .opcode = opcode,
      .dma = {.buffer = buffer, .sram = sram, .dram = dram, .nx = nx, .ny = 1, .nz = 1}};
}

uint32_t machine_random(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 16);
}

uint32_t machine_below(uint64_t *state, uint32_t limit)
{
  return machine_random(state) % limit;
}
