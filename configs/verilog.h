/* SPDX-License-Identifier: Apache-2.0 */
/* A design point as a Verilog header: what hw/rtl includes as tsr_design.vh. */
#ifndef TSR_CONFIGS_VERILOG_H
#define TSR_CONFIGS_VERILOG_H

#include "configs/design.h"

/* The header's text, macros TSR_BATCH, TSR_BLOCK, ...; clock and memory are no part of it. The text
 * depends on the point's keys alone, never on its name. */
char *tsr_design_verilog(struct tsr_arena *arena, const struct tsr_design *design);

#endif
