/* SPDX-License-Identifier: Apache-2.0 */
/* A virtual platform: accelerators, each with a host of its own, and one memory, on a bus.
 *
 *   0x4000_0000 + 0x1000 k   registers of accelerator k
 *   0x8000_0000              the memory: for each accelerator its window, and its program behind it
 */
#ifndef TSR_HW_SIM_SYSTEMC_PLATFORM_PLATFORM_H
#define TSR_HW_SIM_SYSTEMC_PLATFORM_PLATFORM_H

#include <memory>
#include <vector>

#include "hw/sim/systemc/platform/bus.h"
#include "hw/sim/systemc/platform/host.h"
#include "hw/sim/systemc/platform/memory.h"
#include "hw/sim/systemc/tessera_tlm.h"

struct platform_options {
  tessera_options accelerator;
  tsr_dram_options dram;
  uint64_t window_bytes = 0;  /* room for a window, */
  uint64_t program_bytes = 0; /*   and for a program */
  int accelerators = 1;
};

class platform : public sc_core::sc_module
{
public:
  platform(sc_core::sc_module_name name, const tsr_design &design, const platform_options &options);

  void add(job &work, int accelerator = 0)
  {
    hosts_[accelerator]->add(work);
  }
  const tessera &accelerator(int k = 0) const
  {
    return *accelerators_[k];
  }

private:
  void add_accelerator(int k, const tsr_design &design, const platform_options &options);

  uint64_t area_bytes_; /* of memory, for each accelerator */
  bus bus_;
  memory memory_;
  std::vector<std::unique_ptr<tessera>> accelerators_;
  std::vector<std::unique_ptr<host>> hosts_;
  std::vector<std::unique_ptr<sc_core::sc_signal<bool>>> interrupts_;
};

#endif
