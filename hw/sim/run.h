/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of a program on the machine comes to, whichever model runs it. Cycle 1 of a run is the
 * first in which the program runs; the last is the one that the counter CYCLES tells. */
#ifndef TSR_HW_SIM_RUN_H
#define TSR_HW_SIM_RUN_H

#include "isa/isa.h"

/* Where programs lie on the bus; the DMA window lies at 0. */
#define TSR_PROGRAM_BASE (UINT64_C(1) << 39)

struct tsr_run_result {
  enum tsr_trap trap;
  size_t insn; /* that trapped, else FINISH */
  int engine;
  bool timed_out; /* the cycle limit struck: no trap, and the model has to be reset */
  uint64_t counters[TSR_COUNTER_COUNT]; /* by enum tsr_counter */
  char text[768]; /* the trap, or what every engine waits for, in a sentence; empty without one */
};

/* What an engine is at. */
struct tsr_stand {
  enum tsr_state state;
  size_t insn;     /* that it is about; of IDLE: the next one */
  uint32_t others; /* a bit an engine: whose token, queue, counter or lock it waits for */
};

/* An instruction has started or ended, in this cycle of the run. When it is told that one has
 * ended, all that it wrote is in place. */
struct tsr_run_event {
  uint64_t cycle;
  size_t insn;
  int engine;
  bool ended; /* else started */
};

#endif
