/* SPDX-License-Identifier: Apache-2.0 */
/* A schedule's life: made of a func, changed line by line. */
#include "compiler/tir/sched.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool is_output(const struct tir_func *f, const struct tir_buffer *b)
{
  for (int k = f->inputs; k < f->params; k++)
    if (f->param[k] == b)
      return true;
  return false;
}

void tir__axis_loop(struct tsr_arena *a, struct tir__sstage *s, const char *name,
                    const struct tir_var *var, int64_t extent)
{
  int k = s->loops++;
  assert(s->loops <= TIR__MAX_LOOPS);
  struct tir__loop *loop = TSR_NEW_ARRAY(a, struct tir__loop, s->loops);
  int *leaf = TSR_NEW_ARRAY(a, int, s->leaves + 1);
  if (k)
    memcpy(loop, s->loop, (size_t)k * sizeof *loop);
  if (s->leaves)
    memcpy(leaf, s->leaf, (size_t)s->leaves * sizeof *leaf);
  loop[k] = (struct tir__loop){.name = name, .var = var, .extent = extent, .reduce = k >= s->rank};
  leaf[s->leaves++] = k;
  s->loop = loop;
  s->leaf = leaf;
  s->axes = s->loops;
}

struct loads {
  struct tsr_arena *arena;
  struct tir__map seen;
  int count;
  size_t capacity;
  tir_e *load;
};

static void collect_loads(struct loads *l, tir_e x)
{
  if (!x || (x->args == 0 && x->op != TIR_LOAD) || tir__map_get(&l->seen, x))
    return;
  tir__map_put(l->arena, &l->seen, x, x);
  if (x->op == TIR_LOAD) {
    l->load = TSR_GROW(l->arena, l->load, l->count, &l->capacity);
    l->load[l->count++] = x;
  }
  for (int k = 0; k < x->args; k++)
    collect_loads(l, x->arg[k]);
}

void tir__set_values(struct tsr_arena *a, struct tir__sstage *s, tir_e init, tir_e value)
{
  struct loads l = {.arena = a};
  s->init = init;
  s->value = value;
  collect_loads(&l, init);
  s->init_loads = l.count;
  memset(&l.seen, 0, sizeof l.seen); /* init and value may share */
  collect_loads(&l, value);
  s->loads = l.count;
  s->load = l.load;
}

bool tir__stage_reads(const struct tir__sstage *s, const struct tir_buffer *b)
{
  for (int k = 0; k < s->loads; k++)
    if (s->load[k]->buffer == b)
      return true;
  return false;
}

/* "conv.oh" of stage conv is loop oh. */
static const char *loop_name(const struct tir_stage *s, const char *axis)
{
  size_t n = strlen(s->name);
  return !strncmp(axis, s->name, n) && axis[n] == '.' && axis[n + 1] ? axis + n + 1 : axis;
}

static struct tir__sstage *stage_new(struct tsr_arena *a, const struct tir_func *f,
                                     const struct tir_stage *from, int id)
{
  struct tir__sstage *s = TSR_NEW(a, struct tir__sstage);
  s->id = id;
  s->name = from->name;
  s->out = from->out;
  s->output = is_output(f, from->out);
  s->rank = from->out->rank;
  s->scope = from->out->scope;
  s->combine = from->combine;
  for (int k = 0; k < s->rank; k++) {
    s->dims[k] = from->out->dims[k];
    s->pad[k] = 1;
  }
  for (int k = 0; k < from->axes; k++)
    tir__axis_loop(a, s, loop_name(from, from->axis[k].var->name), from->axis[k].var,
                   from->axis[k].extent);
  tir__set_values(a, s, from->init, from->value);
  return s;
}

struct tir_sched *tir_sched_new(struct tsr_arena *a, const struct tir_func *f)
{
  struct tir_sched *s = TSR_NEW(a, struct tir_sched);
  struct tir__state *st = TSR_NEW(a, struct tir__state);
  s->arena = a;
  s->func = f;
  s->text.arena = a;
  s->state = st;
  st->stages = f->stages;
  st->stage = TSR_NEW_ARRAY(a, struct tir__sstage *, f->stages + 1);
  for (int k = 0; k < f->stages; k++)
    st->stage[k] = stage_new(a, f, f->stage[k], k + 1);
  st->next_id = f->stages + 1;
  return s;
}

void tir_sched_intrinsics(struct tir_sched *s, const struct tir_intrinsics *intrinsics)
{
  s->intrinsics = *intrinsics;
}

const char *tir_sched_text(const struct tir_sched *s)
{
  return s->text.data ? s->text.data : "";
}

/* --- lines ------------------------------------------------------------------------------------ */

struct primitive {
  const char *name, *usage;
  int least, most; /* words, with the name */
  bool check;      /* whether a line of it may make a state that can't be lowered */
  enum tsr_status (*run)(struct tir__edit *e);
};

static const struct primitive primitives[] = {
    {"split", "split S L N OUTER INNER", 6, 6, true, tir__do_split},
    {"fuse", "fuse S OUTER INNER NEW", 5, 5, true, tir__do_fuse},
    {"reorder", "reorder S L1 L2 ...", 4, TIR__MAX_WORDS, true, tir__do_reorder},
    {"unroll", "unroll S L", 3, 3, false, tir__do_unroll},
    {"parallel", "parallel S L", 3, 3, true, tir__do_parallel},
    {"pipeline", "pipeline S L N", 4, 4, false, tir__do_pipeline},
    {"bind", "bind S L PLACE", 4, 4, true, tir__do_bind},
    {"compute_at", "compute_at S CONSUMER L", 4, 4, true, tir__do_compute_at},
    {"inline", "inline S", 2, 2, true, tir__do_inline},
    {"cache_read", "cache_read BUFFER SCOPE S NEW", 5, 5, true, tir__do_cache_read},
    {"cache_write", "cache_write S SCOPE NEW", 4, 4, true, tir__do_cache_write},
    {"set_scope", "set_scope S SCOPE", 3, 3, true, tir__do_set_scope},
    {"pad", "pad S L N", 4, 4, true, tir__do_pad},
    {"slide", "slide S NEW", 3, 3, true, tir__do_slide},
    {"tensorize", "tensorize S L INTRINSIC", 4, 4, true, tir__do_tensorize},
};
enum { PRIMITIVES = sizeof primitives / sizeof primitives[0] };

static enum tsr_status cut(struct tir__edit *e, const char *line)
{
  char *text = tsr_arena_strdup(e->arena, line), *at = NULL;
  for (char *w = strtok_r(text, " \t\r\n", &at); w; w = strtok_r(NULL, " \t\r\n", &at)) {
    if (e->words == TIR__MAX_WORDS)
      return tsr_refuse(e->err, "a schedule line has at most %d words", TIR__MAX_WORDS);
    e->word[e->words++] = w;
  }
  if (e->words == 0)
    return tsr_refuse(e->err, "the schedule line is empty; write for example '%s'",
                      primitives[0].usage);
  return TSR_OK;
}

static enum tsr_status find_primitive(struct tir__edit *e, const struct primitive **out)
{
  const char *names[PRIMITIVES];
  for (int k = 0; k < PRIMITIVES; k++) {
    names[k] = primitives[k].name;
    if (strcmp(names[k], e->word[0]))
      continue;
    *out = &primitives[k];
    if (e->words < primitives[k].least || e->words > primitives[k].most)
      return tsr_refuse(e->err, "too %s words for %s; write '%s'",
                        e->words < primitives[k].least ? "few" : "many", e->word[0],
                        primitives[k].usage);
    return TSR_OK;
  }
  const char *near = tsr_nearest(e->word[0], names, PRIMITIVES);
  return tsr_refuse(e->err, "no schedule primitive is named '%s'%s%s%s", e->word[0],
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static struct tir__state *copy_state(struct tsr_arena *a, const struct tir__state *from)
{
  struct tir__state *st = tsr_arena_copy(a, from, sizeof *from);
  st->stage = TSR_NEW_ARRAY(a, struct tir__sstage *, st->stages + 2);
  for (int k = 0; k < st->stages; k++)
    st->stage[k] = from->stage[k];
  return st;
}

/* Lowers in an arena of its own, so that only refusals cost nothing that stays. */
static enum tsr_status try_state(const struct tir_sched *s, struct tsr_err *err,
                                 const struct tir__state *st)
{
  struct tsr_arena *scratch = tsr_arena_new(tsr_arena_allocator(s->arena));
  if (!scratch || setjmp(*tsr_arena_landing(scratch))) {
    tsr_arena_free(scratch);
    tsr_arena_exhausted(s->arena);
  }
  enum tsr_status status = tir__check(scratch, err, s, st);
  tsr_arena_free(scratch);
  return status;
}

static enum tsr_status apply(struct tir__edit *e, const char *line)
{
  const struct primitive *p = NULL;
  enum tsr_status status = cut(e, line);
  if (status == TSR_OK)
    status = find_primitive(e, &p);
  if (status == TSR_OK)
    status = p->run(e);
  if (status == TSR_OK && p->check)
    status = try_state(e->sched, e->err, e->state);
  return status;
}

enum tsr_status tir_sched_apply(struct tir_sched *s, struct tsr_err *err, const char *line)
{
  struct tir__edit *e = TSR_NEW(s->arena, struct tir__edit);
  e->sched = s;
  e->arena = s->arena;
  e->state = copy_state(s->arena, s->state);
  e->err = err;
  enum tsr_status status = apply(e, line);
  if (status != TSR_OK)
    return status;
  s->state = e->state;
  for (int k = 0; k < e->words; k++)
    tsr_text_add(&s->text, "%s%s", k ? " " : "", e->word[k]);
  tsr_text_add(&s->text, "\n");
  return TSR_OK;
}

enum tsr_status tir_sched_do(struct tir_sched *s, struct tsr_err *err, const char *format, ...)
{
  char line[4096];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  if (n < 0 || (size_t)n >= sizeof line)
    return tsr_refuse(err, "a schedule line has at most %d characters", (int)sizeof line - 1);
  return tir_sched_apply(s, err, line);
}
