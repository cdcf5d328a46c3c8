/* SPDX-License-Identifier: Apache-2.0 */
/* Every cycle of a run belongs to one layer and to one share: what it went to. */
#ifndef TSR_RUNTIME_PROFILE_SHARES_H
#define TSR_RUNTIME_PROFILE_SHARES_H

#include "runtime/profile/record.h"

enum tsr_share {
#define TSR_SHARE(name, text, meaning) TSR_SHARE_##name,
#include "runtime/profile/shares.def"
#undef TSR_SHARE
  TSR_SHARES
};

/* What a cycle goes to in which the engines, fetch behind them, are in these states. */
enum tsr_share tsr_share_of(const enum tsr_state state[TSR_ENGINE_COUNT + 1]);

/* Adds the cycles of a run to cycles[layer][share]; layers that end in one run share its cycles by
 * their ends: each has those from the end of the layer before to its own, the last all to the end.
 * A layer ends when its last instruction, and all of the layers before it, have retired. */
void tsr_share_cycles(struct tsr_arena *arena, const struct tsr_record *record,
                      const struct tsr_record_run *run, uint64_t (*cycles)[TSR_SHARES]);

#endif
