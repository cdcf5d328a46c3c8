/* SPDX-License-Identifier: Apache-2.0 */
/* When a burst's beats come and go in a quiet memory. */
#include "hw/sim/dram/dram.h"

struct tsr_dram_options tsr_dram_defaults(const struct tsr_design *design)
{
  return (struct tsr_dram_options){
      .model = design->memory.model,
      .latency_cycles = design->memory.latency_cycles,
      .bytes_per_cycle = design->memory.bytes_per_cycle,
  };
}

struct tsr_dram_timing tsr_dram_timing(const struct tsr_dram_options *options, int beat_bytes)
{
  bool simple = options->model == TSR_MEMORY_SIMPLE;
  return (struct tsr_dram_timing){
      .beat_bytes = beat_bytes,
      .latency_cycles = simple ? options->latency_cycles : 0,
      .bytes_per_cycle = simple ? (uint64_t)options->bytes_per_cycle : 0,
  };
}

struct tsr_dram_slot tsr_dram_reserve(struct tsr_dram_timing *timing, uint64_t cycle, int beats)
{
  uint64_t now = cycle * timing->bytes_per_cycle;
  uint64_t start = now > timing->free ? now : timing->free;
  timing->free = start + (uint64_t)beats * (uint64_t)timing->beat_bytes;
  return (struct tsr_dram_slot){cycle, start};
}

/* The cycle behind the one in which the pins have moved this beat. */
static uint64_t moved(const struct tsr_dram_timing *timing, struct tsr_dram_slot slot, int beat)
{
  uint64_t rate = timing->bytes_per_cycle;
  if (!rate)
    return slot.cycle + 1 + (uint64_t)beat;
  return (slot.start + (uint64_t)(beat + 1) * (uint64_t)timing->beat_bytes + rate - 1) / rate;
}

uint64_t tsr_dram_read_cycle(const struct tsr_dram_timing *timing, struct tsr_dram_slot slot,
                             int beat)
{
  return moved(timing, slot, beat) + (uint64_t)timing->latency_cycles;
}

uint64_t tsr_dram_write_cycle(const struct tsr_dram_timing *timing, struct tsr_dram_slot slot,
                              int beat)
{
  return moved(timing, slot, beat) - 1;
}

uint64_t tsr_dram_answer_cycle(const struct tsr_dram_timing *timing, uint64_t last)
{
  return last + 1 + (uint64_t)timing->latency_cycles;
}
