/* SPDX-License-Identifier: Apache-2.0 */
/* Bursts as transactions. One that is sent stays in memory until its answer; its beats move later,
 * in the model. */
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "hw/sim/systemc/transaction.h"

using sc_core::sc_time;

namespace
{

bool fetches(const tsr_flight &f)
{
  return !f.write && f.id == 0;
}

} // namespace

/* --- the bytes -------------------------------------------------------------------------------- */

uint8_t *tessera::ask_dmi(uint64_t addr, uint64_t bytes, bool writes)
{
  tlm::tlm_generic_payload trans;
  tlm::tlm_dmi dmi;
  if (!options_.dmi || !bytes)
    return nullptr;
  trans.set_command(writes ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  trans.set_address(addr);
  bool given = memory->get_direct_mem_ptr(trans, dmi) && dmi.is_read_allowed() &&
               (!writes || dmi.is_write_allowed());
  if (!given || dmi.get_start_address() > addr || dmi.get_end_address() < addr + bytes - 1)
    return nullptr;
  return dmi.get_dmi_ptr() + (addr - dmi.get_start_address());
}

/* The memory's own bytes, or copies that bursts fill. */
void tessera::find_bytes()
{
  dmi_window_ = ask_dmi(window_base_, window_bytes_, true);
  dmi_program_ = dmi_window_ ? ask_dmi(program_base_, program_bytes_, false) : nullptr;
  if (!dmi_program_)
    own_program_.assign(program_bytes_ + 1, 0);
  if (dmi_window_ || own_window_bytes_ >= window_bytes_)
    return;
  own_window_.reset(static_cast<uint8_t *>(std::calloc(window_bytes_, 1)));
  own_window_bytes_ = own_window_ ? window_bytes_ : 0;
  if (!own_window_)
    SC_REPORT_ERROR("tessera", "there is no memory for a copy of the window; a memory that "
                               "gives direct access to its bytes needs none");
}

void tessera::forget_dmi(sc_dt::uint64 first, sc_dt::uint64 last)
{
  bool window = dmi_window_ && first < window_base_ + window_bytes_ && last >= window_base_;
  bool program = dmi_program_ && first < program_base_ + program_bytes_ && last >= program_base_;
  if ((window || program) && state_ == state::running)
    SC_REPORT_ERROR("tessera", "direct access to the window or the program ends while a program "
                               "runs; it may end between programs");
}

uint64_t tessera::offset_of(const tsr_flight &f) const
{
  return fetches(f) ? f.addr - program_base_ : f.addr;
}

/* Where a burst's bytes lie in the memory itself; null: not to be reached. */
uint8_t *tessera::direct(const tsr_flight &f) const
{
  uint8_t *base = fetches(f) ? dmi_program_ : dmi_window_;
  return base ? base + offset_of(f) : nullptr;
}

/* Where they lie in the copy; fewer than its own at the program's end. */
uint8_t *tessera::copy_of(const tsr_flight &f, size_t &bytes)
{
  uint64_t total = fetches(f) ? program_bytes_ : window_bytes_, offset = offset_of(f);
  bytes = offset < total ? std::min<uint64_t>(bytes, total - offset) : 0;
  return (fetches(f) ? own_program_.data() : own_window_.get()) + offset;
}

/* --- a transaction ---------------------------------------------------------------------------- */

/* Where the model works on the memory's own bytes the payload's data are these: the memory moves
 * them onto themselves, and a write that lands late brings back nothing old. */
tessera::transaction &tessera::prepare(tsr_flight &f)
{
  transaction &t = pool_->take();
  size_t bytes = static_cast<size_t>(f.beats) * static_cast<size_t>(tsr_design_beat(&design_));
  t.flight = &f;
  f.owner = &t;
  t.completed = false;
  t.data.resize(bytes);
  t.burst->id = f.id;
  t.burst->beats = f.beats;
  t.burst->timed = t.burst->tell_written = false;
  t.set_command(f.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  t.set_address((fetches(f) ? program_base_ : window_base_) + offset_of(f));
  t.set_data_ptr(direct(f) ? direct(f) : t.data.data());
  t.set_data_length(static_cast<unsigned>(bytes));
  t.set_streaming_width(static_cast<unsigned>(bytes));
  t.set_byte_enable_ptr(nullptr);
  t.set_dmi_allowed(false);
  t.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  if (f.write && !direct(f))
    std::memcpy(t.data.data(), copy_of(f, bytes), bytes);
  return t;
}

void tessera::send_burst(void *context, tsr_flight *flight)
{
  auto *self = static_cast<tessera *>(context);
  transaction &t = self->prepare(*flight);
  if (self->options_.timing == tessera_timing::loosely) {
    self->send_loosely(t);
  } else {
    self->waiting_.push_back(&t);
    self->send_waiting();
  }
}

void tessera::note_written(void *context, tsr_flight *flight)
{
  auto *self = static_cast<tessera *>(context);
  auto *t = static_cast<transaction *>(flight->owner); /* another burst's, behind an answer */
  if (flight->answered || !t->burst->tell_written)
    return;
  tlm::tlm_phase phase = TESSERA_WRITTEN;
  sc_time delay = sc_core::SC_ZERO_TIME;
  self->memory->nb_transport_fw(*t, phase, delay);
}

/* The answer is there: its bytes, and when its beats move. */
void tessera::answer(transaction &t, uint64_t cycle)
{
  tsr_flight &f = *t.flight;
  bool error = t.is_response_error();
  size_t bytes = t.data.size();
  if (!f.write && !error && !direct(f))
    std::memcpy(copy_of(f, bytes), t.data.data(), bytes);
  if (!f.write && t.burst->timed)
    tsr_flight_timed(&f, &t.burst->when, t.burst->answer_cycles);
  tsr_flight_answered(&f, cycle, error);
  in_memory_--;
  t.release();
  if (state_ == state::draining && !in_memory_)
    drained();
  else
    notify(cycle);
}

/* --- loosely timed ---------------------------------------------------------------------------- */

void tessera::send_loosely(transaction &t)
{
  tsr_flight &f = *t.flight;
  sc_time at = edge(f.accepted + 1), delay = at > now() ? at - now() : sc_core::SC_ZERO_TIME;
  in_memory_++;
  tsr_flight_sent(&f, f.accepted);
  memory->b_transport(t, delay);
  if (f.write && t.burst->timed)
    tsr_flight_timed(&f, &t.burst->when, t.burst->answer_cycles);
  answer(t, cycle_of(now() + delay));
}

/* --- approximately timed ---------------------------------------------------------------------- */

void tessera::send_waiting()
{
  while (!asking_ && !waiting_.empty()) {
    transaction &t = *waiting_.front();
    waiting_.pop_front();
    send(t);
  }
  flights_->blocked = asking_ || !waiting_.empty();
}

/* A request that had to wait for those before it counts from the cycle in which it goes out. */
void tessera::send(transaction &t)
{
  tsr_flight &f = *t.flight;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_time delay = sc_core::SC_ZERO_TIME;
  asking_ = &t;
  in_memory_++;
  tsr_flight_sent(&f, advancing_ ? f.accepted : cycle_of(now()));
  tlm::tlm_sync_enum status = memory->nb_transport_fw(t, phase, delay);
  if (f.write && t.burst->timed)
    tsr_flight_timed(&f, &t.burst->when, t.burst->answer_cycles);
  if (status == tlm::TLM_ACCEPTED)
    return;
  t.completed = status == tlm::TLM_COMPLETED;
  if (t.completed)
    phase = tlm::BEGIN_RESP;
  if (delay == sc_core::SC_ZERO_TIME)
    asking_ = nullptr;
  if (asking_ || phase != tlm::END_REQ)
    phases_.notify(t, phase, delay);
}

void tessera::request_ended()
{
  asking_ = nullptr;
  send_waiting();
  notify(cycle_of(now()));
}

void tessera::responded(transaction &t)
{
  if (asking_ == &t)
    request_ended();
  if (!t.completed) {
    tlm::tlm_phase phase = tlm::END_RESP;
    sc_time delay = sc_core::SC_ZERO_TIME;
    memory->nb_transport_fw(t, phase, delay);
  }
  answer(t, cycle_of(now()));
}

tlm::tlm_sync_enum tessera::memory_phase(tlm::tlm_generic_payload &trans, tlm::tlm_phase &phase,
                                         sc_time &delay)
{
  phases_.notify(trans, phase, delay);
  return tlm::TLM_ACCEPTED;
}

/* Phases that the base protocol does not have are none of ours. */
void tessera::on_phase(tlm::tlm_generic_payload &trans, const tlm::tlm_phase &phase)
{
  auto &t = static_cast<transaction &>(trans);
  if (phase == tlm::END_REQ && asking_ == &t)
    request_ended();
  else if (phase == tlm::BEGIN_RESP)
    responded(t);
}
