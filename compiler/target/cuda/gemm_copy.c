/* SPDX-License-Identifier: Apache-2.0 */
/* The warp that copies tiles of a and b into the ring. */
#include "compiler/target/cuda/gemm_private.h"

/* Where a step is in k: which tap of a convolution, and k from where on. */
struct depth {
  LLVMValueRef tap, k;
};

static struct depth depth_of(const struct gemm *k, LLVMValueRef step)
{
  int box = cuda__gemm_launch(k->g).box_k;
  if (!k->g->window.taps_h)
    return (struct depth){number(k, 0), times(k, step, box)};
  LLVMValueRef each = number(k, pieces(k->g->k, box));
  return (struct depth){over(k, step, each), times(k, modulo(k, step, each), box)};
}

/* This block's part of b's tile to `to`. b's columns, or its rows, are counted through all products or taps. */
static void copy_b(const struct gemm *k, LLVMValueRef to, const struct gemm__place *at,
                   const struct depth *depth, LLVMValueRef full)
{
  int cluster = k->g->tile.cluster, blocks = cluster > 1 ? (1 << cluster) - 1 : 0;
  bool window = k->g->window.taps_h;
  LLVMValueRef column = at->column, row = depth->k;
  LLVMValueRef part = window ? depth->tap : at->product;
  if (k->g->b != CUDA__B_ROWS && (window || k->g->batch > 1))
    column = add(k, column, LLVMBuildMul(k->e->builder, part, k->n, ""));
  if (window)
    row = add(k, row, times(k, depth->tap, k->g->k));
  if (k->g->b == CUDA__B_PACKED) {
    LLVMValueRef index[] = {depth->k, column};
    cuda__copy_box(k->e, to, k->map_b, 2, index, full, blocks);
  } else if (k->g->b == CUDA__B_COLUMNS) {
    for (int j = 0; j < RUN / 2; j++) { /* columns 2j and 2j + 1 of each eight */
      LLVMValueRef index[] = {depth->k, number(k, 2 * j), over(k, column, number(k, RUN))};
      LLVMValueRef there = add(k, to, number(k, (int64_t)j * k->g->tile.n / 4 * ROW));
      cuda__copy_box(k->e, there, k->map_b, 3, index, full, blocks);
    }
  } else {
    for (int j = 0; j < cuda__gemm_launch(k->g).box_n / PANEL; j++) {
      LLVMValueRef index[] = {add(k, column, number(k, (int64_t)j * PANEL)), row, at->product};
      LLVMValueRef there = add(k, to, number(k, (int64_t)j * PANEL * ROW));
      cuda__copy_box(k->e, there, k->map_b, 3, index, full, blocks);
    }
  }
}

/* The pixel that a tap reads of the one at `at`. */
static LLVMValueRef pixel_of(const struct gemm *k, LLVMValueRef at, LLVMValueRef tap, int step,
                             int apart, int before)
{
  return add(k, add(k, times(k, at, step), times(k, tap, apart)), number(k, -before));
}

static void copy_a(const struct gemm *k, LLVMValueRef to, const struct gemm__place *at,
                   const struct depth *depth, LLVMValueRef full)
{
  const struct cuda__gemm_window *w = &k->g->window;
  LLVMValueRef index[] = {depth->k, at->row, k->g->one_a ? number(k, 0) : at->product, at->image};
  if (!w->taps_h) {
    cuda__copy_box(k->e, to, k->map_a, 3, index, full, 0);
    return;
  }
  LLVMValueRef across = number(k, w->taps_w);
  index[1] = pixel_of(k, at->x, modulo(k, depth->tap, across), w->step_w, w->apart_w, w->before_w);
  index[2] = pixel_of(k, at->y, over(k, depth->tap, across), w->step_h, w->apart_h, w->before_h);
  cuda__copy_box(k->e, to, k->map_a, 4, index, full, 0);
}

static void wait_for_room(const struct gemm *k)
{
  LLVMValueRef parity = cuda__get(k->e, k->parity);
  LLVMValueRef before = LLVMBuildXor(k->e->builder, parity, number(k, 1), "");
  cuda__barrier_wait(k->e, gemm__barrier(k, true, cuda__get(k->e, k->stage)), before);
}

static void copy_stage(const struct gemm *k, const struct gemm__place *at, LLVMValueRef step)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  struct cuda__gemm_launch launch = cuda__gemm_launch(k->g);
  struct gemm__place part = *at;
  struct depth depth = depth_of(k, step);
  LLVMValueRef stage = cuda__get(k->e, k->stage), full = gemm__barrier(k, false, stage);
  LLVMValueRef to = add(k, k->ring, times(k, stage, stage_bytes(t)));
  wait_for_room(k);
  cuda__barrier_expect(k->e, full, number(k, (launch.box_m + t->n) * ROW));
  copy_a(k, to, at, &depth, full);
  to = add(k, to, number(k, t->m * ROW));
  if (t->cluster > 1) {
    int rows = k->g->b == CUDA__B_COLUMNS ? launch.box_n / 4 : launch.box_n;
    part.column = add(k, part.column, times(k, k->rank, launch.box_n));
    to = add(k, to, times(k, k->rank, rows * ROW));
  }
  copy_b(k, to, &part, &depth, full);
}

/* Other blocks' arrivals are still on their way here: a block may end when all of its stages are free. */
static void wait_for_all(const struct gemm *k)
{
  for (int i = 0; i < k->g->tile.stages; i++) {
    wait_for_room(k);
    gemm__advance(k);
  }
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
  if (k->g->tile.cluster > 1)
    wait_for_all(k);
}
