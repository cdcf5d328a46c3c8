/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic index arithmetic: what lowering needs to infer regions.
 *
 * Index expressions (i64) are kept in a normal form: a sum of factor * atom plus a constant, where
 * an atom is a variable or something not linear (min, max, floordiv, ...). Equal sums then look
 * equal, differences cancel, and an interval of a sum is taken without losing how its terms hang
 * together. */
#ifndef TSR_COMPILER_TIR_REGION_H
#define TSR_COMPILER_TIR_REGION_H

#include "compiler/tir/tir_internal.h"

/* A loop variable: 0 <= var < extent. An extent may use variables that were added before. */
struct tir__running {
  const struct tir_var *var;
  tir_e extent;
};

struct tir__ranges {
  struct tsr_arena *arena;
  size_t count, capacity;
  struct tir__running *range;
};

/* Outer loops are added before inner ones. The number of the range is returned. */
int tir__ranges_add(struct tir__ranges *r, const struct tir_var *var, tir_e extent);
int tir__ranges_find(const struct tir__ranges *r, const struct tir_var *var); /* -1: not a loop */

/* Replaces variables and loads, and simplifies what comes of it. `with` are in normal form already.
 */
struct tir__rewriter {
  struct tir__ranges *ranges;
  int vars;
  const struct tir_var *const *var;
  const tir_e *with;
  /* A load whose indices are rewritten already becomes what this returns. NULL: loads stay. */
  tir_e (*load)(void *context, tir_e load);
  void *context;
  struct tir__map done; /* shared subexpressions stay shared; to begin with, empty */
};
tir_e tir__rewrite(struct tir__rewriter *w, tir_e x);
tir_e tir__simplify(struct tir__ranges *r, tir_e x);
/* The sum a + b * factor in normal form. */
tir_e tir__sum(struct tir__ranges *r, tir_e a, tir_e b, int64_t factor);
tir_e tir__min(struct tir__ranges *r, tir_e a, tir_e b);
tir_e tir__max(struct tir__ranges *r, tir_e a, tir_e b);

/* The greatest (upper) or least value of x while the variables whose range is marked in `keep`
 * stand still and the others run: an expression of kept variables. keep NULL: none stands still,
 * the result is a constant. A bound is safe, not always tight. NULL: nothing is known (x depends on
 * data). */
tir_e tir__bound(struct tir__ranges *r, tir_e x, bool upper, const bool *keep);
/* The same as a number, `otherwise` where nothing is known. */
int64_t tir__bound_int(struct tir__ranges *r, tir_e x, bool upper, int64_t otherwise);

bool tir__has_load(tir_e x);

#endif
