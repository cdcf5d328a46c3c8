/* SPDX-License-Identifier: Apache-2.0 */
/* Loops bound to blocks and threads of a GPU. A stage at the root with bound loops is one kernel:
 * its loops over blocks come first, what stands between them and loops over threads is the same
 * for all threads of a block, and inside of loops over threads each thread is alone. */
#include "compiler/tir/lower.h"

static const struct tir__loop *leaf(const struct tir__place *p, int position)
{
  return &p->s->loop[p->s->leaf[position]];
}

static bool is_bound(const struct tir__place *p, int position)
{
  return leaf(p, position)->kind == TIR_BOUND && !tir__dropped(p, position);
}

static bool to_threads(const struct tir__place *p, int position)
{
  return is_bound(p, position) && leaf(p, position)->bind >= TIR_THREAD_X;
}

/* The loop around `position` of p that is bound to the same place, if there is one. */
static const struct tir__loop *bound_alike(const struct tir__place *p, int position)
{
  enum tir_bind bind = leaf(p, position)->bind;
  for (; p; position = p->in_position + 1, p = p->in)
    for (int k = 0; k < position; k++)
      if (is_bound(p, k) && leaf(p, k)->bind == bind)
        return leaf(p, k);
  return NULL;
}

static enum tsr_status check_block_loop(struct tir__lowering *l, const struct tir__place *p,
                                        int position)
{
  const char *name = leaf(p, position)->name, *to = tir_bind_name(leaf(p, position)->bind);
  if (p->in)
    return tsr_refuse(l->err,
                      "loop %s of stage %s can't be bound to %s: the stage is computed inside of "
                      "another, and only those at the root run over blocks",
                      name, p->s->name, to);
  for (int k = 0; k < position; k++)
    if (!tir__dropped(p, k) && (!is_bound(p, k) || to_threads(p, k)))
      return tsr_refuse(l->err,
                        "loop %s of stage %s can't be bound to %s: loop %s stands outside of it; "
                        "loops over blocks come first",
                        name, p->s->name, to, leaf(p, k)->name);
  if (p->extent[p->s->leaf[position]]->op != TIR_INT || leaf(p, position)->reduce)
    return tsr_refuse(l->err,
                      "loop %s of stage %s can't be bound to %s: it is a reduce loop, or its "
                      "extent is not constant",
                      name, p->s->name, to);
  return TSR_OK;
}

static enum tsr_status check_loops(struct tir__lowering *l, const struct tir__place *p)
{
  for (int k = 0; k < p->s->leaves; k++) {
    if (!is_bound(p, k))
      continue;
    const struct tir__loop *alike = bound_alike(p, k);
    if (alike)
      return tsr_refuse(l->err, "loop %s of stage %s is bound to %s, as loop %s around it is",
                        leaf(p, k)->name, p->s->name, tir_bind_name(leaf(p, k)->bind), alike->name);
    if (!to_threads(p, k) && check_block_loop(l, p, k))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

/* Whether some loop around where p is computed is bound; *thread: one of them to threads. */
static bool inside_bound(const struct tir__place *p, bool *thread)
{
  bool bound = false;
  for (; p->in; p = p->in)
    for (int k = 0; k <= p->in_position; k++) {
      bound |= is_bound(p->in, k);
      *thread |= to_threads(p->in, k);
    }
  return bound;
}

/* Memory that other threads can't see has to be theirs alone, and the other way round. */
static enum tsr_status check_scope(struct tir__lowering *l, const struct tir__place *p)
{
  enum tir_scope scope = p->s->scope;
  bool thread = false;
  if (!p->in || !inside_bound(p, &thread))
    return TSR_OK;
  if (thread && scope != TIR_REGISTER)
    return tsr_refuse(l->err,
                      "stage %s is computed in a loop bound to threads, so each thread has a "
                      "buffer of its own, which is of scope register, not %s",
                      p->s->name, tir_scope_name(scope));
  if (scope != TIR_REGISTER && scope != TIR_SHARED)
    return tsr_refuse(l->err,
                      "stage %s is computed in a loop bound to blocks, where buffers are of scope "
                      "shared or register, not %s",
                      p->s->name, tir_scope_name(scope));
  return TSR_OK;
}

enum tsr_status tir__check_bound(struct tir__lowering *l)
{
  for (int k = 0; k < l->state->stages; k++)
    if (check_loops(l, &l->place[k]) || check_scope(l, &l->place[k]))
      return TSR_REFUSED;
  return TSR_OK;
}
