/* SPDX-License-Identifier: Apache-2.0 */
/* What one needs who puts the model into a larger machine. */
#include "hw/sim/cycle/machine.h"

void tsr_cycle_place(struct tsr_cycle *m, uint64_t program, uint8_t *window, size_t window_bytes)
{
  m->program = program;
  m->window = window;
  m->window_bytes = window_bytes;
}

void tsr_cycle_engine(const struct tsr_cycle *m, int engine, struct tsr_cycle_stand *out)
{
  const struct tsr__account *a = &m->accounts[engine];
  *out = (struct tsr_cycle_stand){
      .state = (enum tsr_state)a->state, .insn = a->insn, .others = a->others};
}
