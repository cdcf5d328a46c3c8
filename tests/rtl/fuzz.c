/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns of random programs on the RTL from the command line; docs/testing.md tells how. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/programs/shrink.h"
#include "tests/programs/words.h"
#include "tests/rtl/trial.h"
#include "tests/rtl/uops.h"

static const char USAGE[] =
    "usage: fuzz_rtl [--seed N] [--count N] [--config NAME] [--memory NAME] [--contend]\n"
    "         N valid programs, then N/4 with a defect planted, in lockstep with the functional\n"
    "         device and beside the cycle model; the first that fail are cut to what fails\n"
    "         --memory: ideal; simple, of some latency and bandwidth; ddr; stalls, which also is "
    "slow,\n"
    "         reorders and answers errors; own, the design point's; all (default: own)\n"
    "         --contend: N programs of engines that meet without order, for their time alone\n"
    "         --config: at this design point (default: each of the five in turn)\n";

enum { SHRUNK = 3, LISTED = 20, SHRINK_TIMEOUT = 300000 };

struct options {
  uint64_t seed, count;
  const char *config;
  bool contend;
  enum trial_memory memory; /* TRIAL_MEMORIES: all */
};

struct campaign {
  const struct options *options;
  struct rig *rigs; /* one a design point */
  int rig_count;
  int failed;
};

struct failure {
  struct trial *trial;
  enum tsr_trap trap;
  enum twin_kind kind;
};

/* Of the same kind, at the same end, and no race has come about by what was cut. */
static bool fails_so(void *context, const struct tsr_program *program)
{
  const struct failure *f = context;
  const struct trial *t = f->trial;
  if (t->contends ? uops_race(program) : trial_raced(t, program) && !t->generated.raced)
    return false;
  if (trial_judge(t, program) != t->outcome || t->rig->result.trap != f->trap)
    return false;
  return t->outcome != OTHER_TWIN || t->rig->twin.kind == f->kind;
}

static void shrink_trial(struct trial *t, struct tsr_arena *arena)
{
  uint64_t timeout = t->rig->timeout_cycles;
  struct failure failure = {t, t->rig->result.trap, t->rig->twin.kind};
  t->rig->timeout_cycles = SHRINK_TIMEOUT;
  if (fails_so(&failure, &t->generated.program)) {
    struct tsr_program small = shrink(arena, &t->generated.program, fails_so, &failure);
    trial_judge(t, &small);
    printf("; %s\n%s", t->rig->text, tsr_disassemble(arena, &small));
  }
  t->rig->timeout_cycles = timeout;
}

static void tell(struct campaign *c, struct trial *t, struct tsr_arena *arena)
{
  c->failed++;
  if (c->failed > LISTED)
    return;
  printf("seed %" PRIu64 " (%s, %s, %s): %s: %s\n", t->seed, t->rig->design.name,
         defect_text(t->generated.defect), trial_memory_name(t->memory), outcome_text(t->outcome),
         t->rig->text);
  if (c->failed <= SHRUNK)
    shrink_trial(t, arena);
  fflush(stdout);
}

static int count_left_out(const struct campaign *c)
{
  int sum = 0;
  for (int k = 0; k < c->rig_count; k++)
    sum += c->rigs[k].left_out;
  return sum;
}

static void run(struct campaign *c, bool planted, enum trial_memory memory, uint64_t count)
{
  const struct options *o = c->options;
  int failed = c->failed, left_out = count_left_out(c);
  for (uint64_t seed = o->seed; seed < o->seed + count; seed++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct trial t = {.rig = &c->rigs[seed % (uint64_t)c->rig_count],
                      .seed = seed,
                      .planted = planted,
                      .contends = o->contend,
                      .memory = memory};
    trial_run(&t, arena);
    if (t.outcome != AS_EXPECTED)
      tell(c, &t, arena);
    tsr_arena_free(arena);
    if (isatty(STDERR_FILENO) && seed % 16 == 0)
      fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " ", seed - o->seed, count);
  }
  printf("%" PRIu64 " %s programs from seed %" PRIu64
         ", memory %s: %d failed; %d not timed, since their micro-ops race\n",
         count,
         o->contend ? "contending"
         : planted  ? "planted"
                    : "valid",
         o->seed, trial_memory_name(memory), c->failed - failed, count_left_out(c) - left_out);
  fflush(stdout);
}

static void run_both(struct campaign *c, enum trial_memory memory)
{
  run(c, false, memory, c->options->count);
  if (!c->options->contend)
    run(c, true, memory, c->options->count / 4);
}

static bool parse_memory(const char *name, enum trial_memory *out)
{
  *out = trial_memory_find(name);
  return *out < TRIAL_MEMORIES || !strcmp(name, "all");
}

static bool parse(int argc, char **argv, struct options *o)
{
  static const struct option list[] = {{"seed", 1, NULL, 's'},    {"count", 1, NULL, 'c'},
                                       {"config", 1, NULL, 'p'},  {"memory", 1, NULL, 'm'},
                                       {"contend", 0, NULL, 't'}, {0}};
  for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
    switch (c) {
    case 's':
      if (!words_number(optarg, &o->seed))
        return false;
      break;
    case 'c':
      if (!words_number(optarg, &o->count))
        return false;
      break;
    case 'p': o->config = optarg; break;
    case 't': o->contend = true; break;
    case 'm':
      if (!parse_memory(optarg, &o->memory))
        return false;
      break;
    default: return false;
    }
  }
  return optind == argc && (!o->config || words_point(o->config));
}

int main(int argc, char **argv)
{
  struct options o = {.seed = 1, .count = 10000};
  struct rig rigs[8];
  struct campaign c = {.options = &o, .rigs = rigs};
  opterr = 0;
  if (!parse(argc, argv, &o))
    return words_usage(argc, argv, USAGE);
  if (!rig_possible())
    return 2;
  for (const char *const *at = tsr_design_names(); *at; at++)
    if (!o.config || strcmp(*at, o.config) == 0)
      rig_open(&rigs[c.rig_count++], *at);
  for (int m = 0; m < TRIAL_MEMORIES; m++)
    if (o.memory == TRIAL_MEMORIES ? m != TRIAL_OWN : m == (int)o.memory)
      run_both(&c, (enum trial_memory)m);
  for (int k = 0; k < c.rig_count; k++)
    rig_close(&rigs[k]);
  return c.failed ? 1 : 0;
}
