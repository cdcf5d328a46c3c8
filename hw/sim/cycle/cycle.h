/* SPDX-License-Identifier: Apache-2.0 */
/* The machine of hw/rtl without its cycles: the same cycle counts, counters and times of every
 * instruction as the Verilog, computed from one thing that happens to the next.
 *
 * An instruction's time is a closed form of its fields, and of its micro-ops where these decide;
 * between instructions only queues, tokens, locks and bursts matter. So the work grows with
 * instructions and bursts, and a GEMM of 10,000 cycles costs what one of ten costs. Time depends on
 * no data but micro-ops: a model without the arithmetic (timing_only) tells the same times.
 *
 * Exact for every program in which no LOAD races a reader of the micro-ops that it brings. */
#ifndef TSR_HW_SIM_CYCLE_CYCLE_H
#define TSR_HW_SIM_CYCLE_CYCLE_H

#include "configs/design.h"
#include "hw/sim/dram/bursts.h"
#include "hw/sim/dram/dram.h"
#include "hw/sim/run.h"

struct tsr_cycle;

/* An instruction that has given its tokens. All are cycles of the run. */
struct tsr_cycle_insn {
  size_t insn;
  int engine;
  uint64_t queued;  /* the first in which it is in its engine's queue */
  uint64_t start;   /* takes its tokens */
  uint64_t granted; /* gets its locks; its start where it needs none */
  uint64_t end;     /* has done all */
  uint64_t retired; /* gives its tokens */
};

/* Cycles in which an engine (TSR_ENGINE_FETCH too) was in one state, both included. */
struct tsr_cycle_span {
  int engine;
  enum tsr_state state; /* and the rest as in struct tsr_stand */
  size_t insn;
  uint32_t others;
  uint64_t first, last;
};

/* A burst: its address was accepted, its first and its last beat moved. */
struct tsr_cycle_burst {
  bool write;
  int id; /* of a read: 0 fetch, 1 load */
  uint64_t addr;
  int beats;
  uint64_t accepted, first, last;
};

struct tsr_cycle_options {
  struct tsr_dram_options dram;      /* the memory, */
  const struct tsr_burst_port *port; /* or, where not NULL, another one; read in every call */
  bool timing_only;                  /* no arithmetic: of the window only micro-ops are read */
  uint64_t timeout_cycles;           /* of a run; 0: none */
  /* Each may be NULL, and none may call a function of this file. event comes in the order of
   * cycles; insn when an instruction has retired, spans of an engine when they are over, and bursts
   * in the order of their ends; tokens after the cycle in which a counter has changed. */
  void (*progress)(void *context, uint64_t cycle, size_t insn, size_t insn_count);
  void (*event)(void *context, const struct tsr_run_event *event);
  void (*insn)(void *context, const struct tsr_cycle_insn *insn);
  void (*span)(void *context, const struct tsr_cycle_span *span);
  void (*burst)(void *context, const struct tsr_cycle_burst *burst);
  void (*tokens)(void *context, uint64_t cycle, int from, int to, int count);
  void *context;
};

/* The design point's memory; data and time. */
struct tsr_cycle_options tsr_cycle_defaults(const struct tsr_design *design);

/* A machine as new. window, window_bytes of DRAM at bus address 0, stays the caller's and outlives
 * it. Refuses what tsr_dram_check() refuses. */
enum tsr_status tsr_cycle_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                               const struct tsr_design *design,
                               const struct tsr_cycle_options *options, uint8_t *window,
                               size_t window_bytes, struct tsr_cycle **out);
void tsr_cycle_close(struct tsr_cycle *cycle); /* NULL is allowed */
void tsr_cycle_reset(struct tsr_cycle *cycle);

/* Runs a program to its end, a trap or the timeout: result tells. */
void tsr_cycle_run(struct tsr_cycle *cycle, const uint8_t *insns, size_t insn_count,
                   struct tsr_run_result *result);

/* The same in steps, for one who has a clock of his own. insns stay valid until the end.
 * advance() does all that happens up to and in `cycle`, and returns the next cycle in which
 * something may: TSR_CYCLE_NEVER where only news of the port can go on (then call it again, when
 * there is), or where the run has ended. */
#define TSR_CYCLE_NEVER UINT64_MAX
void tsr_cycle_start(struct tsr_cycle *cycle, const uint8_t *insns, size_t insn_count);
uint64_t tsr_cycle_advance(struct tsr_cycle *cycle, uint64_t to);
/* The port has something new to tell, from this cycle on. */
void tsr_cycle_notify(struct tsr_cycle *cycle, uint64_t at);
bool tsr_cycle_ended(const struct tsr_cycle *cycle);
void tsr_cycle_result(struct tsr_cycle *cycle, struct tsr_run_result *result);

/* For one that is part of a larger machine. Between runs: where the program and the window lie from
 * the next run on. `program` is the bus address of the program, a multiple of 128, which bursts of
 * ID 0 count from; those of ID 1, and writes, count from the window. Without a call: TSR_PROGRAM_BASE,
 * and the window of tsr_cycle_open(). */
void tsr_cycle_place(struct tsr_cycle *cycle, uint64_t program, uint8_t *window,
                     size_t window_bytes);
/* What an engine (TSR_ENGINE_FETCH too) was at in the last cycle in which something happened to
 * it. */
struct tsr_stand tsr_cycle_engine(const struct tsr_cycle *cycle, int engine);

/* Things that happened, of any engine, in the latest run: what its time grows with. */
uint64_t tsr_cycle_events(const struct tsr_cycle *cycle);

/* One entry of a scratchpad as tsr_func_scratchpad() lays it out (ACC: int32); timing-only: of UOP
 * alone. */
void tsr_cycle_peek(struct tsr_cycle *cycle, int buffer, uint32_t entry, void *out);

#endif
