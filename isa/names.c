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

const char *tsr_state_name(int state)
{
  switch (state) {
#define TSR_STATE(number, name, text, meaning) case TSR_STATE_##name: return text;
#include "isa/states.def"
#undef TSR_STATE
  default: return "?";
  }
}

/* A counter of a state has the state's own words. */
struct counter {
  const char *name, *meaning;
  int engine;
};

static const char *state_meaning(int state)
{
  switch (state) {
#define TSR_STATE(number, name, text, meaning) case TSR_STATE_##name: return meaning;
#include "isa/states.def"
#undef TSR_STATE
  default: return "?";
  }
}

static struct counter counter_of(int counter)
{
  switch (counter) {
#define TSR_STATE_COUNTER(engine, state)                                                           \
  case TSR_COUNTER_##engine##_##state:                                                             \
    return (struct counter){tsr_state_name(TSR_STATE_##state), state_meaning(TSR_STATE_##state),   \
                            TSR_ENGINE_##engine};
#define TSR_EVENT_COUNTER(name, text, meaning)                                                     \
  case TSR_COUNTER_##name: return (struct counter){text, meaning, -1};
#include "isa/counters.def"
#undef TSR_STATE_COUNTER
#undef TSR_EVENT_COUNTER
  default: return (struct counter){"?", "?", -1};
  }
}

const char *tsr_counter_name(int counter)
{
  return counter_of(counter).name;
}

const char *tsr_counter_meaning(int counter)
{
  return counter_of(counter).meaning;
}

int tsr_counter_engine(int counter)
{
  return counter_of(counter).engine;
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
