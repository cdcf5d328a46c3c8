/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the data through a program that the machine would run to its end: races, reads of
 * nothing, sums that leave int32. */
#ifndef TSR_VERIFY_FLOW_H
#define TSR_VERIFY_FLOW_H

#include "verify/verify.h"

/* `order` has the program's instructions in an order in which tokens let them run. */
void tsr__flow(struct tsr_arena *arena, const struct tsr_design *design,
               const struct tsr_program *program, const struct tsr_verify_options *options,
               const size_t *order, size_t count, struct tsr_findings *out);

#endif
