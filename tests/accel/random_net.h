/* SPDX-License-Identifier: Apache-2.0 */
/* Random small networks of integer ops, for comparing the accelerator with the interpreter. */
#ifndef TSR_TESTS_ACCEL_RANDOM_NET_H
#define TSR_TESTS_ACCEL_RANDOM_NET_H

#include "compiler/graph/graph.h"

struct random {
  uint64_t state;
};

static inline uint32_t random_bits(struct random *r) /* xorshift64*, Vigna 2016 */
{
  r->state ^= r->state >> 12;
  r->state ^= r->state << 25;
  r->state ^= r->state >> 27;
  return (uint32_t)((r->state * 0x2545f4914f6cdd1du) >> 32);
}

static inline int64_t random_in(struct random *r, int64_t lo, int64_t hi) /* both included */
{
  return lo + (int64_t)(random_bits(r) % (uint64_t)(hi - lo + 1));
}

enum net_kind { NET_CONV, NET_DEPTHWISE, NET_GROUPED, NET_DENSE, NET_ELEMENTWISE, NET_POOL, NET_JOINED, NET_MIXED,
                NET_CHAIN, NET_FED_CONV, NET_FED_POOL, NET_KINDS };

extern const char *const net_kind_names[NET_KINDS];

/* One input "x", one output "y", int8 both. */
struct tsr_graph *random_net(struct tsr_arena *a, struct random *r, enum net_kind kind);

#endif
