/* SPDX-License-Identifier: Apache-2.0 */
/* The random program of a seed on the RTL: valid, or with a planted defect; on one of several
 * memories, whose parameters are the seed's, too. */
#ifndef TSR_TESTS_RTL_TRIAL_H
#define TSR_TESTS_RTL_TRIAL_H

#include "tests/programs/generate.h"
#include "tests/rtl/rig.h"

enum trial_memory {
  TRIAL_OWN, /* the design point's */
  TRIAL_IDEAL,
  TRIAL_SIMPLE, /* of some latency, bandwidth and bursts in flight */
  TRIAL_DDR,    /* of some set, order, latency, clock and bursts in flight */
  TRIAL_STALLS, /* trouble of every kind, errors too */
  TRIAL_MEMORIES
};

struct trial {
  struct rig *rig;
  uint64_t seed;
  bool planted;
  bool contends; /* a program of engines that meet without order, instead */
  enum trial_memory memory;
  struct generated generated;
  enum outcome outcome;
};

const char *trial_memory_name(enum trial_memory memory); /* "stalls" */
/* TRIAL_MEMORIES: no memory is named so. */
enum trial_memory trial_memory_find(const char *name);

/* The memory of a trial. */
struct tsr_dram_options trial_dram(const struct trial *trial);

/* The defect of a seed: every one comes up. */
enum defect trial_defect(uint64_t seed);

/* Two instructions of the program touch the same element, one writes, and no tokens order them. */
bool trial_raced(const struct trial *trial, const struct tsr_program *program);

/* What must hold of a program with the trial's defect. */
enum outcome trial_judge(const struct trial *trial, const struct tsr_program *program);

/* Makes the seed's program, in the arena, and judges it. */
void trial_run(struct trial *trial, struct tsr_arena *arena);

#endif
