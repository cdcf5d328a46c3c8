/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/race.h"

#include "verify/findings.h"
#include "verify/shadow.h"

/* What one engine did in one scratchpad: numbers of its instructions, counted from 1. */
struct trace {
  uint32_t *last; /* for each entry; NULL until the first */
  uint32_t top;   /* the last of all */
};

enum { READ, WRITTEN };

struct tsr__racing {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  struct tsr__clocks clocks;
  struct trace traces[TSR_BUFFER_COUNT][TSR_ENGINE_COUNT][2];
  struct tsr__shadow *shadow;
  size_t *index[TSR_ENGINE_COUNT]; /* in the program, by number - 1 */
  size_t capacity[TSR_ENGINE_COUNT];
  struct tsr__races found;
};

struct tsr__racing *tsr__racing_new(struct tsr_arena *arena, const struct tsr_design *design,
                                    const struct tsr_program *program, const size_t *order,
                                    size_t count)
{
  struct tsr__racing *r = TSR_NEW(arena, struct tsr__racing);
  r->arena = arena;
  r->design = design;
  r->shadow = tsr__shadow_new(arena, design, program, order, count);
  r->found.list = TSR_NEW_ARRAY(arena, struct tsr__race, TSR__FINDINGS_LISTED);
  tsr__clocks_init(arena, &r->clocks);
  return r;
}

/* The highest number in the entries of a set, and the first entry that has it. */
static uint32_t highest(const uint32_t *last, const struct tsr__set *set, uint32_t *entry)
{
  uint32_t most = 0;
  for (uint32_t lo, hi = 0; tsr__set_run(set, hi, &lo, &hi);) {
    uint32_t here = 0;
    for (uint32_t e = lo; e < hi; e++)
      here = last[e] > here ? last[e] : here;
    if (here <= most)
      continue;
    most = here;
    for (*entry = lo; last[*entry] != most;)
      ++*entry;
  }
  return most;
}

static void add(struct tsr__racing *r, const struct tsr__race *race)
{
  if (r->found.listed < TSR__FINDINGS_LISTED)
    r->found.list[r->found.listed++] = *race;
  r->found.count++;
}

/* One finding at most for an access and another engine: its latest conflict. */
static void check_engine(struct tsr__racing *r, size_t index, const struct tsr__access *access,
                         int other, uint32_t over)
{
  uint32_t best = over, entry = 0;
  struct tsr__race race = {
      .second = index, .space = access->buffer, .role = access->role, .writes = access->writes};
  for (int kind = access->writes ? READ : WRITTEN; kind <= WRITTEN; kind++) {
    const struct trace *t = &r->traces[access->buffer][other][kind];
    if (t->top <= best)
      continue;
    uint32_t number = highest(t->last, &access->set, &entry);
    if (number <= best)
      continue;
    best = number;
    race.at = entry;
    race.wrote = kind == WRITTEN;
    race.first = r->index[other][number - 1];
  }
  if (best > over)
    add(r, &race);
}

static void check_dram(struct tsr__racing *r, size_t index, const struct tsr_insn *insn,
                       const struct tsr__clock *clock)
{
  bool load = insn->opcode == TSR_OP_LOAD;
  int other = load ? TSR_ENGINE_STORE : TSR_ENGINE_LOAD;
  struct tsr__race race = {.second = index,
                           .space = TSR__SPACE_DRAM,
                           .role = TSR__ROLE_DMA,
                           .wrote = load,
                           .writes = !load};
  uint32_t number = tsr__shadow_conflict(r->shadow, insn, clock->over[other], &race.at);
  if (!number)
    return;
  race.first = r->index[other][number - 1];
  add(r, &race);
}

static void mark(struct tsr__racing *r, int engine, const struct tsr__access *access,
                 uint32_t number)
{
  struct trace *t = &r->traces[access->buffer][engine][access->writes ? WRITTEN : READ];
  if (!t->last)
    t->last = TSR_NEW_ARRAY(r->arena, uint32_t, tsr_design_depth(r->design, access->buffer));
  for (uint32_t lo, hi = 0; tsr__set_run(&access->set, hi, &lo, &hi);)
    for (uint32_t e = lo; e < hi; e++)
      t->last[e] = number;
  t->top = number;
}

void tsr__racing_step(struct tsr__racing *racing, size_t index, const struct tsr_insn *insn,
                      const struct tsr__region *region)
{
  int engine = tsr_insn_engine(insn);
  bool transfer = tsr_opcode_format(insn->opcode) == TSR_FORMAT_DMA;
  const struct tsr__clock *clock = tsr__clocks_begin(&racing->clocks, insn);
  uint32_t number = clock->over[engine] + 1;
  for (int k = 0; k < region->count; k++)
    for (int other = 0; other < TSR_ENGINE_COUNT; other++)
      if (other != engine)
        check_engine(racing, index, &region->list[k], other, clock->over[other]);
  if (transfer)
    check_dram(racing, index, insn, clock);
  for (int k = 0; k < region->count; k++)
    mark(racing, engine, &region->list[k], number);
  if (transfer)
    tsr__shadow_mark(racing->shadow, insn, number);
  size_t **list = &racing->index[engine];
  *list = TSR_GROW(racing->arena, *list, number - 1, &racing->capacity[engine]);
  (*list)[number - 1] = index;
  tsr__clocks_end(&racing->clocks, insn);
}

const struct tsr__races *tsr__racing_found(const struct tsr__racing *racing)
{
  return &racing->found;
}
