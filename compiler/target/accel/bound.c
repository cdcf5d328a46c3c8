/* SPDX-License-Identifier: Apache-2.0 */
/* What a blocked node costs at the least, whatever its schedule: its products and its vector steps one
 * a cycle, and every byte that it reads or writes moved once. */
#include "compiler/target/accel/plan.h"

/* Places of the input, along rows or columns, that some window touches. */
static uint64_t touched(struct tsr_arena *a, const struct tsr__problem *p, int k)
{
  uint64_t count = 0;
  bool *seen = TSR_NEW_ARRAY(a, bool, p->in[k] + 1);
  for (int64_t o = 0; o < p->out[ROWS + k]; o++)
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

static uint64_t read_bytes(struct tsr_arena *a, const struct tsr__problem *p)
{
  const struct tsr_node *n = p->node;
  uint64_t map = bytes_of(n->in[0]), bytes = 0;
  for (int k = 1; k < n->inputs; k++)
    bytes += bytes_of(n->in[k]);
  if (p->kind != KIND_CONV && p->kind != KIND_CHANNELWISE)
    return bytes + map;
  uint64_t places = (uint64_t)(p->in[0] * p->in[1]);
  return bytes + map / places * touched(a, p, 0) * touched(a, p, 1);
}

struct tsr_accel_least tsr_accel_least(struct tsr_arena *a, const struct tsr_node *n,
                                       const struct tsr_design *d)
{
  struct tsr__problem p = tsr__problem_of(n, d);
  uint64_t peak = (uint64_t)tsr_design_lanes(d) * (uint64_t)d->block_in;
  uint64_t matrix = p.kind == KIND_CONV ? ((uint64_t)tsr_node_macs(n) + peak - 1) / peak : 0;
  uint64_t vector = bytes_of(n->out[0]) / (uint64_t)p.entry * (uint64_t)p.vector_steps;
  return (struct tsr_accel_least){matrix > vector ? matrix : vector, read_bytes(a, &p),
                                  bytes_of(n->out[0])};
}
