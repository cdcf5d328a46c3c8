/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs of several stages as one kernel. Where the reductions have one element for each row of the
 * result, as those of a softmax or a normalization have, a block computes a row and keeps what stands
 * between in shared memory; where they are short, a thread computes a result with its reduction in a
 * register. Stages that cost little, or whose elements are used once, take the place of their loads. */
#include <string.h>

#include "compiler/target/cuda/plan.h"
#include "compiler/tir/tir_internal.h"

enum { MOST_SHARED = 40 << 10, MOST_THREADS = 256, WARP = 32, SHORT = 64 };

struct rows {
  struct cuda__planner plan;
  const struct tir_func *f;
  const struct tir_stage *y;   /* the last */
  const struct tir_stage *sum; /* the first reduction; NULL: there is none */
  int reductions;
  bool inlined[256];
  int64_t threads;
};

#define DO(...)                                                                                    \
  do {                                                                                             \
    if (tir_sched_do(r->plan.sched, r->plan.err, __VA_ARGS__))                                     \
      return TSR_REFUSED;                                                                          \
  } while (0)

static int64_t product(const struct tir_stage *s, int from, int to)
{
  int64_t n = 1;
  for (int i = from; i < to; i++)
    n *= s->axis[i].extent;
  return n;
}

static const char *axis_name(const struct tir_stage *s, int axis)
{
  return s->axis[axis].var->name + strlen(s->name) + 1;
}

/* --- what takes the place of its loads -------------------------------------------------------- */

static bool is_cheap(tir_e x)
{
  static const enum tir_op dear[] = {TIR_DIV,  TIR_EXP, TIR_LOG, TIR_SQRT, TIR_ERF,
                                     TIR_TANH, TIR_SIN, TIR_COS, TIR_POW,  TIR_QUANT};
  for (size_t k = 0; k < sizeof dear / sizeof *dear; k++)
    if (x->op == dear[k])
      return false;
  for (int k = 0; k < x->args; k++)
    if (!is_cheap(x->arg[k]))
      return false;
  return true;
}

static int loads_of(tir_e x, const struct tir_buffer *b)
{
  int n = x->op == TIR_LOAD && x->buffer == b;
  for (int k = 0; k < x->args; k++)
    n += loads_of(x->arg[k], b);
  return n;
}

static bool is_param(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int k = 0; k < f->params; k++)
    if (f->param[k] == b)
      return true;
  return false;
}

/* Read at one place by one stage, for as many elements as it has. */
static bool is_used_once(const struct rows *r, const struct tir_stage *s)
{
  int64_t elements = product(s, 0, s->axes);
  int loads = 0;
  bool once = true;
  for (int k = 0; k < r->f->stages; k++) {
    const struct tir_stage *t = r->f->stage[k];
    int n = loads_of(t->value, s->out) + (t->init ? loads_of(t->init, s->out) : 0);
    loads += n;
    once &= !n || product(t, 0, t->axes) <= elements;
  }
  return once && loads == 1;
}

static enum tsr_status inline_stages(struct rows *r)
{
  for (int k = 0; k < r->f->stages; k++) {
    const struct tir_stage *s = r->f->stage[k];
    if (s == r->y || s->combine != TIR_ASSIGN || (!is_cheap(s->value) && !is_used_once(r, s)))
      continue;
    DO("inline %s", s->name);
    r->inlined[k] = true;
  }
  return TSR_OK;
}

/* --- a block for each row --------------------------------------------------------------------- */

/* A loop of a row as threads of the block, as many at a time as there are. */
static enum tsr_status over_threads(struct rows *r, const struct tir_stage *s, const char *loop,
                                    int64_t extent)
{
  if (extent > r->threads) {
    DO("split %s %s %lld %s.part %s.thread", s->name, loop, (long long)r->threads, loop, loop);
    loop = tsr_arena_printf(r->plan.a, "%s.thread", loop);
  }
  DO("bind %s %s thread.x", s->name, loop);
  return TSR_OK;
}

static enum tsr_status fuse_axes(struct rows *r, const struct tir_stage *s, int from, int to,
                                 const char **out)
{
  const char *name[2 * TSR_MAX_RANK];
  for (int k = from; k < to; k++)
    name[k - from] = axis_name(s, k);
  return cuda__fuse(&r->plan, s->name, to - from, name, out);
}

/* A stage between, in the row's loop. */
static enum tsr_status plan_between(struct rows *r, const struct tir_stage *s, const char *row)
{
  const char *loop;
  DO("set_scope %s shared", s->name);
  DO("compute_at %s %s %s", s->name, r->y->name, row);
  if (s->combine == TIR_ASSIGN) {
    if (!s->out->rank)
      return TSR_OK;
    return fuse_axes(r, s, 0, s->out->rank, &loop)
               ? TSR_REFUSED
               : over_threads(r, s, loop, product(s, 0, s->out->rank));
  }
  if (product(s, s->out->rank, s->axes) < WARP)
    return TSR_OK; /* one thread's */
  if (fuse_axes(r, s, s->out->rank, s->axes, &loop))
    return TSR_REFUSED;
  return over_threads(r, s, loop, product(s, s->out->rank, s->axes));
}

static enum tsr_status plan_rows(struct rows *r, int leading)
{
  const struct tir_stage *y = r->y;
  const char *row, *column = NULL;
  if (inline_stages(r) || fuse_axes(r, y, 0, leading, &row))
    return TSR_REFUSED;
  if (leading < y->out->rank && fuse_axes(r, y, leading, y->out->rank, &column))
    return TSR_REFUSED;
  for (int k = r->f->stages - 2; k >= 0; k--)
    if (!r->inlined[k] && plan_between(r, r->f->stage[k], row))
      return TSR_REFUSED;
  DO("bind %s %s block.x", y->name, row);
  return column ? over_threads(r, y, column, product(y, leading, y->out->rank)) : TSR_OK;
}

/* How many of the result's axes number the rows that the reductions have elements for; 0: none do. */
static int leading_axes(const struct rows *r)
{
  int64_t rows = product(r->sum, 0, r->sum->out->rank);
  for (int n = r->y->out->rank; n > 0; n--)
    if (product(r->y, 0, n) == rows)
      return n;
  return 0;
}

static bool suits_rows(const struct rows *r)
{
  int64_t rows = product(r->sum, 0, r->sum->out->rank), shared = 0;
  for (int k = 0; k < r->f->stages - 1; k++) {
    const struct tir_stage *s = r->f->stage[k];
    if (s->combine != TIR_ASSIGN && product(s, 0, s->out->rank) != rows)
      return false;
    if (rows)
      shared += product(s, 0, s->out->rank) / rows * (int64_t)tsr_dtype_bytes(s->out->dtype);
  }
  return rows > 0 && shared <= MOST_SHARED &&
         product(r->sum, r->sum->out->rank, r->sum->axes) >= SHORT;
}

/* --- a thread for each result ----------------------------------------------------------------- */

static enum tsr_status plan_threads(struct rows *r)
{
  const struct tir_stage *y = r->y;
  const char *all;
  if (inline_stages(r) || fuse_axes(r, y, 0, y->out->rank, &all))
    return TSR_REFUSED;
  DO("split %s %s 128 %s.block %s.thread", y->name, all, all, all);
  if (r->sum) {
    DO("set_scope %s register", r->sum->name);
    DO("compute_at %s %s %s.thread", r->sum->name, y->name, all);
  }
  DO("bind %s %s.block block.x", y->name, all);
  DO("bind %s %s.thread thread.x", y->name, all);
  return TSR_OK;
}

/* --- which ------------------------------------------------------------------------------------ */

static bool find_stages(struct rows *r)
{
  const struct tir_func *f = r->f;
  if (f->stages < 2 || f->stages > 256 || f->params != f->inputs + 1)
    return false;
  r->y = f->stage[f->stages - 1];
  for (int k = 0; k < f->stages; k++) {
    const struct tir_stage *s = f->stage[k];
    if (product(s, 0, s->axes) == 0 || (s != r->y && is_param(f, s->out)))
      return false;
    if (s->combine == TIR_ASSIGN)
      continue;
    r->sum = r->sum ? r->sum : s;
    r->reductions++;
  }
  return r->y->combine == TIR_ASSIGN && r->y->out->rank > 0;
}

static int64_t threads_for(const struct rows *r)
{
  int64_t longest = product(r->sum, r->sum->out->rank, r->sum->axes), n = MOST_THREADS;
  while (n > WARP && n >= 2 * longest)
    n /= 2;
  return n;
}

/* Every stage but one reduction goes into the last. */
static bool suits_threads(const struct rows *r)
{
  for (int k = 0; k < r->f->stages - 1; k++)
    if (r->f->stage[k] != r->sum &&
        !(is_cheap(r->f->stage[k]->value) || is_used_once(r, r->f->stage[k])))
      return false;
  return r->reductions <= 1 &&
         (!r->sum || product(r->sum, 0, r->sum->out->rank) == product(r->y, 0, r->y->out->rank));
}

enum tsr_status cuda__plan_rows(struct tsr_arena *a, const struct tir_func *f,
                                struct tir_sched **out)
{
  struct tsr_err ignored = {0}; /* whatever does not fit is scheduled stage by stage */
  struct rows r = {.plan = {.a = a, .err = &ignored, .sched = tir_sched_new(a, f)}, .f = f};
  enum tsr_status status = TSR_REFUSED;
  *out = NULL;
  if (!find_stages(&r))
    return TSR_OK;
  int leading = r.sum ? leading_axes(&r) : 0;
  if (leading && suits_rows(&r)) {
    r.threads = threads_for(&r);
    status = plan_rows(&r, leading);
  } else if (suits_threads(&r)) {
    status = plan_threads(&r);
  }
  if (!status)
    *out = r.plan.sched;
  return TSR_OK;
}
