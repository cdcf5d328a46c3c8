/* SPDX-License-Identifier: Apache-2.0 */
/* GPU kernels of a module's layers: how they are kept and checked. What makes them is
 * compiler/target/cuda, what runs them driver/cuda; nothing here needs a compiler or a GPU.
 *
 * A section holds a block for each of several architectures: PTX text, and for each layer the
 * kernels to launch, one after another. docs/cuda-target.md has the layout. */
#ifndef TSR_NATIVE_KERNELS_H
#define TSR_NATIVE_KERNELS_H

#include <stdbool.h>

#include "base/file.h"

/* "sm_80": compute capability 8.0 and what is above it. "sm_90a" is exact: 9.0 only. */
struct tsr_gpu_arch {
  int capability; /* 10 * major + minor */
  bool exact;
};
enum { TSR_GPU_ARCH_NAME = 16, TSR_GPU_ARCHS = 16 }; /* bytes of a name; blocks in a section */

bool tsr_gpu_arch_from_name(const char *name, struct tsr_gpu_arch *out);
/* Returns buffer. */
const char *tsr_gpu_arch_name(struct tsr_gpu_arch arch, char buffer[static TSR_GPU_ARCH_NAME]);
/* < 0, 0, > 0: blocks are kept in this order. */
int tsr_gpu_arch_compare(struct tsr_gpu_arch a, struct tsr_gpu_arch b);

enum tsr_map_type {
#define TSR_MAP_TYPE(id, text, bytes, cuda) TSR_MAP_##id,
#include "native/map_types.def"
#undef TSR_MAP_TYPE
  TSR_MAP_TYPES
};
int tsr_map_type_bytes(enum tsr_map_type type);

/* Memory of a layer: the data of a parameter of its func (dense, row-major, aligned to 256), or its
 * scratch memory (aligned to 256, of no known content when its first kernel starts). */
struct tsr_kernel_pointer {
  bool scratch;
  uint32_t param;  /* where not scratch: inputs, then outputs */
  uint64_t offset; /* bytes, a multiple of the elements that are accessed there */
};

enum { TSR_MAP_RANK = 5 };

/* A tensor in global memory as the TMA unit sees it, and the box that one copy takes. dim 0 lies
 * side by side. What is outside of the tensor reads as zeros. */
struct tsr_tensor_map {
  struct tsr_kernel_pointer base; /* a multiple of 16 */
  enum tsr_map_type type;
  uint32_t rank; /* 1 to 5 */
  uint64_t dims[TSR_MAP_RANK];
  uint64_t
      strides[TSR_MAP_RANK];   /* bytes, multiples of 16; [0] is the element's own, [k] of dim k */
  uint32_t box[TSR_MAP_RANK];  /* 1 to 256 elements */
  uint32_t step[TSR_MAP_RANK]; /* element strides, 1 to 8 */
  uint32_t swizzle;            /* 0, 32, 64, 128 bytes */
  uint32_t l2;                 /* promotion: 0, 64, 128, 256 bytes */
};

struct tsr_kernel_arg {
  enum { TSR_ARG_POINTER, TSR_ARG_MAP } kind;
  struct tsr_kernel_pointer pointer; /* POINTER: passed as 8 bytes */
  struct tsr_tensor_map map;         /* MAP: passed by value, 128 bytes aligned to 64 */
};

enum { TSR_KERNEL_NAME = 64, TSR_KERNEL_PARAM_BYTES = 4096 };

/* One launch. Behind `arg` comes one argument more: a pointer to a u32, zero before the first
 * kernel, to which a kernel writes 1 where an index lies outside of its buffer; it then reads and
 * writes nothing there. */
struct tsr_kernel {
  const char *entry; /* an .entry of the block's text; fewer than TSR_KERNEL_NAME bytes */
  uint32_t grid[3], block[3], cluster[3]; /* x, y, z; cluster {1, 1, 1}: none */
  uint32_t shared_bytes;                  /* dynamic shared memory */
  int args;
  struct tsr_kernel_arg *arg;
};

/* One layer; without kernels it runs on the CPU. */
struct tsr_kernel_layer {
  uint64_t scratch_bytes;
  int operand_bits; /* 0: products of floats take the operands as they are; else operands are rounded
                       to so many bits of fraction before: 10 (tf32, f16), 7 (bf16) */
  int kernels;
  struct tsr_kernel *kernel; /* in order */
};

/* The code for one architecture. */
struct tsr_kernel_block {
  struct tsr_gpu_arch arch;
  int layers;
  struct tsr_kernel_layer *layer;
  const char *ptx; /* ends with a zero */
};

/* A section's bytes, in the arena; blocks in the order of tsr_gpu_arch_compare(). */
struct tsr_bytes tsr_kernels_write(struct tsr_arena *arena, int blocks,
                                   const struct tsr_kernel_block *block);

/* What the kernels of a layer may refer to: its parameters, with their sizes. */
struct tsr_kernel_params {
  int params;
  const uint64_t *bytes;
};

/* Reads a section for a module of so many layers, in full: sizes, names, launch limits, and that
 * every pointer and tensor map lies in its parameter or in scratch memory. The blocks live in the
 * arena and refer to `bytes`. An empty section has no blocks. */
enum tsr_status tsr_kernels_read(struct tsr_arena *arena, struct tsr_err *err,
                                 const struct tsr_bytes *bytes, int layers,
                                 const struct tsr_kernel_params *params, int *blocks,
                                 struct tsr_kernel_block **block);

/* The best block for a device of this compute capability (10 * major + minor); NULL: none. */
const struct tsr_kernel_block *tsr_kernels_choose(int blocks, const struct tsr_kernel_block *block,
                                                  int capability);

#endif
