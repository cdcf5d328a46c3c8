/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules by rule. What works element by element gives each thread 16 bytes of its result; a
 * reduction of few elements is a loop of one thread, one of many is shared by a warp or a block. */
#include <string.h>

#include "compiler/target/cpu/cpu.h"
#include "compiler/target/cuda/plan.h"
#include "compiler/tir/tir_internal.h"

enum {
  BLOCK = 256, /* threads */
  WARP = 32,
  ENOUGH_THREADS = 32768, /* to fill a GPU without splitting reductions */
  SHORT = 64,             /* elements that one thread reduces */
  LONG = 8192,            /* from here on a reduction is a whole block's */
};

struct planner {
  struct cuda__planner plan;
  const struct tir_stage *s;
};

static const char *axis_name(const struct planner *p, int axis)
{
  return p->s->axis[axis].var->name + strlen(p->s->name) + 1;
}

static int64_t product(const struct tir_stage *s, int from, int to)
{
  int64_t n = 1;
  for (int i = from; i < to; i++)
    n *= s->axis[i].extent;
  return n;
}

#define DO(...)                                                                                    \
  do {                                                                                             \
    if (tir_sched_do(p->plan.sched, p->plan.err, __VA_ARGS__))                                     \
      return TSR_REFUSED;                                                                          \
  } while (0)

enum tsr_status cuda__fuse(struct cuda__planner *p, const char *stage, int n, const char **name,
                           const char **out)
{
  *out = name[0];
  for (int i = 1; i < n; i++) {
    const char *next = tsr_arena_printf(p->a, "%s.%d", name[0], i);
    if (tir_sched_do(p->sched, p->err, "fuse %s %s %s %s", stage, *out, name[i], next))
      return TSR_REFUSED;
    *out = next;
  }
  return TSR_OK;
}

/* The loop as blocks of `threads` threads. */
static enum tsr_status spread(struct planner *p, const char *loop, int64_t extent, int64_t threads,
                              const char *dim)
{
  const char *s = p->s->name;
  if (extent <= threads) {
    DO("bind %s %s thread.%s", s, loop, dim);
    return TSR_OK;
  }
  DO("split %s %s %lld %s.block %s.thread", s, loop, (long long)threads, loop, loop);
  DO("bind %s %s.block block.x", s, loop);
  DO("bind %s %s.thread thread.%s", s, loop, dim);
  return TSR_OK;
}

/* --- element by element ----------------------------------------------------------------------- */

/* Elements of 16 bytes, or fewer that divide the extent. */
static int64_t vector_of(const struct tir_stage *s, int64_t extent)
{
  int64_t n = 16 / (int64_t)tsr_dtype_bytes(s->out->dtype);
  while (extent % n)
    n /= 2;
  return n;
}

static enum tsr_status plan_map(struct planner *p)
{
  const struct tir_stage *s = p->s;
  const char *name[TSR_MAX_RANK], *all;
  int n = s->out->rank;
  if (n == 0)
    return TSR_OK;
  for (int i = 0; i < n; i++)
    name[i] = axis_name(p, i);
  int64_t last = s->axis[n - 1].extent, total = product(s, 0, n);
  int64_t vector = total >= BLOCK ? vector_of(s, last) : 1;
  if (vector == last) {
    n--;
  } else if (vector > 1) {
    const char *runs = tsr_arena_printf(p->plan.a, "%s.runs", name[n - 1]);
    DO("split %s %s %lld %s %s.run", s->name, name[n - 1], (long long)vector, runs, name[n - 1]);
    name[n - 1] = runs;
  }
  if (n == 0)
    return TSR_OK;
  if (cuda__fuse(&p->plan, s->name, n, name, &all))
    return TSR_REFUSED;
  return spread(p, all, total / vector, BLOCK, "x");
}

/* --- reductions ------------------------------------------------------------------------------- */

/* A row of threads for each element: the last reduce axis goes over them. */
static enum tsr_status plan_shared(struct planner *p, const char *all, int64_t elements)
{
  const struct tir_stage *s = p->s;
  int rank = s->out->rank, reduces = s->axes - rank;
  const char *name[TSR_MAX_RANK], *along;
  int64_t extent = product(s, rank, s->axes), row = extent >= LONG ? BLOCK : WARP;
  for (int i = 0; i < reduces; i++)
    name[i] = axis_name(p, rank + i);
  if (s->axis[s->axes - 1].extent >= row) { /* elements that lie side by side */
    extent = s->axis[s->axes - 1].extent;
    along = name[reduces - 1];
  } else if (cuda__fuse(&p->plan, s->name, reduces, name, &along)) {
    return TSR_REFUSED;
  }
  DO("split %s %s %lld %s.part %s.lane", s->name, along, (long long)row, along, along);
  DO("bind %s %s.lane thread.x", s->name, along);
  if (!all)
    return TSR_OK;
  return row == BLOCK ? spread(p, all, elements, 1, "y")
                      : spread(p, all, elements, BLOCK / WARP, "y");
}

static enum tsr_status plan_reduction(struct planner *p)
{
  const struct tir_stage *s = p->s;
  int rank = s->out->rank;
  int64_t elements = product(s, 0, rank), extent = product(s, rank, s->axes);
  const char *name[TSR_MAX_RANK], *all = NULL;
  for (int i = 0; i < rank; i++)
    name[i] = axis_name(p, i);
  if (rank && cuda__fuse(&p->plan, s->name, rank, name, &all))
    return TSR_REFUSED;
  if (extent > SHORT && elements < ENOUGH_THREADS)
    return plan_shared(p, all, elements);
  return all ? spread(p, all, elements, BLOCK / 2, "x") : TSR_OK;
}

static enum tsr_status plan_stages(struct tsr_arena *a, struct tsr_err *err,
                                   const struct tir_func *f, struct tir_sched **out)
{
  struct planner p = {.plan = {.a = a, .err = err, .sched = tir_sched_new(a, f)}};
  for (int i = 0; i < f->stages; i++) {
    p.s = f->stage[i];
    if (product(p.s, 0, p.s->out->rank) == 0)
      continue;
    if (p.s->axes > p.s->out->rank && product(p.s, p.s->out->rank, p.s->axes) > 0
            ? plan_reduction(&p)
            : plan_map(&p))
      return TSR_REFUSED;
  }
  *out = p.plan.sched;
  return TSR_OK;
}

enum tsr_status tsr_cuda_plan(struct tsr_arena *a, struct tsr_err *err, const struct tir_func *f,
                              struct tsr_gpu_arch arch, struct tir_sched **out)
{
  (void)arch;
  if (cuda__plan_product(a, err, f, out))
    return TSR_REFUSED;
  if (!*out && cuda__plan_rows(a, f, out))
    return TSR_REFUSED;
  return *out ? TSR_OK : plan_stages(a, err, tsr_cpu_flatten(a, f), out);
}
