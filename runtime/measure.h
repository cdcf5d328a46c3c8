/* SPDX-License-Identifier: Apache-2.0 */
/* The measure that the compiler's search is given: the cycle model, timing only, with the design point's
 * memory. It stands here and not in compiler/, which knows no simulator: another measure (a board, the
 * Verilog) would be another function of the same form. */
#ifndef TSR_RUNTIME_MEASURE_H
#define TSR_RUNTIME_MEASURE_H

#include "compiler/tune/tune.h"

/* struct tsr_tune_options.cycles. context: an allocator, or NULL for the C library's. */
enum tsr_status tsr__measure_cycles(void *context, const struct tsr_design *design,
                                    const struct tsr_program *program, uint64_t *cycles);

#endif
