/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side: its registers, and how programs start and end: hw/rtl/supervisor.v. */
#include <algorithm>
#include <cstring>

#include "hw/sim/systemc/transaction.h"

using sc_core::sc_time;

namespace
{

const unsigned WORD_BYTES = 4;

tlm::tlm_response_status response(tsr_register_answer answer)
{
  switch (answer) {
  case TSR_REGISTER_OKAY: return tlm::TLM_OK_RESPONSE;
  case TSR_REGISTER_NONE: return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  default: return tlm::TLM_COMMAND_ERROR_RESPONSE;
  }
}

/* All four bytes of one register, or what is wrong. */
tlm::tlm_response_status shape(const tlm::tlm_generic_payload &trans)
{
  if (trans.get_address() >= TSR_REGISTER_SPAN)
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (trans.get_data_length() != WORD_BYTES || trans.get_streaming_width() < WORD_BYTES)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  const unsigned char *enable = trans.get_byte_enable_ptr();
  for (unsigned i = 0; enable && i < trans.get_byte_enable_length(); i++)
    if (enable[i] != TLM_BYTE_ENABLED)
      return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

/* The machine zeroes an entry of each scratchpad in a cycle: as many as the deepest has. */
uint64_t clear_cycles(const tsr_design &d)
{
  int lut_words = TSR_LUT_BYTES / tsr_design_beat(&d) * tsr_design_depth(&d, TSR_BUFFER_LUT);
  return 1 + static_cast<uint64_t>(std::max(
                 {tsr_design_depth(&d, TSR_BUFFER_UOP), tsr_design_depth(&d, TSR_BUFFER_INP),
                  tsr_design_depth(&d, TSR_BUFFER_WGT), tsr_design_depth(&d, TSR_BUFFER_ACC) / 2,
                  tsr_design_depth(&d, TSR_BUFFER_OUT), lut_words}));
}

} // namespace

/* --- accesses --------------------------------------------------------------------------------- */

void tessera::host_transport(tlm::tlm_generic_payload &trans, sc_time &delay)
{
  uint32_t offset = static_cast<uint32_t>(trans.get_address()), value = 0;
  tlm::tlm_response_status status = shape(trans);
  if (status != tlm::TLM_OK_RESPONSE) {
    trans.set_response_status(status);
    return;
  }
  if (trans.is_write()) {
    std::memcpy(&value, trans.get_data_ptr(), WORD_BYTES);
    status = put(offset, value, delay);
  } else if (trans.is_read()) {
    status = get(offset, value);
    std::memcpy(trans.get_data_ptr(), &value, WORD_BYTES);
  }
  trans.set_response_status(status);
}

/* Reads only: a write of a register does something. */
unsigned tessera::host_debug(tlm::tlm_generic_payload &trans)
{
  uint32_t value = 0;
  if (!trans.is_read() || shape(trans) != tlm::TLM_OK_RESPONSE ||
      get(static_cast<uint32_t>(trans.get_address()), value) != tlm::TLM_OK_RESPONSE)
    return 0;
  std::memcpy(trans.get_data_ptr(), &value, WORD_BYTES);
  return WORD_BYTES;
}

tlm::tlm_response_status tessera::put(uint32_t offset, uint32_t value, const sc_time &delay)
{
  tsr_register_act act;
  tsr_register_answer answer =
      tsr_register_write(&registers_, state_ == state::ready, offset, value, &act);
  if (act == TSR_REGISTER_START)
    start(delay);
  else if (act == TSR_REGISTER_RESET)
    reset();
  if (answer == TSR_REGISTER_OKAY)
    interrupt_changed_.notify(sc_core::SC_ZERO_TIME);
  return response(answer);
}

tlm::tlm_response_status tessera::get(uint32_t offset, uint32_t &value)
{
  tsr_register_view view = look(offset);
  return response(tsr_register_read(&registers_, &view, offset, &value));
}

/* Engines and counters where they are asked for: those of a model that is brought up to now. */
tsr_register_view tessera::look(uint32_t offset)
{
  tsr_register_view v{};
  v.running = state_ == state::running || state_ == state::draining;
  v.clearing = state_ == state::clearing;
  v.ended = ended_;
  v.trap = trap_;
  v.trap_engine = trap_engine_;
  v.trap_insn = trap_insn_;
  if (offset < TSR_REG_STATE_LOAD)
    return v;
  bool behind = state_ == state::running && options_.timing == tessera_timing::approximately;
  if (behind && !advancing_ && now() > edge(0) && cycle_of(now()))
    advance(cycle_of(now()) - 1);
  for (int engine = 0; engine <= TSR_ENGINE_FETCH; engine++) {
    tsr_stand stand = tsr_cycle_engine(model_, engine);
    v.engines[engine] = {stand.state, stand.others, static_cast<uint32_t>(stand.insn)};
  }
  tsr_run_result r = result();
  std::copy(r.counters, r.counters + TSR_COUNTER_COUNT, v.counters);
  return v;
}

tsr_run_result tessera::result() const
{
  tsr_run_result r;
  tsr_cycle_result(model_, &r);
  return r;
}

void tessera::drive_interrupt()
{
  interrupt.write(ended_ && registers_.words[TSR_REG_INTERRUPT / 4]);
}

/* --- starts and ends -------------------------------------------------------------------------- */

/* Cycle 0 begins with the next edge of a clock that has one at time 0. */
void tessera::start(const sc_time &delay)
{
  uint64_t at = (now() + delay).value(), period = period_.value();
  origin_ = sc_time::from_value((at + period - 1) / period * period);
  ended_ = tsr_register_design_wrong(&registers_);
  trap_ = ended_ ? TSR_TRAP_DESIGN : TSR_TRAP_NONE;
  trap_engine_ = TSR_ENGINE_FETCH;
  trap_insn_ = 0;
  if (!ended_)
    begin_run();
}

/* The model has come to the program's end. */
void tessera::note_end()
{
  tsr_run_result r = result();
  trap_ = r.trap;
  trap_engine_ = r.engine;
  trap_insn_ = static_cast<uint32_t>(r.insn);
  halt();
}

/* Nothing more is sent; what is in memory comes back first. */
void tessera::halt()
{
  state_ = state::draining;
  tsr_flights_end_writes(flights_.get());
  for (transaction *t : waiting_)
    t->release();
  waiting_.clear();
  if (!in_memory_)
    drained();
}

void tessera::drained()
{
  if (resets_) {
    clear();
    return;
  }
  state_ = state::ready;
  ended_ = true;
  interrupt_changed_.notify(sc_core::SC_ZERO_TIME);
}

/* While a program runs it stops first: at its next event, where it keeps a time of its own. */
void tessera::reset()
{
  switch (state_) {
  case state::clearing: break;
  case state::ready: clear(); break;
  case state::draining: resets_ = true; break;
  case state::running:
    resets_ = true;
    if (options_.timing == tessera_timing::approximately)
      halt();
  }
}

void tessera::clear()
{
  state_ = state::clearing;
  resets_ = ended_ = false;
  trap_ = TSR_TRAP_NONE;
  trap_engine_ = TSR_ENGINE_FETCH;
  trap_insn_ = 0;
  tsr_cycle_reset(model_);
  clear_.notify(sc_time::from_value(clear_cycles(design_) * period_.value()));
  interrupt_changed_.notify(sc_core::SC_ZERO_TIME);
}

void tessera::cleared()
{
  state_ = state::ready;
}
