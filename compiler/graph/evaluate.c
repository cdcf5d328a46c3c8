/* SPDX-License-Identifier: Apache-2.0 */
/* Running one node on elements that are known while compiling. */
#include "compiler/graph/graph_private.h"

static enum tsr_status run(struct tsr_arena *a, struct tsr_err *err, const struct tsr_node *n,
                           const void *const *in, void **out)
{
  struct tsr_node shadow = *n; /* with constants for inputs: a compute may look at their elements */
  struct tsr_value *value = TSR_NEW_ARRAY(a, struct tsr_value, n->inputs);
  void **params = TSR_NEW_ARRAY(a, void *, n->inputs + n->outputs);
  struct tir_func *f;
  int count = 0;
  shadow.in = TSR_NEW_ARRAY(a, struct tsr_value *, n->inputs);
  for (int k = 0; k < n->inputs; k++)
    if (n->in[k]) {
      value[k] = *n->in[k];
      value[k].data = in[k];
      shadow.in[k] = &value[k];
      params[count++] = (void *)in[k];
    }
  for (int k = 0; k < n->outputs; k++)
    if (n->out[k])
      params[count++] = out[k];
  enum tsr_status s = tsr_node_compute(a, err, &shadow, &f);
  return s == TSR_OK ? tir_func_run(a, err, f, params) : s;
}

/* The code and buffers of the computation live in an arena that goes with it. */
enum tsr_status tsr__evaluate(struct tsr_arena *a, struct tsr_err *err, const struct tsr_node *n,
                              const void *const *in, void **out)
{
  struct tsr_arena *scratch = tsr_arena_new(tsr_arena_allocator(a));
  if (!scratch || setjmp(*tsr_arena_landing(scratch))) {
    tsr_arena_free(scratch);
    tsr_arena_exhausted(a);
  }
  enum tsr_status s = run(scratch, err, n, in, out);
  tsr_arena_free(scratch);
  return s;
}
