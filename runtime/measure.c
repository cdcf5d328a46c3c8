/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/measure.h"

#include "hw/sim/cycle/cycle.h"

enum tsr_status tsr__measure_cycles(void *context, const struct tsr_design *design,
                                    const struct tsr_program *program, uint64_t *cycles)
{
  struct tsr_cycle_options options = tsr_cycle_defaults(design);
  struct tsr_cycle *cycle;
  struct tsr_run_result result;
  options.timing_only = true;
  enum tsr_status status =
      tsr_cycle_open(context, NULL, design, &options, program->data, program->window_bytes, &cycle);
  if (status)
    return status;
  tsr_cycle_run(cycle, program->insns, program->insn_count, &result);
  tsr_cycle_close(cycle);
  *cycles = result.counters[TSR_COUNTER_CYCLES];
  return result.trap ? TSR_REFUSED : TSR_OK;
}
