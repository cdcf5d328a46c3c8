/* SPDX-License-Identifier: Apache-2.0 */
/* Where values lie that are joined or cut. What AccConcat and AccInterleave join lies in their result,
 * what AccSlice cuts in its operand: instructions read and write it there with its steps, and nothing is
 * copied. */
#include "compiler/target/accel/accel.h"

enum { CB = 1, PH, PW, BLOCKED_RANK = 6 };

bool tsr_accel_is_view(enum tsr_gop op)
{
  return op == TSR_G_AccConcat || op == TSR_G_AccInterleave || op == TSR_G_AccSlice;
}

/* The node that joins v with others, v being its input *which; else NULL. */
static const struct tsr_node *joined_by(const struct tsr_graph *g, const struct tsr_value *v,
                                        int *which)
{
  for (int k = 0; k < g->nodes; k++) {
    const struct tsr_node *n = g->node[k];
    if (n->op != TSR_G_AccConcat && n->op != TSR_G_AccInterleave)
      continue;
    for (*which = 0; *which < n->inputs; ++*which)
      if (n->in[*which] == v)
        return n;
  }
  return NULL;
}

/* Along dim d, element i becomes element first + i * by. */
static void follow(struct tsr_accel_view *w, int d, int64_t first, int64_t by)
{
  w->first[d] = first + w->first[d] * by;
  w->by[d] *= by;
}

static void into_result(struct tsr_accel_view *w, const struct tsr_node *n, int which)
{
  int64_t factor[2], before = 0;
  if (n->op == TSR_G_AccInterleave) {
    tsr_node_ints(n, "factor", 2, 1, factor);
    follow(w, PH, which / factor[1], factor[0]);
    follow(w, PW, which % factor[1], factor[1]);
  } else {
    int axis = (int)tsr_node_int(n, "axis", CB);
    for (int k = 0; k < which; k++)
      before += n->in[k]->dims[axis];
    follow(w, axis, before, 1);
  }
  w->whole = n->out[0];
}

struct tsr_accel_view tsr_accel_view_of(const struct tsr_graph *g, const struct tsr_value *v)
{
  struct tsr_accel_view w = {.whole = v};
  int which;
  for (int d = 0; d < BLOCKED_RANK; d++)
    w.by[d] = 1;
  for (;;) {
    const struct tsr_node *producer = w.whole->producer, *joins = joined_by(g, w.whole, &which);
    if (joins) {
      into_result(&w, joins, which);
    } else if (producer && producer->op == TSR_G_AccSlice) {
      int64_t starts[3];
      tsr_node_ints(producer, "starts", 3, 0, starts);
      for (int k = 0; k < 3; k++)
        follow(&w, CB + k, starts[k], 1);
      w.whole = producer->in[0];
    } else {
      return w;
    }
  }
}
