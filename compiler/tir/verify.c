/* SPDX-License-Identifier: Apache-2.0 */
/* What every func and program must keep, with a sentence for each way to break it. */
#include <string.h>

#include "compiler/tir/code.h"

/* Where an expression stands. */
struct context {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const char *where; /* "func conv, stage pad" */
  size_t ranges, capacity;
  struct tir__range *range; /* variables in scope */
  bool inexact;             /* some extent varies, so that a range is only a bound */
  bool unreached;           /* some loop is empty, and so any index will do */
  const struct tir__fact *facts;
  bool (*readable)(const struct context *c, const struct tir_buffer *b);
  const void *readable_in;
  struct tir__map done; /* what was checked where no more is known than here */
  size_t buffers, buffer_capacity;
  const struct tir_buffer **buffer; /* in scope, of a program */
};

static enum tsr_status check_expr(struct context *c, tir_e x);

static bool is_affine_in_scope(const struct context *c, tir_e x)
{
  struct tir__linear l;
  if (!tir__linear(x, &l))
    return false;
  for (int i = 0; i < l.n; i++)
    if (l.atom[i]->op != TIR_VAR)
      return false;
  return !c->inexact;
}

/* An index that is outside for some iteration for sure. One that merely may be is checked when it
 * runs. */
static enum tsr_status check_index(struct context *c, const struct tir_buffer *b, int k, tir_e x)
{
  int64_t lo, hi, extent = b->dims[k];
  if (x->dtype != TSR_I64)
    return tsr_refuse(c->err, "%s: index %d of %s is %s, but indices are i64", c->where, k, b->name,
                      tsr_dtype_name((enum tsr_dtype)x->dtype));
  if (c->unreached || tir__proves_inside(x, extent, (int)c->ranges, c->range, c->facts))
    return TSR_OK;
  if (!tir__interval(x, (int)c->ranges, c->range, &lo, &hi))
    return TSR_OK;
  if (hi < 0 || lo >= extent || (!c->facts && is_affine_in_scope(c, x)))
    return tsr_refuse(
        c->err, "%s: index %d of %s takes values from %lld to %lld, but the dimension has %lld",
        c->where, k, b->name, (long long)lo, (long long)hi, (long long)extent);
  return TSR_OK;
}

static enum tsr_status check_load(struct context *c, tir_e x)
{
  const struct tir_buffer *b = x->buffer;
  if (!c->readable(c, b))
    return tsr_refuse(c->err,
                      "%s: %s can't be read here: it is no input and nothing before computes it",
                      c->where, b->name);
  if (x->args != b->rank || x->dtype != b->dtype)
    return tsr_refuse(c->err,
                      "%s: a load of %s has %d indices and dtype %s, but it is %s of rank %d",
                      c->where, b->name, x->args, tsr_dtype_name((enum tsr_dtype)x->dtype),
                      tsr_dtype_name(b->dtype), b->rank);
  for (int i = 0; i < x->args; i++)
    if (check_expr(c, x->arg[i]) != TSR_OK || check_index(c, b, i, x->arg[i]) != TSR_OK)
      return TSR_REFUSED;
  return TSR_OK;
}

static enum tsr_status check_var(struct context *c, tir_e x)
{
  for (size_t i = 0; i < c->ranges; i++)
    if (c->range[i].var == x->var)
      return TSR_OK;
  return tsr_refuse(c->err, "%s: variable %s is not bound here", c->where, x->var->name);
}

static enum tsr_status check_branch(struct context *c, tir_e condition, bool negated, tir_e x)
{
  struct tir__fact f = {.outer = c->facts, .condition = condition, .negated = negated};
  struct tir__map done = c->done;
  memset(&c->done, 0, sizeof c->done);
  c->facts = &f;
  enum tsr_status status = check_expr(c, x);
  c->facts = f.outer;
  c->done = done;
  return status;
}

static enum tsr_status check_op(struct context *c, tir_e x)
{
  enum tsr_dtype dtype;
  bool select = x->op == TIR_SELECT && x->args == 3;
  for (int i = 0; i < x->args; i++)
    if ((select && i > 0 ? check_branch(c, x->arg[0], i == 2, x->arg[i])
                         : check_expr(c, x->arg[i])) != TSR_OK)
      return TSR_REFUSED;
  if (x->op == TIR_CAST && x->args == 1 &&
      tir__cast_kernel((enum tsr_dtype)x->dtype, (enum tsr_dtype)x->arg[0]->dtype))
    return TSR_OK;
  if (!tir__result_dtype((enum tir_op)x->op, x->args, x->arg, &dtype) || dtype != x->dtype)
    return tsr_refuse(c->err, "%s: %s does not give %s of %d arguments, the first of which is %s",
                      c->where, tir_op_text((enum tir_op)x->op),
                      tsr_dtype_name((enum tsr_dtype)x->dtype), x->args,
                      tsr_dtype_name((enum tsr_dtype)x->arg[0]->dtype));
  return TSR_OK;
}

static enum tsr_status check_expr(struct context *c, tir_e x)
{
  if (x->op == TIR_INT || x->op == TIR_FLOAT || tir__map_get(&c->done, x))
    return TSR_OK;
  enum tsr_status status = x->op == TIR_VAR    ? check_var(c, x)
                           : x->op == TIR_LOAD ? check_load(c, x)
                                               : check_op(c, x);
  if (status == TSR_OK)
    tir__map_put(c->arena, &c->done, x, x);
  return status;
}

static enum tsr_status check_typed(struct context *c, tir_e x, enum tsr_dtype dtype,
                                   const char *what)
{
  if (x->dtype != dtype)
    return tsr_refuse(c->err, "%s: %s is %s, but must be %s", c->where, what,
                      tsr_dtype_name((enum tsr_dtype)x->dtype), tsr_dtype_name(dtype));
  return check_expr(c, x);
}

static void bind(struct context *c, const struct tir_var *var, int64_t lo, int64_t hi)
{
  c->range = TSR_GROW(c->arena, c->range, c->ranges, &c->capacity);
  c->range[c->ranges++] = (struct tir__range){.var = var, .lo = lo, .hi = hi};
}

static enum tsr_status check_combine(struct context *c, enum tir_combine combine,
                                     const struct tir_buffer *b)
{
  if (combine != TIR_ASSIGN && !tir__accumulator_of(combine, b->dtype))
    return tsr_refuse(c->err, "%s: %s is %s, which can't be combined, only assigned", c->where,
                      b->name, tsr_dtype_name(b->dtype));
  return TSR_OK;
}

/* --- funcs ----------------------------------------------------------------------------------- */

struct reading {
  const struct tir_func *f;
  int stage;
};

static bool readable_by_stage(const struct context *c, const struct tir_buffer *b)
{
  const struct reading *r = c->readable_in;
  for (int i = 0; i < r->f->inputs; i++)
    if (r->f->param[i] == b)
      return true;
  for (int i = 0; i < r->stage; i++)
    if (r->f->stage[i]->out == b)
      return true;
  return false;
}

static bool is_input(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int i = 0; i < f->inputs; i++)
    if (f->param[i] == b)
      return true;
  return false;
}

static enum tsr_status check_axes(struct context *c, const struct tir_stage *s)
{
  const struct tir_buffer *out = s->out;
  bool reduces = s->combine != TIR_ASSIGN;
  if (s->axes < out->rank || s->axes - out->rank > TSR_MAX_RANK ||
      (!reduces && s->axes > out->rank))
    return tsr_refuse(c->err, "%s: %d axes do not suit %s of rank %d", c->where, s->axes, out->name,
                      out->rank);
  for (int i = 0; i < s->axes; i++) {
    if (s->axis[i].extent < 0 || (i < out->rank && s->axis[i].extent != out->dims[i]))
      return tsr_refuse(c->err, "%s: axis %s has extent %lld, which does not suit %s", c->where,
                        s->axis[i].var->name, (long long)s->axis[i].extent, out->name);
    for (int k = 0; k < i; k++)
      if (!strcmp(s->axis[k].var->name, s->axis[i].var->name))
        return tsr_refuse(c->err, "%s: two axes are named %s", c->where, s->axis[i].var->name);
  }
  if (reduces != (s->init != NULL))
    return tsr_refuse(c->err,
                      reduces ? "%s: a reduction needs an init" : "%s: an assignment has no init",
                      c->where);
  return TSR_OK;
}

static bool is_empty(const struct tir_stage *s, int axes)
{
  for (int i = 0; i < axes; i++)
    if (s->axis[i].extent == 0)
      return true;
  return false;
}

static enum tsr_status check_value(struct context *c, const struct tir_stage *s, tir_e x, int axes,
                                   const char *what)
{
  memset(&c->done, 0, sizeof c->done);
  c->ranges = 0;
  c->unreached = is_empty(s, axes);
  for (int i = 0; i < axes; i++)
    bind(c, s->axis[i].var, 0, s->axis[i].extent > 0 ? s->axis[i].extent - 1 : 0);
  return check_typed(c, x, s->out->dtype, what);
}

static enum tsr_status check_stage(struct context *c, const struct tir_func *f, int k)
{
  const struct tir_stage *s = f->stage[k];
  struct reading r = {f, k};
  c->where = tsr_arena_printf(c->arena, "func %s, stage %s", f->name, s->name);
  c->readable = readable_by_stage;
  c->readable_in = &r;
  if (is_input(f, s->out))
    return tsr_refuse(c->err, "%s: %s is an input and can't be written", c->where, s->out->name);
  for (int i = 0; i < k; i++) {
    if (f->stage[i]->out == s->out)
      return tsr_refuse(c->err, "%s: %s is already written by stage %s", c->where, s->out->name,
                        f->stage[i]->name);
    if (!strcmp(f->stage[i]->name, s->name))
      return tsr_refuse(c->err, "func %s: two stages are named %s", f->name, s->name);
  }
  if (!s->value)
    return tsr_refuse(c->err, "%s: there is no value", c->where);
  enum tsr_status status = check_axes(c, s);
  if (status == TSR_OK)
    status = check_combine(c, s->combine, s->out);
  if (status == TSR_OK && s->init)
    status = check_value(c, s, s->init, s->out->rank, "the init");
  if (status == TSR_OK)
    status = check_value(c, s, s->value, s->axes, "the value");
  return status;
}

static enum tsr_status check_buffer(struct context *c, const struct tir_buffer *b, const char *what,
                                    const char *name)
{
  bool ok = tir__name_ok(b->name) && b->rank >= 0 && b->rank <= TSR_MAX_RANK &&
            tsr_count(b->dims, b->rank, tsr_dtype_bytes(b->dtype)) >= 0;
  for (int i = 0; ok && i < b->rank; i++)
    ok = b->dims[i] >= 0;
  if (!ok)
    return tsr_refuse(c->err, "%s %s: buffer '%s' has no legal name and shape", what, name,
                      b->name);
  for (size_t i = 0; i < c->buffers; i++)
    if (!strcmp(c->buffer[i]->name, b->name))
      return tsr_refuse(c->err, "%s %s: two buffers are named %s", what, name, b->name);
  c->buffer = TSR_GROW(c->arena, c->buffer, c->buffers, &c->buffer_capacity);
  c->buffer[c->buffers++] = b;
  return TSR_OK;
}

static bool is_known(const struct context *c, const struct tir_buffer *b)
{
  for (size_t i = 0; i < c->buffers; i++)
    if (c->buffer[i] == b)
      return true;
  return false;
}

static bool is_computed(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int i = 0; i < f->stages; i++)
    if (f->stage[i]->out == b)
      return true;
  return false;
}

static enum tsr_status verify_func(struct context *c, const struct tir_func *f)
{
  enum tsr_status status = TSR_OK;
  for (int i = 0; i < f->params && status == TSR_OK; i++)
    status = check_buffer(c, f->param[i], "func", f->name);
  for (int i = 0; i < f->stages && status == TSR_OK; i++)
    if (!is_known(c, f->stage[i]->out))
      status = check_buffer(c, f->stage[i]->out, "func", f->name);
  for (int i = 0; i < f->stages && status == TSR_OK; i++)
    status = check_stage(c, f, i);
  for (int i = f->inputs; i < f->params && status == TSR_OK; i++)
    if (!is_computed(f, f->param[i]))
      status = tsr_refuse(c->err, "func %s: no stage computes output %s", f->name,
                          f->param[i]->name);
  return status;
}

enum tsr_status tir_func_verify(struct tsr_err *err, const struct tir_func *f)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return tsr_no_memory(err);
  }
  struct context c = {.arena = arena, .err = err};
  enum tsr_status status = verify_func(&c, f);
  tsr_arena_free(arena);
  return status;
}

/* --- programs -------------------------------------------------------------------------------- */

static bool readable_in_scope(const struct context *c, const struct tir_buffer *b)
{
  return is_known(c, b);
}

static enum tsr_status check_stmt(struct context *c, const struct tir_program *p,
                                  const struct tir_stmt *s);

static enum tsr_status check_for(struct context *c, const struct tir_program *p,
                                 const struct tir_stmt *s)
{
  int64_t lo, hi;
  for (size_t i = 0; i < c->ranges; i++)
    if (!strcmp(c->range[i].var->name, s->f.var->name))
      return tsr_refuse(c->err, "%s: loop %s is inside another of that name", c->where,
                        s->f.var->name);
  if (check_typed(c, s->f.extent, TSR_I64, "a loop's extent") != TSR_OK)
    return TSR_REFUSED;
  if (s->f.loop == TIR_PIPELINE && s->f.depth < 1)
    return tsr_refuse(c->err, "%s: loop %s has a pipeline of depth %d", c->where, s->f.var->name,
                      s->f.depth);
  bool inexact = c->inexact, unreached = c->unreached, varies = s->f.extent->op != TIR_INT;
  const struct tir__fact *facts = c->facts;
  struct tir__fact f = {.outer = facts, .condition = s->f.extent};
  bool bounded = tir__interval(s->f.extent, (int)c->ranges, c->range, &lo, &hi) && hi < INT64_MAX;
  if (varies)
    c->facts = &f;
  f.var = tir_use(c->arena, s->f.var);
  c->inexact |= varies;
  c->unreached |= bounded && hi < 1;
  bind(c, s->f.var, 0, !bounded ? INT64_MAX : hi > 0 ? hi - 1 : 0);
  enum tsr_status status = check_stmt(c, p, s->f.body);
  c->ranges--;
  c->facts = facts;
  c->inexact = inexact;
  c->unreached = unreached;
  return status;
}

static enum tsr_status check_store(struct context *c, const struct tir_program *p,
                                   const struct tir_stmt *s)
{
  const struct tir_buffer *b = s->store.buffer;
  for (int i = 0; i < p->inputs; i++)
    if (p->param[i] == b)
      return tsr_refuse(c->err, "%s: %s is an input and can't be written", c->where, b->name);
  if (!is_known(c, b))
    return tsr_refuse(c->err, "%s: %s is written where it does not exist", c->where, b->name);
  enum tsr_status status = check_combine(c, s->store.combine, b);
  for (int i = 0; i < b->rank && status == TSR_OK; i++) {
    status = check_expr(c, s->store.index[i]);
    if (status == TSR_OK)
      status = check_index(c, b, i, s->store.index[i]);
  }
  return status == TSR_OK ? check_typed(c, s->store.value, b->dtype, "the stored value") : status;
}

static enum tsr_status check_if(struct context *c, const struct tir_program *p,
                                const struct tir_stmt *s)
{
  struct tir__fact f = {.outer = c->facts, .condition = s->when.condition};
  enum tsr_status status = check_typed(c, s->when.condition, TSR_BOOL, "a condition");
  c->facts = &f;
  if (status == TSR_OK)
    status = check_stmt(c, p, s->when.body);
  c->facts = f.outer;
  return status;
}

static enum tsr_status check_call(struct context *c, const struct tir_program *p,
                                  const struct tir_stmt *s)
{
  for (int i = 0; i < s->call.operands; i++)
    if (!is_known(c, s->call.buffer[i]))
      return tsr_refuse(c->err, "%s: operand %s of %s does not exist there", c->where,
                        s->call.buffer[i]->name, s->call.intrin->name);
  if (!s->call.semantics)
    return tsr_refuse(c->err, "%s: a call of %s without its semantics", c->where,
                      s->call.intrin->name);
  enum tsr_status status = TSR_OK;
  if (s->call.first)
    status = check_typed(c, s->call.first, TSR_BOOL, "a call's condition");
  return status == TSR_OK ? check_stmt(c, p, s->call.semantics) : status;
}

static enum tsr_status check_alloc(struct context *c, const struct tir_program *p,
                                   const struct tir_stmt *s)
{
  enum tsr_status status = check_buffer(c, s->alloc.buffer, "program", p->name);
  if (status == TSR_OK) {
    status = check_stmt(c, p, s->alloc.body);
    c->buffers--;
  }
  return status;
}

static enum tsr_status check_stmt(struct context *c, const struct tir_program *p,
                                  const struct tir_stmt *s)
{
  enum tsr_status status = TSR_OK;
  memset(&c->done, 0, sizeof c->done);
  switch (s->kind) {
  case TIR_FOR:
    return check_for(c, p, s);
  case TIR_STORE:
    return check_store(c, p, s);
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count && status == TSR_OK; i++)
      status = check_stmt(c, p, s->block.stmt[i]);
    return status;
  case TIR_ALLOC:
    return check_alloc(c, p, s);
  case TIR_CALL:
    return check_call(c, p, s);
  case TIR_IF:
    return check_if(c, p, s);
  }
  return TSR_OK;
}

static enum tsr_status verify_program(struct context *c, const struct tir_program *p)
{
  enum tsr_status status = TSR_OK;
  c->where = tsr_arena_printf(c->arena, "program %s", p->name);
  c->readable = readable_in_scope;
  for (int i = 0; i < p->params && status == TSR_OK; i++)
    status = check_buffer(c, p->param[i], "program", p->name);
  return status == TSR_OK ? check_stmt(c, p, p->body) : status;
}

enum tsr_status tir_program_verify(struct tsr_err *err, const struct tir_program *p)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return tsr_no_memory(err);
  }
  struct context c = {.arena = arena, .err = err};
  enum tsr_status status = verify_program(&c, p);
  tsr_arena_free(arena);
  return status;
}
