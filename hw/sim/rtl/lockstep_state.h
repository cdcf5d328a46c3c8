/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of lockstep share. */
#ifndef TSR_HW_SIM_RTL_LOCKSTEP_STATE_H
#define TSR_HW_SIM_RTL_LOCKSTEP_STATE_H

#include "hw/sim/func/func.h"
#include "hw/sim/rtl/lockstep.h"

enum { TSR__LOCKSTEP_TEXT = 900 };

struct tsr__pad {
  const uint8_t *expected; /* the functional device's */
  uint32_t depth, entry;   /* entries; bytes of one */
  uint32_t *writer;        /* of each entry, the latest instruction of this run + 1; 0: none */
};

/* What events have told of an engine, which starts its instructions in order, and ends them in
 * order; it may start one before it has ended the one before. */
struct tsr__progress {
  size_t started, ended; /* no instruction of the engine's before these is still to start, to end */
};

struct tsr_lockstep {
  struct tsr_arena *arena; /* owns this struct and everything in it but `shadow` */
  struct tsr_design design;
  struct tsr_func *func;
  struct tsr__pad pad[TSR_BUFFER_COUNT];
  uint32_t *touched; /* entries that the instruction writes, each once */
  size_t touched_count;
  uint8_t *found;  /* room for one entry of any scratchpad */
  uint8_t *shadow; /* the functional device's window */
  size_t shadow_bytes;
  /* of the run */
  struct tsr_rtl *rtl;
  const uint8_t *insns, *window;
  size_t insn_count, window_bytes;
  struct tsr__progress progress[TSR_ENGINE_COUNT];
  uint64_t tokens[TSR_ENGINE_COUNT]
                 [TSR_ENGINE_COUNT]; /* [from][to], given when their instruction ends */
  bool differs;
  struct tsr_lockstep_difference difference;
  char text[TSR__LOCKSTEP_TEXT];
};

/* Makes this the run's difference, and its place the beginning of the sentence. An `insn` behind
 * the program's last is the end of the run. */
void tsr__differ(struct tsr_lockstep *l, size_t insn, int buffer);
/* More of the sentence. */
void tsr__say(struct tsr_lockstep *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tsr__say_insn(struct tsr_lockstep *l, size_t index);

/* lockstep_compare.c: what an instruction wrote that the functional device has executed just now;
 * everything. */
void tsr__compare(struct tsr_lockstep *l, size_t index, const struct tsr_insn *insn);
void tsr__compare_all(struct tsr_lockstep *l);

/* Which buffers are scratchpads of their own: ACC8 is ACC. */
static inline bool tsr__is_pad(int buffer)
{
  return buffer != TSR_BUFFER_ACC8;
}

#endif
