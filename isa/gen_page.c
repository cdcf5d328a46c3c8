/* SPDX-License-Identifier: Apache-2.0 */
/* The reference page of the instruction set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "isa/gen.h"

static void add(struct tsr_text *out, const char *prose)
{
  tsr_text_add_bytes(out, prose, strlen(prose));
}

static const char intro[] = "<!-- Made by isa_gen from isa/*.def: `isa_gen page > docs/isa.md`. "
                            "Changes here are lost. -->\n"
                            "# The instruction set\n"
                            "\n"
                            "A program is a list of 256-bit words. `fetch` reads them in order and "
                            "hands each to the queue of the\n"
                            "engine that executes it; four engines run at the same time, each in "
                            "the order of its own queue. What\n"
                            "one engine has to know of another travels as tokens. Words, fields "
                            "and numbers are the same at every\n"
                            "design point; only the sizes of scratchpads and tiles differ "
                            "([design-point.md](design-point.md)).\n"
                            "The text form is in [assembler.md](assembler.md).\n"
                            "\n"
                            "**In one line each**\n"
                            "\n";

static const char machine[] = "\n"
                              "## The machine\n"
                              "\n"
                              "`batch`, `block_in` and `block_out` are keys of the design point, "
                              "and `block_in = block_out`. A *lane* is\n"
                              "one of the `batch*block_out` elements of an entry.\n"
                              "\n";

static const char scratchpads[] =
    "\n"
    "Entries are numbered from 0. ACC has two banks: bank 0 is its lower half, bank 1 its upper "
    "half. An\n"
    "instruction of `matrix` or `vector` names the banks that it touches and holds them while it "
    "runs, so that\n"
    "`matrix` fills one while `vector` drains the other. UOP and LUT are written by LOAD only. The "
    "scratchpads\n"
    "are zero after reset.\n"
    "\n"
    "Everything is two's complement and little endian; DRAM addresses are byte offsets into the "
    "*window*, the\n"
    "piece of memory that the host gave to the program.\n"
    "\n"
    "## Order and tokens\n"
    "\n"
    "There is one counter for every ordered pair of engines, at 0 when a program starts. Before an "
    "instruction\n"
    "starts it waits until the counter from each engine in `wait` is above 0, then takes one token "
    "from each.\n"
    "When it has ended, with all that it wrote in place, it gives one token to each engine in "
    "`signal`, once\n"
    "none of those counters is full (`token_depth` of the design point). A full counter stalls the "
    "signaller;\n"
    "no token is ever dropped. An engine has no tokens for itself: its instructions run one after "
    "another\n"
    "anyhow.\n"
    "\n"
    "Tokens are the only order between engines. Two instructions of different engines that touch "
    "the same\n"
    "entries, one of them writing, need a chain of tokens between them; otherwise the result "
    "depends on\n"
    "timing. `fetch` runs ahead as far as the queues hold (`queue_depth`). When nothing can go on "
    "and the\n"
    "program has not finished, the machine stops with trap `deadlock`.\n"
    "\n"
    "## Words\n"
    "\n"
    "Bit 0 is the lowest bit of the first byte. Each row below is 32 bits, bit 31 on the left. "
    "Reserved bits\n"
    "(`-`) are zero; a word in which one is not is refused with trap `field`. A row of `-` at the "
    "end stands\n"
    "for all rows up to the end of the word; `*` is a field too narrow for its name, told below.\n";

static const char nest[] =
    "\n"
    "## The loop nest of `matrix` and `vector`\n"
    "\n"
    "    for i0 in 0 .. n0-1\n"
    "      for i1 in 0 .. n1-1\n"
    "        for i2 in 0 .. n2-1\n"
    "          for u in uop[uop_begin .. uop_begin + uop_count - 1]\n"
    "            d = u.dst + i0*dst0 + i1*dst1 + i2*dst2\n"
    "            a = u.a   + i0*a0   + i1*a1   + i2*a2\n"
    "            b = u.b   + i0*b0   + i1*b1   + i2*b2\n"
    "            first = u.overwrite and (i0 == 0 or not first[0])\n"
    "                                and (i1 == 0 or not first[1])\n"
    "                                and (i2 == 0 or not first[2])\n"
    "            the instruction, on every lane\n"
    "\n"
    "The result is that of this order: a point sees what all points before it wrote. Indices are "
    "computed\n"
    "exactly, without wrap-around. Every d and a, and every b that the instruction reads through, "
    "must lie\n"
    "inside its scratchpad, and those in ACC inside a bank that `banks` names; b counts as read "
    "also where\n"
    "`first` makes its value unused. Since steps are not negative, the corners of the nest decide; the "
    "functional\n"
    "device looks at them before the first point runs, the hardware traps when it comes to the point.\n"
    "\n"
    "*Sums across loops.* The mask `first` says which loops carry a sum. With `first=0,1`, "
    "`overwrite` starts\n"
    "a sum where i0 and i1 are both 0, and later iterations of these loops add to it. With an "
    "empty mask each\n"
    "`overwrite` micro-op starts a sum at every loop point. An instruction that has no use for "
    "`first` must\n"
    "have a zero mask, and its micro-ops no `overwrite` (trap `field`).\n"
    "\n"
    "*Operands of `vector`.* D is ACC, OUT or INP by the field `dst`; what goes to OUT or INP "
    "saturates to\n"
    "int8. A is ACC, or INP sign-extended to int32, by `src`. B is ACC. Lanes do not meet, except "
    "in RSUM and\n"
    "RMAX.\n"
    "\n"
    "## Arithmetic\n"
    "\n"
    "| where | width | rule |\n"
    "|---|---|---|\n"
    "| GEMM, ADD, SUB, MUL, MAC, SHL, RSUM | int32 | wraps modulo 2^32 |\n"
    "| SHR | int32 | one rounding, to nearest, ties to even |\n"
    "| QUANT | 64 bits inside | exact, one rounding, ties to even, then clamped |\n"
    "| any result to OUT or INP | int8 | saturates to -128 .. 127 |\n"
    "| LUT's index | int8 | saturates to -128 .. 127 |\n"
    "\n"
    "`base/arith.h` has each of these as a C function; all implementations give the same bits.\n";

static const char traps_before[] = "\n"
                                   "## Traps\n"
                                   "\n"
                                   "A trap stops the machine and leaves its number, the index of "
                                   "the instruction in the program and the\n"
                                   "engine in registers. What scratchpads and DRAM then hold is "
                                   "not defined; reset makes the machine as new.\n"
                                   "\n"
                                   "| number | name | why | found by |\n"
                                   "|---|---|---|---|\n";

static const char traps_after[] =
    "\n"
    "An instruction that could raise several raises the first that applies, in the order `opcode`, "
    "`field`,\n"
    "`index`, `window`, `align`. The values that a word may hold do not depend on the design "
    "point: the encoder\n"
    "refuses exactly the words for which decoding raises `opcode` or `field`. Beyond the ranges in "
    "the tables\n"
    "above, `field` is raised for\n"
    "\n"
    "* a reserved bit that is not zero, in a word or in a micro-op that an instruction executes;\n"
    "* `wait` or `signal` with the bit of the engine that executes the instruction;\n"
    "* a `buffer` that the instruction cannot load or store;\n"
    "* `pad` outside of -128 .. 127 except for `acc`, or other than 0 for `uop`;\n"
    "* `pad`, `xl`, `xr`, `yl` or `yr` other than 0 in STORE;\n"
    "* `dst` other than ACC in GEMM and MAC; `src` other than 0 in GEMM;\n"
    "* `first` other than 0, or a micro-op with `overwrite`, where the instruction has no use for "
    "it.\n"
    "\n"
    "A micro-op's bits are looked at when an instruction executes it, not when it is loaded.\n"
    "\n"
    "A word that fetch refuses, and the end of a program without FINISH, trap when no engine can go on: what "
    "comes\n"
    "before them in the program has run. Of two engines whose instructions would both trap, the one that "
    "gets to\n"
    "its own first stops the machine.\n";

static const char host_before[] =
    "\n"
    "## The host's registers\n"
    "\n"
    "32 bits each, behind an AXI4-Lite port with 12 bits of address. A write that is refused is answered "
    "SLVERR and\n"
    "changes nothing: to a register that is read only or is none; of fewer than all four bytes; with a bit "
    "that is\n"
    "not writable, so a misaligned address or length is one; and any but a reset while a program runs or "
    "scratchpads\n"
    "are being cleared, so a start while busy is one. A read of what is no register gets SLVERR and 0.\n"
    "\n"
    "| offset | name | writable bits | meaning |\n"
    "|---|---|---|---|\n";

static const char host_after[] =
    "\n"
    "A program runs from where PROGRAM says, with every DMA address counted from where WINDOW says. A start "
    "makes\n"
    "queues, tokens and counters as new, and leaves the scratchpads as they are; a reset clears these too, "
    "and all\n"
    "registers. A reset of a machine that runs takes effect when the bus has answered all that was asked "
    "of it.\n"
    "\n"
    "### States of an engine\n"
    "\n"
    "| number | name | in that cycle the engine |\n"
    "|---|---|---|\n";

static const char counters_before[] =
    "\n"
    "### Counters\n"
    "\n"
    "40 bits each, from a start to the program's end. An engine is in one state in each cycle: its states "
    "sum to\n"
    "`cycles`.\n"
    "\n"
    "| registers | counter | counts |\n"
    "|---|---|---|\n";

const char *tsr__format_name(int format)
{
  static const char *const names[TSR__FORMAT_COUNT] = {"NONE", "SYNC", "DMA", "LOOP", "UOP"};
  return names[format];
}

static void add_summary(struct tsr_text *out)
{
  tsr_text_add(
      out, "| opcode | instruction | engine | format | what it does |\n|---|---|---|---|---|\n");
#define TSR_INSN(opcode, name, text, engine, format, meaning)                                      \
  tsr_text_add(out, "| 0x%02x | [%s](#%s) | %s | %s | %s |\n", opcode, #name, text,                \
               tsr_engine_name(TSR_ENGINE_##engine), #format, meaning);
#include "isa/insns.def"
#undef TSR_INSN
}

static void add_engines(struct tsr_text *out)
{
  tsr_text_add(out, "| engine | bit in token masks | what it does |\n|---|---|---|\n");
#define TSR_ENGINE(name, text, meaning)                                                            \
  tsr_text_add(out, "| %s | %d | %s |\n", text, TSR_ENGINE_##name, meaning);
#include "isa/engines.def"
#undef TSR_ENGINE
}

static void add_buffers(struct tsr_text *out)
{
  tsr_text_add(
      out,
      "\n| buffer | number | LOAD | STORE | entry in DRAM | holds |\n|---|---|---|---|---|---|\n");
#define TSR_BUFFER(name, text, load, store, entry, meaning)                                        \
  tsr_text_add(out, "| %s | %d | %s | %s | %s | %s |\n", text, TSR_BUFFER_##name,                  \
               load ? "yes" : "-", store ? "yes" : "-", entry, meaning);
#include "isa/buffers.def"
#undef TSR_BUFFER
}

enum { BITS_A_ROW = 32, CHARS_A_BIT = 3 };

static const struct tsr__slot *slot_at(int format, int bit)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  for (int i = 0; i < n; i++)
    if (bit >= slots[i].low && bit < slots[i].low + slots[i].bits)
      return &slots[i];
  return NULL;
}

static void centered(char *cell, const char *text)
{
  size_t width = strlen(cell), n = strlen(text);
  n = n > width ? width : n;
  memcpy(cell + (width - n) / 2, text, n);
}

/* `width` bits of one slot (NULL: reserved); a text longer than its cell is cut. */
static void add_cell(struct tsr_text *out, const struct tsr__slot *slot, int width)
{
  char cell[BITS_A_ROW * CHARS_A_BIT];
  int chars = width * CHARS_A_BIT - 1;
  memset(cell, ' ', sizeof cell);
  cell[chars] = 0;
  centered(cell, !slot ? "-" : chars < (int)strlen(slot->name) ? "*" : slot->name);
  tsr_text_add(out, "%s|", cell);
}

static bool empty_from(int format, int bit, int word_bits)
{
  while (bit < word_bits && !slot_at(format, bit))
    bit++;
  return bit == word_bits;
}

static void add_row(struct tsr_text *out, int format, int row)
{
  tsr_text_add(out, "    %3d |", row);
  for (int bit = row + BITS_A_ROW; bit > row;) {
    const struct tsr__slot *slot = slot_at(format, bit - 1);
    int from = bit - 1;
    while (from > row && slot_at(format, from - 1) == slot)
      from--;
    add_cell(out, slot, bit - from);
    bit = from;
  }
  tsr_text_add(out, "\n");
}

/* Bit numbers over the bytes' ends, and a rule. */
static void add_diagram(struct tsr_text *out, int format, int word_bits)
{
  char head[BITS_A_ROW * CHARS_A_BIT + 1], rule[sizeof head];
  memset(head, ' ', sizeof head);
  memset(rule, '-', sizeof rule);
  head[sizeof head - 1] = rule[sizeof rule - 1] = 0;
  for (int bit = 7; bit < BITS_A_ROW; bit += 8) {
    char high[4], low[4];
    int at = (BITS_A_ROW - 1 - bit) * CHARS_A_BIT;
    memcpy(head + at, high, (size_t)snprintf(high, sizeof high, "%d", bit));
    int n = snprintf(low, sizeof low, "%d", bit - 7);
    memcpy(head + at + 8 * CHARS_A_BIT - 1 - n, low, (size_t)n);
    rule[at + 8 * CHARS_A_BIT - 1] = '+';
  }
  tsr_text_add(out, "\n    bit  %.*s\n        +%s\n", (int)sizeof head - 2, head, rule);
  for (int row = 0; row < word_bits; row += BITS_A_ROW) {
    add_row(out, format, row);
    if (empty_from(format, row, word_bits))
      break; /* one row stands for all that are empty to the end */
  }
  tsr_text_add(out, "        +%s\n", rule);
}

/* The names that the diagram has no room for. */
static void add_narrow(struct tsr_text *out, int format)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  for (int i = 0; i < n; i++)
    if (slots[i].bits * CHARS_A_BIT - 1 < (int)strlen(slots[i].name))
      tsr_text_add(out, "\nBit %d, `*`, is `%s`.\n", slots[i].low, slots[i].name);
}

static void add_fields(struct tsr_text *out, int format)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  tsr_text_add(out, "\n| field | bits | values | meaning |\n|---|---|---|---|\n");
  for (int i = 0; i < n; i++) {
    const struct tsr__slot *s = &slots[i];
    tsr_text_add(out, "| `%s` | ", s->name);
    if (s->bits > 1)
      tsr_text_add(out, "%d..", s->low + s->bits - 1);
    tsr_text_add(out, "%d | %" PRId64 " .. %" PRId64 " | %s |\n", s->low, s->smallest, s->largest,
                 s->meaning);
  }
}

static void add_formats(struct tsr_text *out)
{
  static const char *const uses[TSR__FORMAT_COUNT] = {
      "FINISH", "SYNC", "LOAD and STORE", "GEMM and all of `vector`", "an entry of UOP, 64 bits"};
  for (int format = 0; format < TSR__FORMAT_COUNT; format++) {
    bool uop = format == TSR__FORMAT_UOP;
    tsr_text_add(out, "\n### %s: %s\n", tsr__format_name(format), uses[format]);
    add_diagram(out, format, uop ? 8 * TSR_UOP_BYTES : 8 * TSR_INSN_BYTES);
    add_narrow(out, format);
    add_fields(out, format);
  }
}

struct detail {
  const char *example, *reads, *writes, *text;
};

/* No default: the compiler names an instruction that details.def lacks. */
static struct detail detail_of(enum tsr_opcode opcode)
{
  switch (opcode) {
#define TSR_DETAIL(name, example, reads, writes, text)                                             \
  case TSR_OP_##name:                                                                              \
    return (struct detail){example, reads, writes, text};
#include "isa/details.def"
#undef TSR_DETAIL
  }
  return (struct detail){"", "", "", ""};
}

static void add_insn(struct tsr_text *out, enum tsr_opcode opcode, const char *name,
                     const char *meaning)
{
  struct detail d = detail_of(opcode);
  tsr_text_add(out, "\n### %s\n\n    %s\n\n", name, meaning);
  tsr_text_add(out, "Opcode 0x%02x, format %s. Reads %s; writes %s.%s\n\n", opcode,
               tsr__format_name((int)tsr_opcode_format(opcode)), d.reads, d.writes,
               tsr_opcode_takes_first(opcode) ? " Takes `first`." : "");
  tsr_text_add(out, "%s\n\n    %s\n", d.text, d.example);
}

static void add_insns(struct tsr_text *out)
{
  add(out, "\n## Instructions\n\nEach with its meaning, what it touches, what a caller has to "
           "know, and an "
           "example in assembler.\n");
#define TSR_INSN(opcode, name, text, engine, format, meaning)                                      \
  add_insn(out, TSR_OP_##name, text, meaning);
#include "isa/insns.def"
#undef TSR_INSN
}

static const char *found_by(int trap)
{
  switch (trap) {
  case TSR_TRAP_NONE: return "-";
  case TSR_TRAP_OPCODE: return "fetch";
  case TSR_TRAP_FIELD: return "fetch; the engine, for micro-ops";
  case TSR_TRAP_DESIGN: return "the machine, at the start";
  case TSR_TRAP_DEADLOCK: return "the machine";
  case TSR_TRAP_BUS: return "load, store or fetch";
  case TSR_TRAP_INDEX: return "the engine: load and store before they start";
  default: return "the engine, before it starts";
  }
}

static void add_traps(struct tsr_text *out)
{
  add(out, traps_before);
#define TSR_TRAP(number, name, text, meaning)                                                      \
  tsr_text_add(out, "| %d | %s | %s | %s |\n", number, text, meaning, found_by(number));
#include "isa/traps.def"
#undef TSR_TRAP
  add(out, traps_after);
}

static void add_host(struct tsr_text *out)
{
  add(out, host_before);
#define TSR_REGISTER(offset, name, writable, meaning)                                              \
  tsr_text_add(out, "| 0x%03x | %s | %s | %s |\n", offset, #name, (writable) ? #writable : "-",     \
               meaning);
#include "isa/registers.def"
#undef TSR_REGISTER
  add(out, host_after);
#define TSR_STATE(number, name, text, meaning)                                                     \
  tsr_text_add(out, "| %d | %s | %s |\n", number, text, meaning);
#include "isa/states.def"
#undef TSR_STATE
  add(out, counters_before);
  for (int k = 0; k < TSR_COUNTER_COUNT; k++) {
    int engine = tsr_counter_engine(k), at = TSR_REG_COUNTERS + 8 * k;
    tsr_text_add(out, "| 0x%03x, 0x%03x | %s%s%s | %s%s |\n", at, at + 4,
                 engine < 0 ? "" : tsr_engine_name(engine), engine < 0 ? "" : ": ",
                 tsr_counter_name(k), engine < 0 ? "" : "cycles in which it ",
                 tsr_counter_meaning(k));
  }
}

void tsr__gen_page(struct tsr_text *out)
{
  add(out, intro);
  add_summary(out);
  add(out, machine);
  add_engines(out);
  add_buffers(out);
  add(out, scratchpads);
  add_formats(out);
  add(out, nest);
  add_insns(out);
  add_traps(out);
  add_host(out);
}
