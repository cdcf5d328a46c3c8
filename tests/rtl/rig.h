/* SPDX-License-Identifier: Apache-2.0 */
/* A design point's RTL, the functional device beside it, and what must hold of a program on
 * both. */
#ifndef TSR_TESTS_RTL_RIG_H
#define TSR_TESTS_RTL_RIG_H

#include "hw/sim/func/func.h"
#include "hw/sim/rtl/lockstep.h"

/* What a program came to. */
enum outcome {
  AS_EXPECTED,
  REFUSED,     /* the host library did not run it */
  HUNG,        /* the cycle limit struck */
  OTHER_BITS,  /* lockstep found a difference */
  OTHER_TRAP,  /* the functional device stops otherwise */
  OTHER_COUNT, /* a counter is wrong, or those of an engine don't sum to all cycles */
  NOT_AGAIN    /* the second run, or one after a reset, was not like the first */
};

const char *outcome_text(enum outcome outcome);

/* When each instruction was at work, in cycles; 0 where it was not. */
struct span {
  uint64_t start, end;
};

struct rig {
  struct tsr_design design;
  struct tsr_func *func;
  struct tsr_lockstep *lockstep;
  struct tsr_rtl *rtl; /* NULL: not opened yet */
  struct tsr_dram_options dram;
  uint64_t timeout_cycles;
  uint8_t *window, *own; /* the RTL's; the functional device's */
  size_t window_bytes;
  struct tsr_run_result result;
  struct tsr_func_result expected;
  struct tsr_run_result probe; /* the probe's on a new, quiet machine; zero: not known yet */
  struct span *spans;          /* of the instructions of the latest run */
  size_t span_count;
  char text[1200]; /* why the outcome is not AS_EXPECTED */
};

/* False, and a sentence on stdout, where Verilator is not installed. */
bool rig_possible(void);

void rig_open(struct rig *rig, const char *point);
void rig_close(struct rig *rig);

/* A new machine with rig->dram behind it. */
void rig_machine(struct rig *rig, size_t window_bytes);
/* The machine as it is: the program's image into the window, the program, lockstep. */
enum outcome rig_run(struct rig *rig, const struct tsr_program *program);
/* The functional device from reset; fills rig->expected, and its window. */
void rig_expect(struct rig *rig, const struct tsr_program *program);
/* Trap, instruction and engine of the latest run against those of the functional device. */
enum outcome rig_same_trap(struct rig *rig);
/* The counters of the RTL against those of the functional device, and their sums. */
enum outcome rig_counts(struct rig *rig);

/* On a new machine, as on the functional device. A program that comes to its end does so once
 * more, with the same bits and counters. After a trap and a reset a probe runs as on a new
 * machine. */
enum outcome rig_check(struct rig *rig, const struct tsr_program *program);
/* The same on the machine that there is; after a trap it is reset before. */
enum outcome rig_check_here(struct rig *rig, const struct tsr_program *program);
/* After a reset a probe runs as on a new machine. */
enum outcome rig_check_new(struct rig *rig);
/* Under trouble: the same bits, or trap `bus` of who may have met an error, where there are
 * errors. After a trap and a reset a probe has its bits. */
enum outcome rig_check_troubled(struct rig *rig, const struct tsr_program *program,
                                const struct tsr_dram_options *trouble);
/* A program whose bits, micro-ops among them, depend on time: it comes to an end or to a trap, and
 * the machine is as new after a reset. */
enum outcome rig_check_raced(struct rig *rig, const struct tsr_program *program);

/* Trouble of every kind in some measure by seed; one in eight with errors. */
struct tsr_dram_options rig_trouble(const struct tsr_design *design, uint64_t seed);

/* The cycle after an instruction's last less its first. */
uint64_t rig_cycles(const struct rig *rig, size_t insn);

#endif
