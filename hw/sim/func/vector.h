/* SPDX-License-Identifier: Apache-2.0 */
/* The vector rows, fast. */
#ifndef TSR_HW_SIM_FUNC_VECTOR_H
#define TSR_HW_SIM_FUNC_VECTOR_H

#include "hw/sim/func/state.h"

void tsr__vector(struct tsr_func *func, const struct tsr_insn *insn);

#endif
