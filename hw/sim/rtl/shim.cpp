// SPDX-License-Identifier: Apache-2.0
// The Verilator model of `tessera` behind four C functions. Compiled when a model is built,
// together with what Verilator made of the Verilog; it is no part of the library.
#include <cstring>
#include <memory>
#include <new>

#include "Vtessera.h"
#include "Vtessera___024root.h"
#include "verilated.h"

#include "hw/sim/rtl/pins.h"
#include "tsr_design.h"
#ifdef TSR_WAVE
#include "verilated_fst_c.h"
#endif

namespace {

constexpr int BEAT_BYTES = TSR_AXI_BITS / 8;
constexpr int STROBE_BYTES = (BEAT_BYTES + 7) / 8;
constexpr int TICKS = 1000; // of the waveform in a cycle: picoseconds, so cycle n begins at n ns
constexpr int TABLE_BYTES = 256, BANK_ENTRIES = TSR_ACC_DEPTH / 2;

struct Model {
  VerilatedContext context;
  std::unique_ptr<Vtessera> top;
#ifdef TSR_WAVE
  std::unique_ptr<VerilatedFstC> wave;
#endif
};

// The falling edge does nothing in this design: only the model's memory of the clock has to fall.
// Where this Verilator keeps it under a known name, that saves evaluating the model a second time.
template <class Root>
auto fall(Vtessera &, Root &root, int) -> decltype(void(root.__Vtrigrprev__TOP__clk_i = 0))
{
  root.__Vtrigrprev__TOP__clk_i = 0;
}

template <class Root>
auto fall(Vtessera &, Root &root, int) -> decltype(void(root.__Vtrigprevexpr___TOP__clk_i__0 = 0))
{
  root.__Vtrigprevexpr___TOP__clk_i__0 = 0;
}

template <class Root> void fall(Vtessera &top, Root &root, long)
{
  root.clk_i = 0;
  top.eval();
}

// Signals that are wider than a word are arrays of words, lowest first.
template <class Signal> void put_bytes(Signal &to, const uint8_t *from, int bytes)
{
  std::memcpy(&to, from, bytes);
}

template <class Signal> void get_bytes(uint8_t *to, const Signal &from, int bytes)
{
  std::memcpy(to, &from, bytes);
}

void put_inputs(Vtessera___024root &r, const tsr__rtl_pins &p)
{
  r.rst_ni = p.rst_n;
  r.s_axil_awvalid_i = p.awvalid;
  r.s_axil_awaddr_i = p.awaddr;
  r.s_axil_wvalid_i = p.wvalid;
  r.s_axil_wdata_i = p.wdata;
  r.s_axil_wstrb_i = p.wstrb;
  r.s_axil_bready_i = p.bready;
  r.s_axil_arvalid_i = p.arvalid;
  r.s_axil_araddr_i = p.araddr;
  r.s_axil_rready_i = p.rready;
  r.m_axi_arready_i = p.memory.ar_ready;
  r.m_axi_awready_i = p.memory.aw_ready;
  r.m_axi_wready_i = p.memory.w_ready;
  r.m_axi_rvalid_i = p.memory.r_valid;
  r.m_axi_rid_i = p.memory.r_id;
  r.m_axi_rresp_i = p.memory.r_resp;
  r.m_axi_rlast_i = p.memory.r_last;
  r.m_axi_bvalid_i = p.memory.b_valid;
  r.m_axi_bresp_i = p.memory.b_resp;
  if (p.memory.r_valid)
    put_bytes(r.m_axi_rdata_i, p.memory.r_data, BEAT_BYTES);
}

void get_bus(const Vtessera___024root &r, tsr_axi_master &bus)
{
  bus.ar.valid = r.m_axi_arvalid_o;
  if (bus.ar.valid) {
    bus.ar.addr = r.m_axi_araddr_o;
    bus.ar.id = r.m_axi_arid_o;
    bus.ar.len = r.m_axi_arlen_o;
    bus.ar.size = r.m_axi_arsize_o;
    bus.ar.burst = r.m_axi_arburst_o;
  }
  bus.r_ready = r.m_axi_rready_o;
  bus.aw.valid = r.m_axi_awvalid_o;
  if (bus.aw.valid) {
    bus.aw.addr = r.m_axi_awaddr_o;
    bus.aw.len = r.m_axi_awlen_o;
    bus.aw.size = r.m_axi_awsize_o;
    bus.aw.burst = r.m_axi_awburst_o;
  }
  bus.w_valid = r.m_axi_wvalid_o;
  if (bus.w_valid) {
    bus.w_last = r.m_axi_wlast_o;
    get_bytes(bus.w_data, r.m_axi_wdata_o, BEAT_BYTES);
    get_bytes(bus.w_strb, r.m_axi_wstrb_o, STROBE_BYTES);
  }
  bus.b_ready = r.m_axi_bready_o;
}

void get_outputs(const Vtessera___024root &r, tsr__rtl_pins &p)
{
  get_bus(r, p.bus);
  p.awready = r.s_axil_awready_o;
  p.wready = r.s_axil_wready_o;
  p.bvalid = r.s_axil_bvalid_o;
  p.bresp = r.s_axil_bresp_o;
  p.arready = r.s_axil_arready_o;
  p.rvalid = r.s_axil_rvalid_o;
  p.rresp = r.s_axil_rresp_o;
  p.rdata = r.s_axil_rdata_o;
  p.irq = r.irq_o;
  p.trace_start = r.trace_start_o;
  p.trace_end = r.trace_end_o;
  if (p.trace_start)
    std::memcpy(p.start_insn, &r.trace_start_insn_o, sizeof p.start_insn);
  if (p.trace_end)
    std::memcpy(p.end_insn, &r.trace_end_insn_o, sizeof p.end_insn);
}

// The scratchpads' numbers are those of isa/buffers.def.
enum { UOP, INP, WGT, ACC, ACC8, OUT, LUT };

template <class Memory> void peek_at(Memory &memory, uint32_t entry, void *out, int bytes)
{
  std::memcpy(out, &memory[entry], bytes);
}

// Of scratchpads with a copy for a second reader, the first.
void peek(Vtessera___024root &r, int buffer, uint32_t entry, void *out)
{
#define PAD(path) r.tessera__DOT__pads__DOT__##path##__DOT__mem
  switch (buffer) {
  case UOP: return peek_at(PAD(uop_matrix), entry, out, 8);
  case INP: return peek_at(PAD(inp_matrix), entry, out, TSR_LANES);
  case WGT: return peek_at(PAD(wgt), entry, out, TSR_BLOCK * TSR_BLOCK);
  case OUT: return peek_at(PAD(out), entry, out, TSR_LANES);
  case LUT:
    return peek_at(PAD(tables__DOT__lane__BRA__0__KET__),
                   entry * (TABLE_BYTES / BEAT_BYTES), out, TABLE_BYTES);
  default:
    if (entry < BANK_ENTRIES)
      return peek_at(PAD(acc0__DOT__copy_a), entry, out, 4 * TSR_LANES);
    return peek_at(PAD(acc1__DOT__copy_a), entry - BANK_ENTRIES, out, 4 * TSR_LANES);
  }
#undef PAD
}

#ifdef TSR_WAVE
bool open_wave(Model &m, const char *path)
{
  if (!path)
    return true;
  m.context.traceEverOn(true);
  m.wave.reset(new VerilatedFstC);
  m.top->trace(m.wave.get(), 99);
  m.wave->open(path);
  return m.wave->isOpen();
}

// With both edges, so that the clock can be seen. The inputs of a cycle are there from its falling
// edge on; the rising edge ends it, and what the machine shows then is the next cycle's.
void edge(Model &m, const tsr__rtl_pins &p)
{
  Vtessera___024root &r = *m.top->rootp;
  r.clk_i = 0;
  m.top->eval();
  if (m.wave && p.dump)
    m.wave->dump(p.dump_time * TICKS + TICKS / 2);
  r.clk_i = 1;
  m.top->eval();
  if (m.wave && p.dump)
    m.wave->dump(p.dump_time * TICKS + TICKS);
}
#else
bool open_wave(Model &, const char *)
{
  return true;
}

void edge(Model &m, const tsr__rtl_pins &)
{
  Vtessera___024root &r = *m.top->rootp;
  r.clk_i = 1;
  m.top->eval();
  fall(*m.top, r, 0);
}
#endif

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void *tsr_rtl_model_new(const char *wave)
{
  try {
    std::unique_ptr<Model> m(new Model);
    m->top.reset(new Vtessera(&m->context, "tessera"));
    m->top->clk_i = 0;
    if (!open_wave(*m, wave))
      return nullptr;
    m->top->eval();
    return m.release();
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

// In a model that counts its branches: writes the counts. Else there is no such function.
extern "C" void __gcov_dump(void) __attribute__((weak, visibility("hidden")));

EXPORT void tsr_rtl_model_free(void *model)
{
  Model *m = static_cast<Model *>(model);
  m->top->final();
#ifdef TSR_WAVE
  if (m->wave)
    m->wave->close();
#endif
  delete m;
  if (__gcov_dump)
    __gcov_dump();
}

EXPORT void tsr_rtl_model_cycle(void *model, tsr__rtl_pins *pins)
{
  Model &m = *static_cast<Model *>(model);
  put_inputs(*m.top->rootp, *pins);
  edge(m, *pins);
  get_outputs(*m.top->rootp, *pins);
}

EXPORT void tsr_rtl_model_peek(void *model, int buffer, uint32_t entry, void *out)
{
  peek(*static_cast<Model *>(model)->top->rootp, buffer, entry, out);
}
