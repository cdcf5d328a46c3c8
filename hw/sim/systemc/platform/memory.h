/* SPDX-License-Identifier: Apache-2.0 */
/* A memory that answers when hw/sim/dram says: blocking and non-blocking transport, debug, direct
 * access to all of its bytes. It tells how beats move, for an initiator that asks (tessera_burst).
 *
 * A request at a time t belongs to the cycle of the bus that ends at t, or at the first edge behind
 * it; the answer comes when the cycle of the first beat, or of the acknowledgement, begins. */
#ifndef TSR_HW_SIM_SYSTEMC_PLATFORM_MEMORY_H
#define TSR_HW_SIM_SYSTEMC_PLATFORM_MEMORY_H

#include <deque>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/peq_with_get.h>
#include <tlm_utils/simple_target_socket.h>

extern "C" {
#include "hw/sim/dram/dram.h"
}

class memory : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<memory> socket;

  /* Options are such as tsr_dram_check() accepts, without trouble. */
  memory(sc_core::sc_module_name name, size_t bytes, const tsr_dram_options &options,
         int beat_bytes, const sc_core::sc_time &period);
  ~memory() override;

  void allow_dmi(bool allow) { allow_dmi_ = allow; }
  /* The memory's cycle 0 begins with the next edge: what is timed from a start, refreshes say,
   * is timed from there. Nothing may be outstanding. */
  void restart();

private:
  using payload = tlm::tlm_generic_payload;

  void transport(payload &trans, sc_core::sc_time &delay);
  unsigned debug(payload &trans);
  bool direct(payload &trans, tlm::tlm_dmi &dmi);
  tlm::tlm_sync_enum forward(payload &trans, tlm::tlm_phase &phase, sc_core::sc_time &delay);
  void answer_due();
  void next_answers();

  bool inside(const payload &trans) const;
  void access(payload &trans);
  sc_core::sc_time schedule(payload &trans, const sc_core::sc_time &at);
  uint64_t move(void (*next)(void *, uint64_t, tsr_burst_run *),
                void (*take)(void *, int, uint64_t), uint64_t cycle, int beats, tsr_beats &when);

  std::vector<uint8_t> bytes_;
  int beat_bytes_;
  sc_core::sc_time period_, origin_;
  bool allow_dmi_ = true;
  tsr_dram *dram_;
  tsr_burst_port port_;
  tlm_utils::peq_with_get<payload> due_;
  std::deque<payload *> answers_;
  payload *answering_ = nullptr;
};

#endif
