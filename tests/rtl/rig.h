/* SPDX-License-Identifier: Apache-2.0 */
/* A design point's RTL, the functional device and the event-driven model beside it, and what must
 * hold of a program on all of them. */
#ifndef TSR_TESTS_RTL_RIG_H
#define TSR_TESTS_RTL_RIG_H

#include "hw/sim/func/func.h"
#include "hw/sim/rtl/lockstep.h"
#include "tests/rtl/twin.h"

/* What a program came to. */
enum outcome {
  AS_EXPECTED,
  REFUSED,     /* the host library did not run it */
  HUNG,        /* the cycle limit struck */
  OTHER_BITS,  /* lockstep found a difference */
  OTHER_TRAP,  /* the functional device stops otherwise */
  OTHER_COUNT, /* a counter is wrong, or those of an engine don't sum to all cycles */
  OTHER_TWIN,  /* the event-driven model does not equal it */
  NOT_AGAIN    /* the second run, or one after a reset, was not like the first */
};

const char *outcome_text(enum outcome outcome);

struct rig {
  struct tsr_design design;
  struct tsr_func *func;
  struct tsr_lockstep *lockstep;
  struct tsr_rtl *rtl; /* NULL: not opened yet */
  struct twin twin;
  enum twin_compares compares;
  int left_out; /* programs whose time was not compared, since micro-ops race */
  struct tsr_dram_options dram;
  uint64_t timeout_cycles;
  uint8_t *window, *own; /* the RTL's; the functional device's */
  size_t window_bytes;
  struct tsr_run_result result;
  struct tsr_func_result expected;
  struct tsr_run_result probe; /* the probe's on a new machine of this memory; zero: not known */
  struct span *spans;          /* of the instructions of the latest run */
  size_t span_count;
  char text[1200]; /* why the outcome is not AS_EXPECTED */
};

/* False, and a sentence on stdout, where Verilator is not installed. */
bool rig_possible(void);

void rig_open(struct rig *rig, const char *point);
void rig_close(struct rig *rig);

/* Another memory for the machines to come. */
void rig_memory(struct rig *rig, const struct tsr_dram_options *dram);
/* A new machine with rig->dram behind it. */
void rig_machine(struct rig *rig, size_t window_bytes);
void rig_reset(struct rig *rig);
/* The machine as it is: the program's image into the window, the program, lockstep; then the twin,
 * in what rig->compares says. */
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
/* A program whose bits, maybe micro-ops among them, depend on time: it comes to an end or to a
 * trap, in the twin's time unless micro-ops do, and the machine is as new after a reset. */
enum outcome rig_check_raced(struct rig *rig, const struct tsr_program *program);

/* A program that comes to its end whatever its bits are, and in the twin's time. */
enum outcome rig_check_contended(struct rig *rig, const struct tsr_program *program);

/* Of two memories one may have few bursts in flight: reads, writes, or both. */
void rig_limits(struct tsr_dram_options *memory, uint64_t *random);
/* A memory of model ddr by seed: set, order, latency, the bus's clock, how often it refreshes, and
 * limits. */
struct tsr_dram_options rig_ddr(uint64_t seed);
/* Trouble of every kind in some measure by seed; one in eight with errors. */
struct tsr_dram_options rig_trouble(const struct tsr_design *design, uint64_t seed);

/* The cycle after an instruction's last less its first. */
uint64_t rig_cycles(const struct rig *rig, size_t insn);

#endif
