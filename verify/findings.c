/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/findings.h"

#include <string.h>

const char *tsr_finding_kind_name(enum tsr_finding_kind kind)
{
  switch (kind) {
  case TSR_FINDING_WORD: return "word";
  case TSR_FINDING_END: return "end";
  case TSR_FINDING_DEADLOCK: return "deadlock";
  case TSR_FINDING_BALANCE: return "balance";
  case TSR_FINDING_INDEX: return "index";
  case TSR_FINDING_WINDOW: return "window";
  case TSR_FINDING_ALIGN: return "align";
  case TSR_FINDING_RACE: return "race";
  case TSR_FINDING_UNWRITTEN: return "unwritten";
  case TSR_FINDING_OVERFLOW: return "overflow";
  }
  return "?";
}

void tsr__finding_add(struct tsr_arena *arena, struct tsr_findings *findings,
                      enum tsr_finding_kind kind, size_t insn, int engine, const char *text)
{
  if (!findings->list)
    findings->list = TSR_NEW_ARRAY(arena, struct tsr_finding, TSR__FINDINGS_LISTED);
  findings->count++;
  size_t at = findings->listed;
  while (at > 0 && findings->list[at - 1].insn > insn)
    at--;
  if (at == TSR__FINDINGS_LISTED)
    return;
  if (findings->listed < TSR__FINDINGS_LISTED)
    findings->listed++;
  memmove(&findings->list[at + 1], &findings->list[at],
          (findings->listed - at - 1) * sizeof *findings->list);
  findings->list[at] = (struct tsr_finding){kind, insn, engine, tsr_arena_strdup(arena, text)};
}
