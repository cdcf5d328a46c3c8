/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/systemc/platform/bus.h"

#include <algorithm>

using sc_core::sc_time;
using tlm::tlm_generic_payload;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;

bus::bus(sc_core::sc_module_name name) : sc_module(name), from("from"), to("to")
{
  from.register_b_transport(this, &bus::transport);
  from.register_transport_dbg(this, &bus::debug);
  from.register_get_direct_mem_ptr(this, &bus::direct);
  from.register_nb_transport_fw(this, &bus::forward);
  to.register_nb_transport_bw(this, &bus::backward);
  to.register_invalidate_direct_mem_ptr(this, &bus::forget);
}

void bus::map(uint64_t base, uint64_t bytes)
{
  regions_.push_back({base, bytes, {}});
}

int bus::find(const payload &trans) const
{
  uint64_t addr = trans.get_address(), bytes = trans.get_data_length();
  for (size_t k = 0; k < regions_.size(); k++) {
    const region &r = regions_[k];
    if (addr >= r.base && addr - r.base < r.bytes && bytes <= r.bytes - (addr - r.base))
      return static_cast<int>(k);
  }
  return -1;
}

/* --- blocking, debug, direct ------------------------------------------------------------------ */

void bus::transport(int, payload &trans, sc_time &delay)
{
  int k = find(trans);
  if (k < 0) {
    trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  uint64_t addr = trans.get_address();
  trans.set_address(addr - regions_[k].base);
  to[k]->b_transport(trans, delay);
  trans.set_address(addr);
}

unsigned bus::debug(int, payload &trans)
{
  int k = find(trans);
  if (k < 0)
    return 0;
  uint64_t addr = trans.get_address();
  trans.set_address(addr - regions_[k].base);
  unsigned bytes = to[k]->transport_dbg(trans);
  trans.set_address(addr);
  return bytes;
}

bool bus::direct(int, payload &trans, tlm::tlm_dmi &dmi)
{
  int k = find(trans);
  if (k < 0)
    return false;
  uint64_t addr = trans.get_address(), base = regions_[k].base;
  trans.set_address(addr - base);
  bool given = to[k]->get_direct_mem_ptr(trans, dmi);
  trans.set_address(addr);
  uint64_t most = regions_[k].bytes - 1;
  dmi.set_start_address(base + std::min<uint64_t>(dmi.get_start_address(), most));
  dmi.set_end_address(base + std::min<uint64_t>(dmi.get_end_address(), most));
  return given;
}

void bus::forget(int k, sc_dt::uint64 first, sc_dt::uint64 last)
{
  const region &r = regions_[k];
  for (unsigned i = 0; i < from.size(); i++)
    from[i]->invalidate_direct_mem_ptr(r.base + first,
                                       r.base + std::min<uint64_t>(last, r.bytes - 1));
}

/* --- requests --------------------------------------------------------------------------------- */

tlm_sync_enum bus::request(payload &trans, tlm_phase &phase, sc_time &delay)
{
  int k = routes_.at(&trans).to;
  channel &c = regions_[k].requests;
  c.holder = &trans;
  tlm_sync_enum status = to[k]->nb_transport_fw(trans, phase, delay);
  if (status == tlm::TLM_COMPLETED)
    routes_.at(&trans).completed = true;
  if (status != tlm::TLM_ACCEPTED)
    c.holder = nullptr;
  return status;
}

/* Requests that waited for the one before: their initiators hear of what comes of it. */
void bus::next_requests(int k)
{
  channel &c = regions_[k].requests;
  while (!c.holder && !c.waiting.empty()) {
    payload &trans = *c.waiting.front();
    c.waiting.pop_front();
    tlm_phase phase = tlm::BEGIN_REQ;
    sc_time delay = sc_core::SC_ZERO_TIME;
    tlm_sync_enum status = request(trans, phase, delay);
    if (status == tlm::TLM_COMPLETED)
      phase = tlm::BEGIN_RESP;
    if (status != tlm::TLM_ACCEPTED)
      backward(k, trans, phase, delay);
  }
}

tlm_sync_enum bus::forward(int initiator, payload &trans, tlm_phase &phase, sc_time &delay)
{
  if (phase == tlm::END_RESP) {
    end_answer(trans);
    next_answers(initiator);
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) /* an ignorable one */
    return to[routes_.at(&trans).to]->nb_transport_fw(trans, phase, delay);
  int k = find(trans);
  if (k < 0) {
    trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return tlm::TLM_COMPLETED;
  }
  trans.set_address(trans.get_address() - regions_[k].base);
  routes_[&trans] = {initiator, k, false};
  if (regions_[k].requests.holder) {
    regions_[k].requests.waiting.push_back(&trans);
    return tlm::TLM_ACCEPTED;
  }
  tlm_sync_enum status = request(trans, phase, delay);
  if (status == tlm::TLM_COMPLETED)
    routes_.erase(&trans);
  else if (status == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)
    answers_[initiator].holder = &trans;
  return status;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* The initiator has taken it. */
void bus::end_answer(payload &trans)
{
  route r = routes_.at(&trans);
  routes_.erase(&trans);
  answers_[r.from].holder = nullptr;
  if (r.completed)
    return;
  tlm_phase phase = tlm::END_RESP;
  sc_time delay = sc_core::SC_ZERO_TIME;
  to[r.to]->nb_transport_fw(trans, phase, delay);
}

tlm_sync_enum bus::answer(payload &trans, tlm_phase &phase, sc_time &delay)
{
  int initiator = routes_.at(&trans).from;
  channel &c = answers_[initiator];
  c.holder = &trans;
  return from[initiator]->nb_transport_bw(trans, phase, delay);
}

void bus::next_answers(int initiator)
{
  channel &c = answers_[initiator];
  while (!c.holder && !c.waiting.empty()) {
    payload &trans = *c.waiting.front();
    c.waiting.pop_front();
    tlm_phase phase = tlm::BEGIN_RESP;
    sc_time delay = sc_core::SC_ZERO_TIME;
    if (answer(trans, phase, delay) != tlm::TLM_ACCEPTED)
      end_answer(trans);
  }
}

tlm_sync_enum bus::backward(int k, payload &trans, tlm_phase &phase, sc_time &delay)
{
  channel &requests = regions_[k].requests;
  int initiator = routes_.at(&trans).from;
  if (phase != tlm::END_REQ && phase != tlm::BEGIN_RESP)
    return tlm::TLM_ACCEPTED;
  bool ends_request = requests.holder == &trans;
  if (ends_request)
    requests.holder = nullptr;
  tlm_sync_enum status = tlm::TLM_ACCEPTED;
  if (phase == tlm::END_REQ)
    status = from[initiator]->nb_transport_bw(trans, phase, delay);
  else if (answers_[initiator].holder)
    answers_[initiator].waiting.push_back(&trans);
  else if (answer(trans, phase, delay) != tlm::TLM_ACCEPTED)
    end_answer(trans);
  if (ends_request)
    next_requests(k);
  return status;
}
