/* SPDX-License-Identifier: Apache-2.0 */
/* A bus by addresses, without a time of its own: any number of initiators and of targets, both of
 * blocking and of non-blocking transport. Of several requests to one target, and of several answers
 * to one initiator, one goes at a time, as the base protocol wants it. */
#ifndef TSR_HW_SIM_SYSTEMC_PLATFORM_BUS_H
#define TSR_HW_SIM_SYSTEMC_PLATFORM_BUS_H

#include <deque>
#include <unordered_map>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/multi_passthrough_initiator_socket.h>
#include <tlm_utils/multi_passthrough_target_socket.h>

class bus : public sc_core::sc_module
{
public:
  tlm_utils::multi_passthrough_target_socket<bus> from; /* initiators */
  tlm_utils::multi_passthrough_initiator_socket<bus> to;

  explicit bus(sc_core::sc_module_name name);
  /* The addresses of the target that is bound to `to` next. It sees them from 0 on. */
  void map(uint64_t base, uint64_t bytes);

private:
  using payload = tlm::tlm_generic_payload;
  using time = sc_core::sc_time;

  /* One side of a target, or of an initiator: who holds it, and who waits for it. */
  struct channel {
    payload *holder = nullptr;
    std::deque<payload *> waiting;
  };
  struct region {
    uint64_t base, bytes;
    channel requests;
  };
  struct route {
    int from, to;
    bool completed; /* the target is done with it: it hears of no END_RESP */
  };

  int find(const payload &trans) const; /* -1: nobody is there */
  tlm::tlm_sync_enum forward(int from, payload &trans, tlm::tlm_phase &phase, time &delay);
  tlm::tlm_sync_enum backward(int to, payload &trans, tlm::tlm_phase &phase, time &delay);
  tlm::tlm_sync_enum request(payload &trans, tlm::tlm_phase &phase, time &delay);
  tlm::tlm_sync_enum answer(payload &trans, tlm::tlm_phase &phase, time &delay);
  void next_requests(int to);
  void next_answers(int from);
  void end_answer(payload &trans);
  void transport(int from, payload &trans, time &delay);
  unsigned debug(int from, payload &trans);
  bool direct(int from, payload &trans, tlm::tlm_dmi &dmi);
  void forget(int to, sc_dt::uint64 first, sc_dt::uint64 last);

  std::vector<region> regions_;
  std::unordered_map<payload *, route> routes_;
  std::unordered_map<int, channel> answers_; /* by initiator */
};

#endif
