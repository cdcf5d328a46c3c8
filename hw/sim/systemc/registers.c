/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/systemc/registers.h"

#include <string.h>

enum { MACHINE_ID = 0x41525354, MAP_VERSION = 1 };
enum { CONTROL_START = 1, CONTROL_RESET = 2 };
enum { STATUS_RUNNING = 1, STATUS_CLEARING = 2, STATUS_ENDED = 4 };
enum { COUNTERS_END = TSR_REG_COUNTERS + 8 * TSR_COUNTER_COUNT };

static const struct {
  bool there;
  uint32_t writable;
} map[TSR_REGISTER_WORDS] = {
#define TSR_REGISTER(offset, name, writable, meaning) [(offset) / 4] = {true, writable},
#include "isa/registers.def"
#undef TSR_REGISTER
};

static bool is_counter(uint32_t offset)
{
  return offset >= TSR_REG_COUNTERS && offset < COUNTERS_END;
}

static bool is_register(uint32_t offset)
{
  return offset % 4 == 0 &&
         (is_counter(offset) || (offset < TSR_REG_COUNTERS && map[offset / 4].there));
}

/* --- writes ----------------------------------------------------------------------------------- */

enum tsr_register_answer tsr_register_write(struct tsr_registers *registers, bool ready,
                                            uint32_t offset, uint32_t value,
                                            enum tsr_register_act *act)
{
  *act = TSR_REGISTER_NOTHING;
  if (!is_register(offset))
    return TSR_REGISTER_NONE;
  uint32_t writable = is_counter(offset) ? 0 : map[offset / 4].writable;
  bool control = offset == TSR_REG_CONTROL, resets = control && (value & CONTROL_RESET);
  if (!writable || (value & ~writable) || !(ready || resets))
    return TSR_REGISTER_REFUSED;
  if (resets) {
    memset(registers->words, 0, sizeof registers->words);
    *act = TSR_REGISTER_RESET;
  } else if (control) {
    *act = value == CONTROL_START ? TSR_REGISTER_START : TSR_REGISTER_NOTHING;
  } else {
    registers->words[offset / 4] = value;
  }
  return TSR_REGISTER_OKAY;
}

/* --- reads ------------------------------------------------------------------------------------ */

static uint32_t status(const struct tsr_register_view *v)
{
  return (v->running ? STATUS_RUNNING : 0u) | (v->clearing ? STATUS_CLEARING : 0u) |
         (v->ended ? STATUS_ENDED : 0u);
}

static uint32_t counter(const struct tsr_register_view *v, uint32_t offset)
{
  uint64_t value = v->counters[(offset - TSR_REG_COUNTERS) / 8];
  return (uint32_t)(offset & 4 ? value >> 32 : value);
}

static uint32_t state(const struct tsr_register_view *v, int engine)
{
  return (uint32_t)v->engines[engine].state | v->engines[engine].missing << 8;
}

static uint32_t read_word(const struct tsr_registers *r, const struct tsr_register_view *v,
                          uint32_t offset)
{
  switch (offset) {
  case TSR_REG_ID: return MACHINE_ID;
  case TSR_REG_VERSION: return MAP_VERSION;
  case TSR_REG_HASH_LO: return (uint32_t)r->hash;
  case TSR_REG_HASH_HI: return (uint32_t)(r->hash >> 32);
  case TSR_REG_STATUS: return status(v);
  case TSR_REG_TRAP: return (uint32_t)v->trap | (uint32_t)v->trap_engine << 8;
  case TSR_REG_TRAP_INSN: return v->trap_insn;
  case TSR_REG_STATE_LOAD: return state(v, TSR_ENGINE_LOAD);
  case TSR_REG_STATE_MATRIX: return state(v, TSR_ENGINE_MATRIX);
  case TSR_REG_STATE_VECTOR: return state(v, TSR_ENGINE_VECTOR);
  case TSR_REG_STATE_STORE: return state(v, TSR_ENGINE_STORE);
  case TSR_REG_STATE_FETCH: return state(v, TSR_ENGINE_FETCH);
  case TSR_REG_INSN_LOAD: return v->engines[TSR_ENGINE_LOAD].insn;
  case TSR_REG_INSN_MATRIX: return v->engines[TSR_ENGINE_MATRIX].insn;
  case TSR_REG_INSN_VECTOR: return v->engines[TSR_ENGINE_VECTOR].insn;
  case TSR_REG_INSN_STORE: return v->engines[TSR_ENGINE_STORE].insn;
  case TSR_REG_INSN_FETCH: return v->engines[TSR_ENGINE_FETCH].insn;
  default: return r->words[offset / 4]; /* CONTROL is never kept */
  }
}

enum tsr_register_answer tsr_register_read(const struct tsr_registers *registers,
                                           const struct tsr_register_view *view, uint32_t offset,
                                           uint32_t *value)
{
  *value = 0;
  if (!is_register(offset))
    return TSR_REGISTER_NONE;
  *value = is_counter(offset) ? counter(view, offset) : read_word(registers, view, offset);
  return TSR_REGISTER_OKAY;
}

/* --- meanings --------------------------------------------------------------------------------- */

uint64_t tsr_register_pair(const struct tsr_registers *registers, enum tsr_register low)
{
  return (uint64_t)registers->words[low / 4 + 1] << 32 | registers->words[low / 4];
}

bool tsr_register_design_wrong(const struct tsr_registers *registers)
{
  uint64_t design = tsr_register_pair(registers, TSR_REG_DESIGN_LO);
  return design && design != registers->hash;
}
