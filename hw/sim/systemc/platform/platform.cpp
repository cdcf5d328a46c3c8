/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/systemc/platform/platform.h"

#include <string>

namespace
{

const uint64_t REGISTERS = 0x40000000, MEMORY = 0x80000000, PAGE = 4096;

uint64_t pages(uint64_t bytes)
{
  return (bytes + PAGE - 1) / PAGE * PAGE;
}

uint64_t area(const platform_options &o)
{
  return pages(o.window_bytes) + pages(o.program_bytes) + PAGE;
}

/* It keeps to the memory's limits of bursts in flight; `ideal` has none. */
tessera_options limited(const platform_options &o)
{
  tessera_options accelerator = o.accelerator;
  if (o.dram.model == TSR_MEMORY_IDEAL)
    return accelerator;
  accelerator.reads = o.dram.reads;
  accelerator.writes = o.dram.writes;
  return accelerator;
}

std::string numbered(const char *name, int k)
{
  return name + std::to_string(k);
}

} // namespace

platform::platform(sc_core::sc_module_name name, const tsr_design &design,
                   const platform_options &options)
    : sc_module(name), area_bytes_(area(options)), bus_("bus"),
      memory_("memory", area_bytes_ * static_cast<uint64_t>(options.accelerators), options.dram,
              tsr_design_beat(&design), sc_core::sc_time(1.0 / design.clock_mhz, sc_core::SC_US))
{
  bus_.map(MEMORY, area_bytes_ * static_cast<uint64_t>(options.accelerators));
  bus_.to.bind(memory_.socket);
  for (int k = 0; k < options.accelerators; k++)
    add_accelerator(k, design, options);
}

void platform::add_accelerator(int k, const tsr_design &design, const platform_options &options)
{
  uint64_t registers = REGISTERS + TSR_REGISTER_SPAN * static_cast<uint64_t>(k);
  uint64_t window = MEMORY + area_bytes_ * static_cast<uint64_t>(k);
  host_map map = {registers, window, window + pages(options.window_bytes)};
  unsigned burst = static_cast<unsigned>(tsr_design_beat(&design) * design.axi_burst_beats);
  accelerators_.emplace_back(
      new tessera(numbered("accelerator", k).c_str(), design, limited(options)));
  memory *timed = options.accelerators == 1 ? &memory_ : nullptr; /* else it is shared */
  hosts_.emplace_back(new host(numbered("host", k).c_str(), map, burst, timed));
  interrupts_.emplace_back(new sc_core::sc_signal<bool>(numbered("interrupt", k).c_str()));
  bus_.map(registers, TSR_REGISTER_SPAN);
  bus_.to.bind(accelerators_.back()->registers);
  accelerators_.back()->memory.bind(bus_.from);
  accelerators_.back()->interrupt.bind(*interrupts_.back());
  hosts_.back()->socket.bind(bus_.from);
  hosts_.back()->interrupt.bind(*interrupts_.back());
}
