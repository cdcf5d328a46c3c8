/* SPDX-License-Identifier: Apache-2.0 */
/* What one needs who puts the model into a larger machine. */
#include "hw/sim/cycle/machine.h"

void tsr_cycle_place(struct tsr_cycle *m, uint64_t program, uint8_t *window, size_t window_bytes)
{
  m->program = program;
  m->window = window;
  m->window_bytes = window_bytes;
}

struct tsr_stand tsr_cycle_engine(const struct tsr_cycle *m, int engine)
{
  return m->accounts[engine].stand;
}
