/* SPDX-License-Identifier: Apache-2.0 */
/* What an instruction wrote, element by element. */
#include <inttypes.h>
#include <string.h>

#include "hw/sim/rtl/lockstep_state.h"
#include "verify/check.h"

/* ---- scratchpads ---- */

/* The upper case of a buffer's name, as sentences about traps have it. */
static const char *name_of(int buffer)
{
#define TSR_BUFFER(name, text, load, store, entry, meaning) #name,
  static const char *const names[] = {
#include "isa/buffers.def"
  };
#undef TSR_BUFFER
  return names[buffer];
}

static int32_t element(const uint8_t *entry, int buffer, uint32_t lane)
{
  int32_t wide;
  if (buffer != TSR_BUFFER_ACC)
    return (int8_t)entry[lane];
  memcpy(&wide, entry + 4 * (size_t)lane, 4);
  return wide;
}

static const uint8_t *expected_entry(const struct tsr_lockstep *l, int buffer, uint32_t entry)
{
  return l->pad[buffer].expected + (size_t)entry * l->pad[buffer].entry;
}

static bool same_entry(const struct tsr_lockstep *l, int buffer, uint32_t entry)
{
  tsr_rtl_peek(l->rtl, buffer, entry, l->found);
  return !memcmp(l->found, expected_entry(l, buffer, entry), l->pad[buffer].entry);
}

/* "ACC entry 12, lane 5: expected 17, found 18 (3 of 16 lanes differ)" */
static void differ_entry(struct tsr_lockstep *l, size_t insn, int buffer, uint32_t entry)
{
  const uint8_t *expected = expected_entry(l, buffer, entry), *found = l->found;
  uint32_t lanes = l->pad[buffer].entry / (buffer == TSR_BUFFER_ACC ? 4 : 1), wrong = 0, first = 0;
  tsr_rtl_peek(l->rtl, buffer, entry, l->found);
  for (uint32_t k = lanes; k-- > 0;)
    if (element(expected, buffer, k) != element(found, buffer, k)) {
      first = k;
      wrong++;
    }
  tsr__differ(l, insn, buffer);
  l->difference.at = entry;
  l->difference.lane = (int)first;
  l->difference.expected = element(expected, buffer, first);
  l->difference.found = element(found, buffer, first);
  tsr__say(l,
           "%s entry %" PRIu32 ", lane %" PRIu32 ": expected %" PRId32 ", found %" PRId32
           " (%" PRIu32 " of %" PRIu32 " lanes differ)",
           name_of(buffer), entry, first, l->difference.expected, l->difference.found, wrong,
           lanes);
}

static void touch(struct tsr_lockstep *l, size_t insn, int buffer, uint32_t entry)
{
  uint32_t *writer = &l->pad[buffer].writer[entry];
  if (*writer != (uint32_t)insn + 1)
    l->touched[l->touched_count++] = entry;
  *writer = (uint32_t)insn + 1;
}

/* The first touched entry that differs; depth if none does. */
static uint32_t first_wrong(const struct tsr_lockstep *l, int buffer)
{
  for (size_t k = 0; k < l->touched_count; k++)
    if (!same_entry(l, buffer, l->touched[k]))
      return l->touched[k];
  return l->pad[buffer].depth;
}

static void compare_load(struct tsr_lockstep *l, size_t index, const struct tsr_insn *insn)
{
  int buffer = insn->dma.buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : insn->dma.buffer;
  uint64_t count = tsr_check_dma_entries(insn);
  for (uint64_t k = 0; k < count; k++)
    touch(l, index, buffer, insn->dma.sram + (uint32_t)k);
  uint32_t wrong = first_wrong(l, buffer);
  if (wrong == l->pad[buffer].depth)
    return;
  uint32_t at = wrong - insn->dma.sram, width = insn->dma.xl + insn->dma.nx + insn->dma.xr,
           rows = insn->dma.yl + insn->dma.ny + insn->dma.yr;
  differ_entry(l, index, buffer, wrong);
  tsr__say(l, "; column %" PRIu32 " of row %" PRIu32 " of plane %" PRIu32 ", padding counted",
           at % width, at / width % rows, at / width / rows);
}

/* ---- loop nests ---- */

struct point {
  uint32_t i[3], uop, d, a, b;
};

/* A walk over the loop points in their order, from {0}; false behind the last. */
static bool next_point(const struct tsr_insn *insn, const uint8_t *uops, bool begun,
                       struct point *p)
{
  if (begun && ++p->uop == insn->loop.uop_count) {
    p->uop = 0;
    int k = 2;
    while (k >= 0 && ++p->i[k] == insn->loop.n[k])
      p->i[k--] = 0;
    if (k < 0)
      return false;
  }
  const uint8_t *u = uops + (size_t)p->uop * TSR_UOP_BYTES;
  p->d = u[0] | (uint32_t)u[1] << 8, p->a = u[2] | (uint32_t)u[3] << 8,
  p->b = u[4] | (uint32_t)u[5] << 8;
  for (int k = 0; k < 3; k++) {
    p->d += p->i[k] * insn->loop.step_dst[k];
    p->a += p->i[k] * insn->loop.step_a[k];
    p->b += p->i[k] * insn->loop.step_b[k];
  }
  return true;
}

/* Which loop point made the entry what it is. */
static void say_point(struct tsr_lockstep *l, const struct tsr_insn *insn, const uint8_t *uops,
                      uint32_t entry)
{
  struct point last = {.uop = 0}, p = {.uop = 0};
  uint64_t writes = 0;
  for (bool begun = false; next_point(insn, uops, begun, &p); begun = true)
    if (p.d == entry) {
      last = p;
      writes++;
    }
  tsr__say(l,
           "; written by loop point (%" PRIu32 ",%" PRIu32 ",%" PRIu32 "), micro-op %" PRIu32
           " (d %" PRIu32 ", a %" PRIu32 ", b %" PRIu32 ")",
           last.i[0], last.i[1], last.i[2], last.uop, last.d, last.a, last.b);
  if (writes > 1)
    tsr__say(l, ", the last of %" PRIu64, writes);
}

static void compare_loop(struct tsr_lockstep *l, size_t index, const struct tsr_insn *insn)
{
  static const int places[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP}; /* enum tsr_dst */
  int buffer = places[insn->loop.dst];
  const uint8_t *uops = expected_entry(l, TSR_BUFFER_UOP, insn->loop.uop_begin);
  struct point p = {.uop = 0};
  for (bool begun = false; next_point(insn, uops, begun, &p); begun = true)
    touch(l, index, buffer, p.d);
  uint32_t wrong = first_wrong(l, buffer);
  if (wrong == l->pad[buffer].depth)
    return;
  differ_entry(l, index, buffer, wrong);
  say_point(l, insn, uops, wrong);
}

/* ---- DRAM ---- */

/* The first byte of a range of the window that differs; its end if none does. */
static uint64_t first_wrong_byte(const struct tsr_lockstep *l, uint64_t from, uint64_t size)
{
  if (!memcmp(l->shadow + from, l->window + from, size))
    return from + size;
  uint64_t at = from;
  while (l->shadow[at] == l->window[at])
    at++;
  return at;
}

static void differ_byte(struct tsr_lockstep *l, size_t insn, uint64_t at)
{
  tsr__differ(l, insn, TSR_LOCKSTEP_DRAM);
  l->difference.at = at;
  l->difference.expected = (int8_t)l->shadow[at];
  l->difference.found = (int8_t)l->window[at];
  tsr__say(l, "DRAM byte 0x%" PRIx64 ": expected %" PRId32 ", found %" PRId32, at,
           l->difference.expected, l->difference.found);
}

static void compare_store(struct tsr_lockstep *l, size_t index, const struct tsr_insn *insn)
{
  uint64_t entry = (uint64_t)tsr_design_dram_entry(&l->design, insn->dma.buffer);
  uint64_t row = insn->dma.nx * entry;
  for (uint32_t z = 0; z < insn->dma.nz; z++)
    for (uint32_t y = 0; y < insn->dma.ny; y++) {
      uint64_t from = insn->dma.dram + z * insn->dma.sz + y * insn->dma.sy;
      uint64_t at = first_wrong_byte(l, from, row);
      if (at == from + row)
        continue;
      differ_byte(l, index, at);
      tsr__say(l,
               "; byte %" PRIu64 " of entry %" PRIu64 ", row %" PRIu32 ", plane %" PRIu32
               " of what it stores",
               (at - from) % entry, (at - from) / entry, y, z);
      return;
    }
}

void tsr__compare(struct tsr_lockstep *l, size_t index, const struct tsr_insn *insn)
{
  l->touched_count = 0;
  if (insn->opcode == TSR_OP_LOAD)
    compare_load(l, index, insn);
  else if (insn->opcode == TSR_OP_STORE)
    compare_store(l, index, insn);
  else if (tsr_opcode_format(insn->opcode) == TSR_FORMAT_LOOP)
    compare_loop(l, index, insn);
}

/* ---- the end of a run ---- */

static void say_writer(struct tsr_lockstep *l, int buffer, uint32_t entry)
{
  uint32_t writer = l->pad[buffer].writer[entry];
  tsr__say(l, writer ? "; written last by " : "; no instruction of the run writes it");
  if (writer)
    tsr__say_insn(l, writer - 1);
}

void tsr__compare_all(struct tsr_lockstep *l)
{
  for (int buffer = 0; buffer < TSR_BUFFER_COUNT; buffer++)
    for (uint32_t entry = 0; tsr__is_pad(buffer) && entry < l->pad[buffer].depth; entry++)
      if (!same_entry(l, buffer, entry)) {
        differ_entry(l, l->insn_count, buffer, entry);
        say_writer(l, buffer, entry);
        return;
      }
  uint64_t at = first_wrong_byte(l, 0, l->window_bytes);
  if (at < l->window_bytes)
    differ_byte(l, l->insn_count, at);
}
