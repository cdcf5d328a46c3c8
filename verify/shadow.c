/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/shadow.h"

enum { PAGE = 1024 }; /* grains */

enum { LOADED, STORED };

struct page {
  uint32_t last[2][PAGE];
};

struct tsr__shadow {
  const struct tsr_design *design;
  uint64_t grain;
  struct page **pages; /* NULL where no STORE writes */
};

/* The rows of a transfer, as runs of grains; rows that touch are one. */
struct rows {
  const struct tsr_insn *insn;
  uint64_t grain, row, left, z, y;
};

static struct rows rows_of(const struct tsr__shadow *s, const struct tsr_insn *insn)
{
  uint64_t row = (uint64_t)insn->dma.nx *
                 (uint64_t)tsr_design_dram_entry(s->design, insn->dma.buffer);
  return (struct rows){insn, s->grain, row, (uint64_t)insn->dma.nz * insn->dma.ny, 0, 0};
}

static bool next_row(struct rows *r, uint64_t *lo, uint64_t *hi)
{
  if (!r->left)
    return false;
  uint64_t from = r->insn->dma.dram + r->z * r->insn->dma.sz + r->y * r->insn->dma.sy, end = from;
  do {
    end += r->row;
    r->left--;
    if (++r->y == r->insn->dma.ny) {
      r->y = 0;
      r->z++;
    }
  } while (r->left && r->insn->dma.dram + r->z * r->insn->dma.sz + r->y * r->insn->dma.sy == end);
  *lo = from / r->grain;
  *hi = end / r->grain;
  return true;
}

static uint64_t grain_of(const struct tsr_design *design)
{
  uint64_t all = (uint64_t)tsr_design_beat(design);
  for (int b = 0; b < TSR_BUFFER_COUNT; b++)
    all |= (uint64_t)tsr_design_dram_entry(design, b);
  return all & (~all + 1);
}

static void add_pages(struct tsr_arena *arena, struct tsr__shadow *s, const struct tsr_insn *insn)
{
  uint64_t lo, hi;
  struct rows r = rows_of(s, insn);
  while (next_row(&r, &lo, &hi))
    for (uint64_t p = lo / PAGE; p <= (hi - 1) / PAGE; p++)
      if (!s->pages[p])
        s->pages[p] = TSR_NEW(arena, struct page);
}

struct tsr__shadow *tsr__shadow_new(struct tsr_arena *arena, const struct tsr_design *design,
                                    const struct tsr_program *program, const size_t *order,
                                    size_t count)
{
  struct tsr__shadow *s = TSR_NEW(arena, struct tsr__shadow);
  s->design = design;
  s->grain = grain_of(design);
  s->pages = TSR_NEW_ARRAY(arena, struct page *, program->window_bytes / s->grain / PAGE + 1);
  for (size_t k = 0; k < count; k++) {
    struct tsr_insn insn;
    tsr_insn_decode(program->insns + order[k] * TSR_INSN_BYTES, &insn);
    if (insn.opcode == TSR_OP_STORE)
      add_pages(arena, s, &insn);
  }
  return s;
}

static uint32_t highest(const uint32_t *last, uint64_t lo, uint64_t hi)
{
  uint32_t most = 0;
  for (uint64_t g = lo; g < hi; g++)
    most = last[g] > most ? last[g] : most;
  return most;
}

/* The part of [*lo, hi) that lies in one page. */
static uint64_t page_end(uint64_t lo, uint64_t hi)
{
  uint64_t end = (lo / PAGE + 1) * PAGE;
  return end < hi ? end : hi;
}

uint32_t tsr__shadow_conflict(const struct tsr__shadow *shadow, const struct tsr_insn *insn,
                              uint32_t known, uint64_t *byte)
{
  uint32_t found = 0;
  uint64_t lo, hi;
  struct rows r = rows_of(shadow, insn);
  while (next_row(&r, &lo, &hi))
    for (uint64_t end; lo < hi; lo = end) {
      end = page_end(lo, hi);
      const struct page *page = shadow->pages[lo / PAGE];
      if (!page)
        continue;
      const uint32_t *last = page->last[insn->opcode == TSR_OP_LOAD ? STORED : LOADED];
      uint64_t from = lo % PAGE, most = highest(last, from, from + (end - lo));
      if (most <= known || most <= found)
        continue;
      found = (uint32_t)most;
      while (last[from] != found)
        from++;
      *byte = (lo / PAGE * PAGE + from) * shadow->grain;
    }
  return found;
}

void tsr__shadow_mark(struct tsr__shadow *shadow, const struct tsr_insn *insn, uint32_t number)
{
  uint64_t lo, hi;
  struct rows r = rows_of(shadow, insn);
  while (next_row(&r, &lo, &hi))
    for (uint64_t end; lo < hi; lo = end) {
      end = page_end(lo, hi);
      struct page *page = shadow->pages[lo / PAGE];
      uint32_t *last = page ? page->last[insn->opcode == TSR_OP_LOAD ? LOADED : STORED] : NULL;
      for (uint64_t g = lo % PAGE; page && g < lo % PAGE + (end - lo); g++)
        last[g] = number;
    }
}
