/* SPDX-License-Identifier: Apache-2.0 */
/* What the isa_gen tool writes from the tables. */
#ifndef TSR_ISA_GEN_H
#define TSR_ISA_GEN_H

#include "isa/slot.h"

void tsr__gen_verilog(struct tsr_text *out); /* tsr_isa.vh */
void tsr__gen_page(struct tsr_text *out);    /* docs/isa.md */

const char *tsr__format_name(int format); /* "DMA" */

#endif
