/* SPDX-License-Identifier: Apache-2.0 */
/* From a lowered program to instructions: its outer loops are run here, at compile time; each perfect nest
 * around one intrinsic or one copy becomes instructions.
 *
 * Every scratchpad buffer has its place for the whole program (inventory.c, layout.c): its copies are used in
 * turn, so that an engine can fill one while another is read. */
#include <assert.h>

#include "compiler/target/accel/accel.h"

/* Loops around one call or one copy; a condition may stand around the call. */
static bool is_nest(const struct tir_stmt *s)
{
  while (s->kind == TIR_FOR)
    s = s->f.body;
  bool guarded = s->kind == TIR_IF && s->when.body->kind == TIR_CALL;
  return guarded || s->kind == TIR_CALL || s->kind == TIR_STORE;
}

/* --- places ------------------------------------------------------------------------------------------ */

struct tsr__place *tsr__walk_place(struct tsr__walk *w, const struct tir_buffer *b)
{
  for (int k = 0; k < w->places; k++)
    if (w->place[k].buffer == b)
      return &w->place[k];
  assert(!"a buffer of this program");
  return NULL;
}

uint32_t tsr__place_entry(const struct tsr__walk *w, const struct tsr__place *p, uint32_t near)
{
  uint32_t half = (uint32_t)tsr_design_depth(w->stream->design, TSR_BUFFER_ACC) / 2;
  int bank = p->buffer->scope == TIR_ACC && p->filled_by_dma && w->both_banks && near >= half;
  return p->at[p->instance % p->depth][bank];
}

enum tsr__space tsr__space_of(enum tir_scope scope)
{
  switch (scope) {
  case TIR_INP: return SPACE_INP;
  case TIR_WGT: return SPACE_WGT;
  case TIR_OUT: return SPACE_OUT;
  case TIR_LUT_SCOPE: return SPACE_LUT;
  default: return SPACE_ACC;
  }
}

int tsr__buffer_of(enum tsr__space space)
{
  static const int id[] = {
      [SPACE_UOP] = TSR_BUFFER_UOP, [SPACE_INP] = TSR_BUFFER_INP, [SPACE_WGT] = TSR_BUFFER_WGT,
      [SPACE_ACC] = TSR_BUFFER_ACC, [SPACE_OUT] = TSR_BUFFER_OUT, [SPACE_LUT] = TSR_BUFFER_LUT};
  return id[space];
}

uint32_t tsr__entry_elements(const struct tsr_design *d, enum tsr__space space)
{
  switch (space) {
  case SPACE_WGT: return (uint32_t)(d->block_in * d->block_out);
  case SPACE_LUT: return TSR_LUT_BYTES;
  default: return (uint32_t)tsr_design_lanes(d);
  }
}

int tsr__walk_bank(const struct tsr__walk *w)
{
  const struct tsr__place *work = NULL;
  for (int k = 0; k < w->places; k++)
    if (w->place[k].buffer->scope == TIR_ACC && !w->place[k].filled_by_dma && !w->place[k].base)
      work = &w->place[k];
  int64_t instance = !work ? 0 : work->instance + (work->open ? 0 : 1);
  return (int)((w->stream->bank + (work && work->depth > 1 ? instance % 2 : 0)) % 2);
}

struct tsr__place tsr__resident_place(const struct tsr_design *d,
                                      const struct tsr_accel_resident *r, uint32_t at)
{
  return (struct tsr__place){.resident = r,
                             .depth = 1,
                             .entries = r->entries,
                             .entry_elements = tsr__entry_elements(d, SPACE_INP),
                             .at = {{at}}};
}

/* --- walking ----------------------------------------------------------------------------------------- */

static enum tsr_status walk(struct tsr__walk *w, const struct tir_stmt *s);

/* Keeps the iterations where the condition holds; false when they are no box. */
static bool keep_where(const struct tsr__walk *w, tir_e condition, struct tsr__nest *nest)
{
  int64_t hi[16];
  bool nothing = false;
  for (int k = 0; k < nest->loops; k++)
    hi[k] = nest->extent[k];
  if (!tsr__env_box(&w->env, condition, nest->loops, nest->var, nest->from, hi, &nothing))
    return false;
  for (int k = 0; k < nest->loops; k++)
    nest->extent[k] = nothing ? 0 : hi[k] - nest->from[k];
  return nest->loops || !nothing;
}

/* The nest with all its extents known; false when one depends on a loop of the nest. */
static bool known_nest(const struct tsr__walk *w, const struct tir_stmt *s, struct tsr__nest *nest)
{
  *nest = (struct tsr__nest){.loops = 0};
  for (; s->kind == TIR_FOR; s = s->f.body) {
    if (nest->loops == 16 || !tsr__env_value(&w->env, s->f.extent, &nest->extent[nest->loops]))
      return false;
    nest->var[nest->loops++] = s->f.var;
  }
  nest->leaf = s->kind == TIR_IF ? s->when.body : s;
  return s->kind != TIR_IF || keep_where(w, s->when.condition, nest);
}

static enum tsr_status emit_nest(struct tsr__walk *w, const struct tsr__nest *nest)
{
  for (int k = 0; k < nest->loops; k++)
    if (nest->extent[k] <= 0)
      return TSR_OK;
  return nest->leaf->kind == TIR_CALL ? tsr__emit_call(w, nest) : tsr__emit_copy(w, nest);
}

static enum tsr_status iterate(struct tsr__walk *w, const struct tir_stmt *s)
{
  int64_t extent;
  if (!tsr__env_value(&w->env, s->f.extent, &extent))
    return tsr_refuse(w->err, "the extent of loop %s depends on data", s->f.var->name);
  if (w->env.count == TSR__MOST_LOOPS)
    return tsr_refuse(w->err, "loop %s is inside of %d others, the most that there can be",
                      s->f.var->name, TSR__MOST_LOOPS);
  int slot = w->env.count++;
  w->env.var[slot] = s->f.var;
  enum tsr_status status = TSR_OK;
  for (int64_t i = 0; i < extent && !status; i++) {
    w->env.value[slot] = i;
    status = walk(w, s->f.body);
  }
  w->env.count = slot;
  return status;
}

/* The leaf of a nest that fills all of a stage's region with its padding. */
static const struct tir_stmt *padding_of(const struct tir_stmt *s)
{
  while (s->kind == TIR_FOR)
    s = s->f.body;
  return s->kind == TIR_STORE && s->store.value->op == TIR_INT ? s : NULL;
}

static int64_t points_of(const struct tsr__nest *nest)
{
  int64_t points = 1;
  for (int k = 0; k < nest->loops; k++)
    points *= nest->extent[k];
  return points;
}

/* A nest that fills a stage's region with padding, before a guarded one that makes all of the region: where the
 * guard holds everywhere, the padding lies under what is made. */
static bool is_covered(const struct tsr__walk *w, const struct tir_stmt *fill,
                       const struct tir_stmt *next)
{
  struct tsr__nest f, n;
  if (fill->kind != TIR_FOR || next->kind != TIR_FOR || fill->f.stage != next->f.stage)
    return false;
  if (!is_nest(fill) || !is_nest(next) || !known_nest(w, fill, &f) || !known_nest(w, next, &n) ||
      f.leaf->kind != TIR_STORE || f.leaf->store.value->op != TIR_INT || n.leaf->kind != TIR_CALL ||
      n.leaf->call.intrin->accumulates || n.leaf->call.buffer[0] != f.leaf->store.buffer)
    return false;
  int64_t entry = tsr__walk_place((struct tsr__walk *)w, f.leaf->store.buffer)->entry_elements;
  return points_of(&f) == points_of(&n) * entry;
}

static enum tsr_status walk(struct tsr__walk *w, const struct tir_stmt *s)
{
  struct tsr__nest nest;
  enum tsr_status status = TSR_OK;
  int64_t holds;
  const struct tir_stmt *padding = padding_of(s);
  const struct tsr__place *at = padding ? tsr__walk_place(w, padding->store.buffer) : NULL;
  if (at && at->resident) { /* what is inside of it is made, element by element */
    tsr__emit_border(w, at);
    return TSR_OK;
  }
  if (is_nest(s) && known_nest(w, s, &nest))
    return emit_nest(w, &nest);
  switch (s->kind) {
  case TIR_FOR: return iterate(w, s);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && !status; k++)
      if (k + 1 == s->block.count || !is_covered(w, s->block.stmt[k], s->block.stmt[k + 1]))
        status = walk(w, s->block.stmt[k]);
    return status;
  case TIR_ALLOC: {
    struct tsr__place *p = tsr__walk_place(w, s->alloc.buffer);
    p->instance++;
    p->open = true;
    status = walk(w, s->alloc.body);
    p->open = false;
    return status;
  }
  case TIR_IF:
    if (!tsr__env_value(&w->env, s->when.condition, &holds))
      return tsr_refuse(w->err, "a condition depends on data");
    return holds ? walk(w, s->when.body) : TSR_OK;
  default: return TSR_OK;
  }
}

enum tsr_status tsr__walk_program(struct tsr__stream *s, struct tsr_err *err,
                                  const struct tir_program *p, const struct tsr__place *params)
{
  struct tsr__inventory *v = TSR_NEW(s->arena, struct tsr__inventory);
  struct tsr__walk w = {.arena = s->arena, .err = err, .stream = s};
  enum tsr_status status = tsr__inventory_of(s->arena, err, s->design, p, v);
  if (status)
    return status;
  w.both_banks = v->both_banks;
  if (!tsr__layout_place(s, v->place, v->count, w.both_banks))
    return tsr__layout_refuse(err, s, v);
  w.places = v->count + p->params;
  w.place = TSR_NEW_ARRAY(s->arena, struct tsr__place, w.places);
  for (int k = 0; k < v->count; k++)
    w.place[k] = v->place[k];
  for (int k = 0; k < p->params; k++) {
    w.place[v->count + k] = params[k];
    w.place[v->count + k].buffer = p->param[k];
  }
  tsr__stream_hold(s);
  status = walk(&w, p->body);
  tsr__stream_release(s);
  tsr__layout_leave(s, w.place, w.places, w.both_banks);
  return status;
}
