/* SPDX-License-Identifier: Apache-2.0 */
/* The x86-64 target: tensor IR to machine code by LLVM. docs/cpu-target.md. */
#ifndef TSR_TARGET_CPU_H
#define TSR_TARGET_CPU_H

#include "native/codegen.h"
#include "runtime/tessera_cpu.h"

/* The func with its last axes merged as far as it stays the same over the same memory. */
const struct tir_func *tsr_cpu_flatten(struct tsr_arena *a, const struct tir_func *f);

/* The schedule of a func for a level: lines applied to *out, which is new. */
enum tsr_status tsr_cpu_plan(struct tsr_arena *a, struct tsr_err *err, const struct tir_func *f,
                             enum tsr_level level, struct tir_sched **out);

#endif
