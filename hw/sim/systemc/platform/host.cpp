/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/systemc/platform/host.h"

#include <algorithm>
#include <cstring>

#include "hw/sim/systemc/platform/memory.h"

using sc_core::sc_time;

namespace
{

const uint32_t CONTROL_START = 1, CONTROL_RESET = 2, STATUS_BUSY = 3, INTERRUPT_ON = 1;

} // namespace

host::host(sc_core::sc_module_name name, const host_map &map, unsigned burst_bytes, memory *timed)
    : sc_module(name), socket("socket"), interrupt("interrupt"), map_(map),
      burst_bytes_(burst_bytes), timed_(timed)
{
  SC_HAS_PROCESS(host);
  SC_THREAD(run);
}

void host::run()
{
  for (job *work : jobs_)
    run(*work);
}

void host::run(job &work)
{
  if (work.resets)
    put(TSR_REG_CONTROL, CONTROL_RESET);
  while (get(TSR_REG_STATUS) & STATUS_BUSY)
    wait(1, sc_core::SC_US);
  load(work);
  start(work);
  sc_time from = sc_core::sc_time_stamp();
  wait(sc_core::SC_ZERO_TIME); /* the last program's interrupt goes */
  wait(sc_core::SC_ZERO_TIME);
  if (!interrupt.read())
    wait(interrupt.posedge_event());
  work.took = sc_core::sc_time_stamp() - from;
  collect(work);
  work.done = true;
}

/* Image and zeros behind it, and the program. */
void host::load(const job &work)
{
  const tsr_program &p = *work.program;
  std::vector<uint8_t> image(work.window_bytes, 0);
  if (p.data_bytes)
    std::memcpy(image.data(), p.data, p.data_bytes);
  transfer(tlm::TLM_WRITE_COMMAND, map_.window, image.data(), image.size());
  transfer(tlm::TLM_WRITE_COMMAND, map_.program, p.insns, p.insn_count * TSR_INSN_BYTES);
}

void host::start(const job &work)
{
  put(TSR_REG_PROGRAM_LO, map_.program);
  put(TSR_REG_PROGRAM_HI, map_.program >> 32);
  put(TSR_REG_PROGRAM_BYTES, work.program->insn_count * TSR_INSN_BYTES);
  put(TSR_REG_WINDOW_LO, map_.window);
  put(TSR_REG_WINDOW_HI, map_.window >> 32);
  put(TSR_REG_WINDOW_BYTES_LO, work.window_bytes);
  put(TSR_REG_WINDOW_BYTES_HI, work.window_bytes >> 32);
  put(TSR_REG_DESIGN_LO, work.program->design_hash);
  put(TSR_REG_DESIGN_HI, work.program->design_hash >> 32);
  put(TSR_REG_INTERRUPT, INTERRUPT_ON);
  if (timed_)
    timed_->restart();
  put(TSR_REG_CONTROL, CONTROL_START);
}

void host::collect(job &work)
{
  uint32_t trap = get(TSR_REG_TRAP);
  work.trap = trap & 0xff;
  work.trap_engine = static_cast<int>(trap >> 8);
  work.trap_insn = get(TSR_REG_TRAP_INSN);
  for (uint32_t k = 0; k < TSR_COUNTER_COUNT; k++) {
    uint64_t low = get(TSR_REG_COUNTERS + 8 * k), high = get(TSR_REG_COUNTERS + 8 * k + 4);
    work.counters[k] = high << 32 | low;
  }
  work.window.resize(work.window_bytes);
  transfer(tlm::TLM_READ_COMMAND, map_.window, work.window.data(), work.window.size());
}

/* --- the bus ---------------------------------------------------------------------------------- */

void host::put(uint32_t offset, uint64_t value)
{
  uint32_t word = static_cast<uint32_t>(value);
  uint8_t bytes[4];
  std::memcpy(bytes, &word, sizeof bytes);
  access(tlm::TLM_WRITE_COMMAND, map_.registers + offset, bytes, sizeof bytes);
}

uint32_t host::get(uint32_t offset)
{
  uint8_t bytes[4];
  uint32_t word;
  access(tlm::TLM_READ_COMMAND, map_.registers + offset, bytes, sizeof bytes);
  std::memcpy(&word, bytes, sizeof bytes);
  return word;
}

void host::transfer(tlm::tlm_command command, uint64_t addr, uint8_t *data, size_t bytes)
{
  for (size_t done = 0; done < bytes; done += burst_bytes_)
    access(command, addr + done, data + done,
           static_cast<unsigned>(std::min<size_t>(burst_bytes_, bytes - done)));
}

void host::access(tlm::tlm_command command, uint64_t addr, uint8_t *data, unsigned bytes)
{
  tlm::tlm_generic_payload trans;
  sc_time delay = sc_core::SC_ZERO_TIME;
  trans.set_command(command);
  trans.set_address(addr);
  trans.set_data_ptr(data);
  trans.set_data_length(bytes);
  trans.set_streaming_width(bytes);
  trans.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  socket->b_transport(trans, delay);
  wait(delay);
  if (trans.is_response_error())
    SC_REPORT_ERROR("host", (trans.get_response_string() + " to an access of bus address " +
                             std::to_string(addr))
                                .c_str());
}
