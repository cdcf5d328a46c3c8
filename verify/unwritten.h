/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of scratchpad entries that nothing has written. A scratchpad holds noise when power
 * comes on and another program's data later on, so such a read is a defect whatever it happens
 * to give.
 *
 * Instructions come in an order that tokens allow. Where the program has no race, a write that
 * has not come yet is not before the read in any such order. Within an instruction the order of
 * the loop points counts: a sum that starts with `first` reads what the instruction wrote
 * itself. */
#ifndef TSR_VERIFY_UNWRITTEN_H
#define TSR_VERIFY_UNWRITTEN_H

#include "verify/region.h"

struct tsr__written;

struct tsr__written *tsr__written_new(struct tsr_arena *arena, const struct tsr_design *design);

/* The first read of nothing by this instruction, as a sentence; then counts what it writes. */
bool tsr__written_step(struct tsr__written *written, size_t index, const struct tsr_insn *insn,
                       const struct tsr__region *region, const uint8_t *uops, char *text,
                       size_t size);

#endif
