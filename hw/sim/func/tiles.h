/* SPDX-License-Identifier: Apache-2.0 */
/* INP and WGT once more, in the layout of the fast kernels; kept up to date by whoever writes them. */
#ifndef TSR_HW_SIM_FUNC_TILES_H
#define TSR_HW_SIM_FUNC_TILES_H

#include "hw/sim/func/state.h"

enum tsr__path tsr__best_path(void); /* of this host */

struct tsr__tiles *tsr__tiles_new(struct tsr_arena *arena, const struct tsr_design *design);

/* Entries first .. first+count of a scratchpad have new content. */
void tsr__tiles_inp(struct tsr_func *func, uint32_t first, uint64_t count);
void tsr__tiles_wgt(struct tsr_func *func, uint32_t first, uint64_t count);
/* A vector instruction has written INP. */
void tsr__tiles_inp_written(struct tsr_func *func, const struct tsr_insn *insn);

#endif
