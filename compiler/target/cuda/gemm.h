/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products on sm_90a: y = epilogue(a . b), by wgmma out of shared memory that the copy engine fills.
 *
 * a is (m,k) row-major; b as enum cuda__gemm_b says. Rows in memory are multiples of 16 bytes. A tile of k is
 * 128 bytes of a, one row of the 128-byte swizzle. One warp of a block copies tiles into a ring of stages;
 * warpgroups multiply out of it, their sums in registers, and store what the epilogue makes of them.
 *
 * A block goes on to the tile gridDim tiles further (*persistent*) until there is none. Blocks of a cluster
 * have tiles below one another and send each other their part of b (*multicast*), or share one tile and each
 * sum a part of k (*splits*), which they then add up through each other's shared memory. */
#ifndef TSR_TARGET_CUDA_GEMM_H
#define TSR_TARGET_CUDA_GEMM_H

#include "compiler/target/llvm/emit.h"

enum { CUDA__MULTIPROCESSORS = 132 }; /* of an H100 SXM and an H200, the devices of sm_90a */

/* How b lies in memory. A thread's sums are every second pair of columns of 32: what holds b by its columns is
 * copied in an order in which they come to lie side by side. n is a multiple of 8; of 32 for B_ROWS. The maps'
 * dims, boxes and what moves them by one product of the batch: a {k, m, batch}, box {box_k, box_m, 1}; B_COLUMNS
 * {k, 8, n / 8 * batch}, box {box_k, 2, box_n / 8}; B_PACKED {k, n * batch}, box {box_k, box_n}; B_ROWS
 * {n, k, batch}, box {64, box_k, 1}. */
enum cuda__gemm_b {
  CUDA__B_COLUMNS, /* (n,k), k side by side: boxes of five dims bring the columns in order */
  CUDA__B_PACKED,  /* the same, in that order already: cuda__gemm_row() */
  CUDA__B_ROWS, /* (k,n), n side by side, of 16-bit elements; threads trade words before they store */
};

struct cuda__gemm_tile {
  int m, n;       /* of one block at one time */
  int warpgroups; /* that multiply: 1 or 2 */
  bool
      alternate; /* two warpgroups take tiles in turn, one storing while the other multiplies; else they
                     share each tile, half of its rows each */
  int stages;
  int cluster; /* blocks that share b; 1: none */
  int splits;  /* blocks that share a tile; 1: none */
  int group;   /* tiles are taken down `group` clusters of rows, then to the right: for L2 */
};

/* A convolution whose channels, k, lie side by side: what is multiplied with b's part for a tap are pixels of
 * (images, ..., ..., k); m counts the pixels of the result, and a tile is a box of them. b has taps_h * taps_w
 * parts, one behind the other. a's map has the dims {k, columns, rows, images} of the pixels that are read, and
 * boxes of so many of the result, steps apart. */
struct cuda__gemm_window {
  int taps_h, taps_w; /* 0: none, a product of matrices */
  int step_h, step_w, apart_h, apart_w, before_h, before_w;
  int images, high, wide; /* of the result */
  int box_images, box_high, box_wide;
};
/* The box of at most so many pixels that leaves the fewest tiles. */
void cuda__gemm_set_box(struct cuda__gemm_window *w, int most);

struct cuda__gemm {
  const char *name;
  struct cuda__gemm_tile tile;
  struct cuda__gemm_window window;
  enum cuda__gemm_b b;
  enum tsr_dtype in; /* f16, bf16: sums in f32; i8: in i32 */
  int64_t batch;     /* products, one behind the other in y */
  bool one_a;        /* they all have the same a: its map has a batch of 1 */
  int64_t m, n, k;   /* of each; all 0: arguments of the kernel */
  /* What becomes of the sums: its first input is acc; others and y are the kernel's. Stages work element by
   * element, y the last one's; y's last `columns` axes are its columns, the others its rows, batch first. */
  const struct tir_func *epilogue;
  int columns;
};

/* Refuses a tile that the instructions or the shared memory do not have. */
enum tsr_status cuda__gemm_check(struct tsr_err *err, const struct cuda__gemm *g);

/* Adds the kernel to e->module. Its arguments: the tensor maps of a and of b, a pointer for each other input
 * of the epilogue and for y, i32 m, n and k where they are arguments, and the status word. */
void cuda__gemm_emit(struct llvm__emit *e, const struct cuda__gemm *g);

/* What a launch needs. */
struct cuda__gemm_launch {
  int threads, shared_bytes, cluster;
  int box_k, box_m, box_n; /* elements of one copy of a and b; their maps: cuda__gemm_maps() */
};
struct cuda__gemm_launch cuda__gemm_launch(const struct cuda__gemm *g);
/* Blocks, on a device of so many multiprocessors. */
int64_t cuda__gemm_blocks(const struct cuda__gemm *g, int multiprocessors);

/* The tile by which g, all but its tile given, is likely the fastest. */
void cuda__gemm_choose(struct cuda__gemm *g);

/* The column of y that row i of a packed b is of. */
int64_t cuda__gemm_row(int64_t i);

#endif
