/* SPDX-License-Identifier: Apache-2.0 */
/* Why a program stopped, in a sentence: what the checker says of the instruction, what the memory
 * answered, or what each engine is at. The same words whichever model ran it. */
#ifndef TSR_HW_SIM_EXPLAIN_H
#define TSR_HW_SIM_EXPLAIN_H

#include "configs/design.h"
#include "hw/sim/dram/dram.h"
#include "hw/sim/run.h"

struct tsr_explain {
  const struct tsr_design *design;
  const uint8_t *insns;
  size_t insn_count;
  uint64_t window_bytes;
  struct tsr_run_result *result; /* its trap is there, its text is written */
};

/* A trap of a word, of an instruction or of the bus. uops: the micro-op scratchpad as it stands;
 * error: what the memory answered first, or NULL. */
void tsr_explain_trap(const struct tsr_explain *x, const uint8_t *uops,
                      const struct tsr_dram_error *error);
/* A deadlock, or a run that was given up after so many cycles; fetch behind the engines. */
void tsr_explain_stands(const struct tsr_explain *x, uint64_t cycles,
                        const struct tsr_stand stands[static TSR_ENGINE_COUNT + 1]);
/* Adds to the text. */
void tsr_explain_add(const struct tsr_explain *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
