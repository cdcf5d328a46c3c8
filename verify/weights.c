/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/weights.h"

#include <string.h>

#include "verify/set.h"

static const struct tsr__range int8 = {INT8_MIN, INT8_MAX};

struct tsr__weights {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  const struct tsr_program *program;
  struct tsr__range unknown; /* of int32 that the image does not hold */
  uint64_t *from;            /* for each entry of WGT: its byte in the image + 1, 0 not known */
  struct tsr__range *tile;   /* block_out of each; made on first use */
  struct tsr__set ready;
  uint64_t stored_lo, stored_hi; /* bytes of the window that STOREs may write */
};

static uint64_t span(const struct tsr_design *design, const struct tsr_insn *insn)
{
  return (insn->dma.nz - 1) * insn->dma.sz + (insn->dma.ny - 1) * insn->dma.sy +
         (uint64_t)insn->dma.nx * (uint64_t)tsr_design_dram_entry(design, insn->dma.buffer);
}

struct tsr__weights *tsr__weights_new(struct tsr_arena *arena, const struct tsr_design *design,
                                      const struct tsr_program *program,
                                      const struct tsr_verify_options *options, const size_t *order,
                                      size_t count)
{
  struct tsr__weights *w = TSR_NEW(arena, struct tsr__weights);
  uint32_t depth = (uint32_t)tsr_design_depth(design, TSR_BUFFER_WGT);
  w->arena = arena;
  w->design = design;
  w->program = program;
  w->unknown = (struct tsr__range){options->acc_low, options->acc_high};
  w->from = TSR_NEW_ARRAY(arena, uint64_t, depth);
  w->ready = tsr__set_new(arena, depth);
  w->stored_lo = UINT64_MAX;
  for (size_t k = 0; k < count; k++) {
    struct tsr_insn insn;
    tsr_insn_decode(program->insns + order[k] * TSR_INSN_BYTES, &insn);
    if (insn.opcode != TSR_OP_STORE)
      continue;
    uint64_t end = insn.dma.dram + span(design, &insn);
    w->stored_lo = insn.dma.dram < w->stored_lo ? insn.dma.dram : w->stored_lo;
    w->stored_hi = end > w->stored_hi ? end : w->stored_hi;
  }
  return w;
}

static bool is_known(const struct tsr__weights *w, uint64_t from, uint64_t bytes)
{
  return from + bytes <= w->program->data_bytes &&
         (from + bytes <= w->stored_lo || from >= w->stored_hi);
}

/* The entries of a LOAD in their order in the scratchpad. */
struct cursor {
  const struct tsr_insn *insn;
  uint64_t entry, x, y, z, width, height;
};

static struct cursor cursor_of(const struct tsr__weights *w, const struct tsr_insn *insn)
{
  return (struct cursor){.insn = insn,
                         .entry = (uint64_t)tsr_design_dram_entry(w->design, insn->dma.buffer),
                         .width = (uint64_t)insn->dma.xl + insn->dma.nx + insn->dma.xr,
                         .height = (uint64_t)insn->dma.yl + insn->dma.ny + insn->dma.yr};
}

/* False behind the last; *pads where the entry is padding, else *from is its byte in the window. */
static bool next_entry(struct cursor *c, bool *pads, uint64_t *from)
{
  const struct tsr_insn *i = c->insn;
  if (c->z == i->dma.nz)
    return false;
  uint64_t x = c->x - i->dma.xl, y = c->y - i->dma.yl; /* large where negative */
  *pads = x >= i->dma.nx || y >= i->dma.ny;
  *from = i->dma.dram + c->z * i->dma.sz + y * i->dma.sy + x * c->entry;
  if (++c->x == c->width) {
    c->x = 0;
    if (++c->y == c->height) {
      c->y = 0;
      c->z++;
    }
  }
  return true;
}

static struct tsr__range range_of_int8(const uint8_t *from, uint64_t bytes)
{
  int8_t lo = INT8_MAX, hi = INT8_MIN;
  for (uint64_t k = 0; k < bytes; k++) {
    int8_t v = (int8_t)from[k];
    lo = v < lo ? v : lo;
    hi = v > hi ? v : hi;
  }
  return (struct tsr__range){lo, hi};
}

static struct tsr__range range_of_int32(const uint8_t *from, uint64_t bytes)
{
  int32_t lo = INT32_MAX, hi = INT32_MIN;
  for (uint64_t k = 0; k < bytes; k += 4) {
    int32_t v = (int32_t)((uint32_t)from[k] | (uint32_t)from[k + 1] << 8 |
                          (uint32_t)from[k + 2] << 16 | (uint32_t)from[k + 3] << 24);
    lo = v < lo ? v : lo;
    hi = v > hi ? v : hi;
  }
  return (struct tsr__range){lo, hi};
}

void tsr__weights_load_acc(struct tsr__weights *w, const struct tsr_insn *insn,
                           struct tsr__range *acc)
{
  bool wide = insn->dma.buffer == TSR_BUFFER_ACC, pads;
  struct cursor c = cursor_of(w, insn);
  uint64_t from;
  for (acc += insn->dma.sram; next_entry(&c, &pads, &from); acc++) {
    if (pads)
      *acc = (struct tsr__range){insn->dma.pad, insn->dma.pad};
    else if (!is_known(w, from, c.entry))
      *acc = wide ? w->unknown : int8;
    else
      *acc = wide ? range_of_int32(w->program->data + from, c.entry)
                  : range_of_int8(w->program->data + from, c.entry);
  }
}

void tsr__weights_load(struct tsr__weights *w, const struct tsr_insn *insn)
{
  struct cursor c = cursor_of(w, insn);
  uint64_t from, *entry = w->from + insn->dma.sram;
  bool pads;
  for (; next_entry(&c, &pads, &from); entry++)
    *entry = pads || !is_known(w, from, c.entry) ? 0 : from + 1;
}

void tsr__weights_forget(struct tsr__weights *w)
{
  tsr__set_clear(&w->ready);
}

/* A row of the tile is one lane's weights. */
static struct tsr__range lane_of(const struct tsr__weights *w, uint64_t from, int lane,
                                 struct tsr__range inp)
{
  int k = w->design->block_in;
  struct tsr__range sum = {0, 0};
  const uint8_t *row = from ? w->program->data + from - 1 + (size_t)lane * (size_t)k : NULL;
  for (int i = 0; i < k; i++) {
    struct tsr__range weight = row ? (struct tsr__range){(int8_t)row[i], (int8_t)row[i]} : int8;
    sum = tsr__range_add(sum, tsr__range_multiply(weight, inp));
  }
  return sum;
}

const struct tsr__range *tsr__weights_tile(struct tsr__weights *w, uint32_t entry,
                                           struct tsr__range inp)
{
  size_t lanes = (size_t)w->design->block_out;
  if (!w->tile)
    w->tile = TSR_NEW_ARRAY(w->arena, struct tsr__range,
                            lanes * (size_t)tsr_design_depth(w->design, TSR_BUFFER_WGT));
  struct tsr__range *tile = w->tile + lanes * entry;
  if (tsr__set_has(&w->ready, entry))
    return tile;
  for (size_t lane = 0; lane < lanes; lane++)
    tile[lane] = lane_of(w, w->from[entry], (int)lane, inp);
  tsr__set_add(&w->ready, entry, entry + 1);
  return tile;
}
