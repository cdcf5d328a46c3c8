/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a schedule line: stages, loops, numbers and new names, looked up and refused. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/tir/sched.h"

int tir__stage_index(const struct tir__state *st, int id)
{
  for (int k = 0; k < st->stages; k++)
    if (st->stage[k]->id == id)
      return k;
  return -1;
}

int tir__stage_of(const struct tir__state *st, const struct tir_buffer *b)
{
  for (int k = 0; k < st->stages; k++)
    if (st->stage[k]->out == b)
      return k;
  return -1;
}

int tir__leaf_position(const struct tir__sstage *s, int loop)
{
  for (int k = 0; k < s->leaves; k++)
    if (s->leaf[k] == loop)
      return k;
  return -1;
}

/* --- refusals that name what there is --------------------------------------------------------- */

static enum tsr_status refuse_name(struct tir__edit *e, const char *what, const char *of,
                                   const char *given, const char *const *names, int n)
{
  const char *near = tsr_nearest(given, names, n);
  struct tsr_text all = {.arena = e->arena};
  for (int k = 0; k < n && k < 24; k++)
    tsr_text_add(&all, "%s%s", k ? ", " : "", names[k]);
  if (near)
    return tsr_refuse(e->err, "%s has no %s named '%s'; did you mean '%s'?", of, what, given, near);
  return tsr_refuse(e->err, "%s has no %s named '%s'; it has %s", of, what, given,
                    n ? all.data : "none");
}

struct tir__sstage *tir__edit_own(struct tir__edit *e, int index)
{
  struct tir__sstage *s = tsr_arena_copy(e->arena, e->state->stage[index], sizeof *s);
  struct tir__loop *loop = TSR_NEW_ARRAY(e->arena, struct tir__loop, s->loops + 2);
  int *leaf = TSR_NEW_ARRAY(e->arena, int, s->leaves + 2);
  if (s->loops)
    memcpy(loop, s->loop, (size_t)s->loops * sizeof *loop);
  if (s->leaves)
    memcpy(leaf, s->leaf, (size_t)s->leaves * sizeof *leaf);
  s->loop = loop;
  s->leaf = leaf;
  return e->state->stage[index] = s;
}

void tir__edit_insert(struct tir__edit *e, int index, struct tir__sstage *s)
{
  struct tir__state *st = e->state;
  struct tir__sstage **list = TSR_NEW_ARRAY(e->arena, struct tir__sstage *, st->stages + 1);
  for (int k = 0; k < st->stages; k++)
    list[k + (k >= index)] = st->stage[k];
  list[index] = s;
  st->stage = list;
  st->stages++;
}

enum tsr_status tir__edit_stage(struct tir__edit *e, int word, struct tir__sstage **out)
{
  const struct tir__state *st = e->state;
  const char **names = TSR_NEW_ARRAY(e->arena, const char *, st->stages + 1);
  for (int k = 0; k < st->stages; k++) {
    names[k] = st->stage[k]->name;
    if (strcmp(names[k], e->word[word]))
      continue;
    if (st->stage[k]->moves && strcmp(e->word[0], "tensorize"))
      return tsr_refuse(e->err,
                        "can't %s stage %s: it moves what a stage that slides keeps, and can be "
                        "tensorized, but not be changed",
                        e->word[0], names[k]);
    *out = tir__edit_own(e, k);
    return TSR_OK;
  }
  return refuse_name(e, "stage", e->sched->func->name, e->word[word], names, st->stages);
}

enum tsr_status tir__edit_leaf(struct tir__edit *e, const struct tir__sstage *s, int word, int *out)
{
  const char *given = e->word[word], *names[TIR__MAX_LOOPS];
  for (int k = 0; k < s->leaves; k++) {
    names[k] = s->loop[s->leaf[k]].name;
    if (!strcmp(names[k], given)) {
      *out = s->leaf[k];
      return TSR_OK;
    }
  }
  for (int k = 0; k < s->loops; k++)
    if (!strcmp(s->loop[k].name, given))
      return tsr_refuse(e->err, "loop %s of stage %s is gone: it was %s; name one of its parts",
                        given, s->name, s->loop[k].use == TIR__SPLIT ? "split" : "fused");
  return refuse_name(e, "loop", tsr_arena_printf(e->arena, "stage %s", s->name), given, names,
                     s->leaves);
}

enum tsr_status tir__edit_number(struct tir__edit *e, int word, int64_t least, int64_t most,
                                 int64_t *out)
{
  char *end;
  long long n = strtoll(e->word[word], &end, 10);
  if (!isdigit((unsigned char)e->word[word][0]) || *end || n < least || n > most)
    return tsr_refuse(e->err, "%s wants a whole number from %lld to %lld, not '%s'", e->word[0],
                      (long long)least, (long long)most, e->word[word]);
  *out = n;
  return TSR_OK;
}

enum tsr_status tir__edit_scope(struct tir__edit *e, int word, enum tir_scope *out)
{
  const char *names[TIR_SCOPE_COUNT];
  for (int k = 0; k < TIR_SCOPE_COUNT; k++)
    names[k] = tir_scope_name(k);
  if (tir_scope_from_name(e->word[word], out))
    return TSR_OK;
  return refuse_name(e, "scope", "tensor IR", e->word[word], names, TIR_SCOPE_COUNT);
}

/* --- new names -------------------------------------------------------------------------------- */

static bool ends_with(const char *s, const char *end)
{
  size_t n = strlen(s), m = strlen(end);
  return n >= m && !strcmp(s + n - m, end);
}

/* Lowering makes loops named STAGE.LOOP.init. */
static enum tsr_status check_name(struct tir__edit *e, const char *name)
{
  if (!tir__name_ok(name))
    return tsr_refuse(
        e->err, "'%s' is not a name; use letters, digits, '_' and '.', not a digit first", name);
  if (ends_with(name, ".init"))
    return tsr_refuse(e->err, "'%s' ends in '.init', which is kept for loops that lowering makes",
                      name);
  return TSR_OK;
}

/* Whether a loop's variable is named so, or, with `prefix`, starts so. */
static bool var_taken(const struct tir__state *st, const char *name, bool prefix)
{
  size_t n = strlen(name) + !prefix;
  for (int k = 0; k < st->stages; k++)
    for (int i = 0; i < st->stage[k]->loops; i++)
      if (!strncmp(st->stage[k]->loop[i].var->name, name, n))
        return true;
  return false;
}

enum tsr_status tir__edit_new_name(struct tir__edit *e, int word)
{
  const char *name = e->word[word];
  const struct tir__state *st = e->state;
  const struct tir_func *f = e->sched->func;
  bool taken = var_taken(st, tsr_arena_printf(e->arena, "%s.", name), true);
  for (int k = 0; k < st->stages; k++)
    taken |= !strcmp(st->stage[k]->name, name) || !strcmp(st->stage[k]->out->name, name);
  for (int k = 0; k < f->params; k++)
    taken |= !strcmp(f->param[k]->name, name);
  if (taken)
    return tsr_refuse(e->err,
                      "the name '%s' is taken by a stage, a buffer or loops; choose another", name);
  return check_name(e, name);
}

enum tsr_status tir__edit_new_loop(struct tir__edit *e, const struct tir__sstage *s, int word)
{
  const char *name = e->word[word];
  for (int k = 0; k < s->loops; k++)
    if (!strcmp(s->loop[k].name, name))
      return tsr_refuse(e->err, "stage %s has, or had, a loop named '%s'; choose another name",
                        s->name, name);
  if (var_taken(e->state, tsr_arena_printf(e->arena, "%s.%s", s->name, name), false))
    return tsr_refuse(e->err, "'%s.%s' is the loop of another stage; choose another name", s->name,
                      name);
  return check_name(e, name);
}
