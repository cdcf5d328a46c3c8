/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM, fast: what gemm.c gives to the machine. */
#ifndef TSR_HW_SIM_FUNC_GEMM_H
#define TSR_HW_SIM_FUNC_GEMM_H

#include "hw/sim/func/state.h"

void tsr__gemm(struct tsr_func *func, const struct tsr_insn *insn);

#endif
