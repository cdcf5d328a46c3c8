/* SPDX-License-Identifier: Apache-2.0 */
/* What each engine did, as slices of time: instructions, and stalls between and inside of them. */
#ifndef TSR_RUNTIME_PROFILE_SLICES_H
#define TSR_RUNTIME_PROFILE_SLICES_H

#include "runtime/profile/record.h"

enum { TSR__TRACKS = TSR_ENGINE_COUNT + 1 };

/* Cycles of an inference, all of its streams one after the other, from 1 on; both included. */
struct tsr__slice {
  uint64_t first, last;
  uint64_t busy;  /* cycles of it in which the engine was BUSY */
  size_t insn;    /* the first, of the module */
  uint32_t count; /* of instructions, merged into it */
  uint8_t state;  /* BUSY: instructions; else a stall */
  uint8_t others; /* a stall's: a bit an engine that is waited for */
  bool inside;    /* a stall in the instruction before it */
};

struct tsr__track {
  struct tsr__slice *slice; /* by time; stalls behind the instruction that they are inside of */
  size_t count;
};

/* What an instruction is to a reader. */
struct tsr__label {
  uint8_t opcode, buffer; /* 0: does not decode; of a transfer */
  int layer;              /* -1: none */
  uint8_t wait, signal;   /* engines whose tokens it takes; that it gives tokens to */
  uint32_t nth, of;       /* the how many-th of its kind in its layer, from 1; of how many */
};
struct tsr__label *tsr__label_insns(struct tsr_arena *arena, const struct tsr_module *m);

void tsr__cut_slices(struct tsr_arena *arena, const struct tsr_record *record,
                     struct tsr__track track[TSR__TRACKS]);

struct tsr__merged {
  size_t slices, stalls;
};
/* The same with less: stalls shorter than `below` cycles are left out, and instructions of one kind
 * and layer with gaps shorter than that are one. below 0: all of it. */
struct tsr__track tsr__merge_slices(struct tsr_arena *arena, const struct tsr__track *track,
                                    const struct tsr__label *label, uint64_t below,
                                    struct tsr__merged *merged);

#endif
