/* SPDX-License-Identifier: Apache-2.0 */
/* A program under construction: instructions one after another, each ordered behind the one before
 * by a token, and the image of its window. */
#ifndef TSR_TESTS_RTL_BUILD_H
#define TSR_TESTS_RTL_BUILD_H

#include "configs/design.h"
#include "isa/isa.h"

struct build {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  struct tsr_insn *insns;
  size_t count, insn_capacity;
  uint8_t *data;
  size_t bytes, byte_capacity;
  uint32_t uops; /* the next free micro-op of the scratchpad */
  bool free;     /* instructions keep the tokens that they come with */
};

struct build build_new(struct tsr_arena *arena, const struct tsr_design *design);

/* The next place of the window, at a multiple of 128, with these bytes; zeros for NULL. */
uint64_t build_data(struct build *b, const void *bytes, size_t size);
/* As build_data(), each byte, or int32, from a call. */
uint64_t build_bytes(struct build *b, size_t count, int8_t (*value)(void *context, size_t i),
                     void *context);
uint64_t build_words(struct build *b, size_t count, int32_t (*value)(void *context, size_t i),
                     void *context);

void build_add(struct build *b, const struct tsr_insn *insn);
void build_load(struct build *b, int buffer, uint32_t sram, uint64_t dram, uint32_t nx);
/* Micro-ops into the image and, by a LOAD, into the scratchpad; over earlier ones where it is full.
 * Returns the first one's index. */
uint32_t build_uops(struct build *b, const struct tsr_uop *uops, uint32_t count);
/* With FINISH; lives in the arena. */
struct tsr_program build_end(struct build *b);

/* A LOOP instruction of one point and one micro-op, at 0, both banks named. */
struct tsr_insn build_loop(int opcode);
struct tsr_insn build_dma(int opcode, int buffer, uint32_t sram, uint64_t dram, uint32_t nx);

/* A LOOP instruction over entries that follow each other: n points, d, a and b from these entries
 * on by these steps, its micro-op included. */
struct build_run {
  int opcode, src, dst;
  uint32_t n, d, a, b, step_d, step_a, step_b;
  bool overwrite;
};
void build_run(struct build *b, const struct build_run *run);

static inline uint32_t build_depth(const struct build *b, int buffer)
{
  return (uint32_t)tsr_design_depth(b->design, buffer);
}

/* A program that puts every engine to work, in the first 16 KiB of the window. */
struct tsr_program build_probe(struct tsr_arena *arena, const struct tsr_design *design);

#endif
