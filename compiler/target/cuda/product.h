/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs that multiply matrices: products summed, and what is done with each sum. Convolutions are
 * such, with rows of pixels gathered on the way. */
#ifndef TSR_TARGET_CUDA_PRODUCT_H
#define TSR_TARGET_CUDA_PRODUCT_H

#include "compiler/tir/tir_internal.h"

enum { CUDA__ROWS, CUDA__COLUMNS, CUDA__SIDES };
enum { CUDA__LEAST = 8 }; /* rows and columns that are worth a tensor core */

/* What an axis of the sum runs along. */
enum cuda__along { CUDA__ALONG_ROWS, CUDA__ALONG_COLUMNS, CUDA__ALONG_BATCH, CUDA__ALONG_SUM };

/* out[...] = tail of (init + sum of side[ROWS] * side[COLUMNS]), all by the axes of `sum`. */
struct cuda__product {
  const struct tir_func *func;
  const struct tir_stage *sum, *last;
  enum tsr_dtype dtype;                     /* of what passes through shared memory */
  bool tensor_cores;                        /* i8, f16, bf16, tf32; else as wide as the sum */
  tir_e side[CUDA__SIDES], init, tail;      /* tail NULL: the sum itself */
  enum cuda__along along[2 * TSR_MAX_RANK]; /* by axis */
  int64_t rows, columns, batch, depth;      /* extents of all axes along each, multiplied */
  int deepest;                              /* the reduce axis along which elements lie */
  bool side_by_side[CUDA__SIDES];           /* ... in 16 bytes each */
  bool along_side[CUDA__SIDES];             /* elements lie along rows, or columns */
  bool turned[CUDA__SIDES];                 /* the depth comes first in shared memory */
  /* The dim of the side's buffer that is made the last one first, by a stage of its own, so that
   * elements lie along the depth; -1: none. */
  int moved[CUDA__SIDES];
};

/* Whether the func is one, of sums of i32 or f32. */
bool cuda__product_of(struct tsr_arena *a, const struct tir_func *f, struct cuda__product *out);

/* The func with the factors of its products, where they are f32 and enough for tensor cores, rounded to
 * tf32; else f itself. */
const struct tir_func *cuda__with_tf32(struct tsr_arena *a, const struct tir_func *f);

/* Elements from one iteration of the variable to the next in the side's buffer; -1: it varies. */
int64_t cuda__step_of(tir_e side, const struct tir_var *var);

/* How tiles of a product are stored and computed. */
struct cuda__tile {
  int64_t rows, columns, depth; /* of a block: depth elements of each at a time */
  int64_t warps;                /* next to one another along the rows; of tensor cores */
  int64_t threads;              /* along each side; without them */
  int stages;                   /* tiles in shared memory at a time */
};

/* The func over matrices: stages a, b, acc and out, behind those that move a dim. */
struct tir_func *cuda__matrices(struct tsr_arena *a, const struct cuda__product *p,
                                const struct cuda__tile *tile);

#endif
