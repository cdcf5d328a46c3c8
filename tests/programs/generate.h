/* SPDX-License-Identifier: Apache-2.0 */
/* Random programs: valid at a design point, or with one planted defect, by seed.
 *
 * Indices, sums and boxes keep to two small ranges of each scratchpad, so that instructions of all
 * engines meet there; ranges lie at the first entry, at the last, across the middle of ACC. What is
 * read was written. Tokens order every two instructions that touch the same element, and some that
 * do not. */
#ifndef TSR_TESTS_PROGRAMS_GENERATE_H
#define TSR_TESTS_PROGRAMS_GENERATE_H

#include "configs/design.h"
#include "isa/isa.h"

enum defect {
#define DEFECT(name, text, finding, meaning) DEFECT_##name,
#include "tests/programs/defects.def"
#undef DEFECT
  DEFECT_COUNT
};

const char *defect_text(enum defect defect);

struct generated {
  struct tsr_program program; /* lives in the arena */
  enum defect defect;
  bool raced; /* TOKEN, TOKENS: two conflicting instructions have no order now */
};

void generate(struct tsr_arena *arena, const struct tsr_design *design, uint64_t seed,
              enum defect defect, struct generated *out);

#endif
