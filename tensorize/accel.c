/* SPDX-License-Identifier: Apache-2.0 */
/* The accelerator's intrinsics at a design point, parsed from accel.def. */
#include <string.h>

#include "isa/isa.h"
#include "tensorize/intrin.h"

static const struct row {
  const char *name;
  int opcode;
  bool accumulates;
  const char *text;
} rows[] = {
#define TSR_INTRIN(name, op, accumulates, text) {name, TSR_OP_##op, accumulates, text},
#include "tensorize/accel.def"
#undef TSR_INTRIN
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static const char *fill_in(struct tsr_arena *a, const char *text, const struct tsr_design *d)
{
  struct tsr_text t = {.arena = a};
  for (; *text; text++) {
    if (text[0] == '$' && (text[1] == 'B' || text[1] == 'L'))
      tsr_text_add(&t, "%d", *++text == 'B' ? d->batch : d->block_out);
    else
      tsr_text_add_bytes(&t, text, 1);
  }
  return t.data;
}

const struct tsr_intrin_set *tsr_accel_intrinsics(struct tsr_arena *a, const struct tsr_design *design)
{
  struct tsr_intrin_set *set = tsr__intrin_set(a, ROWS);
  for (int k = 0; k < ROWS; k++)
    tsr__intrin_add(a, set, rows[k].name, fill_in(a, rows[k].text, design), rows[k].accumulates);
  return set;
}

int tsr_accel_intrin_opcode(const struct tir_intrin *intrin)
{
  for (int k = 0; k < ROWS; k++)
    if (!strcmp(rows[k].name, intrin->name))
      return rows[k].opcode;
  return -1;
}
