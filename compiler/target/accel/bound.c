/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer costs at the least, whatever its schedule: its products and its vector steps one
 * a cycle, and every byte that it reads or writes moved once. */
#include "compiler/target/accel/plan.h"

/* Places of the input, along rows or columns, that some window touches. */
static uint64_t touched(struct tsr_arena *a, const struct tsr__problem *p, int k)
{
  uint64_t count = 0;
  bool *seen = TSR_NEW_ARRAY(a, bool, p->in[k] + 1);
  for (int64_t o = 0; o < tsr__extent(p, ROWS + k); o++)
    for (int64_t tap = 0; tap < p->kernel[k]; tap++) {
      int64_t at = o * p->stride[k] + tap * p->dilation[k] - p->pad[k];
      if (at < 0 || at >= p->in[k] || seen[at])
        continue;
      seen[at] = true;
      count++;
    }
  return count;
}

static uint64_t bytes_of(const struct tsr_value *v)
{
  struct tsr_tensor t = tsr_value_tensor(v);
  return tsr_tensor_bytes(&t);
}

/* Of one op; `made`: its first input is another's result in the layer. What is resident is not read. */
static uint64_t read_bytes(struct tsr_arena *a, const struct tsr__problem *p, bool made)
{
  const struct tsr_node *n = p->node;
  uint64_t map = made || p->in_inp[0] ? 0 : bytes_of(n->in[0]), bytes = 0;
  for (int k = 1; k < n->inputs; k++)
    bytes += k < 2 && p->in_inp[k] ? 0 : bytes_of(n->in[k]);
  if (p->kind != KIND_CONV && p->kind != KIND_CHANNELWISE)
    return bytes + map;
  uint64_t places = (uint64_t)(p->in[0] * p->in[1]);
  return bytes + map / places * touched(a, p, 0) * touched(a, p, 1);
}

struct tsr_accel_least tsr_accel_least(struct tsr_arena *a, const struct tsr_accel_group *g,
                                       const struct tsr_design *d)
{
  uint64_t peak = (uint64_t)tsr_design_lanes(d) * (uint64_t)d->block_in, matrix = 0, vector = 0;
  struct tsr_accel_least least = {0};
  for (int k = 0; k < g->nodes; k++) {
    struct tsr_node *n = g->node[k];
    struct tsr_accel_group alone = *g;
    alone.nodes = 1;
    alone.node[0] = n;
    struct tsr__problem p = tsr__problem_of(a, &alone, d);
    if (p.kind == KIND_CONV)
      matrix += ((uint64_t)tsr_node_macs(n) + peak - 1) / peak;
    vector += bytes_of(n->out[0]) / (uint64_t)p.entry * (uint64_t)p.vector_steps;
    least.read_bytes += read_bytes(a, &p, k > 0);
    least.write_bytes = p.stays ? 0 : bytes_of(n->out[0]);
  }
  least.cycles = matrix > vector ? matrix : vector;
  return least;
}
