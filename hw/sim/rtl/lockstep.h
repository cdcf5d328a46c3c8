/* SPDX-License-Identifier: Apache-2.0 */
/* Lockstep: when the RTL has ended an instruction, the functional device executes it, and all that
 * it wrote is compared; at the end of a run everything is.
 *
 *   tsr_lockstep_open(NULL, &err, &design, &lockstep);
 *   options.event = ...;                   a call of tsr_lockstep_event(lockstep, event)
 *   tsr_rtl_open(NULL, &err, &design, &options, window, window_bytes, &rtl);
 *   tsr_lockstep_run(lockstep, rtl, &err, insns, insn_count, window, window_bytes, &result);
 *
 * The order in which instructions end is one that tokens allow. Of a program without races each
 * such order gives the same bits, so the first difference is the RTL's. What tokens ask of starts
 * and ends is checked, too. */
#ifndef TSR_HW_SIM_RTL_LOCKSTEP_H
#define TSR_HW_SIM_RTL_LOCKSTEP_H

#include "hw/sim/rtl/rtl.h"

struct tsr_lockstep;

enum { TSR_LOCKSTEP_DRAM = TSR_BUFFER_COUNT, TSR_LOCKSTEP_ORDER };

/* Where the two devices part. */
struct tsr_lockstep_difference {
  size_t insn; /* that ended, or started; the program's length: found at the end of the run */
  int buffer;  /* enum tsr_buffer (ACC for ACC8), DRAM, or ORDER: no value differs */
  uint64_t at; /* entry; byte of the window */
  int lane;    /* element of the entry; ACC: int32, all others: bytes; 0 in DRAM */
  int32_t expected, found;
};

enum tsr_status tsr_lockstep_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                                  const struct tsr_design *design, struct tsr_lockstep **out);
void tsr_lockstep_close(struct tsr_lockstep *lockstep); /* NULL is allowed */
/* Goes with tsr_rtl_reset(). */
void tsr_lockstep_reset(struct tsr_lockstep *lockstep);

/* Runs a program on the RTL, whose window this is. TSR_MISMATCH: they differ, and err says where
 * first. What tsr_rtl_run() refuses is refused. After a trap the scratchpads are not compared, but
 * the trap is; after a timeout neither is. */
enum tsr_status tsr_lockstep_run(struct tsr_lockstep *lockstep, struct tsr_rtl *rtl,
                                 struct tsr_err *err, const uint8_t *insns, size_t insn_count,
                                 const uint8_t *window, size_t window_bytes,
                                 struct tsr_run_result *result);
void tsr_lockstep_event(struct tsr_lockstep *lockstep, const struct tsr_run_event *event);

/* tsr_lockstep_run() in two parts, for those who run the RTL themselves. */
enum tsr_status tsr_lockstep_begin(struct tsr_lockstep *lockstep, struct tsr_rtl *rtl,
                                   struct tsr_err *err, const uint8_t *insns, size_t insn_count,
                                   const uint8_t *window, size_t window_bytes);
enum tsr_status tsr_lockstep_end(struct tsr_lockstep *lockstep, struct tsr_err *err,
                                 const struct tsr_run_result *result);

/* Of the latest run; NULL: none. */
const struct tsr_lockstep_difference *tsr_lockstep_difference(const struct tsr_lockstep *lockstep);

#endif
