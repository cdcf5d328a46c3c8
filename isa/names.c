/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables call things. */
#include "isa/isa.h"

const char *tsr_engine_name(int engine)
{
  switch (engine) {
#define TSR_ENGINE(name, text, meaning) case TSR_ENGINE_##name: return text;
#include "isa/engines.def"
#undef TSR_ENGINE
  case TSR_ENGINE_FETCH: return "fetch";
  case TSR_ENGINE_ANY: return "any";
  default: return "?";
  }
}

const char *tsr_buffer_name(int buffer)
{
  switch (buffer) {
#define TSR_BUFFER(name, text, load, store, entry, meaning) case TSR_BUFFER_##name: return text;
#include "isa/buffers.def"
#undef TSR_BUFFER
  default: return "?";
  }
}

const char *tsr_trap_name(int trap)
{
  switch (trap) {
#define TSR_TRAP(number, name, text, meaning) case TSR_TRAP_##name: return text;
#include "isa/traps.def"
#undef TSR_TRAP
  default: return "?";
  }
}

const char *tsr_trap_meaning(int trap)
{
  switch (trap) {
#define TSR_TRAP(number, name, text, meaning) case TSR_TRAP_##name: return meaning;
#include "isa/traps.def"
#undef TSR_TRAP
  default: return "?";
  }
}

bool tsr_opcode_valid(int opcode)
{
  switch (opcode) {
#define TSR_INSN(opcode, name, text, engine, format, meaning) case TSR_OP_##name: return true;
#include "isa/insns.def"
#undef TSR_INSN
  default: return false;
  }
}

const char *tsr_opcode_name(int opcode)
{
  switch (opcode) {
#define TSR_INSN(opcode, name, text, engine, format, meaning) case TSR_OP_##name: return text;
#include "isa/insns.def"
#undef TSR_INSN
  default: return "?";
  }
}

enum tsr_format tsr_opcode_format(int opcode)
{
  switch (opcode) {
#define TSR_INSN(opcode, name, text, engine, format, meaning)                                        \
  case TSR_OP_##name: return TSR_FORMAT_##format;
#include "isa/insns.def"
#undef TSR_INSN
  default: return TSR_FORMAT_NONE;
  }
}

bool tsr_opcode_takes_first(int opcode)
{
  switch (opcode) {
  case TSR_OP_GEMM:
  case TSR_OP_MAC:
  case TSR_OP_ADD:
  case TSR_OP_MIN:
  case TSR_OP_MAX: return true;
  default: return false;
  }
}

int tsr_insn_engine(const struct tsr_insn *insn)
{
  int engine = TSR_ENGINE_ANY;
  switch (insn->opcode) {
#define TSR_INSN(opcode, name, text, engine_, format, meaning)                                       \
  case TSR_OP_##name: engine = TSR_ENGINE_##engine_; break;
#include "isa/insns.def"
#undef TSR_INSN
  }
  return engine == TSR_ENGINE_ANY ? insn->engine : engine;
}
