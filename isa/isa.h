/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction set in C: decoded instructions, encoder, decoder, assembler, disassembler.
 *
 * The tables (engines, buffers, traps, insns, fields: the .def files beside this one) are the one truth;
 * this file, the Verilog header and docs/isa.md are made from them. Nothing here depends on a design
 * point: the format is the same at every one. */
#ifndef TSR_ISA_ISA_H
#define TSR_ISA_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum tsr_engine {
#define TSR_ENGINE(name, text, meaning) TSR_ENGINE_##name,
#include "isa/engines.def"
#undef TSR_ENGINE
  TSR_ENGINE_COUNT,
  TSR_ENGINE_FETCH = TSR_ENGINE_COUNT, /* executes FINISH */
  TSR_ENGINE_ANY                       /* SYNC: its field says which */
};

enum tsr_buffer {
#define TSR_BUFFER(name, text, load, store, entry, meaning) TSR_BUFFER_##name,
#include "isa/buffers.def"
#undef TSR_BUFFER
  TSR_BUFFER_COUNT
};

enum tsr_trap {
#define TSR_TRAP(number, name, text, meaning) TSR_TRAP_##name = number,
#include "isa/traps.def"
#undef TSR_TRAP
};

enum tsr_state {
#define TSR_STATE(number, name, text, meaning) TSR_STATE_##name = number,
#include "isa/states.def"
#undef TSR_STATE
};

/* Offsets of the host's registers. */
enum tsr_register {
#define TSR_REGISTER(offset, name, writable, meaning) TSR_REG_##name = offset,
#include "isa/registers.def"
#undef TSR_REGISTER
  TSR_REG_COUNTERS = 0x100 /* counter k: low word at TSR_REG_COUNTERS + 8k, high word behind it */
};

/* What the machine counts, in its order. */
enum tsr_counter {
#define TSR_STATE_COUNTER(engine, state) TSR_COUNTER_##engine##_##state,
#define TSR_EVENT_COUNTER(name, text, meaning) TSR_COUNTER_##name,
#include "isa/counters.def"
#undef TSR_STATE_COUNTER
#undef TSR_EVENT_COUNTER
  TSR_COUNTER_COUNT
};

enum tsr_format { TSR_FORMAT_NONE, TSR_FORMAT_SYNC, TSR_FORMAT_DMA, TSR_FORMAT_LOOP };

enum tsr_opcode {
#define TSR_INSN(opcode, name, text, engine, format, meaning) TSR_OP_##name = opcode,
#include "isa/insns.def"
#undef TSR_INSN
};

enum { TSR_INSN_BYTES = 32, TSR_UOP_BYTES = 8, TSR_LUT_BYTES = 256 };

enum tsr_dst { TSR_DST_ACC, TSR_DST_OUT, TSR_DST_INP };
enum tsr_src { TSR_SRC_ACC, TSR_SRC_INP };

/* One decoded instruction. Fields are wider than in the word, so that the encoder can refuse what does
 * not fit. Members that the opcode's format lacks are zero. */
struct tsr_insn {
  int opcode;           /* enum tsr_opcode */
  uint32_t wait, signal; /* bit e: engine e */
  int engine;           /* SYNC only; use tsr_insn_engine() for any instruction */

  struct {              /* DMA */
    int buffer;         /* enum tsr_buffer */
    int32_t pad;
    uint32_t sram, nx, ny, nz, xl, xr, yl, yr;
    uint64_t dram, sy, sz; /* bytes */
  } dma;

  struct {              /* LOOP */
    uint32_t first;     /* bit k: only where loop k is at 0 does a micro-op's overwrite count */
    uint32_t banks;     /* bit k: ACC bank k (bank 0 is the lower half) is touched, as dst, a or b */
    int dst, src;       /* enum tsr_dst, enum tsr_src; ACC for GEMM */
    uint32_t uop_begin, uop_count;
    uint32_t n[3];
    uint32_t step_dst[3], step_a[3], step_b[3];
  } loop;
};

struct tsr_uop {
  uint32_t dst, a, b; /* GEMM: ACC, INP, WGT; vector: by the flags; LUT and QUANT: b as the table says */
  bool overwrite;
};

const char *tsr_engine_name(int engine);  /* "load" */
const char *tsr_buffer_name(int buffer);  /* "inp" */
const char *tsr_trap_name(int trap);      /* "index" */
const char *tsr_trap_meaning(int trap);
const char *tsr_state_name(int state);         /* "token" */
const char *tsr_counter_name(int counter);     /* of a state: its name, "token"; "tiles" */
int tsr_counter_engine(int counter);           /* whose state it counts, TSR_ENGINE_FETCH too; else -1 */
const char *tsr_counter_meaning(int counter);
bool tsr_opcode_valid(int opcode);
const char *tsr_opcode_name(int opcode);  /* "gemm" */
enum tsr_format tsr_opcode_format(int opcode);
bool tsr_opcode_takes_first(int opcode);  /* GEMM MAC ADD MIN MAX */
int tsr_insn_engine(const struct tsr_insn *insn); /* the SYNC's own, TSR_ENGINE_FETCH for FINISH */

/* Encoding refuses every field that does not fit or has no meaning, naming it, its value and its range. */
enum tsr_status tsr_insn_encode(struct tsr_err *err, const struct tsr_insn *insn,
                                uint8_t word[TSR_INSN_BYTES]);
enum tsr_status tsr_uop_encode(struct tsr_err *err, const struct tsr_uop *uop,
                               uint8_t word[TSR_UOP_BYTES]);

/* Decoding returns the trap that the hardware raises for the word: NONE, OPCODE or FIELD. *out is filled
 * only on NONE. decode(encode(x)) == x and encode(decode(w)) == w for every word that decodes. */
enum tsr_trap tsr_insn_decode(const uint8_t word[TSR_INSN_BYTES], struct tsr_insn *out);
enum tsr_trap tsr_uop_decode(const uint8_t word[TSR_UOP_BYTES], struct tsr_uop *out);

/* A program as bytes: instructions, and the data that it expects in DRAM. `tessera asm` makes one from
 * text, `tessera disasm` the text from one; docs/assembler.md has the grammar. */
struct tsr_program {
  uint8_t *insns; /* insn_count words of TSR_INSN_BYTES */
  size_t insn_count;
  uint8_t *data;  /* image of the DMA window's first data_bytes bytes, micro-ops included */
  size_t data_bytes;
  size_t window_bytes;   /* how much DRAM the program needs, >= data_bytes */
  uint64_t design_hash;  /* 0: any */
};

/* name is for messages: "name:line: ...". The program lives in the arena. */
enum tsr_status tsr_assemble(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                             const char *text, struct tsr_program *out);
/* Text that assembles to the same program, byte for byte. A word that does not decode is printed as
 * `.word` with its 32 bytes. */
char *tsr_disassemble(struct tsr_arena *arena, const struct tsr_program *program);
/* One instruction as a line without its newline: "gemm uops=0+9 n=1,7,14 ...". */
char *tsr_insn_text(struct tsr_arena *arena, const struct tsr_insn *insn);

/* The program file (.tbin): magic, version, counts, design hash, sections, CRC-32. */
enum tsr_status tsr_program_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                 const uint8_t *bytes, size_t size, struct tsr_program *out);
void tsr_program_write(struct tsr_arena *arena, const struct tsr_program *program, uint8_t **bytes,
                       size_t *size);

#endif
