/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "isa/operand.h"

static uint64_t value_of(const struct tsr_insn *insn, int format, const char *slot)
{
  return tsr__slot_get(tsr__slot_find(format, slot), insn);
}

static int slot_count(const struct tsr__operand *o)
{
  int n = 0;
  while (n < TSR__OPERAND_SLOTS && o->slots[n])
    n++;
  return n;
}

static bool is_initial(const struct tsr__operand *o, const struct tsr_insn *insn)
{
  for (int i = 0; i < slot_count(o); i++)
    if (value_of(insn, o->format, o->slots[i]) != (uint64_t)o->initial)
      return false;
  return true;
}

static void add_numbers(struct tsr_text *text, const struct tsr__operand *o,
                        const struct tsr_insn *insn)
{
  for (int i = 0; i < slot_count(o); i++)
    tsr_text_add(text, o->spelling == TSR__HEX ? "%s0x%" PRIx64 : "%s%" PRId64, i ? "," : "",
                 (int64_t)value_of(insn, o->format, o->slots[i]));
}

static void add_bits(struct tsr_text *text, const struct tsr__operand *o,
                     const struct tsr_insn *insn)
{
  uint64_t mask = value_of(insn, o->format, o->slots[0]);
  const char *comma = "";
  for (int bit = 0; bit < 64; bit++) {
    if (!(mask >> bit & 1))
      continue;
    if (o->spelling == TSR__ENGINES)
      tsr_text_add(text, "%s%s", comma, tsr_engine_name(bit));
    else
      tsr_text_add(text, "%s%d", comma, bit);
    comma = ",";
  }
}

static void add_spaced(struct tsr_text *text, const struct tsr__operand *o,
                       const struct tsr_insn *insn)
{
  uint64_t space = o->space ? value_of(insn, o->format, o->space) : 0;
  if (!space && is_initial(o, insn))
    return;
  tsr_text_add(text, " %s=", o->keyword);
  if (space) {
    int n;
    const char *const *names = tsr__spaces(o->space, &n);
    tsr_text_add(text, "%s", names[space]);
  }
  if (!is_initial(o, insn)) {
    tsr_text_add(text, "%s", space ? ":" : "");
    add_numbers(text, o, insn);
  }
}

static void add_operand(struct tsr_text *text, const struct tsr__operand *o,
                        const struct tsr_insn *insn)
{
  if (o->spelling == TSR__SPACED) {
    add_spaced(text, o, insn);
    return;
  }
  if (!o->always && is_initial(o, insn))
    return;
  tsr_text_add(text, " %s=", o->keyword);
  switch (o->spelling) {
  case TSR__UOPS: tsr_text_add(text, "%u+%u", insn->loop.uop_begin, insn->loop.uop_count); break;
  case TSR__ENGINES:
  case TSR__BITS: add_bits(text, o, insn); break;
  default: add_numbers(text, o, insn); break;
  }
}

static void add_insn(struct tsr_text *text, const struct tsr_insn *insn)
{
  int n, format = (int)tsr_opcode_format(insn->opcode);
  const struct tsr__operand *operands = tsr__operands(&n);
  tsr_text_add(text, "%s", tsr_opcode_name(insn->opcode));
  if (format == TSR_FORMAT_DMA)
    tsr_text_add(text, " %s", tsr_buffer_name(insn->dma.buffer));
  if (format == TSR_FORMAT_SYNC)
    tsr_text_add(text, " %s", tsr_engine_name(insn->engine));
  for (int i = 0; i < n; i++)
    if (operands[i].format == format)
      add_operand(text, &operands[i], insn);
}

char *tsr_insn_text(struct tsr_arena *arena, const struct tsr_insn *insn)
{
  struct tsr_text text = {.arena = arena};
  add_insn(&text, insn);
  return text.data;
}

static void add_insns(struct tsr_text *text, const struct tsr_program *program)
{
  for (size_t i = 0; i < program->insn_count; i++) {
    const uint8_t *word = program->insns + i * TSR_INSN_BYTES;
    struct tsr_insn insn;
    if (tsr_insn_decode(word, &insn) == TSR_TRAP_NONE) {
      add_insn(text, &insn);
    } else {
      tsr_text_add(text, ".word");
      for (int k = 0; k < TSR_INSN_BYTES; k++)
        tsr_text_add(text, " %02x", word[k]);
    }
    tsr_text_add(text, "\n");
  }
}

/* depth[i] is how many micro-op LOADs begin at or before data byte i, less those that end there: it is
 * above 0 where the program reads micro-ops. Only LOADs of one row count: others are rare, and bytes are
 * no worse than `.uop`. */
static int32_t *find_uops(struct tsr_arena *arena, const struct tsr_program *program)
{
  int32_t *depth = TSR_NEW_ARRAY(arena, int32_t, program->data_bytes + 1);
  for (size_t i = 0; i < program->insn_count; i++) {
    struct tsr_insn insn;
    if (tsr_insn_decode(program->insns + i * TSR_INSN_BYTES, &insn) != TSR_TRAP_NONE ||
        insn.opcode != TSR_OP_LOAD || insn.dma.buffer != TSR_BUFFER_UOP || insn.dma.ny > 1 ||
        insn.dma.nz > 1)
      continue;
    uint64_t from = insn.dma.dram, to = from + insn.dma.nx * (uint64_t)TSR_UOP_BYTES;
    if (to > program->data_bytes)
      continue;
    depth[from]++;
    depth[to]--;
  }
  for (size_t i = 1; i < program->data_bytes; i++)
    depth[i] += depth[i - 1];
  return depth;
}

enum { BYTES_A_LINE = 16, SHORTEST_GAP = 16 };

static size_t zeros_at(const struct tsr_program *p, size_t at)
{
  size_t n = 0;
  while (at + n < p->data_bytes && !p->data[at + n])
    n++;
  return n;
}

static bool uop_at(const struct tsr_program *p, const int32_t *depth, size_t at,
                   struct tsr_uop *uop)
{
  if (p->data_bytes - at < TSR_UOP_BYTES)
    return false;
  for (int k = 0; k < TSR_UOP_BYTES; k++)
    if (depth[at + (size_t)k] <= 0)
      return false;
  return tsr_uop_decode(p->data + at, uop) == TSR_TRAP_NONE;
}

/* One line of data at `at`; returns where the next begins. */
static size_t add_data_line(struct tsr_text *text, const struct tsr_program *p,
                            const int32_t *depth, size_t at)
{
  struct tsr_uop uop;
  if (uop_at(p, depth, at, &uop)) {
    tsr_text_add(text, ".uop %u,%u,%u%s\n", uop.dst, uop.a, uop.b,
                 uop.overwrite ? ",overwrite" : "");
    return at + TSR_UOP_BYTES;
  }
  size_t zeros = zeros_at(p, at);
  if (depth[at] <= 0 && (zeros >= SHORTEST_GAP || at + zeros == p->data_bytes) && zeros) {
    size_t end = at;
    while (end < at + zeros && depth[end] <= 0)
      end++;
    tsr_text_add(text, ".org 0x%zx\n", end);
    return end;
  }
  size_t n = 0;
  do {
    tsr_text_add(text, n ? ",%d" : ".byte %d", (int8_t)p->data[at + n]);
    n++;
  } while (n < BYTES_A_LINE && at + n < p->data_bytes && (depth[at + n] > 0) == (depth[at] > 0));
  tsr_text_add(text, "\n");
  return at + n;
}

static void add_data(struct tsr_text *text, const struct tsr_program *program)
{
  const int32_t *depth = find_uops(text->arena, program);
  tsr_text_add(text, ".data\n");
  for (size_t at = 0; at < program->data_bytes;)
    at = add_data_line(text, program, depth, at);
}

char *tsr_disassemble(struct tsr_arena *arena, const struct tsr_program *program)
{
  struct tsr_text text = {.arena = arena};
  tsr_text_add(&text, "%s", "");
  if (program->design_hash)
    tsr_text_add(&text, ".design 0x%016" PRIx64 "\n", program->design_hash);
  if (program->window_bytes != program->data_bytes)
    tsr_text_add(&text, ".window %zu\n", program->window_bytes);
  add_insns(&text, program);
  if (program->data_bytes)
    add_data(&text, program);
  return text.data;
}
