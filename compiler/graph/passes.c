/* SPDX-License-Identifier: Apache-2.0 */
/* The list of passes, the verifier after each. */
#include "compiler/graph/graph_private.h"

static const struct tsr_pass passes[] = {
#define TSR_PASS(name, meaning) {#name, meaning, tsr__pass_##name},
#include "compiler/graph/passes.def"
#undef TSR_PASS
    {NULL, NULL, NULL},
};

const struct tsr_pass *tsr_passes(void)
{
  return passes;
}

enum tsr_status tsr__pass_infer(struct tsr_err *err, struct tsr_graph *g)
{
  return tsr_graph_infer(err, g);
}

/* A node made in place of another takes its name, now that the other is gone. */
static void settle_names(struct tsr_graph *g)
{
  struct tsr__names *taken = tsr__names_new(g->arena);
  for (int k = 0; k < g->nodes; k++)
    tsr__names_add(taken, g->node[k]->name, g->node[k]);
  for (int k = 0; k < g->nodes; k++) {
    struct tsr_node *n = g->node[k];
    if (!tsr__names_find(taken, n->asked))
      n->name = tsr__names_add(taken, n->asked, n);
  }
}

enum tsr_status tsr__pass_dce(struct tsr_err *err, struct tsr_graph *g)
{
  (void)err;
  tsr__sweep(g);
  settle_names(g);
  return TSR_OK;
}

static enum tsr_status run_pass(struct tsr_err *err, struct tsr_graph *g,
                                const struct tsr_pass *pass)
{
  enum tsr_status s = pass->run(err, g);
  return s == TSR_OK ? tsr_graph_verify(err, g) : s;
}

enum tsr_status tsr_graph_optimize(struct tsr_err *err, struct tsr_graph *g,
                                   void (*after)(void *context, const char *pass,
                                                 const struct tsr_graph *g),
                                   void *context)
{
  enum tsr_status s = tsr_graph_verify(err, g);
  if (s != TSR_OK)
    return s;
  for (const struct tsr_pass *pass = passes; pass->name; pass++) {
    s = run_pass(err, g, pass);
    if (s == TSR_REFUSED)
      return tsr_refuse_at(err, "pass %s", pass->name);
    if (s != TSR_OK)
      return s;
    if (after)
      after(context, pass->name, g);
  }
  return TSR_OK;
}
