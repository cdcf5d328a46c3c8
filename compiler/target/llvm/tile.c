/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions in registers. A nest of reduce loops around a few points of the result,
 *
 *   for k { for i < 4 { for j < 32 { y[i, j] += a[i, k] * b[k, j] } } }
 *
 * reads y once, or starts with its initial values, keeps its points in registers for all of k, and
 * writes them once. The last loop of the points runs in lanes where y's elements lie side by side;
 * else the last reduce loop does, and each point is as many partial results as there are lanes,
 * combined behind it. Where the innermost loops are a call of an intrinsic, its operand 0 is one
 * point. A tile at an end, which is smaller, is a tile of its own. */
#include "compiler/target/llvm/tile.h"

enum { LONG = 4096 }; /* steps of all registers that are worth a call */

/* --- which nests ------------------------------------------------------------------------------ */

static bool collect(struct llvm__emit *e, struct llvm__tile *t, const struct tir_stmt *s)
{
  for (; s->kind == TIR_FOR; s = s->f.body) {
    if (t->loops == LLVM__TILE_LOOPS || s->f.loop == TIR_PARALLEL)
      return false;
    t->loop[t->loops++] = s;
  }
  t->leaf = s;
  if (s->kind == TIR_CALL && e->step && s->call.intrin->accumulates) {
    const struct tir_stage *stage = s->call.intrin->func->stage[0];
    t->out = s->call.buffer[0];
    t->index = s->call.index[0];
    t->combine = stage->combine;
    t->width = (int)tsr_count(stage->out->dims, stage->out->rank, 1);
    return true;
  }
  if (s->kind != TIR_STORE || s->store.combine == TIR_ASSIGN ||
      llvm__reads(s->store.value, s->store.buffer))
    return false;
  t->out = s->store.buffer;
  t->index = s->store.index;
  t->combine = s->store.combine;
  return true;
}

static bool places_result(const struct llvm__tile *t, const struct tir_var *var)
{
  for (int d = 0; d < t->out->rank; d++)
    if (llvm__uses(t->index[d], var))
      return true;
  return false;
}

/* Reduce loops first, and loops of the points all inside. */
static bool sort_loops(struct llvm__tile *t)
{
  while (t->reduces < t->loops && !places_result(t, t->loop[t->reduces]->f.var))
    t->reduces++;
  for (int i = t->reduces; i < t->loops; i++)
    if (!places_result(t, t->loop[i]->f.var))
      return false;
  return t->reduces > 0;
}

/* Whether the store, and what it reads, suits lanes along this loop. */
static bool step_is(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
                    int64_t least, int64_t most)
{
  int64_t step;
  return llvm__lane_step(e, b, index, &step) && step >= least && step <= most;
}

static bool loads_side_by_side(struct llvm__emit *e, tir_e x)
{
  if (x->op == TIR_LOAD)
    return step_is(e, x->buffer, x->arg, 0, 1);
  for (int i = 0; i < x->args; i++)
    if (!loads_side_by_side(e, x->arg[i]))
      return false;
  return true;
}

static void choose_lanes(struct llvm__emit *e, struct llvm__tile *t)
{
  int depth = e->depth, last = t->loops - 1, reduce = t->reduces - 1;
  if (t->leaf->kind == TIR_CALL)
    return;
  for (int i = 0; i < t->loops; i++)
    llvm__bind(e, t->loop[i]->f.var, 0, t->most[i] - 1, NULL);
  e->varies = (struct tir__map){0};
  e->lane = t->loop[last]->f.var;
  t->lanes = last > reduce && t->most[last] >= LLVM__LEAST_LANES &&
             step_is(e, t->out, t->index, 1, 1);
  e->varies = (struct tir__map){0};
  e->lane = t->loop[reduce]->f.var;
  t->reduce_lanes = !t->lanes && t->most[reduce] >= LLVM__LEAST_LANES &&
                    loads_side_by_side(e, t->leaf->store.value);
  e->lane = NULL;
  e->depth = depth;
  t->width = llvm__width_for(e, t->leaf);
  while (t->reduce_lanes && t->width > t->most[reduce])
    t->width /= 2;
  if (t->width < 2)
    t->lanes = t->reduce_lanes = false;
}

/* Whether `init` stores the initial values of just these points: loops like theirs, one by one. */
static bool take_init(struct llvm__emit *e, struct llvm__tile *t, const struct tir_stmt *init)
{
  tir_e with[LLVM__TILE_LOOPS];
  int n = 0;
  for (; init->kind == TIR_FOR; init = init->f.body, n++) {
    int i = t->reduces + n;
    if (i >= t->loops || !tir_same(t->loop[i]->f.extent,
                                   tir_substitute(e->arena, init->f.extent, n, t->init_var, with)))
      return false;
    t->init_var[n] = init->f.var;
    with[n] = tir_use(e->arena, t->loop[i]->f.var);
  }
  if (init->kind != TIR_STORE || init->store.combine != TIR_ASSIGN ||
      init->store.buffer != t->out || n != t->loops - t->reduces ||
      llvm__reads(init->store.value, t->out))
    return false;
  for (int d = 0; d < t->out->rank; d++)
    if (!tir_same(t->index[d],
                  tir_substitute(e->arena, init->store.index[d], n, t->init_var, with)))
      return false;
  t->init = init;
  return true;
}

static bool find(struct llvm__emit *e, struct llvm__tile *t, const struct tir_stmt *s,
                 const struct tir_stmt *init)
{
  if (s->kind != TIR_FOR || !collect(e, t, s) || !sort_loops(t))
    return false;
  if (init && (t->leaf->kind == TIR_CALL || !take_init(e, t, init)))
    return false;
  for (int i = 0; i < t->loops; i++) {
    t->most[i] = llvm__most(e, t->loop[i]->f.extent);
    if (!t->most[i])
      return false;
  }
  choose_lanes(e, t);
  return llvm__tile_points(t) && llvm__tile_registers(e, t) <= e->machine.registers - 2 &&
         2 * t->points <= LLVM__TILE_POINTS;
}

/* --- tiles at ends ---------------------------------------------------------------------------- */

/* min(N, rest), rest being less by multiples of N with each step of the loops around: its value where
 * it is less than N. 0: the extent is of another kind. */
static int64_t last_extent(tir_e extent)
{
  struct tir__linear l;
  for (int k = 0; k < 2 && extent->op == TIR_MIN; k++) {
    int64_t n = extent->arg[k]->op == TIR_INT ? extent->arg[k]->i : 0;
    bool whole = n > 0 && tir__linear(extent->arg[!k], &l);
    for (int i = 0; whole && i < l.n; i++)
      whole = l.atom[i]->op == TIR_VAR && l.coefficient[i] % n == 0;
    if (whole)
      return l.constant % n;
  }
  return 0;
}

static bool knows_ends(const struct llvm__tile *t)
{
  for (int i = t->reduces; i < t->loops; i++)
    if (t->loop[i]->f.extent->op != TIR_INT && !last_extent(t->loop[i]->f.extent))
      return false;
  return true;
}

/* --- loops ------------------------------------------------------------------------------------ */

static void emit_reduce(struct llvm__emit *e, const struct llvm__tile *t, int k);

static void emit_inside(struct llvm__emit *e, const struct llvm__tile *t, int k, bool in_lanes)
{
  if (k + 1 < t->reduces)
    emit_reduce(e, t, k + 1);
  else
    llvm__tile_step(e, t, in_lanes);
}

static void emit_pass(struct llvm__emit *e, const struct llvm__tile *t, int k, LLVMValueRef from,
                      LLVMValueRef to, bool in_lanes)
{
  int64_t step = in_lanes ? t->width : 1;
  struct llvm__loop loop = llvm__loop_begin(e, from, to, step);
  llvm__bind(e, t->loop[k]->f.var, 0, t->most[k] - 1, loop.counter);
  emit_inside(e, t, k, in_lanes);
  llvm__unbind(e);
  llvm__loop_end(e, &loop, to, step);
}

static void emit_unrolled(struct llvm__emit *e, const struct llvm__tile *t, int k, int64_t extent)
{
  for (int64_t at = 0; at < extent; at++) {
    llvm__bind(e, t->loop[k]->f.var, at, at, llvm__i64(e, at));
    emit_inside(e, t, k, false);
    llvm__unbind(e);
  }
}

static void emit_reduce(struct llvm__emit *e, const struct llvm__tile *t, int k)
{
  tir_e extent = t->loop[k]->f.extent;
  LLVMValueRef to = llvm__value_alone(e, extent), null = llvm__i64(e, 0);
  struct tir__fact fact = {
      .outer = e->facts, .var = tir_use(e->arena, t->loop[k]->f.var), .condition = extent};
  if (extent->op != TIR_INT)
    e->facts = &fact;
  if (t->reduce_lanes && k == t->reduces - 1) {
    LLVMValueRef whole = LLVMBuildAnd(e->builder, to, llvm__i64(e, -(int64_t)t->width), "");
    emit_pass(e, t, k, null, whole, true);
    emit_pass(e, t, k, whole, to, false);
  } else if (t->loop[k]->f.loop == TIR_UNROLL && extent->op == TIR_INT) {
    emit_unrolled(e, t, k, extent->i);
  } else {
    emit_pass(e, t, k, null, to, false);
  }
  e->facts = fact.outer;
}

static void emit_points(struct llvm__emit *e, struct llvm__tile *t)
{
  struct tir__fact fact[LLVM__TILE_LOOPS];
  const struct tir__fact *outer = e->facts;
  for (int i = t->reduces; i < t->loops; i++) {
    fact[i] = (struct tir__fact){.outer = e->facts,
                                 .var = tir_use(e->arena, t->loop[i]->f.var),
                                 .condition = t->loop[i]->f.extent};
    if (t->loop[i]->f.extent->op != TIR_INT)
      e->facts = &fact[i];
  }
  llvm__tile_points(t);
  for (int i = 0; i < t->points; i++)
    llvm__tile_open(e, t, &t->point[i]);
  emit_reduce(e, t, 0);
  for (int i = 0; i < t->points; i++)
    llvm__tile_close(e, t, &t->point[i]);
  e->facts = outer;
}

/* Tiles of each size that there is, from loop i on. */
static void emit_sizes(struct llvm__emit *e, struct llvm__tile *t, int i)
{
  while (i < t->loops && t->loop[i]->f.extent->op == TIR_INT)
    i++;
  if (i == t->loops) {
    emit_points(e, t);
    return;
  }
  tir_e extent = t->loop[i]->f.extent;
  int64_t whole = t->most[i];
  LLVMBasicBlockRef then = llvm__block(e, "whole"), other = llvm__block(e, "part");
  LLVMBasicBlockRef done = llvm__block(e, "tiled");
  LLVMValueRef is_whole =
      LLVMBuildICmp(e->builder, LLVMIntEQ, llvm__value_alone(e, extent), llvm__i64(e, whole), "");
  LLVMBuildCondBr(e->builder, is_whole, then, other);
  for (int part = 0; part < 2; part++) {
    LLVMPositionBuilderAtEnd(e->builder, part ? other : then);
    t->most[i] = part ? last_extent(extent) : whole;
    emit_sizes(e, t, i + 1);
    LLVMBuildBr(e->builder, done);
  }
  t->most[i] = whole;
  LLVMPositionBuilderAtEnd(e->builder, done);
}

static void emit_all(struct llvm__emit *e, void *context)
{
  struct llvm__tile *t = context;
  emit_sizes(e, t, t->reduces);
}

/* Steps of an intrinsic count as those that each of its lanes makes. */
static int64_t steps_of(const struct llvm__tile *t)
{
  int64_t n = 1;
  for (int i = 0; i < t->reduces; i++)
    n *= t->most[i];
  if (t->leaf->kind != TIR_CALL)
    return n;
  const struct tir_stage *s = t->leaf->call.intrin->func->stage[0];
  for (int i = s->out->rank; i < s->axes; i++)
    n *= s->axis[i].extent;
  return n;
}

bool llvm__tile(struct llvm__emit *e, const struct tir_stmt *s, const struct tir_stmt *init)
{
  struct llvm__tile *t = TSR_NEW(e->arena, struct llvm__tile);
  if (!find(e, t, s, init) || !knows_ends(t))
    return false;
  if (e->outline && steps_of(t) * llvm__tile_registers(e, t) >= LONG)
    e->outline(e, emit_all, t);
  else
    emit_all(e, t);
  return true;
}
