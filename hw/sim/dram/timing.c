/* SPDX-License-Identifier: Apache-2.0 */
/* When a burst's beats can move, but for `ddr`. `ideal` never makes a beat wait. `simple` has pins
 * that move bytes_per_cycle, one burst after the other, each from the cycle on in which its address was
 * accepted; what is read then takes latency_cycles more. */
#include "hw/sim/dram/memory.h"

/* A burst's share of the pins: when it begins, in 1/bytes_per_cycle. */
static uint64_t reserve(struct tsr_dram *dram, uint64_t cycle, int beats)
{
  uint64_t now = cycle * (uint64_t)dram->options.bytes_per_cycle;
  uint64_t start = now > dram->pins_free ? now : dram->pins_free;
  dram->pins_free = start + (uint64_t)beats * (uint64_t)dram->beat_bytes;
  return start;
}

/* The pins have moved a beat by then, rounded up; it is shown in the cycle behind. */
struct tsr_beats tsr__dram_reserve_read(struct tsr_dram *dram, uint64_t cycle, int beats,
                                        uint64_t extra)
{
  if (dram->options.model == TSR_MEMORY_IDEAL)
    return (struct tsr_beats){cycle + 1 + extra, 1, 1};
  uint64_t beat = (uint64_t)dram->beat_bytes, rate = (uint64_t)dram->options.bytes_per_cycle;
  uint64_t late = ((uint64_t)dram->latency_cycles + extra) * rate;
  return (struct tsr_beats){reserve(dram, cycle, beats) + beat + rate - 1 + late, (uint32_t)beat,
                            (uint32_t)rate};
}

/* A beat is accepted in the cycle in which the pins have moved its last byte; `ddr` has room for
 * all beats of what it has accepted. */
struct tsr_beats tsr__dram_reserve_write(struct tsr_dram *dram, uint64_t cycle, int beats)
{
  if (dram->options.model != TSR_MEMORY_SIMPLE)
    return (struct tsr_beats){cycle, 1, 1};
  uint64_t beat = (uint64_t)dram->beat_bytes;
  return (struct tsr_beats){reserve(dram, cycle, beats) + beat - 1, (uint32_t)beat,
                            (uint32_t)dram->options.bytes_per_cycle};
}
