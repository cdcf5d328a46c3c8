/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/clocks.h"

#include <assert.h>
#include <string.h>

void tsr__clocks_init(struct tsr_arena *arena, struct tsr__clocks *clocks)
{
  memset(clocks, 0, sizeof *clocks);
  clocks->arena = arena;
}

static void learn(struct tsr__clock *knows, const struct tsr__clock *from)
{
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (from->over[e] > knows->over[e])
      knows->over[e] = from->over[e];
}

const struct tsr__clock *tsr__clocks_begin(struct tsr__clocks *clocks, const struct tsr_insn *insn)
{
  int engine = tsr_insn_engine(insn);
  for (int from = 0; from < TSR_ENGINE_COUNT; from++) {
    struct tsr__given *given = &clocks->given[from][engine];
    if (!(insn->wait >> from & 1))
      continue;
    assert(given->taken < given->count);
    learn(&clocks->knows[engine], &given->list[given->taken++]);
  }
  return &clocks->knows[engine];
}

void tsr__clocks_end(struct tsr__clocks *clocks, const struct tsr_insn *insn)
{
  int engine = tsr_insn_engine(insn);
  struct tsr__clock *knows = &clocks->knows[engine];
  knows->over[engine]++;
  for (int to = 0; to < TSR_ENGINE_COUNT; to++) {
    struct tsr__given *given = &clocks->given[engine][to];
    if (!(insn->signal >> to & 1))
      continue;
    given->list = TSR_GROW(clocks->arena, given->list, given->count, &given->capacity);
    given->list[given->count++] = *knows;
  }
}
