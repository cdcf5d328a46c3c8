/* SPDX-License-Identifier: Apache-2.0 */
/* Lowering: first every stage gets its place (region, loops, buffer), consumers before producers,
 * because a region is what consumers ask for; then the statements are made, producers before
 * consumers. */
#ifndef TSR_COMPILER_TIR_LOWER_H
#define TSR_COMPILER_TIR_LOWER_H

#include "compiler/tir/region.h"
#include "compiler/tir/sched.h"

struct tir__place {
  const struct tir__sstage *s;
  struct tir__place *in; /* the stage in whose loop it is computed; NULL: root */
  int in_position;       /* ... and the place of that loop among in's leaves */
  tir_e min[TSR_MAX_RANK], size[TSR_MAX_RANK]; /* the region: by what enclosing loops stand at */
  const struct tir_buffer *buffer;             /* holds the region */
  int slides;     /* the dimension along which it slides; -1: none. Its size is without what is kept: */
  tir_e kept;     /* at the beginning of the region */
  tir_e read;     /* the size with it */
  int64_t most_kept;
  int first_range;                             /* of leaf 0; the other leaves' follow */
  tir_e *extent, *value;                       /* of each loop, by the variables of leaves */
  tir_e local[TSR_MAX_RANK];                   /* spatial axes from the region's min */
  const struct tir_var **axis_var;             /* what `rewriter` replaces */
  tir_e *axis;
  struct tir__rewriter rewriter; /* from the stage's own expressions to loops and placed buffers */
  int init_at;   /* the init nest stands before this leaf; also where init is folded */
  int tensor_at; /* the first tensorized leaf; `leaves`: none */
  struct tir_match match;
  tir_e guard, otherwise; /* of select(guard, value, otherwise): value is tensorized; or NULL */
  bool folds_init; /* the intrinsic starts the reduction itself */
};

struct tir__lowering {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tir_sched *sched;
  const struct tir__state *state;
  struct tir__ranges ranges;
  struct tir__place *place; /* by stage */
  const struct tir__place *slides; /* the last stage that was found to; NULL: none yet */
};

enum tsr_status tir__place_all(struct tir__lowering *l);               /* lower_place.c */
void tir__infer_region(struct tir__lowering *l, struct tir__place *p); /* lower_region.c */

/* lower_slide.c: a stage that slides, when its region and buffer are known; the stage that moves what of it is
 * kept; and the largest that a size gets. */
enum tsr_status tir__slide(struct tir__lowering *l, struct tir__place *p);
void tir__place_mover(struct tir__lowering *l, struct tir__place *p, const struct tir__place *of);
int64_t tir__largest(struct tir__lowering *l, tir_e size, int64_t otherwise);

enum tsr_status tir__match_all(struct tir__lowering *l);               /* lower_match.c */
enum tsr_status tir__check_bound(struct tir__lowering *l);             /* lower_bound.c */
struct tir_stmt *tir__emit(struct tir__lowering *l);                   /* lower_emit.c */

/* pipeline.c: loops whose copies to shared memory run ahead. */
struct tir_stmt *tir__pipeline(struct tsr_arena *a, struct tir_stmt *s);

/* Whether the statement stores to the buffer. */
bool tir__writes(const struct tir_stmt *s, const struct tir_buffer *b);

/* barrier.c: the statement with barriers where threads of a block share memory. */
struct tir_stmt *tir__place_barriers(struct tsr_arena *a, struct tir_stmt *body);

/* A leaf whose only iteration is 0. */
bool tir__dropped(const struct tir__place *p, int position);

#endif
