/* SPDX-License-Identifier: Apache-2.0 */
/* A host that runs programs on an accelerator as a driver would: image and program into memory,
 * registers, start, interrupt, registers and memory again. */
#ifndef TSR_HW_SIM_SYSTEMC_PLATFORM_HOST_H
#define TSR_HW_SIM_SYSTEMC_PLATFORM_HOST_H

#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

extern "C" {
#include "isa/isa.h"
}

/* A program, and what came of it. */
struct job {
  const tsr_program *program = nullptr; /* stays the caller's */
  uint64_t window_bytes = 0;            /* at least its image */
  bool resets = false;                  /* the accelerator, before */

  bool done = false;
  int trap = 0, trap_engine = 0;
  uint32_t trap_insn = 0;
  uint64_t counters[TSR_COUNTER_COUNT] = {};
  std::vector<uint8_t> window; /* as it left it */
  sc_core::sc_time took;       /* from the start to the interrupt */
};

class memory;

/* Where things lie on the bus. */
struct host_map {
  uint64_t registers; /* of the accelerator */
  uint64_t window, program;
};

class host : public sc_core::sc_module
{
public:
  tlm_utils::simple_initiator_socket<host> socket;
  sc_core::sc_in<bool> interrupt;

  /* Reports an error (SC_REPORT_ERROR) where the bus refuses what it does. `timed`, where not null,
   * counts its cycles from each program's start. */
  host(sc_core::sc_module_name name, const host_map &map, unsigned burst_bytes, memory *timed);
  void add(job &work)
  {
    jobs_.push_back(&work);
  } /* before the simulation starts */

private:
  void run();
  void run(job &work);
  void load(const job &work);
  void start(const job &work);
  void collect(job &work);
  void put(uint32_t offset, uint64_t value);
  uint32_t get(uint32_t offset);
  void transfer(tlm::tlm_command command, uint64_t addr, uint8_t *data, size_t bytes);
  void access(tlm::tlm_command command, uint64_t addr, uint8_t *data, unsigned bytes);

  const host_map map_;
  const unsigned burst_bytes_;
  memory *const timed_;
  std::vector<job *> jobs_;
};

#endif
