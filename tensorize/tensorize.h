/* SPDX-License-Identifier: Apache-2.0 */
/* Tensorization: innermost loops mapped to what hardware does in one step.
 *
 * An intrinsic is declared in tensor IR (a func of one stage over operand buffers) and one matcher maps
 * loops to any of them: the stage's expression must equal the intrinsic's up to the order of commutative
 * operands, buffers must have the operands' dtypes and scopes, and the loops must run over whole
 * operands. Where a match fails, the sentence says why. */
#ifndef TSR_TENSORIZE_TENSORIZE_H
#define TSR_TENSORIZE_TENSORIZE_H

#include "compiler/tir/tir.h"
#include "configs/design.h"

struct tsr_intrin_set {
  int count;
  const struct tir_intrin **intrin;
  bool parts; /* an operand may be part of a row: its first dim, of a larger one of the buffer */
};

/* The accelerator's intrinsics at a design point: the rows of accel.def. */
const struct tsr_intrin_set *tsr_accel_intrinsics(struct tsr_arena *a, const struct tsr_design *design);

/* The intrinsics of x86 CPUs: the rows of cpu.def. */
const struct tsr_intrin_set *tsr_cpu_intrinsics(struct tsr_arena *a);

/* The opcode (enum tsr_opcode) that an accelerator intrinsic becomes; -1 for another one. */
int tsr_accel_intrin_opcode(const struct tir_intrin *intrin);

/* For struct tir_intrinsics: context is a struct tsr_intrin_set. */
enum tsr_status tsr_tensorize_match(struct tsr_arena *a, struct tsr_err *err, const void *context,
                                    const char *name, struct tir_match *m);

#endif
