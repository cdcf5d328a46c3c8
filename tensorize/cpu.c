/* SPDX-License-Identifier: Apache-2.0 */
/* The intrinsics of x86 CPUs, parsed from cpu.def. */
#include "tensorize/tensorize.h"

#include <assert.h>

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
  struct tsr_intrin_set *set = TSR_NEW(a, struct tsr_intrin_set);
  const struct tir_intrin **list = TSR_NEW_ARRAY(a, const struct tir_intrin *, ROWS);
  for (int k = 0; k < ROWS; k++) {
    struct tir_intrin *intrin = TSR_NEW(a, struct tir_intrin);
    struct tir_func *f = NULL;
    struct tsr_err err;
    enum tsr_status status = tir_func_parse(a, &err, rows[k].name, rows[k].text, &f);
    assert(!status);
    (void)status;
    *intrin = (struct tir_intrin){rows[k].name, f, true};
    list[k] = intrin;
  }
  *set = (struct tsr_intrin_set){.count = ROWS, .intrin = list, .parts = true};
  return set;
}
