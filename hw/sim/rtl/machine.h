/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share of a machine. */
#ifndef TSR_HW_SIM_RTL_MACHINE_H
#define TSR_HW_SIM_RTL_MACHINE_H

#include "hw/sim/rtl/model.h"
#include "hw/sim/rtl/rtl.h"

struct tsr_rtl {
  struct tsr_arena *arena; /* owns this struct */
  struct tsr_design design;
  struct tsr_rtl_options options;
  char *wave_path;
  size_t window_bytes;
  struct tsr__rtl_model code;
  void *model;
  struct tsr_dram *dram;
  struct tsr__rtl_pins pins;
  uint8_t *uops;        /* room for all of UOP */
  uint64_t waved;       /* cycles in the waveform */
  uint64_t wave_origin; /* cycle 0 of this run, in its time */
  bool stuck;           /* a run was left before its end */
};

static inline void tsr__rtl_step(struct tsr_rtl *rtl)
{
  tsr_dram_cycle(rtl->dram, &rtl->pins.bus, &rtl->pins.memory);
  rtl->code.cycle(rtl->model, &rtl->pins);
}

/* tsr_rtl_open() with the model in the file `library`; NULL: with the one of the cache. */
enum tsr_status tsr__rtl_open_library(const struct tsr_allocator *allocator, struct tsr_err *err,
                                      const struct tsr_design *design,
                                      const struct tsr_rtl_options *options, const char *library,
                                      uint8_t *window, size_t window_bytes, struct tsr_rtl **out);

/* explain.c: fills result->text for a trap, or for a run that has come to its limit after `cycles`.
 * For a deadlock or a timeout it reads what the engines are at from the registers. */
void tsr__rtl_explain(struct tsr_rtl *rtl, const uint8_t *insns, size_t insn_count,
                      uint64_t cycles, struct tsr_run_result *result);

#endif
