/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and locks: hw/rtl/tokens.v, locks.v. A count that changes in a cycle is seen in the next. */
#include "hw/sim/cycle/machine.h"

uint32_t tsr__missing_tokens(const struct tsr_cycle *m, int engine, uint32_t wait)
{
  uint32_t missing = 0;
  for (int from = 0; wait >> from; from++)
    missing |= (uint32_t)((wait >> from & 1) && !m->tokens[from][engine]) << from;
  return missing;
}

uint32_t tsr__missing_room(const struct tsr_cycle *m, int engine, uint32_t signal)
{
  uint32_t missing = 0;
  for (int to = 0; signal >> to; to++)
    missing |= (uint32_t)((signal >> to & 1) && m->tokens[engine][to] == m->design.token_depth)
               << to;
  return missing;
}

bool tsr__spare(const struct tsr_cycle *m, int engine)
{
  for (int to = 0; to < TSR_ENGINE_COUNT; to++)
    if (to != engine && m->tokens[engine][to] + TSR__IN_FLIGHT > m->design.token_depth)
      return false;
  return true;
}

void tsr__take(struct tsr_cycle *m, int engine, uint32_t wait)
{
  m->takes[engine] = wait;
  m->moved |= wait != 0;
}

void tsr__give(struct tsr_cycle *m, int engine, uint32_t signal)
{
  m->gives[engine] = signal;
  m->moved |= signal != 0;
}

static void move(struct tsr_cycle *m, int from, int to)
{
  int change = (int)(m->gives[from] >> to & 1) - (int)(m->takes[to] >> from & 1);
  int before = m->tokens[from][to];
  m->tokens[from][to] += change;
  if (change > 0)
    tsr__rouse(m, tsr__part_of(to), m->now + 1);
  if (change < 0 && before + TSR__IN_FLIGHT > m->design.token_depth)
    tsr__rouse(m, tsr__part_of(from), m->now + 1);
  if (change && m->options.tokens)
    m->options.tokens(m->options.context, m->now, from, to, before + change);
}

void tsr__tokens_move(struct tsr_cycle *m)
{
  m->moved = false;
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++)
      if (m->gives[from] >> to & 1 || m->takes[to] >> from & 1)
        move(m, from, to);
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    m->takes[e] = m->gives[e] = 0;
}

/* --- locks ------------------------------------------------------------------------------------ */

void tsr__ask_locks(struct tsr_cycle *m, int engine, uint32_t locks, uint64_t from)
{
  m->want[engine] = locks;
  m->want_from[engine] = from;
}

/* What nobody can get in this cycle that stands behind `engine` in the line: what is held, or asked
 * for by one in front of it. */
static uint32_t taken(const struct tsr_cycle *m, int engine)
{
  uint32_t locks = 0;
  for (int k = 0; k < TSR__LOCKS; k++)
    locks |= (uint32_t)(m->owner[k] >= 0 || m->lock_free[k] > m->now) << k;
  for (int e = engine + 1; e < TSR_ENGINE_COUNT; e++)
    if (m->want_from[e] <= m->now)
      locks |= m->want[e];
  return locks;
}

bool tsr__grant(struct tsr_cycle *m, int engine)
{
  uint32_t want = m->want[engine];
  bool free = !(want & taken(m, engine));
  for (int k = 0; k < TSR__LOCKS; k++) {
    if (!(want >> k & 1))
      continue;
    if (free)
      m->owner[k] = engine;
    else if (m->lock_free[k] > m->now) /* it was given back in this cycle */
      tsr__rouse(m, tsr__part_of(engine), m->lock_free[k]);
  }
  if (!free)
    return false;
  m->want_from[engine] = TSR__NEVER;
  return true;
}

void tsr__release(struct tsr_cycle *m, uint32_t locks)
{
  for (int k = 0; k < TSR__LOCKS; k++)
    if (locks >> k & 1) {
      m->owner[k] = -1;
      m->lock_free[k] = m->now + 1;
    }
  for (int e = 0; e < TSR_ENGINE_COUNT && locks; e++)
    if (m->want_from[e] != TSR__NEVER)
      tsr__rouse(m, tsr__part_of(e), tsr__later(m->want_from[e], m->now + 1));
}

uint32_t tsr__holders(const struct tsr_cycle *m, int engine)
{
  uint32_t engines = 0;
  for (int k = 0; k < TSR__LOCKS; k++)
    if (m->want[engine] >> k & 1 && m->owner[k] >= 0)
      engines |= 1u << m->owner[k];
  return engines;
}
