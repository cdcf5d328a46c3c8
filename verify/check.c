/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where a sentence goes. */
struct report {
  size_t index;
  const struct tsr_insn *insn;
  char *text;
  size_t size;
};

static enum tsr_trap say(const struct report *to, enum tsr_trap trap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum tsr_trap say(const struct report *to, enum tsr_trap trap, const char *format, ...)
{
  int n = snprintf(to->text, to->size, "instruction %zu (%s, %s): ", to->index,
                   tsr_opcode_name(to->insn->opcode), tsr_engine_name(tsr_insn_engine(to->insn)));
  if (n < 0 || (size_t)n >= to->size)
    return trap;
  va_list args;
  va_start(args, format);
  vsnprintf(to->text + n, to->size - (size_t)n, format, args);
  va_end(args);
  return trap;
}

/* ---- loop nests ---- */

/* One of d, a, b: entries low <= index and index + extra < high are allowed. */
struct operand {
  const char *buffer;
  char role;
  int field; /* of the micro-op: 0 dst, 1 a, 2 b */
  int64_t depth, low, high, extra;
  const uint32_t *step;
};

/* The first place, in the order of execution, where something is wrong. */
struct offence {
  bool found;
  int64_t point[3];
  uint32_t uop;
  int64_t index;
  const struct operand *operand; /* NULL: the micro-op's own flags */
};

enum tsr_second tsr_check_second(int opcode)
{
  switch (opcode) {
  case TSR_OP_GEMM: return TSR_SECOND_WGT;
  case TSR_OP_LUT: return TSR_SECOND_LUT;
  case TSR_OP_QUANT: return TSR_SECOND_ACC3;
  case TSR_OP_MOV:
  case TSR_OP_RSUM:
  case TSR_OP_RMAX: return TSR_SECOND_NONE;
  default: return TSR_SECOND_ACC;
  }
}

static struct operand operand(const struct tsr_design *design, const struct tsr_insn *insn,
                              int field, int buffer)
{
  const uint32_t *steps[3] = {insn->loop.step_dst, insn->loop.step_a, insn->loop.step_b};
  static const char *const names[TSR_BUFFER_COUNT] = {[TSR_BUFFER_INP] = "INP",
                                                      [TSR_BUFFER_WGT] = "WGT",
                                                      [TSR_BUFFER_ACC] = "ACC",
                                                      [TSR_BUFFER_OUT] = "OUT",
                                                      [TSR_BUFFER_LUT] = "LUT"};
  int64_t depth = tsr_design_depth(design, buffer);
  struct operand o = {names[buffer], "dab"[field], field, depth, 0, depth, 0, steps[field]};
  if (buffer == TSR_BUFFER_ACC) {
    o.low = insn->loop.banks & 1 ? 0 : depth / 2;
    o.high = insn->loop.banks & 2 ? depth : depth / 2; /* no bank named: an empty range */
  }
  return o;
}

static int operands(const struct tsr_design *design, const struct tsr_insn *insn,
                    struct operand out[3])
{
  static const int dst[] = {TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_INP};
  bool gemm = insn->opcode == TSR_OP_GEMM;
  bool inp = gemm || insn->loop.src == TSR_SRC_INP;
  out[0] = operand(design, insn, 0, gemm ? TSR_BUFFER_ACC : dst[insn->loop.dst]);
  out[1] = operand(design, insn, 1, inp ? TSR_BUFFER_INP : TSR_BUFFER_ACC);
  switch (tsr_check_second(insn->opcode)) {
  case TSR_SECOND_NONE: return 2;
  case TSR_SECOND_WGT: out[2] = operand(design, insn, 2, TSR_BUFFER_WGT); return 3;
  case TSR_SECOND_LUT: out[2] = operand(design, insn, 2, TSR_BUFFER_LUT); return 3;
  case TSR_SECOND_ACC: out[2] = operand(design, insn, 2, TSR_BUFFER_ACC); return 3;
  case TSR_SECOND_ACC3:
    out[2] = operand(design, insn, 2, TSR_BUFFER_ACC);
    out[2].extra = 2;
    return 3;
  }
  return 2;
}

static uint32_t field16(const uint8_t *bytes)
{
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static int64_t span(const struct tsr_insn *insn, const uint32_t step[3], int from_loop)
{
  int64_t sum = 0;
  for (int k = from_loop; k < 3; k++)
    sum += ((int64_t)insn->loop.n[k] - 1) * step[k];
  return sum;
}

/* Whether every micro-op of the sequence is good, judged from the extremes of each field; false
 * also where only a closer look can tell. */
static bool all_good(const struct tsr_insn *insn, const struct operand *list, int count,
                     const uint8_t *uops)
{
  uint16_t least[3] = {UINT16_MAX, UINT16_MAX, UINT16_MAX}, most[3] = {0, 0, 0}, flags = 0;
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uops += TSR_UOP_BYTES) {
    for (int f = 0; f < 3; f++) {
      uint16_t v = (uint16_t)field16(uops + 2 * f);
      least[f] = v < least[f] ? v : least[f];
      most[f] = v > most[f] ? v : most[f];
    }
    flags |= (uint16_t)field16(uops + 6);
  }
  if (flags & ~1 || (flags & 1 && !tsr_opcode_takes_first(insn->opcode)))
    return false;
  for (int k = 0; k < count; k++) {
    const struct operand *o = &list[k];
    if (least[o->field] < o->low || most[o->field] + span(insn, o->step, 0) + o->extra >= o->high)
      return false;
  }
  return true;
}

/* The first loop point at which base + point . step > limit; the far corner is known to be one. */
static void first_past(const struct tsr_insn *insn, const uint32_t step[3], int64_t base,
                       int64_t limit, int64_t point[3])
{
  for (int k = 0; k < 3; k++) {
    int64_t short_by = limit + 1 - base - span(insn, step, k + 1);
    point[k] = short_by > 0 ? (short_by + step[k] - 1) / step[k] : 0;
    base += point[k] * step[k];
  }
}

static bool earlier(const int64_t a[3], const int64_t b[3])
{
  for (int k = 0; k < 3; k++)
    if (a[k] != b[k])
      return a[k] < b[k];
  return false;
}

/* Keeps the offence if it comes before what was found: micro-ops are visited in order, so that at
 * equal loop points the earlier one stays. */
static void judge(const struct tsr_insn *insn, const struct operand *o, uint32_t uop, int64_t base,
                  struct offence *found)
{
  int64_t point[3] = {0, 0, 0};
  if (base >= o->low && base + o->extra < o->high) {
    if (base + span(insn, o->step, 0) + o->extra < o->high)
      return;
    first_past(insn, o->step, base, o->high - 1 - o->extra, point);
  }
  if (found->found && !earlier(point, found->point))
    return;
  found->found = true;
  memcpy(found->point, point, sizeof point);
  found->uop = uop;
  found->operand = o;
  found->index = base + point[0] * o->step[0] + point[1] * o->step[1] + point[2] * o->step[2];
}

static struct offence first_offence(const struct tsr_insn *insn, const struct operand *list,
                                    int count, const uint8_t *uops)
{
  static const int64_t origin[3];
  struct offence found = {0};
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uops += TSR_UOP_BYTES) {
    uint32_t flags = field16(uops + 6);
    if (flags & ~1u || (flags & 1 && !tsr_opcode_takes_first(insn->opcode))) {
      if (!found.found || earlier(origin, found.point))
        found = (struct offence){.found = true, .uop = u, .index = flags};
      return found;
    }
    for (int k = 0; k < count; k++)
      judge(insn, &list[k], u, field16(uops + 2 * list[k].field), &found);
  }
  return found;
}

static enum tsr_trap say_offence(const struct report *to, const struct offence *found)
{
  const struct operand *o = found->operand;
  if (!o && found->index & ~1)
    return say(to, TSR_TRAP_FIELD,
               "micro-op %" PRIu32 " has reserved flag bits set (0x%04" PRIx64 ")", found->uop,
               (uint64_t)found->index);
  if (!o)
    return say(to, TSR_TRAP_FIELD,
               "micro-op %" PRIu32 " sets overwrite, which has no meaning for this opcode",
               found->uop);
  int64_t bad = found->index; /* the first of the entries read that is not allowed */
  if (bad >= o->low && bad < o->high)
    bad = o->high;
  char at[128];
  int n = snprintf(at, sizeof at, "%s index %" PRId64 " (%c", o->buffer, bad, o->role);
  if (bad != found->index)
    n += snprintf(at + n, sizeof at - (size_t)n, "+%" PRId64, bad - found->index);
  snprintf(at + n, sizeof at - (size_t)n,
           ") at loop point (%" PRId64 ",%" PRId64 ",%" PRId64 "), micro-op %" PRIu32,
           found->point[0], found->point[1], found->point[2], found->uop);
  if (bad >= o->depth)
    return say(to, TSR_TRAP_INDEX, "%s; the scratchpad has %" PRId64 " entries", at, o->depth);
  return say(to, TSR_TRAP_INDEX, "%s lies in bank %d, which the instruction does not name", at,
             bad >= o->depth / 2);
}

static enum tsr_trap check_loop(const struct tsr_design *design, const struct report *to,
                                const uint8_t *uops)
{
  const struct tsr_insn *insn = to->insn;
  uint32_t depth = (uint32_t)tsr_design_depth(design, TSR_BUFFER_UOP);
  uint32_t end = insn->loop.uop_begin + insn->loop.uop_count;
  if (end > depth)
    return say(to, TSR_TRAP_INDEX, "UOP index %" PRIu32 "; the scratchpad has %" PRIu32 " entries",
               end - 1, depth);
  struct operand list[3];
  int count = operands(design, insn, list);
  uops += (size_t)insn->loop.uop_begin * TSR_UOP_BYTES;
  if (all_good(insn, list, count, uops))
    return TSR_TRAP_NONE;
  struct offence found = first_offence(insn, list, count, uops);
  return found.found ? say_offence(to, &found) : TSR_TRAP_NONE;
}

enum tsr_trap tsr_check_points(const struct tsr_design *design, const struct tsr_insn *insn,
                               const uint8_t *uops, uint64_t *points)
{
  struct operand list[3];
  int count = operands(design, insn, list);
  if (all_good(insn, list, count, uops))
    return TSR_TRAP_NONE;
  struct offence found = first_offence(insn, list, count, uops);
  if (!found.found)
    return TSR_TRAP_NONE;
  uint64_t nests = ((uint64_t)found.point[0] * insn->loop.n[1] + (uint64_t)found.point[1]) *
                       insn->loop.n[2] +
                   (uint64_t)found.point[2];
  *points = nests * insn->loop.uop_count + found.uop;
  return found.operand ? TSR_TRAP_INDEX : TSR_TRAP_FIELD;
}

uint64_t tsr_check_loop_points(const struct tsr_insn *insn)
{
  uint64_t nest = (uint64_t)insn->loop.n[0] * insn->loop.n[1] * insn->loop.n[2], all;
  return __builtin_mul_overflow(nest, insn->loop.uop_count, &all) ? UINT64_MAX : all;
}

/* ---- transfers ---- */

uint64_t tsr_check_dma_entries(const struct tsr_insn *insn)
{
  uint64_t width = (uint64_t)insn->dma.xl + insn->dma.nx + insn->dma.xr;
  return width * ((uint64_t)insn->dma.yl + insn->dma.ny + insn->dma.yr) * insn->dma.nz;
}

static enum tsr_trap check_align(const struct tsr_design *design, const struct report *to)
{
  const struct tsr_insn *insn = to->insn;
  uint64_t beat = (uint64_t)tsr_design_beat(design);
  const struct {
    const char *what;
    uint64_t value;
    bool used;
  } list[] = {
      {"DRAM offset", insn->dma.dram, true},
      {"row stride", insn->dma.sy, insn->dma.ny > 1},
      {"plane stride", insn->dma.sz, insn->dma.nz > 1},
  };
  for (int k = 0; k < 3; k++)
    if (list[k].used && list[k].value % beat)
      return say(to, TSR_TRAP_ALIGN,
                 "%s %" PRIu64 " is no multiple of the AXI beat of %" PRIu64 " bytes", list[k].what,
                 list[k].value, beat);
  return TSR_TRAP_NONE;
}

static enum tsr_trap check_dma(const struct tsr_design *design, const struct report *to,
                               uint64_t window_bytes)
{
  const struct tsr_insn *insn = to->insn;
  uint64_t end = insn->dma.sram + tsr_check_dma_entries(insn);
  uint64_t depth = (uint64_t)tsr_design_depth(design, insn->dma.buffer);
  const char *name = tsr_buffer_name(insn->dma.buffer);
  if (end > depth)
    return say(to, TSR_TRAP_INDEX,
               "%s entries %" PRIu32 " to %" PRIu64 "; the scratchpad has %" PRIu64 " entries",
               name, insn->dma.sram, end - 1, depth);
  uint64_t row = (uint64_t)insn->dma.nx * (uint64_t)tsr_design_dram_entry(design, insn->dma.buffer);
  uint64_t last = insn->dma.dram + (insn->dma.ny - 1) * insn->dma.sy +
                  (insn->dma.nz - 1) * insn->dma.sz;
  if (last + row > window_bytes)
    return say(to, TSR_TRAP_WINDOW,
               "DRAM bytes up to %" PRIu64 "; the window has %" PRIu64 " bytes", last + row - 1,
               window_bytes);
  return check_align(design, to);
}

/* ---- any instruction ---- */

enum tsr_trap tsr_check_insn(const struct tsr_design *design, size_t index,
                             const struct tsr_insn *insn, const uint8_t *uops,
                             uint64_t window_bytes, char *text, size_t size)
{
  struct report to = {index, insn, text, size};
  switch (tsr_opcode_format(insn->opcode)) {
  case TSR_FORMAT_DMA: return check_dma(design, &to, window_bytes);
  case TSR_FORMAT_LOOP: return check_loop(design, &to, uops);
  default: return TSR_TRAP_NONE;
  }
}

void tsr_check_word(size_t index, const uint8_t word[static TSR_INSN_BYTES], enum tsr_trap trap,
                    char *text, size_t size)
{
  if (trap == TSR_TRAP_OPCODE)
    snprintf(text, size, "instruction %zu: no instruction has the opcode 0x%02x", index, word[0]);
  else
    snprintf(text, size, "instruction %zu (%s): %s", index,
             tsr_opcode_valid(word[0]) ? tsr_opcode_name(word[0]) : "?", tsr_trap_meaning(trap));
}
