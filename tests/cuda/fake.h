/* SPDX-License-Identifier: Apache-2.0 */
/* A CUDA driver without a GPU, as a library libcuda.so.1 of its own: memory is the host's, and the
 * "PTX" of a kernel has, in comments, the tensor IR that it computes, which the interpreter runs:
 *
 *   .visible .entry k0()
 *   //tir k0
 *   //func ...
 *   //end
 *
 * It keeps the driver's rules: work is done in order and not before someone waits for it, copies lie
 * inside of what was allocated, a context is current, what was made is there. What breaks them is an
 * error, as are the calls that a test wants to fail. */
#ifndef TSR_TESTS_CUDA_FAKE_H
#define TSR_TESTS_CUDA_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As it was when the library was loaded after fake_cuda_reset(). */
struct fake_cuda {
  /* what it is */
  int driver_version, devices, capability, shared_bytes;
  int threads; /* the most of a block, of any kernel */
  size_t memory_bytes;
  /* what fails: call number fail_at (from 0), and all after it if lost; or each call of a symbol */
  int fail_at, fail_with;
  bool lost;
  const char *fail_symbol;
  bool lame; /* kernels do nothing */
  /* what has happened */
  int calls, live, depth; /* live: objects that were not freed; depth: contexts pushed */
  int launches, graph_launches;
  size_t most_bytes, bytes;                       /* device memory that was, and is, allocated */
  uint32_t grid[3], block[3], cluster[3], shared; /* of the last launch */
  struct {
    int type, interleave, swizzle, l2, outside;
    uint32_t rank, box[5], steps[5];
    uint64_t address, dims[5], strides[4];
  } map;           /* the last tensor map */
  char failed[64]; /* the symbol that failed first because it was to */
};

/* Exported by the library. */
struct fake_cuda *fake_cuda(void);
void fake_cuda_reset(void);

#endif
