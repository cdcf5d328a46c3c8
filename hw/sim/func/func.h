/* SPDX-License-Identifier: Apache-2.0 */
/* The functional device: what a program computes, at any design point, as fast as the host allows.
 *
 * Memory is one byte array, the DMA window; instruction and micro-op addresses are offsets into it.
 * The four engines take instructions from their queues in an order that the tokens allow (program
 * order where it is allowed); when all of them wait the run ends with TSR_TRAP_DEADLOCK. */
#ifndef TSR_HW_SIM_FUNC_H
#define TSR_HW_SIM_FUNC_H

#include "configs/design.h"
#include "isa/isa.h"

struct tsr_func;

/* What happened to a run. */
struct tsr_func_result {
  enum tsr_trap trap;
  size_t insn;    /* index of the instruction that trapped (any), else of FINISH */
  int engine;     /* that trapped */
  char text[512]; /* the trap in a sentence: index, limit, loop point; empty without a trap */
};

/* Counted since reset; exact. */
struct tsr_func_counters {
  uint64_t insns[TSR_ENGINE_COUNT]; /* retired */
  uint64_t dram_read_bytes;         /* by LOAD, instruction fetch not included */
  uint64_t dram_write_bytes;
  uint64_t macs;       /* int8 multiply-accumulates of GEMM: tiles * batch*block_in*block_out */
  uint64_t vector_ops; /* loop points of vector instructions */
};

/* NULL: out of memory. The scratchpads start at zero. */
struct tsr_func *tsr_func_new(const struct tsr_allocator *allocator,
                              const struct tsr_design *design);
void tsr_func_free(struct tsr_func *func);
void tsr_func_reset(struct tsr_func *func); /* scratchpads, counters, tokens as new */

/* Runs insn_count instructions at `insns` against the window. Returns result->trap. */
enum tsr_trap tsr_func_run(struct tsr_func *func, const uint8_t *insns, size_t insn_count,
                           uint8_t *window, size_t window_bytes, struct tsr_func_result *result);

/* Executes one instruction now, whatever its tokens: the caller decides the order, and decoded it.
 * FINISH and SYNC do nothing. Returns result->trap; on a trap nothing was done. Writes through
 * tsr_func_scratchpad() since the last tsr_func_run() or reset are not seen. */
enum tsr_trap tsr_func_execute(struct tsr_func *func, size_t index, const struct tsr_insn *insn,
                               uint8_t *window, size_t window_bytes,
                               struct tsr_func_result *result);

const struct tsr_func_counters *tsr_func_counters(const struct tsr_func *func);

/* A scratchpad's content, for tests and lockstep: int8 entries (int32 for ACC, ACC8), dense. */
void *tsr_func_scratchpad(struct tsr_func *func, int buffer, size_t *bytes);

#endif
