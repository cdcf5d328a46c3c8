/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/accel/explain.h"

#include <string.h>

#include "compiler/target/accel/accel.h"

/* --- loops ------------------------------------------------------------------------------------ */

static enum tsr_status print_plain(struct tsr_arena *a, struct tsr_err *err,
                                   const struct tir_func *func, const char **out)
{
  struct tir_program *program;
  enum tsr_status status = tir_lower(a, err, tir_sched_new(a, func), &program);
  if (!status)
    *out = tir_program_print(a, program);
  return status;
}

static enum tsr_status lower_text(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tsr_design *d, const struct tir_func *func,
                                  const char *schedule, struct tir_program **out)
{
  struct tir_intrinsics intrinsics = {tsr_tensorize_match, tsr_accel_intrinsics(a, d)};
  struct tir_sched *s = tir_sched_new(a, func);
  tir_sched_intrinsics(s, &intrinsics);
  enum tsr_status status = tsr_accel_replay(a, err, schedule, s);
  return status ? status : tir_lower(a, err, s, out);
}

/* --- tiles ------------------------------------------------------------------------------------ */

struct tiling {
  struct tsr_arena *arena;
  const struct tir_buffer *result;
  int64_t before[TSR_MAX_RANK]; /* of the padding around it */
  struct tsr__env env;
  struct tsr_accel_explanation *out;
};

static const struct tir_stmt *leaf_of(const struct tir_stmt *s)
{
  while (s->kind == TIR_FOR)
    s = s->f.body;
  return s;
}

/* Loops around a leaf, and the iterations in which it is done. */
struct loops {
  int n;
  const struct tir_var *var[16];
  int64_t lo[16], hi[16];
};

/* False: it is done in none, or they are not known. */
static bool loops_of(const struct tiling *t, const struct tir_stmt *s, struct loops *l)
{
  bool nothing = false;
  *l = (struct loops){0};
  for (; s->kind == TIR_FOR; s = s->f.body) {
    if (l->n == 16 || !tsr__env_value(&t->env, s->f.extent, &l->hi[l->n]))
      return false;
    l->var[l->n++] = s->f.var;
  }
  if (s->kind == TIR_IF &&
      !tsr__env_box(&t->env, s->when.condition, l->n, l->var, l->lo, l->hi, &nothing))
    return false;
  for (int k = 0; k < l->n; k++)
    nothing |= l->hi[k] <= l->lo[k];
  return !nothing;
}

/* Elements along dim d of the result that the leaf writes at a time. */
static int64_t width_of(const struct tir_stmt *leaf, int rank, int d)
{
  if (leaf->kind == TIR_STORE)
    return 1;
  const struct tir_buffer *y = leaf->call.intrin->func->param[leaf->call.intrin->func->inputs];
  return d < rank - y->rank ? 1 : y->dims[d - (rank - y->rank)];
}

/* The box that a nest of loops around the leaf writes; false where it is none. */
static bool box_of(const struct tiling *t, const struct tir_stmt *s, const struct tir_stmt *leaf,
                   struct tsr_accel_tile *box)
{
  tir_e *index = leaf->kind == TIR_STORE ? leaf->store.index : leaf->call.index[0];
  int64_t c0, c[16];
  struct loops l;
  if (!loops_of(t, s, &l))
    return false;
  *box = (struct tsr_accel_tile){{0}, {0}};
  for (int d = 0; d < t->result->rank; d++) {
    if (!tsr__env_affine(&t->env, index[d], l.n, l.var, &c0, c))
      return false;
    box->at[d] = c0 - t->before[d];
    box->size[d] = width_of(leaf, t->result->rank, d);
    for (int k = 0; k < l.n; k++) {
      box->at[d] += c[k] * l.lo[k];
      box->size[d] += c[k] * (l.hi[k] - 1 - l.lo[k]);
    }
  }
  return true;
}

static void add_tile(struct tiling *t, const struct tsr_accel_tile *box)
{
  struct tsr_accel_explanation *e = t->out;
  if (e->tiles++ >= TSR_ACCEL_MOST_TILES)
    return;
  e->tile = TSR_GROW(t->arena, e->tile, e->tiles - 1, &e->tile_capacity);
  e->tile[e->tiles - 1] = *box;
}

static void find_tiles(struct tiling *t, const struct tir_stmt *s);

static void iterate(struct tiling *t, const struct tir_stmt *s)
{
  int64_t extent;
  if (t->env.count == TSR__MOST_LOOPS || !tsr__env_value(&t->env, s->f.extent, &extent))
    return;
  int slot = t->env.count++;
  t->env.var[slot] = s->f.var;
  for (int64_t i = 0; i < extent; i++) {
    t->env.value[slot] = i;
    find_tiles(t, s->f.body);
  }
  t->env.count = slot;
}

/* What writes to the result, but for its padding. */
static bool makes_result(const struct tiling *t, const struct tir_stmt *leaf)
{
  if (leaf->kind == TIR_CALL)
    return leaf->call.buffer[0] == t->result;
  return leaf->store.buffer == t->result && leaf->store.value->op != TIR_INT;
}

static void find_tiles(struct tiling *t, const struct tir_stmt *s)
{
  const struct tir_stmt *leaf = leaf_of(s);
  struct tsr_accel_tile box;
  int64_t holds;
  if (leaf->kind == TIR_IF)
    leaf = leaf->when.body;
  if (leaf->kind == TIR_CALL || leaf->kind == TIR_STORE) {
    if (!makes_result(t, leaf))
      return;
    if (box_of(t, s, leaf, &box)) {
      add_tile(t, &box);
      return;
    }
  }
  switch (s->kind) {
  case TIR_FOR: iterate(t, s); break;
  case TIR_ALLOC: find_tiles(t, s->alloc.body); break;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      find_tiles(t, s->block.stmt[k]);
    break;
  case TIR_IF:
    if (tsr__env_value(&t->env, s->when.condition, &holds) && holds)
      find_tiles(t, s->when.body);
    break;
  default: break;
  }
}

/* --- buffers ---------------------------------------------------------------------------------- */

/* The buffer of the first load of a copy's value; NULL: it is all padding. */
static const struct tir_buffer *copied(tir_e value)
{
  if (value->op == TIR_LOAD)
    return value->buffer;
  for (int k = value->op == TIR_SELECT; k < value->args; k++) {
    const struct tir_buffer *b = copied(value->arg[k]);
    if (b)
      return b;
  }
  return NULL;
}

/* What fills the buffer: the first statement that does. */
static bool find_source(const struct tir_stmt *s, struct tsr_accel_buffer *b)
{
  const struct tir_buffer *from = NULL;
  s = leaf_of(s);
  switch (s->kind) {
  case TIR_ALLOC: return find_source(s->alloc.body, b);
  case TIR_IF: return find_source(s->when.body, b);
  case TIR_CALL:
    b->computed = s->call.buffer[0] == b->buffer;
    b->from = b->computed ? s->call.intrin->name : NULL;
    return b->computed;
  case TIR_STORE:
    if (s->store.buffer == b->buffer)
      from = copied(s->store.value);
    b->from = from ? from->name : NULL;
    return from;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      if (find_source(s->block.stmt[k], b))
        return true;
    return false;
  default: return false;
  }
}

static struct tsr_accel_buffer buffer_of(const struct tsr_design *d, const struct tir_program *p,
                                         const struct tsr__place *place, bool both_banks)
{
  enum tsr__space space = tsr__space_of(place->buffer->scope);
  bool twice = space == SPACE_ACC && place->filled_by_dma && both_banks;
  struct tsr_accel_buffer b = {
      .buffer = place->buffer,
      .loop = place->loop ? place->loop->name : NULL,
      .copies = place->in_place_of ? 0 : place->depth * (twice ? 2 : 1),
      .entries = tsr__layout_entries(d, place->buffer),
      .room = tsr__layout_room(d, space) * (space == SPACE_ACC ? 2 : 1),
      .entry_bytes = (uint32_t)tsr_design_dram_entry(d, tsr__buffer_of(space))};
  find_source(p->body, &b);
  return b;
}

/* A parameter that lies in INP from layer to layer. */
static struct tsr_accel_buffer resident(const struct tsr_design *d, const struct tir_program *p,
                                        int k)
{
  struct tsr__place place = {.buffer = p->param[k], .depth = 1};
  struct tsr_accel_buffer b = buffer_of(d, p, &place, false);
  b.resident = true;
  b.computed = k >= p->inputs;
  b.from = b.computed ? b.from : p->param[k]->name;
  return b;
}

static enum tsr_status find_buffers(struct tsr_arena *a, struct tsr_err *err,
                                    const struct tsr_design *d, const struct tir_program *p,
                                    struct tsr_accel_explanation *out)
{
  struct tsr__inventory *v = TSR_NEW(a, struct tsr__inventory);
  enum tsr_status status = tsr__inventory_of(a, err, d, p, v);
  if (status)
    return status;
  out->buffer = TSR_NEW_ARRAY(a, struct tsr_accel_buffer, p->params + v->count + 1);
  for (int k = 0; k < p->params; k++)
    if (p->param[k]->scope == TIR_INP)
      out->buffer[out->buffers++] = resident(d, p, k);
  for (int k = 0; k < v->count; k++)
    out->buffer[out->buffers++] = buffer_of(d, p, &v->place[k], v->both_banks);
  return TSR_OK;
}

enum tsr_status tsr_accel_explain(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tsr_design *d, const struct tir_func *func,
                                  const char *schedule, struct tsr_accel_explanation *out)
{
  struct tir_program *program;
  *out = (struct tsr_accel_explanation){0};
  enum tsr_status status = print_plain(a, err, func, &out->before);
  if (!status)
    status = lower_text(a, err, d, func, schedule, &program);
  if (status)
    return status;
  out->after = tir_program_print(a, program);
  struct tiling t = {.arena = a, .result = func->param[func->inputs], .out = out};
  out->rank = t.result->rank;
  tir_func_result(func, t.before, out->dims);
  find_tiles(&t, program->body);
  return find_buffers(a, err, d, program, out);
}
