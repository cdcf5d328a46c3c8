/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/measure.h"

#include "hw/sim/cycle/cycle.h"

struct watch {
  size_t from;
  uint64_t before; /* when the last instruction in front of `from` retired */
};

static void note(void *context, const struct tsr_cycle_insn *insn)
{
  struct watch *w = context;
  if (insn->insn < w->from && insn->retired > w->before)
    w->before = insn->retired;
}

enum tsr_status tsr__measure_cycles(void *context, const struct tsr_design *design,
                                    const struct tsr_program *program, size_t from,
                                    uint64_t *cycles)
{
  struct tsr_cycle_options options = tsr_cycle_defaults(design);
  struct watch watch = {.from = from};
  struct tsr_cycle *cycle;
  struct tsr_run_result result;
  options.timing_only = true;
  options.insn = note;
  options.context = &watch;
  enum tsr_status status =
      tsr_cycle_open(context, NULL, design, &options, program->data, program->window_bytes, &cycle);
  if (status)
    return status;
  tsr_cycle_run(cycle, program->insns, program->insn_count, &result);
  tsr_cycle_close(cycle);
  *cycles = result.counters[TSR_COUNTER_CYCLES] - watch.before;
  return result.trap ? TSR_REFUSED : TSR_OK;
}
