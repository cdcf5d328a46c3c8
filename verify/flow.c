/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/flow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify/findings.h"
#include "verify/overflow.h"
#include "verify/race.h"
#include "verify/unwritten.h"
#include "verify/uops.h"

struct flow {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  const struct tsr_program *program;
  const struct tsr_verify_options *options;
  const size_t *order;
  size_t count;
  struct tsr_findings *out;
  char text[512];
};

/* The instruction at a place of the order. */
static size_t fetch(const struct flow *f, size_t place, struct tsr_insn *insn)
{
  tsr_insn_decode(f->program->insns + f->order[place] * TSR_INSN_BYTES, insn);
  return f->order[place];
}

/* Keeps the micro-ops up with the order. */
static void follow(struct tsr__uops *uops, size_t index, const struct tsr_insn *insn)
{
  char text[256];
  if (insn->opcode == TSR_OP_LOAD && insn->dma.buffer == TSR_BUFFER_UOP)
    tsr__uops_load(uops, index, insn, text, sizeof text);
}

/* ---- races ---- */

/* A race's two ends in words, which come up one after the other. */
struct ends {
  struct tsr_insn insn[2];
  char point[2][128];
};

static void describe(struct flow *f, const struct tsr__race *race, int which, const uint8_t *uops,
                     const struct tsr_insn *insn, struct ends *ends)
{
  ends->insn[which] = *insn;
  if (race->space == TSR__SPACE_DRAM) {
    snprintf(ends->point[which], sizeof ends->point[which], "DRAM byte %" PRIu64, race->at);
    return;
  }
  struct tsr__region region;
  tsr__region_init(f->arena, f->design, &region);
  tsr__region_of(&region, insn, uops);
  bool writes = which ? race->writes : race->wrote;
  for (int k = 0; k < region.count; k++) {
    const struct tsr__access *a = &region.list[k];
    if (a->buffer != race->space || a->writes != writes ||
        !tsr__set_has(&a->set, (uint32_t)race->at) || (which && a->role != race->role))
      continue;
    struct tsr__point point =
        tsr__locate(f->arena, f->design, insn, uops, a->role, (uint32_t)race->at);
    tsr__name_point(ends->point[which], sizeof ends->point[which], a->buffer, (uint32_t)race->at,
                    a->role, &point);
    return;
  }
}

/* The instruction that is later in the program tells; the other is shown. */
static void say_race(struct flow *f, const struct tsr__race *race, const struct ends *ends)
{
  size_t index[2] = {race->first, race->second};
  bool writes[2] = {race->wrote, race->writes};
  int later = index[1] > index[0], other = !later;
  char who[2][64];
  for (int k = 0; k < 2; k++)
    tsr__name_insn(who[k], sizeof who[k], index[k], &ends->insn[k]);
  snprintf(f->text, sizeof f->text, "%s: %s %s, and %s %s %s; no token orders the two", who[later],
           writes[later] ? "writes" : "reads", ends->point[later], who[other],
           writes[other] ? "writes" : "reads", ends->point[other]);
  tsr__finding_add(f->arena, f->out, TSR_FINDING_RACE, index[later],
                   tsr_insn_engine(&ends->insn[later]), f->text);
}

/* Goes through the program once more for the loop points of what was found. */
static void say_races(struct flow *f, const struct tsr__races *races)
{
  if (!races->count)
    return;
  struct ends *ends = TSR_NEW_ARRAY(f->arena, struct ends, races->listed);
  struct tsr__uops *uops = tsr__uops_new(f->arena, f->design, f->program);
  for (size_t k = 0; k < f->count; k++) {
    struct tsr_insn insn;
    size_t index = fetch(f, k, &insn);
    follow(uops, index, &insn);
    for (size_t i = 0; i < races->listed; i++)
      for (int which = 0; which < 2; which++)
        if (index == (which ? races->list[i].second : races->list[i].first))
          describe(f, &races->list[i], which, tsr__uops_now(uops), &insn, &ends[i]);
  }
  for (size_t i = 0; i < races->listed; i++)
    say_race(f, &races->list[i], &ends[i]);
  f->out->count += races->count - races->listed;
}

/* ---- all ---- */

void tsr__flow(struct tsr_arena *arena, const struct tsr_design *design,
               const struct tsr_program *program, const struct tsr_verify_options *options,
               const size_t *order, size_t count, struct tsr_findings *out)
{
  struct flow f = {arena, design, program, options, order, count, out, ""};
  struct tsr__racing *racing = tsr__racing_new(arena, design, program, order, count);
  struct tsr__written *written = tsr__written_new(arena, design);
  struct tsr__bounds *bounds = tsr__bounds_new(arena, design, program, options, order, count);
  struct tsr__uops *uops = tsr__uops_new(arena, design, program);
  struct tsr__region region;
  tsr__region_init(arena, design, &region);
  for (size_t k = 0; k < count; k++) {
    struct tsr_insn insn;
    size_t index = fetch(&f, k, &insn);
    int engine = tsr_insn_engine(&insn);
    const uint8_t *now = tsr__uops_now(uops);
    follow(uops, index, &insn);
    tsr__region_of(&region, &insn, now);
    if (options->races)
      tsr__racing_step(racing, index, &insn, &region);
    if (options->unwritten &&
        tsr__written_step(written, index, &insn, &region, now, f.text, sizeof f.text))
      tsr__finding_add(arena, out, TSR_FINDING_UNWRITTEN, index, engine, f.text);
    if (options->overflow &&
        tsr__bounds_step(bounds, index, &insn, &region, now, f.text, sizeof f.text))
      tsr__finding_add(arena, out, TSR_FINDING_OVERFLOW, index, engine, f.text);
  }
  if (options->races)
    say_races(&f, tsr__racing_found(racing));
}
