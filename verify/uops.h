/* SPDX-License-Identifier: Apache-2.0 */
/* The micro-op scratchpad as a program fills it, known without running the program: its LOADs of
 * UOP are followed in program order through the program's data image. For that to be the truth,
 * micro-ops must come from the image and no STORE may write over them; both are found out here. */
#ifndef TSR_VERIFY_UOPS_H
#define TSR_VERIFY_UOPS_H

#include "configs/design.h"
#include "isa/isa.h"

struct tsr__uops;

struct tsr__uops *tsr__uops_new(struct tsr_arena *arena, const struct tsr_design *design,
                                const struct tsr_program *program);
const uint8_t *tsr__uops_now(const struct tsr__uops *uops);

/* Follows a LOAD of UOP that is within its ranges. False, with a sentence, where it reads past the
 * image; those micro-ops count as zero. */
bool tsr__uops_load(struct tsr__uops *uops, size_t index, const struct tsr_insn *insn, char *text,
                    size_t size);

/* After all loads: true, with a sentence, if this STORE writes over bytes that were loaded as
 * micro-ops. */
bool tsr__uops_stored(const struct tsr__uops *uops, size_t index, const struct tsr_insn *insn,
                      char *text, size_t size);

#endif
