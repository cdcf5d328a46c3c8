/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules. What tile.c keeps in registers is decided here: for each reduction, along which loop
 * lanes run, and how many points of the result are computed together. */
#include <string.h>

#include "compiler/target/cpu/cpu.h"
#include "compiler/target/cpu/function.h"

enum { LEAST_LANES = 4, LOOSE_POINT = 4 };

struct planner {
  struct llvm__emit e; /* for questions about steps between lanes */
  struct tir_sched *sched;
  struct tsr_err *err;
  const struct tir_stage *s;
  int width, budget; /* lanes of a vector; points that registers have room for */
};

/* --- what loads do along an axis -------------------------------------------------------------- */

struct steps {
  int loads, scattered, still; /* of a value: all; neither side by side nor the same; the same */
};

static void count_steps(struct planner *p, tir_e x, struct steps *out)
{
  int64_t step;
  if (x->op == TIR_LOAD) {
    bool affine = llvm__lane_step(&p->e, x->buffer, x->arg, &step);
    out->loads++;
    out->scattered += !affine || step < 0 || step > 2;
    out->still += affine && step == 0;
    return;
  }
  for (int i = 0; i < x->args; i++)
    count_steps(p, x->arg[i], out);
}

static struct steps steps_along(struct planner *p, int axis)
{
  struct steps steps = {0};
  p->e.lane = p->s->axis[axis].var;
  p->e.varies = (struct tir__map){0};
  count_steps(p, p->s->value, &steps);
  p->e.lane = NULL;
  return steps;
}

/* --- which axes ------------------------------------------------------------------------------- */

static int last_axis(const struct tir_stage *s, int from, int to)
{
  for (int i = to - 1; i >= from; i--)
    if (s->axis[i].extent > 1)
      return i;
  return -1;
}

static int64_t smaller(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* Lanes in use, fewer for each load that is spread out. */
static int64_t worth(struct planner *p, int axis)
{
  if (axis < 0 || p->s->axis[axis].extent < LEAST_LANES)
    return 0;
  return smaller(p->s->axis[axis].extent, p->width) * 16 / (1 + 4 * steps_along(p, axis).scattered);
}

static bool lanes_along_result(struct planner *p, int result, int reduce)
{
  bool scattered = reduce >= 0 && steps_along(p, reduce).scattered;
  return worth(p, result) > 0 && (scattered || worth(p, result) >= worth(p, reduce));
}

/* The axis whose points share the most loads. */
static int shared_axis(struct planner *p, int except)
{
  int best = -1, most = 0;
  for (int i = 0; i < p->s->out->rank; i++) {
    int still = i == except || p->s->axis[i].extent < 2 ? 0 : steps_along(p, i).still;
    if (still > most ||
        (still && still == most && p->s->axis[i].extent > p->s->axis[best].extent)) {
      best = i;
      most = still;
    }
  }
  return best;
}

/* --- how many --------------------------------------------------------------------------------- */

/* Vectors that n elements take; the last may overlap the one before. */
static int64_t pieces(const struct planner *p, int64_t n)
{
  int64_t width = p->width;
  while (width > n)
    width /= 2;
  return (n + width - 1) / width;
}

/* Elements of a tile along the lanes: few vectors for the whole extent. What no whole tile covers
 * is computed point by point. */
static int64_t lane_tile(const struct planner *p, int64_t extent)
{
  int64_t best = smaller(extent, p->width), least = INT64_MAX;
  for (int64_t n = LEAST_LANES; n <= smaller(extent, 2 * p->width); n++) {
    int64_t cost = extent / n * pieces(p, n) + extent % n * LOOSE_POINT;
    if (cost <= least) {
      least = cost;
      best = n;
    }
  }
  return best;
}

/* The largest divisor that fits, if it is not much smaller than what fits. */
static int64_t shared_tile(int64_t extent, int64_t room)
{
  int64_t most = smaller(extent, room), n = most;
  while (n > 1 && extent % n)
    n--;
  return 2 * n >= most ? n : most;
}

/* --- lines ------------------------------------------------------------------------------------ */

static const char *axis_name(const struct planner *p, int axis)
{
  return p->s->axis[axis].var->name + strlen(p->s->name) + 1;
}

/* An axis as its outer and inner loop; outer is "" where there is one only. */
struct halves {
  const char *outer, *inner;
};

static enum tsr_status split(struct planner *p, int axis, int64_t n, const char *suffix,
                             struct halves *out)
{
  const char *name = axis_name(p, axis);
  *out = (struct halves){"", name};
  if (n == p->s->axis[axis].extent)
    return TSR_OK;
  out->outer = tsr_arena_printf(p->e.arena, "%s.%so", name, suffix);
  out->inner = tsr_arena_printf(p->e.arena, "%s.%si", name, suffix);
  return tir_sched_do(p->sched, p->err, "split %s %s %lld %s %s", p->s->name, name, (long long)n,
                      out->outer, out->inner);
}

/* Other axes, tiles, reduce loops, points. */
static enum tsr_status reorder(struct planner *p, int shared, const struct halves *by_shared,
                               int lanes, const struct halves *by_lanes)
{
  struct tsr_text line = {.arena = p->e.arena};
  tsr_text_add(&line, "reorder %s", p->s->name);
  for (int i = 0; i < p->s->out->rank; i++)
    if (i == shared && *by_shared->outer)
      tsr_text_add(&line, " %s", by_shared->outer);
    else if (i == lanes && *by_lanes->outer)
      tsr_text_add(&line, " %s", by_lanes->outer);
    else if (i != shared && i != lanes)
      tsr_text_add(&line, " %s", axis_name(p, i));
  for (int i = p->s->out->rank; i < p->s->axes; i++)
    tsr_text_add(&line, " %s", axis_name(p, i));
  if (shared >= 0)
    tsr_text_add(&line, " %s", by_shared->inner);
  if (lanes >= 0)
    tsr_text_add(&line, " %s", by_lanes->inner);
  return tir_sched_apply(p->sched, p->err, line.data);
}

static enum tsr_status plan_reduction(struct planner *p)
{
  const struct tir_stage *s = p->s;
  int result = last_axis(s, 0, s->out->rank), reduce = last_axis(s, s->out->rank, s->axes);
  int lanes = lanes_along_result(p, result, reduce) ? result : -1;
  int shared = shared_axis(p, lanes);
  struct halves by_lanes = {"", ""}, by_shared = {"", ""};
  int64_t across = lanes < 0 ? 1 : lane_tile(p, s->axis[lanes].extent);
  if (shared < 0 && lanes < 0)
    return TSR_OK;
  if (lanes >= 0 && split(p, lanes, across, "l", &by_lanes))
    return TSR_REFUSED;
  if (shared >= 0) {
    int64_t room = p->budget / (lanes < 0 ? 1 : pieces(p, across));
    int64_t n = shared_tile(s->axis[shared].extent, room < 1 ? 1 : room);
    if (split(p, shared, n, "s", &by_shared))
      return TSR_REFUSED;
  }
  return reorder(p, shared, &by_shared, lanes, &by_lanes);
}

static bool is_empty(const struct tir_stage *s)
{
  for (int i = 0; i < s->axes; i++)
    if (s->axis[i].extent == 0)
      return true;
  return false;
}

enum tsr_status tsr_cpu_plan(struct tsr_arena *a, struct tsr_err *err, const struct tir_func *f,
                             enum tsr_level level, struct tir_sched **out)
{
  struct planner p = {
      .e = {.arena = a, .machine = cpu__machine(level)}, .sched = tir_sched_new(a, f), .err = err};
  p.budget = p.e.machine.registers * 3 / 4;
  for (int i = 0; i < f->stages; i++) {
    p.s = f->stage[i];
    if (p.s->combine == TIR_ASSIGN || p.s->axes == p.s->out->rank || is_empty(p.s))
      continue;
    struct tir_stmt store = {.kind = TIR_STORE, .store = {.buffer = p.s->out, .value = p.s->value}};
    p.width = llvm__width_for(&p.e, &store);
    if (p.width > 1 && plan_reduction(&p))
      return TSR_REFUSED;
  }
  *out = p.sched;
  return TSR_OK;
}
