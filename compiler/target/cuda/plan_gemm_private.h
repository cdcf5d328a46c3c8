/* SPDX-License-Identifier: Apache-2.0 */
/* What plan_gemm.c and plan_window.c share: a func's matrices, as far as they are found. */
#ifndef TSR_TARGET_CUDA_PLAN_GEMM_PRIVATE_H
#define TSR_TARGET_CUDA_PLAN_GEMM_PRIVATE_H

#include "compiler/target/cuda/plan_gemm.h"
#include "compiler/target/cuda/product.h"

enum {
  LEAST_BYTES = 16,  /* of a stride that the copy engine takes, which is a multiple of it */
  MOST_STEP = 8,     /* of elements that it takes out of a box */
  COLUMNS_APART = 8, /* columns of b are taken by pairs out of so many */
  LEAST_COLUMNS = 16,
  PANEL = 64,      /* columns of b by rows that are copied at a time */
  ROWS_APART = 32, /* ... and of which there are multiples */
};

/* One side as a matrix in memory: elements from one place to the next. */
struct side {
  int param;
  int64_t along, across, batch; /* k; rows or columns; products */
};

struct finder {
  struct tsr_arena *a;
  const struct cuda__product *p;
  enum cuda__along
      along[2 * TSR_MAX_RANK]; /* of the sum's axes, seen as products one behind the other */
  struct side side[CUDA__SIDES];
  int64_t taps; /* of a convolution; 1: none */
  struct cuda__gemm_layer *out;
};

bool plan__is_zero(tir_e x);
int64_t plan__extent_along(const struct finder *f, enum cuda__along along);
int plan__param_of(const struct tir_func *f, const struct tir_buffer *b); /* -1: it is no input */
/* All axes along `along` as one run of steps of *step elements, 0: they do not matter; false: they are not one. */
bool plan__find_step(const struct finder *f, tir_e side, enum cuda__along along, int64_t *step);
/* Where the side is read when all axes are 0 is its buffer's begin. */
bool plan__begins_at_zero(tir_e side);
/* strides in elements, of dims 1 and up; of a dim of one element any will do. steps: NULL, or of each dim: every
 * so many elements. False: the copy engine takes no such. */
bool plan__make_map(const struct finder *f, int which, int rank, const int64_t *dims,
                    const int64_t *strides, const int64_t *box, const int *steps,
                    struct tsr_tensor_map *out);
bool plan__map_b(struct finder *f);
/* The form of b, the epilogue, and a tile; b's side is known. */
bool plan__choose(struct finder *f);

/* plan_window.c: whether the func is a convolution of channels side by side. */
bool plan__find_convolution(struct finder *f);

#endif
