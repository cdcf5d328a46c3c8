/* SPDX-License-Identifier: Apache-2.0 */
/* A memory that answers when hw/sim/dram says: blocking and non-blocking transport, debug, direct
 * access to all of its bytes. It tells how beats move, for an initiator that asks (tessera_burst).
 *
 * The answer to a blocking access has to be known at once, and of `ideal` and `simple` it is known
 * for all. Non-blocking accesses of `ddr` wait until their order is decided; writes, until the
 * initiator has given all beats (TESSERA_WRITTEN). Of the two kinds neither holds up the other.
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

class memory : public sc_core::sc_module
{
public:
  tlm_utils::simple_target_socket<memory> socket;

  /* Options are such as tsr_dram_check() accepts, without trouble. Every request is accepted:
   * initiators keep to limits of bursts in flight (tessera_options). */
  memory(sc_core::sc_module_name name, size_t bytes, const tsr_dram_options &options,
         int beat_bytes, const sc_core::sc_time &period);
  ~memory() override;

  void allow_dmi(bool allow)
  {
    allow_dmi_ = allow;
  }
  /* The memory's cycle 0 begins with the next edge: what is timed from a start, refreshes say,
   * is timed from there. Nothing may be outstanding. */
  void restart();

private:
  using payload = tlm::tlm_generic_payload;
  struct asked {
    payload *trans;
    uint64_t cycle;
    bool written; /* all beats of a write are there, */
    bool taken;   /*   and of those before it */
  };

  void transport(payload &trans, sc_core::sc_time &delay);
  unsigned debug(payload &trans);
  bool direct(payload &trans, tlm::tlm_dmi &dmi);
  tlm::tlm_sync_enum forward(payload &trans, tlm::tlm_phase &phase, sc_core::sc_time &delay);
  void answer_due();
  void next_answers();
  void enter(payload &trans, uint64_t cycle);
  void note_written(const payload &trans);
  void take_written(uint64_t cycle);
  void wait_a_delta();
  void decide();
  void answer_read(const asked &read, tsr_beats when, uint64_t cycle);

  bool inside(const payload &trans) const;
  int beats_of(const payload &trans) const;
  uint64_t cycle_before(const sc_core::sc_time &at) const;
  sc_core::sc_time start_of(uint64_t cycle) const;
  void access(payload &trans);
  sc_core::sc_time schedule(payload &trans, const sc_core::sc_time &at);
  uint64_t await_answer(uint64_t cycle);
  uint64_t move(void (*next)(void *, uint64_t, tsr_burst_run *),
                void (*take)(void *, int, uint64_t), uint64_t cycle, int beats, tsr_beats &when);

  std::vector<uint8_t> bytes_;
  int beat_bytes_;
  sc_core::sc_time period_, origin_;
  bool allow_dmi_ = true;
  const bool decides_later_;
  tsr_dram *dram_, *later_; /* of what is known at once; of what is decided later */
  tsr_burst_port port_, later_port_;
  std::deque<asked> reads_, writes_; /* not decided yet, in their order */
  uint64_t answer_free_ = 0;         /* the first cycle without an answer to a write */
  uint64_t read_from_ = 0;           /* no read is answered before this cycle */
  sc_core::sc_event timer_, decide_;
  tlm_utils::peq_with_get<payload> due_;
  std::deque<payload *> answers_;
  payload *answering_ = nullptr;
};

#endif
