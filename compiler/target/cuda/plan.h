/* SPDX-License-Identifier: Apache-2.0 */
/* What the planners share. */
#ifndef TSR_TARGET_CUDA_PLAN_H
#define TSR_TARGET_CUDA_PLAN_H

#include "compiler/target/cuda/cuda.h"

struct cuda__planner {
  struct tsr_arena *a;
  struct tsr_err *err;
  struct tir_sched *sched;
};

/* Loops `name`[0..n) of a stage, next to one another, as one. */
enum tsr_status cuda__fuse(struct cuda__planner *p, const char *stage, int n, const char **name,
                           const char **out);

/* Several stages as one kernel. *out NULL: they are not such. */
enum tsr_status cuda__plan_rows(struct tsr_arena *a, const struct tir_func *f,
                                struct tir_sched **out);

/* A product of matrices on tensor cores. *out NULL: the func is none, or too small for them. */
enum tsr_status cuda__plan_product(struct tsr_arena *a, struct tsr_err *err,
                                   const struct tir_func *f, struct tir_sched **out);

#endif
