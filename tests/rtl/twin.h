/* SPDX-License-Identifier: Apache-2.0 */
/* The event-driven model beside the RTL: the same programs on the same memory, with data and for
 * timing only. All that a run comes to has to be equal. */
#ifndef TSR_TESTS_RTL_TWIN_H
#define TSR_TESTS_RTL_TWIN_H

#include "hw/sim/cycle/cycle.h"
#include "hw/sim/rtl/rtl.h"

/* When each instruction was at work, in cycles; 0 where it was not. */
struct span {
  uint64_t start, end;
};

/* What is compared. Time does not depend on data, so that it is compared where data races. */
enum twin_compares {
  TWIN_ALL,
  TWIN_TIMES, /* trap, counters, and start and end of instructions */
  TWIN_NOTHING
};

struct twin {
  const struct tsr_design *design;
  struct twin_model {
    struct tsr_cycle *cycle; /* NULL: not opened yet */
    uint8_t *window;
    struct tsr_run_result result;
    struct span *spans;
    size_t span_count;
  } all, timing;
  size_t window_bytes;
  enum twin_kind {
    TWIN_TIME,
    TWIN_END,
    TWIN_COUNTER,
    TWIN_DATA
  } kind; /* of the first difference */
  char text[1200];
};

/* What the RTL's run came to. */
struct twin_of {
  struct tsr_rtl *rtl;
  const struct tsr_run_result *result;
  const struct span *spans;
  const uint8_t *window;
};

/* New machines with this memory behind them. The design outlives the twin. */
void twin_open(struct twin *twin, const struct tsr_design *design,
               const struct tsr_dram_options *dram, uint64_t timeout_cycles, size_t window_bytes);
void twin_close(struct twin *twin); /* also of zeros */
void twin_reset(struct twin *twin);

/* Runs a program whose window is this. */
void twin_run(struct twin *twin, const struct tsr_program *program, const uint8_t *window);
/* Whether both came to what the RTL came to; twin->text tells the first difference. After a timeout
 * nothing but the times until then is compared, after a trap no data. */
bool twin_equals(struct twin *twin, const struct tsr_program *program, const struct twin_of *of,
                 enum twin_compares compares);

#endif
