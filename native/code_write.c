/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "native/code.h"
#include "native/code_layout.h"

static void put(uint8_t *p, uint64_t v, int bytes)
{
  for (int i = 0; i < bytes; i++)
    p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t head_bytes(const struct tsr_code_block *b)
{
  return tsr__code_aligned(TSR__BLOCK_HEAD + (uint64_t)b->layers * TSR__LAYER_ROW +
                           (uint64_t)b->imports * TSR_IMPORT_NAME);
}

static void write_block(uint8_t *p, const struct tsr_code_block *b)
{
  put(p, (uint64_t)b->layers, 4);
  put(p + 4, (uint64_t)b->imports, 4);
  put(p + 8, b->size, 8);
  put(p + 16, b->slots, 8);
  uint8_t *row = p + TSR__BLOCK_HEAD;
  for (int i = 0; i < b->layers; i++, row += TSR__LAYER_ROW) {
    put(row, b->layer[i].present ? b->layer[i].entry : TSR__NO_ENTRY, 8);
    put(row + 8, b->layer[i].present ? b->layer[i].scratch_bytes : 0, 8);
    put(row + 16, b->layer[i].present ? b->layer[i].private_bytes : 0, 8);
  }
  if (b->imports)
    memcpy(row, b->import, (size_t)b->imports * TSR_IMPORT_NAME);
  if (b->size)
    memcpy(p + head_bytes(b), b->bytes, b->size);
}

struct tsr_bytes tsr_code_write(struct tsr_arena *arena, int blocks,
                                const struct tsr_code_block *block)
{
  uint64_t end = TSR__CODE_HEAD + (uint64_t)blocks * TSR__BLOCK_ROW;
  for (int i = 0; i < blocks; i++)
    end = tsr__code_aligned(end) + head_bytes(&block[i]) + block[i].size;
  uint8_t *all = tsr_arena_alloc(arena, end + 1);
  memcpy(all, "TCPU", 4);
  put(all + 4, TSR__CODE_VERSION, 4);
  put(all + 8, (uint64_t)blocks, 8);
  uint64_t at = TSR__CODE_HEAD + (uint64_t)blocks * TSR__BLOCK_ROW;
  for (int i = 0; i < blocks; i++) {
    uint8_t *row = all + TSR__CODE_HEAD + i * TSR__BLOCK_ROW;
    const char *name = tsr_level_info(block[i].level)->name;
    at = tsr__code_aligned(at);
    memcpy(row, name, strlen(name));
    put(row + 16, at, 8);
    put(row + 24, head_bytes(&block[i]) + block[i].size, 8);
    write_block(all + at, &block[i]);
    at += head_bytes(&block[i]) + block[i].size;
  }
  return (struct tsr_bytes){all, end};
}
