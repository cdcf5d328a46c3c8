/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/unwritten.h"

#include <stdio.h>

#include "verify/check.h"
#include "verify/points.h"

/* Nests with more points are not walked where their micro-ops don't tell. */
static const uint64_t MOST_POINTS = 1u << 24;

struct tsr__written {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  struct tsr__set written[TSR_BUFFER_COUNT];
  struct tsr__set scratch, mine; /* mine: d's of this instruction that it has written so far */
};

struct tsr__written *tsr__written_new(struct tsr_arena *arena, const struct tsr_design *design)
{
  struct tsr__written *w = TSR_NEW(arena, struct tsr__written);
  uint32_t most = 0;
  w->arena = arena;
  w->design = design;
  for (int b = 0; b < TSR_BUFFER_COUNT; b++) {
    uint32_t depth = (uint32_t)tsr_design_depth(design, b);
    most = depth > most ? depth : most;
  }
  for (int b = 0; b < TSR_BUFFER_COUNT; b++)
    w->written[b] = tsr__set_new(arena, most);
  w->scratch = tsr__set_new(arena, most);
  w->mine = tsr__set_new(arena, most);
  return w;
}

/* When a role's entry is read. */
enum reads { NEVER, ALWAYS, UNLESS_FIRST };

static enum reads reads_of(int opcode, const struct tsr__access *access)
{
  switch (access->role) {
  case TSR__ROLE_D: return opcode == TSR_OP_GEMM || opcode == TSR_OP_MAC ? UNLESS_FIRST : NEVER;
  case TSR__ROLE_B:
    return opcode == TSR_OP_ADD || opcode == TSR_OP_MIN || opcode == TSR_OP_MAX ? UNLESS_FIRST
                                                                                : ALWAYS;
  default: return access->writes ? NEVER : ALWAYS;
  }
}

/* What is looked at: one role of one instruction. */
struct look {
  size_t index;
  const struct tsr_insn *insn;
  const struct tsr__region *region;
  const uint8_t *uops;
  const struct tsr__access *access;
  enum reads reads;
  char *text;
  size_t size;
};

static bool say(const struct look *l, const char *verb, uint32_t entry,
                const struct tsr__point *point)
{
  char who[64], where[128];
  tsr__name_insn(who, sizeof who, l->index, l->insn);
  tsr__name_point(where, sizeof where, l->access->buffer, entry, l->access->role, point);
  snprintf(l->text, l->size, "%s: %s %s, which nothing before it has written", who, verb, where);
  return true;
}

static bool has_been_written(const struct tsr__written *w, const struct look *l, uint32_t entry)
{
  return tsr__set_has(&w->written[l->access->buffer], entry) ||
         (l->access->buffer == l->region->list[0].buffer && tsr__set_has(&w->mine, entry));
}

/* Point by point, with what the points before have written. */
static bool walk(struct tsr__written *w, const struct look *l)
{
  uint32_t extra = l->insn->opcode == TSR_OP_QUANT && l->access->role == TSR__ROLE_B ? 2 : 0;
  struct tsr__points p = tsr__points_of(l->insn, l->uops);
  tsr__set_clear(&w->mine);
  while (tsr__points_next(&p)) {
    uint32_t at = p.index[l->access->role];
    for (uint32_t e = at; !(l->reads == UNLESS_FIRST && p.first) && e <= at + extra; e++)
      if (!has_been_written(w, l, e))
        return say(l, "reads", e, &p.point);
    tsr__set_add(&w->mine, p.index[0], p.index[0] + 1);
  }
  return false;
}

/* Whether the micro-ops alone tell that the instruction wrote itself what it reads of this role. */
static bool is_own_sum(struct tsr__written *w, const struct look *l)
{
  if (l->reads != UNLESS_FIRST || !tsr__starts_its_sums(l->insn, l->uops, &w->scratch))
    return false;
  return l->access->role == TSR__ROLE_D ||
         (l->region->list[0].buffer == TSR_BUFFER_ACC &&
          tsr__same_indices(l->insn, l->uops, TSR__ROLE_D, TSR__ROLE_B));
}

static bool check(struct tsr__written *w, const struct look *l)
{
  const struct tsr__access *access = l->access, *d = &l->region->list[0];
  uint32_t entry;
  if (!tsr__set_outside(&access->set, &w->written[access->buffer], &entry))
    return false;
  bool loop = access->role <= TSR__ROLE_B;
  bool own = loop && d->buffer == access->buffer && tsr__set_meets(&d->set, &access->set);
  if (l->reads == ALWAYS && !own) {
    struct tsr__point point =
        tsr__locate(w->arena, w->design, l->insn, l->uops, access->role, entry);
    return say(l, "reads", entry, &point);
  }
  if (is_own_sum(w, l))
    return false;
  if (tsr_check_loop_points(l->insn) <= MOST_POINTS)
    return walk(w, l);
  struct tsr__point point = tsr__locate(w->arena, w->design, l->insn, l->uops, access->role, entry);
  return say(l, "may read", entry, &point);
}

bool tsr__written_step(struct tsr__written *w, size_t index, const struct tsr_insn *insn,
                       const struct tsr__region *region, const uint8_t *uops, char *text,
                       size_t size)
{
  bool found = false;
  for (int k = 0; k < region->count && !found; k++) {
    const struct tsr__access *access = &region->list[k];
    struct look l = {index, insn, region, uops, access, reads_of(insn->opcode, access), text, size};
    found = l.reads != NEVER && check(w, &l);
  }
  for (int k = 0; k < region->count; k++)
    if (region->list[k].writes)
      tsr__set_unite(&w->written[region->list[k].buffer], &region->list[k].set);
  return found;
}
