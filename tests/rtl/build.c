/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/build.h"

#include <stdlib.h>
#include <string.h>

enum { PLACE = 128 }; /* bytes; the widest beat */

struct build build_new(struct tsr_arena *arena, const struct tsr_design *design)
{
  return (struct build){.arena = arena, .design = design};
}

static uint8_t *append(struct build *b, size_t size)
{
  size_t end = b->bytes + (size + PLACE - 1) / PLACE * PLACE;
  if (end > b->byte_capacity) {
    size_t capacity = 2 * end;
    uint8_t *more = tsr_arena_alloc(b->arena, capacity);
    if (b->bytes)
      memcpy(more, b->data, b->bytes);
    b->data = more;
    b->byte_capacity = capacity;
  }
  uint8_t *at = b->data + b->bytes;
  b->bytes = end;
  return at;
}

uint64_t build_data(struct build *b, const void *bytes, size_t size)
{
  uint8_t *at = append(b, size);
  if (bytes)
    memcpy(at, bytes, size);
  return (uint64_t)(at - b->data);
}

uint64_t build_bytes(struct build *b, size_t count, int8_t (*value)(void *context, size_t i),
                     void *context)
{
  uint8_t *at = append(b, count);
  for (size_t i = 0; i < count; i++)
    at[i] = (uint8_t)value(context, i);
  return (uint64_t)(at - b->data);
}

uint64_t build_words(struct build *b, size_t count, int32_t (*value)(void *context, size_t i),
                     void *context)
{
  uint8_t *at = append(b, 4 * count);
  for (size_t i = 0; i < count; i++) {
    int32_t v = value(context, i);
    memcpy(at + 4 * i, &v, 4);
  }
  return (uint64_t)(at - b->data);
}

void build_add(struct build *b, const struct tsr_insn *insn)
{
  b->insns = TSR_GROW(b->arena, b->insns, b->count, &b->insn_capacity);
  struct tsr_insn *now = &b->insns[b->count], *before = b->count ? now - 1 : NULL;
  *now = *insn;
  b->count++;
  if (!before || b->free)
    return;
  int from = tsr_insn_engine(before), to = tsr_insn_engine(now);
  if (from != to) {
    before->signal |= 1u << to;
    now->wait |= 1u << from;
  }
}

struct tsr_insn build_loop(int opcode)
{
  return (struct tsr_insn){.opcode = opcode, .loop = {.banks = 3, .uop_count = 1, .n = {1, 1, 1}}};
}

struct tsr_insn build_dma(int opcode, int buffer, uint32_t sram, uint64_t dram, uint32_t nx)
{
  return (struct tsr_insn){
      .opcode = opcode,
      .dma = {.buffer = buffer, .sram = sram, .dram = dram, .nx = nx, .ny = 1, .nz = 1}};
}

void build_load(struct build *b, int buffer, uint32_t sram, uint64_t dram, uint32_t nx)
{
  struct tsr_insn load = build_dma(TSR_OP_LOAD, buffer, sram, dram, nx);
  build_add(b, &load);
}

uint32_t build_uops(struct build *b, const struct tsr_uop *uops, uint32_t count)
{
  uint8_t *at = append(b, (size_t)count * TSR_UOP_BYTES);
  if (b->uops + count > build_depth(b, TSR_BUFFER_UOP))
    b->uops = 0;
  for (uint32_t u = 0; u < count; u++)
    if (tsr_uop_encode(NULL, &uops[u], at + (size_t)u * TSR_UOP_BYTES))
      abort(); /* a test's own micro-op */
  uint32_t begin = b->uops;
  build_load(b, TSR_BUFFER_UOP, begin, (uint64_t)(at - b->data), count);
  b->uops += count;
  return begin;
}

void build_run(struct build *b, const struct build_run *r)
{
  struct tsr_uop uop = {r->d, r->a, r->b, r->overwrite};
  struct tsr_insn insn = build_loop(r->opcode);
  insn.loop.uop_begin = build_uops(b, &uop, 1);
  insn.loop.src = r->src;
  insn.loop.dst = r->dst;
  insn.loop.n[2] = r->n;
  insn.loop.step_dst[2] = r->step_d;
  insn.loop.step_a[2] = r->step_a;
  insn.loop.step_b[2] = r->step_b;
  build_add(b, &insn);
}

struct tsr_program build_end(struct build *b)
{
  struct tsr_program out = {.insn_count = b->count + 1};
  struct tsr_insn finish = {.opcode = TSR_OP_FINISH};
  out.insns = tsr_arena_alloc(b->arena, out.insn_count * TSR_INSN_BYTES);
  for (size_t i = 0; i <= b->count; i++)
    if (tsr_insn_encode(NULL, i < b->count ? &b->insns[i] : &finish,
                        out.insns + i * TSR_INSN_BYTES))
      abort(); /* a test's own instruction */
  out.data = b->data;
  out.data_bytes = out.window_bytes = b->bytes;
  out.design_hash = b->design->hash;
  return out;
}

static int8_t pattern(void *context, size_t i)
{
  (void)context;
  return (int8_t)(i * 37 + i / 256 * 11 + 5);
}

struct tsr_program build_probe(struct tsr_arena *arena, const struct tsr_design *design)
{
  struct build b = build_new(arena, design);
  uint64_t data = build_bytes(&b, 8192, pattern, NULL), place = build_data(&b, NULL, 4096);
  build_load(&b, TSR_BUFFER_INP, 3, data, 4);
  build_load(&b, TSR_BUFFER_WGT, 1, data + 1024, 2);
  build_load(&b, TSR_BUFFER_ACC8, 8, data + 256, 4);
  build_load(&b, TSR_BUFFER_LUT, 0, data + 512, 1);
  build_run(&b, &(struct build_run){.opcode = TSR_OP_GEMM,
                                    .n = 4,
                                    .a = 3,
                                    .b = 1,
                                    .step_d = 1,
                                    .step_a = 1,
                                    .overwrite = true});
  build_run(
      &b,
      &(struct build_run){
          .opcode = TSR_OP_QUANT, .n = 3, .b = 8, .dst = TSR_DST_OUT, .step_d = 1, .step_a = 1});
  build_run(&b, &(struct build_run){.opcode = TSR_OP_LUT,
                                    .n = 2,
                                    .src = TSR_SRC_INP,
                                    .a = 3,
                                    .dst = TSR_DST_INP,
                                    .step_d = 1,
                                    .step_a = 1});
  struct tsr_insn store = build_dma(TSR_OP_STORE, TSR_BUFFER_OUT, 0, place, 3);
  build_add(&b, &store);
  store = build_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 0, place + 1024, 4);
  build_add(&b, &store);
  return build_end(&b);
}
