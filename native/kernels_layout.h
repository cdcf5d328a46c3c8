/* SPDX-License-Identifier: Apache-2.0 */
/* A section of kernels, little endian:
 *
 *   0   4 magic "TPTX"   4 version   8 number of blocks
 *   16  a block: 16 name of the architecture, 8 offset, 8 size
 *
 * and a block, at a multiple of 64:
 *
 *   0   4 layers   4 kernels   4 arguments   4 tensor maps   8 bytes of text   8 zero
 *   32  a layer: 4 kernels, 4 bits of operands, 8 bytes of scratch
 *   ..  a kernel: 64 entry, 12 grid, 12 block, 12 cluster, 4 shared bytes, 4 arguments, 4 zero
 *   ..  an argument: 4 kind, 4 parameter, 8 offset
 *   ..  a tensor map: 4 kind, 4 parameter, 8 offset, 4 type, 4 rank, 4 swizzle, 4 L2 promotion,
 *       5 * 8 dims, 5 * 8 strides, 5 * 4 box, 5 * 4 steps
 *   ..  the text, with a final zero
 *
 * Kernels, arguments and maps belong to layers, kernels and arguments in turn. */
#ifndef TSR_NATIVE_KERNELS_LAYOUT_H
#define TSR_NATIVE_KERNELS_LAYOUT_H

#include "native/kernels.h"

enum {
  TSR__KERNELS_VERSION = 1,
  TSR__KERNELS_HEAD = 16,
  TSR__KERNELS_ROW = 32,
  TSR__KERNEL_BLOCK_HEAD = 32,
  TSR__KERNEL_LAYER = 16,
  TSR__KERNEL_ROW = TSR_KERNEL_NAME + 48,
  TSR__KERNEL_ARG = 16,
  TSR__KERNEL_MAP = 152,
};

/* Kinds of arguments, and of the memory behind a map. */
enum { TSR__KIND_PARAM, TSR__KIND_SCRATCH, TSR__KIND_MAP };

#endif
