/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns of random programs from the command line; docs/testing.md tells how. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "tests/programs/check.h"
#include "tests/programs/shrink.h"
#include "tests/programs/words.h"

static const char USAGE[] =
    "usage: programs [--seed N] [--count N] [--config NAME]\n"
    "         N valid programs, and N with a defect planted\n"
    "       programs --shrink SEED [--planted] [--config NAME]\n"
    "         the smallest that fails as that one; if it is fine, that has its defect\n";

struct options {
  uint64_t seed, count;
  const char *config;
  bool shrink, planted;
};

/* A seed's program and the verdict on it. */
struct trial {
  struct bench *bench;
  uint64_t seed;
  struct generated generated;
  enum verdict verdict;
};

static enum verdict judge(struct trial *t)
{
  return t->generated.defect == DEFECT_NONE
             ? check_valid(t->bench, &t->generated.program, t->seed)
             : check_planted(t->bench, &t->generated, t->seed);
}

static void try(struct trial *t, struct tsr_arena *arena, enum defect defect)
{
  generate(arena, &t->bench->design, t->seed, defect, &t->generated);
  t->verdict = judge(t);
}

static const char *point_of(const struct options *o, uint64_t seed)
{
  return o->config ? o->config : check_point(seed);
}

/* ---- a campaign ---- */

static int campaign(const struct options *o, bool planted)
{
  int failed = 0, harmless = 0, races = 0, waver = 0;
  for (uint64_t seed = o->seed; seed < o->seed + o->count; seed++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct bench bench;
    struct trial t = {.bench = &bench, .seed = seed};
    bench_open(&bench, point_of(o, seed));
    try(&t, arena, planted ? check_defect(seed) : DEFECT_NONE);
    harmless += check_short(&t.generated) && !t.generated.raced;
    races += t.generated.raced;
    if (t.verdict != FINE && failed++ < 20)
      printf("seed %" PRIu64 " (%s, %s): %s: %s\n", seed, bench.design.name,
             defect_text(t.generated.defect), verdict_text(t.verdict), bench.text);
    waver += t.generated.raced && check_wavers(&bench, &t.generated.program, seed);
    bench_close(&bench);
    tsr_arena_free(arena);
  }
  printf("%" PRIu64 " %s programs from seed %" PRIu64 ": %d failed\n", o->count,
         planted ? "planted" : "valid", o->seed, failed);
  if (planted)
    printf("tokens dropped: %d left a race, of which %d changed a result in %d orders; %d were "
           "harmless\n", races, waver, CHECK_ORDERS, harmless);
  return failed;
}

/* ---- shrinking ---- */

static bool fails_so(void *context, const struct tsr_program *program)
{
  struct trial now = *(struct trial *)context;
  now.generated.program = *program;
  return judge(&now) == now.verdict;
}

/* Nothing is wrong with the verdict: keep what makes the defect one. */
static bool is_found(void *context, const struct tsr_program *program)
{
  struct trial *t = context;
  switch (t->generated.defect) {
  case DEFECT_TOKEN:
  case DEFECT_TOKENS: return check_reported(t->bench, program, t->seed, TSR_DETECT_RACE);
  default: return check_found(t->bench, program, t->generated.defect);
  }
}

static int shrink_seed(const struct options *o)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct bench bench;
  struct trial t = {.bench = &bench, .seed = o->seed};
  bench_open(&bench, point_of(o, o->seed));
  try(&t, arena, o->planted ? check_defect(o->seed) : DEFECT_NONE);
  shrink_fails *fails = t.verdict != FINE ? fails_so : is_found;
  printf("; seed %" PRIu64 ", %s, defect %s, %s: %s\n", o->seed, bench.design.name,
         defect_text(t.generated.defect), verdict_text(t.verdict), bench.text);
  if (fails(&t, &t.generated.program)) {
    struct tsr_program small = shrink(arena, &t.generated.program, fails, &t);
    fputs(tsr_disassemble(arena, &small), stdout);
  } else {
    puts("; it comes to its end as it should, or to another end before what was planted");
  }
  bench_close(&bench);
  tsr_arena_free(arena);
  return t.verdict != FINE;
}

static bool parse(int argc, char **argv, struct options *o)
{
  static const struct option list[] = {
      {"seed", 1, NULL, 's'},   {"count", 1, NULL, 'c'},   {"config", 1, NULL, 'p'},
      {"shrink", 1, NULL, 'k'}, {"planted", 0, NULL, 'd'}, {0}};
  for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
    switch (c) {
    case 'k': o->shrink = true; /* fallthrough */
    case 's':
      if (!words_number(optarg, &o->seed))
        return false;
      break;
    case 'c':
      if (!words_number(optarg, &o->count))
        return false;
      break;
    case 'p': o->config = optarg; break;
    case 'd': o->planted = true; break;
    default: return false;
    }
  }
  return optind == argc && (!o->config || words_point(o->config));
}

int main(int argc, char **argv)
{
  struct options o = {.seed = 1, .count = 5000};
  opterr = 0;
  if (!parse(argc, argv, &o))
    return words_usage(argc, argv, USAGE);
  if (o.shrink)
    return shrink_seed(&o);
  int failed = campaign(&o, false) + campaign(&o, true);
  return failed ? 1 : 0;
}
