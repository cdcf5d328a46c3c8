/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make schedules share. */
#ifndef TSR_TARGET_CPU_PLAN_H
#define TSR_TARGET_CPU_PLAN_H

#include "compiler/target/cpu/function.h"

struct cpu__planner {
  struct llvm__emit e; /* for questions about steps between lanes */
  const struct tir_func *func;
  struct tir_sched *sched;
  struct tsr_err *err;
  const struct tir_intrinsics *intrinsics;
  const struct tir_stage *s, *tail; /* at hand; what is computed with it, NULL: nothing */
  int width;                        /* lanes of a vector of it */
  bool *inlined;                    /* by stage: it is part of its readers */
  bool *settled;                    /* by stage: its schedule is made */
  const struct tir_stage *banded;   /* sums that are computed within a band; NULL: none are */
  bool shared;                      /* threads share out bands */
};

/* A sum of products of a row and a column, as register tiles and blocks of caches. *done: it is one
 * and has its schedule. */
enum tsr_status cpu__plan_product(struct cpu__planner *p, bool *done);

/* A convolution by tiles, but for its sums, which are left as those of a band. */
enum tsr_status cpu__plan_tiles(struct cpu__planner *p);

/* The name of an axis without its stage. */
const char *cpu__axis_name(const struct tir_stage *s, int axis);
/* The only stage that reads the one at hand; NULL: none, or more. */
const struct tir_stage *cpu__only_reader(const struct cpu__planner *p, const struct tir_stage *s);
/* The stage that computes a buffer; NULL: an input, or part of its readers. */
const struct tir_stage *cpu__producer(const struct cpu__planner *p, const struct tir_buffer *b);
void cpu__settle(struct cpu__planner *p, const struct tir_stage *s);
/* Elements from one iteration of the axis to the next; false: no constant, *step being 0, or one from 0
 * to 15 only. */
bool cpu__axis_step(struct cpu__planner *p, tir_e load, int axis, int64_t *step);

#endif
