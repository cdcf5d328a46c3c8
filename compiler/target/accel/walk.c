/* SPDX-License-Identifier: Apache-2.0 */
/* From a lowered program to instructions: its outer loops are run here, at compile time; each perfect nest
 * around one intrinsic or one copy becomes instructions.
 *
 * Every scratchpad buffer has its place for the whole program: as many copies as the pipelined loop
 * around it asks for, used in turn, so that an engine can fill one while another is read. Copies of an
 * ACC buffer lie in different banks. ACC buffers that only DMA fills (parameters of the vector engine)
 * stand in every bank that work uses. Where work is done inside of other work (the head of a group, while
 * sums are open), each has a bank of its own, and one copy. */
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

/* True when an intrinsic writes the buffer somewhere in the statement. */
static bool computed(const struct tir_stmt *s, const struct tir_buffer *b)
{
  switch (s->kind) {
  case TIR_FOR: return computed(s->f.body, b);
  case TIR_ALLOC: return computed(s->alloc.body, b);
  case TIR_IF: return computed(s->when.body, b);
  case TIR_CALL: return s->call.buffer[0] == b;
  case TIR_STORE: return false;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      if (computed(s->block.stmt[k], b))
        return true;
    return false;
  }
  return false;
}

/* True when at most one buffer in ACC that work writes lives in each iteration of the statement's loops:
 * none of them has a loop around it. */
static bool works_once(const struct tir_stmt *s, bool looped)
{
  switch (s->kind) {
  case TIR_FOR: return works_once(s->f.body, true);
  case TIR_IF: return works_once(s->when.body, true);
  case TIR_ALLOC: {
    const struct tir_buffer *b = s->alloc.buffer;
    bool work = b->scope == TIR_ACC && computed(s->alloc.body, b);
    return !(work && looped) && works_once(s->alloc.body, looped);
  }
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      if (!works_once(s->block.stmt[k], looped))
        return false;
    return true;
  default: return true;
  }
}

static bool in_scratchpad(const struct tir_buffer *b)
{
  if (b->scope == TIR_GLOBAL || b->scope == TIR_LOCAL)
    return false;
  return (b->dtype == TSR_I32) == (b->scope == TIR_ACC) &&
         (b->dtype == TSR_I32 || tsr_dtype_bytes(b->dtype) == 1);
}

static enum tsr_status add_buffer(struct tsr_err *err, const struct tir_stmt *s,
                                  const struct tir_stmt *loop, struct tsr__inventory *v)
{
  const struct tir_buffer *b = s->alloc.buffer;
  int depth = loop && loop->f.loop == TIR_PIPELINE ? loop->f.depth : 1;
  if (v->count == TSR__MOST_BUFFERS)
    return tsr_refuse(err, "there are more than %d scratchpad buffers", TSR__MOST_BUFFERS);
  if (!in_scratchpad(b))
    return tsr_refuse(
        err,
        "buffer %s of %s lives in %s; on the accelerator i8 lives in inp, wgt, out and "
        "lut, and i32 in acc",
        b->name, tsr_dtype_name(b->dtype), tir_scope_name(b->scope));
  bool filled_by_dma = !computed(s->alloc.body, b);
  v->place[v->count++] = (struct tsr__place){.buffer = b,
                                             .loop = loop ? loop->f.var : NULL,
                                             .depth = depth > 2 ? 2 : depth,
                                             .instance = -1,
                                             .filled_by_dma = filled_by_dma,
                                             .once = works_once(s->alloc.body, false)};
  return TSR_OK;
}

static struct tsr__place *work_of(struct tsr__inventory *v, const struct tir_buffer *b)
{
  for (int k = 0; k < v->count; k++)
    if (v->place[k].buffer == b && b->scope == TIR_ACC && !v->place[k].filled_by_dma)
      return &v->place[k];
  return NULL;
}

/* Whether products of the matrix engine are summed in the buffer, in the statement. */
static bool is_summed(const struct tir_stmt *s, const struct tir_buffer *b)
{
  bool found = false;
  switch (s->kind) {
  case TIR_FOR: return is_summed(s->f.body, b);
  case TIR_ALLOC: return is_summed(s->alloc.body, b);
  case TIR_IF: return is_summed(s->when.body, b);
  case TIR_CALL:
    return s->call.buffer[0] == b && tsr_accel_intrin_opcode(s->call.intrin) == TSR_OP_GEMM;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && !found; k++)
      found = is_summed(s->block.stmt[k], b);
    return found;
  default: return false;
  }
}

/* Gives what vector does in other loops than `outer`, inside of it, the other bank. */
static void set_banks(struct tsr__inventory *v, const struct tir_stmt *s,
                      const struct tsr__place *outer)
{
  struct tsr__place *work;
  switch (s->kind) {
  case TIR_FOR: set_banks(v, s->f.body, outer); break;
  case TIR_IF: set_banks(v, s->when.body, outer); break;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      set_banks(v, s->block.stmt[k], outer);
    break;
  case TIR_ALLOC:
    work = work_of(v, s->alloc.buffer);
    if (work) {
      bool other = outer && outer->loop != work->loop && !is_summed(s, work->buffer);
      work->bank = other ? BANK_OTHER : BANK_FIRST;
      v->apart |= other;
    }
    set_banks(v, s->alloc.body, outer ? outer : work);
    break;
  default: break;
  }
}

/* Constants of the vector engine lie in the bank of the work that uses them. */
static void follow_work(struct tsr__inventory *v, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: follow_work(v, s->f.body); break;
  case TIR_IF: follow_work(v, s->when.body); break;
  case TIR_ALLOC: follow_work(v, s->alloc.body); break;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      follow_work(v, s->block.stmt[k]);
    break;
  case TIR_CALL: {
    enum tsr__bank bank = BANK_BY_COPY;
    for (int k = 0; k < s->call.operands; k++) {
      const struct tsr__place *work = work_of(v, s->call.buffer[k]);
      bank = work ? work->bank : bank;
    }
    for (int k = 0; k < s->call.operands; k++)
      for (int i = 0; i < v->count; i++)
        if (v->place[i].buffer == s->call.buffer[k])
          v->place[i].bank = bank;
    break;
  }
  default: break;
  }
}

/* Work inside of other work: each in its bank, with one copy. Else copies are in turn in both. */
static void part_banks(struct tsr__inventory *v, const struct tir_program *p)
{
  set_banks(v, p->body, NULL);
  for (int k = 0; k < v->count && !v->apart; k++)
    v->place[k].bank = BANK_BY_COPY;
  if (!v->apart)
    return;
  follow_work(v, p->body);
  for (int k = 0; k < v->count; k++)
    if (work_of(v, v->place[k].buffer))
      v->place[k].depth = 1;
}

/* Every ALLOC of the statement, with the loop around it. */
static enum tsr_status collect(struct tsr_err *err, const struct tir_stmt *s,
                               const struct tir_stmt *loop, struct tsr__inventory *v)
{
  enum tsr_status status = TSR_OK;
  switch (s->kind) {
  case TIR_FOR: return collect(err, s->f.body, s, v);
  case TIR_IF: return collect(err, s->when.body, loop, v);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && !status; k++)
      status = collect(err, s->block.stmt[k], loop, v);
    return status;
  case TIR_ALLOC:
    status = add_buffer(err, s, loop, v);
    return status ? status : collect(err, s->alloc.body, loop, v);
  default: return TSR_OK;
  }
}

enum tsr_status tsr__inventory_of(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tir_program *p, struct tsr__inventory *out)
{
  *out = (struct tsr__inventory){0};
  enum tsr_status status = collect(err, p->body, NULL, out);
  part_banks(out, p);
  for (int k = 0; k < out->count; k++) {
    const struct tsr__place *place = &out->place[k];
    if (place->buffer->scope == TIR_ACC && !place->filled_by_dma && place->depth > 1)
      out->both_banks = true;
  }
  if (!status)
    tsr__in_place(a, p, out);
  return status;
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

static enum tsr_status walk(struct tsr__walk *w, const struct tir_stmt *s)
{
  struct tsr__nest nest;
  enum tsr_status status = TSR_OK;
  int64_t holds;
  if (is_nest(s) && known_nest(w, s, &nest))
    return emit_nest(w, &nest);
  switch (s->kind) {
  case TIR_FOR: return iterate(w, s);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && !status; k++)
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
  enum tsr_status status = tsr__inventory_of(s->arena, err, p, v);
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
  tsr__layout_leave(s, w.place, v->count, w.both_banks);
  return status;
}
