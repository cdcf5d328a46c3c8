/* SPDX-License-Identifier: Apache-2.0 */
/* What is over when an instruction begins, from tokens alone.
 *
 * An engine runs its instructions one after the other, so what an engine knows to be over is a
 * number for each engine: how many of its instructions. The k-th token that an engine takes from
 * another is the k-th that the other gave, with all that the giver knew. */
#ifndef TSR_VERIFY_CLOCKS_H
#define TSR_VERIFY_CLOCKS_H

#include "isa/isa.h"

struct tsr__clock {
  uint32_t over[TSR_ENGINE_COUNT];
};

struct tsr__given { /* tokens that one engine gave another, in order */
  struct tsr__clock *list;
  size_t count, capacity, taken;
};

struct tsr__clocks {
  struct tsr_arena *arena;
  struct tsr__clock knows[TSR_ENGINE_COUNT];
  struct tsr__given given[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT]; /* [from][to] */
};

void tsr__clocks_init(struct tsr_arena *arena, struct tsr__clocks *clocks);

/* The instructions of a program come in an order in which tokens let them run. begin() says what is
 * over before this one, where over[its engine] tells all before it; end() closes it. */
const struct tsr__clock *tsr__clocks_begin(struct tsr__clocks *clocks, const struct tsr_insn *insn);
void tsr__clocks_end(struct tsr__clocks *clocks, const struct tsr_insn *insn);

#endif
