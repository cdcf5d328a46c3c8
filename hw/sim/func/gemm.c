/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/func/gemm.h"
void tsr__gemm(struct tsr_func *func, const struct tsr_insn *insn) { tsr__reference(func, insn); }
