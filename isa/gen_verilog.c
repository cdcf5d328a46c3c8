/* SPDX-License-Identifier: Apache-2.0 */
/* The Verilog header: macros, so that a file that includes it has no unused parameters. */
#include <ctype.h>

#include "isa/gen.h"

static void add_upper(struct tsr_text *out, const char *name)
{
  for (; *name; name++)
    tsr_text_add(out, "%c", toupper((unsigned char)*name));
}

static void add_fields(struct tsr_text *out, int format)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  tsr_text_add(out, "\n// %s: NAME is the part select of a word, NAME_W its width\n",
               tsr__format_name(format));
  for (int i = 0; i < n; i++) {
    tsr_text_add(out, "`define TSR_%s_", tsr__format_name(format));
    add_upper(out, slots[i].name);
    tsr_text_add(out, " %d:%d\n`define TSR_%s_", slots[i].low + slots[i].bits - 1, slots[i].low,
                 tsr__format_name(format));
    add_upper(out, slots[i].name);
    tsr_text_add(out, "_W %d\n", slots[i].bits);
  }
}

/* Bits that must be zero, as a mask over the word. */
static void add_reserved(struct tsr_text *out, int format, int word_bits)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  tsr_text_add(out, "`define TSR_%s_RESERVED %d'h", tsr__format_name(format), word_bits);
  for (int low = word_bits - 4; low >= 0; low -= 4) {
    int digit = 15;
    for (int i = 0; i < n; i++)
      for (int bit = 0; bit < 4; bit++)
        if (low + bit >= slots[i].low && low + bit < slots[i].low + slots[i].bits)
          digit &= ~(1 << bit);
    tsr_text_add(out, "%x", digit);
  }
  tsr_text_add(out, "\n");
}

static void add_numbers(struct tsr_text *out)
{
  tsr_text_add(out, "\n// opcodes\n");
#define TSR_INSN(opcode, name, text, engine, format, meaning)                                      \
  tsr_text_add(out, "`define TSR_OP_%s 8'h%02x // %s %s\n", #name, opcode, #engine, #format);
#include "isa/insns.def"
#undef TSR_INSN
  tsr_text_add(out, "\n// engines: the bit in token masks; FETCH is no engine of tokens\n");
#define TSR_ENGINE(name, text, meaning)                                                            \
  tsr_text_add(out, "`define TSR_ENGINE_%s %d // %s\n", #name, TSR_ENGINE_##name, meaning);
#include "isa/engines.def"
#undef TSR_ENGINE
  tsr_text_add(out, "`define TSR_ENGINE_FETCH %d\n`define TSR_ENGINES %d\n", TSR_ENGINE_FETCH,
               TSR_ENGINE_COUNT);
  tsr_text_add(out, "\n// buffers\n");
#define TSR_BUFFER(name, text, load, store, entry, meaning)                                        \
  tsr_text_add(out, "`define TSR_BUFFER_%s 8'd%d // %s\n", #name, TSR_BUFFER_##name, meaning);
#include "isa/buffers.def"
#undef TSR_BUFFER
  tsr_text_add(out, "\n// buffers that LOAD and that STORE take, one bit each\n");
  int load = 0, store = 0;
#define TSR_BUFFER(name, text, loads, stores, entry, meaning)                                      \
  load |= (loads) << TSR_BUFFER_##name, store |= (stores) << TSR_BUFFER_##name;
#include "isa/buffers.def"
#undef TSR_BUFFER
  tsr_text_add(out, "`define TSR_LOADABLE %d'h%02x\n`define TSR_STORABLE %d'h%02x\n",
               TSR_BUFFER_COUNT, load, TSR_BUFFER_COUNT, store);
  tsr_text_add(out, "\n// where d and a of vector instructions lie\n");
  tsr_text_add(out,
               "`define TSR_DST_ACC 2'd%d\n`define TSR_DST_OUT 2'd%d\n`define TSR_DST_INP 2'd%d\n",
               TSR_DST_ACC, TSR_DST_OUT, TSR_DST_INP);
  tsr_text_add(out, "`define TSR_SRC_ACC 1'd%d\n`define TSR_SRC_INP 1'd%d\n", TSR_SRC_ACC,
               TSR_SRC_INP);
  tsr_text_add(out, "\n// traps\n");
#define TSR_TRAP(number, name, text, meaning)                                                      \
  tsr_text_add(out, "`define TSR_TRAP_%s 8'd%d // %s\n", #name, number, meaning);
#include "isa/traps.def"
#undef TSR_TRAP
}

/* The host's registers, with the bits that can be written, and what the machine counts. */
static void add_host(struct tsr_text *out)
{
  tsr_text_add(out, "\n// registers, and their writable bits\n");
#define TSR_REGISTER(offset, name, writable, meaning)                                              \
  tsr_text_add(out, "`define TSR_REG_%s 12'h%03x\n`define TSR_REG_%s_MASK 32'h%08x\n", #name,      \
               offset, #name, (unsigned)(writable));
#include "isa/registers.def"
#undef TSR_REGISTER
  tsr_text_add(out, "`define TSR_REG_COUNTERS 12'h%03x\n\n// states of engines\n",
               TSR_REG_COUNTERS);
#define TSR_STATE(number, name, text, meaning)                                                     \
  tsr_text_add(out, "`define TSR_STATE_%s 4'd%d // %s\n", #name, number, meaning);
#include "isa/states.def"
#undef TSR_STATE
  tsr_text_add(out, "\n// counters, in their order\n");
#define TSR_STATE_COUNTER(engine, state)                                                           \
  tsr_text_add(out, "`define TSR_COUNTER_%s_%s %d\n", #engine, #state,                            \
               TSR_COUNTER_##engine##_##state);
#define TSR_EVENT_COUNTER(name, text, meaning)                                                     \
  tsr_text_add(out, "`define TSR_COUNTER_%s %d // %s\n", #name, TSR_COUNTER_##name, meaning);
#include "isa/counters.def"
#undef TSR_STATE_COUNTER
#undef TSR_EVENT_COUNTER
  tsr_text_add(out, "`define TSR_COUNTERS %d\n", TSR_COUNTER_COUNT);
}

void tsr__gen_verilog(struct tsr_text *out)
{
  tsr_text_add(out,
               "// SPDX-License-Identifier: Apache-2.0\n"
               "// Made by isa_gen from isa/*.def; changes here are lost.\n"
               "`ifndef TSR_ISA_VH\n`define TSR_ISA_VH\n\n"
               "`define TSR_INSN_BITS %d\n`define TSR_UOP_BITS %d\n`define TSR_LUT_BYTES %d\n",
               8 * TSR_INSN_BYTES, 8 * TSR_UOP_BYTES, TSR_LUT_BYTES);
  add_numbers(out);
  add_host(out);
  for (int format = 0; format < TSR__FORMAT_COUNT; format++) {
    add_fields(out, format);
    add_reserved(out, format, format == TSR__FORMAT_UOP ? 8 * TSR_UOP_BYTES : 8 * TSR_INSN_BYTES);
  }
  tsr_text_add(out, "\n`endif\n");
}
