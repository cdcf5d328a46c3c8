/* SPDX-License-Identifier: Apache-2.0 */
/* The host's registers, isa/registers.def, as hw/rtl/registers.v answers: no bus, no time. */
#ifndef TSR_HW_SIM_SYSTEMC_REGISTERS_H
#define TSR_HW_SIM_SYSTEMC_REGISTERS_H

#include "isa/isa.h"

enum { TSR_REGISTER_SPAN = 4096, TSR_REGISTER_WORDS = TSR_REG_COUNTERS / 4 };

/* What a host has written, by offset / 4. A new machine, and a reset one, has 0 everywhere. */
struct tsr_registers {
  uint64_t hash; /* of the machine's design point */
  uint32_t words[TSR_REGISTER_WORDS];
};

/* What the machine is at. */
struct tsr_register_view {
  bool running, clearing, ended;
  int trap, trap_engine;
  uint32_t trap_insn;
  struct {
    int state;        /* enum tsr_state */
    uint32_t missing; /* a bit an engine */
    uint32_t insn;
  } engines[TSR_ENGINE_COUNT + 1];
  uint64_t counters[TSR_COUNTER_COUNT];
};

enum tsr_register_answer {
  TSR_REGISTER_OKAY,
  TSR_REGISTER_NONE,   /* the offset has no register */
  TSR_REGISTER_REFUSED /* not to be written, not so, or not now */
};

/* What the machine is to do behind a write. */
enum tsr_register_act { TSR_REGISTER_NOTHING, TSR_REGISTER_START, TSR_REGISTER_RESET };

/* A write that is refused changes nothing, and *act is NOTHING. ready: no program runs and nothing
 * is being cleared. */
enum tsr_register_answer tsr_register_write(struct tsr_registers *registers, bool ready,
                                            uint32_t offset, uint32_t value,
                                            enum tsr_register_act *act);
/* *value is 0 where there is no register. */
enum tsr_register_answer tsr_register_read(const struct tsr_registers *registers,
                                           const struct tsr_register_view *view, uint32_t offset,
                                           uint32_t *value);

/* A pair of words, the high one behind the low one. */
uint64_t tsr_register_pair(const struct tsr_registers *registers, enum tsr_register low);
/* The program is for another design point. */
bool tsr_register_design_wrong(const struct tsr_registers *registers);

#endif
