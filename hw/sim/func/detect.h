/* SPDX-License-Identifier: Apache-2.0 */
/* The race detector: runs a program with its engines in a random order that tokens allow, and tells
 * what depends on that order.
 *
 * Two instructions of different engines that touch the same element, one of them writing, must
 * have a chain of tokens between them. Every engine has a vector clock; a token carries its giver's
 * clock to its taker. The k-th token from one engine to another is the same in every order, so what
 * is ordered by tokens does not depend on the order that a run takes: one run finds every race
 * among the elements that it touches. Room in queues and counters also delays engines, but orders
 * nothing here: a program must be right at any depth. An operand whose value `first` makes unused
 * is not read.
 *
 * Instructions run whole, one after another. Elements are scratchpad entries, and grains of DRAM as
 * fine as beats and entries are; all of the window counts as written by the host. */
#ifndef TSR_HW_SIM_FUNC_DETECT_H
#define TSR_HW_SIM_FUNC_DETECT_H

#include "hw/sim/func/func.h"

enum tsr_detect_kind {
  TSR_DETECT_RACE,
  TSR_DETECT_UNWRITTEN, /* reads an entry that nothing wrote in this run */
  TSR_DETECT_LEFTOVER   /* a token that no one took */
};

enum { TSR_DETECT_LISTED = 16, TSR_DETECT_DRAM = TSR_BUFFER_COUNT };

struct tsr_detect_report {
  enum tsr_detect_kind kind;
  size_t insn;           /* of the two, the one that ran later; FINISH for tokens */
  size_t other;          /* RACE only */
  int engine;            /* of insn; for tokens, the engine that they were for */
  int other_engine;      /* RACE; for tokens, the engine that gave them */
  int buffer;            /* enum tsr_buffer (ACC for ACC8), or TSR_DETECT_DRAM */
  uint64_t element;      /* the first: an entry; a byte of the window; how many tokens */
  char text[256];        /* "ACC entry 12: instruction 9 (add, vector) reads what ..." */
};

/* One report a pair of instructions and buffer; the first are listed. */
struct tsr_detect {
  struct tsr_detect_report list[TSR_DETECT_LISTED];
  size_t listed, count;
};

/* Runs as tsr_func_run() does, in the order of `seed`; scratchpads keep what they hold, but count
 * as unwritten. Memory: 32 bytes for every scratchpad entry and grain of the window, during the
 * call. TSR_NO_MEMORY: nothing was run. */
enum tsr_status tsr_func_detect(struct tsr_func *func, const uint8_t *insns, size_t insn_count,
                                uint8_t *window, size_t window_bytes, uint64_t seed,
                                struct tsr_func_result *result, struct tsr_detect *out);

#endif
