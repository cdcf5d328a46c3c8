/* SPDX-License-Identifier: Apache-2.0 */
/* What happened when in one inference: an observer of a device with time that keeps everything.
 *
 * A module's streams run one after the other; each counts its cycles from 1. Indices of
 * instructions are those of the module here, in all that is kept. */
#ifndef TSR_RUNTIME_PROFILE_RECORD_H
#define TSR_RUNTIME_PROFILE_RECORD_H

#include "compiler/module.h"
#include "driver/device.h"

/* A change of a token counter: its value from `cycle` + 1 on. */
struct tsr_record_token {
  uint64_t cycle;
  int8_t from, to;
  int32_t count;
};

/* One stream's share of what is kept. */
struct tsr_record_run {
  size_t first_insn, insns;
  uint64_t cycles;
  uint64_t counters[TSR_COUNTER_COUNT];
  size_t first_span, spans, first_burst, bursts, first_token, tokens;
};

struct tsr_record {
  const struct tsr_allocator *allocator;
  const struct tsr_module *module;
  struct tsr_cycle_insn *insn; /* by index; retired 0: has not run */
  struct tsr_cycle_span *span;
  struct tsr_cycle_burst *burst;
  struct tsr_record_token *token;
  struct tsr_record_run *run;
  size_t spans, bursts, tokens, runs;
  size_t span_room, burst_room, token_room, run_room;
  bool no_memory; /* something is missing */
};

/* Nothing is kept yet. The module outlives the record. */
void tsr_record_open(struct tsr_record *record, const struct tsr_allocator *allocator,
                     const struct tsr_module *module);
void tsr_record_close(struct tsr_record *record);
void tsr_record_forget(struct tsr_record *record); /* before another inference */
struct tsr_device_observer tsr_record_observer(struct tsr_record *record);

bool tsr_record_has_layer(const struct tsr_record_run *run, const struct tsr_module_layer *layer);
/* The cycle of its run in which a layer ends: when all of its instructions have retired, and those
 * of the layers before it, which ended in `before`. */
uint64_t tsr_record_layer_end(const struct tsr_record *record, const struct tsr_module_layer *layer,
                              uint64_t before);

#endif
