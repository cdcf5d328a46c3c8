/* SPDX-License-Identifier: Apache-2.0 */
/* A limit of bursts in flight: from the address to the last beat of a read, or to the answer of a
 * write. They end one by one, so that one more has room when all but `most` - 1 of those before it
 * have ended. */
#ifndef TSR_HW_SIM_DRAM_LIMIT_H
#define TSR_HW_SIM_DRAM_LIMIT_H

#include "hw/sim/dram/dram.h"

struct tsr_limit {
  int most; /* so many at once; 0: no limit */
  uint64_t begun, ended;
  uint64_t ends[TSR_DRAM_BURSTS]; /* cycles of the latest, in a ring; they may be to come */
};

static inline void tsr_limit_clear(struct tsr_limit *limit)
{
  limit->begun = limit->ended = 0;
}

static inline void tsr_limit_begin(struct tsr_limit *limit)
{
  limit->begun++;
}

static inline void tsr_limit_end(struct tsr_limit *limit, uint64_t cycle)
{
  limit->ends[limit->ended++ % TSR_DRAM_BURSTS] = cycle;
}

/* The first cycle, from this one on, in which there is room for another burst; UINT64_MAX: none
 * whose end is known makes some. */
static inline uint64_t tsr_limit_room(const struct tsr_limit *limit, uint64_t cycle)
{
  uint64_t most = (uint64_t)limit->most;
  if (!most || limit->begun < most)
    return cycle;
  if (limit->begun - limit->ended >= most)
    return UINT64_MAX;
  uint64_t end = limit->ends[(limit->begun - most) % TSR_DRAM_BURSTS];
  return end > cycle ? end : cycle;
}

#endif
