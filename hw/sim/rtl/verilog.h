/* SPDX-License-Identifier: Apache-2.0 */
/* The accelerator as one file. */
#ifndef TSR_HW_SIM_RTL_VERILOG_H
#define TSR_HW_SIM_RTL_VERILOG_H

#include "base/arena.h"
#include "configs/design.h"

/* The Verilog of hw/rtl at a design point: its headers, then every module; the top is `tessera`. It
 * includes nothing. The text depends on the point's keys alone. */
char *tsr_rtl_verilog(struct tsr_arena *arena, const struct tsr_design *design);

#endif
