/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/func/plan.h"

#include <string.h>

enum { CLASSES_COMPARED = 32 }; /* a group is compared with so many classes, the latest first */

struct tsr__plan *tsr__plan_new(struct tsr_arena *arena, const struct tsr_design *design)
{
  struct tsr__plan *plan = TSR_NEW(arena, struct tsr__plan);
  int uops = tsr_design_depth(design, TSR_BUFFER_UOP);
  plan->acc_depth = (uint32_t)tsr_design_depth(design, TSR_BUFFER_ACC);
  plan->groups = TSR_NEW_ARRAY(arena, struct tsr__group, uops);
  plan->classes = TSR_NEW_ARRAY(arena, struct tsr__class, uops);
  plan->uses = TSR_NEW_ARRAY(arena, struct tsr__use, uops);
  plan->group_of = TSR_NEW_ARRAY(arena, int32_t, plan->acc_depth);
  plan->taken = TSR_NEW_ARRAY(arena, uint8_t, plan->acc_depth / 8 + 1);
  memset(plan->group_of, 0xff, plan->acc_depth * sizeof *plan->group_of);
  return plan;
}

static void split_loops(struct tsr__plan *plan, const struct tsr_insn *insn)
{
  plan->sums.count = plan->rows.count = plan->outer.count = 0;
  for (int k = 0; k < 3; k++) {
    struct tsr__axis axis = {insn->loop.n[k], insn->loop.step_dst[k], insn->loop.step_a[k],
                             insn->loop.step_b[k], insn->loop.first >> k & 1};
    struct tsr__axes *axes = axis.d == 0 ? &plan->sums : axis.b == 0 ? &plan->rows : &plan->outer;
    if (axis.n > 1)
      axes->axis[axes->count++] = axis;
  }
}

/* Counts the micro-ops of each d; false where one that is not the first of its group overwrites. */
static bool find_groups(struct tsr__plan *plan, const struct tsr_insn *insn, const uint8_t *uop)
{
  plan->group_count = 0;
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uop += TSR_UOP_BYTES) {
    uint32_t d = tsr__le16(uop);
    bool overwrite = uop[6] & 1;
    int32_t *group = &plan->group_of[d];
    if (*group >= 0 && overwrite)
      return false;
    if (*group < 0) {
      *group = (int32_t)plan->group_count++;
      plan->groups[*group] = (struct tsr__group){.d = d, .zero = overwrite, .next = -1};
    }
    plan->groups[*group].count++;
  }
  return true;
}

static void fill_groups(struct tsr__plan *plan, const struct tsr_insn *insn, const uint8_t *uop)
{
  uint32_t begin = 0;
  for (uint32_t g = 0; g < plan->group_count; g++) {
    plan->groups[g].begin = begin;
    begin += plan->groups[g].count;
    plan->groups[g].count = 0;
  }
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uop += TSR_UOP_BYTES) {
    struct tsr__group *group = &plan->groups[plan->group_of[tsr__le16(uop)]];
    plan->uses[group->begin + group->count++] = (struct tsr__use){tsr__le16(uop + 2),
                                                                  tsr__le16(uop + 4)};
  }
}

static bool any_zero(const struct tsr__plan *plan)
{
  for (uint32_t g = 0; g < plan->group_count; g++)
    if (plan->groups[g].zero)
      return true;
  return false;
}

static bool zero_comes_first(const struct tsr__plan *plan)
{
  for (int k = 0; k < plan->sums.count; k++)
    if (!plan->sums.axis[k].first)
      return !any_zero(plan);
  return true;
}

/* Values apart by at least `gap`, from the least to the largest `span`. */
struct spread {
  uint64_t gap, span;
};

/* False where the d of the groups do not rise. */
static bool spread_of_groups(const struct tsr__plan *plan, struct spread *out)
{
  const struct tsr__group *g = plan->groups;
  uint32_t last = plan->group_count - 1;
  *out = (struct spread){UINT64_MAX, g[last].d - g[0].d};
  for (uint32_t i = 0; i < last; i++) {
    if (g[i + 1].d <= g[i].d)
      return false;
    if (g[i + 1].d - g[i].d < out->gap)
      out->gap = g[i + 1].d - g[i].d;
  }
  return true;
}

/* Enough for every d to be distinct: like digits, each spread steps over the sum of the smaller
 * ones. */
static bool nested(const struct tsr__plan *plan)
{
  struct spread list[4];
  int count = 1;
  if (!spread_of_groups(plan, &list[0]))
    return false;
  for (int k = 0; k < plan->rows.count + plan->outer.count; k++) {
    const struct tsr__axis *axis = k < plan->rows.count ? &plan->rows.axis[k]
                                                        : &plan->outer.axis[k - plan->rows.count];
    struct spread s = {axis->d, (uint64_t)(axis->n - 1) * axis->d};
    int at = count++;
    for (; at > 0 && list[at - 1].gap > s.gap; at--)
      list[at] = list[at - 1];
    list[at] = s;
  }
  uint64_t below = 0;
  for (int k = 0; k < count; below += list[k++].span)
    if (list[k].gap <= below)
      return false;
  return true;
}

/* Takes base's d for every group; false at the first that is taken already. */
static bool take(struct tsr__plan *plan, uint32_t base)
{
  for (uint32_t g = 0; g < plan->group_count; g++) {
    uint32_t d = base + plan->groups[g].d;
    if (plan->taken[d / 8] >> d % 8 & 1)
      return false;
    plan->taken[d / 8] |= (uint8_t)(1 << d % 8);
  }
  return true;
}

static bool all_distinct(struct tsr__plan *plan)
{
  if (nested(plan))
    return true;
  memset(plan->taken, 0, plan->acc_depth / 8 + 1);
  TSR__WALK (outer, &plan->outer)
    TSR__WALK (row, &plan->rows)
      if (!take(plan, outer.d + row.d))
        return false;
  return true;
}

static bool same_class(const struct tsr__plan *plan, const struct tsr__group *x,
                       const struct tsr__group *y)
{
  const struct tsr__use *p = plan->uses + x->begin, *q = plan->uses + y->begin;
  if (x->count != y->count)
    return false;
  for (uint32_t i = 0; i < x->count; i++)
    if (p[i].b != q[i].b || p[i].a - p[0].a != q[i].a - q[0].a)
      return false;
  return true;
}

static void classify(struct tsr__plan *plan)
{
  plan->class_count = 0;
  for (uint32_t g = 0; g < plan->group_count; g++) {
    uint32_t c = plan->class_count, end = c > CLASSES_COMPARED ? c - CLASSES_COMPARED : 0;
    while (c > end &&
           !same_class(plan, &plan->groups[plan->classes[c - 1].first], &plan->groups[g]))
      c--;
    if (c == end) {
      plan->classes[plan->class_count++] = (struct tsr__class){g, g};
    } else {
      plan->groups[plan->classes[c - 1].last].next = (int32_t)g;
      plan->classes[c - 1].last = g;
    }
  }
}

bool tsr__plan_make(struct tsr__plan *plan, const struct tsr_insn *insn, const uint8_t *uops)
{
  split_loops(plan, insn);
  bool good = find_groups(plan, insn, uops);
  if (good)
    fill_groups(plan, insn, uops);
  for (uint32_t g = 0; g < plan->group_count; g++)
    plan->group_of[plan->groups[g].d] = -1;
  if (!good || !zero_comes_first(plan) || !all_distinct(plan))
    return false;
  classify(plan);
  return true;
}
