/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle model as a SystemC module: docs/systemc.md.
 *
 * `registers` is the host's side, 4096 bytes by isa/registers.def; `memory` sends one transaction
 * for each burst of the machine; `interrupt` is its irq. No process runs in each cycle: the module
 * goes from one event of the model to the next. */
#ifndef TSR_HW_SIM_SYSTEMC_TESSERA_TLM_H
#define TSR_HW_SIM_SYSTEMC_TESSERA_TLM_H

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <tlm_utils/tlm_quantumkeeper.h>

extern "C" {
#include "hw/sim/cycle/cycle.h"
#include "hw/sim/systemc/flights.h"
#include "hw/sim/systemc/registers.h"
}

/* Rides on each transaction of `memory`. A memory may leave it alone: then a beat moves in each
 * cycle, of a read from the answer on, of a write from the request on, and a write's answer comes
 * in the cycle behind its last beat at the soonest. One that knows better fills in the second
 * half: of a write before the call that brings the request returns, of a read before it answers. */
struct tessera_burst : tlm::tlm_extension<tessera_burst> {
  int id = 0; /* of a read: 0 fetches, 1 loads */
  int beats = 0;

  bool timed = false;
  tsr_beats when = {0, 1, 1}; /* beat k can move in this cycle behind that of the request */
  uint64_t answer_cycles = 1; /* of a write: from its last beat to its answer, at least */
  bool tell_written = false;  /* of a write: it wants the phase TESSERA_WRITTEN */

  tlm_extension_base *clone() const override
  {
    return new tessera_burst(*this);
  }
  void copy_from(const tlm_extension_base &from) override
  {
    *this = static_cast<const tessera_burst &>(from);
  }
};

/* Approximately timed, for a memory that wants it: the last beat of a write has moved, in the cycle
 * that ends now. It comes on the forward path, and not behind an answer. */
TLM_DECLARE_EXTENDED_PHASE(TESSERA_WRITTEN);

enum class tessera_timing { loosely, approximately };

struct tessera_options {
  tessera_timing timing = tessera_timing::loosely;
  bool dmi = true; /* asks for the memory's bytes; else, or where it gets none, it keeps copies */
  int reads = 0, writes = 0; /* bursts in flight at most that the memory takes; 0: no limit */
};

class tessera : public sc_core::sc_module
{
public:
  tlm_utils::simple_initiator_socket<tessera> memory;
  tlm_utils::simple_target_socket<tessera> registers;
  sc_core::sc_out<bool> interrupt;

  /* Reports an error (SC_REPORT_ERROR) where the design point is refused or memory runs out. */
  tessera(sc_core::sc_module_name name, const tsr_design &design,
          const tessera_options &options = tessera_options());
  ~tessera() override;

  sc_core::sc_time period() const
  {
    return period_;
  }
  bool has_dmi() const
  {
    return dmi_window_ != nullptr;
  } /* in the latest run */
  /* How the latest run ended, with what the registers do not tell: a trap in a sentence. */
  tsr_run_result result() const;

private:
  struct transaction;
  class pool;
  enum class state { clearing, ready, running, draining };

  /* Cycle n of a run begins at edge(n); what happens in it is done at edge(n + 1). */
  sc_core::sc_time edge(uint64_t cycle) const;
  uint64_t cycle_of(const sc_core::sc_time &at) const;
  sc_core::sc_time now() const
  {
    return sc_core::sc_time_stamp();
  }

  /* tessera_host.cpp: registers, starts, resets, ends */
  void host_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay);
  unsigned host_debug(tlm::tlm_generic_payload &trans);
  tlm::tlm_response_status put(uint32_t offset, uint32_t value, const sc_core::sc_time &delay);
  tlm::tlm_response_status get(uint32_t offset, uint32_t &value);
  tsr_register_view look(uint32_t offset);
  void start(const sc_core::sc_time &delay);
  void reset();
  void clear();
  void cleared();
  void note_end();
  void halt();
  void drained();
  void drive_interrupt();

  /* tessera_tlm.cpp: a run */
  void begin_run();
  void run_loosely();
  bool step_loosely(uint64_t &cycle);
  void step();
  uint64_t advance(uint64_t cycle);
  void notify(uint64_t cycle);

  /* tessera_bursts.cpp: its bursts */
  static void send_burst(void *context, tsr_flight *flight);
  static void note_written(void *context, tsr_flight *flight);
  transaction &prepare(tsr_flight &flight);
  void send_loosely(transaction &t);
  void send_waiting();
  void send(transaction &t);
  void request_ended();
  void responded(transaction &t);
  void answer(transaction &t, uint64_t cycle);
  uint64_t offset_of(const tsr_flight &flight) const;
  uint8_t *direct(const tsr_flight &flight) const;
  uint8_t *copy_of(const tsr_flight &flight, size_t &bytes);
  tlm::tlm_sync_enum memory_phase(tlm::tlm_generic_payload &trans, tlm::tlm_phase &phase,
                                  sc_core::sc_time &delay);
  void on_phase(tlm::tlm_generic_payload &trans, const tlm::tlm_phase &phase);
  void find_bytes();
  uint8_t *ask_dmi(uint64_t addr, uint64_t bytes, bool writes);
  void forget_dmi(sc_dt::uint64 first, sc_dt::uint64 last);
  uint8_t *window() const
  {
    return dmi_window_ ? dmi_window_ : own_window_.get();
  }

  const tsr_design design_;
  const tessera_options options_;
  const sc_core::sc_time period_;
  tsr_cycle *model_ = nullptr;
  std::unique_ptr<tsr_flights> flights_;
  tsr_burst_port port_{};
  tsr_registers registers_{};

  state state_ = state::clearing;
  bool resets_ = false;    /* a reset waits until the bus is quiet */
  bool advancing_ = false; /* the model is at work */
  bool ended_ = false;
  int trap_ = TSR_TRAP_NONE, trap_engine_ = TSR_ENGINE_FETCH;
  uint32_t trap_insn_ = 0;
  sc_core::sc_time origin_; /* of cycle 0 of the run */
  sc_core::sc_event started_, wake_, clear_, interrupt_changed_;
  tlm_utils::tlm_quantumkeeper keeper_;
  tlm_utils::peq_with_cb_and_phase<tessera> phases_;

  std::unique_ptr<pool> pool_;
  std::deque<transaction *> waiting_; /* for the request channel */
  transaction *asking_ = nullptr;     /* holds it */
  size_t in_memory_ = 0;              /* sent, not answered */

  uint64_t program_base_ = 0, program_bytes_ = 0, window_base_ = 0, window_bytes_ = 0;
  uint8_t *dmi_program_ = nullptr, *dmi_window_ = nullptr;
  uint64_t own_window_bytes_ = 0;
  std::unique_ptr<uint8_t, void (*)(void *)> own_window_; /* zeros where nothing has come yet */
  std::vector<uint8_t> own_program_;
};

#endif
