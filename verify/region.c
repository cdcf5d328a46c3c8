/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/region.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "verify/check.h"

int tsr__nest_operands(const struct tsr_insn *insn, struct tsr__operand out[static 3])
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  static const int second[] = {[TSR_SECOND_ACC] = TSR_BUFFER_ACC,
                               [TSR_SECOND_ACC3] = TSR_BUFFER_ACC,
                               [TSR_SECOND_LUT] = TSR_BUFFER_LUT,
                               [TSR_SECOND_WGT] = TSR_BUFFER_WGT};
  enum tsr_second b = tsr_check_second(insn->opcode);
  bool gemm = insn->opcode == TSR_OP_GEMM, inp = gemm || insn->loop.src == TSR_SRC_INP;
  out[0] = (struct tsr__operand){TSR__ROLE_D, dst[insn->loop.dst], 0, insn->loop.step_dst};
  out[1] = (struct tsr__operand){TSR__ROLE_A, inp ? TSR_BUFFER_INP : TSR_BUFFER_ACC, 0,
                                 insn->loop.step_a};
  if (b == TSR_SECOND_NONE)
    return 2;
  out[2] = (struct tsr__operand){TSR__ROLE_B, second[b], b == TSR_SECOND_ACC3 ? 2 : 0,
                                 insn->loop.step_b};
  return 3;
}

void tsr__region_init(struct tsr_arena *arena, const struct tsr_design *design,
                      struct tsr__region *region)
{
  uint32_t most = 0;
  for (int b = 0; b < TSR_BUFFER_COUNT; b++) {
    uint32_t depth = (uint32_t)tsr_design_depth(design, b);
    most = depth > most ? depth : most;
  }
  *region = (struct tsr__region){.design = design};
  for (int k = 0; k < 4; k++)
    region->list[k].set = tsr__set_new(arena, most);
}

static struct tsr__access *next(struct tsr__region *region, enum tsr__role role, int buffer,
                                bool writes)
{
  struct tsr__access *access = &region->list[region->count++];
  access->role = role;
  access->buffer = buffer;
  access->writes = writes;
  tsr__set_clear(&access->set);
  return access;
}

static void spread_nest(struct tsr__set *set, const struct tsr_insn *insn,
                        const struct tsr__operand *o)
{
  for (int k = 2; k >= 0; k--)
    tsr__set_spread(set, o->step[k], insn->loop.n[k]);
}

static void loop_region(struct tsr__region *region, const struct tsr_insn *insn,
                        const uint8_t *uops)
{
  struct tsr__operand list[3];
  int count = tsr__nest_operands(insn, list);
  uint32_t begin = insn->loop.uop_begin, end = begin + insn->loop.uop_count;
  for (int k = 0; k < count; k++) {
    struct tsr__access *access = next(region, list[k].role, list[k].buffer, k == 0);
    for (uint32_t u = begin; u < end; u++) {
      uint32_t base = tsr__uop_field(uops + (size_t)u * TSR_UOP_BYTES, list[k].role);
      tsr__set_add(&access->set, base, base + 1 + list[k].extra);
    }
    spread_nest(&access->set, insn, &list[k]);
  }
  tsr__set_add(&next(region, TSR__ROLE_UOP, TSR_BUFFER_UOP, false)->set, begin, end);
}

void tsr__region_of(struct tsr__region *region, const struct tsr_insn *insn, const uint8_t *uops)
{
  region->count = 0;
  if (tsr_opcode_format(insn->opcode) == TSR_FORMAT_LOOP) {
    loop_region(region, insn, uops);
  } else if (tsr_opcode_format(insn->opcode) == TSR_FORMAT_DMA) {
    int buffer = insn->dma.buffer == TSR_BUFFER_ACC8 ? TSR_BUFFER_ACC : insn->dma.buffer;
    struct tsr__access *access = next(region, TSR__ROLE_DMA, buffer, insn->opcode == TSR_OP_LOAD);
    tsr__set_add(&access->set, insn->dma.sram,
                 insn->dma.sram + (uint32_t)tsr_check_dma_entries(insn));
  }
}

const struct tsr__access *tsr__region_access(const struct tsr__region *region, enum tsr__role role)
{
  for (int k = 0; k < region->count; k++)
    if (region->list[k].role == role)
      return &region->list[k];
  return NULL;
}

/* ---- points ---- */

/* What inner loops add to an index: of loops k, k+1, .., 2. */
struct reach {
  struct tsr__set from[4];
};

static struct reach reach_of(struct tsr_arena *arena, uint32_t depth, const struct tsr_insn *insn,
                             const struct tsr__operand *o)
{
  struct reach r;
  for (int k = 0; k < 4; k++) {
    r.from[k] = tsr__set_new(arena, depth + o->extra);
    tsr__set_add(&r.from[k], 0, 1 + o->extra);
    for (int j = k; j < 3; j++)
      tsr__set_spread(&r.from[k], o->step[j], insn->loop.n[j]);
  }
  return r;
}

static bool earlier(const uint32_t a[3], const uint32_t b[3])
{
  for (int k = 0; k < 3; k++)
    if (a[k] != b[k])
      return a[k] < b[k];
  return false;
}

/* The first point that adds `offset` to the micro-op's index. */
static bool first_point(const struct reach *r, const struct tsr__operand *o, uint32_t offset,
                        uint32_t at[3])
{
  if (!tsr__set_has(&r->from[0], offset))
    return false;
  for (int k = 0; k < 3; k++)
    for (at[k] = 0; !tsr__set_has(&r->from[k + 1], offset); at[k]++)
      offset -= o->step[k];
  return true;
}

struct tsr__point tsr__locate(struct tsr_arena *arena, const struct tsr_design *design,
                              const struct tsr_insn *insn, const uint8_t *uops, enum tsr__role role,
                              uint32_t entry)
{
  struct tsr__point found = {{UINT32_MAX, 0, 0}, 0};
  struct tsr__operand list[3];
  if (role == TSR__ROLE_DMA)
    return (struct tsr__point){{0, 0, 0}, 0};
  if (role == TSR__ROLE_UOP)
    return (struct tsr__point){{0, 0, 0}, entry - insn->loop.uop_begin};
  tsr__nest_operands(insn, list);
  const struct tsr__operand *o = &list[role];
  struct reach r = reach_of(arena, (uint32_t)tsr_design_depth(design, o->buffer), insn, o);
  uops += (size_t)insn->loop.uop_begin * TSR_UOP_BYTES;
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uops += TSR_UOP_BYTES) {
    uint32_t base = tsr__uop_field(uops, role), at[3];
    if (base <= entry && first_point(&r, o, entry - base, at) && earlier(at, found.at))
      found = (struct tsr__point){{at[0], at[1], at[2]}, u};
  }
  assert(found.at[0] != UINT32_MAX);
  return found;
}

/* ---- words ---- */

void tsr__name_insn(char *text, size_t size, size_t index, const struct tsr_insn *insn)
{
  snprintf(text, size, "instruction %zu (%s, %s)", index, tsr_opcode_name(insn->opcode),
           tsr_engine_name(tsr_insn_engine(insn)));
}

void tsr__name_point(char *text, size_t size, int buffer, uint32_t entry, enum tsr__role role,
                     const struct tsr__point *point)
{
  static const char *const names[TSR_BUFFER_COUNT] = {
      [TSR_BUFFER_UOP] = "UOP", [TSR_BUFFER_INP] = "INP", [TSR_BUFFER_WGT] = "WGT",
      [TSR_BUFFER_ACC] = "ACC", [TSR_BUFFER_OUT] = "OUT", [TSR_BUFFER_LUT] = "LUT"};
  if (role == TSR__ROLE_DMA)
    snprintf(text, size, "%s entry %" PRIu32, names[buffer], entry);
  else if (role == TSR__ROLE_UOP)
    snprintf(text, size, "UOP entry %" PRIu32 ", micro-op %" PRIu32, entry, point->uop);
  else
    snprintf(text, size,
             "%s entry %" PRIu32 " (%c) at loop point (%" PRIu32 ",%" PRIu32 ",%" PRIu32
             "), micro-op %" PRIu32,
             names[buffer], entry, "dab"[role], point -> at[0], point -> at[1], point -> at[2],
             point -> uop);
}
