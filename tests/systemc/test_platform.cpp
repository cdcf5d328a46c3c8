/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual platform against the cycle model alone, at the design point of the first argument, on
 * as many random programs as the second says: cycles, every counter, trap, and memory are equal,
 * loosely (the third: with a quantum of so many ns) and approximately timed, with and without
 * direct access to memory, behind each memory. Of two accelerators times are equal where they do
 * not meet in the memory. */
#include <cinttypes>
#include <cstdlib>
#include <memory>
#include <string>

#include "hw/sim/systemc/platform/platform.h"
#include "tests/systemc/check.h"

namespace
{

const uint64_t WINDOW = 1 << 18; /* of every program here */
const uint64_t PROGRAM = 1 << 16;

struct memory_case {
  const char *name;
  tsr_dram_options options;
};

/* One platform, and what its programs came to. */
struct trial {
  std::string name;
  const memory_case *behind;
  platform_options options;
  sc_core::sc_time period;
  std::vector<std::vector<job>> jobs; /* by accelerator */
  std::unique_ptr<platform> top;
};

std::vector<memory_case> memories(const tsr_design &design)
{
  tsr_dram_options ideal = tsr_dram_defaults(&design), slow = ideal, odd = ideal;
  ideal.model = TSR_MEMORY_IDEAL;
  slow.model = odd.model = TSR_MEMORY_SIMPLE;
  slow.latency_cycles = 40;
  slow.bytes_per_cycle = tsr_design_beat(&design);
  odd.latency_cycles = 7;
  odd.bytes_per_cycle = 3; /* beats at a rate that is no whole number of cycles */
  tsr_dram_options ddr = ideal;
  ddr.model = TSR_MEMORY_DDR;
  ddr.latency_cycles = 10;
  ddr.ddr = *tsr_ddr_set("ddr3-1066");
  ddr.ddr.order = TSR_DDR_FRFCFS;
  tsr_dram_options channels = ddr;
  channels.ddr = *tsr_ddr_set("lpddr4-3200");
  channels.ddr.order = TSR_DDR_FCFS;
  tsr_dram_options few = slow, some = ddr;
  few.reads = few.writes = 1;
  some.reads = 3;
  some.writes = 2;
  return {{"ideal", ideal},       {"simple", slow}, {"odd", odd},  {"ddr", ddr},
          {"channels", channels}, {"few", few},     {"some", some}};
}

bool fits(const tsr_program &p)
{
  return p.window_bytes <= WINDOW && p.insn_count * TSR_INSN_BYTES <= PROGRAM;
}

/* Valid ones, and every fourth with a defect that is none of time. */
std::vector<tsr_program> draw(tsr_arena *arena, const tsr_design &design, uint64_t count)
{
  static const defect planted[] = {DEFECT_WINDOW, DEFECT_INDEX, DEFECT_OPCODE, DEFECT_STARVED};
  std::vector<tsr_program> list;
  for (uint64_t seed = 1; seed <= count; seed++) {
    generated g;
    generate(arena, &design, seed, seed % 4 ? DEFECT_NONE : planted[seed / 4 % 4], &g);
    if (fits(g.program))
      list.push_back(g.program);
  }
  return list;
}

/* Every other accelerator runs them in reverse. */
void give_jobs(trial &t, const std::vector<tsr_program> &programs)
{
  t.jobs.resize(static_cast<size_t>(t.options.accelerators));
  for (size_t a = 0; a < t.jobs.size(); a++) {
    t.jobs[a].resize(programs.size());
    for (size_t k = 0; k < programs.size(); k++) {
      job &j = t.jobs[a][k];
      j.program = &programs[a % 2 ? programs.size() - 1 - k : k];
      j.window_bytes = WINDOW;
      j.resets = k % 3 == 1; /* scratchpads stay as they are, or not */
      t.top->add(j, static_cast<int>(a));
    }
  }
}

void add(std::vector<std::unique_ptr<trial>> &trials, const tsr_design &design,
         const memory_case &behind, const tessera_options &accelerator, int accelerators,
         const std::vector<tsr_program> &programs)
{
  const bool loosely = accelerator.timing == tessera_timing::loosely;
  std::unique_ptr<trial> t(new trial);
  t->name = std::string(loosely ? "lt_" : "at_") + (accelerator.dmi ? "dmi_" : "") +
            (accelerators > 1 ? "pair_" : "") + behind.name;
  t->behind = &behind;
  t->options.accelerator = accelerator;
  t->options.dram = behind.options;
  t->options.window_bytes = WINDOW;
  t->options.program_bytes = PROGRAM;
  t->options.accelerators = accelerators;
  t->top.reset(new platform(t->name.c_str(), design, t->options));
  t->period = t->top->accelerator().period();
  give_jobs(*t, programs);
  trials.push_back(std::move(t));
}

/* Accelerators that meet in a memory hold up each other; and of ddr the order of bursts is not
 * known when a blocking access is answered. */
bool exact(const trial &t)
{
  tsr_memory_model model = t.behind->options.model;
  bool single = t.options.accelerators == 1 || model == TSR_MEMORY_IDEAL;
  bool known = t.options.accelerator.timing == tessera_timing::approximately;
  return single && (known || model != TSR_MEMORY_DDR);
}

void compare(checks &c, const trial &t, const job &j, size_t k, const tsr_run_result &r,
             const std::vector<uint8_t> &window)
{
  const char *name = t.name.c_str();
  c.expect(j.done, "%s, program %zu: no interrupt", name, k);
  c.expect(j.trap == static_cast<int>(r.trap) && j.trap_insn == r.insn && j.trap_engine == r.engine,
           "%s, program %zu: trap %s at %u; expected %s at %zu", name, k, tsr_trap_name(j.trap),
           j.trap_insn, tsr_trap_name(static_cast<int>(r.trap)), r.insn);
  bool timed = exact(t);
  uint64_t cycle = t.period.value(), end = (r.counters[TSR_COUNTER_CYCLES] + 1) * cycle;
  c.expect(!timed || r.trap || (j.took.value() >= end && j.took.value() < end + cycle),
           "%s, program %zu: the interrupt comes after %s", name, k, j.took.to_string().c_str());
  for (int n = 0; n < TSR_COUNTER_COUNT && timed; n++)
    c.expect(j.counters[n] == r.counters[n],
             "%s, program %zu: counter %s of %d is %" PRIu64 "; expected %" PRIu64, name, k,
             tsr_counter_name(n), tsr_counter_engine(n), j.counters[n], r.counters[n]);
  c.expect(r.trap || j.window == window, "%s, program %zu: other bytes in memory", name, k);
}

void compare_all(checks &c, const trial &t, const tsr_design &design)
{
  for (size_t a = 0; a < t.jobs.size(); a++) {
    alone model(design, t.behind->options, WINDOW);
    model.place(WINDOW); /* where the platform's memory has it */
    for (size_t k = 0; k < t.jobs[a].size(); k++) {
      const job &j = t.jobs[a][k];
      if (j.resets)
        model.reset();
      const tsr_run_result &r = model.run(*j.program);
      compare(c, t, j, k, r, model.window());
    }
    bool dmi = t.top->accelerator(static_cast<int>(a)).has_dmi();
    c.expect(dmi == t.options.accelerator.dmi, "%s: direct access is %d", t.name.c_str(), dmi);
  }
}

} // namespace

int sc_main(int argc, char **argv)
{
  tsr_design design = open_point(argc > 1 ? argv[1] : "default");
  uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 20;
  tsr_arena *arena = tsr_arena_new(nullptr);
  std::vector<tsr_program> programs = draw(arena, design, count);
  std::vector<memory_case> behind = memories(design);
  std::vector<std::unique_ptr<trial>> trials;
  if (argc > 3)
    tlm_utils::tlm_quantumkeeper::set_global_quantum(
        sc_core::sc_time(std::atof(argv[3]), sc_core::SC_NS));
  for (const memory_case &m : behind)
    for (tessera_timing timing : {tessera_timing::loosely, tessera_timing::approximately})
      for (bool dmi : {true, false})
        for (int accelerators : {1, 2})
          add(trials, design, m, {timing, dmi}, accelerators, programs);
  sc_core::sc_start();
  checks c;
  c.expect(programs.size() > count / 2, "only %zu programs fit", programs.size());
  for (const auto &t : trials)
    compare_all(c, *t, design);
  tsr_arena_free(arena);
  return c.end();
}
