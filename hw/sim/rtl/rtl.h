/* SPDX-License-Identifier: Apache-2.0 */
/* The RTL of a design point as a machine that runs programs: a Verilator model behind hw/sim/dram.
 *
 * The model is built on first use and kept in a folder of the user's, by the hash of the
 * design point, the Verilog and the tools; opening it again takes milliseconds. Nothing but
 * the shared object that is built knows C++. Time is counted in cycles of the machine's clock;
 * in a run, cycle 1 is the first in which the program runs, and the last is the one that the
 * counter CYCLES tells. */
#ifndef TSR_HW_SIM_RTL_RTL_H
#define TSR_HW_SIM_RTL_RTL_H

#include "configs/design.h"
#include "hw/sim/dram/dram.h"
#include "hw/sim/run.h"

struct tsr_rtl;

/* Which cycles go into a waveform file (FST). */
struct tsr_rtl_wave {
  const char *path;                 /* NULL: no waveform */
  uint64_t first_cycle, last_cycle; /* of each run, both included */
  /* Where insn_count > 0: while an instruction of these is at work, instead. */
  size_t first_insn, insn_count;
};

struct tsr_rtl_options {
  struct tsr_dram_options dram;
  struct tsr_rtl_wave wave;
  uint64_t timeout_cycles; /* of a run; 0: none */
  const char *cache; /* of built models; NULL: $XDG_CACHE_HOME/tessera, else ~/.cache/tessera */
  /* say is called with a line about the build of a model ("building the RTL of default; ...");
   * progress while a program runs, every few ten thousand cycles, with the cycle and the last
   * instruction that has started. Each may be NULL. None of them may call a function of this file,
   * but that event may peek. */
  void (*say)(void *context, const char *line);
  void (*progress)(void *context, uint64_t cycle, size_t insn, size_t insn_count);
  void (*event)(void *context, const struct tsr_run_event *event);
  void *context;
};

/* The defaults: the design point's memory, no waveform, no timeout. */
struct tsr_rtl_options tsr_rtl_defaults(const struct tsr_design *design);

/* Builds the model if need be, and resets it. window stays the caller's, window_bytes of DRAM at
 * bus address 0; it outlives the machine. */
enum tsr_status tsr_rtl_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                             const struct tsr_design *design, const struct tsr_rtl_options *options,
                             uint8_t *window, size_t window_bytes, struct tsr_rtl **out);
void tsr_rtl_close(struct tsr_rtl *rtl); /* NULL is allowed */

/* Writes the registers, starts, and waits for the end. insns lie in DRAM of their own. TSR_OK also
 * after a trap or a timeout: result tells. Refused for what the host got wrong, and for RTL that
 * breaks a rule of its ports. The memory's time, and its seed's sequence, start again with each
 * run. DESIGN_LO and DESIGN_HI are left as they are. */
enum tsr_status tsr_rtl_run(struct tsr_rtl *rtl, struct tsr_err *err, const uint8_t *insns,
                            size_t insn_count, struct tsr_run_result *result);
/* By the control register, until the scratchpads are clear. After a timeout: by the reset pin. */
void tsr_rtl_reset(struct tsr_rtl *rtl);

/* From the next run on. The path stays that of the options. */
void tsr_rtl_set_wave(struct tsr_rtl *rtl, const struct tsr_rtl_wave *wave);
/* Cycles that have gone into the waveform. */
uint64_t tsr_rtl_wave_cycles(const struct tsr_rtl *rtl);

/* Registers over AXI4-Lite, as a host sees them: false where the answer was an error response. */
bool tsr_rtl_read_register(struct tsr_rtl *rtl, uint32_t offset, uint32_t *value);
bool tsr_rtl_write_register(struct tsr_rtl *rtl, uint32_t offset, uint32_t value);

/* One entry of a scratchpad as tsr_func_scratchpad() lays it out (ACC: int32). */
void tsr_rtl_peek(struct tsr_rtl *rtl, int buffer, uint32_t entry, void *out);

#endif
