/* SPDX-License-Identifier: Apache-2.0 */
/* What hw/sim/explain.h has to know of a program that stopped, from the machine's registers. */
#include <inttypes.h>

#include "hw/sim/explain.h"
#include "hw/sim/rtl/machine.h"

enum { STATE_BITS = 8, STATE_MASK = 255, OTHERS_MASK = 15 };

static uint64_t read_pair(struct tsr_rtl *rtl, uint32_t low_offset)
{
  uint32_t low = 0, high = 0;
  tsr_rtl_read_register(rtl, low_offset, &low);
  tsr_rtl_read_register(rtl, low_offset + 4, &high);
  return (uint64_t)high << 32 | low;
}

static void explain_design(struct tsr_rtl *rtl, const struct tsr_explain *x)
{
  tsr_explain_add(x,
                  "the program is for the design point with the hash %016" PRIx64
                  ", and the machine is '%s', whose hash is %016" PRIx64,
                  read_pair(rtl, TSR_REG_DESIGN_LO), rtl->design.name, rtl->design.hash);
}

static struct tsr_stand read_stand(struct tsr_rtl *rtl, int engine)
{
  uint32_t state = 0, insn = 0, offset = 4 * (uint32_t)engine;
  tsr_rtl_read_register(rtl, TSR_REG_STATE_LOAD + offset, &state);
  tsr_rtl_read_register(rtl, TSR_REG_INSN_LOAD + offset, &insn);
  return (struct tsr_stand){(enum tsr_state)(state & STATE_MASK), insn,
                            state >> STATE_BITS & OTHERS_MASK};
}

static void explain_stands(struct tsr_rtl *rtl, const struct tsr_explain *x, uint64_t cycles)
{
  struct tsr_stand stands[TSR_ENGINE_COUNT + 1];
  for (int e = 0; e <= TSR_ENGINE_FETCH; e++)
    stands[e] = read_stand(rtl, e);
  tsr_explain_stands(x, cycles, stands);
}

static void explain_trap(struct tsr_rtl *rtl, const struct tsr_explain *x)
{
  struct tsr_dram_error error;
  uint32_t uops = (uint32_t)tsr_design_depth(&rtl->design, TSR_BUFFER_UOP);
  for (uint32_t i = 0; i < uops; i++)
    tsr_rtl_peek(rtl, TSR_BUFFER_UOP, i, rtl->uops + i * TSR_UOP_BYTES);
  tsr_explain_trap(x, rtl->uops, tsr_dram_first_error(rtl->dram, &error) ? &error : NULL);
}

void tsr__rtl_explain(struct tsr_rtl *rtl, const uint8_t *insns, size_t insn_count, uint64_t cycles,
                      struct tsr_run_result *result)
{
  struct tsr_explain x = {&rtl->design, insns, insn_count, rtl->window_bytes, result};
  if (result->timed_out || result->trap == TSR_TRAP_DEADLOCK)
    explain_stands(rtl, &x, cycles);
  else if (result->trap == TSR_TRAP_DESIGN)
    explain_design(rtl, &x);
  else if (result->trap)
    explain_trap(rtl, &x);
}
