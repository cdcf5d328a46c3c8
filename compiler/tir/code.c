/* SPDX-License-Identifier: Apache-2.0 */
/* Statements to register code: which loops become lanes, and the control around them. */
#include <assert.h>
#include <string.h>

#include "compiler/tir/code.h"

static const int64_t most_bytes = INT64_C(8) << 30;

int tir__buffer_number(struct tir__emit *e, const struct tir_buffer *b)
{
  const void *known = tir__map_get(&e->buffers, b);
  struct tir_code *c = e->code;
  if (known)
    return (int)(intptr_t)known - 1;
  c->buffer = TSR_GROW(e->arena, c->buffer, c->buffers, &e->buffer_capacity);
  c->buffer[c->buffers++] = b;
  tir__map_put(e->arena, &e->buffers, b, (const void *)(intptr_t)c->buffers);
  return c->buffers - 1;
}

/* --- loops in scope -------------------------------------------------------------------------- */

static void push_loop(struct tir__emit *e, const struct tir_stmt *loop, int slot, int lane)
{
  int64_t lo, hi;
  struct tir__range r = {.var = loop->f.var, .lo = 0, .hi = INT64_MAX};
  if (tir__interval(loop->f.extent, e->depth, e->range, &lo, &hi) && hi != INT64_MAX)
    r.hi = hi > 0 ? hi - 1 : 0;
  e->range = TSR_GROW(e->arena, e->range, e->depth, &e->range_capacity);
  e->place = TSR_GROW(e->arena, e->place, e->depth, &e->place_capacity);
  e->range[e->depth] = r;
  e->place[e->depth++] = (struct tir__place){.slot = slot, .lane = lane};
  if (loop->f.extent->op != TIR_INT) {
    struct tir__fact *f = TSR_NEW(e->arena, struct tir__fact);
    f->outer = e->facts;
    f->var = tir_use(e->arena, loop->f.var);
    f->condition = loop->f.extent;
    e->facts = f;
  }
}

static struct tir__insn control(enum tir__insn_op op, int slot)
{
  struct tir__insn in;
  memset(&in, 0, sizeof in);
  in.op = (uint8_t)op;
  in.dst = in.mask = TIR__NONE;
  for (int i = 0; i < 4; i++)
    in.arg[i] = TIR__NONE;
  in.slot = slot;
  return in;
}

/* A segment that ends in a control instruction on the value of x. Returns its place in the code. */
static int emit_control(struct tir__emit *e, struct tir__insn in, tir_e x)
{
  e->lane_loops = 0;
  tir__segment_begin(e);
  in.arg[0] = tir__emit_value(e, x, e->always);
  tir__emit_insn(e, in);
  tir__segment_end(e);
  return e->code->insns - 1;
}

/* --- lanes ----------------------------------------------------------------------------------- */

/* Loops and conditions around one store, outermost first. */
struct nest {
  int loops, conditions;
  const struct tir_stmt *loop[TIR__LANE_LOOPS], *condition[TIR__LANE_LOOPS];
  const struct tir_stmt *store;
};

static const struct tir_stmt *only(const struct tir_stmt *s)
{
  while (s->kind == TIR_BLOCK && s->block.count == 1)
    s = s->block.stmt[0];
  return s;
}

static bool find_nest(const struct tir_stmt *s, struct nest *out)
{
  out->loops = out->conditions = 0;
  for (s = only(s); s->kind == TIR_FOR || s->kind == TIR_IF;
       s = only(s->kind == TIR_FOR ? s->f.body : s->when.body)) {
    int *count = s->kind == TIR_FOR ? &out->loops : &out->conditions;
    if (*count == TIR__LANE_LOOPS)
      return false;
    (s->kind == TIR_FOR ? out->loop : out->condition)[(*count)++] = s;
  }
  out->store = s;
  return s->kind == TIR_STORE;
}

static bool reads(tir_e x, const struct tir_buffer *b, struct tsr_arena *a, struct tir__map *seen)
{
  if (x->op == TIR_LOAD && x->buffer == b)
    return true;
  if (x->args == 0 || tir__map_get(seen, x))
    return false;
  for (int i = 0; i < x->args; i++)
    if (reads(x->arg[i], b, a, seen))
      return true;
  tir__map_put(a, seen, x, x);
  return false;
}

/* Whether the store's iterations can't see one another's results but through combining. */
static bool is_independent(struct tir__emit *e, const struct nest *n)
{
  const struct tir_stmt *s = n->store;
  struct tir__map seen = {0};
  bool found = reads(s->store.value, s->store.buffer, e->arena, &seen);
  for (int i = 0; i < s->store.buffer->rank; i++)
    found = found || reads(s->store.index[i], s->store.buffer, e->arena, &seen);
  for (int i = 0; i < n->conditions; i++)
    found = found || reads(n->condition[i]->when.condition, s->store.buffer, e->arena, &seen);
  for (int i = 0; i < n->loops; i++)
    found = found || reads(n->loop[i]->f.extent, s->store.buffer, e->arena, &seen);
  return !found;
}

/* The lanes of one iteration of loop[first - 1]; more than TIR__LANES where they don't fit. */
static int64_t inner_lanes(const struct nest *n, int first)
{
  int64_t lanes = 1;
  for (int i = first; i < n->loops; i++) {
    tir_e extent = n->loop[i]->f.extent;
    if (extent->op != TIR_INT || extent->i > TIR__LANES)
      return TIR__LANES + 1;
    lanes *= extent->i < 0 ? 0 : extent->i;
    if (lanes > TIR__LANES)
      return lanes;
  }
  return lanes;
}

static void emit_lanes(struct tir__emit *e, const struct nest *n)
{
  int depth = e->depth, chunk = 0, slot = e->code->slots;
  const struct tir__fact *facts = e->facts;
  int64_t inner = inner_lanes(n, 1), rows = TIR__LANES;
  if (n->loops && inner == 0)
    return;
  if (n->loops) {
    struct tir__insn in = control(TIR__CHUNK, slot);
    tir_e extent = n->loop[0]->f.extent;
    rows /= inner;
    if (extent->op == TIR_INT && extent->i > 0 && extent->i < rows)
      rows = extent->i;
    in.rows = rows;
    in.inner = inner;
    e->code->slots++;
    chunk = emit_control(e, in, extent);
    for (int i = 0; i < n->loops; i++) {
      e->lane_extent[i] = i ? n->loop[i]->f.extent->i : rows;
      push_loop(e, n->loop[i], i ? TIR__NONE : slot, i);
    }
  }
  e->lane_loops = n->loops;
  tir__segment_begin(e);
  struct tir__mask *mask = e->always;
  for (int i = 0; i < n->conditions; i++)
    mask = tir__emit_mask(e, mask, n->condition[i]->when.condition, false);
  tir__emit_store(e, n->store, mask);
  tir__segment_end(e);
  if (n->loops) {
    struct tir__insn in = control(TIR__CHUNK_NEXT, slot);
    in.rows = rows;
    in.inner = inner;
    in.jump = chunk + 1;
    tir__emit_insn(e, in);
    e->code->insn[chunk].jump = e->code->insns;
  }
  e->depth = depth;
  e->facts = facts;
}

/* --- statements ------------------------------------------------------------------------------ */

static void emit_stmt(struct tir__emit *e, const struct tir_stmt *s);

static void emit_loop(struct tir__emit *e, const struct tir_stmt *s)
{
  int slot = e->code->slots++;
  const struct tir__fact *facts = e->facts;
  int begin = emit_control(e, control(TIR__LOOP, slot), s->f.extent);
  push_loop(e, s, slot, TIR__NONE);
  emit_stmt(e, s->f.body);
  e->depth--;
  e->facts = facts;
  struct tir__insn next = control(TIR__NEXT, slot);
  next.jump = begin + 1;
  tir__emit_insn(e, next);
  e->code->insn[begin].jump = e->code->insns;
}

static void emit_for(struct tir__emit *e, const struct tir_stmt *s)
{
  struct nest n;
  const struct tir_stmt *split = tir__fission(e->arena, s);
  if (split)
    emit_stmt(e, split);
  else if (find_nest(s, &n) && inner_lanes(&n, 1) <= TIR__LANES && is_independent(e, &n))
    emit_lanes(e, &n);
  else
    emit_loop(e, s);
}

static void emit_if(struct tir__emit *e, const struct tir_stmt *s)
{
  int test = emit_control(e, control(TIR__TEST, 0), s->when.condition);
  emit_stmt(e, s->when.body);
  e->code->insn[test].jump = e->code->insns;
}

static void emit_alloc(struct tir__emit *e, const struct tir_stmt *s)
{
  struct tir__insn in = control(TIR__ZERO, 0);
  in.buffer = tir__buffer_number(e, s->alloc.buffer);
  tir__emit_insn(e, in);
  emit_stmt(e, s->alloc.body);
}

static void emit_stmt(struct tir__emit *e, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR:
    emit_for(e, s);
    break;
  case TIR_STORE:
    emit_lanes(e, &(struct nest){.store = s});
    break;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      emit_stmt(e, s->block.stmt[i]);
    break;
  case TIR_ALLOC:
    emit_alloc(e, s);
    break;
  case TIR_CALL:
    emit_stmt(e, s->call.semantics);
    break;
  case TIR_IF:
    emit_if(e, s);
    break;
  case TIR_BARRIER: /* one iteration after another: nothing to wait for */
  case TIR_COMMIT:
  case TIR_WAIT:
    break;
  }
}

/* --- codes ----------------------------------------------------------------------------------- */

static void number_constants(struct tir_code *c)
{
  for (int i = 0; i < c->insns; i++) {
    struct tir__insn *in = &c->insn[i];
    for (int k = 0; k < 4; k++)
      if (in->arg[k] >= TIR__FIRST_CONSTANT)
        in->arg[k] += c->registers - TIR__FIRST_CONSTANT;
    if (in->mask >= TIR__FIRST_CONSTANT)
      in->mask += c->registers - TIR__FIRST_CONSTANT;
  }
}

static enum tsr_status check_memory(const struct tir_code *c, struct tsr_err *err)
{
  int64_t total = 0;
  for (int i = c->params; i < c->buffers; i++) {
    const struct tir_buffer *b = c->buffer[i];
    int64_t count = tsr_count(b->dims, b->rank, tsr_dtype_bytes(b->dtype));
    int64_t bytes = count < 0 ? most_bytes + 1 : count * (int64_t)tsr_dtype_bytes(b->dtype);
    if (bytes > most_bytes - total)
      return tsr_refuse(err, "%s: the temporaries up to %s take more than %lld bytes", c->name,
                        b->name, (long long)most_bytes);
    total += bytes;
  }
  return TSR_OK;
}

enum tsr_status tir_code_new(struct tsr_arena *a, struct tsr_err *err, const struct tir_program *p,
                             struct tir_code **out)
{
  enum tsr_status status = tir_program_verify(err, p);
  if (status != TSR_OK)
    return status;
  struct tir_code *c = TSR_NEW(a, struct tir_code);
  struct tir__emit e = {.arena = a, .code = c};
  c->name = p->name;
  for (int i = 0; i < p->params; i++)
    tir__buffer_number(&e, p->param[i]);
  c->params = p->params;
  emit_stmt(&e, p->body);
  number_constants(c);
  status = check_memory(c, err);
  if (status == TSR_OK)
    *out = c;
  return status;
}

enum tsr_status tir_func_run(struct tsr_arena *a, struct tsr_err *err, const struct tir_func *f,
                             void *const *params)
{
  struct tir_program *program;
  struct tir_code *code;
  enum tsr_status status = tir_func_verify(err, f);
  if (status == TSR_OK)
    status = tir_lower(a, err, tir_sched_new(a, f), &program);
  if (status == TSR_OK)
    status = tir_code_new(a, err, program, &code);
  if (status == TSR_OK)
    status = tir_code_run(code, a, err, params);
  return status;
}
