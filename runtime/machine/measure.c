/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine can do at most: tessera_machine_measure(). */
#include "runtime/api.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/machine/peak.h"

enum { TRIES = 10 };
#define COMPUTE_ROUNDS (1L << 19)
#define TRY_BYTES      ((size_t)128 << 20) /* that a try moves; more than caches hold */

/* --- a team of threads that do the same at the same time -------------------------------------- */

enum gate { GATE_SHUT, GATE_OPEN, GATE_GIVEN_UP };

struct member;

struct team {
  _Atomic enum gate gate;                 /* behind which threads wait until all have started */
  double (*work)(const struct member *m); /* operations done, or bytes moved */
  const struct tsr_peak_loops *loops;
  const struct tsr_peak_loop *loop;
  clockid_t clock;
  int threads;
  struct member *member;
};

struct member {
  struct team *team;
  pthread_t thread;
  unsigned char *memory; /* of its own */
  size_t bytes;
  double begin, end, amount;
};

static double now(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *member_run(void *context)
{
  struct member *m = context;
  while (m->team->gate == GATE_SHUT)
    sched_yield();
  if (m->team->gate == GATE_GIVEN_UP)
    return NULL;
  m->begin = now(m->team->clock);
  m->amount = m->team->work(m);
  m->end = now(m->team->clock);
  return NULL;
}

static double over(double amount, double seconds)
{
  return amount / (seconds > 0 ? seconds : 1e-9);
}

/* By clocks of their own: cores share nothing while they compute in registers, so that a thread
 * which had to wait for a core takes nothing from the sum. */
static double sum_of_rates(const struct team *team)
{
  double rate = 0;
  for (int k = 0; k < team->threads; k++)
    rate += over(team->member[k].amount, team->member[k].end - team->member[k].begin);
  return rate;
}

/* Of what cores share: from the first that begins to the last that ends. */
static double common_rate(const struct team *team)
{
  double begin = team->member[0].begin, end = team->member[0].end, amount = 0;
  for (int k = 0; k < team->threads; k++) {
    const struct member *m = &team->member[k];
    begin = m->begin < begin ? m->begin : begin;
    end = m->end > end ? m->end : end;
    amount += m->amount;
  }
  return over(amount, end - begin);
}

static enum tsr_status team_run(struct tsr_err *err, struct team *team)
{
  int started = 1;
  team->gate = GATE_SHUT;
  while (started < team->threads &&
         !pthread_create(&team->member[started].thread, NULL, member_run, &team->member[started]))
    started++;
  team->gate = started == team->threads ? GATE_OPEN : GATE_GIVEN_UP;
  member_run(&team->member[0]);
  for (int k = 1; k < started; k++)
    pthread_join(team->member[k].thread, NULL);
  if (started == team->threads)
    return TSR_OK;
  return tsr_refuse(err, "only %d of the %d threads that this machine has cores for can be started",
                    started, team->threads);
}

static enum tsr_status team_best(struct tsr_err *err, struct team *team, double *best)
{
  *best = 0;
  for (int k = 0; k < TRIES; k++) {
    enum tsr_status status = team_run(err, team);
    if (status)
      return status;
    double rate = team->clock == CLOCK_THREAD_CPUTIME_ID ? sum_of_rates(team) : common_rate(team);
    *best = rate > *best ? rate : *best;
  }
  return TSR_OK;
}

/* --- what they do ----------------------------------------------------------------------------- */

static double compute(const struct member *m)
{
  return m->team->loop->run(COMPUTE_ROUNDS);
}

static size_t passes(const struct member *m)
{
  return TRY_BYTES / (size_t)m->team->threads / m->bytes;
}

static double read_all(const struct member *m)
{
  for (size_t k = 0; k < passes(m); k++)
    m->team->loops->read(m->memory, m->bytes);
  return (double)passes(m) * (double)m->bytes;
}

static double copy_half(const struct member *m)
{
  size_t half = m->bytes / 2;
  for (size_t k = 0; k < passes(m); k++)
    m->team->loops->copy(m->memory + half, m->memory, half);
  return (double)passes(m) * (double)m->bytes;
}

/* --- the measurement -------------------------------------------------------------------------- */

static int cores_of_process(void)
{
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

enum { L1, L2, L3, DRAM, PLACES };

/* As Linux tells it of the first core: a line like "32768K". */
static size_t cache_bytes(int place)
{
  static const char *const files[] = {"index0", "index2", "index3"};
  static const size_t otherwise[] = {(size_t)32 << 10, (size_t)1 << 20, (size_t)16 << 20};
  char path[64];
  size_t kib;
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/%s/size", files[place]);
  FILE *file = fopen(path, "r");
  int found = file ? fscanf(file, "%zuK", &kib) : 0;
  if (file)
    fclose(file);
  return found == 1 && kib ? kib << 10 : otherwise[place];
}

static size_t capacity_bytes(int place, int threads)
{
  if (place == DRAM)
    return SIZE_MAX;
  return cache_bytes(place) * (size_t)(place == L3 ? 1 : threads);
}

static size_t smaller(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* What each of `threads` goes through: half of its L1; half of its L2; four times its L2, but less
 * than L3 holds; and together more than caches hold. */
static size_t place_bytes(int place, int threads)
{
  size_t share = TRY_BYTES / (size_t)threads;
  size_t bytes = place == DRAM ? share
                 : place == L3 ? smaller(4 * cache_bytes(L2), cache_bytes(L3) / 4 * 3)
                               : cache_bytes(place) / 2;
  return smaller(bytes, share) / (2 * TSR_PEAK_STEP_BYTES) * (2 * TSR_PEAK_STEP_BYTES);
}

static enum tsr_status measure_peak(struct tsr_err *err, struct team *team, int level,
                                    enum tessera_dtype dtype, struct tessera_machine *out)
{
  struct tessera_machine_peak *p = &out->peak[out->peaks];
  if (!team->loop->run)
    return TSR_OK;
  *p = (struct tessera_machine_peak){.level = tsr_level_info((enum tsr_level)level)->name,
                                     .dtype = dtype,
                                     .instructions = team->loop->instructions,
                                     .threads = team->threads};
  out->peaks++;
  return team_best(err, team, &p->ops_per_s);
}

static enum tsr_status measure_peaks(struct tsr_err *err, struct team *team,
                                     struct tessera_machine *out)
{
  static const enum tessera_dtype dtypes[] = {TESSERA_F32, TESSERA_I8, TESSERA_BF16};
  unsigned levels = tsr_levels_of_machine();
  team->clock = CLOCK_THREAD_CPUTIME_ID;
  team->work = compute;
  for (int level = 0; level < TSR_LEVELS; level++) {
    if (!(levels >> level & 1))
      continue;
    const struct tsr_peak_loops *l = tsr__peak_loops((enum tsr_level)level);
    const struct tsr_peak_loop *loop[] = {&l->f32, &l->i8, &l->bf16};
    for (int k = 0; k < 3; k++) {
      team->loop = loop[k];
      if (measure_peak(err, team, level, dtypes[k], out))
        return TSR_REFUSED;
    }
  }
  return TSR_OK;
}

static enum tsr_status measure_bandwidth(struct tsr_err *err, struct team *team, int place,
                                         struct tessera_machine_bandwidth *out)
{
  static const char *const names[PLACES] = {"L1", "L2", "L3", "DRAM"};
  size_t bytes = place_bytes(place, team->threads);
  *out = (struct tessera_machine_bandwidth){.place = names[place],
                                            .capacity_bytes = capacity_bytes(place, team->threads),
                                            .bytes = bytes,
                                            .threads = team->threads};
  for (int k = 0; k < team->threads; k++)
    team->member[k].bytes = bytes;
  team->clock = CLOCK_MONOTONIC;
  team->work = read_all;
  enum tsr_status status = team_best(err, team, &out->read_bytes_per_s);
  team->work = copy_half;
  return status ? status : team_best(err, team, &out->copy_bytes_per_s);
}

static enum tsr_status measure_with(struct tsr_err *err, struct team *team, unsigned char *memory,
                                    struct tessera_machine *out)
{
  for (int k = 0; k < team->threads; k++)
    team->member[k] = (struct member){
        .team = team, .memory = memory + (size_t)k * place_bytes(DRAM, team->threads)};
  enum tsr_status status = measure_peaks(err, team, out);
  team->loops = tsr__peak_loops((enum tsr_level)tsr_level_of_machine());
  for (int place = 0; place < PLACES && !status; place++)
    status = measure_bandwidth(err, team, place, &out->bandwidth[out->bandwidths++]);
  return status;
}

static enum tsr_status measure(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct tessera_machine *out = context;
  if (tsr_level_of_machine() == TSR_LEVEL_NONE)
    return tsr_refuse(err, "the peak is measured of x86-64 only, which this CPU is not");
  *out = (struct tessera_machine){.cores = cores_of_process()};
  struct team team = {.member = TSR_NEW_ARRAY(arena, struct member, out->cores)};
  unsigned char *memory = tsr_arena_alloc(arena, TRY_BYTES);
  memset(memory, 1, TRY_BYTES); /* pages that nobody wrote to are all the same one */
  for (team.threads = 1;; team.threads = out->cores) {
    enum tsr_status status = measure_with(err, &team, memory, out);
    if (status || team.threads == out->cores)
      return status;
  }
}

enum tessera_status tessera_machine_measure(struct tessera *t, struct tessera_machine *out)
{
  struct tessera_machine machine;
  enum tessera_status status = tsr__call(t, measure, &machine, NULL);
  if (!status)
    *out = machine;
  return status;
}

double tessera_machine_ops(const struct tessera_machine *machine, const char *level,
                           enum tessera_dtype dtype, int threads)
{
  for (int k = 0; k < machine->peaks; k++) {
    const struct tessera_machine_peak *p = &machine->peak[k];
    if (!strcmp(p->level, level) && p->dtype == dtype && p->threads >= threads)
      return p->ops_per_s;
  }
  return 0;
}
