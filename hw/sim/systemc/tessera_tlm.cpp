/* SPDX-License-Identifier: Apache-2.0 */
/* A run: from event to event of the model, by a thread that keeps a local time (loosely timed) or
 * by a method (approximately timed). */
#include "hw/sim/systemc/tessera_tlm.h"

#include <cassert>
#include <cstdlib>

#include "hw/sim/systemc/transaction.h"

using sc_core::sc_time;

tessera::tessera(sc_core::sc_module_name name, const tsr_design &design,
                 const tessera_options &options)
    : sc_module(name), memory("memory"), registers("registers"), interrupt("interrupt"),
      design_(design), options_(options), period_(1.0 / design.clock_mhz, sc_core::SC_US),
      flights_(new tsr_flights()), phases_(this, &tessera::on_phase), pool_(new pool),
      own_window_(nullptr, std::free)
{
  SC_HAS_PROCESS(tessera);
  const bool loosely = options.timing == tessera_timing::loosely;
  registers_.hash = design.hash;
  flights_->at_once = loosely;
  flights_->read_limit.most = options.reads;
  flights_->write_limit.most = options.writes;
  flights_->send = send_burst;
  flights_->written = note_written;
  flights_->context = this;
  port_ = tsr_flights_port(flights_.get());
  tsr_cycle_options model = tsr_cycle_defaults(&design_);
  model.port = &port_;
  tsr_err err;
  if (tsr_cycle_open(nullptr, &err, &design_, &model, nullptr, 0, &model_)) {
    SC_REPORT_ERROR("tessera", err.text);
    return;
  }
  registers.register_b_transport(this, &tessera::host_transport);
  registers.register_transport_dbg(this, &tessera::host_debug);
  memory.register_nb_transport_bw(this, &tessera::memory_phase);
  memory.register_invalidate_direct_mem_ptr(this, &tessera::forget_dmi);
  if (loosely) {
    SC_THREAD(run_loosely);
  } else {
    SC_METHOD(step);
    dont_initialize();
    sensitive << wake_;
  }
  SC_METHOD(cleared);
  dont_initialize();
  sensitive << clear_;
  SC_METHOD(drive_interrupt);
  sensitive << interrupt_changed_;
  clear();
}

tessera::~tessera()
{
  tsr_cycle_close(model_);
}

/* --- cycles and times ------------------------------------------------------------------------- */

sc_time tessera::edge(uint64_t cycle) const
{
  return sc_time::from_value(origin_.value() + cycle * period_.value());
}

uint64_t tessera::cycle_of(const sc_time &at) const
{
  return (at.value() - origin_.value()) / period_.value();
}

/* --- runs ------------------------------------------------------------------------------------- */

void tessera::begin_run()
{
  program_base_ = tsr_register_pair(&registers_, TSR_REG_PROGRAM_LO);
  program_bytes_ = registers_.words[TSR_REG_PROGRAM_BYTES / 4];
  window_base_ = tsr_register_pair(&registers_, TSR_REG_WINDOW_LO);
  window_bytes_ = tsr_register_pair(&registers_, TSR_REG_WINDOW_BYTES_LO);
  find_bytes();
  tsr_flights_clear(flights_.get());
  tsr_cycle_place(model_, program_base_, window(), window_bytes_);
  tsr_cycle_start(model_, dmi_program_ ? dmi_program_ : own_program_.data(),
                  program_bytes_ / TSR_INSN_BYTES);
  state_ = state::running;
  if (options_.timing == tessera_timing::loosely)
    started_.notify(origin_ - now());
  else
    wake_.notify(edge(1) - now());
}

uint64_t tessera::advance(uint64_t cycle)
{
  advancing_ = true;
  uint64_t next = tsr_cycle_advance(model_, cycle);
  advancing_ = false;
  return next;
}

void tessera::step()
{
  if (state_ != state::running)
    return;
  uint64_t next = advance(cycle_of(now()) - 1);
  if (tsr_cycle_ended(model_))
    note_end();
  else if (next != TSR_CYCLE_NEVER)
    wake_.notify(edge(next + 1) - now());
}

/* The memory has news, from this cycle on. */
void tessera::notify(uint64_t cycle)
{
  if (state_ != state::running || advancing_ || options_.timing == tessera_timing::loosely)
    return;
  tsr_cycle_notify(model_, cycle);
  wake_.notify(edge(cycle + 1) - now());
}

/* All that happens up to a cycle, which becomes the next one that matters. A memory that has waited
 * in its b_transport has moved time beyond the local one. */
bool tessera::step_loosely(uint64_t &cycle)
{
  sc_time at = edge(cycle + 1);
  keeper_.set(at > now() ? at - now() : sc_core::SC_ZERO_TIME);
  if (keeper_.need_sync())
    keeper_.sync();
  if (resets_)
    return false;
  uint64_t next = advance(cycle);
  if (tsr_cycle_ended(model_))
    return false;
  assert(next != TSR_CYCLE_NEVER); /* every burst has its answer */
  cycle = next;
  return true;
}

void tessera::run_loosely()
{
  for (;;) {
    wait(started_);
    keeper_.reset();
    uint64_t cycle = 0;
    while (step_loosely(cycle)) {
    }
    keeper_.sync();
    if (resets_)
      halt();
    else
      note_end();
  }
}
