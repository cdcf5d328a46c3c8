/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/graph.h"

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
  while (b) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* All channels of a DRAM: two transfers a tick on each pin. What its banks and rows cost is no
 * rule of the graph: it is in the rests. */
static void pins_of_ddr(const struct tsr_design *design, struct tsr__pins *pins)
{
  const struct tsr_ddr *d = &design->memory.ddr;
  uint64_t bytes = (uint64_t)d->channels * (uint64_t)d->bus_bits * 1000000;
  uint64_t cycles = 4 * (uint64_t)design->clock_mhz * (uint64_t)d->tCK_ps;
  uint64_t divisor = common_divisor(bytes, cycles);
  pins->rate = bytes / divisor;
  pins->per = cycles / divisor;
}

struct tsr__pins tsr__pins_of(const struct tsr_design *design)
{
  struct tsr__pins pins = {.per = 1, .latency = (uint64_t)design->memory.latency_cycles};
  if (design->memory.model == TSR_MEMORY_SIMPLE)
    pins.rate = (uint64_t)design->memory.bytes_per_cycle;
  if (design->memory.model == TSR_MEMORY_DDR)
    pins_of_ddr(design, &pins);
  return pins;
}
