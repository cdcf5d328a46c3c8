/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of one matrix product share: gemm.c, the kernel; gemm_copy.c and gemm_multiply.c, its two
 * kinds of warps; gemm_finish.c, from sums to results. */
#ifndef TSR_TARGET_CUDA_GEMM_PRIVATE_H
#define TSR_TARGET_CUDA_GEMM_PRIVATE_H

#include "compiler/target/cuda/gemm.h"
#include "compiler/target/cuda/sm90.h"

enum {
  ALIGNMENT = 256, /* of what arguments point to */
  ROW = 128,       /* bytes of a row of a tile: the swizzle's */
  STEPS = 4,       /* instructions along it, of 32 bytes each */
  PANEL = 64,      /* columns of a row of b of 128 bytes */
  COLUMNS = 32,    /* columns that four neighbouring threads hold 8 each of */
  RUN = 8,         /* those of one thread */
  WARPGROUP = 128, /* threads */
  SHARED = 232448, /* bytes that a block can have */
  MOST_SUMS = 128  /* registers of a thread */
};

struct gemm {
  struct llvm__emit *e;
  const struct cuda__gemm *g;
  const struct tir_buffer *result;
  int blocks_m, sums;           /* of one warpgroup: instructions below one another; registers */
  LLVMValueRef map_a, map_b, y; /* arguments */
  LLVMValueRef depth;           /* of a product */
  LLVMValueRef m, n, steps;     /* rows and columns of a product; tiles of k of this block */
  LLVMValueRef tiles_m, tiles_n, tiles; /* of clusters */
  LLVMValueRef cluster, clusters, rank; /* this one, how many; the block in it */
  LLVMValueRef warp, lane, ring, barriers;
  LLVMValueRef stage, parity;  /* variables: the next place in the ring */
  LLVMValueRef sum[MOST_SUMS]; /* variables */
};

/* --- gemm_quant.c: requantization in 32 bits ---------------------------------------------------- */

/* What a column's requantization is made of; all of one column. */
struct gemm__quant {
  tir_e quant; /* quant(sum, bias, multiplier, packed) of the epilogue */
  LLVMValueRef bias, multiplier, packed, shift, half, mask;
};
/* Whether this column's sums can do with 32 bits, of what `of_column` has loaded; NULL: the epilogue is not
 * one of them. */
LLVMValueRef gemm__quant_of(const struct gemm *k, struct llvm__scope *of_column,
                            struct gemm__quant *out);
/* In this scope, the requantization of this sum is done so. */
void gemm__quant_give(const struct gemm *k, const struct gemm__quant *q, LLVMValueRef sum);

/* --- gemm_finish.c ------------------------------------------------------------------------------ */

/* In this scope, loads of b in x are v. */
void gemm__give(struct llvm__emit *e, tir_e x, const struct tir_buffer *b, LLVMValueRef v);
/* Whether x is loaded from an input by the column alone. */
bool gemm__is_of_column(const struct gemm *k, const struct tir_stage *s, tir_e x);

/* --- gemm.c: tiles and the ring --------------------------------------------------------------- */

/* Which product, and its first row and column, of this block's part of a cluster's tile; of a convolution the
 * first image, and row and column of pixels. */
struct gemm__place {
  LLVMValueRef product, row, column, image, y, x;
};
struct gemm__place gemm__place(const struct gemm *k, LLVMValueRef tile);
/* Row `local` of that tile as a row of the result, counted through all products; whether it is one. */
LLVMValueRef gemm__row(const struct gemm *k, const struct gemm__place *at, LLVMValueRef local,
                       LLVMValueRef *inside);
LLVMValueRef gemm__barrier(const struct gemm *k, bool empty, LLVMValueRef stage);
/* The ring's place behind so many tiles of k; the next place. */
void gemm__seek(const struct gemm *k, LLVMValueRef position);
void gemm__advance(const struct gemm *k);

/* --- the parts of a block ----------------------------------------------------------------------- */

void gemm__copy_tiles(const struct gemm *k);
void gemm__multiply_tiles(const struct gemm *k);
/* What the sums of a tile become; shared: with the other blocks of the cluster. */
void gemm__finish(const struct gemm *k, LLVMValueRef warpgroup, const struct gemm__place *at);
void gemm__finish_shared(const struct gemm *k, LLVMValueRef warpgroup,
                         const struct gemm__place *at);

/* --- small things ---------------------------------------------------------------------------------- */

static inline int bytes_of(enum tsr_dtype dtype)
{
  return (int)tsr_dtype_bytes(dtype);
}

static inline LLVMValueRef number(const struct gemm *k, int64_t v)
{
  return llvm__i32(k->e, (int32_t)v);
}

static inline LLVMValueRef add(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildAdd(k->e->builder, x, y, "");
}

static inline LLVMValueRef times(const struct gemm *k, LLVMValueRef x, int64_t y)
{
  return LLVMBuildMul(k->e->builder, x, number(k, y), "");
}

static inline LLVMValueRef over(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildUDiv(k->e->builder, x, y, "");
}

static inline LLVMValueRef modulo(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildURem(k->e->builder, x, y, "");
}

static inline LLVMValueRef less(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildICmp(k->e->builder, LLVMIntSLT, x, y, "");
}

static inline LLVMValueRef equal(const struct gemm *k, LLVMValueRef x, int64_t y)
{
  return LLVMBuildICmp(k->e->builder, LLVMIntEQ, x, number(k, y), "");
}

static inline LLVMValueRef tiles_of(const struct gemm *k, LLVMValueRef extent, int64_t tile)
{
  return over(k, add(k, extent, number(k, tile - 1)), number(k, tile));
}

static inline LLVMTypeRef sum_type(const struct gemm *k)
{
  LLVMContextRef c = k->e->context;
  return k->g->in == TSR_I8 ? LLVMInt32TypeInContext(c) : LLVMFloatTypeInContext(c);
}

static inline int stage_bytes(const struct cuda__gemm_tile *t)
{
  return (t->m + t->n) * ROW;
}

static inline int taps(const struct cuda__gemm *g)
{
  return g->window.taps_h ? g->window.taps_h * g->window.taps_w : 1;
}

/* Rows of a tile that are copied. */
static inline int rows_of_tile(const struct cuda__gemm *g)
{
  const struct cuda__gemm_window *w = &g->window;
  return w->taps_h ? w->box_images * w->box_high * w->box_wide : g->tile.m;
}

static inline int64_t pieces(int64_t n, int64_t of)
{
  return (n + of - 1) / of;
}

/* Tiles of k of all taps. */
static inline int64_t steps_of_window(const struct cuda__gemm *g)
{
  return taps(g) * pieces(g->k * bytes_of(g->in), ROW);
}

/* Tiles of a convolution below one another. */
static inline int64_t boxes_of(const struct cuda__gemm_window *w)
{
  return pieces(w->images, w->box_images) * pieces(w->high, w->box_high) *
         pieces(w->wide, w->box_wide);
}

static inline int rows_of_warpgroup(const struct cuda__gemm_tile *t)
{
  return t->alternate ? t->m : t->m / t->warpgroups;
}

/* The warpgroups that read each stage. */
static inline int readers(const struct cuda__gemm_tile *t)
{
  return t->alternate ? 1 : t->warpgroups;
}

/* Sums of two or three warpgroups leave too few registers to whoever finishes them, so that the others give
 * theirs: then a whole warpgroup copies, since only that can. 40 * 128 + 232 * 256 registers are those of 384
 * threads of 168; 32 * 128 + 160 * 384 those of 512 threads of 128. */
static inline bool trades_registers(const struct cuda__gemm_tile *t)
{
  int sums = rows_of_warpgroup(t) / 64 * t->n / 2;
  return t->warpgroups > 1 && sums > (t->warpgroups == 2 ? MOST_SUMS / 2 : MOST_SUMS / 4);
}

#endif
