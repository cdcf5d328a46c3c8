/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of AXI4 that a master has to keep, watched while the memory answers. */
#ifndef TSR_HW_SIM_DRAM_RULES_H
#define TSR_HW_SIM_DRAM_RULES_H

#include <stdbool.h>

#include "hw/sim/dram/port.h"

struct tsr__axi_rules {
  int beat_bytes;
  uint64_t cycle;
  bool ar_held, aw_held, w_held; /* valid met no ready in the last cycle */
  struct tsr_axi_master last;    /* what was shown then, as far as it was held */
  char text[160];                /* the first rule that was broken */
};

/* Once a cycle in which the master shows something or something was held. */
void tsr__axi_rules_cycle(struct tsr__axi_rules *rules, const struct tsr_axi_master *master,
                          const struct tsr_axi_slave *slave);
/* A beat of a write burst was accepted. */
void tsr__axi_rules_beat(struct tsr__axi_rules *rules, bool is_last, int beat, int beats);

static inline bool tsr__axi_rules_wait(const struct tsr__axi_rules *rules)
{
  return rules->ar_held | rules->aw_held | rules->w_held;
}

#endif
