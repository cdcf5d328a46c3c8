/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "native/code.h"
#include "native/code_layout.h"

#define MOST_SCRATCH (UINT64_C(8) << 30)

struct reading {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const uint8_t *bytes;
  uint64_t size;
  int layers;
};

static uint64_t get(const uint8_t *p, int bytes)
{
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++)
    v |= (uint64_t)p[i] << 8 * i;
  return v;
}

static bool is_import(const char *name)
{
  static const char *const known[] = {
#define TSR_IMPORT(function) #function,
#include "native/imports.def"
#undef TSR_IMPORT
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i], name))
      return true;
  return false;
}

static enum tsr_status read_layers(const struct reading *r, const uint8_t *row,
                                   struct tsr_code_block *b)
{
  const char *level = tsr_level_info(b->level)->name;
  b->layer = TSR_NEW_ARRAY(r->arena, struct tsr_code_layer, b->layers);
  for (int i = 0; i < b->layers; i++, row += TSR__LAYER_ROW) {
    uint64_t entry = get(row, 8), scratch = get(row + 8, 8), mine = get(row + 16, 8);
    b->layer[i] = (struct tsr_code_layer){entry != TSR__NO_ENTRY, entry, scratch, mine};
    if (b->layer[i].present && (entry >= b->slots || entry % 16))
      return tsr_refuse(r->err,
                        "the machine code for '%s': layer %d begins at %" PRIu64
                        ", which is no place in %" PRIu64 " bytes of instructions",
                        level, i, entry, b->slots);
    if (scratch > MOST_SCRATCH || mine > MOST_SCRATCH)
      return tsr_refuse(r->err,
                        "the machine code for '%s': layer %d wants %" PRIu64
                        " bytes of scratch memory; at most %" PRIu64 " are given",
                        level, i, scratch > MOST_SCRATCH ? scratch : mine, MOST_SCRATCH);
    if (scratch % TSR_CODE_ALIGNMENT || mine % TSR_CODE_ALIGNMENT)
      return tsr_refuse(r->err,
                        "the machine code for '%s': the scratch memory of layer %d is no multiple "
                        "of %d bytes",
                        level, i, TSR_CODE_ALIGNMENT);
  }
  return TSR_OK;
}

static enum tsr_status read_imports(const struct reading *r, const uint8_t *names,
                                    struct tsr_code_block *b)
{
  b->import = (const char(*)[TSR_IMPORT_NAME])names;
  for (int i = 0; i < b->imports; i++) {
    const char *name = b->import[i];
    if (name[TSR_IMPORT_NAME - 1] || !is_import(name))
      return tsr_refuse(r->err,
                        "the machine code for '%s' calls '%.15s', which is none of the functions "
                        "that code may call",
                        tsr_level_info(b->level)->name, name);
  }
  return TSR_OK;
}

static enum tsr_status read_block(const struct reading *r, uint64_t offset, uint64_t size,
                                  struct tsr_code_block *b)
{
  const char *level = tsr_level_info(b->level)->name;
  const uint8_t *p = r->bytes + offset;
  if (size < TSR__BLOCK_HEAD)
    return tsr_refuse(r->err, "the machine code for '%s' is cut off", level);
  uint64_t layers = get(p, 4), imports = get(p + 4, 4);
  uint64_t head =
      tsr__code_aligned(TSR__BLOCK_HEAD + layers * TSR__LAYER_ROW + imports * TSR_IMPORT_NAME);
  b->size = get(p + 8, 8);
  b->slots = get(p + 16, 8);
  if (layers != (uint64_t)r->layers)
    return tsr_refuse(r->err,
                      "the machine code for '%s' is of %" PRIu64 " layers; the module has %d",
                      level, layers, r->layers);
  if (head > size || b->size != size - head || get(p + 24, 8))
    return tsr_refuse(r->err, "the machine code for '%s' does not have the size that it states",
                      level);
  if (b->slots > b->size || b->slots % 8 || b->size - b->slots != imports * 8)
    return tsr_refuse(r->err,
                      "the machine code for '%s' has no room for the addresses of the %" PRIu64
                      " functions that it calls",
                      level, imports);
  b->layers = (int)layers;
  b->imports = (int)imports;
  b->bytes = p + head;
  if (read_layers(r, p + TSR__BLOCK_HEAD, b))
    return TSR_REFUSED;
  return read_imports(r, p + TSR__BLOCK_HEAD + layers * TSR__LAYER_ROW, b);
}

static enum tsr_status read_row(const struct reading *r, const uint8_t *row, int before,
                                struct tsr_code_block *b)
{
  char name[TSR__LEVEL_NAME + 1] = {0};
  memcpy(name, row, TSR__LEVEL_NAME);
  uint64_t offset = get(row + 16, 8), size = get(row + 24, 8);
  if (!tsr_level_from_name(name, &b->level))
    return tsr_refuse(r->err, "there is machine code for '%s', which is no known level", name);
  if (before >= (int)b->level)
    return tsr_refuse(r->err, "the machine code for '%s' is not in the order of levels", name);
  if (offset % TSR_CODE_ALIGNMENT || offset > r->size || size > r->size - offset)
    return tsr_refuse(r->err, "the machine code for '%s' is not inside of its section", name);
  return read_block(r, offset, size, b);
}

enum tsr_status tsr_code_read(struct tsr_arena *arena, struct tsr_err *err,
                              const struct tsr_bytes *bytes, int layers, int *blocks,
                              struct tsr_code_block **block)
{
  struct reading r = {arena, err, bytes->data, bytes->size, layers};
  *blocks = 0;
  *block = NULL;
  if (!bytes->size)
    return TSR_OK;
  if (r.size < TSR__CODE_HEAD || memcmp(r.bytes, "TCPU", 4))
    return tsr_refuse(err, "the section of machine code does not begin as one does");
  uint64_t version = get(r.bytes + 4, 4), count = get(r.bytes + 8, 8);
  if (version != TSR__CODE_VERSION)
    return tsr_refuse(err, "the machine code has format version %" PRIu64 "; version %d is read",
                      version, TSR__CODE_VERSION);
  if (count > TSR_LEVELS || TSR__CODE_HEAD + count * TSR__BLOCK_ROW > r.size)
    return tsr_refuse(err, "the machine code is said to be for %" PRIu64 " levels", count);
  struct tsr_code_block *list = TSR_NEW_ARRAY(arena, struct tsr_code_block, count);
  for (int i = 0; i < (int)count; i++)
    if (read_row(&r, r.bytes + TSR__CODE_HEAD + i * TSR__BLOCK_ROW,
                 i ? (int)list[i - 1].level : TSR_LEVEL_NONE, &list[i]))
      return TSR_REFUSED;
  *blocks = (int)count;
  *block = list;
  return TSR_OK;
}

uint64_t tsr_code_scratch(const struct tsr_code_layer *layer, int threads)
{
  return layer->scratch_bytes + (uint64_t)threads * layer->private_bytes;
}

const struct tsr_code_block *tsr_code_choose(int blocks, const struct tsr_code_block *block,
                                             int most, bool exact)
{
  for (int i = blocks - 1; i >= 0; i--)
    if (exact ? (int)block[i].level == most : (int)block[i].level <= most)
      return &block[i];
  return NULL;
}
