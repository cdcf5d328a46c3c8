/* SPDX-License-Identifier: Apache-2.0 */
/* A nest that is a reduction in registers: what tile.c finds and tile_points.c emits. */
#ifndef TSR_TARGET_LLVM_TILE_H
#define TSR_TARGET_LLVM_TILE_H

#include "compiler/target/llvm/emit.h"

enum { LLVM__TILE_LOOPS = 16, LLVM__TILE_POINTS = 64, LLVM__LEAST_LANES = 4 };

/* One register of results. */
struct llvm__point {
  int64_t at[LLVM__TILE_LOOPS]; /* of each loop of the points */
  int width;                    /* elements; 1: a scalar */
  LLVMValueRef sum;             /* an alloca */
  LLVMValueRef partial;         /* lanes of the reduction; NULL: none */
};

struct llvm__tile {
  int loops, reduces; /* reduce loops come first */
  const struct tir_stmt *loop[LLVM__TILE_LOOPS];
  int64_t most[LLVM__TILE_LOOPS]; /* iterations; of a tile at an end, fewer */
  const struct tir_stmt *leaf;    /* a store, or a call that accumulates */
  const struct tir_buffer *out;   /* out[index] combine= ... */
  const tir_e *index;
  enum tir_combine combine;
  const struct tir_stmt *init; /* a store of the initial values, by variables of its own; or NULL */
  const struct tir_var *init_var[LLVM__TILE_LOOPS]; /* by loop of the points */
  bool lanes, reduce_lanes;
  int width; /* most elements of a point */
  int points;
  struct llvm__point point[LLVM__TILE_POINTS];
};

/* Fills t->point for t->most; false: too many. A row of a tile at an end may be two overlapping pieces
 * where that of a whole tile is one, so that it may have twice as many points. */
bool llvm__tile_points(struct llvm__tile *t);
/* Vector registers that they take. */
int llvm__tile_registers(struct llvm__emit *e, const struct llvm__tile *t);
void llvm__tile_open(struct llvm__emit *e, const struct llvm__tile *t, struct llvm__point *p);
void llvm__tile_close(struct llvm__emit *e, const struct llvm__tile *t,
                      const struct llvm__point *p);
/* One iteration of the reduction for all points, or one in each lane. */
void llvm__tile_step(struct llvm__emit *e, const struct llvm__tile *t, bool in_lanes);

#endif
