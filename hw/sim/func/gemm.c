/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM through the kernels: blocks of rows and steps where the nest has a plan, else tile by tile
 * in the order of the nest. */
#include "hw/sim/func/gemm.h"

#include <string.h>

#include "hw/sim/func/kernel.h"
#include "hw/sim/func/plan.h"
#include "hw/sim/func/tiles.h"
#include "verify/check.h"

enum {
  ROWS = 1024,
  STEPS = 512,
  STEP_BYTES = 24 * 1024, /* of weights in a block, so that they stay in the first cache */
  SMALL_NEST = 8,         /* so few tiles are not worth a plan */
};

struct tsr__gemm {
  struct tsr__plan *plan;
  struct tsr__row rows[ROWS];
  struct tsr__step steps[STEPS];
};

struct tsr__gemm *tsr__gemm_new(struct tsr_arena *arena, const struct tsr_design *design)
{
  struct tsr__gemm *gemm = TSR_NEW(arena, struct tsr__gemm);
  gemm->plan = tsr__plan_new(arena, design);
  return gemm;
}

/* One instruction on its way. */
struct job {
  struct tsr_func *func;
  const struct tsr__tiles *tiles;
  struct tsr__gemm *gemm;
  struct tsr__block block;
  struct tsr__axes outer; /* of the plan, less: */
  struct tsr__axis twins; /* the one whose points are paired; n = 1 if there is none */
  size_t most_steps;
  size_t acc_entry; /* elements */
};

/* The block of one outer point. */
static void run_block(struct job *job, const struct tsr__walk *at)
{
  job->block.acc = job->func->acc + at->d * job->acc_entry;
  job->block.inp = job->tiles->inp + at->a * job->tiles->inp_entry;
  job->block.wgt = job->tiles->wgt + at->b * job->tiles->wgt_entry;
  job->tiles->kernel->run(&job->block);
}

/* The same block for every outer point; along the axis that leaves a alone, two at a time. */
static void run_steps(struct job *job)
{
  const struct tsr__axis *twins = &job->twins;
  TSR__WALK (at, &job->outer) {
    struct tsr__walk point = at;
    for (uint32_t i = 0; i < twins->n; i += 1 + job->block.twin) {
      job->block.twin = i + 1 < twins->n;
      point.d = at.d + i * twins->d;
      point.b = at.b + i * twins->b;
      run_block(job, &point);
    }
  }
  job->block.step_count = 0;
}

/* All steps of a group's micro-ops and the sum axes, for the rows that wait in the block. */
static void run_rows(struct job *job, const struct tsr__group *group)
{
  const struct tsr__use *uses = job->gemm->plan->uses + group->begin;
  TSR__WALK (at, &job->gemm->plan->sums)
    for (uint32_t u = 0; u < group->count; u++) {
      struct tsr__step *step = &job->gemm->steps[job->block.step_count++];
      step->a = (int32_t)(((int64_t)at.a + uses[u].a - uses[0].a) * (int64_t)job->tiles->inp_entry);
      step->b = (uint32_t)((at.b + uses[u].b) * job->tiles->wgt_entry);
      if (job->block.step_count == job->most_steps)
        run_steps(job);
    }
  if (job->block.step_count)
    run_steps(job);
  job->block.row_count = 0;
}

static void run_class(struct job *job, const struct tsr__class *class)
{
  const struct tsr__plan *plan = job->gemm->plan;
  const struct tsr__group *shared = &plan->groups[class->first];
  uint32_t batch = (uint32_t)job->func->design.batch;
  TSR__WALK (at, &plan->rows)
    for (int32_t g = (int32_t)class->first; g >= 0; g = plan->groups[g].next)
      for (uint32_t r = 0; r < batch; r++) {
        const struct tsr__group *group = &plan->groups[g];
        struct tsr__row *row = &job->gemm->rows[job->block.row_count++];
        row->d = (uint32_t)((at.d + group->d) * job->acc_entry + r * job->acc_entry / batch);
        row->a = (uint32_t)((at.a + plan->uses[group->begin].a) * job->tiles->inp_entry +
                            r * job->tiles->inp_entry / batch);
        if (job->block.row_count == ROWS)
          run_rows(job, shared);
      }
  if (job->block.row_count)
    run_rows(job, shared);
}

static struct tsr__axes where_first(const struct tsr__axes *axes)
{
  struct tsr__axes first = {.count = 0};
  for (int k = 0; k < axes->count; k++)
    if (!axes->axis[k].first)
      first.axis[first.count++] = axes->axis[k];
  return first;
}

/* Entries next to each other, cleared at once. */
struct stretch {
  size_t first, count;
};

static void clear_stretch(struct job *job, struct stretch *s, size_t next)
{
  if (next == s->first + s->count) {
    s->count++;
    return;
  }
  memset(job->func->acc + s->first * job->acc_entry, 0,
         s->count * job->acc_entry * sizeof(int32_t));
  *s = (struct stretch){next, 1};
}

/* Sums that start from zero: so that all of them can be added to. */
static void clear(struct job *job)
{
  const struct tsr__plan *plan = job->gemm->plan;
  struct tsr__axes rows = where_first(&plan->rows), outer = where_first(&plan->outer);
  struct stretch stretch = {0, 0};
  for (uint32_t g = 0; g < plan->group_count; g++) {
    if (!plan->groups[g].zero)
      continue;
    TSR__WALK (o, &outer)
      TSR__WALK (r, &rows)
        clear_stretch(job, &stretch, (size_t)o.d + r.d + plan->groups[g].d);
  }
  clear_stretch(job, &stretch, SIZE_MAX);
}

static void find_twins(struct job *job)
{
  const struct tsr__axes *all = &job->gemm->plan->outer;
  job->twins = (struct tsr__axis){.n = 1};
  for (int k = 0; k < all->count; k++) {
    if (job->tiles->kernel->twins && job->twins.n == 1 && all->axis[k].a == 0)
      job->twins = all->axis[k];
    else
      job->outer.axis[job->outer.count++] = all->axis[k];
  }
  job->block.twin_acc = job->twins.d * job->acc_entry;
  job->block.twin_wgt = job->twins.b * job->tiles->wgt_entry;
}

static void run_plan(struct job *job)
{
  const struct tsr__plan *plan = job->gemm->plan;
  find_twins(job);
  clear(job);
  for (uint32_t c = 0; c < plan->class_count; c++)
    run_class(job, &plan->classes[c]);
}

/* One tile product: the rows of the block stay, its bases move. */
static void run_tile(struct job *job, uint32_t d, uint32_t a, uint32_t b, bool first)
{
  job->block.acc = job->func->acc + d * job->acc_entry;
  job->block.inp = job->tiles->inp + a * job->tiles->inp_entry;
  job->block.wgt = job->tiles->wgt + b * job->tiles->wgt_entry;
  if (first)
    memset(job->block.acc, 0, job->acc_entry * sizeof(int32_t));
  job->tiles->kernel->run(&job->block);
}

/* All three loops in their order; `first` where every loop that counts it is at 0. */
static void run_in_order(struct job *job, const struct tsr_insn *insn)
{
  const uint8_t *uops = tsr__uops(job->func, insn);
  struct tsr__axes loops = {.count = 3};
  for (int k = 0; k < 3; k++)
    loops.axis[k] = (struct tsr__axis){insn->loop.n[k], insn->loop.step_dst[k],
                                       insn->loop.step_a[k], insn->loop.step_b[k],
                                       insn->loop.first >> k & 1};
  uint32_t batch = (uint32_t)job->func->design.batch;
  for (uint32_t r = 0; r < batch; r++)
    job->gemm->rows[r] = (struct tsr__row){(uint32_t)(r * job->acc_entry / batch),
                                           (uint32_t)(r * job->tiles->inp_entry / batch)};
  job->gemm->steps[0] = (struct tsr__step){0, 0};
  job->block.row_count = batch;
  job->block.step_count = 1;
  TSR__WALK (at, &loops) {
    bool first = true;
    for (int k = 0; k < 3; k++)
      first &= at.i[k] == 0 || !loops.axis[k].first;
    const uint8_t *uop = uops;
    for (uint32_t u = 0; u < insn->loop.uop_count; u++, uop += TSR_UOP_BYTES)
      run_tile(job, at.d + tsr__le16(uop), at.a + tsr__le16(uop + 2), at.b + tsr__le16(uop + 4),
               first && uop[6] & 1);
  }
}

void tsr__gemm(struct tsr_func *func, const struct tsr_insn *insn)
{
  const struct tsr_design *d = &func->design;
  tsr__tiles_refresh(func);
  struct job job = {.func = func, .tiles = func->tiles, .gemm = func->gemm};
  job.block = (struct tsr__block){
      .in = d->block_in, .out = d->block_out, .rows = func->gemm->rows, .steps = func->gemm->steps};
  job.acc_entry = (size_t)tsr_design_lanes(d);
  job.most_steps = STEP_BYTES / func->tiles->wgt_entry;
  job.most_steps = job.most_steps < 4 ? 4 : job.most_steps > STEPS ? STEPS : job.most_steps;
  uint64_t tiles = tsr_check_loop_points(insn);
  if (tiles > SMALL_NEST && tsr__plan_make(func->gemm->plan, insn, tsr__uops(func, insn)))
    run_plan(&job);
  else
    run_in_order(&job, insn);
}
