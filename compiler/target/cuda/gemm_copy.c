/* SPDX-License-Identifier: Apache-2.0 */
/* The warp that copies tiles of a and b into the ring. */
#include "compiler/target/cuda/gemm_private.h"

/* Columns of b are counted through all products. */
static LLVMValueRef column_of(const struct gemm *k, const struct gemm__place *at)
{
  LLVMValueRef before = LLVMBuildMul(k->e->builder, at->product, k->n, "");
  return k->g->batch > 1 ? add(k, before, at->column) : at->column;
}

/* This block's part of b's tile to `to`, k from `depth` on. */
static void copy_b(const struct gemm *k, LLVMValueRef to, const struct gemm__place *at,
                   LLVMValueRef depth, LLVMValueRef full)
{
  int cluster = k->g->tile.cluster, blocks = cluster > 1 ? (1 << cluster) - 1 : 0;
  LLVMValueRef null = number(k, 0);
  if (k->g->b == CUDA__B_PACKED) {
    LLVMValueRef index[] = {depth, column_of(k, at)};
    cuda__copy_box(k->e, to, k->map_b, 2, index, full, blocks);
  } else if (k->g->b == CUDA__B_COLUMNS) {
    LLVMValueRef column = over(k, column_of(k, at), number(k, COLUMNS));
    LLVMValueRef index[] = {depth, null, null, null, column};
    cuda__copy_box(k->e, to, k->map_b, 5, index, full, blocks);
  } else {
    LLVMValueRef index[] = {null, depth, over(k, at->column, number(k, PANEL)), at->product};
    cuda__copy_box(k->e, to, k->map_b, 4, index, full, blocks);
  }
}

static void copy_stage(const struct gemm *k, const struct gemm__place *at, LLVMValueRef step)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  struct cuda__gemm_launch launch = cuda__gemm_launch(k->g);
  struct gemm__place part = *at;
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef stage = cuda__get(k->e, k->stage), full = gemm__barrier(k, false, stage);
  LLVMValueRef to = add(k, k->ring, times(k, stage, stage_bytes(t)));
  LLVMValueRef index[] = {times(k, step, launch.box_k), at->row,
                          k->g->one_a ? number(k, 0) : at->product};
  LLVMValueRef free_parity = LLVMBuildXor(b, cuda__get(k->e, k->parity), number(k, 1), "");
  cuda__barrier_wait(k->e, gemm__barrier(k, true, stage), free_parity);
  cuda__barrier_expect(k->e, full, number(k, stage_bytes(t)));
  cuda__copy_box(k->e, to, k->map_a, 3, index, full, 0);
  to = add(k, to, number(k, t->m * ROW));
  if (t->cluster > 1) {
    part.column = add(k, part.column, times(k, k->rank, launch.box_n));
    to = add(k, to, times(k, k->rank, launch.box_n * ROW));
  }
  copy_b(k, to, &part, index[0], full);
}

void gemm__copy_tiles(const struct gemm *k)
{
  struct llvm__emit *e = k->e;
  LLVMValueRef tile = llvm__local(e, LLVMInt32TypeInContext(e->context), "tile");
  LLVMValueRef step = llvm__local(e, LLVMInt32TypeInContext(e->context), "step");
  cuda__map_prefetch(e, k->map_a);
  cuda__map_prefetch(e, k->map_b);
  gemm__seek(k, number(k, 0));
  cuda__set(e, tile, k->cluster);
  struct cuda__loop tiles = cuda__loop_begin(e, tile, k->tiles, k->clusters);
  struct gemm__place at = gemm__place(k, cuda__get(e, tile));
  LLVMValueRef first = number(k, 0), last = k->steps;
  if (k->g->tile.splits > 1) {
    first = LLVMBuildMul(e->builder, k->rank, k->steps, "");
    last = add(k, first, k->steps);
  }
  cuda__set(e, step, first);
  struct cuda__loop steps = cuda__loop_begin(e, step, last, number(k, 1));
  copy_stage(k, &at, cuda__get(e, step));
  gemm__advance(k);
  cuda__loop_end(e, &steps);
  cuda__loop_end(e, &tiles);
}
