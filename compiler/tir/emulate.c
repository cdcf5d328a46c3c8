/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU in slow motion. Loops run one iteration after another, each element is computed as the
 * interpreter does, and of every element of memory that threads share it is kept who touched it
 * last: two threads of a block between the same barriers, or two blocks of a kernel, one of which
 * writes, are a race, and a register of another thread is out of reach. A program without a race
 * gives the same result in any order of its threads, so one order tells them all. */
#include <string.h>

#include "compiler/tir/tir_internal.h"

enum { MOST_DEPTH = 128, THREAD_DIMS = 3, EVERY = -1 };

/* A thread by its place in each dim; EVERY: what no loop of that dim is around. */
struct thread {
  int at[THREAD_DIMS];
};

struct access {
  int kernel;                    /* 0: none */
  int block, phase, life, group; /* group: of async stores, plus one; 0: none */
  bool many;                     /* more than one thread, or block if block is EVERY */
  struct thread thread;
};

struct memory {
  const struct tir_buffer *buffer;
  char *data;
  int life;                      /* counts allocs: what was written in another is not there */
  bool watched;                  /* else it is read only */
  struct access *written, *read; /* of each element */
};

struct emulator {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tir_program *program;
  struct tir__map memory;
  int depth;
  const struct tir_var *var[MOST_DEPTH];
  int64_t value[MOST_DEPTH];
  const struct tir_stmt *loop[MOST_DEPTH];
  int kernel, block, phase; /* phase: barriers so far */
  int group, waited;        /* of async stores: the one that is open, and those that have arrived */
  struct thread thread;     /* the one that computes */
  struct thread reader;     /* for whom */
  const struct tir_stmt *call; /* of an intrinsic; NULL: none */
  size_t tile;                 /* where its operand 0 begins, in elements */
};

union scalar {
  uint8_t bytes[8];
  int8_t i8;
  bool truth;
  int64_t i64;
};

static size_t size_of(const struct tir_buffer *b)
{
  return (size_t)tsr_count(b->dims, b->rank, 1);
}

/* --- who touches what ------------------------------------------------------------------------- */

static bool same_thread(const struct thread *x, const struct thread *y)
{
  return !memcmp(x, y, sizeof *x);
}

static const char *thread_text(struct emulator *m, const struct thread *t)
{
  return tsr_arena_printf(m->arena, "thread %d,%d,%d", t->at[0] < 0 ? 0 : t->at[0],
                          t->at[1] < 0 ? 0 : t->at[1], t->at[2] < 0 ? 0 : t->at[2]);
}

/* Whether an access of thread t now and this one may come in any order. */
static bool unordered(const struct emulator *m, const struct memory *at, const struct access *a,
                      const struct thread *t)
{
  if (a->kernel != m->kernel)
    return false;
  if (a->block != m->block)
    return at->buffer->scope != TIR_SHARED; /* each block has its own */
  return a->phase == m->phase && (a->many || !same_thread(&a->thread, t));
}

static enum tsr_status refuse_race(struct emulator *m, const struct memory *at, size_t element,
                                   const struct access *a, const struct thread *t, const char *does)
{
  if (a->block != m->block)
    return tsr_refuse(m->err,
                      "%s: race: element %zu of buffer %s is used by two blocks, of which one "
                      "writes it",
                      m->program->name, element, at->buffer->name);
  return tsr_refuse(m->err,
                    "%s: race: %s %s element %zu of buffer %s, which %s uses too with no barrier "
                    "between",
                    m->program->name, thread_text(m, t), does, element, at->buffer->name,
                    a->many ? "more than one thread" : thread_text(m, &a->thread));
}

/* A thread number where every thread of a dim would do the same: the first does it. */
static struct thread first_of(struct thread t)
{
  for (int d = 0; d < THREAD_DIMS; d++)
    t.at[d] = t.at[d] == EVERY ? 0 : t.at[d];
  return t;
}

/* Memory of a block has to be written first. */
static enum tsr_status check_there(struct emulator *m, const struct memory *at, size_t element)
{
  const struct access *w = &at->written[element];
  if (at->buffer->scope != TIR_SHARED && at->buffer->scope != TIR_REGISTER)
    return TSR_OK;
  if (!w->kernel || w->life != at->life)
    return tsr_refuse(m->err, "%s: %s reads element %zu of buffer %s, which none has written",
                      m->program->name, thread_text(m, &m->reader), element, at->buffer->name);
  if (w->group > m->waited)
    return tsr_refuse(m->err, "%s: %s reads element %zu of buffer %s, which is still on its way",
                      m->program->name, thread_text(m, &m->reader), element, at->buffer->name);
  return TSR_OK;
}

static enum tsr_status note_read(struct emulator *m, struct memory *at, size_t element)
{
  struct thread t = first_of(m->reader);
  struct access *w = &at->written[element], *r = &at->read[element];
  if (check_there(m, at, element))
    return TSR_REFUSED;
  if (unordered(m, at, w, &t))
    return refuse_race(m, at, element, w, &t, "reads");
  bool again = r->kernel == m->kernel && r->phase == m->phase;
  bool many = again && (r->many || r->block != m->block || !same_thread(&r->thread, &t));
  int block = r->kernel == m->kernel && r->block != m->block ? EVERY : m->block;
  *r = (struct access){
      .kernel = m->kernel, .block = block, .phase = m->phase, .many = many, .thread = t};
  return TSR_OK;
}

static enum tsr_status note_write(struct emulator *m, struct memory *at, size_t element,
                                  struct thread writer, bool async)
{
  struct thread t = first_of(writer);
  struct access *w = &at->written[element], *r = &at->read[element];
  if (unordered(m, at, w, &t))
    return refuse_race(m, at, element, w, &t, "writes");
  if (unordered(m, at, r, &t))
    return refuse_race(m, at, element, r, &t, "writes");
  *w = (struct access){.kernel = m->kernel,
                       .block = m->block,
                       .phase = m->phase,
                       .life = at->life,
                       .group = async ? m->group + 1 : 0,
                       .thread = t};
  return TSR_OK;
}

/* A register is its thread's: every thread of a dim has its own copy where no loop says which. */
static enum tsr_status note_register(struct emulator *m, const struct memory *at, size_t element)
{
  const struct access *w = &at->written[element];
  if (check_there(m, at, element))
    return TSR_REFUSED;
  for (int d = 0; d < THREAD_DIMS; d++)
    if (w->thread.at[d] != EVERY && w->thread.at[d] != m->reader.at[d])
      return tsr_refuse(m->err, "%s: %s reads element %zu of register buffer %s, which %s holds",
                        m->program->name, thread_text(m, &m->reader), element, at->buffer->name,
                        thread_text(m, &w->thread));
  return TSR_OK;
}

/* --- expressions ------------------------------------------------------------------------------ */

static enum tsr_status evaluate(struct emulator *m, tir_e x, union scalar *out);

static enum tsr_status element_of(struct emulator *m, const struct tir_buffer *b,
                                  const tir_e *index, size_t *element)
{
  *element = 0;
  for (int d = 0; d < b->rank; d++) {
    union scalar i;
    if (evaluate(m, index[d], &i))
      return TSR_REFUSED;
    if (i.i64 < 0 || i.i64 >= b->dims[d])
      return tsr_refuse(m->err,
                        "%s: index %lld of dimension %d is outside of buffer %s, which has "
                        "%lld there",
                        m->program->name, (long long)i.i64, d, b->name, (long long)b->dims[d]);
    *element = *element * (size_t)b->dims[d] + (size_t)i.i64;
  }
  return TSR_OK;
}

static struct memory *memory_of(struct emulator *m, const struct tir_buffer *b)
{
  return (struct memory *)(uintptr_t)tir__map_get(&m->memory, b);
}

static enum tsr_status load(struct emulator *m, tir_e x, union scalar *out)
{
  struct memory *at = memory_of(m, x->buffer);
  size_t element, bytes = tsr_dtype_bytes(x->buffer->dtype);
  if (element_of(m, x->buffer, x->arg, &element))
    return TSR_REFUSED;
  if (x->buffer->scope == TIR_REGISTER && note_register(m, at, element))
    return TSR_REFUSED;
  if (x->buffer->scope != TIR_REGISTER && at->watched && note_read(m, at, element))
    return TSR_REFUSED;
  memcpy(out->bytes, at->data + element * bytes, bytes);
  if (x->dtype == TSR_BOOL)
    out->truth = out->bytes[0] != 0;
  return TSR_OK;
}

static enum tsr_status operation(struct emulator *m, tir_e x, union scalar *out)
{
  union scalar arg[4];
  const void *args[4];
  for (int k = 0; k < x->args; k++) {
    if (evaluate(m, x->arg[k], &arg[k]))
      return TSR_REFUSED;
    args[k] = &arg[k];
  }
  tir__kernel *kernel =
      x->op == TIR_CAST
          ? tir__cast_kernel((enum tsr_dtype)x->dtype, (enum tsr_dtype)x->arg[0]->dtype)
          : tir__op_kernel((enum tir_op)x->op, (enum tsr_dtype)x->arg[0]->dtype);
  kernel(out, args, 1);
  return TSR_OK;
}

static enum tsr_status evaluate(struct emulator *m, tir_e x, union scalar *out)
{
  union scalar condition;
  int k;
  switch (x->op) {
  case TIR_INT: memcpy(out->bytes, &x->i, sizeof x->i); return TSR_OK;
  case TIR_FLOAT:
    tsr_put_float(&(struct tsr_tensor){.dtype = (enum tsr_dtype)x->dtype, .data = out}, 0, x->f);
    return TSR_OK;
  case TIR_VAR:
    for (k = m->depth - 1; m->var[k] != x->var; k--)
      ;
    out->i64 = m->value[k];
    return TSR_OK;
  case TIR_LOAD: return load(m, x, out);
  case TIR_SELECT:
    if (evaluate(m, x->arg[0], &condition))
      return TSR_REFUSED;
    return evaluate(m, x->arg[condition.truth ? 1 : 2], out);
  default: return operation(m, x, out);
  }
}

/* --- stores ----------------------------------------------------------------------------------- */

static bool uses(tir_e x, const struct tir_var *var)
{
  bool found = x->op == TIR_VAR && x->var == var;
  for (int k = 0; k < x->args && !found; k++)
    found = uses(x->arg[k], var);
  return found;
}

/* A reduction over threads is stored by the first of them; registers are each thread's own. */
static struct thread writer_of(const struct emulator *m, const struct tir_stmt *s)
{
  struct thread t = m->thread;
  for (int k = 0; k < m->depth; k++) {
    bool placed = s->store.combine == TIR_ASSIGN || s->store.buffer->scope == TIR_REGISTER;
    if (!m->loop[k] || m->loop[k]->f.loop != TIR_BOUND || m->loop[k]->f.bind < TIR_THREAD_X)
      continue;
    for (int d = 0; d < s->store.buffer->rank; d++)
      placed |= uses(s->store.index[d], m->var[k]);
    if (!placed)
      t.at[m->loop[k]->f.bind - TIR_THREAD_X] = 0;
  }
  return t;
}

/* Sums of an intrinsic are spread over the warp. */
static void find_lane(const struct emulator *m, const struct tir_buffer *b, size_t element,
                      struct thread *t)
{
  if (!m->call || m->call->call.buffer[0] != b || !m->call->call.intrin->lane)
    return;
  size_t row = (size_t)b->dims[b->rank - 1], from = element - m->tile;
  int lane = m->call->call.intrin->lane((int64_t)(from / row), (int64_t)(from % row));
  t->at[0] = lane % 4;
  t->at[1] = lane / 4;
}

static enum tsr_status combine(struct emulator *m, const struct tir_stmt *s, void *at,
                               union scalar value)
{
  static const enum tir_op op[] = {[TIR_SUM] = TIR_ADD,
                                   [TIR_PRODUCT] = TIR_MUL,
                                   [TIR_MAXIMUM] = TIR_MAX,
                                   [TIR_MINIMUM] = TIR_MIN};
  size_t bytes = tsr_dtype_bytes(s->store.buffer->dtype);
  union scalar old, result;
  const void *args[2] = {&old, &value};
  (void)m;
  memcpy(old.bytes, at, bytes);
  tir__op_kernel(op[s->store.combine], s->store.buffer->dtype)(&result, args, 1);
  memcpy(at, result.bytes, bytes);
  return TSR_OK;
}

static enum tsr_status store(struct emulator *m, const struct tir_stmt *s)
{
  const struct tir_buffer *b = s->store.buffer;
  struct memory *at = memory_of(m, b);
  size_t element, bytes = tsr_dtype_bytes(b->dtype);
  union scalar value;
  struct thread writer = writer_of(m, s);
  bool own = b->scope == TIR_REGISTER;
  m->reader = own ? m->thread : first_of(m->thread);
  if (evaluate(m, s->store.value, &value) || element_of(m, b, s->store.index, &element))
    return TSR_REFUSED;
  find_lane(m, b, element, &writer);
  if (own)
    at->written[element] = (struct access){.kernel = m->kernel, .life = at->life, .thread = writer};
  else if (note_write(m, at, element, writer, s->store.async))
    return TSR_REFUSED;
  if (s->store.combine != TIR_ASSIGN)
    return combine(m, s, at->data + element * bytes, value);
  memcpy(at->data + element * bytes, value.bytes, bytes);
  return TSR_OK;
}

/* --- statements ------------------------------------------------------------------------------- */

static enum tsr_status run(struct emulator *m, const struct tir_stmt *s);

static enum tsr_status run_loop(struct emulator *m, const struct tir_stmt *s)
{
  union scalar extent;
  bool bound = s->f.loop == TIR_BOUND, thread = bound && s->f.bind >= TIR_THREAD_X;
  int *number = thread ? &m->thread.at[s->f.bind - TIR_THREAD_X] : NULL;
  int outer = m->block;
  m->reader = m->thread;
  if (evaluate(m, s->f.extent, &extent))
    return TSR_REFUSED;
  if (m->depth == MOST_DEPTH)
    return tsr_refuse(m->err, "%s: more than %d loops in one another", m->program->name,
                      MOST_DEPTH);
  int k = m->depth++;
  m->var[k] = s->f.var;
  m->loop[k] = s;
  enum tsr_status status = TSR_OK;
  for (int64_t i = 0; i < extent.i64 && !status; i++) {
    m->value[k] = i;
    if (thread)
      *number = (int)i;
    else if (bound)
      m->block = outer * (int)extent.i64 + (int)i;
    status = run(m, s->f.body);
  }
  if (thread)
    *number = EVERY;
  m->block = outer;
  m->depth--;
  return status;
}

static enum tsr_status run_call(struct emulator *m, const struct tir_stmt *s)
{
  m->reader = m->thread;
  if (element_of(m, s->call.buffer[0], s->call.index[0], &m->tile))
    return TSR_REFUSED;
  m->call = s;
  enum tsr_status status = run(m, s->call.semantics);
  m->call = NULL;
  return status;
}

static void add_memory(struct emulator *m, const struct tir_buffer *b, void *data, bool watched)
{
  struct memory *at = TSR_NEW(m->arena, struct memory);
  size_t n = size_of(b);
  *at = (struct memory){.buffer = b, .data = data, .watched = watched};
  if (watched) {
    at->written = TSR_NEW_ARRAY(m->arena, struct access, n + 1);
    at->read = TSR_NEW_ARRAY(m->arena, struct access, n + 1);
  }
  tir__map_put(m->arena, &m->memory, b, at);
}

static enum tsr_status run_alloc(struct emulator *m, const struct tir_stmt *s)
{
  const struct tir_buffer *b = s->alloc.buffer;
  size_t bytes = size_of(b) * tsr_dtype_bytes(b->dtype);
  if (!memory_of(m, b))
    add_memory(m, b, tsr_arena_alloc(m->arena, bytes + 8), true);
  struct memory *at = memory_of(m, b);
  memset(at->data, 0, bytes);
  at->life++;
  return run(m, s->alloc.body);
}

static enum tsr_status run(struct emulator *m, const struct tir_stmt *s)
{
  union scalar condition;
  enum tsr_status status = TSR_OK;
  switch (s->kind) {
  case TIR_FOR: return run_loop(m, s);
  case TIR_STORE: return store(m, s);
  case TIR_ALLOC: return run_alloc(m, s);
  case TIR_CALL: return run_call(m, s);
  case TIR_BARRIER: m->phase++; return TSR_OK;
  case TIR_COMMIT: m->group++; return TSR_OK;
  case TIR_WAIT: m->waited = m->group - s->groups; return TSR_OK;
  case TIR_IF:
    m->reader = m->thread;
    status = evaluate(m, s->when.condition, &condition);
    return status || !condition.truth ? status : run(m, s->when.body);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && !status; k++)
      status = run(m, s->block.stmt[k]);
  }
  return status;
}

/* Each nest at the root is a kernel. */
static enum tsr_status run_root(struct emulator *m, const struct tir_stmt *s)
{
  enum tsr_status status = TSR_OK;
  if (s->kind == TIR_BLOCK) {
    for (int k = 0; k < s->block.count && !status; k++)
      status = run_root(m, s->block.stmt[k]);
    return status;
  }
  if (s->kind == TIR_ALLOC) {
    const struct tir_buffer *b = s->alloc.buffer;
    size_t bytes = size_of(b) * tsr_dtype_bytes(b->dtype);
    add_memory(m, b, tsr_arena_alloc(m->arena, bytes + 8), true);
    memset(memory_of(m, b)->data, 0, bytes);
    return run_root(m, s->alloc.body);
  }
  m->kernel++;
  return run(m, s);
}

enum tsr_status tir_emulate(struct tsr_arena *scratch, struct tsr_err *err,
                            const struct tir_program *p, void *const *params)
{
  struct emulator *m = TSR_NEW(scratch, struct emulator);
  m->arena = scratch;
  m->err = err;
  m->program = p;
  m->thread = (struct thread){{EVERY, EVERY, EVERY}};
  for (int k = 0; k < p->params; k++)
    add_memory(m, p->param[k], params[k], k >= p->inputs);
  return run_root(m, p->body);
}
