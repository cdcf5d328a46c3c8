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
  struct tsr__env env;
  struct tsr_accel_explanation *out;
};

static const struct tir_stmt *leaf_of(const struct tir_stmt *s)
{
  while (s->kind == TIR_FOR)
    s = s->f.body;
  return s;
}

/* The box that a nest of loops stores; false where it is none. */
static bool box_of(const struct tiling *t, const struct tir_stmt *s, struct tsr_accel_tile *box)
{
  const struct tir_var *var[16];
  int64_t extent[16], c0, c[16];
  int n = 0;
  for (; s->kind == TIR_FOR; s = s->f.body) {
    if (n == 16 || !tsr__env_value(&t->env, s->f.extent, &extent[n]) || extent[n] <= 0)
      return false;
    var[n++] = s->f.var;
  }
  *box = (struct tsr_accel_tile){{0}, {0}};
  for (int d = 0; d < t->result->rank; d++) {
    if (!tsr__env_affine(&t->env, s->store.index[d], n, var, &c0, c))
      return false;
    box->at[d] = c0;
    box->size[d] = 1;
    for (int k = 0; k < n; k++)
      box->size[d] += c[k] * (extent[k] - 1);
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

static void find_tiles(struct tiling *t, const struct tir_stmt *s)
{
  const struct tir_stmt *leaf = leaf_of(s);
  struct tsr_accel_tile box;
  int64_t holds;
  if (leaf->kind == TIR_CALL || (leaf->kind == TIR_STORE && leaf->store.buffer != t->result))
    return;
  if (leaf->kind == TIR_STORE && box_of(t, s, &box)) {
    add_tile(t, &box);
    return;
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
  struct tsr_accel_buffer b = {.buffer = place->buffer,
                               .loop = place->loop ? place->loop->name : NULL,
                               .copies = place->in_place_of ? 0 : place->depth * (twice ? 2 : 1),
                               .entries = tsr__layout_entries(d, place->buffer),
                               .room = tsr__layout_room(d, space) * (space == SPACE_ACC ? 2 : 1),
                               .entry_bytes = (uint32_t)tsr_design_dram_entry(d, tsr__buffer_of(space))};
  find_source(p->body, &b);
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
  out->buffers = v->count;
  out->buffer = TSR_NEW_ARRAY(a, struct tsr_accel_buffer, v->count + 1);
  for (int k = 0; k < v->count; k++)
    out->buffer[k] = buffer_of(d, p, &v->place[k], v->both_banks);
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
  find_tiles(&t, program->body);
  return find_buffers(a, err, d, program, out);
}
