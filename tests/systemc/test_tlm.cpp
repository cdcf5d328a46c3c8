/* SPDX-License-Identifier: Apache-2.0 */
/* The module between a script and, behind the platform's bus, a memory of every manner that the
 * base protocol allows: bits are those of the cycle model whatever the memory does, times where it
 * does nothing; accesses that are refused; resets; errors; direct access that is not enough; two
 * accelerators at one memory. The third argument is a quantum in ns. */
#include <algorithm>
#include <cinttypes>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <tlm_utils/peq_with_cb_and_phase.h>

#include "hw/sim/systemc/platform/bus.h"
#include "hw/sim/systemc/tessera_tlm.h"
#include "tests/systemc/check.h"

using sc_core::sc_time;

namespace
{

const uint64_t WINDOW = 1 << 18, PROGRAM = 1 << 16, MEMORY = WINDOW + PROGRAM, BASE = 0x80000000;
const uint32_t START = 1, RESET = 2, RUNNING = 1, CLEARING = 2, ENDED = 4;

enum manner {
  AT_ONCE,  /* b_transport without a delay; TLM_COMPLETED */
  DELAYED,  /* with a delay; BEGIN_RESP in the call's return, later */
  WAITING,  /* waits in b_transport; END_REQ and BEGIN_RESP each by a call, late */
  SKIPPING, /* BEGIN_RESP by a call, without END_REQ */
  ANY,      /* each burst as another one, in any order */
  MANNERS
};

const char *const manner_names[] = {"at_once", "delayed", "waiting", "skipping", "any"};

/* --- a memory --------------------------------------------------------------------------------- */

class odd_memory : public sc_core::sc_module
{
public:
  tlm_utils::simple_target_socket<odd_memory> socket;
  std::vector<uint8_t> bytes;
  uint64_t error_from = UINT64_MAX; /* accesses from this address on are answered with an error */
  uint64_t direct_bytes = 0;        /* that it gives direct access to */
  int most_open = 0;                /* requests without an answer, at most */
  int asked = 0;                    /* requests without END_REQ; never two */
  unsigned slowness = 1;

  odd_memory(sc_core::sc_module_name name, manner how)
      : sc_module(name), socket("socket"), bytes(2 * MEMORY), how_(how),
        phases_(this, &odd_memory::due)
  {
    socket.register_b_transport(this, &odd_memory::transport);
    socket.register_nb_transport_fw(this, &odd_memory::forward);
    socket.register_get_direct_mem_ptr(this, &odd_memory::direct);
  }

private:
  using payload = tlm::tlm_generic_payload;

  sc_time some_time()
  {
    return sc_time(static_cast<double>(next() % 200 * slowness), sc_core::SC_NS);
  }
  uint32_t next()
  {
    return seed_ = seed_ * 1664525 + 1013904223, seed_ >> 8;
  }

  void access(payload &t)
  {
    uint64_t addr = t.get_address(), size = t.get_data_length();
    bool bad = addr + size > bytes.size() || addr >= error_from;
    t.set_response_status(bad ? tlm::TLM_ADDRESS_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE);
    if (bad || t.get_data_ptr() == bytes.data() + addr)
      return;
    if (t.is_read())
      std::memcpy(t.get_data_ptr(), bytes.data() + addr, size);
    else
      std::memcpy(bytes.data() + addr, t.get_data_ptr(), size);
  }

  void transport(payload &t, sc_time &delay)
  {
    manner how = how_ == ANY ? static_cast<manner>(next() % ANY) : how_;
    if (how == WAITING) {
      wait(delay + some_time());
      delay = sc_core::SC_ZERO_TIME;
    } else if (how != AT_ONCE) {
      delay += some_time();
    }
    access(t);
  }

  bool direct(payload &, tlm::tlm_dmi &dmi)
  {
    dmi.set_dmi_ptr(bytes.data());
    dmi.set_start_address(0);
    dmi.set_end_address(direct_bytes - 1);
    dmi.allow_read_write();
    return direct_bytes > 0;
  }

  tlm::tlm_sync_enum forward(payload &t, tlm::tlm_phase &phase, sc_time &delay)
  {
    if (phase == tlm::END_RESP) {
      open_--;
      answering_ = false;
      answer();
      t.release();
      return tlm::TLM_COMPLETED;
    }
    manner how = how_ == ANY ? static_cast<manner>(next() % ANY) : how_;
    if (asked)
      SC_REPORT_ERROR("odd_memory", "a request before END_REQ of the one before");
    if (how == AT_ONCE || (how == DELAYED && answering_)) {
      land(t);
      return tlm::TLM_COMPLETED;
    }
    t.acquire();
    if (t.is_write())
      writes_.push_back(&t);
    most_open = std::max(most_open, ++open_);
    if (how == DELAYED) {
      land(t);
      answering_ = true;
      phase = tlm::BEGIN_RESP;
      delay += some_time();
      return tlm::TLM_UPDATED;
    }
    asked++;
    if (how == WAITING)
      phases_.notify(t, tlm::END_REQ, some_time());
    else
      phases_.notify(t, tlm::BEGIN_RESP, some_time());
    return tlm::TLM_ACCEPTED;
  }

  void due(payload &t, const tlm::tlm_phase &phase)
  {
    if (phase == tlm::END_REQ) {
      tlm::tlm_phase end = tlm::END_REQ;
      sc_time none = sc_core::SC_ZERO_TIME;
      asked--;
      ended_.insert(&t);
      socket->nb_transport_bw(t, end, none);
      phases_.notify(t, tlm::BEGIN_RESP, some_time());
      return;
    }
    due_.push_back(&t);
    answer();
  }

  /* Bytes move at the answer; but writes in the order of their requests, whichever is answered. */
  void land(payload &t)
  {
    if (landed_.erase(&t))
      return;
    while (t.is_write() && !writes_.empty()) {
      payload *first = writes_.front();
      writes_.pop_front();
      access(*first);
      if (first == &t)
        return;
      landed_.insert(first);
    }
    access(t);
  }

  /* One answer at a time; in any order where that is the manner. */
  void answer()
  {
    if (answering_ || due_.empty())
      return;
    size_t k = how_ == ANY ? next() % due_.size() : 0;
    payload &t = *due_[k];
    due_.erase(due_.begin() + static_cast<std::ptrdiff_t>(k));
    land(t);
    answering_ = true;
    if (!ended_.erase(&t)) /* BEGIN_RESP ends the request, too */
      asked--;
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_time none = sc_core::SC_ZERO_TIME;
    socket->nb_transport_bw(t, phase, none);
  }

  const manner how_;
  uint32_t seed_ = 1;
  int open_ = 0;
  bool answering_ = false;
  std::vector<payload *> due_;
  std::deque<payload *> writes_; /* that have not landed, */
  std::set<payload *> landed_;   /*   and that have before their answers */
  std::set<payload *> ended_;    /* requests that got END_REQ */
  tlm_utils::peq_with_cb_and_phase<odd_memory> phases_;
};

/* --- a bench ---------------------------------------------------------------------------------- */

/* A memory and the bus in front of it. */
struct backplane {
  odd_memory memory;
  bus interconnect;

  backplane(const std::string &name, manner how)
      : memory((name + "_memory").c_str(), how), interconnect((name + "_bus").c_str())
  {
    interconnect.map(BASE, memory.bytes.size());
    interconnect.to.bind(memory.socket);
  }
};

class bench : public sc_core::sc_module
{
public:
  tlm_utils::simple_initiator_socket<bench> host;
  sc_core::sc_signal<bool> interrupt;
  odd_memory &memory;
  const uint64_t base; /* of its part of the memory, in it */
  tessera accelerator;
  const tsr_design &design;
  checks &c;
  bool finished = false;

  bench(sc_core::sc_module_name module, checks &all, const tsr_design &point, backplane &back,
        uint64_t part, const tessera_options &options, std::function<void(bench &)> script)
      : sc_module(module), host("host"), interrupt("irq"), memory(back.memory), base(part),
        accelerator("accelerator", point, options), design(point), c(all),
        script_(std::move(script))
  {
    SC_HAS_PROCESS(bench);
    host.bind(accelerator.registers);
    accelerator.memory.bind(back.interconnect.from);
    accelerator.interrupt.bind(interrupt);
    SC_THREAD(run);
  }

  tlm::tlm_response_status access(tlm::tlm_command command, uint64_t addr, uint32_t &value,
                                  unsigned bytes = 4, uint8_t *enables = nullptr)
  {
    tlm::tlm_generic_payload t;
    sc_time delay = sc_core::SC_ZERO_TIME;
    t.set_command(command);
    t.set_address(addr);
    t.set_data_ptr(reinterpret_cast<unsigned char *>(&value));
    t.set_data_length(bytes);
    t.set_streaming_width(bytes);
    t.set_byte_enable_ptr(enables);
    t.set_byte_enable_length(enables ? bytes : 0);
    host->b_transport(t, delay);
    wait(delay);
    return t.get_response_status();
  }
  tlm::tlm_response_status put(uint32_t offset, uint64_t value)
  {
    uint32_t word = static_cast<uint32_t>(value);
    return access(tlm::TLM_WRITE_COMMAND, offset, word);
  }
  uint32_t get(uint32_t offset)
  {
    uint32_t value = 0;
    c.expect(access(tlm::TLM_READ_COMMAND, offset, value) == tlm::TLM_OK_RESPONSE,
             "%s: register 0x%03x is not read", name(), offset);
    return value;
  }
  void taken(uint32_t offset, uint64_t value)
  {
    c.expect(put(offset, value) == tlm::TLM_OK_RESPONSE, "%s: register 0x%03x is not written",
             name(), offset);
  }
  void refused(uint32_t offset, uint64_t value)
  {
    c.expect(put(offset, value) == tlm::TLM_COMMAND_ERROR_RESPONSE,
             "%s: register 0x%03x takes 0x%" PRIx64, name(), offset, value);
  }
  void status(uint32_t expected, const char *when)
  {
    uint32_t found = get(TSR_REG_STATUS);
    c.expect(found == expected, "%s: status %u %s; expected %u", name(), found, when, expected);
  }
  void await_ready()
  {
    while (get(TSR_REG_STATUS) & (RUNNING | CLEARING))
      wait(1, sc_core::SC_US);
  }

  void start(const tsr_program &p)
  {
    uint8_t *part = memory.bytes.data() + base;
    std::memset(part, 0, MEMORY);
    if (p.data_bytes)
      std::memcpy(part, p.data, p.data_bytes);
    program_ = base + WINDOW + runs_++ * 128 % 4096; /* bursts are cut elsewhere */
    std::memcpy(memory.bytes.data() + program_, p.insns, p.insn_count * TSR_INSN_BYTES);
    taken(TSR_REG_PROGRAM_LO, BASE + program_);
    taken(TSR_REG_WINDOW_LO, BASE + base);
    taken(TSR_REG_PROGRAM_BYTES, p.insn_count * TSR_INSN_BYTES);
    taken(TSR_REG_WINDOW_BYTES_LO, WINDOW);
    taken(TSR_REG_INTERRUPT, 1);
    taken(TSR_REG_CONTROL, START);
  }
  void await_interrupt()
  {
    wait(sc_core::SC_ZERO_TIME);
    wait(sc_core::SC_ZERO_TIME);
    if (!interrupt.read())
      wait(interrupt.posedge_event());
  }
  uint64_t counter(int k)
  {
    uint32_t at = TSR_REG_COUNTERS + 8 * static_cast<uint32_t>(k);
    return static_cast<uint64_t>(get(at + 4)) << 32 | get(at);
  }

  /* Bits and trap of the model alone; where `exact`, its counters too, behind an ideal memory. */
  void check(alone &model, const tsr_program &p, bool exact)
  {
    start(p);
    await_interrupt();
    status(ENDED, "behind the end");
    model.place(BASE + program_);
    const tsr_run_result &r = model.run(p);
    c.expect((get(TSR_REG_TRAP) & 0xff) == static_cast<uint32_t>(r.trap), "%s: trap %s", name(),
             accelerator.result().text);
    c.expect(get(TSR_REG_TRAP_INSN) == r.insn, "%s: ended at instruction %u", name(),
             get(TSR_REG_TRAP_INSN));
    c.expect(!std::memcmp(memory.bytes.data() + base, model.window().data(), WINDOW),
             "%s: other bytes in memory", name());
    for (int k = 0; exact && k < TSR_COUNTER_COUNT; k++)
      c.expect(counter(k) == r.counters[k], "%s: counter %s is %" PRIu64 "; expected %" PRIu64,
               name(), tsr_counter_name(k), counter(k), r.counters[k]);
  }

private:
  void run()
  {
    script_(*this);
    finished = true;
  }
  std::function<void(bench &)> script_;
  uint64_t runs_ = 0, program_ = 0; /* of the latest run: in the memory */
};

/* --- scripts ---------------------------------------------------------------------------------- */

struct world {
  tsr_design design;
  tsr_dram_options ideal;
  std::vector<tsr_program> programs;
  tsr_program look;  /* stores what lies in ACC */
  tsr_program again; /* stores this, and then that, at one place */
};

void run_programs(bench &b, const world &w, bool exact)
{
  alone model(w.design, w.ideal, WINDOW);
  b.await_ready();
  for (const tsr_program &p : w.programs)
    b.check(model, p, exact);
}

/* Wrong places, wrong shapes, and what is read only. */
void accesses(bench &b)
{
  uint32_t value = 0;
  uint8_t some[4] = {0xff, 0xff, 0, 0xff}, all[4] = {0xff, 0xff, 0xff, 0xff};
  const tlm::tlm_command read = tlm::TLM_READ_COMMAND, write = tlm::TLM_WRITE_COMMAND;
  b.status(CLEARING, "at time 0");
  b.refused(TSR_REG_PROGRAM_LO, 128);
  b.await_ready();
  for (uint64_t addr : {UINT64_C(0x048), UINT64_C(0x002), UINT64_C(0xffc), UINT64_C(0x1000),
                        UINT64_C(0x100000000)}) {
    value = 5;
    b.c.expect(b.access(read, addr, value) == tlm::TLM_ADDRESS_ERROR_RESPONSE,
               "a read at 0x%" PRIx64 " is answered", addr);
    b.c.expect(b.access(write, addr, value) == tlm::TLM_ADDRESS_ERROR_RESPONSE,
               "a write at 0x%" PRIx64 " is answered", addr);
  }
  b.c.expect(b.access(read, TSR_REG_ID, value, 2) == tlm::TLM_BURST_ERROR_RESPONSE, "two bytes");
  b.c.expect(b.access(write, TSR_REG_INTERRUPT, value, 4, some) ==
                 tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE,
             "three bytes");
  value = 1;
  b.c.expect(b.access(write, TSR_REG_INTERRUPT, value, 4, all) == tlm::TLM_OK_RESPONSE,
             "four enabled bytes");
  b.c.expect(b.get(TSR_REG_INTERRUPT) == 1, "INTERRUPT is not kept");
  b.refused(TSR_REG_ID, 0);
  b.refused(TSR_REG_COUNTERS, 0);
  b.refused(TSR_REG_PROGRAM_LO, 64);
  b.refused(TSR_REG_CONTROL, 4);
  b.c.expect(b.get(TSR_REG_ID) == 0x41525354, "ID");
  b.c.expect(b.get(TSR_REG_HASH_LO) == static_cast<uint32_t>(b.design.hash), "HASH_LO");
  b.c.expect(b.get(TSR_REG_HASH_HI) == b.design.hash >> 32, "HASH_HI");
}

/* In the middle of a run: writes are refused, states are told; a reset stops it and clears. */
void resets(bench &b, const world &w)
{
  alone model(w.design, w.ideal, WINDOW);
  b.await_ready();
  b.check(model, w.programs[0], false);
  for (double us : {0.0, 0.3, 1.1, 2.0}) {
    b.memory.slowness = us > 1.5 ? 2000 : 1; /* answers come long behind the reset */
    b.start(w.programs[1]);
    sc_core::wait(us, sc_core::SC_US);
    b.status(RUNNING, "in a run");
    b.c.expect(!b.interrupt.read(), "%s: an interrupt in a run", b.name());
    b.refused(TSR_REG_CONTROL, START);
    b.refused(TSR_REG_INTERRUPT, 0);
    b.c.expect(b.get(TSR_REG_STATE_FETCH) <= TSR_STATE_FINISH + 0xf00, "a state of fetch");
    b.taken(TSR_REG_CONTROL, RESET);
    if (us > 1.5)
      b.status(RUNNING, "behind a reset, while bursts are out");
    b.await_ready();
    b.memory.slowness = 1;
    b.status(0, "behind a reset");
    b.c.expect(b.get(TSR_REG_PROGRAM_LO) == 0, "a register is kept over a reset");
    model.reset();
    b.check(model, w.look, false);
    b.check(model, w.programs[0], false);
    b.check(model, w.look, false);
    b.check(model, w.programs[1], false);
  }
  b.taken(TSR_REG_INTERRUPT, 0);
  sc_core::wait(sc_core::SC_ZERO_TIME);
  sc_core::wait(sc_core::SC_ZERO_TIME);
  b.c.expect(!b.interrupt.read(), "%s: irq without INTERRUPT", b.name());
}

/* A program whose bytes cannot be read, and one of which only the window can not. */
void errors(bench &b, const world &w)
{
  alone model(w.design, w.ideal, WINDOW);
  b.await_ready();
  for (uint64_t from : {b.base + WINDOW, b.base}) {
    b.memory.error_from = from;
    b.start(w.programs[0]);
    b.await_interrupt();
    b.c.expect(b.get(TSR_REG_TRAP) == (TSR_ENGINE_FETCH << 8 | TSR_TRAP_BUS), "%s: trap 0x%x",
               b.name(), b.get(TSR_REG_TRAP));
  }
  b.memory.error_from = UINT64_MAX;
  b.taken(TSR_REG_CONTROL, RESET);
  b.await_ready();
  b.check(model, w.programs[0], false);
}

void designs(bench &b, const world &w)
{
  b.await_ready();
  b.taken(TSR_REG_DESIGN_LO, w.design.hash ^ 1);
  b.taken(TSR_REG_DESIGN_HI, w.design.hash >> 32);
  b.start(w.programs[0]);
  b.await_interrupt();
  b.c.expect(b.get(TSR_REG_TRAP) == (TSR_ENGINE_FETCH << 8 | TSR_TRAP_DESIGN), "%s: trap 0x%x",
             b.name(), b.get(TSR_REG_TRAP));
  alone model(w.design, w.ideal, WINDOW);
  b.taken(TSR_REG_DESIGN_LO, w.design.hash);
  b.check(model, w.programs[0], false);
}

/* Direct access to nothing, to a part, to all. */
void direct_access(bench &b, const world &w)
{
  alone model(w.design, w.ideal, WINDOW);
  b.await_ready();
  for (uint64_t bytes : {UINT64_C(0), WINDOW - 1, WINDOW, MEMORY, UINT64_C(4096)}) {
    b.memory.direct_bytes = bytes;
    b.check(model, w.programs[1], false);
    b.check(model, w.again, false);
    b.c.expect(b.accelerator.has_dmi() == (bytes >= WINDOW),
               "%s: of %" PRIu64 " bytes direct access is %d", b.name(), bytes,
               b.accelerator.has_dmi());
    b.memory.socket->invalidate_direct_mem_ptr(0, 2 * MEMORY - 1);
  }
}

/* --- all -------------------------------------------------------------------------------------- */

tsr_program assemble(tsr_arena *arena, const std::string &text)
{
  tsr_program program;
  tsr_err err;
  if (tsr_assemble(arena, &err, "text", text.c_str(), &program))
    std::abort();
  return program;
}

/* Two of them to each place. */
std::string stores()
{
  std::string text = "load acc sram=0 dram=0x8000 n=8 signal=store\n", words;
  for (int k = 0; k < 60; k++)
    text += std::string("store acc sram=") + (k % 2 ? "4" : "0") +
            " dram=" + std::to_string(k / 2 * 1024) + (k ? " n=4\n" : " n=4 wait=load\n");
  for (int k = 0; k < 1024; k++)
    words += "\n.word32 " + std::to_string(k * 12345);
  return text + "finish\n.data\n.org 0x8000" + words + "\n.window 65536\n";
}

world make_world(tsr_arena *arena, const char *point, size_t count)
{
  world w = {open_point(point), {}, {}, {}, {}};
  w.look = assemble(arena, "store acc sram=0 dram=0 n=4\nfinish\n.window 4096\n");
  w.again = assemble(arena, stores());
  w.ideal = tsr_dram_defaults(&w.design);
  w.ideal.model = TSR_MEMORY_IDEAL;
  for (uint64_t seed = 1; w.programs.size() < count; seed++) {
    generated g;
    generate(arena, &w.design, seed, DEFECT_NONE, &g);
    if (g.program.window_bytes <= WINDOW && g.program.insn_count * TSR_INSN_BYTES <= PROGRAM - 4096)
      w.programs.push_back(g.program);
  }
  return w;
}

struct all_benches {
  std::vector<std::unique_ptr<backplane>> backplanes;
  std::vector<std::unique_ptr<bench>> benches;
};

void add_all(all_benches &all, checks &c, const world &w, tessera_timing timing)
{
  tessera_options options;
  options.timing = timing;
  const std::string prefix = timing == tessera_timing::loosely ? "lt_" : "at_";
  auto add = [&](const std::string &name, manner how, int count,
                 std::function<void(bench &)> script) {
    all.backplanes.emplace_back(new backplane(prefix + name, how));
    for (int k = 0; k < count; k++)
      all.benches.emplace_back(new bench((prefix + name + std::to_string(k)).c_str(), c, w.design,
                                         *all.backplanes.back(), MEMORY * static_cast<uint64_t>(k),
                                         options, script));
  };
  for (int how = 0; how < MANNERS; how++) {
    auto script = [&w, how](bench &b) { run_programs(b, w, how == AT_ONCE); };
    add(manner_names[how], static_cast<manner>(how), 1, script);
    add(manner_names[how] + std::string("_pair"), static_cast<manner>(how), 2, script);
  }
  add("accesses", AT_ONCE, 1, accesses);
  add("resets", ANY, 1, [&w](bench &b) { resets(b, w); });
  add("errors", ANY, 1, [&w](bench &b) { errors(b, w); });
  add("designs", AT_ONCE, 1, [&w](bench &b) { designs(b, w); });
  add("direct", ANY, 1, [&w](bench &b) { direct_access(b, w); });
}

} // namespace

int sc_main(int argc, char **argv)
{
  tsr_arena *arena = tsr_arena_new(nullptr);
  world w = make_world(arena, argc > 1 ? argv[1] : "default", argc > 2 ? std::atoi(argv[2]) : 10);
  checks c;
  if (argc > 3)
    tlm_utils::tlm_quantumkeeper::set_global_quantum(sc_time(std::atof(argv[3]), sc_core::SC_NS));
  all_benches all;
  add_all(all, c, w, tessera_timing::loosely);
  add_all(all, c, w, tessera_timing::approximately);
  sc_core::sc_start();
  for (const auto &b : all.benches) {
    c.expect(b->finished, "%s: does not come to its end", b->name());
    bool several = b->name() == std::string("at_any0");
    c.expect(!several || b->memory.most_open > 1, "never more than one burst outstanding");
  }
  tsr_arena_free(arena);
  return c.end();
}
