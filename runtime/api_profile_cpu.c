/* SPDX-License-Identifier: Apache-2.0 */
/* How long layers take on the CPU, and how near that is to what the machine can do. */
#include <stdlib.h>
#include <string.h>

#include "native/level.h"
#include "runtime/api.h"

enum { LEAST_RUNS = 3, MOST_RUNS = 100, MOST_GIVEN_RUNS = 1000000 };
#define DEFAULT_SECONDS 1.0

struct profiling {
  struct tessera *t;
  struct tessera_session *session;
  const struct tessera_machine *machine;
  int runs;
  struct tessera_cpu_profile *profile;
};

/* --- what the machine takes at the least ------------------------------------------------------ */

static uint64_t bytes_of(const struct tsr_module_buffer *b)
{
  return (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

static uint64_t constant_bytes(const struct tsr_module *m)
{
  uint64_t bytes = 0;
  for (int i = 0; i < m->buffers; i++)
    bytes += m->buffer[i].data ? bytes_of(&m->buffer[i]) : 0;
  return bytes;
}

/* The nearest place that holds so many bytes. */
static const struct tessera_machine_bandwidth *place_of(const struct tessera_machine *machine,
                                                        int threads, uint64_t bytes)
{
  const struct tessera_machine_bandwidth *place = NULL;
  for (int k = 0; k < machine->bandwidths; k++) {
    const struct tessera_machine_bandwidth *b = &machine->bandwidth[k];
    if (b->threads < threads || (place && b->threads != place->threads))
      continue;
    place = b;
    if (bytes <= b->capacity_bytes)
      break;
  }
  return place;
}

static double seconds_for(const struct tessera_machine_bandwidth *place, uint64_t bytes)
{
  return place ? (double)bytes / place->read_bytes_per_s : 0;
}

/* Products of floats, of integers, or of bf16 where the level has such; the highest level where the interpreter
 * is at work. */
static double peak_of(const struct profiling *p, const struct tsr_module *m,
                      const struct tsr_module_layer *l)
{
  enum tsr_dtype first = l->args ? m->buffer[l->arg[0]].dtype : TSR_F32;
  enum tessera_dtype dtype = tsr_dtype_kind(first) != TSR_KIND_FLOAT ? TESSERA_I8 : TESSERA_F32;
  const char *level = p->profile->level;
  if (!strcmp(level, "interpreter"))
    level = tsr_level_info((enum tsr_level)tsr_level_of_machine())->name;
  double halves = first == TSR_BF16
                      ? tessera_machine_ops(p->machine, level, TESSERA_BF16, p->profile->threads)
                      : 0;
  return halves > 0 ? halves : tessera_machine_ops(p->machine, level, dtype, p->profile->threads);
}

static void find_bound(const struct profiling *p, const struct tsr_module *m,
                       const struct tsr_module_layer *l, struct tessera_cpu_profile_layer *out)
{
  uint64_t constants = 0, moved = 0;
  for (int k = 0; k < l->args; k++) {
    const struct tsr_module_buffer *b = &m->buffer[l->arg[k]];
    *(b->data ? &constants : &moved) += bytes_of(b);
  }
  int threads = p->profile->threads;
  const struct tessera_machine_bandwidth *far = place_of(p->machine, threads, constant_bytes(m));
  const struct tessera_machine_bandwidth *near = place_of(p->machine, threads, moved);
  double peak = peak_of(p, m, l), far_s = seconds_for(far, constants);
  double near_s = seconds_for(near, moved);
  out->ops = 2 * l->macs;
  out->bytes = constants + moved;
  out->compute_s = peak > 0 ? (double)out->ops / peak : 0;
  out->memory_s = far_s + near_s;
  out->limit = out->compute_s >= out->memory_s ? "compute" : (far_s > near_s ? far : near)->place;
}

/* --- the runs --------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count)
{
  qsort(values, (size_t)count, sizeof *values, by_size);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double sum(const double *values, int count)
{
  double total = 0;
  for (int k = 0; k < count; k++)
    total += values[k];
  return total;
}

static int default_runs(double seconds)
{
  double runs = DEFAULT_SECONDS / (seconds > 1e-9 ? seconds : 1e-9);
  return runs < LEAST_RUNS ? LEAST_RUNS : runs > MOST_RUNS ? MOST_RUNS : (int)runs;
}

/* A row a run, a column a step. */
struct samples {
  int runs, steps;
  double *seconds;
};

static double *row(const struct samples *s, int run)
{
  return s->seconds + (size_t)run * (size_t)s->steps;
}

/* The first run is not one of them, but tells how many there can be. */
static enum tsr_status run_all(struct tsr_arena *arena, struct profiling *p, struct samples *out)
{
  struct tsr_executor *x = tsr__session_executor(p->session);
  double *first = TSR_NEW_ARRAY(arena, double, out->steps + 1);
  tsr_executor_watch(x, first);
  enum tsr_status status = (enum tsr_status)tessera_session_run(p->t, p->session);
  tsr_executor_watch(x, NULL);
  out->runs = p->runs ? p->runs : default_runs(sum(first, out->steps));
  out->seconds = TSR_NEW_ARRAY(arena, double, (int64_t)out->runs * out->steps + 1);
  for (int k = 0; k < out->runs && !status; k++) {
    tsr_executor_watch(x, row(out, k));
    status = (enum tsr_status)tessera_session_run(p->t, p->session);
  }
  tsr_executor_watch(x, NULL);
  return status;
}

static double median_of_step(struct tsr_arena *arena, const struct samples *s, int step)
{
  double *values = TSR_NEW_ARRAY(arena, double, s->runs);
  for (int k = 0; k < s->runs; k++)
    values[k] = row(s, k)[step];
  return median(values, s->runs);
}

static double median_of_runs(struct tsr_arena *arena, const struct samples *s)
{
  double *values = TSR_NEW_ARRAY(arena, double, s->runs);
  for (int k = 0; k < s->runs; k++)
    values[k] = sum(row(s, k), s->steps);
  return median(values, s->runs);
}

static void profile_layer(struct tsr_arena *arena, const struct profiling *p, int layer,
                          struct tessera_cpu_profile_layer *out)
{
  const struct tsr_module *m = tsr__session_module(p->session);
  const struct tsr_module_layer *l = &m->layer[layer];
  out->name = tsr_arena_strdup(arena, l->name);
  out->op = tsr_arena_strdup(arena, l->op);
  out->nodes = l->nodes ? tsr_arena_strdup(arena, l->nodes) : NULL;
  out->interpreted = !tsr_executor_is_native(tsr__session_executor(p->session), layer);
  find_bound(p, m, l, out);
  double least = out->compute_s > out->memory_s ? out->compute_s : out->memory_s;
  out->fraction_of_peak = out->seconds > 0 ? least / out->seconds : 0;
  p->profile->ops += out->ops;
  p->profile->bytes += out->bytes;
  p->profile->least_s += least;
}

static enum tsr_status profile(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct profiling *p = context;
  const struct tsr_module *m = tsr__session_module(p->session);
  struct samples samples = {.steps = m->steps};
  struct tessera_cpu_profile *out = p->profile = TSR_NEW(arena, struct tessera_cpu_profile);
  struct tessera_cpu_profile_layer *layer =
      TSR_NEW_ARRAY(arena, struct tessera_cpu_profile_layer, m->steps + 1);
  (void)err;
  enum tsr_status status = run_all(arena, p, &samples);
  if (status)
    return status;
  *out = (struct tessera_cpu_profile){.model = tsr_arena_strdup(arena, m->name),
                                      .level = tessera_session_cpu(p->session),
                                      .threads = tessera_session_threads(p->session),
                                      .runs = samples.runs,
                                      .seconds = median_of_runs(arena, &samples),
                                      .layer = layer,
                                      .owner = arena};
  for (int i = 0; i < m->steps; i++) {
    if (m->step[i].kind != TSR_STEP_CPU)
      continue;
    layer[out->layers].seconds = median_of_step(arena, &samples, i);
    profile_layer(arena, p, m->step[i].layer, &layer[out->layers++]);
  }
  return TSR_OK;
}

enum tessera_status tessera_session_profile_cpu(struct tessera *t, struct tessera_session *session,
                                                const struct tessera_machine *machine, int runs,
                                                const struct tessera_cpu_profile **out)
{
  struct profiling p = {t, session, machine, runs, NULL};
  struct tsr_arena *owner;
  if (runs < 0 || runs > MOST_GIVEN_RUNS)
    return (enum tessera_status)tsr_refuse(&t->err,
                                           "%d runs; there can be 1 to %d, or 0 for about "
                                           "a second",
                                           runs, MOST_GIVEN_RUNS);
  if (tsr_executor_is_timing_only(tsr__session_executor(session)))
    return (enum tessera_status)tsr_refuse(&t->err,
                                           "the session is for timing only, so that the CPU "
                                           "does nothing in it");
  enum tessera_status status = tsr__call(t, profile, &p, &owner);
  if (!status)
    *out = p.profile;
  return status;
}

void tessera_cpu_profile_free(const struct tessera_cpu_profile *profile)
{
  if (profile)
    tsr_arena_free(profile->owner);
}
