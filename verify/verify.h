/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a program before it runs, without running it.
 *
 * For any instruction stream at any design point: every word decodes; tokens never deadlock and
 * are balanced at FINISH; every scratchpad index and DMA address is in range over the whole loop
 * nest; capacities are kept; the program ends in FINISH. And where the machine would run it to
 * its end: no two engines meet in a scratchpad entry or a byte of DRAM without a token between
 * them, nothing is read that nothing has written, no int32 result can leave int32. Findings name
 * instruction, engine, loop point and reason. docs/verifier.md tells more. */
#ifndef TSR_VERIFY_VERIFY_H
#define TSR_VERIFY_VERIFY_H

#include "configs/design.h"
#include "isa/isa.h"

enum tsr_finding_kind { /* one row a kind of defect */
  TSR_FINDING_WORD,     /* does not decode, or a field has no meaning at this design point */
  TSR_FINDING_END,      /* no FINISH, or something behind it */
  TSR_FINDING_DEADLOCK,
  TSR_FINDING_BALANCE,  /* tokens left over at the end */
  TSR_FINDING_INDEX,    /* scratchpad index out of range, or outside of the named banks */
  TSR_FINDING_WINDOW,   /* DMA address out of the window */
  TSR_FINDING_ALIGN,
  TSR_FINDING_RACE,      /* two engines on one entry or byte, unordered, one of them writing */
  TSR_FINDING_UNWRITTEN, /* a scratchpad entry is read that nothing has written */
  TSR_FINDING_OVERFLOW,  /* an int32 result may leave int32 */
};

struct tsr_finding {
  enum tsr_finding_kind kind;
  size_t insn;      /* index in the stream */
  int engine;
  const char *text; /* "instruction 12 (gemm, matrix): WGT index 1030 (b) at loop point (0,3,1),
                       micro-op 2; the scratchpad has 1024 entries" */
};

struct tsr_findings {
  struct tsr_finding *list; /* in order of insn; at most 100, `count` tells all */
  size_t listed, count;
};

/* Which of the questions about data are asked, and what is known of values that the program does
 * not hold: of INP, and of int32 that is loaded into ACC. Where low > high those int32 are taken
 * to be small enough, and nothing is said of what comes of them. */
struct tsr_verify_options {
  bool races, unwritten, overflow;
  int inp_low, inp_high;
  int acc_low, acc_high;
};
struct tsr_verify_options tsr_verify_defaults(void); /* all; -128..127; 1..0 */

/* Findings live in the arena. Micro-ops are read from the program's data image through the LOADs
 * of UOP that come before their use in the order that tokens allow; one that the image does not
 * hold, or that a STORE of the program writes over, is a WINDOW finding. A design hash that
 * differs is a WORD finding. Of a program that would stop early (kinds WORD to ALIGN but
 * BALANCE) the data is not followed: there are no findings of the later kinds. tsr_verify() has
 * the default options. */
void tsr_verify(struct tsr_arena *arena, const struct tsr_design *design,
                const struct tsr_program *program, struct tsr_findings *out);
void tsr_verify_with(struct tsr_arena *arena, const struct tsr_design *design,
                     const struct tsr_program *program, const struct tsr_verify_options *options,
                     struct tsr_findings *out);

const char *tsr_finding_kind_name(enum tsr_finding_kind kind); /* "deadlock" */

#endif
