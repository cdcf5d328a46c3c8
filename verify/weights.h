/* SPDX-License-Identifier: Apache-2.0 */
/* What a program's image says of the values in WGT and ACC. */
#ifndef TSR_VERIFY_WEIGHTS_H
#define TSR_VERIFY_WEIGHTS_H

#include "configs/design.h"
#include "isa/isa.h"
#include "verify/range.h"
#include "verify/verify.h"

struct tsr__weights;

/* `order` has the instructions of the program that count: what their STOREs may write over is not
 * known. */
struct tsr__weights *tsr__weights_new(struct tsr_arena *arena, const struct tsr_design *design,
                                      const struct tsr_program *program,
                                      const struct tsr_verify_options *options, const size_t *order,
                                      size_t count);

/* A LOAD of ACC or ACC8: the range of each entry that it fills. */
void tsr__weights_load_acc(struct tsr__weights *weights, const struct tsr_insn *insn,
                           struct tsr__range *acc);

/* A LOAD of WGT; then what a tile adds to each of the block_out lanes, for inputs in `inp`. The
 * answers are kept until forget(), which must come before the first question and after each
 * load. */
void tsr__weights_load(struct tsr__weights *weights, const struct tsr_insn *insn);
void tsr__weights_forget(struct tsr__weights *weights);
const struct tsr__range *tsr__weights_tile(struct tsr__weights *weights, uint32_t entry,
                                           struct tsr__range inp);

#endif
