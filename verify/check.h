/* SPDX-License-Identifier: Apache-2.0 */
/* Would this instruction trap? Decided before it runs, exactly, from its fields and micro-ops.
 *
 * Steps are unsigned, so over a loop nest an index is smallest at the origin and largest at the far
 * corner, and naming one ACC bank is one bound: the corners of each micro-op decide. Only for the
 * sentence of a trap is the first offending loop point looked up, in closed form.
 *
 * An instruction's checks come in the order of the trap numbers: FIELD, INDEX, WINDOW, ALIGN. In a
 * loop nest the micro-op range comes first, then what comes first in the order of execution. */
#ifndef TSR_VERIFY_CHECK_H
#define TSR_VERIFY_CHECK_H

#include "configs/design.h"
#include "isa/isa.h"

/* uops is the micro-op scratchpad as it stands when the instruction runs. On a trap, text has the
 * sentence: "instruction 12 (gemm, matrix): WGT index 1030 (b) at loop point (0,3,1), micro-op 2;
 * ...". */
enum tsr_trap tsr_check_insn(const struct tsr_design *design, size_t index,
                             const struct tsr_insn *insn, const uint8_t *uops,
                             uint64_t window_bytes, char *text, size_t size);

/* Of a loop instruction whose micro-ops lie in the scratchpad, from `uops` on: the trap, if any, and
 * in *points the loop points, micro-ops counted one by one, that come before the first wrong one;
 * else all of them, as the caller has counted. */
enum tsr_trap tsr_check_points(const struct tsr_design *design, const struct tsr_insn *insn,
                               const uint8_t *uops, uint64_t *points);

/* The sentence for a word that does not decode. */
void tsr_check_word(size_t index, const uint8_t word[static TSR_INSN_BYTES], enum tsr_trap trap,
                    char *text, size_t size);

/* Loop points, micro-ops counted one by one; UINT64_MAX where they are more. */
uint64_t tsr_check_loop_points(const struct tsr_insn *insn);

/* Scratchpad entries that a LOAD fills, padding included; that a STORE reads. At most 2^48. */
uint64_t tsr_check_dma_entries(const struct tsr_insn *insn);

/* What vector rows read beside A: B[b], three entries in a row, a table, or nothing. b is an index,
 * and is checked, only where the row reads through it. */
enum tsr_second {
  TSR_SECOND_NONE,
  TSR_SECOND_ACC,
  TSR_SECOND_ACC3,
  TSR_SECOND_LUT,
  TSR_SECOND_WGT
};
enum tsr_second tsr_check_second(int opcode);

#endif
