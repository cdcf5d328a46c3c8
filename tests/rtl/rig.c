/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/rig.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/isa/random.h"
#include "tests/rtl/build.h"
#include "tests/rtl/uops.h"

enum { TIMEOUT_CYCLES = 5 * 1000 * 1000 };

const char *outcome_text(enum outcome outcome)
{
  static const char *const texts[] = {
      [AS_EXPECTED] = "as expected",
      [REFUSED] = "not run",
      [HUNG] = "it hangs",
      [OTHER_BITS] = "other bits",
      [OTHER_TRAP] = "another trap",
      [OTHER_COUNT] = "a counter is wrong",
      [OTHER_TWIN] = "the cycle model differs",
      [NOT_AGAIN] = "another run is not the same",
  };
  return texts[outcome];
}

/* ---- opening ---- */

bool rig_possible(void)
{
  const char *path = getenv("PATH");
  char file[1024];
  while (path && *path) {
    size_t length = strcspn(path, ":");
    snprintf(file, sizeof file, "%.*s/verilator", (int)length, path);
    if (!access(file, X_OK))
      return true;
    path += length + (path[length] == ':');
  }
  puts("skipped: Verilator is not installed (package verilator)");
  return false;
}

void rig_open(struct rig *rig, const char *point)
{
  struct tsr_err err;
  memset(rig, 0, sizeof *rig);
  if (tsr_design_parse(&err, point, tsr_design_json(point), &rig->design))
    abort();
  rig->func = tsr_func_new(NULL, &rig->design);
  if (!rig->func || tsr_lockstep_open(NULL, &err, &rig->design, &rig->lockstep))
    abort();
  rig->dram = tsr_rtl_defaults(&rig->design).dram;
  rig->timeout_cycles = TIMEOUT_CYCLES;
}

static void close_machine(struct rig *rig)
{
  tsr_rtl_close(rig->rtl);
  free(rig->window);
  free(rig->own);
  rig->rtl = NULL;
  rig->window = rig->own = NULL;
}

void rig_close(struct rig *rig)
{
  close_machine(rig);
  twin_close(&rig->twin);
  tsr_lockstep_close(rig->lockstep);
  tsr_func_free(rig->func);
  free(rig->spans);
}

static void on_event(void *context, const struct tsr_run_event *event)
{
  struct rig *rig = context;
  if (event->insn < rig->span_count)
    *(event->ended ? &rig->spans[event->insn].end : &rig->spans[event->insn].start) = event->cycle;
  tsr_lockstep_event(rig->lockstep, event);
}

static void on_line(void *context, const char *line)
{
  (void)context;
  printf("%s\n", line);
  fflush(stdout);
}

void rig_memory(struct rig *rig, const struct tsr_dram_options *dram)
{
  rig->dram = *dram;
  memset(&rig->probe, 0, sizeof rig->probe);
}

void rig_machine(struct rig *rig, size_t window_bytes)
{
  struct tsr_rtl_options options = tsr_rtl_defaults(&rig->design);
  struct tsr_err err = {0};
  close_machine(rig);
  rig->window_bytes = window_bytes;
  rig->window = calloc(1, window_bytes + 1);
  rig->own = calloc(1, window_bytes + 1);
  if (!rig->window || !rig->own)
    abort();
  options.dram = rig->dram;
  options.timeout_cycles = rig->timeout_cycles;
  options.event = on_event;
  options.say = on_line;
  options.context = rig;
  if (tsr_rtl_open(NULL, &err, &rig->design, &options, rig->window, window_bytes, &rig->rtl)) {
    printf("%s\n", err.text);
    exit(1);
  }
  tsr_lockstep_reset(rig->lockstep);
  twin_open(&rig->twin, &rig->design, &rig->dram, rig->timeout_cycles, window_bytes);
  memset(&rig->result, 0, sizeof rig->result);
}

void rig_reset(struct rig *rig)
{
  tsr_rtl_reset(rig->rtl);
  tsr_lockstep_reset(rig->lockstep);
  twin_reset(&rig->twin);
}

/* ---- one run ---- */

static enum outcome say(struct rig *rig, enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum outcome say(struct rig *rig, enum outcome outcome, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(rig->text, sizeof rig->text, format, args);
  va_end(args);
  return outcome;
}

static void load_image(uint8_t *window, size_t bytes, const struct tsr_program *p)
{
  if (p->data_bytes > bytes)
    abort();
  memset(window, 0, bytes);
  memcpy(window, p->data, p->data_bytes);
}

static void clear_spans(struct rig *rig, size_t count)
{
  free(rig->spans);
  rig->spans = calloc(count + 1, sizeof *rig->spans);
  rig->span_count = count;
  if (!rig->spans)
    abort();
}

static enum outcome same_twin(struct rig *rig, const struct tsr_program *p)
{
  const struct twin_of of = {rig->rtl, &rig->result, rig->spans, rig->window};
  if (twin_equals(&rig->twin, p, &of, rig->compares))
    return AS_EXPECTED;
  return say(rig, OTHER_TWIN, "%s", rig->twin.text);
}

enum outcome rig_run(struct rig *rig, const struct tsr_program *p)
{
  struct tsr_err err = {0};
  load_image(rig->window, rig->window_bytes, p);
  clear_spans(rig, p->insn_count);
  twin_run(&rig->twin, p, rig->window);
  enum tsr_status status = tsr_lockstep_run(rig->lockstep, rig->rtl, &err, p->insns, p->insn_count,
                                            rig->window, rig->window_bytes, &rig->result);
  if (status && status != TSR_MISMATCH)
    return say(rig, REFUSED, "%s", err.text);
  if (status && rig->compares == TWIN_ALL)
    return say(rig, OTHER_BITS, "%s", err.text);
  if (same_twin(rig, p) != AS_EXPECTED)
    return OTHER_TWIN;
  if (status)
    return say(rig, OTHER_BITS, "%s", err.text);
  if (rig->result.timed_out)
    return say(rig, HUNG, "%s", rig->result.text);
  return AS_EXPECTED;
}

void rig_expect(struct rig *rig, const struct tsr_program *p)
{
  load_image(rig->own, rig->window_bytes, p);
  tsr_func_reset(rig->func);
  tsr_func_run(rig->func, p->insns, p->insn_count, rig->own, rig->window_bytes, &rig->expected);
}

enum outcome rig_same_trap(struct rig *rig)
{
  const struct tsr_run_result *r = &rig->result;
  const struct tsr_func_result *e = &rig->expected;
  if (r->trap == e->trap && r->insn == e->insn && r->engine == e->engine)
    return AS_EXPECTED;
  return say(rig, OTHER_TRAP, "%s at instruction %zu of %s; expected %s at %zu of %s (%s)",
             tsr_trap_name((int)r->trap), r->insn, tsr_engine_name(r->engine),
             tsr_trap_name((int)e->trap), e->insn, tsr_engine_name(e->engine), e->text);
}

uint64_t rig_cycles(const struct rig *rig, size_t insn)
{
  return rig->spans[insn].end - rig->spans[insn].start;
}

/* ---- counters ---- */

static enum outcome count(struct rig *rig, int counter, uint64_t expected)
{
  uint64_t found = rig->result.counters[counter];
  if (found == expected)
    return AS_EXPECTED;
  return say(rig, OTHER_COUNT, "counter %s is %" PRIu64 "; expected %" PRIu64,
             tsr_counter_name(counter), found, expected);
}

static enum outcome sums(struct rig *rig)
{
  for (int engine = 0; engine <= TSR_ENGINE_FETCH; engine++) {
    uint64_t sum = 0, cycles = rig->result.counters[TSR_COUNTER_CYCLES];
    for (int k = 0; k < TSR_COUNTER_COUNT; k++)
      sum += tsr_counter_engine(k) == engine ? rig->result.counters[k] : 0;
    if (sum != cycles)
      return say(rig, OTHER_COUNT, "the states of %s sum to %" PRIu64 " cycles of %" PRIu64,
                 tsr_engine_name(engine), sum, cycles);
  }
  return AS_EXPECTED;
}

/* Where FINISH is the program's last word nothing is read behind it. */
static uint64_t fetched_bytes(const struct rig *rig)
{
  uint64_t beat = (uint64_t)tsr_design_beat(&rig->design);
  bool last = rig->result.insn + 1 == rig->span_count;
  uint64_t bytes = rig->span_count * TSR_INSN_BYTES;
  return last ? (bytes + beat - 1) / beat * beat : rig->result.counters[TSR_COUNTER_FETCH_BYTES];
}

enum outcome rig_counts(struct rig *rig)
{
  const struct tsr_func_counters *c = tsr_func_counters(rig->func);
  const struct tsr_design *d = &rig->design;
  const struct {
    int counter;
    uint64_t expected;
  } list[] = {
      {TSR_COUNTER_LOAD_INSNS, c->insns[TSR_ENGINE_LOAD]},
      {TSR_COUNTER_MATRIX_INSNS, c->insns[TSR_ENGINE_MATRIX]},
      {TSR_COUNTER_VECTOR_INSNS, c->insns[TSR_ENGINE_VECTOR]},
      {TSR_COUNTER_STORE_INSNS, c->insns[TSR_ENGINE_STORE]},
      {TSR_COUNTER_READ_BYTES, c->dram_read_bytes},
      {TSR_COUNTER_WRITE_BYTES, c->dram_write_bytes},
      {TSR_COUNTER_TILES, c->macs / (uint64_t)(d->batch * d->block_in * d->block_out)},
      {TSR_COUNTER_POINTS, c->vector_ops},
      {TSR_COUNTER_FETCH_BYTES, fetched_bytes(rig)},
  };
  enum outcome outcome = sums(rig);
  for (size_t k = 0; outcome == AS_EXPECTED && k < sizeof list / sizeof list[0]; k++)
    outcome = count(rig, list[k].counter, list[k].expected);
  return outcome;
}

/* All counters as in another run. */
static enum outcome same_counts(struct rig *rig, const struct tsr_run_result *first)
{
  enum outcome outcome = AS_EXPECTED;
  for (int k = 0; outcome == AS_EXPECTED && k < TSR_COUNTER_COUNT; k++)
    outcome = count(rig, k, first->counters[k]);
  return outcome == AS_EXPECTED ? AS_EXPECTED : NOT_AGAIN;
}

/* ---- what must hold ---- */

/* The probe has its bits on the machine that there is. */
static enum outcome run_probe(struct rig *rig)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program probe = build_probe(arena, &rig->design);
  rig_reset(rig);
  enum outcome outcome = rig_run(rig, &probe);
  if (outcome == AS_EXPECTED && rig->result.trap != TSR_TRAP_NONE)
    outcome = say(rig, OTHER_TRAP, "a probe after a reset: %s", rig->result.text);
  tsr_arena_free(arena);
  return outcome;
}

static enum outcome learn_probe(struct rig *rig)
{
  struct rig other;
  rig_open(&other, rig->design.name);
  rig_memory(&other, &rig->dram);
  rig_machine(&other, rig->window_bytes);
  enum outcome outcome = run_probe(&other);
  rig->probe = other.result;
  snprintf(rig->text, sizeof rig->text, "%s", other.text);
  rig_close(&other);
  return outcome;
}

enum outcome rig_check_new(struct rig *rig)
{
  enum outcome outcome = AS_EXPECTED;
  if (!rig->probe.counters[TSR_COUNTER_CYCLES])
    outcome = learn_probe(rig);
  if (outcome == AS_EXPECTED)
    outcome = run_probe(rig);
  return outcome == AS_EXPECTED ? same_counts(rig, &rig->probe) : outcome;
}

/* The program once more on the same machine. */
static enum outcome run_again(struct rig *rig, const struct tsr_program *p)
{
  struct tsr_run_result first = rig->result;
  enum outcome outcome = rig_run(rig, p);
  if (outcome == AS_EXPECTED)
    outcome = rig_same_trap(rig);
  return outcome == AS_EXPECTED ? same_counts(rig, &first) : outcome;
}

static enum outcome check(struct rig *rig, const struct tsr_program *p)
{
  rig_expect(rig, p);
  enum outcome outcome = rig_run(rig, p);
  bool ends = rig->expected.trap == TSR_TRAP_NONE;
  if (outcome == AS_EXPECTED)
    outcome = rig_same_trap(rig);
  if (outcome == AS_EXPECTED)
    outcome = ends ? rig_counts(rig) : sums(rig);
  if (outcome != AS_EXPECTED)
    return outcome;
  return ends ? run_again(rig, p) : rig_check_new(rig);
}

enum outcome rig_check(struct rig *rig, const struct tsr_program *p)
{
  rig_machine(rig, p->window_bytes);
  return check(rig, p);
}

enum outcome rig_check_here(struct rig *rig, const struct tsr_program *p)
{
  if (rig->result.trap != TSR_TRAP_NONE || rig->result.timed_out)
    rig_reset(rig);
  return check(rig, p);
}

enum outcome rig_check_raced(struct rig *rig, const struct tsr_program *p)
{
  rig_machine(rig, p->window_bytes);
  rig->compares = uops_race(p) ? TWIN_NOTHING : TWIN_TIMES;
  rig->left_out += rig->compares == TWIN_NOTHING;
  enum outcome outcome = rig_run(rig, p);
  rig->compares = TWIN_ALL;
  if (outcome == AS_EXPECTED || (outcome == OTHER_BITS && !rig->result.timed_out))
    outcome = sums(rig);
  return outcome == AS_EXPECTED ? rig_check_new(rig) : outcome;
}

enum outcome rig_check_contended(struct rig *rig, const struct tsr_program *p)
{
  rig_machine(rig, p->window_bytes);
  rig->compares = TWIN_TIMES;
  enum outcome outcome = rig_run(rig, p);
  rig->compares = TWIN_ALL;
  if (outcome == OTHER_BITS && !rig->result.timed_out)
    outcome = AS_EXPECTED;
  if (outcome == AS_EXPECTED && rig->result.trap != TSR_TRAP_NONE)
    return say(rig, OTHER_TRAP, "%s", rig->result.text);
  return outcome;
}

void rig_limits(struct tsr_dram_options *memory, uint64_t *random)
{
  static const int limits[] = {0, 1, 2, 3, 5, 9};
  if (random_below(random, 2))
    return;
  memory->reads = limits[random_below(random, 6)];
  memory->writes = limits[random_below(random, 6)];
}

struct tsr_dram_options rig_ddr(uint64_t seed)
{
  static const int clocks[] = {40, 100, 133, 300, 700};
  const char *const *sets = tsr_ddr_set_names();
  uint64_t random = seed;
  int count = 0;
  while (sets[count])
    count++;
  struct tsr_dram_options o = {
      .model = TSR_MEMORY_DDR,
      .latency_cycles = 1 + (int)random_below(&random, 30),
      .ddr = *tsr_ddr_set(sets[random_below(&random, (uint32_t)count)]),
      .clock_mhz = clocks[random_below(&random, 5)],
  };
  o.ddr.order = random_below(&random, 2) ? TSR_DDR_FRFCFS : TSR_DDR_FCFS;
  if (random_below(&random, 2))
    o.ddr.tREFI /= 4; /* so that short programs meet some */
  rig_limits(&o, &random);
  return o;
}

struct tsr_dram_options rig_trouble(const struct tsr_design *design, uint64_t seed)
{
  static const int shares[] = {0, 8, 64, 128, 200};
  struct tsr_dram_options o = tsr_rtl_defaults(design).dram;
  uint64_t random = seed;
  if (random_below(&random, 3) == 0)
    o = rig_ddr(seed);
  o.seed = seed;
  o.stall = shares[random_below(&random, 5)];
  o.long_latency = shares[random_below(&random, 4)];
  o.reorder = shares[random_below(&random, 5)];
  if (o.model != TSR_MEMORY_DDR && random_below(&random, 2)) {
    o.model = TSR_MEMORY_SIMPLE;
    o.latency_cycles = (int)random_below(&random, 200);
    o.bytes_per_cycle = 1 << random_below(&random, 6);
    rig_limits(&o, &random);
  }
  if (seed % 8 == 0) {
    o.read_error = (int)random_below(&random, 4);
    o.write_error = (int)random_below(&random, 16);
  }
  return o;
}

/* An error response stops who asked: fetch, or the LOAD or STORE. */
static enum outcome check_bus(struct rig *rig, const struct tsr_program *p)
{
  const struct tsr_run_result *r = &rig->result;
  struct tsr_insn insn;
  if (r->engine == TSR_ENGINE_FETCH && r->insn < p->insn_count)
    return AS_EXPECTED;
  if (r->insn < p->insn_count && !tsr_insn_decode(p->insns + r->insn * TSR_INSN_BYTES, &insn) &&
      tsr_opcode_format(insn.opcode) == TSR_FORMAT_DMA && tsr_insn_engine(&insn) == r->engine)
    return AS_EXPECTED;
  return say(rig, OTHER_TRAP, "bus at instruction %zu of %s, which has nothing to do with it",
             r->insn, tsr_engine_name(r->engine));
}

enum outcome rig_check_troubled(struct rig *rig, const struct tsr_program *p,
                                const struct tsr_dram_options *trouble)
{
  struct tsr_dram_options quiet = rig->dram;
  rig->dram = *trouble;
  rig_machine(rig, p->window_bytes);
  rig->dram = quiet;
  rig_expect(rig, p);
  enum outcome outcome = rig_run(rig, p);
  bool errors = trouble->read_error || trouble->write_error;
  if (outcome == AS_EXPECTED)
    outcome = errors && rig->result.trap == TSR_TRAP_BUS ? check_bus(rig, p) : rig_same_trap(rig);
  if (outcome != AS_EXPECTED)
    return outcome;
  if (rig->result.trap == TSR_TRAP_NONE)
    return rig_counts(rig);
  outcome = sums(rig);
  return outcome == AS_EXPECTED && !errors ? run_probe(rig) : outcome;
}
