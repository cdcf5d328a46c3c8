/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/points.h"

static bool overwrites(const uint8_t *uop)
{
  return uop[6] & 1;
}

static const uint32_t *step_of(const struct tsr_insn *insn, enum tsr__role role)
{
  const uint32_t *steps[] = {insn->loop.step_dst, insn->loop.step_a, insn->loop.step_b};
  return steps[role];
}

struct tsr__points tsr__points_of(const struct tsr_insn *insn, const uint8_t *uops)
{
  return (struct tsr__points){.insn = insn,
                              .uops = uops + (size_t)insn->loop.uop_begin * TSR_UOP_BYTES};
}

static bool advance(struct tsr__points *p)
{
  if (!p->begun)
    return p->begun = true;
  if (++p->point.uop < p->insn->loop.uop_count)
    return true;
  p->point.uop = 0;
  for (int k = 2; k >= 0; k--) {
    if (++p->point.at[k] < p->insn->loop.n[k])
      return true;
    p->point.at[k] = 0;
  }
  return false;
}

bool tsr__points_next(struct tsr__points *p)
{
  if (!advance(p))
    return false;
  const uint8_t *uop = p->uops + (size_t)p->point.uop * TSR_UOP_BYTES;
  p->first = overwrites(uop);
  for (int f = 0; f < 3; f++)
    p->index[f] = tsr__uop_field(uop, (enum tsr__role)f);
  for (int k = 0; k < 3; k++) {
    p->first = p->first && (!(p->insn->loop.first >> k & 1) || p->point.at[k] == 0);
    for (int f = 0; f < 3; f++)
      p->index[f] += p->point.at[k] * step_of(p->insn, (enum tsr__role)f)[k];
  }
  return true;
}

bool tsr__starts_its_sums(const struct tsr_insn *insn, const uint8_t *uops,
                          struct tsr__set *scratch)
{
  const uint8_t *uop = uops + (size_t)insn->loop.uop_begin * TSR_UOP_BYTES;
  for (int k = 0; k < 3; k++)
    if (insn->loop.first >> k & 1 && insn->loop.n[k] > 1 && insn->loop.step_dst[k])
      return false;
  tsr__set_clear(scratch);
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uop += TSR_UOP_BYTES) {
    uint32_t d = tsr__uop_field(uop, TSR__ROLE_D);
    if (overwrites(uop))
      tsr__set_add(scratch, d, d + 1);
    else if (!tsr__set_has(scratch, d))
      return false;
  }
  return true;
}

bool tsr__same_indices(const struct tsr_insn *insn, const uint8_t *uops, enum tsr__role one,
                       enum tsr__role other)
{
  const uint8_t *uop = uops + (size_t)insn->loop.uop_begin * TSR_UOP_BYTES;
  for (int k = 0; k < 3; k++)
    if (insn->loop.n[k] > 1 && step_of(insn, one)[k] != step_of(insn, other)[k])
      return false;
  for (uint32_t u = 0; u < insn->loop.uop_count; u++, uop += TSR_UOP_BYTES)
    if (tsr__uop_field(uop, one) != tsr__uop_field(uop, other))
      return false;
  return true;
}
