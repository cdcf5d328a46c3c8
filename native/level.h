/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction-set levels that machine code is made for, and which of them this CPU has. */
#ifndef TSR_NATIVE_LEVEL_H
#define TSR_NATIVE_LEVEL_H

#include <stdbool.h>

enum tsr_level {
#define TSR_LEVEL(id, name, bytes, registers, fma, dot, bf16, meaning) TSR_LEVEL_##id,
#include "native/levels.def"
#undef TSR_LEVEL
  TSR_LEVELS
};

enum { TSR_LEVEL_NONE = -1, TSR_ALL_LEVELS = (1 << TSR_LEVELS) - 1 };

struct tsr_level_info {
  const char *name, *meaning;
  int vector_bytes, registers; /* of one vector; of the vector file */
  bool fma, dot, bf16;         /* fused multiply-add; vpdpbusd; vdpbf16ps */
};

const struct tsr_level_info *tsr_level_info(enum tsr_level level);
bool tsr_level_from_name(const char *name, enum tsr_level *out);

/* The levels that this CPU and its operating system have, a bit each; 0 where the CPU is no x86-64. */
unsigned tsr_levels_of_machine(void);
/* The highest of them; TSR_LEVEL_NONE: there is none. */
int tsr_level_of_machine(void);

#endif
