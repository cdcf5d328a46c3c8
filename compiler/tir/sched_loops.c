/* SPDX-License-Identifier: Apache-2.0 */
/* Primitives on one stage's loops: split, fuse, reorder, unroll, pipeline, tensorize. */
#include <string.h>

#include "compiler/tir/sched.h"

static const char *const marks[] = {[TIR_UNROLL] = "unrolled",
                                    [TIR_PIPELINE] = "pipelined",
                                    [TIR_PARALLEL] = "parallel"};

/* Stages computed at a loop, and the start of a tensorized part, hold on to it. */
static enum tsr_status check_free(struct tir__edit *e, const struct tir__sstage *s, int loop)
{
  const struct tir__state *st = e->state;
  const char *name = s->loop[loop].name, *verb = e->word[0];
  for (int k = 0; k < st->stages; k++)
    if (st->stage[k]->at == s->id && st->stage[k]->at_loop == loop)
      return tsr_refuse(e->err,
                        "can't %s loop %s of stage %s: stage %s is computed at it; %s first, "
                        "then compute_at",
                        verb, name, s->name, st->stage[k]->name, verb);
  if (s->intrinsic && s->tensor_loop == loop)
    return tsr_refuse(e->err,
                      "can't %s loop %s of stage %s: it is tensorized by %s; %s first, then "
                      "tensorize",
                      verb, name, s->name, s->intrinsic, verb);
  if (s->loop[loop].kind != TIR_SERIAL)
    return tsr_refuse(e->err,
                      "can't %s loop %s of stage %s: it is marked as %s; %s first, then mark "
                      "its parts",
                      verb, name, s->name, marks[s->loop[loop].kind], verb);
  return TSR_OK;
}

/* Appends a loop of s named by a word; s is the edit's own copy and has room for two. */
static enum tsr_status new_loop(struct tir__edit *e, struct tir__sstage *s, int word,
                                struct tir__loop loop)
{
  enum tsr_status status = tir__edit_new_loop(e, s, word);
  if (status != TSR_OK)
    return status;
  if (s->loops == TIR__MAX_LOOPS)
    return tsr_refuse(e->err,
                      "stage %s has %d loops, counting those split and fused: no more are "
                      "allowed",
                      s->name, s->loops);
  struct tir_var *var = TSR_NEW(e->arena, struct tir_var);
  var->name = tsr_arena_printf(e->arena, "%s.%s", s->name, e->word[word]);
  loop.name = e->word[word];
  loop.var = var;
  s->loop[s->loops++] = loop;
  return TSR_OK;
}

enum tsr_status tir__do_split(struct tir__edit *e)
{
  struct tir__sstage *s;
  int k;
  int64_t n;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, s, 2, &k);
  if (status == TSR_OK)
    status = tir__edit_number(e, 3, 1, INT32_MAX, &n);
  if (status == TSR_OK)
    status = check_free(e, s, k);
  if (status != TSR_OK)
    return status;
  int outer = s->loops, inner = s->loops + 1, position = tir__leaf_position(s, k);
  int64_t extent = s->loop[k].extent;
  struct tir__loop o = {.reduce = s->loop[k].reduce,
                        .extent = (extent + n - 1) / n,
                        .source = TIR__SPLIT_OUTER,
                        .of = {k},
                        .factor = n};
  struct tir__loop i = {.reduce = s->loop[k].reduce,
                        .extent = extent < n ? extent : n,
                        .source = TIR__SPLIT_INNER,
                        .of = {k},
                        .factor = n};
  status = new_loop(e, s, 4, o);
  if (status == TSR_OK)
    status = new_loop(e, s, 5, i);
  if (status != TSR_OK)
    return status;
  s->loop[k].use = TIR__SPLIT;
  s->loop[k].into[0] = outer;
  s->loop[k].into[1] = inner;
  memmove(&s->leaf[position + 1], &s->leaf[position],
          (size_t)(s->leaves++ - position) * sizeof s->leaf[0]);
  s->leaf[position] = outer;
  s->leaf[position + 1] = inner;
  return TSR_OK;
}

static enum tsr_status check_fuse(struct tir__edit *e, const struct tir__sstage *s, int outer,
                                  int inner)
{
  const char *a = s->loop[outer].name, *b = s->loop[inner].name;
  int position = tir__leaf_position(s, outer);
  if (position + 1 >= s->leaves || s->leaf[position + 1] != inner)
    return tsr_refuse(e->err,
                      "can't fuse loops %s and %s of stage %s: %s is not the next loop inside "
                      "of %s; reorder first",
                      a, b, s->name, b, a);
  if (s->loop[outer].reduce != s->loop[inner].reduce)
    return tsr_refuse(e->err,
                      "can't fuse loops %s and %s of stage %s: one is a reduce loop and the "
                      "other is not",
                      a, b, s->name);
  enum tsr_status status = check_free(e, s, outer);
  return status == TSR_OK ? check_free(e, s, inner) : status;
}

enum tsr_status tir__do_fuse(struct tir__edit *e)
{
  struct tir__sstage *s;
  int outer, inner;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, s, 2, &outer);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, s, 3, &inner);
  if (status == TSR_OK)
    status = check_fuse(e, s, outer, inner);
  if (status != TSR_OK)
    return status;
  int fused = s->loops, position = tir__leaf_position(s, outer);
  struct tir__loop f = {.reduce = s->loop[outer].reduce,
                        .source = TIR__FUSED,
                        .of = {outer, inner},
                        .extent = s->loop[outer].extent * s->loop[inner].extent};
  status = new_loop(e, s, 4, f);
  if (status != TSR_OK)
    return status;
  s->loop[outer].use = TIR__FUSED_OUTER;
  s->loop[inner].use = TIR__FUSED_INNER;
  s->loop[outer].into[0] = s->loop[inner].into[0] = fused;
  s->leaf[position] = fused;
  memmove(&s->leaf[position + 1], &s->leaf[position + 2],
          (size_t)(--s->leaves - position - 1) * sizeof s->leaf[0]);
  return TSR_OK;
}

/* --- reorder ---------------------------------------------------------------------------------- */

static bool sums_floats(const struct tir__sstage *s)
{
  return tir__is_float(s->out->dtype) && (s->combine == TIR_SUM || s->combine == TIR_PRODUCT);
}

/* The reduce loops that iterate, outer to inner. */
static int reduce_leaves(const struct tir__sstage *s, const int *leaf, int out[TIR__MAX_LOOPS])
{
  int n = 0;
  for (int k = 0; k < s->leaves; k++)
    if (s->loop[leaf[k]].reduce && s->loop[leaf[k]].extent != 1)
      out[n++] = leaf[k];
  return n;
}

/* Floats are summed in the order of the reduce loops, and other orders give other bits. */
static enum tsr_status check_sum_order(struct tir__edit *e, const struct tir__sstage *s,
                                       const int *before)
{
  int old[TIR__MAX_LOOPS], new[TIR__MAX_LOOPS];
  int n = reduce_leaves(s, before, old);
  reduce_leaves(s, s->leaf, new);
  for (int k = 0; k < n && sums_floats(s); k++)
    if (old[k] != new[k])
      return tsr_refuse(e->err,
                        "reordering loop %s of stage %s before loop %s would change the order "
                        "of a float %s; keep the reduce loops in their order",
                        s->loop[new[k]].name, s->name, s->loop[old[k]].name,
                        s->combine == TIR_SUM ? "sum" : "product");
  return TSR_OK;
}

enum tsr_status tir__do_reorder(struct tir__edit *e)
{
  struct tir__sstage *s;
  int named[TIR__MAX_WORDS], before[TIR__MAX_LOOPS], n = e->words - 2, next = 0;
  bool taken[TIR__MAX_LOOPS] = {false};
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  for (int k = 0; k < n && status == TSR_OK; k++) {
    status = tir__edit_leaf(e, s, 2 + k, &named[k]);
    if (status == TSR_OK && taken[named[k]])
      status =
          tsr_refuse(e->err, "reorder of stage %s names loop %s twice", s->name, e->word[2 + k]);
    if (status == TSR_OK)
      taken[named[k]] = true;
  }
  if (status != TSR_OK)
    return status;
  memcpy(before, s->leaf, (size_t)s->leaves * sizeof before[0]);
  for (int k = 0; k < s->leaves; k++)
    if (taken[before[k]])
      s->leaf[k] = named[next++];
  return check_sum_order(e, s, before);
}

/* --- annotations ------------------------------------------------------------------------------ */

static enum tsr_status annotate(struct tir__edit *e, enum tir_loop_kind kind, int64_t depth)
{
  struct tir__sstage *s;
  int k;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, s, 2, &k);
  if (status != TSR_OK)
    return status;
  if (s->intrinsic && tir__leaf_position(s, k) >= tir__leaf_position(s, s->tensor_loop))
    return tsr_refuse(e->err, "can't %s loop %s of stage %s: it is tensorized by %s", e->word[0],
                      s->loop[k].name, s->name, s->intrinsic);
  s->loop[k].kind = kind;
  s->loop[k].depth = (int)depth;
  return TSR_OK;
}

enum tsr_status tir__do_unroll(struct tir__edit *e)
{
  return annotate(e, TIR_UNROLL, 0);
}

/* Iterations that run side by side must not meet: those of a spatial loop write elements of their
 * own. */
enum tsr_status tir__do_parallel(struct tir__edit *e)
{
  struct tir__sstage *s;
  int k;
  enum tsr_status status = annotate(e, TIR_PARALLEL, 0);
  if (status == TSR_OK)
    status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, s, 2, &k);
  if (status == TSR_OK && s->loop[k].reduce)
    return tsr_refuse(e->err,
                      "can't run loop %s of stage %s in parallel: it is a reduce loop, whose "
                      "iterations add to the same elements",
                      s->loop[k].name, s->name);
  return status;
}

enum tsr_status tir__do_pipeline(struct tir__edit *e)
{
  int64_t depth;
  enum tsr_status status = tir__edit_number(e, 3, 1, 64, &depth);
  return status == TSR_OK ? annotate(e, TIR_PIPELINE, depth) : status;
}

enum tsr_status tir__do_tensorize(struct tir__edit *e)
{
  struct tir__sstage *s;
  int k;
  enum tsr_status status = tir__edit_stage(e, 1, &s);
  if (status == TSR_OK)
    status = tir__edit_leaf(e, s, 2, &k);
  if (status != TSR_OK)
    return status;
  if (s->intrinsic)
    return tsr_refuse(e->err, "stage %s is tensorized already, by %s", s->name, s->intrinsic);
  for (int i = tir__leaf_position(s, k); i < s->leaves; i++)
    if (s->loop[s->leaf[i]].kind != TIR_SERIAL)
      return tsr_refuse(e->err,
                        "can't tensorize loop %s of stage %s: loop %s inside of it is marked",
                        s->loop[k].name, s->name, s->loop[s->leaf[i]].name);
  s->intrinsic = e->word[3];
  s->tensor_loop = k;
  return TSR_OK;
}
