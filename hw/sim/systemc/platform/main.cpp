/* SPDX-License-Identifier: Apache-2.0 */
/* tessera-platform: a program on the virtual platform, beside the cycle model alone. */
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <vector>

#include "hw/sim/systemc/platform/platform.h"

extern "C" {
#include "base/file.h"
}

namespace
{

const size_t LARGEST_FILE = size_t{1} << 31;
const uint64_t PAGE = 4096;
const int WRONG = 1, REFUSED = 2;

const char usage[] =
    "tessera-platform [--lt | --at] [--no-dmi] [--config NAME|FILE.json] PROGRAM.tbin\n"
    "  --lt       loosely timed: blocking transport (the default)\n"
    "  --at       approximately timed: non-blocking transport, four phases\n"
    "  --no-dmi   the accelerator gets no direct access to the memory's bytes\n"
    "  --config   the design point, with its memory (default)\n"
    "Runs a program of `tessera asm`, and compares cycles, counters and memory with the cycle "
    "model's.\n";

struct arguments {
  tessera_options accelerator;
  const char *config = "default", *program = nullptr;
};

int refuse(const char *text, const char *what)
{
  std::fprintf(stderr, "tessera-platform: %s%s\n", text, what);
  return REFUSED;
}

/* 0, or the exit status. */
int read_arguments(int argc, char **argv, arguments &a)
{
  for (int i = 1; i < argc; i++) {
    if (!std::strcmp(argv[i], "--lt"))
      a.accelerator.timing = tessera_timing::loosely;
    else if (!std::strcmp(argv[i], "--at"))
      a.accelerator.timing = tessera_timing::approximately;
    else if (!std::strcmp(argv[i], "--no-dmi"))
      a.accelerator.dmi = false;
    else if (!std::strcmp(argv[i], "--config") && i + 1 < argc)
      a.config = argv[++i];
    else if (argv[i][0] == '-' || a.program)
      return refuse("it takes one program and the options of --help, not ", argv[i]);
    else
      a.program = argv[i];
  }
  return a.program ? 0 : refuse("it takes a program file; --help says more", "");
}

/* Design point and program, both in the arena. */
bool read_input(tsr_arena *arena, tsr_err *err, const arguments &a, tsr_design &design,
                tsr_program &out)
{
  tsr_bytes file;
  if (setjmp(*tsr_arena_landing(arena))) {
    tsr_no_memory(err);
    return false;
  }
  if (tsr_design_open(arena, err, a.config, &design))
    return false;
  if (tsr_file_read(arena, err, a.program, LARGEST_FILE, &file) ||
      tsr_program_read(arena, err, a.program, file.data, file.size, &out))
    return false;
  if (!out.design_hash || out.design_hash == design.hash)
    return true;
  tsr_refuse(err, "%s: the program is for another design point than %s; --config names it",
             a.program, a.config);
  return false;
}

/* The same program on the model alone, with a memory of its own. */
bool run_alone(tsr_err *err, const tsr_design &design, const job &work, tsr_run_result &result,
               std::vector<uint8_t> &window)
{
  tsr_cycle_options options = tsr_cycle_defaults(&design);
  tsr_cycle *model;
  window.assign(work.window_bytes, 0);
  if (work.program->data_bytes)
    std::memcpy(window.data(), work.program->data, work.program->data_bytes);
  if (tsr_cycle_open(nullptr, err, &design, &options, window.data(), window.size(), &model))
    return false;
  tsr_cycle_place(model, work.window_bytes, window.data(), window.size()); /* as platform.cpp */
  tsr_cycle_run(model, work.program->insns, work.program->insn_count, &result);
  tsr_cycle_close(model);
  return true;
}

void print_counters(const job &work)
{
  for (int k = 0; k < TSR_COUNTER_COUNT; k++) {
    int engine = tsr_counter_engine(k);
    std::printf("  %-8s%-14s%14" PRIu64 "\n", engine < 0 ? "" : tsr_engine_name(engine),
                tsr_counter_name(k), work.counters[k]);
  }
}

/* Both numbers; whether all is equal that has to be: `exact`, cycles and counters too. */
bool compare(const job &work, const tsr_run_result &alone, const std::vector<uint8_t> &window,
             bool exact)
{
  bool trap = work.trap == static_cast<int>(alone.trap) && work.trap_insn == alone.insn;
  bool counters = !std::memcmp(work.counters, alone.counters, sizeof work.counters);
  bool bytes = work.window == window;
  std::printf("platform      %14" PRIu64 " cycles, trap %s\n", work.counters[TSR_COUNTER_CYCLES],
              tsr_trap_name(work.trap));
  std::printf("cycle model   %14" PRIu64 " cycles, trap %s\n", alone.counters[TSR_COUNTER_CYCLES],
              tsr_trap_name(static_cast<int>(alone.trap)));
  std::printf("counters %s; %zu bytes of the window %s\n",
              counters ? "equal"
              : exact  ? "DIFFER"
                       : "differ, as they may (docs/systemc.md)",
              window.size(), bytes ? "equal" : "DIFFER");
  return trap && (counters || !exact) && bytes;
}

} // namespace

int sc_main(int argc, char **argv)
{
  arguments a;
  for (int i = 1; i < argc; i++)
    if (!std::strcmp(argv[i], "--help"))
      return std::fputs(usage, stdout) < 0;
  if (int status = read_arguments(argc, argv, a))
    return status;
  std::unique_ptr<tsr_arena, void (*)(tsr_arena *)> arena(tsr_arena_new(nullptr), tsr_arena_free);
  tsr_err err;
  tsr_design design;
  tsr_program program;
  job work;
  if (!arena)
    return refuse("out of memory", "");
  if (!read_input(arena.get(), &err, a, design, program))
    return refuse(err.text, "");
  work.program = &program;
  work.window_bytes = (program.window_bytes + PAGE - 1) / PAGE * PAGE;

  platform_options options;
  options.accelerator = a.accelerator;
  options.dram = tsr_dram_defaults(&design);
  options.window_bytes = work.window_bytes;
  options.program_bytes = program.insn_count * TSR_INSN_BYTES;
  platform top("platform", design, options);
  top.add(work);
  sc_core::sc_start();

  tsr_run_result alone;
  std::vector<uint8_t> window;
  if (!run_alone(&err, design, work, alone, window))
    return refuse(err.text, "");
  std::printf("%s, %s, %s: %s of simulated time\n", design.name,
              a.accelerator.timing == tessera_timing::loosely ? "loosely timed"
                                                              : "approximately timed",
              top.accelerator().has_dmi() ? "direct access to memory" : "copies of memory",
              work.took.to_string().c_str());
  print_counters(work);
  bool exact = a.accelerator.timing == tessera_timing::approximately ||
               design.memory.model != TSR_MEMORY_DDR;
  bool equal = compare(work, alone, window, exact);
  if (std::fflush(stdout))
    return refuse("the standard output cannot be written", "");
  return equal ? 0 : WRONG;
}
