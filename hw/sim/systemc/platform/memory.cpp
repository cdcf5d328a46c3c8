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
      decides_later_(options.model == TSR_MEMORY_DDR),
      dram_(tsr_dram_new(nullptr, &options, beat_bytes)),
      later_(tsr_dram_new(nullptr, &options, beat_bytes)), due_("due")
{
  SC_HAS_PROCESS(memory);
  if (!dram_ || !later_) {
    SC_REPORT_ERROR("memory", "out of memory");
    return;
  }
  tsr_dram_map(dram_, 0, 0, bytes_.data(), bytes);
  tsr_dram_map(later_, 0, 0, bytes_.data(), bytes);
  port_ = tsr_dram_port(dram_);
  later_port_ = tsr_dram_port(later_);
  socket.register_b_transport(this, &memory::transport);
  socket.register_nb_transport_fw(this, &memory::forward);
  socket.register_transport_dbg(this, &memory::debug);
  socket.register_get_direct_mem_ptr(this, &memory::direct);
  SC_METHOD(answer_due);
  dont_initialize();
  sensitive << due_.get_event();
  SC_METHOD(wait_a_delta);
  dont_initialize();
  sensitive << timer_;
  SC_METHOD(decide);
  dont_initialize();
  sensitive << decide_;
}

memory::~memory()
{
  tsr_dram_free(dram_);
  tsr_dram_free(later_);
}

void memory::restart()
{
  uint64_t now = sc_time_stamp().value(), period = period_.value();
  origin_ = sc_time::from_value((now + period - 1) / period * period);
  tsr_dram_restart(dram_);
  tsr_dram_restart(later_);
  answer_free_ = read_from_ = 0;
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

int memory::beats_of(const payload &trans) const
{
  unsigned bytes = std::max(trans.get_data_length(), 1u);
  return static_cast<int>((bytes - 1) / static_cast<unsigned>(beat_bytes_)) + 1;
}

/* The cycle that ends at that time, or at the first edge behind it. */
uint64_t memory::cycle_before(const sc_time &at) const
{
  uint64_t period = period_.value(), since = at.value() - origin_.value();
  uint64_t edge = (since + period - 1) / period;
  return edge ? edge - 1 : 0;
}

sc_time memory::start_of(uint64_t cycle) const
{
  return sc_time::from_value(origin_.value() + cycle * period_.value());
}

/* When the answer comes to a request at that time. */
sc_time memory::schedule(payload &trans, const sc_time &at)
{
  uint64_t cycle = cycle_before(at), answer, answer_cycles = 1;
  int beats = beats_of(trans);
  tessera_burst *burst = trans.get_extension<tessera_burst>();
  tsr_beats when = {0, 1, 1};
  if (trans.is_write()) {
    port_.accept_write(port_.context, cycle, trans.get_address(), beats);
    uint64_t last = move(port_.next_write, port_.take_write, cycle, beats, when);
    answer = await_answer(last + 1);
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
  return std::max(start_of(answer), at);
}

uint64_t memory::await_answer(uint64_t cycle)
{
  tsr_burst_answer told;
  for (port_.next_answer(port_.context, cycle, &told); !told.known;
       port_.next_answer(port_.context, cycle, &told))
    port_.told(port_.context, told.look_again);
  port_.take_answer(port_.context);
  return told.cycle;
}

/* --- decided later ---------------------------------------------------------------------------- */

/* A write of an initiator that does not say when its beats have moved has them at once. */
void memory::enter(payload &trans, uint64_t cycle)
{
  tessera_burst *burst = trans.get_extension<tessera_burst>();
  void *port = later_port_.context;
  if (trans.is_write()) {
    later_port_.accept_write(port, cycle, trans.get_address(), beats_of(trans));
    writes_.push_back({&trans, cycle, !burst, false});
    if (burst)
      burst->tell_written = true;
    take_written(cycle);
  } else {
    later_port_.accept_read(port, cycle, burst ? burst->id : 0, trans.get_address(),
                            beats_of(trans));
    reads_.push_back({&trans, cycle, false, false});
  }
  decide_.notify(sc_core::SC_ZERO_TIME);
}

void memory::note_written(const payload &trans)
{
  for (asked &write : writes_)
    if (write.trans == &trans)
      write.written = true;
}

/* Beats of one write come behind those of the one before. */
void memory::take_written(uint64_t cycle)
{
  for (asked &write : writes_) {
    if (!write.written)
      return;
    if (write.taken)
      continue;
    tsr_burst_run run;
    later_port_.next_write(later_port_.context, cycle, &run);
    later_port_.take_write(later_port_.context, beats_of(*write.trans), cycle);
    write.taken = true;
    decide_.notify(sc_core::SC_ZERO_TIME);
  }
}

/* Behind the requests of the cycle that ends now. */
void memory::wait_a_delta()
{
  decide_.notify(sc_core::SC_ZERO_TIME);
}

/* All that is certain now is answered in its time; of the rest it is said when to ask again. */
void memory::decide()
{
  uint64_t cycle = cycle_before(sc_time_stamp()) + 1, again = UINT64_MAX;
  void *port = later_port_.context;
  later_port_.told(port, cycle);
  for (tsr_burst_answer told; !writes_.empty(); writes_.pop_front()) {
    later_port_.next_answer(port, std::max(cycle, answer_free_), &told);
    if (!told.known) {
      again = told.look_again;
      break;
    }
    later_port_.take_answer(port);
    answer_free_ = told.cycle + 1;
    due_.notify(*writes_.front().trans, start_of(told.cycle) - sc_time_stamp());
  }
  for (tsr_burst_run run; !reads_.empty(); reads_.pop_front()) {
    later_port_.next_read(port, cycle, &run);
    if (!run.beats) {
      again = std::min(again, run.look_again);
      break;
    }
    later_port_.take_read(port, run.beats, cycle);
    answer_read(reads_.front(), run.when, cycle);
  }
  if (again != UINT64_MAX && again > cycle)
    timer_.notify(start_of(again) - sc_time_stamp());
}

/* Reads are answered in the order of their requests, whichever the chips serve first. */
void memory::answer_read(const asked &read, tsr_beats when, uint64_t cycle)
{
  uint64_t first = std::max({tsr_beat_cycle(&when, 0), cycle, read_from_});
  tessera_burst *burst = read.trans->get_extension<tessera_burst>();
  if (burst) {
    when.offset -= read.cycle * when.per;
    burst->when = when;
    burst->timed = true;
  }
  read_from_ = first;
  due_.notify(*read.trans, start_of(first) - sc_time_stamp());
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
  sc_time at = sc_time_stamp() + delay;
  if (phase == TESSERA_WRITTEN && decides_later_) {
    note_written(trans);
    take_written(cycle_before(at));
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
  if (decides_later_)
    enter(trans, cycle_before(at));
  else
    due_.notify(trans, schedule(trans, at) - sc_time_stamp());
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
