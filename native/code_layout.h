/* SPDX-License-Identifier: Apache-2.0 */
/* A section of code, little endian:
 *
 *   0   4 magic "TCPU"   4 version   8 number of blocks
 *   16  a block: 16 name of the level, 8 offset, 8 size
 *
 * and a block, at a multiple of 64:
 *
 *   0   4 layers   4 imports   8 size of the code   8 offset of its slots   8 zero
 *   32  a layer: 8 entry (all ones: no code), 8 bytes of scratch, 8 of each thread
 *   ..  an import: 16 name
 *   ..  zeros to the next multiple of 64, the code */
#ifndef TSR_NATIVE_CODE_LAYOUT_H
#define TSR_NATIVE_CODE_LAYOUT_H

enum {
  TSR__CODE_VERSION = 2,
  TSR__CODE_HEAD = 16,
  TSR__BLOCK_ROW = 32,
  TSR__LEVEL_NAME = 16,
  TSR__BLOCK_HEAD = 32,
  TSR__LAYER_ROW = 24,
};

#define TSR__NO_ENTRY UINT64_MAX

static inline uint64_t tsr__code_aligned(uint64_t v)
{
  return (v + 63) / 64 * 64;
}

#endif
