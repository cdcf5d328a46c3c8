/* SPDX-License-Identifier: Apache-2.0 */
/* When things moved that move one a cycle: so that a run that is cut short counts those that did. */
#include "hw/sim/cycle/machine.h"

void tsr__moves_start(struct tsr__moves *m)
{
  m->stretches = m->count = m->data = 0;
}

void tsr__moves_add(struct tsr__moves *m, uint64_t first, uint64_t moves, bool data)
{
  struct tsr__stretch *last = &m->ring[(m->stretches - 1) & m->mask];
  m->count += moves;
  m->data += data ? moves : 0;
  if (m->stretches && last->data == data && last->first + last->moves == first)
    last->moves += moves;
  else
    m->ring[m->stretches++ & m->mask] = (struct tsr__stretch){first, moves, data};
}

uint64_t tsr__moves_before(const struct tsr__moves *m, uint64_t upto, uint64_t *data)
{
  uint64_t count = m->count, size = m->mask + 1;
  uint64_t oldest = m->stretches > size ? m->stretches - size : 0;
  *data = m->data;
  for (uint64_t k = m->stretches; k > oldest; k--) {
    const struct tsr__stretch *s = &m->ring[(k - 1) & m->mask];
    uint64_t end = s->first + s->moves;
    if (end <= upto)
      break;
    uint64_t behind = s->first >= upto ? s->moves : end - upto;
    count -= behind;
    *data -= s->data ? behind : 0;
  }
  return count;
}
