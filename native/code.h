/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code of a module's layers: how it is kept, checked and made executable. What makes it is
 * compiler/target/cpu; nothing here needs a compiler.
 *
 * A section holds code for several levels. The code of one level is one block that runs at any
 * address: its parts refer to each other by distance, and to the C library through slots, eight
 * bytes each, that loading fills. docs/cpu-target.md has the layout. */
#ifndef TSR_NATIVE_CODE_H
#define TSR_NATIVE_CODE_H

#include "base/file.h"
#include "native/level.h"

enum { TSR_CODE_ALIGNMENT = 64, TSR_IMPORT_NAME = 16 };

/* One layer, or none (present false: the interpreter runs it). */
struct tsr_code_layer {
  bool present;
  uint64_t entry;         /* offset of the function in the block */
  uint64_t scratch_bytes; /* memory that it needs beside its parameters, a multiple of 64 */
  uint64_t private_bytes; /* and behind that for each thread, a multiple of 64 */
};

/* The code of one level. */
struct tsr_code_block {
  enum tsr_level level;
  int layers;
  struct tsr_code_layer *layer;
  int imports;
  const char (*import)[TSR_IMPORT_NAME]; /* names, with their final zeros */
  uint64_t slots;                        /* offset of slot 0 in the block */
  const uint8_t *bytes;
  uint64_t size;
};

/* A section's bytes, in the arena. */
struct tsr_bytes tsr_code_write(struct tsr_arena *arena, int blocks,
                                const struct tsr_code_block *block);

/* Reads a section for a module of so many layers, in full: sizes, offsets, names of levels and
 * imports. The blocks live in the arena and refer to `bytes`. */
enum tsr_status tsr_code_read(struct tsr_arena *arena, struct tsr_err *err,
                              const struct tsr_bytes *bytes, int layers, int *blocks,
                              struct tsr_code_block **block);

/* The block of the highest level up to `most`; of exactly that one if `exact`. NULL: none. */
const struct tsr_code_block *tsr_code_choose(int blocks, const struct tsr_code_block *block,
                                             int most, bool exact);

/* params: dense row-major data of each parameter, inputs then outputs. scratch: aligned to 64, as
 * large as so many threads need. 0: done; else an index lay outside of its buffer, and nothing was
 * read or written there. */
typedef int tsr_code_function(void *const *params, void *scratch, int64_t threads);

uint64_t tsr_code_scratch(const struct tsr_code_layer *layer, int threads);

/* Code in executable memory, which is never writable at the same time. The caller ends it. */
struct tsr_code_mapping {
  void *memory;
  size_t size;
};
enum tsr_status tsr_code_map(struct tsr_err *err, const struct tsr_code_block *block,
                             struct tsr_code_mapping *out);
void tsr_code_unmap(struct tsr_code_mapping *mapping); /* all zero is allowed */
tsr_code_function *tsr_code_entry(const struct tsr_code_mapping *mapping,
                                  const struct tsr_code_layer *layer);

#endif
