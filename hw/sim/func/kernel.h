/* SPDX-License-Identifier: Apache-2.0 */
/* The innermost part of GEMM, one implementation for each kind of host.
 *
 * A block is a list of output rows and a list of reduction steps that all of them share:
 *
 *   for every row p, for every step s:
 *     acc[rows[p].d + c] += sum over k of inp[rows[p].a + steps[s].a + k] * wgt[steps[s].b](c,k)
 *
 * Sums wrap modulo 2^32, so their order is free. No two rows of a block have the same d. A block
 * may have a twin, with the same inputs, other weights and other sums: a kernel that has use for it
 * reads each input once for both. */
#ifndef TSR_HW_SIM_FUNC_KERNEL_H
#define TSR_HW_SIM_FUNC_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "hw/sim/func/state.h"

struct tsr__row {
  uint32_t d; /* elements of ACC from acc */
  uint32_t a; /* bytes from inp */
};

struct tsr__step {
  int32_t a;  /* bytes, added to a row's */
  uint32_t b; /* bytes from wgt */
};

struct tsr__block {
  int in, out;
  int32_t *acc;
  const uint8_t *inp, *wgt; /* in the kernel's layout */
  const struct tsr__row *rows;
  const struct tsr__step *steps;
  size_t row_count, step_count;
  bool twin;                 /* compute that one too: */
  size_t twin_acc, twin_wgt; /* from this block's acc (elements) and wgt (bytes) to the twin's */
};

struct tsr__kernel {
  size_t element;                        /* bytes of an INP element in this layout */
  size_t (*tile_bytes)(int in, int out); /* of a WGT tile in this layout */
  void (*pack_inp)(uint8_t *to, const int8_t *from, size_t elements);
  void (*pack_wgt)(uint8_t *to, const int8_t *from, int in, int out);
  void (*run)(const struct tsr__block *block);
  bool twins; /* run() looks at `twin` */
};

/* The kernel for a path and block sizes; where that path has none, the one of the next below. */
const struct tsr__kernel *tsr__kernel_find(enum tsr__path path, int in, int out);

/* One a host, NULL where it has none for these sizes. */
const struct tsr__kernel *tsr__kernel_plain(void);
const struct tsr__kernel *tsr__kernel_avx2(int in, int out);
const struct tsr__kernel *tsr__kernel_avx512(int in, int out);

#endif
