/* SPDX-License-Identifier: Apache-2.0 */
/* The list of findings, kept in order of instruction as the passes add to it. */
#ifndef TSR_VERIFY_FINDINGS_H
#define TSR_VERIFY_FINDINGS_H

#include "verify/verify.h"

enum { TSR__FINDINGS_LISTED = 100 };

/* `text` is copied into the arena. */
void tsr__finding_add(struct tsr_arena *arena, struct tsr_findings *findings,
                      enum tsr_finding_kind kind, size_t insn, int engine, const char *text);

#endif
