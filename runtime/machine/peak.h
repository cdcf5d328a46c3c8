/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that do nothing but what they measure; one set a level. */
#ifndef TSR_RUNTIME_MACHINE_PEAK_H
#define TSR_RUNTIME_MACHINE_PEAK_H

#include <stddef.h>

#include "native/level.h"

enum { TSR_PEAK_STEP_BYTES = 12 * 64 }; /* that read and copy take at once, or a part of it */

struct tsr_peak_loop {
  const char *instructions;
  double (*run)(
      long
          rounds); /* operations done in that many rounds; NULL: there is none of the level's own */
};

struct tsr_peak_loops {
  struct tsr_peak_loop f32, i8, bf16;
  /* Once over `bytes`, a multiple of TSR_PEAK_STEP_BYTES; aligned to 64 bytes. */
  void (*read)(const void *from, size_t bytes);
  void (*copy)(void *to, const void *from, size_t bytes);
};

/* NULL: the CPU is no x86-64. Only a CPU that has the level may run them. */
const struct tsr_peak_loops *tsr__peak_loops(enum tsr_level level);

#endif
