/* SPDX-License-Identifier: Apache-2.0 */
/* INP and WGT once more, in the layout of the fast kernels; whoever writes them keeps these so. */
#ifndef TSR_HW_SIM_FUNC_TILES_H
#define TSR_HW_SIM_FUNC_TILES_H

#include "hw/sim/func/kernel.h"
#include "hw/sim/func/state.h"

struct tsr__tiles {
  const struct tsr__kernel *kernel; /* that the layouts below are for */
  uint8_t *inp, *wgt;
  size_t inp_entry, wgt_entry; /* bytes of an entry */
};

enum tsr__path tsr__best_path(void); /* of this host */

/* Room for the layouts of every path; tsr__tiles_layout() chooses one, and leaves it stale. */
struct tsr__tiles *tsr__tiles_new(struct tsr_arena *arena, const struct tsr_design *design);
void tsr__tiles_layout(struct tsr_func *func);

/* Entries first .. first+count of a scratchpad have new content. */
void tsr__tiles_inp(struct tsr_func *func, uint32_t first, uint64_t count);
void tsr__tiles_wgt(struct tsr_func *func, uint32_t first, uint64_t count);
/* All of it, if it is stale: before the first use in a while. */
void tsr__tiles_refresh(struct tsr_func *func);
/* A vector instruction has written INP. */
void tsr__tiles_inp_written(struct tsr_func *func, const struct tsr_insn *insn);

#endif
