/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/trial.h"

#include <string.h>

#include "tests/isa/random.h"
#include "tests/rtl/crowd.h"
#include "verify/verify.h"

/* ---- memories ---- */

static const char *const memory_names[] = {
    [TRIAL_OWN] = "own", [TRIAL_IDEAL] = "ideal",   [TRIAL_SIMPLE] = "simple",
    [TRIAL_DDR] = "ddr", [TRIAL_STALLS] = "stalls",
};

const char *trial_memory_name(enum trial_memory memory)
{
  return memory_names[memory];
}

enum trial_memory trial_memory_find(const char *name)
{
  int k = 0;
  while (k < TRIAL_MEMORIES && strcmp(memory_names[k], name))
    k++;
  return (enum trial_memory)k;
}

static struct tsr_dram_options simple_of(uint64_t seed)
{
  static const int latencies[] = {0, 1, 7, 40, 150};
  uint64_t random = seed;
  struct tsr_dram_options o = {
      .model = TSR_MEMORY_SIMPLE,
      .latency_cycles = latencies[random_below(&random, 5)],
      .bytes_per_cycle = 1 << random_below(&random, 8),
  };
  rig_limits(&o, &random);
  return o;
}

struct tsr_dram_options trial_dram(const struct trial *t)
{
  switch (t->memory) {
  case TRIAL_IDEAL: return (struct tsr_dram_options){.model = TSR_MEMORY_IDEAL};
  case TRIAL_SIMPLE: return simple_of(t->seed);
  case TRIAL_DDR: return rig_ddr(t->seed);
  case TRIAL_STALLS: return rig_trouble(&t->rig->design, t->seed);
  default: return tsr_dram_defaults(&t->rig->design);
  }
}

/* ---- programs ---- */

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

/* Only its time says something, and that it ends. */
static enum outcome judge_crowd(const struct trial *t, const struct tsr_program *program)
{
  struct rig *rig = t->rig;
  struct tsr_dram_options memory = trial_dram(t);
  memory.read_error = memory.write_error = 0;
  rig_memory(rig, &memory);
  return rig_check_contended(rig, program);
}

enum outcome trial_judge(const struct trial *t, const struct tsr_program *program)
{
  struct rig *rig = t->rig;
  if (t->contends)
    return judge_crowd(t, program);
  struct tsr_dram_options memory = trial_dram(t), own = tsr_dram_defaults(&rig->design);
  bool troubled = t->memory == TRIAL_STALLS, raced = trial_raced(t, program);
  rig_memory(rig, troubled ? &own : &memory);
  if (raced)
    return rig_check_raced(rig, program);
  return troubled ? rig_check_troubled(rig, program, &memory) : rig_check(rig, program);
}

void trial_run(struct trial *t, struct tsr_arena *arena)
{
  enum defect defect = t->planted ? trial_defect(t->seed) : DEFECT_NONE;
  if (t->contends)
    t->generated = (struct generated){crowd(arena, &t->rig->design, t->seed), defect, true};
  else
    generate(arena, &t->rig->design, t->seed, defect, &t->generated);
  t->outcome = trial_judge(t, &t->generated.program);
}
