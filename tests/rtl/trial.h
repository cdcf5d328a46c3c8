/* SPDX-License-Identifier: Apache-2.0 */
/* The random program of a seed on the RTL: valid, or with a planted defect; on a quiet bus or a
 * troubled one. */
#ifndef TSR_TESTS_RTL_TRIAL_H
#define TSR_TESTS_RTL_TRIAL_H

#include "tests/programs/generate.h"
#include "tests/rtl/rig.h"

struct trial {
  struct rig *rig;
  uint64_t seed;
  bool planted, troubled;
  struct generated generated;
  enum outcome outcome;
};

/* The defect of a seed: every one comes up. */
enum defect trial_defect(uint64_t seed);

/* Two instructions of the program touch the same element, one writes, and no tokens order them. */
bool trial_raced(const struct trial *trial, const struct tsr_program *program);

/* What must hold of a program with the trial's defect. */
enum outcome trial_judge(const struct trial *trial, const struct tsr_program *program);

/* Makes the seed's program, in the arena, and judges it. */
void trial_run(struct trial *trial, struct tsr_arena *arena);

#endif
