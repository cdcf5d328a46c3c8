/* SPDX-License-Identifier: Apache-2.0 */
/* The vector rows, fast: one body (vector_body.h), compiled for each kind of host. */
#ifndef TSR_HW_SIM_FUNC_VECTOR_H
#define TSR_HW_SIM_FUNC_VECTOR_H

#include "hw/sim/func/state.h"

void tsr__vector(struct tsr_func *func, const struct tsr_insn *insn);

/* One a host. */
void tsr__vector_plain(struct tsr_func *func, const struct tsr_insn *insn);
void tsr__vector_avx2(struct tsr_func *func, const struct tsr_insn *insn);
void tsr__vector_avx512(struct tsr_func *func, const struct tsr_insn *insn);

#endif
