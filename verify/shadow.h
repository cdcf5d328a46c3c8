/* SPDX-License-Identifier: Apache-2.0 */
/* The window's grains that some STORE of the program writes, with the last LOAD and STORE of each.
 * A grain is the largest power of two that divides the AXI beat and every entry, so that transfers
 * are whole grains and nothing is rounded. */
#ifndef TSR_VERIFY_SHADOW_H
#define TSR_VERIFY_SHADOW_H

#include "configs/design.h"
#include "isa/isa.h"

struct tsr__shadow;

/* `order` has the instructions of the program that count. */
struct tsr__shadow *tsr__shadow_new(struct tsr_arena *arena, const struct tsr_design *design,
                                    const struct tsr_program *program, const size_t *order,
                                    size_t count);

/* The highest number above `known` that the other engine left in the bytes of this transfer (of
 * STORE for a LOAD, of LOAD for a STORE), and a byte that has it; 0 if none. */
uint32_t tsr__shadow_conflict(const struct tsr__shadow *shadow, const struct tsr_insn *insn,
                              uint32_t known, uint64_t *byte);
void tsr__shadow_mark(struct tsr__shadow *shadow, const struct tsr_insn *insn, uint32_t number);

#endif
