/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle model beside the Verilator model, on the same streams of whole networks, in one run:
 * cycles of each, cycles a second, events a second, and the memory that the cycle model takes, in a
 * process of its own. Rates by the thread's own clock, best of RUNS; the Verilator model runs once,
 * and of what would take it long no more than RTL_CYCLES, unless --full is given.
 *   bench_sim [--json] [--full] [--config NAME] NETWORK.onnx ...
 *   bench_sim --peak CONFIG PROGRAM.tbin     (the process of its own) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/bench.h"
#include "hw/sim/cycle/cycle.h"
#include "hw/sim/rtl/rtl.h"
#include "runtime/executor.h"
#include "runtime/package.h"
#include "runtime/tessera.h"

enum { RUNS = 5, STREAMS = 64, RTL_CYCLES = 4000000, MOST_BYTES = 1 << 30 };

struct options {
  const char *config;
  bool json, full;
};

/* A network's streams. */
struct subject {
  struct tsr_arena *arena;
  char name[NAME_TEXT];
  struct tsr_design design;
  struct tsr_program stream[STREAMS];
  int streams;
  size_t window_bytes;
  uint8_t *window;
};

struct memory {
  const char *name;
  struct tsr_dram_options dram;
};

/* What one simulator did on all streams. */
struct effort {
  uint64_t cycles, events;
  double seconds;
  bool whole; /* else the limit struck */
};

struct row {
  const char *memory;
  struct effort rtl, full, timing;
  long model_bytes, peak_bytes; /* resident: with the streams loaded; at the most */
};

static void *want(void *memory)
{
  if (!memory)
    quit("out of memory");
  return memory;
}

/* ---- networks ---- */

static struct tsr_module *compile(struct subject *s, const char *path, const char *config)
{
  struct tessera *t = want(tessera_new(NULL));
  struct tessera_options options = {.config = config};
  struct tessera_model *model;
  struct tessera_bytes bytes;
  struct tsr_module *module;
  struct tsr_err err;
  if (tessera_model_open(t, path, &options, &model) || tessera_model_package(t, model, &bytes))
    quit(tessera_message(t));
  if (tsr_package_read(s->arena, &err, path, tsr_arena_copy(s->arena, bytes.data, bytes.size),
                       bytes.size, &module))
    quit(err.text);
  tessera_bytes_free(&bytes);
  tessera_model_free(model);
  tessera_free(t);
  return module;
}

static void open_subject(struct subject *s, const char *path, const char *config)
{
  *s = (struct subject){.arena = want(tsr_arena_new(NULL))};
  network_name(path, s->name);
  struct tsr_module *module = compile(s, path, config);
  s->design = module->design;
  s->window_bytes = module->window_bytes;
  for (int i = 0; i < module->steps && s->streams < STREAMS; i++)
    if (module->step[i].kind == TSR_STEP_ACCEL)
      tsr_module_stream(module, i, &s->stream[s->streams++]);
  s->window = want(malloc(s->window_bytes + 1));
}

static void close_subject(struct subject *s)
{
  free(s->window);
  tsr_arena_free(s->arena);
}

static void load_window(const struct subject *s, const struct tsr_program *p)
{
  memset(s->window, 0, s->window_bytes);
  memcpy(s->window, p->data, p->data_bytes);
}

static void check_end(const struct subject *s, const struct tsr_run_result *result)
{
  if (!result->trap)
    return;
  fprintf(stderr, "bench_sim: %s: %s\n", s->name, result->text);
  exit(2);
}

/* ---- simulators ---- */

static struct effort try_cycle(const struct subject *s, struct tsr_cycle *cycle)
{
  struct effort sum = {.whole = true};
  for (int i = 0; i < s->streams; i++) {
    const struct tsr_program *p = &s->stream[i];
    struct tsr_run_result result;
    load_window(s, p);
    double begun = thread_seconds();
    tsr_cycle_run(cycle, p->insns, p->insn_count, &result);
    sum.seconds += thread_seconds() - begun;
    check_end(s, &result);
    sum.cycles += result.counters[TSR_COUNTER_CYCLES];
    sum.events += tsr_cycle_events(cycle);
  }
  return sum;
}

static struct effort run_cycle(const struct subject *s, const struct memory *memory,
                               bool timing_only)
{
  struct tsr_cycle_options options = tsr_cycle_defaults(&s->design);
  struct tsr_cycle *cycle;
  struct effort best = {.seconds = 1e30};
  struct tsr_err err;
  options.dram = memory->dram;
  options.timing_only = timing_only;
  if (tsr_cycle_open(NULL, &err, &s->design, &options, s->window, s->window_bytes, &cycle))
    quit(err.text);
  for (int k = 0; k < RUNS; k++) {
    struct effort effort = try_cycle(s, cycle);
    best = effort.seconds < best.seconds ? effort : best;
  }
  tsr_cycle_close(cycle);
  return best;
}

static struct effort run_rtl(const struct subject *s, const struct memory *memory, uint64_t limit)
{
  struct tsr_rtl_options options = tsr_rtl_defaults(&s->design);
  struct effort sum = {.whole = true};
  struct tsr_rtl *rtl;
  struct tsr_err err;
  options.dram = memory->dram;
  options.timeout_cycles = limit;
  options.say = say;
  if (tsr_rtl_open(NULL, &err, &s->design, &options, s->window, s->window_bytes, &rtl))
    quit(err.text);
  for (int i = 0; i < s->streams && sum.whole; i++) {
    struct tsr_run_result result;
    load_window(s, &s->stream[i]);
    double begun = thread_seconds();
    if (tsr_rtl_run(rtl, &err, s->stream[i].insns, s->stream[i].insn_count, &result))
      quit(err.text);
    sum.seconds += thread_seconds() - begun;
    check_end(s, &result);
    sum.whole = !result.timed_out;
    sum.cycles += result.timed_out ? limit : result.counters[TSR_COUNTER_CYCLES];
  }
  tsr_rtl_close(rtl);
  return sum;
}

/* ---- memory of the host ---- */

static long resident_bytes(void)
{
  long pages = 0, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f && fscanf(f, "%ld %ld", &pages, &resident) != 2)
    resident = 0;
  if (f)
    fclose(f);
  return resident * sysconf(_SC_PAGESIZE);
}

static long peak_bytes(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

/* The process of its own: a program file, run with data. */
static int tell_peak(const char *config, const char *path)
{
  struct subject s = {.arena = want(tsr_arena_new(NULL)), .streams = 1, .name = "program"};
  struct tsr_err err;
  struct tsr_bytes bytes;
  if (tsr_design_open(s.arena, &err, config, &s.design) ||
      tsr_file_read(s.arena, &err, path, MOST_BYTES, &bytes) ||
      tsr_program_read(s.arena, &err, path, bytes.data, bytes.size, &s.stream[0]))
    quit(err.text);
  s.window_bytes = s.stream[0].window_bytes;
  s.window = want(malloc(s.window_bytes + 1));
  load_window(&s, &s.stream[0]);
  long model = resident_bytes();
  run_cycle(&s, &(struct memory){"own", tsr_dram_defaults(&s.design)}, false);
  printf("%ld %ld\n", model, peak_bytes());
  close_subject(&s);
  return 0;
}

/* Runs this program again; what it prints comes back. */
static void ask(char *const *argv, char *answer, size_t size)
{
  int pipes[2], status = 0;
  if (pipe(pipes))
    quit("no pipe");
  pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], STDOUT_FILENO);
    close(pipes[0]);
    close(pipes[1]);
    execv("/proc/self/exe", argv);
    _exit(127);
  }
  close(pipes[1]);
  FILE *from = want(fdopen(pipes[0], "r"));
  if (!fgets(answer, (int)size, from))
    answer[0] = 0;
  fclose(from);
  if (child < 0 || waitpid(child, &status, 0) < 0 || status)
    quit("the process that measures memory did not end well");
}

/* Of the largest stream. */
static void measure_peak(const struct subject *s, struct row *row)
{
  char path[] = "/tmp/tessera-sim-XXXXXX", answer[80];
  int largest = 0, file = mkstemp(path);
  struct tsr_arena *arena = want(tsr_arena_new(NULL));
  struct tsr_program p;
  struct tsr_err err;
  uint8_t *bytes;
  size_t size;
  for (int i = 1; i < s->streams; i++)
    if (s->stream[i].insn_count > s->stream[largest].insn_count)
      largest = i;
  p = s->stream[largest];
  tsr_program_write(arena, &p, &bytes, &size);
  if (file < 0 || tsr_file_write(&err, path, bytes, size))
    quit("a file in /tmp cannot be written");
  char *const argv[] = {(char[]){"bench_sim"}, (char[]){"--peak"},
                        (char *)(uintptr_t)s->design.name, path, NULL};
  ask(argv, answer, sizeof answer);
  if (sscanf(answer, "%ld %ld", &row->model_bytes, &row->peak_bytes) != 2)
    quit("the process that measures memory did not answer");
  close(file);
  unlink(path);
  tsr_arena_free(arena);
}

/* ---- rows ---- */

static double rate(const struct effort *effort)
{
  return (double)effort->cycles / effort->seconds;
}

static void print_row(const struct subject *s, const struct row *r)
{
  char cycles_rtl[24] = "-";
  if (r->rtl.whole)
    snprintf(cycles_rtl, sizeof cycles_rtl, "%llu", (unsigned long long)r->rtl.cycles);
  printf("%-38s %-8s %-7s %11s %11llu %8.2f %8.1f %8.1f %8.1f %8.1f %9.2f %6.0f %6.0f\n", s->name,
         s->design.name, r->memory, cycles_rtl, (unsigned long long)r->timing.cycles,
         rate(&r->rtl) / 1e6, rate(&r->full) / 1e6, rate(&r->timing) / 1e6,
         rate(&r->full) / rate(&r->rtl), rate(&r->timing) / rate(&r->rtl),
         (double)r->timing.events / r->timing.seconds / 1e6,
         (double)(r->peak_bytes - r->model_bytes) / 1e6, (double)r->peak_bytes / 1e6);
  fflush(stdout);
}

static json_t *row_json(const struct subject *s, const struct row *r)
{
  return json_pack(
      "{s:s, s:s, s:s, s:o, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:I, s:I}", "model",
      s->name, "config", s->design.name, "memory", r->memory, "cycles_rtl",
      r->rtl.whole ? json_integer((json_int_t)r->rtl.cycles) : json_null(), "cycles_cycle",
      (json_int_t)r->timing.cycles, "rate_rtl", rate(&r->rtl), "rate_full", rate(&r->full),
      "rate_timing", rate(&r->timing), "ratio_full", rate(&r->full) / rate(&r->rtl), "ratio_timing",
      rate(&r->timing) / rate(&r->rtl), "events", (json_int_t)r->timing.events, "events_per_s",
      (double)r->timing.events / r->timing.seconds, "seconds_full", r->full.seconds,
      "seconds_timing", r->timing.seconds, "simulator_bytes",
      (json_int_t)(r->peak_bytes - r->model_bytes), "process_bytes", (json_int_t)r->peak_bytes);
}

/* The three have to agree, as far as each has gone. */
static void check_row(const struct subject *s, const struct row *r)
{
  bool same = r->full.cycles == r->timing.cycles &&
              (!r->rtl.whole || r->rtl.cycles == r->timing.cycles);
  if (same)
    return;
  fprintf(stderr,
          "bench_sim: %s, %s: %llu cycles with data, %llu for timing only, %llu of the RTL\n",
          s->name, r->memory, (unsigned long long)r->full.cycles,
          (unsigned long long)r->timing.cycles, (unsigned long long)r->rtl.cycles);
  exit(1);
}

static void run_network(const struct options *o, const char *path, json_t *list)
{
  struct subject s;
  struct row row = {0};
  open_subject(&s, path, o->config);
  const struct memory memories[] = {
      {"ideal", {.model = TSR_MEMORY_IDEAL}},
      {"simple", {.model = TSR_MEMORY_SIMPLE, .latency_cycles = 40, .bytes_per_cycle = 8}},
      {"ddr",
       {.model = TSR_MEMORY_DDR,
        .latency_cycles = 20,
        .ddr = *tsr_ddr_set("ddr3-1066"),
        .clock_mhz = s.design.clock_mhz}},
  };
  measure_peak(&s, &row);
  for (size_t k = 0; k < sizeof memories / sizeof memories[0]; k++) {
    row.memory = memories[k].name;
    row.timing = run_cycle(&s, &memories[k], true);
    row.full = run_cycle(&s, &memories[k], false);
    row.rtl = run_rtl(&s, &memories[k], o->full ? 0 : RTL_CYCLES);
    check_row(&s, &row);
    if (list)
      json_array_append_new(list, row_json(&s, &row));
    else
      print_row(&s, &row);
  }
  close_subject(&s);
}

static void print_head(void)
{
  printf("rates in M cycles/s, events in M/s, memory in MB: of the simulator, of its process\n"
         "%-38s %-8s %-7s %11s %11s %8s %8s %8s %8s %8s %9s %6s %6s\n",
         "model", "config", "memory", "cycles rtl", "cycles", "rtl", "full", "timing", "full/rtl",
         "tim/rtl", "events", "sim", "all");
}

int main(int argc, char **argv)
{
  struct options o = {.config = "default"};
  if (argc == 4 && !strcmp(argv[1], "--peak"))
    return tell_peak(argv[2], argv[3]);
  int k = 1;
  for (; k < argc && !strncmp(argv[k], "--", 2); k++) {
    if (!strcmp(argv[k], "--json"))
      o.json = true;
    else if (!strcmp(argv[k], "--full"))
      o.full = true;
    else if (!strcmp(argv[k], "--config") && k + 1 < argc)
      o.config = argv[++k];
    else
      quit("usage: bench_sim [--json] [--full] [--config NAME] NETWORK.onnx ...");
  }
  json_t *list = o.json ? json_array() : NULL;
  if (!list)
    print_head();
  for (; k < argc; k++)
    run_network(&o, argv[k], list);
  if (list)
    print_rows(list);
  return 0;
}
