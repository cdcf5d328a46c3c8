/* SPDX-License-Identifier: Apache-2.0 */
/* The intrinsics of x86 CPUs, parsed from cpu.def. */
#include "tensorize/intrin.h"

static const struct {
  const char *name, *text;
} rows[] = {
#define TSR_INTRIN(name, text) {name, text},
#include "tensorize/cpu.def"
#undef TSR_INTRIN
};

enum { ROWS = sizeof rows / sizeof rows[0] };

const struct tsr_intrin_set *tsr_cpu_intrinsics(struct tsr_arena *a)
{
  struct tsr_intrin_set *set = tsr__intrin_set(a, ROWS);
  set->parts = true;
  for (int k = 0; k < ROWS; k++)
    tsr__intrin_add(a, set, rows[k].name, rows[k].text, true);
  return set;
}
