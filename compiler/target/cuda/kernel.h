/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of tensor IR as kernels: each nest at the root is one. */
#ifndef TSR_TARGET_CUDA_KERNEL_H
#define TSR_TARGET_CUDA_KERNEL_H

#include "compiler/target/llvm/emit.h"
#include "native/kernels.h"

enum { CUDA__GLOBAL = 1, CUDA__SHARED = 3 }; /* address spaces */
enum { CUDA__DIMS = 3, CUDA__WARP = 32 };

/* One kernel while it is emitted. */
struct cuda__kernel {
  struct llvm__emit e; /* first: what is called with it finds the kernel */
  struct tsr_err *err;
  struct tsr_gpu_arch arch;
  uint32_t grid[CUDA__DIMS], block[CUDA__DIMS];
  bool bound[CUDA__DIMS];     /* threads of this dim: the loop around is theirs */
  bool exchanges[CUDA__DIMS]; /* threads of this dim share a reduction */
  LLVMValueRef shared;        /* where the block's shared memory begins */
  uint64_t shared_bytes;
};

/* --- function.c ------------------------------------------------------------------------------- */

/* Emits the kernels of a program into the module: `prefix`_0, ... */
enum tsr_status cuda__kernels(struct cuda__kernel *k, const struct tir_program *p,
                              const char *prefix, struct tsr_kernel_layer *out);

/* --- block.c: statements ---------------------------------------------------------------------- */

void cuda__stmt(struct llvm__emit *e, const struct tir_stmt *s);
LLVMValueRef cuda__thread(struct cuda__kernel *k, int dim); /* its number, i32 */
void cuda__barrier(struct cuda__kernel *k);
/* Shared memory of the kernel that nothing else uses; bytes is a multiple of 16. */
LLVMValueRef cuda__shared(struct cuda__kernel *k, uint64_t bytes, uint64_t alignment);

/* --- async.c ---------------------------------------------------------------------------------- */

/* A store that arrives later, of as many elements as the loop around it has; false: it can't be
 * done so, nothing was emitted. */
bool cuda__async(struct cuda__kernel *k, const struct tir_stmt *s);
void cuda__commit(struct cuda__kernel *k);
void cuda__wait(struct cuda__kernel *k, int groups);

/* --- mma.c ------------------------------------------------------------------------------------ */

/* A call of an intrinsic of tensorize/cuda.def. */
void cuda__call(struct cuda__kernel *k, const struct tir_stmt *s);

/* --- reduce.c --------------------------------------------------------------------------------- */

/* A reduction whose loops are bound to threads; false: it is something else, nothing was emitted. */
bool cuda__reduce(struct cuda__kernel *k, const struct tir_stmt *s);
/* The dim whose threads share the reduction that begins with this loop; -1: it is none. */
int cuda__reduces(const struct tir_stmt *s);

#endif
