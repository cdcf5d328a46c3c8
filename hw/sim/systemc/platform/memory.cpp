/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/systemc/platform/memory.h"

#include <algorithm>
#include <cstring>

#include "hw/sim/systemc/tessera_tlm.h"

using sc_core::sc_time;
using sc_core::sc_time_stamp;

memory::memory(sc_core::sc_module_name name, size_t bytes, const tsr_dram_options &options,
               int beat_bytes, const sc_time &period)
    : sc_module(name), socket("socket"), bytes_(bytes), beat_bytes_(beat_bytes), period_(period),
      dram_(tsr_dram_new(nullptr, &options, beat_bytes)), due_("due")
{
  SC_HAS_PROCESS(memory);
  if (!dram_) {
    SC_REPORT_ERROR("memory", "out of memory");
    return;
  }
  tsr_dram_map(dram_, 0, 0, bytes_.data(), bytes);
  port_ = tsr_dram_port(dram_);
  socket.register_b_transport(this, &memory::transport);
  socket.register_nb_transport_fw(this, &memory::forward);
  socket.register_transport_dbg(this, &memory::debug);
  socket.register_get_direct_mem_ptr(this, &memory::direct);
  SC_METHOD(answer_due);
  dont_initialize();
  sensitive << due_.get_event();
}

memory::~memory()
{
  tsr_dram_free(dram_);
}

void memory::restart()
{
  uint64_t now = sc_time_stamp().value(), period = period_.value();
  origin_ = sc_time::from_value((now + period - 1) / period * period);
  tsr_dram_restart(dram_);
}

/* --- bytes ------------------------------------------------------------------------------------ */

bool memory::inside(const payload &trans) const
{
  return trans.get_data_length() <= bytes_.size() &&
         trans.get_address() <= bytes_.size() - trans.get_data_length();
}

void memory::access(payload &trans)
{
  uint8_t *at = bytes_.data() + trans.get_address();
  if (trans.get_byte_enable_ptr() || trans.get_streaming_width() < trans.get_data_length()) {
    trans.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  if (trans.is_read() && trans.get_data_ptr() != at)
    std::memcpy(trans.get_data_ptr(), at, trans.get_data_length());
  else if (trans.is_write() && trans.get_data_ptr() != at)
    std::memcpy(at, trans.get_data_ptr(), trans.get_data_length());
  trans.set_response_status(tlm::TLM_OK_RESPONSE);
}

unsigned memory::debug(payload &trans)
{
  if (!inside(trans))
    return 0;
  access(trans);
  return trans.is_response_ok() ? trans.get_data_length() : 0;
}

bool memory::direct(payload &, tlm::tlm_dmi &dmi)
{
  dmi.set_dmi_ptr(bytes_.data());
  dmi.set_start_address(0);
  dmi.set_end_address(bytes_.size() - 1);
  dmi.allow_read_write();
  return allow_dmi_;
}

/* --- times ------------------------------------------------------------------------------------ */

/* All beats of a burst, each as soon as it can, from `cycle` on; the cycle of the last one. */
uint64_t memory::move(void (*next)(void *, uint64_t, tsr_burst_run *),
                      void (*take)(void *, int, uint64_t), uint64_t cycle, int beats,
                      tsr_beats &when)
{
  uint64_t free = cycle, last = cycle;
  for (int done = 0; done < beats;) {
    tsr_burst_run run;
    next(port_.context, free, &run);
    if (!run.beats) { /* it waits for what may still come: nothing does */
      free = run.look_again;
      port_.told(port_.context, free);
      continue;
    }
    if (!done)
      when = run.when;
    for (int k = 0; k < run.beats; k++, free = last + 1)
      last = std::max(free, tsr_beat_cycle(&run.when, static_cast<uint64_t>(k)));
    take(port_.context, run.beats, last);
    done += run.beats;
  }
  return last;
}

/* When the answer comes to a request at that time. Cycle n ends at the edge n + 1 of the clock. */
sc_time memory::schedule(payload &trans, const sc_time &at)
{
  uint64_t period = period_.value(), since = at.value() - origin_.value();
  uint64_t edge = (since + period - 1) / period, cycle = edge ? edge - 1 : 0;
  unsigned bytes = std::max(trans.get_data_length(), 1u);
  int beats = static_cast<int>((bytes - 1) / static_cast<unsigned>(beat_bytes_)) + 1;
  tessera_burst *burst = trans.get_extension<tessera_burst>();
  tsr_beats when = {0, 1, 1};
  uint64_t answer, answer_cycles = 1;
  if (trans.is_write()) {
    port_.accept_write(port_.context, cycle, trans.get_address(), beats);
    uint64_t last = move(port_.next_write, port_.take_write, cycle, beats, when);
    tsr_burst_answer told;
    port_.next_answer(port_.context, last + 1, &told);
    port_.take_answer(port_.context);
    answer = told.cycle;
    answer_cycles = answer - last;
  } else {
    port_.accept_read(port_.context, cycle, burst ? burst->id : 0, trans.get_address(), beats);
    move(port_.next_read, port_.take_read, cycle + 1, beats, when);
    answer = tsr_beat_cycle(&when, 0);
  }
  if (burst) {
    when.offset -= cycle * when.per;
    burst->when = when;
    burst->answer_cycles = answer_cycles;
    burst->timed = true;
  }
  return sc_time::from_value(origin_.value() + std::max(answer * period, since));
}

/* --- transport -------------------------------------------------------------------------------- */

void memory::transport(payload &trans, sc_time &delay)
{
  if (!inside(trans)) {
    trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  access(trans);
  delay = schedule(trans, sc_time_stamp() + delay) - sc_time_stamp();
}

/* A request is accepted at once. Writes land in the order of their requests; what is read is what
 * is there at the answer. */
tlm::tlm_sync_enum memory::forward(payload &trans, tlm::tlm_phase &phase, sc_time &delay)
{
  if (phase == tlm::END_RESP) {
    answering_ = nullptr;
    trans.release();
    next_answers();
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ)
    return tlm::TLM_ACCEPTED;
  if (!inside(trans)) {
    trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return tlm::TLM_COMPLETED;
  }
  trans.acquire();
  if (trans.is_write())
    access(trans);
  due_.notify(trans, schedule(trans, sc_time_stamp() + delay) - sc_time_stamp());
  phase = tlm::END_REQ;
  delay = sc_core::SC_ZERO_TIME;
  return tlm::TLM_UPDATED;
}

void memory::answer_due()
{
  while (payload *trans = due_.get_next_transaction())
    answers_.push_back(trans);
  next_answers();
}

void memory::next_answers()
{
  while (!answering_ && !answers_.empty()) {
    payload &trans = *answers_.front();
    answers_.pop_front();
    if (!trans.is_write())
      access(trans);
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_time delay = sc_core::SC_ZERO_TIME;
    answering_ = &trans;
    if (socket->nb_transport_bw(trans, phase, delay) == tlm::TLM_ACCEPTED)
      continue;
    answering_ = nullptr;
    trans.release();
  }
}
