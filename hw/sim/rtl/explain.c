/* SPDX-License-Identifier: Apache-2.0 */
/* Why a program stopped, in a sentence: what the checker says of the instruction, what the memory
 * answered, or what each engine waits for. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hw/sim/rtl/machine.h"
#include "verify/check.h"

enum { STATE_BITS = 8, STATE_MASK = 255, OTHERS_MASK = 15 };

struct sentence {
  struct tsr_rtl *rtl;
  const uint8_t *insns;
  size_t insn_count;
  struct tsr_run_result *result;
};

static void add(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct sentence *s, const char *format, ...)
{
  char *text = s->result->text;
  size_t length = strlen(text);
  va_list args;
  va_start(args, format);
  vsnprintf(text + length, sizeof s->result->text - length, format, args);
  va_end(args);
}

/* "instruction 12 (gemm, matrix): " */
static void add_place(struct sentence *s)
{
  const struct tsr_run_result *r = s->result;
  int opcode = r->insn < s->insn_count ? s->insns[r->insn * TSR_INSN_BYTES] : -1;
  add(s, "instruction %zu (", r->insn);
  if (tsr_opcode_valid(opcode))
    add(s, "%s, ", tsr_opcode_name(opcode));
  add(s, "%s): ", tsr_engine_name(r->engine));
}

/* --- traps ------------------------------------------------------------------------------------ */

static bool explain_word(struct sentence *s, struct tsr_insn *insn)
{
  struct tsr_run_result *r = s->result;
  if (r->insn >= s->insn_count) {
    add(s, "instruction %zu: the program ends here without finish", r->insn);
    return true;
  }
  const uint8_t *word = s->insns + r->insn * TSR_INSN_BYTES;
  enum tsr_trap trap = tsr_insn_decode(word, insn);
  if (trap)
    tsr_check_word(r->insn, word, trap, r->text, sizeof r->text);
  return trap;
}

/* The checker's words, if it comes to the same trap from the micro-ops as they are. */
static bool explain_insn(struct sentence *s, const struct tsr_insn *insn)
{
  struct tsr_rtl *rtl = s->rtl;
  struct tsr_run_result *r = s->result;
  uint32_t uops = (uint32_t)tsr_design_depth(&rtl->design, TSR_BUFFER_UOP);
  for (uint32_t i = 0; i < uops; i++)
    tsr_rtl_peek(rtl, TSR_BUFFER_UOP, i, rtl->uops + i * TSR_UOP_BYTES);
  enum tsr_trap trap = tsr_check_insn(&rtl->design, r->insn, insn, rtl->uops, rtl->window_bytes,
                                      r->text, sizeof r->text);
  if (trap != r->trap)
    r->text[0] = 0;
  return trap == r->trap;
}

static void explain_bus(struct sentence *s)
{
  struct tsr_dram_error e;
  add_place(s);
  add(s, "an AXI error response");
  if (tsr_dram_first_error(s->rtl->dram, &e))
    add(s, ", %s, to the %s of %d bytes at bus address 0x%" PRIx64,
        e.resp == TSR_AXI_DECERR ? "DECERR" : "SLVERR", e.write ? "write" : "read", e.bytes,
        e.addr);
}

static uint64_t read_pair(struct tsr_rtl *rtl, uint32_t low_offset)
{
  uint32_t low = 0, high = 0;
  tsr_rtl_read_register(rtl, low_offset, &low);
  tsr_rtl_read_register(rtl, low_offset + 4, &high);
  return (uint64_t)high << 32 | low;
}

static void explain_design(struct sentence *s)
{
  add(s,
      "the program is for the design point with the hash %016" PRIx64
      ", and the machine is '%s', whose hash is %016" PRIx64,
      read_pair(s->rtl, TSR_REG_DESIGN_LO), s->rtl->design.name, s->rtl->design.hash);
}

/* --- what engines wait for -------------------------------------------------------------------- */

/* "matrix, store": the engines of a mask. */
static void add_engines(struct sentence *s, uint32_t mask)
{
  const char *comma = "";
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (mask >> e & 1) {
      add(s, "%s%s", comma, tsr_engine_name(e));
      comma = ", ";
    }
}

static void add_state(struct sentence *s, int state, uint32_t others)
{
  switch (state) {
  case TSR_STATE_TOKEN:
    add(s, ", for a token from ");
    add_engines(s, others);
    break;
  case TSR_STATE_SIGNAL:
    add(s, ", to give a token, where %d wait already, to ", s->rtl->design.token_depth);
    add_engines(s, others);
    break;
  case TSR_STATE_QUEUE:
    add(s, ", for room in the queue of ");
    add_engines(s, others);
    break;
  case TSR_STATE_LOCK:
    add(s, ", for an ACC bank or the write port of INP, which another engine holds");
    break;
  case TSR_STATE_MEMORY: add(s, ", for DRAM"); break;
  case TSR_STATE_HAZARD: add(s, ", for a result of its own"); break;
  case TSR_STATE_FINISH: add(s, ", for every engine to be idle (finish)"); break;
  default: break;
  }
}

static void add_engine(struct sentence *s, int engine, uint32_t state_offset, uint32_t insn_offset)
{
  uint32_t state = 0, insn = 0;
  tsr_rtl_read_register(s->rtl, state_offset, &state);
  tsr_rtl_read_register(s->rtl, insn_offset, &insn);
  int is = (int)(state & STATE_MASK);
  if (is == TSR_STATE_IDLE)
    return;
  add(s, "; %s %s at instruction %" PRIu32, tsr_engine_name(engine),
      is == TSR_STATE_BUSY ? "is" : "waits", insn);
  int opcode = insn < s->insn_count ? s->insns[(size_t)insn * TSR_INSN_BYTES] : -1;
  if (engine != TSR_ENGINE_FETCH && tsr_opcode_valid(opcode))
    add(s, " (%s)", tsr_opcode_name(opcode));
  add_state(s, is, state >> STATE_BITS & OTHERS_MASK);
}

static void add_all_engines(struct sentence *s)
{
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++)
    add_engine(s, e, TSR_REG_STATE_LOAD + 4 * (uint32_t)e, TSR_REG_INSN_LOAD + 4 * (uint32_t)e);
}

void tsr__rtl_explain(struct tsr_rtl *rtl, const uint8_t *insns, size_t insn_count, uint64_t cycles,
                      struct tsr_run_result *result)
{
  struct sentence s = {rtl, insns, insn_count, result};
  struct tsr_insn insn;
  if (result->timed_out) {
    add(&s, "the program has not ended after %" PRIu64 " cycles", cycles);
    add_all_engines(&s);
    return;
  }
  switch (result->trap) {
  case TSR_TRAP_NONE: return;
  case TSR_TRAP_DEADLOCK:
    add(&s, "no engine can go on");
    add_all_engines(&s);
    return;
  case TSR_TRAP_BUS: explain_bus(&s); return;
  case TSR_TRAP_DESIGN: explain_design(&s); return;
  default: break;
  }
  if (explain_word(&s, &insn) || explain_insn(&s, &insn))
    return;
  add_place(&s);
  add(&s, "%s", tsr_trap_meaning(result->trap));
}
