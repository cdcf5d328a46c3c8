/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and their registers: each virtual register gets a real one for as long as it is read, so
 * that few are needed and what was computed last is still in the cache. */
#include <string.h>

#include "compiler/tir/code.h"

void tir__segment_begin(struct tir__emit *e)
{
  e->segment = e->code->insns;
  e->values = e->tables = 0;
  memset(&e->risky, 0, sizeof e->risky);
  e->always = tir__emit_mask(e, NULL, NULL, false);
}

/* Where each virtual register is read last. */
static int *last_uses(struct tir__emit *e)
{
  int *last = TSR_NEW_ARRAY(e->arena, int, e->values + 1);
  for (int i = e->segment; i < e->code->insns; i++) {
    const struct tir__insn *in = &e->code->insn[i];
    for (int k = 0; k < 4; k++)
      if (in->arg[k] >= 0 && in->arg[k] < TIR__FIRST_CONSTANT)
        last[in->arg[k]] = i;
    if (in->mask >= 0 && in->mask < TIR__FIRST_CONSTANT)
      last[in->mask] = i;
  }
  return last;
}

struct allocation {
  const int *last;
  int *real; /* of each virtual register */
  bool *used;
  int i;
};

static void replace(struct allocation *a, int *reg, bool release)
{
  if (*reg < 0 || *reg >= TIR__FIRST_CONSTANT)
    return;
  int real = a->real[*reg];
  if (release && a->last[*reg] == a->i)
    a->used[real] = false;
  else if (!release)
    *reg = real;
}

void tir__segment_end(struct tir__emit *e)
{
  struct tir_code *c = e->code;
  struct allocation a = {.last = last_uses(e), .real = TSR_NEW_ARRAY(e->arena, int, e->values + 1),
                         .used = TSR_NEW_ARRAY(e->arena, bool, e->values + 1)};
  for (a.i = e->segment; a.i < c->insns; a.i++) {
    struct tir__insn *in = &c->insn[a.i];
    int *regs[5] = {&in->arg[0], &in->arg[1], &in->arg[2], &in->arg[3], &in->mask};
    int dst = 0;
    while (in->dst >= 0 && a.used[dst])
      dst++;
    if (in->dst >= 0) {
      a.real[in->dst] = dst;
      a.used[dst] = a.last[in->dst] > 0;
      in->dst = dst;
      c->registers = dst + 1 > c->registers ? dst + 1 : c->registers;
    }
    for (int k = 0; k < 5; k++)
      replace(&a, regs[k], true);
    for (int k = 0; k < 5; k++)
      replace(&a, regs[k], false);
  }
}
