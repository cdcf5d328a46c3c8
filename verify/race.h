/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines on the same entry or byte, one of them writing, and no token between them.
 *
 * For each entry of a scratchpad, and each grain of DRAM that some STORE writes, the last
 * instruction of each engine that wrote it and that read it. An engine works in order, so the
 * last one stands for all: if it is over when another engine's instruction begins, so are those
 * before it. And where the last one of an engine on a whole scratchpad is over, its entries need
 * no look. */
#ifndef TSR_VERIFY_RACE_H
#define TSR_VERIFY_RACE_H

#include "verify/clocks.h"
#include "verify/region.h"

enum { TSR__SPACE_DRAM = TSR_BUFFER_COUNT };

struct tsr__race {
  size_t first, second; /* indices in the program, in the order of the walk */
  int space;            /* a buffer, or TSR__SPACE_DRAM */
  enum tsr__role role;  /* of the second */
  bool wrote, writes;   /* the first, the second */
  uint64_t at;          /* an entry, or a byte of the window */
};

struct tsr__races {
  struct tsr__race *list; /* at most TSR__FINDINGS_LISTED; `count` tells all */
  size_t listed, count;
};

struct tsr__racing;

/* `order` has the `count` instructions in an order in which tokens let them run. */
struct tsr__racing *tsr__racing_new(struct tsr_arena *arena, const struct tsr_design *design,
                                    const struct tsr_program *program, const size_t *order,
                                    size_t count);
void tsr__racing_step(struct tsr__racing *racing, size_t index, const struct tsr_insn *insn,
                      const struct tsr__region *region);
const struct tsr__races *tsr__racing_found(const struct tsr__racing *racing);

#endif
