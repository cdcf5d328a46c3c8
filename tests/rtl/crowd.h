/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of engines that meet without order: LOADs, GEMMs, rows of vector, STOREs and SYNCs of few
 * and many entries, most with no token between them, so that they fight for ACC's banks, for INP's
 * write port, for the bus and for room in queues and counters. What is in the scratchpads depends on
 * time then; time does not depend on it, since micro-ops are there before anything else begins. */
#ifndef TSR_TESTS_RTL_CROWD_H
#define TSR_TESTS_RTL_CROWD_H

#include "configs/design.h"
#include "isa/isa.h"

/* The program of a seed; lives in the arena. */
struct tsr_program crowd(struct tsr_arena *arena, const struct tsr_design *design, uint64_t seed);

#endif
