/* SPDX-License-Identifier: Apache-2.0 */
/* The normal form of index arithmetic: constant + sum of factor * atom, each atom once. */
#ifndef TSR_COMPILER_TIR_REGION_SUM_H
#define TSR_COMPILER_TIR_REGION_SUM_H

#include "compiler/tir/tir.h"

enum { TIR__SUM_TERMS = 24 };

struct tir__term {
  tir_e atom;
  int64_t factor; /* never 0 */
};

struct tir__sum {
  int64_t constant;
  int terms;
  bool full; /* terms were lost: the sum must not be used */
  struct tir__term term[TIR__SUM_TERMS];
};

void tir__sum_term(struct tir__sum *s, tir_e atom, int64_t factor);
void tir__sum_add(struct tir__sum *s, tir_e x, int64_t factor); /* x's atoms are in normal form */
tir_e tir__sum_expr(struct tsr_arena *a, const struct tir__sum *s);

#endif
