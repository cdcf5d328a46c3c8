/* SPDX-License-Identifier: Apache-2.0 */
/* One-dimensional maps [N, C, H] are two-dimensional ones [N, C, H, 1] of the same elements. */
#include <assert.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

bool tsr__is_map(const struct tsr_value *v)
{
  return v->rank == 3 || v->rank == 4;
}

struct tsr_value *tsr__as_map(struct tsr_graph *g, struct tsr_value *v)
{
  int64_t dims[4] = {v->dims[0], v->dims[1], v->dims[2], 1};
  return v->rank == 4 ? v : tsr__reshaped(g, v, 4, dims);
}

void tsr__kernel_as_map(struct tsr_value *w)
{
  assert(w->data && tsr__is_map(w));
  if (w->rank == 3)
    w->dims[w->rank++] = 1;
}

struct tsr_value *tsr__from_map(struct tsr_graph *g, struct tsr_value *v,
                                const struct tsr_value *like)
{
  return like->rank == 4 ? v : tsr__reshaped(g, v, like->rank, like->dims);
}

void tsr__map_ints(const struct tsr_node *n, const char *name, int64_t otherwise, int64_t out[2])
{
  out[1] = otherwise;
  tsr_node_ints(n, name, n->in[0]->rank - 2, otherwise, out);
}

void tsr__map_pads(const struct tsr_node *n, int64_t out[4])
{
  bool narrow = n->in[0]->rank == 3;
  tsr_node_ints(n, "pads", narrow ? 2 : 4, 0, out);
  if (!narrow)
    return;
  out[2] = out[1];
  out[1] = out[3] = 0;
}
