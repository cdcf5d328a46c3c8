/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products on sm_90a: y = epilogue(a . b^T), by wgmma out of shared memory that the copy engine fills.
 *
 * a is (m,k) and b is (n,k), both row-major, rows a multiple of 16 bytes. A tile of k is 128 bytes, one row
 * of the 128-byte swizzle. One warp of a block copies tiles into a ring of stages; warpgroups multiply out of
 * it, their sums in registers, and store what the epilogue makes of them. The rows of b are permuted
 * (cuda__gemm_row) so that a thread's sums lie side by side in y.
 *
 * A block goes on to the tile gridDim tiles further (*persistent*) until there is none. Blocks of a cluster
 * have tiles below one another and send each other their part of b (*multicast*), or share one tile and each
 * sum a part of k (*splits*), which they then add up through each other's shared memory. */
#ifndef TSR_TARGET_CUDA_GEMM_H
#define TSR_TARGET_CUDA_GEMM_H

#include "compiler/target/llvm/emit.h"

enum cuda__element { CUDA__F16, CUDA__BF16, CUDA__F32, CUDA__I8, CUDA__I32 };
int cuda__element_bytes(enum cuda__element element);

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

struct cuda__gemm {
  const char *name;
  struct cuda__gemm_tile tile;
  enum cuda__element in, out; /* F16, BF16: sums in f32; I8: in i32 */
  int64_t m, n, k;            /* all 0: arguments of the kernel */
  /* One stage, y[m,n] of acc[m,n], the first input, and of other inputs; f32 for an out of F16 or BF16. */
  const struct tir_func *epilogue;
};

/* Refuses a tile that the instructions or the shared memory do not have. */
enum tsr_status cuda__gemm_check(struct tsr_err *err, const struct cuda__gemm *g);

/* Adds the kernel to e->module. Its arguments: the tensor maps of a and of b, a pointer for each other input
 * of the epilogue and for y, i32 m, n and k where they are arguments, and the status word. */
void cuda__gemm_emit(struct llvm__emit *e, const struct cuda__gemm *g);

/* What a launch needs. */
struct cuda__gemm_launch {
  int threads, shared_bytes, cluster;
  int box_k, box_m, box_n; /* elements */
};
struct cuda__gemm_launch cuda__gemm_launch(const struct cuda__gemm *g);
/* Blocks, on a device of so many multiprocessors. */
int64_t cuda__gemm_blocks(const struct cuda__gemm *g, int64_t m, int64_t n, int multiprocessors);

/* The row of y's columns that row i of b holds in memory. n is a multiple of 32 there. */
int64_t cuda__gemm_row(int64_t i);

#endif
