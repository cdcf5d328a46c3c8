/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verify/check.h"

void tsr_explain_add(const struct tsr_explain *x, const char *format, ...)
{
  char *text = x->result->text;
  size_t length = strlen(text);
  va_list args;
  va_start(args, format);
  vsnprintf(text + length, sizeof x->result->text - length, format, args);
  va_end(args);
}

/* "instruction 12 (gemm, matrix): " */
static void add_place(const struct tsr_explain *x)
{
  const struct tsr_run_result *r = x->result;
  int opcode = r->insn < x->insn_count ? x->insns[r->insn * TSR_INSN_BYTES] : -1;
  tsr_explain_add(x, "instruction %zu (", r->insn);
  if (tsr_opcode_valid(opcode))
    tsr_explain_add(x, "%s, ", tsr_opcode_name(opcode));
  tsr_explain_add(x, "%s): ", tsr_engine_name(r->engine));
}

/* --- traps ------------------------------------------------------------------------------------ */

static bool explain_word(const struct tsr_explain *x, struct tsr_insn *insn)
{
  struct tsr_run_result *r = x->result;
  if (r->insn >= x->insn_count) {
    tsr_explain_add(x, "instruction %zu: the program ends here without finish", r->insn);
    return true;
  }
  const uint8_t *word = x->insns + r->insn * TSR_INSN_BYTES;
  enum tsr_trap trap = tsr_insn_decode(word, insn);
  if (trap)
    tsr_check_word(r->insn, word, trap, r->text, sizeof r->text);
  return trap;
}

/* The checker's words, if it comes to the same trap from the micro-ops as they are. */
static bool explain_insn(const struct tsr_explain *x, const struct tsr_insn *insn,
                         const uint8_t *uops)
{
  struct tsr_run_result *r = x->result;
  enum tsr_trap trap =
      tsr_check_insn(x->design, r->insn, insn, uops, x->window_bytes, r->text, sizeof r->text);
  if (trap != r->trap)
    r->text[0] = 0;
  return trap == r->trap;
}

static void explain_bus(const struct tsr_explain *x, const struct tsr_dram_error *e)
{
  add_place(x);
  tsr_explain_add(x, "an AXI error response");
  if (e)
    tsr_explain_add(x, ", %s, to the %s of %d bytes at bus address 0x%" PRIx64,
                    e->resp == TSR_AXI_DECERR ? "DECERR" : "SLVERR", e->write ? "write" : "read",
                    e->bytes, e->addr);
}

void tsr_explain_trap(const struct tsr_explain *x, const uint8_t *uops,
                      const struct tsr_dram_error *error)
{
  struct tsr_insn insn;
  if (x->result->trap == TSR_TRAP_BUS) {
    explain_bus(x, error);
    return;
  }
  if (explain_word(x, &insn) || explain_insn(x, &insn, uops))
    return;
  add_place(x);
  tsr_explain_add(x, "%s", tsr_trap_meaning((int)x->result->trap));
}

/* --- what engines wait for -------------------------------------------------------------------- */

/* "matrix, store": the engines of a mask. */
static void add_engines(const struct tsr_explain *x, uint32_t mask)
{
  const char *comma = "";
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (mask >> e & 1) {
      tsr_explain_add(x, "%s%s", comma, tsr_engine_name(e));
      comma = ", ";
    }
}

static void add_state(const struct tsr_explain *x, const struct tsr_stand *stand)
{
  switch (stand->state) {
  case TSR_STATE_TOKEN:
    tsr_explain_add(x, ", for a token from ");
    add_engines(x, stand->others);
    break;
  case TSR_STATE_SIGNAL:
    tsr_explain_add(x, ", to give a token, where %d wait already, to ", x->design->token_depth);
    add_engines(x, stand->others);
    break;
  case TSR_STATE_QUEUE:
    tsr_explain_add(x, ", for room in the queue of ");
    add_engines(x, stand->others);
    break;
  case TSR_STATE_LOCK:
    tsr_explain_add(x, ", for an ACC bank or the write port of INP, which another engine holds");
    break;
  case TSR_STATE_MEMORY: tsr_explain_add(x, ", for DRAM"); break;
  case TSR_STATE_HAZARD: tsr_explain_add(x, ", for a result of its own"); break;
  case TSR_STATE_FINISH: tsr_explain_add(x, ", for every engine to be idle (finish)"); break;
  default: break;
  }
}

static void add_engine(const struct tsr_explain *x, int engine, const struct tsr_stand *stand)
{
  if (stand->state == TSR_STATE_IDLE)
    return;
  tsr_explain_add(x, "; %s %s at instruction %zu", tsr_engine_name(engine),
                  stand->state == TSR_STATE_BUSY ? "is" : "waits", stand->insn);
  int opcode = stand->insn < x->insn_count ? x->insns[stand->insn * TSR_INSN_BYTES] : -1;
  if (engine != TSR_ENGINE_FETCH && tsr_opcode_valid(opcode))
    tsr_explain_add(x, " (%s)", tsr_opcode_name(opcode));
  add_state(x, stand);
}

void tsr_explain_stands(const struct tsr_explain *x, uint64_t cycles,
                        const struct tsr_stand stands[static TSR_ENGINE_COUNT + 1])
{
  if (x->result->timed_out)
    tsr_explain_add(x, "the program has not ended after %" PRIu64 " cycles", cycles);
  else
    tsr_explain_add(x, "no engine can go on");
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++)
    add_engine(x, e, &stands[e]);
}
