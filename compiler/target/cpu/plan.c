/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules. What tile.c keeps in registers is decided here: for each reduction, along which loop
 * lanes run, and how many points of the result are computed together. Its tail, the stage that reads
 * the result element by element, is computed tile by tile with it. */
#include <string.h>

#include "compiler/target/cpu/cpu.h"
#include "compiler/target/cpu/plan.h"
#include "tensorize/tensorize.h"

enum {
  LEAST_LANES = 4,
  LOOSE_POINT = 4,
  STEPS = 16,
  MOST_OPERATIONS = 4096,
  SHARES = 4,
  LEAST_WORK = 1 << 17
};

/* --- stages ----------------------------------------------------------------------------------- */

const char *cpu__axis_name(const struct tir_stage *s, int axis)
{
  return s->axis[axis].var->name + strlen(s->name) + 1;
}

const struct tir_stage *cpu__producer(const struct cpu__planner *p, const struct tir_buffer *b)
{
  for (int i = 0; i < p->func->stages; i++)
    if (p->func->stage[i]->out == b && !p->inlined[i])
      return p->func->stage[i];
  return NULL;
}

static bool is_output(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int i = f->inputs; i < f->params; i++)
    if (f->param[i] == b)
      return true;
  return false;
}

const struct tir_stage *cpu__only_reader(const struct cpu__planner *p, const struct tir_stage *s)
{
  const struct tir_stage *found = NULL;
  if (is_output(p->func, s->out))
    return NULL;
  for (int i = 0; i < p->func->stages; i++) {
    const struct tir_stage *t = p->func->stage[i];
    if (!llvm__reads(t->value, s->out) && !(t->init && llvm__reads(t->init, s->out)))
      continue;
    if (found)
      return NULL;
    found = t;
  }
  return found;
}

void cpu__settle(struct cpu__planner *p, const struct tir_stage *s)
{
  for (int i = 0; i < p->func->stages; i++)
    p->settled[i] |= p->func->stage[i] == s;
}

/* --- what loads do along an axis -------------------------------------------------------------- */

struct steps {
  int loads, scattered, still; /* of a value: all; neither side by side nor the same; the same */
};

static void count_steps(struct cpu__planner *p, tir_e x, struct steps *out)
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

/* The offset of a load where one axis stands at `at` and the others at 0. */
static bool offset_at(const struct tir_stage *s, tir_e load, int axis, int64_t at, int64_t *out)
{
  const struct tir_var *var[2 * TSR_MAX_RANK];
  int64_t value[2 * TSR_MAX_RANK] = {0}, index;
  for (int i = 0; i < s->axes; i++)
    var[i] = s->axis[i].var;
  value[axis] = at;
  *out = 0;
  for (int d = 0; d < load->args; d++) {
    if (!tir_evaluate(load->arg[d], s->axes, var, value, &index))
      return false;
    *out = *out * load->buffer->dims[d] + index;
  }
  return true;
}

bool cpu__axis_step(struct cpu__planner *p, tir_e load, int axis, int64_t *step)
{
  int64_t extent = p->s->axis[axis].extent, first, last, next;
  *step = 0;
  if (!offset_at(p->s, load, axis, 0, &first) || !offset_at(p->s, load, axis, extent - 1, &last))
    return false;
  for (int64_t i = 1; i < extent && i < STEPS; i++) {
    if (!offset_at(p->s, load, axis, i, &next) || (i > 1 && next != first + i * *step)) {
      *step = 0;
      return false;
    }
    *step = (next - first) / i;
  }
  return last == first + (extent - 1) * *step;
}

static struct steps steps_along(struct cpu__planner *p, int axis)
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
static int64_t worth(struct cpu__planner *p, int axis)
{
  if (axis < 0 || p->s->axis[axis].extent < LEAST_LANES)
    return 0;
  return smaller(p->s->axis[axis].extent, p->width) * 16 / (1 + 4 * steps_along(p, axis).scattered);
}

static bool lanes_along_result(struct cpu__planner *p, int result, int reduce)
{
  bool scattered = reduce >= 0 && steps_along(p, reduce).scattered;
  return worth(p, result) > 0 && (scattered || worth(p, result) >= worth(p, reduce));
}

/* The axis whose points share the most loads. */
static int shared_axis(struct cpu__planner *p, int except)
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
static int64_t pieces(const struct cpu__planner *p, int64_t n)
{
  int64_t width = p->width;
  while (width > n)
    width /= 2;
  return (n + width - 1) / width;
}

/* Elements of a tile along the lanes: few vectors for the whole extent. What no whole tile covers
 * is computed point by point. */
static int64_t lane_tile(const struct cpu__planner *p, int64_t extent)
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

/* An axis as its outer and inner loop; outer is "" where there is one only. */
struct halves {
  const char *outer, *inner;
};

static enum tsr_status split(struct cpu__planner *p, const struct tir_stage *s, int axis, int64_t n,
                             const char *suffix, struct halves *out)
{
  const char *name = cpu__axis_name(s, axis);
  *out = (struct halves){"", name};
  if (n == s->axis[axis].extent)
    return TSR_OK;
  out->outer = tsr_arena_printf(p->e.arena, "%s.%so", name, suffix);
  out->inner = tsr_arena_printf(p->e.arena, "%s.%si", name, suffix);
  return tir_sched_do(p->sched, p->err, "split %s %s %lld %s %s", s->name, name, (long long)n,
                      out->outer, out->inner);
}

/* Loops of stage s: other axes, tiles, reduce loops, points. *at: the last of the tiles' or of the other
 * axes; NULL: there is none. */
static enum tsr_status reorder(struct cpu__planner *p, const struct tir_stage *s, int shared,
                               const struct halves *by_shared, int lanes,
                               const struct halves *by_lanes, const char **at)
{
  struct tsr_text line = {.arena = p->e.arena};
  tsr_text_add(&line, "reorder %s", s->name);
  *at = NULL;
  for (int i = 0; i < s->out->rank; i++) {
    const char *outer = i == shared  ? by_shared->outer
                        : i == lanes ? by_lanes->outer
                                     : cpu__axis_name(s, i);
    if (!*outer)
      continue;
    tsr_text_add(&line, " %s", outer);
    *at = outer;
  }
  for (int i = s->out->rank; i < s->axes; i++)
    tsr_text_add(&line, " %s", cpu__axis_name(s, i));
  if (shared >= 0)
    tsr_text_add(&line, " %s", by_shared->inner);
  if (lanes >= 0)
    tsr_text_add(&line, " %s", by_lanes->inner);
  return tir_sched_apply(p->sched, p->err, line.data);
}

/* s, whose tail is tiled, computes one tile inside of the tail's loop `at`. */
static enum tsr_status compute_in_tail(struct cpu__planner *p, int shared, int lanes,
                                       const char *at)
{
  struct halves by_shared = {"", shared < 0 ? "" : cpu__axis_name(p->s, shared)};
  struct halves by_lanes = {"", lanes < 0 ? "" : cpu__axis_name(p->s, lanes)};
  const char *unused;
  if (tir_sched_do(p->sched, p->err, "compute_at %s %s %s", p->s->name, p->tail->name, at))
    return TSR_REFUSED;
  return reorder(p, p->s, shared, &by_shared, lanes, &by_lanes, &unused);
}

/* --- threads ---------------------------------------------------------------------------------- */

static int64_t work_of(const struct tir_stage *s)
{
  int64_t n = 1;
  for (int i = 0; i < s->axes; i++)
    n *= s->axis[i].extent;
  return n;
}

/* The first axis with iterations enough to share out, but for two of them; else the first with two. */
static int axis_to_share(const struct tir_stage *s, int except, int other)
{
  for (int least = SHARES; least >= 2; least -= SHARES - 2)
    for (int i = 0; i < s->out->rank; i++)
      if (i != except && i != other && s->axis[i].extent >= least)
        return i;
  return -1;
}

/* Pieces of a loop that vectors run along, or squares: whole ones of them if they divide it. */
static int64_t piece_of(int64_t extent)
{
  for (int64_t n = 2 * SHARES; n >= SHARES; n--)
    if (extent % (16 * n) == 0)
      return extent / n;
  int64_t piece = extent / (2 * SHARES) / 64 * 64, least = extent < 64 ? 1 : 64;
  return piece < least ? least : piece;
}

/* A loop of s is run by all threads where there is work enough; one of the last two in pieces. */
static enum tsr_status share_out(struct cpu__planner *p, const struct tir_stage *s, int64_t work,
                                 int except, int other)
{
  int axis = axis_to_share(s, except, other);
  if (work < LEAST_WORK || axis < 0)
    return TSR_OK;
  const char *name = cpu__axis_name(s, axis);
  if (axis < s->out->rank - 2 || except >= 0 || other >= 0)
    return tir_sched_do(p->sched, p->err, "parallel %s %s", s->name, name);
  if (tir_sched_do(p->sched, p->err, "split %s %s %lld %s.po %s.pi", s->name, name,
                   (long long)piece_of(s->axis[axis].extent), name, name))
    return TSR_REFUSED;
  return tir_sched_do(p->sched, p->err, "parallel %s %s.po", s->name, name);
}

static enum tsr_status plan_reduction(struct cpu__planner *p)
{
  const struct tir_stage *s = p->s, *host = p->tail ? p->tail : s;
  const char *at;
  int result = last_axis(s, 0, s->out->rank), reduce = last_axis(s, s->out->rank, s->axes);
  int lanes = lanes_along_result(p, result, reduce) ? result : -1;
  int shared = shared_axis(p, lanes);
  struct halves by_lanes = {"", ""}, by_shared = {"", ""};
  int64_t across = lanes < 0 ? 1 : lane_tile(p, s->axis[lanes].extent);
  if (shared < 0 && lanes < 0)
    return TSR_OK;
  if (lanes >= 0 && split(p, host, lanes, across, "l", &by_lanes))
    return TSR_REFUSED;
  if (shared >= 0) {
    int64_t room = p->e.machine.registers * 3 / 4 / (lanes < 0 ? 1 : pieces(p, across));
    int64_t n = shared_tile(s->axis[shared].extent, room < 1 ? 1 : room);
    if (split(p, host, shared, n, "s", &by_shared))
      return TSR_REFUSED;
  }
  if (reorder(p, host, shared, &by_shared, lanes, &by_lanes, &at) ||
      (p->tail && at && compute_in_tail(p, shared, lanes, at)))
    return TSR_REFUSED;
  if (p->tail && !at)
    return TSR_OK;
  cpu__settle(p, host);
  return share_out(p, host, work_of(s), shared, lanes);
}

static bool is_empty(const struct tir_stage *s)
{
  for (int i = 0; i < s->axes; i++)
    if (s->axis[i].extent == 0)
      return true;
  return false;
}

/* --- what is computed with what --------------------------------------------------------------- */

/* Operations of an expression, shared ones counted as often as they are used. */
static int64_t size_of(tir_e x)
{
  int64_t size = 1;
  for (int i = 0; i < x->args; i++)
    size += size_of(x->arg[i]);
  return size;
}

static int64_t loads_in(tir_e x, const struct tir_buffer *b)
{
  int64_t loads = x->op == TIR_LOAD && x->buffer == b;
  for (int i = 0; i < x->args; i++)
    loads += loads_in(x->arg[i], b);
  return loads;
}

static int64_t loads_of(const struct tir_stage *s, const struct tir_buffer *b)
{
  return loads_in(s->value, b) + (s->init ? loads_in(s->init, b) : 0);
}

/* Whether every reader of stage k reads it where it computes its own element. */
static bool is_read_in_place(const struct tir_func *f, int k)
{
  const struct tir_buffer *b = f->stage[k]->out;
  bool any = false;
  for (int i = k + 1; i < f->stages; i++) {
    const struct tir_stage *s = f->stage[i];
    if (!loads_of(s, b))
      continue;
    if (s->combine != TIR_ASSIGN || !tir_same_dims(s->out, b) || tir_stage_aligned(s, b) < b->rank)
      return false;
    any = true;
  }
  return any;
}

/* Stages between others that only pass elements on become part of their readers, unless these grow too
 * large by it. inlined[k]: stage k is gone. */
static enum tsr_status inline_points(struct cpu__planner *p, const struct tir_func *f,
                                     bool *inlined)
{
  int64_t *size = TSR_NEW_ARRAY(p->e.arena, int64_t, f->stages + 1);
  for (int k = 0; k < f->stages; k++)
    size[k] = size_of(f->stage[k]->value);
  for (int k = 0; k + 1 < f->stages; k++) {
    const struct tir_stage *s = f->stage[k];
    bool fits = s->combine == TIR_ASSIGN && is_read_in_place(f, k);
    for (int i = k + 1; i < f->stages && fits; i++)
      fits = size[i] + loads_of(f->stage[i], s->out) * size[k] <= MOST_OPERATIONS;
    if (!fits)
      continue;
    for (int i = k + 1; i < f->stages; i++)
      size[i] += loads_of(f->stage[i], s->out) * size[k];
    inlined[k] = true;
    if (tir_sched_do(p->sched, p->err, "inline %s", s->name))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

/* All stages row by row of the last one, what reads before what is read. Threads share out rows: those
 * of the last axis in pieces. */
static enum tsr_status compute_rows(struct cpu__planner *p, const struct tir_func *f, int rows,
                                    const bool *inlined)
{
  const struct tir_stage *last = f->stage[f->stages - 1];
  const char *row = cpu__axis_name(last, rows - 1);
  int axis = axis_to_share(last, -1, -1);
  bool shared = axis >= 0 && axis < rows && work_of(last) >= LEAST_WORK;
  const char *loop = shared ? cpu__axis_name(last, axis) : NULL;
  if (shared && axis == rows - 1) {
    loop = tsr_arena_printf(p->e.arena, "%s.po", row);
    if (tir_sched_do(p->sched, p->err, "split %s %s %lld %s %s.pi", last->name, row,
                     (long long)piece_of(last->axis[axis].extent), loop, row))
      return TSR_REFUSED;
    row = tsr_arena_printf(p->e.arena, "%s.pi", row);
  }
  for (int k = f->stages - 2; k >= 0; k--)
    if (!inlined[k] &&
        tir_sched_do(p->sched, p->err, "compute_at %s %s %s", f->stage[k]->name, last->name, row))
      return TSR_REFUSED;
  return shared ? tir_sched_do(p->sched, p->err, "parallel %s %s", last->name, loop) : TSR_OK;
}

/* Stages that nobody scheduled: each element by itself. */
static enum tsr_status share_rest(struct cpu__planner *p)
{
  for (int i = 0; i < p->func->stages; i++) {
    const struct tir_stage *s = p->func->stage[i];
    if (!p->inlined[i] && !p->settled[i] && s->combine == TIR_ASSIGN && !is_empty(s) &&
        share_out(p, s, work_of(s), -1, -1))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

/* The last stage when it reads stage k in place, and k is not inlined. */
static const struct tir_stage *tail_of(const struct tir_func *f, int k, const bool *inlined)
{
  const struct tir_stage *last = f->stage[f->stages - 1];
  for (int i = k + 1; i + 1 < f->stages; i++)
    if (!inlined[i])
      return NULL;
  return k + 1 < f->stages && is_read_in_place(f, k) ? last : NULL;
}

static enum tsr_status plan_stage(struct cpu__planner *p, const struct tir_stage *s,
                                  const struct tir_stage *tail)
{
  struct tir_stmt store = {.kind = TIR_STORE, .store = {.buffer = s->out, .value = s->value}};
  bool done;
  if (s->combine == TIR_ASSIGN || s->axes == s->out->rank || is_empty(s))
    return TSR_OK;
  p->s = s;
  p->tail = tail;
  p->width = llvm__width_for(&p->e, &store);
  if (p->width < 2)
    return TSR_OK;
  enum tsr_status status = cpu__plan_product(p, &done);
  return done || status ? status : plan_reduction(p);
}

enum tsr_status tsr_cpu_plan(struct tsr_arena *a, struct tsr_err *err, const struct tir_func *f,
                             enum tsr_level level, struct tir_sched **out)
{
  struct tir_intrinsics *known = TSR_NEW(a, struct tir_intrinsics);
  struct cpu__planner p = {.e = {.arena = a, .machine = cpu__machine(level)},
                           .func = f,
                           .sched = tir_sched_new(a, f),
                           .err = err,
                           .intrinsics = known,
                           .inlined = TSR_NEW_ARRAY(a, bool, f->stages + 1),
                           .settled = TSR_NEW_ARRAY(a, bool, f->stages + 1)};
  int rows = tir_func_rows(f);
  *known = (struct tir_intrinsics){tsr_tensorize_match, tsr_cpu_intrinsics(a)};
  tir_sched_intrinsics(p.sched, known);
  *out = p.sched;
  if (inline_points(&p, f, p.inlined))
    return TSR_REFUSED;
  if (rows)
    return compute_rows(&p, f, rows, p.inlined);
  if (cpu__plan_tiles(&p))
    return TSR_REFUSED;
  for (int i = 0; i < f->stages; i++)
    if (!p.inlined[i] && plan_stage(&p, f->stage[i], tail_of(f, i, p.inlined)))
      return TSR_REFUSED;
  return share_rest(&p);
}
