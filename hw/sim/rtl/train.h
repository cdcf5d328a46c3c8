/* SPDX-License-Identifier: Apache-2.0 */
/* What an instrumented model runs before the model itself is compiled, so that the compiler knows
 * which of its branches are taken, and puts the others out of the way. */
#ifndef TSR_HW_SIM_RTL_TRAIN_H
#define TSR_HW_SIM_RTL_TRAIN_H

#include "configs/design.h"
#include "isa/isa.h"

/* Goes into the key of a model. */
extern const char *const tsr__train_program[];
enum tsr_status tsr__train_assemble(struct tsr_arena *arena, struct tsr_err *err,
                                    struct tsr_program *out);

/* Runs the program on the model in the file `library`, which then writes its counts. A model that
 * does not run, since its Verilog is wrong, writes fewer or none: that costs speed only, and whoever
 * opens the model learns what is wrong. */
void tsr__train(const struct tsr_design *design, const char *library);

#endif
