/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM, fast: by plan and kernel. */
#ifndef TSR_HW_SIM_FUNC_GEMM_H
#define TSR_HW_SIM_FUNC_GEMM_H

#include "hw/sim/func/state.h"

struct tsr__gemm *tsr__gemm_new(struct tsr_arena *arena, const struct tsr_design *design);
void tsr__gemm(struct tsr_func *func, const struct tsr_insn *insn);

#endif
