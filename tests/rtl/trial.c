/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/trial.h"

#include "verify/verify.h"

enum defect trial_defect(uint64_t seed)
{
  return (enum defect)(1 + seed % (DEFECT_COUNT - 1));
}

bool trial_raced(const struct trial *t, const struct tsr_program *program)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_verify_options options = tsr_verify_defaults();
  struct tsr_findings found;
  bool race = false;
  options.overflow = false;
  tsr_verify_with(arena, &t->rig->design, program, &options, &found);
  for (size_t k = 0; k < found.listed; k++)
    race |= found.list[k].kind == TSR_FINDING_RACE;
  tsr_arena_free(arena);
  return race;
}

enum outcome trial_judge(const struct trial *t, const struct tsr_program *program)
{
  struct rig *rig = t->rig;
  if (trial_raced(t, program))
    return rig_check_raced(rig, program);
  if (t->troubled) {
    struct tsr_dram_options trouble = rig_trouble(&rig->design, t->seed);
    return rig_check_troubled(rig, program, &trouble);
  }
  return rig_check(rig, program);
}

void trial_run(struct trial *t, struct tsr_arena *arena)
{
  enum defect defect = t->planted ? trial_defect(t->seed) : DEFECT_NONE;
  generate(arena, &t->rig->design, t->seed, defect, &t->generated);
  t->outcome = trial_judge(t, &t->generated.program);
}
