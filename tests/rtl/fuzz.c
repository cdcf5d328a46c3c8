/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns of random programs on the RTL from the command line; docs/testing.md tells how. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/programs/shrink.h"
#include "tests/rtl/trial.h"

static const char USAGE[] =
    "usage: fuzz_rtl [--seed N] [--count N] [--config NAME] [--stalls]\n"
    "         N valid programs, then N/4 with a defect planted, in lockstep with the functional\n"
    "         device; the first that fail are cut to what fails\n"
    "         --stalls: behind a bus that stalls, reorders, is slow, and answers errors\n"
    "         --config: at this design point (default: each of the five in turn)\n";

enum { SHRUNK = 3, LISTED = 20, SHRINK_TIMEOUT = 300000 };

struct options {
  uint64_t seed, count;
  const char *config;
  bool stalls;
};

struct campaign {
  const struct options *options;
  struct rig *rigs; /* one a design point */
  int rig_count;
  int failed;
};

/* Of the same kind, and no race has come about by what was cut. */
static bool fails_so(void *context, const struct tsr_program *program)
{
  const struct trial *t = context;
  return (!trial_raced(t, program) || t->generated.raced) && trial_judge(t, program) == t->outcome;
}

static void shrink_trial(struct trial *t, struct tsr_arena *arena)
{
  uint64_t timeout = t->rig->timeout_cycles;
  t->rig->timeout_cycles = SHRINK_TIMEOUT;
  if (fails_so(t, &t->generated.program)) {
    struct tsr_program small = shrink(arena, &t->generated.program, fails_so, t);
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
  printf("seed %" PRIu64 " (%s, %s%s): %s: %s\n", t->seed, t->rig->design.name,
         defect_text(t->generated.defect), t->troubled ? ", stalls" : "", outcome_text(t->outcome),
         t->rig->text);
  if (c->failed <= SHRUNK)
    shrink_trial(t, arena);
  fflush(stdout);
}

static void run(struct campaign *c, bool planted, uint64_t count)
{
  const struct options *o = c->options;
  int failed = c->failed;
  for (uint64_t seed = o->seed; seed < o->seed + count; seed++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct trial t = {.rig = &c->rigs[seed % (uint64_t)c->rig_count],
                      .seed = seed,
                      .planted = planted,
                      .troubled = o->stalls};
    trial_run(&t, arena);
    if (t.outcome != AS_EXPECTED)
      tell(c, &t, arena);
    tsr_arena_free(arena);
    if (isatty(STDERR_FILENO) && seed % 16 == 0)
      fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " ", seed - o->seed, count);
  }
  printf("%" PRIu64 " %s programs from seed %" PRIu64 "%s: %d failed\n", count,
         planted ? "planted" : "valid", o->seed, o->stalls ? ", stalls" : "", c->failed - failed);
}

static bool known_point(const char *name)
{
  for (const char *const *at = tsr_design_names(); *at; at++)
    if (strcmp(*at, name) == 0)
      return true;
  return false;
}

static bool parse(int argc, char **argv, struct options *o)
{
  static const struct option list[] = {{"seed", 1, NULL, 's'},
                                       {"count", 1, NULL, 'c'},
                                       {"config", 1, NULL, 'p'},
                                       {"stalls", 0, NULL, 't'},
                                       {0}};
  for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
    switch (c) {
    case 's': o->seed = strtoull(optarg, NULL, 0); break;
    case 'c': o->count = strtoull(optarg, NULL, 0); break;
    case 'p': o->config = optarg; break;
    case 't': o->stalls = true; break;
    default: return false;
    }
  }
  return optind == argc && (!o->config || known_point(o->config));
}

int main(int argc, char **argv)
{
  struct options o = {.seed = 1, .count = 10000};
  struct rig rigs[8];
  struct campaign c = {.options = &o, .rigs = rigs};
  if (!parse(argc, argv, &o)) {
    fputs(USAGE, stderr);
    return 2;
  }
  if (!rig_possible())
    return 2;
  for (const char *const *at = tsr_design_names(); *at; at++)
    if (!o.config || strcmp(*at, o.config) == 0)
      rig_open(&rigs[c.rig_count++], *at);
  run(&c, false, o.count);
  run(&c, true, o.count / 4);
  for (int k = 0; k < c.rig_count; k++)
    rig_close(&rigs[k]);
  return c.failed ? 1 : 0;
}
